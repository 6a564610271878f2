//! Uploaded lists: from the file as it was sent, over its checks, to the leads made of it and back. What the reader
//! found lies in the object store; the row says where, and in which state the list is.

use super::blobs::{self, BlobId, NewBlob};
use super::task_rows::TaskId;
pub use super::upload_changes::{EnteredUpload, NewUpload, UploadChange, UploadEditor, UploadRefusal};
use super::{Store, StoreError, outbox};
use paceline_core::ids::CampaignId;
use paceline_core::time::Utc;

/// Row id of an uploaded list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(pub i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UploadState {
    Receiving,
    Checking,
    Unreadable,
    Checked,
    /// A second person decides.
    Waiting,
    Refused,
    Loading,
    Loaded,
    Undone,
    Discarded,
}

impl UploadState {
    pub const ALL: [UploadState; 10] = [
        UploadState::Receiving,
        UploadState::Checking,
        UploadState::Unreadable,
        UploadState::Checked,
        UploadState::Waiting,
        UploadState::Refused,
        UploadState::Loading,
        UploadState::Loaded,
        UploadState::Undone,
        UploadState::Discarded,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            UploadState::Receiving => "receiving",
            UploadState::Checking => "checking",
            UploadState::Unreadable => "unreadable",
            UploadState::Checked => "checked",
            UploadState::Waiting => "waiting",
            UploadState::Refused => "refused",
            UploadState::Loading => "loading",
            UploadState::Loaded => "loaded",
            UploadState::Undone => "undone",
            UploadState::Discarded => "discarded",
        }
    }

    pub fn from_word(word: &str) -> Option<UploadState> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether reading and mapping may still change, and the list may be discarded.
    pub const fn is_editable(self) -> bool {
        use UploadState::{Checked, Refused, Unreadable, Waiting};
        matches!(self, Unreadable | Checked | Waiting | Refused)
    }
}

/// An uploaded list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRow {
    pub id: UploadId,
    pub enterprise: i64,
    pub organisation: i64,
    pub campaign: CampaignId,
    pub campaign_name: String,
    pub blob: BlobId,
    pub sha256: Vec<u8>,
    pub bytes: u64,
    /// Of the object, relative to the object store.
    pub path: String,
    /// As it was sent.
    pub file_name: String,
    /// JSON.
    pub reading: String,
    /// JSON; `None` = the reader finds the columns.
    pub mapping: Option<String>,
    pub state: UploadState,
    /// JSON `{en, zh}`.
    pub error: Option<String>,
    pub report: Option<BlobId>,
    pub fix: Option<BlobId>,
    pub rows: u64,
    pub leads: u64,
    pub refused: u64,
    pub task: Option<TaskId>,
    pub made_at: Utc,
    /// The account; `None` = a program.
    pub made_by: Option<i64>,
    pub version: i64,
    pub changed_at: Utc,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult<'a> {
    /// [`UploadState::Checked`] or [`UploadState::Unreadable`].
    pub state: UploadState,
    /// JSON `{en, zh}`.
    pub error: Option<&'a str>,
    pub report: Option<NewBlob<'a>>,
    pub fix: Option<NewBlob<'a>>,
    pub rows: u64,
    pub leads: u64,
    pub refused: u64,
}

/// The columns of an uploaded list, as sqlx reads them.
struct Columns {
    id: i64,
    enterprise_id: i64,
    organisation_id: i64,
    campaign_id: i64,
    campaign: String,
    blob_id: i64,
    sha256: Vec<u8>,
    bytes: i64,
    path: String,
    file_name: String,
    reading: String,
    mapping: Option<String>,
    state: String,
    error: Option<String>,
    report_blob: Option<i64>,
    fix_blob: Option<i64>,
    rows: i64,
    leads: i64,
    refused: i64,
    task_id: Option<i64>,
    made_at: i64,
    made_by: Option<i64>,
    version: i64,
    changed_at: i64,
}

impl Columns {
    fn row(self) -> UploadRow {
        UploadRow {
            id: UploadId(self.id),
            enterprise: self.enterprise_id,
            organisation: self.organisation_id,
            campaign: CampaignId(self.campaign_id),
            campaign_name: self.campaign,
            blob: BlobId(self.blob_id),
            sha256: self.sha256,
            bytes: self.bytes as u64,
            path: self.path,
            file_name: self.file_name,
            reading: self.reading,
            mapping: self.mapping,
            // The column's check admits these words alone.
            state: UploadState::from_word(&self.state).unwrap_or(UploadState::Discarded),
            error: self.error,
            report: self.report_blob.map(BlobId),
            fix: self.fix_blob.map(BlobId),
            rows: self.rows as u64,
            leads: self.leads as u64,
            refused: self.refused as u64,
            task: self.task_id.map(TaskId),
            made_at: Utc::from_millis(self.made_at),
            made_by: self.made_by,
            version: self.version,
            changed_at: Utc::from_millis(self.changed_at),
        }
    }
}

