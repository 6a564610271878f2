//! Connections for queries of the API and the commands. They see the newest commit and wait for no writer, so a
//! screen is answered at once while a list is imported.

use super::{WriteConnection, connect_options};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnection;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Connections at once; further queries wait for one.
const CONNECTIONS: usize = 4;

/// Page cache of each, in KiB: the queries read few pages.
const CACHE: &str = "-4096";

#[derive(Debug)]
pub(crate) struct ReadPool {
    path: PathBuf,
    idle: Mutex<Vec<SqliteConnection>>,
    permits: Semaphore,
}

impl ReadPool {
    pub fn of(write: &WriteConnection) -> ReadPool {
        let (path, permits) = (write.path.clone(), Semaphore::new(CONNECTIONS));
        ReadPool { path, idle: Mutex::default(), permits }
    }

    /// A connection outside any transaction; it returns to the pool when it is dropped.
    pub async fn connection(&self) -> Result<ReadConnection<'_>, sqlx::Error> {
        let permit = self.permits.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => {
                let options = connect_options(&self.path).read_only(true).pragma("cache_size", CACHE);
                options.connect().await?
            }
        };
        Ok(ReadConnection { conn: Some(conn), pool: self, _permit: permit })
    }
}

pub(crate) struct ReadConnection<'a> {
    /// Empty only while it is dropped.
    conn: Option<SqliteConnection>,
    pool: &'a ReadPool,
    _permit: SemaphorePermit<'a>,
}

impl Deref for ReadConnection<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.conn.as_ref().expect("it is there until it is dropped")
    }
}

impl DerefMut for ReadConnection<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.conn.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for ReadConnection<'_> {
    fn drop(&mut self) {
        let conn = self.conn.take();
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(conn);
    }
}
