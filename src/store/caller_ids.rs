//! The register of caller IDs: who holds each number, its state with its log, and what its own calls say of it.

use super::approvals::{ApprovalId, caller_id_hash};
use super::blobs::BlobId;
use super::{Scope, Store, StoreError};
use paceline_core::caller_id_health::Evidence;
use paceline_core::caller_id_life::CallerIdState;
use paceline_core::campaign::caller_id::{Registered, RegisteredNumber, Usage};
use paceline_core::ids::{AgentId, CampaignId, RegisterId};
use paceline_core::number::ShownNumber;
use paceline_core::time::Utc;
use serde_json::Value;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Row id of a caller ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerIdKey(pub i64);

/// A number that calls show.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerIdRow {
    pub id: CallerIdKey,
    pub enterprise: i64,
    pub organisation: i64,
    pub number: ShownNumber,
    pub holder: String,
    /// The last four characters of the holder's identity number.
    pub holder_id_end: String,
    pub region: String,
    pub carrier: String,
    pub note: String,
    pub state: CallerIdState,
    pub state_since: Utc,
    pub rest_until: Option<Utc>,
    /// Flags in a row that were not cleared.
    pub flags: u32,
    pub bound_agent: Option<AgentId>,
    /// `None` = no cap of its own.
    pub per_hour_max: Option<u32>,
    pub per_day_max: Option<u32>,
    /// Days without a call after which the carrier takes the number back; `None` = never.
    pub idle_days: Option<u32>,
    /// A call showed it before anybody entered it.
    pub is_found: bool,
    pub first_used: Option<Utc>,
    pub last_used: Option<Utc>,
    pub evidence: Evidence,
    /// Who entered it, and who wrote its holder or its proof last.
    pub entered_by: Option<i64>,
    pub content_by: Option<i64>,
    pub proof: Option<ProofRow>,
    /// The approval that is asked for.
    pub asked: Option<ApprovalId>,
    /// The content that was approved.
    approved_hash: Option<Vec<u8>>,
    pub version: i64,
}

/// The paper that shows who holds a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofRow {
    pub blob: BlobId,
    pub sha256: Vec<u8>,
    pub bytes: u64,
    pub media_type: String,
    /// Relative to the object store.
    pub path: String,
    pub at: Utc,
    /// The account.
    pub by: Option<i64>,
}

impl CallerIdRow {
    /// The content that an approval speaks of.
    pub fn content_hash(&self) -> [u8; 32] {
        caller_id_hash(self.number, &self.holder, self.proof.as_ref().map(|it| it.sha256.as_slice()))
    }

    /// Whether its present content was approved.
    pub fn is_approved(&self) -> bool {
        self.approved_hash.as_deref() == Some(self.content_hash().as_slice())
    }

    /// What the dialer is to know of it. `needs_approval` = it is shown only while it is approved.
    fn registered(&self, needs_approval: bool) -> RegisteredNumber {
        let is_held_back = needs_approval && !self.is_approved();
        RegisteredNumber {
            register: RegisterId(self.enterprise),
            number: self.number,
            usage: if is_held_back { Usage::Not } else { self.state.usage() },
            agent: self.bound_agent,
            per_hour_max: self.per_hour_max,
            per_day_max: self.per_day_max,
            warm_up_from: (self.state == CallerIdState::Warming).then_some(self.state_since),
        }
    }
}

/// Whether the register says no more of it than that it may be shown.
fn is_plain(it: &RegisteredNumber) -> bool {
    let caps = [it.per_hour_max, it.per_day_max];
    it.usage == Usage::Full && it.agent.is_none() && caps == [None, None] && it.warm_up_from.is_none()
}

/// The row of each number that counts, by enterprise: the one in use, or the last that was retired.
pub fn standing(rows: &[CallerIdRow]) -> BTreeMap<(i64, ShownNumber), &CallerIdRow> {
    let mut standing: BTreeMap<(i64, ShownNumber), &CallerIdRow> = BTreeMap::new();
    for row in rows {
        let kept = standing.entry((row.enterprise, row.number)).or_insert(row);
        if kept.state == CallerIdState::Retired {
            *kept = row;
        }
    }
    standing
}

/// What people write about a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerIdFields {
    pub holder: String,
    pub holder_id_end: String,
    pub region: String,
    pub carrier: String,
    pub note: String,
    pub per_hour_max: Option<u32>,
    pub per_day_max: Option<u32>,
    pub idle_days: Option<u32>,
}

