//! What a worksheet shows by its form and `calamine` does not tell: merged cells, hidden rows (also those that
//! a filter hides), formulas without a saved value. Read in one pass over the sheet's XML, bounded.

use super::bounded_xml::BoundedXml;
use super::wanted::WantedFile;
use quick_xml::events::{BytesStart, Event};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use zip::ZipArchive;

/// Most merged regions of a sheet; the list of an estate has a few thousand.
const MERGES_MAX: usize = 200_000;
/// Octets of a cell: a spreadsheet takes 32,767 characters.
const CELL_MAX: usize = 256 << 10;
const ROW_MAX: usize = 4 << 20;
/// Rows of a spreadsheet.
const ROWS_MAX: usize = 1 << 20;
/// Largest part that names the sheets, unpacked.
const INDEX_MAX: u64 = 8 << 20;

/// A merged region: first and last row and column, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Merge {
    pub rows: (u32, u32),
    pub columns: (u32, u32),
}

/// The form of one sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SheetForm {
    /// By first row.
    pub merges: Vec<Merge>,
    /// Ranges of hidden rows, ascending, counted from 0.
    hidden: Vec<(u32, u32)>,
    /// Formulas whose value was not saved, so that their cells are empty.
    pub unsaved_formulas: u64,
}

impl SheetForm {
    pub fn is_hidden(&self, row: u32) -> bool {
        let after = self.hidden.partition_point(|(first, _)| *first <= row);
        after > 0 && row <= self.hidden[after - 1].1
    }

    fn hide(&mut self, row: u32) {
        match self.hidden.last_mut() {
            Some((_, last)) if *last + 1 == row => *last = row,
            Some((_, last)) if *last >= row => {}
            _ => self.hidden.push((row, row)),
        }
    }

    /// Reads a sheet to its last byte. An error means that the sheet is damaged.
    pub fn read(xml: impl BufRead) -> Result<SheetForm, String> {
        let mut form = SheetForm::default();
        let mut events = BoundedXml::new(xml);
        let (mut row, mut is_complete) = (0u32, false);
        let mut held = RowText::default();
        let (mut has_formula, mut has_value) = (false, false);
        loop {
            match events.next().map_err(|fault| fault.to_string())? {
                Event::Start(tag) => match tag.local_name().as_ref() {
                    "row" => {
                        held = RowText::default();
                        if let Some(number) = attribute(&tag, "r") {
                            let number: u32 =
                                number.trim().parse().map_err(|_| format!("row number '{number}'"))?;
                            row = number.saturating_sub(1);
                        }
                        if is_true(&tag, "hidden") {
                            form.hide(row);
                        }
                        if form.hidden.len() > ROWS_MAX {
                            return Err(format!("it has more than {ROWS_MAX} rows"));
                        }
                    }
                    "c" => {
                        held.cell = 0;
                        (has_formula, has_value) = (false, false);
                    }
                    "f" => has_formula = true,
                    "v" | "is" => has_value = true,
                    "mergeCell" => {
                        if form.merges.len() == MERGES_MAX {
                            return Err(format!("it has more than {MERGES_MAX} merged regions"));
                        }
                        let region = attribute(&tag, "ref").unwrap_or_default();
                        form.merges.push(merge(&region).ok_or(format!("the merged region '{region}'"))?);
                    }
                    _ => {}
                },
                Event::End(tag) => match tag.local_name().as_ref() {
                    "row" => row = row.saturating_add(1),
                    "c" => form.unsaved_formulas += u64::from(has_formula && !has_value),
                    "worksheet" => is_complete = true,
                    _ => {}
                },
                Event::Text(text) => held.add(text.len())?,
                Event::CData(text) => held.add(text.len())?,
                Event::GeneralRef(_) => held.add(1)?,
                Event::Eof if is_complete => break,
                Event::Eof => return Err("it ends in the middle".into()),
                _ => {}
            }
        }
        form.merges.sort_by_key(|merge| merge.rows);
        form.hidden.sort_unstable();
        Ok(form)
    }
}

/// Octets of text in the present row and cell, which are held in memory while they are read.
#[derive(Default)]
struct RowText {
    row: usize,
    cell: usize,
}

impl RowText {
    fn add(&mut self, octets: usize) -> Result<(), String> {
        self.row += octets;
        self.cell += octets;
        match (self.cell > CELL_MAX, self.row > ROW_MAX) {
            (true, _) => Err(format!("a cell of it holds more than {} KB", CELL_MAX >> 10)),
            (_, true) => Err(format!("a row of it holds more than {} MB", ROW_MAX >> 20)),
            _ => Ok(()),
        }
    }
}

/// The parts of a workbook that hold the sheets, by the sheet's name.
pub(crate) fn sheet_parts(
    archive: &mut ZipArchive<BufReader<WantedFile>>,
) -> Result<HashMap<String, String>, String> {
    let book = part_name(archive, "xl/workbook.xml").ok_or("its workbook part is missing")?;
    let relations =
        part_name(archive, "xl/_rels/workbook.xml.rels").ok_or("its relations part is missing")?;
    let mut targets = HashMap::new();
    for_each_tag(archive, &relations, "Relationship", &mut |tag| {
        if let (Some(id), Some(target)) = (attribute(tag, "Id"), attribute(tag, "Target")) {
            let target = match target.strip_prefix('/') {
                Some(absolute) => absolute.to_owned(),
                None => format!("xl/{}", target.trim_start_matches("./")),
            };
            targets.insert(id, target);
        }
    })?;
    let mut parts = HashMap::new();
    for_each_tag(archive, &book, "sheet", &mut |tag| {
        let id = tag.attributes().flatten().find(|a| a.key.local_name().as_ref() == "id");
        if let (Some(name), Some(id)) = (attribute(tag, "name"), id)
            && let Some(target) = targets.get(&*id.value)
        {
            parts.insert(name, target.clone());
        }
    })?;
    Ok(parts)
}

