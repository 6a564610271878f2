//! Imports a list file in one pass and bounded batches: finds the columns, cleans the numbers, drops
//! duplicates and blacklist hits. Synchronous CPU work; the caller stores the rows.

use super::clean::{NumberRanges, Refusal, clean_number, split_numbers};
use super::duplicates::{NumberTable, Occurrence};
use super::header::{self, Layout, WantedColumns};
use super::households::Households;
use super::report::{ColumnReport, ListReport, ROWS_SHOWN};
use super::source::{Record, Source};
use super::{LeadRow, ListError, ListSpec, RefusedRow, blacklist};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::Reason;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Rows per batch.
pub const BATCH_ROWS: usize = 4_096;
/// Most numbers of one row.
const PHONES_MAX: usize = 20;
/// Longest cell of a refused row that is kept whole, in bytes.
const CELL_BYTES_MAX: usize = 32 * 1024;

/// Leads and refused rows, each in the order of the list. The memory is reused for the next batch.
#[derive(Debug, Default)]
pub struct Batch {
    /// The list's columns, each name once.
    pub columns: Arc<[String]>,
    pub leads: Vec<LeadRow>,
    pub refused: Vec<RefusedRow>,
}

/// Why an import ended early: the list cannot be read, or the sink failed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError<E> {
    #[error(transparent)]
    List(#[from] ListError),
    #[error(transparent)]
    Sink(E),
}

