import { describe, expect, test } from "vitest";
import type { ScheduleBar } from "../../api/leads-table";
import { changesOf, holidayText, parseHoliday, withHoliday } from "./holidays";
import { barsOf, daysOf, weekName, weekOf } from "./week";

const now = new Date(2026, 10, 26, 15, 30);
const bar = (from: Date, until: Date, kind: ScheduleBar["kind"] = "window"): ScheduleBar => ({ from: from.toISOString(), until: until.toISOString(), kind, words: { zh: "", en: "" } });

describe("a week", () => {
  test("begins on Monday, whatever day the address names", () => {
    for (const day of ["2026-11-23", "2026-11-26", "2026-11-29"]) expect(weekOf(new URLSearchParams(`week=${day}`), now)).toEqual(new Date(2026, 10, 23));
    expect(weekOf(new URLSearchParams("week=2026-02-31"), now)).toEqual(new Date(2026, 10, 23));
    expect(daysOf(weekOf(new URLSearchParams(), now)).map((it) => it.getDate())).toEqual([23, 24, 25, 26, 27, 28, 29, 30]);
  });

  test("the present one has no name in the address", () => {
    const monday = weekOf(new URLSearchParams("week=2026-11-30"), now);
    expect(weekName(monday, -1, now)).toBeNull();
    expect(weekName(monday, 1, now)).toBe("2026-12-07");
  });

  test("a bar is cut at midnight; those of other days are not in this one; holidays lie below", () => {
    const [day, next] = [new Date(2026, 10, 24), new Date(2026, 10, 25)];
    const night = bar(new Date(2026, 10, 23, 18), new Date(2026, 10, 24, 6));
    const holiday = bar(day, next, "holiday");
    const found = barsOf([night, holiday, bar(new Date(2026, 10, 26, 8), new Date(2026, 10, 26, 9))], day, next);
    expect(found.map((it) => [it.bar.kind, it.from, it.until])).toEqual([["holiday", 0, 1], ["window", 0, 0.25]]);
  });
});

describe("holidays", () => {
  test("are read and written as the service has them", () => {
    for (const text of ["2027-01-01", "2027-02-05..2027-02-12"]) expect(holidayText(parseHoliday(text) ?? { from: "", until: "" })).toBe(text);
    for (const text of ["", "2027-02-31", "2027-02-12..2027-02-05", "2027-01-01..", "a..b"]) expect(parseHoliday(text), text).toBeUndefined();
  });

  test("are added in order, once", () => {
    const days = ["2027-01-01", "2027-02-05..2027-02-12"];
    expect(withHoliday(days, { from: "2027-01-20", until: "2027-01-20" })).toEqual(["2027-01-01", "2027-01-20", "2027-02-05..2027-02-12"]);
    expect(withHoliday(days, { from: "2027-02-06", until: "2027-02-07" })).toEqual(days);
    expect(withHoliday(days, { from: "2027-01-01", until: "2027-01-03" })).toEqual(["2027-01-01..2027-01-03", "2027-02-05..2027-02-12"]);
    expect(changesOf(days, ["2027-02-05..2027-02-12", "2027-05-01"])).toBe(2);
  });
});
