//! Exports: who asked for what, the file that came of it, and until when it is kept.

use super::blacklist::json_numbers;
use super::blobs::{self, BlobId, NewBlob};
use super::task_rows::{NewTask, TaskId, TaskKind, queue_with};
use super::{Change, Scope, Store, StoreError};
use paceline_core::time::Utc;
use serde_json::Value;

/// Row id of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportId(pub i64);

/// An export that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExport<'a> {
    pub what: &'a str,
    pub format: &'a str,
    pub filters: &'a Value,
    pub columns: &'a [String],
    /// Whole telephone numbers are written.
    pub has_numbers: bool,
    /// The account or program.
    pub maker: &'a str,
    pub made_by: Option<i64>,
    pub expires_at: Utc,
    /// What its task is given beside the row.
    pub asked: &'a Value,
    /// Rows that are expected; 0 = not known.
    pub total: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRow {
    pub id: ExportId,
    pub enterprise: i64,
    pub organisation: i64,
    pub what: String,
    pub format: String,
    /// JSON.
    pub filters: String,
    /// JSON.
    pub columns: String,
    pub has_numbers: bool,
    pub task: TaskId,
    pub blob: Option<BlobId>,
    pub bytes: u64,
    /// Of the object, relative to the object store.
    pub path: Option<String>,
    pub media_type: Option<String>,
    pub file_name: Option<String>,
    pub rows: u64,
    pub manifest: Option<String>,
    pub maker: String,
    pub made_by: Option<i64>,
    pub made_at: Utc,
    pub expires_at: Utc,
}

/// What a task has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFile<'a> {
    pub blob: NewBlob<'a>,
    pub file_name: &'a str,
    pub rows: u64,
    pub manifest: &'a str,
}

struct Columns {
    id: i64,
    enterprise_id: i64,
    organisation_id: i64,
    what: String,
    format: String,
    filters: String,
    columns: String,
    has_numbers: bool,
    task_id: i64,
    blob_id: Option<i64>,
    bytes: Option<i64>,
    path: Option<String>,
    media_type: Option<String>,
    file_name: Option<String>,
    rows: i64,
    manifest: Option<String>,
    maker: String,
    made_by: Option<i64>,
    made_at: i64,
    expires_at: i64,
}

impl Columns {
    fn row(self) -> ExportRow {
        ExportRow {
            id: ExportId(self.id),
            enterprise: self.enterprise_id,
            organisation: self.organisation_id,
            what: self.what,
            format: self.format,
            filters: self.filters,
            columns: self.columns,
            has_numbers: self.has_numbers,
            task: TaskId(self.task_id),
            blob: self.blob_id.map(BlobId),
            bytes: self.bytes.unwrap_or(0) as u64,
            path: self.path,
            media_type: self.media_type,
            file_name: self.file_name,
            rows: self.rows as u64,
            manifest: self.manifest,
            maker: self.maker,
            made_by: self.made_by,
            made_at: Utc::from_millis(self.made_at),
            expires_at: Utc::from_millis(self.expires_at),
        }
    }
}

impl Change<'_> {
    /// Enters an export and queues its task.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn add_export(&mut self, scope: &Scope, new: &NewExport<'_>) -> Result<ExportId, StoreError> {
        let (enterprise, organisation) = (scope.enterprise, scope.own());
        let (filters, columns) = (new.filters.to_string(), serde_json::json!(new.columns).to_string());
        let (now, expires_at) = (self.at().as_millis(), new.expires_at.as_millis());
        let id = sqlx::query_scalar!(
            r#"insert into export (enterprise_id, organisation_id, what, format, filters, columns, has_numbers,
                                   task_id, maker, made_by, made_at, expires_at)
               values ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10, $11) returning id as "id!""#,
            enterprise,
            organisation,
            new.what,
            new.format,
            filters,
            columns,
            new.has_numbers,
            new.maker,
            new.made_by,
            now,
            expires_at
        )
        .fetch_one(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        let task = NewTask {
            enterprise,
            kind: TaskKind::Export,
            subject: id,
            total: new.total,
            asked_by: new.made_by,
        };
        let task = queue_with(self.conn(), task, new.asked, now).await.map_err(|error| self.error(error))?;
        sqlx::query!(
            "update export set task_id = $2 where id = $1 and enterprise_id = $3",
            id,
            task.0,
            enterprise
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        Ok(ExportId(id))
    }

    /// Removes an export. Returns the paths of objects that nothing names any more.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn remove_export(&mut self, row: &ExportRow) -> Result<Vec<String>, StoreError> {
        let now = self.at().as_millis();
        let removed = remove(self.conn(), row.id.0, row.enterprise, row.blob, now).await;
        removed.map_err(|error| self.error(error))
    }
}

async fn remove(
    conn: &mut sqlx::SqliteConnection,
    id: i64,
    enterprise: i64,
    blob: Option<BlobId>,
    now: i64,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query!("delete from export where id = $1 and enterprise_id = $2", id, enterprise)
        .execute(&mut *conn)
        .await?;
    blobs::release(conn, blob, now).await
}

