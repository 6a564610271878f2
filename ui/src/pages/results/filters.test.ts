import { describe, expect, test } from "vitest";
import { columnsOf, readColumns } from "./columns";
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

  test("a named span goes along with today, and days that are written out stand before it", () => {
    expect(spanOf(search("days=week"), now)).toEqual({ from: "2026-11-24", until: "2026-11-30" });
    expect(spanOf(search("days=yesterday"), new Date(2026, 11, 1))).toEqual({ from: "2026-11-30", until: "2026-11-30" });
    expect(spanOf(search("days=week&from=2026-11-02&until=2026-11-03"), now)).toEqual({ from: "2026-11-02", until: "2026-11-03" });
    expect(spanOf(search("days=toString"), now)).toEqual({ from: "2026-11-30", until: "2026-11-30" });
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

  test("of later are asked under their names, and the order only where it is another", () => {
    const query = queryOf(search("group=vote&building=3-2&waited=5&missed=true&caller=0755-12345678&sort=longest"), now);
    expect(query).toMatchObject({ group: "vote", building: "3-2", waited_min: 5, missed: "true", caller_id: "075512345678", sort: "longest" });
    expect(queryOf(search("sort=newest"), now)).not.toHaveProperty("sort");
    expect(queryOf(search("sort=best"), now)).not.toHaveProperty("sort");
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
  expect(readColumns(null).has("agent")).toBe(true);
});

test("columns of the address stand before the kept ones, where the page has them", () => {
  expect([...columnsOf(search("cols=talk,gone,name")) ?? []]).toEqual(["name", "talk"]);
  for (const none of ["", "cols=", "cols=gone"]) expect(columnsOf(search(none)), none).toBeUndefined();
});

test("a link's own moments stand for the days of the address, and what is none is asked for as such", () => {
  const now = new Date("2026-11-30T12:00:00Z");
  const within = "2026-11-29T16:00:00.000Z/2026-11-29T17:00:00.000Z";
  const query = queryOf(new URLSearchParams({ from: "2026-11-01", until: "2026-11-30", within, building: "-", by: "-" }), now);
  expect([query.from, query.until, query.building, query.agent]).toEqual(["2026-11-29T16:00:00.000Z", "2026-11-29T17:00:00.000Z", "-", "-"]);
  expect(filtersOf(new URLSearchParams({ within: "2026-11-29T17:00:00.000Z/2026-11-29T16:00:00.000Z", number: "-" }))).toEqual([]);
});
