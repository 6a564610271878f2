//! The engine handle: requests to the engine, the board and the live events, for console and commands.

use super::board::Board;
use super::device_check::DeviceCheck;
use crate::audio::Sound;
use paceline_core::agent::{Agent, AgentAct, Group, Refusal, SeatView};
use paceline_core::campaign::Campaign;
use paceline_core::dialer::input::{ManagerAct, OpenWork};
use paceline_core::dialer::{LeadPlace, View};
use paceline_core::ids::{AgentId, CampaignId, HouseholdId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::pacing::Decision;
use paceline_core::pacing::history::PastCall;
use paceline_core::pacing::ledger::Counts;
use paceline_core::sip::user_agent::SavedDialog;
use paceline_core::time::Utc;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// A request to the engine.
#[derive(Debug)]
pub enum Ask {
    /// What an earlier process left open. Sent once, before any campaign.
    Resume {
        work: OpenWork,
        /// Each with its id in the store.
        dialogs: Vec<(i64, SavedDialog)>,
        /// Saved contacts of agents' phones, as JSON.
        phones: BTreeMap<AgentId, String>,
    },
    Open(Box<Opening>),
    Act {
        campaign: CampaignId,
        act: ManagerAct,
    },
    /// An agent's action. The answer comes once the dialer has decided.
    AgentAct {
        agent: AgentId,
        act: AgentAct,
        answer: oneshot::Sender<Result<(), Refusal>>,
    },
    CheckDevice {
        agent: AgentId,
        answer: oneshot::Sender<Result<DeviceCheck, Refusal>>,
    },
    /// Asks where the dialer holds a lead and what blocks it.
    Lead {
        campaign: CampaignId,
        lead: LeadId,
        household: Option<HouseholdId>,
        numbers: Vec<PhoneNumber>,
        answer: oneshot::Sender<LeadPlace>,
    },
    /// A group is new or has changed.
    Group(Group),
    /// An agent's account is new or has changed.
    Agent(Box<AgentAccount>),
    AgentGone {
        agent: AgentId,
    },
    /// Every campaign stops placing; live calls end by themselves.
    Drain,
    /// Ends every call.
    HangUpAll,
    /// Drains, and stops the engine once no call is live.
    Leave,
}

/// A campaign to open.
#[derive(Debug)]
pub struct Opening {
    pub campaign: Campaign,
    pub leads_open: u64,
    /// No lead is called; single-number tests are.
    pub paused: bool,
    /// Counts of abandoned calls from the store, for the ledger.
    pub abandons: Vec<(Utc, Counts)>,
    /// The campaign's latest calls, for a pacer to learn from.
    pub past: Vec<PastCall>,
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
pub enum Live {
    Seat(Arc<SeatView>),
    /// A pacing decision, with the view it was made from.
    Decision {
        campaign: CampaignId,
        at: Utc,
        decision: Decision,
        view: Box<View>,
    },
    Finished {
        campaign: CampaignId,
    },
}

/// Cheap to clone. When the last handle is dropped, the engine stops once no call is live.
#[derive(Clone, Debug)]
pub struct EngineHandle {
    requests: mpsc::Sender<Ask>,
    board: watch::Receiver<Arc<Board>>,
    live: broadcast::Sender<Live>,
}

impl EngineHandle {
    /// A handle over given channels, for tests; [`super::start`] makes the engine's own.
    pub fn new(
        requests: mpsc::Sender<Ask>,
        board: watch::Receiver<Arc<Board>>,
        live: broadcast::Sender<Live>,
    ) -> Self {
        EngineHandle { requests, board, live }
    }

    /// Sends an agent's action and waits for the answer; a stopped engine answers `UnknownAgent`.
    pub async fn agent_act(&self, agent: AgentId, act: AgentAct) -> Result<(), Refusal> {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::AgentAct { agent, act, answer }).await;
        answered.await.unwrap_or(Err(Refusal::UnknownAgent))
    }

    /// Runs a device check on an idle agent's leg; takes some seconds.
    pub async fn check_device(&self, agent: AgentId) -> Result<DeviceCheck, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::CheckDevice { agent, answer }).await;
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
        self.ask(Ask::Lead { campaign, lead, household, numbers, answer }).await;
        answered.await.ok()
    }

    /// Subscribes to live events from now on.
    pub fn live(&self) -> broadcast::Receiver<Live> {
        self.live.subscribe()
    }

    /// Sends a request; it is lost if the engine has stopped.
    pub async fn ask(&self, ask: Ask) {
        let _ = self.requests.send(ask).await;
    }

    /// The board, published a few times a second.
    pub fn board(&self) -> watch::Receiver<Arc<Board>> {
        self.board.clone()
    }
}
