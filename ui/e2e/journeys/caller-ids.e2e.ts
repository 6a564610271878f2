/** Caller IDs: a number is led from its entry to a flag and back; a number that is marked is found by its calls, and rests with its evidence. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible } from "../lib/axe";
import { launch, reconnect, signIn, visitor } from "../lib/browser";
import { PEOPLE, startService, until, type Service } from "../lib/service";
import { en } from "../../src/words/en";
import { withWidePunctuation } from "../../src/words/width";
import { zh } from "../../src/words/zh";

let service: Service;
let browser: Browser;
beforeAll(async () => {
  [service, browser] = await Promise.all([startService(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await service?.stop();
});

type Key = keyof typeof zh & `callerId${string}`;
const words = (language: "zh" | "en") => (key: Key) => (language === "zh" ? withWidePunctuation(zh[key]) : en[key]);
const drawer = (page: Page) => page.locator("dialog.drawer");
const pill = (page: Page, word: string) => drawer(page).locator("header .pill", { hasText: word }).waitFor();

/** Presses the act's button, and the one of its dialog. */
async function act(page: Page, word: string, fill?: (dialog: ReturnType<Page["locator"]>) => Promise<void>): Promise<void> {
  await drawer(page).locator("footer").getByRole("button", { name: word }).click();
  const dialog = page.locator("dialog.dialog");
  await fill?.(dialog);
  await dialog.getByRole("button", { name: word, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

interface Row {
  number: string;
  state: string;
  suspected: boolean;
  found: boolean;
}
const row = async (number: string) => (await service.api(PEOPLE.manager, "GET", `/caller-ids/${number}`)) as Row;

describe.each([
  { language: "zh", typed: "0755-8888 6001", number: "075588886001", shown: "0755-8888 6001", refused: /这不是可以外显的号码/, changed: "有人刚改过", today: "你" },
  { language: "en", typed: "+86 755 8888 6002", number: "075588886002", shown: "0755-8888 6002", refused: /this is no number that a call may show/, changed: "Somebody changed", today: "You" },
] as const)("in $language", ({ language, typed, number, shown, refused, changed, today }) => {
  const t = words(language);

  test("a number is entered, whitelisted, warmed up, flagged and resumed, and its history says so", async () => {
    const { page, faults, context } = await visitor(browser, service.url, { language, theme: language === "zh" ? "light" : "dark" });
    await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
    await page.goto("/caller-ids");
    await page.getByRole("button", { name: t("callerIds.add") }).click();
    const save = drawer(page).getByRole("button", { name: t("callerIds.addNow"), exact: true });
    const field = drawer(page).getByLabel(t("callerIds.number"), { exact: true });
    await save.click();
    await drawer(page).getByText(t("callerIds.fault_number")).waitFor();
    // What the service refuses stands at its field, and nothing that was typed is lost.
    await drawer(page).getByLabel(t("callerIds.f_carrier"), { exact: true }).fill("深圳联通");
    await field.fill("110");
    await save.click();
    await drawer(page).locator(".fault", { hasText: refused }).waitFor();
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    await field.fill(typed);
    await save.click();

    // It opens, and no call shows it yet.
    await pill(page, t("callerId.entered"));
    await drawer(page).getByText(t("callerIds.use_entered")).waitFor();
    await act(page, t("callerIds.act_mark_whitelisted"));
    await pill(page, t("callerId.whitelisted"));
    await act(page, t("callerIds.act_start_warm_up"));
    await pill(page, `${t("callerId.warming")} 1/7`);
    await act(page, t("callerIds.act_flag"), (dialog) => dialog.getByLabel(t("callerIds.flagNote")).fill("业主说显示骚扰电话"));
    await pill(page, t("callerId.flagged"));
    await expectAccessible(page, "a flagged number");
    const log = drawer(page).locator(".caller-id-log li");
    await expect.poll(() => log.count()).toBe(3);
    expect(await log.first().innerText()).toContain(t("callerIds.why_flag"));
    expect(await log.first().innerText()).toContain("业主说显示骚扰电话");
    expect(await log.first().innerText()).toContain(today);
    // It rests for a week, and the page of numbers says until when.
    const line = page.locator("tbody tr", { hasText: shown });
    expect(await line.locator("time").count()).toBe(1);
    await act(page, t("callerIds.act_tryAgain"));
    await pill(page, t("callerId.recovering"));
    expect(await row(number)).toMatchObject({ state: "recovering", suspected: true });
    await act(page, t("callerIds.act_clear_flag"));
    await pill(page, t("callerId.normal"));
    // A rest in the past is refused before it is sent.
    await drawer(page).locator("footer").getByRole("button", { name: t("callerIds.act_rest") }).click();
    const dialog = page.locator("dialog.dialog");
    await dialog.getByLabel(t("callerIds.restEnd")).fill("2020-01-31T09:30");
    await dialog.getByRole("button", { name: t("callerIds.act_rest"), exact: true }).click();
    await dialog.getByText(t("callerIds.fault_until")).waitFor();
    await dialog.getByLabel(t("callerIds.restEnd")).fill("2036-01-31T09:30");
    await dialog.getByRole("button", { name: t("callerIds.act_rest"), exact: true }).click();
    await pill(page, t("callerId.resting"));
    await drawer(page).getByText("01-31 09:30").waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  test("what is known of it is changed beside a colleague's change, and a number is entered once", async () => {
    const { page, faults, context } = await visitor(browser, service.url, { language, theme: language === "zh" ? "dark" : "light" });
    await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
    await page.goto(`/caller-ids?caller-id=${number}`);
    await drawer(page).getByRole("button", { name: t("callerIds.editPart").replace("{part}", t("callerIds.limits")) }).click();
    await drawer(page).getByLabel(t("callerIds.f_idle_days")).fill("366");
    const save = drawer(page).locator('form button[type="submit"]');
    await save.click();
    await drawer(page).getByText(t("callerIds.fault_days")).waitFor();
    await drawer(page).getByLabel(t("callerIds.f_idle_days")).fill("1");
    await service.api(PEOPLE.colleague, "PATCH", `/caller-ids/${number}`, { per_day_max: 300 });
    await save.click();
    // The colleague's value is shown, and stays: this form did not touch it.
    await drawer(page).locator(".summary-fault", { hasText: changed }).getByText("300").waitFor();
    expect(await drawer(page).getByLabel(t("callerIds.f_per_day_max")).inputValue()).toBe("300");
    await save.click();
    await drawer(page).locator("form").waitFor({ state: "detached" });
    expect(await row(number)).toMatchObject({ idle_days: 1, per_day_max: 300 });
    await page.keyboard.press("Escape");
    // A number that nobody calls with is taken back by its carrier.
    const line = page.locator("tbody tr", { hasText: shown });
    await line.locator(".waiting-ink").waitFor();

    await page.getByRole("button", { name: t("callerIds.add") }).click();
    await drawer(page).getByLabel(t("callerIds.number"), { exact: true }).fill(typed);
    await drawer(page).getByRole("button", { name: t("callerIds.addNow"), exact: true }).click();
    await drawer(page).getByText(t("callerIds.exists")).waitFor();
    await drawer(page).getByRole("link", { name: t("callerIds.openKnown") }).click();
    await act(page, t("callerIds.act_retire"));
    await pill(page, t("callerId.retired"));
    expect(await drawer(page).locator("footer").count()).toBe(0);
    await page.keyboard.press("Escape");
    await line.waitFor({ state: "detached" });
    // The box follows the address, a moment after the click.
    await page.getByLabel(t("callerIds.withRetired")).click();
    await line.waitFor();
    await page.getByLabel(t("callerIds.search")).fill("zzz");
    await page.locator(".status button").click();
    await line.waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});

/** Calls of past hours in the store: of the first number two of five are answered, of the second one of ten. The end of the last hour. */
function callBefore(): number {
  const last = Math.floor((Date.now() - 600_000) / 3_600_000) - 1;
  const answeredOf: [number: string, answered: number][] = [["8675512345678", 36], ["8675587654321", 9]];
  const rows: string[] = [];
  for (let hour = last - 7; hour <= last; hour += 1) {
    for (const [number, answered] of answeredOf) {
      for (let n = 0; n < 90; n += 1) {
        const id = 1_000_000 + rows.length;
        const placed = hour * 3_600_000 + n * 10_000;
        const [answer, outcome] = n < answered ? [placed + 5_000, "answered"] : ["null", "no_answer"];
        rows.push(`(${id}, (select id from campaign where name = 'jade-garden-calls'), ${8_613_800_000_000 + id}, 1, 'main', ${number}, 'x${id}', '{}', 'ended', ${placed}, ${placed}, ${answer}, ${placed + 20_000}, '${outcome}', 0)`);
      }
    }
  }
  service.sql(`insert into attempt (id, campaign_id, number, ordinal, trunk, caller_id, call_id, dialog, state, placed_at, ringing_at, answered_at, ended_at, outcome, rest_millis) values ${rows.join(",")};
    delete from caller_id_judged;`);
  return (last + 1) * 3_600_000;
}

test("a number that its calls show to be marked rests, with its evidence on the page in both languages", async () => {
  const both = async () => ((await service.api(PEOPLE.manager, "GET", "/caller-ids")) as { items: Row[] }).items.filter((it) => it.found).length === 2;
  await until(both, "calls have shown both numbers of the campaigns", 120_000);
  const { page, faults, context } = await visitor(browser, service.url, { language: "zh", theme: "light" });
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  await page.goto("/caller-ids?q=0755-1234");
  await page.getByText("通话中发现").waitFor();
  await service.kill();
  const end = callBefore();
  await service.start();
  await reconnect(page);
  // A flag is raised as soon as an hour gives cause: the figures are whole once the last hour is judged.
  await until(async () => Date.parse(((await service.api(PEOPLE.manager, "GET", "/caller-ids")) as { judged_until: string }).judged_until) >= end, "every hour is judged");
  expect(await row("075587654321")).toMatchObject({ state: "flagged", suspected: true });

  await page.goto("/caller-ids?state=suspected");
  await expect.poll(() => page.locator("tbody tr").count()).toBe(1);
  const line = page.locator("tbody tr", { hasText: "0755-8765 4321" });
  await line.getByText("疑似被标记：可比的 720 次呼叫接通 10 %").waitFor();
  await line.getByText("10.0 % / 40.0 %").waitFor();
  await line.getByText("可比 720 次，对照 720 次").waitFor();
  expect(await line.locator("svg.day-bars").getAttribute("aria-label")).toMatch(/接通 10\.0 %（\d+ 次），对照 40\.0 %/);
  await line.getByRole("link", { name: "0755-8765 4321", exact: true }).click();
  await pill(page, "疑似被标记");
  const entry = drawer(page).locator(".caller-id-log li").first();
  expect(await entry.innerText()).toMatch(/接通明显少于其他号码[^]*系统/);
  await drawer(page).locator(".day-table tbody tr").first().waitFor();
  await drawer(page).getByLabel("时间范围").selectOption("30");
  await expect.poll(() => drawer(page).locator("svg.day-bars > g").count()).toBe(30);
  // The other number is as it was.
  expect(await row("075512345678")).toMatchObject({ state: "normal", suspected: false });
  expect(faults).toEqual([]);
  await context.close();

  const english = await visitor(browser, service.url, { language: "en", theme: "dark" });
  await signIn(english.page, PEOPLE.colleague.login, PEOPLE.colleague.password);
  await english.page.goto("/caller-ids?caller-id=075587654321");
  await drawer(english.page).getByText("10 % of 720 calls were answered where other numbers have 40 %").waitFor();
  expect(await drawer(english.page).locator(".caller-id-log li").first().innerText()).toMatch(/Clearly fewer answers than other numbers[^]*the service/);
  await drawer(english.page).locator(".day-table tbody tr").first().waitFor();
  await expectAccessible(english.page, "a number that was found to be marked");
  expect(english.faults).toEqual([]);
  await english.context.close();
});

test("the switch that leaves suspected numbers in use, and the way from a campaign's settings to the register", async () => {
  const admin = await visitor(browser, service.url, { language: "zh", theme: "light" });
  await signIn(admin.page, PEOPLE.admin.login, PEOPLE.admin.password);
  await admin.page.goto("/settings");
  await admin.page.getByLabel("疑似号码继续使用，由人决定").check();
  await admin.page.locator('form button[type="submit"]').first().click();
  await expect.poll(async () => ((await service.api(PEOPLE.admin, "GET", "/organisations/main")) as { settings: { flagged_numbers_stay: boolean } }).settings.flagged_numbers_stay).toBe(true);
  expect(admin.faults).toEqual([]);
  await admin.context.close();

  const { page, faults, context } = await visitor(browser, service.url, { language: "en", theme: "light" });
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  await page.goto("/campaigns/jade-garden-calls/settings");
  await page.getByRole("link", { name: "State and answer rate of each number" }).click();
  await page.getByRole("heading", { name: "Caller IDs", level: 1 }).waitFor();
  await page.keyboard.press("Control+k");
  await page.locator(".palette input").fill("caller id");
  await page.locator(".palette li", { hasText: "Caller IDs" }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});
