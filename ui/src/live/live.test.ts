import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Campaign, Seat } from "../api/words";
import { EventReader } from "./events";
import { Hub, reconnectWait, type Port, type ToTab } from "./hub";
import { apply, asSnapshot, emptyModel } from "./model";

describe("server-sent events", () => {
  const text = ": hello\n\nevent: seat\ndata: {\"a\":1}\n\nid: 7\ndata: x\ndata:y\r\n\r\nevent: beat\n\n";

  test("are the same however the stream is cut", () => {
    const whole = new EventReader().take(text);
    expect(whole).toEqual([{ event: "seat", data: '{"a":1}', id: undefined }, { event: "message", data: "x\ny", id: "7" }]);
    for (let cut = 0; cut <= text.length; cut += 1) {
      const reader = new EventReader();
      expect([...reader.take(text.slice(0, cut)), ...reader.take(text.slice(cut))], `cut at ${cut}`).toEqual(whole);
    }
  });

  test("a line without an end does not fill the memory", () => {
    const reader = new EventReader();
    expect(() => {
      for (let n = 0; n < 20; n += 1) reader.take("x".repeat(1 << 20));
    }).toThrow();
  });
});

const seat = (agent: string, at: number, activity = "idle") => ({ agent, activity, since: new Date(at).toISOString() }) as Seat;
const campaign = (name: string, why = "lines_out") => ({ name, why, finished: false, words: { en: "", zh: "" } }) as Campaign;

