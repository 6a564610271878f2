//! Queries behind "why is this lead not dialled?": facts of the lead and of its numbers over all campaigns,
//! leads due before it, and the lead that a number or list row stands for.

use super::{Reader, Scope, StoreError, leads};
use crate::store::blacklist::json_numbers;
use paceline_core::explain::{LeadFacts, NumberFacts};
use paceline_core::ids::{AgentId, CampaignId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{LeadState, Outcome, Reason};
use paceline_core::time::Utc;
use std::collections::BTreeMap;

/// Selects leads of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeadSelector {
    Lead(LeadId),
    /// The row in the list, the header being row 1.
    Row(u64),
    Number(PhoneNumber),
}

/// A list row that the import refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    pub list_row: i64,
    pub reason: String,
    pub hint: String,
}

/// Counts of due leads in a campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DueNow {
    pub leads_open: u64,
    pub due: u64,
    pub next_due: Option<Utc>,
}

/// Most leads returned for one selector.
const FOUND_MAX: i64 = 20;

impl Reader {
    /// The selected leads of a campaign, in list order.
    pub async fn find_leads(
        &mut self,
        campaign: CampaignId,
        selector: LeadSelector,
    ) -> Result<Vec<LeadId>, StoreError> {
        let (lead, row, number) = match selector {
            LeadSelector::Lead(lead) => (Some(lead.0), None, None),
            LeadSelector::Row(row) => (None, Some(row as i64), None),
            LeadSelector::Number(number) => (None, None, Some(number.as_u64() as i64)),
        };
        let found = match number {
            Some(number) => {
                sqlx::query_scalar!(
                    r#"select distinct l.id as "id!" from phone p join lead l on l.id = p.lead_id
                     join import i on i.id = l.import_id and i.state = 'done'
                    where p.number = $1 and l.campaign_id = $2 order by l.id limit $3"#,
                    number,
                    campaign.0,
                    FOUND_MAX
                )
                .fetch_all(&mut self.conn)
                .await
            }
            None => {
                sqlx::query_scalar!(
                    r#"select l.id as "id!" from import i join lead l on l.import_id = i.id
                    where i.campaign_id = $1 and i.state = 'done'
                      and ($2 is null or l.id = $2) and ($3 is null or l.list_row = $3)
                    order by l.id limit $4"#,
                    campaign.0,
                    lead,
                    row,
                    FOUND_MAX
                )
                .fetch_all(&mut self.conn)
                .await
            }
        };
        let found = found.map_err(|e| self.query_error(&e))?;
        Ok(found.into_iter().map(LeadId).collect())
    }

    /// The facts that decide whether this lead may be dialled at `now`. `day` = bounds of the local day.
    pub async fn lead_facts(
        &mut self,
        campaign: CampaignId,
        lead: LeadId,
        now: Utc,
        day: (Utc, Utc),
    ) -> Result<Option<LeadFacts>, StoreError> {
        let Some(row) = sqlx::query!(
            r#"select l.state, l.reason, l.last_outcome, l.last_at, l.disposition, l.next_at, l.household_id
                 from lead l join import i on i.id = l.import_id and i.state = 'done'
                where l.id = $1 and l.campaign_id = $2"#,
            lead.0,
            campaign.0
        )
        .fetch_optional(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?
        else {
            return Ok(None);
        };
        let loaded = leads::load(&mut self.conn, &[lead.0]).await.map_err(|e| self.query_error(&e))?.pop();
        let Some(loaded) = loaded else { return Ok(None) };
        let mut numbers = Vec::new();
        for phone in &loaded.phones {
            numbers.push(self.number_facts(campaign, lead, phone.number, now, day).await?);
        }
        let household_open = match row.household_id {
            Some(household) => sqlx::query_scalar!(
                r#"select exists (select 1 from attempt a where a.household_id = $1 and a.state <> 'ended'
                     and a.lead_id is not $2) as "open!: bool""#,
                household,
                lead.0
            )
            .fetch_one(&mut self.conn)
            .await
            .map_err(|e| self.query_error(&e))?,
            None => false,
        };
        let ahead = self.ahead(campaign, lead, row.next_at, now).await?;
        Ok(Some(LeadFacts {
            state: LeadState::from_word(&row.state).unwrap_or(LeadState::Failed),
            reason: row.reason.as_deref().and_then(Reason::from_word),
            last_outcome: row.last_outcome.as_deref().and_then(Outcome::from_word),
            last_at: row.last_at.map(Utc::from_millis),
            disposition: row.disposition,
            numbers,
            household_open,
            ahead,
            lead: loaded,
        }))
    }

