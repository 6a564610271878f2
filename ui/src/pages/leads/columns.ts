/** Columns of the table of leads: which are shown is kept in the browser. */
import { useSyncExternalStore } from "react";

export const COLUMNS = ["name", "place", "numbers", "state", "attempts", "last", "next", "because", "agent", "building", "list"] as const;
export type Column = (typeof COLUMNS)[number];

/** Widths in px; the last one that is shown takes what is left, `because` first. */
export const WIDTHS: Record<Column, number> = { name: 128, place: 108, numbers: 128, state: 132, attempts: 56, last: 172, next: 124, because: 240, agent: 72, building: 72, list: 140 };

/** Columns that are off until they are chosen. */
const OFF: readonly Column[] = ["agent", "building", "list"];
const KEPT = "paceline.leads.columns";

/** Reads the kept columns; what this page does not know is left out. */
export function readColumns(kept: string | null): ReadonlySet<Column> {
  const usual = new Set(COLUMNS.filter((it) => !OFF.includes(it)));
  return kept === null ? usual : new Set(COLUMNS.filter((it) => kept.split(",").includes(it)));
}

const listeners = new Set<() => void>();
let columns = readColumns(typeof localStorage === "undefined" ? null : localStorage.getItem(KEPT));

export function toggleColumn(column: Column): void {
  const next = new Set(columns);
  if (!next.delete(column)) next.add(column);
  columns = new Set(COLUMNS.filter((it) => next.has(it)));
  localStorage.setItem(KEPT, [...columns].join(","));
  for (const listener of listeners) listener();
}

export const useColumns = (): ReadonlySet<Column> => useSyncExternalStore((listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
}, () => columns);
