//! The door: what console, commands and lists hold of the engine.

use super::board::Board;
use crate::audio::Sound;
use paceline_core::campaign::Campaign;
use paceline_core::dialer::input::{ManagerAct, OpenWork};
use paceline_core::ids::CampaignId;
use paceline_core::sip::user_agent::SavedDialog;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// What can be asked of the engine.
#[derive(Debug)]
pub enum Ask {
    Open(Box<Opening>),
    Act {
        campaign: CampaignId,
        act: ManagerAct,
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
    pub sound: Option<Arc<Sound>>,
    /// What an earlier process left. Comes with the first campaign of a store.
    pub work: OpenWork,
    pub dialogs: Vec<SavedDialog>,
}

/// Cheap to clone. When every handle is gone, the engine leaves once nothing is out.
#[derive(Clone, Debug)]
pub struct EngineHandle {
    asks: mpsc::Sender<Ask>,
    board: watch::Receiver<Arc<Board>>,
}

impl EngineHandle {
    pub(super) fn new(asks: mpsc::Sender<Ask>, board: watch::Receiver<Arc<Board>>) -> Self {
        EngineHandle { asks, board }
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
