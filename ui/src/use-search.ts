/** The view of a page lives in its address: filters, order and drawer are query parameters. */
import { useCallback } from "react";
import { useSearchParams } from "react-router";

export type SearchChange = Record<string, string | null | undefined>;

/** A copy of the parameters with a change; an empty value takes its parameter away. */
export function changed(search: URLSearchParams, change: SearchChange): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const [name, value] of Object.entries(change)) {
    if (value === "" || value === null || value === undefined) next.delete(name);
    else next.set(name, value);
  }
  return next;
}

/** The parameters, and a function that changes some of them in place (Back leaves the page, not the last filter). */
export function useSearch(): [URLSearchParams, (change: SearchChange) => void] {
  const [search, setSearch] = useSearchParams();
  const set = useCallback((change: SearchChange) => setSearch((now) => changed(now, change), { replace: true, preventScrollReset: true }), [setSearch]);
  return [search, set];
}

/** Addresses of drawers over the present page: the page's own parameters stay. */
export function useDrawerLink(): (change: SearchChange) => { search: string } {
  const [search] = useSearchParams();
  return (change) => ({ search: `?${changed(search, change)}` });
}
