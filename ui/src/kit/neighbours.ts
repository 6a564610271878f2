/** The order of the list under a drawer, so that the drawer leads to the rows above and below. */
import { useEffect, useSyncExternalStore } from "react";

const lists = new Map<string, readonly string[]>();
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function notify(): void {
  for (const listener of listeners) listener();
}

/** Names the rows that the page shows, as the values of the drawer's parameter. */
export function useListOf(parameter: string, ids: readonly string[]): void {
  const key = ids.join(" ");
  useEffect(() => {
    lists.set(parameter, key === "" ? [] : key.split(" "));
    notify();
    return () => {
      lists.delete(parameter);
      notify();
    };
  }, [parameter, key]);
}

/** The rows above and below this one; `undefined` where there is none. */
export function useNeighbours(parameter: string, id: string): { before: string | undefined; after: string | undefined } {
  const list = useSyncExternalStore(subscribe, () => lists.get(parameter));
  const at = list?.indexOf(id) ?? -1;
  return at < 0 ? { before: undefined, after: undefined } : { before: list?.[at - 1], after: list?.[at + 1] };
}
