//! SIP dialogs that a crash left open. A row stays until the far end has been sent CANCEL or BYE, so that a
//! process that crashes while it ends them leaves the rest to the next one.

use paceline_core::time::{Duration, Utc};
use sqlx::SqliteConnection;

/// 30 minutes; by then the far end has ended the call by its own timers (SIP session interval).
const KEPT: Duration = Duration::from_secs(1_800);

/// A dialog that must be ended with CANCEL or BYE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDialog {
    pub id: i64,
    /// JSON, as saved with the call.
    pub dialog: String,
}

pub(crate) async fn insert(conn: &mut SqliteConnection, dialog: &str, now: Utc) -> Result<(), sqlx::Error> {
    let now = now.as_millis();
    sqlx::query!("insert into unended (dialog, cut_at) values ($1, $2)", dialog, now)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

/// Every open dialog, the oldest first. Deletes expired ones.
pub(crate) async fn load_all(conn: &mut SqliteConnection, now: Utc) -> Result<Vec<OpenDialog>, sqlx::Error> {
    let since = (now - KEPT).as_millis();
    sqlx::query!("delete from unended where cut_at < $1", since).execute(&mut *conn).await?;
    sqlx::query_as!(OpenDialog, r#"select id as "id!", dialog from unended order by id"#)
        .fetch_all(&mut *conn)
        .await
}

/// Deletes a dialog: its far ends confirmed the end, or were given up.
pub(crate) async fn delete(conn: &mut SqliteConnection, id: i64) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from unended where id = $1", id).execute(&mut *conn).await?;
    Ok(())
}
