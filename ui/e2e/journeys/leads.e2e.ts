/** A lead is found, read, closed and opened again; all that match are counted first and closed by a task. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, signIn, visitor } from "../lib/browser";
import { PEOPLE, startService, type Service } from "../lib/service";

let service: Service;
let browser: Browser;

beforeAll(async () => {
  [service, browser] = await Promise.all([startService(), launch()]);
  await service.api(PEOPLE.manager, "POST", "/campaigns/jade-garden-vote/actions", { action: "pause" });
});
afterAll(async () => {
  await browser?.close();
  await service?.stop();
});

interface Row { lead: number; state: string }
const leads = async (query: string) => (await service.api(PEOPLE.manager, "GET", `/campaigns/jade-garden-vote/leads?${query}`)) as { leads: Row[] };
const state = async (lead: number) => ((await service.api(PEOPLE.manager, "GET", `/leads/${lead}`)) as { state: string }).state;

test("a lead is found by its name, closed with a reason, and opened again by the bar", async () => {
  const { page, faults, context } = await visitor(browser, service.url, { language: "zh", theme: "light" });
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  await page.goto("/campaigns/jade-garden-vote/leads");
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
  const { page, faults, context } = await visitor(browser, service.url, { language: "zh", theme: "light" });
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  await page.goto(`/campaigns/jade-garden-vote/leads?q=${encodeURIComponent("业主60")}`);
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
