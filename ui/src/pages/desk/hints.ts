/** What a correction says to the summary: which disposition it offers first. */
import { useSyncExternalStore } from "react";

export type Hint = "phone" | "name" | "add";

let current: Hint | undefined;
const listeners = new Set<() => void>();

export function hint(next: Hint | undefined): void {
  current = next;
  for (const listener of listeners) listener();
}

export const useHint = () => useSyncExternalStore(
  (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  () => current,
);
