//! Approvals of caller IDs: a second person's word on who holds a number. What is approved is the number with its holder
//! and its proof; another content is asked for anew.

use super::approvals::{self, ApprovalId, ApprovalKind, Asked};
use super::blobs::{self, NewBlob};
use super::caller_id_changes::{LogEntry, add_log};
use super::caller_ids::{CallerIdKey, CallerIdRow, read_all, read_one};
use super::{Change, StoreError, outbox};
use paceline_core::caller_id_life::CallerIdState;
use paceline_core::campaign::caller_id::Usage;
use serde_json::json;
use sqlx::SqliteConnection;

/// A proof that was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnteredProof {
    /// The same bytes were there: the new object is not needed.
    pub blob_is_known: bool,
    /// Objects that nothing names any more.
    pub unused: Vec<String>,
}

/// Moves a number on after the word on it: an approved content is noted, a refused number goes back to the beginning.
pub(super) async fn decided(
    conn: &mut SqliteConnection,
    id: CallerIdKey,
    (approves, note): (bool, Option<&str>),
    by: i64,
    now: i64,
) -> Result<(), sqlx::Error> {
    let Some(row) = read_one(conn, id).await? else { return Ok(()) };
    let (was, entered) = (row.state.word(), CallerIdState::Entered.word());
    if approves {
        set_approved(conn, &row, Some(by), now).await?;
    } else {
        let since = if row.state == CallerIdState::Entered { row.state_since.as_millis() } else { now };
        sqlx::query!(
            "update caller_id set state = 'entered', state_since = $2, rest_until = null, bound_agent = null,
                    version = version + 1, changed_at = $3, changed_by = $4
              where id = $1",
            id.0,
            since,
            now,
            by
        )
        .execute(&mut *conn)
        .await?;
    }
    let (now_word, why) = if approves { (was, "approved") } else { (entered, "refused") };
    let note = note.unwrap_or_default();
    let entry = LogEntry { was, now: now_word, why, detail: "{}", note, by: Some(by), at: now };
    add_log(conn, id, entry).await?;
    let body = json!({ "number": row.number.national(), "state": now_word });
    outbox::add(conn, row.enterprise, "caller_id", id.0, &body, now).await
}

/// The present content of a number counts as approved.
async fn set_approved(
    conn: &mut SqliteConnection,
    row: &CallerIdRow,
    by: Option<i64>,
    now: i64,
) -> Result<(), sqlx::Error> {
    let hash = row.content_hash();
    let hash = hash.as_slice();
    sqlx::query!(
        "update caller_id set approved_hash = $2, version = version + 1, changed_at = $3, changed_by = $4 where id = $1",
        row.id.0,
        hash,
        now,
        by
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Numbers of an organisation that are in use when it begins to ask for approvals count as approved: the switch stops
/// no call. Found ones too.
pub(super) async fn keep_those_in_use(
    conn: &mut SqliteConnection,
    organisation: i64,
    by: Option<i64>,
    now: i64,
) -> Result<(), sqlx::Error> {
    for row in read_all(conn).await?.into_iter().filter(|row| row.organisation == organisation) {
        let rests = matches!(row.state, CallerIdState::Flagged | CallerIdState::Resting);
        if row.is_approved() || (row.state.usage() == Usage::Not && !rests) {
            continue;
        }
        set_approved(conn, &row, by, now).await?;
        let word = row.state.word();
        let entry = LogEntry { was: word, now: word, why: "kept", detail: "{}", note: "", by, at: now };
        add_log(conn, row.id, entry).await?;
    }
    Ok(())
}

impl Change<'_> {
    /// Asks for the approval of a number's present content; `None` = the same was approved before, so it is approved.
    /// `maker` = the account that asks.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn ask_for_caller_id(
        &mut self,
        row: &CallerIdRow,
        maker: Option<i64>,
    ) -> Result<Option<ApprovalId>, StoreError> {
        let (now, hash) = (self.now.as_millis(), row.content_hash());
        let (enterprise, organisation) = (row.enterprise, row.organisation);
        let asked = async {
            let conn = self.conn();
            if approvals::is_approved(conn, enterprise, ApprovalKind::CallerId, &hash).await? {
                set_approved(conn, row, maker, now).await?;
                return Ok(None);
            }
            let of = Asked { enterprise, organisation, kind: ApprovalKind::CallerId, subject: row.id.0 };
            approvals::ask(conn, of, &hash, maker, now).await.map(Some)
        };
        let asked = asked.await.map_err(|error| self.error(error))?;
        if let Some(asked) = asked {
            self.add_event("approval", asked.0, json!({ "approval": asked.0, "state": "open" }));
        }
        Ok(asked)
    }

    /// Withdraws what is asked for a number, and has it forgotten who stood for another content. `before` = the row
    /// before its holder or proof was changed. Where numbers need an approval and this one had or sought it, it is asked
    /// for anew.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn note_caller_id_content(
        &mut self,
        before: &CallerIdRow,
        needs_approval: bool,
        maker: Option<i64>,
    ) -> Result<Option<ApprovalId>, StoreError> {
        let Some(row) = self.caller_id(before.id).await? else { return Ok(None) };
        if row.content_hash() == before.content_hash() {
            return Ok(None);
        }
        self.withdraw_caller_id_approval(&row).await?;
        sqlx::query!(
            "update caller_id set content_by = $2 where id = $1 and enterprise_id = $3",
            row.id.0,
            maker,
            row.enterprise
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        let sought = before.asked.is_some() || row.state != CallerIdState::Entered;
        if !needs_approval || !sought || row.is_approved() {
            return Ok(None);
        }
        self.ask_for_caller_id(&row, maker).await
    }

    /// Withdraws what is asked for a number.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn withdraw_caller_id_approval(&mut self, row: &CallerIdRow) -> Result<(), StoreError> {
        let now = self.now.as_millis();
        let withdrawn = approvals::withdraw(self.conn(), ApprovalKind::CallerId, row.id.0, now).await;
        withdrawn.map_err(|error| self.error(error))?;
        if let Some(asked) = row.asked {
            self.add_event("approval", asked.0, json!({ "approval": asked.0, "state": "withdrawn" }));
        }
        Ok(())
    }

    /// Keeps a received file as the proof of a number, in place of the one before.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn set_caller_id_proof(
        &mut self,
        row: &CallerIdRow,
        new: &NewBlob<'_>,
        maker: Option<i64>,
    ) -> Result<EnteredProof, StoreError> {
        let (now, by) = (self.now.as_millis(), self.by);
        let entered = async {
            let conn = self.conn();
            let blob = blobs::enter(conn, new, now).await?;
            let blob_id = blob.id.0;
            sqlx::query!(
                "update caller_id set proof_blob = $2, proof_at = $3, proof_by = $4, is_found = false,
                        version = version + 1, changed_at = $3, changed_by = $5
                  where id = $1 and enterprise_id = $6",
                row.id.0,
                blob_id,
                now,
                maker,
                by,
                row.enterprise
            )
            .execute(&mut *conn)
            .await?;
            let former = row.proof.as_ref().map(|it| it.blob).filter(|former| *former != blob.id);
            let unused = blobs::release(conn, former, now).await?;
            Ok(EnteredProof { blob_is_known: blob.is_known, unused })
        };
        entered.await.map_err(|error| self.error(error))
    }
}
