import { expect, test } from "vitest";
import { DAYS, readDays, writeDays, type Day } from "./days";

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
