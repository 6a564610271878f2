//! Inputs: every event the dialer reacts to.

use crate::agent::{Agent, AgentAction, Group};
use crate::call::{Heard, Progress};
use crate::campaign::caller_id::Registered;
use crate::campaign::{Campaign, HomeCountry, Share, Trunk};
use crate::ids::{AgentId, AttemptId, CallId, CampaignId, HouseholdId, LeadId, TrunkId};
use crate::lead::Lead;
use crate::number::{PhoneNumber, ShownNumber};
use crate::number_pattern::NumberPattern;
use crate::outcome::Reason;
use crate::pacing::history::FinishedCall;
use crate::pacing::ledger::Counts;
use crate::pacing::shadow::ShadowRules;
use crate::time::{Duration, Utc};
use serde::{Deserialize, Serialize};

/// The closed list of inputs. The journal is a sequence of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The wall clock was read, at the start or after a jump.
    ClockSet(Utc),
    /// State the store kept from the last run. Comes once, before any campaign.
    Resumed(OpenWork),
    /// A trunk exists, or its limits changed.
    TrunkDefined(Trunk),
    TrunkChanged {
        trunk: TrunkId,
        state: TrunkState,
    },
    /// A campaign may dial from now on. With `paused`, only single-number tests are placed until
    /// `ManagerAction::Resume`.
    CampaignOpened {
        campaign: Box<Campaign>,
        leads_open: u64,
        paused: bool,
        /// Abandon counts of the last 30 days by quarter hour, from the store: see [`Ledger`].
        ///
        /// [`Ledger`]: crate::pacing::ledger::Ledger
        abandons: Vec<(Utc, Counts)>,
        /// Mode predictive: the campaign's latest calls, from which the pacer learns before its first plan.
        past: Vec<FinishedCall>,
    },
    /// The answer to `Output::FetchLeads`.
    LeadsArrived {
        campaign: CampaignId,
        leads: Vec<Lead>,
        /// When the next retry or booked callback that was not leased is due; `None` = there is none.
        next_due: Option<Utc>,
        /// Open leads of the campaign in the store, including those in the hopper.
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
    /// The store cannot write: no call is placed until `StoreRecovered`.
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
        action: ManagerAction,
    },
    /// An agent was created or changed. The agent's seat and state are kept.
    AgentDefined(Box<Agent>),
    /// The agent was removed: signed out as soon as the current call is over.
    AgentRemoved {
        agent: AgentId,
    },
    GroupDefined(Group),
    /// The agent's phone registered, or its registration ended.
    PhoneChanged {
        agent: AgentId,
        ready: bool,
    },
    /// Answered by `Output::ActionAnswered` with the same `request`.
    AgentActed {
        request: u64,
        agent: AgentId,
        action: AgentAction,
    },
    /// The answer to `Output::FetchLead`; `None` = the lead does not exist, is leased, or is closed.
    LeadFetched {
        campaign: CampaignId,
        agent: AgentId,
        lead: Option<Box<Lead>>,
    },
    /// An inbound call to one of our numbers.
    CallArrived(Box<ArrivedCall>),
    /// The service is stopping: every agent is signed out as soon as the current call is over.
    FloorClosed,
    /// Handling the previous input took longer than a live floor tolerates.
    Overran,
    /// The time of `next_wake` was reached.
    TimePassed,
    /// These numbers are on the blacklist on disk, of one campaign or (`None`) of all: unanswered calls to
    /// them are cancelled, and their leads leave hopper and previews.
    Blacklisted {
        campaign: Option<CampaignId>,
        patterns: Vec<NumberPattern>,
    },
    /// The answer to `Output::ProbeLeg`. `alive` = the phone knows the dialog.
    LegProbed {
        leg: CallId,
        alive: bool,
    },
    /// A phone of the agent has registered under a new Call-ID, as after a restart.
    PhoneRestarted {
        agent: AgentId,
        /// The contact or instance is one that was registered before; otherwise it may be another device.
        same_device: bool,
    },
    /// An open campaign has new rules, which apply at once. Live calls keep their trunk, their caller ID and the text
    /// that they have heard.
    CampaignChanged {
        campaign: Box<Campaign>,
    },
    /// A campaign that is not open places single-number tests, and nothing else, until `CampaignOpened`. It has no
    /// live call.
    CampaignOpenedForTests {
        campaign: Box<Campaign>,
    },
    /// What the registers say of each number; replaces what they said before. Live calls keep their caller ID.
    CallerIdsRegistered {
        said: Registered,
    },
    /// What a campaign asks of shared lines; comes before the campaign is opened or changed.
    ShareSet {
        campaign: CampaignId,
        share: Share,
    },
    /// The trunk is gone. It has no live call.
    TrunkRemoved {
        trunk: TrunkId,
    },
    /// A person ends what keeps the trunk out of use: its rest, and the pause that its carrier asked for.
    TrunkRestEnded {
        trunk: TrunkId,
    },
}