/// An entry of a number's log.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerIdLogRow {
    pub at: Utc,
    pub was: String,
    pub now: String,
    /// The act's word, or `warmed_up`, `answered_less`, `refused_more`, `rest_over`, `recovered`, `marked_again`, `approved`,
    /// `refused`, `kept`.
    pub why: String,
    /// JSON: the evidence of a flag.
    pub detail: String,
    pub note: String,
    pub by: Option<AgentId>,
}

/// A change of one number's state.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerIdStep<'a> {
    pub now: CallerIdState,
    pub rest_until: Option<Utc>,
    pub flags: u32,
    pub agent: Option<AgentId>,
    pub evidence: Evidence,
    pub why: &'a str,
    pub detail: Value,
    pub note: &'a str,
}

struct Columns {
    id: i64,
    enterprise_id: i64,
    organisation_id: i64,
    number: i64,
    holder: String,
    holder_id_end: String,
    region: String,
    carrier: String,
    note: String,
    state: String,
    state_since: i64,
    rest_until: Option<i64>,
    flags: i64,
    bound_agent: Option<i64>,
    per_hour_max: i64,
    per_day_max: i64,
    idle_days: i64,
    is_found: bool,
    first_used_at: Option<i64>,
    last_used_at: Option<i64>,
    evidence: String,
    entered_by: Option<i64>,
    content_by: Option<i64>,
    approved_hash: Option<Vec<u8>>,
    proof_blob: Option<i64>,
    proof_at: Option<i64>,
    proof_by: Option<i64>,
    proof_sha256: Option<Vec<u8>>,
    proof_bytes: Option<i64>,
    proof_type: Option<String>,
    proof_path: Option<String>,
    asked: Option<i64>,
    version: i64,
}

impl Columns {
    fn proof(&self) -> Option<ProofRow> {
        Some(ProofRow {
            blob: BlobId(self.proof_blob?),
            sha256: self.proof_sha256.clone()?,
            bytes: self.proof_bytes? as u64,
            media_type: self.proof_type.clone()?,
            path: self.proof_path.clone()?,
            at: Utc::from_millis(self.proof_at?),
            by: self.proof_by,
        })
    }

    /// `None` = no number that may be shown, which no writer enters.
    fn row(self) -> Option<CallerIdRow> {
        let whole = |n: i64| u32::try_from(n).ok().filter(|n| *n > 0);
        let proof = self.proof();
        Some(CallerIdRow {
            id: CallerIdKey(self.id),
            enterprise: self.enterprise_id,
            organisation: self.organisation_id,
            number: ShownNumber::from_e164(u64::try_from(self.number).ok()?)?,
            holder: self.holder,
            holder_id_end: self.holder_id_end,
            region: self.region,
            carrier: self.carrier,
            note: self.note,
            // The column's check admits these words alone.
            state: CallerIdState::from_word(&self.state)?,
            state_since: Utc::from_millis(self.state_since),
            rest_until: self.rest_until.map(Utc::from_millis),
            flags: u32::try_from(self.flags).unwrap_or(0),
            bound_agent: self.bound_agent.map(AgentId),
            per_hour_max: whole(self.per_hour_max),
            per_day_max: whole(self.per_day_max),
            idle_days: whole(self.idle_days),
            is_found: self.is_found,
            first_used: self.first_used_at.map(Utc::from_millis),
            last_used: self.last_used_at.map(Utc::from_millis),
            evidence: serde_json::from_str(&self.evidence).unwrap_or_default(),
            entered_by: self.entered_by,
            content_by: self.content_by,
            proof,
            asked: self.asked.map(ApprovalId),
            approved_hash: self.approved_hash,
            version: self.version,
        })
    }
}

impl Store {
    /// Every caller ID of the installation, retired ones too, by id.
    pub async fn caller_ids(&self) -> Result<Vec<CallerIdRow>, StoreError> {
        let mut conn = self.read().await?;
        read_all(&mut conn).await.map_err(self.query_error())
    }

    /// Those that the scope holds and that are in use.
    pub async fn caller_ids_in(&self, scope: &Scope) -> Result<Vec<CallerIdRow>, StoreError> {
        let mut rows = self.caller_ids().await?;
        rows.retain(|row| scope.holds(row.enterprise, row.organisation));
        Ok(rows)
    }

