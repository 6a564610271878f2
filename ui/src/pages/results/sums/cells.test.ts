import { expect, test } from "vitest";
import { callsBehind, dimensionsOf, figure, figureOf, filtersOnly, linesOf, type CallSum } from "./cells";

const sum = (keys: (string | null)[], calls: number, more: Partial<CallSum> = {}): CallSum => ({
  keys, labels: keys.map(() => null), from: null, until: null, calls, answered: 0, divisor: calls, talked: 0, talked_secs: 0, abandoned: 0, people: 0, ...more,
});
const search = (text: string) => new URLSearchParams(text);

test("two dimensions at most, and never the same twice", () => {
  expect(dimensionsOf(search(""))).toEqual(["hour"]);
  expect(dimensionsOf(search("sum=day&then=outcome"))).toEqual(["day", "outcome"]);
  expect(dimensionsOf(search("sum=day&then=day"))).toEqual(["day"]);
  expect(dimensionsOf(search("sum=no&then=trunk"))).toEqual(["hour", "trunk"]);
  expect([figureOf(search("figure=talkMean")), figureOf(search("figure=x"))]).toEqual(["talkMean", "calls"]);
});

test("lines and columns add up to the same", () => {
  const items = [sum(["a", "x"], 2, { talked_secs: 0.1 }), sum(["a", "y"], 3, { talked_secs: 0.2 }), sum(["b", "y"], 5), sum([null, "x"], 1)];
  const { lines, columns } = linesOf(items);
  expect(lines.map((line) => [line.key, line.sum.calls])).toEqual([["a", 5], ["b", 5], [null, 1]]);
  expect(columns.map((column) => [column.key, column.sum.calls])).toEqual([["x", 3], ["y", 8]]);
  expect(lines[0]?.sum.talked_secs).toBe(0.3);
  expect(lines[0]?.cells.get("y")?.calls).toBe(3);
  expect(linesOf([sum(["a"], 2)]).columns).toEqual([]);
});

test("a rate of nothing is unknown, not zero", () => {
  expect(figure(sum(["a"], 0), "answerRate")).toBeUndefined();
  expect(figure(sum(["a"], 4, { answered: 1 }), "answerRate")).toBe(0.25);
  expect(figure(sum(["a"], 4, { abandoned: 1, people: 2 }), "abandonRate")).toBe(0.5);
  expect(figure(sum(["a"], 4, { talked: 2, talked_secs: 30 }), "talkMean")).toBe(15);
});

const OPEN = { from: null, until: null };

test("a cell opens its calls with the page's own filters", () => {
  const page = search("sum=day&then=outcome&figure=calls&campaign=spring&from=2026-03-01&until=2026-03-05");
  const item = sum(["2026-03-02", "busy"], 4, { from: "2026-03-01T16:00:00.000Z", until: "2026-03-02T16:00:00.000Z" });
  const opened = (to: string | undefined) => Object.fromEntries(search(to?.slice("/results?".length) ?? ""));
  expect(opened(callsBehind(page, [["day", "2026-03-02", item], ["outcome", "busy", item]], OPEN))).toEqual({
    campaign: "spring", from: "2026-03-01", until: "2026-03-05", within: "2026-03-01T16:00:00.000Z/2026-03-02T16:00:00.000Z", outcome: "busy",
  });
  expect(callsBehind(page, [["agent", "8001", item], ["building", null, item]], OPEN, "abandoned")).toBe("/results?campaign=spring&from=2026-03-01&until=2026-03-05&by=8001&building=-&missed=true");
  expect(callsBehind(page, [["caller_id", "0755****5678", item]], OPEN)).toBeUndefined();
  expect(filtersOnly(page).toString()).toBe("campaign=spring&from=2026-03-01&until=2026-03-05");
});

test("an hour does not reach beyond the page's span", () => {
  const item = sum(["x"], 4, { from: "2026-03-01T16:00:00.000Z", until: "2026-03-01T17:00:00.000Z" });
  const to = callsBehind(search(""), [["hour", "x", item]], { from: "2026-03-01T16:30:00.000Z", until: "2026-03-01T16:45:00.000Z" });
  expect(search(to?.slice("/results?".length) ?? "").get("within")).toBe("2026-03-01T16:30:00.000Z/2026-03-01T16:45:00.000Z");
});

test("no filter tells the answered of inbound calls, and none of another outcome were answered", () => {
  const item = sum(["8001"], 1);
  expect(callsBehind(search("dir=in"), [["agent", "8001", item]], OPEN, "answered")).toBeUndefined();
  expect(callsBehind(search("dir=in"), [["agent", "8001", item]], OPEN, "abandoned")).toBe("/results?dir=in&by=8001&missed=true");
  expect(callsBehind(search(""), [["outcome", "busy", item]], OPEN, "answered")).toBeUndefined();
  expect(callsBehind(search(""), [["outcome", "answered", item]], OPEN, "answered")).toBe("/results?outcome=answered");
});
