/** A manager watches a campaign, pauses and resumes it; a second browser shows it. */
import { expect, test } from "vitest";
import { journey } from "../lib/journey";
import { PEOPLE } from "../lib/service";

const its = journey();

const LIVE = "/campaigns/jade-garden-vote/live";

test("sign in, see the campaign live, pause and resume it; another browser follows", async () => {
  const first = await its.open(PEOPLE.manager);
  const second = await its.open(PEOPLE.analyst, LIVE, { language: "en", theme: "dark" });
  await first.page.getByRole("link", { name: "活动", exact: true }).click();
  await first.page.getByRole("link", { name: /翠园业主投票/ }).click();
  await first.page.waitForURL(`**${LIVE}`);

  const head = second.page.locator(".page-head");
  await head.getByText("Running").waitFor();
  // An analyst reads; nothing to press.
  expect(await second.page.getByRole("button", { name: "Pause" }).count()).toBe(0);

  for (const [press, shown, word] of [["暂停", "Paused", "暂停"], ["恢复", "Running", "运行"]] as const) {
    const button = first.page.getByRole("button", { name: press, exact: true });
    await button.waitFor();
    const seen = head.getByText(shown).waitFor();
    const pressed = Date.now();
    await button.click();
    await seen;
    console.log(`${shown} in the second browser ${Date.now() - pressed} ms after the click`);
    await first.page.locator(".page-head .pill", { hasText: word }).waitFor();
  }
  expect(first.faults).toEqual([]);
  expect(second.faults).toEqual([]);
  await first.context.close();
  await second.context.close();
});

test("ending calls asks first, with the number; a large campaign's name has to be typed", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager, LIVE);
  const out = page.locator(".figure", { hasText: "在呼" }).locator("dd");
  await expect.poll(async () => Number(await out.textContent()), { timeout: 30_000 }).toBeGreaterThan(20);
  const more = page.getByRole("button", { name: /^更多/ });
  await more.click();
  await page.getByRole("menuitem", { name: "收尾" }).click();
  await page.getByRole("dialog").getByText(/不再拨新号.在呼 \d+ 路/).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await more.click();
  await page.getByRole("menuitem", { name: /挂断全部 \d+ 路/ }).click();
  const confirm = page.getByRole("dialog").getByRole("button", { name: /挂断全部 \d+ 路/ });
  expect(await confirm.getAttribute("aria-disabled")).toBe("true");
  await page.getByLabel(/请输入 jade-garden-vote/).fill("jade-garden-vote");
  expect(await confirm.getAttribute("aria-disabled")).toBe(null);
  await page.getByRole("dialog").getByRole("button", { name: "取消" }).click();
  expect(faults).toEqual([]);
  await context.close();
});

test("the palette finds a campaign; Enter that ends a composition opens nothing", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager);
  await page.keyboard.press("Control+k");
  const box = page.getByRole("combobox");
  await box.fill("投票");
  await box.dispatchEvent("keydown", { key: "Enter", code: "Enter", isComposing: true, keyCode: 229 });
  expect(await box.isVisible()).toBe(true);
  await box.press("Enter");
  await page.waitForURL(`**${LIVE}`);
  expect(faults).toEqual([]);
  await context.close();
});

test("a refused number is said in the dialog, which keeps what was typed", async () => {
  const { page, context } = await its.open(PEOPLE.manager, LIVE);
  await page.getByRole("button", { name: "单条测试" }).click();
  await page.getByLabel("号码").fill("110");
  await page.getByRole("button", { name: "拨打" }).click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  expect(await page.getByLabel("号码").inputValue()).toBe("110");
  await page.getByLabel("号码").fill("138 0013 8000");
  await page.getByRole("button", { name: "拨打" }).click();
  await page.getByText("已拨出").waitFor();
  await context.close();
});
