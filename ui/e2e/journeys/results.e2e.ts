/** Journey 15, first part: calls are filtered and put in order, a view is saved and shared, and its address shows another person the same. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { expectAccessible } from "../lib/axe";
import { journey } from "../lib/journey";
import { PEOPLE, type Service } from "../lib/service";
import { en } from "../../src/words/en";
import { withWidePunctuation } from "../../src/words/width";
import { zh } from "../../src/words/zh";

const DAY = 24 * 3_600_000;
/** The first moment of a day so many days ago, in the browsers' zone. */
const daysAgo = (days: number) => Math.floor((Date.now() + 8 * 3_600_000) / DAY) * DAY - 8 * 3_600_000 - days * DAY;
const dayText = (days: number) => new Date(daysAgo(days) + 8 * 3_600_000).toISOString().slice(0, 10);

/** Calls of yesterday and of five days ago: every third is answered, and each of those talks longer than the one before. */
function pastCalls(service: Service): void {
  const call = (id: number, at: number, n: number) => `insert into attempt (id, campaign_id, lead_id, number, ordinal, trunk, caller_id, call_id, dialog, state, placed_at, answered_at, connected_at, ended_at, outcome, ended_by, agent_id, rest_millis)
    select ${id}, c.id, (select min(id) + ${n} from lead where campaign_id = c.id), 8615410000000 + ${n}, 1, 'main', 8675512345678, 'past-${id}', '', 'ended', ${at},
      ${n % 3 === 0 ? `${at + 9_000}, ${at + 10_000}` : "null, null"}, ${at + 20_000 + n * 1_000}, '${n % 3 === 0 ? "answered" : "no_answer"}', 'callee',
      ${n % 3 === 0 ? "(select id from agent where login = '8101')" : "null"}, 0 from campaign c where c.name = 'jade-garden-calls';`;
  const calls = Array.from({ length: 150 }, (_, n) => call(900_000 + n, daysAgo(1) + 10 * 3_600_000 + n * 60_000, n));
  const older = Array.from({ length: 3 }, (_, n) => call(899_000 + n, daysAgo(5) + 10 * 3_600_000 + n * 60_000, n));
  service.sql([...older, ...calls].join("\n"));
}

const its = journey({}, pastCalls);

type Key = keyof typeof zh & (`results.${string}` | `views.${string}`);
const words = (language: "zh" | "en") => (key: Key) => (language === "zh" ? withWidePunctuation(zh[key]) : en[key]);

const times = (page: Page) => page.locator("table.results tbody a.row").allInnerTexts();
const heads = (page: Page) => page.locator("table.results thead th").allInnerTexts();
const chips = (page: Page) => page.locator(".chip.set").allInnerTexts();

async function addFilter(page: Page, t: ReturnType<typeof words>, name: Key, value: string): Promise<void> {
  await page.getByRole("button", { name: `+ ${t("results.addFilter")}` }).click();
  await page.getByRole("menuitem", { name: t(name), exact: true }).click();
  const field = page.locator(".new-filter select, .new-filter input").first();
  if (await field.evaluate((it) => it.tagName) === "SELECT") await field.selectOption(value);
  else {
    await field.fill(value);
    await page.keyboard.press("Enter");
  }
  await page.locator(".new-filter").waitFor({ state: "detached" });
  await page.locator(".chip.set", { hasText: t(name) }).waitFor();
}