impl Store {
    /// One export of an enterprise.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn export(&self, enterprise: i64, id: ExportId) -> Result<Option<ExportRow>, StoreError> {
        let mut conn = self.read().await?;
        let found = sqlx::query_as!(
            Columns,
            r#"select e.id as "id!", e.enterprise_id, e.organisation_id, e.what, e.format, e.filters, e.columns,
                      e.has_numbers as "has_numbers!: bool", e.task_id, e.blob_id, b.bytes as "bytes?",
                      b.path as "path?", b.media_type as "media_type?", e.file_name, e.rows, e.manifest, e.maker,
                      e.made_by, e.made_at, e.expires_at
                 from export e left join blob b on b.id = e.blob_id
                where e.id = $1 and e.enterprise_id = $2"#,
            id.0,
            enterprise
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(found.map(Columns::row))
    }

    /// Exports of a scope, newest first, up to `limit` before `before`; `maker`: those of this account or program.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn exports(
        &self,
        scope: &Scope,
        maker: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ExportRow>, StoreError> {
        let mut conn = self.read().await?;
        let (organisations, is_whole) = (json_numbers(scope.organisations.iter().copied()), scope.is_whole());
        let (before, limit) = (before.unwrap_or(i64::MAX), i64::from(limit));
        let rows = sqlx::query_as!(
            Columns,
            r#"select e.id as "id!", e.enterprise_id, e.organisation_id, e.what, e.format, e.filters, e.columns,
                      e.has_numbers as "has_numbers!: bool", e.task_id, e.blob_id, b.bytes as "bytes?",
                      b.path as "path?", b.media_type as "media_type?", e.file_name, e.rows, e.manifest, e.maker,
                      e.made_by, e.made_at, e.expires_at
                 from export e left join blob b on b.id = e.blob_id
                where e.enterprise_id = $1 and e.id < $2 and (cast($3 as text) is null or e.maker = $3)
                  and ($4 or e.organisation_id in (select cast(value as bigint) from json_each($5)))
                order by e.id desc limit $6"#,
            scope.enterprise,
            before,
            maker,
            is_whole,
            organisations,
            limit
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().map(Columns::row).collect())
    }

    /// Exports of a maker whose task has not ended.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn open_exports(&self, enterprise: i64, maker: &str) -> Result<u64, StoreError> {
        let mut conn = self.read().await?;
        let count = sqlx::query_scalar!(
            r#"select count(*) as "n!: i64" from export e join task t on t.id = e.task_id and t.enterprise_id = $1
                where e.enterprise_id = $1 and e.maker = $2 and t.state in ('queued', 'running')"#,
            enterprise,
            maker
        )
        .fetch_one(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(count as u64)
    }

    /// Gives an export its file. `Err` = the export was removed meanwhile: the paths of objects that nothing names.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn finish_export(
        &self,
        enterprise: i64,
        id: ExportId,
        file: &ExportFile<'_>,
    ) -> Result<Result<bool, Vec<String>>, StoreError> {
        let now = self.now().as_millis();
        self.transaction(async |conn| {
            let blob = blobs::enter(conn, &file.blob, now).await?;
            let rows = file.rows as i64;
            let written = sqlx::query!(
                "update export set blob_id = $3, file_name = $4, rows = $5, manifest = $6
                  where id = $1 and enterprise_id = $2",
                id.0,
                enterprise,
                blob.id.0,
                file.file_name,
                rows,
                file.manifest
            )
            .execute(&mut *conn)
            .await?;
            match written.rows_affected() {
                0 => Ok(Err(blobs::release(conn, [blob.id], now).await?)),
                _ => Ok(Ok(blob.is_known)),
            }
        })
        .await
        .map_err(self.query_error())
    }

    /// Removes up to `limit` exports, of any enterprise, that are past their time. Returns how many, and the paths of objects that
    /// nothing names any more.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn remove_expired_exports(&self, limit: u32) -> Result<(u64, Vec<String>), StoreError> {
        let (now, limit) = (self.now().as_millis(), i64::from(limit));
        self.transaction(async |conn| {
            let expired = sqlx::query!(
                r#"select e.id as "id!", e.enterprise_id, e.blob_id from export e
                     left join task t on t.id = e.task_id and t.enterprise_id = e.enterprise_id
                    where e.expires_at <= $1 and (t.id is null or t.state not in ('queued', 'running'))
                    order by e.expires_at limit $2"#,
                now,
                limit
            )
            .fetch_all(&mut *conn)
            .await?;
            let (removed, mut paths) = (expired.len() as u64, Vec::new());
            for row in expired {
                paths.extend(remove(conn, row.id, row.enterprise_id, row.blob_id.map(BlobId), now).await?);
            }
            Ok((removed, paths))
        })
        .await
        .map_err(self.query_error())
    }
}
