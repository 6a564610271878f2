//! Reads a CSV or TXT file as rows of cells, in bounded pieces: decodes to UTF-8, splits rows, lets polars
//! split the cells.

use super::frame::Frame;
use super::records::{RECORD_MAX, RowShape, RowSpan, RowSplitter};
use super::sniff::{self, Kind};
use super::source::{Record, RowDefect, SAMPLE_ROWS, SampleRow};
use super::{ListError, Reading};
use encoding_rs::{Decoder, Encoding, UTF_8};
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Bytes read at a time. Large enough to hide polars' fixed cost per piece, small enough that a piece and its
/// cells stay in the CPU cache.
const PIECE_BYTES: usize = 1024 * 1024;

/// Bytes kept of a row that is too long.
const STUB_BYTES: usize = 400;

/// Cells kept of a row: one more than the column limit, so that the excess is noticed.
const CELLS_KEPT: usize = 1_001;

pub(crate) struct TextFile {
    path: PathBuf,
    file: File,
    decoder: Option<Decoder>,
    encoding: Option<&'static Encoding>,
    /// Raw bytes of the last read.
    raw: Vec<u8>,
    /// Decoded text that is not yet consumed.
    text: Vec<u8>,
    at_end: bool,
    /// Line ends are lone carriage returns, as old Macs wrote them.
    has_carriage_ends: bool,
    pub separator: u8,
    /// Rows before `text`.
    rows_before: u64,
    /// Inside a row that is too long, until its line end.
    skipping: bool,
    /// Replacement characters inserted by decoding.
    pub broken_characters: u64,
}

impl TextFile {
    pub fn open(path: &Path, reading: &Reading) -> Result<Self, ListError> {
        let file = File::open(path).map_err(|source| ListError::Open { file: path.into(), source })?;
        let mut text = TextFile {
            path: path.into(),
            file,
            decoder: None,
            encoding: None,
            raw: Vec::new(),
            text: Vec::new(),
            at_end: false,
            has_carriage_ends: false,
            separator: b',',
            rows_before: 0,
            skipping: false,
            broken_characters: 0,
        };
        text.read_first_piece(reading)?;
        Ok(text)
    }

