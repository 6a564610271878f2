//! A list file of any kind, as rows of text: the shape that text and sheets share.

use super::ListError;
use super::sheet::SheetFile;
use super::text::TextFile;
use std::ops::ControlFlow;
use std::path::Path;

/// Rows that are looked at to find the header and the columns.
pub(crate) const SAMPLE_ROWS: usize = 100;

/// One row as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    /// As people count.
    pub row: u64,
    pub cells: &'a [&'a str],
    /// Why its cells cannot be trusted.
    pub flaw: Option<Flaw>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    OpenQuote,
    TooLong,
    Nul,
}

impl Flaw {
    pub fn hint(self) -> &'static str {
        match self {
            Flaw::OpenQuote => "a quotation mark is opened and not closed: remove it or close it",
            Flaw::TooLong => "the row is longer than 128 KiB: is a line end missing?",
            Flaw::Nul => "the row holds NUL bytes: save the list again as CSV or .xlsx",
        }
    }
}

/// A row kept for looking at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub row: u64,
    pub cells: Vec<String>,
}

pub(crate) enum Source {
    Text(Box<TextFile>),
    Sheet(Box<SheetFile>),
}

impl Source {
    /// By the name's ending: `.xlsx` (and `.xlsm`) is a sheet, everything else is looked at as text.
    pub fn open(path: &Path) -> Result<Self, ListError> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("xlsx" | "xlsm") => Ok(Source::Sheet(Box::new(SheetFile::open(path)?))),
            _ => Ok(Source::Text(Box::new(TextFile::open(path)?))),
        }
    }

    pub fn sample(&mut self) -> Result<Vec<Given>, ListError> {
        match self {
            Source::Text(text) => Ok(text.sample()),
            Source::Sheet(sheet) => sheet.sample(),
        }
    }

    /// Every row that is not blank, from the first; once.
    pub fn each(
        &mut self,
        width: usize,
        visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), ListError> {
        match self {
            Source::Text(text) => text.each(width, visit),
            Source::Sheet(sheet) => sheet.each(visit),
        }
    }
}
