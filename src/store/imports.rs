//! Imports: list rows become leads. An import is written in chunks and stays invisible until its state flips
//! from `loading` to `done`: all or nothing, without blocking the commits of live calls.

use super::{Store, StoreError, WriteConnection, further_flats, take_ids, upload_loads};
use crate::lists::{FurtherFlat, LeadRow, RefusedRow};
use paceline_core::ids::CampaignId;
use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Rows per transaction: short enough that a call's commit waits only milliseconds for it.
const CHUNK: usize = 1_000;

/// Leads deleted per transaction.
const SWEEP: i64 = 20_000;

/// Row id of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImportId(pub i64);

/// Data of an import that is known before its first row.
#[derive(Clone, Debug)]
pub struct NewImport {
    pub campaign: CampaignId,
    pub file: String,
    /// Identifies the list content (size and hash), to recognise a repeated import.
    pub fingerprint: String,
    /// Column names of the list, in order.
    pub header: Vec<String>,
}

/// A finished import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRecord {
    pub id: ImportId,
    pub file: String,
    pub fingerprint: String,
    pub header: Vec<String>,
    /// Rows as counted by the list reader.
    pub rows_read: u64,
    /// The list report as JSON.
    pub report: String,
    pub done_at: Utc,
}

/// An import in progress. If it is dropped without [`Import::commit`], the next start deletes its rows.
pub struct Import {
    id: ImportId,
    campaign: CampaignId,
    write: Arc<WriteConnection>,
    clock: super::Clock,
    rows: u64,
    is_upload: bool,
}

impl Store {
    /// Begins an import. Its rows are invisible until [`Import::commit`].
    pub async fn begin_import(&self, new: &NewImport) -> Result<Import, StoreError> {
        self.begin_import_of(new, None).await
    }

    /// Begins an import of an uploaded list; several of one list become visible together.
    pub(crate) async fn begin_import_of(
        &self,
        new: &NewImport,
        upload: Option<i64>,
    ) -> Result<Import, StoreError> {
        let header = serde_json::to_string(&new.header).unwrap_or_else(|_| "[]".to_string());
        let (campaign, now) = (new.campaign.0, self.now().as_millis());
        let id = self
            .transaction(async |conn| {
                let id = take_ids(conn, "import", 1).await?;
                sqlx::query!(
                    "insert into import (id, campaign_id, file, fingerprint, header, state, began_at, upload_id)
                     values ($1, $2, $3, $4, $5, 'loading', $6, $7)",
                    id,
                    campaign,
                    new.file,
                    new.fingerprint,
                    header,
                    now,
                    upload
                )
                .execute(conn)
                .await?;
                Ok(id)
            })
            .await
            .map_err(self.query_error())?;
        Ok(Import {
            id: ImportId(id),
            campaign: new.campaign,
            write: self.write.clone(),
            clock: self.clock.clone(),
            rows: 0,
            is_upload: upload.is_some(),
        })
    }

    /// The finished imports of a campaign, oldest first.
    pub async fn imports(&self, campaign: CampaignId) -> Result<Vec<ImportRecord>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select id as "id!", file, fingerprint, header, rows_read, report, done_at as "done_at!"
                 from import where campaign_id = $1 and state = 'done' order by id"#,
            campaign.0
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let records = rows.into_iter().map(|row| ImportRecord {
            id: ImportId(row.id),
            file: row.file,
            fingerprint: row.fingerprint,
            header: serde_json::from_str(&row.header).unwrap_or_default(),
            rows_read: row.rows_read as u64,
            report: row.report,
            done_at: Utc::from_millis(row.done_at),
        });
        Ok(records.collect())
    }

    /// The finished import with this fingerprint.
    pub async fn same_list(
        &self,
        campaign: CampaignId,
        fingerprint: &str,
    ) -> Result<Option<ImportRecord>, StoreError> {
        let imports = self.imports(campaign).await?;
        Ok(imports.into_iter().find(|import| import.fingerprint == fingerprint))
    }

    /// Every number of the campaign's leads, ascending and distinct.
    pub async fn known_numbers(&self, campaign: CampaignId) -> Result<Vec<PhoneNumber>, StoreError> {
        let mut conn = self.read().await?;
        let numbers = sqlx::query_scalar!(
            r#"select distinct p.number as "number!"
                 from import i join lead l on l.import_id = i.id join phone p on p.lead_id = l.id
                where i.campaign_id = $1 and i.state = 'done' order by p.number"#,
            campaign.0
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(numbers.into_iter().filter_map(|number| PhoneNumber::from_e164(number as u64)).collect())
    }

    /// Deletes the rows of interrupted and undone imports, and leads that belong to no import at all.
    pub(crate) async fn sweep_unfinished_imports(&self) -> Result<(), StoreError> {
        let mut conn = self.write.lock().await;
        // The ids of imports that have leads, found by skipping through the index: a few steps at any size.
        let left = sqlx::query_scalar!(
            r#"with recursive used (id) as (
                 select min(import_id) from lead
                 union all
                 select (select min(l.import_id) from lead l where l.import_id > used.id)
                   from used where used.id is not null)
               select i.id as "id!: i64" from import i
                where i.state = 'loading'
                   or (i.state = 'undone' and (exists (select 1 from lead l where l.import_id = i.id)
                        or exists (select 1 from import_number n where n.import_id = i.id)
                        or exists (select 1 from further_flat f where f.import_id = i.id)))
               union
               select used.id from used
                where used.id is not null and not exists (select 1 from import i where i.id = used.id)"#
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        drop(conn);
        for import in left {
            self.write.sweep(ImportId(import)).await.map_err(self.query_error())?;
        }
        Ok(())
    }
}

