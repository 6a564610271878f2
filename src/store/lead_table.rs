//! The table of a campaign's leads: filters, pages by key in the order of the list, counts. One index gives the leads
//! that may match, in pieces; the other filters are asked of each piece, so that no filter holds a reader for long.

use super::blacklist::json_numbers;
use super::{Reader, StoreError};
use paceline_core::ids::{CampaignId, LeadId};
use paceline_core::number::PhoneNumber;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Leads of a campaign; `None` = no restriction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeadFilter {
    pub state: Option<String>,
    pub reason: Option<String>,
    /// The outcome of the last attempt.
    pub outcome: Option<String>,
    /// The last disposition that an agent wrote.
    pub disposition: Option<String>,
    pub building: Option<String>,
    /// Only leads with, or without, a booked callback.
    pub callback: Option<bool>,
    /// A part of the name.
    pub name: Option<String>,
    pub row: Option<u64>,
    pub number: Option<u64>,
}

/// The place of a lead in the table: its row in the list, then its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeadKey {
    pub row: i64,
    pub lead: i64,
}

impl fmt::Display for LeadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.row, self.lead)
    }
}

impl FromStr for LeadKey {
    type Err = ();

    fn from_str(text: &str) -> Result<LeadKey, ()> {
        let (row, lead) = text.split_once('.').ok_or(())?;
        let whole = |part: &str| part.parse::<u32>().map(i64::from).map_err(|_| ());
        let lead = lead.parse::<i64>().ok().filter(|id| *id > 0).ok_or(())?;
        Ok(LeadKey { row: whole(row)?, lead })
    }
}

/// Leads that match, in the order of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeadPage {
    pub leads: Vec<LeadKey>,
    /// Where the next page begins; `None` = there are no more.
    pub next: Option<LeadKey>,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeadTableRow {
    pub lead_id: i64,
    pub list_row: i64,
    /// The file of its import.
    pub list: String,
    pub name: Option<String>,
    /// The household as the list has it.
    pub place: Option<String>,
    /// Other leads of the household.
    pub others: i64,
    pub building: Option<String>,
    pub state: String,
    pub reason: Option<String>,
    pub attempts: i64,
    pub last_outcome: Option<String>,
    pub last_at: Option<i64>,
    /// Of a key.
    pub result: Option<String>,
    pub disposition: Option<String>,
    /// 0 = due at once.
    pub next_at: i64,
    pub callback_agent: Option<i64>,
    pub callback_skill: Option<String>,
    pub assigned_agent: Option<i64>,
    pub rank: i64,
    /// A call to it is up, or being set up.
    pub is_called: bool,
}

/// Leads of one piece: the first is small, because most pages are full at once.
const PIECE_MIN: i64 = 256;
const PIECE_MAX: i64 = 8_192;

