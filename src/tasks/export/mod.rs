//! Writes an export: rows of one moment, in pages with pauses, into files of the object store, and a signed manifest
//! beside them. A task that is cut off begins again from the start; nothing of it is seen before its one commit.

mod recordings;
mod tables;
mod wish;

pub use crate::results::Column;
pub use crate::results::export::{LeadTable, attempt_columns, call_in_columns, hours_columns};
pub use crate::results::records::{audit_columns, blacklist_columns};
pub use crate::results::signing::{SigningKey, signing_key_path};
pub use wish::{ExportFilters, ExportWhat, ExportWish};

use super::Shared;
use super::check_list::remove;
use super::context::{TaskContext, TaskEnd, Words};
use crate::files::{Kind, Stored, Temporary};
use crate::results::export::{ExportFile, RowCounts};
use crate::results::manifest::{Counts, FileSum, Manifest, RulesOf, sum_of};
use crate::results::shape::Shape;
use crate::results::{Format, ResultsError};
use crate::store::blobs::NewBlob;
use crate::store::exports::{ExportFile as StoredExport, ExportId, ExportRow};
use crate::store::{Reader, StoreError};
use crate::text::masked_text;
use jiff::Timestamp;
use paceline_core::time::Utc;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

/// Rows of a sheet beside its titles.
pub const SHEET_ROWS_MAX: u64 = 1_048_575;
/// Columns that are named at most.
pub const EXPORT_COLUMNS_MAX: usize = 1_000;
/// Exports of one maker at once.
pub const EXPORTS_OPEN_MAX: u64 = 5;

/// The longest pause between two pages: as long as the page took, so that calls have the disk half of the time.
const PAUSE_MAX: Duration = Duration::from_millis(50);
/// While one moment is read, the write-ahead log cannot be cut: an export ends before it grows beyond this, in bytes.
const WAL_MAX: u64 = 1 << 30;
/// The disk is looked at once for so many pages.
const LOOK_EVERY: u32 = 64;
/// Expired exports that are removed in one transaction.
const SWEEP: u32 = 500;

impl From<ResultsError> for TaskEnd {
    fn from(error: ResultsError) -> Self {
        match error {
            ResultsError::Store(error) => error.into(),
            ResultsError::Write { why, .. } => io::Error::other(why).into(),
        }
    }
}

/// A file that is complete.
struct Part {
    name: String,
    temporary: Temporary,
    rows: u64,
    columns: Vec<String>,
}

/// A file that is being written.
struct OpenPart {
    name: String,
    temporary: Temporary,
    file: ExportFile,
    rows: u64,
    columns: Vec<String>,
}

/// An export under way.
struct Export<'a, 'c> {
    context: &'a mut TaskContext<'c>,
    reader: Reader,
    row: ExportRow,
    filters: ExportFilters,
    columns: Vec<String>,
    wish: ExportWish,
    moment: Utc,
    parts: Vec<Part>,
    counts: Vec<Counts>,
    rules: Vec<RulesOf>,
    /// What the result of the task says beside the rows.
    remarks: Value,
    rows: u64,
    pages: u32,
}

