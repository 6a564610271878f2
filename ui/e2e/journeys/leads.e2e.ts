/** A lead is found, read, closed and opened again; all that match are counted first and closed by a task. */
import { expect, test } from "vitest";
import { journey } from "../lib/journey";
import { PEOPLE } from "../lib/service";

const its = journey({}, (service) => service.api(PEOPLE.manager, "POST", "/campaigns/jade-garden-vote/actions", { action: "pause" }));

interface Row { lead: number; state: string }
const leads = async (query: string) => (await its.service.api(PEOPLE.manager, "GET", `/campaigns/jade-garden-vote/leads?${query}`)) as { leads: Row[] };
const state = async (lead: number) => ((await its.service.api(PEOPLE.manager, "GET", `/leads/${lead}`)) as { state: string }).state;

test("a lead is found by its name, closed with a reason, and opened again by the bar", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager, "/campaigns/jade-garden-vote/leads");
  await page.locator("table.leads tbody tr[aria-rowindex]").first().waitFor();
  await page.getByPlaceholder("号码、姓名或行号").fill("业主7001");
  await page.getByRole("button", { name: "查找", exact: true }).click();
  await page.locator("table.leads").getByText("业主7001", { exact: true }).waitFor();
  const lead = (await leads(`q=${encodeURIComponent("业主7001")}`)).leads[0]?.lead ?? 0;
  await page.locator("table.leads tbody tr[aria-rowindex] a").first().click();
  const drawer = page.locator(".drawer");
  expect(await state(lead)).toBe("open");
  await drawer.locator(".button", { hasText: /^关闭$/ }).click();
  const dialog = page.locator(".dialog[open]");
  await dialog.getByLabel("原因").fill("业主已书面投票");
  await dialog.locator('button[type="submit"]').click();
  await expect.poll(() => state(lead)).toBe("failed");
  await page.getByRole("button", { name: "撤销" }).click();
  await expect.poll(() => state(lead)).toBe("open");
  expect(faults).toEqual([]);
  await context.close();
});

test("all that match are counted, closed by a task, and said", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager, `/campaigns/jade-garden-vote/leads?q=${encodeURIComponent("业主60")}`);
  await page.locator("table.leads tbody tr[aria-rowindex]").first().waitFor();
  await page.locator("table.leads thead input[type=checkbox]").check();
  const bar = page.locator(".selection-bar");
  const all = bar.getByRole("button", { name: /选择全部/ });
  if (await all.count()) await all.click();
  await bar.getByRole("button", { name: "关闭", exact: true }).click();
  const dialog = page.getByRole("dialog").last();
  await dialog.getByText(/将处理 \d+ 位客户/).waitFor();
  await dialog.getByLabel("原因").fill("不在本次投票范围");
  await dialog.getByRole("button", { name: /关闭 \d+ 位/ }).click();
  await dialog.getByText(/已处理/).first().waitFor();
  const open = async () => (await leads(`q=${encodeURIComponent("业主60")}&state=open&limit=500`)).leads.length;
  await expect.poll(open, { timeout: 20_000 }).toBe(0);
  expect(faults).toEqual([]);
  await context.close();
});

test("a lead that was closed meanwhile: the drawer says why nothing was done, and shows how the lead stands", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager, "/campaigns/jade-garden-vote/leads?lead=7500");
  const drawer = page.locator(".drawer");
  await drawer.locator(".pill", { hasText: "未完成" }).waitFor();
  await its.service.api(PEOPLE.colleague, "POST", "/leads/7500/actions", { action: "close", reason: "同事先关闭" });
  await drawer.locator(".button", { hasText: /^关闭$/ }).click();
  const dialog = page.locator(".dialog[open]");
  await dialog.getByLabel("原因").fill("我也要关闭");
  await dialog.locator('button[type="submit"]').click();
  await drawer.getByRole("alert").getByText(/^没有关闭/).waitFor();
  await drawer.locator(".pill", { hasText: "失败提交" }).waitFor();
  await drawer.locator(".button", { hasText: /^重新打开$/ }).waitFor();
  expect(await page.locator(".dialog[open]").count()).toBe(0);
  expect(faults).toEqual([]);
  await context.close();
});

test("Ctrl+K finds a lead by name and by a number as people write it, and leads to the leads of a campaign", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager, "/campaigns/jade-garden-calls/leads");
  const found = page.locator(".palette li");
  await page.locator("table.leads tbody tr[aria-rowindex]").first().waitFor();
  await page.keyboard.press("Control+k");
  const input = page.locator(".palette input");
  for (const [typed, title] of [["业主7001", "业主7001"], ["154 1000 7007", "业主1001"]] as const) {
    await input.fill(typed);
    await found.filter({ hasText: "翠园业主投票" }).filter({ has: page.locator("span", { hasText: new RegExp(`^${title}$`) }) }).waitFor();
  }
  await input.fill("没有这个人");
  // The campaign whose page is open stands first.
  await found.filter({ hasText: "的客户中查找" }).first().click();
  await page.waitForURL(/\/campaigns\/jade-garden-calls\/leads\?q=/);
  expect(faults).toEqual([]);
  await context.close();
});
