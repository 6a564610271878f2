/** The vote: counted by heads and by area while the campaign calls, who said what by flat, and its rules in the settings. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccessible } from "../lib/axe";
import { launch, signIn, visitor } from "../lib/browser";
import { PEOPLE, startService, until, type Service } from "../lib/service";

let service: Service;
let browser: Browser;

beforeAll(async () => {
  [service, browser] = await Promise.all([startService(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await service?.stop();
});

const VOTE = "/campaigns/jade-garden-vote";
interface Count { heads: { total: number; agree: number; took_part: number }; thresholds: { majority: string } }
const count = async () => (await service.api(PEOPLE.manager, "GET", `${VOTE}/vote`)) as Count;

test("a vote is counted, shown by flat, and counted by another rule", async () => {
  await until(async () => (await count()).heads.agree > 0, "somebody agrees");
  const { page, faults, context } = await visitor(browser, service.url, { language: "zh", theme: "light" });
  page.on("dialog", (dialog) => void dialog.accept());
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  await page.goto(`${VOTE}/live`);
  await page.locator(".tabs").getByRole("link", { name: "结果" }).click();
  await page.getByText("名单 8,000 行 = 客户 8,000 + 未导入 0").waitFor();
  await page.getByText("业主 8,000 人").waitFor();
  await page.getByText("这不是法律意见").waitFor();
  expect(await page.locator(".vote .plain-table tbody tr").count()).toBe(4);
  await page.locator(".vote-flats tbody tr").first().waitFor();
  await expectAccessible(page, "the vote");
  // Who said nothing, and the record of one.
  await page.locator(".card > header select").selectOption("open");
  await page.locator(".vote-flats tbody tr a").first().click();
  await page.locator("[role=dialog], dialog[open], .drawer").first().waitFor();
  await page.keyboard.press("Escape");
  // A special matter.
  await page.getByRole("link", { name: "修改规则" }).click();
  await page.locator('[id="setting-vote.majority"] input').fill("4/3");
  await page.locator('[id="setting-vote.majority"] .fault').first().waitFor();
  await page.locator('[id="setting-vote.majority"] input').fill("3/4");
  await page.getByText("检查通过").waitFor();
  await page.getByRole("button", { name: "应用" }).click();
  await until(async () => (await count()).thresholds.majority === "3/4", "the rule is in force");
  await page.goto(`${VOTE}/results`);
  await page.getByText("3/4 以上").first().waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("a campaign without a vote says how one is counted", async () => {
  const { page, faults, context } = await visitor(browser, service.url, { language: "en", theme: "dark" });
  await signIn(page, PEOPLE.analyst.login, PEOPLE.analyst.password);
  await page.goto("/campaigns/jade-garden-calls/results");
  await page.getByText("This campaign counts no vote.").waitFor();
  expect(await page.getByText("Ask a manager of the campaign.").count()).toBe(1);
  await page.getByRole("heading", { name: "By summary" }).waitFor();
  await expectAccessible(page, "no vote");
  expect(faults).toEqual([]);
  await context.close();
});
