//! One call as its screen shows it: its row, legs, the seats in it, summaries, corrections, recording parts, and the
//! agents of its group at the answer.

use super::{Reader, StoreError};
use paceline_core::ids::{AttemptId, GroupId};

/// An attempt, or an inbound call with what an attempt alone has left empty. Moments are milliseconds of UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallDetailRow {
    pub id: i64,
    pub campaign_id: Option<i64>,
    pub campaign: Option<String>,
    pub lead_id: Option<i64>,
    pub name: Option<String>,
    pub number: Option<i64>,
    /// The attempt's place among those of its lead, from 1; 0 for an inbound call and a test call.
    pub ordinal: i64,
    pub lead_attempts: i64,
    pub trunk: Option<String>,
    pub caller_id: Option<i64>,
    pub at: i64,
    pub ringing_at: Option<i64>,
    pub answered_at: Option<i64>,
    pub connected_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub outcome: Option<String>,
    pub cause: String,
    pub sip_code: Option<i64>,
    pub ended_by: Option<String>,
    pub keys: String,
    pub result: Option<String>,
    /// Row id of the agent who spoke.
    pub agent_id: Option<i64>,
    pub agent: Option<String>,
    pub agent_name: Option<String>,
    pub disposition: Option<String>,
    pub note: Option<String>,
    /// JSON: see [`paceline_core::call_steps`].
    pub steps: Option<String>,
    /// What the seat log calls it: the attempt, or the inbound call's number in its process.
    pub call: Option<i64>,
    /// The owner of the campaign.
    pub enterprise: i64,
    pub organisation: i64,
}

/// A leg of a call that is no attempt of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLegRow {
    pub kind: String,
    pub agent_id: Option<i64>,
    pub agent: Option<String>,
    pub agent_name: Option<String>,
    pub number: Option<i64>,
    pub began_at: Option<i64>,
    pub answered_at: Option<i64>,
    pub connected_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub ended_by: Option<String>,
    pub cause: String,
}

/// A span of a seat that was spent on a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSeatRow {
    pub agent_id: i64,
    pub agent: String,
    pub agent_name: String,
    pub activity: String,
    pub at: i64,
    /// Empty while it lasts.
    pub until: Option<i64>,
}

/// A summary, with the beginning of its wrap-up where the seat log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSummaryRow {
    pub agent: Option<String>,
    pub agent_name: Option<String>,
    pub disposition: String,
    pub note: String,
    pub callback_at: Option<i64>,
    pub defaulted: bool,
    pub at: i64,
    pub wrap_began_at: Option<i64>,
}

/// A correction that was made in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallCorrectionRow {
    pub agent: Option<String>,
    pub at: i64,
    pub field: String,
    pub was: Option<String>,
    pub now: String,
}

/// A part of a recording, also one that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecordingRow {
    pub millis: i64,
    pub lost_frames: i64,
    pub saved_at: i64,
    pub deleted_at: Option<i64>,
    /// A crash cut it off.
    pub recovered: bool,
}

/// An agent of the call's group who was signed in at the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentAtAnswerRow {
    pub agent_id: i64,
    pub agent: String,
    pub agent_name: String,
    pub availability: String,
    pub activity: String,
    pub reason: Option<String>,
    pub since: i64,
    /// When the agent could next take a call; empty = not within [`FREE_WITHIN`].
    pub free_at: Option<i64>,
}

/// How long after the answer an agent who becomes free is looked for, in milliseconds.
pub const FREE_WITHIN: i64 = 600_000;

/// Agents in one answer.
const AGENTS_MAX: i64 = 500;

/// Rows of one call in the lists around it: a call that is passed on for hours has no more.
const ROWS_MAX: i64 = 200;

