import { describe, expect, test } from "vitest";
import { callFilters, leadFilters } from "./filters";
import { filterWords, leftWords, size } from "./words";

const t = ((key: string, parameters?: Record<string, string>) => (parameters === undefined ? key : `${key} ${Object.values(parameters).join(" ")}`)) as never;

describe("exports", () => {
  test("what is searched for among leads is a number, a row or a name", () => {
    expect(leadFilters("spring", { q: "13800138000" })).toEqual({ campaign: "spring", number: "13800138000" });
    expect(leadFilters("spring", { q: "0571-1" })).toEqual({ campaign: "spring", name: "0571-1" });
    expect(leadFilters("spring", { q: "17", state: "open" } as never)).toEqual({ campaign: "spring", row: 17, state: "open" });
    expect(leadFilters("spring", { q: "王" })).toEqual({ campaign: "spring", name: "王" });
  });
  test("pages and order of the results are no filters", () => {
    expect(callFilters({ outcome: "busy", limit: 50, sort: "-talk", recorded: "true" })).toEqual({ outcome: "busy", recorded: true });
  });
  test("sizes and times are written as people read them", () => {
    expect([size(12), size(1_234), size(45_600_000), size(8_100_000_000)]).toEqual(["12 B", "1.2 kB", "46 MB", "8.1 GB"]);
    const now = new Date("2026-11-30T00:00:00Z");
    expect(leftWords(new Date("2026-11-30T00:20:00Z"), now, t)).toBe("exports.soon");
    expect(leftWords(new Date("2026-11-30T05:20:00Z"), now, t)).toBe("exports.hoursLeft 5");
    expect(leftWords(new Date("2026-12-14T00:00:00Z"), now, t)).toMatch(/^exports.daysLeft 14/);
  });
  test("only filters that are set have chips", () => {
    expect(filterWords({ campaign: "spring", outcome: null, number: "" }, new Date(), t)).toHaveLength(1);
  });
});