/// Imports the whole list of a campaign. `system` holds the numbers of the system-wide blacklist; `sink`
/// receives every complete row exactly once. After an error the caller must discard the rows received so far.
pub fn import<E>(
    spec: &ListSpec,
    system: &mut dyn Iterator<Item = PhoneNumber>,
    sink: &mut dyn FnMut(&Batch) -> Result<(), E>,
) -> Result<ListReport, ImportError<E>> {
    let mut source = Source::open(&spec.file)?;
    let wanted = WantedColumns {
        phones: &spec.phones,
        household: &spec.household,
        name: &spec.name,
        region: &spec.region,
    };
    let layout = header::find_layout(&spec.file, &source.sample()?, wanted)?;
    let mut seen = NumberTable::default();
    let mut report = ListReport { header_row: layout.header_row, ..ListReport::default() };
    report.file = spec.file.display().to_string();
    report.blacklists.push(blacklist::add_system(system, 0, &mut seen));
    for path in &spec.blacklists {
        let list = report.blacklists.len();
        report.blacklists.push(blacklist::add_file(path, &spec.region, list, &mut seen)?);
    }
    let column = |(at, name): (usize, &String)| ColumnReport { name: name.clone(), role: layout.role(at) };
    report.columns = layout.names.iter().enumerate().map(column).collect();

    let mut state = ImportState::new(spec, &layout, matches!(source, Source::Text(_)), seen, report);
    let mut failed = None;
    source.for_each_row(layout.names.len(), &mut |record| {
        state.add_row(record);
        if state.is_full()
            && let Err(error) = state.flush(sink)
        {
            failed = Some(error);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    if let Some(error) = failed {
        return Err(ImportError::Sink(error));
    }
    state.flush(sink).map_err(ImportError::Sink)?;
    Ok(state.finish(&source)?)
}

/// The state of one import.
struct ImportState<'a> {
    spec: &'a ListSpec,
    layout: &'a Layout,
    is_text: bool,
    seen: NumberTable,
    ranges: NumberRanges,
    households: Households,
    report: ListReport,
    batch: Batch,
    /// Leads of `batch` in use; those behind are kept as memory for later rows.
    leads: usize,
    phones: Vec<(PhoneNumber, (usize, usize, usize))>,
}

impl<'a> ImportState<'a> {
    fn new(
        spec: &'a ListSpec,
        layout: &'a Layout,
        is_text: bool,
        seen: NumberTable,
        report: ListReport,
    ) -> Self {
        let batch = Batch { columns: layout.names.clone().into(), ..Batch::default() };
        let (ranges, households) = (NumberRanges::default(), Households::default());
        ImportState {
            spec,
            layout,
            is_text,
            seen,
            ranges,
            households,
            report,
            batch,
            leads: 0,
            phones: Vec::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.leads + self.batch.refused.len() >= BATCH_ROWS
    }

    fn flush<E>(&mut self, sink: &mut dyn FnMut(&Batch) -> Result<(), E>) -> Result<(), E> {
        self.batch.leads.truncate(self.leads);
        if self.leads > 0 || !self.batch.refused.is_empty() {
            sink(&self.batch)?;
        }
        self.leads = 0;
        self.batch.refused.clear();
        Ok(())
    }

    fn add_row(&mut self, record: Record<'_>) {
        if self.layout.header_row.is_some_and(|header| record.row <= header) {
            return;
        }
        self.report.rows_read += 1;
        if self.report.sample.len() < ROWS_SHOWN {
            self.report.sample.push(truncated(record.cells));
        }
        if let Some(defect) = record.defect {
            return self
                .refuse_row(record, Refusal { reason: Reason::InvalidNumber, hint: defect.hint().into() });
        }
        let width = self.layout.names.len();
        if record.cells.len() != width && self.is_text {
            if record.cells.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
                let hint = format!(
                    "the row has {} cells, the header {width}: a cell that holds the separator needs quotes",
                    record.cells.len()
                );
                return self.refuse_row(record, Refusal { reason: Reason::InvalidNumber, hint });
            }
            if record.cells.len() < width {
                self.report.warn("row with fewer cells than the header", record.row);
            }
        }
        match self.collect_numbers(record) {
            Some(refusal) => self.refuse_row(record, refusal),
            None => self.add_lead(record),
        }
    }

    /// Fills `phones`; returns the refusal if the row has no number that may be called.
    fn collect_numbers(&mut self, record: Record<'_>) -> Option<Refusal> {
        self.phones.clear();
        let mut first_refusal: Option<Refusal> = None;
        let mut dropped = 0;
        for column in &self.layout.phones {
            let Some(cell) = record.cells.get(*column) else { continue };
            for part in split_phones(cell) {
                let number = match clean_number(part, &self.spec.region) {
                    Ok(number) if self.phones.iter().any(|(known, _)| *known == number) => continue,
                    Ok(number) => number,
                    Err(refusal) => {
                        dropped += 1;
                        keep_refusal(&mut first_refusal, refusal);
                        continue;
                    }
                };
                if self.phones.len() == PHONES_MAX {
                    self.report.warn("row with more than 20 numbers: the rest is left out", record.row);
                    break;
                }
                match self.seen.find_or_add(number, record.row) {
                    Occurrence::New => {
                        let start = part.as_ptr() as usize - cell.as_ptr() as usize;
                        self.phones.push((number, (*column, start, start + part.len())));
                    }
                    Occurrence::Row(row) => {
                        dropped += 1;
                        let hint = format!("the same number stands in row {row}");
                        keep_refusal(&mut first_refusal, Refusal { reason: Reason::Duplicate, hint });
                    }
                    Occurrence::Blacklist(list) => {
                        dropped += 1;
                        let list = &mut self.report.blacklists[list];
                        list.hits += 1;
                        let hint = format!("on the blacklist {}", list.name);
                        keep_refusal(&mut first_refusal, Refusal { reason: Reason::Blacklisted, hint });
                    }
                }
            }
        }
        if self.phones.is_empty() {
            return Some(first_refusal.unwrap_or_else(|| Refusal {
                reason: Reason::InvalidNumber,
                hint: "no phone number in the row".into(),
            }));
        }
        if dropped > 0
            && let Some(refusal) = first_refusal
        {
            let what = format!("lead that lost one of its numbers: {}", refusal.reason);
            self.report.warn(&what, record.row);
        }
        None
    }

    fn add_lead(&mut self, record: Record<'_>) {
        if self.batch.leads.len() == self.leads {
            self.batch.leads.push(LeadRow::default());
        }
        let lead = &mut self.batch.leads[self.leads];
        self.leads += 1;
        lead.row = record.row;
        let name = self.layout.name.and_then(|at| record.cells.get(at)).map_or("", |cell| cell.trim());
        fill_field(&mut lead.name, |text| text.push_str(name));
        let (households, columns) = (&mut self.households, &self.layout.household);
        fill_field(&mut lead.household, |text| households.write_name(columns, record.cells, text));
        lead.phones.clear();
        for (number, (column, start, end)) in &self.phones {
            if !self.ranges.is_in_use(*number) {
                self.report.warn("number in a range that the number plan does not use (yet)", record.row);
            }
            if number.as_u64() % 10_000_000 == 0 {
                self.report.warn("number that ends in seven zeros: did a spreadsheet round it?", record.row);
            }
            lead.phones.push((*number, record.cells[*column][*start..*end].to_string()));
        }
        let width = self.layout.names.len();
        lead.cells.resize_with(width, String::new);
        for (at, cell) in lead.cells.iter_mut().enumerate() {
            cell.clear();
            cell.push_str(record.cells.get(at).copied().unwrap_or(""));
        }
        self.report.leads += 1;
        self.report.phones += self.phones.len() as u64;
    }

    fn refuse_row(&mut self, record: Record<'_>, refusal: Refusal) {
        self.report.refuse(refusal.reason);
        let Refusal { reason, hint } = refusal;
        self.batch.refused.push(RefusedRow { row: record.row, cells: truncated(record.cells), reason, hint });
    }

    fn finish(mut self, source: &Source) -> Result<ListReport, ListError> {
        if self.report.rows_read == 0 {
            let what = "the file has a header and no row below it";
            return Err(ListError::Empty { file: self.spec.file.clone(), what });
        }
        let report = &mut self.report;
        match source {
            Source::Text(text) => {
                report.encoding = text.encoding_name().into();
                report.separator = char::from(text.separator).into();
                for _ in 0..text.broken_characters.min(1) {
                    let what = format!(
                        "{} broken characters: was the file saved in another encoding?",
                        text.broken_characters
                    );
                    report.warn(&what, 0);
                }
            }
            Source::Sheet(sheet) => {
                report.encoding = "xlsx".into();
                report.sheet = sheet.sheet.clone();
            }
        }
        for list in &report.blacklists.clone() {
            for row in &list.unreadable_rows {
                report.warn(
                    &format!("row of the blacklist {} without a number that can be read", list.name),
                    *row,
                );
            }
        }
        report.households = self.households.count();
        report.expected_dialable = report.leads;
        debug_assert!(report.reconciles());
        Ok(self.report)
    }
}

/// Fills the field in the memory of an earlier row; empty text becomes `None`.
fn fill_field(field: &mut Option<String>, write: impl FnOnce(&mut String)) {
    let mut text = field.take().unwrap_or_default();
    text.clear();
    write(&mut text);
    *field = (!text.is_empty()).then_some(text);
}

/// Most cells hold one number and nothing else; only other cells are split at separators.
fn split_phones(cell: &str) -> impl Iterator<Item = &str> {
    let bare = cell.bytes().all(|b| b.is_ascii_digit()) && !cell.is_empty();
    let (whole, rest) = if bare { (Some(cell), "") } else { (None, cell) };
    whole.into_iter().chain(split_numbers(rest))
}

/// Keeps the first refusal of a row, except that a blacklist hit replaces any other.
fn keep_refusal(first: &mut Option<Refusal>, refusal: Refusal) {
    let replace = match first {
        None => true,
        Some(known) => refusal.reason == Reason::Blacklisted && known.reason != Reason::Blacklisted,
    };
    if replace {
        *first = Some(refusal);
    }
}

fn truncated(cells: &[&str]) -> Vec<String> {
    let short = |cell: &&str| match cell.len() > CELL_BYTES_MAX {
        true => cell.chars().take(CELL_BYTES_MAX / 4).collect(),
        false => cell.to_string(),
    };
    cells.iter().map(short).collect()
}
