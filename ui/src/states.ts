/** The one table of states: a word of the service has a meaning, a meaning has a glyph and colours (CONSOLE.md 5.2). */
import type { Approval, CallerId, Campaign, CampaignState, Limit, List, Schemas, Seat, Sound } from "./api/words";
import type { GlyphName } from "./kit/Glyph";
import type { PlainKey } from "./words";

/** Meanings; each names the colour tokens `--{meaning}-ink`, `-wash`, `-fill`. */
export type Meaning = "idle" | "reserved" | "ringing" | "talking" | "consulting" | "wrap" | "paused" | "gone" | "waiting" | "alarm";

export interface State {
  meaning: Meaning;
  glyph: GlyphName;
  word: PlainKey;
}

const state = (meaning: Meaning, glyph: GlyphName, word: PlainKey): State => ({ meaning, glyph, word });

/** What a seat is doing: the activity, and what stands above it (hold, conference, pause, phone). */
export const SEAT_STATES = {
  idle: state("idle", "idle", "activity.idle"),
  reserved: state("reserved", "reserved", "activity.reserved"),
  ringing: state("ringing", "ringing", "activity.ringing"),
  talking: state("talking", "talking", "activity.talking"),
  held: state("talking", "held", "activity.held"),
  consulting: state("consulting", "consulting", "activity.consulting"),
  conference: state("consulting", "consulting", "activity.conference"),
  supervising: state("consulting", "consulting", "activity.supervising"),
  wrap_up: state("wrap", "wrap", "activity.wrap_up"),
  paused: state("paused", "paused", "activity.paused"),
  phone_not_ready: state("waiting", "waiting", "activity.phone_not_ready"),
  signed_out: state("gone", "gone", "activity.signed_out"),
} as const;

export const CALL_STATES = {
  opening: state("reserved", "reserved", "stage.opening"),
  placed: state("reserved", "reserved", "stage.placed"),
  ringing: state("ringing", "ringing", "stage.ringing"),
  answered: state("talking", "talking", "stage.answered"),
  announcing: state("reserved", "reserved", "stage.announcing"),
  waiting: state("waiting", "waiting", "stage.waiting"),
  talking: state("talking", "talking", "stage.talking"),
  held: state("talking", "held", "stage.held"),
  sorry: state("alarm", "alarm", "stage.sorry"),
  ended: state("gone", "gone", "stage.ended"),
} as const;

export const OUTCOME_STATES = {
  answered: state("talking", "on", "outcome.answered"),
  machine: state("reserved", "reserved", "outcome.machine"),
  abandoned: state("alarm", "alarm", "outcome.abandoned"),
  no_answer: state("paused", "none", "outcome.no_answer"),
  busy: state("ringing", "ringing", "outcome.busy"),
  rejected: state("ringing", "ringing", "outcome.rejected"),
  vacant: state("paused", "none", "outcome.vacant"),
  powered_off: state("paused", "none", "outcome.powered_off"),
  suspended: state("paused", "none", "outcome.suspended"),
  unreachable: state("paused", "none", "outcome.unreachable"),
  restricted: state("waiting", "waiting", "outcome.restricted"),
  carrier_block: state("waiting", "waiting", "outcome.carrier_block"),
  line_fault: state("alarm", "alarm", "outcome.line_fault"),
  agent_failed: state("alarm", "alarm", "outcome.agent_failed"),
  interrupted: state("gone", "gone", "outcome.interrupted"),
  cancelled: state("gone", "gone", "outcome.cancelled"),
} as const;

export const LEAD_STATES = {
  open: state("idle", "idle", "lead.open"),
  follow_up: state("wrap", "wrap", "lead.follow_up"),
  done: state("talking", "on", "lead.done"),
  failed: state("alarm", "alarm", "lead.failed"),
} as const;

export const CAMPAIGN_STATES = {
  draft: state("paused", "none", "campaign.draft"),
  waiting: state("waiting", "waiting", "campaign.waiting"),
  ready: state("idle", "idle", "campaign.ready"),
  running: state("talking", "on", "campaign.running"),
  paused: state("paused", "held", "campaign.paused"),
  draining: state("wrap", "ringing", "campaign.draining"),
  finished: state("gone", "done", "campaign.finished"),
  archived: state("gone", "gone", "campaign.archived"),
} as const satisfies Record<CampaignState, State>;

export const LIST_STATES = {
  receiving: state("reserved", "reserved", "lists.receiving"),
  checking: state("reserved", "reserved", "lists.checking"),
  unreadable: state("alarm", "alarm", "lists.unreadable"),
  checked: state("idle", "idle", "lists.checked"),
  waiting: state("waiting", "waiting", "lists.waiting"),
  refused: state("alarm", "alarm", "lists.refusedByColleague"),
  loading: state("reserved", "reserved", "lists.loading"),
  loaded: state("talking", "done", "lists.loaded"),
  undone: state("gone", "gone", "lists.undone"),
  discarded: state("gone", "gone", "lists.discarded"),
} as const satisfies Record<List["state"], State>;

/** A checked list that another person has approved says so: it waits to be loaded. */
export function listState(list: List): State {
  return list.state === "checked" && list.decision?.approved ? state("idle", "done", "lists.approved") : LIST_STATES[list.state];
}