pub(super) fn export(context: &mut TaskContext<'_>) -> Result<Value, TaskEnd> {
    let (store, id) = (context.shared.parts.store.clone(), ExportId(context.task.subject));
    let Some(row) = context.wait(store.export(context.task.enterprise, id))? else {
        return Ok(json!({ "gone": true }));
    };
    // Begun again after the file was entered.
    if row.blob.is_some() {
        return Ok(json!({ "rows": row.rows }));
    }
    let unreadable =
        || Words::new("the request of this task cannot be read; ask again", "任务内容无法读取,请重新提交");
    let what = ExportWhat::from_word(&row.what).ok_or_else(unreadable)?;
    let filters = serde_json::from_str(&row.filters).map_err(|_| unreadable())?;
    let columns = serde_json::from_str(&row.columns).map_err(|_| unreadable())?;
    let asked = context.task.asked.as_deref().ok_or_else(unreadable)?;
    let wish = serde_json::from_str(asked).map_err(|_| unreadable())?;
    // The connection's own thread is begun here and has this thread's low priority.
    let reader = context.wait(store.reader())?;
    let mut export = Export {
        context,
        reader,
        row,
        filters,
        columns,
        wish,
        moment: store.clock_now(),
        parts: Vec::new(),
        counts: Vec::new(),
        rules: Vec::new(),
        remarks: json!({}),
        rows: 0,
        pages: 0,
    };
    export.begin()?;
    match what {
        ExportWhat::Attempts => export.attempts()?,
        ExportWhat::Calls => export.calls()?,
        ExportWhat::Leads => export.leads()?,
        ExportWhat::Agents => export.hours()?,
        ExportWhat::Audit => export.audit()?,
        ExportWhat::Blacklist => export.blacklist()?,
        ExportWhat::ListReport => export.list_report()?,
        ExportWhat::Recordings => return export.recordings(),
    }
    let stored = export.pack()?;
    export.finish(stored.0, stored.1, stored.2)
}

impl Export<'_, '_> {
    /// Takes the snapshot: every read from here on is of this moment.
    fn begin(&mut self) -> Result<(), TaskEnd> {
        let scope = self.wish.scope();
        self.context.wait(self.reader.refresh())?;
        let campaigns = self.context.wait(self.reader.campaigns())?;
        self.moment = self.context.shared.parts.store.clock_now();
        for campaign in wish::chosen_campaigns(campaigns, &scope, self.filters.campaign.as_deref()) {
            let version = self.context.wait(self.reader.rules_version(campaign.id))?;
            let sha256 = hex(&Sha256::digest(version.toml.as_bytes()));
            self.rules.push(RulesOf { campaign: campaign.name, version: version.number, sha256 });
        }
        Ok(())
    }

    fn is_masked(&self) -> bool {
        !self.row.has_numbers
    }

    fn format(&self) -> Result<Format, TaskEnd> {
        Ok(wish::table_format(&self.row.format)?)
    }

    /// Begins the file of a table.
    fn begin_part(&self, title: &str, shape: &Shape) -> Result<OpenPart, TaskEnd> {
        if shape.columns().is_empty() {
            return Err(TaskEnd::Failed(Words::new(
                "the table has none of the columns that were asked for; ask again with others",
                "该表没有所选的列,请重新选择",
            )));
        }
        let format = self.format()?;
        let extension = match format {
            Format::Csv => "csv",
            Format::Parquet => "parquet",
            Format::Xlsx => "xlsx",
        };
        let temporary = self.context.shared.parts.files.create()?;
        let file = ExportFile::create(format, temporary.path(), title, shape.columns())?;
        let columns = shape.columns().iter().map(|column| column.name.clone()).collect();
        Ok(OpenPart { name: format!("{title}.{extension}"), temporary, file, rows: 0, columns })
    }

    /// Completes a file, with the counts of its rows.
    fn end_part(&mut self, part: OpenPart) -> Result<(), TaskEnd> {
        let OpenPart { name, mut temporary, file, rows, columns } = part;
        file.finish()?;
        temporary.measure()?;
        self.parts.push(Part { name, temporary, rows, columns });
        Ok(())
    }

    fn count(&mut self, file: &str, by: &str, rows: RowCounts) {
        let sum = rows.values().sum();
        self.counts.push(Counts { file: file.to_owned(), by: by.to_owned(), rows, sum });
    }

    /// Between two pages: notes the progress, looks at the disk, and leaves time to calls. `began`: when the page did.
    fn pause(&mut self, began: Utc, rows: u64) -> Result<(), TaskEnd> {
        self.rows += rows;
        self.pages += 1;
        let total = self.context.task.total.max(self.rows);
        self.context.progress(self.rows, total)?;
        if self.pages.is_multiple_of(LOOK_EVERY) {
            self.check_disk()?;
        }
        self.context.rest(began, PAUSE_MAX);
        Ok(())
    }

