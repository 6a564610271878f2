/** Calls to the service: typed by its OpenAPI document, problems as exceptions, idempotency keys, lost answers asked again. */
import { wideSentence } from "../words/width";
import { parseAnswer } from "./parse";
import type { ApiPath, Problem } from "./words";
import type { paths } from "./types";

type Method = "get" | "post" | "put" | "patch" | "delete";
type Operation<P extends ApiPath, M extends Method> = NonNullable<paths[P][M]>;
type PathWith<M extends Method> = { [P in ApiPath]: paths[P][M] extends undefined ? never : P }[ApiPath];
type Answer<O> = O extends { responses: infer R }
  ? { [S in keyof R]: S extends 200 | 201 | 202 ? (R[S] extends { content: { "application/json": infer J } } ? J : void) : S extends 204 ? void : never }[keyof R]
  : never;
type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer J } } } ? J
  : O extends { requestBody?: { content: { "application/json": infer J } } } ? J | undefined : undefined;
type PathParameters<O> = O extends { parameters: { path: infer P } } ? P : undefined;
type QueryParameters<O> = O extends { parameters: { query?: infer Q } } ? Q : undefined;

interface Options<O> {
  path?: PathParameters<O>;
  query?: QueryParameters<O>;
  body?: BodyOf<O>;
  /** Sent as `Idempotency-Key`; a lost answer is asked for again with the same key. */
  key?: string;
  /** Sent as `If-Match`. */
  etag?: string;
  signal?: AbortSignal;
}

/** A refused request: the service's problem document, or `offline` when no answer came. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: Problem | undefined;
  /** Seconds after which the service takes the next request, of `Retry-After`. */
  readonly retryAfter: number | undefined;

  constructor(status: number, code: string, detail: string, problem?: Problem, retryAfter?: number) {
    super(detail);
    this.status = status;
    this.code = code;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

let language = "zh-CN";
let onSignedOut: (() => void) | undefined;

/** The language in which the service writes the sentences of problems. */
export function setAnswerLanguage(tag: string): void {
  language = tag;
}

/** Called once for each 401 that is not the answer to a sign-in. */
export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

let onLocked: (() => void) | undefined;

/** Called for each 423: the screen was locked, here or in another tab. */
export function whenLocked(act: () => void): void {
  onLocked = act;
}

/** A key for one act of a person: made when the act begins, kept while its answer is asked for again. */
export function newKey(): string {
  // `randomUUID` exists in secure contexts only; a console on a LAN address may be reached by plain HTTP.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Fills `{name}` in a path and adds the query; unset parameters are left out. */
export function address(path: string, parameters?: object, query?: object): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = (parameters as Record<string, unknown> | undefined)?.[name];
    if (value === undefined) throw new Error(`${path}: no ${name}`);
    return encodeURIComponent(String(value));
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  return search.size === 0 ? filled : `${filled}?${search}`;
}

/** Waits before an answer that was lost is asked for again, in ms. */
const AGAIN_AFTER = [300, 1_000, 3_000];

/**
 * Sends one request. GET, and whatever carries a key, is asked again when no answer came.
 * @throws ApiProblem
 */
export async function call<M extends Method, P extends PathWith<M>>(
  method: M, path: P, options: Options<Operation<P, M>> = {},
): Promise<Answer<Operation<P, M>>> {
  return (await send(method, path, options as Untyped)) as Answer<Operation<P, M>>;
}

/** A request whose types its caller vouches for. */
export interface Untyped {
  path?: object | undefined;
  query?: object | undefined;
  body?: unknown;
  key?: string;
  etag?: string;
  signal?: AbortSignal;
}

/**
 * What [`call`] does, without its types.
 * @throws ApiProblem
 */
export async function send(method: Method, path: string, options: Untyped = {}): Promise<unknown> {
  const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": language };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (options.key !== undefined) headers["Idempotency-Key"] = options.key;
  if (options.etag !== undefined) headers["If-Match"] = options.etag;
  const request: RequestInit = { method: method.toUpperCase(), headers, credentials: "same-origin", cache: "no-store" };
  if (options.body !== undefined) request.body = JSON.stringify(options.body);
  if (options.signal) request.signal = options.signal;
  const url = address(path, options.path, options.query);
  const waits = method === "get" || options.key !== undefined ? [...AGAIN_AFTER] : [];
  for (;;) {
    const response = await fetch(url, request).catch((error: unknown) => {
      if (options.signal?.aborted) throw error;
      return undefined;
    });
    // 409 `key_busy`: the first request with this key still runs; its answer comes with the same key.
    const lost = response === undefined || (response.status === 409 && (await codeOf(response)) === "key_busy");
    if (!lost) return read(response, path);
    const wait = waits.shift();
    if (wait === undefined) throw new ApiProblem(0, "offline", "");
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

async function codeOf(response: Response): Promise<string | undefined> {
  return ((await response.clone().json().catch(() => undefined)) as Problem | undefined)?.code;
}

async function read(response: Response, path: string): Promise<unknown> {
  if (response.ok) {
    // 204, and what was made without saying more.
    const text = await response.text();
    return text === "" ? undefined : parseAnswer(text);
  }
  const problem = (await response.json().catch(() => undefined)) as Problem | undefined;
  throw refused(response.status, problem, response.headers.get("Retry-After"), path);
}

/** The exception of a refused request; a session that ended is reported to the page. */
export function refused(status: number, problem: Problem | undefined, retryAfter: string | null, path: string): ApiProblem {
  const failure = new ApiProblem(status, problem?.code ?? "unavailable", wideSentence(problem?.detail ?? ""), problem, Number(retryAfter ?? "") || undefined);
  if (status === 401 && failure.code !== "wrong_password" && !path.endsWith("/sign-in")) onSignedOut?.();
  if (status === 423) onLocked?.();
  return failure;
}

/** The language of the answers, for requests that are not made by [`call`]. */
export const answerLanguage = (): string => language;

export const get = <P extends PathWith<"get">>(path: P, options?: Options<Operation<P, "get">>) => call("get", path, options);
export const post = <P extends PathWith<"post">>(path: P, options?: Options<Operation<P, "post">>) => call("post", path, options);
