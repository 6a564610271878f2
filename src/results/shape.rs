//! What an export writes of a table: the columns that were asked for, and texts with their numbers masked for those who
//! may not read numbers. The tables themselves are those of every other results file.

use super::ResultsError;
use super::table::{Cell, Column, Kind, Sink};
use crate::text::masked_text;

/// Text columns in which no telephone number of a person can stand.
const PLAIN: &[&str] = &[
    "action",
    "actor_kind",
    "agent",
    "call_id",
    "caller_id",
    "campaign",
    "chain",
    "day",
    "disposition",
    "dispositions",
    "ended_by",
    "last_outcome",
    "mode",
    "outcome",
    "result",
    "scope",
    "state",
    "subject_kind",
    "trunk",
];

/// The columns of one table that are written.
#[derive(Clone, Debug)]
pub struct Shape {
    columns: Vec<Column>,
    /// Places of these columns in the whole table.
    places: Vec<usize>,
    /// Whether the texts of each are masked.
    masked: Vec<bool>,
}

impl Shape {
    /// `wanted`: names of columns, empty = all. The order stays the table's. `is_masked`: no whole number is written.
    pub fn of(all: &[Column], wanted: &[String], is_masked: bool) -> Shape {
        let chosen: Vec<(usize, &Column)> = all
            .iter()
            .enumerate()
            .filter(|(_, column)| wanted.is_empty() || wanted.contains(&column.name))
            .collect();
        let hides = |column: &Column| {
            is_masked && column.kind == Kind::Text && !PLAIN.contains(&column.name.as_str())
        };
        Shape {
            masked: chosen.iter().map(|(_, column)| hides(column)).collect(),
            places: chosen.iter().map(|(place, _)| *place).collect(),
            columns: chosen
                .into_iter()
                .map(|(_, column)| {
                    // The title of a list's own column is a text of the list.
                    let name = if is_masked { masked_text(&column.name) } else { column.name.clone() };
                    Column { name, kind: column.kind }
                })
                .collect(),
        }
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }
}

/// Writes the rows of a table in a [`Shape`].
pub struct ShapedSink<'a> {
    sink: &'a mut dyn Sink,
    shape: &'a Shape,
    /// The cell that every row begins with.
    front: Option<Cell>,
    row: Vec<Cell>,
    rows: u64,
}

impl<'a> ShapedSink<'a> {
    pub fn new(sink: &'a mut dyn Sink, shape: &'a Shape) -> ShapedSink<'a> {
        ShapedSink { sink, shape, front: None, row: Vec::new(), rows: 0 }
    }

    /// Rows from now on begin with this text: the first column.
    pub fn set_front(&mut self, text: &str) {
        self.front = Some(Cell::text(Some(text.to_owned())));
    }

    /// Rows that were written.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

impl Sink for ShapedSink<'_> {
    fn row(&mut self, cells: &[Cell]) -> Result<(), ResultsError> {
        self.row.clear();
        for (place, is_masked) in self.shape.places.iter().zip(&self.shape.masked) {
            let cell = match (&self.front, *place) {
                (Some(front), 0) => Some(front),
                (Some(_), place) => cells.get(place - 1),
                (None, place) => cells.get(place),
            };
            self.row.push(match cell {
                Some(Cell::Text(text)) if *is_masked => Cell::Text(masked_text(text)),
                Some(cell) => cell.clone(),
                None => Cell::Empty,
            });
        }
        self.rows += 1;
        self.sink.row(&self.row)
    }
}
