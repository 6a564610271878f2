/** Every page in its states, Chinese light and English dark (`PACELINE_LOOKS=all`: all four): axe finds nothing, nothing is wider than the window; a picture of each in `out/`. */
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { launch, reconnect, signIn, visitor, type Look } from "../lib/browser";
import { look, LOOKS } from "../lib/look";
import { gbk } from "../lib/gbk";
import { PEOPLE, startService, until, type Account, type Service } from "../lib/service";
import { tone } from "../lib/sound";

let full: Service;
let empty: Service;
let browser: Browser;

beforeAll(async () => {
  [full, empty, browser] = await Promise.all([startService(), startService({ campaigns: false }), launch()]);
  await sendLists();
  await addSounds();
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([full?.stop(), empty?.stop()]);
});

/** Lists of one campaign, ids 1 to 4: with faults, unreadable, loaded, and one whose rows the campaign has. */
async function sendLists(): Promise<void> {
  const rows = Array.from({ length: 60 }, (_, n) => `${1 + (n % 4)},${1 + (n % 2)},${101 + n},业主${n},${n % 9 === 0 ? `1371${n}` : `1371234${String(1000 + n - (n % 10 === 5 ? 1 : 0))}`},${60 + n}`);
  const list = gbk(`楼栋,单元,房号,姓名,手机,面积\r\n${rows.join("\r\n")}\r\n`);
  const send = async (name: string, bytes: Uint8Array) => {
    const { list: { id } } = (await full.api(PEOPLE.manager, "POST", `/campaigns/jade-garden-vote/lists?file_name=${encodeURIComponent(name)}`, bytes)) as { list: { id: number } };
    await until(async () => ((await full.api(PEOPLE.manager, "GET", `/lists/${id}`)) as { state: string }).state !== "checking", `${name} is checked`);
    return id;
  };
  expect(await send("业主名单-3期.csv", list)).toBe(1);
  await send("说明.txt", Buffer.from("第一列|第二列\n甲|乙\n丙|丁\n"));
  const loaded = await send("补充.csv", Buffer.from("姓名,手机\n赵敏,13712349001\n钱进,13712349002\n"));
  await full.api(PEOPLE.manager, "POST", `/lists/${loaded}/actions`, { action: "load" });
  await until(async () => ((await full.api(PEOPLE.manager, "GET", `/lists/${loaded}`)) as { state: string }).state === "loaded", "the list is loaded");
  await send("补充-重复.csv", Buffer.from("姓名,手机\n赵敏,13712349001\n"));
}

/** Sounds in each state: ready, waiting for either manager, quiet and late, refused, no sound at all. */
async function addSounds(): Promise<void> {
  const add = async (who: Account, name: string, bytes: Uint8Array<ArrayBuffer>) => {
    const { id } = (await full.upload(who, `/audio?name=${encodeURIComponent(name)}`, bytes)) as { id: number };
    await until(async () => ((await full.api(who, "GET", `/audio/${id}`)) as { state: string }).state !== "measuring", `${name} is measured`);
    return id;
  };
  const sample = (name: string) => new Uint8Array(readFileSync(new URL(`../../../campaigns/jade-garden/${name}`, import.meta.url)));
  await add(PEOPLE.manager, "notice.mp3", sample("notice.mp3"));
  full.setSwitch("approve_audio", true);
  await add(PEOPLE.manager, "安抚提示(二期).wav", sample("sorry.wav"));
  await add(PEOPLE.colleague, "quiet-and-late.wav", tone({ before: 1.9, secs: 2, level: 0.01 }));
  await add(PEOPLE.colleague, "refused.wav", tone({ before: 0, secs: 1, level: 0.4 }));
  const { items } = (await full.api(PEOPLE.manager, "GET", "/approvals")) as { items: { id: number; title: string }[] };
  await full.api(PEOPLE.manager, "POST", `/approvals/${items.find((it) => it.title === "refused.wav")?.id}/actions`, { action: "refuse", note: "电话号码读错了" });
  await add(PEOPLE.manager, "song.ogg", new TextEncoder().encode("OggS this is no sound that is played"));
}

interface Screen {
  name: string;
  path: string;
  who?: Account;
  service?: () => Service;
  /** Brings the page into its state; returns once it is there. */
  reach: (page: Page) => Promise<unknown>;
}

