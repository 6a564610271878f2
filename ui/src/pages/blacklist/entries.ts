/** Entries of the blacklist: how a number reads, what holds, what is typed. Pure. */
import type { BlacklistEntry } from "../../api/words";
import { narrow } from "../../words/width";

/** `+8613800138000` as people here write it; ranges keep their `*`, numbers of other countries their `+`. */
export function national(pattern: string): string {
  const inner = /^\+86(\d*\*?)$/.exec(pattern)?.[1];
  if (inner === undefined) return pattern;
  return /^(1|[48]00|\*?$)/.test(inner) && !/^10\d/.test(inner) ? inner : `0${inner}`;
}

export const holds = (entry: Pick<BlacklistEntry, "until">, now: number): boolean => entry.until === null || Date.parse(entry.until) > now;

/** A number without the signs that people write in it. */
export const bareNumber = (text: string): string => narrow(text).replace(/[\s()-]/g, "");

/** Numbers and ranges that one request takes. */
export const NUMBERS_MAX = 1_000;

/** What of a line is neither a number nor a range. */
export interface Unfit {
  /** From 1. */
  line: number;
  text: string;
}

export interface Typed {
  numbers: string[];
  unfit: Unfit[];
  /** What was typed without what is unfit. */
  rest: string;
}

const HOME = /^00861[3-9]\d{9}$|^(\+86)?(0?1[3-9]\d{9}|010[2-8]\d{7}|02\d[2-8]\d{7}|0[3-9]\d{2}[2-8]\d{6,7}|[48]00\d{7})$/;
/** As the service takes them: a number of another country has 7 to 15 digits, its country code first. */
const ABROAD = /^(\+|00)(?!86)[1-9]\d{6,14}$/;
/** At home at least three digits; with the country code at least one. */
const RANGE = /^(1[3-9]\d{1,8}|0[1-9]\d{1,9}|[48]00\d{0,6}|(\+|00)[1-9]\d{0,13})[*%]$/;

const isWhole = (bare: string): boolean => HOME.test(bare) || ABROAD.test(bare);

/** Numbers as people paste them: one a line, or parted by commas; spaces and dashes inside a number do not count. */
export function readNumbers(text: string): Typed {
  const typed: Typed = { numbers: [], unfit: [], rest: "" };
  const kept: string[] = [];
  narrow(text).split("\n").forEach((row, n) => {
    const parts = row.split(/[\t\r,;、]/).map((part) => part.trim()).filter((part) => bareNumber(part) !== "");
    const [fit, unfit]: [string[], string[]] = [[], []];
    for (const part of parts) {
      const bare = bareNumber(part);
      const isFit = isWhole(bare) || RANGE.test(bare);
      (isFit ? fit : unfit).push(part);
      const number = bare.replace("%", "*");
      if (isFit && !typed.numbers.includes(number)) typed.numbers.push(number);
    }
    if (unfit.length > 0) typed.unfit.push({ line: n + 1, text: unfit.join(", ") });
    if (fit.length > 0) kept.push(fit.join(", "));
  });
  typed.rest = kept.join("\n");
  return typed;
}

/** Whether the look-up takes it: a whole number, as a range is no callee. */
export const isNumber = (text: string): boolean => isWhole(bareNumber(text));

/** Whether it is a range: it is looked up by a number that it covers. */
export const isRange = (text: string): boolean => RANGE.test(bareNumber(text));
