import { useEffect, useRef } from "react";
import { KeyFilter, type Key } from "./keys";

const filter = new KeyFilter();
window.addEventListener("compositionend", (event) => filter.compositionEnded(event.timeStamp), true);

/** Calls `act` when the key is pressed anywhere on the page; the browser's own meaning of the key is held back. */
export function useKey(key: Key, act: () => void): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!filter.accepts(event, key, event.timeStamp)) return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [key]);
}
