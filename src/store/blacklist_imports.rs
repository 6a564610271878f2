//! Blacklists that people send: checked first, then the entries of their source, all of them or none. Rows of an import
//! hold from one word on; what the source had before is hidden by the same word and removed in pieces after it.

use super::blacklist::{BlacklistAddition, CHUNK, json_numbers, pattern, patterns_json, scope};
use super::blobs::{self, BlobId, NewBlob};
use super::task_rows::{NewTask, TaskId, TaskKind, queue_with};
use super::{Change, Scope, Store, StoreError, take_ids};
use paceline_core::ids::CampaignId;
use paceline_core::number_pattern::NumberPattern;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;

/// Row id of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlacklistImportId(pub i64);

/// A blacklist that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBlacklistImport<'a> {
    pub organisation: i64,
    /// `None` = every campaign.
    pub campaign: Option<CampaignId>,
    pub source: &'a str,
    pub file_name: &'a str,
    /// `None` = the source is emptied.
    pub blob: Option<NewBlob<'a>>,
    pub made_by: Option<i64>,
    pub added_by: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlacklistImportRow {
    pub id: BlacklistImportId,
    pub enterprise: i64,
    pub organisation: i64,
    pub campaign: Option<CampaignId>,
    pub source: String,
    pub file_name: String,
    pub blob: Option<BlobId>,
    pub state: String,
    /// JSON.
    pub error: Option<String>,
    /// JSON.
    pub report: Option<String>,
    pub entries: u64,
    pub gone: u64,
    pub leftovers_before: i64,
    pub task: Option<TaskId>,
    pub made_at: Utc,
    pub made_by: Option<i64>,
    pub added_by: String,
}

struct Columns {
    id: i64,
    enterprise_id: i64,
    organisation_id: i64,
    campaign_id: i64,
    source: String,
    file_name: String,
    blob_id: Option<i64>,
    state: String,
    error: Option<String>,
    report: Option<String>,
    entries: i64,
    gone: i64,
    leftovers_before: i64,
    task_id: Option<i64>,
    made_at: i64,
    made_by: Option<i64>,
    added_by: String,
}

impl Columns {
    fn row(self) -> BlacklistImportRow {
        BlacklistImportRow {
            id: BlacklistImportId(self.id),
            enterprise: self.enterprise_id,
            organisation: self.organisation_id,
            campaign: (self.campaign_id != 0).then_some(CampaignId(self.campaign_id)),
            source: self.source,
            file_name: self.file_name,
            blob: self.blob_id.map(BlobId),
            state: self.state,
            error: self.error,
            report: self.report,
            entries: self.entries as u64,
            gone: self.gone as u64,
            leftovers_before: self.leftovers_before,
            task: self.task_id.map(TaskId),
            made_at: Utc::from_millis(self.made_at),
            made_by: self.made_by,
            added_by: self.added_by,
        }
    }
}

/// Entries of one source in one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlacklistSource {
    pub campaign: Option<CampaignId>,
    pub source: String,
    pub entries: u64,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlacklistChecked<'a> {
    /// `checked` or `unreadable`.
    pub state: &'a str,
    pub error: Option<&'a str>,
    pub report: Option<&'a str>,
    pub entries: u64,
    pub gone: u64,
}

async fn queue_work(
    conn: &mut SqliteConnection,
    enterprise: i64,
    id: i64,
    asked_by: Option<i64>,
    asked: &serde_json::Value,
    now: i64,
) -> Result<TaskId, sqlx::Error> {
    let new = NewTask { enterprise, kind: TaskKind::ImportBlacklist, subject: id, total: 0, asked_by };
    let task = queue_with(conn, new, asked, now).await?;
    sqlx::query!(
        "update blacklist_import set task_id = $2 where id = $1 and enterprise_id = $3",
        id,
        task.0,
        enterprise
    )
    .execute(conn)
    .await?;
    Ok(task)
}

