//! Campaigns as rows: each version of their texts, what people asked of them, and where they are. The copies of the
//! current version in `campaign` (title, mode, text, retry rules) are written with it.

use super::approvals::ApprovalKind;
use super::blobs::{self, BlobId};
use super::campaigns::NewCampaign;
use super::scope::Scope;
use super::{Change, Store, StoreError};
use paceline_core::ids::CampaignId;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// Where a campaign is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CampaignState {
    /// It has no list.
    Draft,
    /// Bytes that it needs wait for an approval.
    Waiting,
    Ready,
    Running,
    Paused,
    Draining,
    /// It was open, and no lead is left to call.
    Finished,
    Archived,
}

impl CampaignState {
    pub const WORDS: [&'static str; 8] =
        ["draft", "waiting", "ready", "running", "paused", "draining", "finished", "archived"];
    const ALL: [CampaignState; 8] = {
        use CampaignState::*;
        [Draft, Waiting, Ready, Running, Paused, Draining, Finished, Archived]
    };

    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    pub fn from_word(word: &str) -> Option<CampaignState> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether the engine has it.
    pub const fn is_open(self) -> bool {
        matches!(self, CampaignState::Running | CampaignState::Paused | CampaignState::Draining)
    }
}

/// What people asked of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DesiredState {
    Closed,
    Open,
    Paused,
    Draining,
}

impl DesiredState {
    pub const WORDS: [&'static str; 4] = ["closed", "open", "paused", "draining"];

    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    pub fn from_word(word: &str) -> Option<DesiredState> {
        use DesiredState::*;
        [Closed, Open, Paused, Draining].into_iter().find(|state| state.word() == word)
    }
}

/// A campaign with its current text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignRow {
    pub id: CampaignId,
    pub enterprise: i64,
    pub organisation: i64,
    pub name: String,
    pub title: String,
    pub mode: String,
    pub toml: String,
    pub desired: DesiredState,
    /// As it was written last. [`CampaignRow::state`] also looks at lists and approvals.
    pub kept_state: CampaignState,
    /// Why it could not be opened; JSON `{en, zh}`.
    pub trouble: Option<String>,
    pub opened_at: Option<Utc>,
    /// The campaign file that was taken in last.
    pub file: Option<String>,
    pub file_hash: Option<String>,
    /// Number of the current version of the text.
    pub version: i64,
    pub changed_at: Utc,
    /// The account; `None` = a program, or a file.
    pub changed_by: Option<i64>,
    /// `file` or `api`.
    pub source: String,
    pub has_list: bool,
    pub has_open_leads: bool,
    /// The sample campaign, which calls over the simulated carrier with simulated agents.
    pub is_sample: bool,
}

impl CampaignRow {
    /// Where the campaign is; `waits` = bytes that it needs wait for an approval.
    pub fn state(&self, waits: bool) -> CampaignState {
        match self.kept_state {
            CampaignState::Archived => CampaignState::Archived,
            open if open.is_open() => open,
            _ if waits => CampaignState::Waiting,
            _ if !self.has_list => CampaignState::Draft,
            _ if self.has_open_leads || self.opened_at.is_none() => CampaignState::Ready,
            _ => CampaignState::Finished,
        }
    }
}

/// One version of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    pub number: i64,
    pub toml: String,
    pub source: String,
    pub note: Option<String>,
    pub made_at: Utc,
    pub made_by: Option<i64>,
}

/// A file that a campaign's text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignFileRow {
    pub name: String,
    pub blob: BlobId,
    pub bytes: u64,
    /// Of the object, relative to the object store.
    pub path: String,
    /// The sound that it is, with the word of its state.
    pub audio: Option<(i64, String)>,
}

/// An uploaded list or sound of a campaign that waits for an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingBytes {
    pub campaign: CampaignId,
    pub kind: ApprovalKind,
    pub id: i64,
    pub title: String,
}

/// A version of a text that is to be written.
#[derive(Clone, Debug)]
pub struct NewVersion<'a> {
    pub row: NewCampaign<'a>,
    pub note: Option<&'a str>,
    /// The objects that the names in the text stand for.
    pub files: &'a BTreeMap<String, BlobId>,
}

