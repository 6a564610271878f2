/**
 * Leads as a table, today, search, schedule and series. Only the table's read takes its types from `types.ts`; the others are
 * written by hand, so a change of their routes does not fail the build.
 */
import { call, get, newKey } from "./call";
import type { paths } from "./types";
import type { Schemas, Words } from "./words";

/** `call` without the types of the OpenAPI document. */
const ask = call as unknown as <T>(method: "get" | "post" | "put" | "patch", path: string, options?: {
  path?: object; query?: object; body?: unknown; key?: string; etag?: string; signal?: AbortSignal;
}) => Promise<T>;

export type LeadRow = Schemas["LeadRow"];

type LeadQuery = NonNullable<paths["/api/v1/campaigns/{name}/leads"]["get"]["parameters"]["query"]>;
export type LeadFilters = Pick<LeadQuery, "state" | "reason" | "outcome" | "disposition" | "building" | "callback" | "q">;
export type LeadPage = Schemas["LeadTable"];

export const LEAD_ACTIONS = ["close", "reopen", "first", "assign", "unassign", "blacklist", "book"] as const;
export type LeadActionName = (typeof LEAD_ACTIONS)[number];

export interface LeadAction {
  action: LeadActionName;
  reason?: string;
  /** Of `assign` and `book`: the number of an account. */
  agent?: string;
  /** Of `book`: RFC 3339. */
  at?: string;
  skill?: string;
}

export interface LeadActionDone {
  done: true;
  /** The action that takes this one back; `null` = nothing does. */
  inverse: LeadAction | null;
}

/** The leads that an action is for: named ones, 1,000 at most, or all that match. */
export type LeadTarget = { ids: number[] } | { filters: LeadFilters };

export interface NewLead {
  name?: string;
  phones: string[];
  place?: string;
  building?: string;
  cells?: Record<string, string>;
}

/** A page of the table; the same route answers look-ups by number or row in another shape. */
export const readLeads = (campaign: string, filters: LeadFilters, page: { after?: string; limit: number; count?: "1" }, signal?: AbortSignal) =>
  get("/api/v1/campaigns/{name}/leads", { path: { name: campaign }, query: { ...filters, ...page }, ...(signal ? { signal } : {}) }) as Promise<LeadPage>;

/** @throws ApiProblem `busy` if a call of the lead is up */
export const actOnLead = (id: number, action: LeadAction) =>
  ask<LeadActionDone>("post", "/api/v1/leads/{id}/actions", { path: { id }, body: action, key: newKey() });

const targetBody = (action: LeadAction, target: LeadTarget) => ({ ...action, ...target });

/** How many leads a bulk action would be for. */
export const countLeads = (campaign: string, action: LeadAction, target: LeadTarget) =>
  ask<{ count: number }>("post", "/api/v1/campaigns/{name}/leads/actions", { path: { name: campaign }, query: { dry_run: true }, body: targetBody(action, target), key: newKey() });

/** Begins a bulk action; its task's result is [`ChangedLeads`]. */
export const actOnLeads = (campaign: string, action: LeadAction, target: LeadTarget) =>
  ask<{ task: number | { id: number } }>("post", "/api/v1/campaigns/{name}/leads/actions", { path: { name: campaign }, body: targetBody(action, target), key: newKey() })
    .then(({ task }) => (typeof task === "number" ? task : task.id));

export interface ChangedLeads {
  done: number;
  /** Reason → leads. */
  refused: Record<string, number>;
}

export const addLead = (campaign: string, lead: NewLead) =>
  ask<{ lead: number }>("post", "/api/v1/campaigns/{name}/leads", { path: { name: campaign }, body: lead, key: newKey() });

/** One minute, or one step of several. */
export interface SeriesRow {
  at: string;
  placed: number;
  answered: number;
  talking: number;
  abandoned: number;
  /** What `abandoned` is a share of. */
  divisor: number;
  /** The upper bound of the abandon rate. */
  upper: number | null;
  /** Activity → heads. */
  agents: Record<string, number>;
  /** Limit → seconds. */
  limits: Record<string, number>;
}

export const readSeries = (campaign: string, span: { from: string; until?: string; step: 1 | 5 | 15 | 60 }, signal?: AbortSignal) =>
  ask<{ step_secs: number; items: SeriesRow[] }>("get", "/api/v1/campaigns/{name}/series", { path: { name: campaign }, query: span, ...(signal ? { signal } : {}) });

export interface TodayItem {
  kind: "not_dialling" | "approval" | "starts_soon" | "list_ends" | "line" | "health" | "finished";
  campaign: string | null;
  title: string | null;
  words: Words;
  href: string | null;
  since: string | null;
  severity: "stop" | "warn" | "info";
}

export interface HourFigures {
  placed: number;
  answered: number;
  abandoned: number;
}

export interface TodayHour extends HourFigures {
  hour: string;
  /** The same hour a week before. */
  before: HourFigures | null;
}

export const readToday = (signal?: AbortSignal) => ask<{ items: TodayItem[]; hours: TodayHour[] }>("get", "/api/v1/today", signal ? { signal } : {});

export interface Hit {
  kind: "campaign" | "lead" | "person" | "group" | "call" | "list" | "audio" | "page";
  id: string | number;
  title: string;
  detail: string | null;
  href: string;
}

export const search = (q: string, signal?: AbortSignal) => ask<{ items: Hit[] }>("get", "/api/v1/search", { query: { q }, ...(signal ? { signal } : {}) });

export interface ScheduleBar {
  from: string;
  until: string;
  kind: "window" | "holiday" | "frame";
  words: Words;
}

export interface ScheduledCampaign {
  name: string;
  title: string | null;
  state: string;
  timezone: string;
  group: string | null;
  bars: ScheduleBar[];
}

export interface Schedule {
  campaigns: ScheduledCampaign[];
  trunks: { name: string; calls_max: number; campaigns: string[] }[];
  conflicts: { from: string; until: string; trunk: string; words: Words; campaigns: string[] }[];
  /** `2027-01-01`, `2027-02-05..2027-02-12`. */
  holidays: string[];
}

/** `from` and `until` are days; both are part of the span. */
export const readSchedule = (span: { from: string; until: string }, signal?: AbortSignal) =>
  ask<Schedule>("get", "/api/v1/schedule", { query: span, ...(signal ? { signal } : {}) });

export interface Holidays {
  days: string[];
  version: number;
}

export const readHolidays = (signal?: AbortSignal) => ask<Holidays>("get", "/api/v1/holidays", signal ? { signal } : {});

/** @throws ApiProblem 412 `changed` */
export const saveHolidays = (days: string[], version: number) => ask<Holidays>("put", "/api/v1/holidays", { body: { days }, etag: `"v${version}"` });
