//! What a check of an uploaded list found, as a document beside the list, and the rows behind it.

use super::context::Words;
use super::list_spec::Mapping;
use crate::files::Files;
use crate::lists::{self, FixPage, FixWords, ListReport, Preview};
use crate::text::Lang;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

/// The document of one check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UploadReport {
    /// Absent where the file cannot be read at all.
    pub preview: Option<Preview>,
    /// The mapping that was used: a person's, or what the reader found.
    pub mapping: Option<Mapping>,
    /// Absent where the list is unreadable.
    pub report: Option<ListReport>,
    /// Leads that the campaign does not have yet.
    pub new_leads: u64,
    /// Rows whose numbers the campaign has: they are not taken in again.
    pub known_rows: u64,
    /// Further numbers of leads that the campaign has.
    pub new_numbers: u64,
    /// Leads whose household has more than one lead in this list.
    pub household_shared: u64,
    /// Other lists of the campaign that are checked and not loaded: of a number that both have, the list that is loaded
    /// first makes the lead.
    #[serde(default)]
    pub unloaded_lists: Vec<String>,
    /// What stands against loading the list, although it could be read.
    pub problem: Option<Words>,
    /// Some leads, chosen at random.
    pub leads: Vec<ShownRow>,
}

/// A row of the list, as a screen shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownRow {
    pub row: u64,
    pub cells: Vec<String>,
    /// Of a refused row.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// Which rows of a list are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsWanted {
    /// Refused rows; else leads chosen at random.
    pub refused: bool,
    /// Refused for this reason; `None` = any.
    pub reason: Option<String>,
    /// The place that the page before named; 0 = the first.
    pub after: u64,
    pub limit: usize,
}

/// A page of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListRows {
    pub columns: Vec<String>,
    pub rows: Vec<ShownRow>,
    pub next: Option<u64>,
}

/// Reads the document of a check. Not for an async task.
///
/// # Errors
/// The object is gone, or not of this program.
pub fn read_report(files: &Files, path: &str) -> io::Result<UploadReport> {
    serde_json::from_slice(&std::fs::read(files.file(path)?)?).map_err(io::Error::other)
}

/// Reads rows of a checked list. `report` and `fix` = objects of the check. Not for an async task.
///
/// # Errors
/// An object is gone, or cannot be read.
pub fn read_rows(
    files: &Files,
    report: &str,
    fix: Option<&str>,
    wanted: &RowsWanted,
) -> io::Result<ListRows> {
    if !wanted.refused {
        let UploadReport { report, leads, .. } = read_report(files, report)?;
        let columns = report
            .map_or_else(Vec::new, |report| report.columns.into_iter().map(|column| column.name).collect());
        return Ok(ListRows { columns, rows: leads, next: None });
    }
    let Some(fix) = fix else { return Ok(ListRows::default()) };
    let page = lists::read_fix_rows(&files.file(fix)?, wanted.reason.as_deref(), wanted.after, wanted.limit)?;
    let FixPage { columns, rows, next } = page;
    let rows = rows.into_iter().map(|it| ShownRow {
        row: it.row,
        cells: it.cells,
        reason: it.reason,
        hint: it.hint,
    });
    Ok(ListRows { columns, rows: rows.collect(), next })
}

/// The form of a fix file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixForm {
    Csv,
    Workbook,
}

/// Writes the refused rows in a reader's language into a temporary file. Not for an async task.
///
/// # Errors
/// An object is gone, or a file cannot be read or written.
pub fn write_fix(files: &Files, fix: &str, form: FixForm, lang: Lang) -> io::Result<std::fs::File> {
    let temporary = files.create()?;
    write_words(&files.file(fix)?, temporary.path(), form, lang)?;
    // Once it is open, the name may go.
    std::fs::File::open(temporary.path())
}

fn write_words(csv: &Path, out: &Path, form: FixForm, lang: Lang) -> io::Result<()> {
    let reason = |word: &str| lang.refused_row_reason(word);
    let hint = |english: &str| lang.list_hint(english);
    let words = FixWords { header: lang.fix_columns(), reason: &reason, hint: &hint };
    let mut file = io::BufWriter::new(std::fs::OpenOptions::new().write(true).open(out)?);
    match form {
        FixForm::Csv => lists::write_fix_csv(csv, &words, &mut file)?,
        FixForm::Workbook => lists::write_fix_workbook(csv, &words, &mut file)?,
    }
    io::Write::flush(&mut file)
}
