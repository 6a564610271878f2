/** Journeys 7 and 11: an agent signs in to work on a telephone, gets calls, holds, notes, survives a reload, and gives the summary. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { journey } from "../lib/journey";
import { PEOPLE, until } from "../lib/service";

const its = journey();

/** The simulated carrier rings this telephone, and its agent answers. */
const TELEPHONE = "13790000009";

const words = {
  zh: { telephone: "直线", number: "直线号码", signIn: "签入", ready: "示闲", pause: "示忙", hold: "保持", retrieve: "恢复", note: "备注", save: "保存", waiting: /等待下一位|示忙中/, signOut: "签出", waits: "示忙中" },
  en: { telephone: "Telephone", number: "Telephone number", signIn: "Sign in to work", ready: "Ready", pause: "Pause", hold: "Hold", retrieve: "Resume", note: "Note", save: "Save", waiting: /Waiting for the next|Paused/, signOut: "Sign out of work", waits: "Paused" },
} as const;

interface Seat { activity: string; availability: string; work: { lead: number | null; attempt: number | null } | null }
const seat = async () => (await its.service.api(PEOPLE.agent, "GET", "/me/seat")) as Seat;

async function startWork(page: Page, language: "zh" | "en"): Promise<void> {
  const t = words[language];
  const panel = page.locator(".card.sign-in");
  await panel.getByText(t.telephone, { exact: true }).click();
  await panel.getByLabel(t.number, { exact: true }).fill(TELEPHONE);
  await panel.getByRole("button", { name: t.signIn }).click();
  await page.locator(".desk-top").waitFor();
}

const shot = (page: Page, name: string) => process.env["DESK_SHOTS"] ? page.screenshot({ path: `${process.env["DESK_SHOTS"]}/${name}.png` }) : undefined;

describe.each(["zh", "en"] as const)("in %s", (language) => {
  test("a shift: calls come with their card, are held, noted over a reload, and summarised", { timeout: 120_000 }, async () => {
    const t = words[language];
    const { page, faults, context } = await its.open(PEOPLE.agent, "/", { language });
    await page.waitForURL("**/desk");
    await page.locator(".card.sign-in").waitFor();
    await shot(page, `${language}-sign-in`);
    await startWork(page, language);
    await shot(page, `${language}-signed-in`);
    if ((await seat()).availability !== "available") await page.getByRole("button", { name: t.ready }).click();
    await page.locator(".contact h1").waitFor({ timeout: 60_000 });
    await shot(page, `${language}-card`);
    await until(async () => (await seat()).activity === "talking", "the agent talks");
    await page.getByLabel(t.note, { exact: true }).fill("业主在开会");
    await page.keyboard.press("Alt+h");
    await page.getByRole("button", { name: t.retrieve }).waitFor();
    await shot(page, `${language}-held`);
    await page.reload();
    await page.locator(".contact h1").waitFor();
    expect(await page.getByLabel(t.note, { exact: true }).inputValue()).toBe("业主在开会");
    await page.locator(".summary .code").first().click();
    await shot(page, `${language}-summary`);
    await page.keyboard.press("Control+Enter");
    await page.locator(".summary .ok, .waiting, .wrap-up").first().waitFor();
    expect(faults).toEqual([]);
    await its.service.api(PEOPLE.agent, "POST", "/me/actions", { action: "pause", reason: "meal" });
    await its.service.api(PEOPLE.agent, "POST", "/me/actions", { action: "hang_up" }).catch(() => undefined);
    await its.service.api(PEOPLE.agent, "POST", "/me/actions", { action: "sign_out" });
    await page.locator(".card.sign-in").waitFor({ timeout: 40_000 });
    await context.close();
  });
});