/// Opens one part of the workbook. Some programs write part names in another case.
pub(crate) fn read_form(
    archive: &mut ZipArchive<BufReader<WantedFile>>,
    part: &str,
) -> Result<SheetForm, String> {
    let name = part_name(archive, part).ok_or("its part is missing in the file")?;
    let file = archive.by_name(&name).map_err(|e| e.to_string())?;
    SheetForm::read(BufReader::new(file))
}

fn part_name(archive: &ZipArchive<BufReader<WantedFile>>, part: &str) -> Option<String> {
    let names = archive.file_names().flatten();
    let mut alike = names.filter(|name| name.replace('\\', "/").eq_ignore_ascii_case(part));
    alike.next().map(|name| name.into_owned())
}

fn for_each_tag(
    archive: &mut ZipArchive<BufReader<WantedFile>>,
    part: &str,
    name: &str,
    visit: &mut dyn FnMut(&BytesStart<'_>),
) -> Result<(), String> {
    let file = archive.by_name(part).map_err(|e| e.to_string())?;
    let mut events = BoundedXml::new(BufReader::new(file.take(INDEX_MAX)));
    loop {
        match events.next().map_err(|fault| fault.to_string())? {
            Event::Start(tag) if tag.local_name().as_ref() == name => visit(&tag),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.try_get_attribute(name).ok().flatten()?;
    let text = quick_xml::escape::unescape(&found.value);
    Some(text.map_or_else(|_| found.value.to_string(), |text| text.into_owned()))
}

fn is_true(tag: &BytesStart<'_>, name: &str) -> bool {
    let found = tag.try_get_attribute(name).ok().flatten();
    found.is_some_and(|found| matches!(&*found.value, "1" | "true" | "on"))
}

/// `A2:B4`.
fn merge(region: &str) -> Option<Merge> {
    let (first, last) = region.split_once(':').unwrap_or((region, region));
    let ((column, row), (last_column, last_row)) = (cell(first)?, cell(last)?);
    (row <= last_row && column <= last_column)
        .then_some(Merge { rows: (row, last_row), columns: (column, last_column) })
}

/// `AB12`: column and row, counted from 0.
fn cell(name: &str) -> Option<(u32, u32)> {
    let name = name.replace('$', "");
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).count();
    let column = name[..letters].bytes().try_fold(0u32, |sum, letter| {
        sum.checked_mul(26)?.checked_add(u32::from(letter.to_ascii_uppercase() - b'A') + 1)
    })?;
    let row: u32 = name[letters..].parse().ok()?;
    Some((column.checked_sub(1)?, row.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_hidden_rows_and_unsaved_formulas_are_found() {
        let xml = r#"<?xml version="1.0"?><worksheet><sheetData><row r="1"><c r="A1"/></row><row r="2" hidden="1"/>
            <row r="3" hidden="true"><c r="A3"><f>B3</f></c></row><row><c><f>1</f><v>2</v></c></row><row hidden="1"/>
            </sheetData><mergeCells><mergeCell ref="C1:C9"/><mergeCell ref="AA1:AB1"/></mergeCells></worksheet>"#;
        let form = SheetForm::read(xml.as_bytes()).expect("a sheet");
        let hidden: Vec<u32> = (0..8).filter(|row| form.is_hidden(*row)).collect();
        assert_eq!(hidden, [1, 2, 4]);
        assert_eq!(form.merges[0], Merge { rows: (0, 0), columns: (26, 27) });
        assert_eq!(form.merges[1], Merge { rows: (0, 8), columns: (2, 2) });
        assert_eq!(form.unsaved_formulas, 1);
    }

    #[test]
    fn a_cell_and_a_row_hold_what_a_spreadsheet_takes() {
        let sheet = |cells: String| {
            let xml = format!("<worksheet><sheetData><row r=\"1\">{cells}</row></sheetData></worksheet>");
            SheetForm::read(xml.as_bytes()).map(drop)
        };
        let cell = |octets: usize| format!("<c><is><t>{}</t></is></c>", "x".repeat(octets));
        let pieces =
            format!("<c><is>{}</is></c>", format!("<r><t>{}</t></r>", "x".repeat(1_000)).repeat(400));
        assert_eq!(sheet(cell(200_000).repeat(10)), Ok(()));
        for cells in [cell(300_000), pieces, cell(200_000).repeat(30), cell(3 << 20)] {
            assert!(sheet(cells.clone()).is_err(), "{} octets", cells.len());
        }
    }

    #[test]
    fn a_sheet_that_ends_early_is_damaged() {
        let whole =
            "<worksheet><sheetData><row r=\"1\"><c r=\"A1\"><v>1</v></c></row></sheetData></worksheet>";
        assert!(SheetForm::read(whole.as_bytes()).is_ok());
        for cut in 1..whole.len() {
            assert!(SheetForm::read(&whole.as_bytes()[..cut]).is_err(), "{}", &whole[..cut]);
        }
        for wrong in ["A0:A1", "A:B", "B1:A1", "1:2", ":"] {
            assert_eq!(merge(wrong), None, "{wrong}");
        }
    }
}
