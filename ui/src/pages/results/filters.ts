/** Filters of the call log: what the address says, what the service is asked, how a chip reads. Pure. */
import { OUTCOMES } from "../../api/words";
import { narrow } from "../../words/width";
import type { paths } from "../../api/types";

export type CallsQuery = NonNullable<paths["/api/v1/calls"]["get"]["parameters"]["query"]>;

/** Filters that are added one by one. `agent` and `lead` of the address are drawers, so two of them have other names there. */
export const FILTERS = ["campaign", "group", "by", "outcome", "disposition", "result", "number", "building", "min", "max", "waited", "missed", "recorded", "ended", "trunk", "caller", "of", "within"] as const;
export type FilterName = (typeof FILTERS)[number];

/** Filters that links set and nobody types. */
export const LINKED: ReadonlySet<FilterName> = new Set(["within"]);

/** The value for calls that have none: no outcome yet, no agent, no building. */
export const NO_VALUE = "-";
const MAY_BE_NONE: ReadonlySet<FilterName> = new Set(["outcome", "by", "building", "disposition", "caller"]);

/** A span of moments as a link writes it. */
const WITHIN = /^(\d{4}-\d{2}-\d{2}T[\d:.]+Z)\/(\d{4}-\d{2}-\d{2}T[\d:.]+Z)$/;

/** The moments of `within`; `undefined` for what is no span. */
export function withinOf(value: string): { from: Date; until: Date } | undefined {
  const [, from = "", until = ""] = WITHIN.exec(value) ?? [];
  const span = { from: new Date(from), until: new Date(until) };
  return span.from < span.until ? span : undefined;
}

/** Filters with a fixed set of values; their words are `outcome.…`, `results.ended_…`, `people.yes`. */
export const CHOICES: Partial<Record<FilterName, readonly string[]>> = {
  outcome: OUTCOMES,
  ended: ["callee", "agent", "dialer", "carrier"],
  recorded: ["true", "false"],
  missed: ["true", "false"],
};

/** Filters that inbound calls do not have. */
export const OUTBOUND_ONLY: ReadonlySet<FilterName> = new Set(["outcome", "result", "trunk", "caller"]);

const TELEPHONE = /^(\+86)?(0?1[3-9]\d{9}|010[2-8]\d{7}|02\d[2-8]\d{7}|0[3-9]\d{2}[2-8]\d{6,7}|[48]00\d{7})$/;

/** A number that calls show: a telephone number or a service number, with or without its country code. */
const SHOWN = /^\+?\d{5,15}$/;

/** Filters in seconds. */
export const SECONDS: ReadonlySet<FilterName> = new Set(["min", "max", "waited"]);

/** The value as the service takes it; `undefined` = it cannot be one. */
export function fitValue(name: FilterName, typed: string): string | undefined {
  const text = narrow(typed).trim();
  if (text === "") return undefined;
  if (text === NO_VALUE) return MAY_BE_NONE.has(name) ? text : undefined;
  if (name === "within") return withinOf(text) === undefined ? undefined : text;
  const choices = CHOICES[name];
  if (choices !== undefined) return choices.includes(text) ? text : undefined;
  if (SECONDS.has(name)) return /^\d{1,5}$/.test(text) && Number(text) <= 86_400 ? String(Number(text)) : undefined;
  if (name === "of") return /^[1-9]\d{0,15}$/.test(text) ? text : undefined;
  if (name === "number" || name === "caller") {
    const bare = text.replace(/[\s()-]/g, "");
    return (name === "number" ? TELEPHONE : SHOWN).test(bare) ? bare : undefined;
  }
  return [...text].length <= 128 ? text : undefined;
}

/** `2026-11-30` as the first moment of that day, in the reader's zone; `undefined` for what is no day. */
export function startOfDay(day: string): Date | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (!parts) return undefined;
  const [year, month, date] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const at = new Date(year, month - 1, date);
  // 31 February would be a day of March.
  return at.getFullYear() === year && at.getMonth() === month - 1 && at.getDate() === date ? at : undefined;
}

const two = (n: number) => String(n).padStart(2, "0");

/** The day of a moment, as the address has it, in the reader's zone. */
export const dayOf = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

/** The day so many days later; days with a change of the clock have 23 or 25 hours, so that no hours are counted. */
export const plusDays = (at: Date, days: number): Date => new Date(at.getFullYear(), at.getMonth(), at.getDate() + days);

export interface Span {
  /** First day. */
  from: string;
  /** Last day, which is part of the span. */
  until: string;
}

