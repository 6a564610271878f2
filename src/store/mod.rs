//! The only module with SQL: one SQLite file in WAL mode with `synchronous=FULL`, one connection that writes,
//! any number that read. Policy stays in the core; the dial check alone runs here, in the transaction that
//! opens the attempt.

pub mod abandoned_calls;
pub mod abandons;
pub mod access;
pub mod agents;
pub mod approvals;
pub mod attempts;
pub mod audio_files;
pub mod audit;
mod batch;
pub mod blacklist;
mod blacklist_change;
pub mod blacklist_imports;
pub mod blobs;
pub mod building_sums;
pub mod call_detail;
pub mod call_filters;
pub mod call_history;
mod call_pages;
mod call_rows;
pub mod call_sums;
mod call_trace;
pub mod caller_id_approvals;
mod caller_id_changes;
pub mod caller_id_hours;
mod caller_id_uses;
pub mod caller_ids;
pub mod campaign_imports;
pub mod campaign_rows;
pub mod campaigns;
pub mod change;
mod command;
pub mod commits;
pub mod corrections;
pub mod desk;
pub mod disk_reserve;
pub mod error;
pub mod explain;
pub mod export_rows;
pub mod exports;
pub mod finds;
mod further_flats;
pub mod groups;
pub mod household_history;
pub mod idempotency;
mod import_undo;
pub mod imports;
pub mod inbound_calls;
pub mod lead_actions;
pub mod lead_additions;
pub mod lead_lookup;
pub mod lead_table;
pub mod leads;
pub mod legs;
pub mod list_growth;
pub mod list_uploads;
pub mod lock;
pub mod minutes;
mod open_dialogs;
pub mod organisations;
pub mod outbox;
mod packed_rows;
mod people;
mod phone_contacts;
mod read_pool;
pub mod reader;
pub mod recordings;
pub mod result_rows;
pub mod resume;
pub mod samples;
pub mod saved_views;
pub mod scope;
pub mod seat_log;
pub mod simulated;
pub mod summaries;
mod take_back;
pub mod task_rows;
mod test_calls;
pub mod trunks;
mod upload_changes;
pub mod upload_loads;
pub mod views;
pub mod votes;
pub mod writer;

#[cfg(test)]
mod tests;

use crate::private_file;
use commits::CommitTimes;
use disk_reserve::DiskReserve;
use lock::Lock;
use paceline_core::time::Utc;
use read_pool::{ReadConnection, ReadPool};
use sqlx::ConnectOptions;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard, mpsc};

pub use access::{NewSession, NewToken, SessionRow, TokenRow};
pub use agents::{AgentDetails, AgentRow, Role, Secrets};
pub use audit::{AuditFilter, AuditRow};
pub use blacklist::{BlacklistAdded, BlacklistAddition, BlacklistChange, BlacklistEntry, BlacklistFilter};
pub use call_filters::{CallDirection, CallFilter, CallSource, GroupCalls};
pub use call_pages::{CallKey, CallOrder, CallPage, OrderRefused};
pub use call_rows::CallRow;
pub use call_trace::CallTrace;
pub use caller_id_uses::CallerIdUses;
pub use campaigns::{CampaignRecord, CampaignSource, LeadCounts, NewCampaign};
pub use change::{Actor, ActorKind, Change, Subject};
pub use command::{Command, Reply};
pub use corrections::{Correction, LeadChange};
pub use desk::DeskLead;
pub use error::StoreError;
pub use explain::{DueNow, LeadSelector, RefusedRow};
pub use groups::GroupRow;
pub use household_history::ContactRow;
pub use idempotency::{KeyClaim, RequestKey};
pub use imports::{Import, ImportId, ImportRecord, NewImport};
pub use lead_table::{LeadFilter, LeadKey, LeadPage, LeadTableRow};
pub use legs::{InterruptedLeg, LegInfo};
pub use list_growth::KnownNumber;
pub use minutes::CampaignMinute;
pub use open_dialogs::OpenDialog;
pub use organisations::{Label, OrganisationRow, OrganisationSettings, PauseReason};
pub use reader::Reader;
pub use recordings::{RecordingRow, RecoveredRecording};
pub use resume::{Interrupted, Resumed};
pub use scope::Scope;
pub use simulated::{Forgotten, KEY_PRESS_SOURCE, SUMMARY_SOURCE};
pub use test_calls::TestCallRow;
pub use views::{LeadRecord, PhoneRow, RecordingPart};
pub use writer::Writer;

