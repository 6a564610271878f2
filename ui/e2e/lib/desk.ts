/** An agent at the desk, whose telephone the simulated carrier rings. */
import type { Page } from "playwright-core";
import type { Journey } from "./journey";
import { PEOPLE, until } from "./service";

export const DESK_WORDS = {
  zh: { telephone: "直线", number: "直线号码", signIn: "签入", hold: "保持", retrieve: "恢复", note: "备注", correct: "业主信息变更" },
  en: { telephone: "Telephone", number: "Telephone number", signIn: "Sign in to work", hold: "Hold", retrieve: "Resume", note: "Note", correct: "Correct the record" },
} as const;

export interface DeskSeat {
  activity: string;
  availability: string;
  work: { lead: number | null; attempt: number | null; number: string | null; connected_at: string | null } | null;
}

const TELEPHONE = "13790000009";

export function desk(its: Journey) {
  const seat = async () => (await its.service.api(PEOPLE.agent, "GET", "/me/seat")) as DeskSeat;
  const act = (action: object) => its.service.api(PEOPLE.agent, "POST", "/me/actions", action);
  return {
    seat,
    act,
    /** Signs in to work by the panel of the page. */
    async start(page: Page, language: "zh" | "en" = "zh"): Promise<void> {
      const t = DESK_WORDS[language];
      const panel = page.locator(".card.sign-in");
      await panel.getByText(t.telephone, { exact: true }).click();
      await panel.getByLabel(t.number, { exact: true }).fill(TELEPHONE);
      await panel.getByRole("button", { name: t.signIn }).click();
      await page.locator(".desk-top").waitFor();
    },
    /** Waits until the agent talks, and its page shows with whom. */
    async talks(page: Page): Promise<number> {
      await until(async () => (await seat()).activity === "talking", "the agent talks", 60_000);
      await page.locator(".contact h1").waitFor();
      return (await seat()).work?.lead ?? 0;
    },
    /** Ends whatever is on the seat, and the shift. Which of the actions apply depends on where the call is. */
    async end(): Promise<void> {
      for (const action of [{ action: "pause", reason: "meal" }, { action: "summarise", disposition: "agree", note: "" }, { action: "hang_up" }, { action: "summarise", disposition: "agree", note: "" }, { action: "sign_out" }]) await act(action).catch(() => undefined);
      const isOut = async () => (await seat().catch(() => undefined))?.availability !== "available" && (await seat().catch(() => undefined))?.activity !== "talking";
      await until(isOut, "the shift is over");
    },
  };
}