/// Figures of a campaign over all its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CampaignTotals {
    pub leads: u64,
    pub leads_open: u64,
    pub placed: u64,
    pub answered: u64,
}

struct Columns {
    id: i64,
    enterprise_id: i64,
    organisation_id: i64,
    name: String,
    title: String,
    mode: String,
    toml: String,
    desired_state: String,
    state: String,
    trouble: Option<String>,
    opened_at: Option<i64>,
    file: Option<String>,
    file_hash: Option<String>,
    current: i64,
    made_at: i64,
    made_by: Option<i64>,
    source: String,
    has_list: bool,
    has_open_leads: bool,
    is_sample: bool,
}

impl Columns {
    fn row(self) -> CampaignRow {
        CampaignRow {
            id: CampaignId(self.id),
            enterprise: self.enterprise_id,
            organisation: self.organisation_id,
            name: self.name,
            title: self.title,
            mode: self.mode,
            toml: self.toml,
            // The columns' checks admit these words alone.
            desired: DesiredState::from_word(&self.desired_state).unwrap_or(DesiredState::Closed),
            kept_state: CampaignState::from_word(&self.state).unwrap_or(CampaignState::Ready),
            trouble: self.trouble,
            opened_at: self.opened_at.map(Utc::from_millis),
            file: self.file,
            file_hash: self.file_hash,
            version: self.current,
            changed_at: Utc::from_millis(self.made_at),
            changed_by: self.made_by,
            source: self.source,
            has_list: self.has_list,
            has_open_leads: self.has_open_leads,
            is_sample: self.is_sample,
        }
    }
}

impl Store {
    /// The campaign of this name in a scope.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn campaign_row(&self, scope: &Scope, name: &str) -> Result<Option<CampaignRow>, StoreError> {
        let mut conn = self.read().await?;
        let found = sqlx::query_as!(
            Columns,
            r#"select c.id as "id!", c.enterprise_id, c.organisation_id, c.name, c.title, c.mode, c.toml, c.desired_state,
                      c.state, c.trouble, c.opened_at, c.file, c.file_hash, c.current, c.is_sample as "is_sample!: bool", v.made_at, v.made_by, v.source,
                      exists (select 1 from import i where i.campaign_id = c.id and i.state = 'done') as "has_list!: bool",
                      exists (select 1 from import i join lead l on l.import_id = i.id
                               where i.campaign_id = c.id and i.state = 'done' and l.state = 'open') as "has_open_leads!: bool"
                 from campaign c join campaign_version v on v.campaign_id = c.id and v.number = c.current
                where c.enterprise_id = $1 and c.name = $2"#,
            scope.enterprise,
            name
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(found.map(Columns::row).filter(|row| scope.holds(row.enterprise, row.organisation)))
    }