/// Reads the wall clock. An argument, so that tests and simulations in virtual time can supply their own.
pub type Clock = Arc<dyn Fn() -> Utc + Send + Sync>;

static MIGRATIONS: Migrator = sqlx::migrate!("schemas/sql");

/// An open store, with the lock file that makes this process its only writer.
pub struct Store {
    path: PathBuf,
    clock: Clock,
    write: Arc<WriteConnection>,
    reads: ReadPool,
    commits: Arc<CommitTimes>,
    /// Accounts as last read, with the count of changes at that time: every request needs them.
    accounts: Mutex<Option<(u64, Arc<Vec<AgentRow>>)>>,
    accounts_changed: AtomicU64,
    /// Receivers of every addition to the blacklist.
    blacklist_listeners: std::sync::Mutex<Vec<mpsc::UnboundedSender<BlacklistChange>>>,
    /// Wakes readers of the outbox.
    events: tokio::sync::watch::Sender<()>,
}

/// The one writing connection behind a mutex. Tokio's mutex is fair (FIFO), so an import of a million rows
/// and a thousand live calls take it in turn.
pub(crate) struct WriteConnection {
    options: SqliteConnectOptions,
    session: Mutex<WriteSession>,
    /// Counts changes to leads made outside the writer; invalidates its cached counts of open leads.
    lists_changed: AtomicU64,
    pub(crate) path: PathBuf,
    /// Kept here and not in [`Store`]: a writer task may outlive its store and still write.
    _lock: Lock,
}

struct WriteSession {
    conn: SqliteConnection,
    /// A transaction was begun and not ended: its future was dropped in the middle, for instance because an
    /// HTTP client went away.
    has_open_transaction: bool,
}

impl WriteSession {
    /// Rolls back what a dropped future left: its writes were never acknowledged, and a statement that ran
    /// inside that transaction would be lost with it.
    async fn clean(&mut self) {
        if self.has_open_transaction {
            rollback(&mut self.conn).await;
            self.has_open_transaction = false;
        }
    }
}

impl WriteConnection {
    /// The connection outside a transaction, for queries. Every change goes through [`Self::transaction`].
    pub(crate) async fn lock(&self) -> MappedMutexGuard<'_, SqliteConnection> {
        let mut session = self.session.lock().await;
        session.clean().await;
        MutexGuard::map(session, |session| &mut session.conn)
    }

    /// Runs `work` in one transaction and commits it; rolls it back if `work` or the commit fails.
    ///
    /// The only way to write. A statement outside a transaction that returns a row is answered before SQLite
    /// commits it, so a full disk at that moment would be reported to nobody.
    pub(crate) async fn transaction<T, E: From<sqlx::Error>>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut session = self.session.lock().await;
        session.clean().await;
        session.has_open_transaction = true;
        let conn = &mut session.conn;
        let worked = async {
            begin(conn).await?;
            let worked = work(conn).await?;
            commit(conn).await?;
            Ok(worked)
        }
        .await;
        if worked.is_err() {
            rollback(conn).await;
        }
        session.has_open_transaction = false;
        worked
    }

    pub(crate) async fn reconnect(&self) -> Result<(), sqlx::Error> {
        let mut session = self.session.lock().await;
        session.conn = self.options.connect().await?;
        session.has_open_transaction = false;
        Ok(())
    }

    pub(crate) fn note_lists_changed(&self) {
        self.lists_changed.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn lists_version(&self) -> u64 {
        self.lists_changed.load(Ordering::Acquire)
    }
}

/// Counts a change once it is over, however it ends.
struct CountOnDrop<'a>(&'a AtomicU64);

impl Drop for CountOnDrop<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

