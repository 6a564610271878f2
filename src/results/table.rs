//! Tables independent of the file format: typed columns, cells, and the [`Sink`] each format implements.

use super::ResultsError;
use super::local_time::LocalTime;
use paceline_core::number::ShownNumber;

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Whole,
    /// Seconds with three decimals.
    Secs,
    Flag,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// One cell. `Text` is untrusted; each format guards against formula injection in its own way.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Empty,
    Text(String),
    /// A moment in the campaign's zone: ISO 8601 with milliseconds and offset, and the day number of spreadsheets
    /// (days since 30 December 1899 on the local clock).
    Moment {
        text: String,
        day: f64,
    },
    Whole(i64),
    /// Milliseconds.
    Secs(i64),
    Flag(bool),
}

/// 1 January 1970 as a spreadsheet counts days.
const DAY_OF_1970: f64 = 25_569.0;

impl Cell {
    pub(super) fn text(text: Option<String>) -> Cell {
        text.filter(|text| !text.is_empty()).map_or(Cell::Empty, Cell::Text)
    }

    pub(super) fn whole(number: Option<i64>) -> Cell {
        number.map_or(Cell::Empty, Cell::Whole)
    }

    /// The span between two timestamps in milliseconds; empty if one is missing, never negative.
    pub(super) fn span(from: Option<i64>, to: Option<i64>) -> Cell {
        match (from, to) {
            (Some(from), Some(to)) => Cell::Secs((to - from).max(0)),
            _ => Cell::Empty,
        }
    }

    /// ISO 8601 with milliseconds and offset.
    pub(super) fn moment(millis: Option<i64>, clock: &mut LocalTime) -> Cell {
        let written = millis.and_then(|millis| clock.write(millis));
        written.map_or(Cell::Empty, |(text, local)| Cell::Moment {
            text,
            day: local as f64 / 86_400_000.0 + DAY_OF_1970,
        })
    }

    /// The number in national format.
    pub(super) fn phone(number: Option<i64>) -> Cell {
        let number = number.and_then(|number| ShownNumber::from_e164(number as u64));
        Cell::text(number.map(ShownNumber::national))
    }
}

/// `12345` as `12.345`.
pub(super) fn secs(millis: i64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

/// Receives the rows of a table. Each format has its own `finish`.
pub trait Sink: Send {
    fn row(&mut self, cells: &[Cell]) -> Result<(), ResultsError>;
}

/// Takes the rows of a table of which only the sums are wanted.
pub(super) struct NoFile;

impl Sink for NoFile {
    fn row(&mut self, _: &[Cell]) -> Result<(), ResultsError> {
        Ok(())
    }
}

pub(super) fn columns(columns: &[(&str, Kind)]) -> Vec<Column> {
    columns.iter().map(|(name, kind)| Column { name: (*name).to_string(), kind: *kind }).collect()
}
