/** What the desk says to screen readers, and beside the call bar: the reason of a grey button whose key was pressed. */
import { useSyncExternalStore } from "react";

let said = { text: "", n: 0 };
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

function set(text: string): void {
  said = { text, n: said.n + 1 };
  for (const listener of listeners) listener();
}

/** How long it stands, in ms. */
const STANDS = 6_000;

export function announce(text: string): void {
  set(text);
  clearTimeout(timer);
  timer = setTimeout(() => set(""), STANDS);
}

export const useAnnounced = () => useSyncExternalStore(
  (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  () => said,
);
