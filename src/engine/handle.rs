//! The engine handle: requests to the engine, the board and the live events, for console and commands.

use super::TrunkParts;
use super::board::Board;
use super::device_check::DeviceCheck;
use super::test_calls::TestAnswer;
use super::trunk_test::TrunkTestRefusal;
use crate::audio::Sound;
use crate::store::CampaignMinute;
use paceline_core::agent::{Agent, AgentAction, Group, Refusal, SeatView};
use paceline_core::campaign::caller_id::Registered;
use paceline_core::campaign::{Campaign, Share};
use paceline_core::dialer::input::{ManagerAction, OpenWork};
use paceline_core::dialer::{LeadPlace, View};
use paceline_core::ids::{AgentId, AttemptId, CampaignId, HouseholdId, LeadId, TrunkId};
use paceline_core::number::{PhoneNumber, ShownNumber};
use paceline_core::number_pattern::NumberPattern;
use paceline_core::pacing::Decision;
use paceline_core::pacing::history::FinishedCall;
use paceline_core::pacing::ledger::Counts;
use paceline_core::sip::user_agent::{Peer, SavedDialog};
use paceline_core::time::Utc;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// A request to the engine.
#[derive(Debug)]
pub enum EngineRequest {
    /// What an earlier process left open. Sent once, before any campaign.
    Resume {
        work: OpenWork,
        /// Each with its id in the store.
        dialogs: Vec<(i64, SavedDialog)>,
        /// Saved contacts of agents' phones, as JSON.
        phones: BTreeMap<AgentId, String>,
    },
    OpenCampaign(Box<CampaignOpening>),
    /// An open campaign has new rules, which apply at once.
    ChangeCampaign(Box<CampaignChange>),
    ManagerAction {
        campaign: CampaignId,
        action: ManagerAction,
    },
    /// A single-number test. The answer comes once the attempt is on disk, or refused.
    TestCall {
        campaign: CampaignId,
        number: PhoneNumber,
        /// Opens a campaign that is not open for this test alone.
        opening: Option<Box<CampaignOpening>>,
        answer: TestAnswer,
    },
    /// Hangs up the tests of a campaign that is open for them alone.
    EndTests {
        campaign: CampaignId,
    },
    /// As `EndTests`; the answer comes once they have ended.
    AwaitEndOfTests {
        campaign: CampaignId,
        answer: oneshot::Sender<()>,
    },
    /// An agent's action. The answer comes once the dialer has decided.
    AgentAction {
        agent: AgentId,
        action: AgentAction,
        answer: oneshot::Sender<Result<(), Refusal>>,
    },
    CheckDevice {
        agent: AgentId,
        answer: oneshot::Sender<Result<DeviceCheck, Refusal>>,
    },
    /// Asks where the dialer holds a lead and what blocks it.
    LocateLead {
        campaign: CampaignId,
        lead: LeadId,
        household: Option<HouseholdId>,
        numbers: Vec<PhoneNumber>,
        answer: oneshot::Sender<LeadPlace>,
    },
    /// Places a test call over one trunk.
    TestTrunk(TrunkTest),
    /// Asks for the record of a live call, as JSON of [`Step`](paceline_core::call_steps::Step)s. `None` = no such
    /// call is live: the store has its record.
    CallSteps {
        attempt: AttemptId,
        answer: oneshot::Sender<Option<String>>,
    },
    /// What the registers of caller IDs say.
    RegisterCallerIds {
        said: Registered,
    },
    /// These numbers are on the blacklist on disk, of one campaign or of all.
    Blacklisted {
        campaign: Option<CampaignId>,
        patterns: Vec<NumberPattern>,
    },
    /// The name of a trunk was looked up: its destinations in their order, and every address of the carrier.
    SetTrunkAddresses {
        trunk: TrunkId,
        peers: Vec<Peer>,
        sources: Vec<SocketAddr>,
    },
    /// A trunk is new or has other settings; calls that are up go on. The answer says why its addresses cannot be used.
    SetTrunk {
        trunk: Box<TrunkParts>,
        is_enabled: bool,
        answer: oneshot::Sender<Result<(), String>>,
    },
    /// A trunk without calls goes. The answer is the number of its calls, if it has any.
    RemoveTrunk {
        trunk: TrunkId,
        answer: oneshot::Sender<Result<(), u32>>,
    },
    /// A person ends what keeps the trunk out of use beside its state.
    EndTrunkRest {
        trunk: TrunkId,
    },
    /// Calls of today that an earlier process placed, by the SIP code of their end.
    CountedToday {
        trunk: TrunkId,
        codes: BTreeMap<u16, u64>,
    },
    /// A group is new or has changed.
    SetGroup(Group),
    /// An agent's account is new or has changed.
    SetAgent(Box<AgentAccount>),
    RemoveAgent {
        agent: AgentId,
    },
    /// Every campaign stops placing; live calls end by themselves.
    Drain,
    /// Ends every call.
    HangUpAll,
    /// Drains, and stops the engine once no call is live.
    Stop,
}

