//! Reads an XLSX file as rows of text, cell by cell, without holding the sheet in memory. Numbers keep every
//! digit; formulas give their saved value.

use super::ListError;
use super::source::{Record, SAMPLE_ROWS, SampleRow};
use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Columns read. A spreadsheet has at most 16,384; a list has a few.
const COLUMNS_MAX: u32 = 1_000;

/// Largest unpacked size, against ZIP bombs. A list of a million rows unpacks to about 400 MB.
const UNPACKED_MAX: u64 = 4 << 30;
/// Largest shared-strings table; it is held in memory.
const STRINGS_MAX: u64 = 512 << 20;

pub(crate) struct SheetFile {
    path: PathBuf,
    book: Xlsx<BufReader<File>>,
    pub sheet: String,
}

impl SheetFile {
    /// Opens the first visible sheet that has a row.
    pub fn open(path: &Path) -> Result<Self, ListError> {
        let mut file = File::open(path).map_err(|source| ListError::Open { file: path.into(), source })?;
        let damaged = |what: String| ListError::Sheet { file: path.into(), row: 0, what };
        let mut head = [0; 8];
        let len =
            file.read(&mut head).map_err(|source| ListError::Read { file: path.into(), row: 0, source })?;
        if !head[..len].starts_with(b"PK\x03\x04") {
            let what = match head.starts_with(b"\xD0\xCF\x11\xE0") {
                true => {
                    "an old Excel file (.xls) or one with a password: save it as .xlsx without a password"
                }
                false => "no Excel workbook although its name ends in .xlsx: name it .csv if it is text",
            };
            return Err(ListError::Foreign { file: path.into(), what });
        }
        refuse_zip_bomb(&mut file).map_err(&damaged)?;
        file.rewind().map_err(|source| ListError::Read { file: path.into(), row: 0, source })?;
        let book =
            catch_panic(|| Xlsx::new(BufReader::new(file)).map_err(|e| e.to_string())).map_err(&damaged)?;
        let mut found = SheetFile { path: path.into(), book, sheet: String::new() };
        let sheets: Vec<String> = found
            .book
            .sheets_metadata()
            .iter()
            .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
            .map(|sheet| sheet.name.clone())
            .collect();
        for name in sheets {
            found.sheet = name;
            if !found.sample()?.is_empty() {
                return Ok(found);
            }
        }
        Err(ListError::Empty { file: path.into(), what: "no sheet with a row in it" })
    }

