//! CSV writer: UTF-8 with a BOM, so that Excel detects the encoding; RFC 4180 with CRLF; cells guarded
//! against formula injection and against being changed. A phone number is its digits only, with an apostrophe in
//! front where a spreadsheet would drop its zero or round it.

use super::table::{Cell, Column, Sink, secs};
use super::{AtomicFile, ResultsError, write_error};
use paceline_core::spreadsheet::csv_cell;
use std::io::{BufWriter, Write};
use std::path::Path;

pub struct CsvFile {
    output: AtomicFile,
    writer: csv::Writer<BufWriter<std::fs::File>>,
}

impl CsvFile {
    pub(super) fn create(path: &Path, columns: &[Column]) -> Result<CsvFile, ResultsError> {
        let output = AtomicFile::create(path)?;
        let mut file = BufWriter::with_capacity(1 << 16, output.file.try_clone().map_err(write_error(path))?);
        file.write_all("\u{feff}".as_bytes()).map_err(write_error(path))?;
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(file);
        for column in columns {
            writer.write_field(csv_cell(&column.name).as_bytes()).map_err(|e| write_error(path)(e.into()))?;
        }
        writer.write_record(None::<&[u8]>).map_err(|e| write_error(path)(e.into()))?;
        Ok(CsvFile { output, writer })
    }

    pub(super) fn finish(self) -> Result<(), ResultsError> {
        let CsvFile { output, writer } = self;
        let file = writer.into_inner().map_err(|e| write_error(&output.path)(e.into_error()))?;
        file.into_inner().map_err(|e| write_error(&output.path)(e.into_error()))?;
        output.finish()
    }
}

impl Sink for CsvFile {
    fn row(&mut self, cells: &[Cell]) -> Result<(), ResultsError> {
        let CsvFile { output, writer } = self;
        let write_error = |e: csv::Error| write_error(&output.path)(e.into());
        for cell in cells {
            match cell {
                Cell::Empty => writer.write_field(b""),
                Cell::Text(text) => writer.write_field(csv_cell(text).as_bytes()),
                Cell::Moment { text, .. } => writer.write_field(text),
                Cell::Whole(number) => writer.write_field(number.to_string()),
                Cell::Secs(millis) => writer.write_field(secs(*millis)),
                Cell::Flag(flag) => writer.write_field(if *flag { "true" } else { "false" }),
            }
            .map_err(write_error)?;
        }
        writer.write_record(None::<&[u8]>).map_err(write_error)
    }
}
