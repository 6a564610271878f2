//! Reads the sheets of an XLSX file as rows of text, cell by cell, without holding a sheet in memory. Numbers keep
//! every digit and the leading zeros of their format, formulas give their saved value, merged cells are filled,
//! hidden rows are left out and counted.

use super::sheet_form::{self, Merge, SheetForm};
use super::source::{Record, SAMPLE_ROWS, SampleRow};
use super::wanted::WantedFile;
use super::{ListError, limits};
use crate::caught_panic;
use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx};
use std::collections::HashMap;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use zip::ZipArchive;

/// Columns read. A spreadsheet has at most 16,384; a list has a few.
const COLUMNS_MAX: u32 = 1_000;

/// Largest unpacked size, against ZIP bombs. A list of a million rows unpacks to about 400 MB.
const UNPACKED_MAX: u64 = 4 << 30;
/// Texts of the merged cells that reach a row, in octets.
const MERGED_MAX: usize = 16 << 20;
/// Largest shared-strings table; it is held in memory.
const STRINGS_MAX: u64 = 512 << 20;

pub(crate) struct Workbook {
    path: PathBuf,
    book: Xlsx<BufReader<WantedFile>>,
    archive: ZipArchive<BufReader<WantedFile>>,
    /// The parts of the archive that hold the sheets, by name.
    parts: HashMap<String, String>,
}

/// One sheet of a workbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SheetEntry {
    pub name: String,
    pub is_visible: bool,
    /// Cells, not a chart or a macro.
    pub has_cells: bool,
}

impl Workbook {
    pub fn open(path: &Path) -> Result<Self, ListError> {
        let mut file =
            WantedFile::open(path).map_err(|source| ListError::Open { file: path.into(), source })?;
        let damaged = |what: String| ListError::Sheet { file: path.into(), row: 0, what };
        let unread = |source| ListError::Read { file: path.into(), row: 0, source };
        let mut head = [0; 8];
        let len = file.read(&mut head).map_err(unread)?;
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
        limits::check_strings(path).map_err(&damaged)?;
        file.rewind().map_err(unread)?;
        let book =
            catch_panic(|| Xlsx::new(BufReader::new(file)).map_err(|e| e.to_string())).map_err(&damaged)?;
        let again = WantedFile::open(path).map_err(|source| ListError::Open { file: path.into(), source })?;
        let mut archive = ZipArchive::new(BufReader::new(again)).map_err(|e| damaged(e.to_string()))?;
        let parts = sheet_form::sheet_parts(&mut archive).map_err(&damaged)?;
        Ok(Workbook { path: path.into(), book, archive, parts })
    }

    /// Every sheet, in the order of the workbook.
    pub fn sheets(&self) -> Vec<SheetEntry> {
        let entry = |sheet: &calamine::Sheet| SheetEntry {
            name: sheet.name.clone(),
            is_visible: sheet.visible == SheetVisible::Visible,
            has_cells: sheet.typ == SheetType::WorkSheet,
        };
        self.book.sheets_metadata().iter().map(entry).collect()
    }

    /// Reads the form of a sheet, and so the whole of its XML. The error is the reason why it is damaged.
    pub fn form(&mut self, sheet: &str) -> Result<SheetForm, String> {
        let part = self.parts.get(sheet).ok_or("its part is missing in the file")?.clone();
        sheet_form::read_form(&mut self.archive, &part)
    }