    /// Campaigns of a scope, newest first, without the system's own.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn campaign_rows(
        &self,
        scope: &Scope,
        before: Option<CampaignId>,
        limit: u32,
    ) -> Result<Vec<CampaignRow>, StoreError> {
        let mut conn = self.read().await?;
        let (before, limit) = (before.map_or(i64::MAX, |id| id.0), i64::from(limit));
        let organisations = serde_json::to_string(&scope.organisations).unwrap_or_else(|_| "[]".into());
        let rows = sqlx::query_as!(
            Columns,
            r#"select c.id as "id!", c.enterprise_id, c.organisation_id, c.name, c.title, c.mode, c.toml, c.desired_state,
                      c.state, c.trouble, c.opened_at, c.file, c.file_hash, c.current, c.is_sample as "is_sample!: bool", v.made_at, v.made_by, v.source,
                      exists (select 1 from import i where i.campaign_id = c.id and i.state = 'done') as "has_list!: bool",
                      exists (select 1 from import i join lead l on l.import_id = i.id
                               where i.campaign_id = c.id and i.state = 'done' and l.state = 'open') as "has_open_leads!: bool"
                 from campaign c join campaign_version v on v.campaign_id = c.id and v.number = c.current
                where c.enterprise_id = $1 and c.id < $2 and substr(c.name, 1, 1) <> '_'
                  and c.organisation_id in (select cast(value as bigint) from json_each($4))
                order by c.id desc limit $3"#,
            scope.enterprise,
            before,
            limit,
            organisations
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().map(Columns::row).collect())
    }

    /// A campaign of any enterprise, for the service.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if there is no such campaign.
    pub async fn any_campaign_row(&self, id: CampaignId) -> Result<CampaignRow, StoreError> {
        let mut conn = self.read().await?;
        let found = sqlx::query_as!(
            Columns,
            r#"select c.id as "id!", c.enterprise_id, c.organisation_id, c.name, c.title, c.mode, c.toml, c.desired_state,
                      c.state, c.trouble, c.opened_at, c.file, c.file_hash, c.current, c.is_sample as "is_sample!: bool", v.made_at, v.made_by, v.source,
                      exists (select 1 from import i where i.campaign_id = c.id and i.state = 'done') as "has_list!: bool",
                      exists (select 1 from import i join lead l on l.import_id = i.id
                               where i.campaign_id = c.id and i.state = 'done' and l.state = 'open') as "has_open_leads!: bool"
                 from campaign c join campaign_version v on v.campaign_id = c.id and v.number = c.current
                where c.id = $1"#,
            id.0
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let found = found.ok_or_else(|| StoreError::Unknown { what: format!("campaign {}", id.0) })?;
        Ok(found.row())
    }

    /// The campaigns of every enterprise that people asked to be open, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn campaigns_to_open(&self) -> Result<Vec<CampaignId>, StoreError> {
        let mut conn = self.read().await?;
        let ids = sqlx::query_scalar!(
            r#"select id as "id!" from campaign where desired_state <> 'closed' order by id"#
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(ids.into_iter().map(CampaignId).collect())
    }

    /// The versions of a campaign's text, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn campaign_versions(&self, campaign: CampaignId) -> Result<Vec<VersionRow>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            "select number, '' as toml, source, note, made_at, made_by from campaign_version where campaign_id = $1
              order by number desc limit 1000",
            campaign.0
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let rows = rows.into_iter().map(|row| VersionRow {
            number: row.number,
            toml: String::new(),
            source: row.source,
            note: row.note,
            made_at: Utc::from_millis(row.made_at),
            made_by: row.made_by,
        });
        Ok(rows.collect())
    }

    /// One version of a campaign's text.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn campaign_version(
        &self,
        campaign: CampaignId,
        number: i64,
    ) -> Result<Option<VersionRow>, StoreError> {
        let mut conn = self.read().await?;
        let row = sqlx::query!(
            "select number, toml, source, note, made_at, made_by from campaign_version
              where campaign_id = $1 and number = $2",
            campaign.0,
            number
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(row.map(|row| VersionRow {
            number: row.number,
            toml: row.toml,
            source: row.source,
            note: row.note,
            made_at: Utc::from_millis(row.made_at),
            made_by: row.made_by,
        }))
    }

    /// The objects that the names in a campaign's text stand for.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn campaign_files(&self, campaign: CampaignId) -> Result<Vec<CampaignFileRow>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select f.name, f.blob_id, b.bytes, b.path, a.id as "audio?: i64", a.state as "state?: String"
                 from campaign_file f join blob b on b.id = f.blob_id
                 left join audio a on a.blob_id = f.blob_id and a.name = f.name and a.state <> 'retired'
                  and a.enterprise_id = b.enterprise_id
                where f.campaign_id = $1 order by f.name"#,
            campaign.0
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let rows = rows.into_iter().map(|row| CampaignFileRow {
            name: row.name,
            blob: BlobId(row.blob_id),
            bytes: row.bytes as u64,
            path: row.path,
            audio: row.audio.zip(row.state),
        });
        Ok(rows.collect())
    }

    /// Uploaded lists and sounds of an enterprise's campaigns that wait for an approval.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn waiting_bytes(&self, scope: &Scope) -> Result<Vec<WaitingBytes>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select u.campaign_id as "campaign!: i64", 'list' as "kind!: String", u.id as "id!: i64",
                      u.file_name as "title!: String"
                 from list_upload u where u.enterprise_id = $1 and u.state = 'waiting'
               union all
               select f.campaign_id, 'audio', a.id, a.name
                 from audio a join campaign_file f on f.blob_id = a.blob_id and f.name = a.name
                where a.enterprise_id = $1 and a.state = 'waiting'"#,
            scope.enterprise
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let rows = rows.into_iter().filter_map(|row| {
            Some(WaitingBytes {
                campaign: CampaignId(row.campaign),
                kind: ApprovalKind::from_word(&row.kind)?,
                id: row.id,
                title: row.title,
            })
        });
        Ok(rows.collect())
    }

    /// The sound of this name, with its object: blob, path and the word of its state.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn sound_named(
        &self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<(BlobId, String, String)>, StoreError> {
        let mut conn = self.read().await?;
        let row = sqlx::query!(
            "select a.blob_id, b.path, a.state, a.organisation_id from audio a join blob b on b.id = a.blob_id
              where a.enterprise_id = $1 and a.name = $2 and a.state <> 'retired'",
            scope.enterprise,
            name
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let seen = row.filter(|row| scope.holds(scope.enterprise, row.organisation_id));
        Ok(seen.map(|row| (BlobId(row.blob_id), row.path, row.state)))
    }

    /// Leads and calls of a campaign. Reads indexes, and the rows of its attempts.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn campaign_totals(&self, campaign: CampaignId) -> Result<CampaignTotals, StoreError> {
        let counts = self.lead_counts(campaign).await?;
        let mut conn = self.read().await?;
        let calls = sqlx::query!(
            r#"select count(*) as "placed!: i64",
                      cast(coalesce(sum(case when answered_at is not null then 1 else 0 end), 0) as bigint) as "answered!: i64"
                 from attempt where campaign_id = $1"#,
            campaign.0
        )
        .fetch_one(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(CampaignTotals {
            leads: counts.all,
            leads_open: counts.open,
            placed: calls.placed as u64,
            answered: calls.answered as u64,
        })
    }

    /// Whether any number is on the system's blacklist or the campaign's.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn has_blacklist(&self, campaign: CampaignId) -> Result<bool, StoreError> {
        let mut conn = self.read().await?;
        sqlx::query_scalar!(
            r#"select exists (select 1 from blacklist b where b.campaign_id in (0, $1)
                  and (b.import_id = 0 or exists (select 1 from blacklist_import i
                                        where i.id = b.import_id and i.state = 'loaded'))) as "found!: bool""#,
            campaign.0
        )
        .fetch_one(&mut *conn)
        .await
        .map_err(self.query_error())
    }

    /// Writes where the service has brought a campaign: by no person.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn note_campaign_state(
        &self,
        campaign: CampaignId,
        desired: DesiredState,
        state: CampaignState,
        trouble: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = self.now().as_millis();
        self.transaction(async |conn| set_state(conn, campaign, Some(desired), state, trouble, now).await)
            .await
            .map_err(self.query_error())
    }

    /// Takes campaigns that an earlier process had open, and that nobody asked to be open, back to their place among
    /// the closed ones.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn note_campaigns_closed(&self) -> Result<(), StoreError> {
        self.transaction(async |conn| {
            sqlx::query!(
                "update campaign set state = 'ready'
                  where state in ('running', 'paused', 'draining') and desired_state = 'closed'"
            )
            .execute(conn)
            .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }

    /// Replaces the objects that the names in a text of a file stand for. Returns the paths of objects that nothing
    /// names any more.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn set_campaign_files(
        &self,
        campaign: CampaignId,
        files: &BTreeMap<String, BlobId>,
    ) -> Result<Vec<String>, StoreError> {
        let now = self.now().as_millis();
        self.transaction(async |conn| set_files(conn, campaign.0, files, now).await)
            .await
            .map_err(self.query_error())
    }

    /// Notes which file the current text was taken in from. `hash` = that of the file's text.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn note_campaign_file(
        &self,
        campaign: CampaignId,
        file: &str,
        hash: &str,
    ) -> Result<(), StoreError> {
        self.transaction(async |conn| {
            sqlx::query!(
                "update campaign set file = $2, file_hash = $3 where id = $1",
                campaign.0,
                file,
                hash
            )
            .execute(conn)
            .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }
}

async fn set_state(
    conn: &mut SqliteConnection,
    campaign: CampaignId,
    desired: Option<DesiredState>,
    state: CampaignState,
    trouble: Option<&str>,
    now: i64,
) -> Result<(), sqlx::Error> {
    let (desired, state) = (desired.map(DesiredState::word), state.word());
    sqlx::query!(
        "update campaign set desired_state = coalesce($2, desired_state), state = $3, trouble = $4,
                opened_at = case when $3 = 'running' and opened_at is null then $5 else opened_at end
          where id = $1",
        campaign.0,
        desired,
        state,
        trouble,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds a version of a text, which becomes the current one. The copies of it are the caller's to write.
pub(super) async fn add_version(
    conn: &mut SqliteConnection,
    campaign: i64,
    version: &VersionRow,
) -> Result<(), sqlx::Error> {
    let made_at = version.made_at.as_millis();
    sqlx::query!(
        "insert into campaign_version (campaign_id, number, toml, source, note, made_at, made_by)
         values ($1, $2, $3, $4, $5, $6, $7)",
        campaign,
        version.number,
        version.toml,
        version.source,
        version.note,
        made_at,
        version.made_by
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("update campaign set current = $2 where id = $1", campaign, version.number)
        .execute(conn)
        .await?;
    Ok(())
}

/// Replaces the objects that the names in a text stand for. Returns the paths of objects that nothing names any more.
async fn set_files(
    conn: &mut SqliteConnection,
    campaign: i64,
    files: &BTreeMap<String, BlobId>,
    now: i64,
) -> Result<Vec<String>, sqlx::Error> {
    let before = sqlx::query_scalar!("select blob_id from campaign_file where campaign_id = $1", campaign)
        .fetch_all(&mut *conn)
        .await?;
    sqlx::query!("delete from campaign_file where campaign_id = $1", campaign).execute(&mut *conn).await?;
    for (name, BlobId(blob)) in files {
        sqlx::query!(
            "insert into campaign_file (campaign_id, name, blob_id) values ($1, $2, $3)",
            campaign,
            name,
            blob
        )
        .execute(&mut *conn)
        .await?;
    }
    blobs::release(conn, before.into_iter().map(BlobId), now).await
}

impl Change<'_> {
    /// Adds a campaign with the first version of its text.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if another campaign of the enterprise has the name.
    pub async fn add_campaign(
        &mut self,
        scope: &Scope,
        new: &NewVersion<'_>,
    ) -> Result<CampaignId, StoreError> {
        let retry = self.retry_text(&new.row)?;
        let (now, by, own) = (self.now, self.by, scope.own());
        let row = &new.row;
        let millis = now.as_millis();
        let added = sqlx::query_scalar!(
            r#"insert into campaign (name, title, mode, timezone, toml, retry, defined_at, organisation_id, enterprise_id,
                                     state)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'draft') returning id as "id!""#,
            row.name,
            row.title,
            row.mode,
            row.timezone,
            row.toml,
            retry,
            millis,
            own,
            scope.enterprise
        )
        .fetch_one(self.conn())
        .await;
        let id = added.map_err(|error| match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                StoreError::Taken { what: format!("the campaign name `{}`", row.name) }
            }
            _ => self.error(error),
        })?;
        let version = version_row(1, new, now, by);
        add_version(self.conn(), id, &version).await.map_err(|error| self.error(error))?;
        set_files(self.conn(), id, new.files, millis).await.map_err(|error| self.error(error))?;
        Ok(CampaignId(id))
    }

    /// Writes the next version of a campaign's text, unless `expected` is no longer the current one: then the inner
    /// error is the current version. Returns its number, and the paths of objects that nothing names any more.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if another campaign of the enterprise has the new name.
    pub async fn save_campaign_text(
        &mut self,
        campaign: CampaignId,
        expected: i64,
        new: &NewVersion<'_>,
    ) -> Result<Result<(i64, Vec<String>), i64>, StoreError> {
        let retry = self.retry_text(&new.row)?;
        let current = sqlx::query_scalar!("select current from campaign where id = $1", campaign.0)
            .fetch_one(self.conn())
            .await
            .map_err(|error| self.error(error))?;
        if current != expected {
            return Ok(Err(current));
        }
        let (number, row, now, by) = (current + 1, &new.row, self.now, self.by);
        let changed = sqlx::query!(
            "update campaign set name = $2, title = $3, mode = $4, timezone = $5, toml = $6, retry = $7 where id = $1",
            campaign.0,
            row.name,
            row.title,
            row.mode,
            row.timezone,
            row.toml,
            retry
        )
        .execute(self.conn())
        .await;
        changed.map_err(|error| match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                StoreError::Taken { what: format!("the campaign name `{}`", row.name) }
            }
            _ => self.error(error),
        })?;
        let version = version_row(number, new, now, by);
        add_version(self.conn(), campaign.0, &version).await.map_err(|error| self.error(error))?;
        let unused = set_files(self.conn(), campaign.0, new.files, now.as_millis()).await;
        Ok(Ok((number, unused.map_err(|error| self.error(error))?)))
    }

    /// Writes what was asked of a campaign and where it is.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn set_campaign_state(
        &mut self,
        campaign: CampaignId,
        desired: DesiredState,
        state: CampaignState,
        trouble: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = self.now.as_millis();
        set_state(self.conn(), campaign, Some(desired), state, trouble, now)
            .await
            .map_err(|error| self.error(error))
    }

    /// Removes a campaign without lists in work, leads and calls. Returns the paths of objects that nothing names any
    /// more; `None` = it has some, and stays.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn remove_campaign(&mut self, campaign: CampaignId) -> Result<Option<Vec<String>>, StoreError> {
        let now = self.now.as_millis();
        remove(self.conn(), campaign.0, now).await.map_err(|error| self.error(error))
    }

    fn retry_text(&self, row: &NewCampaign<'_>) -> Result<String, StoreError> {
        serde_json::to_string(row.retry)
            .map_err(|error| StoreError::Statement { path: self.store.path.clone(), why: error.to_string() })
    }
}

