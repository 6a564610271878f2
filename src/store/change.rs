//! The one way in which people and programs change what the store has: rows, version, audit and outbox in one
//! transaction.
//!
//! [`Store::begin_change`] takes the writing connection; the functions of [`Change`] write rows; [`Change::commit`]
//! adds the audit row and commits. A change that is dropped is rolled back: its transaction is ended before the next
//! one begins. Nothing slow (hashing, the engine) may be awaited while a change is open, because the dialer's writes
//! wait for it.

use super::audit::{self, AuditEntry};
use super::idempotency::{RequestKey, mark_done};
use super::{CountOnDrop, Store, StoreError, WriteSession, begin, commit, rollback, take_ids};
use paceline_core::time::Utc;
use serde_json::Value;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::MutexGuard;

/// Who changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    /// Of the account or the token.
    pub id: Option<i64>,
    /// Number and name, or the token's name.
    pub name: String,
    pub address: String,
    pub enterprise: i64,
    /// The key of the request that makes the change; a commit notes that it had its effect.
    pub key: Option<RequestKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    Person,
    Program,
    /// A command on this machine, or the service itself.
    System,
}

impl ActorKind {
    pub const fn word(self) -> &'static str {
        match self {
            ActorKind::Person => "person",
            ActorKind::Program => "program",
            ActorKind::System => "system",
        }
    }
}

/// What is changed, in the words of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// `agent`, `group`, `token`, …
    pub kind: &'static str,
    /// Its number or name.
    pub name: String,
}

impl Subject {
    pub fn of(kind: &'static str, name: impl ToString) -> Subject {
        Subject { kind, name: name.to_string() }
    }
}

/// A change that is being written: an open transaction on the writing connection.
#[must_use = "a change that is not committed is rolled back"]
pub struct Change<'a> {
    session: MutexGuard<'a, WriteSession>,
    pub(super) store: &'a Store,
    entry: AuditEntry,
    /// Those of the subjects before this one.
    earlier: Vec<AuditEntry>,
    events: Vec<(&'static str, String, Value)>,
    /// Leads were changed: the writer counts open leads anew.
    has_changed_leads: bool,
    /// The account that stands in `changed_by` of the rows.
    pub(super) by: Option<i64>,
    pub(super) now: Utc,
}

impl Store {
    /// Begins a change; the audit will say that `actor` did `action` to `subject`.
    pub async fn begin_change(
        &self,
        actor: &Actor,
        action: &str,
        subject: Subject,
    ) -> Result<Change<'_>, StoreError> {
        let mut session = self.write.begin_change().await.map_err(self.query_error())?;
        session.has_open_transaction = true;
        let now = self.now();
        let entry = AuditEntry::of(actor, action, subject, now);
        let by = actor.id.filter(|_| actor.kind == ActorKind::Person);
        let (earlier, events) = (Vec::new(), Vec::new());
        Ok(Change { session, store: self, entry, earlier, events, has_changed_leads: false, by, now })
    }

    /// Notes an access to what is sensitive, before its first byte is sent. It is no effect of the request's key.
    pub async fn record_access(
        &self,
        actor: &Actor,
        action: &str,
        subject: Subject,
    ) -> Result<(), StoreError> {
        let reader = Actor { key: None, ..actor.clone() };
        self.begin_change(&reader, action, subject).await?.commit().await
    }
}

impl super::WriteConnection {
    async fn begin_change(&self) -> Result<MutexGuard<'_, WriteSession>, sqlx::Error> {
        let mut session = self.session.lock().await;
        session.clean().await;
        session.has_open_transaction = true;
        begin(&mut session.conn).await?;
        Ok(session)
    }
}

impl Change<'_> {
    pub(super) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.session.conn
    }

    /// The actor's enterprise.
    pub(super) fn enterprise(&self) -> i64 {
        self.entry.enterprise
    }

    /// The moment of this change.
    pub fn at(&self) -> Utc {
        self.now
    }

    /// What stood before, for the audit: without secrets, numbers masked.
    pub fn set_before(&mut self, before: Value) {
        self.entry.before = Some(before);
    }

    /// What stands from now on, for the audit: without secrets, numbers masked.
    pub fn set_after(&mut self, after: Value) {
        self.entry.after = Some(after);
    }

    /// Names the subject again, where its name was not known at the beginning.
    pub fn set_subject(&mut self, subject: Subject) {
        self.entry.subject = subject;
    }

    /// Goes on with another subject, which has a row of its own in the audit.
    pub fn begin_subject(&mut self, subject: Subject) {
        let next = self.entry.of_subject(subject);
        self.earlier.push(std::mem::replace(&mut self.entry, next));
    }

    pub(super) fn note_leads_changed(&mut self) {
        self.has_changed_leads = true;
    }

    /// Leaves the audit row of the present subject out: nothing of it was changed, or only the caller's own screen (a
    /// preference).
    pub fn leave_out_of_audit(&mut self) {
        self.entry.is_left_out = true;
    }

    /// Adds an event to the outbox, which readers of the live stream are sent.
    pub fn add_event(&mut self, kind: &'static str, subject: impl ToString, body: Value) {
        self.events.push((kind, subject.to_string(), body));
    }

    /// Adds an event of another enterprise than the actor's.
    pub async fn add_event_of(
        &mut self,
        enterprise: i64,
        kind: &'static str,
        subject: i64,
        body: &Value,
    ) -> Result<(), StoreError> {
        let now = self.now.as_millis();
        super::outbox::add(self.conn(), enterprise, kind, subject, body, now)
            .await
            .map_err(|error| self.error(error))
    }

    /// Turns an error of a statement into one of the store.
    pub(super) fn error(&self, error: sqlx::Error) -> StoreError {
        StoreError::from_query(&self.store.path, &error)
    }

    /// Writes audit and outbox, and commits. After an error nothing of the change is left.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let store = self.store;
        // Also when this future is dropped: its commit may have happened.
        let _noted = CountOnDrop(&store.accounts_changed);
        let written = self.write_and_commit().await;
        if written.is_err() {
            rollback(&mut self.session.conn).await;
        }
        self.session.has_open_transaction = false;
        if self.has_changed_leads {
            store.write.note_lists_changed();
        }
        // Queued tasks add to the outbox beside the change's own events.
        store.note_events();
        written.map_err(|error| self.error(error))
    }

    async fn write_and_commit(&mut self) -> Result<(), sqlx::Error> {
        let conn = &mut self.session.conn;
        if let Some(key) = self.entry.key() {
            mark_done(conn, key).await?;
        }
        for entry in self.earlier.iter().chain([&self.entry]).filter(|entry| !entry.is_left_out) {
            audit::insert(conn, entry).await?;
        }
        if !self.events.is_empty() {
            let first = take_ids(conn, "outbox", self.events.len()).await?;
            let (enterprise, at) = (self.entry.enterprise, self.now.as_millis());
            for (id, (kind, subject, body)) in (first..).zip(&self.events) {
                let body = body.to_string();
                sqlx::query!(
                    "insert into outbox (id, enterprise_id, at, kind, subject, body)
                     values ($1, $2, $3, $4, $5, $6)",
                    id,
                    enterprise,
                    at,
                    kind,
                    subject,
                    body
                )
                .execute(&mut *conn)
                .await?;
            }
        }
        commit(conn).await
    }
}
