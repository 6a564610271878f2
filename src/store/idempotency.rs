//! Requests that may be sent again: a program or page that lost the answer repeats the request with the same key and
//! gets the first answer, and the effect happens once.

use super::{Store, StoreError};
use paceline_core::time::Duration;

/// How long a key is kept.
const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyClaim {
    /// It is new: serve the request, then [`Store::keep_answer`].
    Claimed,
    /// The first request is still being served, or was cut off with the process that served it.
    Busy,
    /// Another request has used it.
    Reused,
    /// The first request was answered so; `None` = its answer showed a secret and was not kept.
    Answered { status: u16, answer: Option<String> },
}

impl Store {
    /// Claims a key for one request of `caller`; two claims at once are not both granted. Keys older than a day are
    /// forgotten.
    pub async fn claim_key(
        &self,
        caller: &str,
        key: &str,
        route: &str,
        body_hash: &str,
    ) -> Result<KeyClaim, StoreError> {
        let now = self.now().as_millis();
        let oldest = now - KEPT.as_millis() as i64;
        self.transaction(async |conn| {
            sqlx::query!("delete from idempotency where at < $1", oldest).execute(&mut *conn).await?;
            let known = sqlx::query!(
                "select route, body_hash, status, answer from idempotency where caller = $1 and key = $2",
                caller,
                key
            )
            .fetch_optional(&mut *conn)
            .await?;
            let Some(known) = known else {
                sqlx::query!(
                    "insert into idempotency (caller, key, route, body_hash, at) values ($1, $2, $3, $4, $5)",
                    caller,
                    key,
                    route,
                    body_hash,
                    now
                )
                .execute(&mut *conn)
                .await?;
                return Ok(KeyClaim::Claimed);
            };
            if known.route != route || known.body_hash != body_hash {
                return Ok(KeyClaim::Reused);
            }
            Ok(match known.status {
                None => KeyClaim::Busy,
                Some(status) => KeyClaim::Answered {
                    status: u16::try_from(status).unwrap_or(500),
                    answer: known.answer,
                },
            })
        })
        .await
        .map_err(self.query_error())
    }

    /// Keeps the answer to a request whose key was claimed.
    pub async fn keep_answer(
        &self,
        caller: &str,
        key: &str,
        status: u16,
        answer: Option<&str>,
    ) -> Result<(), StoreError> {
        let status = i64::from(status);
        self.transaction(async |conn| {
            sqlx::query!(
                "update idempotency set status = $3, answer = $4 where caller = $1 and key = $2",
                caller,
                key,
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

    /// Gives a claimed key back: the request had no effect, and may be sent again.
    pub async fn release_key(&self, caller: &str, key: &str) -> Result<(), StoreError> {
        self.transaction(async |conn| {
            sqlx::query!(
                "delete from idempotency where caller = $1 and key = $2 and status is null",
                caller,
                key
            )
            .execute(conn)
            .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }
}
