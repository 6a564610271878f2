//! Sums over the calls of a filter, by what calls have in common. Times are summed by quarter hours of UTC: every zone is
//! a multiple of one away from it, so that the reader of the sums makes local hours and days of them exactly.

use super::call_filters::{query_attempts, query_inbound};
use super::{CallDirection, CallFilter, CallSource, Reader, StoreError};
use std::collections::BTreeMap;

/// A quarter of an hour, in milliseconds.
pub const QUARTER: i64 = 15 * 60_000;

/// What calls are summed by; calls of every value are one sum where nothing is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SumsBy {
    pub quarter: bool,
    pub building: bool,
    pub outcome: bool,
    pub disposition: bool,
    pub caller_id: bool,
    pub trunk: bool,
    pub agent: bool,
}

/// The sums of calls that have these values in common; `None` = not summed by it, or the calls have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallSums {
    /// Quarter hours since 1970, of the time at which the calls were placed or arrived.
    pub quarter: Option<i64>,
    pub building: Option<String>,
    pub outcome: Option<String>,
    pub disposition: Option<String>,
    /// E.164 digits.
    pub caller_id: Option<i64>,
    pub trunk: Option<String>,
    pub agent: Option<i64>,
    pub calls: i64,
    /// Outcome `answered`; of inbound calls those that an agent took.
    pub answered: i64,
    /// Calls with a talk, and its milliseconds in all: as `talk_secs` of the result files.
    pub talked: i64,
    pub talked_ms: i64,
    /// Answered, and no agent came.
    pub abandoned: i64,
    /// Answered by a person: connected with one, or abandoned.
    pub people: i64,
    /// Without line faults.
    pub without_faults: i64,
}

macro_rules! attempt_sums {
    ($reader:expr, $args:expr, $by:expr, $source:tt) => {
        query_attempts!(
            CallSums,
            $args,
            r#"select case when $24 then a.placed_at / 900000 end as "quarter?: i64",
                      case when $25 then (select b.building from lead b where b.id = a.lead_id) end
                        as "building?: String",
                      case when $26 then a.outcome end as "outcome?: String",
                      case when $27 then a.disposition end as "disposition?: String",
                      case when $28 then a.caller_id end as "caller_id?: i64",
                      case when $29 then a.trunk end as "trunk?: String",
                      case when $30 then a.agent_id end as "agent?: i64",
                      count(*) as "calls!: i64",
                      count(*) filter (where a.outcome = 'answered') as "answered!: i64",
                      count(coalesce(a.alive_at, a.ended_at) - coalesce(a.connected_at,
                              case when c.mode = 'announce'
                                    and coalesce(a.outcome, '') not in ('abandoned', 'agent_failed')
                                   then a.answered_at end)) as "talked!: i64",
                      coalesce(sum(max(0, coalesce(a.alive_at, a.ended_at) - coalesce(a.connected_at,
                              case when c.mode = 'announce'
                                    and coalesce(a.outcome, '') not in ('abandoned', 'agent_failed')
                                   then a.answered_at end))), 0) as "talked_ms!: i64",
                      count(*) filter (where a.answered_at is not null
                        and a.outcome in ('abandoned', 'agent_failed')) as "abandoned!: i64",
                      count(*) filter (where a.answered_at is not null and a.outcome in ('abandoned', 'agent_failed')
                        or a.outcome is not null and a.connected_at is not null and not a.machine) as "people!: i64",
                      count(*) filter (where a.outcome is null or a.outcome <> 'line_fault')
                        as "without_faults!: i64""#,
            $source,
            ["group by 1, 2, 3, 4, 5, 6, 7"],
            $by.quarter,
            $by.building,
            $by.outcome,
            $by.disposition,
            $by.caller_id,
            $by.trunk,
            $by.agent
        )
        .fetch_all(&mut $reader.conn)
        .await
    };
}

macro_rules! inbound_sums {
    ($reader:expr, $args:expr, $by:expr, $source:tt) => {
        query_inbound!(
            CallSums,
            $args,
            r#"select case when $20 then a.began_at / 900000 end as "quarter?: i64",
                      case when $21 then (select b.building from lead b where b.id = a.lead_id) end
                        as "building?: String",
                      null as "outcome?: String",
                      case when $22 then a.disposition end as "disposition?: String",
                      null as "caller_id?: i64", null as "trunk?: String",
                      case when $23 then coalesce(a.summary_agent_id, a.agent_id) end as "agent?: i64",
                      count(*) as "calls!: i64", count(a.connected_at) as "answered!: i64",
                      count(a.ended_at - a.connected_at) as "talked!: i64",
                      coalesce(sum(max(0, a.ended_at - a.connected_at)), 0) as "talked_ms!: i64",
                      count(*) filter (where a.connected_at is null and a.ended_at is not null)
                        as "abandoned!: i64",
                      count(*) filter (where a.connected_at is not null or a.ended_at is not null)
                        as "people!: i64",
                      count(*) as "without_faults!: i64""#,
            $source,
            ["group by 1, 2, 4, 7"],
            $by.quarter,
            $by.building,
            $by.disposition,
            $by.agent
        )
        .fetch_all(&mut $reader.conn)
        .await
    };
}

impl Reader {
    /// Sums over all calls of a filter, in no order.
    pub async fn call_sums(&mut self, filter: &CallFilter, by: SumsBy) -> Result<Vec<CallSums>, StoreError> {
        if filter.is_empty() {
            return Ok(Vec::new());
        }
        let args = filter.args();
        let summed = match (filter.direction, filter.source()) {
            (CallDirection::In, CallSource::Lead) => inbound_sums!(self, args, by, "a.lead_id = $12"),
            (CallDirection::In, _) => inbound_sums!(self, args, by, "a.id > 0"),
            (_, CallSource::Lead) => attempt_sums!(self, args, by, "a.lead_id = $16"),
            (_, CallSource::Number) => attempt_sums!(self, args, by, "a.number = $17"),
            (_, CallSource::Building) => attempt_sums!(
                self,
                args,
                by,
                "a.lead_id in (select b.id from lead b where b.campaign_id = $5 and b.building = $15)"
            ),
            (_, CallSource::Campaign) => attempt_sums!(self, args, by, "a.campaign_id = $5"),
            (_, CallSource::Time) => attempt_sums!(self, args, by, "a.enterprise_id = $1"),
        };
        summed.map_err(|e| self.query_error(&e))
    }

    /// Number and name of accounts by their ids, those of the removed too. The ids stand in rows of the reader's scope.
    pub async fn agent_names(&mut self, ids: &[i64]) -> Result<BTreeMap<i64, (String, String)>, StoreError> {
        let ids = super::blacklist::json_numbers(ids.iter().copied());
        let rows = sqlx::query!(
            r#"select id as "id!", number, name from agent
                where id in (select cast(value as bigint) from json_each($1))"#,
            ids
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(rows.into_iter().map(|row| (row.id, (row.number, row.name))).collect())
    }
}
