/** Journeys 8, 9, 12, 13 and 17 at the desk: corrections, a callback, the lock, a session that ends and a service that restarts in a call, input methods. */
import { afterEach, expect, test } from "vitest";
import { reconnect } from "../lib/browser";
import { desk } from "../lib/desk";
import { journey } from "../lib/journey";
import { PATIENT, PEOPLE, until } from "../lib/service";

const its = journey({ callees: PATIENT, workers: false });
const at = desk(its);

afterEach(() => at.end(), 60_000);

interface Lead { state: string; name: string; corrections: { field: string; was: string | null; now: string }[] }
const lead = async (id: number) => (await its.service.api(PEOPLE.manager, "GET", `/leads/${id}`)) as Lead;

test("a name and a number are corrected: what the list said stays, and the summary offers the wrong number", { timeout: 120_000 }, async () => {
  const { page, faults, context } = await its.open(PEOPLE.agent, "/desk");
  await at.start(page);
  const id = await at.talks(page);
  const before = (await lead(id)).name;
  await page.keyboard.press("Alt+u");
  await page.locator(".correct").getByText("姓名不对").click();
  await page.locator(".correct").getByLabel("正确的姓名").fill("李芳");
  await page.keyboard.press("Enter");
  await page.locator(".contact h1", { hasText: "李芳" }).waitFor();
  expect(await page.locator(".contact del").textContent()).toBe(before);
  // The same key counts once within 400 ms.
  await page.getByRole("button", { name: "业主信息变更" }).click();
  await page.locator(".correct").getByLabel("正确的号码").fill("13912345678");
  await page.keyboard.press("Enter");
  await page.locator(".summary .code.offered").waitFor();
  await page.locator(".summary .code.offered").click();
  await page.keyboard.press("Control+Enter");
  await page.locator(".summary .ok").waitFor();
  await until(async () => Date.now() - Date.parse((await at.seat()).work?.connected_at ?? "") > 1_000, "the call is older than a key that was meant for the one before");
  await page.keyboard.press("Alt+g");
  await until(async () => (await at.seat()).work?.lead !== id, "the call is over");
  const after = await lead(id);
  expect(after.corrections.map((it) => [it.field, it.now])).toEqual(expect.arrayContaining([["name", "李芳"], ["phone", "13912345678"]]));
  // The number of the call is closed; the new one is still to be called.
  await expect.poll(async () => (await lead(id)).state).toBe("open");
  expect(faults).toEqual([]);
  await context.close();
});

test("a callback is booked by its preset and stands in the agent's list", { timeout: 120_000 }, async () => {
  const { page, faults, context } = await its.open(PEOPLE.agent, "/desk");
  await at.start(page);
  const id = await at.talks(page);
  await page.keyboard.press("Alt+4");
  await page.getByRole("button", { name: "30 分钟后" }).click();
  await page.getByLabel("保存后示忙").check();
  await page.keyboard.press("Control+Enter");
  await page.locator(".summary .ok").waitFor();
  await at.act({ action: "hang_up" });
  await page.locator(".callbacks li").waitFor();
  const { items } = (await its.service.api(PEOPLE.agent, "GET", "/me/callbacks")) as { items: { lead: number; own: boolean }[] };
  expect(items.map((it) => [it.lead, it.own])).toEqual([[id, true]]);
  expect((await at.seat()).availability).toBe("paused");
  expect((await lead(id)).state).toBe("follow_up");
  expect(faults).toEqual([]);
  await context.close();
});

test("an input method keeps its keys: nothing is sent while it composes", { timeout: 120_000 }, async () => {
  const { page, faults, context } = await its.open(PEOPLE.agent, "/desk");
  await at.start(page);
  await at.talks(page);
  await page.locator(".summary .code").first().click();
  const sent: string[] = [];
  page.on("request", (request) => { if (request.method() !== "GET") sent.push(request.url()); });
  const note = page.getByLabel("备注", { exact: true });
  await note.focus();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Input.imeSetComposition", { text: "nihao", selectionStart: 5, selectionEnd: 5 });
  // What the browser reports of keys that an input method takes.
  for (const [code, modifiers] of [["Enter", 2], ["Enter", 0], ["KeyG", 1], ["KeyH", 1], ["Digit1", 1], ["F2", 0]] as const) {
    await devtools.send("Input.dispatchKeyEvent", { type: "rawKeyDown", code, windowsVirtualKeyCode: 229, modifiers });
  }
  await devtools.send("Input.insertText", { text: "你好" });
  expect(await note.inputValue()).toBe("你好");
  await note.press("Enter");
  expect(sent).toEqual([]);
  expect((await at.seat()).activity).toBe("talking");
  // The same keys without it do what they say; an Enter within 50 ms still belongs to the input method.
  const ended = await page.evaluate(() => performance.now());
  await page.waitForFunction((since) => performance.now() - since > 60, ended);
  await page.keyboard.press("Control+Enter");
  await page.locator(".summary .ok").waitFor();
  expect(sent.length).toBe(1);
  expect(faults).toEqual([]);
  await context.close();
});

