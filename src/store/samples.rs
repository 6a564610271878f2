//! The sample campaign of an enterprise, and the accounts of its simulated agents.

use super::task_rows::{NewTask, TaskId, TaskKind, queue};
use super::{AgentRow, Change, Scope, Store, StoreError};
use crate::store::campaign_rows::{CampaignRow, CampaignState};
use paceline_core::ids::{AgentId, CampaignId};

impl Store {
    /// The sample campaigns of every enterprise, oldest first, without those that were put away.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn samples(&self) -> Result<Vec<CampaignId>, StoreError> {
        let mut conn = self.read().await?;
        let ids = sqlx::query_scalar!(
            r#"select id as "id!" from campaign where is_sample and state <> 'archived' order by id"#
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(ids.into_iter().map(CampaignId).collect())
    }

    /// The newest sample campaign of an enterprise that was not put away.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn sample_of(&self, enterprise: i64) -> Result<Option<CampaignRow>, StoreError> {
        let mut newest = self.samples().await?;
        while let Some(id) = newest.pop() {
            let row = self.any_campaign_row(id).await?;
            if row.enterprise == enterprise && row.kept_state != CampaignState::Archived {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The accounts of a sample campaign's simulated agents, ordered by number.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn simulated_agents(&self, campaign: CampaignId) -> Result<Vec<AgentRow>, StoreError> {
        let all = self.agents().await?;
        Ok(all.into_iter().filter(|row| row.simulated_for == Some(campaign)).collect())
    }
}

impl Change<'_> {
    /// Name and organisation of the enterprise's sample campaign that was not put away, as it stands in this transaction.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn present_sample(&mut self, scope: &Scope) -> Result<Option<(String, i64)>, StoreError> {
        let found = sqlx::query!(
            "select name, organisation_id from campaign
              where is_sample and state <> 'archived' and enterprise_id = $1 order by id desc limit 1",
            scope.enterprise
        )
        .fetch_optional(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        Ok(found.map(|row| (row.name, row.organisation_id)))
    }

    /// Makes a campaign the enterprise's sample campaign.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn mark_sample(&mut self, campaign: CampaignId) -> Result<(), StoreError> {
        let marked = sqlx::query!("update campaign set is_sample = true where id = $1", campaign.0)
            .execute(self.conn())
            .await;
        marked.map(drop).map_err(|error| self.error(error))
    }

    /// Makes an account the simulated agent of a sample campaign.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn mark_simulated(&mut self, agent: AgentId, campaign: CampaignId) -> Result<(), StoreError> {
        let marked =
            sqlx::query!("update agent set simulated_for = $2 where id = $1 and active", agent.0, campaign.0)
                .execute(self.conn())
                .await;
        marked.map(drop).map_err(|error| self.error(error))
    }

    /// Queues the task that loads the sample campaign's list and opens it.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn queue_sample(
        &mut self,
        enterprise: i64,
        campaign: CampaignId,
        asked_by: Option<i64>,
    ) -> Result<TaskId, StoreError> {
        let new = NewTask { enterprise, kind: TaskKind::Sample, subject: campaign.0, total: 0, asked_by };
        let now = self.now.as_millis();
        let queued = queue(self.conn(), new, now).await;
        queued.map_err(self.store.query_error())
    }
}
