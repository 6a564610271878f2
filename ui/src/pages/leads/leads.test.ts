import { describe, expect, test } from "vitest";
import { bulkBody, type LeadPage, type LeadRow } from "../../api/leads-table";
import type { Right } from "../../rights";
import { actionsFor, actionsOf, faultOf, NO_ACTION, nextHour, requestOf } from "./action-form";
import { filtersOf, fitValue, queryOf, wantedOf } from "./filters";
import { LeadPages } from "./lead-pages";
import { Selection } from "./selection";

const search = (text: string) => new URLSearchParams(text);

describe("filters", () => {
  test("are asked of the service under its names; values that are none are left out", () => {
    expect(queryOf(search("state=open&reason=duplicate&outcome=busy&disposition=voted&building=3栋&callback=true&q=李"))).toEqual({
      state: "open", reason: "duplicate", outcome: "busy", disposition: "voted", building: "3栋", callback: "true", q: "李",
    });
    expect(filtersOf(search("state=asleep&callback=false&outcome=lost&building=%20"))).toEqual([]);
    expect(fitValue("q", "x".repeat(129))).toBeUndefined();
  });

  test("numbers and rows are taken as people write them", () => {
    expect(wantedOf(search("q=138 0013-8000"))).toBe("13800138000");
    expect(wantedOf(search("q=13800138000"))).toBe("13800138000");
    expect(wantedOf(search("q=4,711"))).toBe("4711");
    expect(wantedOf(search("q=王, 李"))).toBe("王, 李");
    expect(wantedOf(search("q="))).toBeUndefined();
  });
});

test("a bulk action sends the filters as the service reads them in a body", () => {
  expect(bulkBody({ action: "close" }, { filters: { state: "open", callback: "true" } })).toEqual({ action: "close", filters: { state: "open", callback: true } });
  expect(bulkBody({ action: "first" }, { ids: [1, 2] })).toEqual({ action: "first", ids: [1, 2] });
});

const row = (lead: number) => ({ lead, row: lead }) as LeadRow;

/** A list of the service: rows by number, pages of `size`. */
function list(rows: () => number[], size: number) {
  const asked: (string | undefined)[] = [];
  const read = async (after: string | undefined): Promise<LeadPage> => {
    asked.push(after);
    const from = after === undefined ? -Infinity : Number(after);
    const found = rows().filter((it) => it > from);
    const page = found.slice(0, size);
    return { leads: page.map(row), next: found.length > size ? String(page[page.length - 1]) : null };
  };
  return { read, asked };
}

const settle = () => new Promise((done) => setTimeout(done));
const upTo = (n: number) => Array.from({ length: n }, (_, it) => it + 1);

/** Scrolls to the end, a window of ten rows. */
async function scrollToEnd(pages: LeadPages): Promise<void> {
  for (let tries = 0; tries < 1_000 && (pages.hasMore || pages.isReading); tries += 1) {
    pages.want(Math.max(0, pages.size - 10), pages.size - 1);
    await settle();
  }
}