/// A test call over one trunk.
#[derive(Debug)]
pub struct TrunkTest {
    /// The store's campaign [`TRUNK_TEST`](paceline_core::campaign::TRUNK_TEST), which is opened if it is not.
    pub campaign: CampaignId,
    /// Its name.
    pub trunk: String,
    pub number: PhoneNumber,
    /// `None` = what the trunk shows by itself.
    pub caller_id: Option<ShownNumber>,
    /// The attempt, once it is open in the store.
    pub answer: oneshot::Sender<Result<AttemptId, TrunkTestRefusal>>,
}

/// A campaign to open.
#[derive(Debug)]
pub struct CampaignOpening {
    pub campaign: Campaign,
    /// What it asks of lines that campaigns share.
    pub share: Share,
    /// Country of the list (ISO 3166 alpha-2).
    pub region: String,
    /// Open and ended leads.
    pub leads: u64,
    pub leads_open: u64,
    /// No lead is called; single-number tests are.
    pub paused: bool,
    /// Counts of abandoned calls from the store, for the ledger.
    pub abandons: Vec<(Utc, Counts)>,
    /// The campaign's latest calls, for a pacer to learn from.
    pub past: Vec<FinishedCall>,
    pub sound: Option<Arc<Sound>>,
    /// The message for an abandoned callee; `None` = the built-in one.
    pub sorry: Option<Arc<Sound>>,
}

/// New rules of an open campaign. A trunk that they name must have been defined before.
#[derive(Debug)]
pub struct CampaignChange {
    /// Under the id with which it was opened.
    pub campaign: Campaign,
    pub share: Share,
    /// The announcement of calls answered from now on; `None` = as before.
    pub sound: Option<Arc<Sound>>,
    /// The message for an abandoned callee; `None` = the built-in one.
    pub sorry: Option<Arc<Sound>>,
}

/// An agent and its SIP account.
#[derive(Clone, Debug)]
pub struct AgentAccount {
    pub agent: Agent,
    /// `None` = no SIP account here.
    pub phone: Option<PhoneSecret>,
}

/// HA1 hashes that a phone's digest is checked against: H(user:realm:password), never the password.
#[derive(Clone, Debug)]
pub struct PhoneSecret {
    pub user: String,
    pub ha1_md5: [u8; 16],
    pub ha1_sha256: [u8; 32],
}

/// Live events for screens. A slow subscriber loses the oldest and must read the board again.
#[derive(Clone, Debug)]
pub enum LiveEvent {
    Seat(Arc<SeatView>),
    /// A pacing decision, with the view it was made from. The id rises with each decision of this process.
    Decision {
        id: u64,
        campaign: CampaignId,
        at: Utc,
        decision: Decision,
        view: Box<View>,
    },
    Finished {
        campaign: CampaignId,
    },
    /// A minute of an open campaign is over.
    Minute(Arc<CampaignMinute>),
}

/// Cheap to clone. When the last handle is dropped, the engine stops once no call is live.
#[derive(Clone, Debug)]
pub struct EngineHandle {
    requests: mpsc::Sender<EngineRequest>,
    board: watch::Receiver<Arc<Board>>,
    live: broadcast::Sender<LiveEvent>,
}

impl EngineHandle {
    /// A handle over given channels, for tests; [`super::start`] makes the engine's own.
    pub fn new(
        requests: mpsc::Sender<EngineRequest>,
        board: watch::Receiver<Arc<Board>>,
        live: broadcast::Sender<LiveEvent>,
    ) -> Self {
        EngineHandle { requests, board, live }
    }

    /// Sends an agent's action and waits for the answer; a stopped engine answers `UnknownAgent`.
    pub async fn send_agent_action(&self, agent: AgentId, action: AgentAction) -> Result<(), Refusal> {
        let (answer, answered) = oneshot::channel();
        self.send(EngineRequest::AgentAction { agent, action, answer }).await;
        answered.await.unwrap_or(Err(Refusal::UnknownAgent))
    }

