/** A campaign's minutes as plots need them: gaps where the service has no row, rates, heads by activity, shares of limits. Pure. */
import type { SeriesRow } from "../../api/leads-table";
import { percent } from "../../words/format";

/** Spans of the plots: how far back, in minutes, and the step. `day` begins at midnight. */
export const SPANS = { hour: { minutes: 60, step: 1 }, four: { minutes: 240, step: 1 }, day: { minutes: undefined, step: 5 } } as const;
export type SpanName = keyof typeof SPANS;

/** Activities in the order in which they stand on each other. */
export const HEADS = ["talking", "consulting", "wrap_up", "reserved", "ringing", "idle", "paused"] as const;

/** Minutes whose limits the bar adds up. */
export const SHARE_MINUTES = 10;
const MINUTE = 60_000;

/** The first moment of a span, in ms. */
export function beginOf(span: SpanName, now: number): number {
  const { minutes } = SPANS[span];
  if (minutes !== undefined) return Math.floor(now / MINUTE) * MINUTE - minutes * MINUTE;
  const at = new Date(now);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

/** A row for each step between two moments (ms), `undefined` where the service has none. */
export function everyStep(rows: readonly SeriesRow[], from: number, until: number, step: number): { at: number[]; rows: (SeriesRow | undefined)[] } {
  const size = step * MINUTE;
  const begin = Math.floor(from / size) * size;
  const known = new Map(rows.map((row) => [Math.floor(Date.parse(row.at) / size) * size, row]));
  const at: number[] = [];
  for (let moment = begin; moment < until; moment += size) at.push(moment / 1000);
  return { at, rows: at.map((moment) => known.get(moment * 1000)) };
}

/** A number of each row; a gap stays one. */
export const valuesOf = (rows: readonly (SeriesRow | undefined)[], value: (row: SeriesRow) => number | null): (number | null)[] => rows.map((row) => (row === undefined ? null : value(row)));

/** Abandoned calls of those that count; `null` where none counted. */
export const rateOf = (row: SeriesRow): number | null => (row.divisor > 0 ? row.abandoned / row.divisor : null);

/** A minute that came by the live stream, in its place; one that is known is replaced. */
export function withRow(rows: readonly SeriesRow[], row: SeriesRow): SeriesRow[] {
  const others = rows.filter((it) => it.at !== row.at);
  const at = Date.parse(row.at);
  const before = others.filter((it) => Date.parse(it.at) < at).length;
  return [...others.slice(0, before), row, ...others.slice(before)];
}

/** Shares of the last ten minutes' seconds by limit, the largest first. */
export function limitShares(rows: readonly SeriesRow[], now: number): { limit: string; share: number }[] {
  const sums = new Map<string, number>();
  for (const row of rows) {
    if (Date.parse(row.at) < now - (SHARE_MINUTES + 1) * MINUTE) continue;
    for (const [limit, seconds] of Object.entries(row.limits)) sums.set(limit, (sums.get(limit) ?? 0) + seconds);
  }
  const all = [...sums.values()].reduce((sum, it) => sum + it, 0);
  return all <= 0 ? [] : [...sums].map(([limit, seconds]) => ({ limit, share: seconds / all })).sort((a, b) => b.share - a.share);
}

/** A share that is not nothing is not written as nothing. */
export const shareWords = (share: number): string => (share > 0 && share < 0.005 ? "< 1 %" : percent(share, 0));
