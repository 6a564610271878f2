/** Rates of caller IDs, days until one is taken back, which rows a filter leaves. Pure. */
import type { CallerId, CallerIdDay } from "../../api/words";
import { day, telephone } from "../../words/format";
import { narrow } from "../../words/width";

/** The zone of the service's days. */
export const ZONE = "Asia/Shanghai";
const DAY = 86_400_000;

/** Answer rates of a span, each with its base; `null` = no calls. */
export interface Rates {
  own: number | null;
  /** Calls of `own`: those that have a control, or all of them where none has. */
  of: number;
  /** The rate that those calls would have as the other numbers' calls do. */
  control: number | null;
  controlOf: number;
}

export function ratesOf(span: CallerIdDay): Rates {
  if (span.compared > 0) return { own: span.compared_answered / span.compared, of: span.compared, control: span.expected / span.compared, controlOf: span.control_calls };
  return { own: span.calls > 0 ? span.answered / span.calls : null, of: span.calls, control: null, controlOf: 0 };
}

const COUNTS = ["calls", "answered", "refused", "code_403", "fast_fail", "compared", "compared_answered", "expected", "control_calls"] as const;

export function sumOf(days: readonly CallerIdDay[]): CallerIdDay {
  const sum = { calls: 0, answered: 0, refused: 0, code_403: 0, fast_fail: 0, compared: 0, compared_answered: 0, expected: 0, control_calls: 0 };
  for (const it of days) for (const name of COUNTS) sum[name] += it[name];
  return sum;
}

/** The highest rate of these days, for bars that are drawn beside each other; never 0. */
export const topOf = (days: readonly CallerIdDay[]): number => Math.max(0.01, ...days.map(ratesOf).flatMap((it) => [it.own ?? 0, it.control ?? 0]));

/** `11-24` of each of so many days up to the present one. */
export function dayNames(count: number, now: number): string[] {
  return Array.from({ length: count }, (_, n) => day(new Date(now - (count - 1 - n) * DAY), ZONE).slice(5));
}

export interface Idle {
  /** Whole days that are left, rounded up; 0 = it may be gone. */
  left: number;
  /** So near that somebody should act: a week before, and not before half of the time is over. */
  isNear: boolean;
}

/** When the carrier takes an unused number back; `undefined` = never, or it is not in use anyway. */
export function idleOf(row: Pick<CallerId, "idle_at" | "idle_days" | "state">, now: number): Idle | undefined {
  if (row.idle_at === null || row.state === "retired" || row.state === "unbound") return undefined;
  const left = Math.max(0, Math.ceil((Date.parse(row.idle_at) - now) / DAY));
  return { left, isNear: left <= Math.max(1, Math.min(7, Math.floor(row.idle_days / 2))) };
}

/** `3/7` of a warm-up; the service ends it within a minute of the seventh day's end. */
export const warmUpDay = (row: Pick<CallerId, "warm_up_day">): number | undefined => (row.warm_up_day === null ? undefined : Math.min(7, Math.max(1, row.warm_up_day)));

/** A call showed it before anybody entered it, and nobody has said whose it is. */
export const isToComplete = (row: Pick<CallerId, "found" | "holder" | "carrier">): boolean => row.found && row.holder === "" && row.carrier === "";

export interface Filter {
  text: string;
  state: string;
}

/** Whether a row is one of the filter's; digits are found however the number is written. */
export function matches(row: CallerId, filter: Filter): boolean {
  if (filter.state === "suspected" ? !row.suspected : filter.state !== "" && row.state !== filter.state) return false;
  const text = narrow(filter.text).trim().toLowerCase();
  if (text === "") return true;
  const digits = /^[\d\s+-]+$/.test(text) ? text.replace(/\D/g, "") : "";
  if (digits !== "" && row.number.includes(digits)) return true;
  const words = [telephone(row.number), row.holder, row.carrier, row.region, row.note, row.bound_agent ?? "", ...row.campaigns];
  return words.some((it) => it.toLowerCase().includes(text));
}
