//! Which parts of a list file are read: the whole text, or every sheet of a workbook that has a phone column. A
//! sheet that is not read is named with its reason, so that no part of a file is lost unseen.

use super::header::{self, Layout, WantedColumns};
use super::report::UnreadSheet;
use super::source::{Place, SAMPLE_ROWS, Source};
use super::{ListError, ListSpec};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

/// A part of the file that is read.
pub(crate) struct Table {
    pub place: Place,
    pub layout: Layout,
    /// For each column of this table, its place among the columns of the list.
    pub columns: Vec<usize>,
}

/// Every part that is read, and the sheets that are not.
pub(crate) struct Tables {
    pub read: Vec<Table>,
    pub unread: Vec<UnreadSheet>,
    /// The columns of the list: those of all tables, each name once.
    pub names: Vec<String>,
    /// The column that says which sheet a row is from, if several are read.
    pub sheet_column: Option<usize>,
}

impl WantedColumns<'_> {
    pub fn of(spec: &ListSpec) -> WantedColumns<'_> {
        WantedColumns {
            phones: &spec.phones,
            household: &spec.household,
            name: &spec.name,
            region: &spec.region,
            is_blacklist: false,
            building: &spec.building,
            floor_area: &spec.floor_area,
            is_complete: spec.columns_are_complete,
            header_row: spec.reading.header_row,
        }
    }
}

/// Finds the tables of a file. `sheets` = names of the sheets to read; empty = all that have a phone column.
pub(crate) fn find_tables(
    file: &Path,
    source: &mut Source,
    wanted: WantedColumns<'_>,
    sheets: &[String],
) -> Result<Tables, ListError> {
    let book = match source {
        Source::Text(text) => {
            if let [named, ..] = sheets {
                let sheets = format!("it is a text file and has no sheet '{named}'");
                return Err(ListError::NoSheet { file: file.into(), sheets });
            }
            let layout = header::find_layout(file, &text.sample(), wanted)?;
            let names = layout.names.clone();
            let columns = (0..names.len()).collect();
            let read = vec![Table { place: Place::default(), layout, columns }];
            return Ok(Tables { read, unread: Vec::new(), names, sheet_column: None });
        }
        Source::Book(book) => book,
    };
    let entries = book.sheets();
    for named in sheets {
        if !entries.iter().any(|entry| entry.name.trim() == named.trim()) {
            let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
            let sheets = format!("there is no sheet '{named}'; the sheets are: {}", names.join(", "));
            return Err(ListError::NoSheet { file: file.into(), sheets });
        }
    }
    let is_named = |name: &str| sheets.iter().any(|named| named.trim() == name.trim());
    let (mut found, mut unread, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let mut leave_out = |name: &str, reason: String| unread.push(UnreadSheet { name: name.into(), reason });
    let candidates = entries.iter().filter(|entry| match sheets {
        [] => entry.is_visible && entry.has_cells,
        _ => is_named(&entry.name),
    });
    let several = candidates.count() > 1;
    for entry in &entries {
        let reason = match () {
            () if !sheets.is_empty() && !is_named(&entry.name) => Some("not named under [list] sheet"),
            () if !entry.has_cells => Some("a chart or macro, not cells"),
            () if sheets.is_empty() && !entry.is_visible => {
                Some("hidden; to read it, name it under [list] sheet")
            }
            () => None,
        };
        if let Some(reason) = reason {
            leave_out(&entry.name, reason.into());
            continue;
        }
        let table = match book.form(&entry.name) {
            Err(what) => Err(ListError::Sheet {
                file: file.into(),
                row: 0,
                what: format!("sheet '{}': {what}", entry.name),
            }),
            Ok(form) => read_table(file, book, &entry.name, form, wanted, several),
        };
        match table {
            Ok(table) => found.push(table),
            Err(error) => {
                leave_out(&entry.name, reason_of(&error));
                refused.push(error);
            }
        }
    }
    // A sheet with phone words and no number (instructions) is read only if no sheet has numbers.
    if found.iter().any(|table| table.layout.is_certain) {
        let (certain, rest): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|table| table.layout.is_certain || is_named(&table.place.sheet));
        for table in rest {
            leave_out(&table.place.sheet, "no column holds a phone number".into());
        }
        found = certain;
    }
    if found.is_empty() || (!sheets.is_empty() && !refused.is_empty()) {
        return Err(match (refused.len(), unread.len()) {
            (1, 1) => refused.swap_remove(0),
            _ => {
                let reasons: Vec<String> =
                    unread.iter().map(|sheet| format!("'{}' ({})", sheet.name, sheet.reason)).collect();
                let sheets = match reasons.as_slice() {
                    [] => "it has no sheet".into(),
                    _ => format!("no sheet can be read: {}", reasons.join(", ")),
                };
                ListError::NoSheet { file: file.into(), sheets }
            }
        });
    }
    unread.sort_by_key(|sheet| entries.iter().position(|entry| entry.name == sheet.name));
    Ok(combine(found, unread))
}

fn read_table(
    file: &Path,
    book: &mut super::sheet::Workbook,
    sheet: &str,
    form: super::sheet_form::SheetForm,
    wanted: WantedColumns<'_>,
    several: bool,
) -> Result<Table, ListError> {
    let sample = book.sample(sheet, &form)?;
    let layout = header::find_layout(file, &sample, wanted)?;
    if layout.header_row.is_some_and(|header| sample.last().is_none_or(|row| row.row <= header)) {
        return Err(ListError::Empty { file: file.into(), what: "it has a header and no row below it" });
    }
    if several && sample.len() == SAMPLE_ROWS {
        // Read to the end before the first row is taken, so that a damaged sheet is left out as a whole.
        book.for_each_row(sheet, &form, &mut |_| ControlFlow::Continue(()))?;
    }
    Ok(Table { place: Place { sheet: sheet.into(), form }, layout, columns: Vec::new() })
}

fn reason_of(error: &ListError) -> String {
    match error {
        ListError::Sheet { what, .. } => format!("damaged: {what}"),
        ListError::NoPhoneColumn { found, .. } => format!("no column holds phone numbers (columns: {found})"),
        ListError::NoColumn { column, .. } => format!("no column '{column}'"),
        ListError::Empty { what, .. } if what.contains("header") => (*what).to_owned(),
        ListError::Empty { .. } => "empty".into(),
        other => other.to_string(),
    }
}

/// Gives the columns of all tables one order: those of the first table, then what others have beside them.
fn combine(mut read: Vec<Table>, unread: Vec<UnreadSheet>) -> Tables {
    let mut names: Vec<String> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for table in &mut read {
        table.columns = table
            .layout
            .names
            .iter()
            .map(|name| {
                *places.entry(name.clone()).or_insert_with(|| {
                    names.push(name.clone());
                    names.len() - 1
                })
            })
            .collect();
    }
    let sheet_column = (read.len() > 1).then(|| {
        let title = ["sheet", "sheet name", "sheet (of the workbook)"];
        let free = title.into_iter().find(|title| !places.contains_key(*title));
        names.push(free.unwrap_or("sheet of the row").into());
        names.len() - 1
    });
    Tables { read, unread, names, sheet_column }
}
