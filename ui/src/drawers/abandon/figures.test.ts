import { expect, test } from "vitest";
import type { AbandonedCall } from "./data";
import { amount, busyCounts, freeAfter, shownRule, waitedSeconds } from "./figures";

const call: AbandonedCall = {
  attempt: 7, lead: 1, name: "李芳", number: "138****0001", at: "2026-03-02T02:00:00.000Z", waited_ms: 2_350, late: false, hung_up: true,
  free_next_at: "2026-03-02T02:00:04.500Z", seats: { talking: 3, wrap_up: 5, idle: 1 }, busy: [],
};

test("the wait, and how long it would have been", () => {
  expect([waitedSeconds(call), freeAfter(call)]).toEqual(["2.4", 4.5]);
  expect(freeAfter({ ...call, free_next_at: null })).toBeUndefined();
});

test("who was busy, the most first, without those who were free", () => {
  expect(busyCounts(call)).toEqual([["wrap_up", 5], ["talking", 3]]);
});

test("the rule of the address, else the strictest, else the day", () => {
  const known = (rule: string) => (rule === "us_tsr" ? ("us_tsr" as const) : undefined);
  const abandon = { rules: [], strictest: "us_tsr", ceiling: 0.03, left: 4 };
  expect(shownRule("all_calls", abandon, known)).toBe("all_calls");
  expect(shownRule(undefined, abandon, known)).toBe("us_tsr");
  expect(shownRule(undefined, null, known)).toBe("whole_day");
});

test("a count that a rule divides has one decimal", () => {
  expect([12, 11.42].map(amount)).toEqual(["12", "11.4"]);
});
