//! Everything the dialer can ask for.

use crate::agent::{CallSummary, Refusal, SeatView, Way};
use crate::call::{Digit, HangUpCause};
use crate::ids::{AgentId, AttemptId, CallId, CampaignId, HouseholdId, LeadId, MixId, TrunkId};
use crate::lead::{Callback, Phone};
use crate::media::Voice;
use crate::number::PhoneNumber;
use crate::outcome::{EndedBy, LeadState, Outcome, Reason};
use crate::pacing::Decision;
use crate::time::{Duration, Utc};
use serde::{Deserialize, Serialize};

/// The closed list of what the dialer can ask for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// Hand over up to `count` open leads that are due, never one that is `held` already.
    FetchLeads {
        campaign: CampaignId,
        count: u32,
    },
    /// Ask "may I dial this number now?" and open the attempt, in one transaction.
    OpenAttempt(Box<AttemptRequest>),
    /// The attempt is on disk: let the INVITE leave.
    PlaceCall {
        call: CallId,
        trunk: TrunkId,
        number: PhoneNumber,
        caller_id: Option<String>,
        ring: Duration,
    },
    /// Write "answered" before the ACK leaves.
    SaveAnswer {
        call: CallId,
        at: Utc,
    },
    /// "Answered" is on disk: send the ACK, open the ears.
    Acknowledge {
        call: CallId,
    },
    /// Play the campaign's announcement from its start, `plays` times.
    PlayAnnouncement {
        call: CallId,
        campaign: CampaignId,
        plays: u32,
    },
    HangUp {
        call: CallId,
        cause: HangUpCause,
    },
    /// Write the result and what becomes of the lead, before the lead can be picked again.
    SaveResult(Box<AttemptResult>),
    /// A lead ends, or waits, without an attempt.
    SaveLead(Box<LeadUpdate>),
    /// The campaign is over: every lead that is still open ends with this reason.
    CloseLeads {
        campaign: CampaignId,
        reason: Reason,
    },
    /// "Do not call me again": the number goes on the campaign's own blacklist.
    Blacklist {
        campaign: CampaignId,
        number: PhoneNumber,
    },
    /// One pacing decision whose why or size differs from the last.
    Decided {
        campaign: CampaignId,
        decision: Decision,
    },
    /// Nothing is left to do for this campaign.
    CampaignFinished {
        campaign: CampaignId,
    },
    /// The answer to `Input::AgentActed`.
    ActAnswered {
        ask: u64,
        refusal: Option<Refusal>,
    },
    /// A seat is not what it was. `logged` = availability or activity changed: it belongs in the
    /// state log.
    SeatChanged {
        seat: Box<SeatView>,
        logged: bool,
    },
    /// Ring an agent. A leg of our own making: no attempt, nothing to save before.
    CallAgent {
        leg: CallId,
        agent: AgentId,
        way: Way,
        /// For `Way::Telephone`.
        trunk: Option<TrunkId>,
        /// The phone may answer by itself: the leg is held for the shift, or she asked for the call.
        auto_answer: bool,
        /// Whom she will speak with, for the phone's display.
        shown: Option<PhoneNumber>,
        ring: Duration,
    },
    /// Call a third party outside, for a consultation.
    CallThird {
        leg: CallId,
        trunk: TrunkId,
        number: PhoneNumber,
        caller_id: Option<String>,
        ring: Duration,
    },
    /// Answer a call from outside (200), or ring on (180).
    AnswerCall {
        call: CallId,
    },
    /// Hear and speak in a mix; leaves any other.
    Join {
        leg: CallId,
        mix: MixId,
        voice: Voice,
    },
    /// Alone again.
    Leave {
        leg: CallId,
    },
    /// Play to one leg, instead of what it hears; for ever until `StopPlaying` where it is music.
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
    /// Record the callee's leg, both ways; the store is told where once it is complete.
    Record {
        call: CallId,
        campaign: CampaignId,
        agent: Option<AgentId>,
        on: bool,
    },
    /// Hand over this lead for a call, if nobody holds it.
    FetchLead {
        campaign: CampaignId,
        lead: LeadId,
        agent: AgentId,
    },
    /// What an agent said of a call, and what that makes of the lead.
    SaveSummary(Box<SummaryRecord>),
    /// A leg that was no attempt is over: an agent's, a consulted party's, a caller's.
    SaveLeg(Box<LegRecord>),
    /// These leads were lent and are not wanted any more, as they are: nothing is written, and they may
    /// be handed over again.
    ReturnLeads {
        campaign: CampaignId,
        leads: Vec<LeadId>,
    },
}

