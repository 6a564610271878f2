/** Settings: field and text agree both ways, a comment is kept, a colleague's change is merged, an apply and a save are undone. */
import { expect, test } from "vitest";
import { journey } from "../lib/journey";
import { PEOPLE } from "../lib/service";

const its = journey();

const NAME = "jade-garden-calls";
const PATH = `/campaigns/${NAME}/settings`;
const text = async () => ((await its.service.api(PEOPLE.manager, "GET", `/campaigns/${NAME}`)) as { toml: string; version: number }).toml;

const open = () => its.open(PEOPLE.manager, PATH);

const FIELD = (key: string) => `[id="setting-${key}"]`;

test("a field is tried, applied with its comment kept, and undone", async () => {
  const { page, faults, context } = await open();
  const before = await text();
  const ring = page.locator(`${FIELD("calling.ring_secs")} input`);
  const apply = page.getByRole("button", { name: "应用" });
  await ring.fill("abc");
  await page.locator(`${FIELD("calling.ring_secs")} .fault`).waitFor();
  expect(await apply.getAttribute("aria-disabled")).toBe("true");
  await ring.fill("25");
  await page.getByText("未应用 1 处").waitFor();
  await page.getByText("检查通过").waitFor();
  await page.getByRole("link", { name: "TOML 文本" }).click();
  const area = page.locator(".text-editor textarea");
  expect(await area.inputValue()).toMatch(/ring_secs = 25 +# usual: 45/);
  // The text as the form's other view.
  await area.fill((await area.inputValue()).replace("attempts_max = 2", "attempts_max = 4"));
  await page.getByRole("link", { name: "表单" }).click();
  expect(await page.locator(`${FIELD("retry.attempts_max")} input`).inputValue()).toBe("4");
  await page.getByText("检查通过").waitFor();
  await apply.click();
  await page.locator(".undo-bar").waitFor();
  expect(await text()).toMatch(/ring_secs = 25 +# usual: 45[^]*attempts_max = 4/);
  await page.locator(".undo-bar").getByRole("button", { name: "撤销" }).click();
  await expect.poll(text).toBe(before);
  expect(faults).toEqual([]);
  await context.close();
});

test("a draft survives a reload, and a colleague's change is merged with it", async () => {
  const { page, faults, context } = await open();
  await page.locator(`${FIELD("calling.ring_secs")} input`).fill("22");
  await page.getByText("检查通过").waitFor();
  await page.reload();
  await page.getByText("已恢复这个窗口里未应用的修改").waitFor();
  expect(await page.locator(`${FIELD("calling.ring_secs")} input`).inputValue()).toBe("22");
  await page.getByText("检查通过").waitFor();
  const theirs = (await text()).replace("ring_secs = 30", "ring_secs = 40").replace("wrap_up_secs = 20", "wrap_up_secs = 15");
  const { etag } = (await its.service.api(PEOPLE.colleague, "GET", `/campaigns/${NAME}`)) as { etag: string };
  const answer = await page.evaluate(async ([path, toml, match]) => (await fetch(path as string, { method: "PUT", headers: { "Content-Type": "application/json", "If-Match": match as string }, body: JSON.stringify({ toml }) })).status, [`/api/v1/campaigns/${NAME}`, theirs, etag]);
  expect(answer).toBe(200);
  await page.getByRole("button", { name: "应用" }).click();
  await page.getByText("第 1 段").waitFor();
  await page.getByRole("button", { name: "用你的" }).waitFor();
  const merged = await page.locator(".text-editor textarea").inputValue();
  expect(merged).toMatch(/ring_secs = 22[^]*wrap_up_secs = 15/);
  await page.getByRole("button", { name: "用这份文本继续" }).click();
  await page.getByText("检查通过").waitFor();
  await page.getByRole("button", { name: "应用" }).click();
  await page.locator(".undo-bar").waitFor();
  expect(await text()).toBe(merged);
  expect(faults).toEqual([]);
  await context.close();
});

test("leaving asks; who may not change settings reads them", async () => {
  const { page, context } = await open();
  await page.locator(`${FIELD("calling.setup_secs")} input`).fill("20");
  await page.getByRole("link", { name: "历史" }).click();
  await page.getByRole("dialog").getByText("还没有应用").waitFor();
  await page.getByRole("button", { name: "放弃修改并离开" }).click();
  await page.waitForURL("**/history");
  await context.close();
  const reader = await its.open(PEOPLE.analyst, PATH, { language: "en", theme: "dark" });
  await reader.page.getByText("Read only").waitFor();
  expect(await reader.page.locator(".settings input").count()).toBe(0);
  expect(reader.faults).toEqual([]);
  await reader.context.close();
});

test("a save of the organisation's settings is said, and taken back", async () => {
  const { page, faults, context } = await its.open(PEOPLE.admin, "/settings");
  const name = page.locator("main form input").first();
  const before = await name.inputValue();
  await name.fill("翠园物业");
  await page.getByRole("button", { name: "保存", exact: true }).first().click();
  const bar = page.locator(".undo-bar");
  await bar.getByText(/已保存 \d\d:\d\d/).waitFor();
  const stored = async () => ((await its.service.api(PEOPLE.admin, "GET", "/organisations/main")) as { name: string }).name;
  expect(await stored()).toBe("翠园物业");
  await bar.getByRole("button", { name: "撤销" }).click();
  await expect.poll(stored).toBe(before);
  await expect.poll(() => name.inputValue()).toBe(before);
  expect(faults).toEqual([]);
  await context.close();
});
