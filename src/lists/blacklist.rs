//! Blacklists: the system-wide one and the campaign's files, with numbers, prefixes and ranges. A row that is not
//! understood stops the list, since its author believes that the number is blocked; a campaign may ask to skip
//! such rows, and then they are reported.

use super::clean::{clean_pattern, split_numbers};
use super::duplicates::NumberTable;
use super::header::{CodeColumn, WantedColumns};
use super::report::{BlacklistReport, ROWS_NAMED, UnreadSheet};
use super::source::Source;
use super::tables::find_tables;
use super::{ListError, Reading, join_code};
use paceline_core::number_pattern::NumberPattern;
use paceline_core::outcome::Reason;
use std::ops::ControlFlow;
use std::path::Path;

/// Adds the system-wide blacklist, whose entries come from the store.
pub(crate) fn add_system(
    entries: &mut dyn Iterator<Item = NumberPattern>,
    list: usize,
    seen: &mut NumberTable,
) -> BlacklistReport {
    let mut report = BlacklistReport { name: "system".into(), ..BlacklistReport::default() };
    for entry in entries {
        add_entry(entry, list, seen, &mut report);
    }
    report
}

fn add_entry(entry: NumberPattern, list: usize, seen: &mut NumberTable, report: &mut BlacklistReport) {
    seen.add_blocked(entry, list);
    match entry.is_prefix() {
        true => report.prefixes += 1,
        false => report.numbers += 1,
    }
}

/// A row of a blacklist file.
pub(crate) struct BlacklistRow<'a> {
    pub row: u64,
    /// Empty in a file without sheets.
    pub sheet: &'a str,
    /// What was understood.
    pub entries: Vec<NumberPattern>,
    /// Why something in the row was not understood.
    pub hint: Option<String>,
    /// Why something that was understood blocks nothing: a service number, which is never dialled anyway.
    pub without_use: Option<String>,
}

/// Reads a blacklist file: CSV, TXT or XLSX, with a header or without, and gives each row to `receive`. An empty file is
/// an empty blacklist. Returns the sheets that are not read.
pub(crate) fn read_file(
    path: &Path,
    region: &str,
    reading: &Reading,
    receive: &mut dyn FnMut(BlacklistRow<'_>) -> ControlFlow<()>,
) -> Result<Vec<UnreadSheet>, ListError> {
    let mut source = match Source::open(path, reading) {
        Err(ListError::Empty { .. }) => return Ok(Vec::new()),
        opened => opened?,
    };
    let wanted = WantedColumns { region, is_blacklist: true, ..WantedColumns::default() };
    let tables = match find_tables(path, &mut source, wanted, &[]) {
        Err(ListError::Empty { .. }) => return Ok(Vec::new()),
        found => found?,
    };
    for table in &tables.read {
        let layout = &table.layout;
        source.for_each_row(&table.place, layout.names.len(), &mut |record| {
            if layout.header_row.is_some_and(|header| record.row <= header) {
                return ControlFlow::Continue(());
            }
            let code = layout.code.and_then(|code| {
                let (CodeColumn::Country(at) | CodeColumn::Area(at)) = code;
                Some((code, *record.cells.get(at)?))
            });
            let (mut parts, mut hint) = (0, record.defect.map(|defect| defect.hint().to_owned()));
            let (mut entries, mut without_use) = (Vec::new(), None);
            let cells = layout.phones.iter().filter_map(|column| record.cells.get(*column));
            for part in cells.flat_map(|cell| split_numbers(cell)) {
                parts += 1;
                let (joined, region) = join_code(part, code, region);
                let named = |why: &str| format!("'{}': {why}", part.escape_debug());
                match clean_pattern(&joined, &region) {
                    Ok(found) if found.is_empty() => {
                        without_use.get_or_insert_with(|| named("no number that may be dialled begins so"));
                    }
                    Ok(found) => entries.extend(found),
                    Err(refusal) if refusal.reason == Reason::EmergencyNumber => {
                        without_use.get_or_insert_with(|| named(&refusal.hint));
                    }
                    Err(refusal) => {
                        hint.get_or_insert_with(|| named(&refusal.hint));
                    }
                }
            }
            if parts == 0 {
                hint.get_or_insert_with(|| "no number in the row".into());
            }
            let sheet = &table.place.sheet;
            receive(BlacklistRow { row: record.row, sheet, entries, hint, without_use })
        })?;
    }
    Ok(tables.unread)
}

/// Adds one blacklist file. `skip_rows`: a row that is not understood is reported; else it is an error. A row with a
/// service number is neither: it blocks what is not dialled in any case.
pub(crate) fn add_file(
    path: &Path,
    region: &str,
    skip_rows: bool,
    list: usize,
    seen: &mut NumberTable,
) -> Result<BlacklistReport, ListError> {
    let name =
        path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    let mut report = BlacklistReport { name, ..BlacklistReport::default() };
    let unread = read_file(path, region, &Reading::default(), &mut |row| {
        for entry in row.entries {
            add_entry(entry, list, seen, &mut report);
        }
        if let Some(hint) = row.hint {
            report.unreadable += 1;
            if report.unreadable_rows.len() < ROWS_NAMED {
                let place = match row.sheet {
                    "" => format!("row {}", row.row),
                    sheet => format!("sheet '{sheet}', row {}", row.row),
                };
                report.unreadable_rows.push(row.row);
                report.unreadable_hints.push(format!("{place}: {hint}"));
            }
        }
        ControlFlow::Continue(())
    })?;
    report.unread_sheets = unread;
    if report.unreadable > 0 && !skip_rows {
        return Err(ListError::Blacklist {
            file: path.into(),
            count: report.unreadable,
            rows: report.unreadable_hints.join("; "),
        });
    }
    Ok(report)
}