/** The days of the address, as days or as the name of a span that goes along with today; without them today. A last day before the first is the first. */
export function spanOf(search: URLSearchParams, now: Date): Span {
  const today = dayOf(now);
  const name = search.get("days") ?? "";
  if (Object.hasOwn(SPANS, name) && !search.has("from") && !search.has("until")) return namedSpan(name as SpanName, now);
  const given = (name: string) => {
    const day = search.get(name) ?? "";
    return startOfDay(day) === undefined ? undefined : day;
  };
  const from = given("from") ?? given("until") ?? today;
  const until = given("until") ?? (from > today ? from : today);
  return { from, until: until < from ? from : until };
}

/** Names of spans of which the page offers a button. */
export const SPANS = { today: [0, 0], yesterday: [-1, -1], week: [-6, 0], month: [-29, 0] } as const;
export type SpanName = keyof typeof SPANS;

export function namedSpan(name: SpanName, now: Date): Span {
  const [first, last] = SPANS[name];
  return { from: dayOf(plusDays(now, first)), until: dayOf(plusDays(now, last)) };
}

export function spanName(span: Span, now: Date): SpanName | undefined {
  return (Object.keys(SPANS) as SpanName[]).find((name) => {
    const it = namedSpan(name, now);
    return it.from === span.from && it.until === span.until;
  });
}

/** The filters that the address sets, in the order in which they are offered; values that are none are left out. */
export function filtersOf(search: URLSearchParams): [FilterName, string][] {
  return FILTERS.flatMap((name): [FilterName, string][] => {
    const value = fitValue(name, search.get(name) ?? "");
    return value === undefined ? [] : [[name, value]];
  });
}

/** Orders of the service: by time, by talk, by the wait for an agent. */
export const ORDERS = ["newest", "oldest", "longest", "shortest", "waited"] as const;
export type Order = (typeof ORDERS)[number];
export const orderOf = (search: URLSearchParams): Order => ORDERS.find((it) => it === search.get("sort")) ?? "newest";

export type Direction = "out" | "in";
export const directionOf = (search: URLSearchParams): Direction => (search.get("dir") === "in" ? "in" : "out");

/** What the service is asked for the address. */
export function queryOf(search: URLSearchParams, now: Date): CallsQuery {
  const { from, until } = spanOf(search, now);
  const direction = directionOf(search);
  const query: CallsQuery = { direction };
  const first = startOfDay(from);
  const last = startOfDay(until);
  if (first) query.from = first.toISOString();
  if (last) query.until = plusDays(last, 1).toISOString();
  const order = orderOf(search);
  if (order !== "newest") query.sort = order;
  for (const [name, value] of filtersOf(search)) {
    if (direction === "in" && OUTBOUND_ONLY.has(name)) continue;
    if (name === "within") {
      // The link knows the moments: they are the campaign's own hour or day, which may reach over the reader's midnight.
      const within = withinOf(value);
      if (within) [query.from, query.until] = [within.from.toISOString(), within.until.toISOString()];
    } else if (name === "by") query.agent = value;
    else if (name === "of") query.lead = Number(value);
    else if (name === "min") query.talk_min = Number(value);
    else if (name === "max") query.talk_max = Number(value);
    else if (name === "waited") query.waited_min = Number(value);
    else if (name === "caller") query.caller_id = value;
    else if (name === "ended") query.ended_by = value as NonNullable<CallsQuery["ended_by"]>;
    else if (name === "outcome") query.outcome = value as NonNullable<CallsQuery["outcome"]>;
    else if (name === "recorded") query.recorded = value as NonNullable<CallsQuery["recorded"]>;
    else if (name === "missed") query.missed = value as NonNullable<CallsQuery["missed"]>;
    else query[name] = value;
  }
  return query;
}

/** Seconds from the answer to the end; `undefined` for a call that was not answered or goes on. */
export function talked(call: { answered_at: string | null; ended_at: string | null }): number | undefined {
  if (call.answered_at === null || call.ended_at === null) return undefined;
  return Math.max(0, (Date.parse(call.ended_at) - Date.parse(call.answered_at)) / 1000);
}

/** The drawer's name of a call: `out-812`. Both logs count from one. */
export const callId = (call: { direction: string; id: number }): string => `${call.direction}-${call.id}`;

export function parseCallId(text: string): { direction: Direction; id: number } | undefined {
  const parts = /^(out|in)-([1-9]\d{0,15})$/.exec(text);
  return parts ? { direction: parts[1] as Direction, id: Number(parts[2]) } : undefined;
}
