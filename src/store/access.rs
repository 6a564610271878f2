//! API tokens and console sessions. The store holds only their hashes, computed by the caller.

use super::agents::{AgentRow, Owner, Role, Stamp, require_found};
use super::{Store, StoreError};
use paceline_core::ids::AgentId;
use paceline_core::time::Utc;
use sqlx::sqlite::SqliteConnection;
use std::path::Path;

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
    pub enterprise: i64,
    pub organisation: i64,
    /// Words of actions: the token may do these as far as its role may. `None` = all that the role may.
    pub scopes: Option<Vec<String>>,
    /// The account that made it.
    pub made_by: Option<AgentId>,
    /// To the minute.
    pub used_at: Option<Utc>,
    /// Rises with each change.
    pub version: i64,
}

/// A token to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    pub hash: &'a str,
    pub role: Role,
    pub name: &'a str,
    pub scopes: Option<&'a [String]>,
    pub expires: Option<Utc>,
}

/// A console session to be started.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    pub hash: &'a str,
    pub account: AgentId,
    pub expires: Utc,
    pub address: &'a str,
    /// The browser's own name.
    pub agent_text: &'a str,
}

/// A console session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub hash: String,
    pub account: AgentId,
    pub created_at: Utc,
    pub expires: Utc,
    /// When the password was typed last.
    pub typed_at: Utc,
    /// To the minute.
    pub used_at: Utc,
    pub address: String,
    pub agent_text: String,
    pub locked: bool,
}

pub(super) async fn insert_token(
    conn: &mut SqliteConnection,
    owner: Owner,
    token: &NewToken<'_>,
    stamp: Stamp,
) -> Result<i64, sqlx::Error> {
    let id = super::take_ids(conn, "api_token", 1).await?;
    let (now, expires, role) = (stamp.at.as_millis(), token.expires.map(Utc::as_millis), token.role.word());
    let scopes = token.scopes.map(|words| serde_json::to_string(words).unwrap_or_else(|_| "[]".into()));
    sqlx::query!(
        "insert into api_token (id, organisation_id, enterprise_id, hash, role, scopes, name, made_by, created_at,
                                expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id,
        owner.organisation,
        owner.enterprise,
        token.hash,
        role,
        scopes,
        token.name,
        stamp.by,
        now,
        expires
    )
    .execute(conn)
    .await?;
    Ok(id)
}

pub(super) fn token_taken(path: &Path, error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(database) if database.is_unique_violation() => {
            StoreError::Taken { what: "this token".into() }
        }
        error => StoreError::from_query(path, error),
    }
}

impl Store {
    /// Adds a token of the first enterprise.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if a token with this hash exists.
    pub async fn add_token(
        &self,
        hash: &str,
        role: Role,
        name: &str,
        expires: Option<Utc>,
    ) -> Result<i64, StoreError> {
        let stamp = Stamp::of_command(self.now());
        let token = NewToken { hash, role, name, scopes: None, expires };
        let added =
            self.transaction(async |conn| insert_token(conn, Owner::first(), &token, stamp).await).await;
        added.map_err(|error| token_taken(&self.path, &error))
    }

    /// Every token, expired ones included.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select id as "id!", role, name, created_at, expires_at, enterprise_id, organisation_id, scopes, made_by,
                      used_at, version
                 from api_token order by id"#
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
            enterprise: row.enterprise_id,
            organisation: row.organisation_id,
            // Scopes that cannot be read allow nothing.
            scopes: row.scopes.map(|text| serde_json::from_str(&text).unwrap_or_default()),
            made_by: row.made_by.map(AgentId),
            used_at: row.used_at.map(Utc::from_millis),
            version: row.version,
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

    /// Notes that a token was used now.
    pub async fn note_token_used(&self, id: i64) -> Result<(), StoreError> {
        let now = self.now().as_millis();
        self.transaction(async |conn| {
            sqlx::query!("update api_token set used_at = $2 where id = $1", id, now).execute(conn).await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
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
        self.start_session(&NewSession { hash, account, expires, address: "", agent_text: "" }).await
    }

    /// As [`Store::add_session`], with where the session comes from.
    pub async fn start_session(&self, session: &NewSession<'_>) -> Result<(), StoreError> {
        let (now, expires) = (self.now().as_millis(), session.expires.as_millis());
        let (hash, account) = (session.hash, session.account.0);
        let (address, agent_text) = (session.address, session.agent_text);
        self.transaction(async |conn| {
            sqlx::query!("delete from web_session where expires_at <= $1", now).execute(&mut *conn).await?;
            sqlx::query!(
                "insert into web_session (hash, agent_id, created_at, expires_at, address, agent_text, typed_at,
                                          used_at)
                 values ($1, $2, $3, $4, $5, $6, $3, $3)
                 on conflict (hash) do update set expires_at = excluded.expires_at
                   where web_session.agent_id = excluded.agent_id",
                hash,
                account,
                now,
                expires,
                address,
                agent_text
            )
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }

    /// Moves the end of a session, and notes that it was used now; with `typed` also that its password was typed.
    pub async fn extend_session(&self, hash: &str, expires: Utc, typed: bool) -> Result<(), StoreError> {
        let (now, expires) = (self.now().as_millis(), expires.as_millis());
        self.transaction(async |conn| {
            sqlx::query!(
                "update web_session set expires_at = $2, used_at = $3,
                        typed_at = case when $4 then $3 else typed_at end,
                        locked = case when $4 then false else locked end
                  where hash = $1",
                hash,
                expires,
                now,
                typed
            )
            .execute(conn)
            .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }

    /// The unexpired sessions of an account, the newest first.
    pub async fn sessions_of(&self, account: AgentId) -> Result<Vec<SessionRow>, StoreError> {
        let mut conn = self.read().await?;
        let now = self.now().as_millis();
        let rows = sqlx::query!(
            r#"select hash, agent_id, created_at, expires_at, typed_at, used_at, address, agent_text,
                      locked as "locked!: bool"
                 from web_session where agent_id = $1 and expires_at > $2 order by created_at desc, hash"#,
            account.0,
            now
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let sessions = rows.into_iter().map(|row| SessionRow {
            hash: row.hash,
            account: AgentId(row.agent_id),
            created_at: Utc::from_millis(row.created_at),
            expires: Utc::from_millis(row.expires_at),
            typed_at: Utc::from_millis(row.typed_at),
            used_at: Utc::from_millis(row.used_at),
            address: row.address,
            agent_text: row.agent_text,
            locked: row.locked,
        });
        Ok(sessions.collect())
    }

    /// The unexpired session with this hash, and its account, unless that is inactive.
    pub async fn session(&self, hash: &str) -> Result<Option<(SessionRow, AgentRow)>, StoreError> {
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
        let session = self.sessions_of(AgentId(account)).await?.into_iter().find(|row| row.hash == hash);
        let accounts = self.accounts().await?;
        let account = accounts.iter().find(|agent| agent.active && agent.id.0 == account).cloned();
        Ok(session.zip(account))
    }

    /// The account of a session cookie, unless the session has expired or the account is inactive.
    pub async fn session_account(&self, hash: &str) -> Result<Option<AgentRow>, StoreError> {
        Ok(self.session(hash).await?.map(|(_, account)| account))
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
