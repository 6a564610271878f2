import { expect, test } from "vitest";
import { holds, isNumber, isRange, national, readNumbers } from "./entries";

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

test("pasted numbers are read once each; what is none is named by its line", () => {
  const typed = readNumbers("138 0013 8000\n（13800138000）， 1380013*；0755*\n\n12、+852*,138****8000");
  expect(typed.numbers).toEqual(["13800138000", "1380013*", "0755*", "+852*"]);
  expect(typed.unfit).toEqual([{ line: 4, text: "12, 138****8000" }]);
  expect(readNumbers(" \n,,")).toEqual({ numbers: [], unfit: [], rest: "" });
});

test("no line is dropped: it is a number, a range, or named; without the named ones all of it is taken", () => {
  const typed = readNumbers("110\n1541000\n+85291234567\n15410000070 转 12\n0755*\n15410000071, 12");
  expect(typed.numbers).toEqual(["+85291234567", "0755*", "15410000071"]);
  expect(typed.unfit).toEqual([{ line: 1, text: "110" }, { line: 2, text: "1541000" }, { line: 4, text: "15410000070 转 12" }, { line: 6, text: "12" }]);
  const cleaned = readNumbers(typed.rest);
  expect([cleaned.numbers, cleaned.unfit]).toEqual([typed.numbers, []]);
});

test("ranges and numbers of other countries are read as the service takes them", () => {
  const fit = ["+85291234567", "0085291234567", "+14155550100", "+852*", "+86755*", "139*", "0755%", "400*", "1380013*"];
  expect(readNumbers(fit.join("\n")).unfit).toEqual([]);
  const unfit = ["13*", "0*", "*", "+*", "95588*", "+12", "+86110", "75512345678"];
  expect(readNumbers(unfit.join("\n"))).toMatchObject({ numbers: [], unfit: unfit.map((text, n) => ({ line: n + 1, text })) });
});

test("the look-up takes whole numbers of any country, and knows ranges", () => {
  for (const text of ["13800138000", "138-0013-8000", "0571-88888888", "+86 138 0013 8000", "+852 9123 4567", "0085291234567"]) expect(isNumber(text), text).toBe(true);
  for (const text of ["1380013*", "138****8000", "", "abc", "110"]) expect(isNumber(text), text).toBe(false);
  expect(["1380013*", "0755 *", "138****8000", "13800138000"].map(isRange)).toEqual([true, true, false, false]);
});
