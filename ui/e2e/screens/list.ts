/** The screens: every page in its states, and how each state is reached. */
import type { Page } from "playwright-core";
import { PEOPLE, type Account } from "../lib/service";

export interface Screen<Needs extends unknown[] = [Hands]> {
  name: string;
  path: string;
  who?: Account;
  /** Which service; without it the full one. */
  service?: "empty" | "fresh";
  /** A page before the sign-in: it has no frame. */
  isOutside?: true;
  /** What happens to a request (its path below `/api/v1`) instead of its answer. */
  rule?: (path: string) => "hold" | "fail" | undefined;
  /** Brings the page into its state; returns once it is there. */
  reach: (page: Page, ...needs: Needs) => Promise<unknown>;
}

/** What a screen can do to the service behind it. */
export interface Hands {
  /** The session is over. */
  expire: () => void;
  /** The live stream is lost, for so many seconds. */
  loseStream: (secs: number) => Promise<void>;
}

const shown = (selector: string) => (page: Page) => page.locator(selector).first().waitFor();
/** Reached without a hand on the service: also with the real one. */
export const SCREENS: Screen<[]>[] = [
  { name: "today", path: "/today", reach: shown(".running tbody tr") },
  { name: "today-empty", path: "/today", service: "empty", reach: shown(".needs .hint") },
  { name: "campaigns", path: "/campaigns", reach: shown("tbody tr") },
  { name: "campaigns-none-match", path: "/campaigns?q=zzz", reach: shown(".status button") },
  { name: "campaigns-empty", path: "/campaigns", service: "empty", reach: shown(".status") },
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
  { name: "campaign-results", path: "/campaigns/jade-garden-vote/results", reach: shown(".vote-flats, .campaign-results .status") },
  { name: "campaign-results-no-vote", path: "/campaigns/jade-garden-calls/results", reach: shown(".campaign-results .sums") },
  { name: "pace", path: "/campaigns/jade-garden-calls/live", reach: async (page) => {
    await page.locator(".why button").first().click();
    await page.locator("dialog[open] .pace-row").first().waitFor();
  } },
  { name: "leads", path: "/campaigns/jade-garden-vote/leads", reach: shown("table.leads tbody tr[aria-rowindex]") },
  { name: "leads-none-match", path: "/campaigns/jade-garden-vote/leads?q=zzzz", reach: shown(".status button, .nearest") },
  { name: "leads-analyst", path: "/campaigns/jade-garden-vote/leads", who: PEOPLE.analyst, reach: shown("table.leads tbody tr[aria-rowindex]") },
  { name: "schedule", path: "/schedule", reach: shown("table.week tbody tr") },
  { name: "schedule-empty", path: "/schedule", service: "empty", reach: shown(".status") },
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
    await page.locator(".unsaved").scrollIntoViewIfNeeded();
  } },
  { name: "list-unreadable", path: "/campaigns/jade-garden-vote/lists/2", reach: shown(".finding.alarm") },
  { name: "list-loaded", path: "/campaigns/jade-garden-vote/lists/3", reach: shown("#confirm .button.danger") },
  { name: "list-known", path: "/campaigns/jade-garden-vote/lists/4", reach: shown('#confirm .button[aria-disabled="true"]') },
  { name: "list-gone", path: "/campaigns/jade-garden-vote/lists/999", reach: shown(".status h1") },
  { name: "floor", path: "/floor", reach: shown("tbody tr") },
  { name: "floor-empty", path: "/floor", service: "empty", reach: shown(".status") },
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
  { name: "groups-empty", path: "/groups", service: "empty", reach: shown(".status") },
  { name: "group-add", path: "/groups/new", reach: shown("form input") },
  { name: "results", path: "/results", reach: shown("tbody tr") },
  { name: "results-analyst", path: "/results?outcome=answered", who: PEOPLE.analyst, reach: shown("tbody tr, .status") },
  { name: "results-filters", path: "/results?days=week&outcome=answered&missed=false&waited=1&sort=longest&cols=campaign,name,agent,waited,talk,trunk,caller_id", reach: shown("tbody tr, .status") },
  { name: "results-save-view", path: "/results?days=week&outcome=answered", reach: async (page) => {
    await page.locator(".page-head .menu button").first().click();
    await page.locator('[role="menuitem"]').last().click();
    await page.locator("dialog[open] input").first().waitFor();
  } },
  { name: "results-columns", path: "/results", reach: async (page) => {
    await page.locator(".page-head .menu button").last().click();
    await page.locator('[role="menuitemradio"]').first().waitFor();
  } },
  { name: "results-forbidden", path: "/results", who: PEOPLE.agent, reach: shown(".status h1") },
  { name: "results-empty", path: "/results", service: "empty", reach: shown(".status") },
  { name: "results-none-match", path: "/results?number=13800138000&min=3", reach: shown(".status button") },
  { name: "sums", path: "/results/sums?sum=outcome", reach: shown("table.sums tbody tr") },
  { name: "sums-two", path: "/results/sums?sum=hour&then=outcome", reach: shown("table.sums tbody tr") },
  { name: "sums-analyst", path: "/results/sums?sum=caller_id&campaign=jade-garden-vote", who: PEOPLE.analyst, reach: shown("table.sums tbody tr") },
  { name: "sums-empty", path: "/results/sums", service: "empty", reach: shown(".status") },
  { name: "sums-none-match", path: "/results/sums?number=13800138000&min=3", reach: shown(".status button") },
  { name: "abandon", path: "/campaigns/jade-garden-calls/live?abandon=whole_day", reach: shown(".drawer .abandon-rules tbody tr, .drawer .hint") },
  { name: "call", path: "/results?call=out-1", reach: shown(".drawer .path li") },
  { name: "call-recorded", path: "/results?recorded=true", reach: async (page) => {
    await page.locator("tbody a.row").first().click();
    await page.locator(".drawer .lane-wave").nth(1).waitFor();
  } },
  { name: "call-trace", path: "/results?recorded=true", reach: async (page) => {
    await page.locator("tbody a.row").first().click();
    await page.locator(".drawer .fold summary").first().click();
    await page.locator(".drawer .sip-ladder tbody tr").first().waitFor();
  } },
  { name: "call-analyst", path: "/results?call=out-1", who: PEOPLE.analyst, reach: shown(".drawer .path li") },
  { name: "call-gone", path: "/results?call=out-999999999", reach: shown(".drawer .status h1") },
  { name: "lead", path: "/results?lead=1", reach: shown(".drawer .facts") },
  { name: "audio", path: "/audio", reach: shown("tbody tr") },
  { name: "audio-empty", path: "/audio", service: "empty", reach: shown(".status") },
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
  { name: "trunks", path: "/trunks", who: PEOPLE.admin, reach: shown("section.trunk") },
  { name: "trunks-empty", path: "/trunks", service: "empty", reach: shown("section.trunk, .status") },
  { name: "trunks-forbidden", path: "/trunks", who: PEOPLE.lead, reach: shown(".status h1") },
  { name: "trunk-add", path: "/trunks?add=1", who: PEOPLE.admin, reach: shown(".drawer form") },
  { name: "trunk-test", path: "/trunks?test=simulated", who: PEOPLE.admin, reach: shown(".trunk-test form") },
  { name: "caller-ids", path: "/caller-ids?retired=1", reach: shown("tbody tr") },
  { name: "caller-ids-empty", path: "/caller-ids", service: "empty", reach: shown(".status") },
  { name: "caller-ids-none-match", path: "/caller-ids?q=zzz", reach: shown(".status button") },
  { name: "caller-ids-forbidden", path: "/caller-ids", who: PEOPLE.lead, reach: shown(".status h1") },
  { name: "caller-id", path: "/caller-ids?caller-id=075587654321", reach: shown(".drawer .day-table tbody tr") },
  { name: "caller-id-found", path: "/caller-ids?caller-id=075512345678", reach: shown(".drawer .day-table tbody tr") },
  { name: "caller-id-edit", path: "/caller-ids?caller-id=075512345678", reach: async (page) => {
    await page.locator(".drawer .part-head button").first().click();
    await page.locator(".drawer form input").last().scrollIntoViewIfNeeded();
  } },
  { name: "caller-id-flag", path: "/caller-ids?caller-id=075512345678", reach: async (page) => {
    await page.locator(".drawer footer button", { hasText: /标记|Flag/ }).click();
    await page.locator(".dialog[open] input").waitFor();
  } },
  { name: "caller-id-waiting", path: "/caller-ids?caller-id=075588884444", reach: shown(".drawer .proof img") },
  { name: "caller-id-sent-back", path: "/caller-ids?caller-id=075588883333", reach: shown(".drawer .proof a") },
  { name: "caller-id-gone", path: "/caller-ids?caller-id=075500000000", reach: shown(".drawer .status h1") },
  { name: "caller-id-add", path: "/caller-ids?add=1", reach: async (page) => {
    await page.locator('.drawer button[type="submit"]').click();
    await page.locator(".fault").first().waitFor();
  } },
  { name: "approvals", path: "/approvals", reach: shown(".thing .waveform") },
  { name: "approvals-others", path: "/approvals?state=others&of=audio:2", reach: shown(".thing .waveform") },
  { name: "approvals-caller-id", path: "/approvals", who: PEOPLE.colleague, reach: shown(".thing .proof img") },
  { name: "approvals-done", path: "/approvals?state=done&of=audio:4", reach: shown(".thing .waveform") },
  { name: "approvals-empty", path: "/approvals", service: "empty", reach: shown(".status") },
  { name: "approvals-refuse", path: "/approvals", reach: async (page) => {
    await page.locator(".decide button").last().click();
    await page.locator('.dialog[open] button[type="submit"]').click();
    await page.locator(".dialog .fault").waitFor();
  } },
  { name: "approvals-forbidden", path: "/approvals", who: PEOPLE.analyst, reach: shown(".status h1") },
  { name: "blacklist", path: "/blacklist?number=13800138000", reach: shown(".answer") },
  { name: "blacklist-add", path: "/blacklist?add=1", reach: shown(".drawer form") },
  { name: "blacklist-import", path: "/blacklist?import=new", reach: shown(".drawer form") },
  { name: "blacklist-checked", path: "/blacklist?import=1", reach: shown(".drawer .facts") },
  { name: "exports", path: "/exports", reach: shown("table.exports tbody tr") },
  { name: "exports-empty", path: "/exports", service: "empty", reach: shown(".status") },
  { name: "exports-forbidden", path: "/exports", who: PEOPLE.lead, reach: shown(".status h1") },
  { name: "export-dialog", path: "/campaigns/jade-garden-vote/leads", reach: async (page) => {
    await page.locator("table.leads tbody tr[aria-rowindex]").first().waitFor();
    await page.getByRole("button", { name: /^(导出|Export)$/ }).click();
    await page.locator(".dialog[open] .export-columns").waitFor();
  } },
  { name: "health", path: "/health", reach: shown(".checks li") },
  { name: "audit-forbidden", path: "/audit", reach: shown(".status h1") },
  { name: "tokens", path: "/tokens", reach: shown(".status, tbody tr") },
  { name: "token-add", path: "/tokens?add=1", reach: shown(".drawer form") },
  { name: "resources-menu", path: "/today", reach: (page) => page.locator(".nav-menu button").first().click() },
  { name: "forbidden", path: "/floor", who: PEOPLE.agent, reach: shown(".status h1") },
  { name: "desk-sign-in", path: "/", who: PEOPLE.agent, reach: shown(".card.sign-in") },
  { name: "desk-log", path: "/desk/log", who: PEOPLE.agent, reach: shown(".status, tbody tr") },
  { name: "gone", path: "/nowhere", reach: shown(".status h1") },
  { name: "open-file", path: "/campaigns", reach: async (page) => {
    await page.locator(".page-head button").first().click();
    await page.locator("dialog[open]").waitFor();
  } },
  { name: "palette", path: "/today", reach: async (page) => {
    await page.keyboard.press("Control+k");
    await page.locator(".palette li").first().waitFor();
  } },
  { name: "password", path: "/today", reach: async (page) => {
    await page.locator(".top > .menu button").click();
    await page.locator('[role="menuitem"]').first().click();
    await page.locator("#change-password").waitFor();
    await page.locator('.dialog[open] button[type="submit"]').click();
    await page.locator(".dialog .fault").first().waitFor();
  } },
  { name: "account-menu", path: "/today", reach: (page) => page.locator(".top > .menu button").click() },
];

