/** First start with the set-up code; the sample campaign runs, its reason can be read; the tour is closed and stays closed. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { launch, visitor, type Look } from "../lib/browser";
import { startService, type Service } from "../lib/service";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

const WORDS = {
  zh: {
    code: "安装码", name: "姓名", login: "登录名", password: /^密码/, create: "创建并继续", short: "密码至少 8 位", start: "启动示例活动", skip: "跳过,直接接入线路", today: "进入今天",
    back: "返回试一试", rings: "模拟运营商:不拨真实电话", tour: "四步看懂这一页", next: "下一步", close: "关闭,不再显示", why: "原因", there: "示例活动已经在运行", toLive: "去看示例活动", steps: ["第 1 步", "第 4 步"],
    signIn: "登录", loginField: "登录名",
  },
  en: {
    code: "Set-up code", name: "Name", login: "Login", password: /^Password/, create: "Create and go on", short: "The password has 8 characters or more", start: "Start the sample campaign", skip: "Skip, connect a line", today: "Go to Today",
    back: "Back to the sample", rings: "Simulated carrier: no real phone rings", tour: "This page in four steps", next: "Next", close: "Close, do not show again", why: "Why", there: "The sample campaign runs already", toLive: "See the sample campaign", steps: ["Step 1", "Step 4"],
    signIn: "Log in", loginField: "Login",
  },
} as const;

/** As the page shows a Chinese text: with wide commas and colons. */
const shown = (text: string) => new RegExp(text.replace(/[,:]/g, (it) => (it === "," ? "[,\uff0c]" : "[:\uff1a]")));

async function makeAccount(page: Page, service: Service, w: (typeof WORDS)["zh" | "en"]): Promise<void> {
  const code = /welcome#([\w-]+)/.exec(service.log())?.[1] ?? "";
  expect(code).not.toBe("");
  await page.goto("/");
  await page.waitForURL("**/welcome");
  await page.goto(`/welcome#${code}`);
  await page.reload();
  expect(await page.getByLabel(w.code).inputValue()).toBe(code);
  await page.getByRole("button", { name: w.create }).click();
  await page.getByText(w.short, { exact: true }).waitFor();
  await page.getByLabel(w.name, { exact: true }).fill("王敏");
  await page.getByLabel(w.login, { exact: true }).fill("wangmin");
  await page.getByLabel(w.password).fill("kite-lantern-42");
  await page.getByRole("button", { name: w.create }).click();
  await page.waitForURL("**/welcome?step=sample");
}

describe.each<Look>([{ language: "zh", theme: "light" }, { language: "en", theme: "dark" }])("in $language", (look) => {
  const w = WORDS[look.language];

  test("first start, sample campaign, why, tour", async () => {
    const service = await startService({ campaigns: false, people: false });
    onTestFinished(service.stop);
    const { page, faults, context } = await visitor(browser, service.url, look);
    await makeAccount(page, service, w);
    // Where lines are set, and back.
    await page.getByRole("button", { name: shown(w.skip) }).click();
    await page.getByText("[trunks.main]").waitFor();
    await page.getByRole("button", { name: w.back }).click();
    await page.getByRole("button", { name: w.start }).click();
    await page.waitForURL("**/campaigns/sample/live");
    await page.getByText(shown(w.rings)).waitFor();

    // It dials, and says why it does what it does.
    const why = page.locator(".why .sentence");
    await expect.poll(() => why.textContent()).not.toBe("");
    const placed = page.locator(".live-figures .figure").nth(6).locator("dd");
    await expect.poll(async () => Number.parseInt((await placed.textContent()) ?? "", 10), { timeout: 60_000 }).toBeGreaterThan(2);

    const tour = page.getByRole("region", { name: w.tour });
    await tour.getByText(new RegExp(w.steps[0])).waitFor();
    for (let n = 0; n < 3; n += 1) await tour.getByRole("button", { name: w.next }).click();
    await tour.getByText(new RegExp(w.steps[1])).waitFor();
    await page.reload();
    await tour.getByText(new RegExp(w.steps[0])).waitFor();
    await tour.getByRole("button", { name: shown(w.close) }).click();
    await tour.waitFor({ state: "detached" });
    await page.reload();
    await why.waitFor();
    expect(await tour.count()).toBe(0);

    // A second one is refused in words, with the way to the first.
    await page.goto("/welcome?step=sample");
    await page.getByRole("button", { name: w.start }).click();
    await page.getByText(shown(w.there)).waitFor();
    await page.getByRole("link", { name: w.toLive }).click();
    await page.waitForURL("**/campaigns/sample/live");
    await why.waitFor();
    expect(await tour.count()).toBe(0);

    // Another browser of the same person: closed for ever. Once there is an account, the page leads to the sign-in.
    const other = await visitor(browser, service.url, look);
    await other.page.goto("/welcome");
    await other.page.waitForURL("**/sign-in*");
    await other.page.getByLabel(w.loginField, { exact: true }).fill("wangmin");
    await other.page.locator('input[type="password"]').fill("kite-lantern-42");
    await other.page.getByRole("button", { name: w.signIn, exact: true }).click();
    await other.page.waitForURL("**/today");
    await other.page.goto("/campaigns/sample/live");
    await other.page.locator(".why .sentence").waitFor();
    await other.page.getByText(shown(w.rings)).waitFor();
    expect(await other.page.getByRole("region", { name: w.tour }).count()).toBe(0);
    expect(faults).toEqual([]);
    expect(other.faults).toEqual([]);
    await other.context.close();
    await context.close();
  }, 240_000);

  test("skipped, the sample is offered where there is no campaign", async () => {
    const service = await startService({ campaigns: false, people: false });
    onTestFinished(service.stop);
    const { page, faults, context } = await visitor(browser, service.url, look);
    await makeAccount(page, service, w);
    await page.getByRole("button", { name: shown(w.skip) }).click();
    await page.getByRole("button", { name: w.today }).click();
    await page.waitForURL("**/today");
    await page.goto("/campaigns");
    await page.getByRole("button", { name: w.start }).click();
    await page.waitForURL("**/campaigns/sample/live");
    await page.getByRole("region", { name: w.tour }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});