impl Store {
    /// Opens `sqlite://FILE`, creates and migrates it where needed, and takes the exclusive lock.
    /// Deletes the rows of interrupted imports.
    ///
    /// # Errors
    /// Another process holds the store; the file has a newer schema, is no database, or cannot be written.
    pub async fn open(url: &str, clock: Clock) -> Result<Store, StoreError> {
        let path = path_of(url)?;
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            private_file::create_dir(dir).map_err(|e| StoreError::cannot_open(&path, &e))?;
        }
        let lock = Lock::take(&path)?;
        make_private(&path);
        let options = connect_options(&path).create_if_missing(true);
        let mut conn = options.connect().await.map_err(|e| StoreError::from_open(&path, e))?;
        migrate(&path, &mut conn).await?;
        sync_folder(&path, &mut conn).await?;
        let write = Arc::new(WriteConnection {
            options,
            session: Mutex::new(WriteSession { conn, has_open_transaction: false }),
            lists_changed: AtomicU64::new(0),
            path: path.clone(),
            _lock: lock,
        });
        let (commits, blacklist_listeners) = Default::default();
        let reads = ReadPool::of(&write);
        let (accounts, accounts_changed) = Default::default();
        let events = tokio::sync::watch::Sender::new(());
        let store = Store {
            path,
            clock,
            write,
            reads,
            commits,
            accounts,
            accounts_changed,
            blacklist_listeners,
            events,
        };
        store.disk_reserve().fill().map_err(|e| StoreError::cannot_write(&store.path, &e))?;
        for suffix in ["lock", "ballast"] {
            let _ = private_file::restrict(&lock::beside(&store.path, suffix));
        }
        store.sweep_unfinished_imports().await?;
        Ok(store)
    }

    /// Opens the file read-only, also while another process writes to it.
    pub async fn open_reader(url: &str) -> Result<Reader, StoreError> {
        let path = path_of(url)?;
        if !path.exists() {
            return Err(StoreError::Missing { path });
        }
        Reader::open(&path).await
    }

    /// Opens a read-only connection to this store.
    pub async fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.path).await
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Histogram of the writer's commit times.
    pub fn commit_times(&self) -> Arc<CommitTimes> {
        self.commits.clone()
    }

    /// Folds the WAL into the database file. Call [`Writer::close`] first: it writes the queued commands.
    pub async fn close(self) -> Result<(), StoreError> {
        let mut conn = self.write.lock().await;
        sqlx::query("pragma wal_checkpoint(truncate)")
            .execute(&mut *conn)
            .await
            .map_err(self.query_error())?;
        Ok(())
    }

    /// Runs `work` in a short transaction between two of the writer's; rolls it back if `work` fails.
    pub(crate) async fn transaction<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        self.write.transaction(work).await
    }

    /// As [`Self::transaction`], for changes that add to the outbox.
    pub(crate) async fn transaction_with_events<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let done = self.transaction(work).await;
        self.note_events();
        done
    }

    /// As [`Self::transaction`], for changes to accounts, groups and memberships.
    pub(crate) async fn change_accounts<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        // Also when this future is dropped: its commit may have happened.
        let _noted = CountOnDrop(&self.accounts_changed);
        self.transaction(work).await
    }

    /// A connection for a query of a screen or a command. It sees every commit and waits for no writer.
    pub(crate) async fn read(&self) -> Result<ReadConnection<'_>, StoreError> {
        self.reads.connection().await.map_err(self.query_error())
    }

    pub(crate) fn now(&self) -> Utc {
        (self.clock)()
    }

    /// The moment by the store's clock.
    pub fn clock_now(&self) -> Utc {
        self.now()
    }

    fn lock_listeners(&self) -> std::sync::MutexGuard<'_, Vec<mpsc::UnboundedSender<BlacklistChange>>> {
        self.blacklist_listeners.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn disk_reserve(&self) -> DiskReserve {
        DiskReserve::beside(&self.path)
    }

    pub(crate) fn query_error(&self) -> impl Fn(sqlx::Error) -> StoreError + '_ {
        |error| StoreError::from_query(&self.path, &error)
    }
}

/// Creates the database file for this user alone, or takes the rights of others from an existing one and its
/// WAL. SQLite gives its further files the rights of the database. A failure shows when SQLite opens the file.
fn make_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt;
    let _ = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_os_string();
        name.push(suffix);
        let _ = private_file::restrict(Path::new(&name));
    }
}

fn path_of(url: &str) -> Result<PathBuf, StoreError> {
    let rest = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
    match rest.map(|rest| rest.split('?').next().unwrap_or_default()) {
        Some(path) if !path.is_empty() && path != ":memory:" => Ok(PathBuf::from(path)),
        _ => Err(StoreError::Url { url: without_password(url) }),
    }
}

