//! Results: attempts, leads, inbound calls, agents and the summary as files, written from one snapshot of the
//! store. Each file format has a module; no SQL and no policy here.

mod abandon;
mod agents;
mod attempts;
mod calls_in;
mod csv_file;
mod days;
pub mod export;
mod leads;
mod local_time;
pub mod manifest;
mod parquet_file;
pub mod records;
pub mod shape;
pub mod signing;
pub mod summary;
mod table;
pub mod verify;
mod workbook;

pub use abandon::{AbandonRates, DayRate, RuleRate};
pub use agents::COLUMNS as AGENT_COLUMNS;
pub use attempts::COLUMNS as ATTEMPT_COLUMNS;
pub use calls_in::COLUMNS as CALL_IN_COLUMNS;
pub use leads::COLUMNS as LEAD_COLUMNS;
pub use summary::Summary;
pub use table::{Cell, Column, Kind, Sink};

use crate::private_file;
use crate::store::{CampaignRecord, Reader, StoreError};
use csv_file::CsvFile;
use jiff::tz::TimeZone;
use local_time::LocalTime;
use parquet_file::ParquetFile;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use summary::Tally;
use workbook::Workbook;

/// An error while results are written.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{} cannot be written: {why}; free some room or name another folder", path.display())]
    Write { path: PathBuf, why: String },
}

/// A file format of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Xlsx,
    Parquet,
}

impl Format {
    pub fn from_word(word: &str) -> Option<Format> {
        match word {
            "csv" => Some(Format::Csv),
            "xlsx" => Some(Format::Xlsx),
            "parquet" => Some(Format::Parquet),
            _ => None,
        }
    }
}

/// Writes `attempts.csv`, `leads.csv`, `calls_in.csv`, `agents.csv` and `summary.json` into `dir`, each file
/// atomically. The same state of the store gives the same bytes.
pub async fn write(reader: &mut Reader, campaign: &str, dir: &Path) -> Result<Summary, ResultsError> {
    let written = write_files(reader, campaign, dir).await;
    // Ends the snapshot also after an error: an open one keeps the WAL from being checkpointed.
    reader.refresh().await?;
    written
}

async fn write_files(reader: &mut Reader, campaign: &str, dir: &Path) -> Result<Summary, ResultsError> {
    private_file::create_dir(dir).map_err(write_error(dir))?;
    reader.refresh().await?;
    let campaign = reader.campaign(campaign).await?;
    let mut clock = LocalTime::of(zone(&campaign));
    let mut tally = Tally::of(clock.zone());

    let mut file = CsvFile::create(&dir.join("attempts.csv"), &attempts::columns())?;
    attempts::fill(reader, &campaign, &mut clock, &mut file, &mut tally).await?;
    file.finish()?;
    let layout = leads::Layout::of(&reader.imports(campaign.id).await?);
    let mut file = CsvFile::create(&dir.join("leads.csv"), &layout.columns())?;
    leads::fill(reader, &layout, &mut clock, &mut file, &mut tally).await?;
    file.finish()?;
    let mut file = CsvFile::create(&dir.join("calls_in.csv"), &calls_in::columns())?;
    calls_in::fill(reader, &campaign, &mut clock, &mut file, &mut tally).await?;
    file.finish()?;
    let mut file = CsvFile::create(&dir.join("agents.csv"), &agents::columns())?;
    agents::fill(reader, &campaign, &clock, &mut file, &mut tally).await?;
    file.finish()?;

    let summary = tally.summary(&campaign, &reader.counts(campaign.id).await?);
    let mut text = serde_json::to_string_pretty(&summary).unwrap_or_default();
    text.push('\n');
    let output = AtomicFile::create(&dir.join("summary.json"))?;
    io::Write::write_all(&mut &output.file, text.as_bytes()).map_err(write_error(&output.path))?;
    output.finish()?;
    Ok(summary)
}

/// The content of `summary.json` without a file, from one snapshot of the store.
pub async fn summarize(reader: &mut Reader, campaign: &CampaignRecord) -> Result<Summary, ResultsError> {
    let mut clock = LocalTime::of(zone(campaign));
    let mut tally = Tally::of(clock.zone());
    let mut sink = table::NoFile;
    attempts::fill(reader, campaign, &mut clock, &mut sink, &mut tally).await?;
    let layout = leads::Layout::of(&reader.imports(campaign.id).await?);
    leads::fill(reader, &layout, &mut clock, &mut sink, &mut tally).await?;
    calls_in::fill(reader, campaign, &mut clock, &mut sink, &mut tally).await?;
    agents::fill(reader, campaign, &clock, &mut sink, &mut tally).await?;
    Ok(tally.summary(campaign, &reader.counts(campaign.id).await?))
}