const shown = (selector: string) => (page: Page) => page.locator(selector).first().waitFor();
const SCREENS: Screen[] = [
  { name: "today", path: "/today", reach: shown(".running tbody tr") },
  { name: "today-empty", path: "/today", service: () => empty, reach: shown(".needs .hint") },
  { name: "campaigns", path: "/campaigns", reach: shown("tbody tr") },
  { name: "campaigns-none-match", path: "/campaigns?q=zzz", reach: shown(".status button") },
  { name: "campaigns-empty", path: "/campaigns", service: () => empty, reach: shown(".status") },
  { name: "campaigns-analyst", path: "/campaigns", who: PEOPLE.analyst, reach: shown("tbody tr") },
  { name: "campaign-live", path: "/campaigns/jade-garden-vote/live", reach: shown(".plain-table tr") },
  { name: "campaign-calls-live", path: "/campaigns/jade-garden-calls/live", reach: shown(".plain-table tr") },
  { name: "campaign-gone", path: "/campaigns/no-such/live", reach: shown(".status h1") },
  { name: "campaign-drain", path: "/campaigns/jade-garden-vote/live", reach: async (page) => {
    await page.locator(".page-head .menu button").click();
    await page.locator('[role="menuitem"]').first().click();
    await page.locator("dialog[open]").waitFor();
  } },
  { name: "campaign-menu", path: "/campaigns/jade-garden-vote/live", reach: (page) => page.locator(".page-head .menu button").click() },
  { name: "campaign-new", path: "/campaigns/new", reach: async (page) => {
    await page.locator('button[type="submit"]').click();
    await page.locator(".fault").first().waitFor();
  } },
  { name: "settings", path: "/campaigns/jade-garden-calls/settings", reach: shown(".setting") },
  { name: "settings-text", path: "/campaigns/jade-garden-calls/settings?view=toml", reach: shown(".text-editor") },
  { name: "settings-analyst", path: "/campaigns/jade-garden-calls/settings", who: PEOPLE.analyst, reach: shown(".setting-values") },
  { name: "settings-fault", path: "/campaigns/jade-garden-calls/settings", reach: async (page) => {
    await page.locator('[id="setting-calling.ring_secs"] input').fill("abc");
    await page.locator(".setting .fault").first().waitFor();
    // The next screen leaves this page, which would ask.
    await page.evaluate(() => sessionStorage.clear());
  } },
  { name: "start", path: "/campaigns/jade-garden-calls/start", reach: shown(".check-items li") },
  { name: "start-vote", path: "/campaigns/jade-garden-vote/start", reach: shown(".check-items li") },
  { name: "history", path: "/campaigns/jade-garden-vote/history", reach: shown("tbody tr") },
  { name: "pace", path: "/campaigns/jade-garden-calls/live", reach: async (page) => {
    await page.locator(".why button").first().click();
    await page.locator("dialog[open] .pace-row").first().waitFor();
  } },
  { name: "leads", path: "/campaigns/jade-garden-vote/leads", reach: shown("table.leads tbody tr[aria-rowindex]") },
  { name: "leads-none-match", path: "/campaigns/jade-garden-vote/leads?q=zzzz", reach: shown(".status button, .nearest") },
  { name: "leads-analyst", path: "/campaigns/jade-garden-vote/leads", who: PEOPLE.analyst, reach: shown("table.leads tbody tr[aria-rowindex]") },
  { name: "schedule", path: "/schedule", reach: shown("table.week tbody tr") },
  { name: "schedule-empty", path: "/schedule", service: () => empty, reach: shown(".status") },
  { name: "settings-forbidden", path: "/settings", who: PEOPLE.analyst, reach: shown(".status h1") },
  { name: "lists", path: "/campaigns/jade-garden-vote/lists", reach: shown("tbody tr") },
  { name: "lists-empty", path: "/campaigns/jade-garden-calls/lists", reach: shown(".lists > .status") },
  { name: "lists-unfit-file", path: "/campaigns/jade-garden-calls/lists", reach: async (page) => {
    await page.locator('input[type="file"]').setInputFiles({ name: "名单.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF") });
    await page.locator(".file-pick .refusal:not(:empty)").waitFor();
  } },
  { name: "lists-forbidden", path: "/campaigns/jade-garden-vote/lists", who: PEOPLE.lead, reach: shown(".status h1") },
  { name: "list-checked", path: "/campaigns/jade-garden-vote/lists/1", reach: async (page) => {
    await page.locator("#checks .chip").first().click();
    await page.locator("#refused-rows tbody tr").first().waitFor();
  } },
  { name: "list-confirm", path: "/campaigns/jade-garden-vote/lists/1", reach: async (page) => {
    await page.locator("#confirm .button.primary").click();
    await page.locator("dialog[open]").waitFor();
  } },
  { name: "list-mapping", path: "/campaigns/jade-garden-vote/lists/1", reach: async (page) => {
    await page.locator("#mapping select").first().selectOption("other");
    await page.locator(".unsaved").waitFor();
  } },
  { name: "list-unreadable", path: "/campaigns/jade-garden-vote/lists/2", reach: shown(".finding.alarm") },
  { name: "list-loaded", path: "/campaigns/jade-garden-vote/lists/3", reach: shown("#confirm .button.danger") },
  { name: "list-known", path: "/campaigns/jade-garden-vote/lists/4", reach: shown('#confirm .button[aria-disabled="true"]') },
  { name: "list-gone", path: "/campaigns/jade-garden-vote/lists/999", reach: shown(".status h1") },
  { name: "floor", path: "/floor", reach: shown("tbody tr") },
  { name: "floor-empty", path: "/floor", service: () => empty, reach: shown(".status") },
  { name: "floor-force", path: "/floor", reach: async (page) => {
    // The last row's: nothing of the menu is cut off by the table.
    await page.locator("tbody tr:last-child .menu button").click();
    await page.locator('[role="menuitem"]').last().click({ trial: true });
  } },
  { name: "people", path: "/people", reach: shown("tbody tr") },
  { name: "people-none-match", path: "/people?q=zzz", reach: shown(".status button") },
  { name: "people-lead", path: "/people", who: PEOPLE.lead, reach: shown("tbody tr") },
  { name: "people-add", path: "/people/new", reach: async (page) => {
    await page.locator('button[type="submit"]').click();
    await page.locator(".fault").first().waitFor();
  } },
  { name: "people-edit", path: "/people/8101/edit", reach: shown("form input") },
  { name: "person", path: "/people?agent=8101", reach: shown(".drawer .member-table") },
  { name: "person-remove", path: "/people?agent=8101", reach: async (page) => {
    await page.locator(".drawer footer button").last().click();
    await page.locator(".dialog[open]").waitFor();
  } },
  { name: "person-gone", path: "/people?agent=99", reach: shown(".drawer .status h1") },
  { name: "groups", path: "/groups", reach: shown("tbody tr") },
  { name: "groups-empty", path: "/groups", service: () => empty, reach: shown(".status") },
  { name: "group-add", path: "/groups/new", reach: shown("form input") },
  { name: "results", path: "/results", reach: shown("tbody tr") },
  { name: "results-analyst", path: "/results?outcome=answered", who: PEOPLE.analyst, reach: shown("tbody tr, .status") },
  { name: "results-empty", path: "/results", service: () => empty, reach: shown(".status") },
  { name: "results-none-match", path: "/results?number=13800138000&min=3", reach: shown(".status button") },
  { name: "call", path: "/results?call=out-1", reach: shown(".drawer .path li") },
  { name: "call-gone", path: "/results?call=out-999999999", reach: shown(".drawer .status h1") },
  { name: "lead", path: "/results?lead=1", reach: shown(".drawer .facts") },
  { name: "audio", path: "/audio", reach: shown("tbody tr") },
  { name: "audio-empty", path: "/audio", service: () => empty, reach: shown(".status") },
  { name: "audio-add", path: "/audio?add=1", reach: async (page) => {
    await page.locator('.drawer button[type="submit"]').click();
    await page.locator(".fault").first().waitFor();
  } },
  { name: "audio-sound", path: "/audio?sound=3", reach: shown(".drawer .waveform") },
  { name: "audio-unreadable", path: "/audio?sound=5", reach: shown(".drawer .sound-warning") },
  { name: "audio-gone", path: "/audio?sound=999", reach: shown(".drawer .status h1") },
  { name: "audio-retire", path: "/audio?sound=3", reach: async (page) => {
    await page.locator(".drawer footer button").first().click();
    await page.locator(".dialog[open]").waitFor();
  } },
  { name: "audio-forbidden", path: "/audio", who: PEOPLE.analyst, reach: shown(".status h1") },
  { name: "approvals", path: "/approvals", reach: shown(".thing .waveform") },
  { name: "approvals-others", path: "/approvals?state=others", reach: shown(".thing .waveform") },
  { name: "approvals-done", path: "/approvals?state=done", reach: shown(".thing .waveform") },
  { name: "approvals-empty", path: "/approvals", service: () => empty, reach: shown(".status") },
  { name: "approvals-refuse", path: "/approvals", reach: async (page) => {
    await page.locator(".decide button").last().click();
    await page.locator('.dialog[open] button[type="submit"]').click();
    await page.locator(".dialog .fault").waitFor();
  } },
  { name: "approvals-forbidden", path: "/approvals", who: PEOPLE.analyst, reach: shown(".status h1") },
  { name: "blacklist", path: "/blacklist?number=13800138000", reach: shown(".answer") },
  { name: "blacklist-add", path: "/blacklist?add=1", reach: shown(".drawer form") },
  { name: "health", path: "/health", reach: shown(".checks li") },
  { name: "audit-forbidden", path: "/audit", reach: shown(".status h1") },
  { name: "tokens", path: "/tokens", reach: shown(".status, tbody tr") },
  { name: "token-add", path: "/tokens?add=1", reach: shown(".drawer form") },
  { name: "resources-menu", path: "/today", reach: (page) => page.locator(".nav-menu button").first().click() },
  { name: "forbidden", path: "/floor", who: PEOPLE.agent, reach: shown(".status h1") },
  { name: "no-pages", path: "/", who: PEOPLE.agent, reach: shown(".status") },
  { name: "gone", path: "/nowhere", reach: shown(".status h1") },
  { name: "open-file", path: "/campaigns", reach: async (page) => {
    await page.locator(".page-head button").first().click();
    await page.locator("dialog[open]").waitFor();
  } },
  { name: "palette", path: "/today", reach: async (page) => {
    await page.keyboard.press("Control+k");
    await page.locator(".palette li").first().waitFor();
  } },
  { name: "account-menu", path: "/today", reach: (page) => page.locator(".top > .menu button").click() },
];

