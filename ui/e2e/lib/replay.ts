/**
 * A service whose answers stand still: it hands out recorded answers of the real program, so that pictures of the pages can be
 * compared. Pages and assets come from a program that runs; only `/api` is recorded. The same server records.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync, gzipSync } from "node:zlib";

const FILE = new URL("../pictures/answers.json.gz", import.meta.url).pathname;
const API = "/api/v1";

interface Answer {
  status: number;
  type: string;
  etag?: string;
  /** Text, or base64 where the type is no text. */
  body: string;
}

/** What the real program said, once. */
export interface Recording {
  /** The moment at which the pages stand, in ms since 1970. */
  at: number;
  /** By `SERVICE.LOGIN METHOD PATH`; answers that differ by language have it before them. */
  answers: Record<string, Answer>;
  /** The events of `/live` that a page needs, as they came, by the same key. */
  live: Record<string, string[]>;
}

export interface Replay {
  url: string;
  /** Requests for which nothing is recorded; a test that has any fails. */
  missing: string[];
  /** What happens to a request instead of its answer; `undefined` = its answer. */
  rule: (path: string) => "hold" | "fail" | "expire" | undefined;
  /** Cuts the requests that are held: a browser has six connections to a host. */
  release: () => void;
  /** Ends the live streams, and refuses new ones until it is called with `true`. */
  setLive: (isOn: boolean) => void;
  close: () => Promise<void>;
}

/** One real program to record from. */
export interface Source {
  url: string;
  /** The session cookie of a login; empty for nobody. */
  cookie: (login: string) => Promise<string>;
}

export const readRecording = (): Recording | undefined => existsSync(FILE) ? (JSON.parse(gunzipSync(readFileSync(FILE)).toString("utf8")) as Recording) : undefined;

export function writeRecording(recording: Recording): void {
  const sorted = (of: object) => Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(FILE, gzipSync(JSON.stringify({ at: recording.at, answers: sorted(recording.answers), live: sorted(recording.live) }), { level: 9 }));
}

/** Moments in an address differ from run to run by milliseconds. */
const still = (path: string) => decodeURIComponent(path).replace(/\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)/g, "*");

/** Whose page asks, of the cookie that [`asked`] sets: `SERVICE.LOGIN`. */
const whose = (request: IncomingMessage) => /(?:^|; )replay=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "full.nobody";

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

const isText = (type: string) => /json|text|csv/.test(type);

function write(response: ServerResponse, { status, type, etag, body }: Answer): void {
  response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store", ...(etag === undefined ? {} : { ETag: etag }) });
  response.end(isText(type) ? body : Buffer.from(body, "base64"));
}

const problem = (status: number, code: string): Answer => ({ status, type: "application/problem+json", body: JSON.stringify({ type: "about:blank", title: code, status, code, detail: code }) });

/**
 * Serves the pages of `pages` with the answers of `recording`. With `sources` it asks those programs and notes what they say;
 * a name of a source is the first part of the cookie.
 */
export async function startReplay(pages: string, recording: Recording, sources?: Record<string, Source>): Promise<Replay> {
  const streams = new Set<ServerResponse>();
  let isLive = true;
  const held = new Set<ServerResponse>();

  const forward = async (request: IncomingMessage, target: string, cookie: string, body: Buffer): Promise<Response> => {
    const headers: Record<string, string> = { Cookie: cookie, Origin: target };
    for (const name of ["accept", "accept-language", "content-type", "idempotency-key", "if-match", "accept-encoding"]) {
      const value = request.headers[name];
      if (typeof value === "string" && name !== "accept-encoding") headers[name] = value;
    }
    return fetch(target + request.url, { method: request.method ?? "GET", headers, redirect: "manual", ...(body.length === 0 ? {} : { body: new Uint8Array(body) }) });
  };

  const page = async (request: IncomingMessage, response: ServerResponse) => {
    const answer = await forward(request, pages, request.headers.cookie ?? "", Buffer.alloc(0));
    const headers: Record<string, string> = {};
    for (const name of ["content-type", "cache-control", "content-security-policy", "vary"]) {
      const value = answer.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    response.writeHead(answer.status, headers);
    response.end(Buffer.from(await answer.arrayBuffer()));
  };

  const stream = async (request: IncomingMessage, response: ServerResponse, key: string) => {
    if (!isLive) return void write(response, problem(503, "unavailable"));
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    streams.add(response);
    response.on("close", () => streams.delete(response));
    const [name = "", login = ""] = whose(request).split(".");
    const source = sources?.[name];
    if (source === undefined) {
      response.write((recording.live[key] ?? []).join(""));
      return;
    }
    const answer = await forward(request, source.url, await source.cookie(login), Buffer.alloc(0));
    const seen: string[] = [];
    recording.live[key] = seen;
    let rest = "";
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    response.on("close", () => void reader?.cancel().catch(() => undefined));
    for (;;) {
      const { done, value } = (await reader?.read().catch(() => undefined)) ?? { done: true, value: undefined };
      if (done || value === undefined) break;
      rest += value;
      const events = rest.split(/(?<=\n\n)/);
      rest = events.at(-1)?.endsWith("\n\n") ? "" : (events.pop() ?? "");
      seen.push(...events);
      response.write(events.join(""));
    }
    response.end();
  };

  const answerOf = (request: IncomingMessage, key: string): Answer | undefined => recording.answers[`${String(request.headers["accept-language"]).slice(0, 2)} ${key}`] ?? recording.answers[key];

  const note = (request: IncomingMessage, key: string, answer: Answer) => {
    // The first answer stays: it belongs to the pictures that were reached first. Sentences of problems have a language.
    if (answer.status >= 400) recording.answers[`${String(request.headers["accept-language"]).slice(0, 2)} ${key}`] ??= answer;
    else recording.answers[key] ??= answer;
  };

  const api = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? "/";
    const body = await bodyOf(request);
    const digest = body.length === 0 ? "" : ` ${createHash("sha256").update(body).digest("hex").slice(0, 8)}`;
    const key = `${whose(request)} ${request.method} ${still(path)}${digest}`;
    if (path.startsWith(`${API}/live`)) return stream(request, response, key);
    const rule = replay.rule(path);
    if (rule === "hold") return void held.add(response);
    if (rule === "fail") return void write(response, problem(503, "unavailable"));
    if (rule === "expire") return void write(response, problem(401, "sign_in_first"));
    const [name = "", login = ""] = whose(request).split(".");
    const source = sources?.[name];
    if (source === undefined) {
      const known = answerOf(request, key);
      if (known === undefined) replay.missing.push(key);
      return void write(response, known ?? problem(501, "not_recorded"));
    }
    const answer = await forward(request, source.url, await source.cookie(login), body);
    const type = answer.headers.get("content-type") ?? "application/json";
    const bytes = Buffer.from(await answer.arrayBuffer());
    const etag = answer.headers.get("etag");
    note(request, key, { status: answer.status, type, ...(etag === null ? {} : { etag }), body: bytes.toString(isText(type) ? "utf8" : "base64") });
    write(response, answerOf(request, key) ?? problem(501, "not_recorded"));
  };

  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    (path.startsWith("/api/") ? api(request, response) : page(request, response)).catch((error: unknown) => {
      replay.missing.push(`${path}: ${String(error)}`);
      if (!response.headersSent) write(response, problem(502, "unavailable"));
      else response.end();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const replay: Replay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    missing: [],
    rule: () => undefined,
    release: () => {
      for (const it of held) it.destroy();
      held.clear();
    },
    setLive: (isOn) => {
      isLive = isOn;
      if (!isOn) for (const it of streams) it.destroy();
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return replay;
}
