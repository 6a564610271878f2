//! Call-list import: files in, clean leads and refused rows out. The only user of polars besides `results`.

mod blacklist;
mod bounded_xml;
pub mod clean;
mod column_values;
mod duplicates;
mod fix_file;
mod floor_area;
mod frame;
mod header;
mod header_words;
mod households;
mod import;
mod limits;
mod number_type;
mod preview;
mod records;
mod report;
mod sheet;
mod sheet_form;
mod sniff;
mod source;
mod tables;
mod text;
mod wanted;

pub(crate) use blacklist::{BlacklistRow, read_file as read_blacklist_rows};
pub use clean::{Refusal, caller_id, clean_number, clean_pattern};
pub use fix_file::{
    FixFile, FixPage, FixRow, FixWords, FixWriter, read_fix_rows, write_fix_csv, write_fix_workbook,
};
pub use header::{Basis, Role};
pub use import::{BATCH_ROWS, Batch, ImportError, import};
pub use limits::check_workbook;
pub use preview::{Preview, SheetPreview, preview};
pub use report::{BlacklistReport, ColumnReport, ListReport, SheetReport, UnreadSheet, Warning};
pub use wanted::while_wanted;

use crate::private_file;
use column_values::country_of_code;
use header::CodeColumn;
use paceline_core::number::PhoneNumber;
use paceline_core::number_pattern::NumberPattern;
use paceline_core::number_zone;
use paceline_core::outcome::Reason;
use rlibphonenumber::PHONE_NUMBER_UTIL;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// The `[list]` table of a campaign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListSpec {
    pub file: PathBuf,
    /// Names of the sheets to read; empty = all that have a phone column.
    pub sheets: Vec<String>,
    /// Column names; empty = found by header and values.
    pub phones: Vec<String>,
    /// Columns that together name the household.
    pub household: Vec<String>,
    pub name: String,
    /// Country of numbers without a country code, ISO 3166 alpha-2.
    pub region: String,
    pub blacklists: Vec<PathBuf>,
    /// Rows of a blacklist that are not understood are reported instead of refused.
    pub skip_blacklist_rows: bool,
    pub building: String,
    /// Column of the flat's size in square metres.
    pub floor_area: String,
    /// The columns named here are all: what is empty is not looked for.
    pub columns_are_complete: bool,
    pub reading: Reading,
}

/// How a person says that a file is to be read; what is `None` is found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// A label of the WHATWG encoding standard: `UTF-8`, `GB18030`, `Big5`, `UTF-16LE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// `,`, `;`, `|` or a tabulator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// Names of the sheets to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheets: Option<Vec<String>>,
    /// The row of the header, counted from 1; 0 = the list has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u64>,
    /// The kind of the file is known by its bytes, since its name says nothing.
    #[serde(skip)]
    pub by_content: bool,
}

impl Reading {
    /// # Errors
    /// The field, what was found and what to do.
    pub fn check(&self) -> Result<(), String> {
        if let Some(label) = &self.encoding
            && encoding_rs::Encoding::for_label(label.as_bytes()).is_none()
        {
            return Err(format!("encoding: '{label}' is not known; write UTF-8, GB18030, Big5 or UTF-16LE"));
        }
        if let Some(separator) = &self.separator
            && !sniff::SEPARATORS.iter().any(|known| separator.as_bytes() == [*known])
        {
            return Err(format!("separator: '{}': write , ; | or a tabulator", separator.escape_debug()));
        }
        match self.header_row {
            Some(row) if row > source::SAMPLE_ROWS as u64 => {
                Err(format!("header_row: {row}; it is one of the first {} rows, or 0", source::SAMPLE_ROWS))
            }
            _ => Ok(()),
        }
    }
}

/// A row that became a lead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeadRow {
    /// Counted from 1, the header included. In XLSX the sheet's own row number; the sheet is that of the batch.
    pub row: u64,
    pub household: Option<String>,
    pub name: Option<String>,
    /// In dialling order, each with its original text.
    pub phones: Vec<(PhoneNumber, String)>,
    /// Every cell of the row, in the order of the header.
    pub cells: Vec<String>,
    pub building: Option<String>,
    /// Hundredths of a square metre.
    pub area: Option<u64>,
}

/// A refused row: its cells, why, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedRow {
    pub row: u64,
    pub cells: Vec<String>,
    pub reason: Reason,
    /// For a blacklist hit, the name of the list.
    pub hint: String,
    /// The flat that a row names whose number stands in an earlier row.
    pub flat: Option<FurtherFlat>,
}

/// The flat that a row names beside a number that another row has: if it is another flat than that row's, its owner has
/// both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FurtherFlat {
    pub row: u64,
    /// The number whose owner has it.
    pub number: PhoneNumber,
    pub household: String,
    /// Hundredths of a square metre.
    pub area: Option<u64>,
}

