/** The steps of the first start and the sample with its tour, in their states. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, onTestFinished, test } from "vitest";
import { launch, visitor } from "../lib/browser";
import { look, LOOKS } from "../lib/look";
import { startService } from "../lib/service";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

test.each(LOOKS)("the steps after the first account, and the sample with its tour, $language $theme", async (it) => {
  const fresh = await startService({ campaigns: false, people: false });
  onTestFinished(fresh.stop);
  const { page, context } = await visitor(browser, fresh.url, it);
  const code = /welcome#([\w-]+)/.exec(fresh.log())?.[1] ?? "";
  const setup = "**/api/v1/setup";
  await page.route(setup, (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ type: "about:blank", title: "", status: 503, code: "unavailable", detail: "", id: "1" }) }));
  await page.goto(`/welcome#${code}`);
  await page.locator(".status button").waitFor();
  await look(page, "welcome-error", it);
  await page.unroute(setup);
  await page.locator(".status button").click();
  const [name, login, password] = [0, 1, 2].map((at) => page.locator("form input").nth(at));
  await name?.fill("王敏");
  await login?.fill("wangmin");
  await password?.fill("kite-lantern-42");
  await page.locator('button[type="submit"]').click();
  await page.waitForURL("**/welcome?step=sample");
  const start = page.locator(".start-sample .button");
  await start.waitFor();
  await look(page, "welcome-sample", it);
  const asked = "**/api/v1/setup/sample";
  const refuse = async (code: string, more: object, screen: string) => {
    await page.route(asked, (route) => route.fulfill({ status: 409, contentType: "application/problem+json", body: JSON.stringify({ type: "about:blank", title: "Conflict", status: 409, code, detail: code, ...more }) }));
    await start.click();
    await page.locator(".start-sample [role=alert]").waitFor();
    await look(page, screen, it);
    await page.unroute(asked);
    await page.reload();
  };
  await refuse("cannot_place", {}, "welcome-sample-refused");
  await refuse("sample_there", { campaign: "sample", href: "/campaigns/sample/live" }, "welcome-sample-there");
  await page.locator(".form > p .button").click();
  await page.locator(".file-text").first().waitFor();
  await look(page, "welcome-line", it);
  await page.goto("/welcome?step=sample");
  let go = () => {};
  const held = new Promise<void>((done) => { go = done; });
  await page.route(asked, async (route) => { await held; await route.continue(); });
  await start.click();
  await page.locator(".start-sample .sent").waitFor();
  await look(page, "welcome-sample-starting", it);
  go();
  await page.waitForURL("**/campaigns/sample/live");
  await page.locator(".live-figures").waitFor();
  for (const step of ["why", "figures", "pace", "after"]) {
    await page.locator(`[data-tour="${step}"]`).waitFor();
    await look(page, `sample-tour-${step}`, it);
    if (step !== "after") await page.locator(".tour .primary").click();
  }
  await page.locator(".tour .primary").click();
  await page.locator(".tour").waitFor({ state: "detached" });
  await look(page, "sample-live", it);
  await page.goto("/people");
  await page.locator("tbody tr").first().waitFor();
  await look(page, "sample-people", it);
  await context.close();
}, 240_000);
