//! Undoing imports: they are marked in one transaction, and their rows are deleted in pieces behind it.

use super::{Change, ImportId, ImportRecord, Store, StoreError};
use paceline_core::ids::CampaignId;
use sqlx::SqliteConnection;

impl Store {
    /// Undoes an import and deletes its rows. Refused once an attempt was made from it.
    pub async fn undo_import(&self, import: ImportId) -> Result<(), StoreError> {
        let now = self.now().as_millis();
        let undone = self.transaction(async |conn| mark_undone(conn, import, now).await).await;
        undone.map_err(self.query_error())??;
        self.write.note_lists_changed();
        self.write.sweep(import).await.map_err(self.query_error())
    }

    /// Undoes what was imported last: every import of that file, since the sheets of a workbook are taken in together.
    /// All of them or none; refused once an attempt was made from one. Empty = the campaign has no import.
    pub async fn undo_last_list(&self, campaign: CampaignId) -> Result<Vec<ImportRecord>, StoreError> {
        let imports = self.last_list(campaign).await?;
        let now = self.now().as_millis();
        let undone = self.write.transaction(async |conn| mark_all_undone(conn, &imports, now).await);
        undone.await.map_err(|error| error.of(self))?;
        self.sweep_undone(&imports).await?;
        Ok(imports)
    }

    /// The imports of the file that was imported last.
    async fn last_list(&self, campaign: CampaignId) -> Result<Vec<ImportRecord>, StoreError> {
        let mut imports = self.imports(campaign).await?;
        // Leads that were added by hand are no list.
        imports.retain(|import| import.fingerprint != super::lead_additions::FINGERPRINT);
        let file =
            |import: &ImportRecord| import.fingerprint.split('#').next().unwrap_or_default().to_owned();
        if let Some(last) = imports.last().map(file) {
            imports.retain(|import| file(import) == last);
        }
        Ok(imports)
    }

    /// Deletes the rows of imports that were undone just now.
    pub async fn sweep_undone(&self, imports: &[ImportRecord]) -> Result<(), StoreError> {
        self.write.note_lists_changed();
        for import in imports {
            self.write.sweep(import.id).await.map_err(self.query_error())?;
        }
        Ok(())
    }
}

/// Why imports were not undone; either rolls back.
enum UndoError {
    Refused(StoreError),
    Query(sqlx::Error),
}

impl From<sqlx::Error> for UndoError {
    fn from(error: sqlx::Error) -> Self {
        UndoError::Query(error)
    }
}

impl UndoError {
    fn of(self, store: &Store) -> StoreError {
        match self {
            UndoError::Refused(refused) => refused,
            UndoError::Query(error) => store.query_error()(error),
        }
    }
}

async fn mark_all_undone(
    conn: &mut SqliteConnection,
    imports: &[ImportRecord],
    now: i64,
) -> Result<(), UndoError> {
    for import in imports {
        mark_undone(conn, import.id, now).await?.map_err(UndoError::Refused)?;
    }
    Ok(())
}

impl Change<'_> {
    /// As [`Store::undo_last_list`]. What is left of the imports is deleted after the commit, by
    /// [`Store::sweep_undone`] or by the next start.
    pub async fn undo_last_list(&mut self, campaign: CampaignId) -> Result<Vec<ImportRecord>, StoreError> {
        let imports = self.store.last_list(campaign).await?;
        let now = self.now.as_millis();
        let undone = mark_all_undone(self.conn(), &imports, now).await;
        undone.map_err(|error| error.of(self.store))?;
        Ok(imports)
    }
}

/// Marks an import as undone: its leads are invisible from this commit on.
async fn mark_undone(
    conn: &mut SqliteConnection,
    import: ImportId,
    now: i64,
) -> Result<Result<(), StoreError>, sqlx::Error> {
    let state = sqlx::query_scalar!("select state from import where id = $1", import.0)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(state) = state else {
        return Ok(Err(StoreError::Unknown { what: format!("import {}", import.0) }));
    };
    if state != "done" {
        return Ok(Err(StoreError::ImportNotDone { state }));
    }
    let attempts = sqlx::query_scalar!(
        r#"select count(*) as "n!" from attempt a join lead l on l.id = a.lead_id
            where l.import_id = $1 and a.campaign_id = (select campaign_id from import where id = $1)"#,
        import.0
    )
    .fetch_one(&mut *conn)
    .await?;
    if attempts > 0 {
        return Ok(Err(StoreError::ImportInUse { attempts: attempts as u64 }));
    }
    sqlx::query!("update import set state = 'undone', undone_at = $2 where id = $1", import.0, now)
        .execute(&mut *conn)
        .await?;
    Ok(Ok(()))
}
