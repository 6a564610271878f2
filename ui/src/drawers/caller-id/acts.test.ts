import { expect, test } from "vitest";
import { zh } from "../../words/zh";
import { actWord, bodyOf, consequence, isOnTrial, isUntil } from "./acts";

test("to resume means what the state makes of it", () => {
  const word = (state: Parameters<typeof actWord>[1]["state"], suspected = false) => [actWord("resume", { state, suspected }), consequence("resume", { state, suspected })];
  expect(word("entered")).toEqual(["callerIds.act_use", "callerIds.ask_use"]);
  expect(word("bound")).toEqual(["callerIds.act_use", "callerIds.ask_resume"]);
  expect(word("warming")).toEqual(["callerIds.act_endWarmUp", "callerIds.ask_endWarmUp"]);
  expect(word("resting")).toEqual(["callerIds.act_resume", "callerIds.ask_resume"]);
  expect(word("resting", true)).toEqual(["callerIds.act_tryAgain", "callerIds.ask_tryAgain"]);
  expect(isOnTrial({ state: "normal", suspected: true })).toBe(false);
  expect(zh).toHaveProperty([actWord("retire", { state: "normal", suspected: false })]);
});

test("a body holds what its act takes, and nothing else", () => {
  const form = { note: " 业主说显示骚扰 ", until: "2030-01-31T09:30", agent: "8001" };
  expect(bodyOf("flag", form)).toEqual({ action: "flag", note: "业主说显示骚扰" });
  expect(bodyOf("rest", form)).toEqual({ action: "rest", until: new Date("2030-01-31T09:30").toISOString() });
  expect(bodyOf("bind", form)).toEqual({ action: "bind", agent: "8001" });
  expect(bodyOf("retire", form)).toEqual({ action: "retire" });
  for (const action of ["flag", "rest", "bind"] as const) expect(bodyOf(action, { note: " ", until: "", agent: "" })).toEqual({ action });
});

test("a rest ends in the future or never", () => {
  const now = Date.parse("2026-11-30T10:00");
  expect([isUntil("", now), isUntil("2026-11-30T10:01", now), isUntil("2026-11-30T10:00", now), isUntil("soon", now)]).toEqual([true, true, false, false]);
});
