//! Everything the dialer can ask for.

use crate::call::{Digit, HangUpCause};
use crate::ids::{AttemptId, CallId, CampaignId, HouseholdId, LeadId, TrunkId};
use crate::lead::Phone;
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
    pub ended_at: Utc,
    /// All digits pressed.
    pub keys: Vec<Digit>,
    /// What a key's rule set.
    pub result: Option<String>,
    pub counted: bool,
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
}
