import { expect, test } from "vitest";
import { ApiProblem } from "../../api/call";
import type { CallerId, CallerIdDay, Problem } from "../../api/words";
import { dayNames, idleOf, isToComplete, matches, ratesOf, sumOf, topOf, warmUpDay } from "./figures";
import { changeOf, differing, EMPTY, entryOf, faultsOf, formOf, LIMITS, merged, refusedFields, TEXTS } from "./form";

const span = (more: Partial<CallerIdDay> = {}): CallerIdDay => ({ calls: 0, answered: 0, refused: 0, code_403: 0, fast_fail: 0, compared: 0, compared_answered: 0, expected: 0, control_calls: 0, ...more });
const row = (more: Partial<CallerId> = {}): CallerId => ({
  number: "075512345678", holder: "翠园物业", carrier: "深圳联通", region: "深圳", note: "", state: "normal", suspected: false, bound_agent: null, campaigns: ["jade-garden-vote"],
  holder_id_end: "1234", per_hour_max: 0, per_day_max: 300, idle_days: 7, idle_at: null, found: false, warm_up_day: null, version: 1, ...more,
}) as CallerId;

test("a rate is that of the calls that have a control, else of all, else unknown", () => {
  expect(ratesOf(span({ calls: 900, answered: 100, compared: 800, compared_answered: 80, expected: 224, control_calls: 3_240 }))).toEqual({ own: 0.1, of: 800, control: 0.28, controlOf: 3_240 });
  expect(ratesOf(span({ calls: 40, answered: 12 }))).toEqual({ own: 0.3, of: 40, control: null, controlOf: 0 });
  expect(ratesOf(span())).toEqual({ own: null, of: 0, control: null, controlOf: 0 });
});

test("days are added, and bars reach the highest of both rates", () => {
  const days = [span({ calls: 10, answered: 4, compared: 10, compared_answered: 4, expected: 5.5, control_calls: 20 }), span(), span({ calls: 5, answered: 1 })];
  expect(sumOf(days)).toEqual(span({ calls: 15, answered: 5, compared: 10, compared_answered: 4, expected: 5.5, control_calls: 20 }));
  expect(topOf(days)).toBe(0.55);
  expect(topOf([span()])).toBe(0.01);
});

test("days are those of the service's zone", () => {
  // 16:30 UTC is half past midnight there.
  expect(dayNames(3, Date.parse("2026-11-30T16:30:00Z"))).toEqual(["11-29", "11-30", "12-01"]);
  expect(dayNames(7, Date.parse("2026-11-30T15:30:00Z"))[0]).toBe("11-24");
});

test("days that an unused number has left are whole, and near in its last half or week", () => {
  const now = Date.parse("2026-11-30T00:00:00Z");
  const idle = (hours: number, days: number, state: CallerId["state"] = "normal") => idleOf(row({ idle_at: new Date(now + hours * 3_600_000).toISOString(), idle_days: days, state }), now);
  expect(idle(25, 7)).toEqual({ left: 2, isNear: true });
  expect(idle(5 * 24, 7)).toEqual({ left: 5, isNear: false });
  expect(idle(7 * 24, 30)).toEqual({ left: 7, isNear: true });
  expect(idle(8 * 24, 30)).toEqual({ left: 8, isNear: false });
  expect(idle(20, 1)).toEqual({ left: 1, isNear: true });
  expect(idle(-5, 7)).toEqual({ left: 0, isNear: true });
  expect(idle(25, 7, "retired")).toBeUndefined();
  expect(idleOf(row(), now)).toBeUndefined();
});

test("a warm-up has seven days", () => {
  expect([null, 0, 3, 8].map((warm_up_day) => warmUpDay({ warm_up_day }))).toEqual([undefined, 1, 3, 7]);
});

test("a number is to be completed until somebody says whose it is", () => {
  expect(isToComplete({ found: true, holder: "", carrier: "" })).toBe(true);
  expect(isToComplete({ found: true, holder: "", carrier: "深圳联通" })).toBe(false);
  expect(isToComplete({ found: false, holder: "", carrier: "" })).toBe(false);
});

test("rows are found by number however it is written, by words, and by state", () => {
  for (const text of ["0755-1234", "0755 1234", "07551234", "0755-1234 5678", "翠园", "VOTE", ""]) expect(matches(row(), { text, state: "" }), text).toBe(true);
  for (const text of ["0756", "联通2"]) expect(matches(row(), { text, state: "" }), text).toBe(false);
  expect(matches(row(), { text: "", state: "flagged" })).toBe(false);
  expect(matches(row({ suspected: true }), { text: "", state: "suspected" })).toBe(true);
});

test("a change holds what differs, an entry what was typed", () => {
  const it = row();
  expect(changeOf(formOf(it), it, [...TEXTS, ...LIMITS])).toEqual({});
  expect(changeOf({ ...formOf(it), carrier: " 深圳电信 ", per_day_max: "", idle_days: "１０", holder_id: "440301" }, it, [...TEXTS, ...LIMITS])).toEqual({ carrier: "深圳电信", per_day_max: 0, idle_days: 10, holder_id: "440301" });
  // The other form of the drawer has fields of its own.
  expect(changeOf({ ...formOf(it), carrier: "x", per_day_max: "1,200" }, it, LIMITS)).toEqual({ per_day_max: 1_200 });
  expect(entryOf(" ０７５５-88886666 ", { ...EMPTY, holder: "翠园物业", per_day_max: "300" })).toEqual({ number: "0755-88886666", holder: "翠园物业", per_day_max: 300 });
});

test("faults are named by field, the service's without the field's own name", () => {
  expect(faultsOf({ ...EMPTY, holder: "x".repeat(65), per_hour_max: "-1", per_day_max: "100001", idle_days: "366" }, [...TEXTS, ...LIMITS])).toEqual({ holder: { word: "text" }, per_hour_max: { word: "calls" }, per_day_max: { word: "calls" }, idle_days: { word: "days" } });
  const errors = [{ at: "/number", code: "unfit", params: {}, words: { en: "number: no such number", zh: "number:这不是号码:请改" } }, { at: "/other", code: "unfit", params: {}, words: { en: "x", zh: "x" } }];
  const problem = new ApiProblem(422, "unfit", "", { code: "unfit", detail: "", errors } as unknown as Problem);
  expect(refusedFields(problem, "en")).toEqual({ number: { sentence: "no such number" } });
  expect(refusedFields(problem, "zh")).toEqual({ number: { sentence: "这不是号码：请改" } });
});

test("what a colleague changed is named, and stays where this form did not touch it", () => {
  const now = row({ carrier: "深圳电信", note: "theirs", per_day_max: 0 });
  const form = { ...formOf(row()), note: "ours", region: "广州" };
  expect(merged(form, row(), now)).toEqual({ ...formOf(now), note: "ours", region: "广州" });
  expect(changeOf(merged(form, row(), now), now, [...TEXTS, ...LIMITS])).toEqual({ note: "ours", region: "广州" });
  expect(differing(row(), row({ carrier: "x", per_day_max: 0, holder_id_end: "9999" }))).toEqual(["holder_id", "carrier", "per_day_max"]);
});
