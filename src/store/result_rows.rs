//! The rows of the result tables, read one after the other. A row crosses from the database's thread with few
//! values: each value costs an allocation on both sides, so numbers and fixed words come as one text.

use super::reader::Reader;
use super::{ImportId, StoreError};
use futures_util::StreamExt;
use paceline_core::ids::CampaignId;
use std::str::Split;

/// One attempt joined with its lead, household, phone and agent; fields in the order of the attempts file.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptRow {
    pub id: i64,
    pub call_id: String,
    pub lead_id: Option<i64>,
    pub list_row: Option<i64>,
    pub household: Option<String>,
    pub number: i64,
    pub given: Option<String>,
    pub name: Option<String>,
    pub ordinal: i64,
    pub trunk: String,
    pub caller_id: Option<i64>,
    pub placed_at: i64,
    pub ringing_at: Option<i64>,
    pub answered_at: Option<i64>,
    pub connected_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub alive_at: Option<i64>,
    pub outcome: Option<String>,
    pub cause: String,
    pub sip_code: Option<i64>,
    pub ended_by: Option<String>,
    pub keys: String,
    pub result: Option<String>,
    /// The agent's number, and the agent's row id.
    pub agent: Option<String>,
    pub agent_id: Option<i64>,
    pub disposition: Option<String>,
    /// Wrap-up timed out; the campaign's default disposition was written.
    pub disposition_defaulted: bool,
    pub note: Option<String>,
    pub recording: Option<String>,
    pub counted: bool,
    /// The agent heard an answering machine.
    pub machine: bool,
}

/// One list row: a lead, or a refused row (`lead_id` empty).
#[derive(Clone, Debug, PartialEq)]
pub struct ListRow {
    pub lead_id: Option<i64>,
    pub list_row: i64,
    pub household: Option<String>,
    pub number: Option<i64>,
    pub given: Option<String>,
    pub name: Option<String>,
    pub state: String,
    pub reason: Option<String>,
    pub attempts: i64,
    pub last_outcome: Option<String>,
    pub last_at: Option<i64>,
    pub next_at: i64,
    pub result: Option<String>,
    pub disposition: Option<String>,
    /// JSON array of text.
    pub cells: String,
}

/// What stands in a packed text for a value that is missing, and for an empty word.
const NONE: &str = "-";

/// The values of a packed text, in order.
struct Packed<'a>(Split<'a, char>);

impl<'a> Packed<'a> {
    fn of(text: &'a str) -> Self {
        Packed(text.split(' '))
    }

    fn word(&mut self) -> Option<&'a str> {
        self.0.next().filter(|text| *text != NONE)
    }

    fn text(&mut self) -> Option<String> {
        self.word().map(str::to_owned)
    }

    fn number(&mut self) -> Option<i64> {
        self.word()?.parse().ok()
    }

    fn flag(&mut self) -> bool {
        self.word() == Some("1")
    }
}

