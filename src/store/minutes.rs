//! Campaigns by the minute: what was placed, answered and abandoned, who worked, and what held dialling down.

use super::{Reader, Store, StoreError};
use paceline_core::ids::CampaignId;
use paceline_core::time::{Duration, Utc};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// How long a minute is kept.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);

/// Minutes of this span are deleted in one transaction: a call's commit waits only milliseconds for it.
const DELETED_AT_ONCE: i64 = 6 * 3_600_000;

/// One minute of one open campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignMinute {
    pub campaign: CampaignId,
    /// Its begin.
    pub at: Utc,
    pub placed: u64,
    pub answered: u64,
    /// Callees who found no agent in this minute.
    pub abandoned_calls: u64,
    /// Conversations at once, as the mean over the minute.
    pub talking: f64,
    /// By the abandon rule that brakes, at the end of the minute.
    pub abandoned: f64,
    pub divisor: f64,
    /// Upper bound of the rate; `None` = a campaign without agents.
    pub upper: Option<f64>,
    /// Agents of its group by what they did at the end of the minute.
    pub agents: BTreeMap<String, u32>,
    /// Seconds by what held dialling down ([`Why::limit`](paceline_core::pacing::Why::limit)).
    pub limits: BTreeMap<String, f64>,
}

impl CampaignMinute {
    /// A minute in which nothing happened.
    pub fn empty(campaign: CampaignId, at: Utc) -> Self {
        CampaignMinute {
            campaign,
            at,
            placed: 0,
            answered: 0,
            abandoned_calls: 0,
            talking: 0.0,
            abandoned: 0.0,
            divisor: 0.0,
            upper: None,
            agents: BTreeMap::new(),
            limits: BTreeMap::new(),
        }
    }
}

/// Writes a minute. A process that begins in the middle of one adds its part.
pub(super) async fn save(conn: &mut SqliteConnection, minute: &CampaignMinute) -> Result<(), sqlx::Error> {
    let at = minute.at.as_millis();
    let (placed, answered) = (minute.placed as i64, minute.answered as i64);
    let abandoned_calls = minute.abandoned_calls as i64;
    let agents = serde_json::json!(minute.agents).to_string();
    let limits = serde_json::json!(minute.limits).to_string();
    sqlx::query!(
        "insert into campaign_minute (campaign_id, at, placed, answered, talking, abandoned, divisor, upper, agents, limits,
                                      abandoned_calls)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (campaign_id, at) do update set placed = campaign_minute.placed + excluded.placed,
           answered = campaign_minute.answered + excluded.answered, talking = excluded.talking,
           abandoned = excluded.abandoned, divisor = excluded.divisor, upper = excluded.upper,
           agents = excluded.agents, limits = excluded.limits,
           abandoned_calls = campaign_minute.abandoned_calls + excluded.abandoned_calls",
        minute.campaign.0,
        at,
        placed,
        answered,
        minute.talking,
        minute.abandoned,
        minute.divisor,
        minute.upper,
        agents,
        limits,
        abandoned_calls
    )
    .execute(conn)
    .await?;
    Ok(())
}

impl Reader {
    /// The minutes of a campaign that begin in `from..until`, in order, at most `limit`.
    pub async fn campaign_minutes(
        &mut self,
        campaign: CampaignId,
        from: Utc,
        until: Utc,
        limit: u32,
    ) -> Result<Vec<CampaignMinute>, StoreError> {
        let (from, until, limit) = (from.as_millis(), until.as_millis(), i64::from(limit));
        let rows = sqlx::query!(
            r#"select at, placed, answered, talking, abandoned, divisor, upper, agents, limits, abandoned_calls
                 from campaign_minute where campaign_id = $1 and at >= $2 and at < $3 order by at limit $4"#,
            campaign.0,
            from,
            until,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        let minutes = rows.into_iter().map(|row| CampaignMinute {
            campaign,
            at: Utc::from_millis(row.at),
            placed: row.placed as u64,
            answered: row.answered as u64,
            abandoned_calls: row.abandoned_calls as u64,
            talking: row.talking,
            abandoned: row.abandoned,
            divisor: row.divisor,
            upper: row.upper,
            // What another program wrote in another form counts as nothing known.
            agents: serde_json::from_str(&row.agents).unwrap_or_default(),
            limits: serde_json::from_str(&row.limits).unwrap_or_default(),
        });
        Ok(minutes.collect())
    }
}

impl Store {
    /// Deletes minutes older than 90 days, in pieces.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn delete_old_minutes(&self) -> Result<u64, StoreError> {
        let oldest = self.now().as_millis() - KEPT.as_millis() as i64;
        let mut all = 0;
        loop {
            let deleted = self.transaction(async |conn| {
                let first = sqlx::query_scalar!(r#"select min(at) as "first: i64" from campaign_minute"#)
                    .fetch_one(&mut *conn)
                    .await?;
                let Some(first) = first.filter(|first| *first < oldest) else { return Ok(None) };
                let until = oldest.min(first.saturating_add(DELETED_AT_ONCE));
                let deleted =
                    sqlx::query!("delete from campaign_minute where at < $1", until).execute(conn).await?;
                Ok(Some(deleted.rows_affected()))
            });
            match deleted.await.map_err(self.query_error())? {
                Some(deleted) => all += deleted,
                None => return Ok(all),
            }
        }
    }
}