/// Why a list as a whole was refused: the file, the place, what was found, what to do.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error("{}: cannot be opened: {source}", file.display())]
    Open { file: PathBuf, source: io::Error },
    #[error("{}: reading failed after row {row}: {source}", file.display())]
    Read { file: PathBuf, row: u64, source: io::Error },
    #[error("{}: {what}", file.display())]
    Foreign { file: PathBuf, what: &'static str },
    #[error("{}: the workbook cannot be read after row {row}: {what}. Open it in a spreadsheet and save it again", file.display())]
    Sheet { file: PathBuf, row: u64, what: String },
    #[error("{}: the list is empty: {what}", file.display())]
    Empty { file: PathBuf, what: &'static str },
    #[error("{}: {columns} columns, and a list has at most {most}: is the separator or a line end wrong?", file.display())]
    TooWide { file: PathBuf, columns: usize, most: usize },
    #[error("{}: there is no column '{column}'; {nearest}", file.display())]
    NoColumn { file: PathBuf, column: String, nearest: String },
    #[error("{}: no column holds phone numbers (columns: {found}). Name it under [list] phones", file.display())]
    NoPhoneColumn { file: PathBuf, found: String },
    #[error("{}: {sheets}", file.display())]
    NoSheet { file: PathBuf, sheets: String },
    #[error(
        "{}: {count} rows of the blacklist are not understood and would protect nobody ({rows}). Write numbers, or prefixes such as 0755* and 1380013*; or let [list] blacklist_rows = \"skip\" leave them out",
        file.display()
    )]
    Blacklist { file: PathBuf, count: u64, rows: String },
    #[error(
        "{}: cannot be written: {source}; free some room there, or name another folder ([results] dir)",
        file.display()
    )]
    Write { file: PathBuf, source: io::Error },
}

impl ListError {
    /// The same error, of a file with this name: an uploaded list lies under a name of our own.
    pub fn named(mut self, name: &str) -> ListError {
        use ListError::*;
        let (Open { file, .. }
        | Read { file, .. }
        | Foreign { file, .. }
        | Sheet { file, .. }
        | Empty { file, .. }
        | TooWide { file, .. }
        | NoColumn { file, .. }
        | NoPhoneColumn { file, .. }
        | NoSheet { file, .. }
        | Blacklist { file, .. }
        | Write { file, .. }) = &mut self;
        *file = name.into();
        self
    }
}

/// Reads the list and writes `list-report.json` and `fix.csv` into `dir`, each complete or not at all.
pub fn check(
    spec: &ListSpec,
    system: &mut dyn Iterator<Item = NumberPattern>,
    dir: &Path,
) -> Result<ListReport, ListError> {
    check_with(spec, system, dir, &mut |_| true)
}

/// As [`check`], and passes every batch to `take`; `false` ends the import.
pub fn check_with(
    spec: &ListSpec,
    system: &mut dyn Iterator<Item = NumberPattern>,
    dir: &Path,
    take: &mut dyn FnMut(&Batch) -> bool,
) -> Result<ListReport, ListError> {
    let fix = dir.join("fix.csv");
    let failed = |file: &Path| {
        let file = file.to_path_buf();
        move |source| ListError::Write { file, source }
    };
    private_file::create_dir(dir).map_err(failed(dir))?;
    let mut fix_file = FixFile::create(&fix).map_err(failed(&fix))?;
    let mut sink = |batch: &Batch| {
        fix_file.write(batch)?;
        if take(batch) { Ok(()) } else { Err(io::Error::other("the rows were not taken")) }
    };
    let report = import(spec, system, &mut sink).map_err(|error| match error {
        ImportError::List(error) => error,
        ImportError::Sink(source) => ListError::Write { file: fix.clone(), source },
    })?;
    fix_file.finish().map_err(failed(&fix))?;
    let file = dir.join("list-report.json");
    let part = dir.join("list-report.json.part");
    let json = serde_json::to_vec_pretty(&report).map_err(|e| failed(&file)(e.into()))?;
    private_file::create(&part)
        .and_then(|mut written| io::Write::write_all(&mut written, &json))
        .and_then(|()| std::fs::rename(&part, &file))
        .map_err(failed(&file))?;
    Ok(report)
}

/// Reads every entry of one blacklist file, ascending. `skip_rows`: rows that are not understood are left out;
/// else they are an error that names them.
pub fn read_blacklist(file: &Path, region: &str, skip_rows: bool) -> Result<Vec<NumberPattern>, ListError> {
    let mut seen = duplicates::NumberTable::default();
    blacklist::add_file(file, region, skip_rows, 0, &mut seen)?;
    Ok(seen.blocked())
}

/// The time zones of a region (ISO 3166 alpha-2, empty = CN). Empty = not known.
pub fn zones_of_region(region: &str) -> &'static [&'static str] {
    let region = if region.is_empty() { "CN".to_owned() } else { region.to_ascii_uppercase() };
    let code = region.parse().ok().and_then(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region));
    code.map_or(&[], |code| number_zone::zones_of_country(code as u64))
}

/// A number joined with the code that stands in a column beside it, and the region to read it by.
fn join_code<'a>(
    part: &'a str,
    code: Option<(CodeColumn, &str)>,
    region: &'a str,
) -> (Cow<'a, str>, Cow<'a, str>) {
    let text = part.trim();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    match code {
        _ if text.starts_with(['+', '＋']) || text.starts_with("00") => (part.into(), region.into()),
        Some((CodeColumn::Country(_), code)) => match country_of_code(code) {
            Some(country) => (part.into(), country.to_string().into()),
            None => (part.into(), region.into()),
        },
        Some((CodeColumn::Area(_), code)) if digits <= 8 && !code.trim().is_empty() => {
            let area = code.trim().trim_start_matches('0');
            (format!("0{area}-{text}").into(), region.into())
        }
        _ => (part.into(), region.into()),
    }
}
