/** Columns of the results, which of them a reader sees: those of the address (a saved view), else what is kept in this browser. */
import { useSyncExternalStore } from "react";

export const COLUMNS = ["campaign", "name", "building", "number", "ordinal", "agent", "outcome", "waited", "talk", "disposition", "result", "ended", "trunk", "caller_id", "note", "recording"] as const;
export type Column = (typeof COLUMNS)[number];

/** Columns that are off until they are chosen. */
const OFF: readonly Column[] = ["building", "ordinal", "waited", "ended", "trunk", "caller_id", "note"];
const KEPT = "paceline.results.columns";

/** Reads the kept columns; a page that was updated may know others, and what it does not know is left out. */
export function readColumns(kept: string | null): ReadonlySet<Column> {
  const usual = new Set(COLUMNS.filter((it) => !OFF.includes(it)));
  if (kept === null) return usual;
  return new Set(COLUMNS.filter((it) => kept.split(",").includes(it)));
}

/** The columns that an address names; `undefined` = it names none that the page has. */
export function columnsOf(search: URLSearchParams): ReadonlySet<Column> | undefined {
  const named = search.get("cols");
  const found = named === null ? [] : COLUMNS.filter((it) => named.split(",").includes(it));
  return found.length === 0 ? undefined : new Set(found);
}

const listeners = new Set<() => void>();
let columns = readColumns(typeof localStorage === "undefined" ? null : localStorage.getItem(KEPT));

export function setColumns(next: ReadonlySet<Column>): void {
  columns = next;
  localStorage.setItem(KEPT, [...next].join(","));
  for (const listener of listeners) listener();
}

export const useColumns = (): ReadonlySet<Column> => useSyncExternalStore((listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
}, () => columns);
