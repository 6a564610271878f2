/** Live rows outside React: components subscribe to one row, or to a list's order; updates come at most four times a second. */
import { useCallback, useEffect, useSyncExternalStore } from "react";
import type { Campaign, Seat, Trunk } from "../api/words";
import { setServerTime } from "./clock";
import { connect, type Connection } from "./connection";
import type { Ended, Link, ToTab } from "./hub";
import { apply, emptyModel, type Decision } from "./model";

/** Shortest time between two rounds of updates, in ms. */
const ROUND = 250;

type Listener = () => void;

const model = emptyModel();
let link: Link = { phase: "connecting", since: Date.now(), seen: undefined };
let connection: Connection | undefined;
let account: string | undefined;
const topics = new Map<string, number>();

const rows = new Map<string, Set<Listener>>();
const listeners = new Set<Listener>();
const linkListeners = new Set<Listener>();
const eventListeners = new Map<string, Set<(data: unknown) => void>>();
let onEnded: ((because: Ended) => void) | undefined;

let changed = new Set<string>();
let round: ReturnType<typeof setTimeout> | undefined;
let lastRound = 0;

const lists: { seats: Seat[]; campaigns: Campaign[]; trunks: Trunk[] } = { seats: [], campaigns: [], trunks: [] };

function flush(): void {
  round = undefined;
  lastRound = Date.now();
  const keys = changed;
  changed = new Set();
  lists.seats = [...model.seats.values()];
  lists.campaigns = [...model.campaigns.values()];
  lists.trunks = [...model.trunks.values()];
  if (keys.has("*")) for (const set of rows.values()) for (const listener of set) listener();
  else for (const key of keys) for (const listener of rows.get(key) ?? []) listener();
  for (const listener of listeners) listener();
}

function mark(key: string): void {
  changed.add(key);
  round ??= setTimeout(flush, Math.max(0, ROUND - (Date.now() - lastRound)));
}

/** Seats whose changes are drawn without waiting for the round: an agent's own, on the desk. */
const atOnce = new Set<string>();

function flushNow(): void {
  clearTimeout(round);
  flush();
}

function take(message: ToTab): void {
  switch (message.kind) {
    case "link":
      link = message.link;
      for (const listener of linkListeners) listener();
      return;
    case "ended":
      // After the password the same person goes on: what the page shows stays, as of when it came.
      if (message.because === "expired") account = undefined;
      else clear();
      onEnded?.(message.because);
      return;
    case "event": {
      const at = (message.data as { at?: unknown } | null)?.at;
      if ((message.event === "beat" || message.event === "snapshot") && typeof at === "string") setServerTime(at);
      const change = apply(model, message.event, message.data);
      if (change.kind === "all") mark("*");
      else if (change.kind !== "none") mark(`${change.kind}:${change.key}`);
      for (const listener of eventListeners.get(message.event) ?? []) listener(message.data);
      if (change.kind === "seat" && atOnce.has(change.key)) flushNow();
    }
  }
}

function clear(): void {
  Object.assign(model, emptyModel());
  account = undefined;
  mark("*");
}

/** Opens the stream for this account; the tab shows what comes until [`closeLive`]. */
export function openLive(of: string, ended: (because: Ended) => void): void {
  onEnded = ended;
  if (account === of) return;
  account = of;
  connection ??= start();
  connection.send({ kind: "open", account: of, topics: [...topics.keys()] });
}

/** Ends the stream in every tab: the account was signed out. */
export function closeLive(): void {
  connection?.send({ kind: "close" });
  clear();
}

function start(): Connection {
  const made = connect(take);
  const wake = () => made.send({ kind: "wake" });
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
  window.addEventListener("pagehide", () => made.send({ kind: "bye" }));
  // A page that comes back out of the back/forward cache has said goodbye.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && account !== undefined) made.send({ kind: "open", account, topics: [...topics.keys()] });
  });
  return made;
}

function useRow<T>(key: string, read: () => T): T {
  const subscribe = useCallback((listener: Listener) => {
    const set = rows.get(key) ?? new Set();
    rows.set(key, set.add(listener));
    return () => {
      set.delete(listener);
      if (set.size === 0) rows.delete(key);
    };
  }, [key]);
  return useSyncExternalStore(subscribe, read);
}

const subscribeTo = (set: Set<Listener>) => (listener: Listener) => {
  set.add(listener);
  return () => set.delete(listener);
};
const subscribeLists = subscribeTo(listeners);
const subscribeLink = subscribeTo(linkListeners);

export const useSeat = (agent: string): Seat | undefined => useRow(`seat:${agent}`, () => model.seats.get(agent));
/** As `useSeat`; its changes are drawn at once. */
export function useOwnSeat(agent: string): Seat | undefined {
  useEffect(() => {
    atOnce.add(agent);
    return () => void atOnce.delete(agent);
  }, [agent]);
  return useSeat(agent);
}
export const useCampaign = (name: string): Campaign | undefined => useRow(`campaign:${name}`, () => model.campaigns.get(name));
export const useDecision = (name: string): Decision | undefined => useRow(`campaign:${name}`, () => model.decisions.get(name));
export const useSeats = (): Seat[] => useSyncExternalStore(subscribeLists, () => lists.seats);
export const useCampaigns = (): Campaign[] => useSyncExternalStore(subscribeLists, () => lists.campaigns);
export const useTrunks = (): Trunk[] => useSyncExternalStore(subscribeLists, () => lists.trunks);
export const useStoreState = (): string => useSyncExternalStore(subscribeLists, () => model.store);
/** Whether a snapshot has come. */
export const useHasSnapshot = (): boolean => useSyncExternalStore(subscribeLists, () => model.at !== undefined);
export const useVersion = (): string | undefined => useSyncExternalStore(subscribeLists, () => model.version);
export const useLink = (): Link => useSyncExternalStore(subscribeLink, () => link);

/** What the model holds now; for waiting until an action shows. */
export const liveCampaign = (name: string): Campaign | undefined => model.campaigns.get(name);
export const liveSeat = (agent: string): Seat | undefined => model.seats.get(agent);

/** Called after each round of updates. */
export const onRound = subscribeLists;

/** Calls `act` for each event of this kind while the component is on the page; `act` must keep its identity. */
export function useLiveEvent(event: string, act: (data: unknown) => void): void {
  useEffect(() => {
    const set = eventListeners.get(event) ?? new Set();
    eventListeners.set(event, set.add(act));
    return () => void set.delete(act);
  }, [event, act]);
}

/** Asks for a topic of `/live` beyond the usual ones while the component is on the page. */
export function useTopic(topic: string | undefined): void {
  useEffect(() => {
    if (topic === undefined) return;
    topics.set(topic, (topics.get(topic) ?? 0) + 1);
    reopen();
    return () => {
      const left = (topics.get(topic) ?? 1) - 1;
      if (left > 0) topics.set(topic, left);
      else topics.delete(topic);
      reopen();
    };
  }, [topic]);
}

function reopen(): void {
  if (account !== undefined) connection?.send({ kind: "open", account, topics: [...topics.keys()] });
}