    pub fn sample(&mut self, sheet: &str, form: &SheetForm) -> Result<Vec<SampleRow>, ListError> {
        let mut rows = Vec::new();
        self.for_each_row(sheet, form, &mut |record| {
            rows.push(SampleRow {
                row: record.row,
                cells: record.cells.iter().map(|c| c.to_string()).collect(),
            });
            if rows.len() < SAMPLE_ROWS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(rows)
    }

    /// Visits every row of a sheet that is neither blank nor hidden. Returns the number of hidden rows that are not
    /// blank.
    pub fn for_each_row(
        &mut self,
        sheet: &str,
        form: &SheetForm,
        visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<u64, ListError> {
        let path = self.path.clone();
        let damaged = |row: u64, what: String| ListError::Sheet {
            file: path.clone(),
            row,
            what: format!("sheet '{sheet}': {what}"),
        };
        let mut reader = catch_panic(|| self.book.worksheet_cells_reader(sheet).map_err(|e| e.to_string()))
            .map_err(|what| damaged(0, what))?;
        let widths: Vec<usize> = reader
            .styles()
            .iter()
            .map(|style| style.number_format.as_ref().map_or(0, |format| zeros_shown(&format.format_code)))
            .collect();
        let mut row = RowBuffer { fill: MergeFill::new(&form.merges), ..RowBuffer::default() };
        let mut hidden = 0;
        loop {
            let next = catch_panic(|| reader.next_cell_with_style_id().map_err(|e| e.to_string()));
            let cell = next.map_err(|what| damaged(row.number, what))?;
            let position = cell.as_ref().map(|(cell, _)| cell.get_position());
            let number = position.map_or(0, |(line, _)| u64::from(line) + 1);
            if position.is_none() || number != row.number {
                let is_row = row.finish();
                if row.fill.held > MERGED_MAX {
                    let what = format!("its merged cells hold more than {} MB of text", MERGED_MAX >> 20);
                    return Err(damaged(row.number, what));
                }
                if is_row {
                    match form.is_hidden((row.number - 1) as u32) {
                        true => hidden += 1,
                        false if row.visit(visit).is_break() => return Ok(hidden),
                        false => {}
                    }
                }
                row.start(number);
            }
            let Some((cell, style)) = cell else { return Ok(hidden) };
            let width = widths.get(style).copied().unwrap_or(0);
            row.put(cell.get_position().1, cell.get_value(), width);
        }
    }
}

/// The row being assembled; its strings are reused for the next.
#[derive(Default)]
struct RowBuffer<'a> {
    number: u64,
    cells: Vec<String>,
    width: usize,
    fill: MergeFill<'a>,
}

impl RowBuffer<'_> {
    fn start(&mut self, number: u64) {
        self.number = number;
        self.width = 0;
    }

    fn put(&mut self, column: u32, value: &DataRef<'_>, zeros: usize) {
        if column >= COLUMNS_MAX || matches!(value, DataRef::Empty) {
            return;
        }
        let column = column as usize;
        self.widen(column);
        write_value(value, zeros, &mut self.cells[column]);
    }

    fn widen(&mut self, column: usize) {
        while self.width <= column {
            if self.cells.len() <= self.width {
                self.cells.push(String::new());
            }
            self.cells[self.width].clear();
            self.width += 1;
        }
    }

    /// Fills the merged cells of a complete row. `false` = the row has no cell of its own.
    fn finish(&mut self) -> bool {
        if self.number == 0 || self.cells[..self.width].iter().all(|cell| cell.trim().is_empty()) {
            return false;
        }
        let line = (self.number - 1) as u32;
        let mut fill = std::mem::take(&mut self.fill);
        fill.advance(line, &self.cells[..self.width]);
        for (merge, value) in &fill.active {
            let last = merge.columns.1.min(COLUMNS_MAX - 1);
            for column in (merge.columns.0..=last).map(|column| column as usize) {
                self.widen(column);
                if self.cells[column].is_empty() {
                    self.cells[column].push_str(value);
                }
            }
        }
        self.fill = fill;
        true
    }

    fn visit(&self, visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let cells: Vec<&str> = self.cells[..self.width].iter().map(String::as_str).collect();
        visit(Record { row: self.number, cells: &cells, defect: None })
    }
}

/// The merged regions that reach the current row, each with the text of its first cell.
#[derive(Default)]
struct MergeFill<'a> {
    /// Regions below, by first row.
    rest: &'a [Merge],
    active: Vec<(Merge, String)>,
    /// Octets of those texts.
    held: usize,
}

impl<'a> MergeFill<'a> {
    fn new(merges: &'a [Merge]) -> Self {
        MergeFill { rest: merges, ..MergeFill::default() }
    }

    fn advance(&mut self, row: u32, cells: &[String]) {
        self.active.retain(|(merge, text)| {
            let stays = merge.rows.1 >= row;
            self.held -= if stays { 0 } else { text.len() };
            stays
        });
        while let Some((merge, rest)) = self.rest.split_first()
            && merge.rows.0 <= row
        {
            self.rest = rest;
            let text = cells.get(merge.columns.0 as usize).filter(|text| !text.is_empty());
            if merge.rows.0 == row
                && let Some(text) = text
            {
                self.held += text.len();
                self.active.push((*merge, text.clone()));
            }
        }
    }
}

/// How many digits a number format shows at least: `00000000000` and `000-0000-0000` give 11, `General` and `0`
/// none.
fn zeros_shown(format: &str) -> usize {
    let code = format.split(';').next().unwrap_or_default();
    let code = code.replace(['-', ' ', '(', ')', '\\', '"', '@'], "");
    if code.len() > 1 && code.bytes().all(|b| b == b'0') { code.len() } else { 0 }
}

/// Writes a cell as text. A whole number has no point and no exponent, whatever its size, and the leading zeros
/// that its format shows.
fn write_value(value: &DataRef<'_>, zeros: usize, out: &mut String) {
    use std::fmt::Write;
    let written = match value {
        DataRef::Int(n) if zeros > 0 => write!(out, "{n:0zeros$}"),
        DataRef::Float(n) if zeros > 0 && n.fract() == 0.0 => write!(out, "{n:0zeros$}"),
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
    caught_panic::catch("reading a workbook", read).unwrap_or_else(|| Err("the workbook is damaged".into()))
}

/// Refuses ZIP bombs: adds up the unpacked sizes in the archive's directory before anything is unpacked.
fn refuse_zip_bomb(file: &mut WantedFile) -> Result<(), String> {
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
