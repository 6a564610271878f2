/** Journey 18, second part: two people one after the other in one tab: what the first read, found, did and typed is not shown. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { journey } from "../lib/journey";
import { PEOPLE, type Account } from "../lib/service";

const its = journey({}, (service) => service.api(PEOPLE.manager, "POST", "/campaigns/jade-garden-vote/actions", { action: "pause" }));

/** Signs in without loading the page anew: what the first person read is still in the tab's memory. */
async function signInHere(page: Page, who: Account): Promise<void> {
  await page.locator('input[type="password"]').waitFor();
  await page.locator("input").first().fill(who.login);
  await page.locator('input[type="password"]').fill(who.password);
  await page.locator('input[type="password"]').press("Enter");
  await page.locator('[data-testid="live-state"].live').waitFor();
}

/** Opens a page of the console without loading it anew. */
const openHere = (page: Page, path: string) => page.evaluate((to) => {
  history.pushState(null, "", to);
  dispatchEvent(new PopStateEvent("popstate", { state: null }));
}, path);

async function signOut(page: Page): Promise<void> {
  await page.locator(".top > .menu button").click();
  await page.locator('[role="menuitem"]').last().click();
  await page.waitForURL("**/sign-in*");
}

const RING = '[id="setting-calling.ring_secs"] input';

test.each([["zh", 5_000], ["en", 5_001]] as const)("in %s", async (language, lead) => {
  const { page, faults, context } = await its.visit({ language, theme: "light" });
  page.on("dialog", (dialog) => void dialog.accept());
  await page.goto("/sign-in");
  await signInHere(page, PEOPLE.manager);

  // The first person reads, finds, types, and does what could be taken back.
  await openHere(page, "/campaigns/jade-garden-vote/leads");
  await page.locator("table.leads tbody tr[aria-rowindex]").first().waitFor();
  await page.keyboard.press("Control+k");
  await page.locator(".palette input").fill("业主7001");
  await page.locator(".palette li > span", { hasText: /^业主7001$/ }).waitFor();
  await page.keyboard.press("Escape");
  await openHere(page, "/campaigns/jade-garden-calls/settings");
  await page.locator(RING).fill("33");
  await page.locator(".settings-bar, .unsaved").first().waitFor();
  // The draft is kept for its person: the page asks before it is left.
  await page.locator('header.top a[href="/today"]').click();
  await page.locator("dialog[open] .button.primary").click();
  await openHere(page, `/campaigns/jade-garden-vote/leads?lead=${lead}`);
  const drawer = page.locator(".drawer");
  await drawer.locator("footer .button, .drawer-acts .button, .button").filter({ hasText: language === "zh" ? /^关闭$/ : /^Close/ }).first().click();
  const dialog = page.locator(".dialog[open]");
  await dialog.locator("input, textarea").first().fill(`只有王敏知道的原因 ${language}`);
  await dialog.locator('button[type="submit"]').click();
  await page.locator(".undo-bar").first().waitFor();
  await openHere(page, "/today");
  await page.locator(".running").waitFor();
  await page.locator(".undo-bar").first().waitFor();
  await signOut(page);

  // The next one reads with other rights; nothing is drawn before the service answered this person.
  const held: (() => void)[] = [];
  await page.route(/\/api\/v1\/campaigns\/[^/]+\/leads|\/api\/v1\/search/, async (route) => {
    await new Promise<void>((go) => held.push(go));
    await route.continue().catch(() => undefined);
  });
  await signInHere(page, PEOPLE.analyst);
  expect(await page.locator(".undo-bar").count()).toBe(0);
  await openHere(page, "/campaigns/jade-garden-vote/leads");
  await page.locator(".skeleton").first().waitFor();
  expect(await page.locator("table.leads tbody tr[aria-rowindex]").count()).toBe(0);
  await page.keyboard.press("Control+k");
  await page.locator(".palette input").fill("业主7001");
  await expect.poll(() => held.length).toBeGreaterThan(1);
  expect(await page.locator(".palette li > span", { hasText: /^业主7001$/ }).count()).toBe(0);
  await page.keyboard.press("Escape");
  for (const go of held) go();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  expect(await page.locator("body").innerText()).not.toContain("王敏");
  await signOut(page);

  // A colleague with the same rights sees the stored settings, not what the first one typed.
  await signInHere(page, PEOPLE.colleague);
  await openHere(page, "/campaigns/jade-garden-calls/settings");
  await page.locator(RING).waitFor();
  expect(await page.locator(RING).inputValue()).not.toBe("33");
  await signOut(page);

  // The first one's draft is still there for its person alone.
  await signInHere(page, PEOPLE.manager);
  await openHere(page, "/campaigns/jade-garden-calls/settings");
  await expect.poll(() => page.locator(RING).inputValue()).toBe("33");
  expect(faults).toEqual([]);
  await context.close();
});
