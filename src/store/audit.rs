//! The audit: rows that are only added, each chained to the one before it by SHA-256, one chain an enterprise. A row
//! that is changed or taken out later breaks the chain from there on.

use super::blacklist::json_numbers;
use super::change::{Actor, Subject};
use super::idempotency::RequestKey;
use super::{Store, StoreError};
use paceline_core::time::Utc;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnection;

/// An audit row before it is written.
#[derive(Clone, Debug)]
pub(super) struct AuditEntry {
    pub enterprise: i64,
    at: Utc,
    actor: Actor,
    action: String,
    pub subject: Subject,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub is_left_out: bool,
}

impl AuditEntry {
    pub fn of(actor: &Actor, action: &str, subject: Subject, at: Utc) -> AuditEntry {
        AuditEntry {
            enterprise: actor.enterprise,
            at,
            actor: actor.clone(),
            action: action.to_owned(),
            subject,
            before: None,
            after: None,
            is_left_out: false,
        }
    }

    /// The same actor, action and moment, with another subject.
    pub fn of_subject(&self, subject: Subject) -> AuditEntry {
        AuditEntry { subject, before: None, after: None, is_left_out: false, ..self.clone() }
    }

    /// The key of the request that makes the change.
    pub fn key(&self) -> Option<&RequestKey> {
        self.actor.key.as_ref()
    }
}

/// A row of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    pub id: i64,
    pub at: i64,
    pub actor_kind: String,
    pub actor_id: Option<i64>,
    pub actor: String,
    pub address: String,
    pub action: String,
    pub subject_kind: String,
    pub subject: String,
    /// A JSON object.
    pub before: Option<String>,
    pub after: Option<String>,
    pub chain: Vec<u8>,
}

/// Which rows of the audit are listed; an empty field filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Rows of people and programs of these organisations; `None` = of the whole enterprise, with the service's own.
    pub organisations: Option<Vec<i64>>,
    /// The beginning of the actor's number or name.
    pub actor: Option<String>,
    pub subject_kind: Option<String>,
    pub subject: Option<String>,
    pub action: Option<String>,
    /// Milliseconds of UTC; rows at this moment or later.
    pub from: Option<i64>,
    /// Rows before this moment.
    pub until: Option<i64>,
    /// Rows older than the one with this id: the next page.
    pub before: Option<i64>,
    pub limit: u32,
}

/// SHA-256 over the chain of the row before and every column of this one, each with its length in front, so that no
/// two rows are written alike.
fn link(before: &[u8], row: &AuditRow) -> Vec<u8> {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    add(before);
    add(&row.at.to_be_bytes());
    add(row.actor_kind.as_bytes());
    add(&row.actor_id.map_or_else(Vec::new, |id| id.to_be_bytes().to_vec()));
    for text in [&row.actor, &row.address, &row.action, &row.subject_kind, &row.subject] {
        add(text.as_bytes());
    }
    for text in [&row.before, &row.after] {
        // Empty and absent differ.
        add(&[u8::from(text.is_some())]);
        add(text.as_deref().unwrap_or_default().as_bytes());
    }
    hash.finalize().to_vec()
}

