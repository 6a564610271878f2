//! The fix file: every refused row as given, with its row number, the reason and what to do. Cells are
//! escaped for spreadsheets, and read back as they were.

use super::import::Batch;
use crate::private_file;
use paceline_core::spreadsheet::csv_cell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes `fix.csv` row by row under a temporary name; renamed when complete.
pub struct FixFile {
    path: PathBuf,
    part: PathBuf,
    out: csv::Writer<BufWriter<File>>,
    header: bool,
}

impl FixFile {
    pub fn create(path: &Path) -> io::Result<Self> {
        let part = path.with_extension("csv.part");
        let mut file = BufWriter::new(private_file::create(&part)?);
        file.write_all("\u{FEFF}".as_bytes())?;
        let out =
            csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(file);
        Ok(FixFile { path: path.into(), part, out, header: false })
    }

    /// Appends the refused rows of one batch.
    pub fn write(&mut self, batch: &Batch) -> io::Result<()> {
        if !self.header {
            self.header = true;
            self.row("row", "reason", "hint", &batch.columns)?;
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

    /// Syncs the file and renames it; replaces the file of an earlier check.
    pub fn finish(self) -> io::Result<()> {
        let file = self.out.into_inner().map_err(|e| e.into_error())?;
        file.into_inner().map_err(|e| e.into_error())?.sync_all()?;
        std::fs::rename(&self.part, &self.path)
    }
}
