/** Days of a calling window: `mon-fri,sun`. Pure. */
export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof DAYS)[number];

/** `undefined` for what is no list of days; the service says what is wrong with it. */
export function readDays(text: string): ReadonlySet<Day> | undefined {
  const days = new Set<Day>();
  for (const part of text.trim().toLowerCase().split(",")) {
    const [first = "", last = first, more] = part.trim().split("-").map((it) => it.trim());
    const [from, to] = [DAYS.indexOf(first as Day), DAYS.indexOf(last as Day)];
    if (from < 0 || to < 0 || more !== undefined) return undefined;
    for (let n = from; ; n = (n + 1) % DAYS.length) {
      days.add(DAYS[n] ?? "mon");
      if (n === to) break;
    }
  }
  return days;
}

/** Runs of days, Monday first, as pairs of first and last. */
function runsOf(days: ReadonlySet<Day>): [first: Day, last: Day][] {
  const runs: [Day, Day][] = [];
  DAYS.forEach((day, n) => {
    const last = runs.at(-1);
    if (!days.has(day)) return;
    if (last && last[1] === DAYS[n - 1]) last[1] = day;
    else runs.push([day, day]);
  });
  return runs;
}

/** The days as a person says them: every day, Monday to Friday and Sunday; the text itself where it is no list of days. */
export function daysWords(text: string, words: { day: (day: Day) => string; all: string }): string {
  const days = readDays(text);
  if (days === undefined) return text;
  if (days.size === DAYS.length) return words.all;
  return runsOf(days).map(([first, last]) => (first === last ? words.day(first) : `${words.day(first)}–${words.day(last)}`)).join(", ");
}

export function writeDays(days: ReadonlySet<Day>): string {
  const parts: string[] = [];
  for (let n = 0; n < DAYS.length; n += 1) {
    if (!days.has(DAYS[n] ?? "mon")) continue;
    const from = n;
    while (n + 1 < DAYS.length && days.has(DAYS[n + 1] ?? "mon")) n += 1;
    if (n - from === 1) parts.push(DAYS[from] ?? "");
    parts.push(n - from > 1 ? `${DAYS[from]}-${DAYS[n]}` : (DAYS[n] ?? ""));
  }
  return parts.join(",");
}
