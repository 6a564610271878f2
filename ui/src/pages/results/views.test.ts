import { expect, test } from "vitest";
import { addressOf, isChanged, keptQuery, type View } from "./views";

const view: View = { id: 7, page: "results", name: "Morning", query: "days=week&outcome=answered&min=30", columns: ["name", "talk"], group: null, owner: "8002", owner_name: "Ann", own: true, version: 1 };

test("a view keeps filters, days and order, and neither drawers nor itself", () => {
  const search = new URLSearchParams("call=out-812&min=30&outcome=answered&view=3&cols=name&days=week&sort=longest&lead=4&help");
  expect(keptQuery(search)).toBe("days=week&sort=longest&outcome=answered&min=30");
  expect(keptQuery(new URLSearchParams("number=&dir=in"))).toBe("dir=in");
});

test("the address of a view says everything that it shows", () => {
  const search = new URLSearchParams(addressOf(view));
  expect(search.get("cols")).toBe("name,talk");
  expect(keptQuery(search)).toBe(keptQuery(new URLSearchParams(view.query)));
  expect(isChanged(view, search, ["name", "talk"])).toBe(false);
});

test("another filter, order or column changes a view; a drawer does not", () => {
  const search = new URLSearchParams(addressOf(view));
  search.set("call", "out-1");
  expect(isChanged(view, search, ["name", "talk"])).toBe(false);
  expect(isChanged(view, search, ["name"])).toBe(true);
  search.set("sort", "longest");
  expect(isChanged(view, search, ["name", "talk"])).toBe(true);
  expect(isChanged({ ...view, columns: [] }, new URLSearchParams(view.query), ["name"])).toBe(false);
});
