/**
 * The one reader of `/live` in a browser: opens the stream, keeps what it said, hands events to every tab.
 * Runs in the SharedWorker, or in the tab that leads where there is none.
 */
import { parseAnswer } from "../api/parse";
import { EventReader } from "./events";
import { apply, asSnapshot, emptyModel } from "./model";

/** State of the connection. `since` and `seen` are milliseconds of this machine's clock. */
export interface Link {
  phase: "connecting" | "live" | "lost";
  since: number;
  /** When something last came from the service. */
  seen: number | undefined;
}

export type ToHub =
  | { kind: "open"; account: string; topics: string[] }
  /** The account was signed out on purpose: every tab is told. */
  | { kind: "close" }
  /** The network came back, or the tab became visible: connect now, not after the wait. */
  | { kind: "wake" }
  | { kind: "bye" };

export type ToTab =
  | { kind: "event"; event: string; data: unknown; id: string | undefined }
  | { kind: "link"; link: Link }
  | { kind: "ended"; because: Ended };

/** Why a stream ended: a person signed out, the session is over, or another account signed in. */
export type Ended = "signed_out" | "expired" | "other_account";

export interface Port {
  post(message: ToTab): void;
}

/** What the service sends a reader who names no topics. */
const USUAL_TOPICS = ["seats", "campaigns", "trunks", "approvals", "caller_ids", "tasks", "me"];

/** The service sends a beat each 15 s; a stream that is silent for longer is dead. */
const SILENCE_MAX = 20_000;
const WAIT_MIN = 1_000;
const WAIT_MAX = 30_000;

/** Wait before the n-th attempt to connect again: 1, 2, 4 … 30 s, spread by 20 %. `spread` is 0 to 1. */
export function reconnectWait(attempt: number, spread: number): number {
  return Math.min(WAIT_MAX, WAIT_MIN * 2 ** attempt) * (0.8 + 0.4 * spread);
}

export class Hub {
  private readonly ports = new Map<Port, string[]>();
  private account: string | undefined;
  private model = emptyModel();
  private link: Link = { phase: "connecting", since: Date.now(), seen: undefined };
  private lastId: string | undefined;
  private attempt = 0;
  private stream: AbortController | undefined;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly url: string) {}

  take(port: Port, message: ToHub): void {
    switch (message.kind) {
      case "open":
        return this.open(port, message.account, message.topics);
      case "close":
        return this.end("signed_out");
      case "wake":
        if (this.link.phase === "lost" && this.waiting !== undefined) this.connect();
        return;
      case "bye":
        this.ports.delete(port);
        if (this.ports.size === 0) this.stop();
    }
  }

  private open(port: Port, account: string, topics: string[]): void {
    if (this.account !== undefined && this.account !== account) {
      this.ports.delete(port);
      this.end("other_account");
    }
    const before = this.topics();
    this.ports.set(port, topics);
    this.account = account;
    port.post({ kind: "link", link: this.link });
    if (this.model.at !== undefined) port.post({ kind: "event", event: "snapshot", data: asSnapshot(this.model), id: undefined });
    if (this.stream === undefined || this.topics() !== before) this.connect();
  }

  /** Topics beside the usual ones that any tab reads; the service is then told the usual ones too. Empty = what it sends by itself. */
  private topics(): string {
    const more = [...new Set([...this.ports.values()].flat())];
    return more.length === 0 ? "" : [...new Set([...USUAL_TOPICS, ...more])].sort().join(",");
  }

  private end(because: Ended): void {
    this.stop();
    this.post({ kind: "ended", because });
    // Tabs of an expired session stay: their person comes back, signs out, or is followed by another.
    if (because === "expired") return;
    this.ports.clear();
    this.account = undefined;
  }

  private stop(): void {
    this.stream?.abort();
    this.stream = undefined;
    clearTimeout(this.waiting);
    clearTimeout(this.silence);
    this.waiting = undefined;
    this.model = emptyModel();
    this.lastId = undefined;
    this.attempt = 0;
    this.link = { phase: "connecting", since: Date.now(), seen: undefined };
  }

  private connect(): void {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    this.stream?.abort();
    const stream = new AbortController();
    this.stream = stream;
    // A stream that was replaced meanwhile says nothing any more.
    this.read(stream).then(
      () => { if (this.stream === stream) this.lose(); },
      () => { if (this.stream === stream) this.lose(); },
    );
    this.watch();
  }

  private async read(stream: AbortController): Promise<void> {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (this.lastId !== undefined) headers["Last-Event-ID"] = this.lastId;
    const topics = this.topics();
    const url = topics === "" ? this.url : `${this.url}?topics=${encodeURIComponent(topics)}`;
    const response = await fetch(url, { headers, credentials: "same-origin", cache: "no-store", signal: stream.signal });
    if (this.stream !== stream) return;
    if (response.status === 401) return this.end("expired");
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`the live stream answered ${response.status}`);
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const events = new EventReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.stream !== stream) return;
      this.watch();
      for (const it of events.take(value)) this.deliver(it.event, it.data, it.id);
    }
  }

  private deliver(event: string, text: string, id: string | undefined): void {
    let data: unknown;
    try {
      data = parseAnswer(text);
    } catch {
      return; // A keep-alive or a newer kind of event.
    }
    if (id !== undefined) this.lastId = id;
    apply(this.model, event, data);
    const now = Date.now();
    const isBack = this.link.phase !== "live";
    this.link = { phase: "live", since: isBack ? now : this.link.since, seen: now };
    this.attempt = 0;
    if (isBack || event === "beat") this.post({ kind: "link", link: this.link });
    this.post({ kind: "event", event, data, id });
  }

  /** Starts the watch for silence anew. */
  private watch(): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.stream?.abort();
    }, SILENCE_MAX);
  }

  private lose(): void {
    clearTimeout(this.silence);
    if (this.ports.size === 0) return this.stop();
    if (this.link.phase !== "lost") this.link = { ...this.link, phase: "lost", since: Date.now() };
    this.post({ kind: "link", link: this.link });
    const wait = reconnectWait(this.attempt, Math.random());
    this.attempt += 1;
    this.waiting = setTimeout(() => this.connect(), wait);
  }

  private post(message: ToTab): void {
    for (const port of this.ports.keys()) port.post(message);
  }
}
