//! The leads of an uploaded list: they come beside live calls, become visible together, and go together while nobody on
//! the list was called.

use super::imports::{Import, ImportId, NewImport, sweep_piece};
use super::list_uploads::{UploadId, UploadRefusal};
use super::{Store, StoreError};
use paceline_core::ids::LeadId;
use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;

/// Rows per transaction beside live calls.
const CHUNK: usize = 1_000;

/// Longest pause after a chunk.
const PAUSE_MAX_MILLIS: i64 = 2_000;

/// A list that becomes visible.
#[derive(Clone, Copy, Debug)]
pub struct LoadedUpload<'a> {
    pub id: UploadId,
    /// Each import, with the rows that it has.
    pub imports: &'a [(ImportId, u64)],
    /// The list report as JSON.
    pub report: &'a str,
    /// The account that asked for it; `None` = a program.
    pub by: Option<i64>,
}

/// Leaves the writer alone for as long as the work before took.
pub(super) async fn pause(began: Utc, ended: Utc) {
    // The wall clock may have been set meanwhile.
    let took = ended.as_millis().saturating_sub(began.as_millis()).clamp(0, PAUSE_MAX_MILLIS);
    if took > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(took as u64)).await;
    }
}

/// Closes the leads of an import from this id on whose household is done already.
pub(super) async fn close_done_households(
    conn: &mut SqliteConnection,
    import: i64,
    first: i64,
) -> Result<u64, sqlx::Error> {
    let closed = sqlx::query!(
        "update lead set state = 'done', reason = 'household_done'
          where id >= $2 and import_id = $1 and state = 'open' and household_id in
            (select other.household_id from lead other
              where other.household_id = lead.household_id and other.state = 'done' and other.import_id <> $1)",
        import,
        first
    )
    .execute(conn)
    .await?;
    Ok(closed.rows_affected())
}

/// Takes away so many of the numbers that an import gave to leads of other imports, and gives those leads their state
/// back. `true` = there are no more.
pub(super) async fn take_back_numbers(
    conn: &mut SqliteConnection,
    import: i64,
    count: i64,
) -> Result<bool, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select lead_id as "lead!", number as "number!", lead_state as "state!", lead_reason as reason,
                  lead_next_at as "next_at!"
             from import_number where import_id = $1 order by lead_id, number limit $2"#,
        import,
        count
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        sqlx::query!(
            "delete from phone where lead_id = $1 and number = $2 and attempts = 0 and last_at is null",
            row.lead,
            row.number
        )
        .execute(&mut *conn)
        .await?;
        sqlx::query!(
            "update lead set state = $2, reason = $3, next_at = $4 where id = $1 and state = 'open' and $2 <> 'open'",
            row.lead,
            row.state,
            row.reason,
            row.next_at
        )
        .execute(&mut *conn)
        .await?;
        sqlx::query!(
            "delete from import_number where import_id = $1 and lead_id = $2 and number = $3",
            import,
            row.lead,
            row.number
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok((rows.len() as i64) < count)
}

/// Calls to what a list brought, among attempts after this id.
async fn count_calls(conn: &mut SqliteConnection, upload: UploadId, after: i64) -> Result<u64, sqlx::Error> {
    let counted = sqlx::query!(
        r#"select (select count(*) from attempt a join lead l on l.id = a.lead_id join import i on i.id = l.import_id
                    where a.campaign_id = u.campaign_id and a.id > $2 and i.upload_id = u.id) as "leads!: i64",
                  (select count(*) from import i join import_number n on n.import_id = i.id
                     join attempt a on a.lead_id = n.lead_id and a.number = n.number
                    where i.upload_id = u.id and a.id > $2 and a.placed_at >= coalesce(i.done_at, 0)) as "numbers!: i64"
             from list_upload u where u.id = $1"#,
        upload.0,
        after
    )
    .fetch_optional(conn)
    .await?;
    Ok(counted.map_or(0, |row| (row.leads + row.numbers) as u64))
}

async fn last_attempt(conn: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select coalesce(max(id), 0) as "last!: i64" from attempt"#).fetch_one(conn).await
}