    /// Calls a single number for a test, and waits until the attempt is on disk. A campaign that is not open needs an
    /// opening, which counts for its tests alone.
    ///
    /// # Errors
    /// Why it is not called, in words.
    pub async fn test_call(
        &self,
        campaign: CampaignId,
        number: PhoneNumber,
        opening: Option<Box<CampaignOpening>>,
    ) -> Result<AttemptId, String> {
        let (answer, answered) = oneshot::channel();
        self.send(EngineRequest::TestCall { campaign, number, opening, answer }).await;
        answered.await.unwrap_or_else(|_| Err("the engine has stopped".to_owned()))
    }

    /// Runs a device check on an idle agent's leg; takes some seconds.
    pub async fn check_device(&self, agent: AgentId) -> Result<DeviceCheck, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.send(EngineRequest::CheckDevice { agent, answer }).await;
        answered.await.unwrap_or(Err(Refusal::PhoneNotReady))
    }

    /// Where the dialer holds this lead. `None` = the engine has stopped.
    pub async fn lead_place(
        &self,
        campaign: CampaignId,
        lead: LeadId,
        household: Option<HouseholdId>,
        numbers: Vec<PhoneNumber>,
    ) -> Option<LeadPlace> {
        let (answer, answered) = oneshot::channel();
        self.send(EngineRequest::LocateLead { campaign, lead, household, numbers, answer }).await;
        answered.await.ok()
    }

    /// Gives an open campaign new rules; call it once the store has committed them.
    pub async fn change_campaign(&self, change: CampaignChange) {
        self.send(EngineRequest::ChangeCampaign(Box::new(change))).await;
    }

    /// Hangs up the tests of a campaign that is open for them alone; returns once they have ended.
    pub async fn end_tests(&self, campaign: CampaignId) {
        let (answer, ended) = oneshot::channel();
        self.send(EngineRequest::AwaitEndOfTests { campaign, answer }).await;
        // Without an answer the engine has stopped, and with it the tests.
        let _ = ended.await;
    }

    /// Takes a trunk into use, or gives it other settings; calls that are up go on.
    ///
    /// # Errors
    /// Its addresses cannot be used.
    pub async fn set_trunk(&self, trunk: TrunkParts, is_enabled: bool) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        self.send(EngineRequest::SetTrunk { trunk: Box::new(trunk), is_enabled, answer }).await;
        answered.await.unwrap_or_else(|_| Err("the engine has stopped".to_owned()))
    }

    /// Removes a trunk that has no call.
    ///
    /// # Errors
    /// The number of its calls.
    pub async fn remove_trunk(&self, trunk: TrunkId) -> Result<(), u32> {
        let (answer, answered) = oneshot::channel();
        self.send(EngineRequest::RemoveTrunk { trunk, answer }).await;
        // An engine that has stopped has no calls.
        answered.await.unwrap_or(Ok(()))
    }

    /// Replaces what the dialer knows of the caller IDs; call it once the store has committed it.
    pub async fn register_caller_ids(&self, said: Registered) {
        self.send(EngineRequest::RegisterCallerIds { said }).await;
    }

    /// Takes back calls to numbers that were put on the blacklist; call it once the store has committed them.
    pub async fn blacklisted(&self, campaign: Option<CampaignId>, patterns: Vec<NumberPattern>) {
        self.send(EngineRequest::Blacklisted { campaign, patterns }).await;
    }

    /// Places a test call over this trunk, in the store's campaign of test calls. `None` = the engine has stopped.
    pub async fn test_trunk(
        &self,
        campaign: CampaignId,
        trunk: String,
        number: PhoneNumber,
        caller_id: Option<ShownNumber>,
    ) -> Option<Result<AttemptId, TrunkTestRefusal>> {
        let (answer, answered) = oneshot::channel();
        let test = TrunkTest { campaign, trunk, number, caller_id, answer };
        self.send(EngineRequest::TestTrunk(test)).await;
        answered.await.ok()
    }

    /// The record of a live call as JSON; `None` = it is not live.
    pub async fn call_steps(&self, attempt: AttemptId) -> Option<String> {
        let (answer, answered) = oneshot::channel();
        self.send(EngineRequest::CallSteps { attempt, answer }).await;
        answered.await.ok().flatten()
    }

    /// Subscribes to live events from now on.
    pub fn live(&self) -> broadcast::Receiver<LiveEvent> {
        self.live.subscribe()
    }

    /// Sends a request; it is lost if the engine has stopped.
    pub async fn send(&self, request: EngineRequest) {
        let _ = self.requests.send(request).await;
    }

    /// The board, published a few times a second.
    pub fn board(&self) -> watch::Receiver<Arc<Board>> {
        self.board.clone()
    }
}
