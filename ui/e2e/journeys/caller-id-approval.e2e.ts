/** A number is approved by a colleague before calls show it; it is found to be marked, rests, and comes back. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible } from "../lib/axe";
import { launch, reconnect, signIn, visitor } from "../lib/browser";
import { PEOPLE, startService, until, type Account, type Service } from "../lib/service";
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

type Key = keyof typeof zh;
const words = (language: "zh" | "en") => (key: Key) => (language === "zh" ? withWidePunctuation(zh[key]) : en[key]);
const drawer = (page: Page) => page.locator("dialog.drawer");
const pill = (page: Page, word: string) => drawer(page).locator("header .pill", { hasText: word }).waitFor();

interface Row {
  number: string;
  state: string;
  approval: string;
  suspected: boolean;
  log: { why: string; note: string }[];
}
const row = async (number: string) => (await service.api(PEOPLE.manager, "GET", `/caller-ids/${number}`)) as Row;

async function act(page: Page, word: string): Promise<void> {
  await drawer(page).locator("footer").getByRole("button", { name: word }).click();
  const dialog = page.locator("dialog.dialog");
  await dialog.getByRole("button", { name: word, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

const open = async (who: Account, path: string, language: "zh" | "en") => {
  const it = await visitor(browser, service.url, { language, theme: language === "zh" ? "light" : "dark" });
  await signIn(it.page, who.login, who.password);
  await it.page.goto(path);
  return it;
};

/** The smallest picture that a browser draws: one grey point. */
const PICTURE = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==", "base64");

test("the switch says what it does to numbers that are in use", async () => {
  const found = async () => ((await service.api(PEOPLE.manager, "GET", "/caller-ids")) as { items: { found: boolean }[] }).items.filter((it) => it.found).length;
  await until(async () => (await found()) === 2, "calls have shown both numbers of the campaigns", 120_000);
  const { page, faults, context } = await open(PEOPLE.admin, "/settings", "zh");
  const label = withWidePunctuation(zh["organisation.approve_caller_ids"]);
  await page.getByLabel(label).check();
  await page.getByText("正在使用的号码").waitFor();
  await page.locator('form button[type="submit"]').first().click();
  await expect.poll(async () => (await row("075512345678")).approval).toBe("approved");
  expect((await row("075587654321")).log[0]?.why).toBe("kept");
  expect(faults).toEqual([]);
  await context.close();
});

describe.each([
  { language: "zh", number: "075588886101", shown: "0755-8888 6101", note: "合同已过期" },
  { language: "en", number: "075588886102", shown: "0755-8888 6102", note: "the contract is over" },
] as const)("in $language", ({ language, number, shown, note }) => {
  const t = words(language);

  test("a number is asked for, refused with a note, given a new paper, approved by a colleague and whitelisted", async () => {
    const maker = await open(PEOPLE.manager, "/caller-ids?add=1", language);
    const { page } = maker;
    await drawer(page).getByLabel(t("callerIds.number"), { exact: true }).fill(number);
    await drawer(page).getByLabel(t("callerIds.f_holder"), { exact: true }).fill("翠园物业");
    await drawer(page).getByRole("button", { name: t("callerIds.addNow"), exact: true }).click();
    await pill(page, t("callerId.entered"));
    await drawer(page).getByText(t("callerIds.approvalIs_missing")).waitFor();
    // What would show it is not offered.
    expect(await drawer(page).locator("footer").getByRole("button", { name: t("callerIds.act_mark_whitelisted") }).count()).toBe(0);
    const file = drawer(page).getByLabel(t("callerIds.proofFile"));
    await file.setInputFiles({ name: "contract.txt", mimeType: "text/plain", buffer: Buffer.from("a contract") });
    await drawer(page).getByText(t("callerIds.proof_kind")).waitFor();
    await file.setInputFiles({ name: "contract.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.4\n%%EOF\n") });
    await drawer(page).locator(".proof a").waitFor();
    await expectAccessible(page, "a number that is not approved");
    await act(page, t("callerIds.act_approval"));
    await pill(page, t("callerId.requested"));
    await page.keyboard.press("Escape");
    const line = page.locator("tbody tr", { hasText: shown });
    await line.getByText(t("callerIds.approval_waiting")).waitFor();

    const other = await open(PEOPLE.colleague, "/approvals", language);
    const thing = other.page.locator("section.thing");
    await thing.getByRole("heading", { name: shown }).waitFor();
    await thing.getByText("翠园物业").waitFor();
    const [download] = await Promise.all([other.page.waitForEvent("download"), thing.locator(".proof a").click()]);
    expect(download.suggestedFilename()).toBe(`${number}.pdf`);
    await expectAccessible(other.page, "the approval of a number");
    await thing.getByRole("button", { name: t("approvals.refuse") }).click();
    await other.page.getByLabel(t("approvals.reason"), { exact: true }).fill(note);
    await other.page.getByRole("button", { name: t("approvals.refuseNow"), exact: true }).click();
    await other.page.locator(".decided").waitFor();

    // The maker's page follows by itself.
    await line.getByText(t("callerId.entered")).waitFor();
    await line.getByRole("link", { name: shown, exact: true }).click();
    await drawer(page).getByText(t("callerIds.refusedBecause").replace("{note}", note)).waitFor();
    await file.setInputFiles({ name: "contract.png", mimeType: "image/png", buffer: PICTURE });
    await drawer(page).locator(".proof img").waitFor();
    await act(page, t("callerIds.act_approval"));
    await thing.locator(".proof img").waitFor();
    expect(await thing.locator(".proof img").evaluate((it: HTMLImageElement) => it.decode().then(() => it.naturalWidth))).toBe(1);
    await thing.getByRole("button", { name: t("approvals.approve"), exact: true }).click();
    await other.page.locator(".decided").waitFor();

    await drawer(page).getByText(t("callerIds.approvalIs_approved")).waitFor();
    await act(page, t("callerIds.act_mark_whitelisted"));
    await pill(page, t("callerId.whitelisted"));
    await act(page, t("callerIds.act_start_warm_up"));
    await pill(page, `${t("callerId.warming")} 1/7`);
    await page.keyboard.press("Escape");
    await line.getByText(t("callerIds.ofCap").replace("{n}", "0").replace("{max}", "20")).waitFor();
    expect((await row(number)).log.map((it) => it.why).slice(0, 5)).toEqual(["start_warm_up", "mark_whitelisted", "approved", "request", "refused"]);
    expect([...maker.faults, ...other.faults]).toEqual([]);
    await maker.context.close();
    await other.context.close();
  });
});

