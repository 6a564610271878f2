import { expect, test } from "vitest";
import { holds, isNumber, national, readNumbers } from "./entries";

test("numbers read as people here write them", () => {
  for (const [stored, shown] of [
    ["+8613800138000", "13800138000"], ["+861380013*", "1380013*"], ["+8657188888888", "057188888888"], ["+86755*", "0755*"], ["+861012345678", "01012345678"],
    ["+864001234567", "4001234567"], ["+852*", "+852*"], ["+14155550100", "+14155550100"],
  ] as const) expect(national(stored), stored).toBe(shown);
});

test("an entry holds until its moment, and not at it", () => {
  const until = "2027-06-01T00:00:00Z";
  const at = Date.parse(until);
  expect([holds({ until }, at - 1), holds({ until }, at), holds({ until: null }, at)]).toEqual([true, false, true]);
});

test("pasted numbers are read once each; what is none is named", () => {
  expect(readNumbers("138 0013 8000\n\uff0813800138000\uff09\uff0c 1380013*\uff1b0755*\n\n12、+852*,138****8000")).toEqual({ numbers: ["13800138000", "1380013*", "0755*", "+852*"], unfit: ["12", "138****8000"] });
  expect(readNumbers(" \n,,")).toEqual({ numbers: [], unfit: [] });
});

test("the look-up takes whole numbers only", () => {
  for (const text of ["13800138000", "138-0013-8000", "0571-88888888", "+86 138 0013 8000"]) expect(isNumber(text), text).toBe(true);
  for (const text of ["1380013*", "138****8000", "", "abc"]) expect(isNumber(text), text).toBe(false);
});