/** The page's own requests; those of the frame go on. */
const ofPage = (path: string) => !["/me", "/live"].includes(path);

/** Pages whose states beyond those above are shown: while they load, when the service refuses, when the stream is lost. */
const PATHS: [name: string, path: string, who?: Account][] = [
  ["today", "/today"], ["campaigns", "/campaigns"], ["campaign-live", "/campaigns/jade-garden-calls/live"], ["leads", "/campaigns/jade-garden-vote/leads"],
  ["lists", "/campaigns/jade-garden-vote/lists"], ["list", "/campaigns/jade-garden-vote/lists/1"], ["settings", "/campaigns/jade-garden-calls/settings"],
  ["start", "/campaigns/jade-garden-calls/start"], ["history", "/campaigns/jade-garden-vote/history"], ["campaign-results", "/campaigns/jade-garden-vote/results"], ["floor", "/floor"], ["results", "/results"], ["sums", "/results/sums"], ["abandon", "/campaigns/jade-garden-calls/live?abandon=whole_day"],
  ["people", "/people"], ["person-edit", "/people/8101/edit"], ["groups", "/groups"], ["group-edit", "/groups/jade-garden/edit"], ["audio", "/audio"], ["caller-ids", "/caller-ids"], ["approvals", "/approvals"], ["blacklist", "/blacklist"], ["exports", "/exports"],
  ["schedule", "/schedule"], ["trunks", "/trunks"], ["tokens", "/tokens"], ["health", "/health"], ["organisation", "/settings", PEOPLE.admin], ["audit", "/audit", PEOPLE.admin], ["node", "/config", PEOPLE.admin],
  ["call", "/results?call=out-1"], ["lead", "/results?lead=1"], ["person", "/people?agent=8101"], ["caller-id", "/today?caller-id=075587654321"],
];

