//! Blacklists: the system-wide one and the campaign's files. A row that cannot be read is reported, since its
//! author believes that the number is blocked.

use super::ListError;
use super::clean::{clean_number, split_numbers};
use super::duplicates::NumberTable;
use super::header::{self, WantedColumns};
use super::report::{BlacklistReport, ROWS_NAMED};
use super::source::Source;
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::Reason;
use std::ops::ControlFlow;
use std::path::Path;

/// Adds the system-wide blacklist, whose numbers come from the store.
pub(crate) fn add_system(
    numbers: &mut dyn Iterator<Item = PhoneNumber>,
    list: usize,
    seen: &mut NumberTable,
) -> BlacklistReport {
    let mut report = BlacklistReport { name: "system".into(), ..BlacklistReport::default() };
    for number in numbers {
        seen.add_blocked(number, list);
        report.numbers += 1;
    }
    report
}

/// Adds one blacklist file: CSV, TXT or XLSX, with a header or without. An empty file is an empty blacklist.
pub(crate) fn add_file(
    path: &Path,
    region: &str,
    list: usize,
    seen: &mut NumberTable,
) -> Result<BlacklistReport, ListError> {
    let name =
        path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    let mut report = BlacklistReport { name, ..BlacklistReport::default() };
    let mut source = match Source::open(path) {
        Err(ListError::Empty { .. }) => return Ok(report),
        opened => opened?,
    };
    let layout = match header::find_layout(
        path,
        &source.sample()?,
        WantedColumns { region, ..WantedColumns::default() },
    ) {
        Err(ListError::Empty { .. }) => return Ok(report),
        found => found?,
    };
    source.for_each_row(layout.names.len(), &mut |record| {
        if layout.header_row.is_some_and(|header| record.row <= header) {
            return ControlFlow::Continue(());
        }
        let mut readable = false;
        let cells = layout.phones.iter().filter_map(|column| record.cells.get(*column));
        for part in cells.flat_map(|cell| split_numbers(cell)) {
            match clean_number(part, region) {
                Ok(number) => {
                    seen.add_blocked(number, list);
                    report.numbers += 1;
                    readable = true;
                }
                // A service number is never dialled anyway.
                Err(refusal) => readable |= refusal.reason == Reason::EmergencyNumber,
            }
        }
        if !readable {
            report.unreadable += 1;
            if report.unreadable_rows.len() < ROWS_NAMED {
                report.unreadable_rows.push(record.row);
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(report)
}
