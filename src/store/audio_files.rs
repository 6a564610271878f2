//! Uploaded sounds: measured by a task, approved where the organisation asks for it, used by their name in campaigns'
//! texts.

use super::approvals::{self, ApprovalKind};
use super::blobs::{self, BlobId, NewBlob};
use super::task_rows::{self, NewTask, TaskId, TaskKind};
use super::{Change, Store, StoreError, outbox};
use paceline_core::ids::CampaignId;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;

/// Row id of a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AudioId(pub i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AudioState {
    Measuring,
    Unreadable,
    /// A second person decides.
    Waiting,
    Ready,
    Refused,
    Retired,
}

impl AudioState {
    pub const ALL: [AudioState; 6] = [
        AudioState::Measuring,
        AudioState::Unreadable,
        AudioState::Waiting,
        AudioState::Ready,
        AudioState::Refused,
        AudioState::Retired,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            AudioState::Measuring => "measuring",
            AudioState::Unreadable => "unreadable",
            AudioState::Waiting => "waiting",
            AudioState::Ready => "ready",
            AudioState::Refused => "refused",
            AudioState::Retired => "retired",
        }
    }

    pub fn from_word(word: &str) -> Option<AudioState> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioRow {
    pub id: AudioId,
    pub enterprise: i64,
    pub organisation: i64,
    pub name: String,
    pub blob: BlobId,
    pub sha256: Vec<u8>,
    pub bytes: u64,
    /// Of the object, relative to the object store.
    pub path: String,
    pub media_type: String,
    /// What the line carries of it, as WAV; `None` = not measured.
    pub line: Option<BlobId>,
    pub millis: u64,
    /// Tenths of a decibel below full scale; `None` = not measured.
    pub level_db: Option<i64>,
    pub clipped: u64,
    /// JSON of the measurements.
    pub measured: String,
    pub state: AudioState,
    /// JSON `{en, zh}`.
    pub error: Option<String>,
    pub task: Option<TaskId>,
    pub made_at: Utc,
    pub made_by: Option<i64>,
    pub version: i64,
}

/// A sound that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAudio<'a> {
    pub blob: NewBlob<'a>,
    pub organisation: i64,
    pub name: &'a str,
    pub made_by: Option<i64>,
}

/// A sound that was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnteredAudio {
    pub id: AudioId,
    pub task: TaskId,
    /// The same bytes were there: the new object is not needed.
    pub blob_is_known: bool,
}

/// What measuring a sound found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioMeasured<'a> {
    /// JSON `{en, zh}`: it cannot be played.
    pub error: Option<&'a str>,
    /// What the line carries of it.
    pub line: Option<NewBlob<'a>>,
    pub millis: u64,
    pub level_db: i64,
    pub clipped: u64,
    /// JSON: head_ms, tail_ms.
    pub silence: &'a str,
    /// JSON.
    pub measured: &'a str,
    /// The organisation asks for a second person.
    pub needs_approval: bool,
}

struct Columns {
    id: i64,
    enterprise_id: i64,
    organisation_id: i64,
    name: String,
    blob_id: i64,
    sha256: Vec<u8>,
    bytes: i64,
    path: String,
    media_type: String,
    line_blob: Option<i64>,
    millis: i64,
    level_db: Option<i64>,
    clipped: i64,
    measured: String,
    state: String,
    error: Option<String>,
    task_id: Option<i64>,
    made_at: i64,
    made_by: Option<i64>,
    version: i64,
}

/// A campaign's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignText {
    pub campaign: CampaignId,
    pub name: String,
    pub organisation: i64,
    pub toml: String,
    /// It rings no phone.
    pub is_sample: bool,
}

