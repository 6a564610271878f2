/** Of journey 15: a recording is heard, and the audit shows one hearing. Of journey 19: hostile text in a call stays text. And a call's story from the journal. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { expectAccessible } from "../lib/axe";
import { journey } from "../lib/journey";
import { PEOPLE, until } from "../lib/service";
import { conversation } from "../lib/sound";

const NASTY = '<img src=//evil.invalid/x onerror="window.ran=1">\u202e';
const SHOWN = '<img src=//evil.invalid/x onerror="window.ran=1">';

interface Row {
  id: number;
  lead: number | null;
}

const its = journey({ records: true });
let call: Row = { id: 0, lead: null };

// The sound is made here, so that both lanes have something to show whatever the simulated owner said.
beforeAll(async () => {
  const { service } = its;
  const answered = async () => ((await service.api(PEOPLE.manager, "GET", "/calls?campaign=jade-garden-vote&outcome=answered&limit=1")) as { calls: Row[] }).calls[0];
  await until(async () => (await answered()) !== undefined, "an owner has heard the announcement", 200_000);
  call = (await answered()) ?? call;
  await service.api(PEOPLE.manager, "POST", "/campaigns/jade-garden-vote/actions", { action: "pause" });
  mkdirSync(join(service.dir, "recordings"), { recursive: true });
  writeFileSync(join(service.dir, "recordings", "heard.wav"), conversation(30));
  service.sql(`insert into recording (attempt_id, path, millis, lost_frames, saved_at) select id, 'heard.wav', 30000, 0, ended_at from attempt where id = ${call.id};
    update attempt set recording = 'heard.wav', agent_id = (select id from agent where number = '8101') where id = ${call.id};`);
}, 240_000);

/** Hearings and downloads of this call that are on record. */
const heard = async (): Promise<string[]> => ((await its.service.api(PEOPLE.admin, "GET", "/audit?limit=200")) as { items: { action: string; subject: string }[] }).items
  .filter((it) => it.action.startsWith("recordings.") && it.subject === `out-${call.id}`).map((it) => it.action);

test("an analyst hears a recording once, by keys too, and the audit has one hearing", async () => {
  const { page, faults } = await its.open(PEOPLE.analyst, `/results?call=out-${call.id}`);
  const drawer = page.locator("dialog.drawer[open]");
  await drawer.locator(".path li").nth(2).waitFor();
  expect(await drawer.locator("h2").first().textContent()).toContain("*");
  await drawer.locator(".lane-wave").nth(1).waitFor();
  expect(await heard(), "nothing was played yet").toEqual([]);
  await drawer.getByRole("button", { name: "播放", exact: true }).click();
  const position = async () => Number(await drawer.locator("audio").evaluate((it) => (it as HTMLAudioElement).currentTime));
  await expect.poll(position, { timeout: 15_000 }).toBeGreaterThan(0.3);
  await page.keyboard.press("Space");
  await drawer.locator(".seek").focus();
  const before = await position();
  await page.keyboard.press("ArrowRight");
  await expect.poll(position).toBeGreaterThan(before + 0.2);
  await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press(" ");
  await expect.poll(heard, { timeout: 10_000 }).toEqual(["recordings.play"]);
  await drawer.getByRole("combobox", { name: "速度" }).selectOption("2");
  expect(await drawer.locator("audio").evaluate((it) => (it as HTMLAudioElement).playbackRate)).toBe(2);
  // Signalling in words.
  await drawer.getByText("SIP 轨迹").click();
  await drawer.locator(".sip-ladder").getByText(/应答已写盘 \+\d+ ms → ACK/).waitFor();
  expect(await drawer.locator(".sip-ladder").textContent()).not.toMatch(/audio_begins|hang_up|play_ended|answer_saved/);
  await expectAccessible(page, "the drawer of a call");
  const [download] = await Promise.all([page.waitForEvent("download"), drawer.getByRole("link", { name: "下载" }).click()]);
  expect(download.suggestedFilename()).toBe(`out-${call.id}.wav`);
  await expect.poll(async () => (await heard()).sort()).toEqual(["recordings.download", "recordings.play"]);
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "detached" });
  expect(faults).toEqual([]);
});

test("a manager reads in English why it was dialled, from the journal", async () => {
  const { page, faults } = await its.open(PEOPLE.manager, `/results?call=out-${call.id}`, { language: "en" });
  const drawer = page.locator("dialog.drawer[open]");
  await drawer.getByText("Why it was dialled").click();
  await drawer.getByRole("button", { name: "Replay the journal" }).click();
  await drawer.locator(".story-lines li").nth(3).waitFor({ timeout: 60_000 });
  expect(await drawer.locator(".story-lines").textContent()).toContain("the call is placed");
  expect(await drawer.getByRole("button", { name: "To the blacklist" }).count() + await drawer.getByRole("button", { name: "Call again" }).count()).toBeGreaterThan(0);
  await expectAccessible(page, "the drawer of a call");
  expect(faults).toEqual([]);
});

test.each(["zh", "en"] as const)("hostile text in note, name and correction stays text, in %s", async (language) => {
  const quoted = NASTY.replaceAll("'", "''");
  its.service.sql(`update attempt set note = '${quoted}', cause = '${quoted}' where id = ${call.id}; update lead set name = '${quoted}' where id = ${call.lead ?? 0};
    insert into summary (attempt_id, campaign_id, agent_id, disposition, note, defaulted, at) select id, campaign_id, agent_id, '${quoted}', '${quoted}', 0, ended_at + 1000 from attempt where id = ${call.id} and agent_id is not null;
    insert into lead_correction (lead_id, agent_id, at, field, was, now, attempt_id) select lead_id, agent_id, ended_at, 'name', '${quoted}', '${quoted}', id from attempt where id = ${call.id} and agent_id is not null;`);
  const { page, faults, context } = await its.open(PEOPLE.manager, undefined, { language });
  await context.addInitScript("window.reports = []; addEventListener('securitypolicyviolation', (it) => window.reports.push(it.violatedDirective + ' ' + it.blockedURI))");
  await page.goto(`/results?call=out-${call.id}`);
  const drawer = page.locator("dialog.drawer[open]");
  await expect.poll(() => drawer.locator("h2").first().textContent(), { timeout: 15_000 }).toContain(SHOWN);
  await expect.poll(() => drawer.locator(".summaries").first().textContent()).toContain(SHOWN);
  expect(await drawer.textContent()).not.toContain("\u202e");
  expect(await page.evaluate(() => { const it = window as unknown as { ran?: number; reports: string[] }; return [it.ran, ...it.reports]; })).toEqual([undefined]);
  expect(await page.locator('img[src*="evil"]').count()).toBe(0);
  expect(faults).toEqual([]);
});
