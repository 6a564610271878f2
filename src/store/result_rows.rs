//! The rows of the result tables, read one after the other; they come packed, see `packed_rows.rs`.

use super::blacklist::json_numbers;
use super::packed_rows::{Chunk, PackedRows, each_chunk};
use super::reader::Reader;
use super::{ImportId, StoreError};
use paceline_core::ids::CampaignId;
use sqlx::SqliteConnection;
use std::path::Path;

/// One attempt joined with its lead, household, phone and agent; fields in the order of the attempts file.
#[derive(Clone, Debug, Default, PartialEq)]
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
#[derive(Clone, Debug, Default, PartialEq)]
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
        let path = self.path().to_path_buf();
        let failed = |error: sqlx::Error| E::from(StoreError::from_query(&path, &error));
        let fetch = async |conn: &mut SqliteConnection, after, rows| {
            attempts_behind(conn, campaign, after, rows, None).await.map_err(&failed)
        };
        each_chunk(&mut self.conn, after, limit, fetch, |rows| {
            let (mut packed, mut count) = (PackedRows::of(rows), 0);
            while packed.has_row() {
                receive(attempt_of(&mut packed, &path)?)?;
                count += 1;
            }
            Ok(count)
        })
        .await
    }

    /// As [`Reader::each_attempt`], for these attempts alone: at most [`EXPORT_PAGE`](super::export_rows::EXPORT_PAGE),
    /// ids ascending.
    pub async fn each_attempt_of<E: From<StoreError>>(
        &mut self,
        campaign: CampaignId,
        ids: &[i64],
        mut receive: impl FnMut(AttemptRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(first) = ids.first() else { return Ok(()) };
        let path = self.path().to_path_buf();
        let wanted = json_numbers(ids.iter().copied());
        let chunk =
            attempts_behind(&mut self.conn, campaign, first - 1, ids.len() as i64, Some(&wanted)).await;
        let chunk = chunk.map_err(|error| E::from(StoreError::from_query(&path, &error)))?;
        let rows = chunk.rows.unwrap_or_default();
        let mut packed = PackedRows::of(&rows);
        while packed.has_row() {
            receive(attempt_of(&mut packed, &path)?)?;
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
        let path = self.path().to_path_buf();
        let failed = |error: sqlx::Error| E::from(StoreError::from_query(&path, &error));
        let fetch = async |conn: &mut SqliteConnection, after, rows| {
            list_rows_behind(conn, import, after, rows).await.map_err(&failed)
        };
        each_chunk(&mut self.conn, after, limit, fetch, |rows| {
            let (mut packed, mut count) = (PackedRows::of(rows), 0);
            while packed.has_row() {
                receive(list_row_of(&mut packed, &path)?)?;
                count += 1;
            }
            Ok(count)
        })
        .await
    }
}

async fn attempts_behind(
    conn: &mut SqliteConnection,
    campaign: CampaignId,
    after: i64,
    limit: i64,
    wanted: Option<&str>,
) -> Result<Chunk, sqlx::Error> {
    sqlx::query_as!(
        Chunk,
        r#"select string_agg(packed.words, '' order by packed.id) as "rows?: String",
                  coalesce(max(packed.id), 0) as "last!: i64"
             from (
           select a.id, concat(concat_ws(' ', a.id, a.number, a.ordinal, a.placed_at,
                    case when a.counted then 1 else 0 end, case when a.machine then 1 else 0 end,
                    case when a.disposition_defaulted then 1 else 0 end,
                    coalesce(cast(a.lead_id as text), '-'), coalesce(cast(l.list_row as text), '-'),
                    coalesce(cast(a.caller_id as text), '-'), coalesce(cast(a.ringing_at as text), '-'),
                    coalesce(cast(a.answered_at as text), '-'), coalesce(cast(a.connected_at as text), '-'),
                    coalesce(cast(a.ended_at as text), '-'), coalesce(cast(a.alive_at as text), '-'),
                    coalesce(cast(a.sip_code as text), '-'), coalesce(cast(a.agent_id as text), '-'),
                    coalesce(a.outcome, '-'), coalesce(a.ended_by, '-'), coalesce(nullif(a.keys, ''), '-'),
                    octet_length(a.call_id), octet_length(a.trunk), octet_length(a.cause),
                    coalesce(cast(octet_length(a.result) as text), '-'),
                    coalesce(cast(octet_length(a.disposition) as text), '-'),
                    coalesce(cast(octet_length(a.note) as text), '-'),
                    coalesce(cast(octet_length(a.recording) as text), '-'),
                    coalesce(cast(octet_length(h.name) as text), '-'),
                    coalesce(cast(octet_length(p.given) as text), '-'),
                    coalesce(cast(octet_length(l.name) as text), '-'),
                    coalesce(cast(octet_length(g.number) as text), '-')),
                    ' ', a.call_id, a.trunk, a.cause, a.result, a.disposition, a.note, a.recording, h.name,
                    p.given, l.name, g.number, '
') as words
             from attempt a
             left join lead l on l.id = a.lead_id
             left join household h on h.id = l.household_id
             left join phone p on p.lead_id = a.lead_id and p.number = a.number
             left join agent g on g.id = a.agent_id
            where a.campaign_id = $1 and a.id > $2
              and (cast($4 as text) is null or a.id in (select cast(value as bigint) from json_each($4)))
            order by a.id limit $3) packed"#,
        campaign.0,
        after,
        limit,
        wanted
    )
    .fetch_one(conn)
    .await
}

fn attempt_of(packed: &mut PackedRows<'_>, path: &Path) -> Result<AttemptRow, StoreError> {
    let mut row = AttemptRow {
        id: packed.number().unwrap_or_default(),
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
        outcome: packed.text_word(),
        ended_by: packed.text_word(),
        keys: packed.text_word().unwrap_or_default(),
        ..AttemptRow::default()
    };
    let [call_id, trunk, cause, result, disposition, note, recording, household, given, name, agent] =
        packed.lengths();
    row.call_id = packed.text(call_id).unwrap_or_default();
    row.trunk = packed.text(trunk).unwrap_or_default();
    row.cause = packed.text(cause).unwrap_or_default();
    row.result = packed.text(result);
    row.disposition = packed.text(disposition);
    row.note = packed.text(note);
    row.recording = packed.text(recording);
    row.household = packed.text(household);
    row.given = packed.text(given);
    row.name = packed.text(name);
    row.agent = packed.text(agent);
    packed.end_row(path)?;
    Ok(row)
}

async fn list_rows_behind(
    conn: &mut SqliteConnection,
    import: ImportId,
    after: i64,
    limit: i64,
) -> Result<Chunk, sqlx::Error> {
    sqlx::query_as!(
        Chunk,
        r#"select string_agg(packed.words, '' order by packed.list_row) as "rows?: String",
                  coalesce(max(packed.list_row), 0) as "last!: i64"
             from (
           select r.list_row, concat(concat_ws(' ', r.list_row, r.attempts, r.next_at,
                    coalesce(cast(r.lead_id as text), '-'), coalesce(cast(p.number as text), '-'),
                    coalesce(cast(r.last_at as text), '-'), r.state, coalesce(r.last_outcome, '-'),
                    coalesce(cast(octet_length(r.reason) as text), '-'),
                    coalesce(cast(octet_length(h.name) as text), '-'),
                    coalesce(cast(octet_length(p.given) as text), '-'),
                    coalesce(cast(octet_length(r.name) as text), '-'),
                    coalesce(cast(octet_length(r.result) as text), '-'),
                    coalesce(cast(octet_length(r.disposition) as text), '-'), octet_length(r.cells)),
                    ' ', r.reason, h.name, p.given, r.name, r.result, r.disposition, r.cells, '
') as words
             from (select * from (
                     select l.id as lead_id, l.list_row, l.household_id, l.name, l.state, l.reason,
                            l.attempts, l.last_outcome, l.last_at, l.next_at, l.result, l.disposition,
                            l.cells
                       from lead l where l.import_id = $1 and l.list_row > $2
                      order by l.list_row limit $3) leads
                   union all select * from (
                     select null, f.list_row, null, null, 'failed', f.reason, 0, null, null, 0, null,
                            null, f.cells
                       from refused_row f where f.import_id = $1 and f.list_row > $2
                      order by f.list_row limit $3) refused) r
             left join household h on h.id = r.household_id
             left join phone p on p.lead_id = r.lead_id and p.position =
               (select t.position from phone t where t.lead_id = r.lead_id
                 order by coalesce(t.last_at, 0) desc, t.position limit 1)
            order by r.list_row limit $3) packed"#,
        import.0,
        after,
        limit
    )
    .fetch_one(conn)
    .await
}

fn list_row_of(packed: &mut PackedRows<'_>, path: &Path) -> Result<ListRow, StoreError> {
    let mut row = ListRow {
        list_row: packed.number().unwrap_or_default(),
        attempts: packed.number().unwrap_or_default(),
        next_at: packed.number().unwrap_or_default(),
        lead_id: packed.number(),
        number: packed.number(),
        last_at: packed.number(),
        state: packed.text_word().unwrap_or_default(),
        last_outcome: packed.text_word(),
        ..ListRow::default()
    };
    let [reason, household, given, name, result, disposition, cells] = packed.lengths();
    row.reason = packed.text(reason);
    row.household = packed.text(household);
    row.given = packed.text(given);
    row.name = packed.text(name);
    row.result = packed.text(result);
    row.disposition = packed.text(disposition);
    row.cells = packed.text(cells).unwrap_or_default();
    packed.end_row(path)?;
    Ok(row)
}
