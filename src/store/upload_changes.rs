//! Changes of uploaded lists by people and programs: received, read in another way, loaded, undone, discarded. Each is
//! made in the state that admits it and in the version that its author saw, or not at all.

use super::approvals::{self, ApprovalKind};
use super::blobs::{self, BlobId, NewBlob};
use super::list_uploads::{UploadId, UploadState};
use super::task_rows::{self, NewTask, TaskId, TaskKind};
use super::{Change, StoreError};
use paceline_core::ids::CampaignId;
use sqlx::SqliteConnection;

/// A list that was received, with its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUpload<'a> {
    pub blob: NewBlob<'a>,
    /// That of the campaign.
    pub organisation: i64,
    pub campaign: CampaignId,
    pub file_name: &'a str,
    pub made_by: Option<i64>,
}

/// A list that was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnteredUpload {
    pub id: UploadId,
    pub task: TaskId,
    /// The same bytes were there: the new object is not needed.
    pub blob_is_known: bool,
}

/// Why a change of an uploaded list was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadRefusal {
    Unknown,
    /// It is in a state that does not admit the change.
    State(UploadState),
    /// Another person changed it: this is its version now.
    Version(i64),
    /// Calls were made from it.
    Called(u64),
    /// A task works on it.
    Busy(TaskId),
}

/// Enters a received list and queues its check.
async fn enter(
    conn: &mut SqliteConnection,
    new: &NewUpload<'_>,
    now: i64,
) -> Result<EnteredUpload, sqlx::Error> {
    let blob = blobs::enter(conn, &new.blob, now).await?;
    let (enterprise, blob_id, campaign) = (new.blob.enterprise, blob.id.0, new.campaign.0);
    let (file_name, made_by) = (new.file_name, new.made_by);
    let id = sqlx::query_scalar!(
        r#"insert into list_upload
             (enterprise_id, campaign_id, blob_id, file_name, made_at, made_by, changed_at, organisation_id)
           values ($1, $2, $3, $4, $5, $6, $5, $7) returning id as "id!""#,
        enterprise,
        campaign,
        blob_id,
        file_name,
        now,
        made_by,
        new.organisation
    )
    .fetch_one(&mut *conn)
    .await?;
    let task = queue_for(conn, enterprise, UploadId(id), TaskKind::CheckList, made_by, now).await?;
    Ok(EnteredUpload { id: UploadId(id), task, blob_is_known: blob.is_known })
}

/// Queues a task on a list and writes its id into the list's row.
async fn queue_for(
    conn: &mut SqliteConnection,
    enterprise: i64,
    upload: UploadId,
    kind: TaskKind,
    asked_by: Option<i64>,
    now: i64,
) -> Result<TaskId, sqlx::Error> {
    let new = NewTask { enterprise, kind, subject: upload.0, total: 0, asked_by };
    let task = task_rows::queue(conn, new, now).await?;
    sqlx::query!("update list_upload set task_id = $2 where id = $1", upload.0, task.0).execute(conn).await?;
    Ok(task)
}

/// State, version and open task of a list.
async fn find(
    conn: &mut SqliteConnection,
    enterprise: i64,
    id: UploadId,
) -> Result<Result<(UploadState, i64, Option<TaskId>), UploadRefusal>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select u.state, u.version,
                  (select t.id from task t where t.id = u.task_id and t.state in ('queued', 'running')) as "open: i64"
             from list_upload u where u.id = $1 and u.enterprise_id = $2"#,
        id.0,
        enterprise
    )
    .fetch_optional(conn)
    .await?;
    Ok(match row {
        Some(row) => {
            let state = UploadState::from_word(&row.state).unwrap_or(UploadState::Discarded);
            Ok((state, row.version, row.open.map(TaskId)))
        }
        None => Err(UploadRefusal::Unknown),
    })
}

/// Writes the state of a list as a change by this account (`None` = a program or a task).
pub(super) async fn set_state(
    conn: &mut SqliteConnection,
    id: UploadId,
    state: UploadState,
    by: Option<i64>,
    now: i64,
) -> Result<(), sqlx::Error> {
    let state = state.word();
    sqlx::query!(
        "update list_upload set state = $2, version = version + 1, changed_at = $3, changed_by = $4 where id = $1",
        id.0,
        state,
        now,
        by
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A change of reading and mapping: JSON texts; `None` = as they are. The inner `None` of the mapping = the reader finds
/// the columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadChange {
    pub reading: Option<String>,
    pub mapping: Option<Option<String>>,
}

/// A person or program that changes a list, and the version that it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadEditor {
    pub enterprise: i64,
    pub account: Option<i64>,
    /// `None` = whatever the version is.
    pub version: Option<i64>,
}