/** Calls of past hours that showed an approved number and another: of the first one of ten is answered, of the other two of five. */
function callBefore(bad: string, good: string): void {
  const last = Math.floor((Date.now() - 600_000) / 3_600_000) - 1;
  const rows: string[] = [];
  for (let hour = last - 7; hour <= last; hour += 1) {
    for (const [number, answered] of [[good, 36], [bad, 9]] as const) {
      for (let n = 0; n < 90; n += 1) {
        const id = 2_000_000 + rows.length;
        const placed = hour * 3_600_000 + n * 10_000;
        const [answer, outcome] = n < answered ? [placed + 5_000, "answered"] : ["null", "no_answer"];
        rows.push(`(${id}, (select id from campaign where name = 'jade-garden-calls'), ${8_613_700_000_000 + id}, 1, 'main', ${number}, 'y${id}', '{}', 'ended', ${placed}, ${placed}, ${answer}, ${placed + 20_000}, '${outcome}', 0)`);
      }
    }
  }
  service.sql(`insert into attempt (id, campaign_id, number, ordinal, trunk, caller_id, call_id, dialog, state, placed_at, ringing_at, answered_at, ended_at, outcome, rest_millis) values ${rows.join(",")};
    delete from caller_id_judged;`);
}

test("a number that its calls show to be marked is on the day's page, rests, and comes back by itself", async () => {
  const { page, faults, context } = await open(PEOPLE.manager, "/caller-ids?q=6101", "zh");
  await page.locator("tbody tr", { hasText: "0755-8888 6101" }).waitFor();
  await service.kill();
  callBefore("8675588886101", "8675588886102");
  await service.start();
  await reconnect(page);
  await until(async () => (await row("075588886101")).state === "flagged", "the number is found");
  const line = page.locator("tbody tr", { hasText: "0755-8888 6101" });
  await line.locator(".pill", { hasText: "疑似被标记" }).waitFor();
  await page.goto("/today");
  const item = page.locator("li", { hasText: "075588886101" }).or(page.locator("li", { hasText: "0755-8888 6101" }));
  await item.getByText("疑似被标记").first().waitFor();
  await item.getByRole("link").first().click();
  await pill(page, "疑似被标记");

  // Its rest is over: the page learns it from the stream.
  await service.kill();
  service.sql("update caller_id set rest_until = 1 where number = 8675588886101;");
  await service.start();
  await reconnect(page);
  await until(async () => (await row("075588886101")).state === "recovering", "its rest is over");
  await pill(page, "恢复中");
  expect((await row("075588886101")).approval).toBe("approved");
  expect(faults).toEqual([]);
  await context.close();
});
