//! The fix file: every refused row as given, with its row number, the reason and what to do. Cells are
//! escaped for spreadsheets, and read back as they were.

use super::import::Batch;
use crate::private_file;
use paceline_core::spreadsheet::{csv_cell, csv_text};
use rust_xlsxwriter::{Workbook, XlsxError};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The columns before those of the list.
const OWN_COLUMNS: [&str; 3] = ["row", "reason", "hint"];

/// Writes refused rows as CSV.
pub struct FixWriter<W: Write> {
    out: csv::Writer<W>,
    has_header: bool,
}

impl<W: Write> FixWriter<W> {
    /// Begins with a byte order mark, so that a spreadsheet reads UTF-8.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all("\u{FEFF}".as_bytes())?;
        let out = csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(out);
        Ok(FixWriter { out, has_header: false })
    }

    /// Appends the refused rows of one batch.
    pub fn write(&mut self, batch: &Batch) -> io::Result<()> {
        if !self.has_header {
            self.has_header = true;
            let [row, reason, hint] = OWN_COLUMNS;
            self.row(row, reason, hint, &batch.columns)?;
        }
        for refused in &batch.refused {
            self.row(&refused.row.to_string(), refused.reason.word(), &refused.hint, &refused.cells)?;
        }
        Ok(())
    }

    fn row(&mut self, row: &str, reason: &str, hint: &str, cells: &[String]) -> io::Result<()> {
        for field in [row, reason, hint] {
            self.out.write_field(csv_cell(field).as_bytes())?;
        }
        for cell in cells {
            self.out.write_field(csv_cell(cell).as_bytes())?;
        }
        Ok(self.out.write_record(None::<&[u8]>)?)
    }

    /// Everything written so far.
    pub fn finish(self) -> io::Result<W> {
        self.out.into_inner().map_err(|e| e.into_error())
    }
}

/// Writes `fix.csv` row by row under a temporary name; renamed when complete.
pub struct FixFile {
    path: PathBuf,
    part: PathBuf,
    out: FixWriter<BufWriter<File>>,
}

impl FixFile {
    pub fn create(path: &Path) -> io::Result<Self> {
        let part = path.with_extension("csv.part");
        let out = FixWriter::new(BufWriter::new(private_file::create(&part)?))?;
        Ok(FixFile { path: path.into(), part, out })
    }

    /// Appends the refused rows of one batch.
    pub fn write(&mut self, batch: &Batch) -> io::Result<()> {
        self.out.write(batch)
    }

    /// Syncs the file and renames it; replaces the file of an earlier check.
    pub fn finish(self) -> io::Result<()> {
        let file = self.out.finish()?;
        file.into_inner().map_err(|e| e.into_error())?.sync_all()?;
        std::fs::rename(&self.part, &self.path)
    }
}

/// A refused row, read back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixRow {
    pub row: u64,
    pub reason: String,
    pub hint: String,
    pub cells: Vec<String>,
}

/// A page of a fix file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixPage {
    /// The list's columns.
    pub columns: Vec<String>,
    pub rows: Vec<FixRow>,
    /// Where the next page begins; `None` = this is the last.
    pub next: Option<u64>,
}

/// Bytes looked at for one page, so that a rare reason holds nobody up: the page then ends with what was found.
const PAGE_BYTES_MAX: u64 = 32 << 20;

/// Reads a page of a fix file: rows of this reason (`None` = of any) from this place on (0 = the first).
///
/// # Errors
/// The file cannot be read.
pub fn read_fix_rows(path: &Path, reason: Option<&str>, after: u64, limit: usize) -> io::Result<FixPage> {
    let mut page = FixPage::default();
    let mut reader = fix_reader(path, 0)?;
    let mut record = csv::StringRecord::new();
    if !reader.read_record(&mut record)? {
        return Ok(page);
    }
    page.columns = record.iter().skip(OWN_COLUMNS.len()).map(|cell| csv_text(cell).to_owned()).collect();
    let begin = after.max(reader.position().byte());
    let mut reader = fix_reader(path, begin)?;
    while reader.read_record(&mut record)? {
        let read = reader.position().byte();
        let fits = reason.is_none_or(|reason| record.get(1) == Some(reason));
        if fits && let Some(row) = fix_row(&record) {
            page.rows.push(row);
        }
        if page.rows.len() == limit || read > PAGE_BYTES_MAX {
            page.next = Some(begin + read);
            break;
        }
    }
    Ok(page)
}

fn fix_reader(path: &Path, begin: u64) -> io::Result<csv::Reader<BufReader<File>>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(begin))?;
    let file = BufReader::with_capacity(1 << 16, file);
    Ok(csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file))
}

fn fix_row(record: &csv::StringRecord) -> Option<FixRow> {
    Some(FixRow {
        row: record.get(0)?.parse().ok()?,
        reason: record.get(1)?.to_owned(),
        hint: csv_text(record.get(2)?).to_owned(),
        cells: record.iter().skip(OWN_COLUMNS.len()).map(|cell| csv_text(cell).to_owned()).collect(),
    })
}

/// The words of a fix file as a person downloads it.
pub struct FixWords<'a> {
    /// Titles of row, reason and hint.
    pub header: [&'a str; 3],
    pub reason: &'a (dyn Fn(&str) -> String + Sync),
    pub hint: &'a (dyn Fn(&str) -> String + Sync),
}

