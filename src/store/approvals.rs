//! Approvals: a second person's word on bytes that somebody uploaded. What is approved is the content, not the row: the
//! same content once approved in an enterprise is approved.

use super::audio_files::{self, AudioId, AudioState};
use super::blacklist::json_numbers;
use super::caller_id_approvals;
use super::caller_ids::CallerIdKey;
use super::list_uploads::{UploadId, UploadRow, UploadState};
use super::upload_changes;
use super::{Change, Scope, Store, StoreError, outbox};
use paceline_core::number::ShownNumber;
use paceline_core::time::Utc;
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

/// Row id of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApprovalId(pub i64);

/// What is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApprovalKind {
    List,
    Audio,
    CallerId,
}

impl ApprovalKind {
    const ALL: [ApprovalKind; 3] = [ApprovalKind::List, ApprovalKind::Audio, ApprovalKind::CallerId];
    pub const WORDS: [&'static str; 3] = ["list", "audio", "caller_id"];

    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    pub fn from_word(word: &str) -> Option<ApprovalKind> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// An approval, asked for or decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRow {
    pub id: ApprovalId,
    pub organisation: i64,
    pub kind: ApprovalKind,
    pub subject: i64,
    /// The list's file name, the sound's name, or the number as it is dialled.
    pub title: String,
    /// Of a list.
    pub campaign: Option<String>,
    /// `open`, `approved`, `refused`, `withdrawn`.
    pub state: String,
    /// Accounts; `None` = a program.
    pub asked_by: Option<i64>,
    /// Who uploaded it; of a caller ID who entered it, and who wrote its holder or its proof last.
    pub makers: Vec<i64>,
    pub asked_at: Utc,
    pub decided_by: Option<i64>,
    pub decided_at: Option<Utc>,
    pub note: Option<String>,
}

/// What was decided about a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRow {
    pub is_approved: bool,
    /// The account.
    pub by: Option<i64>,
    pub at: Option<Utc>,
    pub note: Option<String>,
}

/// Why an approval was not decided, or not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApprovalRefusal {
    Unknown,
    /// It was decided or withdrawn.
    NotOpen,
    /// The subject is the decider's own.
    OwnWork,
    /// The list is not in a state to be submitted.
    State(UploadState),
}

/// The content that an approval of a list speaks of: its bytes, and how they are read.
pub fn list_hash(upload: &UploadRow) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(&upload.sha256);
    for text in [upload.reading.as_str(), upload.mapping.as_deref().unwrap_or("")] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

/// The content that an approval of a caller ID speaks of: the number, its holder, and the bytes of the proof.
pub fn caller_id_hash(number: ShownNumber, holder: &str, proof: Option<&[u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(number.as_u64().to_le_bytes());
    for part in [holder.as_bytes(), proof.unwrap_or_default()] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// What an approval is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub enterprise: i64,
    pub organisation: i64,
    pub kind: ApprovalKind,
    pub subject: i64,
}

/// Asks for an approval.
pub(super) async fn ask(
    conn: &mut SqliteConnection,
    of: Asked,
    hash: &[u8],
    by: Option<i64>,
    now: i64,
) -> Result<ApprovalId, sqlx::Error> {
    let Asked { enterprise, organisation, kind, subject } = of;
    let kind = kind.word();
    let id = sqlx::query_scalar!(
        r#"insert into approval (enterprise_id, kind, subject_id, hash, asked_by, asked_at, organisation_id)
           values ($1, $2, $3, $4, $5, $6, $7) returning id as "id!""#,
        enterprise,
        kind,
        subject,
        hash,
        by,
        now,
        organisation
    )
    .fetch_one(conn)
    .await?;
    Ok(ApprovalId(id))
}

/// Whether this content was approved in the enterprise.
pub(crate) async fn is_approved(
    conn: &mut SqliteConnection,
    enterprise: i64,
    kind: ApprovalKind,
    hash: &[u8],
) -> Result<bool, sqlx::Error> {
    let kind = kind.word();
    let found = sqlx::query_scalar!(
        r#"select exists (select 1 from approval
                           where enterprise_id = $1 and kind = $2 and hash = $3 and state = 'approved') as "found!: bool""#,
        enterprise,
        kind,
        hash
    )
    .fetch_one(conn)
    .await?;
    Ok(found)
}

