//! Call summaries (disposition and note). Every summary is kept in its own table; the latest is also written
//! into the call's row. The lead's new state was decided by the dialer.

use super::leads::{self, UpdateCause};
use super::legs;
use paceline_core::dialer::output::SummaryRecord;
use paceline_core::ids::AttemptId;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;

/// Writes a summary and the lead's new state. Idempotent.
/// Returns the change in the number of open leads.
pub(crate) async fn save(conn: &mut SqliteConnection, record: &SummaryRecord) -> Result<i64, sqlx::Error> {
    let (attempt, leg) = if record.inbound {
        (None, Some(legs::find_or_insert(conn, record.attempt.call()).await?))
    } else {
        (Some(record.attempt.0), None)
    };
    insert(conn, attempt, leg, record).await?;
    let (disposition, note) = (&record.summary.disposition, &record.summary.note);
    if let Some(leg) = leg {
        sqlx::query!(
            "update leg set disposition = $2, note = $3, disposition_defaulted = $4, summary_agent_id = $5
              where id = $1",
            leg,
            disposition,
            note,
            record.defaulted,
            record.agent.0
        )
        .execute(&mut *conn)
        .await?;
    } else {
        sqlx::query!(
            "update attempt set disposition = $2, note = $3, disposition_defaulted = $4,
                    agent_id = coalesce(agent_id, $5), machine = $6
              where id = $1",
            attempt,
            disposition,
            note,
            record.defaulted,
            record.agent.0,
            record.machine
        )
        .execute(&mut *conn)
        .await?;
    }
    match &record.lead {
        Some(update) => {
            leads::save_update(
                conn,
                update,
                UpdateCause::Summary { disposition, defaulted: record.defaulted },
            )
            .await
        }
        None => Ok(0),
    }
}

async fn insert(
    conn: &mut SqliteConnection,
    attempt: Option<i64>,
    leg: Option<i64>,
    record: &SummaryRecord,
) -> Result<(), sqlx::Error> {
    let summary = &record.summary;
    let lead = record.lead.as_ref().map(|update| update.lead.0);
    let callback = summary.callback.as_ref();
    let callback_at = callback.map(|callback| callback.at.as_millis());
    let callback_own = callback.map(|callback| callback.own);
    let callback_skill = callback.and_then(|callback| callback.skill.as_deref());
    let at = record.at.as_millis();
    sqlx::query!(
        "insert into summary (attempt_id, leg_id, campaign_id, lead_id, agent_id, disposition, note,
                              callback_at, callback_own, callback_skill, defaulted, at)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
          where not exists (select 1 from summary s where s.attempt_id is $1 and s.leg_id is $2
                              and s.at = $12 and s.agent_id = $5 and s.disposition = $6 and s.note = $7)",
        attempt,
        leg,
        record.campaign.0,
        lead,
        record.agent.0,
        summary.disposition,
        summary.note,
        callback_at,
        callback_own,
        callback_skill,
        record.defaulted,
        at
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Whether a summary of this attempt has already set the lead's state.
pub(crate) async fn has_set_lead(
    conn: &mut SqliteConnection,
    attempt: AttemptId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from summary where attempt_id = $1 and lead_id is not null) as "n!: bool""#,
        attempt.0
    )
    .fetch_one(&mut *conn)
    .await
}

/// One summary as the agent gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// The agent's number.
    pub agent: Option<String>,
    pub disposition: String,
    pub note: String,
    pub callback_at: Option<Utc>,
    /// Wrap-up timed out; the campaign's default disposition was written.
    pub defaulted: bool,
    pub at: Utc,
}

impl super::Reader {
    /// Every summary of an attempt, the oldest first; the last one is in force.
    pub async fn summaries(&mut self, attempt: AttemptId) -> Result<Vec<SummaryRow>, super::StoreError> {
        let rows = sqlx::query!(
            r#"select g.number as "number?", s.disposition, s.note, s.callback_at,
                      s.defaulted as "defaulted!: bool", s.at
                 from summary s left join agent g on g.id = s.agent_id
                where s.attempt_id = $1 order by s.id"#,
            attempt.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        let summaries = rows.into_iter().map(|row| SummaryRow {
            agent: row.number,
            disposition: row.disposition,
            note: row.note,
            callback_at: row.callback_at.map(Utc::from_millis),
            defaulted: row.defaulted,
            at: Utc::from_millis(row.at),
        });
        Ok(summaries.collect())
    }
}
