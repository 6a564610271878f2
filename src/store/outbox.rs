//! The outbox: events that changes left in their own transaction, in the order of their commits. Readers of the live
//! stream are sent what came after the last one they saw.

use super::{Store, StoreError, take_ids};
use paceline_core::time::Duration;
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use tokio::sync::watch;

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

/// Where the outbox begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxBounds {
    /// No event up to this id is kept any more.
    pub deleted: i64,
    /// Id of the last event of all.
    pub last: i64,
}

/// Adds an event in the transaction of what it tells.
pub(crate) async fn add(
    conn: &mut SqliteConnection,
    enterprise: i64,
    kind: &str,
    subject: i64,
    body: &Value,
    now: i64,
) -> Result<(), sqlx::Error> {
    let id = take_ids(conn, "outbox", 1).await?;
    let (subject, body) = (subject.to_string(), body.to_string());
    sqlx::query!(
        "insert into outbox (id, enterprise_id, at, kind, subject, body) values ($1, $2, $3, $4, $5, $6)",
        id,
        enterprise,
        now,
        kind,
        subject,
        body
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A task is in another state.
pub(crate) async fn add_task(conn: &mut SqliteConnection, task: i64, now: i64) -> Result<(), sqlx::Error> {
    let enterprise = sqlx::query_scalar!("select enterprise_id from task where id = $1", task)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(enterprise) = enterprise else { return Ok(()) };
    add(conn, enterprise, "task", task, &json!({ "task": task }), now).await
}

/// An uploaded list is in another state.
pub(crate) async fn add_list(conn: &mut SqliteConnection, list: i64, now: i64) -> Result<(), sqlx::Error> {
    let enterprise = sqlx::query_scalar!("select enterprise_id from list_upload where id = $1", list)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(enterprise) = enterprise else { return Ok(()) };
    add(conn, enterprise, "list", list, &json!({ "list": list }), now).await
}

impl Store {
    /// Wakes readers of the outbox: something was committed that may have added to it.
    pub(crate) fn note_events(&self) {
        self.events.send_replace(());
    }

    /// Marked as changed whenever the outbox may have grown.
    pub fn outbox_changes(&self) -> watch::Receiver<()> {
        self.events.subscribe()
    }

    /// Where the outbox begins and ends.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn outbox_bounds(&self) -> Result<OutboxBounds, StoreError> {
        let mut conn = self.read().await?;
        let row = sqlx::query!(
            r#"select c.next - 1 as "last!: i64", coalesce((select min(o.id) from outbox o), c.next) - 1 as "deleted!: i64"
                 from counter c where c.name = 'outbox'"#
        )
        .fetch_one(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(OutboxBounds { deleted: row.deleted, last: row.last })
    }

    /// As [`Store::events_after`], of the kinds that readers of the live stream are sent: tasks, lists, approvals,
    /// caller IDs and notices.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn live_events_after(
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
                where enterprise_id = $1 and id > $2 and kind in ('task', 'list', 'approval', 'caller_id', 'notice')
                order by id limit $3"#,
            enterprise,
            after,
            limit
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows)
    }

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
