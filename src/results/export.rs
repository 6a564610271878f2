//! The tables of exports: those of every results file, of several campaigns and in pages, so that whoever writes them
//! can pause between two.

use super::attempts::{self, cells as attempt_cells};
use super::calls_in::{self, cells as call_in_cells};
use super::csv_file::CsvFile;
use super::leads::{self, Layout};
use super::local_time::LocalTime;
use super::parquet_file::ParquetFile;
use super::shape::ShapedSink;
use super::summary::Tally;
use super::table::{Cell, Column, Kind, Sink};
use super::workbook::Workbook;
use super::{CampaignRecord, Format, Reader, ResultsError, agents, zone};
use crate::store::inbound_calls::InboundCallRow;
use crate::store::{AgentRow, ImportRecord};
use jiff::tz::TimeZone;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::path::Path;

/// Rows of a list a page.
const LIST_PAGE: u32 = 2_000;

/// The first column of tables that hold rows of several campaigns.
fn with_campaign(columns: Vec<Column>) -> Vec<Column> {
    let campaign = Column { name: "campaign".into(), kind: Kind::Text };
    std::iter::once(campaign).chain(columns).collect()
}

/// The columns of exported attempts: the campaign, then those of `attempts.csv`.
pub fn attempt_columns() -> Vec<Column> {
    with_campaign(attempts::columns())
}

/// The columns of exported inbound calls: the campaign, then those of `calls_in.csv`.
pub fn call_in_columns() -> Vec<Column> {
    with_campaign(calls_in::columns())
}

/// The columns of exported agents' hours: those of `agents.csv`.
pub fn hours_columns() -> Vec<Column> {
    agents::columns()
}

/// Rows by a word of theirs, counted while they are written.
pub type RowCounts = BTreeMap<String, u64>;

/// One file of an export.
pub enum ExportFile {
    Csv(Box<CsvFile>),
    Parquet(Box<ParquetFile>),
    Xlsx(Box<Workbook>),
}

impl ExportFile {
    /// Begins a file, and in it a table.
    pub fn create(
        format: Format,
        path: &Path,
        title: &str,
        columns: &[Column],
    ) -> Result<ExportFile, ResultsError> {
        Ok(match format {
            Format::Csv => ExportFile::Csv(Box::new(CsvFile::create(path, columns)?)),
            Format::Parquet => ExportFile::Parquet(Box::new(ParquetFile::create(path, columns)?)),
            Format::Xlsx => {
                let mut workbook = Workbook::create(path)?;
                workbook.begin(title, columns)?;
                ExportFile::Xlsx(Box::new(workbook))
            }
        })
    }

    /// Begins another table in a workbook; other formats hold one table a file, and `false` is returned.
    pub fn begin_table(&mut self, title: &str, columns: &[Column]) -> Result<bool, ResultsError> {
        match self {
            ExportFile::Xlsx(workbook) => workbook.begin(title, columns).map(|()| true),
            _ => Ok(false),
        }
    }

    /// The file is complete when this returns.
    pub fn finish(self) -> Result<(), ResultsError> {
        match self {
            ExportFile::Csv(file) => file.finish(),
            ExportFile::Parquet(file) => file.finish(),
            ExportFile::Xlsx(file) => file.finish(),
        }
    }
}

impl Sink for ExportFile {
    fn row(&mut self, cells: &[Cell]) -> Result<(), ResultsError> {
        match self {
            ExportFile::Csv(file) => file.row(cells),
            ExportFile::Parquet(file) => file.row(cells),
            ExportFile::Xlsx(file) => file.row(cells),
        }
    }
}

/// The calls of one campaign.
pub struct CallTables {
    campaign: CampaignRecord,
    clock: LocalTime,
}

impl CallTables {
    pub fn of(campaign: CampaignRecord) -> CallTables {
        CallTables { clock: LocalTime::of(zone(&campaign)), campaign }
    }

    /// Writes these attempts, and counts them by outcome; the empty word is that of calls that go on.
    pub async fn attempts(
        &mut self,
        reader: &mut Reader,
        ids: &[i64],
        sink: &mut ShapedSink<'_>,
        counts: &mut RowCounts,
    ) -> Result<(), ResultsError> {
        let (mode, clock) = (self.campaign.mode.as_str(), &mut self.clock);
        reader
            .each_attempt_of(self.campaign.id, ids, |row| {
                *counts.entry(row.outcome.clone().unwrap_or_default()).or_default() += 1;
                sink.row(&attempt_cells(row, mode, clock))
            })
            .await
    }
}