    fn check_disk(&self) -> Result<(), TaskEnd> {
        let parts = &self.context.shared.parts;
        if !parts.files.has_room(0)? {
            return Err(TaskEnd::Failed(Words::new(
                "the disk of the service is nearly full, so the export was ended; ask its operator for room",
                "服务的磁盘快满了,导出已终止;请联系运维腾出空间",
            )));
        }
        let mut log = parts.store.path().as_os_str().to_owned();
        log.push("-wal");
        let bytes = std::fs::metadata(log).map_or(0, |found| found.len());
        if bytes > WAL_MAX {
            return Err(TaskEnd::Failed(Words::new(
                "so much was written while this export read its moment that it was ended; ask for a shorter span",
                "导出期间写入的数据过多,导出已终止;请缩小时间范围后重试",
            )));
        }
        Ok(())
    }

    /// Refuses a table that a sheet does not hold, where several sheets were not asked for.
    fn check_sheet(&self, rows: u64) -> Result<(), TaskEnd> {
        if rows <= SHEET_ROWS_MAX || self.wish.is_split || self.row.format != "xlsx" {
            return Ok(());
        }
        Err(TaskEnd::Failed(Words::new(
            "more than 1,048,575 rows: one sheet does not hold them; ask for several sheets, or for Parquet",
            "超过 1,048,575 行,一个工作表放不下;请选择拆分为多个工作表,或用 Parquet",
        )))
    }

    /// One file as it is, several in a zip. Returns the object, its kind, and the sums of what the zip holds.
    fn pack(&mut self) -> Result<(Temporary, Vec<FileSum>, bool), TaskEnd> {
        let mut parts = std::mem::take(&mut self.parts);
        let mut sums = Vec::new();
        let is_archive = parts.len() > 1;
        for part in &parts {
            let (sha256, bytes) = sum_of(&mut File::open(part.temporary.path())?)?;
            let name = if is_archive { part.name.clone() } else { self.file_name(&part.name) };
            sums.push(FileSum { name, bytes, sha256, rows: part.rows, columns: part.columns.clone() });
        }
        if !is_archive {
            for counts in &mut self.counts {
                counts.file = sums.first().map(|sum| sum.name.clone()).unwrap_or_default();
            }
            let part = parts.pop().ok_or_else(|| io::Error::other("an export without a file"))?;
            return Ok((part.temporary, sums, false));
        }
        let mut temporary = self.context.shared.parts.files.create()?;
        let file = std::fs::OpenOptions::new().write(true).open(temporary.path())?;
        let mut archive = zip::ZipWriter::new(file);
        for part in &parts {
            archive.start_file(part.name.as_str(), zip_options())?;
            self.copy(&mut File::open(part.temporary.path())?, &mut archive)?;
        }
        archive.finish()?;
        temporary.measure()?;
        Ok((temporary, sums, true))
    }

    /// Copies a file in pieces, as long as the task is wanted.
    fn copy(&self, from: &mut dyn io::Read, to: &mut dyn Write) -> Result<u64, TaskEnd> {
        let (mut bytes, mut piece) = (0, vec![0; 1 << 18]);
        loop {
            self.context.check_wanted()?;
            match from.read(&mut piece)? {
                0 => return Ok(bytes),
                len => {
                    to.write_all(&piece[..len])?;
                    bytes += len as u64;
                }
            }
        }
    }

    /// `attempts-12.csv` for `attempts.csv` of export 12.
    fn file_name(&self, name: &str) -> String {
        let extension = name.rsplit('.').next().unwrap_or_default();
        format!("{}-{}.{extension}", self.row.what, self.row.id.0)
    }

