//! Outputs: every effect the dialer asks of the shell.

use super::line_health::LineView;
use crate::agent::{CallSummary, Endpoint, Refusal, SeatView};
use crate::call::{Digit, HangUpCause, KeyWay};
use crate::ids::{AgentId, AttemptId, CallId, CampaignId, HouseholdId, LeadId, MixId, TrunkId};
use crate::lead::{Callback, Phone};
use crate::media::Voice;
use crate::number::{PhoneNumber, ShownNumber};
use crate::outcome::{EndedBy, LeadState, Outcome, Reason};
use crate::pacing::Decision;
use crate::time::{Duration, Utc};
use serde::{Deserialize, Serialize};

/// Who asked for no further call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DoNotCallBy {
    /// The callee, by a key.
    Key,
    /// An agent, by the disposition of the call.
    Summary,
}

/// The closed list of outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// Lease up to `count` open leads, never one that is leased already: retries and booked callbacks that
    /// are due, by their time, and with `untried` then untried leads in list order.
    FetchLeads {
        campaign: CampaignId,
        count: u32,
        untried: bool,
    },
    /// Check blacklist, hours, caps and gaps, and open the attempt, in one transaction.
    OpenAttempt(Box<AttemptRequest>),
    /// Send the INVITE; the attempt is on disk.
    PlaceCall {
        call: CallId,
        trunk: TrunkId,
        number: PhoneNumber,
        caller_id: Option<ShownNumber>,
        /// How long the call may take until the phone rings.
        setup: Duration,
        /// How long the phone may ring, from then on.
        ring: Duration,
    },
    /// Write "answered"; the ACK waits until it is on disk.
    SaveAnswer {
        call: CallId,
        at: Utc,
    },
    /// "Answered" is on disk: send the ACK and let received audio through.
    Acknowledge {
        call: CallId,
    },
    /// Play the campaign's announcement from its start, `plays` times.
    PlayAnnouncement {
        call: CallId,
        campaign: CampaignId,
        plays: u32,
        /// Silence before the first play.
        pause: Duration,
    },
    HangUp {
        call: CallId,
        cause: HangUpCause,
    },
    /// Write the result and the lead's new state; only then may the lead be leased again.
    SaveResult(Box<AttemptResult>),
    /// Write a lead's new state that comes from no attempt.
    SaveLead(Box<LeadUpdate>),
    /// The campaign is over: close every open lead with this reason.
    CloseLeads {
        campaign: CampaignId,
        reason: Reason,
    },
    /// Put the number on the campaign's own do-not-call list.
    Blacklist {
        campaign: CampaignId,
        number: PhoneNumber,
        by: DoNotCallBy,
    },
    /// A placing decision whose reason differs from the last, or that placed calls.
    Decided {
        campaign: CampaignId,
        decision: Decision,
    },
    /// The campaign has no work left.
    CampaignFinished {
        campaign: CampaignId,
    },
    /// The answer to `Input::AgentActed`.
    ActionAnswered {
        request: u64,
        refusal: Option<Refusal>,
    },
    /// A seat's view changed. `logged` = availability or activity changed, so it belongs in the state log.
    SeatChanged {
        seat: Box<SeatView>,
        logged: bool,
    },
    /// Ring an agent. The leg is no attempt, so nothing is saved before.
    CallAgent {
        leg: CallId,
        agent: AgentId,
        endpoint: Endpoint,
        /// For `Endpoint::Telephone`.
        trunk: Option<TrunkId>,
        /// The phone may answer automatically: the leg is nailed up, or the agent asked for the call.
        auto_answer: bool,
        /// The callee's number, for the phone's display.
        shown: Option<PhoneNumber>,
        ring: Duration,
    },
    /// Call an outside number as consulted party.
    CallConsulted {
        leg: CallId,
        trunk: TrunkId,
        number: PhoneNumber,
        caller_id: Option<ShownNumber>,
        ring: Duration,
    },
    /// Answer an inbound call (200).
    AnswerCall {
        call: CallId,
    },
    /// Bridge this leg into a mix; it leaves any other.
    Join {
        leg: CallId,
        mix: MixId,
        voice: Voice,
    },
    /// Take this leg out of its mix.
    Leave {
        leg: CallId,
    },
    /// Play to one leg in place of its mix. Music loops until `StopPlaying`.
    Play {
        leg: CallId,
        sound: SoundName,
    },
    StopPlaying {
        leg: CallId,
    },
    SendDigits {
        leg: CallId,
        keys: Vec<Digit>,
    },
    /// Record the callee's leg, both directions, or stop. The recorder reports the finished file to the
    /// store.
    Record {
        call: CallId,
        campaign: CampaignId,
        agent: Option<AgentId>,
        on: bool,
    },
    /// Lease this one lead for an agent's call, if it is not leased.
    FetchLead {
        campaign: CampaignId,
        lead: LeadId,
        agent: AgentId,
    },
    /// Write an agent's call summary and the lead's new state.
    SaveSummary(Box<SummaryRecord>),
    /// Write a leg that was no attempt and is over: an agent's, a consulted party's, an inbound caller's.
    SaveLeg(Box<LegRecord>),
    /// Ask the far end of this leg by OPTIONS whether it still knows the dialog. Answered by
    /// `Input::LegProbed`, or not at all.
    ProbeLeg {
        leg: CallId,
    },
    /// A single-number test is not called.
    TestRefused {
        campaign: CampaignId,
        number: PhoneNumber,
        why: TestRefusal,
        /// The trunk that the test was about; `None` = any trunk of the campaign.
        trunk: Option<TrunkId>,
    },
    /// End these leases unchanged: nothing is written to the leads, and they may be leased again.
    ReturnLeads {
        campaign: CampaignId,
        leads: Vec<LeadId>,
    },
    /// The line was at fault, not the callees: these ended, unanswered attempts become `line_fault` and do not
    /// count; their phones are open again from `next_at` on, and so is each lead that no later event decided.
    TakeBack {
        campaign: CampaignId,
        attempts: Vec<AttemptId>,
        next_at: Utc,
    },
    /// The line works again: phones of these open leads whose last outcome is `line_fault` are due at `at`.
    MakeDue {
        campaign: CampaignId,
        leads: Vec<LeadId>,
        at: Utc,
    },
    /// The line of a campaign's trunks changed; `None` = all work.
    LineChanged {
        campaign: CampaignId,
        line: Option<LineView>,
    },
}

