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

    pub(super) fn path(&self) -> &Path {
        &self.path
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
        self.sum_leads(campaign, &mut counts).await.map_err(|e| self.query_error(&e))?;
        self.count_talks(campaign, &mut counts).await.map_err(|e| self.query_error(&e))?;
        Ok(counts)
    }

    /// The counts of leads and of refused rows alone: no attempt is read.
    pub async fn lead_sums(&mut self, campaign: CampaignId) -> Result<Counts, StoreError> {
        let mut counts = Counts::default();
        self.sum_leads(campaign, &mut counts).await.map_err(|e| self.query_error(&e))?;
        Ok(counts)
    }

    async fn sum_leads(&mut self, campaign: CampaignId, counts: &mut Counts) -> Result<(), sqlx::Error> {
        let leads = sqlx::query!(
            r#"select l.state, l.reason, l.result, l.disposition, count(*) as "n!"
                 from import i join lead l on l.import_id = i.id
                where i.campaign_id = $1 and i.state = 'done'
                group by l.state, l.reason, l.result, l.disposition"#,
            campaign.0
        )
        .fetch_all(&mut self.conn)
        .await?;
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
        .await?;
        counts.refused = refused.into_iter().map(|row| (row.reason, row.n as u64)).collect();
        let read = sqlx::query_scalar!(
            r#"select coalesce(sum(rows_read), 0) as "n!: i64" from import
                where campaign_id = $1 and state = 'done'"#,
            campaign.0
        )
        .fetch_one(&mut self.conn)
        .await?;
        counts.rows_read = read as u64;
        Ok(())
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
