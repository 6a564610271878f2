/** A manager uploads a GBK list with faults, sees why rows are refused, mends and uploads them, loads, undoes and uploads again. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { gbk } from "../lib/gbk";
import { journey } from "../lib/journey";
import { PEOPLE } from "../lib/service";

const CAMPAIGN = "jade-garden-calls";
const its = journey();

/** 40 owners in a range that the campaign's own list does not use; four rows have a fault. */
function owners(): string {
  const rows = Array.from({ length: 40 }, (_, n) => `${1 + (n % 4)},${1 + (n % 2)},${101 + n},业主${n},1371234${String(1000 + n)},${(60 + n / 2).toFixed(1)}`);
  rows[4] = "1,1,105,赵<b>六</b>,1371234,62.0";
  rows[9] = "2,2,110,孙七,13712341008,64.5";
  rows[14] = "3,1,115,周八,110,67.0";
  rows[19] = "4,2,120,吴九,,69.5";
  return `楼栋,单元,房号,姓名,手机,面积\r\n${rows.join("\r\n")}\r\n`;
}

const send = (page: Page, name: string, bytes: Buffer) => page.locator('input[type="file"]').setInputFiles({ name, mimeType: "text/csv", buffer: bytes });
const state = (page: Page, word: string) => page.locator(".list-head .pill", { hasText: word }).waitFor();

/** Leads with this number; the service says 404 for a number that the campaign does not have. */
async function leads(number: string): Promise<number> {
  const found = await its.service.api(PEOPLE.manager, "GET", `/campaigns/${CAMPAIGN}/leads?number=${number}`).catch((error: unknown) => {
    if (String(error).includes("not_listed")) return { leads: [] };
    throw error;
  });
  return (found as { leads: unknown[] }).leads.length;
}

test("a GBK list with faults is read, mended, loaded, undone and loaded again", async () => {
  // Nobody of the list is called meanwhile, so that the load can be undone.
  await its.service.api(PEOPLE.manager, "POST", `/campaigns/${CAMPAIGN}/actions`, { action: "pause" });
  const { page, faults, context } = await its.open(PEOPLE.manager, `/campaigns/${CAMPAIGN}/live`);
  await page.getByRole("link", { name: "名单", exact: true }).click();
  await page.getByText("还没有上传名单").waitFor();

  // A file that is no list says so before it is sent.
  await send(page, "名单.pdf", Buffer.from("%PDF"));
  await page.getByText("名单.pdf 不是可读的格式").waitFor();
  await send(page, "业主名单-3期.csv", gbk(owners()));
  await state(page, "已检查");
  expect(new URL(page.url()).pathname).toMatch(new RegExp(`/campaigns/${CAMPAIGN}/lists/\\d+$`));

  // The encoding is shown, and the sample is in its own characters; a wrong one is seen and put back in one select.
  const encoding = page.getByLabel("编码");
  expect(await encoding.locator("option:checked").innerText()).toMatch(/自动（GB/i);
  await page.locator("#reading").getByRole("cell", { name: "业主0", exact: true }).waitFor();
  await encoding.selectOption("Big5");
  await page.locator("#reading").getByRole("cell", { name: "业主0", exact: true }).waitFor({ state: "detached" });
  await encoding.selectOption("");
  await page.locator("#reading").getByRole("cell", { name: "业主0", exact: true }).waitFor();
  await state(page, "已检查");

  // A column is mapped by hand, the draft outlives a reload, and its check says that it was named.
  await page.getByLabel("列 面积 用作").selectOption({ label: "保留" });
  await page.getByText("1 列已改").waitFor();
  await page.reload();
  expect(await page.getByLabel("列 面积 用作").locator("option:checked").innerText()).toBe("保留");
  await page.getByRole("button", { name: "按此重新检查" }).click();
  await page.getByText("1 列已改").waitFor({ state: "detached" });
  await state(page, "已检查");
  await page.getByRole("button", { name: "恢复自动识别" }).click();
  await page.getByRole("button", { name: "恢复自动识别" }).waitFor({ state: "detached" });
  await state(page, "已检查");

  // Counts add up; the rows of a reason say what to do.
  await page.getByText("读入 40 = 可导入 36 + 不导入 4").waitFor();
  await page.getByRole("button", { name: /号码不对 2/ }).click();
  const refused = page.locator("#refused-rows");
  await refused.getByText("赵<b>六</b>").waitFor();
  await refused.getByText("7 位：手机号码应为 11 位").waitFor();
  await page.getByRole("button", { name: /文件内重复 1/ }).click();
  await refused.getByText("孙七").waitFor();
  await page.getByRole("button", { name: /紧急或服务号码 1/ }).waitFor();

  // The refused rows as a file, mended: two of the four get a number of their own.
  const id = Number(page.url().split("/").pop());
  const downloaded = page.waitForEvent("download");
  await page.getByRole("link", { name: "下载 fix.csv" }).click();
  const fix = await downloaded;
  expect(fix.suggestedFilename()).toBe("业主名单-3期.fix.csv");
  const mended = readFileSync(await fix.path(), "utf8").replace(",1371234,", ",13712341904,").replace(",13712341008,", ",13712341909,");
  expect(await leads("13712341000")).toBe(0);

  // Loaded, with the number in the button.
  await page.getByRole("button", { name: "导入 36 位客户" }).click();
  await state(page, "已导入");
  expect(await leads("13712341000")).toBe(1);

  // The mended rows are a list of their own.
  await send(page, "修正.csv", Buffer.from(mended));
  await page.waitForURL((url) => !url.pathname.endsWith(`/${id}`));
  await page.getByText("读入 4 = 可导入 2 + 不导入 2").waitFor();
  await page.getByRole("button", { name: "导入 2 位客户" }).click();
  await state(page, "已导入");
  expect(await leads("13712341904")).toBe(1);

  // Undone, asked once; the first list's leads stay.
  await page.getByRole("button", { name: "撤销导入 2 位客户" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "撤销导入 2 位客户" }).click();
  await state(page, "已撤销");
  expect([await leads("13712341904"), await leads("13712341000")]).toEqual([0, 1]);

  // Uploaded again, and loaded again. Leaving and coming back finds the list where it was.
  await page.getByRole("link", { name: "全部名单" }).click();
  await page.getByRole("link", { name: "业主名单-3期.csv" }).waitFor();
  await send(page, "修正-2.csv", Buffer.from(mended));
  await state(page, "已检查");
  await page.getByRole("link", { name: "实时", exact: true }).click();
  await page.waitForURL("**/live");
  await page.goBack();
  await page.getByRole("button", { name: "导入 2 位客户" }).click();
  await state(page, "已导入");
  expect(await leads("13712341904")).toBe(1);
  expect(faults).toEqual([]);
  await context.close();
});