describe.each([
  { language: "zh", name: "早会", theme: "light" },
  { language: "en", name: "Morning", theme: "dark" },
] as const)("in $language", ({ language, name, theme }) => {
  const t = words(language);

  test("filters narrow the calls, a view keeps them, and its address shows another person the same", async () => {
    const { page, faults, context } = await its.open(PEOPLE.manager, "/results", { language, theme });
    await page.getByRole("combobox", { name: t("results.days") }).selectOption("yesterday");
    await page.locator('.page-head [role="status"]', { hasText: "150" }).waitFor();
    await addFilter(page, t, "results.filter_outcome", "answered");
    await addFilter(page, t, "results.filter_min", "12");
    await addFilter(page, t, "results.filter_caller", "0755-12345678");
    // 50 were answered; the first of them talks 11 s.
    await page.locator('.page-head [role="status"]', { hasText: "49" }).waitFor();
    await page.getByRole("button", { name: t("results.column_talk"), exact: true }).click();
    await page.waitForURL(/sort=longest/);
    await page.locator('th[aria-sort="descending"]', { hasText: t("results.column_talk") }).waitFor();
    const ordered = times(page);
    expect([...(await ordered)].sort().reverse()).toEqual(await ordered);
    expect((await ordered).length).toBe(49);

    await page.getByRole("button", { name: t("results.columns") }).click();
    await page.getByRole("menuitemradio", { name: t("results.column_trunk"), exact: true }).click();
    expect(await heads(page)).toContain(t("results.column_trunk"));
    await page.getByRole("button", { name: t("views.title") }).click();
    await page.getByRole("menuitem", { name: t("views.save") }).click();
    const dialog = page.locator("dialog.dialog");
    await dialog.getByRole("button", { name: t("views.saveNow"), exact: true }).click();
    await dialog.getByText(t("views.nameMissing")).waitFor();
    await dialog.getByLabel(t("views.name"), { exact: true }).fill(name);
    await dialog.getByLabel(t("views.group"), { exact: true }).selectOption("jade-garden");
    await expectAccessible(page, "the form of a view");
    await dialog.getByRole("button", { name: t("views.saveNow"), exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    await page.waitForURL(/view=\d+/);
    const address = page.url();
    await expectAccessible(page, "results with a view");

    // A second manager has none of the choices of the first, and sees the same.
    const other = await its.open(PEOPLE.colleague, address, { language, theme });
    await other.page.locator('.page-head [role="status"]', { hasText: "49" }).waitFor();
    for (const of of [times, heads, chips]) expect(await of(other.page)).toEqual(await of(page));
    expect(new URL(other.page.url()).search).toBe(new URL(address).search);

    // A member of the group finds it in the list, and what it shows is what the member may see.
    const lead = await its.open(PEOPLE.lead, "/results", { language, theme });
    await lead.page.getByRole("button", { name: t("views.title") }).click();
    await lead.page.getByRole("menuitemradio", { name }).click();
    await lead.page.waitForURL(/outcome=answered/);
    await lead.page.locator('.page-head [role="status"]', { hasText: "49" }).waitFor();
    expect(await times(lead.page)).toEqual(await times(page));

    // Another filter changes the view; saved, it holds for those who open it later.
    await page.locator(".chip.set button.remove").last().click();
    await page.getByRole("button", { name: `${name}${t("views.changed")}` }).click();
    await page.getByRole("menuitem", { name: t("views.keep").replace("{name}", name) }).click();
    await page.getByRole("button", { name: `${name} ▾`, exact: true }).waitFor();
    await page.getByRole("button", { name: `${name} ▾`, exact: true }).click();
    await page.getByRole("menuitem", { name: t("views.delete") }).click();
    await page.locator("dialog.dialog").getByRole("button", { name: t("views.delete"), exact: true }).click();
    await page.getByRole("button", { name: t("views.title") }).waitFor();
    for (const it of [{ faults, context }, other, lead]) {
      expect(it.faults).toEqual([]);
      await it.context.close();
    }
  });

  test("a row opens by a click beside its links and by Enter, and an empty day leads to the last that had calls", async () => {
    const { page, faults, context } = await its.open(PEOPLE.manager, "/results?days=yesterday", { language, theme });
    const row = page.locator("table.results tbody tr").nth(2);
    await row.locator("td").nth(3).click();
    await page.waitForURL(/call=out-900147/);
    await page.locator("dialog.drawer").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog.drawer").waitFor({ state: "detached" });
    await row.locator("a.row").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/call=out-900147/);
    await page.keyboard.press("Escape");
    await page.goto(`/results?from=${dayText(3)}&until=${dayText(3)}`);
    await page.getByText(t("results.none")).waitFor();
    await page.getByRole("button", { name: dayText(5) }).click();
    await page.waitForURL(new RegExp(`from=${dayText(5)}`));
    await expect.poll(() => times(page).then((it) => it.length)).toBe(3);
    expect(faults).toEqual([]);
    await context.close();
  });
});

test("a search that takes long says how far it looked, and goes on when it is told to", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager);
  const searched = new Date(daysAgo(1) + 10 * 3_600_000).toISOString();
  // A store of ten million calls is slow; here the first answer is said to be.
  await page.route(/\/api\/v1\/calls\?(?!.*(before|count)=)/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), calls: [], next: 900_010, searched_to: searched } });
  });
  await page.goto("/results?days=yesterday");
  await page.locator(".more", { hasText: "已查到" }).waitFor();
  await expectAccessible(page, "a search that took long");
  await page.getByRole("button", { name: "继续" }).click();
  await expect.poll(() => times(page).then((it) => it.length)).toBe(10);
  expect(faults).toEqual([]);
  await page.unrouteAll({ behavior: "wait" });
  await context.close();
});
