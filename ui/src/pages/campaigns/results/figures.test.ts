import { expect, test } from "vitest";
import type { Sums, Vote } from "./data";
import { barsOf, buildingRows, missingRows, shareOf, squareMetres, sumRows, thresholdOf } from "./figures";

const tally = { total: 9, took_part: 6, agree: 4, against: 1, abstain: 1, differing: 0, open: 2 };
const vote: Vote = {
  heads: tally,
  area: { ...tally, total: 900.5 },
  thresholds: { joint: "one", quorum_heads: "2/3", quorum_area: "3/4", majority: "1/2" },
  reached: { quorum_heads: true, quorum_area: false, agree_heads: true, agree_area: true },
  still_needed: { quorum_heads: 0, quorum_area: 70, agree_heads: 0, agree_area: 0 },
  standing: "open",
  stop: false,
  flats: 9,
  flats_without_area: 1,
  as_of: "2026-11-30T00:00:00.000Z",
  words: { en: "", zh: "" },
};

test("those who agree are a share of those who took part", () => {
  expect(barsOf(vote).map((it) => [it.of, it.by, it.part, it.whole, it.threshold, it.reached])).toEqual([
    ["quorum", "heads", 6, 9, "2/3", true], ["quorum", "area", 6, 900.5, "3/4", false],
    ["agree", "heads", 4, 6, "1/2", true], ["agree", "area", 4, 6, "1/2", true],
  ]);
  const alone = barsOf({ ...vote, area: null, reached: { ...vote.reached, quorum_area: null, agree_area: null } });
  expect(alone.map((it) => it.by)).toEqual(["heads", "heads"]);
});

test("a share of nothing is none, and none is above the whole", () => {
  expect([shareOf(0, 0), shareOf(3, 2), shareOf(1, 4)]).toEqual([0, 1, 0.25]);
  expect(thresholdOf("3/4")).toBe(0.75);
});

test("square metres have two decimals at most", () => {
  expect([0, 89.5, 131.6, 914203.55, 12.04, 100].map(squareMetres)).toEqual(["0", "89.5", "131.6", "914,203.55", "12.04", "100"]);
});

test("rows that are nothing are missed, and sums are ordered by size", () => {
  const sums: Sums = { rows: 10, leads: 7, refused: 2, refused_by: {}, states: {}, reasons: {}, results: {}, dispositions: [], buildings: [], as_of: "" };
  expect(missingRows(sums)).toBe(1);
  expect(sumRows({ b: 2, a: 2, c: 5 }).map((it) => it.key)).toEqual(["c", "a", "b"]);
});

test("buildings are ordered as people count them", () => {
  const building = (name: string | null, results: Record<string, number> = {}) => ({ building: name, leads: 1, states: {}, results });
  const sums: Sums = { rows: 0, leads: 0, refused: 0, refused_by: {}, states: {}, reasons: {}, results: {}, dispositions: [], buildings: [building(null), building("10", { b: 1 }), building("2", { a: 1, b: 2 })], as_of: "" };
  const { rows, results } = buildingRows(sums);
  expect([rows.map((it) => it.building), results]).toEqual([["2", "10", null], ["a", "b"]]);
});
