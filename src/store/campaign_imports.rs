//! Campaigns that come as a folder: the row, the objects of its files, its sounds and its list are entered in one
//! change, and noted in the task that made them, in case it is cut off and begins again.

use super::audio_files::{self, NewAudio};
use super::blobs::{self, BlobId, NewBlob};
use super::campaign_rows::NewVersion;
use super::list_uploads::UploadId;
use super::scope::Scope;
use super::task_rows::{NewTask, TaskId, TaskKind, queue_with};
use super::{Change, Store, StoreError};
use paceline_core::ids::CampaignId;
use std::collections::BTreeMap;

/// What a file of a folder is to its campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderPart {
    List,
    /// Beside the one that the text names.
    FurtherList,
    Sound,
    /// A blacklist, or days without calls.
    Other,
}

/// A file of a folder, with its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFolderFile<'a> {
    /// As the campaign's text names it.
    pub name: &'a str,
    pub part: FolderPart,
    pub blob: NewBlob<'a>,
}

/// A campaign that was entered with its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnteredFolder {
    pub campaign: CampaignId,
    /// Its list, which is still to be checked.
    pub upload: Option<UploadId>,
    pub further: Vec<UploadId>,
    /// Paths of objects whose bytes were there before.
    pub unused: Vec<String>,
}

/// Why a folder was not entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderRefusal {
    /// Another sound of the enterprise has this name, and sounds need an approval by their name.
    SoundNameTaken(String),
}

/// The object in which folders are kept while their task waits or runs.
const FOLDER_KIND: &str = "campaign_folder";

