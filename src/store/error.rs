//! Errors of the store, worded for the operator, and their classes for the writer's retry.

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use std::path::{Path, PathBuf};

/// An error of the store. Each message names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("`{url}` is no store this program can use; write sqlite://FILE")]
    Url { url: String },
    #[error("{} is in use by another paceline process{}; stop that one first, or give this one a store of its own",
        path.display(), pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    InUse { path: PathBuf, pid: Option<u32> },
    #[error("there is no store at {}; nothing has been run with it yet", path.display())]
    Missing { path: PathBuf },
    #[error("{} was written by a newer paceline (schema {found}, this program knows {known}); use that version, \
        or one that came after it", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("{} was written by an older paceline (schema {found}, this program needs {known}); run a campaign \
        with this version once to bring it up to date", path.display())]
    Older { path: PathBuf, found: i64, known: i64 },
    #[error("{} is not a database; move it away or name another store", path.display())]
    NotADatabase { path: PathBuf },
    #[error("{} is damaged ({why}); keep a copy and restore it from a backup", path.display())]
    Damaged { path: PathBuf, why: String },
    #[error("the disk that holds {} is full", path.display())]
    Full { path: PathBuf },
    #[error("{} cannot be written ({why}); check the rights of the file and of its folder", path.display())]
    ReadOnly { path: PathBuf, why: String },
    #[error("another program is writing to {}; close it", path.display())]
    Busy { path: PathBuf },
    #[error("the disk that holds {} gives errors ({why})", path.display())]
    Io { path: PathBuf, why: String },
    #[error("{} cannot be opened: {why}", path.display())]
    CannotOpen { path: PathBuf, why: String },
    #[error("{what} is taken; choose another")]
    Taken { what: String },
    #[error("nothing is known of {what}")]
    Unknown { what: String },
    #[error(
        "{attempts} attempts were already made from this list, so the import can no longer be undone; \
        stop the campaign instead"
    )]
    ImportInUse { attempts: u64 },
    #[error("this import is {state}, so it cannot be undone")]
    ImportNotDone { state: String },
    #[error("the store refused a statement on {}: {why}", path.display())]
    Statement { path: PathBuf, why: String },
}

/// Failure classes that the writer handles differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The disk is full; releasing the disk reserve may help.
    DiskFull,
    /// Transient: I/O errors, another program's lock, a lost connection. A retry may help.
    Transient,
    /// The statement itself is at fault; a retry will not help.
    Statement,
}

pub(crate) fn failure_kind(error: &sqlx::Error) -> FailureKind {
    let sqlx::Error::Database(error) = error else {
        // Protocol errors, I/O errors and a lost worker thread are faults of the connection.
        let of_statement = matches!(
            error,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound
        );
        return if of_statement { FailureKind::Statement } else { FailureKind::Transient };
    };
    match primary_code(error.as_ref()) {
        Some(13) => FailureKind::DiskFull,
        // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, CANTOPEN, PROTOCOL, NOTADB.
        Some(5..=11 | 14 | 15 | 26) => FailureKind::Transient,
        _ => FailureKind::Statement,
    }
}

/// SQLite's primary result code: the low byte of the extended one.
fn primary_code(error: &dyn DatabaseError) -> Option<i32> {
    error.code()?.parse::<i32>().ok().map(|code| code & 0xff)
}

impl StoreError {
    pub(crate) fn from_query(path: &Path, error: &sqlx::Error) -> StoreError {
        let path = path.to_path_buf();
        let why = why(error);
        let sqlx::Error::Database(database) = error else { return StoreError::Io { path, why } };
        match primary_code(database.as_ref()) {
            Some(13) => StoreError::Full { path },
            Some(8) => StoreError::ReadOnly { path, why },
            Some(5 | 6) => StoreError::Busy { path },
            Some(10) => StoreError::Io { path, why },
            Some(11) => StoreError::Damaged { path, why },
            Some(14) => StoreError::CannotOpen { path, why },
            Some(26) => StoreError::NotADatabase { path },
            _ => StoreError::Statement { path, why },
        }
    }

    pub(crate) fn from_open(path: &Path, error: sqlx::Error) -> StoreError {
        StoreError::from_query(path, &error)
    }

    pub(crate) fn from_migration(path: &Path, error: MigrateError) -> StoreError {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                StoreError::from_query(path, &error)
            }
            other => StoreError::Damaged { path: path.to_path_buf(), why: other.to_string() },
        }
    }

    pub(crate) fn cannot_open(path: &Path, error: &std::io::Error) -> StoreError {
        StoreError::CannotOpen { path: path.to_path_buf(), why: error.to_string() }
    }

    pub(crate) fn cannot_write(path: &Path, error: &std::io::Error) -> StoreError {
        let path = path.to_path_buf();
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full { path },
            std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
                StoreError::ReadOnly { path, why: error.to_string() }
            }
            _ => StoreError::Io { path, why: error.to_string() },
        }
    }
}

fn why(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_string(),
        other => other.to_string(),
    }
}