impl Change<'_> {
    /// Enters a blacklist and queues its check. Returns whether its bytes were known beside it.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn add_blacklist_import(
        &mut self,
        new: &NewBlacklistImport<'_>,
        asked: &serde_json::Value,
    ) -> Result<(BlacklistImportId, bool), StoreError> {
        let (enterprise, now) = (self.enterprise(), self.at().as_millis());
        let entered = match &new.blob {
            Some(blob) => {
                Some(blobs::enter(self.conn(), blob, now).await.map_err(|error| self.error(error))?)
            }
            None => None,
        };
        let (blob, campaign) = (entered.map(|blob| blob.id.0), scope(new.campaign));
        let id = sqlx::query_scalar!(
            r#"insert into blacklist_import (enterprise_id, organisation_id, campaign_id, source, file_name, blob_id,
                                             made_at, made_by, added_by)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id as "id!""#,
            enterprise,
            new.organisation,
            campaign,
            new.source,
            new.file_name,
            blob,
            now,
            new.made_by,
            new.added_by
        )
        .fetch_one(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        let queued = queue_work(self.conn(), enterprise, id, new.made_by, asked, now).await;
        queued.map_err(|error| self.error(error))?;
        Ok((BlacklistImportId(id), entered.is_some_and(|blob| blob.is_known)))
    }

    /// Queues the loading of a blacklist that was checked. `false` = it is in another state.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn begin_blacklist_load(
        &mut self,
        id: BlacklistImportId,
        asked_by: Option<i64>,
        asked: &serde_json::Value,
    ) -> Result<bool, StoreError> {
        let (enterprise, now) = (self.enterprise(), self.at().as_millis());
        let begun = sqlx::query!(
            "update blacklist_import set state = 'loading', error = null
              where id = $1 and enterprise_id = $2 and state = 'checked'",
            id.0,
            enterprise
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        if begun.rows_affected() == 0 {
            return Ok(false);
        }
        let queued = queue_work(self.conn(), enterprise, id.0, asked_by, asked, now).await;
        queued.map_err(|error| self.error(error))?;
        Ok(true)
    }

    /// Discards a blacklist that is not loaded. `None` = it is in another state; else the paths of objects that nothing
    /// names any more.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn discard_blacklist_import(
        &mut self,
        row: &BlacklistImportRow,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let (enterprise, now) = (self.enterprise(), self.at().as_millis());
        let discarded = sqlx::query!(
            "update blacklist_import set state = 'discarded'
              where id = $1 and enterprise_id = $2 and state in ('unreadable', 'checked')",
            row.id.0,
            enterprise
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        if discarded.rows_affected() == 0 {
            return Ok(None);
        }
        let freed = blobs::release(self.conn(), row.blob, now).await;
        freed.map(Some).map_err(|error| self.error(error))
    }

    /// The word that makes an import the entries of its source. Returns the paths of objects that nothing names any more.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn load_blacklist_import(
        &mut self,
        row: &BlacklistImportRow,
    ) -> Result<Vec<String>, StoreError> {
        let now = self.at().as_millis();
        let flipped = flip(self.conn(), row, now).await;
        flipped.map_err(|error| self.error(error))
    }
}

async fn flip(
    conn: &mut SqliteConnection,
    row: &BlacklistImportRow,
    now: i64,
) -> Result<Vec<String>, sqlx::Error> {
    let campaign = scope(row.campaign);
    // Entries that the source gets later have higher ids and stay.
    let before = take_ids(conn, "blacklist", 1).await?;
    sqlx::query!(
        "update blacklist_import set state = 'replaced'
          where campaign_id = $1 and source = $2 and enterprise_id = $3 and state = 'loaded' and id <> $4",
        campaign,
        row.source,
        row.enterprise,
        row.id.0
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update blacklist_import set state = 'loaded', leftovers_before = $3 where id = $1 and enterprise_id = $2",
        row.id.0,
        row.enterprise,
        before
    )
    .execute(&mut *conn)
    .await?;
    blobs::release(conn, row.blob, now).await
}