describe.each(LOOKS)("$language $theme", (it) => {
  test("sign-in", async () => {
    const { page, faults, context } = await visitor(browser, full.url, it);
    await page.goto("/sign-in");
    await page.locator("input").first().waitFor();
    await look(page, "sign-in", it);
    await page.locator("input").first().fill("nobody");
    await page.locator('input[type="password"]').fill("wrong");
    await page.locator('input[type="password"]').press("Enter");
    await page.locator('[role="alert"], button[aria-describedby]').first().waitFor();
    await look(page, "sign-in-wrong", it);
    expect(faults).toEqual([]);
    await context.close();
  });

  test.each([["full", () => full], ["empty", () => empty]] as const)("pages of the %s service", async (_, service) => {
    const screens = SCREENS.filter((screen) => (screen.service ?? (() => full))() === service());
    for (const who of new Set(screens.map((screen) => screen.who ?? PEOPLE.manager))) {
      const { page, faults, context } = await visitor(browser, service().url, it);
      page.on("dialog", (dialog) => void dialog.accept());
      await signIn(page, who.login, who.password);
      for (const screen of screens.filter((screen) => (screen.who ?? PEOPLE.manager) === who)) {
        await page.goto(screen.path);
        await page.locator('[data-testid="live-state"].live').waitFor();
        await screen.reach(page);
        await look(page, screen.name, it);
      }
      expect(faults).toEqual([]);
      await context.close();
    }
  });
});

