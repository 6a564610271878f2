//! Attempts on the built-in simulated carrier. They rang no phone, so before a campaign uses a real trunk they
//! are forgotten in words, and the leads that they closed are open again.

use super::blacklist::json_numbers;
use super::reader::Reader;
use super::{Store, StoreError};
use paceline_core::campaign::SIMULATED_TRUNK;
use paceline_core::ids::CampaignId;
use sqlx::SqliteConnection;

/// Attempts forgotten per transaction.
const CHUNK: i64 = 1_000;

/// Source of blacklist entries that a key press made.
pub const KEY_PRESS_SOURCE: &str = "key pressed in a call";
/// The source of a blacklist entry that an agent's summary made.
pub const SUMMARY_SOURCE: &str = "summary of a call";

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    pub attempts: u64,
    /// Leads that are as they were imported.
    pub leads: u64,
}

impl Store {
    /// Number of a campaign's attempts on the simulated carrier. Single-number tests touch no lead, and do not count.
    pub async fn simulated_attempts(&self, campaign: CampaignId) -> Result<u64, StoreError> {
        let mut conn = self.read().await?;
        count(&mut conn, campaign).await.map_err(self.query_error())
    }

    /// Deletes a campaign's attempts on the simulated carrier with all that came of them: leads that had no other
    /// attempt are as they were imported, numbers blacklisted by key in those calls may be called, caller IDs are
    /// unused. Open attempts stay. Ids are not used again.
    pub async fn forget_simulated(&self, campaign: CampaignId) -> Result<Forgotten, StoreError> {
        let mut all = Forgotten::default();
        loop {
            let forgotten = self.transaction(async |conn| forget_chunk(conn, campaign.0).await).await;
            let forgotten = forgotten.map_err(self.query_error())?;
            if forgotten.attempts == 0 {
                break;
            }
            all.attempts += forgotten.attempts;
            all.leads += forgotten.leads;
        }
        if all.attempts > 0 {
            let reopened = self.transaction(async |conn| reopen_households(conn, campaign.0).await).await;
            all.leads += reopened.map_err(self.query_error())?;
        }
        self.write.note_lists_changed();
        Ok(all)
    }
}

impl Reader {
    /// As [`Store::simulated_attempts`].
    pub async fn simulated_attempts(&mut self, campaign: CampaignId) -> Result<u64, StoreError> {
        let counted = count(&mut self.conn, campaign).await;
        counted.map_err(|error| self.query_error(&error))
    }
}

async fn count(conn: &mut SqliteConnection, campaign: CampaignId) -> Result<u64, sqlx::Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "n!: i64" from attempt where campaign_id = $1 and trunk = 'simulated' and lead_id is not null"#,
        campaign.0
    )
    .fetch_one(conn)
    .await?;
    Ok(count as u64)
}

async fn forget_chunk(conn: &mut SqliteConnection, campaign: i64) -> Result<Forgotten, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id!", lead_id, number, caller_id, keys, disposition from attempt
            where campaign_id = $1 and trunk = $2 and trunk = 'simulated' and state = 'ended' limit $3"#,
        campaign,
        SIMULATED_TRUNK,
        CHUNK
    )
    .fetch_all(&mut *conn)
    .await?;
    let Some(last) = rows.iter().map(|row| row.id).max() else { return Ok(Forgotten::default()) };
    let attempts = json_numbers(rows.iter().map(|row| row.id));
    let leads = json_numbers(rows.iter().filter_map(|row| row.lead_id));
    let asked = rows.iter().filter(|row| !row.keys.is_empty() || row.disposition.is_some());
    let asked = json_numbers(asked.map(|row| row.number));
    let callers = json_numbers(rows.iter().filter_map(|row| row.caller_id));
    let next = last + 1;
    sqlx::query!("update counter set next = $1 where name = 'attempt' and next < $1", next)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "delete from summary where attempt_id in (select cast(value as bigint) from json_each($1))",
        attempts
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from attempt where id in (select cast(value as bigint) from json_each($1))",
        attempts
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from blacklist where campaign_id = $1 and source in ($2, $4) and not is_prefix
            and digits in (select cast(value as bigint) from json_each($3))",
        campaign,
        KEY_PRESS_SOURCE,
        asked,
        SUMMARY_SOURCE
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from caller_id
          where is_found and number in (select cast(value as bigint) from json_each($1))
            and not exists (select 1 from attempt a where a.caller_id = caller_id.number)
            and not exists (select 1 from caller_id_log l where l.caller_id = caller_id.id)
            and not exists (select 1 from caller_id_hour h where h.caller_id = caller_id.id)",
        callers
    )
    .execute(&mut *conn)
    .await?;
    let leads = reopen(conn, &leads).await?;
    Ok(Forgotten { attempts: rows.len() as u64, leads })
}

/// Sets those of the leads that have no attempt left back to their state after the import. The dial check closes
/// again what is on the blacklist.
async fn reopen(conn: &mut SqliteConnection, leads: &str) -> Result<u64, sqlx::Error> {
    let fresh = sqlx::query_scalar!(
        r#"select l.id as "id!" from lead l
            where l.id in (select cast(value as bigint) from json_each($1))
              and not exists (select 1 from attempt a where a.lead_id = l.id)"#,
        leads
    )
    .fetch_all(&mut *conn)
    .await?;
    let leads = json_numbers(fresh.iter().copied());
    sqlx::query!(
        "update lead set state = 'open', reason = null, next_at = 0, uncounted = 0, attempts = 0,
                last_outcome = null, last_at = null, result = null, disposition = null,
                callback_agent = null, callback_skill = null
          where id in (select cast(value as bigint) from json_each($1))",
        leads
    )
    .execute(&mut *conn)
    .await?;
    // A number that an agent corrected stays closed.
    sqlx::query!(
        "update phone set attempts = 0, last_outcome = null, last_at = null, next_at = null,
                closed = closed and exists (select 1 from lead_correction c where c.lead_id = phone.lead_id
                                              and c.field = 'phone')
          where lead_id in (select cast(value as bigint) from json_each($1))",
        leads
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update household set caller_id = null
          where id in (select l.household_id from lead l
                        where l.id in (select cast(value as bigint) from json_each($1)))
            and not exists (select 1 from lead s join attempt a on a.lead_id = s.id
                             where s.household_id = household.id)",
        leads
    )
    .execute(&mut *conn)
    .await?;
    Ok(fresh.len() as u64)
}

/// Opens leads that a forgotten call to another lead of their household had closed.
async fn reopen_households(conn: &mut SqliteConnection, campaign: i64) -> Result<u64, sqlx::Error> {
    let reopened = sqlx::query!(
        "update lead set state = 'open', reason = null, next_at = 0
          where campaign_id = $1 and reason = 'household_done'
            and import_id in (select i.id from import i where i.campaign_id = $1)
            and not exists (select 1 from lead s join attempt a on a.lead_id = s.id
                             where s.household_id = lead.household_id)",
        campaign
    )
    .execute(&mut *conn)
    .await?;
    Ok(reopened.rows_affected())
}
