import { describe, expect, test } from "vitest";
import { gridOf, lastOf, niceTop, spread, stack } from "./scale";

describe("an axis", () => {
  test("ends above its highest value, in four plain steps", () => {
    for (const [max, top] of [[0, 4], [3, 4], [5, 8], [41, 80], [100, 100], [101, 200]] as const) expect(niceTop(max, true), String(max)).toBe(top);
    expect(niceTop(0.031, false)).toBeCloseTo(0.04);
    expect(niceTop(9, false)).toBe(10);
    expect(gridOf(8)).toEqual([0, 2, 4, 6, 8]);
  });

  test("holds every value and has whole steps for whole things, for 2,000 highest values", () => {
    for (let max = 0; max < 2_000; max += 1) {
      const top = niceTop(max, true);
      expect(top).toBeGreaterThanOrEqual(max);
      for (const line of gridOf(top)) expect(Number.isInteger(line)).toBe(true);
    }
  });
});

describe("labels", () => {
  test("stay where they are when they do not cover each other", () => {
    expect(spread([10, 50, 90], 14, 0, 100)).toEqual([10, 50, 90]);
  });

  test("are moved apart within the plot, in the order of their values", () => {
    const at = spread([98, 20, 97, 21], 14, 0, 100);
    expect(at[1]).toBe(20);
    expect(at[3]).toBe(34);
    expect(at[0]).toBe(100);
    expect(at[2]).toBe(86);
  });
});

test("stacked series add up; a moment without any value stays a gap", () => {
  expect(stack([[1, null, 2], [3, null, null]])).toEqual([[1, null, 2], [4, null, 2]]);
  expect(lastOf([1, 2, null])).toBe(1);
  expect(lastOf([null])).toBe(-1);
});
