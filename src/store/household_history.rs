//! Contact history of a household: every attempt and every inbound call of all its leads.

use super::{Reader, StoreError};
use paceline_core::ids::LeadId;

/// One contact with a household.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    /// The attempt; empty for an inbound call.
    pub attempt_id: Option<i64>,
    /// The leg of an inbound call.
    pub leg_id: Option<i64>,
    pub lead_id: i64,
    pub name: Option<String>,
    pub number: Option<i64>,
    /// When the call was placed or arrived.
    pub at: i64,
    pub answered_at: Option<i64>,
    pub connected_at: Option<i64>,
    pub ended_at: Option<i64>,
    /// Empty while the attempt is open, and for an inbound call.
    pub outcome: Option<String>,
    pub result: Option<String>,
    /// The agent's number and name.
    pub agent: Option<String>,
    pub agent_name: Option<String>,
    pub disposition: Option<String>,
    pub note: Option<String>,
    pub recording: Option<String>,
}

impl Reader {
    /// Every contact with this lead and the other leads of its household, the newest first.
    pub async fn household_history(&mut self, lead: LeadId) -> Result<Vec<ContactRow>, StoreError> {
        sqlx::query_as!(
            ContactRow,
            r#"with home (id, name) as (
                 select s.id, s.name from lead s where s.id = $1
                 union
                 select s.id, s.name from lead l join lead s on s.household_id = l.household_id where l.id = $1)
               select a.id as "attempt_id?: i64", null as "leg_id?: i64", s.id as "lead_id!: i64",
                      s.name as "name?: String", a.number as "number?: i64", a.placed_at as "at!: i64",
                      a.answered_at as "answered_at?: i64", a.connected_at as "connected_at?: i64",
                      a.ended_at as "ended_at?: i64", a.outcome as "outcome?: String",
                      a.result as "result?: String", g.number as "agent?: String",
                      g.name as "agent_name?: String", a.disposition as "disposition?: String",
                      a.note as "note?: String", a.recording as "recording?: String"
                 from home s join attempt a on a.lead_id = s.id left join agent g on g.id = a.agent_id
               union all
               select null, c.id, s.id, s.name, c.number, coalesce(c.began_at, 0), c.answered_at,
                      c.connected_at, c.ended_at, null, null, g.number, g.name, c.disposition, c.note,
                      c.recording
                 from home s join leg c on c.lead_id = s.id and c.kind = 'inbound'
                 left join agent g on g.id = coalesce(c.summary_agent_id, c.agent_id)
               order by 6 desc, 1 desc, 2 desc"#,
            lead.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }
}