/// Why a single-number test is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TestRefusal {
    /// No trunk of the campaign, or not this trunk, may carry the number.
    NoTrunk,
    /// The register lets none of the campaign's caller IDs be shown.
    NoCallerId,
    /// Every line of the trunk is used, or its rate allows no call for some seconds.
    TrunkFull,
}

/// A sound for one leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoundName {
    /// On hold, or waiting for an agent.
    HoldMusic,
    /// To an agent whose callee's phone rings.
    RingBack,
    /// No agent is free: the campaign's own message, or the default one.
    Sorry(CampaignId),
    /// "Agent number 8001, at your service."
    AgentNumber(String),
    Spoken(Spoken),
}

/// Prompts for an agent who signs in by telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoken {
    EnterAgentNumber,
    SignedIn,
    SignedOut,
    NotKnown,
}

/// One call summary as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryRecord {
    pub attempt: AttemptId,
    /// The call was inbound: `attempt` holds the leg's number, not an attempt's.
    pub inbound: bool,
    pub campaign: CampaignId,
    pub agent: AgentId,
    pub summary: CallSummary,
    /// Wrap-up timed out: the campaign's default disposition is written, marked as defaulted.
    pub defaulted: bool,
    /// The disposition means that a machine answered.
    pub machine: bool,
    pub at: Utc,
    /// The lead's new state; `None` = the summary does not change it.
    pub lead: Option<LeadUpdate>,
}

