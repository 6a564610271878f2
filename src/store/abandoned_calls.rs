//! The abandoned calls behind the ledger's counts, and what agents did at that moment, by the state log.

use super::StoreError;
use super::reader::Reader;
use paceline_core::ids::{CampaignId, GroupId};
use sqlx::SqliteConnection;

/// Which abandoned calls are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbandonedFilter {
    pub campaign: CampaignId,
    /// Answered in `from..until`, in milliseconds of UTC.
    pub from: i64,
    pub until: i64,
    /// Calls that were connected later than `LATE_AFTER` too.
    pub with_late: bool,
    /// How long a callee was to wait for an agent, in milliseconds.
    pub answer_wait: i64,
    /// Attempts with a lower id: the next page.
    pub before: i64,
    pub limit: i64,
}

/// A callee who answered and found no agent in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbandonedCall {
    pub attempt: i64,
    pub lead_id: Option<i64>,
    pub name: Option<String>,
    pub number: i64,
    pub answered_at: i64,
    /// Until an agent was connected, or until the end.
    pub waited_ms: i64,
    /// An agent came, too late.
    pub is_late: bool,
    /// Hung up before the wait was over.
    pub hung_up: bool,
}

/// What an agent did at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatThen {
    /// The agent's number.
    pub agent: String,
    pub name: String,
    pub availability: String,
    pub activity: String,
}

impl Reader {
    /// Abandoned calls, the latest attempt first: as the ledger counts them.
    pub async fn abandoned_calls(
        &mut self,
        wanted: &AbandonedFilter,
    ) -> Result<Vec<AbandonedCall>, StoreError> {
        let mut calls = in_vain(&mut self.conn, wanted).await.map_err(|e| self.query_error(&e))?;
        if wanted.with_late {
            let late = too_late(&mut self.conn, wanted).await.map_err(|e| self.query_error(&e))?;
            calls.extend(late);
            calls.sort_by_key(|call| std::cmp::Reverse(call.attempt));
            calls.dedup_by_key(|call| call.attempt);
            calls.truncate(usize::try_from(wanted.limit).unwrap_or_default());
        }
        Ok(calls)
    }

    /// Agents of a group who were signed in at this moment, by number.
    pub async fn seats_at(
        &mut self,
        enterprise: i64,
        group: GroupId,
        at: i64,
    ) -> Result<Vec<SeatThen>, StoreError> {
        sqlx::query_as!(
            SeatThen,
            r#"select g.number as agent, g.name, s.availability, s.activity
                 from agent g join seat_log s on s.id =
                   (select l.id from seat_log l where l.agent_id = g.id and l.at <= $3
                     order by l.at desc, l.id desc limit 1)
                where g.enterprise_id = $1 and s.availability <> 'signed_out'
                  and exists (select 1 from json_each(s.groups) where value = $2)
                order by g.number"#,
            enterprise,
            group.0,
            at
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// The first moment after `at`, and before `until`, at which an agent of the group became free.
    pub async fn next_free(
        &mut self,
        enterprise: i64,
        group: GroupId,
        at: i64,
        until: i64,
    ) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar!(
            r#"select s.at as "at!" from seat_log s join agent g on g.id = s.agent_id
                where s.at > $3 and s.at < $4 and s.availability = 'available' and s.activity = 'idle'
                  and g.enterprise_id = $1 and exists (select 1 from json_each(s.groups) where value = $2)
                order by s.at limit 1"#,
            enterprise,
            group.0,
            at,
            until
        )
        .fetch_optional(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }
}

/// Callees who got no agent.
async fn in_vain(
    conn: &mut SqliteConnection,
    wanted: &AbandonedFilter,
) -> Result<Vec<AbandonedCall>, sqlx::Error> {
    sqlx::query_as!(
        AbandonedCall,
        r#"select a.id as "attempt!", a.lead_id, l.name as "name?", a.number, a.answered_at as "answered_at!",
                  max(0, coalesce(a.ended_at, a.answered_at) - a.answered_at) as "waited_ms!: i64",
                  false as "is_late!: bool",
                  coalesce(a.ended_by = 'callee' and a.ended_at - a.answered_at < $4, false) as "hung_up!: bool"
             from attempt a left join lead l on l.id = a.lead_id
            where a.campaign_id = $1 and a.outcome in ('abandoned', 'agent_failed')
              and a.state = 'ended' and a.answered_at >= $2 and a.answered_at < $3 and a.id < $5
            order by a.id desc limit $6"#,
        wanted.campaign.0,
        wanted.from,
        wanted.until,
        wanted.answer_wait,
        wanted.before,
        wanted.limit
    )
    .fetch_all(conn)
    .await
}

/// People who were connected later than `LATE_AFTER` after their answer.
async fn too_late(
    conn: &mut SqliteConnection,
    wanted: &AbandonedFilter,
) -> Result<Vec<AbandonedCall>, sqlx::Error> {
    sqlx::query_as!(
        AbandonedCall,
        r#"select a.id as "attempt!", a.lead_id, l.name as "name?", a.number, a.answered_at as "answered_at!",
                  a.connected_at - a.answered_at as "waited_ms!: i64", true as "is_late!: bool",
                  false as "hung_up!: bool"
             from attempt a left join lead l on l.id = a.lead_id
            where a.campaign_id = $1 and a.connected_at - a.answered_at > 2000 and not a.machine
              and a.state = 'ended' and a.answered_at >= $2 and a.answered_at < $3 and a.id < $4
            order by a.id desc limit $5"#,
        wanted.campaign.0,
        wanted.from,
        wanted.until,
        wanted.before,
        wanted.limit
    )
    .fetch_all(conn)
    .await
}

#[cfg(test)]
mod tests {
    use paceline_core::pacing::ledger::LATE_AFTER;

    /// The statement and its index name the bound as a number, so that the index serves.
    #[test]
    fn the_bound_of_a_late_connection_is_the_ledgers() {
        assert_eq!(LATE_AFTER.as_millis(), 2_000);
    }
}
