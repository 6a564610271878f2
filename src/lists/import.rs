//! Imports a list file in one pass and bounded batches: finds the columns, cleans the numbers, drops
//! duplicates and blacklist hits. Synchronous CPU work; the caller stores the rows.

use super::clean::{NumberRanges, Refusal, clean_number, split_numbers};
use super::duplicates::{NumberTable, Occurrence};
use super::floor_area::clean_area;
use super::header::{Basis, CodeColumn, Role, WantedColumns};
use super::households::Households;
use super::number_type::is_fax;
use super::report::{ColumnReport, ListReport, ROWS_SHOWN, SheetReport};
use super::source::{Record, Source};
use super::tables::{Table, Tables, find_tables};
use super::{FurtherFlat, LeadRow, ListError, ListSpec, RefusedRow, blacklist, join_code};
use paceline_core::number::PhoneNumber;
use paceline_core::number_pattern::NumberPattern;
use paceline_core::outcome::Reason;
use paceline_core::spreadsheet::csv_text;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Rows per batch.
pub const BATCH_ROWS: usize = 4_096;
/// Most numbers of one row.
const PHONES_MAX: usize = 20;
/// Longest cell of a refused row that is kept whole, in bytes.
const CELL_BYTES_MAX: usize = 32 * 1024;

/// Leads and refused rows, each in the order of the list. The memory is reused for the next batch.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The sheet of these rows; empty for text, and when one sheet is read.
    pub sheet: Arc<str>,
    /// No other sheet follows.
    pub is_last_sheet: bool,
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

