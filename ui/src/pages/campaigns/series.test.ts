import { describe, expect, test } from "vitest";
import type { SeriesRow } from "../../api/leads-table";
import { beginOf, everyStep, limitShares, rateOf, shareWords, valuesOf, withRow } from "./series";

const row = (at: string, more: Partial<SeriesRow> = {}): SeriesRow => ({ at, placed: 1, answered: 0, talking: 0, abandoned: 0, divisor: 0, upper: null, agents: {}, limits: {}, ...more });
const now = Date.parse("2026-11-30T06:10:30Z");

describe("minutes of a campaign", () => {
  test("have a place each; what the service does not have is a gap, not a zero", () => {
    const { at, rows } = everyStep([row("2026-11-30T06:08:00Z", { placed: 7 }), row("2026-11-30T06:10:00Z", { placed: 0 })], now - 180_000, now, 1);
    expect(at.map((it) => new Date(it * 1000).toISOString().slice(11, 16))).toEqual(["06:07", "06:08", "06:09", "06:10"]);
    expect(valuesOf(rows, (it) => it.placed)).toEqual([null, 7, null, 0]);
  });

  test("of the live stream replace the same minute and keep the order", () => {
    const rows = [row("2026-11-30T06:08:00Z"), row("2026-11-30T06:10:00Z")];
    expect(withRow(rows, row("2026-11-30T06:09:00Z")).map((it) => it.at.slice(14, 16))).toEqual(["08", "09", "10"]);
    expect(withRow(rows, row("2026-11-30T06:10:00Z", { placed: 9 })).map((it) => it.placed)).toEqual([1, 9]);
  });

  test("a rate without a base is unknown", () => {
    expect(rateOf(row("2026-11-30T06:10:00Z", { abandoned: 0, divisor: 0 }))).toBeNull();
    expect(rateOf(row("2026-11-30T06:10:00Z", { abandoned: 1, divisor: 50 }))).toBe(0.02);
  });

  test("shares of limits are of the last ten minutes", () => {
    const rows = [
      row("2026-11-30T05:50:00Z", { limits: { paused: 60 } }), row("2026-11-30T06:09:00Z", { limits: { agents_busy: 45, abandon_budget: 15 } }), row("2026-11-30T06:10:00Z", { limits: { agents_busy: 30 } }),
    ];
    expect(limitShares(rows, now)).toEqual([{ limit: "agents_busy", share: 75 / 90 }, { limit: "abandon_budget", share: 15 / 90 }]);
    expect(limitShares([], now)).toEqual([]);
  });

  test("only nothing is written as 0 %", () => {
    expect([0, 0.0001, 0.004, 0.005, 0.994, 1].map(shareWords)).toEqual(["0 %", "< 1 %", "< 1 %", "1 %", "99 %", "100 %"]);
  });

  test("the day begins at midnight where the reader is", () => {
    const begin = new Date(beginOf("day", now));
    expect([begin.getHours(), begin.getMinutes()]).toEqual([0, 0]);
    expect(now - beginOf("hour", now)).toBe(3_630_000);
  });
});
