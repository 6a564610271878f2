import { expect, test } from "vitest";
import { changesOf } from "./changes";

test("only what differs is a change", () => {
  expect(changesOf({ name: "a", role: "agent", version: 1 }, { name: "b", role: "agent", version: 2 })).toEqual([{ field: "name", was: "a", now: "b" }]);
});

test("a new row has no before, a removed one no after", () => {
  expect(changesOf(null, { name: "b", groups: [{ group: "x", priority: 2 }, { group: "y", priority: 1 }], skills: [], telephone: null }))
    .toEqual([{ field: "name", was: undefined, now: "b" }, { field: "groups", was: undefined, now: "group x, priority 2; group y, priority 1" }]);
  expect(changesOf({ name: "a" }, null)).toEqual([{ field: "name", was: "a", now: undefined }]);
});

test("values that are no records are whole", () => {
  expect(changesOf(null, null)).toEqual([]);
  expect(changesOf("a", "b")).toEqual([{ field: "", was: "a", now: "b" }]);
  expect(changesOf(undefined, 3)).toEqual([{ field: "", was: undefined, now: "3" }]);
});
