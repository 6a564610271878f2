//! The task of a service that changes lists for commands on this machine, one change after the other. Calls go on
//! meanwhile: an import writes in short transactions, and its leads are visible with the last.

use super::folder;
use super::list::{add_rows, forget_simulated};
use super::setup::save_campaign;
use super::{Failure, campaign};
use crate::config::Config;
use crate::console::list_changes::{ListChange, ListChangeRequest};
use crate::engine::{EngineHandle, EngineRequest};
use crate::store::Store;
use paceline_core::dialer::input::ManagerAction;
use paceline_core::ids::CampaignId;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Held while the list of any campaign is changed.
pub(super) type ListTurn = Arc<tokio::sync::Mutex<()>>;

pub(super) struct ListService {
    pub config: Config,
    pub store: Arc<Store>,
    pub engine: EngineHandle,
    pub turn: ListTurn,
}

impl ListService {
    /// Ends when every sender of requests is gone.
    pub async fn run(self, mut requests: mpsc::Receiver<ListChangeRequest>) {
        while let Some(ListChangeRequest { campaign, change, answer }) = requests.recv().await {
            let _turn = self.turn.lock().await;
            let done = match change {
                ListChange::Add { file, close_gone } => self.add(&campaign, &file, close_gone).await,
                ListChange::Reset => self.reset(&campaign).await,
            };
            if let Err(failure) = &done {
                tracing::warn!(campaign = %campaign.display(), why = failure.sentence, "a list was not changed");
            }
            // The console may have stopped.
            let _ = answer.send(done.map_err(|failure| failure.sentence));
        }
    }

    async fn add(&self, file: &Path, rows: &Path, close_gone: bool) -> Result<Value, Failure> {
        let loaded = campaign(file, &self.config)?;
        // A campaign that is open keeps the rules that it was opened with.
        let id = match self.open_campaign(&loaded.rules.name) {
            Some(id) => id,
            None => save_campaign(&self.store, None, &loaded, &self.config, None).await?.campaign,
        };
        let added = add_rows(&self.store, id, &loaded, rows, close_gone).await?;
        if added.change.as_ref().is_some_and(|change| change.new_leads + change.new_numbers > 0) {
            let action = ManagerAction::LeadsAdded;
            self.engine.send(EngineRequest::ManagerAction { campaign: id, action }).await;
        }
        Ok(json!(added))
    }

    /// Refused while the campaign may dial: the dialer holds its leads.
    async fn reset(&self, file: &Path) -> Result<Value, Failure> {
        let loaded = campaign(file, &self.config)?;
        let name = &loaded.rules.name;
        if let Some(id) = self.open_campaign(name) {
            let board = self.engine.board();
            let is_over = board.borrow().campaigns.get(&id).is_some_and(|it| it.finished || it.view.drained);
            if !is_over {
                return Err(Failure::refused(format!(
                    "campaign {name} is open in the service and has leads to call; drain it first \
                     (POST /campaigns/{name}/actions with {{\"action\":\"drain\"}}), then reset its list"
                )));
            }
        }
        let id = folder::take_in(&self.store, None, &loaded, &self.config, None).await?.campaign;
        Ok(json!(forget_simulated(&self.store, id, name).await?))
    }

    fn open_campaign(&self, name: &str) -> Option<CampaignId> {
        let board = self.engine.board();
        let board = board.borrow();
        board.campaigns.iter().find(|(_, campaign)| campaign.name == name).map(|(id, _)| *id)
    }
}
