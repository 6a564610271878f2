/** Codes of a campaign's text are read as its labels, names of campaigns as their titles; a code without a label stays. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { journey } from "../lib/journey";
import { PEOPLE, until } from "../lib/service";

const its = journey();

const CALLS = "jade-garden-calls";
const TITLE = "翠园业主电话征询";

/** The program's answers, with a part put in that would take an agent's conversation to come about. */
async function withPart<T>(page: Page, path: RegExp, put: (answer: T) => void): Promise<void> {
  await page.route(path, async (route) => {
    const response = await route.fetch();
    const answer = (await response.json()) as T;
    put(answer);
    await route.fulfill({ response, json: answer });
  });
}

interface Leads { leads: { last: unknown; callback: unknown; assigned_agent: string | null }[] }
interface Calls { calls: { campaign: string | null; disposition: string | null; result: string | null }[] }

test("leads: the disposition of the last call, and the agents", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager);
  await withPart<Leads>(page, /\/api\/v1\/campaigns\/jade-garden-calls\/leads\?/, ({ leads }) => {
    const at = "2026-01-01T00:00:00.000Z";
    if (leads[0]) Object.assign(leads[0], { last: { at, outcome: "answered", disposition: "agree" }, callback: { at, agent: "8101" }, assigned_agent: "8102" });
    if (leads[1]) leads[1].last = { at, outcome: "answered", disposition: "of_an_older_text" };
  });
  await page.goto(`/campaigns/${CALLS}/leads?disposition=agree`);
  await page.locator(".chip", { hasText: "同意 · agrees" }).waitFor();
  await page.goto(`/campaigns/${CALLS}/leads`);
  const rows = page.locator("table.leads tbody tr[aria-rowindex]");
  await rows.first().getByText("同意 · agrees").waitFor();
  await rows.first().getByText("刘洋 8101", { exact: true }).waitFor();
  await rows.nth(1).getByText("of_an_older_text").waitFor();
  expect(faults).toEqual([]);
  await page.unrouteAll({ behavior: "wait" });
  await context.close();
});

test("results: campaign, disposition and result of a call, and the filters' values", async () => {
  await until(async () => ((await its.service.api(PEOPLE.manager, "GET", `/calls?campaign=${CALLS}&limit=2`)) as Calls).calls.length > 1, "there are calls");
  const { page, faults, context } = await its.open(PEOPLE.manager);
  await withPart<Calls>(page, /\/api\/v1\/calls\?/, ({ calls }) => {
    if (calls[0]) Object.assign(calls[0], { campaign: CALLS, disposition: "wrong_number", result: "agree" });
  });
  await page.goto(`/results?campaign=${CALLS}`);
  const first = page.locator("table.results tbody tr").first();
  for (const text of [TITLE, "号码有误 · wrong number", "同意 · agrees"]) await first.getByText(text).waitFor();
  await page.locator(".chip", { hasText: TITLE }).waitFor();
  // A label that is written is a code that is asked for.
  await page.getByRole("button", { name: "+ 筛选" }).click();
  await page.getByRole("menuitem", { name: "小结" }).click();
  await page.getByRole("combobox", { name: "小结" }).fill("反对 · is against");
  await page.keyboard.press("Enter");
  await page.waitForURL(/disposition=against/);
  await page.locator(".chip", { hasText: "反对 · is against" }).waitFor();
  expect(faults).toEqual([]);
  await page.unrouteAll({ behavior: "wait" });
  await context.close();
});