impl FixWords<'_> {
    /// A record in these words; the list's own cells stay.
    fn say(&self, record: &csv::StringRecord, is_header: bool) -> csv::StringRecord {
        let cells = record.iter().enumerate().map(|(at, cell)| match (is_header, at) {
            (true, 0..3) => self.header[at].to_owned(),
            (false, 1) => (self.reason)(cell),
            (false, 2) => csv_cell(&(self.hint)(csv_text(cell))).into_owned(),
            _ => cell.to_owned(),
        });
        cells.collect()
    }
}

/// Writes a fix file in other words, row by row.
///
/// # Errors
/// A file cannot be read or written.
pub fn write_fix_csv(csv: &Path, words: &FixWords<'_>, mut out: impl Write) -> io::Result<()> {
    let mut reader = fix_reader(csv, 0)?;
    out.write_all("\u{FEFF}".as_bytes())?;
    let mut out = csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(out);
    let (mut record, mut is_header) = (csv::StringRecord::new(), true);
    while reader.read_record(&mut record)? {
        out.write_record(&words.say(&record, is_header))?;
        is_header = false;
    }
    out.flush()
}

/// Rows of an Excel sheet, header included, and characters of its cells.
const SHEET_ROWS_MAX: u32 = 1_048_576;
const CELL_CHARS_MAX: usize = 32_767;

/// Writes a fix file as a workbook, row by row in constant memory. Every cell is text, so that no formula runs and no
/// number loses a digit. Rows beyond what a sheet holds go to further sheets.
///
/// # Errors
/// A file cannot be read or written.
pub fn write_fix_workbook(
    csv: &Path,
    words: &FixWords<'_>,
    out: &mut (impl Write + Seek + Send),
) -> io::Result<()> {
    let mut reader = fix_reader(csv, 0)?;
    let mut header = csv::StringRecord::new();
    reader.read_record(&mut header)?;
    let header = words.say(&header, true);
    let mut book = Workbook::new();
    let (mut sheets, mut row) = (0, SHEET_ROWS_MAX);
    let mut record = csv::StringRecord::new();
    let mut more = true;
    while more {
        more = reader.read_record(&mut record)?;
        if row == SHEET_ROWS_MAX && (more || sheets == 0) {
            sheets += 1;
            let added = book.add_worksheet_with_constant_memory();
            added.and_then(|sheet| sheet.set_name(format!("fix {sheets}"))).map_err(io::Error::other)?;
            write_line(&mut book, sheets, 0, &header).map_err(io::Error::other)?;
            row = 1;
        }
        if more {
            let record = words.say(&record, false);
            write_line(&mut book, sheets, row, &record).map_err(io::Error::other)?;
            row += 1;
        }
    }
    book.save_to_writer(out).map_err(io::Error::other)
}

fn write_line(
    book: &mut Workbook,
    sheet: usize,
    row: u32,
    record: &csv::StringRecord,
) -> Result<(), XlsxError> {
    let sheet = book.worksheet_from_index(sheet - 1)?;
    for (at, cell) in record.iter().enumerate() {
        let text: String = csv_text(cell).chars().take(CELL_CHARS_MAX).collect();
        sheet.write_string(row, at as u16, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::RefusedRow;
    use super::*;
    use paceline_core::outcome::Reason;

    fn batch(rows: std::ops::Range<u64>) -> Batch {
        let refused = |row: u64| RefusedRow {
            flat: None,
            row,
            cells: vec![format!("=cell {row}"), "a,\"b\"\nc".into()],
            reason: if row.is_multiple_of(3) { Reason::Duplicate } else { Reason::InvalidNumber },
            hint: format!("-{row}"),
        };
        let columns = vec!["=x".to_owned(), "y".to_owned()].into();
        Batch { columns, refused: rows.map(refused).collect(), ..Batch::default() }
    }

    #[test]
    fn every_row_is_read_back_in_pages_as_it_was() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("fix.csv");
        let mut file = FixFile::create(&path).expect("a file");
        file.write(&batch(2..50)).expect("written");
        file.write(&batch(50..99)).expect("written");
        file.finish().expect("finished");
        let text = std::fs::read_to_string(&path).expect("text");
        assert!(text.starts_with("\u{FEFF}row,reason,hint,"));
        for (reason, limit) in [(None, 7), (Some("duplicate"), 5), (Some("duplicate"), 1_000)] {
            let (mut rows, mut after, mut pages) = (Vec::new(), 0, 0);
            loop {
                let page = read_fix_rows(&path, reason, after, limit).expect("a page");
                assert_eq!(page.columns, ["=x", "y"]);
                rows.extend(page.rows);
                pages += 1;
                match page.next {
                    Some(next) => after = next,
                    None => break,
                }
            }
            let all = batch(2..99).refused;
            let wanted = all.iter().filter(|row| reason.is_none_or(|reason| row.reason.word() == reason));
            let wanted: Vec<(u64, &str, &[String])> =
                wanted.map(|row| (row.row, row.hint.as_str(), row.cells.as_slice())).collect();
            let found: Vec<(u64, &str, &[String])> =
                rows.iter().map(|row| (row.row, row.hint.as_str(), row.cells.as_slice())).collect();
            assert_eq!(found, wanted, "{reason:?} {limit} in {pages} pages");
        }
    }
}
