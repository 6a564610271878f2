//! Sums for the abandon ledger by quarter hour, computed from the attempts when a campaign is opened, so that
//! a restart loses no count. The core's `pacing::ledger` defines the counts.

use super::{Store, StoreError};
use paceline_core::ids::CampaignId;
use paceline_core::pacing::ledger::{Counts, LATE_AFTER, LONGEST_WINDOW, SLOT};
use paceline_core::time::{Duration, Utc};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

impl Store {
    /// Ledger counts of the last 30 days, each with the start of its quarter hour. `answer_wait` = how long a
    /// callee waits for an agent. Interrupted calls count as placed only: their outcome is unknown.
    pub async fn abandons(
        &self,
        campaign: CampaignId,
        answer_wait: Duration,
    ) -> Result<Vec<(Utc, Counts)>, StoreError> {
        let since = (self.now() - LONGEST_WINDOW).as_millis();
        let mut conn = self.read().await?;
        let sums = sums(&mut conn, campaign, since, answer_wait).await.map_err(self.query_error())?;
        let slot = SLOT.as_millis() as i64;
        Ok(sums.into_iter().map(|(number, counts)| (Utc::from_millis(number * slot), counts)).collect())
    }
}

async fn sums(
    conn: &mut SqliteConnection,
    campaign: CampaignId,
    since: i64,
    answer_wait: Duration,
) -> Result<BTreeMap<i64, Counts>, sqlx::Error> {
    let (slot, late) = (SLOT.as_millis() as i64, LATE_AFTER.as_millis() as i64);
    let answer_wait = answer_wait.as_millis() as i64;
    let mut sums: BTreeMap<i64, Counts> = BTreeMap::new();
    let placed = sqlx::query!(
        r#"select placed_at / $1 as "slot!: i64", count(*) as "placed!: i64",
                  count(*) filter (where state = 'ended'
                    and (ringing_at is not null or answered_at is not null)) as "settled!: i64"
             from attempt where campaign_id = $2 and placed_at >= $3 group by 1"#,
        slot,
        campaign.0,
        since
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in placed {
        let counts = sums.entry(row.slot).or_default();
        (counts.placed, counts.settled) = (row.placed as u64, row.settled as u64);
    }
    let answered = sqlx::query!(
        r#"select answered_at / $1 as "slot!: i64",
                  count(*) filter (where connected_at is not null and not machine) as "people!: i64",
                  count(*) filter (where connected_at is not null and not machine
                    and connected_at - answered_at > $4) as "late!: i64",
                  count(*) filter (where connected_at is not null and machine) as "machines!: i64",
                  count(*) filter (where outcome = 'machine') as "detected!: i64",
                  count(*) filter (where outcome in ('abandoned', 'agent_failed')) as "abandoned!: i64",
                  count(*) filter (where outcome in ('abandoned', 'agent_failed') and ended_by = 'callee'
                    and ended_at - answered_at < $5) as "hung_up!: i64"
             from attempt
            where campaign_id = $2 and answered_at >= $3 and state = 'ended' group by 1"#,
        slot,
        campaign.0,
        since,
        late,
        answer_wait
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in answered {
        let counts = sums.entry(row.slot).or_default();
        counts.connected_people = row.people as u64;
        counts.connected_late = row.late as u64;
        counts.connected_machines = row.machines as u64;
        counts.machines_detected = row.detected as u64;
        counts.abandoned = row.abandoned as u64;
        counts.hung_up = row.hung_up as u64;
    }
    Ok(sums)
}