    pub fn sample(&mut self) -> Result<Vec<SampleRow>, ListError> {
        let mut rows = Vec::new();
        self.for_each_row(&mut |record| {
            rows.push(SampleRow {
                row: record.row,
                cells: record.cells.iter().map(|c| c.to_string()).collect(),
            });
            if rows.len() < SAMPLE_ROWS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(rows)
    }

    pub fn for_each_row(
        &mut self,
        visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), ListError> {
        let path = self.path.clone();
        let damaged = |row: u64, what: String| ListError::Sheet { file: path.clone(), row, what };
        let mut reader =
            catch_panic(|| self.book.worksheet_cells_reader(&self.sheet).map_err(|e| e.to_string()))
                .map_err(|what| damaged(0, what))?;
        let mut row = RowBuffer::default();
        loop {
            let next = catch_panic(|| reader.next_cell().map_err(|e| e.to_string()));
            let cell = next.map_err(|what| damaged(row.number, what))?;
            let Some(cell) = cell else { return row.visit(visit).map_or_else(|_| Ok(()), |()| Ok(())) };
            let (line, column) = cell.get_position();
            let number = u64::from(line) + 1;
            if number != row.number {
                if row.visit(visit).is_err() {
                    return Ok(());
                }
                row.start(number);
            }
            row.put(column, cell.get_value());
        }
    }
}

/// The row being assembled; its strings are reused for the next.
#[derive(Default)]
struct RowBuffer {
    number: u64,
    cells: Vec<String>,
    width: usize,
}

impl RowBuffer {
    fn start(&mut self, number: u64) {
        self.number = number;
        self.width = 0;
    }

    fn put(&mut self, column: u32, value: &DataRef<'_>) {
        if column >= COLUMNS_MAX || matches!(value, DataRef::Empty) {
            return;
        }
        let column = column as usize;
        while self.width <= column {
            if self.cells.len() <= self.width {
                self.cells.push(String::new());
            }
            self.cells[self.width].clear();
            self.width += 1;
        }
        write_value(value, &mut self.cells[column]);
    }

    fn visit(&self, visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>) -> Result<(), ()> {
        let cells: Vec<&str> = self.cells[..self.width].iter().map(String::as_str).collect();
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(());
        }
        match visit(Record { row: self.number, cells: &cells, defect: None }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(()),
        }
    }
}

/// Writes a cell as text. A whole number has no point and no exponent, whatever its size.
fn write_value(value: &DataRef<'_>, out: &mut String) {
    use std::fmt::Write;
    let written = match value {
        DataRef::Empty => Ok(()),
        DataRef::Int(n) => write!(out, "{n}"),
        DataRef::Float(n) => write!(out, "{n}"),
        DataRef::String(text) => out.write_str(text),
        DataRef::SharedString(text) => out.write_str(text),
        DataRef::Bool(b) => out.write_str(if *b { "TRUE" } else { "FALSE" }),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => out.write_str(text),
        DataRef::Error(error) => write!(out, "{error}"),
        // A phone number in a column with a date format stays a number.
        DataRef::DateTime(at) if at.as_f64() > 2_958_466.0 || !at.is_datetime() => {
            write!(out, "{}", at.as_f64())
        }
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            match at.as_f64().fract() == 0.0 {
                true => write!(out, "{year:04}-{month:02}-{day:02}"),
                false => write!(out, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
    };
    debug_assert!(written.is_ok(), "writing to a string does not fail");
}

/// A damaged workbook must end in an error message, even if the `calamine` crate panics.
fn catch_panic<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("the workbook is damaged".into()))
}

/// Refuses ZIP bombs: adds up the unpacked sizes in the archive's directory before anything is unpacked.
fn refuse_zip_bomb(file: &mut File) -> Result<(), String> {
    let io = |e: std::io::Error| e.to_string();
    let len = file.seek(SeekFrom::End(0)).map_err(io)?;
    let tail_len = len.min(66_000);
    file.seek(SeekFrom::Start(len - tail_len)).map_err(io)?;
    let mut tail = Vec::new();
    file.take(tail_len).read_to_end(&mut tail).map_err(io)?;
    let end =
        tail.windows(4).rposition(|w| w == b"PK\x05\x06").ok_or("its end is missing: copy the file again")?;
    let (Some(size), Some(start)) = (u32_at(&tail, end + 12), u32_at(&tail, end + 16)) else {
        return Err("its end is missing: copy the file again".into());
    };
    file.seek(SeekFrom::Start(start.into())).map_err(io)?;
    let mut directory = Vec::new();
    file.take(u64::from(size).min(16 << 20)).read_to_end(&mut directory).map_err(io)?;
    let (mut at, mut total) = (0, 0u64);
    while directory.get(at..at + 4) == Some(b"PK\x01\x02") {
        let field = |offset: usize| u32_at(&directory, at + offset).unwrap_or(u32::MAX);
        let unpacked = u64::from(field(24));
        let name_len = (field(28) & 0xFFFF) as usize;
        let rest = (field(28) >> 16) as usize + (field(32) & 0xFFFF) as usize;
        let name = directory.get(at + 46..at + 46 + name_len).unwrap_or_default();
        total += unpacked;
        if total > UNPACKED_MAX || (name.ends_with(b"sharedStrings.xml") && unpacked > STRINGS_MAX) {
            return Err(format!("it unpacks to more than {} MB", UNPACKED_MAX.min(total) >> 20));
        }
        at += 46 + name_len + rest;
    }
    Ok(())
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes)
}
