/** Short names of the service's types, and the words that it sends as plain strings. */
import type { components, paths } from "./types";

export type Schemas = components["schemas"];
export type Seat = Schemas["Seat"];
export type Campaign = Schemas["CampaignFigures"];
export type Floor = Schemas["Floor"];
export type Trunk = Schemas["TrunkView"];
export type Words = Schemas["Words"];
export type Problem = Schemas["Problem"];
export type Person = Schemas["OwnAccount"];
export type Account = Schemas["Account"];
export type Group = Schemas["GroupWithMembers"];
export type Call = Schemas["CallView"];
export type Lead = Schemas["Lead"];
export type BlacklistEntry = Schemas["BlacklistEntryView"];
export type Token = Schemas["TokenView"];
export type Sound = Schemas["SoundView"];
export type Approval = Schemas["ApprovalView"];
export type CallerId = Schemas["CallerIdView"];
export type CallerIdDetail = Schemas["CallerIdDetail"];
export type CallerIdDay = Schemas["CallerIdDay"];
export type CampaignWhy = Schemas["CampaignWhy"];
export type CampaignAction = Schemas["CampaignAction"];
export type List = Schemas["ListView"];
export type ListDetail = Schemas["ListDetail"];
export type ListReading = Schemas["Reading"];
export type ListMapping = Schemas["Mapping"];
export type UploadReport = Schemas["UploadReport"];
export type Task = Schemas["TaskView"];

/** Every path of the API, with `/api/v1`. */
export type ApiPath = keyof paths;

/** Words of the service that the OpenAPI document carries as plain strings. `states.test.ts` compares them with the service's source. */
export const ACTIVITIES = ["idle", "reserved", "ringing", "talking", "consulting", "wrap_up"] as const;
export const AVAILABILITIES = ["signed_out", "available", "paused"] as const;
export const CALL_STAGES = ["opening", "placed", "ringing", "answered", "announcing", "waiting", "talking", "held", "sorry", "ended"] as const;
export const OUTCOMES = [
  "answered", "machine", "abandoned", "no_answer", "busy", "rejected", "vacant", "powered_off", "suspended",
  "unreachable", "restricted", "carrier_block", "line_fault", "agent_failed", "interrupted", "cancelled",
] as const;
export const LEAD_STATES = ["open", "follow_up", "done", "failed"] as const;
/** Why a lead was closed without its own result. */
export const LEAD_REASONS = [
  "invalid_number", "emergency_number", "duplicate", "blacklisted", "outside_window", "attempts_used", "household_done", "stopped", "no_trunk",
] as const;
/** What held dialling down, coarsely: the words of a minute's seconds. */
export const LIMITS = ["agents", "budget", "lines", "rate", "leads", "hours", "stopped", "fault"] as const;
export const MODES = ["announce", "preview", "progressive", "ratio", "predictive"] as const;
export const ABANDON_RULES = ["us_tsr", "uk_ofcom", "whole_day", "rolling_24h", "all_calls", "reached_queue"] as const;
export const CAMPAIGN_STATES = ["draft", "waiting", "ready", "running", "paused", "draining", "finished", "archived"] as const;

export type Limit = (typeof LIMITS)[number];
export type Mode = (typeof MODES)[number];
export type CampaignState = (typeof CAMPAIGN_STATES)[number];
