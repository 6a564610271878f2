//! The leads table: one row per list row, refused rows included, in list order, followed by the list's own
//! columns.

use super::local_time::LocalTime;
use super::summary::Tally;
use super::table::{self, Cell, Column, Kind, Sink};
use super::{Reader, ResultsError};
use crate::store::result_rows::ListRow;
use crate::store::{ImportId, ImportRecord};

/// Rows per query.
const PAGE: u32 = 2_000;

/// The columns; names and order are a published contract. The list's own columns follow as `list.HEADER`.
pub const COLUMNS: [(&str, Kind); 14] = [
    ("lead_id", Kind::Whole),
    ("row", Kind::Whole),
    ("household", Kind::Text),
    ("phone", Kind::Text),
    ("phone_given", Kind::Text),
    ("name", Kind::Text),
    ("state", Kind::Text),
    ("reason", Kind::Text),
    ("attempts", Kind::Whole),
    ("last_outcome", Kind::Text),
    ("last_at", Kind::Text),
    ("next_at", Kind::Text),
    ("result", Kind::Text),
    ("disposition", Kind::Text),
];

/// The lists of a campaign, and the file columns of each list's cells.
pub(super) struct Layout {
    headers: Vec<String>,
    imports: Vec<(ImportId, Vec<usize>)>,
}

impl Layout {
    /// Lists with equal headers share columns.
    pub(super) fn of(imports: &[ImportRecord]) -> Layout {
        let mut layout = Layout { headers: Vec::new(), imports: Vec::new() };
        for import in imports {
            let mut taken = Vec::new();
            for (at, header) in import.header.iter().enumerate() {
                let title = match header.trim() {
                    "" => format!("list.column{}", at + 1),
                    header => format!("list.{header}"),
                };
                taken.push(layout.place(&title, &taken));
            }
            layout.imports.push((import.id, taken));
        }
        layout
    }

    /// The column with this title; adds one if there is none, or an earlier column of the same list took it.
    fn place(&mut self, title: &str, taken: &[usize]) -> usize {
        let mut name = title.to_string();
        for n in 2.. {
            match self.headers.iter().position(|known| *known == name) {
                Some(at) if !taken.contains(&at) => return at,
                Some(_) => name = format!("{title}.{n}"),
                None => break,
            }
        }
        self.headers.push(name);
        self.headers.len() - 1
    }

    /// The list at this place and the places of its columns.
    pub(super) fn list(&self, at: usize) -> Option<(ImportId, &[usize])> {
        self.imports.get(at).map(|(import, places)| (*import, places.as_slice()))
    }

    /// How many columns of the lists' own there are.
    pub(super) fn own_columns(&self) -> usize {
        self.headers.len()
    }

    pub(super) fn columns(&self) -> Vec<Column> {
        let own = self.headers.iter().map(|name| Column { name: name.clone(), kind: Kind::Text });
        table::columns(&COLUMNS).into_iter().chain(own).collect()
    }
}

pub(super) async fn fill(
    reader: &mut Reader,
    layout: &Layout,
    clock: &mut LocalTime,
    sink: &mut dyn Sink,
    tally: &mut Tally,
) -> Result<(), ResultsError> {
    for (import, places) in &layout.imports {
        let mut after = i64::MIN;
        loop {
            let (before, mut rows) = (after, 0);
            reader
                .each_list_row(*import, after, PAGE, |row| {
                    (after, rows) = (row.list_row, rows + 1);
                    tally.list_row(&row);
                    sink.row(&cells(row, layout.headers.len(), places, clock))
                })
                .await?;
            if rows == 0 || after == before {
                break;
            }
        }
    }
    Ok(())
}

pub(super) fn cells(row: ListRow, own: usize, places: &[usize], clock: &mut LocalTime) -> Vec<Cell> {
    let waits = matches!(row.state.as_str(), "open" | "follow_up") && row.next_at > 0;
    let mut cells = vec![
        Cell::whole(row.lead_id),
        Cell::Whole(row.list_row),
        Cell::text(row.household),
        Cell::phone(row.number),
        Cell::text(row.given),
        Cell::text(row.name),
        Cell::text(Some(row.state)),
        Cell::text(row.reason),
        Cell::Whole(row.attempts),
        Cell::text(row.last_outcome),
        Cell::moment(row.last_at, clock),
        Cell::moment(waits.then_some(row.next_at), clock),
        Cell::text(row.result),
        Cell::text(row.disposition),
    ];
    cells.resize(COLUMNS.len() + own, Cell::Empty);
    let given: Vec<String> = serde_json::from_str(&row.cells).unwrap_or_default();
    for (place, text) in places.iter().zip(given) {
        cells[COLUMNS.len() + place] = Cell::text(Some(text));
    }
    cells
}
