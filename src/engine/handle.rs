//! The door: what console, commands and lists hold of the engine.

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

/// What can be asked of the engine.
#[derive(Debug)]
pub enum Ask {
    /// What an earlier process left. Comes once, before any campaign.
    Resume {
        work: OpenWork,
        /// Each with its number in the store.
        dialogs: Vec<(i64, SavedDialog)>,
        /// Where agents' phones were: JSON, as it was saved.
        phones: BTreeMap<AgentId, String>,
    },
    Open(Box<Opening>),
    Act {
        campaign: CampaignId,
        act: ManagerAct,
    },
    /// An agent asks. The answer comes once the brain has decided.
    AgentAct {
        agent: AgentId,
        act: AgentAct,
        answer: oneshot::Sender<Result<(), Refusal>>,
    },
    CheckDevice {
        agent: AgentId,
        answer: oneshot::Sender<Result<DeviceCheck, Refusal>>,
    },
    /// Where is this lead, and what stands in its way?
    Lead {
        campaign: CampaignId,
        lead: LeadId,
        household: Option<HouseholdId>,
        numbers: Vec<PhoneNumber>,
        answer: oneshot::Sender<LeadPlace>,
    },
    /// A group exists, or changed.
    Group(Group),
    /// An agent exists, or what is known of her changed.
    Agent(Box<AgentOpening>),
    AgentGone {
        agent: AgentId,
    },
    /// Every campaign stops placing; calls end by themselves.
    Drain,
    /// Every call is ended.
    HangUpAll,
    /// Leave the loop once nothing is out.
    Leave,
}

/// A campaign to open.
#[derive(Debug)]
pub struct Opening {
    pub campaign: Campaign,
    pub leads_open: u64,
    /// Nothing of the list is placed (single-number tests are).
    pub paused: bool,
    /// What the store has of abandoned calls, for the ledger.
    pub abandons: Vec<(Utc, Counts)>,
    /// Its latest calls, for a pacer to learn from.
    pub past: Vec<PastCall>,
    pub sound: Option<Arc<Sound>>,
    /// What an abandoned callee hears; `None` = the house's own message.
    pub sorry: Option<Arc<Sound>>,
}

/// An agent and the account of her phone.
#[derive(Clone, Debug)]
pub struct AgentOpening {
    pub agent: Agent,
    /// `None` = she has no phone of her own on this server.
    pub phone: Option<PhoneSecret>,
}

/// What a registering phone is checked against: H(user:realm:password), never the password.
#[derive(Clone, Debug)]
pub struct PhoneSecret {
    pub user: String,
    pub ha1_md5: [u8; 16],
    pub ha1_sha256: [u8; 32],
}

/// What happens, as it happens: for screens that must be true at once. Slow listeners lose the
/// oldest and read the board anew.
#[derive(Clone, Debug)]
pub enum Live {
    Seat(Arc<SeatView>),
    /// With the numbers that it stands on.
    Decided {
        campaign: CampaignId,
        at: Utc,
        decision: Decision,
        view: Box<View>,
    },
    Finished {
        campaign: CampaignId,
    },
}

/// Cheap to clone. When every handle is gone, the engine leaves once nothing is out.
#[derive(Clone, Debug)]
pub struct EngineHandle {
    asks: mpsc::Sender<Ask>,
    board: watch::Receiver<Arc<Board>>,
    live: broadcast::Sender<Live>,
}

impl EngineHandle {
    /// A door alone: whoever holds the other ends answers. The engine makes its own.
    pub fn new(
        asks: mpsc::Sender<Ask>,
        board: watch::Receiver<Arc<Board>>,
        live: broadcast::Sender<Live>,
    ) -> Self {
        EngineHandle { asks, board, live }
    }

    /// An agent acts. An engine that has left knows no agents.
    pub async fn agent_act(&self, agent: AgentId, act: AgentAct) -> Result<(), Refusal> {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::AgentAct { agent, act, answer }).await;
        answered.await.unwrap_or(Err(Refusal::UnknownAgent))
    }

    /// Listens to an idle agent's leg for some seconds, plays it back and says how good it is.
    pub async fn check_device(&self, agent: AgentId) -> Result<DeviceCheck, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::CheckDevice { agent, answer }).await;
        answered.await.unwrap_or(Err(Refusal::PhoneNotReady))
    }

    /// Where the dialer has this lead. `None` = the engine has left.
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

    /// What happens from now on.
    pub fn live(&self) -> broadcast::Receiver<Live> {
        self.live.subscribe()
    }

    /// Asks; an engine that has left does not hear it.
    pub async fn ask(&self, ask: Ask) {
        let _ = self.asks.send(ask).await;
    }

    /// The board: what every screen shows. Changes a few times a second.
    pub fn board(&self) -> watch::Receiver<Arc<Board>> {
        self.board.clone()
    }
}
