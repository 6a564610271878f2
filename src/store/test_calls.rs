//! The last test call of a campaign.

use super::{Store, StoreError};
use paceline_core::ids::CampaignId;
use paceline_core::time::Utc;

/// An attempt without a lead that no agent asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestCallRow {
    pub id: i64,
    pub placed_at: Utc,
    pub answered_at: Option<Utc>,
    /// `None` = it is live.
    pub ended_at: Option<Utc>,
    pub outcome: Option<String>,
    pub sip_code: Option<i64>,
    pub keys: String,
    pub result: Option<String>,
}

impl Store {
    /// The test call that was placed last; `None` = there was none.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn last_test_call(&self, campaign: CampaignId) -> Result<Option<TestCallRow>, StoreError> {
        let mut conn = self.read().await?;
        let found = sqlx::query!(
            r#"select id as "id!: i64", placed_at, answered_at, ended_at, outcome, sip_code, keys, result
                 from attempt where campaign_id = $1 and lead_id is null and agent_id is null
                order by id desc limit 1"#,
            campaign.0
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(found.map(|row| TestCallRow {
            id: row.id,
            placed_at: Utc::from_millis(row.placed_at),
            answered_at: row.answered_at.map(Utc::from_millis),
            ended_at: row.ended_at.map(Utc::from_millis),
            outcome: row.outcome,
            sip_code: row.sip_code,
            keys: row.keys,
            result: row.result,
        }))
    }
}