/// The index that gives the leads which may match.
enum Source<'a> {
    Number(i64),
    Row(i64),
    Disposition(&'a str),
    Reason(&'a str),
    Outcome(&'a str),
    State(&'a str),
    Campaign,
}

impl LeadFilter {
    /// The filter that leaves fewest leads, as a rule.
    fn source(&self) -> Source<'_> {
        if let Some(number) = self.number {
            return Source::Number(number as i64);
        }
        if let Some(row) = self.row {
            return Source::Row(row as i64);
        }
        let by_word = [
            self.disposition.as_deref().map(Source::Disposition),
            self.reason.as_deref().map(Source::Reason),
            self.outcome.as_deref().map(Source::Outcome),
            self.state.as_deref().map(Source::State),
            self.callback.filter(|booked| *booked).map(|_| Source::State("follow_up")),
        ];
        by_word.into_iter().flatten().next().unwrap_or(Source::Campaign)
    }
}

impl Reader {
    /// Up to `limit` leads behind `after` that match. Ends early, with what it has, as soon as `is_late` says so.
    pub async fn lead_page(
        &mut self,
        campaign: CampaignId,
        filter: &LeadFilter,
        after: LeadKey,
        limit: usize,
        is_late: &(dyn Fn() -> bool + Sync),
    ) -> Result<LeadPage, StoreError> {
        let (mut page, mut at) = (LeadPage::default(), after);
        let mut piece = PIECE_MIN.max(limit as i64 + 1).min(PIECE_MAX);
        loop {
            let candidates = self.candidates(campaign, filter, at, piece).await?;
            let is_last = (candidates.len() as i64) < piece;
            let Some(end) = candidates.last().copied() else { return Ok(page) };
            let found = self.matching(filter, &candidates).await?;
            for key in found {
                if page.leads.len() == limit {
                    page.next = page.leads.last().copied();
                    return Ok(page);
                }
                page.leads.push(key);
            }
            if is_last {
                return Ok(page);
            }
            if is_late() {
                page.next = Some(end);
                return Ok(page);
            }
            (at, piece) = (end, (piece * 4).min(PIECE_MAX));
        }
    }

    /// Counts leads that match, up to `most`; `false` = there are or may be more.
    pub async fn count_leads(
        &mut self,
        campaign: CampaignId,
        filter: &LeadFilter,
        most: u64,
        is_late: &(dyn Fn() -> bool + Sync),
    ) -> Result<(u64, bool), StoreError> {
        let (mut count, mut at) = (0, LeadKey::default());
        loop {
            let candidates = self.candidates(campaign, filter, at, PIECE_MAX).await?;
            let is_last = (candidates.len() as i64) < PIECE_MAX;
            count += self.matching(filter, &candidates).await?.len() as u64;
            if count > most {
                return Ok((most, false));
            }
            match candidates.last() {
                Some(end) if !is_last => at = *end,
                _ => return Ok((count, true)),
            }
            if is_late() {
                return Ok((count, false));
            }
        }
    }

    /// Leads of the filter's index behind a place, in the order of the table.
    async fn candidates(
        &mut self,
        campaign: CampaignId,
        filter: &LeadFilter,
        after: LeadKey,
        limit: i64,
    ) -> Result<Vec<LeadKey>, StoreError> {
        let (campaign, row, lead) = (campaign.0, after.row, after.lead);
        let conn = &mut self.conn;
        let found = match filter.source() {
            Source::Number(number) => {
                sqlx::query_as!(
                    LeadKey,
                    r#"select l.list_row as "row!", l.id as "lead!" from lead l
                        where l.id in (select p.lead_id from phone p where p.number = $1)
                          and l.campaign_id = $2 and (l.list_row, l.id) > ($3, $4)
                        order by l.list_row, l.id limit $5"#,
                    number,
                    campaign,
                    row,
                    lead,
                    limit
                )
                .fetch_all(conn)
                .await
            }
            Source::Row(wanted) => {
                sqlx::query_as!(
                    LeadKey,
                    r#"select list_row as "row!", id as "lead!" from lead
                        where campaign_id = $1 and list_row = $2 and (list_row, id) > ($3, $4)
                        order by list_row, id limit $5"#,
                    campaign,
                    wanted,
                    row,
                    lead,
                    limit
                )
                .fetch_all(conn)
                .await
            }
            Source::Disposition(word) => {
                sqlx::query_as!(
                    LeadKey,
                    r#"select list_row as "row!", id as "lead!" from lead
                        where campaign_id = $1 and disposition = $2 and (list_row, id) > ($3, $4)
                        order by list_row, id limit $5"#,
                    campaign,
                    word,
                    row,
                    lead,
                    limit
                )
                .fetch_all(conn)
                .await
            }
            Source::Reason(word) => {
                sqlx::query_as!(
                    LeadKey,
                    r#"select list_row as "row!", id as "lead!" from lead
                        where campaign_id = $1 and reason = $2 and (list_row, id) > ($3, $4)
                        order by list_row, id limit $5"#,
                    campaign,
                    word,
                    row,
                    lead,
                    limit
                )
                .fetch_all(conn)
                .await
            }
            Source::Outcome(word) => {
                sqlx::query_as!(
                    LeadKey,
                    r#"select list_row as "row!", id as "lead!" from lead
                        where campaign_id = $1 and last_outcome = $2 and (list_row, id) > ($3, $4)
                        order by list_row, id limit $5"#,
                    campaign,
                    word,
                    row,
                    lead,
                    limit
                )
                .fetch_all(conn)
                .await
            }
            Source::State(word) => {
                sqlx::query_as!(
                    LeadKey,
                    r#"select list_row as "row!", id as "lead!" from lead
                        where campaign_id = $1 and state = $2 and (list_row, id) > ($3, $4)
                        order by list_row, id limit $5"#,
                    campaign,
                    word,
                    row,
                    lead,
                    limit
                )
                .fetch_all(conn)
                .await
            }
            Source::Campaign => {
                sqlx::query_as!(
                    LeadKey,
                    r#"select list_row as "row!", id as "lead!" from lead
                        where campaign_id = $1 and (list_row, id) > ($2, $3)
                        order by list_row, id limit $4"#,
                    campaign,
                    row,
                    lead,
                    limit
                )
                .fetch_all(conn)
                .await
            }
        };
        found.map_err(|e| self.query_error(&e))
    }

    /// Those of a piece that match every filter and whose list is taken in.
    async fn matching(
        &mut self,
        filter: &LeadFilter,
        candidates: &[LeadKey],
    ) -> Result<Vec<LeadKey>, StoreError> {
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let ids = json_numbers(candidates.iter().map(|key| key.lead));
        sqlx::query_as!(
            LeadKey,
            r#"select l.list_row as "row!", l.id as "lead!"
                 from lead l join import i on i.id = l.import_id and i.state = 'done'
                where l.id in (select cast(value as bigint) from json_each($1))
                  and (cast($2 as text) is null or l.state = $2)
                  and (cast($3 as text) is null or l.reason = $3)
                  and (cast($4 as text) is null or l.last_outcome = $4)
                  and (cast($5 as text) is null or l.disposition = $5)
                  and (cast($6 as text) is null or l.building = $6)
                  and (cast($7 as boolean) is null or (l.state = 'follow_up' and l.next_at > 0) = $7)
                  and (cast($8 as text) is null or replace(lower(l.name), lower($8), '') <> lower(l.name))
                order by l.list_row, l.id"#,
            ids,
            filter.state,
            filter.reason,
            filter.outcome,
            filter.disposition,
            filter.building,
            filter.callback,
            filter.name
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// The rows of these leads, in the order of the table.
    pub async fn lead_rows(&mut self, leads: &[LeadKey]) -> Result<Vec<LeadTableRow>, StoreError> {
        let ids = json_numbers(leads.iter().map(|key| key.lead));
        sqlx::query_as!(
            LeadTableRow,
            r#"select l.id as "lead_id!", l.list_row, i.file as list, l.name, h.name as "place?",
                      (select count(*) from lead o join import oi on oi.id = o.import_id and oi.state = 'done'
                        where o.household_id = l.household_id and o.id <> l.id) as "others!: i64",
                      l.building, l.state, l.reason, l.attempts, l.last_outcome, l.last_at, l.result, l.disposition,
                      l.next_at, l.callback_agent, l.callback_skill, l.rank,
                      (select g.agent_id from lead_assignment g where g.lead_id = l.id) as "assigned_agent: i64",
                      exists (select 1 from attempt a where a.lead_id = l.id and a.state <> 'ended')
                        as "is_called!: bool"
                 from lead l join import i on i.id = l.import_id
                 left join household h on h.id = l.household_id
                where l.id in (select cast(value as bigint) from json_each($1))
                order by l.list_row, l.id"#,
            ids
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// The numbers of these leads, in dialling order.
    pub async fn lead_numbers(
        &mut self,
        leads: &[LeadKey],
    ) -> Result<BTreeMap<LeadId, Vec<PhoneNumber>>, StoreError> {
        let ids = json_numbers(leads.iter().map(|key| key.lead));
        let rows = sqlx::query!(
            r#"select lead_id, number from phone
                where lead_id in (select cast(value as bigint) from json_each($1)) order by lead_id, position"#,
            ids
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        let mut numbers: BTreeMap<LeadId, Vec<PhoneNumber>> = BTreeMap::new();
        for row in rows {
            let number = u64::try_from(row.number).ok().and_then(PhoneNumber::from_e164);
            numbers.entry(LeadId(row.lead_id)).or_default().extend(number);
        }
        Ok(numbers)
    }

    /// Attempts that a number of this campaign may have; `None` = its rules are unreadable.
    pub async fn attempts_max(&mut self, campaign: CampaignId) -> Result<Option<u32>, StoreError> {
        let retry = sqlx::query_scalar!("select retry from campaign where id = $1", campaign.0)
            .fetch_optional(&mut self.conn)
            .await
            .map_err(|e| self.query_error(&e))?;
        let rules: Option<paceline_core::campaign::RetryRules> =
            retry.and_then(|text| serde_json::from_str(&text).ok());
        Ok(rules.map(|rules| rules.attempts_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_table_is_read_back_and_other_texts_are_refused() {
        let key = LeadKey { row: 4_711, lead: 812 };
        assert_eq!(key.to_string().parse(), Ok(key));
        for text in ["", ".", "4711", "4711.", ".812", "4711.0", "-1.2", "1.-2", "1.2.3", "99999999999.1"] {
            assert!(text.parse::<LeadKey>().is_err(), "{text}");
        }
    }
}