/// Inbound calls on one clock.
pub struct InboundTable {
    clock: LocalTime,
}

impl InboundTable {
    /// `None` = calls of no campaign, in UTC.
    pub fn of(campaign: Option<&CampaignRecord>) -> InboundTable {
        InboundTable { clock: LocalTime::of(campaign.map_or(TimeZone::UTC, zone)) }
    }

    /// Writes one call, and counts it as connected or missed.
    pub fn row(
        &mut self,
        row: InboundCallRow,
        sink: &mut ShapedSink<'_>,
        counts: &mut RowCounts,
    ) -> Result<(), ResultsError> {
        let word = if row.connected_at.is_some() { "connected" } else { "missed" };
        *counts.entry(word.to_owned()).or_default() += 1;
        sink.row(&call_in_cells(row, &mut self.clock))
    }
}

/// The leads of one campaign, list after list.
pub struct LeadTable {
    layout: Layout,
    clock: LocalTime,
    list: usize,
    after: i64,
}

impl LeadTable {
    pub fn of(campaign: &CampaignRecord, imports: &[ImportRecord]) -> LeadTable {
        let clock = LocalTime::of(zone(campaign));
        LeadTable { layout: Layout::of(imports), clock, list: 0, after: i64::MIN }
    }

    pub fn columns(&self) -> Vec<Column> {
        self.layout.columns()
    }

    /// Writes the next page and counts leads by state; `false` = there is no more. `only`: these leads, and no refused
    /// row.
    pub async fn page(
        &mut self,
        reader: &mut Reader,
        only: Option<&FxHashSet<i64>>,
        sink: &mut ShapedSink<'_>,
        counts: &mut RowCounts,
    ) -> Result<bool, ResultsError> {
        let Some((import, places)) = self.layout.list(self.list) else { return Ok(false) };
        let (before, mut after, mut rows) = (self.after, self.after, 0_u32);
        let (own, clock) = (self.layout.own_columns(), &mut self.clock);
        reader
            .each_list_row(import, before, LIST_PAGE, |row| {
                (after, rows) = (row.list_row, rows + 1);
                let is_wanted = |only: &FxHashSet<i64>| row.lead_id.is_some_and(|lead| only.contains(&lead));
                if !only.is_none_or(is_wanted) {
                    return Ok(());
                }
                let word = if row.lead_id.is_none() { "refused" } else { row.state.as_str() };
                *counts.entry(word.to_owned()).or_default() += 1;
                sink.row(&leads::cells(row, own, places, clock))
            })
            .await?;
        if rows == 0 || after == before {
            (self.list, self.after) = (self.list + 1, i64::MIN);
        } else {
            self.after = after;
        }
        Ok(true)
    }
}

/// The agents' hours over several campaigns.
pub struct HoursTable {
    clock: LocalTime,
    tally: Tally,
}

impl HoursTable {
    /// Days begin and end in this zone.
    pub fn of(zone: TimeZone) -> HoursTable {
        HoursTable { tally: Tally::of(&zone), clock: LocalTime::of(zone) }
    }

    /// Takes the calls of these attempts in.
    pub async fn attempts(
        &mut self,
        reader: &mut Reader,
        campaign: &CampaignRecord,
        ids: &[i64],
    ) -> Result<(), ResultsError> {
        let tally = &mut self.tally;
        reader
            .each_attempt_of(campaign.id, ids, |row| {
                tally.agent_attempt(&row);
                Ok(())
            })
            .await
    }

    pub fn call_in(&mut self, row: &InboundCallRow) {
        self.tally.call_in(row);
    }

    /// Writes the rows of these agents, once all calls of the span are in.
    pub async fn fill(
        &self,
        reader: &mut Reader,
        agents: &[AgentRow],
        span: (i64, i64),
        sink: &mut ShapedSink<'_>,
    ) -> Result<(), ResultsError> {
        agents::fill_hours(reader, agents, &self.clock, span, sink, &self.tally).await
    }
}
