//! Parquet writer, the only use of polars outside `lists`. Rows are written in row groups, so that memory
//! does not grow with the table.

use super::table::{Cell, Column, Kind, Sink};
use super::{AtomicFile, ResultsError, write_error};
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    DataFrame, DataType, Field, NamedFrom, ParquetReader, ParquetWriter, PolarsError, Schema, SerReader,
    Series,
};
use std::fs::File;
use std::io;
use std::path::Path;

/// Rows per row group.
const GROUP: usize = 50_000;

pub struct ParquetFile {
    output: AtomicFile,
    writer: BatchedWriter<File>,
    columns: Vec<ColumnBuffer>,
    rows: usize,
}

/// Buffered values of one column of the current row group.
enum ColumnBuffer {
    Text(String, Vec<Option<String>>),
    Whole(String, Vec<Option<i64>>),
    Secs(String, Vec<Option<f64>>),
    Flag(String, Vec<Option<bool>>),
}

impl ParquetFile {
    pub(super) fn create(path: &Path, columns: &[Column]) -> Result<ParquetFile, ResultsError> {
        let output = AtomicFile::create(path)?;
        let fields = columns.iter().map(|column| {
            let kind = match column.kind {
                Kind::Text => DataType::String,
                Kind::Whole => DataType::Int64,
                Kind::Secs => DataType::Float64,
                Kind::Flag => DataType::Boolean,
            };
            Field::new(column.name.as_str().into(), kind)
        });
        let schema: Schema = fields.collect();
        let file = output.file.try_clone().map_err(write_error(path))?;
        let writer = ParquetWriter::new(file).batched(&schema).map_err(|e| of_polars(path, e))?;
        let columns = columns.iter().map(ColumnBuffer::new).collect();
        Ok(ParquetFile { output, writer, columns, rows: 0 })
    }

    fn flush(&mut self) -> Result<(), ResultsError> {
        let rows = std::mem::take(&mut self.rows);
        let columns = self.columns.iter_mut().map(|column| column.take().into()).collect();
        let written = DataFrame::new(rows, columns).and_then(|frame| self.writer.write_batch(&frame));
        written.map_err(|e| of_polars(&self.output.path, e))
    }

    pub(super) fn finish(mut self) -> Result<(), ResultsError> {
        if self.rows > 0 {
            self.flush()?;
        }
        self.writer.finish().map_err(|e| of_polars(&self.output.path, e))?;
        self.output.finish()
    }
}

/// Rows of a file, by its footer.
pub(super) fn rows(path: &Path) -> io::Result<u64> {
    let mut reader = ParquetReader::new(File::open(path)?);
    reader.num_rows().map(|rows| rows as u64).map_err(io::Error::other)
}

fn of_polars(path: &Path, error: PolarsError) -> ResultsError {
    write_error(path)(io::Error::other(error))
}

impl ColumnBuffer {
    fn new(column: &Column) -> ColumnBuffer {
        let name = column.name.clone();
        match column.kind {
            Kind::Text => ColumnBuffer::Text(name, Vec::new()),
            Kind::Whole => ColumnBuffer::Whole(name, Vec::new()),
            Kind::Secs => ColumnBuffer::Secs(name, Vec::new()),
            Kind::Flag => ColumnBuffer::Flag(name, Vec::new()),
        }
    }

    /// A cell of another kind than its column becomes null.
    fn push(&mut self, cell: &Cell) {
        match (self, cell) {
            (ColumnBuffer::Text(_, column), Cell::Text(text) | Cell::Moment { text, .. }) => {
                column.push(Some(text.clone()));
            }
            (ColumnBuffer::Text(_, column), _) => column.push(None),
            (ColumnBuffer::Whole(_, column), Cell::Whole(number)) => column.push(Some(*number)),
            (ColumnBuffer::Whole(_, column), _) => column.push(None),
            (ColumnBuffer::Secs(_, column), Cell::Secs(millis)) => column.push(Some(*millis as f64 / 1000.0)),
            (ColumnBuffer::Secs(_, column), _) => column.push(None),
            (ColumnBuffer::Flag(_, column), Cell::Flag(flag)) => column.push(Some(*flag)),
            (ColumnBuffer::Flag(_, column), _) => column.push(None),
        }
    }

    fn take(&mut self) -> Series {
        match self {
            ColumnBuffer::Text(name, column) => Series::new(name.as_str().into(), std::mem::take(column)),
            ColumnBuffer::Whole(name, column) => Series::new(name.as_str().into(), std::mem::take(column)),
            ColumnBuffer::Secs(name, column) => Series::new(name.as_str().into(), std::mem::take(column)),
            ColumnBuffer::Flag(name, column) => Series::new(name.as_str().into(), std::mem::take(column)),
        }
    }
}

impl Sink for ParquetFile {
    fn row(&mut self, cells: &[Cell]) -> Result<(), ResultsError> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(cell);
        }
        self.rows += 1;
        if self.rows == GROUP { self.flush() } else { Ok(()) }
    }
}
