//! The register of caller IDs: who holds each number, its state with its log, and what its own calls say of it.

use super::{Change, Scope, Store, StoreError};
use paceline_core::caller_id_health::{Counts, EndedCall, Evidence, JudgedCall};
use paceline_core::caller_id_life::CallerIdState;
use paceline_core::campaign::caller_id::{RegisteredNumber, Usage};
use paceline_core::ids::{AgentId, CampaignId};
use paceline_core::number::{PhoneNumber, ShownNumber};
use paceline_core::outcome::Outcome;
use paceline_core::time::{Duration, Utc};
use serde_json::Value;
use std::collections::BTreeMap;

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
    pub version: i64,
}

impl CallerIdRow {
    /// What the dialer is to know; `None` = it may be shown as any number.
    pub fn registered(&self) -> Option<RegisteredNumber> {
        let it = RegisteredNumber {
            number: self.number,
            usage: self.state.usage(),
            agent: self.bound_agent,
            per_hour_max: self.per_hour_max,
            per_day_max: self.per_day_max,
            warm_up_from: (self.state == CallerIdState::Warming).then_some(self.state_since),
        };
        let is_plain = it.usage == Usage::Full
            && it.agent.is_none()
            && it.per_hour_max.is_none()
            && it.per_day_max.is_none()
            && it.warm_up_from.is_none();
        (!is_plain).then_some(it)
    }
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
    /// The act's word, or `warmed_up`, `answered_less`, `refused_more`, `rest_over`, `recovered`, `marked_again`.
    pub why: String,
    /// JSON: the evidence of a flag.
    pub detail: String,
    pub note: String,
    pub by: Option<AgentId>,
}

/// A number's calls of an hour beside its control.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CallerIdHour {
    /// Hours since 1970.
    pub hour: i64,
    pub counts: Counts,
    /// Refused with SIP 403.
    pub code_403: u32,
    /// Ended without ringing within two seconds.
    pub fast_fail: u32,
    /// Calls that have a control, and their answers.
    pub compared: u32,
    pub compared_answered: u32,
    /// Answers that those calls would have as the control's calls do.
    pub expected: f64,
    pub control_calls: u32,
}

/// A call of an hour, with what screens count beside its judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallOfHour {
    pub judged: JudgedCall,
    pub is_403: bool,
    pub is_fast_fail: bool,
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

const HOUR: Duration = Duration::from_secs(3_600);
const FAST: Duration = Duration::from_secs(2);
/// Hours are kept so long.
const HOURS_KEPT: i64 = 90 * 24;

/// Number of the hour in which this moment lies.
pub fn hour_of(at: Utc) -> i64 {
    at.as_millis().div_euclid(HOUR.as_millis() as i64)
}

/// The first moment of an hour.
pub fn hour_start(hour: i64) -> Utc {
    Utc::from_millis(hour * HOUR.as_millis() as i64)
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
    version: i64,
}

impl Columns {
    /// `None` = no number that may be shown, which no writer enters.
    fn row(self) -> Option<CallerIdRow> {
        let whole = |n: i64| u32::try_from(n).ok().filter(|n| *n > 0);
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
            version: self.version,
        })
    }
}

