import { describe, expect, test } from "vitest";
import { COLUMNS, readColumns } from "./columns";
import { callId, dayOf, filtersOf, fitValue, parseCallId, plusDays, queryOf, spanName, spanOf, startOfDay, talked } from "./filters";

const now = new Date(2026, 10, 30, 14, 3, 22);
const search = (text: string) => new URLSearchParams(text);

describe("days", () => {
  test("without a choice it is today, whole", () => {
    expect(spanOf(search(""), now)).toEqual({ from: "2026-11-30", until: "2026-11-30" });
    const { from, until } = queryOf(search(""), now);
    expect(new Date(from ?? "").getTime()).toBe(new Date(2026, 10, 30).getTime());
    expect(new Date(until ?? "").getTime()).toBe(new Date(2026, 11, 1).getTime());
  });

  test("what is no day is not taken, and the last day is never before the first", () => {
    expect(spanOf(search("from=2026-02-31"), now)).toEqual({ from: "2026-11-30", until: "2026-11-30" });
    expect(spanOf(search("from=2026-11-20&until=2026-11-10"), now)).toEqual({ from: "2026-11-20", until: "2026-11-20" });
    expect(spanOf(search("until=2026-11-10"), now)).toEqual({ from: "2026-11-10", until: "2026-11-10" });
    expect(spanOf(search("from=2027-01-01"), now)).toEqual({ from: "2027-01-01", until: "2027-01-01" });
  });

  test("named spans are recognised from their days", () => {
    expect(spanName(spanOf(search("from=2026-11-24&until=2026-11-30"), now), now)).toBe("week");
    expect(spanName(spanOf(search("from=2026-11-29&until=2026-11-29"), now), now)).toBe("yesterday");
    expect(spanName(spanOf(search("from=2026-11-02&until=2026-11-30"), now), now)).toBeUndefined();
  });

  test("every day of ten years is the start of itself and follows the day before", () => {
    let at = new Date(2024, 0, 1);
    for (let n = 0; n < 3_650; n += 1) {
      const day = dayOf(at);
      expect(startOfDay(day)?.getTime()).toBe(at.getTime());
      const next = plusDays(at, 1);
      expect(dayOf(next) > day).toBe(true);
      at = next;
    }
  });
});

describe("filters", () => {
  test("are asked of the service under its names", () => {
    const query = queryOf(search("by=8003&of=17&min=5&max=60&ended=agent&outcome=answered&recorded=true&number=138 0013 8000&campaign=vote&agent=8001&lead=3"), now);
    expect(query).toMatchObject({ direction: "out", agent: "8003", lead: 17, talk_min: 5, talk_max: 60, ended_by: "agent", outcome: "answered", recorded: "true", number: "13800138000", campaign: "vote" });
  });

  test("that cannot be one are left out", () => {
    expect(filtersOf(search("min=-1&max=1e3&outcome=lost&number=12&of=0&recorded=yes&campaign=%20"))).toEqual([]);
  });

  test("that inbound calls do not have are not sent for them", () => {
    const query = queryOf(search("dir=in&outcome=answered&result=agree&trunk=main&disposition=voted"), now);
    expect(query).toMatchObject({ direction: "in", disposition: "voted" });
    for (const name of ["outcome", "result", "trunk"]) expect(query).not.toHaveProperty(name);
  });

  test("take numbers as people write them", () => {
    for (const text of ["13800138000", " 138-0013-8000", "+8613800138000", "0571-88888888", "(021) 55556666"]) expect(fitValue("number", text), text).toBeDefined();
    for (const text of ["138****8000", "1380013", "abc"]) expect(fitValue("number", text), text).toBeUndefined();
  });
});

test("a call has one name in the address, and only that", () => {
  expect(parseCallId(callId({ direction: "in", id: 7 }))).toEqual({ direction: "in", id: 7 });
  for (const text of ["7", "out-0", "out-x", "out-1;", "up-1", ""]) expect(parseCallId(text)).toBeUndefined();
});

test("talk counts from the answer to the end", () => {
  expect(talked({ answered_at: "2026-11-30T06:00:00Z", ended_at: "2026-11-30T06:01:32Z" })).toBe(92);
  expect(talked({ answered_at: null, ended_at: "2026-11-30T06:01:32Z" })).toBeUndefined();
  expect(talked({ answered_at: "2026-11-30T06:00:00Z", ended_at: null })).toBeUndefined();
});

test("kept columns that the page no longer has are left out", () => {
  expect([...readColumns("name,gone,talk")]).toEqual(["name", "talk"]);
  expect(readColumns(null).has("note")).toBe(false);
  expect(readColumns(null).size).toBe(COLUMNS.length - 1);
});
