/** Leads as a table, today, search, schedule and series. */
import { call, get, newKey, post } from "./call";
import type { paths } from "./types";
import type { Schemas } from "./words";

export type LeadRow = Schemas["LeadRow"];
export type LeadPage = Schemas["LeadTable"];
type LeadQuery = NonNullable<paths["/api/v1/campaigns/{name}/leads"]["get"]["parameters"]["query"]>;
export type LeadFilters = Pick<LeadQuery, "state" | "reason" | "outcome" | "disposition" | "building" | "callback" | "q">;

export type LeadActionName = Schemas["LeadActionWord"];
export const LEAD_ACTIONS = ["close", "reopen", "first", "assign", "unassign", "blacklist", "book"] as const satisfies readonly LeadActionName[];
/** `reason` is kept in the audit; `assign` and `book` take the number of an `agent`, `book` a moment too. */
export type LeadAction = Schemas["LeadActionRequest"];

/** The leads that an action is for: named ones, 1,000 at most, or all that match. */
export type LeadTarget = { ids: number[] } | { filters: LeadFilters };

export type NewLead = Omit<Schemas["NewLeadRequest"], "cells">;

const TABLE = "/api/v1/campaigns/{name}/leads";
const aborting = (signal: AbortSignal | undefined) => (signal ? { signal } : {});

/** A page of the table; the same route answers look-ups by number or row in another shape. */
export const readLeads = (campaign: string, filters: LeadFilters, page: { after?: string; limit: number; count?: "1" }, signal?: AbortSignal) =>
  get(TABLE, { path: { name: campaign }, query: { ...filters, ...page }, ...aborting(signal) }) as Promise<LeadPage>;

/**
 * @returns the action that takes this one back; `null` = nothing does
 * @throws ApiProblem `busy` if a call of the lead is up
 */
export const actOnLead = async (id: number, action: LeadAction): Promise<LeadAction | null> =>
  // The answer's action is one that the request takes, though its schema says a string.
  (await post("/api/v1/leads/{id}/actions", { path: { id }, body: action, key: newKey() })).inverse as LeadAction | null;

const onMany = (campaign: string, action: LeadAction, target: LeadTarget, query: { dry_run?: "true" }) =>
  post(`${TABLE}/actions`, { path: { name: campaign }, query, body: bulkBody(action, target), key: newKey() });

/** In the address a filter is a text; in the body a callback is a flag. */
export function bulkBody(action: LeadAction, target: LeadTarget): Schemas["LeadsActionRequest"] {
  if ("ids" in target) return { ...action, ids: target.ids };
  const { callback, ...others } = target.filters;
  const filters: Schemas["LeadFilters"] = { ...others, ...(callback === undefined ? {} : { callback: callback === "true" }) };
  // The schema's two alternatives are generated as a record that holds nothing.
  return { ...action, filters: filters as Schemas["LeadsActionRequest"]["filters"] } as Schemas["LeadsActionRequest"];
}

/** How many leads a bulk action would be for. */
export const countLeads = async (campaign: string, action: LeadAction, target: LeadTarget) =>
  (await onMany(campaign, action, target, { dry_run: "true" })) as Schemas["LeadsCounted"];

/** Begins a bulk action; its task's result is [`ChangedLeads`]. */
export const actOnLeads = async (campaign: string, action: LeadAction, target: LeadTarget): Promise<number> =>
  ((await onMany(campaign, action, target, {})) as Schemas["LeadsTask"]).task;

/** A task's result is free in the schema. */
export interface ChangedLeads {
  done: number;
  /** Reason → leads. */
  refused: Record<string, number>;
}

export const addLead = (campaign: string, lead: NewLead) => post(TABLE, { path: { name: campaign }, body: { cells: {}, ...lead }, key: newKey() });

/** One minute, or one step of several. */
export type SeriesRow = Schemas["MinuteView"];

export const readSeries = (campaign: string, span: { from: string; until?: string; step: 1 | 5 | 15 | 60 }, signal?: AbortSignal) =>
  get("/api/v1/campaigns/{name}/series", { path: { name: campaign }, query: { ...span, step: `${span.step}` }, ...aborting(signal) });

export type TodayItem = Schemas["TodayItem"];
export type TodayHour = Schemas["TodayHour"];

export const readToday = (signal?: AbortSignal) => get("/api/v1/today", aborting(signal));

export type Hit = Schemas["SearchHit"];

export const search = (q: string, signal?: AbortSignal) => get("/api/v1/search", { query: { q }, ...aborting(signal) });

export type ScheduleBar = Schemas["ScheduleBar"];
export type ScheduledCampaign = Schemas["ScheduledCampaign"];
export type Schedule = Schemas["Schedule"];

/** `from` and `until` are days; both are part of the span. */
export const readSchedule = (span: { from: string; until: string }, signal?: AbortSignal) => get("/api/v1/schedule", { query: span, ...aborting(signal) });

/** `2027-01-01`, `2027-02-05..2027-02-12`. */
export type Holidays = Schemas["HolidaysView"];

export const readHolidays = (signal?: AbortSignal) => get("/api/v1/holidays", aborting(signal));

/** @throws ApiProblem 412 `changed` */
export const saveHolidays = (days: string[], version: number) => call("put", "/api/v1/holidays", { body: { days }, etag: `"v${version}"` });
