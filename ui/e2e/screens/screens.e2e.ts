/** Every page in its states on the real program, English dark (`PACELINE_LOOKS=all`: all four looks): axe finds nothing, nothing is wider than the window; a picture of each in `out/`. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { expectAccessible } from "../lib/axe";
import { launch, reconnect, signIn, visitor, type Look } from "../lib/browser";
import { PEOPLE, startService, type Service } from "../lib/service";
import { addCallerIds, addSounds, makeExports, recordCall, sendLists } from "./data";
import { SCREENS } from "./list";

const OUT = new URL("../out/", import.meta.url).pathname;

let full: Service;
let empty: Service;
let browser: Browser;

beforeAll(async () => {
  [full, empty, browser] = await Promise.all([startService(), startService({ campaigns: false }), launch()]);
  await sendLists(full);
  await addSounds(full);
  await addCallerIds(full);
  await recordCall(full);
  await makeExports(full);
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([full?.stop(), empty?.stop()]);
});

/** Takes the picture, runs axe. */
async function look(page: Page, name: string, { language, theme }: Look): Promise<void> {
  await page.screenshot({ path: `${OUT}${name}.${language}.${theme}.png` });
  await expectAccessible(page, `${name} ${language} ${theme}`);
}

// Chinese light is what the pictures hold; every other text and colour is here.
const EN_DARK: Look = { language: "en", theme: "dark" };
const ALL: Look[] = [EN_DARK, { language: "zh", theme: "light" }, { language: "zh", theme: "dark" }, { language: "en", theme: "light" }];
const LOOKS: Look[] = process.env["PACELINE_LOOKS"] === "all" ? ALL : [EN_DARK];

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
    const screens = SCREENS.filter((screen) => (screen.service === "empty" ? empty : full) === service());
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
  }, 600_000);
});

test("a manager's phone: pages are no wider than the window", async () => {
  const it: Look = { language: "zh", theme: "light", width: 390, height: 844 };
  const { page, context } = await visitor(browser, full.url, it);
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  for (const name of ["today", "campaigns", "campaigns/jade-garden-calls/live", "campaigns/jade-garden-vote/lists", "campaigns/jade-garden-vote/lists/1", "floor", "people", "groups", "results", "audio", "caller-ids", "approvals", "blacklist", "tokens"]) {
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
