/** Holidays as the service writes them: `2027-01-01`, or `2027-02-05..2027-02-12` with both ends. Pure. */
import { startOfDay } from "../results/filters";

export interface Holiday {
  from: string;
  until: string;
}

/** A day or a span of the service; `undefined` for what is neither. */
export function parseHoliday(text: string): Holiday | undefined {
  const [from = "", until = from, ...more] = text.split("..");
  return more.length === 0 && isDay(from) && isDay(until) && from <= until ? { from, until } : undefined;
}

export const holidayText = ({ from, until }: Holiday): string => (from === until ? from : `${from}..${until}`);

const isDay = (day: string): boolean => startOfDay(day) !== undefined;

/** Adds days that are off, in the order of the calendar; those that lie within a span that is known are not named twice. */
export function withHoliday(days: readonly string[], added: Holiday): string[] {
  const kept = days.filter((text) => {
    const it = parseHoliday(text);
    return it === undefined || it.from < added.from || it.until > added.until;
  });
  const isKnown = kept.some((text) => {
    const it = parseHoliday(text);
    return it !== undefined && it.from <= added.from && it.until >= added.until;
  });
  return isKnown ? kept : [...kept, holidayText(added)].sort();
}

/** How many lines differ. */
export function changesOf(before: readonly string[], after: readonly string[]): number {
  return before.filter((it) => !after.includes(it)).length + after.filter((it) => !before.includes(it)).length;
}