impl Columns {
    fn row(self) -> AudioRow {
        AudioRow {
            id: AudioId(self.id),
            enterprise: self.enterprise_id,
            organisation: self.organisation_id,
            name: self.name,
            blob: BlobId(self.blob_id),
            sha256: self.sha256,
            bytes: self.bytes as u64,
            path: self.path,
            media_type: self.media_type,
            line: self.line_blob.map(BlobId),
            millis: self.millis as u64,
            level_db: self.level_db,
            clipped: self.clipped as u64,
            measured: self.measured,
            // The column's check admits these words alone.
            state: AudioState::from_word(&self.state).unwrap_or(AudioState::Retired),
            error: self.error,
            task: self.task_id.map(TaskId),
            made_at: Utc::from_millis(self.made_at),
            made_by: self.made_by,
            version: self.version,
        }
    }
}

/// Enters a received sound and queues its measuring. `None` = another sound has the name.
pub(super) async fn enter(
    conn: &mut SqliteConnection,
    new: &NewAudio<'_>,
    now: i64,
) -> Result<Option<EnteredAudio>, sqlx::Error> {
    let (enterprise, name, made_by) = (new.blob.enterprise, new.name, new.made_by);
    let taken = sqlx::query_scalar!(
        r#"select exists (select 1 from audio
                           where enterprise_id = $1 and name = $2 and state <> 'retired') as "taken!: bool""#,
        enterprise,
        name
    )
    .fetch_one(&mut *conn)
    .await?;
    if taken {
        return Ok(None);
    }
    let blob = blobs::enter(conn, &new.blob, now).await?;
    let blob_id = blob.id.0;
    let id = sqlx::query_scalar!(
        r#"insert into audio (enterprise_id, blob_id, name, made_at, made_by, changed_at, organisation_id)
           values ($1, $2, $3, $4, $5, $4, $6) returning id as "id!""#,
        enterprise,
        blob_id,
        name,
        now,
        made_by,
        new.organisation
    )
    .fetch_one(&mut *conn)
    .await?;
    let new_task =
        NewTask { enterprise, kind: TaskKind::MeasureAudio, subject: id, total: 0, asked_by: made_by };
    let task = task_rows::queue(conn, new_task, now).await?;
    sqlx::query!("update audio set task_id = $2 where id = $1", id, task.0).execute(&mut *conn).await?;
    Ok(Some(EnteredAudio { id: AudioId(id), task, blob_is_known: blob.is_known }))
}