fn version_row(number: i64, new: &NewVersion<'_>, now: Utc, by: Option<i64>) -> VersionRow {
    VersionRow {
        number,
        toml: new.row.toml.to_owned(),
        source: "api".into(),
        note: new.note.map(str::to_owned),
        made_at: now,
        made_by: by,
    }
}

async fn remove(
    conn: &mut SqliteConnection,
    campaign: i64,
    now: i64,
) -> Result<Option<Vec<String>>, sqlx::Error> {
    let in_use = sqlx::query_scalar!(
        r#"select exists (select 1 from attempt where campaign_id = $1)
               or exists (select 1 from import where campaign_id = $1)
               or exists (select 1 from leg where kind = 'inbound' and campaign_id = $1)
               or exists (select 1 from list_upload where campaign_id = $1
                             and state in ('receiving', 'checking', 'loading')) as "in_use!: bool""#,
        campaign
    )
    .fetch_one(&mut *conn)
    .await?;
    if in_use {
        return Ok(None);
    }
    let uploads = sqlx::query!(
        "select id, blob_id, report_blob, fix_blob from list_upload where campaign_id = $1",
        campaign
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut objects = Vec::new();
    for upload in &uploads {
        super::approvals::withdraw(conn, super::approvals::ApprovalKind::List, upload.id, now).await?;
        // The id of a list that is gone may be given to another.
        sqlx::query!("update approval set subject_id = 0 where kind = 'list' and subject_id = $1", upload.id)
            .execute(&mut *conn)
            .await?;
        let own = [Some(upload.blob_id), upload.report_blob, upload.fix_blob];
        objects.extend(own.into_iter().flatten().map(BlobId));
    }
    sqlx::query!("delete from list_upload where campaign_id = $1", campaign).execute(&mut *conn).await?;
    let mut unused = set_files(conn, campaign, &BTreeMap::new(), now).await?;
    unused.extend(blobs::release(conn, objects, now).await?);
    sqlx::query!("delete from blacklist where campaign_id = $1", campaign).execute(&mut *conn).await?;
    sqlx::query!("delete from campaign_version where campaign_id = $1", campaign).execute(&mut *conn).await?;
    // Simulated agents go with the campaign that they were made for.
    sqlx::query!(
        "delete from membership where agent_id in (select id from agent where simulated_for = $1)",
        campaign
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update agent set active = false, simulated_for = null, version = version + 1 where simulated_for = $1",
        campaign
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("delete from campaign where id = $1", campaign).execute(&mut *conn).await?;
    Ok(Some(unused))
}
