//! What an agent's desk shows beside the present call: the agent's own leads by state, and callbacks.

use super::{Reader, StoreError};
use paceline_core::ids::{AgentId, CampaignId, LeadId};

/// One lead in the lists of the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskLead {
    pub lead_id: i64,
    pub campaign_id: i64,
    pub name: Option<String>,
    pub household: Option<String>,
    pub state: String,
    /// 0 = due at once.
    pub next_at: i64,
    pub disposition: Option<String>,
    pub last_outcome: Option<String>,
    pub last_at: Option<i64>,
    pub callback_agent: Option<i64>,
    pub callback_skill: Option<String>,
}

fn ids(campaigns: &[CampaignId]) -> String {
    super::blacklist::json_numbers(campaigns.iter().map(|campaign| campaign.0))
}

impl Reader {
    /// The agent's leads of these campaigns in a state, by id: those assigned to it, those whose callback is booked for it,
    /// and those that it called. `after` = the last id of the page before.
    pub async fn desk_leads(
        &mut self,
        campaigns: &[CampaignId],
        agent: AgentId,
        state: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DeskLead>, StoreError> {
        let campaigns = ids(campaigns);
        sqlx::query_as!(
            DeskLead,
            r#"with mine (id) as (
                 select lead_id from lead_assignment
                  where agent_id = $2 and campaign_id in (select cast(value as bigint) from json_each($1))
                 union select id from lead where callback_agent = $2
                 union select lead_id from attempt
                  where agent_id = $2 and campaign_id in (select cast(value as bigint) from json_each($1))
                    and lead_id is not null)
               select l.id as "lead_id!: i64", l.campaign_id as "campaign_id!: i64", l.name as "name?: String",
                      h.name as "household?: String", l.state as "state!: String", l.next_at as "next_at!: i64",
                      l.disposition as "disposition?: String", l.last_outcome as "last_outcome?: String",
                      l.last_at as "last_at?: i64", l.callback_agent as "callback_agent?: i64",
                      l.callback_skill as "callback_skill?: String"
                 from mine m join lead l on l.id = m.id join import i on i.id = l.import_id and i.state = 'done'
                 left join household h on h.id = l.household_id
                where l.campaign_id in (select cast(value as bigint) from json_each($1)) and l.state = $3 and l.id > $4
                order by l.id limit $5"#,
            campaigns,
            agent.0,
            state,
            after,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// How many leads of these campaigns are the agent's, by state.
    pub async fn desk_counts(
        &mut self,
        campaigns: &[CampaignId],
        agent: AgentId,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let campaigns = ids(campaigns);
        let rows = sqlx::query!(
            r#"with mine (id) as (
                 select lead_id from lead_assignment
                  where agent_id = $2 and campaign_id in (select cast(value as bigint) from json_each($1))
                 union select id from lead where callback_agent = $2
                 union select lead_id from attempt
                  where agent_id = $2 and campaign_id in (select cast(value as bigint) from json_each($1))
                    and lead_id is not null)
               select l.state as "state!: String", count(*) as "leads!: i64"
                 from mine m join lead l on l.id = m.id join import i on i.id = l.import_id and i.state = 'done'
                where l.campaign_id in (select cast(value as bigint) from json_each($1)) group by l.state"#,
            campaigns,
            agent.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(rows.into_iter().map(|row| (row.state, row.leads)).collect())
    }

    /// Callbacks booked for the agent, the earliest first, and those of these campaigns that are for anyone.
    pub async fn desk_callbacks(
        &mut self,
        agent: AgentId,
        campaigns: &[CampaignId],
        limit: u32,
    ) -> Result<Vec<DeskLead>, StoreError> {
        let campaigns = ids(campaigns);
        sqlx::query_as!(
            DeskLead,
            r#"select l.id as "lead_id!: i64", l.campaign_id as "campaign_id!: i64", l.name as "name?: String",
                      h.name as "household?: String", l.state as "state!: String", l.next_at as "next_at!: i64",
                      l.disposition as "disposition?: String", l.last_outcome as "last_outcome?: String",
                      l.last_at as "last_at?: i64", l.callback_agent as "callback_agent?: i64",
                      l.callback_skill as "callback_skill?: String"
                 from import i join lead l on l.import_id = i.id
                 left join household h on h.id = l.household_id
                where i.state = 'done' and i.campaign_id in (select cast(value as bigint) from json_each($1))
                  and l.state = 'follow_up' and l.next_at > 0
                  and (l.callback_agent is null or l.callback_agent = $2)
                order by l.next_at, l.id limit $3"#,
            campaigns,
            agent.0,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// Open leads of a campaign that nobody has and that were never called, in the order of dialling.
    pub async fn free_leads(&mut self, campaign: CampaignId, limit: u32) -> Result<Vec<LeadId>, StoreError> {
        let rows = sqlx::query_scalar!(
            r#"select l.id as "id!: i64" from import i join lead l on l.import_id = i.id
                where i.campaign_id = $1 and i.state = 'done' and l.state = 'open' and l.next_at = 0
                  and not exists (select 1 from lead_assignment a where a.lead_id = l.id)
                  and not exists (select 1 from attempt t where t.lead_id = l.id and t.state <> 'ended')
                order by l.vote_order desc, l.id limit $2"#,
            campaign.0,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(rows.into_iter().map(LeadId).collect())
    }
}

impl super::Store {
    /// Locks the screen of a session until the password is typed.
    pub async fn lock_session(&self, hash: &str) -> Result<(), StoreError> {
        self.transaction(async |conn| {
            sqlx::query!("update web_session set locked = true where hash = $1", hash).execute(conn).await?;
            Ok(())
        })
        .await
        .map_err(self.query_error())
    }
}