impl Store {
    /// One import of an enterprise.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn blacklist_import(
        &self,
        enterprise: i64,
        id: BlacklistImportId,
    ) -> Result<Option<BlacklistImportRow>, StoreError> {
        let mut conn = self.read().await?;
        let found = sqlx::query_as!(
            Columns,
            r#"select id as "id!", enterprise_id, organisation_id, campaign_id, source, file_name, blob_id, state, error,
                      report, entries, gone, leftovers_before, task_id, made_at, made_by, added_by
                 from blacklist_import where id = $1 and enterprise_id = $2"#,
            id.0,
            enterprise
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(found.map(Columns::row))
    }

    /// Imports of a scope, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn blacklist_imports(
        &self,
        seen: &Scope,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<BlacklistImportRow>, StoreError> {
        let mut conn = self.read().await?;
        let (organisations, is_whole) = (json_numbers(seen.organisations.iter().copied()), seen.is_whole());
        let (before, limit) = (before.unwrap_or(i64::MAX), i64::from(limit));
        let rows = sqlx::query_as!(
            Columns,
            r#"select id as "id!", enterprise_id, organisation_id, campaign_id, source, file_name, blob_id, state, error,
                      report, entries, gone, leftovers_before, task_id, made_at, made_by, added_by
                 from blacklist_import
                where enterprise_id = $1 and id < $2
                  and ($3 or organisation_id in (select cast(value as bigint) from json_each($4)))
                order by id desc limit $5"#,
            seen.enterprise,
            before,
            is_whole,
            organisations,
            limit
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().map(Columns::row).collect())
    }

    /// Writes what a check found. `false` = the import is not being checked any more.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn finish_blacklist_check(
        &self,
        enterprise: i64,
        id: BlacklistImportId,
        found: BlacklistChecked<'_>,
    ) -> Result<bool, StoreError> {
        let (entries, gone) = (found.entries as i64, found.gone as i64);
        self.transaction(async |conn| {
            let written = sqlx::query!(
                "update blacklist_import set state = $3, error = $4, report = $5, entries = $6, gone = $7
                  where id = $1 and enterprise_id = $2 and state = 'checking'",
                id.0,
                enterprise,
                found.state,
                found.error,
                found.report,
                entries,
                gone
            )
            .execute(conn)
            .await?;
            Ok(written.rows_affected() > 0)
        })
        .await
        .map_err(self.query_error())
    }

    /// A load that did not come to its end: the import may be loaded again.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn reset_blacklist_load(
        &self,
        enterprise: i64,
        id: BlacklistImportId,
        error: &str,
    ) -> Result<(), StoreError> {
        self.transaction(async |conn| {
            sqlx::query!(
                "update blacklist_import set state = 'checked', error = $3
                  where id = $1 and enterprise_id = $2 and state = 'loading'",
                id.0,
                enterprise,
                error
            )
            .execute(conn)
            .await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }

    /// Up to `limit` entries in force of one source in one scope behind an id, in order of id.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn source_entries(
        &self,
        campaign: Option<CampaignId>,
        source: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, NumberPattern)>, StoreError> {
        let mut conn = self.read().await?;
        let (campaign, limit) = (scope(campaign), i64::from(limit));
        let rows = sqlx::query!(
            r#"select b.id as "id!", b.digits, b.is_prefix as "is_prefix!: bool" from blacklist b
                where b.id > $1 and b.campaign_id = $2 and b.source = $3
                  and (b.import_id = 0 or exists (select 1 from blacklist_import i
                                                   where i.id = b.import_id and i.state = 'loaded'))
                order by b.id limit $4"#,
            after,
            campaign,
            source,
            limit
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().filter_map(|row| Some((row.id, pattern(row.digits, row.is_prefix)?))).collect())
    }

    /// The sources of a scope's entries; `of_system` = those of every campaign are among them.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn blacklist_sources(
        &self,
        seen: &Scope,
        of_system: bool,
    ) -> Result<Vec<BlacklistSource>, StoreError> {
        let mut conn = self.read().await?;
        let organisations = json_numbers(seen.organisations.iter().copied());
        let rows = sqlx::query!(
            r#"select b.campaign_id as "campaign!: i64", b.source as "source!: String", count(*) as "n!: i64"
                 from blacklist b
                where (b.import_id = 0 or exists (select 1 from blacklist_import i
                                                   where i.id = b.import_id and i.state = 'loaded'))
                  and (b.campaign_id = 0 and $1 or b.campaign_id in
                        (select c.id from campaign c where c.enterprise_id = $2
                            and c.organisation_id in (select cast(value as bigint) from json_each($3))))
                group by b.campaign_id, b.source order by b.campaign_id, b.source limit 1000"#,
            of_system,
            seen.enterprise,
            organisations
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let rows = rows.into_iter().map(|row| BlacklistSource {
            campaign: (row.campaign != 0).then_some(CampaignId(row.campaign)),
            source: row.source,
            entries: row.n as u64,
        });
        Ok(rows.collect())
    }

    /// Writes rows of an import, which do not hold yet; a pattern that stands there already stays as it is.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn insert_import_rows(
        &self,
        row: &BlacklistImportRow,
        patterns: &[NumberPattern],
    ) -> Result<(), StoreError> {
        let (campaign, now) = (scope(row.campaign), self.now().as_millis());
        for chunk in patterns.chunks(CHUNK) {
            self.transaction(async |conn| {
                let first = take_ids(conn, "blacklist", chunk.len()).await?;
                let rows = patterns_json(first, chunk);
                sqlx::query!(
                    "insert into blacklist (id, campaign_id, digits, is_prefix, source, added_by, added_at, reading,
                                            import_id)
                     select value ->> 0, $2, value ->> 1, value ->> 2, $3, $4, $5, 0, $6 from json_each($1) where true
                     on conflict (digits, is_prefix, campaign_id, source, import_id) do nothing",
                    rows,
                    campaign,
                    row.source,
                    row.added_by,
                    now,
                    row.id.0
                )
                .execute(conn)
                .await?;
                Ok(())
            })
            .await
            .map_err(self.query_error())?;
        }
        Ok(())
    }

    /// Removes some rows of an import. `false` = there are no more.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn delete_import_rows(&self, id: BlacklistImportId) -> Result<bool, StoreError> {
        let limit = CHUNK as i64;
        self.transaction(async |conn| {
            let deleted = sqlx::query!(
                "delete from blacklist where id in
                   (select b.id from blacklist b where b.import_id = $1 and b.import_id <> 0 order by b.id limit $2)",
                id.0,
                limit
            )
            .execute(conn)
            .await?;
            Ok(deleted.rows_affected() > 0)
        })
        .await
        .map_err(self.query_error())
    }

    /// Removes some rows that a loaded import has replaced. `false` = there are no more, which is noted.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn delete_replaced_rows(&self, row: &BlacklistImportRow) -> Result<bool, StoreError> {
        let (campaign, limit) = (scope(row.campaign), CHUNK as i64);
        self.transaction(async |conn| {
            let deleted = sqlx::query!(
                "delete from blacklist where id in
                   (select b.id from blacklist b
                     where b.campaign_id = $1 and b.source = $2 and b.import_id <> $3 and b.id < $4
                       and (b.import_id = 0 or exists (select 1 from blacklist_import i
                                                        where i.id = b.import_id and i.state = 'replaced'))
                     limit $5)",
                campaign,
                row.source,
                row.id.0,
                row.leftovers_before,
                limit
            )
            .execute(&mut *conn)
            .await?;
            if deleted.rows_affected() > 0 {
                return Ok(true);
            }
            sqlx::query!(
                "update blacklist_import set leftovers_before = 0 where id = $1 and enterprise_id = $2",
                row.id.0,
                row.enterprise
            )
            .execute(conn)
            .await?;
            Ok(false)
        })
        .await
        .map_err(self.query_error())
    }

    /// An addition that an import stands for: the engine is notified of it, and leads are closed.
    pub fn addition_of(row: &BlacklistImportRow, patterns: &[NumberPattern]) -> BlacklistAddition {
        BlacklistAddition {
            campaign: row.campaign,
            patterns: patterns.to_vec(),
            source: row.source.clone(),
            added_by: Some(row.added_by.clone()),
            ..BlacklistAddition::default()
        }
    }
}