/** A repeatable order: the generator of Park and Miller. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed;
  return items.map((item) => [(state = (state * 48_271) % 2_147_483_647), item] as const).sort((a, b) => a[0] - b[0]).map(([, item]) => item);
}

describe("the model", () => {
  test.each(Array.from({ length: 50 }, (_, n) => n + 1))("seats end alike whatever the order and repetition of events (seed %i)", (seed) => {
    const events = Array.from({ length: 40 }, (_, n) => seat(`80${n % 7}`, 1_000 * n, n % 2 === 0 ? "talking" : "idle"));
    const model = emptyModel();
    apply(model, "snapshot", { at: "2026-01-01T00:00:00Z", store: "ok", seats: [], campaigns: [], trunks: [] });
    for (const event of shuffled([...events, ...events.slice(0, 10)], seed)) apply(model, "seat", event);
    const expected = emptyModel();
    for (const event of events) apply(expected, "seat", event);
    const rows = (it: typeof model) => [...it.seats.values()].sort((a, b) => a.agent.localeCompare(b.agent));
    expect(rows(model)).toEqual(rows(expected));
  });

  test("a snapshot replaces everything", () => {
    const model = emptyModel();
    apply(model, "seat", seat("8001", 0));
    apply(model, "campaign", campaign("old"));
    apply(model, "snapshot", { at: "2026-01-01T00:00:00Z", store: "ok", seats: [seat("8002", 0)], campaigns: [campaign("new")], trunks: [] });
    expect([...model.seats.keys()]).toEqual(["8002"]);
    expect([...model.campaigns.keys()]).toEqual(["new"]);
    const copy = emptyModel();
    apply(copy, "snapshot", asSnapshot(model));
    expect(copy).toEqual(model);
  });

  test("a decision shows at once, unknown events change nothing", () => {
    const model = emptyModel();
    apply(model, "campaign", campaign("vote"));
    apply(model, "decision", { campaign: "vote", at: "", place: 0, why: "paused", words: { en: "paused", zh: "暂停" } });
    expect(model.campaigns.get("vote")?.why).toBe("paused");
    expect(apply(model, "of the future", {})).toEqual({ kind: "none" });
  });
});

test("waits before connecting again double up to 30 s, spread by a fifth", () => {
  expect([0, 1, 2, 3].map((n) => reconnectWait(n, 0.5))).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(reconnectWait(40, 1)).toBeCloseTo(36_000);
  expect(reconnectWait(40, 0)).toBeCloseTo(24_000);
});

describe("the hub", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const tab = () => {
    const got: ToTab[] = [];
    const port: Port = { post: (message) => void got.push(message) };
    return { port, got };
  };
  const body = (text: string) => new ReadableStream({ start: (it) => it.enqueue(new TextEncoder().encode(text)) });
  const snapshot = 'event: snapshot\ndata: {"at":"2026-01-01T00:00:00Z","store":"ok","seats":[],"campaigns":[],"trunks":[]}\n\n';
  const settle = () => vi.advanceTimersByTimeAsync(0);

  test("opens one stream for all tabs; a late tab gets the whole", async () => {
    const fetched = vi.fn(() => Promise.resolve(new Response(body(snapshot))));
    vi.stubGlobal("fetch", fetched);
    const hub = new Hub("/live");
    const [first, second] = [tab(), tab()];
    hub.take(first.port, { kind: "open", account: "a", topics: [] });
    await settle();
    hub.take(second.port, { kind: "open", account: "a", topics: [] });
    await settle();
    expect(fetched).toHaveBeenCalledTimes(1);
    expect(second.got.filter((it) => it.kind === "event" && it.event === "snapshot")).toHaveLength(1);
  });

  test("after a cut it goes on behind the last stored event, and waits longer each time", async () => {
    const asked: (string | undefined)[] = [];
    const streams = [`${snapshot}id: 41\nevent: task\ndata: {"id":1}\n\nevent: closing\ndata: {}\n\n`, undefined, undefined, snapshot];
    vi.stubGlobal("fetch", (_: string, { headers }: { headers: Record<string, string> }) => {
      asked.push(headers["Last-Event-ID"]);
      const text = streams[asked.length - 1];
      if (text === undefined) return Promise.reject(new Error("no network"));
      return Promise.resolve(new Response(asked.length === 1 ? new ReadableStream({ start: (it) => { it.enqueue(new TextEncoder().encode(text)); it.close(); } }) : body(text)));
    });
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const hub = new Hub("/live");
    const { port, got } = tab();
    hub.take(port, { kind: "open", account: "a", topics: [] });
    await settle();
    expect(got.some((it) => it.kind === "event" && it.event === "closing")).toBe(true);
    expect(asked).toEqual([undefined]);
    await vi.advanceTimersByTimeAsync(999);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toEqual([undefined, "41"]);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1 + 4_000);
    expect(asked).toEqual([undefined, "41", "41", "41"]);
    expect(got.at(-1)).toMatchObject({ kind: "event", event: "snapshot" });
    vi.restoreAllMocks();
  });

  test("a topic of one page comes beside the usual ones", async () => {
    const urls: string[] = [];
    vi.stubGlobal("fetch", (url: string) => {
      urls.push(url);
      return Promise.resolve(new Response(body(snapshot)));
    });
    const hub = new Hub("/live");
    const { port } = tab();
    hub.take(port, { kind: "open", account: "a", topics: [] });
    await settle();
    hub.take(port, { kind: "open", account: "a", topics: ["seats:vote"] });
    await settle();
    expect(urls[0]).toBe("/live");
    expect(new URL(`http://x${urls[1] ?? ""}`).searchParams.get("topics")?.split(",")).toEqual(["approvals", "caller_ids", "campaigns", "me", "seats", "seats:vote", "tasks", "trunks"]);
  });

  test("another account ends the first one's stream and tells its tabs", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(body(snapshot))));
    const hub = new Hub("/live");
    const [first, second] = [tab(), tab()];
    hub.take(first.port, { kind: "open", account: "a", topics: [] });
    await settle();
    hub.take(second.port, { kind: "open", account: "b", topics: [] });
    expect(first.got.at(-1)).toEqual({ kind: "ended", because: "other_account" });
    expect(second.got.filter((it) => it.kind === "event")).toEqual([]);
  });

  test("a session that ended is said, and not asked for again", async () => {
    const fetched = vi.fn(() => Promise.resolve(new Response("", { status: 401 })));
    vi.stubGlobal("fetch", fetched);
    const hub = new Hub("/live");
    const { port, got } = tab();
    hub.take(port, { kind: "open", account: "a", topics: [] });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(got.at(-1)).toEqual({ kind: "ended", because: "expired" });
    expect(fetched).toHaveBeenCalledTimes(1);
  });

  test("a person who signs out ends the stream in every tab", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(body(snapshot))));
    const hub = new Hub("/live");
    const [first, second] = [tab(), tab()];
    for (const { port } of [first, second]) hub.take(port, { kind: "open", account: "a", topics: [] });
    await settle();
    hub.take(first.port, { kind: "close" });
    for (const { got } of [first, second]) expect(got.at(-1)).toEqual({ kind: "ended", because: "signed_out" });
  });

  test("after an expired session, signing out and another account are still said to every tab", async () => {
    for (const [next, because] of [[{ kind: "close" }, "signed_out"], [{ kind: "open", account: "b", topics: [] }, "other_account"]] as const) {
      vi.stubGlobal("fetch", () => Promise.resolve(new Response("", { status: 401 })));
      const hub = new Hub("/live");
      const [first, second] = [tab(), tab()];
      hub.take(first.port, { kind: "open", account: "a", topics: [] });
      await settle();
      hub.take(second.port, next.kind === "open" ? { ...next, topics: [] } : next);
      expect(first.got.at(-1)).toEqual({ kind: "ended", because });
    }
  });

  test("a stream that breaks is opened again, at once when the network is back", async () => {
    const fetched = vi.fn((): Promise<Response> => Promise.reject(new TypeError("down")));
    vi.stubGlobal("fetch", fetched);
    const hub = new Hub("/live");
    const { port, got } = tab();
    hub.take(port, { kind: "open", account: "a", topics: [] });
    await settle();
    expect(got.at(-1)).toMatchObject({ kind: "link", link: { phase: "lost" } });
    hub.take(port, { kind: "wake" });
    expect(fetched).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fetched.mock.calls.length).toBeGreaterThan(4);
  });

  test("a silent stream counts as lost after 20 s", async () => {
    vi.stubGlobal("fetch", (_: string, { signal }: RequestInit) => Promise.resolve(new Response(new ReadableStream({
      start(it) {
        it.enqueue(new TextEncoder().encode(snapshot));
        signal?.addEventListener("abort", () => it.error(new Error("aborted")));
      },
    }))));
    const hub = new Hub("/live");
    const { port, got } = tab();
    hub.take(port, { kind: "open", account: "a", topics: [] });
    await settle();
    expect(got.some((it) => it.kind === "link" && it.link.phase === "live")).toBe(true);
    await vi.advanceTimersByTimeAsync(19_000);
    expect(got.some((it) => it.kind === "link" && it.link.phase === "lost")).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(got.some((it) => it.kind === "link" && it.link.phase === "lost")).toBe(true);
  });
});
