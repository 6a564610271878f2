/** The figures of the abandon drawer. Pure. */
import type { Campaign } from "../../api/words";
import type { AbandonedCall, RuleWord } from "./data";

type Abandon = NonNullable<Campaign["abandon"]>;

/** A count that the rule of the United Kingdom divides: `12`, `11.4`. */
export const amount = (n: number): string => (Number.isInteger(n) ? String(n) : n.toFixed(1));

/** The rule whose calls are shown: the one that was asked for, else the strictest. */
export const shownRule = (asked: RuleWord | undefined, abandon: Abandon | null, known: (rule: string) => RuleWord | undefined): RuleWord =>
  asked ?? (abandon === null ? undefined : known(abandon.strictest)) ?? "whole_day";

/** Seconds with one decimal: `2.4`. */
export const waitedSeconds = (call: AbandonedCall): string => (call.waited_ms / 1000).toFixed(1);

/** Seconds from the answer until an agent was free; `undefined` = none became free within a day. */
export function freeAfter(call: AbandonedCall): number | undefined {
  if (call.free_next_at === null) return undefined;
  return Math.max(0, (Date.parse(call.free_next_at) - Date.parse(call.at)) / 1000);
}

/** Activities with their numbers of agents, the most first. */
export const busyCounts = (call: AbandonedCall): [string, number][] =>
  Object.entries(call.seats).filter(([activity]) => activity !== "idle").sort((a, b) => b[1] - a[1]);
