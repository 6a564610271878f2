/** Moments in a campaign's time zone. Pure. */
import type { Workplace } from "./seat";

function fields(at: number, zone: string): { y: number; m: number; d: number; h: number; min: number; weekday: number } {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const part = Object.fromEntries(format.formatToParts(new Date(at)).map((it) => [it.type, Number(it.value)]));
  const [y, m, d, h, min] = [part["year"] ?? 0, part["month"] ?? 1, part["day"] ?? 1, part["hour"] ?? 0, part["minute"] ?? 0];
  // Monday = 0.
  return { y, m, d, h, min, weekday: (new Date(Date.UTC(y, m - 1, d)).getUTCDay() + 6) % 7 };
}

/** The moment at which clocks of the zone show this day (`2026-11-21`) and time (`14:30`); `undefined` = not a day or a time. */
export function inZone(day: string, time: string, zone: string): Date | undefined {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  const clock = /^(\d{2}):(\d{2})$/.exec(time);
  if (!found || !clock) return undefined;
  const wanted = Date.UTC(Number(found[1]), Number(found[2]) - 1, Number(found[3]), Number(clock[1]), Number(clock[2]));
  let at = wanted;
  // Twice: the first step may cross a change of the zone's offset.
  for (let n = 0; n < 2; n += 1) {
    const shown = fields(at, zone);
    at += wanted - Date.UTC(shown.y, shown.m - 1, shown.d, shown.h, shown.min);
  }
  return new Date(at);
}

const two = (n: number) => String(n).padStart(2, "0");

/** Day and time that clocks of the zone show, as the fields of a form have them. */
export function zoned(at: Date, zone: string): { day: string; time: string } {
  const it = fields(at.getTime(), zone);
  return { day: `${it.y}-${two(it.m)}-${two(it.d)}`, time: `${two(it.h)}:${two(it.min)}` };
}

const clockOf = (minutes: number) => `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;

/** The calling hours of that day where the moment lies outside them, as `08:00–21:00`; `undefined` = it may be called then. */
export function outside(at: Date, workplace: Workplace): string | undefined {
  const { windows, timezone } = workplace;
  if (windows.length === 0) return undefined;
  const { h, min, weekday } = fields(at.getTime(), timezone);
  const minute = h * 60 + min;
  const before = (weekday + 6) % 7;
  const holds = windows.some((window) => {
    const overMidnight = window.to <= window.from;
    if (overMidnight) return (window.days[weekday] === true && minute >= window.from) || (window.days[before] === true && minute < window.to);
    return window.days[weekday] === true && minute >= window.from && minute < window.to;
  });
  if (holds) return undefined;
  const today = windows.filter((window) => window.days[weekday]);
  return today.length === 0 ? "–" : today.map((window) => `${clockOf(window.from)}–${clockOf(window.to)}`).join(", ");
}
