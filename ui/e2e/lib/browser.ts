/** Debian's Chromium with a profile of its own; a console error, a report of the policy or a request to another origin fails the test. */
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: FLAGS });
}

export interface Look {
  language: "zh" | "en";
  theme: "light" | "dark";
  width?: number;
  height?: number;
}

/** A browser of one person. */
export async function visitor(browser: Browser, url: string, look: Look): Promise<{ context: BrowserContext; page: Page; faults: string[] }> {
  const context = await browser.newContext({
    viewport: { width: look.width ?? 1366, height: look.height ?? 768 }, locale: look.language === "zh" ? "zh-CN" : "en-GB", timezoneId: "Asia/Shanghai",
    colorScheme: look.theme, reducedMotion: "reduce", baseURL: url,
  });
  await context.addCookies([{ name: "paceline_look", value: `${look.language}.${look.theme}`, url }]);
  const faults: string[] = [];
  const page = await context.newPage();
  watch(page, url, faults);
  return { context, page, faults };
}

function watch(page: Page, url: string, faults: string[]): void {
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // A refused request is an answer that the page shows; Chromium logs it all the same.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) faults.push(`request to ${request.url()}`);
  });
}

export async function signIn(page: Page, login: string, password: string): Promise<void> {
  await page.goto("/sign-in");
  const [loginField, passwordField] = [page.locator("input").first(), page.locator('input[type="password"]')];
  await loginField.fill(login);
  await passwordField.fill(password);
  await passwordField.press("Enter");
  await page.locator('[data-testid="live-state"].live').waitFor();
}

/** The service is back: the browser says that the network is, which ends the wait before the next attempt. */
export async function reconnect(page: Page): Promise<void> {
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await page.locator('[data-testid="live-state"].live').waitFor({ timeout: 60_000 });
}
