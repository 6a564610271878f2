/** A manager drops a campaign's folder as a zip, reads why a wrong one is refused, and downloads the folder again with the same bytes. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { journey } from "../lib/journey";
import { PEOPLE } from "../lib/service";
import { unzip, zip } from "../lib/zip";

const its = journey();

const TEXT = `# 业主投票
name = "haitang-vote"
title = "海棠业主投票"
mode = "announce"

[list]
file = "业主.csv"

[announcement]
file = "通知.mp3"      # 两遍
plays = 2
`;
const LIST = "姓名,手机\n张伟,13712345001\n李娜,13712345002\n";
const folder = (text: string): [string, Buffer][] => [
  ["campaign.toml", Buffer.from(text)],
  ["业主.csv", Buffer.from(LIST)],
  ["通知.mp3", readFileSync(new URL("../../../campaigns/jade-garden/notice.mp3", import.meta.url))],
];

/** Drops a file on the page, as a person drags it there. */
async function drop(page: Page, name: string, bytes: Buffer) {
  const carried = await page.evaluateHandle(({ name, text }) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(text), (it) => it.charCodeAt(0))], name, { type: "application/zip" }));
    return transfer;
  }, { name, text: bytes.toString("base64") });
  await page.locator("label.drop").dispatchEvent("drop", { dataTransfer: carried });
}

test("a folder is dropped, refused in words, imported, and comes back as it was", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager, "/campaigns/new");
  const pick = page.getByRole("region", { name: "或从文件夹导入" });

  await drop(page, "名单.csv", Buffer.from(LIST));
  await pick.getByText("名单.csv 不是 .zip").waitFor();
  await drop(page, "folder.zip", Buffer.from("no zip at all, in spite of its name"));
  await pick.getByText("这不是 zip 压缩包").waitFor();
  await pick.getByRole("button", { name: "选别的文件" }).click();
  await drop(page, "folder.zip", zip([["海棠/campaign.toml", Buffer.from(TEXT)]]));
  await pick.getByText("在文件夹里").waitFor();
  await pick.getByRole("button", { name: "选别的文件" }).click();
  // A fault of the text names its line.
  await drop(page, "folder.zip", zip(folder(TEXT.replace("plays = 2", "plais = 2"))));
  await pick.getByText("plais").waitFor();
  await pick.getByRole("button", { name: "选别的文件" }).click();

  await drop(page, "folder.zip", zip([...folder(TEXT), ["备忘.txt", Buffer.from("x")]]));
  await pick.getByText("haitang-vote 已导入").waitFor({ timeout: 30_000 });
  await pick.getByText("名单已载入 2 条").waitFor();
  await pick.getByText("未导入：备忘.txt").waitFor();
  await pick.getByRole("link", { name: "设置" }).click();
  await page.waitForURL(/\/campaigns\/haitang-vote\/settings/);

  const [saved] = await Promise.all([page.waitForEvent("download"), (async () => {
    await page.getByRole("button", { name: "更多" }).click();
    await page.getByRole("menuitem", { name: "下载文件夹" }).click();
  })()]);
  expect(saved.suggestedFilename()).toBe("haitang-vote.zip");
  const bytes = readFileSync(await saved.path());
  const files = unzip(bytes);
  expect([...files.keys()].sort()).toEqual(folder(TEXT).map(([name]) => name).sort());
  for (const [name, content] of folder(TEXT)) expect(files.get(name)?.equals(content), name).toBe(true);

  // Sent again it is refused by its name: the text says which one it takes.
  await page.goto("/campaigns/new");
  await page.locator('section input[type="file"]').setInputFiles({ name: "haitang-vote.zip", mimeType: "application/zip", buffer: bytes });
  await pick.getByText("已有任务名为 haitang-vote").waitFor();
  const { toml } = (await its.service.api(PEOPLE.manager, "GET", "/campaigns/haitang-vote")) as { toml: string };
  expect(toml).toBe(TEXT);
  expect(faults).toEqual([]);
  await context.close();
});