impl Store {
    /// Begins an import of an uploaded list.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn begin_upload_import(&self, upload: UploadId, new: &NewImport) -> Result<Import, StoreError> {
        self.begin_import_of(new, Some(upload.0)).await
    }

    /// Deletes what an interrupted load of this list left.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn sweep_upload(&self, upload: UploadId) -> Result<(), StoreError> {
        let mut conn = self.read().await?;
        let imports = sqlx::query_scalar!(
            r#"select id as "id!" from import
                where upload_id = $1 and (state = 'loading' or state = 'undone' and
                      (exists (select 1 from lead l where l.import_id = import.id)
                       or exists (select 1 from import_number n where n.import_id = import.id)
                       or exists (select 1 from further_flat f where f.import_id = import.id)
                       or exists (select 1 from refused_row r where r.import_id = import.id)))"#,
            upload.0
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        drop(conn);
        for import in imports {
            loop {
                let began = self.now();
                let piece = self.transaction(async |conn| sweep_piece(conn, import, CHUNK as i64).await);
                if piece.await.map_err(self.query_error())? {
                    break;
                }
                pause(began, self.now()).await;
            }
        }
        Ok(())
    }

    /// Gives leads of other imports further numbers; as [`Store::add_numbers`], and remembers what to take away when the
    /// list is undone.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn add_upload_numbers(
        &self,
        import: ImportId,
        numbers: &[(LeadId, PhoneNumber, String)],
    ) -> Result<(), StoreError> {
        for chunk in numbers.chunks(CHUNK) {
            let began = self.now();
            let written = self.transaction(async |conn| {
                for (lead, number, _) in chunk {
                    let number = number.as_u64() as i64;
                    sqlx::query!(
                        "insert into import_number (import_id, lead_id, number, lead_state, lead_reason, lead_next_at)
                         select $1, l.id, $3, l.state, l.reason, l.next_at from lead l
                          where l.id = $2 and not exists (select 1 from phone p where p.lead_id = $2 and p.number = $3)
                         on conflict do nothing",
                        import.0,
                        lead.0,
                        number
                    )
                    .execute(&mut *conn)
                    .await?;
                }
                super::list_growth::add_numbers_to_leads(conn, chunk).await
            });
            written.await.map_err(self.query_error())?;
            pause(began, self.now()).await;
        }
        Ok(())
    }

    /// Makes a list's imports visible and the list loaded, in one commit.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if the list is not being loaded; else the store cannot be written.
    pub async fn commit_upload(&self, loaded: &LoadedUpload<'_>) -> Result<(), StoreError> {
        let now = self.now().as_millis();
        let (id, first) = (loaded.id.0, loaded.imports.first().map(|(import, _)| import.0));
        let committed = self.transaction_with_events(async |conn| {
            let flipped = sqlx::query!(
                "update list_upload set state = 'loaded', import_id = $2, version = version + 1, changed_at = $3,
                        changed_by = $4 where id = $1 and state = 'loading'",
                id,
                first,
                now,
                loaded.by
            )
            .execute(&mut *conn)
            .await?;
            if flipped.rows_affected() == 0 {
                return Ok(false);
            }
            super::outbox::add_list(conn, id, now).await?;
            for (import, rows) in loaded.imports {
                let rows = *rows as i64;
                sqlx::query!(
                    "update import set state = 'done', rows_read = $2, report = $3, done_at = $4
                      where id = $1 and state = 'loading'",
                    import.0,
                    rows,
                    loaded.report,
                    now
                )
                .execute(&mut *conn)
                .await?;
            }
            Ok(true)
        });
        if !committed.await.map_err(self.query_error())? {
            return Err(StoreError::Unknown { what: format!("a list {id} that is being loaded") });
        }
        self.write.note_lists_changed();
        Ok(())
    }

    /// How many calls were made to what a list brought.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn count_upload_calls(&self, upload: UploadId) -> Result<u64, StoreError> {
        let mut conn = self.read().await?;
        count_calls(&mut conn, upload, 0).await.map_err(self.query_error())
    }

    /// Makes a list's leads invisible, unless somebody on it was called; [`Store::sweep_upload`] deletes them. The long
    /// count runs beside the writer, its own transaction counts what came since.
    ///
    /// # Errors
    /// The store cannot be written. The inner error says why the list stays.
    pub async fn undo_upload(
        &self,
        upload: UploadId,
        by: Option<i64>,
    ) -> Result<Result<(), UploadRefusal>, StoreError> {
        let mut conn = self.read().await?;
        let last = last_attempt(&mut conn).await.map_err(self.query_error())?;
        let called = count_calls(&mut conn, upload, 0).await.map_err(self.query_error())?;
        drop(conn);
        if called > 0 {
            return Ok(Err(UploadRefusal::Called(called)));
        }
        let now = self.now().as_millis();
        let undone = self.transaction_with_events(async |conn| {
            let called = count_calls(conn, upload, last).await?;
            if called > 0 {
                return Ok(Err(UploadRefusal::Called(called)));
            }
            sqlx::query!(
                "update import set state = 'undone', undone_at = $2 where upload_id = $1 and state = 'done'",
                upload.0,
                now
            )
            .execute(&mut *conn)
            .await?;
            sqlx::query!(
                "update list_upload set state = 'undone', version = version + 1, changed_at = $2, changed_by = $3
                  where id = $1 and state = 'loaded'",
                upload.0,
                now,
                by
            )
            .execute(&mut *conn)
            .await?;
            super::outbox::add_list(conn, upload.0, now).await?;
            Ok(Ok(()))
        });
        let undone = undone.await.map_err(self.query_error())?;
        self.write.note_lists_changed();
        Ok(undone)
    }
}
