//! API tokens and console sessions. The store holds only their hashes, computed by the caller.

use super::agents::{AgentRow, Role, require_found};
use super::{Store, StoreError};
use paceline_core::ids::AgentId;
use paceline_core::time::Utc;

/// An API token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    pub id: i64,
    pub role: Role,
    /// Description of its owner.
    pub name: String,
    pub created_at: Utc,
    /// `None` = never expires.
    pub expires: Option<Utc>,
}

impl Store {
    /// # Errors
    /// [`StoreError::Taken`] if a token with this hash exists.
    pub async fn add_token(
        &self,
        hash: &str,
        role: Role,
        name: &str,
        expires: Option<Utc>,
    ) -> Result<i64, StoreError> {
        let (now, role, expires) = (self.now().as_millis(), role.word(), expires.map(Utc::as_millis));
        let added = self
            .transaction(async |conn| {
                let id = super::take_ids(conn, "api_token", 1).await?;
                sqlx::query!(
                    "insert into api_token (id, hash, role, name, created_at, expires_at)
                     values ($1, $2, $3, $4, $5, $6)",
                    id,
                    hash,
                    role,
                    name,
                    now,
                    expires
                )
                .execute(conn)
                .await?;
                Ok(id)
            })
            .await;
        added.map_err(|error| match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                StoreError::Taken { what: "this token".into() }
            }
            error => StoreError::from_query(&self.path, error),
        })
    }

    /// Every token, expired ones included.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select id as "id!", role, name, created_at, expires_at from api_token order by id"#
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let tokens = rows.into_iter().map(|row| TokenRow {
            id: row.id,
            role: Role::from_word(&row.role).unwrap_or(Role::Analyst),
            name: row.name,
            created_at: Utc::from_millis(row.created_at),
            expires: row.expires_at.map(Utc::from_millis),
        });
        Ok(tokens.collect())
    }

    /// The unexpired token with this hash.
    pub async fn token(&self, hash: &str) -> Result<Option<TokenRow>, StoreError> {
        let now = self.now().as_millis();
        let mut conn = self.read().await?;
        let id = sqlx::query_scalar!(
            r#"select id as "id!" from api_token
                where hash = $1 and (expires_at is null or expires_at > $2)"#,
            hash,
            now
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        drop(conn);
        let Some(id) = id else { return Ok(None) };
        Ok(self.tokens().await?.into_iter().find(|token| token.id == id))
    }

    pub async fn remove_token(&self, id: i64) -> Result<(), StoreError> {
        let removed = self
            .transaction(async |conn| {
                let removed = sqlx::query!("delete from api_token where id = $1", id).execute(conn).await?;
                Ok(removed.rows_affected())
            })
            .await
            .map_err(self.query_error())?;
        require_found(removed, || format!("a token with id {id}"))
    }

    /// Starts a console session: its cookie hash is valid until `expires`. Deletes expired sessions.
    pub async fn add_session(&self, hash: &str, account: AgentId, expires: Utc) -> Result<(), StoreError> {
        let (now, expires) = (self.now().as_millis(), expires.as_millis());
        self.transaction(async |conn| {
            sqlx::query!("delete from web_session where expires_at <= $1", now).execute(&mut *conn).await?;
            sqlx::query!(
                "insert into web_session (hash, agent_id, created_at, expires_at) values ($1, $2, $3, $4)
                 on conflict (hash) do update set expires_at = excluded.expires_at
                   where agent_id = excluded.agent_id",
                hash,
                account.0,
                now,
                expires
            )
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }

    /// The account of a session cookie, unless the session has expired or the account is inactive.
    pub async fn session_account(&self, hash: &str) -> Result<Option<AgentRow>, StoreError> {
        let now = self.now().as_millis();
        let mut conn = self.read().await?;
        let account = sqlx::query_scalar!(
            "select agent_id from web_session where hash = $1 and expires_at > $2",
            hash,
            now
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        drop(conn);
        let Some(account) = account else { return Ok(None) };
        let accounts = self.accounts().await?;
        Ok(accounts.iter().find(|agent| agent.active && agent.id.0 == account).cloned())
    }

    /// Ends this session, or (with `everywhere`) every session of its account.
    pub async fn end_session(&self, hash: &str, everywhere: bool) -> Result<(), StoreError> {
        self.transaction(async |conn| {
            sqlx::query!(
                "delete from web_session where hash = $1
                    or $2 and agent_id = (select agent_id from web_session where hash = $1)",
                hash,
                everywhere
            )
            .execute(conn)
            .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }

    /// Ends every console session of this account.
    pub async fn end_all_sessions(&self, account: AgentId) -> Result<(), StoreError> {
        self.transaction(async |conn| {
            sqlx::query!("delete from web_session where agent_id = $1", account.0).execute(conn).await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }
}
