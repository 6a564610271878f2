/**
 * The pages under load: 200 campaigns with 999 calls and 500 seats, four updates a second through the page's own worker. Prints frame
 * times and the growth of the heap, asserts nothing. `PACELINE_LOAD_SECS`: how long each page is watched.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { CDPSession, Page } from "playwright-core";
import { launch, visitor } from "../lib/browser";
import { readRecording, startReplay } from "../lib/replay";
import { startService } from "../lib/service";

const CAMPAIGNS = 200;
const SEATS = 500;
const CALLS = 999;
/** Time between two updates, in ms. */
const EVERY = 250;
const SECS = Number(process.env["PACELINE_LOAD_SECS"] ?? "60");
/** Frame times of the design: median and 95th percentile, in ms. */
const BUDGET = { p50: 20, p95: 50 };

type Row = Record<string, unknown>;
interface Snapshot extends Row {
  campaigns: Row[];
  seats: Row[];
}

const recording = readRecording();
if (recording === undefined) throw new Error("no answers are recorded: make screens UPDATE=record");
const account = "full.wangmin";
const streams = Object.entries(recording.live).find(([key]) => key.startsWith(`${account} GET`))?.[1] ?? [];
const first = streams.find((it) => it.includes("event: snapshot") || it.includes("event:snapshot"));
if (first === undefined) throw new Error("no snapshot is recorded: make screens UPDATE=record");
const recorded = JSON.parse(first.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n")) as Snapshot;

const name = (n: number) => n === 0 ? "jade-garden-calls" : `campaign-${n}`;
const model = recorded.campaigns.find((it) => it["name"] === "jade-garden-calls") ?? {};
/** Figures of one campaign after so many updates. */
function campaign(n: number, round: number): Row {
  const out = Math.floor(CALLS / CAMPAIGNS) + (n < CALLS % CAMPAIGNS ? 1 : 0);
  const ringing = (n + round) % (out + 1);
  return {
    ...model, name: name(n), title: `活动 ${n}`, placed: 1_000 + 7 * round + n, ended: 900 + 7 * round, answer_rate: ((n + round) % 100) / 100, calls_per_sec: (round % 40) / 10,
    outcomes: { answered: 300 + 2 * round, no_answer: 400 + 3 * round, busy: 100 + round, rejected: 100 + round },
    view: { ...(model["view"] as Row), starting: out - ringing, ringing, up: 0, waiting: 0, talking: 0, leads_open: 5_000 - round },
  };
}
const states = ["idle", "talking", "wrap_up"];
function seat(n: number, round: number): Row {
  return { ...recorded.seats[0], agent: String(1_000 + n), name: `坐席 ${n}`, availability: "available", signed_in_at: new Date().toISOString(), activity: states[(n + round) % states.length], since: new Date().toISOString(), answered: round };
}

const range = (n: number) => Array.from({ length: n }, (_, at) => at);
const event = (kind: string, data: unknown) => `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
let round = 0;
const readers = new Set<ServerResponse>();
const timer = setInterval(() => {
  round += 1;
  // Every campaign changes each time; of the seats a fifth, as calls of a few seconds make it.
  const text = [...range(CAMPAIGNS).map((n) => event("campaign", campaign(n, round))), ...range(SEATS).filter((n) => n % 5 === round % 5).map((n) => event("seat", seat(n, round))), event("beat", { at: new Date().toISOString() })].join("");
  for (const reader of readers) reader.write(text);
}, EVERY);

const service = await startService({ campaigns: false, people: false });
const replay = await startReplay(service.url, recording);
const rows = (JSON.parse(recording.answers[Object.keys(recording.answers).find((key) => /^full\.wangmin GET \/api\/v1\/campaigns(\?|$)/.test(key)) ?? ""]?.body ?? '{"items":[]}') as { items: Row[] }).items;
const server = createServer((request, response) => {
  const path = request.url ?? "/";
  if (path.startsWith("/api/v1/live")) {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(event("snapshot", { ...recorded, at: new Date().toISOString(), campaigns: range(CAMPAIGNS).map((n) => campaign(n, round)), seats: range(SEATS).map((n) => seat(n, round)) }));
    readers.add(response);
    response.on("close", () => readers.delete(response));
    return;
  }
  if (/^\/api\/v1\/campaigns(\?|$)/.test(path)) {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ items: range(CAMPAIGNS).map((n) => ({ ...rows[0], name: name(n), title: `活动 ${n}` })), next: null }));
    return;
  }
  void fetch(replay.url + path, { headers: { Cookie: request.headers.cookie ?? "", "Accept-Language": request.headers["accept-language"] ?? "zh-CN" } }).then(async (answer) => {
    const headers: Record<string, string> = {};
    for (const it of ["content-type", "content-security-policy", "cache-control"]) {
      const value = answer.headers.get(it);
      if (value !== null) headers[it] = value;
    }
    response.writeHead(answer.status, headers);
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
});
await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const browser = await launch();

/** Bytes of the page's heap once what is not used is gone. */
async function heap(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  return ((await session.send("Runtime.getHeapUsage")) as { usedSize: number }).usedSize;
}

/** Times between frames over `SECS`, in ms. */
const frames = (page: Page) => page.evaluate((ms) => new Promise<number[]>((done) => {
  const times: number[] = [];
  const end = performance.now() + ms;
  let last = performance.now();
  const next = (now: number) => {
    times.push(now - last);
    last = now;
    if (now < end) requestAnimationFrame(next);
    else done(times);
  };
  requestAnimationFrame(next);
}), SECS * 1_000);

const part = (sorted: number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
console.log(`${CAMPAIGNS} campaigns, ${CALLS} calls, ${SEATS} seats, ${1_000 / EVERY} updates a second, ${SECS} s a page; budget: p50 < ${BUDGET.p50} ms, p95 < ${BUDGET.p95} ms`);
for (const path of ["/today", "/campaigns", "/campaigns/jade-garden-calls/live", "/floor"]) {
  const { context, page } = await visitor(browser, url, { language: "zh", theme: "light" });
  await context.addCookies([{ name: "replay", value: account, url }]);
  await page.goto(path);
  await page.locator('[data-testid="live-state"].live').waitFor();
  await page.locator("table tbody tr, .figure").first().waitFor();
  const session = await context.newCDPSession(page);
  // The first updates fill what every page keeps.
  await frames(page).then((times) => times.length);
  const before = await heap(session);
  const times = (await frames(page)).sort((a, b) => a - b);
  const after = await heap(session);
  const [p50, p95] = [part(times, 0.5), part(times, 0.95)];
  const is = p50 < BUDGET.p50 && p95 < BUDGET.p95 ? "within" : "MISSED";
  console.log(`${path.padEnd(36)} p50 ${p50.toFixed(1).padStart(6)} ms  p95 ${p95.toFixed(1).padStart(6)} ms  longest ${(times.at(-1) ?? 0).toFixed(0).padStart(5)} ms  heap ${(before / 1e6).toFixed(1)} -> ${(after / 1e6).toFixed(1)} MB  ${is}`);
  await context.close();
}
clearInterval(timer);
await browser.close();
server.closeAllConnections();
server.close();
await replay.close();
await service.stop();