    async fn number_facts(
        &mut self,
        campaign: CampaignId,
        lead: LeadId,
        number: PhoneNumber,
        now: Utc,
        (day_start, day_end): (Utc, Utc),
    ) -> Result<NumberFacts, StoreError> {
        let number = number.as_u64() as i64;
        let (day_start, day_end, now) = (day_start.as_millis(), day_end.as_millis(), now.as_millis());
        let row = sqlx::query!(
            r#"select
                 exists (select 1 from blacklist b
                          where (b.import_id = 0 or exists (select 1 from blacklist_import i
                                        where i.id = b.import_id and i.state = 'loaded'))
                          and b.campaign_id in (0, $2) and (b.until is null or b.until > $6)
                            and (b.is_prefix or b.digits = $1) and b.digits in
                             ($1, $1 / 10, $1 / 100, $1 / 1000, $1 / 10000, $1 / 100000, $1 / 1000000, $1 / 10000000,
                              $1 / 100000000, $1 / 1000000000, $1 / 10000000000, $1 / 100000000000,
                              $1 / 1000000000000, $1 / 10000000000000, $1 / 100000000000000))
                   as "blacklisted!: bool",
                 exists (select 1 from summary s where s.lead_id = $3 and s.attempt_id =
                          (select t.id from attempt t where t.number = $1 and t.counted
                            order by t.placed_at desc, t.id desc limit 1)) as "called_for!: bool",
                 count(*) filter (where a.campaign_id = $2 and a.counted) as "in_campaign!: i64",
                 count(*) filter (where a.counted and a.placed_at >= $4 and a.placed_at < $5) as "in_day!: i64",
                 max(a.placed_at) filter (where a.counted) as "last_placed: i64",
                 count(*) filter (where a.state <> 'ended') as "open!: i64",
                 max(a.rest_until) filter (where a.rest_until > $6) as "rest_until: i64"
               from attempt a where a.number = $1"#,
            number,
            campaign.0,
            lead.0,
            day_start,
            day_end,
            now
        )
        .fetch_one(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(NumberFacts {
            blacklisted: row.blacklisted,
            in_campaign: row.in_campaign as u32,
            in_day: row.in_day as u32,
            last_placed: row.last_placed.map(Utc::from_millis),
            called_for: row.called_for,
            open: row.open > 0,
            rest_until: row.rest_until.map(Utc::from_millis),
        })
    }

    /// Counts due leads before this one in fetch order: retries and callbacks by due time, then list order.
    async fn ahead(
        &mut self,
        campaign: CampaignId,
        lead: LeadId,
        next_at: i64,
        now: Utc,
    ) -> Result<u64, StoreError> {
        let now = now.as_millis();
        let ahead = sqlx::query_scalar!(
            // As the order of `leads::find_due`: what a vote needs comes before retries.
            r#"select count(*) as "n!: i64" from lead me join import i on i.campaign_id = me.campaign_id
                 join lead l on l.import_id = i.id
                where me.id = $2 and i.campaign_id = $1 and i.state = 'done' and l.id <> $2
                  and (l.state = 'open' or l.state = 'follow_up' and l.next_at > 0) and l.next_at <= $4
                  and case when $3 > 0 then l.next_at > 0 and (l.next_at, l.id) < ($3, $2)
                             or l.next_at = 0 and l.vote_order > 0 and $3 > $5 and me.state = 'open'
                           when l.next_at > 0 then me.vote_order = 0 or l.next_at <= $5 or l.state = 'follow_up'
                           else l.vote_order > me.vote_order or l.vote_order = me.vote_order and l.id < $2 end"#,
            campaign.0,
            lead.0,
            next_at,
            now,
            super::lead_actions::FRONT
        )
        .fetch_one(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(ahead as u64)
    }

    /// Agent numbers by id, removed agents included.
    pub async fn agent_numbers(&mut self) -> Result<BTreeMap<AgentId, String>, StoreError> {
        let rows = sqlx::query!(r#"select id as "id!", number from agent"#)
            .fetch_all(&mut self.conn)
            .await
            .map_err(|e| self.query_error(&e))?;
        Ok(rows.into_iter().map(|row| (AgentId(row.id), row.number)).collect())
    }

    /// Counts open and due leads of a campaign.
    pub async fn due_now(&mut self, campaign: CampaignId, now: Utc) -> Result<DueNow, StoreError> {
        let now = now.as_millis();
        let row = sqlx::query!(
            r#"select count(*) as "open!: i64", count(*) filter (where l.next_at <= $2) as "due!: i64",
                      min(l.next_at) filter (where l.next_at > $2) as "next_due: i64"
                 from import i join lead l on l.import_id = i.id
                where i.campaign_id = $1 and i.state = 'done'
                  and (l.state = 'open' or l.state = 'follow_up' and l.next_at > 0)"#,
            campaign.0,
            now
        )
        .fetch_one(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(DueNow {
            leads_open: row.open as u64,
            due: row.due as u64,
            next_due: row.next_due.map(Utc::from_millis),
        })
    }

    /// The refused row with this row number, or the latest one whose cells contain this text.
    pub async fn refused_row(
        &mut self,
        campaign: CampaignId,
        row: Option<u64>,
        text: Option<&str>,
    ) -> Result<Option<RefusedRow>, StoreError> {
        let row = row.map(|row| row as i64);
        sqlx::query_as!(
            RefusedRow,
            r#"select r.list_row, r.reason, r.hint from import i join refused_row r on r.import_id = i.id
                where i.campaign_id = $1 and i.state = 'done' and ($2 is null or r.list_row = $2)
                  and ($3 is null or instr(r.cells, $3) > 0)
                order by r.import_id desc, r.list_row limit 1"#,
            campaign.0,
            row,
            text
        )
        .fetch_optional(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// The highest list row of a campaign's leads; 0 = no list was imported.
    pub async fn last_list_row(&mut self, campaign: CampaignId) -> Result<u64, StoreError> {
        let last = sqlx::query_scalar!(
            r#"select coalesce(max(l.list_row), 0) as "row!: i64" from import i join lead l on l.import_id = i.id
                where i.campaign_id = $1 and i.state = 'done'"#,
            campaign.0
        )
        .fetch_one(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(last as u64)
    }

    /// Those of the given numbers that are in the campaign's lists; at most five.
    pub async fn numbers_in_lists(
        &mut self,
        campaign: CampaignId,
        numbers: &[PhoneNumber],
    ) -> Result<Vec<PhoneNumber>, StoreError> {
        let wanted = json_numbers(numbers.iter().map(|number| number.as_u64() as i64));
        let found = sqlx::query_scalar!(
            r#"select distinct p.number as "number!" from phone p join lead l on l.id = p.lead_id
                where p.number in (select value from json_each($1)) and l.campaign_id = $2
                order by p.number limit 5"#,
            wanted,
            campaign.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(found.into_iter().filter_map(|number| PhoneNumber::from_e164(number as u64)).collect())
    }

    /// The name of another campaign of the scope whose list contains this number.
    pub async fn other_campaign_with(
        &mut self,
        scope: &Scope,
        campaign: CampaignId,
        number: PhoneNumber,
    ) -> Result<Option<String>, StoreError> {
        let number = number.as_u64() as i64;
        let organisations = json_numbers(scope.organisations.iter().copied());
        sqlx::query_scalar!(
            r#"select c.name as "name!" from phone p join lead l on l.id = p.lead_id
                 join campaign c on c.id = l.campaign_id
                where p.number = $1 and l.campaign_id <> $2 and c.enterprise_id = $3
                  and c.organisation_id in (select cast(value as bigint) from json_each($4))
                order by l.id desc limit 1"#,
            number,
            campaign.0,
            scope.enterprise,
            organisations
        )
        .fetch_optional(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }
}
