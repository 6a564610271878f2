//! What the calls of each hour say of caller IDs, and how often each is shown.

use super::caller_ids::CallerIdKey;
use super::{Change, Store, StoreError};
use paceline_core::caller_id_health::{Counts, EndedCall, Evidence, JudgedCall};
use paceline_core::ids::CampaignId;
use paceline_core::number::{PhoneNumber, ShownNumber};
use paceline_core::outcome::Outcome;
use paceline_core::time::{Duration, Utc};
use std::collections::BTreeMap;

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

/// Calls of an hour that showed a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HourOfCalls {
    /// Those that say something of their number, by enterprise.
    pub said: BTreeMap<i64, Vec<CallOfHour>>,
    /// The last call of each number, by enterprise.
    pub last: BTreeMap<(i64, ShownNumber), Utc>,
}

/// How often a number was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallsOfNumber {
    pub today: u64,
    /// In the last 24 hours.
    pub last_day: u64,
    pub last: Utc,
}

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);
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

impl Store {
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

    /// Calls of the last 24 hours that an enterprise placed, by the number that they showed; those since `today` apart.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn caller_id_calls(
        &self,
        enterprise: i64,
        today: Utc,
        now: Utc,
    ) -> Result<BTreeMap<ShownNumber, CallsOfNumber>, StoreError> {
        let mut conn = self.read().await?;
        let (since, today) = ((now - DAY).as_millis(), today.as_millis());
        // The plus sign has the calls found by their time: those of a campaign are many more.
        let rows = sqlx::query!(
            r#"select a.caller_id as "number!: i64", count(*) as "last_day!: i64", max(a.placed_at) as "last!: i64",
                      cast(coalesce(sum(a.placed_at >= $3), 0) as bigint) as "today!: i64"
                 from attempt a
                where a.placed_at > $2 and a.caller_id is not null
                  and +a.campaign_id in (select c.id from campaign c where c.enterprise_id = $1)
                group by a.caller_id"#,
            enterprise,
            since,
            today
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let calls = rows.into_iter().filter_map(|row| {
            let number = ShownNumber::from_e164(u64::try_from(row.number).ok()?)?;
            let last = Utc::from_millis(row.last);
            Some((number, CallsOfNumber { today: row.today as u64, last_day: row.last_day as u64, last }))
        });
        Ok(calls.collect())
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

    /// Calls of an hour that showed a number, each with the enterprise that placed it.
    pub async fn calls_of_hour(&self, hour: i64) -> Result<HourOfCalls, StoreError> {
        let mut conn = self.read().await?;
        let (from, until) = (hour_start(hour).as_millis(), hour_start(hour + 1).as_millis());
        let rows = sqlx::query!(
            r#"select c.enterprise_id, a.campaign_id, a.caller_id as "caller_id!", a.number, a.ordinal, a.outcome,
                      a.sip_code, a.placed_at, a.ringing_at, a.answered_at, a.ended_at
                 from attempt a join campaign c on c.id = a.campaign_id
                where a.placed_at >= $1 and a.placed_at < $2 and a.caller_id is not null"#,
            from,
            until
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let mut calls = HourOfCalls::default();
        for row in rows {
            let digits = |number: i64| u64::try_from(number).unwrap_or(0);
            let shown = ShownNumber::from_e164(digits(row.caller_id));
            let callee = PhoneNumber::from_e164(digits(row.number));
            let (Some(shown), Some(callee)) = (shown, callee) else { continue };
            let last =
                calls.last.entry((row.enterprise_id, shown)).or_insert(Utc::from_millis(row.placed_at));
            *last = (*last).max(Utc::from_millis(row.placed_at));
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
            calls.said.entry(row.enterprise_id).or_default().push(CallOfHour {
                judged,
                is_403: ended.sip_code == Some(403),
                is_fast_fail: is_cold && is_fast,
            });
        }
        Ok(calls)
    }
}

impl Change<'_> {
    /// Writes what an hour's calls say of a number.
    pub async fn note_caller_id_hour(
        &mut self,
        id: CallerIdKey,
        hour: &CallerIdHour,
        evidence: &Evidence,
    ) -> Result<(), StoreError> {
        let it = hour;
        let evidence = serde_json::to_string(evidence).unwrap_or_default();
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
        sqlx::query!("update caller_id set evidence = $2 where id = $1", id.0, evidence)
            .execute(self.conn())
            .await
            .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// A call showed the number then.
    pub async fn note_caller_id_used(&mut self, id: CallerIdKey, at: Utc) -> Result<(), StoreError> {
        let at = at.as_millis();
        sqlx::query!(
            "update caller_id set last_used_at = max(coalesce(last_used_at, $2), $2) where id = $1",
            id.0,
            at
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
