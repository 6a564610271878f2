/** A manager adds people and prints their sheets; the agent signs in with the printed password and sees no accounts. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { signIn } from "../lib/browser";
import { journey } from "../lib/journey";
import { PEOPLE } from "../lib/service";

const its = journey();

/** The secrets of the sheet on the screen, in its order: the phone's, the console's. */
const secrets = (page: Page) => page.locator(".sheets-screen .secret").allInnerTexts();

test("an agent is added, the sheet is shown once and printed, the agent signs in and is refused the page", async () => {
  const manager = await its.visit();
  const { page } = manager;
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  await page.getByRole("button", { name: "资源" }).click();
  await page.getByRole("menuitemradio", { name: "人员" }).click();
  await page.getByRole("link", { name: "新建人员" }).click();
  await page.getByRole("heading", { name: "新建人员" }).waitFor();

  // A number that is taken stands at its field, and nothing that was written is lost.
  await page.getByLabel("姓名", { exact: true }).fill("朱红 <b>1</b>");
  await page.getByLabel("指定").check();
  await page.getByLabel("工号", { exact: true }).fill("8101");
  await page.getByLabel("jade-garden").check();
  await page.getByLabel("技能").fill("粤语,英语");
  await page.getByRole("button", { name: "新建账户" }).click();
  await page.getByText("这个工号已被使用").waitFor();
  expect(await page.getByLabel("技能").inputValue()).toBe("粤语,英语");
  await page.getByLabel("工号", { exact: true }).fill("8777");
  await page.getByRole("button", { name: "新建账户" }).click();

  await page.getByText("密码只显示这一次").waitFor();
  await page.getByRole("heading", { name: "8777 朱红 <b>1</b>" }).waitFor();
  const [phone, console] = (await secrets(page)).map((it) => it.replace(/\s/g, ""));
  expect(phone).toMatch(/^\w{12,}$/);
  expect(console).toMatch(/^\w{12,}$/);
  expect(await page.locator(".sheets-screen .code svg path").getAttribute("d")).not.toBe("");

  // Leaving without printing asks; the sheets stay.
  await page.getByRole("link", { name: "返回人员" }).click();
  await page.getByRole("button", { name: "留在这里" }).click();
  expect(await secrets(page)).toHaveLength(2);
  // On paper there are the sheets alone.
  await page.evaluate(() => { window.print = () => undefined; });
  await page.getByRole("button", { name: /打印/ }).click();
  await page.emulateMedia({ media: "print" });
  expect(await page.locator(".print-sheets .sheet").isVisible()).toBe(true);
  expect(await page.locator("header.top").isVisible()).toBe(false);
  await page.emulateMedia({ media: "screen" });
  await page.getByRole("link", { name: "返回人员" }).click();
  await page.getByRole("link", { name: "朱红 <b>1</b>" }).waitFor();
  expect(await page.content()).not.toContain(phone);

  // The drawer: priority, in use; a new phone password is another one, once.
  await page.getByRole("link", { name: "朱红 <b>1</b>" }).click();
  const drawer = page.getByRole("dialog", { name: /^8777/ });
  const priority = drawer.getByLabel("在 jade-garden 的优先级");
  await priority.fill("3");
  await priority.press("Enter");
  await expect.poll(async () => (await its.service.api(PEOPLE.manager, "GET", "/agents/8777") as { groups: unknown }).groups).toEqual([{ group: "jade-garden", priority: 3, in_use: true }]);
  // The box follows the service, not the click.
  await drawer.getByLabel("在 jade-garden 启用").click();
  await expect.poll(async () => (await its.service.api(PEOPLE.manager, "GET", "/agents/8777") as { groups: unknown }).groups).toEqual([{ group: "jade-garden", priority: 3, in_use: false }]);
  await drawer.getByRole("button", { name: "新话机密码" }).click();
  await page.getByRole("button", { name: "生成" }).click();
  await page.getByText("密码只显示这一次").waitFor();
  expect((await secrets(page)).map((it) => it.replace(/\s/g, ""))).not.toContain(phone);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /已记下.离开/ }).click();
  await drawer.waitFor({ state: "detached" });
  expect(manager.faults).toEqual([]);

  // The agent signs in with the printed password: no entry leads to accounts, and the address says which right it takes.
  const agent = await its.visit({ language: "zh", theme: "dark" });
  await signIn(agent.page, "8777", console ?? "");
  expect(await agent.page.getByRole("button", { name: "资源" }).count()).toBe(0);
  for (const path of ["/people", "/people/new", "/groups", "/blacklist", "/tokens", "/results"]) {
    await agent.page.goto(path);
    await agent.page.getByText(/这里需要“.+”权限/).waitFor();
    expect(await agent.page.getByText("8101").count(), path).toBe(0);
  }
  expect(agent.faults).toEqual([]);
  await agent.context.close();

  // Removed: the account is gone, its page says so.
  await page.getByRole("link", { name: "朱红 <b>1</b>" }).click();
  await page.getByRole("button", { name: "删除", exact: true }).click();
  await page.getByText("通话、录音和小结保留").waitFor();
  await page.getByRole("button", { name: "删除 8777" }).click();
  await drawer.waitFor({ state: "detached" });
  await page.getByRole("link", { name: "朱红 <b>1</b>" }).waitFor({ state: "detached" });
  await page.goto("/people?agent=8777");
  await page.getByText(/没有工号为 8777 的账户/).waitFor();
  await manager.context.close();
});

test("a pasted list: the lines that fit are added, the others say why and can be corrected", async () => {
  const { page, faults, context } = await its.open(PEOPLE.manager, "/people/new", { language: "en", theme: "light" });
  await page.getByLabel("Several (paste a list)").check();
  await page.locator("textarea").fill("许仙\t8801\t13900001111\n8101,Taken Number\nBai Suzhen 13900002222");
  await page.getByRole("button", { name: "Add 3 accounts" }).click();
  await page.getByRole("heading", { name: "2 accounts added" }).waitFor();
  await page.getByText("Line 2 8101,Taken Number: This number is taken").waitFor();
  await page.getByRole("heading", { name: "8801 许仙" }).waitFor();
  await page.getByRole("button", { name: "Back to the form" }).click();
  expect(await page.locator("textarea").inputValue()).toBe("8101,Taken Number");
  expect(faults).toEqual([]);
  await context.close();
});
