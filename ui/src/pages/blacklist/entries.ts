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

export interface Typed {
  numbers: string[];
  /** What is neither a number nor a range. */
  unfit: string[];
}

const NUMBER = /^(\+86)?(0?1[3-9]\d{9}|010[2-8]\d{7}|02\d[2-8]\d{7}|0[3-9]\d{2}[2-8]\d{6,7}|[48]00\d{7})$/;
const RANGE = /^((\+86)?1[3-9]\d{0,8}|0[1-9]\d{1,9}|\+\d{1,12})\*$/;

/** Numbers as people paste them: one a line, or parted by commas; spaces and dashes inside a number do not count. */
export function readNumbers(text: string): Typed {
  const typed: Typed = { numbers: [], unfit: [] };
  for (const raw of narrow(text).split(/[\n\t,;、]/)) {
    const bare = bareNumber(raw);
    if (bare === "") continue;
    if (!NUMBER.test(bare) && !RANGE.test(bare)) typed.unfit.push(raw.trim());
    else if (!typed.numbers.includes(bare)) typed.numbers.push(bare);
  }
  return typed;
}

/** Whether the look-up takes it: a whole number, as a range is no callee. */
export const isNumber = (text: string): boolean => NUMBER.test(bareNumber(text));
