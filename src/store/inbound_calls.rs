//! Inbound calls, as results read them.

use super::{Reader, StoreError};
use paceline_core::ids::CampaignId;

/// One inbound call joined with its lead, household and agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundCallRow {
    pub id: i64,
    pub number: Option<i64>,
    pub lead_id: Option<i64>,
    pub list_row: Option<i64>,
    pub household: Option<String>,
    pub name: Option<String>,
    pub began_at: Option<i64>,
    pub answered_at: Option<i64>,
    pub connected_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub ended_by: Option<String>,
    pub cause: String,
    /// The agent's number, and the agent's row id.
    pub agent: Option<String>,
    pub agent_id: Option<i64>,
    pub disposition: Option<String>,
    pub note: Option<String>,
    pub recording: Option<String>,
}

impl Reader {
    /// Up to `limit` ended inbound calls of a campaign (`None` = of no campaign) with an id above `after`, in order of id.
    pub async fn inbound_calls(
        &mut self,
        campaign: Option<CampaignId>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<InboundCallRow>, StoreError> {
        let (limit, campaign) = (i64::from(limit), campaign.map(|campaign| campaign.0));
        sqlx::query_as!(
            InboundCallRow,
            r#"select c.id as "id!", c.number, c.lead_id, l.list_row as "list_row?", h.name as "household?",
                      l.name as "name?", c.began_at, c.answered_at, c.connected_at, c.ended_at, c.ended_by,
                      c.cause, g.number as "agent?", g.id as "agent_id?", c.disposition, c.note, c.recording
                 from leg c
                 left join lead l on l.id = c.lead_id
                 left join household h on h.id = l.household_id
                 left join agent g on g.id = coalesce(c.agent_id, c.summary_agent_id)
                where c.kind = 'inbound' and (c.campaign_id = $1 or $1 is null and c.campaign_id is null) and c.id > $2 and c.ended_at is not null
                order by c.id limit $3"#,
            campaign,
            after,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }
}