impl Change<'_> {
    /// Queues the import of a campaign's folder; `asked` = what is imported and in whose name. With an object, that of
    /// the folder, the id of its row is added to `asked` as `folder`.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn queue_campaign_import(
        &mut self,
        enterprise: i64,
        folder: Option<&NewBlob<'_>>,
        asked_by: Option<i64>,
        mut asked: serde_json::Value,
    ) -> Result<(TaskId, bool), StoreError> {
        let now = self.now.as_millis();
        let mut is_known = false;
        if let Some(folder) = folder {
            let entered = blobs::enter(self.conn(), folder, now).await.map_err(|error| self.error(error))?;
            asked["folder"] = entered.id.0.into();
            is_known = entered.is_known;
        }
        let new = NewTask { enterprise, kind: TaskKind::ImportCampaign, subject: 0, total: 0, asked_by };
        let queued = queue_with(self.conn(), new, &asked, now).await;
        Ok((queued.map_err(|error| self.error(error))?, is_known))
    }

    /// Enters a campaign with the files of its folder, and notes `asked` and the campaign (`made`) in its task.
    /// `asks_for_sounds` = a sound is used once another person has approved it.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if another campaign of the enterprise has the name. The inner error says why the folder
    /// was not entered; the change must be dropped then.
    pub async fn enter_folder(
        &mut self,
        scope: &Scope,
        new: &NewVersion<'_>,
        parts: &[NewFolderFile<'_>],
        task: TaskId,
        mut asked: serde_json::Value,
        asks_for_sounds: bool,
    ) -> Result<Result<EnteredFolder, FolderRefusal>, StoreError> {
        let (now, by) = (self.now.as_millis(), self.by);
        let (mut files, mut unused) = (BTreeMap::<String, BlobId>::new(), Vec::new());
        let mut further_lists: Vec<(&str, BlobId)> = Vec::new();
        for part in parts {
            let entered =
                blobs::enter(self.conn(), &part.blob, now).await.map_err(|error| self.error(error))?;
            if entered.is_known {
                unused.push(part.blob.path.to_owned());
            }
            match part.part {
                FolderPart::FurtherList => further_lists.push((part.name, entered.id)),
                _ => drop(files.insert(part.name.to_owned(), entered.id)),
            }
        }
        let campaign = self.add_campaign(scope, &NewVersion { files: &files, ..new.clone() }).await?;
        for part in parts.iter().filter(|part| part.part == FolderPart::Sound) {
            let (name, blob) = (part.name, &part.blob);
            let kept = self.sound_blob(scope.enterprise, name).await?;
            match kept {
                None => {
                    let sound = NewAudio { blob: blob.clone(), organisation: scope.own(), name, made_by: by };
                    let entered = audio_files::enter(self.conn(), &sound, now).await;
                    entered.map_err(|error| self.error(error))?;
                }
                Some(kept) if asks_for_sounds && files.get(name) != Some(&kept) => {
                    return Ok(Err(FolderRefusal::SoundNameTaken(name.to_owned())));
                }
                Some(_) => {}
            }
        }
        let list = parts.iter().find(|part| part.part == FolderPart::List);
        let list = list.and_then(|part| Some((part.name, *files.get(part.name)?)));
        let upload = match list {
            Some((name, blob)) => Some(self.enter_folder_list(scope, campaign, name, blob, task).await?),
            None => None,
        };
        let mut further = Vec::new();
        for (name, blob) in further_lists {
            further.push(self.enter_folder_list(scope, campaign, name, blob, task).await?);
        }
        let further_ids: Vec<i64> = further.iter().map(|upload| upload.0).collect();
        asked["made"] = serde_json::json!({
            "campaign": campaign.0, "upload": upload.map(|upload| upload.0), "further": further_ids,
        });
        let request = serde_json::json!({ "subject": campaign.0, "asked": asked }).to_string();
        let noted = sqlx::query!("update task set request = $2 where id = $1", task.0, request)
            .execute(self.conn())
            .await;
        noted.map_err(|error| self.error(error))?;
        Ok(Ok(EnteredFolder { campaign, upload, further, unused }))
    }

    /// The object of the sound that has this name.
    async fn sound_blob(&mut self, enterprise: i64, name: &str) -> Result<Option<BlobId>, StoreError> {
        let kept = sqlx::query_scalar!(
            "select blob_id from audio where enterprise_id = $1 and name = $2 and state <> 'retired'",
            enterprise,
            name
        )
        .fetch_optional(self.conn())
        .await;
        Ok(kept.map_err(|error| self.error(error))?.map(BlobId))
    }

    /// Enters the list of a folder; the folder's own task checks and loads it.
    async fn enter_folder_list(
        &mut self,
        scope: &Scope,
        campaign: CampaignId,
        name: &str,
        blob: BlobId,
        task: TaskId,
    ) -> Result<UploadId, StoreError> {
        let (now, by, own) = (self.now.as_millis(), self.by, scope.own());
        let id = sqlx::query_scalar!(
            r#"insert into list_upload (enterprise_id, campaign_id, blob_id, file_name, made_at, made_by, changed_at,
                                        organisation_id, task_id)
               values ($1, $2, $3, $4, $5, $6, $5, $7, $8) returning id as "id!""#,
            scope.enterprise,
            campaign.0,
            blob.0,
            name,
            now,
            by,
            own,
            task.0
        )
        .fetch_one(self.conn())
        .await;
        Ok(UploadId(id.map_err(|error| self.error(error))?))
    }

    /// Begins the load of a list that a task has just checked. `false` = it is in another state.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn begin_folder_load(&mut self, upload: UploadId) -> Result<bool, StoreError> {
        let (now, by) = (self.now.as_millis(), self.by);
        let begun = sqlx::query!(
            "update list_upload set state = 'loading', error = null, version = version + 1, changed_at = $2,
                    changed_by = $3 where id = $1 and state = 'checked'",
            upload.0,
            now,
            by
        )
        .execute(self.conn())
        .await;
        Ok(begun.map_err(|error| self.error(error))?.rows_affected() > 0)
    }
}

impl Store {
    /// Gives up the objects of folders that no import needs any more. Returns their paths.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn release_folders(&self) -> Result<Vec<String>, StoreError> {
        let now = self.now().as_millis();
        let released = self.transaction(async |conn| {
            sqlx::query_scalar!(
                r#"update blob set deleted_at = $2
                    where kind = $1 and deleted_at is null
                      and not exists (select 1 from task t
                                       where t.kind = 'import_campaign' and t.state in ('queued', 'running')
                                         and json_extract(t.request, '$.asked.folder') = blob.id)
                   returning path as "path!""#,
                FOLDER_KIND,
                now
            )
            .fetch_all(conn)
            .await
        });
        released.await.map_err(self.query_error())
    }
}