/// Adds a row in the transaction of the change that it is about.
pub(super) async fn insert(conn: &mut SqliteConnection, entry: &AuditEntry) -> Result<(), sqlx::Error> {
    let enterprise = entry.enterprise;
    let last = sqlx::query_scalar!(
        r#"select chain as "chain!: Vec<u8>" from audit where enterprise_id = $1 order by id desc limit 1"#,
        enterprise
    )
    .fetch_optional(&mut *conn)
    .await?;
    let mut row = AuditRow {
        id: 0,
        at: entry.at.as_millis(),
        actor_kind: entry.actor.kind.word().to_owned(),
        actor_id: entry.actor.id,
        actor: entry.actor.name.clone(),
        address: entry.actor.address.clone(),
        action: entry.action.clone(),
        subject_kind: entry.subject.kind.to_owned(),
        subject: entry.subject.name.clone(),
        before: entry.before.as_ref().map(Value::to_string),
        after: entry.after.as_ref().map(Value::to_string),
        chain: Vec::new(),
    };
    row.chain = link(&last.unwrap_or_default(), &row);
    sqlx::query!(
        "insert into audit (enterprise_id, at, actor_kind, actor_id, actor, address, action, subject_kind, subject,
                            before, after, chain)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        enterprise,
        row.at,
        row.actor_kind,
        row.actor_id,
        row.actor,
        row.address,
        row.action,
        row.subject_kind,
        row.subject,
        row.before,
        row.after,
        row.chain
    )
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// The audit of an enterprise (0 = the system's own rows), the newest row first.
    pub async fn audit(&self, enterprise: i64, filter: &AuditFilter) -> Result<Vec<AuditRow>, StoreError> {
        let mut conn = self.read().await?;
        let limit = i64::from(filter.limit);
        let organisations = filter.organisations.as_ref().map(|ids| json_numbers(ids.iter().copied()));
        // `like` without its wildcards: the text itself, then anything.
        let actor = filter.actor.as_ref().map(|text| {
            let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            format!("{escaped}%")
        });
        let rows = sqlx::query_as!(
            AuditRow,
            r#"select id as "id!", at, actor_kind, actor_id, actor, address, action, subject_kind, subject, before,
                      after, chain as "chain!: Vec<u8>"
                 from audit
                where enterprise_id = $1
                  and (cast($2 as bigint) is null or id < $2)
                  and (cast($3 as text) is null or actor like $3 escape '\')
                  and (cast($4 as text) is null or subject_kind = $4)
                  and (cast($5 as text) is null or subject = $5)
                  and (cast($6 as text) is null or action = $6)
                  and (cast($7 as bigint) is null or at >= $7)
                  and (cast($8 as bigint) is null or at < $8)
                  and (cast($10 as text) is null
                       or (actor_kind = 'person' and actor_id in
                            (select a.id from agent a where a.enterprise_id = $1 and a.organisation_id in
                              (select cast(value as bigint) from json_each($10))))
                       or (actor_kind = 'program' and actor_id in
                            (select p.id from api_token p where p.enterprise_id = $1 and p.organisation_id in
                              (select cast(value as bigint) from json_each($10)))))
                order by id desc limit $9"#,
            enterprise,
            filter.before,
            actor,
            filter.subject_kind,
            filter.subject,
            filter.action,
            filter.from,
            filter.until,
            limit,
            organisations
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows)
    }

    /// Follows the chain of an enterprise from its first row, or through its `last` rows; the id of the first row that
    /// does not fit.
    pub async fn find_broken_audit_row(
        &self,
        enterprise: i64,
        last: Option<u32>,
    ) -> Result<Option<i64>, StoreError> {
        let (mut after, mut chain) = (0_i64, Vec::new());
        if let Some(last) = last {
            let last = i64::from(last);
            let mut conn = self.read().await?;
            let before = sqlx::query!(
                r#"select id as "id!", chain as "chain!: Vec<u8>" from audit where enterprise_id = $1
                    order by id desc limit 1 offset $2"#,
                enterprise,
                last
            )
            .fetch_optional(&mut *conn)
            .await
            .map_err(self.query_error())?;
            if let Some(before) = before {
                (after, chain) = (before.id, before.chain);
            }
        }
        loop {
            let mut conn = self.read().await?;
            let rows = sqlx::query_as!(
                AuditRow,
                r#"select id as "id!", at, actor_kind, actor_id, actor, address, action, subject_kind, subject,
                          before, after, chain as "chain!: Vec<u8>"
                     from audit where enterprise_id = $1 and id > $2 order by id limit 1000"#,
                enterprise,
                after
            )
            .fetch_all(&mut *conn)
            .await
            .map_err(self.query_error())?;
            let Some(last) = rows.last() else { return Ok(None) };
            after = last.id;
            for row in rows {
                if link(&chain, &row) != row.chain {
                    return Ok(Some(row.id));
                }
                chain = row.chain;
            }
        }
    }
}