test("what stands against a list is said with what to do, and a shift lead has no lists", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager, `/campaigns/${CAMPAIGN}/lists`, { language: "en", theme: "dark" });
  await send(page, "odd.txt", Buffer.from("first|second\nA|B\nC|D\n"));
  await state(page, "Unreadable");
  await page.getByText("no column holds phone numbers").waitFor();
  await page.getByText("say which column holds the numbers").waitFor();
  expect(await page.getByRole("button", { name: /^Load/ }).count()).toBe(0);

  // Another browser chose in the meantime: 412, nothing of the choice is lost.
  await page.getByLabel("Use of column second").selectOption({ label: "Number 1" });
  const id = Number(page.url().split("/").pop());
  await page.route("**/api/v1/lists/*", (route) => (route.request().method() === "PATCH"
    ? route.continue({ headers: { ...route.request().headers(), "if-match": 'W/"1"' } }) : route.continue()));
  await page.getByRole("button", { name: "Check again with these" }).click();
  await page.locator("#mapping").getByText("Somebody changed this list meanwhile").waitFor();
  await page.unroute("**/api/v1/lists/*");
  expect(await page.getByLabel("Use of column second").locator("option:checked").innerText()).toBe("Number 1");

  // Discarded: asked once, gone for everybody.
  await page.getByRole("button", { name: "Discard the list" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard", exact: true }).click();
  await page.waitForURL(`**/campaigns/${CAMPAIGN}/lists`);
  await page.goto(`/campaigns/${CAMPAIGN}/lists/${id}`);
  await page.getByText("There is no such list").waitFor();
  expect(faults).toEqual([]);
  await context.close();

  const lead = await its.open(PEOPLE.lead, `/campaigns/${CAMPAIGN}/live`);
  expect(await lead.page.getByRole("link", { name: "名单", exact: true }).count()).toBe(0);
  await lead.page.goto(`/campaigns/${CAMPAIGN}/lists`);
  await lead.page.getByText("这里需要“管理名单”权限").waitFor();
  expect(lead.faults).toEqual([]);
  await lead.context.close();
});

test("a full disk is said with what to do, and the same file is sent again by one button; an approval is asked for first", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager, `/campaigns/${CAMPAIGN}/lists`);
  // The disk of the machine that runs the tests is not filled: this one answer is written here.
  const upload = `**/api/v1/campaigns/${CAMPAIGN}/lists?**`;
  await page.route(upload, (route) => (route.request().method() === "POST"
    ? route.fulfill({ status: 507, contentType: "application/problem+json", body: JSON.stringify({ type: "urn:paceline:problem:disk_low", title: "", status: 507, code: "disk_low", detail: "" }) }) : route.continue()));
  await send(page, "again.csv", Buffer.from("姓名,手机\n冯春,13712348001\n"));
  await page.getByText("服务器磁盘空间不足").waitFor();
  await page.unroute(upload);
  await page.getByRole("button", { name: "重新上传" }).click();
  await state(page, "已检查");
  await page.getByRole("button", { name: "导入 1 位客户" }).waitFor();

  // An organisation that asks for a second person; the switch has no route yet, so the answer is changed on its way.
  await page.route("**/api/v1/lists/*", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), needs_approval: true } });
  });
  await page.reload();
  // The service itself does not ask for approval here and says so; then the list may be loaded.
  await page.getByRole("button", { name: "提交审核（1 位客户）" }).click();
  await page.getByText("这份名单不需要审核").waitFor();
  await page.getByRole("button", { name: "导入 1 位客户" }).waitFor();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  expect(faults).toEqual([]);
  await context.close();
});
