/** A manager uploads a sound and cannot approve it; another one hears all of it and approves; a second sound is sent back with a reason. */
import type { Page } from "playwright-core";
import { expect, onTestFailed, test } from "vitest";
import { signIn } from "../lib/browser";
import { journey } from "../lib/journey";
import { PEOPLE, until } from "../lib/service";
import { tone } from "../lib/sound";

const OUT = new URL("../out/", import.meta.url).pathname;

// No route sets the switch yet.
const its = journey({}, (service) => service.setSwitch("approve_audio", true));

const badge = (page: Page) => page.getByTestId("approvals-badge");

/** Fills and sends the form of an upload; the drawer of the sound opens. */
async function upload(page: Page, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  await page.getByRole("button", { name: "上传语音" }).first().click();
  await page.getByLabel("选择文件").setInputFiles({ name, mimeType: "audio/wav", buffer: Buffer.from(bytes) });
  await page.getByRole("button", { name: "上传", exact: true }).click();
}

/** Colours on the canvas: more than one = bars are drawn, and some of them are played. */
const coloursOf = (page: Page) => page.locator("canvas.waveform").evaluate((it: HTMLCanvasElement) => {
  const { data } = it.getContext("2d")?.getImageData(0, 0, it.width, it.height) ?? { data: new Uint8ClampedArray() };
  const seen = new Set<string>();
  for (let n = 0; n < data.length; n += 4) if (data[n + 3] === 255) seen.add(`${data[n]},${data[n + 1]},${data[n + 2]}`);
  return seen.size;
});

test("a sound is uploaded, approved by another person who heard it, sent back with a reason, retired", async () => {
  const maker = await its.open(PEOPLE.manager);
  const other = await its.open(PEOPLE.colleague, "/today", { theme: "dark" });
  await expect.poll(() => badge(other.page).textContent()).toBe("0");

  onTestFailed(async () => {
    for (const [who, it] of [["maker", maker.page], ["other", other.page]] as const) await it.screenshot({ path: `${OUT}approval-failed.${who}.png` });
  });
  // What cannot be sent is said at its field, and nothing is lost.
  const { page } = maker;
  await page.goto("/audio");
  await page.getByText("还没有语音").waitFor();
  await page.getByRole("button", { name: "上传语音" }).click();
  await page.getByRole("button", { name: "上传", exact: true }).click();
  await page.locator(".fault").getByText("选择一个文件").waitFor();
  await page.getByLabel("选择文件").setInputFiles({ name: "notice <b>1.wav", mimeType: "audio/wav", buffer: Buffer.from(tone({ before: 1.9, secs: 2, level: 0.3 })) });
  await page.getByLabel("名称", { exact: true }).fill("a/b");
  await page.getByRole("button", { name: "上传", exact: true }).click();
  await page.getByText("名称为 1 至 255 个字").waitFor();
  await page.getByLabel("名称", { exact: true }).fill("notice <b>1.wav");
  await page.getByRole("button", { name: "上传", exact: true }).click();

  // Measured, with its warning as a sentence; it waits for another person.
  const drawer = page.getByRole("dialog", { name: "notice <b>1.wav" });
  await drawer.getByText(/前 1\.9 秒没有声音/).waitFor();
  await drawer.getByText("等待另一人审核").waitFor();
  expect(await drawer.getByRole("link", { name: "去审核" }).count()).toBe(0);
  await drawer.locator("canvas.waveform").waitFor();
  await expect.poll(() => coloursOf(page)).toBeGreaterThan(0);
  const telephone = page.waitForRequest(/\/sound\?as=telephone$/);
  await drawer.getByLabel("按电话音质播放").check();
  await telephone;
  await page.keyboard.press("Escape");
  await page.getByRole("row", { name: /notice/ }).getByText("等待审核").waitFor();

  // The uploader sees it among what waits for others, without the two words; the service refuses them too.
  await badge(page).click();
  await page.getByText("没有等你审核的内容").waitFor();
  await page.getByRole("button", { name: "等待他人" }).click();
  await page.getByText("你提交的内容由他人审核").waitFor();
  expect(await page.getByRole("button", { name: "通过" }).count()).toBe(0);
  const open = (await its.service.api(PEOPLE.colleague, "GET", "/approvals")) as { items: { id: number }[] };
  await expect(its.service.api(PEOPLE.manager, "POST", `/approvals/${open.items[0]?.id}/actions`, { action: "approve" })).rejects.toThrow(/own_work/);

  // The other one is called by the badge, and hears all of it first: the end alone is not enough.
  await expect.poll(() => badge(other.page).textContent()).toBe("1");
  await badge(other.page).click();
  const thing = other.page.getByRole("region", { name: "notice <b>1.wav" });
  const approve = thing.getByRole("button", { name: "通过" });
  await thing.locator("canvas.waveform").waitFor();
  expect(await approve.getAttribute("aria-disabled")).toBe("true");
  const ended = () => thing.locator("audio").evaluate((it: HTMLAudioElement) => it.ended);
  await thing.getByLabel("位置").fill("3");
  await thing.getByRole("button", { name: "播放" }).click();
  await expect.poll(ended, { timeout: 20_000 }).toBe(true);
  expect(await approve.getAttribute("aria-disabled")).toBe("true");
  await thing.getByLabel("位置").fill("0");
  await thing.getByRole("button", { name: "播放" }).click();
  await thing.getByText("已完整听过").waitFor();
  expect(await coloursOf(other.page)).toBeGreaterThan(0);
  await approve.click();
  await other.page.getByText("已通过“notice <b>1.wav”。").waitFor();
  await expect.poll(() => badge(other.page).textContent()).toBe("0");

  // The uploader's table says so, and by whom.
  await page.goto("/audio");
  const row = page.getByRole("row", { name: /notice/ });
  await row.getByText("可用").waitFor();
  await row.getByText("刘云 8005").waitFor();

  // The name is taken; under another one it is sent back, and the uploader, whose page is open, reads why.
  await upload(page, "notice <b>1.wav", tone({ before: 0, secs: 1, level: 0.4 }));
  await page.getByText("已有同名的语音").waitFor();
  await page.getByLabel("名称", { exact: true }).fill("evening.wav");
  await page.getByRole("button", { name: "上传", exact: true }).click();
  const evening = page.getByRole("dialog", { name: "evening.wav" });
  await evening.getByText("等待另一人审核").waitFor();
  await other.page.getByRole("region", { name: "evening.wav" }).getByRole("button", { name: "退回…" }).click();
  await other.page.getByRole("button", { name: "退回", exact: true }).click();
  await other.page.getByText("填写原因").waitFor();
  await other.page.getByLabel("原因").fill("<i>读错了日期");
  await other.page.getByRole("button", { name: "退回", exact: true }).click();
  await other.page.getByText("已退回“evening.wav”。").waitFor();
  await evening.getByText(/刘云 8005 退回.<i>读错了日期/).waitFor();

  // Retired after a question; the table has it no more.
  await evening.getByRole("button", { name: "停用" }).click();
  await page.getByRole("button", { name: "停用 evening.wav" }).click();
  await page.getByText("已停用 evening.wav。").waitFor();
  await page.getByRole("row", { name: /evening/ }).waitFor({ state: "detached" });

  // What is no sound says so in words.
  await upload(page, "song.mp3", new TextEncoder().encode("OggS nothing that is played, however long it may be"));
  await page.getByRole("dialog", { name: "song.mp3" }).getByText(/无法播放.*Ogg|Ogg.*无法播放/).first().waitFor();
  expect(maker.faults).toEqual([]);
  expect(other.faults).toEqual([]);
  await maker.context.close();
  await other.context.close();
});

