/** A new campaign: its start is stopped by what is missing, cured by a link, started; pause shows in another browser. */
import { expect, test } from "vitest";
import { journey } from "../lib/journey";
import { PEOPLE, until } from "../lib/service";

const its = journey();

const NAME = "jade-second";

test("a copy is made, stopped by its list, and started once it has one", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager, "/campaigns/new?copy_of=jade-garden-calls");
  await page.getByRole("button", { name: "创建" }).click();
  await page.locator(".fault").first().waitFor();
  await page.getByLabel("标识").fill("jade-garden-vote");
  await page.getByRole("button", { name: "创建" }).click();
  await page.locator(".fault", { hasText: "同名" }).waitFor();
  await page.getByLabel("标识").fill(NAME);
  await page.getByLabel("名称").fill("翠园二期");
  await page.getByRole("button", { name: "创建" }).click();
  await page.waitForURL(`**/campaigns/${NAME}/settings`);
  await page.getByRole("link", { name: "开始", exact: true }).click();
  const start = page.getByRole("button", { name: "开始外呼" });
  await start.waitFor();
  expect(await start.getAttribute("aria-disabled")).toBe("true");
  // A draft is tested before its start: the ladder and the result are shown, and the check turns by it.
  const check = page.locator(".check-items li", { hasText: "单条测试" });
  await check.getByText("还没有试拨过").waitFor();
  const panel = page.getByRole("region", { name: "单条测试" });
  await panel.getByLabel("号码").fill("154 9999 0001");
  await panel.getByRole("button", { name: "拨打" }).click();
  await page.locator(".sip-ladder").getByText("发起呼叫").waitFor();
  await expect.poll(() => check.textContent(), { timeout: 60_000 }).toMatch(/接通 \d+ 秒|没有成功/);
  expect(await page.locator(".page-head .pill").textContent()).toContain("草稿");
  await page.getByRole("link", { name: "去名单" }).click();
  await page.waitForURL(`**/campaigns/${NAME}/lists`);

  const rows = Array.from({ length: 40 }, (_, n) => `业主${n},1541000${String(1000 + n)}`);
  const { list: { id } } = (await its.service.upload(PEOPLE.manager, `/campaigns/${NAME}/lists?file_name=list.csv`, new TextEncoder().encode(`姓名,手机\n${rows.join("\n")}\n`))) as { list: { id: number } };
  const state = async () => ((await its.service.api(PEOPLE.manager, "GET", `/lists/${id}`)) as { state: string }).state;
  await until(async () => (await state()) === "checked", "the list is checked");
  await its.service.api(PEOPLE.manager, "POST", `/lists/${id}/actions`, { action: "load" });
  await until(async () => (await state()) === "loaded", "the list is loaded");

  await page.goto(`/campaigns/${NAME}/start`);
  await expect.poll(() => start.getAttribute("aria-disabled"), { timeout: 20_000 }).toBe(null);
  await start.click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("075512345678").waitFor();
  await dialog.getByRole("button", { name: /^开始/ }).click();
  await page.getByText("正在外呼").waitFor();
  await page.getByRole("link", { name: "看实时" }).click();
  await page.waitForURL(`**/campaigns/${NAME}/live`);
  const other = await its.open(PEOPLE.analyst, `/campaigns/${NAME}/live`, { language: "en", theme: "dark" });
  await page.getByRole("button", { name: "暂停", exact: true }).click();
  await other.page.locator(".page-head .pill", { hasText: "Paused" }).waitFor();
  expect(faults).toEqual([]);
  expect(other.faults).toEqual([]);
  await other.context.close();
  await context.close();
});
