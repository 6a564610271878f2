/** Wrong passwords, sessions that end, two accounts in one browser, a service that goes away and comes back. */
import { expect, test } from "vitest";
import { reconnect, signIn } from "../lib/browser";
import { journey } from "../lib/journey";
import { PEOPLE } from "../lib/service";

const its = journey();

test("a wrong password is one sentence, too many are counted down", async () => {
  const { page, faults, context } = await its.visit();
  await page.goto("/sign-in");
  const password = page.getByLabel("密码");
  await page.getByLabel("登录名").fill("nobody-here");
  for (let n = 0; n < 20 && (await page.getByRole("button", { name: /秒后再试/ }).count()) === 0; n += 1) {
    await password.fill(`wrong-${n}`);
    const answered = page.waitForResponse("**/api/v1/sign-in");
    await password.press("Enter");
    await answered;
    await expect.poll(() => page.getByRole("alert").or(page.getByRole("button", { name: /秒后再试/ })).count()).toBeGreaterThan(0);
  }
  await page.getByRole("button", { name: /秒后再试/ }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("the address asked for is opened after the sign-in, never another site", async () => {
  const { page, context } = await its.visit();
  await page.goto("/campaigns?state=running");
  await page.waitForURL("**/sign-in?next=*");
  await page.getByLabel("登录名").fill(PEOPLE.manager.login);
  await page.getByLabel("密码").fill(PEOPLE.manager.password);
  await page.getByLabel("密码").press("Enter");
  await page.waitForURL("**/campaigns?state=running");
  await page.goto("/sign-in?next=//example.invalid/");
  await page.waitForURL("**/today");
  await context.close();
});

test("a session that ends under a page asks for the password; the page stays as it is", async () => {
  const { page, context } = await its.open(PEOPLE.manager, "/campaigns?q=vote");
  await page.getByRole("button", { name: "暂停" }).waitFor();
  await context.clearCookies();
  await page.getByRole("button", { name: "暂停" }).click();
  const layer = page.getByRole("dialog", { name: "登录已过期" });
  await layer.waitFor();
  // The browser closes a dialog at the second Esc without asking the page.
  for (let n = 0; n < 3; n += 1) await page.keyboard.press("Escape");
  expect(await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(document.querySelectorAll(".dialog[open]").length)))))).toBe(1);
  await layer.getByLabel(/密码/).fill(PEOPLE.manager.password);
  await layer.getByRole("button", { name: "登录", exact: true }).click();
  await layer.waitFor({ state: "detached" });
  expect(await page.getByRole("searchbox").inputValue()).toBe("vote");
  await page.locator('[data-testid="live-state"].live').waitFor();
  await context.close();
});

test("two accounts one after the other: nothing of the first is shown to the second, in any tab", async () => {
  const { page, context } = await its.open(PEOPLE.manager, "/floor");
  await page.getByRole("cell", { name: "8101", exact: true }).waitFor();
  const other = await context.newPage();
  await other.goto("/today");
  await other.getByRole("button", { name: "王敏" }).waitFor();
  await other.getByRole("button", { name: "王敏" }).click();
  await other.getByRole("menuitem", { name: "退出登录" }).click();
  await other.waitForURL("**/sign-in*");
  await page.waitForURL("**/sign-in*");
  await signIn(other, PEOPLE.agent.login, PEOPLE.agent.password);
  await other.locator(".card.sign-in").waitFor();
  await other.goto("/floor");
  await other.getByText("这里需要“查看现场”权限").waitFor();
  expect(await other.getByText("8101").count()).toBe(0);
  await context.close();
});

test("the service goes away: the page says since when, and is live again by itself", async () => {
  const { page, context } = await its.open(PEOPLE.manager, "/campaigns");
  const state = page.getByTestId("live-state");
  await state.getByText("实时").waitFor();
  await its.service.kill();
  await state.getByText(/重连中 \d+ 秒/).waitFor();
  await state.getByText(/数据截至 \d\d:\d\d:\d\d/).waitFor();
  await page.locator(".table-box.stale").waitFor();
  await page.getByText(/与服务器断开 \d+ 秒/).waitFor();
  const pause = page.getByRole("button", { name: "暂停" }).first();
  expect(await pause.getAttribute("aria-disabled")).toBe("true");
  await its.service.start();
  await reconnect(page);
  await state.getByText("实时").waitFor();
  await page.getByText(/与服务器断开/).waitFor({ state: "detached" });
  await context.close();
});

test("one's own password is changed in the menu of the account; a wrong one is said at its field", async () => {
  const { page, faults, context } = await its.open(PEOPLE.analyst);
  await page.getByRole("button", { name: /的账户/ }).click();
  await page.getByRole("menuitem", { name: "修改密码" }).click();
  const dialog = page.getByRole("dialog", { name: "修改密码" });
  await dialog.getByLabel("现在的密码").fill("not-my-password");
  await dialog.getByLabel("新密码", { exact: true }).fill("slow-river-88");
  await dialog.getByLabel("再输一次新密码").fill("slow-river-89");
  const send = dialog.getByRole("button", { name: "修改密码" });
  await send.click();
  await dialog.getByText("两次输入的新密码不一样").waitFor();
  await dialog.getByLabel("再输一次新密码").fill("slow-river-88");
  await send.click();
  await dialog.getByText("现在的密码不对").waitFor();
  await dialog.getByLabel("现在的密码").fill(PEOPLE.analyst.password);
  await send.click();
  await page.locator(".undo-bar").getByText("密码已修改").waitFor();
  // This screen goes on; the next sign-in takes the new password.
  await page.getByRole("link", { name: "活动", exact: true }).click();
  await page.locator("tbody tr").first().waitFor();
  expect(await page.getByRole("dialog", { name: "登录已过期" }).count()).toBe(0);
  const other = await its.visit();
  await signIn(other.page, PEOPLE.analyst.login, "slow-river-88");
  expect(faults).toEqual([]);
  await Promise.all([context.close(), other.context.close()]);
});