    /// Signs the manifest and enters the file: from this commit on the export is there.
    fn finish(self, temporary: Temporary, files: Vec<FileSum>, is_archive: bool) -> Result<Value, TaskEnd> {
        let Export { context, mut reader, row, filters, moment, counts, rules, remarks, .. } = self;
        // The snapshot is not needed any more.
        context.wait(reader.refresh())?;
        drop(reader);
        let parts = &context.shared.parts;
        let key = SigningKey::open(&signing_key_path(parts.store.path()))?;
        let name = match (is_archive, files.first()) {
            (false, Some(file)) => file.name.clone(),
            _ => format!("{}-{}.zip", row.what, row.id.0),
        };
        let (sha256, bytes) = sum_of(&mut File::open(temporary.path())?)?;
        let archive = FileSum { name: name.clone(), bytes, sha256, rows: 0, columns: Vec::new() };
        let rows = files.iter().map(|file| file.rows).sum();
        let manifest = Manifest {
            paceline_manifest: Manifest::FORM,
            export: row.id.0,
            what: row.what.clone(),
            format: row.format.clone(),
            moment: Timestamp::from_millisecond(moment.as_millis()).unwrap_or_default().to_string(),
            program: format!("paceline {}", env!("CARGO_PKG_VERSION")),
            filters: shown_filters(&filters, row.has_numbers)?,
            masked: !row.has_numbers,
            rules,
            archive: is_archive.then_some(archive),
            files,
            rows,
            counts,
            public_key: key.public().to_hex(),
            fingerprint: key.public().fingerprint(),
        };
        manifest.check_counts().map_err(|fault| {
            tracing::error!(%fault, export = row.id.0, "an export does not reconcile");
            Words::new(
                format!("the export was not kept: {fault}; ask again, and report this"),
                "导出的合计对不上,文件未保留;请重试并报告此问题",
            )
        })?;
        let document = manifest.signed(&key)?;
        context.check_wanted()?;
        let stored = parts.files.keep(temporary, row.enterprise, Kind::Export, parts.store.clock_now())?;
        let entered = enter(context, &row, &stored, &name, &document, rows);
        match entered {
            Ok(Ok(false)) => {}
            // The same bytes are there already.
            Ok(Ok(true)) => remove(context.shared, &stored.path),
            Ok(Err(paths)) => {
                paths.iter().for_each(|path| remove(context.shared, path));
                remove(context.shared, &stored.path);
                return Ok(json!({ "gone": true }));
            }
            Err(error) => {
                remove(context.shared, &stored.path);
                return Err(error.into());
            }
        }
        context.progress(rows, rows)?;
        let mut result = remarks;
        result["rows"] = rows.into();
        Ok(result)
    }
}

fn enter(
    context: &TaskContext<'_>,
    row: &ExportRow,
    stored: &Stored,
    file_name: &str,
    manifest: &str,
    rows: u64,
) -> Result<Result<bool, Vec<String>>, StoreError> {
    let media_type = match file_name.rsplit('.').next() {
        Some("csv") => "text/csv; charset=utf-8",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("parquet") => "application/vnd.apache.parquet",
        _ => "application/zip",
    };
    let blob = NewBlob {
        enterprise: row.enterprise,
        kind: Kind::Export.word(),
        sha256: stored.sha256,
        bytes: stored.bytes,
        media_type,
        path: &stored.path,
    };
    let file = StoredExport { blob, file_name, rows, manifest };
    context.wait(context.shared.parts.store.finish_export(row.enterprise, row.id, &file))
}

/// The filters as the manifest has them: a number is masked where the file masks numbers.
fn shown_filters(filters: &ExportFilters, has_numbers: bool) -> io::Result<Value> {
    let mut shown = filters.clone();
    if !has_numbers {
        shown.number = shown.number.map(|number| masked_text(&number));
    }
    Ok(serde_json::to_value(shown)?)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl From<zip::result::ZipError> for TaskEnd {
    fn from(error: zip::result::ZipError) -> Self {
        io::Error::other(error).into()
    }
}

/// The same files give the same zip.
fn zip_options() -> zip::write::SimpleFileOptions {
    zip::write::SimpleFileOptions::default()
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o600)
        .large_file(true)
}

/// Removes exports that are past their time, with their files.
pub(super) async fn delete_expired(shared: &Shared) -> Result<(), StoreError> {
    loop {
        let (removed, paths) = shared.parts.store.remove_expired_exports(SWEEP).await?;
        paths.iter().for_each(|path| remove(shared, path));
        if removed < u64::from(SWEEP) {
            return Ok(());
        }
    }
}