/// Changes reading and mapping, and queues the check.
async fn edit(
    conn: &mut SqliteConnection,
    id: UploadId,
    change: &UploadChange,
    by: UploadEditor,
    now: i64,
) -> Result<Result<TaskId, UploadRefusal>, sqlx::Error> {
    let (state, version, open) = match find(conn, by.enterprise, id).await? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if by.version.is_some_and(|seen| seen != version) {
        return Ok(Err(UploadRefusal::Version(version)));
    }
    if let Some(task) = open {
        return Ok(Err(UploadRefusal::Busy(task)));
    }
    if !state.is_editable() {
        return Ok(Err(UploadRefusal::State(state)));
    }
    let (has_mapping, mapping) = (change.mapping.is_some(), change.mapping.clone().flatten());
    let (reading, account) = (change.reading.as_deref(), by.account);
    sqlx::query!(
        "update list_upload set reading = coalesce($2, reading),
                mapping = case when $3 then $4 else mapping end, error = null where id = $1",
        id.0,
        reading,
        has_mapping,
        mapping
    )
    .execute(&mut *conn)
    .await?;
    approvals::withdraw(conn, ApprovalKind::List, id.0, now).await?;
    set_state(conn, id, UploadState::Checking, account, now).await?;
    Ok(Ok(queue_for(conn, by.enterprise, id, TaskKind::CheckList, account, now).await?))
}

async fn begin(
    conn: &mut SqliteConnection,
    id: UploadId,
    by: UploadEditor,
    from: UploadState,
    kind: TaskKind,
    now: i64,
) -> Result<Result<TaskId, UploadRefusal>, sqlx::Error> {
    let (state, version, open) = match find(conn, by.enterprise, id).await? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if by.version.is_some_and(|seen| seen != version) {
        return Ok(Err(UploadRefusal::Version(version)));
    }
    if let Some(task) = open {
        return Ok(Err(UploadRefusal::Busy(task)));
    }
    if state != from {
        return Ok(Err(UploadRefusal::State(state)));
    }
    if kind == TaskKind::LoadList {
        sqlx::query!("update list_upload set error = null where id = $1", id.0).execute(&mut *conn).await?;
        set_state(conn, id, UploadState::Loading, by.account, now).await?;
    }
    Ok(Ok(queue_for(conn, by.enterprise, id, kind, by.account, now).await?))
}

/// Discards a list that was not loaded. Returns the paths of objects that nothing names any more.
async fn discard(
    conn: &mut SqliteConnection,
    id: UploadId,
    by: UploadEditor,
    now: i64,
) -> Result<Result<Vec<String>, UploadRefusal>, sqlx::Error> {
    let (state, version, open) = match find(conn, by.enterprise, id).await? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if by.version.is_some_and(|seen| seen != version) {
        return Ok(Err(UploadRefusal::Version(version)));
    }
    if let Some(task) = open {
        return Ok(Err(UploadRefusal::Busy(task)));
    }
    if !state.is_editable() {
        return Ok(Err(UploadRefusal::State(state)));
    }
    approvals::withdraw(conn, ApprovalKind::List, id.0, now).await?;
    set_state(conn, id, UploadState::Discarded, by.account, now).await?;
    let named = sqlx::query!("select blob_id, report_blob, fix_blob from list_upload where id = $1", id.0)
        .fetch_one(&mut *conn)
        .await?;
    let blobs = [Some(named.blob_id), named.report_blob, named.fix_blob].into_iter().flatten().map(BlobId);
    Ok(Ok(blobs::release(conn, blobs, now).await?))
}

impl Change<'_> {
    /// Enters a received list and queues its check.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn enter_upload(&mut self, new: &NewUpload<'_>) -> Result<EnteredUpload, StoreError> {
        let now = self.now.as_millis();
        enter(self.conn(), new, now).await.map_err(|error| self.error(error))
    }

    /// Changes reading and mapping, and queues the check.
    ///
    /// # Errors
    /// The store cannot be written. The inner error says why the change was not made.
    pub async fn edit_upload(
        &mut self,
        id: UploadId,
        change: &UploadChange,
        by: UploadEditor,
    ) -> Result<Result<TaskId, UploadRefusal>, StoreError> {
        let now = self.now.as_millis();
        edit(self.conn(), id, change, by, now).await.map_err(|error| self.error(error))
    }

    /// Begins to load a checked list: its leads come with the task.
    ///
    /// # Errors
    /// As [`Change::edit_upload`].
    pub async fn begin_load(
        &mut self,
        id: UploadId,
        by: UploadEditor,
    ) -> Result<Result<TaskId, UploadRefusal>, StoreError> {
        let (now, from) = (self.now.as_millis(), UploadState::Checked);
        let begun = begin(self.conn(), id, by, from, TaskKind::LoadList, now).await;
        begun.map_err(|error| self.error(error))
    }

    /// Begins to undo a loaded list. The task refuses where somebody on it was called meanwhile.
    ///
    /// # Errors
    /// As [`Change::edit_upload`].
    pub async fn begin_undo(
        &mut self,
        id: UploadId,
        by: UploadEditor,
    ) -> Result<Result<TaskId, UploadRefusal>, StoreError> {
        let (now, from) = (self.now.as_millis(), UploadState::Loaded);
        let begun = begin(self.conn(), id, by, from, TaskKind::UndoList, now).await;
        begun.map_err(|error| self.error(error))
    }

    /// Discards a list that was not loaded. Returns the paths of objects that nothing names any more.
    ///
    /// # Errors
    /// As [`Change::edit_upload`].
    pub async fn discard_upload(
        &mut self,
        id: UploadId,
        by: UploadEditor,
    ) -> Result<Result<Vec<String>, UploadRefusal>, StoreError> {
        let now = self.now.as_millis();
        discard(self.conn(), id, by, now).await.map_err(|error| self.error(error))
    }
}