    pub fn encoding_name(&self) -> &'static str {
        self.encoding.unwrap_or(UTF_8).name()
    }

    fn read_first_piece(&mut self, reading: &Reading) -> Result<(), ListError> {
        self.read_raw()?;
        match sniff::detect_kind(&self.raw[..self.raw.len().min(64 * 1024)]) {
            Kind::Text => {}
            Kind::Zip => {
                return Err(self.foreign_file(
                    "a ZIP archive or an Excel file: unpack it, or name it .xlsx if Excel opens it",
                ));
            }
            Kind::Foreign(what) => return Err(self.foreign_file(what)),
        }
        let named = reading.encoding.as_ref().and_then(|label| Encoding::for_label(label.as_bytes()));
        let by_mark = sniff::encoding_by_mark(&self.raw);
        match (named, by_mark) {
            (Some(named), Some(found)) if found.encoding == named => {
                self.set_encoding(named);
                self.raw.drain(..found.bom);
            }
            (Some(named), _) => self.set_encoding(named),
            (None, Some(found)) => {
                self.set_encoding(found.encoding);
                self.raw.drain(..found.bom);
            }
            (None, None) => {}
        }
        self.decode();
        self.has_carriage_ends = !self.text.contains(&b'\n') && self.text.contains(&b'\r');
        if self.has_carriage_ends {
            replace_carriage_returns(&mut self.text);
        }
        let ordered = sniff::excel_separator(&self.text).is_some();
        self.separator = sniff::detect_separator(&self.text[..self.text.len().min(64 * 1024)]);
        if let Some([separator]) = reading.separator.as_ref().map(String::as_bytes) {
            self.separator = *separator;
        }
        if ordered {
            let line = self.text.iter().position(|b| *b == b'\n').map_or(self.text.len(), |at| at + 1);
            self.text.drain(..line);
            self.rows_before = 1;
        }
        Ok(())
    }

    fn foreign_file(&self, what: &'static str) -> ListError {
        ListError::Foreign { file: self.path.clone(), what }
    }

    fn set_encoding(&mut self, encoding: &'static Encoding) {
        self.encoding = Some(encoding);
        self.decoder = Some(encoding.new_decoder_without_bom_handling());
    }

    fn read_raw(&mut self) -> Result<(), ListError> {
        self.raw.resize(PIECE_BYTES, 0);
        let mut filled = 0;
        while filled < PIECE_BYTES {
            match self.file.read(&mut self.raw[filled..]) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(n) => filled += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ListError::Read { file: self.path.clone(), row: self.rows_before, source });
                }
            }
        }
        self.raw.truncate(filled);
        Ok(())
    }

    /// Decodes `raw` onto the end of `text`. The encoding is chosen at the first non-ASCII byte: a list of a
    /// million numbers may have its first Chinese name near the end.
    fn decode(&mut self) {
        if self.encoding.is_none() && !self.raw.is_ascii() {
            self.set_encoding(sniff::guess_encoding(&self.raw));
        }
        let from = self.text.len();
        match &mut self.decoder {
            None => self.text.extend_from_slice(&self.raw),
            Some(decoder) => {
                let room = decoder.max_utf8_buffer_length(self.raw.len()).unwrap_or(self.raw.len() * 3 + 16);
                self.text.resize(from + room, 0);
                let (_, _, written, faults) =
                    decoder.decode_to_utf8(&self.raw, &mut self.text[from..], self.at_end);
                self.text.truncate(from + written);
                if faults {
                    let marks = self.text[from..].windows(3).filter(|w| *w == b"\xEF\xBF\xBD").count();
                    self.broken_characters += marks as u64;
                }
            }
        }
        if self.has_carriage_ends {
            replace_carriage_returns(&mut self.text[from..]);
        }
    }

    /// The first rows, split one by one, to find the header.
    pub fn sample(&self) -> Vec<SampleRow> {
        let mut spans = Vec::new();
        RowSplitter { separator: self.separator, width: None }.split(&self.text, self.at_end, &mut spans);
        let rows = spans.iter().zip(self.rows_before + 1..);
        rows.filter(|(span, _)| !matches!(span.shape, RowShape::Blank | RowShape::TooLong | RowShape::Nul))
            .take(SAMPLE_ROWS)
            .map(|(span, row)| {
                let mut cells = Vec::new();
                split_cells(&self.text[span.start..span.end], self.separator, span.shape, &mut cells);
                SampleRow { row, cells }
            })
            .collect()
    }

    /// Visits every row that is not blank, in order. `width`: cells of the header.
    pub fn for_each_row(
        &mut self,
        width: usize,
        visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), ListError> {
        let splitter = RowSplitter { separator: self.separator, width: Some(width) };
        let mut spans: Vec<RowSpan> = Vec::new();
        let mut regular = Vec::new();
        loop {
            spans.clear();
            let mut rest = splitter.split(&self.text, self.at_end, &mut spans);
            let first_row = self.rows_before + 1;
            self.rows_before += spans.len() as u64;
            if self.visit_piece(&spans, first_row, width, &mut regular, visit).is_break() {
                return Ok(());
            }
            if rest == 0 && self.text.len() > RECORD_MAX && !self.at_end {
                rest = self.text.len();
                self.skipping = true;
                self.rows_before += 1;
                let cells = [String::from_utf8_lossy(&self.text[..STUB_BYTES])];
                let cells = [cells[0].trim_end_matches('\u{FFFD}')];
                let record =
                    Record { row: self.rows_before, cells: &cells, defect: Some(RowDefect::TooLong) };
                if visit(record).is_break() {
                    return Ok(());
                }
            }
            self.text.drain(..rest);
            if self.at_end {
                return Ok(());
            }
            self.refill()?;
        }
    }

    fn refill(&mut self) -> Result<(), ListError> {
        self.read_raw()?;
        self.decode();
        while self.skipping {
            match self.text.iter().position(|b| *b == b'\n') {
                Some(end) => {
                    self.text.drain(..=end);
                    self.skipping = false;
                }
                None => {
                    self.text.clear();
                    if self.at_end {
                        return Ok(());
                    }
                    self.read_raw()?;
                    self.decode();
                }
            }
        }
        Ok(())
    }

    /// Regular rows are split together by polars, the others one at a time by the csv crate: polars counts
    /// quotes anywhere in a line and stops at a row of another width, so one such row would shift or end its
    /// whole piece.
    fn visit_piece(
        &self,
        spans: &[RowSpan],
        first_row: u64,
        width: usize,
        copy: &mut Vec<u8>,
        visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let count = spans.iter().filter(|span| span.shape == RowShape::Regular).count();
        let text: &[u8] = match (spans.first(), spans.last()) {
            (Some(first), Some(last)) if count == spans.len() => &self.text[first.start..last.next],
            _ => {
                copy.clear();
                for span in spans.iter().filter(|span| span.shape == RowShape::Regular) {
                    copy.extend_from_slice(&self.text[span.start..span.end]);
                    copy.push(b'\n');
                }
                copy
            }
        };
        let frame = if count > 0 { Frame::read(text, self.separator, width, count) } else { None };
        let frame_cells = frame.as_ref().map(Frame::columns).unwrap_or_default();
        let mut cells: Vec<&str> = Vec::with_capacity(width);
        let mut owned: Vec<String> = Vec::new();
        let mut in_frame = 0;
        for (span, row) in spans.iter().zip(first_row..) {
            let defect = match span.shape {
                RowShape::Blank => continue,
                RowShape::Regular | RowShape::Odd => None,
                RowShape::OpenQuote => Some(RowDefect::OpenQuote),
                RowShape::TooLong => Some(RowDefect::TooLong),
                RowShape::Nul => Some(RowDefect::Nul),
            };
            if span.shape == RowShape::Regular && frame.is_some() {
                cells.clear();
                cells.extend(frame_cells.iter().map(|column| column.cell(in_frame)));
                in_frame += 1;
                visit(Record { row, cells: &cells, defect })?;
            } else {
                let end = if defect == Some(RowDefect::TooLong) {
                    span.end.min(span.start + STUB_BYTES)
                } else {
                    span.end
                };
                split_cells(&self.text[span.start..end], self.separator, span.shape, &mut owned);
                let given: Vec<&str> = owned.iter().map(String::as_str).collect();
                visit(Record { row, cells: &given, defect })?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// Splits one row with the csv crate; a row with unreliable quotes is split at separators alone.
fn split_cells(row: &[u8], separator: u8, shape: RowShape, cells: &mut Vec<String>) {
    cells.clear();
    let quoting = !matches!(shape, RowShape::OpenQuote | RowShape::TooLong | RowShape::Nul);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .quoting(quoting)
        .terminator(csv::Terminator::Any(b'\n'))
        .buffer_capacity(row.len().clamp(16, 64 * 1024))
        .from_reader(row);
    let mut record = csv::ByteRecord::new();
    if matches!(reader.read_byte_record(&mut record), Ok(true)) {
        let kept = record.iter().take(CELLS_KEPT);
        cells.extend(kept.map(|cell| String::from_utf8_lossy(cell).replace('\0', "\u{FFFD}")));
    }
}

fn replace_carriage_returns(text: &mut [u8]) {
    text.iter_mut().filter(|b| **b == b'\r').for_each(|b| *b = b'\n');
}
