//! The latest calls of a campaign with their wrap-up times, from which a pacer learns after a restart.

use super::{Store, StoreError};
use paceline_core::ids::{AgentId, CallId, CampaignId};
use paceline_core::outcome::Outcome;
use paceline_core::pacing::history::FinishedCall;
use paceline_core::time::{Duration, Utc};

/// Enough to estimate the answer rate to within two in a hundred and a day's talk times; more only cost time.
const CALLS_MAX: i64 = 3_000;
const SINCE: Duration = Duration::from_secs(23 * 3_600);

impl Store {
    /// The latest ended calls of the last 23 hours, the oldest first.
    pub async fn past_calls(&self, campaign: CampaignId) -> Result<Vec<FinishedCall>, StoreError> {
        let since = (self.now() - SINCE).as_millis();
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select a.id as "id!: i64", a.ordinal as "ordinal!: i64", a.placed_at as "placed_at!: i64",
                      a.ringing_at, a.answered_at, a.connected_at, a.ended_at as "ended_at!: i64",
                      a.outcome as "outcome!: String", a.agent_id,
                      (select min(n.at) from seat_log n
                        where n.agent_id = a.agent_id and n.at > w.at) as "wrapped?: i64"
                 from attempt a
                 left join seat_log w on w.agent_id = a.agent_id and w.attempt_id = a.id
                      and w.activity = 'wrap_up' and w.at >= a.ended_at
                where a.campaign_id = $1 and a.placed_at >= $2 and a.state = 'ended'
                  and a.ended_at is not null and a.outcome is not null and a.lead_id is not null
                group by a.id order by a.id desc limit $3"#,
            campaign.0,
            since,
            CALLS_MAX
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let at = Utc::from_millis;
        let calls = rows.into_iter().rev().map(|row| FinishedCall {
            call: CallId(row.id as u64),
            tries: (row.ordinal - 1).max(0) as u32,
            placed: at(row.placed_at),
            ringing: row.ringing_at.map(at),
            answered: row.answered_at.map(at),
            agent: row.agent_id.map(AgentId).zip(row.connected_at.map(at)),
            ended: at(row.ended_at),
            wrapped: row.wrapped.map(at),
            cancelled: [Outcome::Cancelled, Outcome::Interrupted]
                .iter()
                .any(|ours| row.outcome == ours.word()),
            network: row.outcome == Outcome::LineFault.word(),
            abandoned: row.outcome == Outcome::Abandoned.word(),
        });
        Ok(calls.collect())
    }
}
