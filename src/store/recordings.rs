//! Recordings: path, length and lost frames of each file, and which files are past their retention time.
//! Writing and deleting the files is the caller's work.

use super::{InterruptedLeg, Store, StoreError, legs};
use paceline_core::ids::CallId;
use paceline_core::time::{Duration, Utc};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// One recording whose file still exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingRow {
    pub id: i64,
    pub path: String,
    pub saved_at: Utc,
}

/// A recording found on disk after a crash.
#[derive(Clone, Debug, PartialEq)]
pub struct RecoveredRecording {
    pub call: CallId,
    pub began_at: Utc,
    pub path: String,
    pub seconds: f64,
    pub lost_frames: u64,
    /// A crash cut it off; `false` = it was complete, and only its row was missing.
    pub is_cut: bool,
}

/// Whether a call is an attempt. Ids of inbound calls and of side legs have one of the two top bits set.
const fn is_attempt(call: CallId) -> bool {
    call.0 >> 62 == 0
}

/// Writes a complete recording. Idempotent by path.
pub(crate) async fn save(
    conn: &mut SqliteConnection,
    call: CallId,
    path: &str,
    seconds: f64,
    lost_frames: u64,
    now: Utc,
) -> Result<(), sqlx::Error> {
    let (attempt, leg) = match is_attempt(call) {
        true => (Some(call.attempt().0), None),
        false => (None, Some(legs::find_or_insert(conn, call).await?)),
    };
    let part = Part { path, seconds, lost_frames, is_cut: false };
    insert(conn, attempt, leg, part, now).await
}

/// A complete file, or one that was repaired.
struct Part<'a> {
    path: &'a str,
    seconds: f64,
    lost_frames: u64,
    is_cut: bool,
}

async fn insert(
    conn: &mut SqliteConnection,
    attempt: Option<i64>,
    leg: Option<i64>,
    part: Part<'_>,
    now: Utc,
) -> Result<(), sqlx::Error> {
    let Part { path, seconds, lost_frames, is_cut } = part;
    let millis = (seconds * 1000.0).round() as i64;
    let (lost, now) = (i64::try_from(lost_frames).unwrap_or(i64::MAX), now.as_millis());
    sqlx::query!(
        "insert into recording (attempt_id, leg_id, path, millis, lost_frames, saved_at, recovered)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (path) do nothing",
        attempt,
        leg,
        path,
        millis,
        lost,
        now,
        is_cut
    )
    .execute(&mut *conn)
    .await?;
    update_call_row(conn, attempt, leg).await
}

/// Writes the paths of all kept parts into the call's row, joined by `;`.
async fn update_call_row(
    conn: &mut SqliteConnection,
    attempt: Option<i64>,
    leg: Option<i64>,
) -> Result<(), sqlx::Error> {
    if leg.is_some() {
        sqlx::query!(
            "update leg set recording = (select group_concat(path, ';') from
               (select path from recording where leg_id = $1 and deleted_at is null order by id))
              where id = $1",
            leg
        )
        .execute(&mut *conn)
        .await?;
    } else {
        sqlx::query!(
            "update attempt set recording = (select group_concat(path, ';') from
               (select path from recording where attempt_id = $1 and deleted_at is null order by id))
              where id = $1",
            attempt
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

impl Store {
    /// Adds recordings that a crash left without a row, each to its call: the attempt that was active at
    /// `began_at`, or one of the interrupted legs. Files of calls unknown to this store are skipped.
    pub async fn add_recovered_recordings(
        &self,
        found: &[RecoveredRecording],
        cut: &[InterruptedLeg],
    ) -> Result<(), StoreError> {
        let rows: BTreeMap<CallId, i64> = cut.iter().map(|cut| (cut.leg, cut.id)).collect();
        let now = self.now();
        let written = self.transaction(async |conn| {
            for one in found {
                let (attempt, began_at) = (one.call.attempt().0, one.began_at.as_millis());
                let (attempt, leg) = match is_attempt(one.call) {
                    true => {
                        let known = sqlx::query_scalar!(
                            r#"select id as "id!" from attempt
                                where id = $1 and placed_at <= $2 and ended_at >= $2"#,
                            attempt,
                            began_at
                        );
                        (known.fetch_optional(&mut *conn).await?, None)
                    }
                    false => (None, rows.get(&one.call).copied()),
                };
                if attempt.or(leg).is_some() {
                    let part = Part {
                        path: &one.path,
                        seconds: one.seconds,
                        lost_frames: one.lost_frames,
                        is_cut: one.is_cut,
                    };
                    insert(conn, attempt, leg, part, now).await?;
                }
            }
            Ok(())
        });
        written.await.map_err(self.query_error())
    }

    /// Recordings saved more than `days` days ago, the oldest first, at most `limit` of them.
    pub async fn recordings_older_than(
        &self,
        days: u32,
        limit: u32,
    ) -> Result<Vec<RecordingRow>, StoreError> {
        let span = Duration::from_secs(u64::from(days) * 24 * 3600);
        let (before, limit) = ((self.now() - span).as_millis(), i64::from(limit));
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select id as "id!", path, saved_at from recording
                where deleted_at is null and saved_at < $1 order by saved_at, id limit $2"#,
            before,
            limit
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let rows = rows.into_iter().map(|row| RecordingRow {
            id: row.id,
            path: row.path,
            saved_at: Utc::from_millis(row.saved_at),
        });
        Ok(rows.collect())
    }

    /// Marks recordings as deleted and removes their paths from the rows of their calls.
    pub async fn mark_recordings_deleted(&self, ids: &[i64]) -> Result<(), StoreError> {
        let now = self.now().as_millis();
        let written = self.transaction(async |conn| {
            for id in ids {
                let of = sqlx::query!(
                    "update recording set deleted_at = coalesce(deleted_at, $2) where id = $1
                     returning attempt_id, leg_id",
                    id,
                    now
                )
                .fetch_optional(&mut *conn)
                .await?;
                if let Some(of) = of {
                    update_call_row(conn, of.attempt_id, of.leg_id).await?;
                }
            }
            Ok(())
        });
        written.await.map_err(self.query_error())
    }
}