pub(crate) async fn set_state(
    conn: &mut SqliteConnection,
    id: AudioId,
    state: AudioState,
    by: Option<i64>,
    now: i64,
) -> Result<(), sqlx::Error> {
    let state = state.word();
    sqlx::query!(
        "update audio set state = $2, version = version + 1, changed_at = $3, changed_by = $4 where id = $1",
        id.0,
        state,
        now,
        by
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Retires a sound. Returns the paths of objects that nothing names any more.
async fn retire(
    conn: &mut SqliteConnection,
    sound: &AudioRow,
    by: Option<i64>,
    now: i64,
) -> Result<Vec<String>, sqlx::Error> {
    approvals::withdraw(conn, ApprovalKind::Audio, sound.id.0, now).await?;
    set_state(conn, sound.id, AudioState::Retired, by, now).await?;
    blobs::release(conn, [Some(sound.blob), sound.line].into_iter().flatten(), now).await
}

impl Store {
    /// One sound of an enterprise.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn audio_file(&self, enterprise: i64, id: AudioId) -> Result<Option<AudioRow>, StoreError> {
        let mut conn = self.read().await?;
        let found = sqlx::query_as!(
            Columns,
            r#"select a.id as "id!", a.enterprise_id, a.organisation_id, a.name, a.blob_id, b.sha256, b.bytes, b.path, b.media_type,
                      a.line_blob, a.millis, a.level_db, a.clipped, a.measured, a.state, a.error, a.task_id, a.made_at, a.made_by,
                      a.version
                 from audio a join blob b on b.id = a.blob_id where a.id = $1 and a.enterprise_id = $2"#,
            id.0,
            enterprise
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(found.map(Columns::row))
    }

    /// The sounds of an enterprise that are not retired, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn audio_files(
        &self,
        enterprise: i64,
        before: Option<AudioId>,
        limit: u32,
    ) -> Result<Vec<AudioRow>, StoreError> {
        let mut conn = self.read().await?;
        let (before, limit) = (before.map_or(i64::MAX, |id| id.0), i64::from(limit));
        let rows = sqlx::query_as!(
            Columns,
            r#"select a.id as "id!", a.enterprise_id, a.organisation_id, a.name, a.blob_id, b.sha256, b.bytes, b.path, b.media_type,
                      a.line_blob, a.millis, a.level_db, a.clipped, a.measured, a.state, a.error, a.task_id, a.made_at, a.made_by,
                      a.version
                 from audio a join blob b on b.id = a.blob_id
                where a.enterprise_id = $1 and a.id < $2 and a.state <> 'retired'
                order by a.id desc limit $3"#,
            enterprise,
            before,
            limit
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().map(Columns::row).collect())
    }

    /// Writes what measuring found, and asks for an approval where one is needed. Returns the paths of objects that are
    /// not needed.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn finish_measuring(
        &self,
        sound: &AudioRow,
        found: &AudioMeasured<'_>,
    ) -> Result<Vec<String>, StoreError> {
        let (now, id) = (self.now().as_millis(), sound.id.0);
        let (millis, clipped) = (found.millis as i64, found.clipped as i64);
        let finished = self.transaction_with_events(async |conn| {
            let state = if found.error.is_some() {
                AudioState::Unreadable
            } else if !found.needs_approval
                || approvals::is_approved(conn, sound.enterprise, ApprovalKind::Audio, &sound.sha256).await?
            {
                AudioState::Ready
            } else {
                AudioState::Waiting
            };
            let (mut line, mut unused) = (None, Vec::new());
            if let Some(new) = &found.line {
                let entered = blobs::enter(conn, new, now).await?;
                line = Some(entered.id.0);
                unused.extend(entered.is_known.then(|| new.path.to_owned()));
            }
            let word = state.word();
            let written = sqlx::query!(
                "update audio set state = $2, error = $3, millis = $4, level_db = $5, clipped = $6, silence = $7,
                        measured = $8, line_blob = $10, version = version + 1, changed_at = $9, changed_by = null
                  where id = $1 and state = 'measuring'",
                id,
                word,
                found.error,
                millis,
                found.level_db,
                clipped,
                found.silence,
                found.measured,
                now,
                line
            )
            .execute(&mut *conn)
            .await?;
            if state == AudioState::Waiting && written.rows_affected() > 0 {
                let (enterprise, hash) = (sound.enterprise, &sound.sha256);
                let of = approvals::Asked { enterprise, organisation: sound.organisation, kind: ApprovalKind::Audio, subject: id };
                let asked = approvals::ask(conn, of, hash, sound.made_by, now).await?;
                let body = serde_json::json!({ "approval": asked.0, "state": "open" });
                outbox::add(conn, enterprise, "approval", asked.0, &body, now).await?;
            }
            Ok(unused)
        });
        finished.await.map_err(self.query_error())
    }

    /// The texts of every campaign of an enterprise: its parts may use each other's sounds.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn campaign_texts(&self, enterprise: i64) -> Result<Vec<CampaignText>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select id as "id!", name, organisation_id, toml, is_sample as "is_sample!: bool" from campaign where enterprise_id = $1 order by id"#,
            enterprise
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let texts = rows.into_iter().map(|row| CampaignText {
            campaign: CampaignId(row.id),
            name: row.name,
            organisation: row.organisation_id,
            toml: row.toml,
            is_sample: row.is_sample,
        });
        Ok(texts.collect())
    }
}

impl Change<'_> {
    /// Enters a received sound and queues its measuring. `None` = another sound has the name.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn enter_audio(&mut self, new: &NewAudio<'_>) -> Result<Option<EnteredAudio>, StoreError> {
        let now = self.now.as_millis();
        enter(self.conn(), new, now).await.map_err(|error| self.error(error))
    }

    /// Retires a sound. Returns the paths of objects that nothing names any more.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn retire_audio(
        &mut self,
        sound: &AudioRow,
        by: Option<i64>,
    ) -> Result<Vec<String>, StoreError> {
        let now = self.now.as_millis();
        retire(self.conn(), sound, by, now).await.map_err(|error| self.error(error))
    }
}