impl WriteConnection {
    /// Deletes the rows of an invisible import, in chunks.
    pub(super) async fn sweep(&self, import: ImportId) -> Result<(), sqlx::Error> {
        while !self.transaction(async |conn| sweep_piece(conn, import.0, SWEEP).await).await? {}
        Ok(())
    }
}

/// Deletes one chunk of so many leads. `true` = it was the last.
pub(super) async fn sweep_piece(
    conn: &mut SqliteConnection,
    import: i64,
    count: i64,
) -> Result<bool, sqlx::Error> {
    if !upload_loads::take_back_numbers(conn, import, count).await? {
        return Ok(false);
    }
    let households = sqlx::query_scalar!(
        r#"select distinct household_id as "household!" from lead where household_id is not null and id in
             (select id from lead where import_id = $1 order by list_row, id limit $2)"#,
        import,
        count
    )
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from phone where lead_id in
           (select id from lead where import_id = $1 order by list_row, id limit $2)",
        import,
        count
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from lead_assignment where lead_id in
           (select id from lead where import_id = $1 order by list_row, id limit $2)",
        import,
        count
    )
    .execute(&mut *conn)
    .await?;
    let leads = sqlx::query!(
        "delete from lead where id in
           (select id from lead where import_id = $1 order by list_row, id limit $2)",
        import,
        count
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    // Households that no other lead has: those of this chunk, so that a large campaign holds up no commit.
    let households = json(&households);
    sqlx::query!(
        "delete from household where id in (select cast(value as bigint) from json_each($1))
            and not exists (select 1 from lead where lead.household_id = household.id)",
        households
    )
    .execute(&mut *conn)
    .await?;
    if leads == count as u64 {
        return Ok(false);
    }
    sqlx::query!("delete from refused_row where import_id = $1", import).execute(&mut *conn).await?;
    sqlx::query!("delete from further_flat where import_id = $1", import).execute(&mut *conn).await?;
    sqlx::query!("delete from import where id = $1 and state = 'loading'", import)
        .execute(&mut *conn)
        .await?;
    Ok(true)
}

impl Import {
    pub fn id(&self) -> ImportId {
        self.id
    }

    /// Writes rows, in list order.
    pub async fn push(&mut self, leads: &[LeadRow], refused: &[RefusedRow]) -> Result<(), StoreError> {
        for chunk in leads.chunks(CHUNK) {
            self.push_chunk(chunk, &[]).await?;
        }
        for chunk in refused.chunks(CHUNK) {
            self.push_chunk(&[], chunk).await?;
        }
        self.rows += (leads.len() + refused.len()) as u64;
        Ok(())
    }

    /// As [`Import::push`], beside live calls: after each chunk the writer is left alone for as long as the chunk took.
    /// Leads of households that are done come in as done. Returns how many.
    pub async fn push_paced(&mut self, leads: &[LeadRow], refused: &[RefusedRow]) -> Result<u64, StoreError> {
        let mut household_done = 0;
        for chunk in leads.chunks(CHUNK) {
            let began = (self.clock)();
            household_done += self.push_chunk(chunk, &[]).await?;
            self.pause_since(began).await;
        }
        for chunk in refused.chunks(CHUNK) {
            let began = (self.clock)();
            self.push_chunk(&[], chunk).await?;
            self.pause_since(began).await;
        }
        self.rows += (leads.len() + refused.len()) as u64;
        Ok(household_done)
    }

    /// Writes the flats that rows name whose numbers the campaign has.
    pub async fn push_flats(&mut self, flats: &[FurtherFlat]) -> Result<(), StoreError> {
        for chunk in flats.chunks(CHUNK) {
            let began = (self.clock)();
            let flats: Vec<&FurtherFlat> = chunk.iter().collect();
            let written = self.write.transaction(async |conn| {
                further_flats::insert(conn, self.campaign.0, self.id.0, &flats).await
            });
            written.await.map_err(|e| StoreError::from_query(&self.write.path, &e))?;
            if self.is_upload {
                self.pause_since(began).await;
            }
        }
        Ok(())
    }

    async fn pause_since(&self, began: Utc) {
        upload_loads::pause(began, (self.clock)()).await;
    }

