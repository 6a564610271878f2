/** The week of the schedule: which days it has, and where its bars stand in them. Pure. */
import type { ScheduleBar } from "../../api/leads-table";
import { dayOf, plusDays, startOfDay } from "../results/filters";

export const DAYS = 7;

/** The Monday of the address's week, else of the week of `now`. */
export function weekOf(search: URLSearchParams, now: Date): Date {
  const at = startOfDay(search.get("week") ?? "") ?? now;
  const day = new Date(at.getFullYear(), at.getMonth(), at.getDate());
  return plusDays(day, -((day.getDay() + 6) % 7));
}

/** Its seven days, and the first that is none of them. */
export const daysOf = (monday: Date): Date[] => Array.from({ length: DAYS + 1 }, (_, n) => plusDays(monday, n));

/** `?week=` of the week so many weeks away; `null` for the present one. */
export function weekName(monday: Date, weeks: number, now: Date): string | null {
  const other = plusDays(monday, weeks * DAYS);
  return other.getTime() === weekOf(new URLSearchParams(), now).getTime() ? null : dayOf(other);
}

export interface DayBar {
  bar: ScheduleBar;
  /** Shares of the day. */
  from: number;
  until: number;
}

/** The parts of the bars that lie in a day, holidays below windows. A day with a change of the clock has 23 or 25 hours. */
export function barsOf(bars: readonly ScheduleBar[], day: Date, next: Date): DayBar[] {
  const [begin, end] = [day.getTime(), next.getTime()];
  const share = (moment: number) => Math.min(1, Math.max(0, (moment - begin) / (end - begin)));
  const rank = (it: DayBar) => (it.bar.kind === "holiday" ? 0 : 1);
  return bars.map((bar) => ({ bar, from: share(Date.parse(bar.from)), until: share(Date.parse(bar.until)) }))
    .filter((it) => it.until > it.from)
    .sort((a, b) => rank(a) - rank(b) || a.from - b.from);
}
