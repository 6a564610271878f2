import { expect, test } from "vitest";
import { DAYS, daysWords, readDays, writeDays, type Day } from "./days";

test("every set of days is written so that it is read again", () => {
  for (let bits = 1; bits < 128; bits += 1) {
    const days = new Set<Day>(DAYS.filter((_, n) => (bits >> n) & 1));
    expect(readDays(writeDays(days)), String(bits)).toEqual(days);
  }
  expect(writeDays(new Set(["mon", "tue", "wed", "sun"]))).toBe("mon-wed,sun");
  expect(writeDays(new Set(["sat", "sun"]))).toBe("sat,sun");
  expect(readDays(" Sat - mon ")).toEqual(new Set(["sat", "sun", "mon"]));
  for (const text of ["", "mon-", "monday", "mon-tue-wed", "1-5"]) expect(readDays(text), text).toBe(undefined);
});

test("days are said by their names, in runs", () => {
  const words = { day: (day: Day) => day.toUpperCase(), all: "every day" };
  for (const [text, said] of [["mon-sun", "every day"], ["mon-fri,sun", "MON–FRI, SUN"], ["sat,sun", "SAT–SUN"], ["fri-mon", "MON, FRI–SUN"], ["wed", "WED"], ["someday", "someday"]] as const) expect(daysWords(text, words)).toBe(said);
});
