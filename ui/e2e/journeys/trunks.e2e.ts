/** Trunks: one is added whose account is refused, a test call shows what the carrier answered, it is mended while the service runs, tested and put back, and carries calls again. */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible } from "../lib/axe";
import { launch, signIn, visitor } from "../lib/browser";
import { startCarrier, type Carrier } from "../lib/carrier";
import { PEOPLE, startService, type Service } from "../lib/service";
import { en } from "../../src/words/en";
import { withWidePunctuation } from "../../src/words/width";
import { zh } from "../../src/words/zh";

let service: Service;
let browser: Browser;
let carrier: Carrier;
beforeAll(async () => {
  [service, browser, carrier] = await Promise.all([startService({ campaigns: false }), launch(), startCarrier()]);
});
afterAll(async () => {
  await browser?.close();
  carrier?.stop();
  await service?.stop();
});

type Key = keyof typeof zh & (`trunk${string}` | `common.${string}`);
const words = (language: "zh" | "en") => (key: Key) => (language === "zh" ? withWidePunctuation(zh[key]) : en[key]);
const card = (page: Page, name: string): Locator => page.locator("section.trunk", { has: page.getByRole("heading", { name, exact: true }) });
const pill = (page: Page, name: string, word: string) => card(page, name).locator("header .pill", { hasText: word }).waitFor();

describe.each([
  { language: "zh", name: "shenzhen", refused: /运营商拒绝账号 7550/, busy: /占线/ },
  { language: "en", name: "london", refused: /refuses the account 7550/, busy: /busy/i },
] as const)("in $language", ({ language, name, refused, busy }) => {
  const t = words(language);

  test("a refused account is said, tested with its ladder, mended without a restart, and carries calls again", async () => {
    carrier.takesAccount = false;
    carrier.called.length = 0;
    const { page, faults, context } = await visitor(browser, service.url, { language, theme: language === "zh" ? "light" : "dark" });
    await signIn(page, PEOPLE.admin.login, PEOPLE.admin.password);
    await page.goto("/trunks");
    await page.getByRole("button", { name: t("trunks.add"), exact: true }).first().click();
    const drawer = page.locator("dialog.drawer");
    const save = drawer.getByRole("button", { name: t("trunks.addNow"), exact: true });
    await save.click();
    await drawer.getByText(t("trunks.fault_uri")).waitFor();
    const fill = (key: Key, text: string) => drawer.getByLabel(t(key), { exact: true }).fill(text);
    await fill("trunks.f_name", name);
    await fill("trunks.f_uri", `sip:${carrier.address}`);
    await fill("trunks.f_username", "7550");
    await fill("trunks.f_password", "hush-7");
    await drawer.getByLabel(t("trunks.f_register")).check();
    await fill("trunks.f_allow", "*");
    await expectAccessible(page, "a trunk's form");
    await save.click();
    await drawer.waitFor({ state: "detached" });

    // Its account is refused: the page says so, and what to do.
    await pill(page, name, t("trunk.down"));
    await card(page, name).locator(".trunk-state", { hasText: refused }).waitFor();
    await expectAccessible(page, "a trunk that is down");
    expect(await page.content()).not.toContain("hush-7");

    // A test call is tried all the same, and its ladder shows the state before the messages.
    const callNow = async (number: string) => {
      const own = card(page, name);
      if ((await own.locator(".trunk-test").count()) === 0) await own.getByRole("button", { name: t("trunks.test"), exact: true }).click();
      await own.getByLabel(t("trunks.testNumber"), { exact: true }).fill(number);
      await own.getByRole("button", { name: t("trunks.testNow"), exact: true }).click();
      await own.locator(".sip-ladder tbody tr", { hasText: "486" }).waitFor({ timeout: 30_000 });
    };
    await callNow("13800138000");
    await expectAccessible(page, "the ladder of a test call");

    // The carrier unlocks the account; another password is saved while the service runs.
    carrier.takesAccount = true;
    await card(page, name).getByRole("button", { name: t("trunks.edit"), exact: true }).click();
    expect(await drawer.getByLabel(t("trunks.f_password"), { exact: true }).inputValue()).toBe("");
    await fill("trunks.f_password", "right-8");
    await fill("trunks.f_calls_max", "12");
    await drawer.locator('button[type="submit"]').click();
    await drawer.waitFor({ state: "detached" });
    await pill(page, name, t("trunk.up"));
    await card(page, name).locator(".figure", { hasText: "/ 12" }).waitFor();
    const before = carrier.called.length;
    await callNow("13800138001");
    await card(page, name).locator(".codes tr", { hasText: busy }).waitFor({ timeout: 15_000 });
    expect(carrier.called.length).toBe(before + 1);

    // Taken out of use and put back.
    await card(page, name).getByRole("button", { name: t("trunks.disable"), exact: true }).click();
    const dialog = page.locator("dialog.dialog");
    await expectAccessible(page, "the question before a trunk goes out of use");
    await dialog.getByRole("button", { name: t("trunks.disable"), exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    await pill(page, name, t("trunk.disabled"));
    await card(page, name).getByRole("button", { name: t("trunks.enable"), exact: true }).click();
    await pill(page, name, t("trunk.up"));
    await callNow("13800138002");

    // It goes, and the page shows the others.
    await card(page, name).getByRole("button", { name: t("trunks.remove"), exact: true }).click();
    await dialog.getByRole("button", { name: t("trunks.remove"), exact: true }).click();
    await card(page, name).waitFor({ state: "detached" });
    expect(faults).toEqual([]);
    await context.close();
  });

  test("a manager tests a trunk and changes none", async () => {
    await service.api(PEOPLE.admin, "POST", "/trunks", { name: `${name}-2`, settings: { uri: `sip:${carrier.address}`, allow: ["*"] } });
    const { page, faults, context } = await visitor(browser, service.url, { language, theme: "light" });
    await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
    await page.goto(`/trunks?trunk=${name}-2`);
    await pill(page, `${name}-2`, t("trunk.up"));
    expect(await page.getByRole("button", { name: t("trunks.add"), exact: true }).count()).toBe(0);
    expect(await card(page, `${name}-2`).getByRole("button", { name: t("trunks.disable"), exact: true }).count()).toBe(0);
    await card(page, `${name}-2`).getByRole("button", { name: t("trunks.test"), exact: true }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});