/// One leg that was no attempt, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegRecord {
    pub leg: CallId,
    pub kind: LegKind,
    /// The leg's agent, or the agent who asked for it.
    pub agent: Option<AgentId>,
    pub number: Option<PhoneNumber>,
    pub campaign: Option<CampaignId>,
    pub lead: Option<LeadId>,
    /// The attempt this leg was bridged with when it ended.
    pub attempt: Option<AttemptId>,
    pub began_at: Utc,
    pub answered_at: Option<Utc>,
    /// Inbound only: when an agent was bridged to the caller.
    pub connected_at: Option<Utc>,
    pub ended_at: Utc,
    pub ended_by: EndedBy,
    pub cause: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegKind {
    Agent,
    Consulted,
    /// An inbound call.
    Inbound,
}

/// An attempt as it is written before its INVITE leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptRequest {
    pub attempt: AttemptId,
    pub campaign: CampaignId,
    /// `None` = a single-number test: no lead, no retry; the blacklist still holds.
    pub lead: Option<LeadId>,
    pub household: Option<HouseholdId>,
    pub number: PhoneNumber,
    /// 1 for the first attempt on this number in this campaign.
    pub ordinal: u32,
    pub trunk: TrunkId,
    pub caller_id: Option<ShownNumber>,
    pub placed_at: Utc,
    /// End of the calling hours: from then on the store refuses the attempt.
    pub open_until: Utc,
    /// Caps that the store checks again in the same transaction.
    pub attempts_max: u32,
    pub per_day_max: u32,
    pub gap_min: Duration,
    /// Bounds of the local day for `per_day_max`.
    pub day_start: Utc,
    pub day_end: Utc,
    /// How long the number is not dialled if the process dies now: set-up and ring time, and a margin.
    pub rest: Duration,
    /// An agent is reserved for this call alone, so a number that rests after an abandoned call may be
    /// dialled.
    pub guaranteed: bool,
    /// [`Lead::version`](crate::lead::Lead::version) of the copy that is dialled.
    pub lead_version: i64,
}

/// An attempt's result as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptResult {
    pub attempt: AttemptId,
    pub campaign: CampaignId,
    pub outcome: Outcome,
    pub cause: String,
    pub sip_code: Option<u16>,
    pub ended_by: EndedBy,
    pub ringing_at: Option<Utc>,
    pub answered_at: Option<Utc>,
    /// When the callee was bridged with the first agent.
    pub connected_at: Option<Utc>,
    /// The agent who spoke with the callee last.
    pub agent: Option<AgentId>,
    pub ended_at: Utc,
    /// All digits pressed.
    pub keys: Vec<Digit>,
    /// How each of `keys` came.
    pub key_ways: Vec<KeyWay>,
    /// The result set by a key's rule.
    pub result: Option<String>,
    pub counted: bool,
    /// The call was abandoned: until then no campaign calls this number without a reserved agent.
    pub rest_until: Option<Utc>,
    /// The lead's new state; `None` for a single-number test.
    pub lead: Option<LeadUpdate>,
}

/// A lead's new state. The store writes it as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeadUpdate {
    pub campaign: CampaignId,
    pub lead: LeadId,
    pub state: LeadState,
    pub reason: Option<Reason>,
    /// When an open lead is due again.
    pub next_at: Option<Utc>,
    pub phones: Vec<Phone>,
    pub uncounted: u32,
    pub result: Option<String>,
    /// Close every other open lead of this household as `household_done`.
    pub household_done: Option<HouseholdId>,
    /// A booked callback: the lead is due at `next_at`, for the agent or skill named here.
    pub callback: Option<Callback>,
    /// [`Lead::version`](crate::lead::Lead::version) of the copy that was decided on. What a person changed since
    /// then stands, unless a call or an agent decides.
    pub version: i64,
}