const LIVE = ["today", "campaigns", "campaign-live", "floor", "trunks"];

export const STATES: Screen[] = PATHS.flatMap(([name, path, who]) => {
  const base: { path: string; who?: Account } = who === undefined ? { path } : { path, who };
  // A drawer stands over a page that has states of its own.
  const isDrawer = path.includes("?");
  const inState = (selector: string) => async (page: Page) => {
    await page.locator(`main ${selector}`).first().waitFor();
    if (isDrawer) await page.locator(`dialog[open] ${selector}`).first().waitFor();
  };
  // The floor is made of the live stream alone: it asks for nothing that could be held or refused.
  const states: Screen[] = name === "floor" ? [] : [
    { ...base, name: `${name}-loading`, rule: (path) => ofPage(path) ? "hold" : undefined, reach: inState(".skeleton") },
    { ...base, name: `${name}-error`, rule: (path) => ofPage(path) ? "fail" : undefined, reach: inState('[role="alert"]:not(:empty)') },
  ];
  if (LIVE.includes(name)) states.push({ ...base, name: `${name}-stale`, reach: async (page, { loseStream }) => {
    await page.locator("table tbody tr, .figure").first().waitFor();
    await loseStream(8);
    await page.locator(".stale").first().waitFor();
  } });
  return states;
}).concat([
  { name: "organisation", path: "/settings", who: PEOPLE.admin, reach: shown("form input") },
  { name: "node", path: "/config", who: PEOPLE.admin, reach: shown("h1") },
  { name: "audit", path: "/audit", who: PEOPLE.admin, reach: shown("tbody tr") },
  { name: "offline", path: "/campaigns", reach: async (page, { loseStream }) => {
    await page.locator("tbody tr").first().waitFor();
    await loseStream(40);
    await page.locator(".line.amber").waitFor();
  } },
  { name: "expired", path: "/campaigns", reach: async (page, { expire }) => {
    await page.locator("tbody button").first().waitFor();
    expire();
    await page.locator("tbody button").first().click();
    await page.locator("dialog[open]").waitFor();
  } },
  { name: "sign-in", path: "/sign-in", isOutside: true, reach: shown("input") },
  { name: "sign-in-wrong", path: "/sign-in", isOutside: true, reach: async (page) => {
    await page.locator("input").first().fill("nobody");
    await page.locator('input[type="password"]').fill("wrong");
    await page.locator('input[type="password"]').press("Enter");
    await page.locator('[role="alert"], button[aria-describedby]').first().waitFor();
  } },
  { name: "welcome", path: "/welcome", service: "fresh", isOutside: true, reach: async (page) => {
    await page.locator('button[type="submit"]').click();
    await page.locator(".fault").first().waitFor();
  } },
]);