impl Reader {
    /// Up to `limit` attempts with an id above `after`, in order of id.
    pub async fn attempts(
        &mut self,
        campaign: CampaignId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, StoreError> {
        let mut rows = Vec::new();
        self.each_attempt(campaign, after, limit, |row| {
            rows.push(row);
            Ok::<_, StoreError>(())
        })
        .await?;
        Ok(rows)
    }

    /// Gives `receive` up to `limit` attempts with an id above `after`, in order of id; its first error ends the
    /// reading. The database reads ahead meanwhile.
    pub async fn each_attempt<E: From<StoreError>>(
        &mut self,
        campaign: CampaignId,
        after: i64,
        limit: u32,
        mut receive: impl FnMut(AttemptRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let limit = i64::from(limit);
        let path = self.path().to_path_buf();
        let failed = |error: &sqlx::Error| E::from(StoreError::from_query(&path, error));
        let mut rows = sqlx::query!(
            r#"select a.id as "id!",
                      concat_ws(' ', a.number, a.ordinal, a.placed_at,
                        case when a.counted then 1 else 0 end, case when a.machine then 1 else 0 end,
                        case when a.disposition_defaulted then 1 else 0 end,
                        coalesce(cast(a.lead_id as text), '-'), coalesce(cast(l.list_row as text), '-'),
                        coalesce(cast(a.caller_id as text), '-'), coalesce(cast(a.ringing_at as text), '-'),
                        coalesce(cast(a.answered_at as text), '-'), coalesce(cast(a.connected_at as text), '-'),
                        coalesce(cast(a.ended_at as text), '-'), coalesce(cast(a.alive_at as text), '-'),
                        coalesce(cast(a.sip_code as text), '-'), coalesce(cast(a.agent_id as text), '-'),
                        coalesce(a.outcome, '-'), coalesce(a.ended_by, '-'), coalesce(nullif(a.keys, ''), '-'))
                        as "packed!: String",
                      a.call_id, a.trunk, a.cause, a.result, a.disposition, a.note, a.recording,
                      h.name as "household?", p.given as "given?", l.name as "name?", g.number as "agent?"
                 from attempt a
                 left join lead l on l.id = a.lead_id
                 left join household h on h.id = l.household_id
                 left join phone p on p.lead_id = a.lead_id and p.number = a.number
                 left join agent g on g.id = a.agent_id
                where a.campaign_id = $1 and a.id > $2
                order by a.id limit $3"#,
            campaign.0,
            after,
            limit
        )
        .fetch(&mut self.conn);
        while let Some(row) = rows.next().await {
            let row = row.map_err(|error| failed(&error))?;
            let mut packed = Packed::of(&row.packed);
            receive(AttemptRow {
                id: row.id,
                number: packed.number().unwrap_or_default(),
                ordinal: packed.number().unwrap_or_default(),
                placed_at: packed.number().unwrap_or_default(),
                counted: packed.flag(),
                machine: packed.flag(),
                disposition_defaulted: packed.flag(),
                lead_id: packed.number(),
                list_row: packed.number(),
                caller_id: packed.number(),
                ringing_at: packed.number(),
                answered_at: packed.number(),
                connected_at: packed.number(),
                ended_at: packed.number(),
                alive_at: packed.number(),
                sip_code: packed.number(),
                agent_id: packed.number(),
                outcome: packed.text(),
                ended_by: packed.text(),
                keys: packed.text().unwrap_or_default(),
                call_id: row.call_id,
                trunk: row.trunk,
                cause: row.cause,
                result: row.result,
                disposition: row.disposition,
                note: row.note,
                recording: row.recording,
                household: row.household,
                given: row.given,
                name: row.name,
                agent: row.agent,
            })?;
        }
        Ok(())
    }

    /// Up to `limit` rows of one list after row `after`, leads and refused rows in the list's order.
    /// The phone shown is the one tried last, or the first.
    pub async fn list_rows(
        &mut self,
        import: ImportId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ListRow>, StoreError> {
        let mut rows = Vec::new();
        self.each_list_row(import, after, limit, |row| {
            rows.push(row);
            Ok::<_, StoreError>(())
        })
        .await?;
        Ok(rows)
    }

    /// As [`Reader::list_rows`], one row after the other; the first error of `receive` ends the reading.
    pub async fn each_list_row<E: From<StoreError>>(
        &mut self,
        import: ImportId,
        after: i64,
        limit: u32,
        mut receive: impl FnMut(ListRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let limit = i64::from(limit);
        let path = self.path().to_path_buf();
        let failed = |error: &sqlx::Error| E::from(StoreError::from_query(&path, error));
        let mut rows = sqlx::query!(
            r#"select concat_ws(' ', r.list_row, r.attempts, r.next_at,
                        coalesce(cast(r.lead_id as text), '-'), coalesce(cast(p.number as text), '-'),
                        coalesce(cast(r.last_at as text), '-'), r.state, coalesce(r.reason, '-'),
                        coalesce(r.last_outcome, '-')) as "packed!: String",
                      h.name as "household?: String", p.given as "given?: String", r.name as "name?: String",
                      r.result as "result?: String", r.disposition as "disposition?: String",
                      r.cells as "cells!: String"
                 from (select * from (
                         select l.id as lead_id, l.list_row, l.household_id, l.name, l.state, l.reason,
                                l.attempts, l.last_outcome, l.last_at, l.next_at, l.result, l.disposition,
                                l.cells
                           from lead l where l.import_id = $1 and l.list_row > $2
                          order by l.list_row limit $3)
                       union all select * from (
                         select null, f.list_row, null, null, 'failed', f.reason, 0, null, null, 0, null,
                                null, f.cells
                           from refused_row f where f.import_id = $1 and f.list_row > $2
                          order by f.list_row limit $3)) r
                 left join household h on h.id = r.household_id
                 left join phone p on p.lead_id = r.lead_id and p.position =
                   (select t.position from phone t where t.lead_id = r.lead_id
                     order by coalesce(t.last_at, 0) desc, t.position limit 1)
                order by r.list_row limit $3"#,
            import.0,
            after,
            limit
        )
        .fetch(&mut self.conn);
        while let Some(row) = rows.next().await {
            let row = row.map_err(|error| failed(&error))?;
            let mut packed = Packed::of(&row.packed);
            receive(ListRow {
                list_row: packed.number().unwrap_or_default(),
                attempts: packed.number().unwrap_or_default(),
                next_at: packed.number().unwrap_or_default(),
                lead_id: packed.number(),
                number: packed.number(),
                last_at: packed.number(),
                state: packed.text().unwrap_or_default(),
                reason: packed.text(),
                last_outcome: packed.text(),
                household: row.household,
                given: row.given,
                name: row.name,
                result: row.result,
                disposition: row.disposition,
                cells: row.cells,
            })?;
        }
        Ok(())
    }
}
