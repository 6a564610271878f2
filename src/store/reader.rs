//! Read-only queries for results, screens and `paceline export`. A reader sees one snapshot of the store,
//! also while another process writes to it, and never waits for the writer.

use super::{CampaignRecord, ImportId, ImportRecord, Scope, StoreError, connect_options, known_version};
use paceline_core::call::KeyWay;
use paceline_core::ids::CampaignId;
use paceline_core::time::{Duration, Utc};
use sqlx::ConnectOptions;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A read-only connection with one open read transaction: its snapshot lasts from its first read until
/// [`Reader::refresh`]. An open snapshot keeps the WAL from being checkpointed: drop or refresh the reader
/// after reading.
pub struct Reader {
    path: PathBuf,
    pub(super) conn: SqliteConnection,
}

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

/// Counts of a campaign's leads and attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By state: open, follow_up, done, failed.
    pub leads: BTreeMap<String, u64>,
    /// Closed leads by the reason that ended them without another attempt.
    pub reasons: BTreeMap<String, u64>,
    pub refused: BTreeMap<String, u64>,
    /// Rows as counted by the list reader.
    pub rows_read: u64,
    /// Results set by keys, by lead.
    pub results: BTreeMap<String, u64>,
    /// Leads by disposition.
    pub lead_dispositions: BTreeMap<String, u64>,
    /// Attempts by disposition.
    pub dispositions: BTreeMap<String, u64>,
    /// Attempts in which an agent and the callee could hear each other.
    pub connected: u64,
    /// Keys pressed, by the way they came.
    pub keys_by_way: BTreeMap<String, u64>,
}

/// Rows that the database's thread may be ahead of the reader: it wakes the reader once for so many, and a row is
/// less than a kilobyte.
const ROW_BUFFER: usize = 1_024;

impl Reader {
    pub(crate) async fn open(path: &Path) -> Result<Reader, StoreError> {
        let conn = connect_options(path)
            .row_buffer_size(ROW_BUFFER)
            .read_only(true)
            .connect()
            .await
            .map_err(|e| StoreError::from_open(path, e))?;
        let mut reader = Reader { path: path.to_path_buf(), conn };
        reader.check_version().await?;
        reader.refresh().await?;
        Ok(reader)
    }

    async fn check_version(&mut self) -> Result<(), StoreError> {
        let found: Option<i64> = sqlx::query_scalar("select max(version) from _sqlx_migrations")
            .fetch_one(&mut self.conn)
            .await
            .map_err(|e| StoreError::from_open(&self.path, e))?;
        let (found, known, path) = (found.unwrap_or_default(), known_version(), self.path.clone());
        match found.cmp(&known) {
            std::cmp::Ordering::Less => Err(StoreError::Older { path, found, known }),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(StoreError::Newer { path, found, known }),
        }
    }

    /// Ends the snapshot; the next read sees the newest commit.
    pub async fn refresh(&mut self) -> Result<(), StoreError> {
        let _ = sqlx::query("rollback").execute(&mut self.conn).await;
        let begun = sqlx::query("begin deferred").execute(&mut self.conn).await;
        begun.map_err(|e| StoreError::from_query(&self.path, &e))?;
        Ok(())
    }

    pub(crate) fn query_error(&self, error: &sqlx::Error) -> StoreError {
        StoreError::from_query(&self.path, error)
    }

    /// The campaign of this name.
    pub async fn campaign(&mut self, name: &str) -> Result<CampaignRecord, StoreError> {
        let campaigns = self.campaigns().await?;
        let found = campaigns.into_iter().find(|campaign| campaign.name == name);
        found.ok_or_else(|| StoreError::Unknown { what: format!("a campaign named `{name}`") })
    }