/** What a campaign of the schedule is beside its state. */
export const SCHEDULE_STATES = {
  drained: state("gone", "gone", "schedule.drained"),
} as const;

export const TRUNK_STATES = {
  up: state("talking", "on", "trunk.up"),
  down: state("alarm", "alarm", "trunk.down"),
  registering: state("reserved", "reserved", "trunk.registering"),
  resting: state("waiting", "waiting", "trunk.resting"),
  disabled: state("gone", "gone", "trunk.disabled"),
} as const;

export const SOUND_STATES = {
  measuring: state("reserved", "ringing", "sound.measuring"),
  unreadable: state("alarm", "alarm", "sound.unreadable"),
  waiting: state("waiting", "waiting", "sound.waiting"),
  ready: state("talking", "done", "sound.ready"),
  refused: state("alarm", "alarm", "sound.refused"),
  retired: state("gone", "gone", "sound.retired"),
} as const satisfies Record<Sound["state"], State>;

/** Where a vote stands. */
export const VOTE_STATES = {
  open: state("idle", "idle", "vote.standing_open"),
  certain: state("talking", "done", "vote.standing_certain"),
  out_of_reach: state("alarm", "alarm", "vote.standing_out_of_reach"),
} as const satisfies Record<Schemas["VoteCount"]["standing"], State>;

/** What the owners of a flat said together. */
export const SAID_STATES = {
  differing: state("waiting", "warning", "vote.said_differing"),
  agree: state("talking", "on", "vote.said_agree"),
  against: state("alarm", "alarm", "vote.said_against"),
  abstain: state("paused", "none", "vote.said_abstain"),
  open: state("idle", "idle", "vote.said_open"),
  silent: state("gone", "gone", "vote.said_silent"),
} as const satisfies Record<Schemas["VoteHead"]["said"], State>;

export const APPROVAL_STATES = {
  open: state("waiting", "waiting", "approval.open"),
  approved: state("talking", "done", "approval.approved"),
  refused: state("alarm", "alarm", "approval.refused"),
  withdrawn: state("gone", "gone", "approval.withdrawn"),
} as const satisfies Record<Approval["state"], State>;

export const CALLER_ID_STATES = {
  entered: state("paused", "none", "callerId.entered"),
  requested: state("waiting", "waiting", "callerId.requested"),
  whitelisted: state("idle", "checked", "callerId.whitelisted"),
  bound: state("idle", "done", "callerId.bound"),
  warming: state("reserved", "idle", "callerId.warming"),
  normal: state("talking", "on", "callerId.normal"),
  flagged: state("alarm", "warning", "callerId.flagged"),
  resting: state("paused", "paused", "callerId.resting"),
  recovering: state("ringing", "idle", "callerId.recovering"),
  unbound: state("gone", "none", "callerId.unbound"),
  retired: state("gone", "gone", "callerId.retired"),
} as const satisfies Record<CallerId["state"], State>;

/** What a number's own calls say of it. */
export const CALLER_ID_VERDICTS = {
  suspected: state("alarm", "warning", "callerId.suspected"),
  healthy: state("talking", "done", "callerId.healthy"),
  too_few: state("paused", "none", "callerId.too_few"),
  no_control: state("paused", "none", "callerId.no_control"),
  unused: state("gone", "none", "callerId.unused"),
} as const satisfies Record<CallerId["verdict"], State>;

/** Reasons of a campaign's why that need a person: shown as an alarm. */
export const WHY_ALARMS: ReadonlySet<string> = new Set(["trunks_down", "store_stalled", "no_agents", "caller_ids_used", "caller_ids_resting", "pacer_failed", "feed_doubted"]);

/** Colours of what held dialling down, in the bar of the last minutes. */
export const LIMIT_MEANINGS: Record<Limit, Meaning> = {
  agents: "talking", budget: "alarm", lines: "reserved", rate: "ringing", leads: "wrap", hours: "idle", stopped: "paused", fault: "waiting",
};

/** The state that a seat shows. */
export function seatState(seat: Seat): State {
  if (seat.availability === "signed_out") return SEAT_STATES.signed_out;
  const parties = seat.work?.parties ?? [];
  if (seat.activity === "talking") {
    if (parties.some((party) => party.held)) return SEAT_STATES.held;
    return parties.filter((party) => party.up).length > 2 ? SEAT_STATES.conference : SEAT_STATES.talking;
  }
  if (seat.activity !== "idle") return SEAT_STATES[seat.activity as keyof typeof SEAT_STATES] ?? SEAT_STATES.idle;
  if (seat.supervising) return SEAT_STATES.supervising;
  if (seat.availability === "paused") return SEAT_STATES.paused;
  return seat.phone_ready ? SEAT_STATES.idle : SEAT_STATES.phone_not_ready;
}

/** The state of an open campaign, from what its figures say. */
export function campaignState(campaign: Campaign): CampaignState {
  if (campaign.finished || campaign.why === "finished") return "finished";
  if (campaign.why === "paused") return "paused";
  if (campaign.why === "draining" || campaign.view["drained"] === true) return campaign.view["drained"] === true ? "paused" : "draining";
  return "running";
}
