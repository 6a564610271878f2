import { expect, test, vi } from "vitest";

// The cache of queries needs a browser; what is tested here needs none of it.
vi.mock("../../session", () => ({ queries: {} }));
const { passes } = await import("./data");
const { hasAgents } = await import("./figures");
type Campaign = Parameters<typeof hasAgents>[0];
type Row = Parameters<typeof passes>[0];

test("rows of a service without filters are filtered here", () => {
  const row = { name: "jade-vote", title: "翠园 Vote", state: "running", group: "a" } as Row;
  const filter = { state: "", group: "", q: "" };
  expect(passes(row, filter)).toBe(true);
  expect(passes(row, { ...filter, q: "VOTE" })).toBe(true);
  expect(passes(row, { ...filter, q: "翠园" })).toBe(true);
  expect(passes(row, { ...filter, q: "nobody" })).toBe(false);
  expect(passes(row, { ...filter, state: "paused" })).toBe(false);
  expect(passes(row, { ...filter, group: "b" })).toBe(false);
});

test("an announcement has agents only where it hands callees to a group", () => {
  const of = (mode: string | null, group: string | null) => hasAgents({ mode, group } as Campaign);
  expect([of("announce", null), of("announce", "a"), of("ratio", "a"), of("preview", null)]).toEqual([false, true, true, true]);
});