test("a manager's phone: pages are no wider than the window", async () => {
  const it: Look = { language: "zh", theme: "light", width: 390, height: 844 };
  const { page, context } = await visitor(browser, full.url, it);
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  for (const name of ["today", "campaigns", "campaigns/jade-garden-calls/live", "campaigns/jade-garden-vote/lists", "campaigns/jade-garden-vote/lists/1", "floor", "people", "groups", "results", "audio", "approvals", "blacklist", "tokens"]) {
    await page.goto(`/${name}`);
    await page.locator("h1").waitFor();
    await page.locator('[data-testid="live-state"].live').waitFor();
    await look(page, `phone-${name.replaceAll("/", "-")}`, it);
  }
  await context.close();
});

test.each(LOOKS)("a page that has lost the service, $language $theme", async (it) => {
  const { page, context } = await visitor(browser, empty.url, it);
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  await page.goto("/campaigns");
  await page.locator(".status").waitFor();
  await empty.kill();
  await page.locator(".line.amber").waitFor();
  await look(page, "offline", it);
  await empty.start();
  await reconnect(page);
  await context.close();
});

test.each(LOOKS)("an expired session and the first start, $language $theme", async (it) => {
  const { page, context } = await visitor(browser, full.url, it);
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  await page.goto("/campaigns");
  await page.locator("tbody button").first().waitFor();
  await context.clearCookies();
  await page.locator("tbody button").first().click();
  await page.locator("dialog[open]").waitFor();
  await look(page, "expired", it);
  await context.close();
  const fresh = await startService({ campaigns: false, people: false });
  onTestFinished(fresh.stop);
  const first = await visitor(browser, fresh.url, it);
  await first.page.goto("/welcome");
  await first.page.locator('button[type="submit"]').click();
  await first.page.locator(".fault").first().waitFor();
  await look(first.page, "welcome", it);
  await first.context.close();
});
