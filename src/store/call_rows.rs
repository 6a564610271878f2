//! Rows of the call log, as its pages name them.

use super::blacklist::json_numbers;
use super::{CallDirection, Reader, StoreError};
use std::collections::BTreeMap;

/// One call of the call log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// Id of the attempt, or of the leg of an inbound call.
    pub id: i64,
    pub campaign: Option<String>,
    pub lead_id: Option<i64>,
    pub name: Option<String>,
    pub number: Option<i64>,
    pub at: i64,
    pub answered_at: Option<i64>,
    pub connected_at: Option<i64>,
    pub ended_at: Option<i64>,
    /// Empty for an inbound call.
    pub outcome: Option<String>,
    pub result: Option<String>,
    pub ended_by: Option<String>,
    pub cause: String,
    /// Milliseconds of the wait for an agent, whether one came or not; empty where nobody waited.
    pub waited: Option<i64>,
    /// The other side waited for an agent and none came.
    pub missed: bool,
    /// Empty for an inbound call, as the two below it.
    pub ordinal: Option<i64>,
    pub trunk: Option<String>,
    /// E.164 digits.
    pub caller_id: Option<i64>,
    /// Of the lead.
    pub building: Option<String>,
    /// The agent's number and name.
    pub agent: Option<String>,
    pub agent_name: Option<String>,
    pub disposition: Option<String>,
    pub note: Option<String>,
    pub recorded: bool,
}

impl Reader {
    /// The rows of these calls, in the order of the ids. They were found in the reader's scope.
    pub async fn call_rows(
        &mut self,
        direction: CallDirection,
        calls: &[i64],
    ) -> Result<Vec<CallRow>, StoreError> {
        let ids = json_numbers(calls.iter().copied());
        let found = match direction {
            CallDirection::Out => self.attempt_rows(&ids).await?,
            CallDirection::In => self.inbound_rows(&ids).await?,
        };
        let mut rows: BTreeMap<i64, CallRow> = found.into_iter().map(|row| (row.id, row)).collect();
        Ok(calls.iter().filter_map(|id| rows.remove(id)).collect())
    }

    async fn attempt_rows(&mut self, ids: &str) -> Result<Vec<CallRow>, StoreError> {
        sqlx::query_as!(
            CallRow,
            r#"select a.id as "id!: i64", c.name as "campaign?: String", a.lead_id as "lead_id?: i64",
                      l.name as "name?: String", a.number as "number?: i64", a.placed_at as "at!: i64",
                      a.answered_at as "answered_at?: i64", a.connected_at as "connected_at?: i64",
                      a.ended_at as "ended_at?: i64", a.outcome as "outcome?: String",
                      a.result as "result?: String", a.ended_by as "ended_by?: String",
                      a.cause as "cause!: String", coalesce(a.connected_at, case when a.outcome in ('abandoned', 'agent_failed') then a.ended_at end)
                        - a.answered_at as "waited?: i64",
                      a.answered_at is not null and coalesce(a.outcome, '') in ('abandoned', 'agent_failed') as "missed!: bool",
                      a.ordinal as "ordinal?: i64", a.trunk as "trunk?: String",
                      a.caller_id as "caller_id?: i64", l.building as "building?: String",
                      g.number as "agent?: String", g.name as "agent_name?: String",
                      a.disposition as "disposition?: String", a.note as "note?: String",
                      a.recording is not null as "recorded!: bool"
                 from attempt a join campaign c on c.id = a.campaign_id
                 left join lead l on l.id = a.lead_id left join agent g on g.id = a.agent_id
                where a.id in (select cast(value as bigint) from json_each($1))"#,
            ids
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    async fn inbound_rows(&mut self, ids: &str) -> Result<Vec<CallRow>, StoreError> {
        sqlx::query_as!(
            CallRow,
            r#"select a.id as "id!: i64", c.name as "campaign?: String", a.lead_id as "lead_id?: i64",
                      l.name as "name?: String", a.number as "number?: i64", coalesce(a.began_at, 0) as "at!: i64",
                      a.answered_at as "answered_at?: i64", a.connected_at as "connected_at?: i64",
                      a.ended_at as "ended_at?: i64", null as "outcome?: String",
                      null as "result?: String", a.ended_by as "ended_by?: String",
                      a.cause as "cause!: String", coalesce(a.connected_at, a.ended_at) - coalesce(a.answered_at, a.began_at) as "waited?: i64",
                      a.connected_at is null and a.ended_at is not null as "missed!: bool",
                      null as "ordinal?: i64", null as "trunk?: String",
                      null as "caller_id?: i64", l.building as "building?: String",
                      g.number as "agent?: String", g.name as "agent_name?: String",
                      a.disposition as "disposition?: String", a.note as "note?: String",
                      a.recording is not null as "recorded!: bool"
                 from leg a left join campaign c on c.id = a.campaign_id
                 left join lead l on l.id = a.lead_id left join agent g on g.id = coalesce(a.summary_agent_id, a.agent_id)
                where a.id in (select cast(value as bigint) from json_each($1))"#,
            ids
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }
}
