//! The blacklist (do-not-call numbers), system-wide or per campaign. Each entry names its source, so that
//! a file can be reloaded without touching entries made by people and key presses.

use super::{Store, StoreError, begin, commit, rollback};
use paceline_core::ids::CampaignId;
use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;

/// The scope of entries that apply to every campaign.
const SYSTEM: i64 = 0;

/// Numbers per insert statement.
const CHUNK: usize = 10_000;

pub(crate) fn scope(campaign: Option<CampaignId>) -> i64 {
    campaign.map_or(SYSTEM, |campaign| campaign.0)
}

impl Store {
    /// Replaces the entries of `source` with these numbers, in one transaction. `None` = system-wide.
    /// Leads are not closed here but at their dial check.
    pub async fn replace_blacklist(
        &self,
        campaign: Option<CampaignId>,
        source: &str,
        numbers: &[PhoneNumber],
    ) -> Result<(), StoreError> {
        let (scope, now) = (scope(campaign), self.now().as_millis());
        let mut conn = self.write.lock().await;
        let written = async {
            begin(&mut conn).await?;
            sqlx::query!("delete from blacklist where campaign_id = $1 and source = $2", scope, source)
                .execute(&mut *conn)
                .await?;
            for chunk in numbers.chunks(CHUNK) {
                let numbers = json_numbers(chunk.iter().map(|number| number.as_u64() as i64));
                sqlx::query!(
                    "insert into blacklist (number, campaign_id, source, added_at)
                     select value, $2, $3, $4 from json_each($1) where true on conflict do nothing",
                    numbers,
                    scope,
                    source,
                    now
                )
                .execute(&mut *conn)
                .await?;
            }
            commit(&mut conn).await
        }
        .await;
        if written.is_err() {
            rollback(&mut conn).await;
        }
        written.map_err(|e| StoreError::from_query(&self.path, &e))
    }

    /// Adds a number and closes the leads that have no other phone left. `None` = system-wide.
    pub async fn blacklist(
        &self,
        campaign: Option<CampaignId>,
        number: PhoneNumber,
        source: &str,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut conn = self.write.lock().await;
        let written = async {
            begin(&mut conn).await?;
            add(&mut conn, campaign, number, source, now).await?;
            commit(&mut conn).await
        }
        .await;
        if written.is_err() {
            rollback(&mut conn).await;
        }
        self.write.note_lists_changed();
        written.map_err(|e| StoreError::from_query(&self.path, &e))
    }

    /// Every number this campaign may not call, ascending and distinct.
    pub async fn blacklisted(&self, campaign: Option<CampaignId>) -> Result<Vec<PhoneNumber>, StoreError> {
        let scope = scope(campaign);
        let mut conn = self.write.lock().await;
        let numbers = sqlx::query_scalar!(
            r#"select distinct number as "number!" from blacklist where campaign_id in (0, $1) order by number"#,
            scope
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(numbers.into_iter().filter_map(|number| PhoneNumber::from_e164(number as u64)).collect())
    }
}

/// Adds one number and closes the leads that have no other phone left. Returns the campaign of each open
/// lead that this closed.
pub(crate) async fn add(
    conn: &mut SqliteConnection,
    campaign: Option<CampaignId>,
    number: PhoneNumber,
    source: &str,
    now: Utc,
) -> Result<Vec<CampaignId>, sqlx::Error> {
    let (scope, number, now) = (scope(campaign), number.as_u64() as i64, now.as_millis());
    sqlx::query!(
        "insert into blacklist (number, campaign_id, source, added_at) values ($1, $2, $3, $4)
         on conflict do nothing",
        number,
        scope,
        source,
        now
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update phone set closed = true where number = $1 and lead_id in
           (select l.id from phone p join lead l on l.id = p.lead_id
             where p.number = $1 and l.state in ('open', 'follow_up') and $2 in (0, l.campaign_id))",
        number,
        scope
    )
    .execute(&mut *conn)
    .await?;
    let closed = sqlx::query_scalar!(
        r#"update lead set state = 'failed', reason = 'blacklisted'
            where (state = 'open' or state = 'follow_up' and next_at > 0) and $2 in (0, campaign_id)
              and id in (select lead_id from phone where number = $1)
              and not exists (select 1 from phone p where p.lead_id = lead.id and not p.closed)
           returning campaign_id"#,
        number,
        scope
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(closed.into_iter().map(CampaignId).collect())
}

/// `[1,2,3]`: binds a list of numbers as one JSON argument for `json_each`.
pub(crate) fn json_numbers(numbers: impl Iterator<Item = i64>) -> String {
    let mut text = String::from("[");
    for (i, number) in numbers.enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push_str(&number.to_string());
    }
    text.push(']');
    text
}
