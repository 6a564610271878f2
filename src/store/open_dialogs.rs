//! Calls that a stop cut off, until their far ends know: a process that is cut off itself while it tells
//! them leaves them to the next one.

use paceline_core::time::{Duration, Utc};
use sqlx::SqliteConnection;

/// After this long the far end knows by its own timers.
const KEPT: Duration = Duration::from_secs(1_800);

/// A call that is to be ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unended {
    pub id: i64,
    /// JSON, as it was saved with the call.
    pub dialog: String,
}

pub(crate) async fn add(conn: &mut SqliteConnection, dialog: &str, now: Utc) -> Result<(), sqlx::Error> {
    let now = now.as_millis();
    sqlx::query!("insert into unended (dialog, cut_at) values ($1, $2)", dialog, now)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

/// All of them, those of earlier stops first. What is too old is forgotten.
pub(crate) async fn all(conn: &mut SqliteConnection, now: Utc) -> Result<Vec<Unended>, sqlx::Error> {
    let since = (now - KEPT).as_millis();
    sqlx::query!("delete from unended where cut_at < $1", since).execute(&mut *conn).await?;
    sqlx::query_as!(Unended, r#"select id as "id!", dialog from unended order by id"#)
        .fetch_all(&mut *conn)
        .await
}

/// Its far ends know, or were given up.
pub(crate) async fn ended(conn: &mut SqliteConnection, id: i64) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from unended where id = $1", id).execute(&mut *conn).await?;
    Ok(())
}
