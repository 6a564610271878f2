//! A list file of any kind as rows of text: the common interface of text files
//! and workbooks.

use super::sheet::Workbook;
use super::sheet_form::SheetForm;
use super::text::TextFile;
use super::{ListError, Reading};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

/// Rows examined to find the header and the columns.
pub(crate) const SAMPLE_ROWS: usize = 100;

/// One row of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    /// Counted from 1.
    pub row: u64,
    pub cells: &'a [&'a str],
    /// The defect that makes its cells unreliable.
    pub defect: Option<RowDefect>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowDefect {
    OpenQuote,
    TooLong,
    Nul,
}

impl RowDefect {
    pub fn hint(self) -> &'static str {
        match self {
            RowDefect::OpenQuote => "a quotation mark is opened and not closed: remove it or close it",
            RowDefect::TooLong => "the row is longer than 128 KiB: is a line end missing?",
            RowDefect::Nul => "the row holds NUL bytes: save the list again as CSV or .xlsx",
        }
    }
}

/// A row kept to find the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SampleRow {
    pub row: u64,
    pub cells: Vec<String>,
}

/// Where the rows of a table stand: the whole text file, or one sheet of a workbook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Empty for text.
    pub sheet: String,
    pub form: SheetForm,
}

pub(crate) enum Source {
    Text(Box<TextFile>),
    Book(Box<Workbook>),
}

impl Source {
    /// Opens by extension: `.xlsx` and `.xlsm` as a workbook, anything else as text; or by the file's bytes, if the
    /// reading says so.
    pub fn open(path: &Path, reading: &Reading) -> Result<Self, ListError> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let is_workbook = match reading.by_content {
            true => begins_like_workbook(path)?,
            false => matches!(ending.as_deref(), Some("xlsx" | "xlsm")),
        };
        Ok(match is_workbook {
            true => Source::Book(Box::new(Workbook::open(path)?)),
            false => Source::Text(Box::new(TextFile::open(path, reading)?)),
        })
    }

    /// Visits every row of a table that is neither blank nor hidden, from the first. A text may be visited once.
    /// Returns the number of hidden rows.
    pub fn for_each_row(
        &mut self,
        place: &Place,
        width: usize,
        visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<u64, ListError> {
        match self {
            Source::Text(text) => text.for_each_row(width, visit).map(|()| 0),
            Source::Book(book) => book.for_each_row(&place.sheet, &place.form, visit),
        }
    }
}

/// Whether a file begins like a ZIP archive, or like a workbook of old Excel or with a password, whose error says so.
fn begins_like_workbook(path: &Path) -> Result<bool, ListError> {
    let failed = |source| ListError::Open { file: path.into(), source };
    let mut head = Vec::new();
    std::fs::File::open(path).map_err(failed)?.take(4).read_to_end(&mut head).map_err(failed)?;
    Ok(head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xD0\xCF\x11\xE0"))
}