    /// Returns how many leads are of households that are done: closed, if the import is of an upload.
    async fn push_chunk(&self, leads: &[LeadRow], refused: &[RefusedRow]) -> Result<u64, StoreError> {
        let written = self.write.transaction(async |conn| {
            let mut household_done = 0;
            if !leads.is_empty() {
                let first = insert_leads(conn, self.campaign.0, self.id.0, leads).await?;
                if self.is_upload {
                    household_done = upload_loads::close_done_households(conn, self.id.0, first).await?;
                }
            }
            if !refused.is_empty() {
                insert_refused(conn, self.id.0, refused).await?;
                let flats: Vec<&FurtherFlat> = refused.iter().filter_map(|row| row.flat.as_ref()).collect();
                further_flats::insert(conn, self.campaign.0, self.id.0, &flats).await?;
            }
            Ok::<_, sqlx::Error>(household_done)
        });
        written.await.map_err(|e| StoreError::from_query(&self.write.path, &e))
    }

    /// Completes the import: its leads may be dialled from now on. `rows_read` is the list reader's count,
    /// `report` its list report as JSON.
    pub async fn commit(self, rows_read: u64, report: &str) -> Result<ImportId, StoreError> {
        let (now, rows) = ((self.clock)().as_millis(), rows_read as i64);
        let done = self.write.transaction(async |conn| {
            let done = sqlx::query!(
                "update import set state = 'done', rows_read = $2, report = $3, done_at = $4
                  where id = $1 and state = 'loading'",
                self.id.0,
                rows,
                report,
                now
            )
            .execute(conn)
            .await?;
            Ok::<_, sqlx::Error>(done.rows_affected())
        });
        if done.await.map_err(|e| StoreError::from_query(&self.write.path, &e))? == 0 {
            return Err(StoreError::Unknown { what: format!("import {}", self.id.0) });
        }
        self.write.note_lists_changed();
        Ok(self.id)
    }

    /// Cancels the import and deletes its rows.
    pub async fn abandon(self) -> Result<(), StoreError> {
        self.write.sweep(self.id).await.map_err(|e| StoreError::from_query(&self.write.path, &e))
    }

    /// Rows pushed so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

/// Returns the id of the first.
async fn insert_leads(
    conn: &mut SqliteConnection,
    campaign: i64,
    import: i64,
    leads: &[LeadRow],
) -> Result<i64, sqlx::Error> {
    let first_lead = take_ids(conn, "lead", leads.len()).await?;
    let ids = first_lead..;
    let rows: Vec<_> = ids
        .clone()
        .zip(leads)
        .map(|(id, lead)| {
            let (name, household, building) = (text(&lead.name), text(&lead.household), text(&lead.building));
            (id, lead.row, name, household, cells(&lead.cells), building, lead.area)
        })
        .collect();
    let phones: Vec<_> = ids
        .zip(leads)
        .flat_map(|(id, lead)| {
            let phones = lead.phones.iter().enumerate();
            phones.map(move |(at, (number, given))| (id, at, number.as_u64(), without_nul(given)))
        })
        .collect();
    if leads.iter().any(|lead| lead.household.is_some()) {
        let names: BTreeSet<_> = leads.iter().filter_map(|lead| text(&lead.household)).collect();
        let first = take_ids(conn, "household", names.len()).await?;
        let households = json(&(first..).zip(names).collect::<Vec<_>>());
        sqlx::query!(
            "insert into household (id, campaign_id, name)
             select value ->> 0, $1, value ->> 1 from json_each($2) where true
             on conflict (campaign_id, name) do nothing",
            campaign,
            households
        )
        .execute(&mut *conn)
        .await?;
    }
    let rows = json(&rows);
    sqlx::query!(
        "insert into lead (id, campaign_id, import_id, list_row, name, household_id, cells, building, area)
         select value ->> 0, $1, $2, value ->> 1, value ->> 2,
                (select h.id from household h where h.campaign_id = $1 and h.name = value ->> 3),
                value ->> 4, value ->> 5, value ->> 6
           from json_each($3)",
        campaign,
        import,
        rows
    )
    .execute(&mut *conn)
    .await?;
    let phones = json(&phones);
    sqlx::query!(
        "insert into phone (lead_id, position, number, given)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each($1)",
        phones
    )
    .execute(&mut *conn)
    .await?;
    Ok(first_lead)
}

async fn insert_refused(
    conn: &mut SqliteConnection,
    import: i64,
    refused: &[RefusedRow],
) -> Result<(), sqlx::Error> {
    let rows: Vec<_> = refused
        .iter()
        .map(|row| (row.row, cells(&row.cells), row.reason.word(), without_nul(&row.hint)))
        .collect();
    let rows = json(&rows);
    sqlx::query!(
        "insert into refused_row (import_id, list_row, cells, reason, hint)
         select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each($2)",
        import,
        rows
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

pub(super) fn json<T: serde::Serialize>(rows: &T) -> String {
    serde_json::to_string(rows).expect("text, numbers and lists of them always have a JSON form")
}

/// The cells of a row as a JSON array of text.
fn cells(cells: &[String]) -> String {
    let kept: Vec<_> = cells.iter().map(|cell| without_nul(cell)).collect();
    json(&kept)
}

fn text(text: &Option<String>) -> Option<std::borrow::Cow<'_, str>> {
    text.as_deref().map(without_nul)
}

/// Replaces NUL by U+FFFD: a NUL ends the text for C programs.
fn without_nul(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}
