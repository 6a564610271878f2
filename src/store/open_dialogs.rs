//! SIP dialogs that a crash left open. A row stays until the far end has been sent CANCEL or BYE, so that a
//! process that crashes while it ends them leaves the rest to the next one. While it stands, the dial check
//! refuses its number and its household: that call may still be up.

use paceline_core::time::{Duration, Utc};
use sqlx::SqliteConnection;

/// 30 minutes; by then the far end has ended the call by its own timers (SIP session interval).
pub(crate) const KEPT: Duration = Duration::from_secs(1_800);

/// A dialog that must be ended with CANCEL or BYE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDialog {
    pub id: i64,
    /// JSON, as saved with the call.
    pub dialog: String,
}

/// The call of an open dialog.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OpenCall<'a> {
    pub dialog: &'a str,
    pub attempt: Option<i64>,
    pub number: Option<i64>,
    pub household: Option<i64>,
    pub answered: bool,
}

pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    call: OpenCall<'_>,
    now: Utc,
) -> Result<(), sqlx::Error> {
    let now = now.as_millis();
    sqlx::query!(
        "insert into unended (dialog, cut_at, attempt_id, number, household_id, answered)
         values ($1, $2, $3, $4, $5, $6)",
        call.dialog,
        now,
        call.attempt,
        call.number,
        call.household,
        call.answered
    )
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

/// Lets the number of every open dialog rest anew: its call is ended only now, by this process. A rest is never
/// shortened.
pub(crate) async fn extend_rests(conn: &mut SqliteConnection, now: Utc) -> Result<(), sqlx::Error> {
    let now = now.as_millis();
    sqlx::query!(
        "update attempt set rest_until = $1 + rest_millis
          where id in (select u.attempt_id from unended u where u.attempt_id is not null)
            and coalesce(rest_until, 0) < $1 + rest_millis",
        now
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// The end of a dialog was confirmed, or given up (`reached` = false). An answered call whose far end was not
/// reached may be up until [`KEPT`] is over, so its row stays and guards its number.
pub(crate) async fn end(conn: &mut SqliteConnection, id: i64, reached: bool) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from unended where id = $1 and ($2 or not answered or number is null)", id, reached)
        .execute(&mut *conn)
        .await?;
    Ok(())
}
