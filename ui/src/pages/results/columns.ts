/** Columns of the results, which of them a reader sees. Kept in this browser. */
import { useSyncExternalStore } from "react";

export const COLUMNS = ["campaign", "name", "number", "agent", "outcome", "talk", "disposition", "result", "ended", "note", "recording"] as const;
export type Column = (typeof COLUMNS)[number];

/** Columns that are off until they are chosen. */
const OFF: readonly Column[] = ["note"];
const KEPT = "paceline.results.columns";

/** Reads the kept columns; a page that was updated may know others, and what it does not know is left out. */
export function readColumns(kept: string | null): ReadonlySet<Column> {
  const usual = new Set(COLUMNS.filter((it) => !OFF.includes(it)));
  if (kept === null) return usual;
  return new Set(COLUMNS.filter((it) => kept.split(",").includes(it)));
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
