//! XLSX writer: a sheet per table, written row by row in constant memory. Text cells have the type text, so
//! that no formula runs and no phone number loses digits; moments are dates on the campaign's local clock.

use super::table::{Cell, Column, Sink};
use super::{AtomicFile, ResultsError, write_error};
use rust_xlsxwriter::{Format, Worksheet, XlsxError};
use std::io::{self, BufWriter};
use std::path::Path;

/// Row limit of an Excel sheet, header included.
const ROWS_MAX: u32 = 1_048_576;

/// Width of a column of dates, in characters.
const MOMENT_WIDTH: f64 = 19.0;

/// Character limit of an Excel cell.
const TEXT_MAX: usize = 32_767;

pub struct Workbook {
    output: AtomicFile,
    book: rust_xlsxwriter::Workbook,
    title: String,
    columns: Vec<Column>,
    /// Number of sheets of the current table, and of the workbook.
    parts: usize,
    sheets: usize,
    row: u32,
    /// Format of a date with its time.
    moment: Format,
}

impl Workbook {
    pub(super) fn create(path: &Path) -> Result<Workbook, ResultsError> {
        Ok(Workbook {
            output: AtomicFile::create(path)?,
            book: rust_xlsxwriter::Workbook::new(),
            title: String::new(),
            columns: Vec::new(),
            parts: 0,
            sheets: 0,
            row: 0,
            moment: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        })
    }

    /// Starts a table: the rows that follow belong to it.
    pub(super) fn begin(&mut self, title: &str, columns: &[Column]) -> Result<(), ResultsError> {
        self.title = title.to_string();
        self.columns = columns.to_vec();
        self.parts = 0;
        self.next_sheet()
    }

    fn next_sheet(&mut self) -> Result<(), ResultsError> {
        self.parts += 1;
        self.sheets += 1;
        self.row = 1;
        let title = match self.parts {
            1 => self.title.clone(),
            part => format!("{} {part}", self.title),
        };
        let columns = &self.columns;
        let sheet = self.book.add_worksheet_with_constant_memory();
        let written = sheet.and_then(|sheet| {
            sheet.set_name(title)?;
            for (at, column) in columns.iter().enumerate() {
                // A date that does not fit its column is shown as ####.
                if column.name.ends_with("_at") {
                    sheet.set_column_width(at as u16, MOMENT_WIDTH)?;
                }
                sheet.write_string(0, at as u16, fitting(&column.name))?;
            }
            Ok(())
        });
        written.map_err(|e| self.write_error(e))
    }

    fn write_error(&self, error: XlsxError) -> ResultsError {
        write_error(&self.output.path)(io::Error::other(error))
    }

    pub(super) fn finish(mut self) -> Result<(), ResultsError> {
        let file = self.output.file.try_clone().map_err(write_error(&self.output.path))?;
        let saved = self.book.save_to_writer(BufWriter::new(file));
        saved.map_err(|e| self.write_error(e))?;
        self.output.finish()
    }
}

impl Sink for Workbook {
    fn row(&mut self, cells: &[Cell]) -> Result<(), ResultsError> {
        if self.row == ROWS_MAX {
            self.next_sheet()?;
        }
        let row = self.row;
        self.row += 1;
        let sheet = self.book.worksheet_from_index(self.sheets - 1);
        let moment = &self.moment;
        let written = sheet.and_then(|sheet| write_row(sheet, row, cells, moment));
        written.map_err(|e| self.write_error(e))
    }
}

fn write_row(sheet: &mut Worksheet, row: u32, cells: &[Cell], moment: &Format) -> Result<(), XlsxError> {
    for (at, cell) in cells.iter().enumerate() {
        let at = at as u16;
        match cell {
            Cell::Empty => continue,
            Cell::Text(text) => sheet.write_string(row, at, fitting(text))?,
            Cell::Moment { day, .. } => sheet.write_number_with_format(row, at, *day, moment)?,
            Cell::Whole(number) => sheet.write_number(row, at, *number as f64)?,
            Cell::Secs(millis) => sheet.write_number(row, at, *millis as f64 / 1000.0)?,
            Cell::Flag(flag) => sheet.write_boolean(row, at, *flag)?,
        };
    }
    Ok(())
}

fn fitting(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}
