//! The outbox: events that changes left in their own transaction, in the order of their commits. Readers of the live
//! stream are sent what came after the last one they saw.

use super::{Store, StoreError};
use paceline_core::time::Duration;

/// How long an event is kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Events deleted in one transaction: a call's commit waits only milliseconds for it.
const DELETED_AT_ONCE: i64 = 5_000;

/// An event of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Rises with each event and is never used again.
    pub id: i64,
    /// Milliseconds of UTC.
    pub at: i64,
    /// `task`, `list`, `approval`, …
    pub kind: String,
    pub subject: String,
    /// A JSON object.
    pub body: String,
}

impl Store {
    /// Up to `limit` events of an enterprise after the one with id `after`, the oldest first.
    pub async fn events_after(
        &self,
        enterprise: i64,
        after: i64,
        limit: u32,
    ) -> Result<Vec<EventRow>, StoreError> {
        let mut conn = self.read().await?;
        let limit = i64::from(limit);
        let rows = sqlx::query_as!(
            EventRow,
            r#"select id as "id!", at, kind, subject, body from outbox
                where enterprise_id = $1 and id > $2 order by id limit $3"#,
            enterprise,
            after,
            limit
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows)
    }

    /// Deletes events older than 30 days, in pieces.
    pub async fn delete_old_events(&self) -> Result<u64, StoreError> {
        let oldest = self.now().as_millis() - KEPT.as_millis() as i64;
        let mut all = 0;
        loop {
            let deleted = self.transaction(async |conn| {
                let deleted = sqlx::query!(
                    "delete from outbox where id in (select o.id from outbox o where o.at < $1 order by o.at limit $2)",
                    oldest,
                    DELETED_AT_ONCE
                )
                .execute(conn)
                .await?;
                Ok(deleted.rows_affected())
            });
            let deleted = deleted.await.map_err(self.query_error())?;
            all += deleted;
            if deleted < DELETED_AT_ONCE as u64 {
                return Ok(all);
            }
        }
    }
}
