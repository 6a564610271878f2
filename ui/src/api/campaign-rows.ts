/** Campaigns as rows: their text, versions, checklist, forecasts and decisions. */
import { call, get, newKey } from "./call";
import type { Campaign as Figures, Schemas } from "./words";

export type CampaignRow = Schemas["CampaignRow"];
export type CampaignText = Schemas["Campaign"];
export type TextProblem = Schemas["CampaignProblem"];
export type DiffLine = Schemas["DiffLineView"];
export type Effect = Schemas["CampaignEffect"];
export type CampaignChange = Schemas["CampaignChange"];
export type CampaignVersion = Schemas["CampaignVersionRow"];
export type CheckItem = Schemas["ChecklistItem"];
export type Checklist = Schemas["Checklist"];
export type PacingDecision = Schemas["DecisionView"];
export type ForecastQuestion = Schemas["ForecastRequest"];

/** Agents are answered their own campaigns alone, without rows. */
export interface CampaignPage {
  campaigns: Figures[];
  items?: CampaignRow[];
  next?: string | null;
}

/** Reasons of a pacing decision; a test compares them with the service's. */
export const WHYS = [
  "concurrency_full", "trunks_full", "share_used", "calls_per_sec", "trunks_down", "outside_window", "hopper_empty", "households_busy", "retries_later", "no_agents", "agents_busy", "lines_out",
  "abandon_budget", "callees_waiting", "calls_per_agent", "feed_doubted", "pacer_failed", "caller_ids_used", "caller_ids_resting", "store_stalled", "paused", "draining", "finished",
] as const;
export type Why = (typeof WHYS)[number];
export const isWhy = (word: string): word is Why => WHYS.some((it) => it === word);

const PATH = "/api/v1/campaigns/{name}";

/** A change of the text by fields (JSON merge patch) or as a whole. */
export type TextChange = { fields: Fields } | { toml: string };
export type Fields = Schemas["CampaignPatchRequest"]["fields"];

export const listCampaigns = async ({ after, ...query }: { state?: string; q?: string; group?: string; after?: string | undefined; limit?: number }, signal: AbortSignal) =>
  (await get("/api/v1/campaigns", { query: { ...query, ...(after === undefined ? {} : { after }) }, signal })) as CampaignPage;

export const makeCampaign = async (body: { toml: string } | { copy_of: string; name: string; title?: string }, key: string) =>
  // A task (202) answers folders and files alone.
  (await call("post", "/api/v1/campaigns", { body: { ...body, paused: false }, key })) as Schemas["CampaignMade"];

export const readCampaign = (name: string, signal?: AbortSignal) => get(PATH, { path: { name }, ...(signal ? { signal } : {}) });

/** What a change would do; nothing is kept. */
export const tryChange = (name: string, change: TextChange, signal: AbortSignal): Promise<CampaignChange> => {
  const options = { path: { name }, query: { dry_run: "true" as const }, signal };
  return "toml" in change ? call("put", PATH, { ...options, body: change }) : call("patch", PATH, { ...options, body: change });
};

/** @throws ApiProblem 412 `changed` if somebody saved since `etag`, 422 `campaign_faulty` */
export const applyChange = (name: string, change: TextChange, etag: string, note?: string): Promise<CampaignChange> => {
  const options = { path: { name }, etag };
  const noted = note === undefined || note === "" ? {} : { note };
  return "toml" in change ? call("put", PATH, { ...options, body: { ...change, ...noted } }) : call("patch", PATH, { ...options, body: { ...change, ...noted } });
};

export const listVersions = (name: string, signal: AbortSignal) => get(`${PATH}/versions`, { path: { name }, signal });

export const readVersion = (name: string, n: number, signal?: AbortSignal) => get(`${PATH}/versions/{n}`, { path: { name, n }, ...(signal ? { signal } : {}) });

export const readChecklist = (name: string, signal: AbortSignal) => get(`${PATH}/checklist`, { path: { name }, signal });

export const actOnCampaign = (name: string, action: "start" | "archive") => call("post", `${PATH}/actions`, { path: { name }, body: { action }, key: newKey() });

export const removeCampaign = (name: string) => call("delete", PATH, { path: { name } });

export const askForecast = (name: string, body: ForecastQuestion) => call("post", `${PATH}/forecasts`, { path: { name }, body, key: newKey() });

export const listDecisions = (name: string, query: { before?: number; why?: Why }, signal: AbortSignal) => get(`${PATH}/decisions`, { path: { name }, query, signal });