/// Withdraws what is asked for a subject: it has changed or gone.
pub(crate) async fn withdraw(
    conn: &mut SqliteConnection,
    kind: ApprovalKind,
    subject: i64,
    now: i64,
) -> Result<(), sqlx::Error> {
    let kind = kind.word();
    sqlx::query!(
        "update approval set state = 'withdrawn', decided_at = $3
          where kind = $1 and subject_id = $2 and state = 'open'",
        kind,
        subject,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Asks for the approval of a checked list.
async fn submit_list(
    conn: &mut SqliteConnection,
    upload: &UploadRow,
    by: Option<i64>,
    now: i64,
) -> Result<Result<ApprovalId, ApprovalRefusal>, sqlx::Error> {
    let row = sqlx::query!("select state, version from list_upload where id = $1", upload.id.0)
        .fetch_one(&mut *conn)
        .await?;
    let state = UploadState::from_word(&row.state).unwrap_or(UploadState::Discarded);
    if state != UploadState::Checked || row.version != upload.version {
        return Ok(Err(ApprovalRefusal::State(state)));
    }
    let hash = list_hash(upload);
    let (enterprise, organisation) = (upload.enterprise, upload.organisation);
    let of = Asked { enterprise, organisation, kind: ApprovalKind::List, subject: upload.id.0 };
    let id = ask(conn, of, &hash, by, now).await?;
    upload_changes::set_state(conn, upload.id, UploadState::Waiting, by, now).await?;
    Ok(Ok(id))
}

/// A person's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalDecision {
    /// Whose approvals the decider sees.
    pub scope: Scope,
    pub approves: bool,
    pub note: Option<String>,
    /// The account that decides.
    pub by: i64,
}

/// Decides an approval that is not the decider's own, and moves its subject on.
async fn decide(
    conn: &mut SqliteConnection,
    id: ApprovalId,
    decision: &ApprovalDecision,
    now: i64,
) -> Result<Result<(), ApprovalRefusal>, sqlx::Error> {
    let organisations = json_numbers(decision.scope.organisations.iter().copied());
    let row = sqlx::query!(
        r#"select a.kind, a.subject_id, a.state, a.asked_by, coalesce(u.made_by, s.made_by, i.entered_by) as "made_by?: i64",
                  i.content_by as "content_by?: i64"
             from approval a
             left join list_upload u on a.kind = 'list' and u.id = a.subject_id
             left join audio s on a.kind = 'audio' and s.id = a.subject_id
             left join caller_id i on a.kind = 'caller_id' and i.id = a.subject_id
            where a.id = $1 and a.enterprise_id = $2
              and a.organisation_id in (select cast(value as bigint) from json_each($3))"#,
        id.0,
        decision.scope.enterprise,
        organisations
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(Err(ApprovalRefusal::Unknown)) };
    if row.state != "open" {
        return Ok(Err(ApprovalRefusal::NotOpen));
    }
    if [row.asked_by, row.made_by, row.content_by].contains(&Some(decision.by)) {
        return Ok(Err(ApprovalRefusal::OwnWork));
    }
    let state = if decision.approves { "approved" } else { "refused" };
    let note = decision.note.as_deref();
    sqlx::query!(
        "update approval set state = $2, decided_by = $3, decided_at = $4, note = $5
          where id = $1 and enterprise_id = $6",
        id.0,
        state,
        decision.by,
        now,
        note,
        decision.scope.enterprise
    )
    .execute(&mut *conn)
    .await?;
    let by = Some(decision.by);
    match ApprovalKind::from_word(&row.kind) {
        Some(ApprovalKind::List) => {
            let state = if decision.approves { UploadState::Checked } else { UploadState::Refused };
            upload_changes::set_state(conn, UploadId(row.subject_id), state, by, now).await?;
            outbox::add_list(conn, row.subject_id, now).await?;
        }
        Some(ApprovalKind::Audio) => {
            let state = if decision.approves { AudioState::Ready } else { AudioState::Refused };
            audio_files::set_state(conn, AudioId(row.subject_id), state, by, now).await?;
        }
        Some(ApprovalKind::CallerId) => {
            let id = CallerIdKey(row.subject_id);
            caller_id_approvals::decided(conn, id, (decision.approves, note), decision.by, now).await?;
        }
        None => {}
    }
    Ok(Ok(()))
}

fn shown_number(digits: i64) -> Option<ShownNumber> {
    ShownNumber::from_e164(u64::try_from(digits).ok()?)
}

impl Store {
    /// Whether there is such an approval in this scope.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn has_approval(&self, scope: &Scope, id: ApprovalId) -> Result<bool, StoreError> {
        let mut conn = self.read().await?;
        let organisations = json_numbers(scope.organisations.iter().copied());
        sqlx::query_scalar!(
            r#"select exists (select 1 from approval a where a.id = $1 and a.enterprise_id = $2
                 and a.organisation_id in (select cast(value as bigint) from json_each($3))) as "found!: bool""#,
            id.0,
            scope.enterprise,
            organisations
        )
        .fetch_one(&mut *conn)
        .await
        .map_err(self.query_error())
    }

    /// Approvals of a scope, newest first: open ones, or those that were decided.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn approvals(
        &self,
        scope: &Scope,
        is_open: bool,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ApprovalRow>, StoreError> {
        let mut conn = self.read().await?;
        let (before, limit) = (before.unwrap_or(i64::MAX), i64::from(limit));
        let organisations = json_numbers(scope.organisations.iter().copied());
        let rows = sqlx::query!(
            r#"select a.id as "id!", a.organisation_id, a.kind, a.subject_id, a.state, a.asked_by, a.asked_at, a.decided_by, a.decided_at,
                      a.note, coalesce(u.file_name, s.name, '') as "title!: String",
                      c.name as "campaign?: String", coalesce(u.made_by, s.made_by, i.entered_by) as "made_by?: i64",
                      i.number as "number?: i64", i.content_by as "content_by?: i64"
                 from approval a
                 left join list_upload u on a.kind = 'list' and u.id = a.subject_id
                 left join campaign c on c.id = u.campaign_id
                 left join audio s on a.kind = 'audio' and s.id = a.subject_id
                 left join caller_id i on a.kind = 'caller_id' and i.id = a.subject_id
                where a.enterprise_id = $1 and a.id < $2 and (a.state = 'open') = $3
                  and a.organisation_id in (select cast(value as bigint) from json_each($5))
                order by a.id desc limit $4"#,
            scope.enterprise,
            before,
            is_open,
            limit,
            organisations
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let rows = rows.into_iter().filter_map(|row| {
            Some(ApprovalRow {
                id: ApprovalId(row.id),
                organisation: row.organisation_id,
                kind: ApprovalKind::from_word(&row.kind)?,
                subject: row.subject_id,
                title: row.number.and_then(shown_number).map_or(row.title, ShownNumber::national),
                campaign: row.campaign,
                state: row.state,
                asked_by: row.asked_by,
                makers: [row.made_by, row.content_by].into_iter().flatten().collect(),
                asked_at: Utc::from_millis(row.asked_at),
                decided_by: row.decided_by,
                decided_at: row.decided_at.map(Utc::from_millis),
                note: row.note,
            })
        });
        Ok(rows.collect())
    }

    /// The last decision about a list or a sound that stands: its subject was not submitted anew since.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn last_decision(
        &self,
        enterprise: i64,
        kind: ApprovalKind,
        hash: &[u8],
    ) -> Result<Option<DecisionRow>, StoreError> {
        let mut conn = self.read().await?;
        let kind = kind.word();
        let found = sqlx::query!(
            r#"select state, decided_by, decided_at, note from approval
                where enterprise_id = $1 and kind = $2 and hash = $3 and state in ('approved', 'refused')
                order by state, id desc limit 1"#,
            enterprise,
            kind,
            hash
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(found.map(|row| DecisionRow {
            is_approved: row.state == "approved",
            by: row.decided_by,
            at: row.decided_at.map(Utc::from_millis),
            note: row.note,
        }))
    }
}

impl Change<'_> {
    /// Asks for the approval of a checked list.
    ///
    /// # Errors
    /// The store cannot be written. The inner error says why it was not asked for.
    pub async fn submit_upload(
        &mut self,
        upload: &UploadRow,
        by: Option<i64>,
    ) -> Result<Result<ApprovalId, ApprovalRefusal>, StoreError> {
        let now = self.now.as_millis();
        submit_list(self.conn(), upload, by, now).await.map_err(|error| self.error(error))
    }

    /// Decides an approval that is not the decider's own, and moves its subject on.
    ///
    /// # Errors
    /// The store cannot be written. The inner error says why it was not decided.
    pub async fn decide_approval(
        &mut self,
        id: ApprovalId,
        decision: &ApprovalDecision,
    ) -> Result<Result<(), ApprovalRefusal>, StoreError> {
        let now = self.now.as_millis();
        decide(self.conn(), id, decision, now).await.map_err(|error| self.error(error))
    }
}