/// Imports the whole list of a campaign. `system` holds the system-wide blacklist; `sink` receives every complete
/// row exactly once. After an error the caller must discard the rows received so far.
pub fn import<E>(
    spec: &ListSpec,
    system: &mut dyn Iterator<Item = NumberPattern>,
    sink: &mut dyn FnMut(&Batch) -> Result<(), E>,
) -> Result<ListReport, ImportError<E>> {
    let mut source = Source::open(&spec.file, &spec.reading)?;
    let tables = find_tables(&spec.file, &mut source, WantedColumns::of(spec), &spec.sheets)?;
    let mut seen = NumberTable::default();
    let mut report = ListReport { header_row: tables.read[0].layout.header_row, ..ListReport::default() };
    report.file = spec.file.display().to_string();
    report.blacklists.push(blacklist::add_system(system, 0, &mut seen));
    for path in &spec.blacklists {
        let list = report.blacklists.len();
        let added = blacklist::add_file(path, &spec.region, spec.skip_blacklist_rows, list, &mut seen)?;
        report.blacklists.push(added);
    }
    let column = |(at, name): (usize, &String)| {
        let is_named = |wish: &String| wish == name;
        let named = [&spec.name, &spec.building, &spec.floor_area].into_iter().chain(&spec.household);
        let (basis, numbers_pct) = tables.basis(at, named.into_iter().any(is_named));
        ColumnReport { name: name.clone(), role: tables.role(at), basis, numbers_pct }
    };
    report.columns = tables.names.iter().enumerate().map(column).collect();
    report.unread_sheets = tables.unread.clone();

    let mut state = ImportState::new(spec, &tables, matches!(source, Source::Text(_)), seen, report);
    for at in 0..tables.read.len() {
        state.begin_table(at);
        let mut failed = None;
        let table = &tables.read[at];
        let hidden = source.for_each_row(&table.place, table.layout.names.len(), &mut |record| {
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
        state.end_table(hidden);
    }
    Ok(state.finish(&source)?)
}

impl Tables {
    /// The role of a column of the list: what it is in the first table where it has one.
    fn role(&self, column: usize) -> Role {
        let roles = self.read.iter().filter_map(|table| {
            let own = table.columns.iter().position(|at| *at == column)?;
            Some(table.layout.role(own)).filter(|role| *role != Role::Other)
        });
        roles.into_iter().next().unwrap_or(Role::Other)
    }

    /// Why a column has its role, and how many of its sampled values are numbers, in percent.
    fn basis(&self, column: usize, is_named: bool) -> (Basis, u8) {
        let found = self.read.iter().find_map(|table| {
            let own = table.columns.iter().position(|at| *at == column)?;
            let has_role = table.layout.role(own) != Role::Other;
            has_role.then(|| (table.layout.basis(own, is_named), table.layout.clues[own].1))
        });
        found.unwrap_or_else(|| {
            let first = &self.read[0];
            let own = first.columns.iter().position(|at| *at == column);
            (Basis::None, own.and_then(|own| first.layout.clues.get(own)).map_or(0, |clue| clue.1))
        })
    }
}

/// A number of the row, with its column and its place in the cell.
type FoundNumber = (PhoneNumber, (usize, usize, usize));

/// The state of one import.
struct ImportState<'a> {
    spec: &'a ListSpec,
    tables: &'a Tables,
    table: &'a Table,
    is_text: bool,
    seen: NumberTable,
    ranges: NumberRanges,
    households: Households,
    report: ListReport,
    batch: Batch,
    /// Leads of `batch` in use; those behind are kept as memory for later rows.
    leads: usize,
    phones: Vec<FoundNumber>,
    /// The first number of the row that stands in an earlier row.
    repeated: Option<PhoneNumber>,
    /// Rows of the tables before, so that rows are counted through all tables: where each table begins.
    begins: Vec<u64>,
    last_row: u64,
    /// The row of the table that was visited last, or its header.
    visited: u64,
    /// Rows and leads before the current table.
    before: (u64, u64, u64),
}

impl<'a> ImportState<'a> {
    fn new(
        spec: &'a ListSpec,
        tables: &'a Tables,
        is_text: bool,
        seen: NumberTable,
        report: ListReport,
    ) -> Self {
        let batch = Batch { columns: tables.names.clone().into(), ..Batch::default() };
        let (ranges, households) = (NumberRanges::default(), Households::default());
        ImportState {
            spec,
            tables,
            table: &tables.read[0],
            is_text,
            seen,
            ranges,
            households,
            report,
            batch,
            leads: 0,
            phones: Vec::new(),
            repeated: None,
            begins: Vec::new(),
            last_row: 0,
            before: (0, 0, 0),
            visited: 0,
        }
    }

    fn begin_table(&mut self, at: usize) {
        self.table = &self.tables.read[at];
        self.batch.is_last_sheet = at + 1 == self.tables.read.len();
        self.begins.push(self.last_row);
        self.before = (self.report.rows_read, self.report.leads, self.report.refused_rows);
        self.visited = self.table.layout.header_row.unwrap_or(0);
        if self.tables.read.len() > 1 {
            self.batch.sheet = self.table.place.sheet.as_str().into();
        }
        // Room numbers repeat in every building: a sheet named after its building is a part of the household.
        let sheet = &self.table.place.sheet;
        let is_part = self.tables.read.len() > 1 && !self.table.layout.has_building && !is_plain_name(sheet);
        self.households.set_building(if is_part { sheet } else { "" });
        for column in &self.table.layout.unused {
            let name = &self.table.layout.names[*column];
            let what = format!(
                "column '{name}' holds numbers that are not dialled: to dial them, name it under [list] phones"
            );
            self.report.warn(&what, &self.batch.sheet, 0);
        }
    }

    fn end_table(&mut self, hidden_rows: u64) {
        let place = &self.table.place;
        if self.is_text {
            return;
        }
        let merged_regions = place.form.merges.len() as u64;
        self.report.sheets.push(SheetReport {
            name: place.sheet.clone(),
            header_row: self.table.layout.header_row,
            rows_read: self.report.rows_read - self.before.0,
            leads: self.report.leads - self.before.1,
            refused_rows: self.report.refused_rows - self.before.2,
            hidden_rows,
            merged_regions,
        });
        if hidden_rows > 0 {
            // They are no records either.
            self.report.empty_rows = self.report.empty_rows.saturating_sub(hidden_rows);
            let what = format!("{hidden_rows} rows are hidden or filtered out and were left out");
            self.report.warn(&what, &place.sheet, 0);
        }
        if place.form.unsaved_formulas > 0 {
            let what = format!(
                "{} formulas without a saved value: open the workbook in a spreadsheet and save it again",
                place.form.unsaved_formulas
            );
            self.report.warn(&what, &place.sheet, 0);
        }
    }

    /// `row 5`, or `row 5 of sheet 'A'`, from a row that is counted through all tables.
    fn row_name(&self, running: u64) -> String {
        let table = self.begins.partition_point(|begin| *begin < running).max(1) - 1;
        let row = running - self.begins.get(table).copied().unwrap_or(0);
        match self.tables.read.len() {
            1 => format!("row {row}"),
            _ => format!("row {row} of sheet '{}'", self.tables.read[table].place.sheet),
        }
    }

    /// The cells of a row at their places among the columns of the list.
    fn place_cells(&self, cells: &[&str], out: &mut Vec<String>) {
        out.resize_with(self.tables.names.len(), String::new);
        out.iter_mut().for_each(String::clear);
        for (own, at) in self.table.columns.iter().enumerate() {
            out[*at].push_str(cells.get(own).copied().unwrap_or(""));
        }
        if let Some(at) = self.tables.sheet_column {
            out[at].push_str(&self.table.place.sheet);
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
        if self.table.layout.header_row.is_some_and(|header| record.row <= header) {
            return;
        }
        self.report.rows_read += 1;
        self.report.empty_rows += record.row.saturating_sub(self.visited + 1);
        self.visited = record.row;
        self.repeated = None;
        self.last_row = self.begins.last().copied().unwrap_or(0) + record.row;
        if self.report.sample.len() < ROWS_SHOWN {
            self.report.sample.push(truncated(record.cells));
        }
        if let Some(defect) = record.defect {
            return self
                .refuse_row(record, Refusal { reason: Reason::InvalidNumber, hint: defect.hint().into() });
        }
        let width = self.table.layout.names.len();
        if record.cells.len() != width && self.is_text {
            if record.cells.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
                let hint = format!(
                    "the row has {} cells, the header {width}: a cell that holds the separator needs quotes",
                    record.cells.len()
                );
                return self.refuse_row(record, Refusal { reason: Reason::InvalidNumber, hint });
            }
            if record.cells.len() < width {
                self.report.warn("row with fewer cells than the header", &self.batch.sheet, record.row);
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
        let table = self.table;
        let layout = &table.layout;
        let mut kept: Option<KeptRefusal> = None;
        let mut dropped = 0;
        let code = layout.code.and_then(|code| {
            let (CodeColumn::Country(at) | CodeColumn::Area(at)) = code;
            Some((code, *record.cells.get(at)?))
        });
        let column_name = |column: usize| match layout.phones.len() {
            1 => String::new(),
            _ => format!("{}: ", layout.names[column]),
        };
        for (column, kind) in layout.phones.iter().zip(&layout.types) {
            let Some(cell) = record.cells.get(*column) else { continue };
            let kind = kind.and_then(|at| Some((at, *record.cells.get(at)?)));
            for part in split_phones(cell) {
                let start = part.as_ptr() as usize - cell.as_ptr() as usize;
                if let Some((at, kind)) = kind
                    && is_fax(kind, cell, start)
                {
                    dropped += 1;
                    keep_refusal(&mut kept, fax_refusal(&layout.names[at], kind), part);
                    continue;
                }
                let (joined, region) = join_code(part, code, &self.spec.region);
                let number = match clean_number(&joined, &region) {
                    Ok(number) if self.phones.iter().any(|(known, _)| *known == number) => continue,
                    Ok(number) => number,
                    Err(Refusal { reason, hint }) => {
                        dropped += 1;
                        let hint = format!("{}{hint}", column_name(*column));
                        keep_refusal(&mut kept, Refusal { reason, hint }, part);
                        continue;
                    }
                };
                if self.phones.len() == PHONES_MAX {
                    let what = "row with more than 20 numbers: the rest is left out";
                    self.report.warn(what, &self.batch.sheet, record.row);
                    break;
                }
                match self.seen.find_or_add(number, self.last_row) {
                    Occurrence::New => {
                        self.phones.push((number, (*column, start, start + part.len())));
                    }
                    Occurrence::Row(row) => {
                        dropped += 1;
                        self.repeated = self.repeated.or(Some(number));
                        let hint = format!("the same number stands in {}", self.row_name(row));
                        keep_refusal(&mut kept, Refusal { reason: Reason::Duplicate, hint }, part);
                    }
                    Occurrence::Blacklist(list) => {
                        dropped += 1;
                        let list = &mut self.report.blacklists[list];
                        list.hits += 1;
                        let hint = format!("on the blacklist {}", list.name);
                        keep_refusal(&mut kept, Refusal { reason: Reason::Blacklisted, hint }, part);
                    }
                }
            }
        }
        let first_refusal = kept.map(|kept| kept.refusal);
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
            self.report.warn(&what, &self.batch.sheet, record.row);
        }
        None
    }

    fn add_lead(&mut self, record: Record<'_>) {
        if self.batch.leads.len() == self.leads {
            self.batch.leads.push(LeadRow::default());
        }
        let mut lead = std::mem::take(&mut self.batch.leads[self.leads]);
        lead.row = record.row;
        let layout = &self.table.layout;
        fill_field(&mut lead.name, |text| write_name(&layout.name, record.cells, text));
        let (households, columns) = (&mut self.households, &layout.household);
        fill_field(&mut lead.household, |text| households.write_name(columns, record.cells, text));
        fill_field(&mut lead.building, |text| {
            let cell = layout.building.and_then(|at| record.cells.get(at));
            text.push_str(cell.map_or("", |cell| csv_text(cell.trim())));
        });
        lead.area = self.floor_area(record);
        lead.phones.clear();
        for (number, (column, start, end)) in &self.phones {
            if !self.ranges.is_in_use(*number) {
                let what = "number in a range that the number plan does not use (yet)";
                self.report.warn(what, &self.batch.sheet, record.row);
            }
            if number.as_u64() % 10_000_000 == 0 {
                let what = "number that ends in seven zeros: did a spreadsheet round it?";
                self.report.warn(what, &self.batch.sheet, record.row);
            }
            lead.phones.push((*number, record.cells[*column][*start..*end].to_string()));
        }
        self.place_cells(record.cells, &mut lead.cells);
        self.batch.leads[self.leads] = lead;
        self.leads += 1;
        self.report.leads += 1;
        self.report.phones += self.phones.len() as u64;
    }

    fn floor_area(&mut self, record: Record<'_>) -> Option<u64> {
        let cell = self.table.layout.floor_area.and_then(|at| record.cells.get(at))?;
        let area = clean_area(cell);
        if area.is_none() && !cell.trim().is_empty() {
            self.report.warn("floor area that is no number of square metres", &self.batch.sheet, record.row);
        }
        area
    }

    /// The flat of a row that is refused because its number stands in an earlier row.
    fn further_flat(&mut self, record: Record<'_>, reason: Reason) -> Option<FurtherFlat> {
        let number = self.repeated.filter(|_| reason == Reason::Duplicate)?;
        let household = self.households.name_of(&self.table.layout.household, record.cells);
        if household.is_empty() {
            return None;
        }
        Some(FurtherFlat { row: record.row, number, household, area: self.floor_area(record) })
    }

    fn refuse_row(&mut self, record: Record<'_>, refusal: Refusal) {
        self.report.refuse(refusal.reason);
        let Refusal { reason, hint } = refusal;
        let mut cells = truncated(record.cells);
        if !self.is_text {
            let own: Vec<&str> = cells.iter().map(String::as_str).collect();
            let mut placed = Vec::new();
            self.place_cells(&own, &mut placed);
            cells = placed;
        }
        let flat = self.further_flat(record, reason);
        self.batch.refused.push(RefusedRow { row: record.row, cells, reason, hint, flat });
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
                    report.warn(&what, "", 0);
                }
            }
            Source::Book(_) => {
                report.encoding = "xlsx".into();
                if let [only] = report.sheets.as_slice() {
                    report.sheet = only.name.clone();
                }
            }
        }
        for list in &report.blacklists.clone() {
            for row in &list.unreadable_rows {
                let what =
                    format!("row of the blacklist {} that is not understood and blocks nothing", list.name);
                report.warn(&what, "", *row);
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

fn fax_refusal(column: &str, kind: &str) -> Refusal {
    let kind: String = kind.trim().chars().take(40).collect();
    let hint = format!("a fax: '{column}' says '{kind}'; where it is a telephone, correct that cell");
    Refusal { reason: Reason::InvalidNumber, hint }
}

/// The refusal that is shown for a row, with the digits of the text it speaks of.
struct KeptRefusal {
    refusal: Refusal,
    digits: usize,
}

/// Keeps the refusal of the text that was most probably meant as the number, that with the most digits; a
/// blacklist hit replaces any other.
fn keep_refusal(kept: &mut Option<KeptRefusal>, refusal: Refusal, text: &str) {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_blocked = |refusal: &Refusal| refusal.reason == Reason::Blacklisted;
    let replace = match kept {
        None => true,
        Some(known) if is_blocked(&known.refusal) => false,
        Some(known) => is_blocked(&refusal) || digits > known.digits,
    };
    if replace {
        *kept = Some(KeptRefusal { refusal, digits });
    }
}

/// Writes the name from its columns. Chinese, Japanese and Korean names are written last name first and without
/// a space.
fn write_name(columns: &[usize], cells: &[&str], out: &mut String) {
    let mut parts: Vec<&str> = columns
        .iter()
        .filter_map(|at| cells.get(*at))
        .map(|cell| csv_text(cell.trim()))
        .filter(|c| !c.is_empty())
        .collect();
    let is_east_asian = |c: char| matches!(c, '一'..='鿿' | '가'..='힣' | 'ぁ'..='ヿ');
    let separator = match parts.len() > 1 && parts.iter().all(|part| part.chars().any(is_east_asian)) {
        true => {
            parts.reverse();
            ""
        }
        false => " ",
    };
    for (at, part) in parts.into_iter().enumerate() {
        if at > 0 {
            out.push_str(separator);
        }
        out.push_str(part);
    }
}

/// Whether a spreadsheet program gave the sheet its name: `Sheet1`, `工作表2`.
fn is_plain_name(sheet: &str) -> bool {
    let name = sheet.trim().trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ').to_lowercase();
    ["sheet", "工作表", "表", "tabelle", "feuille", "hoja", "list", "名单"].contains(&name.as_str())
}

fn truncated(cells: &[&str]) -> Vec<String> {
    let short = |cell: &&str| match cell.len() > CELL_BYTES_MAX {
        true => cell.chars().take(CELL_BYTES_MAX / 4).collect(),
        false => cell.to_string(),
    };
    cells.iter().map(short).collect()
}