    /// The campaign of this name that a caller of this scope sees.
    pub async fn campaign_in(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<CampaignRecord>, StoreError> {
        let campaigns = self.campaigns().await?;
        let seen = |it: &CampaignRecord| scope.holds(it.enterprise, it.organisation);
        Ok(campaigns.into_iter().find(|it| it.name == name && seen(it)))
    }

    pub async fn campaigns(&mut self) -> Result<Vec<CampaignRecord>, StoreError> {
        let rows = sqlx::query!(
            r#"select id as "id!", name, title, mode, timezone, toml, defined_at, line_trouble,
                      enterprise_id, organisation_id
                 from campaign order by id"#
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        let records = rows.into_iter().map(|row| CampaignRecord {
            id: CampaignId(row.id),
            name: row.name,
            title: row.title,
            mode: row.mode,
            timezone: row.timezone,
            toml: row.toml,
            defined_at: Utc::from_millis(row.defined_at),
            line_trouble: row.line_trouble,
            enterprise: row.enterprise_id,
            organisation: row.organisation_id,
        });
        Ok(records.collect())
    }

    /// The finished imports of a campaign, oldest first.
    pub async fn imports(&mut self, campaign: CampaignId) -> Result<Vec<ImportRecord>, StoreError> {
        let rows = sqlx::query!(
            r#"select id as "id!", file, fingerprint, header, rows_read, report, done_at as "done_at!"
                 from import where campaign_id = $1 and state = 'done' order by id"#,
            campaign.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        let records = rows.into_iter().map(|row| ImportRecord {
            id: ImportId(row.id),
            file: row.file,
            fingerprint: row.fingerprint,
            header: serde_json::from_str(&row.header).unwrap_or_default(),
            rows_read: row.rows_read as u64,
            report: row.report,
            done_at: Utc::from_millis(row.done_at),
        });
        Ok(records.collect())
    }

    /// The latest finished wrap-ups of a campaign, at most `limit`, the newest first.
    pub async fn wrap_ups(&mut self, campaign: CampaignId, limit: u32) -> Result<Vec<Duration>, StoreError> {
        let limit = i64::from(limit);
        let spans = sqlx::query_scalar!(
            r#"select min(n.at) - w.at as "span!: i64"
                 from attempt a
                 join seat_log w on w.agent_id = a.agent_id and w.attempt_id = a.id and w.activity = 'wrap_up'
                 join seat_log n on n.agent_id = w.agent_id and n.at > w.at
                where a.campaign_id = $1 and w.at >= a.ended_at
                group by w.id order by w.id desc limit $2"#,
            campaign.0,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(spans.into_iter().map(|span| Duration::from_millis(span.max(0) as u64)).collect())
    }

    /// Up to `limit` attempts with an id above `after`, in order of id.
    pub async fn attempts(
        &mut self,
        campaign: CampaignId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AttemptRow>, StoreError> {
        let limit = i64::from(limit);
        sqlx::query_as!(
            AttemptRow,
            r#"select a.id as "id!", a.call_id, a.lead_id, l.list_row as "list_row?",
                      h.name as "household?", a.number, p.given as "given?", l.name as "name?", a.ordinal,
                      a.trunk, a.caller_id, a.placed_at, a.ringing_at, a.answered_at, a.connected_at,
                      a.ended_at, a.alive_at, a.outcome, a.cause, a.sip_code, a.ended_by, a.keys, a.result,
                      g.number as "agent?", a.disposition, a.note, a.recording,
                      a.disposition_defaulted as "disposition_defaulted!: bool", a.agent_id,
                      a.counted as "counted!: bool", a.machine as "machine!: bool"
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
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// Up to `limit` rows of one list after row `after`, leads and refused rows in the list's order.
    /// The phone shown is the one tried last, or the first.
    pub async fn list_rows(
        &mut self,
        import: ImportId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ListRow>, StoreError> {
        let limit = i64::from(limit);
        sqlx::query_as!(
            ListRow,
            r#"select r.lead_id as "lead_id?: i64", r.list_row as "list_row!: i64",
                      h.name as "household?: String", p.number as "number?: i64",
                      p.given as "given?: String", r.name as "name?: String", r.state as "state!: String",
                      r.reason as "reason?: String", r.attempts as "attempts!: i64",
                      r.last_outcome as "last_outcome?: String", r.last_at as "last_at?: i64",
                      r.next_at as "next_at!: i64", r.result as "result?: String",
                      r.disposition as "disposition?: String", r.cells as "cells!: String"
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
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// Counts leads, refused rows and attempts by state, reason, result and disposition.
    pub async fn counts(&mut self, campaign: CampaignId) -> Result<Counts, StoreError> {
        let mut counts = Counts::default();
        let keys = sqlx::query!(
            r#"select a.key_ways as "ways!", count(*) as "n!"
                 from attempt a where a.campaign_id = $1 and a.key_ways <> '' group by a.key_ways"#,
            campaign.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        for row in keys {
            for way in KeyWay::ALL {
                let count = row.ways.chars().filter(|letter| *letter == way.letter()).count() as u64;
                if count > 0 {
                    *counts.keys_by_way.entry(way.word().to_owned()).or_default() += count * row.n as u64;
                }
            }
        }
        let leads = sqlx::query!(
            r#"select l.state, l.reason, l.result, l.disposition, count(*) as "n!"
                 from import i join lead l on l.import_id = i.id
                where i.campaign_id = $1 and i.state = 'done'
                group by l.state, l.reason, l.result, l.disposition"#,
            campaign.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        for row in leads {
            let n = row.n as u64;
            *counts.leads.entry(row.state).or_default() += n;
            if let Some(reason) = row.reason {
                *counts.reasons.entry(reason).or_default() += n;
            }
            if let Some(result) = row.result {
                *counts.results.entry(result).or_default() += n;
            }
            if let Some(disposition) = row.disposition {
                *counts.lead_dispositions.entry(disposition).or_default() += n;
            }
        }
        let refused = sqlx::query!(
            r#"select f.reason, count(*) as "n!" from import i join refused_row f on f.import_id = i.id
                where i.campaign_id = $1 and i.state = 'done' group by f.reason"#,
            campaign.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        counts.refused = refused.into_iter().map(|row| (row.reason, row.n as u64)).collect();
        let read = sqlx::query_scalar!(
            r#"select coalesce(sum(rows_read), 0) as "n!: i64" from import
                where campaign_id = $1 and state = 'done'"#,
            campaign.0
        )
        .fetch_one(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        counts.rows_read = read as u64;
        self.count_talks(campaign, &mut counts).await.map_err(|e| self.query_error(&e))?;
        Ok(counts)
    }

    async fn count_talks(&mut self, campaign: CampaignId, counts: &mut Counts) -> Result<(), sqlx::Error> {
        let talks = sqlx::query!(
            r#"select disposition, count(*) as "n!",
                      count(*) filter (where connected_at is not null and agent_id is not null)
                        as "connected!: i64"
                 from attempt where campaign_id = $1 group by disposition"#,
            campaign.0
        )
        .fetch_all(&mut self.conn)
        .await?;
        for row in talks {
            counts.connected += row.connected as u64;
            if let Some(disposition) = row.disposition {
                counts.dispositions.insert(disposition, row.n as u64);
            }
        }
        Ok(())
    }
}
