//! What the sampled values of a column are: numbers, codes, quantities. They decide about a column; its header is a hint.

use super::clean::{clean_number, clean_pattern, split_numbers};
use super::header::{CodeColumn, WantedColumns};
use super::source::SampleRow;
use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};
use std::collections::BTreeSet;

pub(super) fn count_numbers(cells: &[String], wanted: WantedColumns<'_>) -> usize {
    cells.iter().filter(|cell| holds_number(cell, wanted)).count()
}

fn holds_number(cell: &str, wanted: WantedColumns<'_>) -> bool {
    split_numbers(cell).any(|part| {
        clean_number(part, wanted.region).is_ok()
            || (wanted.is_blacklist && clean_pattern(part, wanted.region).is_ok())
    })
}

/// A cell that somebody meant as a number: five digits or more, and little else.
pub(super) fn is_attempt(cell: &str) -> bool {
    let digits = cell.chars().filter(|c| c.is_ascii_digit() || ('０'..='９').contains(c)).count();
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    digits >= 5 && letters <= digits
}

/// What the sampled values of a column are.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    /// Cells that are not empty.
    pub filled: usize,
    pub numbers: usize,
    /// Numbers, and cells that were meant as one.
    pub attempts: usize,
    /// The first different texts, for codes.
    codes: BTreeSet<String>,
    digits: usize,
}

/// Different codes that are kept of a column.
const CODES_MAX: usize = 50;

impl Values {
    pub fn of(rows: &[SampleRow], column: usize, wanted: WantedColumns<'_>) -> Values {
        let mut values = Values::default();
        let cells = rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.trim());
        for cell in cells.filter(|cell| !cell.is_empty()) {
            values.filled += 1;
            let is_number = holds_number(cell, wanted);
            values.numbers += usize::from(is_number);
            values.attempts += usize::from(is_number || is_attempt(cell));
            values.digits += usize::from(cell.bytes().all(|b| b.is_ascii_digit()));
            if values.codes.len() < CODES_MAX {
                values.codes.insert(cell.chars().take(8).collect());
            }
        }
        values
    }

    /// The share of cells with a number, in percent.
    pub fn share(&self) -> usize {
        (self.numbers * 100).checked_div(self.filled).unwrap_or(0)
    }

    pub fn is_digits(&self) -> bool {
        self.filled > 0 && self.digits * 2 > self.filled
    }

    /// Whether every text is a number with or without a fraction and a unit.
    pub fn are_quantities(&self) -> bool {
        self.filled > 0 && self.codes.iter().all(|text| text.contains(|c: char| c.is_numeric()))
    }

    pub fn are_country_codes(&self) -> bool {
        self.filled > 0 && self.codes.iter().all(|code| country_of_code(code).is_some())
    }

    /// An area code column may hold country codes: `区号` of `+86`.
    pub fn code(&self, at: usize) -> Option<CodeColumn> {
        let is_area = |code: &String| {
            let digits = code.trim_start_matches('0');
            code.bytes().all(|b| b.is_ascii_digit()) && (1..=4).contains(&digits.len())
        };
        match self.filled > 0 {
            true if self.codes.iter().all(|code| code.starts_with('+') || code == "86") => {
                self.are_country_codes().then_some(CodeColumn::Country(at))
            }
            true if self.codes.iter().all(is_area) => Some(CodeColumn::Area(at)),
            _ => None,
        }
    }
}

/// The region of a country calling code: `86`, `+86`, `0086`.
pub(crate) fn country_of_code(code: &str) -> Option<Region> {
    let code = code.trim();
    let digits = code.strip_prefix('+').or_else(|| code.strip_prefix("00")).unwrap_or(code).trim();
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    PHONE_NUMBER_UTIL.get_region_for_country_code(digits.parse().ok()?)
}
