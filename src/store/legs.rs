//! Legs that are no attempts: agents' phones, consulted parties, inbound callers. While a leg is up, its row
//! holds the dialog that ends it after a crash; afterwards the row is its call record.

use paceline_core::dialer::output::{LegKind, LegRecord};
use paceline_core::ids::{AgentId, CallId, CampaignId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::EndedBy;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;

/// A leg that was up when the previous process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterruptedLeg {
    /// Row id.
    pub id: i64,
    /// Call id in the previous process; this process may reuse it for another leg.
    pub leg: CallId,
    /// The number of a consulted party or of a caller.
    pub number: Option<PhoneNumber>,
    /// JSON, as saved when the leg was placed.
    pub dialog: String,
}

/// Data of a live leg: the content of its row if the process crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegInfo {
    pub kind: LegKind,
    /// The agent on this leg.
    pub agent: Option<AgentId>,
    pub number: Option<PhoneNumber>,
    pub campaign: Option<CampaignId>,
    pub lead: Option<LeadId>,
}

impl LegInfo {
    pub const fn new(kind: LegKind) -> Self {
        LegInfo { kind, agent: None, number: None, campaign: None, lead: None }
    }
}

pub(crate) const fn word(kind: LegKind) -> &'static str {
    match kind {
        LegKind::Agent => "agent",
        LegKind::Consulted => "consulted",
        LegKind::Inbound => "inbound",
    }
}

/// Row id of a leg of this process; inserts a row if there is none yet.
pub(crate) async fn find_or_insert(conn: &mut SqliteConnection, leg: CallId) -> Result<i64, sqlx::Error> {
    let call = leg.0 as i64;
    let known = sqlx::query_scalar!(r#"select id as "id!" from leg where live_call = $1"#, call)
        .fetch_optional(&mut *conn)
        .await?;
    if let Some(id) = known {
        return Ok(id);
    }
    let made =
        sqlx::query!("insert into leg (live_call, call) values ($1, $1)", call).execute(&mut *conn).await?;
    Ok(made.last_insert_rowid())
}

/// Saves a leg before its INVITE and after a change of its dialog. An ended leg stays ended.
pub(crate) async fn save_placed(
    conn: &mut SqliteConnection,
    leg: CallId,
    about: &LegInfo,
    dialog: &str,
    now: Utc,
) -> Result<(), sqlx::Error> {
    let id = find_or_insert(conn, leg).await?;
    let kind = word(about.kind);
    let (agent, lead) = (about.agent.map(|agent| agent.0), about.lead.map(|lead| lead.0));
    let number = about.number.map(|number| number.as_u64() as i64);
    let (campaign, now) = (about.campaign.map(|id| id.0), now.as_millis());
    sqlx::query!(
        "update leg set dialog = $2, kind = $3, agent_id = $4, number = $5, campaign_id = $6, lead_id = $7,
                began_at = coalesce(began_at, $8)
          where id = $1 and ended_at is null",
        id,
        dialog,
        kind,
        agent,
        number,
        campaign,
        lead,
        now
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Saves an ended leg. Idempotent.
pub(crate) async fn save_ended(conn: &mut SqliteConnection, record: &LegRecord) -> Result<(), sqlx::Error> {
    let id = find_or_insert(conn, record.leg).await?;
    let kind = word(record.kind);
    let (agent, lead) = (record.agent.map(|agent| agent.0), record.lead.map(|lead| lead.0));
    let number = record.number.map(|number| number.as_u64() as i64);
    let (campaign, attempt) = (record.campaign.map(|id| id.0), record.attempt.map(|id| id.0));
    let began_at = record.began_at.as_millis();
    let answered_at = record.answered_at.map(Utc::as_millis);
    let connected_at = record.connected_at.map(Utc::as_millis);
    let (ended_at, ended_by) = (record.ended_at.as_millis(), record.ended_by.word());
    sqlx::query!(
        "update leg set dialog = '', kind = $2, agent_id = $3, number = $4, campaign_id = $5, lead_id = $6,
                attempt_id = $7, began_at = $8, answered_at = $9, connected_at = $10, ended_at = $11,
                ended_by = $12, cause = $13
          where id = $1",
        id,
        kind,
        agent,
        number,
        campaign,
        lead,
        attempt,
        began_at,
        answered_at,
        connected_at,
        ended_at,
        ended_by,
        record.cause
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Closes and returns the legs that a crash left up; clears the call ids of the previous process.
pub(crate) async fn close_interrupted(
    conn: &mut SqliteConnection,
    cause: &str,
    now: Utc,
) -> Result<Vec<InterruptedLeg>, sqlx::Error> {
    let cut = sqlx::query!(
        r#"select id as "id!", live_call as "call!", dialog, number from leg
            where live_call is not null and ended_at is null and dialog <> '' order by id"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let (now, by) = (now.as_millis(), EndedBy::Dialer.word());
    sqlx::query!(
        "update leg set ended_at = coalesce(ended_at, $1), ended_by = coalesce(ended_by, $2), dialog = '',
                cause = case when ended_at is null then $3 else cause end, live_call = null
          where live_call is not null",
        now,
        by,
        cause
    )
    .execute(&mut *conn)
    .await?;
    let leg = |call: i64| CallId(call as u64);
    Ok(cut
        .into_iter()
        .map(|row| InterruptedLeg {
            id: row.id,
            leg: leg(row.call),
            number: row.number.and_then(|number| PhoneNumber::from_e164(number as u64)),
            dialog: row.dialog,
        })
        .collect())
}
