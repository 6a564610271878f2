/** What was done last, and the offer to take it back: one at a time, for ten seconds (CONSOLE.md 1, 6). */
import { useEffect, useId, useSyncExternalStore } from "react";
import { serverNow } from "../live/clock";
import type { Translate } from "../words";
import { moment } from "../words/format";

/** How long the offer stands, in ms. */
export const UNDO_FOR = 10_000;

export interface UndoOffer {
  /** Another number for each offer. */
  id: number;
  /** What was done, as a sentence. */
  words: string;
  /** Takes it back on the service; without it the sentence alone is shown. */
  undo: (() => Promise<unknown>) | undefined;
}

let offer: UndoOffer | undefined;
let offers = 0;
/** Places that show the offer, the topmost last: while a drawer is modal, nothing outside it can be clicked. */
let hosts: readonly string[] = [];
const listeners = new Set<() => void>();

function show(next: UndoOffer | undefined): void {
  offer = next;
  for (const listener of listeners) listener();
}

/** Says what was done and offers to take it back. */
export const offerUndo = (words: string, undo?: () => Promise<unknown>): void => show({ id: (offers += 1), words, undo });

/** Says that a form was saved, and when; with a way back where there is one. */
export const offerSaved = (t: Translate, undo?: () => Promise<unknown>): void => {
  const now = new Date(serverNow());
  offerUndo(t("kit.savedAt", { time: moment(now, now) }), undo);
};

/** Takes this offer away; a newer one stays. */
export function closeUndo(which: UndoOffer): void {
  if (offer === which) show(undefined);
}

/** Takes any offer away: another person is at the page. */
export const dropUndo = (): void => show(undefined);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The offer, for the topmost of the places that show it. */
export function useUndoOffer(): UndoOffer | undefined {
  const id = useId();
  useEffect(() => {
    hosts = [...hosts, id];
    show(offer);
    return () => {
      hosts = hosts.filter((it) => it !== id);
      show(offer);
    };
  }, [id]);
  return useSyncExternalStore(subscribe, () => (hosts[hosts.length - 1] === id ? offer : undefined));
}