impl Reader {
    /// One attempt; `None` = there is none.
    pub async fn call_detail(&mut self, attempt: AttemptId) -> Result<Option<CallDetailRow>, StoreError> {
        sqlx::query_as!(
            CallDetailRow,
            r#"select a.id as "id!: i64", a.campaign_id as "campaign_id?: i64", c.name as "campaign?: String",
                      a.lead_id as "lead_id?: i64", l.name as "name?: String", a.number as "number?: i64",
                      a.ordinal as "ordinal!: i64", coalesce(l.attempts, 0) as "lead_attempts!: i64",
                      a.trunk as "trunk?: String", a.caller_id as "caller_id?: i64", a.placed_at as "at!: i64",
                      a.ringing_at, a.answered_at, a.connected_at, a.ended_at, a.outcome, a.cause, a.sip_code,
                      a.ended_by, a.keys, a.result, a.agent_id, g.number as "agent?: String",
                      g.name as "agent_name?: String", a.disposition, a.note, a.steps, a.id as "call?: i64",
                      c.enterprise_id as "enterprise!: i64", c.organisation_id as "organisation!: i64"
                 from attempt a join campaign c on c.id = a.campaign_id
                 left join lead l on l.id = a.lead_id left join agent g on g.id = a.agent_id
                where a.id = $1"#,
            attempt.0
        )
        .fetch_optional(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// One inbound call, by its id in the log of inbound calls.
    pub async fn inbound_call_detail(&mut self, call: i64) -> Result<Option<CallDetailRow>, StoreError> {
        sqlx::query_as!(
            CallDetailRow,
            r#"select a.id as "id!: i64", a.campaign_id as "campaign_id?: i64", c.name as "campaign?: String",
                      a.lead_id as "lead_id?: i64", l.name as "name?: String", a.number as "number?: i64",
                      0 as "ordinal!: i64", 0 as "lead_attempts!: i64", null as "trunk?: String",
                      null as "caller_id?: i64", coalesce(a.began_at, 0) as "at!: i64",
                      null as "ringing_at?: i64", a.answered_at, a.connected_at, a.ended_at,
                      null as "outcome?: String", a.cause, null as "sip_code?: i64", a.ended_by,
                      '' as "keys!: String", null as "result?: String", g.id as "agent_id?: i64",
                      g.number as "agent?: String", g.name as "agent_name?: String", a.disposition, a.note,
                      null as "steps?: String", a.call as "call?: i64",
                      coalesce(c.enterprise_id, 1) as "enterprise!: i64",
                      coalesce(c.organisation_id, 1) as "organisation!: i64"
                 from leg a left join campaign c on c.id = a.campaign_id
                 left join lead l on l.id = a.lead_id
                 left join agent g on g.id = coalesce(a.summary_agent_id, a.agent_id)
                where a.id = $1 and a.kind = 'inbound'"#,
            call
        )
        .fetch_optional(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// The legs of a call beside its own: the phones of agents and consulted parties.
    pub async fn call_legs(&mut self, call: &CallDetailRow) -> Result<Vec<CallLegRow>, StoreError> {
        let until = call.ended_at.unwrap_or(i64::MAX);
        sqlx::query_as!(
            CallLegRow,
            r#"select s.kind, s.agent_id, g.number as "agent?: String", g.name as "agent_name?: String", s.number,
                      s.began_at, s.answered_at, s.connected_at, s.ended_at, s.ended_by, s.cause
                 from leg s left join agent g on g.id = s.agent_id
                where s.attempt_id = $1 and s.kind in ('agent', 'consulted')
                  and coalesce(s.ended_at, $2) >= $2 and coalesce(s.began_at, $2) <= $3
                order by s.id limit $4"#,
            call.call,
            call.at,
            until,
            ROWS_MAX
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// What seats did in a call, in order. The number of an inbound call returns in a later process, so only the time of
    /// the call counts, with its wrap-up.
    pub async fn call_seats(
        &mut self,
        call: &CallDetailRow,
        inbound: bool,
    ) -> Result<Vec<CallSeatRow>, StoreError> {
        let until = if inbound { call.ended_at.map_or(i64::MAX, |at| at + FREE_WITHIN) } else { i64::MAX };
        sqlx::query_as!(
            CallSeatRow,
            r#"select s.agent_id, g.number as agent, g.name as agent_name, s.activity, s.at,
                      (select min(n.at) from seat_log n where n.agent_id = s.agent_id
                         and (n.at > s.at or n.at = s.at and n.id > s.id)) as "until?: i64"
                 from seat_log s join agent g on g.id = s.agent_id
                where s.attempt_id = $1 and s.inbound = $2 and s.activity <> 'idle' and s.at >= $3 and s.at <= $4
                order by s.at, s.id limit $5"#,
            call.call,
            inbound,
            call.at,
            until,
            ROWS_MAX
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// Every summary of a call, the oldest first; the last one is in force.
    pub async fn call_summaries(
        &mut self,
        call: &CallDetailRow,
        inbound: bool,
    ) -> Result<Vec<CallSummaryRow>, StoreError> {
        let (attempt, leg) = if inbound { (None, Some(call.id)) } else { (Some(call.id), None) };
        sqlx::query_as!(
            CallSummaryRow,
            r#"select g.number as "agent?: String", g.name as "agent_name?: String", s.disposition, s.note,
                      s.callback_at, s.defaulted as "defaulted!: bool", s.at,
                      (select max(w.at) from seat_log w where w.agent_id = s.agent_id and w.attempt_id = $3
                         and w.activity = 'wrap_up' and w.at <= s.at and w.at >= $4) as "wrap_began_at?: i64"
                 from summary s left join agent g on g.id = s.agent_id
                where s.attempt_id = $1 or s.leg_id = $2 order by s.id limit $5"#,
            attempt,
            leg,
            call.call,
            call.at,
            ROWS_MAX
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// The corrections that were made in an attempt.
    pub async fn call_corrections(
        &mut self,
        attempt: AttemptId,
    ) -> Result<Vec<CallCorrectionRow>, StoreError> {
        sqlx::query_as!(
            CallCorrectionRow,
            r#"select g.number as "agent?: String", k.at, k.field, k.was, k.now
                 from lead_correction k left join agent g on g.id = k.agent_id
                where k.attempt_id = $1 order by k.id limit $2"#,
            attempt.0,
            ROWS_MAX
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// The parts of a call's recording in order, the deleted ones too.
    pub async fn call_recordings(
        &mut self,
        call: &CallDetailRow,
        inbound: bool,
    ) -> Result<Vec<CallRecordingRow>, StoreError> {
        let (attempt, leg) = if inbound { (None, Some(call.id)) } else { (Some(call.id), None) };
        sqlx::query_as!(
            CallRecordingRow,
            r#"select millis, lost_frames, saved_at, deleted_at, recovered as "recovered!: bool"
                 from recording where attempt_id = $1 or leg_id = $2 order by id limit $3"#,
            attempt,
            leg,
            ROWS_MAX
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// The agents of a group who were signed in at a moment, each with when a call could be taken next. Costs one look
    /// into the index for each agent of the enterprise, and one of at most [`FREE_WITHIN`] of log for each who was there.
    pub async fn agents_at(
        &mut self,
        enterprise: i64,
        group: GroupId,
        at: i64,
    ) -> Result<Vec<AgentAtAnswerRow>, StoreError> {
        sqlx::query_as!(
            AgentAtAnswerRow,
            r#"select g.id as "agent_id!: i64", g.number as agent, g.name as agent_name, s.availability, s.activity,
                      s.reason, s.at as since,
                      case when s.availability = 'available' and s.activity = 'idle' then $3
                           else (select min(n.at) from seat_log n where n.agent_id = g.id and n.at > $3
                                    and n.at <= $3 + $4 and n.availability = 'available' and n.activity = 'idle')
                      end as "free_at?: i64"
                 from agent g
                 join seat_log s on s.id = (select l.id from seat_log l where l.agent_id = g.id and l.at <= $3
                                             order by l.at desc, l.id desc limit 1)
                where g.enterprise_id = $1 and s.availability <> 'signed_out'
                  and exists (select 1 from json_each(s.groups) j where j.value = $2)
                order by g.number limit $5"#,
            enterprise,
            group.0,
            at,
            FREE_WITHIN,
            AGENTS_MAX
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }
}