impl Store {
    /// One list of an enterprise.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn upload(&self, enterprise: i64, id: UploadId) -> Result<Option<UploadRow>, StoreError> {
        let mut conn = self.read().await?;
        let found = sqlx::query_as!(
            Columns,
            r#"select u.id as "id!", u.enterprise_id, u.organisation_id, u.campaign_id, c.name as campaign, u.blob_id, b.sha256, b.bytes,
                      b.path, u.file_name, u.reading, u.mapping, u.state, u.error, u.report_blob, u.fix_blob, u.rows,
                      u.leads, u.refused, u.task_id, u.made_at, u.made_by, u.version, u.changed_at
                 from list_upload u join blob b on b.id = u.blob_id join campaign c on c.id = u.campaign_id
                where u.id = $1 and u.enterprise_id = $2"#,
            id.0,
            enterprise
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(found.map(Columns::row))
    }

    /// The lists of a campaign, newest first, without those that were discarded.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn uploads(
        &self,
        enterprise: i64,
        campaign: CampaignId,
        before: Option<UploadId>,
        limit: u32,
    ) -> Result<Vec<UploadRow>, StoreError> {
        let mut conn = self.read().await?;
        let (before, limit) = (before.map_or(i64::MAX, |id| id.0), i64::from(limit));
        let rows = sqlx::query_as!(
            Columns,
            r#"select u.id as "id!", u.enterprise_id, u.organisation_id, u.campaign_id, c.name as campaign, u.blob_id, b.sha256, b.bytes,
                      b.path, u.file_name, u.reading, u.mapping, u.state, u.error, u.report_blob, u.fix_blob, u.rows,
                      u.leads, u.refused, u.task_id, u.made_at, u.made_by, u.version, u.changed_at
                 from list_upload u join blob b on b.id = u.blob_id join campaign c on c.id = u.campaign_id
                where u.campaign_id = $1 and u.enterprise_id = $2 and u.id < $3 and u.state <> 'discarded'
                order by u.id desc limit $4"#,
            campaign.0,
            enterprise,
            before,
            limit
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().map(Columns::row).collect())
    }

    /// Writes what a check found, unless the list left the state `checking` meanwhile. Returns the paths of objects that
    /// nothing names: those of the check before, and new ones that are not needed.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn finish_check(
        &self,
        id: UploadId,
        result: CheckResult<'_>,
    ) -> Result<Vec<String>, StoreError> {
        let now = self.now().as_millis();
        let finished = self.transaction_with_events(async |conn| {
            let before = sqlx::query!(
                "select report_blob, fix_blob from list_upload where id = $1 and state = 'checking'",
                id.0
            )
            .fetch_optional(&mut *conn)
            .await?;
            let fresh = [&result.report, &result.fix];
            let Some(before) = before else {
                return Ok(fresh.into_iter().flatten().map(|new| new.path.to_owned()).collect());
            };
            let (mut ids, mut unused) = ([None, None], Vec::new());
            for (id, new) in ids.iter_mut().zip(fresh) {
                let Some(new) = new else { continue };
                let entered = blobs::enter(conn, new, now).await?;
                *id = Some(entered.id.0);
                unused.extend(entered.is_known.then(|| new.path.to_owned()));
            }
            let (state, error) = (result.state.word(), result.error);
            let [report, fix] = ids;
            let (rows, leads, refused) = (result.rows as i64, result.leads as i64, result.refused as i64);
            sqlx::query!(
                "update list_upload set state = $2, error = $3, report_blob = $4, fix_blob = $5, rows = $6, leads = $7,
                        refused = $8, version = version + 1, changed_at = $9, changed_by = null where id = $1",
                id.0,
                state,
                error,
                report,
                fix,
                rows,
                leads,
                refused,
                now
            )
            .execute(&mut *conn)
            .await?;
            outbox::add_list(conn, id.0, now).await?;
            let old = [before.report_blob, before.fix_blob].into_iter().flatten().map(BlobId);
            unused.extend(blobs::release(conn, old, now).await?);
            Ok(unused)
        });
        finished.await.map_err(self.query_error())
    }

    /// Takes a list back to `checked`: its load did not happen, for this reason (JSON `{en, zh}`).
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn fail_load(&self, id: UploadId, error: &str) -> Result<(), StoreError> {
        let now = self.now().as_millis();
        self.transaction_with_events(async |conn| {
            let failed = sqlx::query!(
                "update list_upload set state = 'checked', error = $2, version = version + 1, changed_at = $3,
                        changed_by = null where id = $1 and state = 'loading'",
                id.0,
                error,
                now
            )
            .execute(&mut *conn)
            .await?;
            match failed.rows_affected() {
                0 => Ok(()),
                _ => outbox::add_list(conn, id.0, now).await,
            }
        })
        .await
        .map_err(self.query_error())
    }
}