/// What is played to one leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoundName {
    /// On hold, or waiting for an agent.
    HoldMusic,
    /// To an agent whose callee is being rung.
    RingBack,
    /// Nobody is free: the campaign's own message, or the house's.
    Sorry(CampaignId),
    /// "Agent number 8001, at your service."
    AgentNumber(String),
    Spoken(Spoken),
}

/// What an agent hears who signs in by telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoken {
    EnterAgentNumber,
    SignedIn,
    SignedOut,
    NotKnown,
}

/// What an agent said of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryRecord {
    pub attempt: AttemptId,
    /// The call came in: `attempt` is the leg's number, and no attempt.
    pub inbound: bool,
    pub campaign: CampaignId,
    pub agent: AgentId,
    pub summary: CallSummary,
    /// Nobody said it in time: the campaign's default stands for it.
    pub defaulted: bool,
    /// The disposition says that a machine had answered.
    pub machine: bool,
    pub at: Utc,
    /// What becomes of the lead.
    pub lead: Option<LeadUpdate>,
}

/// A leg that was no attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegRecord {
    pub leg: CallId,
    pub kind: LegKind,
    /// Whose leg it is, or who asked for it.
    pub agent: Option<AgentId>,
    pub number: Option<PhoneNumber>,
    pub campaign: Option<CampaignId>,
    pub lead: Option<LeadId>,
    /// The attempt it belonged to when it ended.
    pub attempt: Option<AttemptId>,
    pub began_at: Utc,
    pub answered_at: Option<Utc>,
    /// A caller's: when an agent spoke with her, and who.
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
    /// Somebody called us.
    Inbound,
}

/// What is written before an INVITE may leave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptRequest {
    pub attempt: AttemptId,
    pub campaign: CampaignId,
    /// `None` = a single-number test: no lead, no retry, the blacklist and caps still hold.
    pub lead: Option<LeadId>,
    pub household: Option<HouseholdId>,
    pub number: PhoneNumber,
    /// 1 for the first attempt on this number in this campaign.
    pub ordinal: u32,
    pub trunk: TrunkId,
    pub caller_id: Option<PhoneNumber>,
    pub placed_at: Utc,
    /// The calling hours are open until then: later, the store refuses.
    pub open_until: Utc,
    /// Caps that are asked again in the same transaction.
    pub attempts_max: u32,
    pub per_day_max: u32,
    pub gap_min: Duration,
    /// Start of the local day for `per_day_max`, and its end.
    pub day_start: Utc,
    pub day_end: Utc,
    /// How long the number rests if we die now: the ring time and a margin.
    pub rest: Duration,
    /// An agent is there for this call alone, so that a number that was abandoned may be called.
    pub guaranteed: bool,
}

/// What is written when an attempt is over.
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
    /// When she and an agent could hear each other.
    pub connected_at: Option<Utc>,
    /// Who spoke with her last.
    pub agent: Option<AgentId>,
    pub ended_at: Utc,
    /// All digits pressed.
    pub keys: Vec<Digit>,
    /// What a key's rule set.
    pub result: Option<String>,
    pub counted: bool,
    /// She was abandoned: until then no campaign calls this number without an agent who is there for her.
    pub rest_until: Option<Utc>,
    /// What becomes of the lead; `None` for a single-number test.
    pub lead: Option<LeadUpdate>,
}

/// What becomes of a lead. The store writes it as it stands.
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
    /// A booked callback: the lead is due at `next_at`, for whom it says.
    pub callback: Option<Callback>,
}
