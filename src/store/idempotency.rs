//! Requests that may be sent again: a program or page that lost the answer repeats the request with the same key and
//! gets the first answer, and the effect happens once.

use super::{Store, StoreError};
use paceline_core::time::Duration;
use sqlx::sqlite::SqliteConnection;

/// How long a key is kept.
const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// A key, in the key space of its caller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestKey {
    /// The account or token.
    pub caller: String,
    pub key: String,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyClaim {
    /// It is new, or its first request was cut off without an effect: serve the request, then
    /// [`Store::keep_answer`].
    Claimed,
    /// Another request has used it.
    Reused,
    /// The first request was served; `None` = its answer was not kept, or was cut off.
    /// `file` = SHA-256 of the file that came with it.
    Answered { status: u16, answer: Option<String>, file: Option<String> },
}

/// The status of a key whose request had its effect and is not answered yet.
const DONE: i64 = 0;

impl Store {
    /// Claims a key for a request. The caller sees to it that no other request with this key is being served. Keys
    /// older than a day are forgotten.
    pub async fn claim_key(
        &self,
        key: &RequestKey,
        route: &str,
        body_hash: &str,
    ) -> Result<KeyClaim, StoreError> {
        let now = self.now().as_millis();
        let oldest = now - KEPT.as_millis() as i64;
        self.transaction(async |conn| {
            sqlx::query!("delete from idempotency where at < $1", oldest).execute(&mut *conn).await?;
            let known = sqlx::query!(
                "select route, body_hash, status, answer, file_hash from idempotency where caller = $1 and key = $2",
                key.caller,
                key.key
            )
            .fetch_optional(&mut *conn)
            .await?;
            match known {
                Some(known) if known.route != route || known.body_hash != body_hash => {
                    return Ok(KeyClaim::Reused);
                }
                Some(known) => {
                    if let Some(status) = known.status {
                        let status = u16::try_from(status).unwrap_or_default();
                        let (answer, file) = (known.answer, known.file_hash);
                        return Ok(KeyClaim::Answered { status, answer, file });
                    }
                }
                None => {
                    sqlx::query!(
                        "insert into idempotency (caller, key, route, body_hash, at) values ($1, $2, $3, $4, $5)",
                        key.caller,
                        key.key,
                        route,
                        body_hash,
                        now
                    )
                    .execute(&mut *conn)
                    .await?;
                }
            }
            Ok(KeyClaim::Claimed)
        })
        .await
        .map_err(self.query_error())
    }

    /// Notes which file came with a request, before it has an effect.
    pub async fn note_key_file(&self, key: &RequestKey, file: &str) -> Result<(), StoreError> {
        self.transaction(async |conn| {
            sqlx::query!(
                "update idempotency set file_hash = $3 where caller = $1 and key = $2",
                key.caller,
                key.key,
                file
            )
            .execute(conn)
            .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }

    /// Keeps the answer to a request whose key was claimed.
    pub async fn keep_answer(
        &self,
        key: &RequestKey,
        status: u16,
        answer: Option<&str>,
    ) -> Result<(), StoreError> {
        let status = i64::from(status);
        self.transaction(async |conn| {
            sqlx::query!(
                "update idempotency set status = $3, answer = $4 where caller = $1 and key = $2",
                key.caller,
                key.key,
                status,
                answer
            )
            .execute(conn)
            .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }

    /// Gives a claimed key back: its request had no effect, and may be sent again.
    pub async fn release_key(&self, key: &RequestKey) -> Result<(), StoreError> {
        self.transaction(async |conn| {
            sqlx::query!(
                "delete from idempotency where caller = $1 and key = $2 and status is null",
                key.caller,
                key.key
            )
            .execute(conn)
            .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }
}

/// Notes in the transaction of a change that the request with this key has its effect.
pub(super) async fn mark_done(conn: &mut SqliteConnection, key: &RequestKey) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update idempotency set status = $3 where caller = $1 and key = $2",
        key.caller,
        key.key,
        DONE
    )
    .execute(conn)
    .await?;
    Ok(())
}
