//! What the object store holds: a row an object. The same bytes of one kind are kept once.

use super::{Store, StoreError};
use sqlx::SqliteConnection;
use std::collections::BTreeSet;

/// Row id of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub i64);

/// An object that is on disk and has no row yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBlob<'a> {
    pub enterprise: i64,
    /// The word of its kind.
    pub kind: &'a str,
    pub sha256: [u8; 32],
    pub bytes: u64,
    pub media_type: &'a str,
    /// Relative to the object store.
    pub path: &'a str,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRow {
    pub id: BlobId,
    pub sha256: Vec<u8>,
    pub bytes: u64,
    pub media_type: String,
    pub path: String,
}

/// A blob that was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnteredBlob {
    pub id: BlobId,
    /// The same bytes were there: the new object is not needed.
    pub is_known: bool,
}

/// Enters an object, or finds the one that has its bytes.
pub(crate) async fn enter(
    conn: &mut SqliteConnection,
    new: &NewBlob<'_>,
    now: i64,
) -> Result<EnteredBlob, sqlx::Error> {
    let (enterprise, kind, sha256) = (new.enterprise, new.kind, new.sha256.to_vec());
    let known = sqlx::query_scalar!(
        r#"select id as "id!" from blob
            where enterprise_id = $1 and kind = $2 and sha256 = $3 and deleted_at is null"#,
        enterprise,
        kind,
        sha256
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(id) = known {
        return Ok(EnteredBlob { id: BlobId(id), is_known: true });
    }
    let bytes = new.bytes as i64;
    let (media_type, path) = (new.media_type, new.path);
    let id = sqlx::query_scalar!(
        r#"insert into blob (enterprise_id, kind, sha256, bytes, media_type, path, made_at)
           values ($1, $2, $3, $4, $5, $6, $7) returning id as "id!""#,
        enterprise,
        kind,
        sha256,
        bytes,
        media_type,
        path,
        now
    )
    .fetch_one(&mut *conn)
    .await?;
    Ok(EnteredBlob { id: BlobId(id), is_known: false })
}

/// Marks these blobs as deleted where nothing names them any more. Returns the paths of their objects.
pub(crate) async fn release(
    conn: &mut SqliteConnection,
    blobs: impl IntoIterator<Item = BlobId>,
    now: i64,
) -> Result<Vec<String>, sqlx::Error> {
    let mut paths = Vec::new();
    for BlobId(id) in blobs {
        let freed = sqlx::query_scalar!(
            r#"update blob set deleted_at = $2
                where id = $1 and deleted_at is null
                  and not exists (select 1 from list_upload u where u.state <> 'discarded'
                                     and $1 in (u.blob_id, u.report_blob, u.fix_blob))
                  and not exists (select 1 from audio a where $1 in (a.blob_id, a.line_blob) and a.state <> 'retired')
                  and not exists (select 1 from campaign_file f where f.blob_id = $1)
                  and not exists (select 1 from export e where e.blob_id = $1)
                  and not exists (select 1 from blacklist_import y where y.blob_id = $1
                                     and y.state in ('checking', 'unreadable', 'checked', 'loading'))
                  and not exists (select 1 from caller_id i where i.proof_blob = $1)
               returning path as "path!""#,
            id,
            now
        )
        .fetch_optional(&mut *conn)
        .await?;
        paths.extend(freed);
    }
    Ok(paths)
}

impl Store {
    /// Enters an object, or finds the one that has its bytes.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn enter_blob(&self, new: &NewBlob<'_>) -> Result<EnteredBlob, StoreError> {
        let now = self.now().as_millis();
        self.transaction(async |conn| enter(conn, new, now).await).await.map_err(self.query_error())
    }

    /// # Errors
    /// [`StoreError::Unknown`] if the object is gone.
    pub async fn blob(&self, id: BlobId) -> Result<BlobRow, StoreError> {
        let mut conn = self.read().await?;
        let row = sqlx::query!(
            r#"select id as "id!", sha256, bytes, media_type, path from blob
                where id = $1 and deleted_at is null"#,
            id.0
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let row = row.ok_or_else(|| StoreError::Unknown { what: "this file: it was removed".into() })?;
        Ok(BlobRow {
            id: BlobId(row.id),
            sha256: row.sha256,
            bytes: row.bytes as u64,
            media_type: row.media_type,
            path: row.path,
        })
    }

    /// Paths of every object that has a row.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn blob_paths(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut conn = self.read().await?;
        let paths = sqlx::query_scalar!("select path from blob where deleted_at is null")
            .fetch_all(&mut *conn)
            .await
            .map_err(self.query_error())?;
        Ok(paths.into_iter().collect())
    }

    /// Bytes of every object of an enterprise, and of those that came since a moment.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn stored_bytes(&self, enterprise: i64, since: i64) -> Result<(u64, u64), StoreError> {
        let mut conn = self.read().await?;
        let row = sqlx::query!(
            r#"select cast(coalesce(sum(bytes), 0) as bigint) as "all!: i64",
                      cast(coalesce(sum(case when made_at >= $2 then bytes else 0 end), 0) as bigint) as "new!: i64"
                 from blob where enterprise_id = $1 and deleted_at is null"#,
            enterprise,
            since
        )
        .fetch_one(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok((row.all as u64, row.new as u64))
    }
}