test("a locked screen is not opened by a reload, and keeps the call", { timeout: 120_000 }, async () => {
  const { page, faults, context } = await its.open(PEOPLE.agent, "/desk");
  await at.start(page);
  await at.talks(page);
  await page.getByRole("button", { name: "锁屏" }).click();
  await page.locator(".dialog[open] .reasons button").first().click();
  const locked = page.locator(".dialog[open]", { hasText: "已锁屏" });
  await locked.waitFor();
  await page.reload();
  await locked.waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  expect(await locked.count()).toBe(1);
  await locked.getByRole("button", { name: "保持" }).click();
  await locked.getByRole("button", { name: "恢复" }).waitFor();
  const seat = await at.seat();
  expect([seat.activity, seat.availability]).toEqual(["talking", "paused"]);
  await locked.locator("input").fill("wrong password");
  await page.keyboard.press("Enter");
  await locked.getByText("登录名或密码不对").waitFor();
  await locked.locator("input").fill(PEOPLE.agent.password);
  await page.keyboard.press("Enter");
  await page.locator(".desk-top").waitFor();
  await page.locator(".contact h1").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("the session ends in a call: the layer asks for the password, call and note are kept; a second tab follows", { timeout: 120_000 }, async () => {
  const { page, faults, context } = await its.open(PEOPLE.agent, "/desk");
  await at.start(page);
  const id = await at.talks(page);
  const second = await context.newPage();
  await second.goto("/desk");
  await second.locator(".contact h1").waitFor();
  await page.bringToFront();
  await page.getByLabel("备注", { exact: true }).fill("还在通话");
  await page.keyboard.press("Alt+h");
  for (const tab of [page, second]) await tab.locator(".call-bar").getByRole("button", { name: "恢复" }).waitFor();
  await second.close();
  const cookies = await context.cookies();
  await context.clearCookies({ name: "paceline" });
  await page.locator(".call-bar").getByRole("button", { name: "恢复" }).click();
  const layer = page.locator(".dialog[open]");
  await layer.waitFor();
  await layer.locator("input").fill(PEOPLE.agent.password);
  await page.keyboard.press("Enter");
  await layer.waitFor({ state: "detached" });
  expect(await page.getByLabel("备注", { exact: true }).inputValue()).toBe("还在通话");
  expect((await at.seat()).work?.lead).toBe(id);
  await page.locator(".call-bar").getByRole("button", { name: "恢复" }).click();
  await page.locator(".call-bar").getByRole("button", { name: "保持" }).waitFor();
  expect(cookies.length).toBeGreaterThan(0);
  expect(faults).toEqual([]);
  await context.close();
});

test("the service restarts in a call: the page says so, comes back, and nobody is called twice", { timeout: 180_000 }, async () => {
  const { page, faults, context } = await its.open(PEOPLE.agent, "/desk");
  await at.start(page);
  const id = await at.talks(page);
  await page.getByLabel("备注", { exact: true }).fill("重启前的备注");
  const key = await page.evaluate(() => Object.keys(sessionStorage).find((it) => it.startsWith("desk.summary.")));
  await its.service.kill();
  await page.locator(".line.amber").waitFor({ timeout: 30_000 });
  await its.service.start();
  await reconnect(page);
  await page.locator(".card.sign-in, .desk-top").first().waitFor();
  expect(await page.evaluate((name) => sessionStorage.getItem(name ?? ""), key)).toContain("重启前的备注");
  const { calls } = (await its.service.api(PEOPLE.manager, "GET", `/calls?lead=${id}`)) as { calls: unknown[] };
  expect(calls.length).toBe(1);
  expect(faults.filter((it) => !it.includes("ERR_"))).toEqual([]);
  await context.close();
});
