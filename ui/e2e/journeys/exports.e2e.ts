/** Journey 15: results are exported, reconciled and verified with the command; a blacklist with faults is imported. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { journey } from "../lib/journey";
import { PEOPLE, program, until } from "../lib/service";

const its = journey({}, async (service) => {
  const calls = async () => ((await service.api(PEOPLE.manager, "GET", "/calls")) as { calls: unknown[] }).calls.length;
  await until(async () => (await calls()) > 20, "some calls were made", 60_000);
  await service.api(PEOPLE.manager, "POST", "/campaigns/jade-garden-vote/actions", { action: "pause" });
  await service.api(PEOPLE.manager, "POST", "/campaigns/jade-garden-calls/actions", { action: "pause" });
});

let dir = "";
beforeAll(() => { dir = mkdtempSync(join(tmpdir(), "paceline-exports-")); });
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Saves what a link downloads, under its own name. */
async function saved(page: Page, click: () => Promise<void>): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  const path = join(dir, download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

/** What the command says, and with which code it ends. */
function verify(files: string[]): { code: number; words: string } {
  try {
    return { code: 0, words: execFileSync(program(), ["results", "verify", ...files], { cwd: its.service.dir, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }) };
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: string };
    return { code: status, words: stderr };
  }
}

describe.each(["zh", "en"] as const)("in %s", (language) => {
  const say = (zh: string, en: string) => (language === "zh" ? zh : en);

  test("leads are exported, reconcile, and a changed file is found", async () => {
    const { page, faults, context } = await its.open(PEOPLE.manager, "/campaigns/jade-garden-vote/leads", { language });
    await page.locator("table.leads tbody tr[aria-rowindex]").first().waitFor();
    await page.getByRole("button", { name: say("导出", "Export"), exact: true }).click();
    const dialog = page.locator(".dialog[open]");
    await dialog.getByText(/^[\d,]+ (行|rows)$/).waitFor();
    await dialog.getByRole("button", { name: say("开始导出", "Begin the export") }).click();
    // The bar of every page says when it is ready.
    const bar = page.locator(".export-bar");
    await bar.getByText(say("导出已完成", "The export is ready")).waitFor({ timeout: 30_000 });
    await bar.getByRole("link", { name: say("导出", "Exports"), exact: true }).click();
    const row = page.locator("table.exports tbody tr").first();
    await row.getByText(say("已完成", "Ready"), { exact: true }).waitFor();
    const file = await saved(page, () => row.getByRole("link", { name: new RegExp(say("^下载 客户", "^Download Leads")) }).first().click());
    const manifest = await saved(page, () => row.getByRole("link", { name: new RegExp(say("签名清单", "manifest")) }).click());
    const { manifest: said } = JSON.parse(readFileSync(manifest, "utf8")) as { manifest: { rows: number; counts: { rows: Record<string, number> }[] } };
    const sums = (await its.service.api(PEOPLE.manager, "GET", "/campaigns/jade-garden-vote/sums")) as { leads: number };
    expect(Object.values(said.counts[0]?.rows ?? {}).reduce((all, n) => all + n, 0)).toBe(said.rows);
    expect(said.rows).toBeGreaterThanOrEqual(sums.leads);
    expect(verify([file, manifest])).toMatchObject({ code: 0, words: expect.stringMatching(/^whole: 1 file, /) as string });
    const lines = readFileSync(file, "utf8").split("\r\n");
    writeFileSync(file, [lines[0], ...lines.slice(2)].join("\r\n"));
    expect(verify([file, manifest])).toMatchObject({ code: 3, words: expect.stringContaining(`1 of ${said.rows} rows are missing`) as string });
    expect(faults).toEqual([]);
    await context.close();
  });

  test("a blacklist with faults is checked first, loaded, found, and removed with its count typed", async () => {
    const source = `dnc-${language}`;
    const [one, two] = language === "zh" ? ["13712340001", "13712340002"] : ["13712340003", "13712340004"];
    const path = join(dir, `${source}.csv`);
    writeFileSync(path, `号码\n${one}\n王小明\n${two}\n13712340001555\n`);
    const { page, faults, context } = await its.open(PEOPLE.manager, "/blacklist", { language });
    await page.getByRole("button", { name: say("导入文件", "Import a file") }).click();
    const drawer = page.locator(".drawer");
    await drawer.locator("input[type=file]").setInputFiles(path);
    await drawer.getByLabel(say("来源", "Source"), { exact: true }).fill(source);
    await drawer.getByRole("button", { name: say("上传并检查", "Send and check") }).click();
    await drawer.getByText(say("尚未生效", "it does not hold yet")).waitFor({ timeout: 30_000 });
    expect(await drawer.locator("table tbody tr").count()).toBe(2);
    const listed = async (number: string) => ((await its.service.api(PEOPLE.manager, "GET", `/blacklist?number=${number}`)) as { items: unknown[] }).items.length;
    expect(await listed(one)).toBe(0);
    await drawer.getByRole("button", { name: say("导入 2 条", "Load 2 entries") }).click();
    await drawer.getByText(say("已导入", "Loaded: it holds")).waitFor({ timeout: 30_000 });
    expect([await listed(one), await listed(two)]).toEqual([1, 1]);
    await page.goto(`/blacklist?number=${one}`);
    await page.locator(".answer").getByText(say("下次核对", "next check")).waitFor();
    // All of a source go only with their count typed.
    await page.getByRole("button", { name: new RegExp(source) }).click();
    const dialog = page.locator(".dialog[open]");
    const remove = dialog.getByRole("button", { name: say("全部移除", "Remove all") });
    expect(await remove.getAttribute("aria-disabled")).toBe("true");
    await dialog.getByRole("textbox").fill("2");
    await remove.click();
    await expect.poll(() => listed(one), { timeout: 15_000 }).toBe(0);
    expect(faults).toEqual([]);
    await context.close();
  });
});
