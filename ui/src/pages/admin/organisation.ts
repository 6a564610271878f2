/** Settings of the organisation: switches, pause reasons; what changed, what is wrong. Pure. */
import type { Schemas } from "../../api/words";
import { narrow } from "../../words/width";

export type Organisation = Schemas["Organisation"];
export type PauseReason = Schemas["PauseReasonView"];

/** Switches in the order of the form. One that the service does not send is not drawn. */
export const SWITCHES = ["approve_lists", "approve_audio", "approve_caller_ids", "analysts_read_numbers", "agents_add_leads", "flagged_numbers_stay"] as const;
export type Switch = (typeof SWITCHES)[number];

/** People who must be able to decide: the one who asks, and another. The service refuses the switch with fewer. */
export const SECOND_PERSON = 2;
export const isApprovalSwitch = (name: Switch): boolean => name === "approve_lists" || name === "approve_audio" || name === "approve_caller_ids";

/** The switches that the service has, with their present values. */
export function switchesOf(organisation: Organisation): [Switch, boolean][] {
  const settings: Record<string, unknown> = organisation.settings;
  return SWITCHES.flatMap((name): [Switch, boolean][] => (typeof settings[name] === "boolean" ? [[name, settings[name]]] : []));
}

/** A pause reason as it is typed. */
export interface ReasonForm {
  code: string;
  zh: string;
  en: string;
  /** Minutes; empty = without end. */
  minutes: string;
}

export const reasonForm = (it: PauseReason): ReasonForm => ({ code: it.code, zh: it.label.zh, en: it.label.en, minutes: it.max_secs === null ? "" : String(it.max_secs / 60) });

export const REASONS_MAX = 32;
const MINUTES_MAX = 1_440;

export type ReasonFault = "code" | "code_twice" | "label" | "minutes";

/** What is wrong with each row, in their order. */
export function reasonFaults(rows: readonly ReasonForm[]): (ReasonFault | undefined)[] {
  return rows.map((row, n) => {
    const code = narrow(row.code).trim();
    if (!/^[a-z0-9_]{1,32}$/.test(code)) return "code";
    if (rows.some((other, m) => m < n && narrow(other.code).trim() === code)) return "code_twice";
    if ([row.zh, row.en].some((label) => label.trim() === "" || [...label.trim()].length > 64)) return "label";
    const minutes = secondsOf(row.minutes);
    return minutes !== null && (Number.isNaN(minutes) || minutes < 1 || minutes > MINUTES_MAX * 60) ? "minutes" : undefined;
  });
}

/** Seconds of typed minutes; `null` = none, NaN = no number. */
function secondsOf(minutes: string): number | null {
  const text = narrow(minutes).trim();
  if (text === "") return null;
  return /^\d{1,4}(\.\d{1,2})?$/.test(text) ? Math.round(Number(text) * 60) : NaN;
}

/** What the service is sent. */
export const reasonsRequest = (rows: readonly ReasonForm[]): Schemas["PauseReasons"] => ({
  items: rows.map((row) => {
    const seconds = secondsOf(row.minutes);
    return { code: narrow(row.code).trim(), label: { zh: row.zh.trim(), en: row.en.trim() }, ...(seconds === null ? {} : { max_secs: seconds }) };
  }),
});
