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