/// State that the store kept from the last run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OpenWork {
    /// The lowest unused attempt number.
    pub next_attempt: i64,
    /// Numbers whose calls were cut off: not dialled before that moment, whatever their retry rule says.
    pub resting: Vec<(PhoneNumber, Utc)>,
    /// Uses of each caller ID in the last 24 hours.
    pub caller_id_uses: Vec<(ShownNumber, Utc)>,
    /// First use of each caller ID.
    pub caller_id_first_use: Vec<(ShownNumber, Utc)>,
    /// The caller ID each household saw last.
    pub caller_id_sticky: Vec<(CampaignId, HouseholdId, ShownNumber)>,
}

/// An inbound call, with the store's knowledge of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivedCall {
    pub call: CallId,
    pub trunk: TrunkId,
    /// The caller's number; `None` = withheld, or not a telephone number.
    pub number: Option<PhoneNumber>,
    pub known: Option<KnownCaller>,
}

/// The latest attempt that was made to the caller's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownCaller {
    pub campaign: CampaignId,
    pub lead: Option<Lead>,
    /// The agent who spoke with the caller then.
    pub agent: Option<AgentId>,
}

/// The store's verdict, given in the transaction that opens the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DialVerdict {
    /// The attempt is on disk; its INVITE may leave.
    Opened,
    /// Not opened; the store has closed the lead with this reason.
    Closed(Reason),
    /// Not opened: not allowed before `until` (a cap per day, a gap, calling hours). The lead stays open.
    NotBefore { until: Utc, reason: Reason },
    /// Not opened: the lead was closed or changed meanwhile. The dialer drops its copy.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrunkState {
    Up,
    /// Registration lost or no answer to OPTIONS.
    Down,
    /// The trunk asked for a pause (503 with Retry-After).
    Resting {
        span: Duration,
    },
}

/// Manager actions on a campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ManagerAction {
    Pause,
    Resume,
    /// Stop placing; live calls go on to their end. Then the campaign is paused until `Resume`.
    Drain,
    /// Drain, and hang up every live call.
    HangUpAll,
    /// Runs another pacing setting in the shadow from now on; `None` ends it.
    Shadow(Option<ShadowRules>),
    /// Single-number test: the number joins no list, and the campaign does not start.
    TestCall {
        number: PhoneNumber,
    },
    /// A number was blacklisted in every campaign, as `Input::Blacklisted`.
    Blacklisted {
        number: PhoneNumber,
    },
    /// One lead was closed elsewhere (a disposition, an import undone).
    LeadClosed {
        lead: LeadId,
    },
    /// A test call over one trunk, whatever the trunk's state: it is out of use, and somebody asks why. It leaves
    /// within [`TRUNK_TEST_WAIT`](crate::dialer::TRUNK_TEST_WAIT) or is refused.
    TestTrunk {
        number: PhoneNumber,
        trunk: TrunkId,
        /// `None` = what the trunk shows by itself.
        caller_id: Option<ShownNumber>,
        /// The country whose numbers the trunk carries without `allow`.
        home: HomeCountry,
    },
    /// The store has further leads of the campaign, or further numbers of its leads. A finished campaign goes on.
    LeadsAdded,
    /// People changed these leads (closed, opened again, moved forward, assigned, booked), and the store has committed
    /// it: copies that no call has are dropped and fetched anew. A finished campaign goes on.
    LeadsChanged {
        leads: Vec<LeadId>,
    },
    /// A single-number test that was not placed in time is taken back; others go on.
    WithdrawTest {
        number: PhoneNumber,
    },
}

impl ManagerAction {
    /// Whether a campaign that is open for tests alone takes it.
    pub(super) const fn is_for_tests(&self) -> bool {
        matches!(
            self,
            ManagerAction::TestCall { .. }
                | ManagerAction::WithdrawTest { .. }
                | ManagerAction::Drain
                | ManagerAction::HangUpAll
                | ManagerAction::Blacklisted { .. }
        )
    }
}
