/** The service's clock: the offset to this machine's, as the median of the last eight moments that the service named. */
import { useSyncExternalStore } from "react";

const KEPT = 8;
const offsets: number[] = [];
let offset = 0;

/** Takes a moment of the service (RFC 3339) at its arrival. */
export function setServerTime(at: string, arrived = Date.now()): void {
  const moment = Date.parse(at);
  if (Number.isNaN(moment)) return;
  offsets.push(moment - arrived);
  if (offsets.length > KEPT) offsets.shift();
  const sorted = [...offsets].sort((a, b) => a - b);
  offset = sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Milliseconds since 1970 by the service's clock. */
export function serverNow(): number {
  return Date.now() + offset;
}

// One ticker for every timer on the page, so that they change together.
const listeners = new Set<() => void>();
let second = Math.floor(serverNow() / 1000);
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  const now = Math.floor(serverNow() / 1000);
  if (now === second) return;
  second = now;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, 250);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Seconds since 1970 by the service's clock; draws the component anew once a second. */
export function useSecond(): number {
  return useSyncExternalStore(subscribe, () => second);
}
