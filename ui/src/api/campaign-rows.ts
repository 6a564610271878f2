/** Campaigns as rows: their text, versions, checklist, forecasts and decisions. */
import { newKey, send } from "./call";
import type { Campaign as Figures, CampaignState, Problem, Task, Words } from "./words";

export interface WaitingFor {
  kind: "list" | "audio";
  id: number;
  title: string;
  href: string;
  who: Words;
}

export interface CampaignRow {
  name: string;
  title: string | null;
  mode: string | null;
  state: CampaignState;
  waiting_for: WaitingFor[];
  group: string | null;
  leads: number;
  leads_open: number;
  answer_rate: number | null;
  abandon_rate: number | null;
  placed: number;
  /** Why it could not be opened. */
  trouble?: Words | null;
  /** Version of the text. */
  version: number;
  changed_at: string;
  changed_by: string | null;
  is_open: boolean;
}

export interface CampaignPage {
  campaigns: Figures[];
  /** Absent in services that know open campaigns only. */
  items?: CampaignRow[];
  next?: string | null;
}

export interface CampaignText {
  name: string;
  title: string | null;
  state: CampaignState;
  desired_state: "closed" | "open" | "paused" | "draining";
  waiting_for: WaitingFor[];
  /** Why it could not be opened. */
  trouble?: Words | null;
  toml: string;
  /** With the defaults of what the text leaves out; `null` = the text has faults. */
  fields: Record<string, unknown> | null;
  version: number;
  etag: string;
  changed_at: string;
  changed_by: string | null;
  source: "file" | "api";
  files: { name: string; audio: number | null; list: number | null; bytes: number; state: string }[];
}

export interface TextProblem {
  /** `pacing.calls_per_sec`; `null` = of the text as a whole. */
  key: string | null;
  /** From 1. */
  line: number | null;
  found: string;
  advice: string;
  level: "error" | "warning";
}

export interface DiffLine {
  kind: "same" | "removed" | "added";
  line_before: number | null;
  line_after: number | null;
  text: string;
}

export interface Effect {
  field: string;
  when: "now" | "next_start" | "after_approval";
  words: Words;
}

export interface CampaignChange {
  etag: string;
  version: number;
  toml: string;
  problems: TextProblem[];
  diff: DiffLine[];
  effects: Effect[];
}

export interface CampaignVersion {
  number: number;
  at: string;
  by: string | null;
  source: string;
  note: string | null;
}

export interface CheckItem {
  code: string;
  level: "stop" | "advice";
  ok: boolean;
  words: Words;
  href: string | null;
  who: Words | null;
}

export interface Checklist {
  ready: boolean;
  items: CheckItem[];
}

export interface PacingDecision {
  id: number;
  at: string;
  place: number;
  why: string;
  limit: string | null;
  words: Words;
  view: Record<string, unknown> | null;
}

export interface DecisionPage {
  items: PacingDecision[];
  kept_since: string | null;
  next: number | null;
}

/** What 412 `changed` and 409 `not_ready` carry beside the problem. */
export type CampaignProblem = Problem & {
  present?: { etag: string; version: number; changed_by: string | null; changed_at: string };
  items?: CheckItem[];
};

export interface ForecastQuestion {
  agents: number;
  answer_rate?: number;
  talk_secs?: number;
  wrap_secs?: number;
  ring_secs?: number;
  from_history?: boolean;
  hours: number;
  seeds: number;
  needed?: boolean;
}

const PATH = "/api/v1/campaigns/{name}";

/** A change of the text by fields (JSON merge patch) or as a whole. */
export type TextChange = { fields: object } | { toml: string };

export const listCampaigns = (query: object, signal: AbortSignal) => send("get", "/api/v1/campaigns", { query, signal }) as Promise<CampaignPage>;

export const makeCampaign = (body: { toml: string } | { copy_of: string; name: string; title?: string }, key: string) =>
  send("post", "/api/v1/campaigns", { body, key }) as Promise<{ name: string; state: CampaignState; version: number; etag: string }>;

export const readCampaign = (name: string, signal?: AbortSignal) => send("get", PATH, { path: { name }, ...(signal ? { signal } : {}) }) as Promise<CampaignText>;

const method = (change: TextChange) => ("toml" in change ? "put" : "patch");

/** What a change would do; nothing is kept. */
export const tryChange = (name: string, change: TextChange, signal: AbortSignal) =>
  send(method(change), PATH, { path: { name }, query: { dry_run: true }, body: change, signal }) as Promise<CampaignChange>;

/** @throws ApiProblem 412 `changed` if somebody saved since `etag`, 422 `campaign_faulty` */
export const applyChange = (name: string, change: TextChange, etag: string, note?: string) =>
  send(method(change), PATH, { path: { name }, body: note === undefined || note === "" ? change : { ...change, note }, etag }) as Promise<CampaignChange>;

export const listVersions = (name: string, signal: AbortSignal) =>
  send("get", `${PATH}/versions`, { path: { name }, signal }) as Promise<{ items: CampaignVersion[] }>;

export const readVersion = (name: string, n: number, signal?: AbortSignal) =>
  send("get", `${PATH}/versions/{n}`, { path: { name, n }, ...(signal ? { signal } : {}) }) as Promise<{ number: number; at: string; by: string | null; note: string | null; toml: string }>;

export const readChecklist = (name: string, signal: AbortSignal) => send("get", `${PATH}/checklist`, { path: { name }, signal }) as Promise<Checklist>;

export const actOnCampaign = (name: string, action: "start" | "archive") =>
  send("post", `${PATH}/actions`, { path: { name }, body: { action }, key: newKey() });

export const removeCampaign = (name: string) => send("delete", PATH, { path: { name } });

export const askForecast = (name: string, body: ForecastQuestion) =>
  send("post", `${PATH}/forecasts`, { path: { name }, body, key: newKey() }) as Promise<{ task: number | Task }>;

export const listDecisions = (name: string, query: { before?: number; why?: string }, signal: AbortSignal) =>
  send("get", `${PATH}/decisions`, { path: { name }, query, signal }) as Promise<DecisionPage>;
