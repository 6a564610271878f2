/** Sums over calls: equal to summary.json, each opening its calls; abandoned calls by rule with the calls behind them. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccessible } from "../lib/axe";
import { launch, signIn, visitor } from "../lib/browser";
import { PEOPLE, startService, until, type Service } from "../lib/service";

let service: Service;
let browser: Browser;

beforeAll(async () => {
  [service, browser] = await Promise.all([startService(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await service?.stop();
});

const VOTE = "jade-garden-vote";
const CALLS = "jade-garden-calls";
interface Summary { attempts: number; attempts_open: number; attempts_by_outcome: Record<string, number>; first_day: string | null; differences: string[] }
const summary = async (name: string) => (await service.api(PEOPLE.manager, "GET", `/campaigns/${name}/summary`)) as Summary;

/** The whole number that a cell shows. */
const numberIn = async (page: Page, row: string, column: number) => Number((await page.locator("table.sums tbody tr").filter({ has: page.getByRole("rowheader", { name: row, exact: true }) }).locator("td.number").nth(column).innerText()).split(" ")[0]?.replaceAll(",", ""));

test("sums equal the campaign's summary, and a sum opens its calls", async () => {
  await until(async () => (await summary(VOTE)).attempts > 20, "the campaign calls", 120_000);
  await service.api(PEOPLE.manager, "POST", `/campaigns/${VOTE}/actions`, { action: "pause" });
  await until(async () => (await summary(VOTE)).attempts_open === 0, "its calls are over", 120_000);
  const whole = await summary(VOTE);
  expect(whole.differences).toEqual([]);
  const { page, faults, context } = await visitor(browser, service.url, { language: "zh", theme: "light" });
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  await page.goto(`/results/sums?campaign=${VOTE}&sum=outcome`);
  await page.getByText(`与活动 summary.json 的 ${whole.attempts.toLocaleString("en-US")} 次呼叫一致`).waitFor();
  const words: Record<string, string> = { answered: "接通", no_answer: "无人接听", busy: "占线" };
  for (const [outcome, calls] of Object.entries(whole.attempts_by_outcome)) {
    const word = words[outcome];
    if (word !== undefined) expect(await numberIn(page, word, 0), outcome).toBe(calls);
  }
  expect(await page.locator("table.sums tfoot td.number").first().innerText()).toBe(whole.attempts.toLocaleString("en-US"));
  await page.getByText(/接通 \/ 拨出.不含线路故障/).waitFor();
  await expectAccessible(page, "the sums");
  // Hours by outcome: a cell opens exactly its calls.
  await page.getByLabel("按", { exact: true }).last().selectOption("hour");
  await page.getByLabel("再按").selectOption("outcome");
  // Columns of outcomes: until they are there the cells are those of the hours alone.
  await page.locator("table.sums thead th", { hasText: "无人接听" }).waitFor();
  const cell = page.locator("table.sums tbody tr").first().locator("td.number a").first();
  const [text, href] = await cell.evaluate((it) => [it.textContent ?? "", it.getAttribute("href") ?? ""] as const);
  const calls = Number(text.replaceAll(",", ""));
  const opens = new URL(href, service.url);
  expect(opens.pathname).toBe("/results");
  await cell.click();
  await page.locator("table.results tbody tr").first().waitFor();
  const query = new URLSearchParams({ campaign: VOTE, outcome: opens.searchParams.get("outcome") ?? "" });
  const [from = "", to = ""] = (opens.searchParams.get("within") ?? "").split("/");
  query.set("from", from);
  query.set("until", to);
  const answered = (await service.api(PEOPLE.manager, "GET", `/calls?${query}&limit=500`)) as { calls: { id: number }[] };
  expect(answered.calls.length).toBe(calls);
  await until(async () => (await page.locator("table.results tbody tr").count()) >= Math.min(calls, 50), "the calls are shown");
  if (calls <= 50) expect(await page.locator("table.results tbody tr").count()).toBe(calls);
  expect(faults).toEqual([]);
  await context.close();
});

test("a difference of the summary is named in red, and sums without numbers stay masked", async () => {
  service.sql(`update import set rows_read = rows_read + 3 where campaign_id = (select id from campaign where name = '${VOTE}')`);
  await until(async () => (await summary(VOTE)).differences.length > 0, "the difference is counted", 120_000);
  const { page, faults, context } = await visitor(browser, service.url, { language: "en", theme: "dark" });
  await signIn(page, PEOPLE.analyst.login, PEOPLE.analyst.password);
  await page.goto(`/results/sums?campaign=${VOTE}&sum=caller_id`);
  await page.getByRole("alert").getByText("rows read").waitFor();
  await page.locator("table.sums tbody tr").first().waitFor();
  expect(await page.locator("table.sums tbody").innerText()).not.toMatch(/\d{8}/);
  await expectAccessible(page, "sums of an analyst");
  expect(faults).toEqual([]);
  await context.close();
});

test("abandoned calls by rule, each opening its call", async () => {
  const now = Date.now();
  const rows = [1, 2, 3].map((n) => `insert into attempt (id, campaign_id, number, ordinal, trunk, call_id, dialog, state, placed_at, ringing_at, answered_at, ended_at, outcome, ended_by, rest_millis)
    values (${9_000_000 + n}, (select id from campaign where name = '${CALLS}'), 8613800138000 + ${n}, 1, 'main', 'abandoned-${n}', '', 'ended', ${now - 60_000 * n}, ${now - 60_000 * n + 1_000},
      ${now - 60_000 * n + 5_000}, ${now - 60_000 * n + 5_000 + 700 * n}, 'abandoned', '${n === 1 ? "callee" : "dialer"}', 0);`);
  service.sql(rows.join("\n"));
  const { page, faults, context } = await visitor(browser, service.url, { language: "zh", theme: "light" });
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  await page.goto(`/campaigns/${CALLS}/live?abandon=us_tsr`);
  await page.locator(".abandoned-calls tbody tr").nth(2).waitFor();
  expect(await page.locator(".abandon-rules tbody tr").count()).toBe(6);
  // The campaign may have abandoned calls of its own.
  const own = page.locator(".abandoned-calls tbody tr", { hasText: "138 0013 8001" });
  await own.getByText("自己先挂断").waitFor();
  await own.getByText("0.7 秒").waitFor();
  await expectAccessible(page, "abandoned calls");
  await page.locator(".abandon-rules").getByRole("link", { name: "当日" }).click();
  await page.waitForURL(/abandon=whole_day/);
  await own.getByRole("link").click();
  await page.waitForURL(/call=out-9000001/);
  // The key is for the drawer that is on top.
  await page.getByText("写入账本").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".abandoned-calls tbody tr").first().waitFor();
  expect(faults).toEqual([]);
  await context.close();
});
