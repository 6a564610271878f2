//! Parses a piece of regular CSV rows into columns of text with polars. The only file of `lists` that uses
//! polars.

use polars::prelude::{
    Column, CsvParseOptions, CsvReadOptions, DataFrame, DataType, Field, PlSmallStr, PolarsDataType, Schema,
    SerReader, StringType,
};
use std::cell::RefCell;
use std::io::Cursor;
use std::sync::Arc;

/// A piece of the list, every cell text.
pub(crate) struct Frame(DataFrame);

/// One column of a frame.
pub(crate) struct Cells<'a>(&'a <StringType as PolarsDataType>::Array);

impl Frame {
    /// `None` when polars does not see exactly `rows` rows of `width` cells: the caller then cuts the
    /// rows one by one, so that no row is ever shifted.
    pub fn read(text: &[u8], separator: u8, width: usize, rows: usize) -> Option<Frame> {
        let parse = CsvParseOptions::default().with_separator(separator).with_missing_is_null(false);
        let options = CsvReadOptions::default()
            .with_has_header(false)
            .with_schema(Some(schema(width)))
            .with_raise_if_empty(false)
            // A piece is too small for several threads to pay.
            .with_n_threads(Some(1))
            .with_rechunk(true)
            .with_parse_options(parse);
        let mut frame = options.into_reader_with_file_handle(Cursor::new(text)).finish().ok()?;
        frame.rechunk_mut();
        let all_text = frame.columns().iter().all(|column| column.dtype() == &DataType::String);
        (frame.height() == rows && frame.width() == width && all_text).then_some(Frame(frame))
    }

    pub fn columns(&self) -> Vec<Cells<'_>> {
        fn text(column: &Column) -> Option<Cells<'_>> {
            column.as_materialized_series().str().ok().map(|column| Cells(column.downcast_as_array()))
        }
        self.0.columns().iter().filter_map(text).collect()
    }
}

impl Cells<'_> {
    /// The cell in this row of the frame; an empty cell is empty text.
    pub fn cell(&self, row: usize) -> &str {
        self.0.get(row).unwrap_or("")
    }
}

/// The schema of `width` text columns, cached: every piece of a list needs the same one.
fn schema(width: usize) -> Arc<Schema> {
    thread_local!(static LAST: RefCell<Option<Arc<Schema>>> = const { RefCell::new(None) });
    LAST.with_borrow_mut(|last| match last {
        Some(schema) if schema.len() == width => schema.clone(),
        _ => {
            let field = |at: usize| Field::new(PlSmallStr::from_string(format!("c{at}")), DataType::String);
            let schema = Arc::new((0..width).map(field).collect::<Schema>());
            *last = Some(schema.clone());
            schema
        }
    })
}
