//! Commands to the writer and its replies.

use super::{CampaignMinute, LegInfo};
use paceline_core::agent::SeatView;
use paceline_core::dialer::input::{ArrivedCall, DialVerdict};
use paceline_core::dialer::output::{AttemptRequest, AttemptResult, LeadUpdate, LegRecord, SummaryRecord};
use paceline_core::ids::{AgentId, AttemptId, CallId, CampaignId, LeadId, TrunkId};
use paceline_core::lead::Lead;
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::Reason;
use paceline_core::time::Utc;

/// A request to the store.
#[derive(Clone, Debug)]
pub enum Command {
    OpenAttempt {
        request: Box<AttemptRequest>,
        /// The trunk's name, for the results.
        trunk: String,
        /// The Call-ID the call will have.
        call_id: String,
        /// JSON: the dialog state that ends the call after a crash.
        dialog: String,
    },
    /// An empty `dialog` keeps the saved one.
    SaveAnswer {
        call: CallId,
        at: Utc,
        dialog: String,
    },
    /// Has no reply.
    SaveDialog {
        call: CallId,
        dialog: String,
    },
    /// The record of what the call did, as JSON; sent with its result. Has no reply.
    SaveSteps {
        attempt: AttemptId,
        steps: String,
    },
    SaveResult(Box<AttemptResult>),
    SaveLead(Box<LeadUpdate>),
    /// Ends the lease of these leads; they stay unchanged.
    ReturnLeads {
        leads: Vec<LeadId>,
    },
    CloseLeads {
        campaign: CampaignId,
        reason: Reason,
    },
    /// The line was at fault in these attempts. Has no reply.
    TakeBack {
        campaign: CampaignId,
        attempts: Vec<AttemptId>,
        next_at: Utc,
    },
    /// The line works again: these leads are due. Has no reply.
    MakeDue {
        leads: Vec<LeadId>,
        at: Utc,
    },
    /// Why the campaign's trunks rest; empty = they work. Has no reply.
    SaveLineTrouble {
        campaign: CampaignId,
        words: String,
    },
    /// `None` = the blacklist of every campaign.
    Blacklist {
        campaign: Option<CampaignId>,
        number: PhoneNumber,
        source: String,
    },
    /// Leases retries and booked callbacks that are due, then with `untried` also untried leads.
    FetchLeads {
        campaign: CampaignId,
        count: u32,
        untried: bool,
    },
    SaveSummary(Box<SummaryRecord>),
    /// Saves the dialog of a leg that is no attempt, before its INVITE and again once it is up. Has no reply.
    LegPlaced {
        leg: CallId,
        about: LegInfo,
        dialog: String,
    },
    /// A leg that is no attempt has ended. Has no reply.
    SaveLeg(Box<LegRecord>),
    /// The callee of an interrupted attempt answered after the crash. The ACK waits for the reply.
    RecoveredAnswer {
        call_id: String,
    },
    /// A dialog left open by a crash has been ended, or was given up because its far end was not reached. Has no
    /// reply.
    DialogEnded {
        id: i64,
        reached: bool,
    },
    /// The registered contacts of an agent's phone, as JSON. Has no reply.
    SavePhoneContacts {
        agent: AgentId,
        contacts: String,
    },
    /// A row of the state log. Has no reply.
    LogSeat(Box<SeatView>),
    /// A minute of an open campaign is over. Has no reply.
    SaveMinute(Box<CampaignMinute>),
    /// A recording is complete. Has no reply.
    SaveRecording {
        call: CallId,
        path: String,
        seconds: f64,
        lost_frames: u64,
    },
    /// Leases one lead that an agent asked for.
    FetchLead {
        campaign: CampaignId,
        lead: LeadId,
        agent: AgentId,
    },
    /// Looks up the campaign, lead and agent that an inbound caller's number belongs to.
    IdentifyCaller {
        call: CallId,
        trunk: TrunkId,
        number: Option<PhoneNumber>,
    },
}

impl Command {
    /// Queries run after the commit, so that they see the writes of their own batch.
    pub(super) fn is_query(&self) -> bool {
        matches!(
            self,
            Command::FetchLeads { .. } | Command::FetchLead { .. } | Command::IdentifyCaller { .. }
        )
    }
}

/// A reply of the store, sent after the commit that carried its command.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    AttemptOpened {
        attempt: AttemptId,
        verdict: DialVerdict,
    },
    AnswerSaved {
        call: CallId,
    },
    /// Also for a call that is no attempt.
    RecoveredAnswerSaved {
        call_id: String,
    },
    ResultSaved {
        attempt: AttemptId,
    },
    LeadSaved {
        lead: LeadId,
    },
    LeadsClosed {
        campaign: CampaignId,
        leads: u64,
    },
    Blacklisted {
        number: PhoneNumber,
    },
    Leads {
        campaign: CampaignId,
        leads: Vec<Lead>,
        next_due: Option<Utc>,
        leads_open: u64,
        /// Open and ended ones.
        leads_all: u64,
    },
    SummarySaved {
        attempt: AttemptId,
    },
    Lead {
        campaign: CampaignId,
        agent: AgentId,
        lead: Option<Box<Lead>>,
    },
    CallerIdentified(Box<ArrivedCall>),
    /// The store cannot write; no attempt is opened until `Recovered`. `why` is for the operator.
    Stalled {
        why: String,
    },
    Recovered,
    /// The database refused one command; it is not retried. The rest of its batch was written.
    Refused {
        why: String,
    },
}
