//! The task of a service that applies changes of trunks while calls are up, one after the other.

use super::setup::{LookupChange, TrunkMaker, is_simulated_by};
use crate::config::Config;
use crate::console::campaign_requests::CampaignRequest;
use crate::console::trunk_requests::TrunkRequest;
use crate::engine::EngineHandle;
use crate::sealed::SealKey;
use crate::store::Store;
use paceline_core::campaign::is_system_name;
use paceline_core::ids::{CampaignId, TrunkId};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

pub(super) struct TrunkService {
    pub config: Config,
    pub store: Arc<Store>,
    pub engine: EngineHandle,
    pub key: SealKey,
    pub lookup: mpsc::Sender<LookupChange>,
    /// Applies the text of an open campaign anew; `None` = this process runs one campaign.
    pub campaigns: Option<mpsc::Sender<CampaignRequest>>,
}

impl TrunkService {
    /// Ends when every sender of requests is gone.
    pub async fn run(self, mut requests: mpsc::Receiver<TrunkRequest>) {
        while let Some(request) = requests.recv().await {
            match request {
                TrunkRequest::Apply { name, answer } => {
                    let applied = self.apply(&name).await;
                    if let Err(why) = &applied {
                        tracing::warn!(trunk = name, why, "a change of the trunk is not applied");
                    }
                    // The console may have stopped.
                    let _ = answer.send(applied);
                }
                TrunkRequest::Remove { trunk, answer } => {
                    let _ = answer.send(self.remove(trunk).await);
                }
            }
        }
    }

    async fn apply(&self, name: &str) -> Result<(), String> {
        let maker = TrunkMaker::load(&self.config, &self.store, &self.key).await?;
        let row = maker.row(name).ok_or_else(|| format!("there is no trunk {name}"))?;
        let (trunk, is_enabled) = (row.id, row.is_enabled);
        let is_new = self.engine.board().borrow().trunk(trunk).is_none();
        let Some((parts, watched)) = maker.parts(name).await? else { return Ok(()) };
        self.engine.set_trunk(parts, is_enabled).await?;
        let change = match watched {
            Some(watched) => LookupChange::Watch(watched),
            None => LookupChange::Forget(trunk),
        };
        // Without the task the service is stopping.
        let _ = self.lookup.send(change).await;
        if is_new {
            self.tell_open_campaigns().await;
        }
        Ok(())
    }

    async fn remove(&self, trunk: TrunkId) -> Result<(), u32> {
        self.engine.remove_trunk(trunk).await?;
        let _ = self.lookup.send(LookupChange::Forget(trunk)).await;
        self.config.directory.forget(trunk);
        Ok(())
    }

    /// A campaign that names no trunk uses a new one too. One on the simulated carrier stays there: it must not begin to
    /// ring real phones.
    async fn tell_open_campaigns(&self) {
        let Some(campaigns) = &self.campaigns else { return };
        let board = self.engine.board().borrow().clone();
        for (id, open) in &board.campaigns {
            if open.finished || open.view.drained || is_system_name(&open.name) {
                continue;
            }
            if !self.names_no_trunk(*id).await {
                continue;
            }
            let (answer, applied) = oneshot::channel();
            if campaigns.send(CampaignRequest::Apply { campaign: *id, answer }).await.is_err() {
                return;
            }
            if let Ok(Err(why)) = applied.await {
                tracing::warn!(campaign = open.name, why, "the campaign does not use the new trunk");
            }
        }
    }

    async fn names_no_trunk(&self, id: CampaignId) -> bool {
        let Ok(row) = self.store.any_campaign_row(id).await else { return false };
        let text: toml::Table = row.toml.parse().unwrap_or_default();
        let named = text.get("trunks").and_then(toml::Value::as_array).is_some_and(|named| !named.is_empty());
        !named && !is_simulated_by(&self.store, id).await
    }
}