/// Removes the password of a URL such as `postgres://user:secret@host/db`, so that an error may quote it.
fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 < at => format!("{}…{}", &url[..scheme + 3], &url[at..]),
        _ => url.to_string(),
    }
}

fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // Below the two seconds within which a stalled store must be reported.
        .busy_timeout(Duration::from_millis(1_000))
        .pragma("cache_size", "-65536")
        .statement_cache_capacity(200)
        .disable_statement_logging()
}

/// Makes the directory entries of the database and its WAL durable: a write creates the WAL, then the
/// folder is fsynced. Without it a power cut may lose the names of files whose bytes are on disk.
async fn sync_folder(path: &Path, conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let from_query = |error| StoreError::from_query(path, &error);
    begin(conn).await.map_err(from_query)?;
    sqlx::query!("update pulse set at = at where id = 1").execute(&mut *conn).await.map_err(from_query)?;
    commit(conn).await.map_err(from_query)?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = std::fs::File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(|e| StoreError::cannot_write(path, &e))
}

/// Runs pending migrations; refuses a schema newer than this program's, unless that says that this program may open
/// it.
async fn migrate(path: &Path, conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let from_open = |error| StoreError::from_open(path, error);
    conn.ensure_migrations_table("_sqlx_migrations")
        .await
        .map_err(|e| StoreError::from_migration(path, e))?;
    let newest: Option<i64> = sqlx::query_scalar("select max(version) from _sqlx_migrations")
        .fetch_one(&mut *conn)
        .await
        .map_err(from_open)?;
    let known = known_version();
    if let Some(newest) = newest.filter(|newest| *newest > known) {
        if may_open_newer(conn, newest, known).await.map_err(from_open)? {
            return Ok(());
        }
        return Err(StoreError::Newer { path: path.to_path_buf(), found: newest, known });
    }
    // A rebuilt table must not take the rows that refer to it along; the migration checks its references itself.
    // The switch works outside a transaction only.
    sqlx::query("pragma foreign_keys = off").execute(&mut *conn).await.map_err(from_open)?;
    MIGRATIONS.run(&mut *conn).await.map_err(|e| StoreError::from_migration(path, e))?;
    sqlx::query("pragma foreign_keys = on").execute(&mut *conn).await.map_err(from_open)?;
    Ok(())
}

/// Whether the schema names this program's as one that may open it. A schema that does not keep the table up to
/// date says nothing.
async fn may_open_newer(conn: &mut SqliteConnection, newest: i64, known: i64) -> Result<bool, sqlx::Error> {
    let table = sqlx::query_scalar::<_, i64>(
        "select count(*) from sqlite_master where type = 'table' and name = 'schema_version'",
    );
    if table.fetch_one(&mut *conn).await? == 0 {
        return Ok(false);
    }
    let oldest =
        sqlx::query_scalar!("select oldest from schema_version where id = 1 and version = $1", newest)
            .fetch_optional(conn)
            .await?;
    Ok(oldest.is_some_and(|oldest| oldest <= known))
}

/// The newest schema version of this program.
/// The schema of this program.
pub fn schema_version() -> i64 {
    known_version()
}

fn known_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// Begins a write transaction; one that was left open on this connection is rolled back first.
async fn begin(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    match sqlx::query("begin immediate").execute(&mut *conn).await {
        Err(sqlx::Error::Database(e)) if e.message().contains("within a transaction") => {
            sqlx::query("rollback").execute(&mut *conn).await?;
            sqlx::query("begin immediate").execute(&mut *conn).await?;
        }
        begun => {
            begun?;
        }
    }
    Ok(())
}

async fn commit(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("commit").execute(&mut *conn).await?;
    Ok(())
}

/// Hands out `count` consecutive ids of a table and returns the first. An id is never handed out twice, also
/// when its row was deleted or its transaction is the only one that knew it.
pub(crate) async fn take_ids(
    conn: &mut SqliteConnection,
    table: &str,
    count: usize,
) -> Result<i64, sqlx::Error> {
    let count = count as i64;
    let next = sqlx::query_scalar!(
        "update counter set next = next + $2 where name = $1 returning next",
        table,
        count
    )
    .fetch_one(&mut *conn)
    .await?;
    Ok(next - count)
}

/// Rolls back after an error. SQLite may have done so by itself, so an error here is ignored.
async fn rollback(conn: &mut SqliteConnection) {
    let _ = sqlx::query("rollback").execute(&mut *conn).await;
}
