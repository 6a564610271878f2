/** The figures of a campaign's results: bars against their thresholds, and whether sums agree. Pure. */
import { count } from "../../../words/format";
import type { Sums, Vote } from "./data";

export interface Bar {
  of: "quorum" | "agree";
  by: "heads" | "area";
  part: number;
  whole: number;
  /** `2/3`. */
  threshold: string;
  reached: boolean;
}

/** Who took part of all, and who agrees of those who took part, by heads and by area. */
export function barsOf(vote: Vote): Bar[] {
  const { heads, area, thresholds, reached } = vote;
  const bar = (of: Bar["of"], by: Bar["by"], part: number, whole: number, threshold: string, is: boolean | null): Bar => ({ of, by, part, whole, threshold, reached: is === true });
  const quorum = [bar("quorum", "heads", heads.took_part, heads.total, thresholds.quorum_heads, reached.quorum_heads)];
  const agree = [bar("agree", "heads", heads.agree, heads.took_part, thresholds.majority, reached.agree_heads)];
  if (area) {
    quorum.push(bar("quorum", "area", area.took_part, area.total, thresholds.quorum_area, reached.quorum_area));
    agree.push(bar("agree", "area", area.agree, area.took_part, thresholds.majority, reached.agree_area));
  }
  return [...quorum, ...agree];
}

/** A share of 0 to 1; of nothing it is 0. */
export const shareOf = (part: number, whole: number): number => (whole > 0 ? Math.min(1, part / whole) : 0);

/** `2/3` as a number. */
export function thresholdOf(text: string): number {
  const [part = 0, of = 0] = text.split("/").map(Number);
  return shareOf(part, of);
}

/** Square metres with two decimals at most: `914,203.55`. */
export function squareMetres(area: number): string {
  const hundredths = Math.round(area * 100);
  const [whole, rest] = [Math.trunc(hundredths / 100), hundredths % 100];
  return rest === 0 ? count(whole) : `${count(whole)}.${String(rest).padStart(2, "0").replace(/0$/, "")}`;
}

/** Rows that are neither a client nor refused; 0 = the sums agree. */
export const missingRows = (sums: Sums): number => sums.rows - sums.leads - sums.refused;

export interface SumRow {
  key: string;
  label: string;
  n: number;
}

/** The most first. */
export const sumRows = (of: Record<string, number>, label: (key: string) => string = (key) => key): SumRow[] =>
  Object.entries(of).map(([key, n]) => ({ key, label: label(key), n })).sort((a, b) => b.n - a.n || a.key.localeCompare(b.key));

export type BuildingSum = Sums["buildings"][number];

/** Buildings in the order in which people count them, leads of no building last, and every result that keys have set. */
export function buildingRows({ buildings }: Sums): { rows: BuildingSum[]; results: string[] } {
  const order = new Intl.Collator("zh", { numeric: true });
  const rows = [...buildings].sort((a, b) => Number(a.building === null) - Number(b.building === null) || order.compare(a.building ?? "", b.building ?? ""));
  return { rows, results: [...new Set(buildings.flatMap((it) => Object.keys(it.results)))].sort() };
}
