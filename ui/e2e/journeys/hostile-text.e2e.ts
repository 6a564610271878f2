/** Journey 19: hostile text in every field that people fill: nothing of it runs, nothing is asked of another origin, the policy reports nothing. */
import { expect, test } from "vitest";
import { signIn } from "../lib/browser";
import { journey } from "../lib/journey";
import { PEOPLE, until } from "../lib/service";
import { tone } from "../lib/sound";

/** Runs if it is taken for HTML, asks another origin, and turns the line around. */
const NASTY = '<img src=//evil.invalid/x onerror="window.ran=1">';
const SHORT = "<svg onload=window.ran=1>";
let list = 0;
let sound = 0;

const its = journey({}, async (service) => {
  const { manager } = PEOPLE;
  await service.api(manager, "POST", "/campaigns/jade-garden-vote/actions", { action: "pause" });
  const rows = `姓名,手机,${NASTY.replaceAll('"', "'")}\n"${NASTY.replaceAll('"', '""')}\u202e",13712340001,${SHORT}\n${SHORT},137,${SHORT}\n`;
  list = ((await service.api(manager, "POST", `/campaigns/jade-garden-vote/lists?file_name=${encodeURIComponent(`${SHORT}.csv`)}`, Buffer.from(rows))) as { list: { id: number } }).list.id;
  const state = async () => ((await service.api(manager, "GET", `/lists/${list}`)) as { state: string }).state;
  await until(async () => (await state()) !== "checking", "the list is checked");
  await service.api(manager, "POST", `/lists/${list}/actions`, { action: "load" });
  await until(async () => (await state()) === "loaded", "the list is loaded");
  sound = ((await service.upload(manager, `/audio?name=${encodeURIComponent(`${SHORT}.wav`)}`, tone({ before: 0, secs: 1, level: 0.4 }))) as { id: number }).id;
  await service.api(manager, "POST", "/campaigns", { name: "hostile", title: NASTY, copy_of: "jade-garden-vote" });
  await service.api(manager, "POST", "/groups", { name: SHORT });
  await service.api(manager, "PATCH", "/agents/8104", { name: NASTY });
  await service.api({ login: "8104", password: "worker-bee-5", role: "agent" }, "POST", "/me/actions", { action: "pause", reason: `${NASTY}\u202eabc` });
  await service.api(manager, "POST", "/blacklist", { numbers: ["13800138000"], reason: NASTY });
  await service.api(manager, "POST", "/leads/5000/actions", { action: "close", reason: NASTY });
});

test.each(["zh", "en"] as const)("in %s", async (language) => {
  const { page, faults, context } = await its.visit({ language, theme: "light" });
  await context.addInitScript("window.reports = []; addEventListener('securitypolicyviolation', (it) => window.reports.push(it.violatedDirective + ' ' + it.blockedURI))");
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  const q = encodeURIComponent(NASTY);
  /** With what of the hostile text must be seen, as text. */
  const pages: [path: string, seen?: string][] = [
    ["/today"], [`/campaigns?q=${q}`], ["/campaigns", NASTY], ["/campaigns/hostile/start", NASTY], ["/campaigns/hostile/settings", NASTY], ["/campaigns/hostile/history"],
    ["/campaigns/jade-garden-vote/lists", SHORT], [`/campaigns/jade-garden-vote/lists/${list}`, SHORT], [`/campaigns/jade-garden-vote/leads?q=13712340001`, NASTY],
    ["/campaigns/jade-garden-vote/leads?lead=5000", NASTY], [`/campaigns/jade-garden-vote/leads?q=${q}`], ["/floor", NASTY], [`/floor?q=${q}`], ["/people?agent=8104", NASTY], [`/people?q=${q}`],
    ["/groups", SHORT], [`/audio?sound=${sound}`, SHORT], ["/approvals"], ["/blacklist?number=13800138000", NASTY], ["/schedule", NASTY], [`/results?number=${q}`], [`/results?call=${q}`], [`/campaigns/${q}/live`],
  ];
  for (const [path, seen] of pages) {
    await page.goto(path);
    await page.locator("main h1").first().waitFor();
    if (seen !== undefined) await expect.poll(async () => (await page.locator("body").textContent()) + (await page.locator("input, textarea").evaluateAll((all) => all.map((it) => (it as HTMLInputElement).value).join(" "))), { message: path, timeout: 15_000 }).toContain(seen);
    expect(await page.locator("body").textContent(), path).not.toContain("\u202e");
    expect(await page.evaluate(() => { const it = window as unknown as { ran?: number; reports: string[] }; return [it.ran, ...it.reports]; }), path).toEqual([undefined]);
    expect(await page.locator('img[src*="evil"], svg[onload]').count(), path).toBe(0);
  }
  await page.keyboard.press("Control+k");
  await page.locator(".palette input").fill(SHORT);
  await page.locator(".palette [role=status], .palette li").first().waitFor();
  expect(faults).toEqual([]);
  await context.close();
});
