/** A tab's way to the hub: the SharedWorker, or, where a browser has none, the tab that holds the Web Lock. */
import { Hub, type Port, type ToHub, type ToTab } from "./hub";

const LIVE = "/api/v1/live";

export interface Connection {
  send(message: ToHub): void;
}

export function connect(take: (message: ToTab) => void): Connection {
  if (typeof SharedWorker === "function") return viaWorker(take);
  // Web Locks exist in secure contexts only.
  return navigator.locks ? viaLeader(take) : alone(take);
}

/** The tab reads for itself. */
function alone(take: (message: ToTab) => void): Connection {
  const hub = new Hub(LIVE);
  const port: Port = { post: take };
  return { send: (message) => hub.take(port, message) };
}

function viaWorker(take: (message: ToTab) => void): Connection {
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "paceline-live" });
  worker.port.onmessage = ({ data }: MessageEvent<ToTab>) => take(data);
  worker.port.start();
  return { send: (message) => worker.port.postMessage(message) };
}

type Relayed = { to: string; message: ToTab } | { from: string; message: ToHub } | { leader: string };

/** Each tab has a name; the tab that gets the lock runs the hub and relays for the others until it closes. */
function viaLeader(take: (message: ToTab) => void): Connection {
  const own = Array.from(crypto.getRandomValues(new Uint32Array(2))).join("-");
  const channel = new BroadcastChannel("paceline-live");
  let hub: Hub | undefined;
  let opened: ToHub | undefined;
  const ports = new Map<string, Port>();
  const portOf = (tab: string): Port => {
    const known = ports.get(tab);
    if (known) return known;
    const port: Port = { post: (message) => tab === own ? take(message) : channel.postMessage({ to: tab, message }) };
    ports.set(tab, port);
    return port;
  };
  channel.onmessage = ({ data }: MessageEvent<Relayed>) => {
    if ("to" in data) {
      if (data.to === own) take(data.message);
    } else if ("from" in data) {
      hub?.take(portOf(data.from), data.message);
    } else if (opened) {
      // A new tab leads: what this one reads is asked for again.
      channel.postMessage({ from: own, message: opened });
    }
  };
  void navigator.locks.request("paceline-live", () => {
    hub = new Hub(LIVE);
    if (opened) hub.take(portOf(own), opened);
    channel.postMessage({ leader: own });
    return new Promise(() => undefined);
  });
  return {
    send(message) {
      if (message.kind === "open") opened = message;
      if (message.kind === "close" || message.kind === "bye") opened = undefined;
      if (hub) hub.take(portOf(own), message);
      else channel.postMessage({ from: own, message });
    },
  };
}
