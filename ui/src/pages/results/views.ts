/** Saved views: what of an address belongs to one. Pure. */
import type { Schemas } from "../../api/words";
import { FILTERS } from "./filters";

export type View = Schemas["SavedView"];

/** Parameters of the address that a view keeps: filters, days, direction, order. Columns stand beside them, drawers do not belong to it. */
const KEPT: readonly string[] = ["days", "from", "until", "dir", "sort", ...FILTERS];

/** The query that a view of this address keeps, in one order, so that equal views are equal texts. */
export function keptQuery(search: URLSearchParams): string {
  const kept = new URLSearchParams();
  for (const name of KEPT) {
    const value = search.get(name);
    if (value !== null && value !== "") kept.set(name, value);
  }
  return kept.toString();
}

/** The address of a view: everything that it shows stands in it, so that it shows the same to who does not see the view. */
export function addressOf(view: Pick<View, "id" | "query" | "columns">): string {
  const search = new URLSearchParams(view.query);
  if (view.columns.length > 0) search.set("cols", view.columns.join(","));
  search.set("view", String(view.id));
  return `?${search.toString()}`;
}

/** Whether the address shows something else than its view. */
export const isChanged = (view: View, search: URLSearchParams, columns: readonly string[]): boolean =>
  keptQuery(new URLSearchParams(view.query)) !== keptQuery(search) || (view.columns.length > 0 && view.columns.join() !== columns.join());
