//! Queries for the screens: one lead with its details, recordings.

use super::{Reader, StoreError};
use paceline_core::ids::{AgentId, AttemptId, LeadId};
use std::collections::BTreeSet;

/// One lead with the columns an agent's screen shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeadRecord {
    pub lead_id: i64,
    pub campaign_id: i64,
    pub campaign: String,
    pub list_row: i64,
    pub household: Option<String>,
    pub name: Option<String>,
    pub state: String,
    pub reason: Option<String>,
    pub attempts: i64,
    pub last_outcome: Option<String>,
    pub last_at: Option<i64>,
    /// 0 = due at once.
    pub next_at: i64,
    pub result: Option<String>,
    pub disposition: Option<String>,
    pub callback_agent: Option<i64>,
    pub callback_skill: Option<String>,
    /// The list's header and this row's cells, as JSON arrays of text.
    pub header: String,
    pub cells: String,
    /// The owner of the campaign.
    pub enterprise: i64,
    pub organisation: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneRow {
    pub number: i64,
    /// As written in the list.
    pub given: String,
    pub attempts: i64,
    pub last_outcome: Option<String>,
    pub last_at: Option<i64>,
    pub closed: bool,
}

/// Path of one part of a recording, and the agent of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingPart {
    pub path: String,
    /// Row ids of the agents who spoke while it was taken.
    pub speakers: BTreeSet<i64>,
    /// The owner of the campaign.
    pub enterprise: i64,
    pub organisation: i64,
}

impl Reader {
    /// One lead in any state; `None` = unknown, or its import was undone.
    pub async fn lead_record(&mut self, lead: LeadId) -> Result<Option<LeadRecord>, StoreError> {
        sqlx::query_as!(
            LeadRecord,
            r#"select l.id as "lead_id!", l.campaign_id, c.name as campaign, l.list_row,
                      h.name as "household?", l.name, l.state, l.reason, l.attempts, l.last_outcome, l.last_at,
                      l.next_at, l.result, l.disposition, l.callback_agent, l.callback_skill, i.header, l.cells,
                      c.enterprise_id as enterprise, c.organisation_id as organisation
                 from lead l join import i on i.id = l.import_id and i.state = 'done'
                 join campaign c on c.id = l.campaign_id
                 left join household h on h.id = l.household_id
                where l.id = $1"#,
            lead.0
        )
        .fetch_optional(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// The phones of a lead, in dialling order.
    pub async fn phones(&mut self, lead: LeadId) -> Result<Vec<PhoneRow>, StoreError> {
        sqlx::query_as!(
            PhoneRow,
            r#"select number, given, attempts, last_outcome, last_at, closed as "closed!: bool"
                 from phone where lead_id = $1 order by position"#,
            lead.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// Whether this agent had a call with the lead's household, or has a callback booked with the lead.
    pub async fn has_contact_with(&mut self, agent: AgentId, lead: LeadId) -> Result<bool, StoreError> {
        let found = sqlx::query_scalar!(
            r#"with home (id) as (
                 select $2 union
                 select s.id from lead l join lead s on s.household_id = l.household_id where l.id = $2)
               select (exists (select 1 from home h join attempt a on a.lead_id = h.id where a.agent_id = $1)
                    or exists (select 1 from home h join leg c on c.lead_id = h.id where c.agent_id = $1)
                    or exists (select 1 from lead l where l.id = $2 and l.callback_agent = $1))
                 as "found!: bool""#,
            agent.0,
            lead.0
        )
        .fetch_one(&mut self.conn)
        .await;
        found.map_err(|e| self.query_error(&e))
    }

    /// The kept parts of an attempt's recording, in order, each with the agents who spoke while it was taken.
    pub async fn recording(&mut self, attempt: AttemptId) -> Result<Vec<RecordingPart>, StoreError> {
        let rows = sqlx::query_as!(
            PartSpeaker,
            r#"select r.id as "id!: i64", r.path, a.agent_id as "owner?: i64", s.agent_id as "speaker?: i64",
                      k.enterprise_id as "enterprise!: i64", k.organisation_id as "organisation!: i64"
                 from recording r join attempt a on a.id = r.attempt_id
                 join campaign k on k.id = a.campaign_id
                 left join seat_log s on s.attempt_id = a.id and s.activity = 'talking' and not s.inbound
                  and (s.at <= r.saved_at
                       and coalesce((select min(n.at) from seat_log n
                                      where n.agent_id = s.agent_id and n.at > s.at), r.saved_at)
                           >= r.saved_at - r.millis - $2
                       or (select count(*) from recording o where o.attempt_id = a.id) = 1)
                where r.attempt_id = $1 and r.deleted_at is null order by r.id, s.id"#,
            attempt.0,
            SAVING_SLACK
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(recording_parts(rows))
    }

    /// The kept parts of an inbound call's recording, by its id in the log of inbound calls.
    pub async fn inbound_recording(&mut self, call: i64) -> Result<Vec<RecordingPart>, StoreError> {
        let rows = sqlx::query_as!(
            PartSpeaker,
            r#"select r.id as "id!: i64", r.path, coalesce(c.summary_agent_id, c.agent_id) as "owner?: i64",
                      s.agent_id as "speaker?: i64", coalesce(k.enterprise_id, 1) as "enterprise!: i64",
                      coalesce(k.organisation_id, 1) as "organisation!: i64"
                 from recording r join leg c on c.id = r.leg_id
                 left join campaign k on k.id = c.campaign_id
                 left join seat_log s on s.attempt_id = c.call and s.activity = 'talking' and s.inbound
                  and s.at >= c.began_at and s.at <= coalesce(c.ended_at, s.at)
                  and (s.at <= r.saved_at
                       and coalesce((select min(n.at) from seat_log n
                                      where n.agent_id = s.agent_id and n.at > s.at), r.saved_at)
                           >= r.saved_at - r.millis - $2
                       or (select count(*) from recording o where o.leg_id = c.id) = 1)
                where r.leg_id = $1 and c.kind = 'inbound' and r.deleted_at is null order by r.id, s.id"#,
            call,
            SAVING_SLACK
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(recording_parts(rows))
    }
}

/// A part of a recording is entered this long after its end at most, in milliseconds.
const SAVING_SLACK: i64 = 5_000;

/// A part of a recording with one of the agents who spoke in it.
struct PartSpeaker {
    id: i64,
    path: String,
    /// The agent in the call's own row.
    owner: Option<i64>,
    speaker: Option<i64>,
    enterprise: i64,
    organisation: i64,
}

fn recording_parts(rows: Vec<PartSpeaker>) -> Vec<RecordingPart> {
    let mut parts: Vec<(i64, RecordingPart)> = Vec::new();
    for row in rows {
        if parts.last().is_none_or(|(id, _)| *id != row.id) {
            let part = RecordingPart {
                path: row.path,
                speakers: BTreeSet::from_iter(row.owner),
                enterprise: row.enterprise,
                organisation: row.organisation,
            };
            parts.push((row.id, part));
        }
        if let Some((_, part)) = parts.last_mut() {
            part.speakers.extend(row.speaker);
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}