/// Writes the results into `dir` in this format; returns the paths.
pub async fn export(
    reader: &mut Reader,
    campaign: &str,
    format: Format,
    dir: &Path,
) -> Result<Vec<PathBuf>, ResultsError> {
    let named = |names: &[&str]| names.iter().map(|name| dir.join(name)).collect();
    match format {
        Format::Csv => {
            write(reader, campaign, dir).await?;
            Ok(named(&["attempts.csv", "leads.csv", "calls_in.csv", "agents.csv", "summary.json"]))
        }
        Format::Xlsx => {
            private_file::create_dir(dir).map_err(write_error(dir))?;
            export_file(reader, campaign, format, &dir.join("results.xlsx")).await?;
            Ok(named(&["results.xlsx"]))
        }
        Format::Parquet => {
            private_file::create_dir(dir).map_err(write_error(dir))?;
            parquet_files(reader, campaign, dir).await?;
            Ok(named(&["attempts.parquet", "leads.parquet", "calls_in.parquet", "agents.parquet"]))
        }
    }
}

async fn parquet_files(reader: &mut Reader, campaign: &str, dir: &Path) -> Result<(), ResultsError> {
    reader.refresh().await?;
    let campaign = reader.campaign(campaign).await?;
    let mut clock = LocalTime::of(zone(&campaign));
    let mut tally = Tally::of(clock.zone());
    let create = |name: &str, columns: &[Column]| ParquetFile::create(&dir.join(name), columns);
    let mut file = create("attempts.parquet", &attempts::columns())?;
    attempts::fill(reader, &campaign, &mut clock, &mut file, &mut tally).await?;
    file.finish()?;
    let layout = leads::Layout::of(&reader.imports(campaign.id).await?);
    let mut file = create("leads.parquet", &layout.columns())?;
    leads::fill(reader, &layout, &mut clock, &mut file, &mut tally).await?;
    file.finish()?;
    let mut file = create("calls_in.parquet", &calls_in::columns())?;
    calls_in::fill(reader, &campaign, &mut clock, &mut file, &mut tally).await?;
    file.finish()?;
    let mut file = create("agents.parquet", &agents::columns())?;
    agents::fill(reader, &campaign, &clock, &mut file, &mut tally).await?;
    file.finish()
}

/// Writes one file: the attempts (csv, parquet), or a workbook with a sheet per table (xlsx).
pub async fn export_file(
    reader: &mut Reader,
    campaign: &str,
    format: Format,
    file: &Path,
) -> Result<(), ResultsError> {
    reader.refresh().await?;
    let campaign = reader.campaign(campaign).await?;
    let mut clock = LocalTime::of(zone(&campaign));
    let mut tally = Tally::of(clock.zone());
    match format {
        Format::Csv => {
            let mut file = CsvFile::create(file, &attempts::columns())?;
            attempts::fill(reader, &campaign, &mut clock, &mut file, &mut tally).await?;
            file.finish()
        }
        Format::Parquet => {
            let mut file = ParquetFile::create(file, &attempts::columns())?;
            attempts::fill(reader, &campaign, &mut clock, &mut file, &mut tally).await?;
            file.finish()
        }
        Format::Xlsx => {
            let layout = leads::Layout::of(&reader.imports(campaign.id).await?);
            let mut workbook = Workbook::create(file)?;
            workbook.begin("attempts", &attempts::columns())?;
            attempts::fill(reader, &campaign, &mut clock, &mut workbook, &mut tally).await?;
            workbook.begin("leads", &layout.columns())?;
            leads::fill(reader, &layout, &mut clock, &mut workbook, &mut tally).await?;
            workbook.begin("calls_in", &calls_in::columns())?;
            calls_in::fill(reader, &campaign, &mut clock, &mut workbook, &mut tally).await?;
            workbook.begin("agents", &agents::columns())?;
            agents::fill(reader, &campaign, &clock, &mut workbook, &mut tally).await?;
            workbook.finish()
        }
    }
}

/// The campaign's time zone, validated when its file was read; UTC if the zone database has lost it since.
fn zone(campaign: &CampaignRecord) -> TimeZone {
    TimeZone::get(&campaign.timezone).unwrap_or(TimeZone::UTC)
}

fn write_error(path: &Path) -> impl Fn(io::Error) -> ResultsError + '_ {
    |error| ResultsError::Write { path: path.to_path_buf(), why: error.to_string() }
}

/// A file written under a temporary name and renamed once it is complete and fsynced.
#[derive(Debug)]
struct AtomicFile {
    file: File,
    path: PathBuf,
    temp_path: PathBuf,
    finished: bool,
}

impl AtomicFile {
    fn create(path: &Path) -> Result<AtomicFile, ResultsError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temp_path = path.with_file_name(format!(".{name}.{}", std::process::id()));
        let file = private_file::create(&temp_path).map_err(write_error(path))?;
        Ok(AtomicFile { file, path: path.to_path_buf(), temp_path, finished: false })
    }

    fn finish(mut self) -> Result<(), ResultsError> {
        self.file.sync_all().map_err(write_error(&self.path))?;
        fs::rename(&self.temp_path, &self.path).map_err(write_error(&self.path))?;
        self.finished = true;
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        File::open(dir.unwrap_or(Path::new(".")))
            .and_then(|dir| dir.sync_all())
            .map_err(write_error(&self.path))
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.temp_path);
        }
    }
}
