//! Attempts that the line guard takes back: the line refused us, and the callees had been charged for it.

use paceline_core::ids::{AttemptId, CampaignId, LeadId};
use paceline_core::time::Utc;
use sqlx::SqliteConnection;

/// Turns ended, unanswered attempts into uncounted `line_fault`, and opens their phones and leads again. A lead
/// that anything else decided meanwhile (an answered call, a disposition, the blacklist, a person) keeps its
/// state. Idempotent. Returns the change in the number of open leads.
pub(crate) async fn take_back(
    conn: &mut SqliteConnection,
    campaign: CampaignId,
    attempts: &[AttemptId],
    next_at: Utc,
) -> Result<i64, sqlx::Error> {
    let mut reopened = 0;
    for attempt in attempts {
        reopened += take_back_one(conn, campaign, *attempt, next_at).await?;
    }
    Ok(reopened)
}

async fn take_back_one(
    conn: &mut SqliteConnection,
    campaign: CampaignId,
    attempt: AttemptId,
    next_at: Utc,
) -> Result<i64, sqlx::Error> {
    let next_at = next_at.as_millis();
    let charged = sqlx::query!(
        r#"select lead_id as "lead_id!", number, counted as "counted!: bool" from attempt
            where id = $1 and campaign_id = $2 and state = 'ended' and answered_at is null
              and not taken_back and lead_id is not null"#,
        attempt.0,
        campaign.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(charged) = charged else { return Ok(0) };
    sqlx::query!(
        "update attempt set outcome = 'line_fault', counted = false, taken_back = true where id = $1",
        attempt.0
    )
    .execute(&mut *conn)
    .await?;
    let counted = i64::from(charged.counted);
    sqlx::query!(
        "update phone set attempts = case when attempts > $3 then attempts - $3 else 0 end,
                last_outcome = 'line_fault', next_at = $4, closed = false
          where lead_id = $1 and number = $2",
        charged.lead_id,
        charged.number,
        counted,
        next_at
    )
    .execute(&mut *conn)
    .await?;
    let uncounted = 1 - counted;
    sqlx::query!(
        "update lead set last_outcome = 'line_fault',
                uncounted = case when uncounted > $2 then uncounted - $2 else 0 end
          where id = $1",
        charged.lead_id,
        uncounted
    )
    .execute(&mut *conn)
    .await?;
    let reopened = sqlx::query!(
        "update lead set state = 'open', reason = null
          where id = $1 and state = 'failed' and (reason is null or reason = 'attempts_used')
            and not exists (select 1 from attempt a where a.lead_id = $1 and a.answered_at is not null)",
        charged.lead_id
    )
    .execute(&mut *conn)
    .await?;
    set_due(conn, charged.lead_id).await?;
    Ok(reopened.rows_affected() as i64)
}

/// The line works again: phones of these open leads whose last outcome is `line_fault` are due at `at`.
pub(crate) async fn make_due(
    conn: &mut SqliteConnection,
    leads: &[LeadId],
    at: Utc,
) -> Result<(), sqlx::Error> {
    let at = at.as_millis();
    for lead in leads {
        sqlx::query!(
            "update phone set next_at = $2
              where lead_id = $1 and last_outcome = 'line_fault' and not closed and next_at > $2",
            lead.0,
            at
        )
        .execute(&mut *conn)
        .await?;
        set_due(conn, lead.0).await?;
    }
    Ok(())
}

/// An open lead is due with its first open phone; a booked callback keeps its moment.
async fn set_due(conn: &mut SqliteConnection, lead: i64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update lead set next_at =
                coalesce((select min(coalesce(p.next_at, 0)) from phone p where p.lead_id = $1 and not p.closed),
                         next_at)
          where id = $1 and state = 'open' and callback_agent is null and callback_skill is null",
        lead
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Writes why the campaign's trunks rest; empty = they work.
pub(crate) async fn save_line_trouble(
    conn: &mut SqliteConnection,
    campaign: CampaignId,
    words: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update campaign set line_trouble = $2 where id = $1", campaign.0, words)
        .execute(&mut *conn)
        .await?;
    Ok(())
}