impl Store {
    /// Every caller ID of the installation, retired ones too, by id.
    pub async fn caller_ids(&self) -> Result<Vec<CallerIdRow>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query_as!(
            Columns,
            r#"select id as "id!", enterprise_id, organisation_id, number, holder, holder_id_end, region, carrier, note,
                      state, state_since, rest_until, flags, bound_agent, per_hour_max, per_day_max, idle_days,
                      is_found as "is_found: bool", first_used_at, last_used_at, evidence, version
                 from caller_id order by id"#
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().filter_map(Columns::row).collect())
    }

    /// Those that the scope holds and that are in use.
    pub async fn caller_ids_in(&self, scope: &Scope) -> Result<Vec<CallerIdRow>, StoreError> {
        let mut rows = self.caller_ids().await?;
        rows.retain(|row| scope.holds(row.enterprise, row.organisation));
        Ok(rows)
    }

    /// What the dialer is to know of the numbers.
    pub async fn registered_numbers(&self) -> Result<Vec<RegisteredNumber>, StoreError> {
        let rows = self.caller_ids().await?;
        let in_use = rows.iter().filter(|row| row.state != CallerIdState::Retired);
        let mut known: BTreeMap<ShownNumber, RegisteredNumber> =
            in_use.filter_map(CallerIdRow::registered).map(|it| (it.number, it)).collect();
        // A number that was retired and entered anew has a row of each.
        let is_back =
            |row: &&CallerIdRow| !rows.iter().any(|it| it.number == row.number && it.state != row.state);
        let retired = rows.iter().filter(|row| row.state == CallerIdState::Retired).filter(is_back);
        known.extend(retired.filter_map(CallerIdRow::registered).map(|it| (it.number, it)));
        Ok(known.into_values().collect())
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

    /// Hours of every number from `from` on, by number and hour.
    pub async fn caller_id_hours(
        &self,
        from: i64,
    ) -> Result<BTreeMap<CallerIdKey, Vec<CallerIdHour>>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select caller_id, hour, calls, answered, refused, code_403, fast_fail, compared, compared_answered,
                      expected as "expected: f64", control_calls
                 from caller_id_hour where hour >= $1 order by caller_id, hour"#,
            from
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let mut hours: BTreeMap<CallerIdKey, Vec<CallerIdHour>> = BTreeMap::new();
        let whole = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        for row in rows {
            hours.entry(CallerIdKey(row.caller_id)).or_default().push(CallerIdHour {
                hour: row.hour,
                counts: Counts {
                    calls: whole(row.calls),
                    answered: whole(row.answered),
                    refused: whole(row.refused),
                },
                code_403: whole(row.code_403),
                fast_fail: whole(row.fast_fail),
                compared: whole(row.compared),
                compared_answered: whole(row.compared_answered),
                expected: row.expected,
                control_calls: whole(row.control_calls),
            });
        }
        Ok(hours)
    }

    /// Calls placed since then, by number.
    pub async fn calls_by_caller_id(&self, since: Utc) -> Result<BTreeMap<ShownNumber, u64>, StoreError> {
        let mut conn = self.read().await?;
        let since = since.as_millis();
        let rows = sqlx::query!(
            r#"select caller_id as "number!", count(*) as "uses!: i64" from attempt
                where placed_at >= $1 and caller_id is not null group by caller_id"#,
            since
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let number = |digits: i64| ShownNumber::from_e164(u64::try_from(digits).ok()?);
        Ok(rows.into_iter().filter_map(|row| Some((number(row.number)?, row.uses as u64))).collect())
    }

    /// The last hour that was judged; `None` = none yet.
    pub async fn judged_hour(&self) -> Result<Option<i64>, StoreError> {
        let mut conn = self.read().await?;
        let hour = sqlx::query_scalar!("select hour from caller_id_judged where id = 1")
            .fetch_optional(&mut *conn)
            .await
            .map_err(self.query_error())?;
        Ok(hour)
    }

    /// Calls of an hour that showed a number and say something of it.
    pub async fn calls_of_hour(&self, hour: i64) -> Result<Vec<CallOfHour>, StoreError> {
        let mut conn = self.read().await?;
        let (from, until) = (hour_start(hour).as_millis(), hour_start(hour + 1).as_millis());
        let rows = sqlx::query!(
            r#"select campaign_id, caller_id as "caller_id!", number, ordinal, outcome, sip_code, placed_at, ringing_at,
                      answered_at, ended_at
                 from attempt where placed_at >= $1 and placed_at < $2 and caller_id is not null"#,
            from,
            until
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let mut calls = Vec::with_capacity(rows.len());
        for row in rows {
            let digits = |number: i64| u64::try_from(number).unwrap_or(0);
            let shown = ShownNumber::from_e164(digits(row.caller_id));
            let callee = PhoneNumber::from_e164(digits(row.number));
            let (Some(shown), Some(callee)) = (shown, callee) else { continue };
            let ended = EndedCall {
                campaign: CampaignId(row.campaign_id),
                shown,
                callee,
                ordinal: u32::try_from(row.ordinal).unwrap_or(1),
                outcome: row.outcome.as_deref().and_then(Outcome::from_word),
                sip_code: row.sip_code.and_then(|code| u16::try_from(code).ok()),
                rang: row.ringing_at.is_some(),
                answered: row.answered_at.is_some(),
            };
            let Some(judged) = JudgedCall::of(&ended) else { continue };
            let is_cold = !ended.rang && !ended.answered;
            let is_fast = row.ended_at.is_some_and(|at| at - row.placed_at < FAST.as_millis() as i64);
            calls.push(CallOfHour {
                judged,
                is_403: ended.sip_code == Some(403),
                is_fast_fail: is_cold && is_fast,
            });
        }
        Ok(calls)
    }
}

impl Change<'_> {
    /// Enters a number; `None` = it stands in the register already.
    pub async fn add_caller_id(
        &mut self,
        organisation: i64,
        number: ShownNumber,
        fields: &CallerIdFields,
    ) -> Result<Option<CallerIdKey>, StoreError> {
        let (enterprise, now, by) = (self.enterprise(), self.now.as_millis(), self.by);
        let digits = number.as_u64() as i64;
        let (hour, day, idle) = caps(fields);
        let id = sqlx::query_scalar!(
            r#"insert into caller_id (enterprise_id, organisation_id, number, holder, holder_id_end, region, carrier,
                                      note, state, state_since, per_hour_max, per_day_max, idle_days, changed_at,
                                      changed_by)
               select $1, $2, $3, $4, $5, $6, $7, $8, 'entered', $9, $10, $11, $12, $9, $13
                where not exists (select 1 from caller_id where number = $3 and state <> 'retired')
               returning id as "id!""#,
            enterprise,
            organisation,
            digits,
            fields.holder,
            fields.holder_id_end,
            fields.region,
            fields.carrier,
            fields.note,
            now,
            hour,
            day,
            idle,
            by
        )
        .fetch_optional(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        Ok(id.map(CallerIdKey))
    }

    /// Writes what people changed about a number.
    pub async fn set_caller_id(
        &mut self,
        id: CallerIdKey,
        fields: &CallerIdFields,
    ) -> Result<(), StoreError> {
        let (enterprise, now, by) = (self.enterprise(), self.now.as_millis(), self.by);
        let (hour, day, idle) = caps(fields);
        sqlx::query!(
            "update caller_id set holder = $2, holder_id_end = $3, region = $4, carrier = $5, note = $6,
                    per_hour_max = $7, per_day_max = $8, idle_days = $9, is_found = false, version = version + 1,
                    changed_at = $10, changed_by = $11
              where id = $1 and enterprise_id = $12",
            id.0,
            fields.holder,
            fields.holder_id_end,
            fields.region,
            fields.carrier,
            fields.note,
            hour,
            day,
            idle,
            now,
            by,
            enterprise
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// Changes a number's state, with its row of the log. `row` = as it was read in this change.
    pub async fn step_caller_id(
        &mut self,
        row: &CallerIdRow,
        step: &CallerIdStep<'_>,
    ) -> Result<(), StoreError> {
        let (at, by) = (self.now.as_millis(), self.by);
        let since = if step.now == row.state { row.state_since.as_millis() } else { at };
        let until = step.rest_until.map(Utc::as_millis);
        let agent = step.agent.map(|agent| agent.0);
        let evidence = serde_json::to_string(&step.evidence).unwrap_or_default();
        let (was, now, flags) = (row.state.word(), step.now.word(), i64::from(step.flags));
        sqlx::query!(
            "update caller_id set state = $2, state_since = $3, rest_until = $4, flags = $5, bound_agent = $6,
                    evidence = $7, is_found = false, version = version + 1, changed_at = $8, changed_by = $9
              where id = $1 and enterprise_id = $10",
            row.id.0,
            now,
            since,
            until,
            flags,
            agent,
            evidence,
            at,
            by,
            row.enterprise
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        let detail = step.detail.to_string();
        sqlx::query!(
            "insert into caller_id_log (caller_id, at, was, now, why, detail, note, by)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            row.id.0,
            at,
            was,
            now,
            step.why,
            detail,
            step.note,
            by
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// The numbers that this agent's calls alone showed belong to no agent: the account is gone.
    pub async fn unbind_caller_ids_of(&mut self, agent: AgentId) -> Result<(), StoreError> {
        let (enterprise, at) = (self.enterprise(), self.now.as_millis());
        sqlx::query!(
            "update caller_id set bound_agent = null, version = version + 1, changed_at = $3
              where bound_agent = $1 and enterprise_id = $2",
            agent.0,
            enterprise,
            at
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// The row as it stands now, inside the change.
    pub async fn caller_id(&mut self, id: CallerIdKey) -> Result<Option<CallerIdRow>, StoreError> {
        let row = sqlx::query_as!(
            Columns,
            r#"select id as "id!", enterprise_id, organisation_id, number, holder, holder_id_end, region, carrier, note,
                      state, state_since, rest_until, flags, bound_agent, per_hour_max, per_day_max, idle_days,
                      is_found as "is_found: bool", first_used_at, last_used_at, evidence, version
                 from caller_id where id = $1"#,
            id.0
        )
        .fetch_optional(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        Ok(row.and_then(Columns::row))
    }

    /// Writes what an hour's calls say of a number.
    pub async fn note_caller_id_hour(
        &mut self,
        id: CallerIdKey,
        hour: &CallerIdHour,
        evidence: &Evidence,
    ) -> Result<(), StoreError> {
        let it = hour;
        let evidence = serde_json::to_string(evidence).unwrap_or_default();
        let used = hour_start(it.hour + 1).as_millis();
        let (calls, answered, refused) = (it.counts.calls, it.counts.answered, it.counts.refused);
        sqlx::query!(
            "insert into caller_id_hour (caller_id, hour, calls, answered, refused, code_403, fast_fail, compared,
                                         compared_answered, expected, control_calls)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
            id.0,
            it.hour,
            calls,
            answered,
            refused,
            it.code_403,
            it.fast_fail,
            it.compared,
            it.compared_answered,
            it.expected,
            it.control_calls
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        sqlx::query!(
            "update caller_id set evidence = $2, last_used_at = $3 where id = $1",
            id.0,
            evidence,
            used
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// The hour is judged; hours of before are deleted after 90 days.
    pub async fn set_judged_hour(&mut self, hour: i64) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into caller_id_judged (id, hour) values (1, $1)
             on conflict (id) do update set hour = excluded.hour",
            hour
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        let kept = hour - HOURS_KEPT;
        sqlx::query!("delete from caller_id_hour where hour < $1", kept)
            .execute(self.conn())
            .await
            .map_err(|error| self.error(error))?;
        Ok(())
    }
}

fn caps(fields: &CallerIdFields) -> (i64, i64, i64) {
    let whole = |cap: Option<u32>| i64::from(cap.unwrap_or(0));
    (whole(fields.per_hour_max), whole(fields.per_day_max), whole(fields.idle_days))
}