describe("pages of a long list", () => {
  test("every row has its place, once, and far pages are not held", async () => {
    const { read } = list(() => upTo(997), 20);
    const pages = new LeadPages(read, await read(undefined));
    await scrollToEnd(pages);
    expect(pages.size).toBe(997);
    expect(pages.hasMore).toBe(false);
    expect(pages.held().length).toBeLessThan(200);
    expect(pages.at(0)).toBeUndefined();
    for (let first = 0; first < 997; first += 10) {
      pages.want(first, Math.min(996, first + 9));
      await settle();
      for (let n = first; n < Math.min(997, first + 10); n += 1) expect(pages.at(n)?.lead).toBe(n + 1);
    }
  });

  test("a page is asked for once while it is being read", async () => {
    const { read, asked } = list(() => upTo(100), 20);
    const pages = new LeadPages(read, await read(undefined));
    for (let n = 0; n < 5; n += 1) pages.want(10, 19);
    await settle();
    expect(asked).toEqual([undefined, "20"]);
  });

  test("after rows have left, the rest of the list follows without gap or double", async () => {
    let rows = upTo(100);
    const { read } = list(() => rows, 20);
    const pages = new LeadPages(read, await read(undefined));
    await scrollToEnd(pages);
    rows = rows.filter((it) => it % 7 !== 0);
    pages.want(0, 9);
    await settle();
    pages.refresh();
    await settle();
    await scrollToEnd(pages);
    const seen: number[] = [];
    for (let n = 0; n < pages.size; n += 1) {
      pages.want(n, n);
      await settle();
      seen.push(pages.at(n)?.lead ?? NaN);
    }
    expect(seen).toEqual(rows);
  });

  test("a reading that failed is said, and tried again when asked", async () => {
    let isDown = false;
    const { read } = list(() => upTo(40), 20);
    const pages = new LeadPages((after) => (isDown ? Promise.reject(new Error("down")) : read(after)), await read(undefined));
    isDown = true;
    pages.want(15, 19);
    await settle();
    expect(pages.hasFailed).toBe(true);
    pages.want(15, 19);
    await settle();
    isDown = false;
    pages.retry();
    await settle();
    expect(pages.hasFailed).toBe(false);
    expect(pages.size).toBe(40);
  });
});

describe("a selection", () => {
  test("takes single rows, ranges from the last one, and all that match", () => {
    const order = upTo(10);
    let it = Selection.NONE.toggle(3, order, false);
    it = it.toggle(6, order, true);
    expect([...it.ids]).toEqual([3, 4, 5, 6]);
    it = it.toggle(4, order, false);
    expect([...it.ids]).toEqual([3, 5, 6]);
    expect(it.all().isAll).toBe(true);
    // A row that is taken out of "all" leaves a selection by hand, of nothing that was not seen.
    const without = it.all().toggle(5, order, false);
    expect(without.isAll).toBe(false);
    expect([...without.ids]).toEqual([1, 2, 3, 4, 6, 7, 8, 9, 10]);
    expect(Selection.NONE.withAll(order).ids.size).toBe(10);
    expect(Selection.NONE.withAll(order).withAll(order).ids.size).toBe(0);
  });
});

describe("an action", () => {
  const rights = (...names: Right[]) => new Set<Right>(names);

  test("is offered by right and by the lead's state", () => {
    expect(actionsOf(rights("leads.close", "blacklist.add"))).toEqual(["close", "blacklist"]);
    expect(actionsOf(rights("leads.close"))).toEqual(["close"]);
    expect(actionsOf(rights("leads.add"))).toEqual([]);
    const all = actionsOf(rights("leads.edit", "blacklist.add"));
    expect(all).toHaveLength(7);
    expect(actionsFor("failed", all)).toEqual(["reopen", "blacklist"]);
    expect(actionsFor("open", all)).not.toContain("reopen");
  });

  test("says what is missing before it is sent", () => {
    const now = new Date(2026, 10, 30, 12, 0).getTime();
    expect(faultOf("close", NO_ACTION, now)).toBe("reason");
    expect(faultOf("close", { ...NO_ACTION, reason: "moved away" }, now)).toBeUndefined();
    expect(faultOf("assign", NO_ACTION, now)).toBe("agent");
    expect(faultOf("assign", { ...NO_ACTION, agent: "８００３" }, now)).toBeUndefined();
    expect(faultOf("book", { ...NO_ACTION, at: "" }, now)).toBe("at");
    expect(faultOf("book", { ...NO_ACTION, at: "2026-11-30T11:00" }, now)).toBe("past");
    expect(faultOf("book", { ...NO_ACTION, at: nextHour(new Date(now)) }, now)).toBeUndefined();
  });

  test("is sent with its own fields only", () => {
    const form = { reason: " moved ", agent: "8003 陈梅", at: "2026-11-30T15:00" };
    expect(requestOf("close", form)).toEqual({ action: "close", reason: "moved" });
    expect(requestOf("assign", form)).toEqual({ action: "assign", agent: "8003" });
    expect(requestOf("first", form)).toEqual({ action: "first" });
    expect(requestOf("book", form)).toEqual({ action: "book", reason: "moved", agent: "8003", at: new Date("2026-11-30T15:00").toISOString() });
  });
});
