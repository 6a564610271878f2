//! Everything that can happen to the dialer.

use crate::agent::{Agent, AgentAct, Group};
use crate::call::{Heard, Progress};
use crate::campaign::{Campaign, Trunk};
use crate::ids::{AgentId, AttemptId, CallId, CampaignId, HouseholdId, LeadId, TrunkId};
use crate::lead::Lead;
use crate::number::PhoneNumber;
use crate::outcome::Reason;
use crate::pacing::history::PastCall;
use crate::pacing::ledger::Counts;
use crate::pacing::shadow::ShadowRules;
use crate::time::{Duration, Utc};
use serde::{Deserialize, Serialize};

/// The closed list of what can happen to the dialer. The journal is a list of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The wall clock was read, at the start or after a jump.
    ClockSet(Utc),
    /// What the store still knew when the service last stopped. Comes once, before any campaign.
    Resumed(OpenWork),
    /// A trunk exists, or its limits changed.
    TrunkDefined(Trunk),
    TrunkChanged {
        trunk: TrunkId,
        state: TrunkState,
    },
    /// A campaign may dial from now on.
    /// With `paused`, nothing is placed until `ManagerAct::Resume`, except single-number tests.
    CampaignOpened {
        campaign: Box<Campaign>,
        leads_open: u64,
        paused: bool,
        /// What the store has of the last 30 days, by quarter hours: see [`Ledger`].
        ///
        /// [`Ledger`]: crate::pacing::ledger::Ledger
        abandons: Vec<(Utc, Counts)>,
        /// Mode predictive: the campaign's latest calls, from which the pacer learns before the first.
        past: Vec<PastCall>,
    },
    /// The answer to `Output::FetchLeads`.
    LeadsArrived {
        campaign: CampaignId,
        leads: Vec<Lead>,
        /// When the next open lead that was not handed over is due; `None` = there is none.
        next_due: Option<Utc>,
        /// Open leads of the campaign in the store, those in the hopper included.
        leads_open: u64,
    },
    /// The answer to `Output::OpenAttempt`.
    AttemptOpened {
        attempt: AttemptId,
        verdict: DialVerdict,
    },
    /// The answer to `Output::SaveAnswer`.
    AnswerSaved {
        call: CallId,
    },
    /// The answer to `Output::SaveResult`.
    ResultSaved {
        attempt: AttemptId,
    },
    /// The store cannot write: nothing may be dialled until `StoreRecovered`.
    StoreStalled {
        why: String,
    },
    StoreRecovered,
    CallProgressed {
        call: CallId,
        progress: Progress,
    },
    MediaHeard {
        call: CallId,
        heard: Heard,
    },
    ManagerActed {
        campaign: CampaignId,
        act: ManagerAct,
    },
    /// An agent exists, or what is known of her changed. She keeps her seat and her state.
    AgentDefined(Box<Agent>),
    /// She works here no more: signed out, once her call is over.
    AgentRemoved {
        agent: AgentId,
    },
    GroupDefined(Group),
    /// Her phone registered, or is gone.
    PhoneChanged {
        agent: AgentId,
        ready: bool,
    },
    /// Answered by `Output::ActAnswered` with the same `ask`.
    AgentActed {
        ask: u64,
        agent: AgentId,
        act: AgentAct,
    },
    /// The answer to `Output::FetchLead`; `None` = it is not there, or busy, or closed.
    LeadFetched {
        campaign: CampaignId,
        agent: AgentId,
        lead: Option<Box<Lead>>,
    },
    /// Somebody calls one of our numbers.
    CallArrived(Box<ArrivedCall>),
    /// The service is stopping: every seat signs out as soon as its call is over.
    FloorClosed,
    /// The step before this one took longer than a live floor can wait.
    Overran,
    /// `next_wake` was reached.
    TimePassed,
}

/// What the store still held when the service last stopped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OpenWork {
    /// The first attempt number that was never used.
    pub next_attempt: i64,
    /// Numbers whose calls were cut off: they rest until then, whatever their retry rule says.
    pub resting: Vec<(PhoneNumber, Utc)>,
    /// How often each caller ID was used in the last 24 hours, and when.
    pub caller_id_uses: Vec<(PhoneNumber, Utc)>,
    /// When each caller ID was used for the first time.
    pub caller_id_first_use: Vec<(PhoneNumber, Utc)>,
    /// Which caller ID a household saw last.
    pub caller_id_sticky: Vec<(CampaignId, HouseholdId, PhoneNumber)>,
}

/// A call from outside, with what the store knows of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivedCall {
    pub call: CallId,
    pub trunk: TrunkId,
    /// Who calls; `None` = withheld, or no telephone number.
    pub number: Option<PhoneNumber>,
    pub known: Option<KnownCaller>,
}

/// Whom we called at this number before: the latest attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownCaller {
    pub campaign: CampaignId,
    pub lead: Option<Lead>,
    /// Who spoke with her then.
    pub agent: Option<AgentId>,
}

/// What the store said in the transaction that opens the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DialVerdict {
    /// On disk. It may leave.
    Opened,
    /// Not opened, and the lead is closed with this reason (already written).
    Closed(Reason),
    /// Not opened: not before then (a cap per day, a gap, calling hours). The lead stays open.
    NotBefore { until: Utc, reason: Reason },
    /// Not opened: the lead was closed or changed meanwhile. Forget it.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrunkState {
    Up,
    /// Registration lost or no answer to OPTIONS.
    Down,
    /// The trunk asked for a rest.
    Resting {
        span: Duration,
    },
}

/// What a manager can do to a campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ManagerAct {
    Pause,
    Resume,
    /// Stop placing, let calls end.
    Drain,
    /// End every call now.
    HangUpAll,
    /// Runs another pacing setting in the shadow from now on, or none.
    Shadow(Option<ShadowRules>),
    /// Single-number test: the number joins no list and the list does not start.
    TestCall {
        number: PhoneNumber,
    },
    /// A number was blacklisted: a ringing call to it is cancelled, its leads are closed by the store.
    Blacklisted {
        number: PhoneNumber,
    },
    /// One lead was closed from outside (a disposition, an import undone).
    LeadClosed {
        lead: LeadId,
    },
}