    /// What the dialer is to know of the numbers: those of which there is more to say than that they may be shown, and
    /// all of a register in which numbers need an approval.
    pub async fn registered_numbers(&self) -> Result<Registered, StoreError> {
        let rows = self.caller_ids().await?;
        let all = self.organisations().await?;
        let asking: BTreeSet<i64> =
            all.iter().filter(|it| it.settings.approve_caller_ids).map(|it| it.id).collect();
        let strict: BTreeSet<i64> =
            all.iter().filter(|it| it.settings.approve_caller_ids).map(|it| it.enterprise()).collect();
        let numbers = standing(&rows).into_values().filter_map(|row| {
            let it = row.registered(asking.contains(&row.organisation));
            (strict.contains(&row.enterprise) || !is_plain(&it)).then_some(it)
        });
        let numbers = numbers.collect();
        let approved_only = match asking.is_empty() {
            true => BTreeSet::new(),
            false => self.campaigns_of_organisations(&asking).await?,
        };
        Ok(Registered { numbers, approved_only })
    }

    async fn campaigns_of_organisations(
        &self,
        organisations: &BTreeSet<i64>,
    ) -> Result<BTreeSet<CampaignId>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(r#"select id as "id!", organisation_id from campaign where not is_sample"#)
            .fetch_all(&mut *conn)
            .await
            .map_err(self.query_error())?;
        let own = rows.into_iter().filter(|row| organisations.contains(&row.organisation_id));
        Ok(own.map(|row| CampaignId(row.id)).collect())
    }

    /// The log of a number, newest first.
    pub async fn caller_id_log(
        &self,
        id: CallerIdKey,
        limit: u32,
    ) -> Result<Vec<CallerIdLogRow>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            "select at, was, now, why, detail, note, by from caller_id_log
              where caller_id = $1 order by id desc limit $2",
            id.0,
            limit
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let row = |row| {
            let (at, was, now, why, detail, note, by): (_, _, _, _, _, _, Option<i64>) = row;
            CallerIdLogRow { at: Utc::from_millis(at), was, now, why, detail, note, by: by.map(AgentId) }
        };
        Ok(rows
            .into_iter()
            .map(|it| row((it.at, it.was, it.now, it.why, it.detail, it.note, it.by)))
            .collect())
    }
}

pub(super) async fn read_all(conn: &mut SqliteConnection) -> Result<Vec<CallerIdRow>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Columns,
        r#"select i.id as "id!", i.enterprise_id, i.organisation_id, i.number, i.holder, i.holder_id_end, i.region,
                  i.carrier, i.note, i.state, i.state_since, i.rest_until, i.flags, i.bound_agent, i.per_hour_max,
                  i.per_day_max, i.idle_days, i.is_found as "is_found: bool", i.first_used_at, i.last_used_at,
                  i.evidence, i.entered_by, i.content_by, i.approved_hash, i.proof_blob, i.proof_at, i.proof_by,
                  b.sha256 as "proof_sha256?", b.bytes as "proof_bytes?", b.media_type as "proof_type?",
                  b.path as "proof_path?",
                  (select max(a.id) from approval a
                    where a.kind = 'caller_id' and a.subject_id = i.id and a.state = 'open') as "asked?: i64",
                  i.version
             from caller_id i left join blob b on b.id = i.proof_blob
            order by i.id"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(Columns::row).collect())
}

pub(super) async fn read_one(
    conn: &mut SqliteConnection,
    id: CallerIdKey,
) -> Result<Option<CallerIdRow>, sqlx::Error> {
    let row = sqlx::query_as!(
        Columns,
        r#"select i.id as "id!", i.enterprise_id, i.organisation_id, i.number, i.holder, i.holder_id_end, i.region,
                  i.carrier, i.note, i.state, i.state_since, i.rest_until, i.flags, i.bound_agent, i.per_hour_max,
                  i.per_day_max, i.idle_days, i.is_found as "is_found: bool", i.first_used_at, i.last_used_at,
                  i.evidence, i.entered_by, i.content_by, i.approved_hash, i.proof_blob, i.proof_at, i.proof_by,
                  b.sha256 as "proof_sha256?", b.bytes as "proof_bytes?", b.media_type as "proof_type?",
                  b.path as "proof_path?",
                  (select max(a.id) from approval a
                    where a.kind = 'caller_id' and a.subject_id = i.id and a.state = 'open') as "asked?: i64",
                  i.version
             from caller_id i left join blob b on b.id = i.proof_blob
            where i.id = $1"#,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(Columns::row))
}
