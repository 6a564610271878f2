//! The state log: availability and activity of every seat, from which time on. A start after a crash signs
//! out the seats that were still signed in, as of the last commit.

use super::{Reader, StoreError};
use paceline_core::agent::{Activity, Availability, Endpoint, SeatView};
use paceline_core::ids::AgentId;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// One row of the state log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatLogRow {
    pub id: i64,
    pub agent_id: i64,
    /// Start of this state, which lasts until the agent's next row.
    pub at: i64,
    /// [`Availability::word`].
    pub availability: String,
    /// Reason of the pause.
    pub reason: Option<String>,
    /// [`Activity::word`].
    pub activity: String,
    /// JSON array of group ids.
    pub groups: String,
    pub campaign_id: Option<i64>,
    pub attempt_id: Option<i64>,
    pub inbound: bool,
}

pub(crate) async fn append(conn: &mut SqliteConnection, seat: &SeatView) -> Result<(), sqlx::Error> {
    let at = seat.since.as_millis();
    let (availability, activity) = (seat.availability.word(), seat.activity.word());
    let reason = match &seat.availability {
        Availability::Paused { reason } => Some(reason.as_str()),
        Availability::SignedOut | Availability::Available => None,
    };
    let groups = super::blacklist::json_numbers(seat.groups.iter().map(|group| group.0));
    let campaign = seat.work.as_ref().map(|work| work.campaign.0);
    let attempt = seat.work.as_ref().and_then(|work| work.attempt).map(|attempt| attempt.0);
    let inbound = seat.work.as_ref().is_some_and(|work| work.inbound);
    let endpoint = match seat.endpoint {
        Endpoint::Phone => "phone",
        Endpoint::Telephone(_) => "telephone",
    };
    // Idempotent: a repeat of the agent's latest row is skipped.
    sqlx::query!(
        "insert into seat_log (agent_id, at, availability, reason, activity, groups, campaign_id, attempt_id,
                               inbound, way)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
          where not exists (select 1 from seat_log s where s.agent_id = $1 and s.at = $2
                  and s.availability = $3 and s.reason is $4 and s.activity = $5 and s.attempt_id is $8
                  and s.id = (select id from seat_log where agent_id = $1 order by at desc, id desc limit 1))",
        seat.agent.0,
        at,
        availability,
        reason,
        activity,
        groups,
        campaign,
        attempt,
        inbound,
        endpoint
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// The agent who was in conversation on each attempt at the end of the log, by attempt.
pub(crate) async fn agents_in_call(conn: &mut SqliteConnection) -> Result<BTreeMap<i64, i64>, sqlx::Error> {
    let (talking, consulting) = (Activity::Talking.word(), Activity::Consulting.word());
    let rows = sqlx::query!(
        r#"select s.attempt_id as "attempt!", s.agent_id
             from agent g join seat_log s on s.id =
               (select l.id from seat_log l where l.agent_id = g.id order by l.at desc, l.id desc limit 1)
            where s.attempt_id is not null and s.activity in ($1, $2) order by s.id"#,
        talking,
        consulting
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.attempt, row.agent_id)).collect())
}

/// Signs out every seat after a crash.
pub(crate) async fn sign_out_all(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let (out, idle) = (Availability::SignedOut.word(), Activity::Idle.word());
    sqlx::query!(
        "insert into seat_log (agent_id, at, availability, activity, groups, way)
         select s.agent_id, max(s.at, (select at from pulse where id = 1)), $1, $2, '[]', s.way
           from agent g join seat_log s on s.id =
             (select l.id from seat_log l where l.agent_id = g.id order by l.at desc, l.id desc limit 1)
          where s.availability <> $1 order by g.id",
        out,
        idle
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

impl Reader {
    /// Up to `limit` rows of one agent's state log after the row at (`at`, `id`), in order.
    pub async fn seat_log(
        &mut self,
        agent: AgentId,
        after: (i64, i64),
        limit: u32,
    ) -> Result<Vec<SeatLogRow>, StoreError> {
        let limit = i64::from(limit);
        let (at, id) = after;
        sqlx::query_as!(
            SeatLogRow,
            r#"select id as "id!", agent_id, at, availability, reason, activity, groups, campaign_id,
                      attempt_id, inbound as "inbound!: bool"
                 from seat_log where agent_id = $1 and (at, id) > ($2, $3) order by at, id limit $4"#,
            agent.0,
            at,
            id,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// One agent's state log in `from..until` (milliseconds of UTC), in order, with the row in force at `from` first.
    pub async fn seat_log_between(
        &mut self,
        agent: AgentId,
        from: i64,
        until: i64,
    ) -> Result<Vec<SeatLogRow>, StoreError> {
        sqlx::query_as!(
            SeatLogRow,
            r#"select id as "id!", agent_id, at, availability, reason, activity, groups, campaign_id,
                      attempt_id, inbound as "inbound!: bool"
                 from seat_log
                where agent_id = $1 and at < $3
                  and at >= coalesce((select max(s.at) from seat_log s where s.agent_id = $1 and s.at <= $2), $2)
                order by at, id limit 100000"#,
            agent.0,
            from,
            until
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// Time of the writer's last commit: the state log is complete until then.
    pub async fn last_commit(&mut self) -> Result<Utc, StoreError> {
        let at = sqlx::query_scalar!(r#"select at as "at!" from pulse where id = 1"#)
            .fetch_one(&mut self.conn)
            .await
            .map_err(|e| self.query_error(&e))?;
        Ok(Utc::from_millis(at))
    }
}