test("a list that waits shows its check and some of its rows; it is approved once they were shown", async () => {
  its.service.setSwitch("approve_lists", true);
  const rows = ["姓名,手机号码,房号", ...Array.from({ length: 30 }, (_, n) => `业主${n},1549${String(1_000_000 + n)},1栋-1-${100 + n}`), "错号 <b>,1549100000,2栋-1-101", "重复,15491000000,2栋-1-102"];
  const { list } = (await its.service.upload(PEOPLE.colleague, `/campaigns/jade-garden-calls/lists?file_name=${encodeURIComponent("业主名单.csv")}`, new TextEncoder().encode(rows.join("\n")))) as { list: { id: number } };
  await until(async () => ((await its.service.api(PEOPLE.colleague, "GET", `/lists/${list.id}`)) as { state: string }).state === "checked", "the list is checked");
  await its.service.api(PEOPLE.colleague, "POST", `/lists/${list.id}/actions`, { action: "submit" });
  const { page, faults, context } = await its.visit({ language: "en", theme: "light" });
  onTestFailed(() => page.screenshot({ path: `${OUT}approval-failed.list.png` }).then(() => undefined));
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  await page.goto(`/approvals?of=list:${list.id}`);
  const thing = page.getByRole("region", { name: "业主名单.csv", exact: true });
  await thing.getByRole("definition").filter({ hasText: "32 rows" }).waitFor();
  await thing.getByText("Invalid number 1").waitFor();
  await thing.getByText("Duplicate 1").waitFor();
  await thing.getByRole("cell", { name: /^业主\d+$/ }).first().waitFor();
  await page.screenshot({ path: `${OUT}approvals-list.en.light.png` });
  await thing.getByRole("button", { name: "Approve" }).click();
  await page.getByText("“业主名单.csv” is approved.").waitFor();
  expect(((await its.service.api(PEOPLE.colleague, "GET", `/lists/${list.id}`)) as { state: string }).state).not.toBe("waiting");
  expect(faults).toEqual([]);
  await context.close();
});
