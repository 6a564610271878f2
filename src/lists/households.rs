//! Normalises the household of a row, and counts the households of a list.

use paceline_core::spreadsheet::csv_text;
use rustc_hash::{FxHashSet, FxHasher};
use std::hash::Hasher;

/// Hashes of the household names of a list, eight bytes each.
#[derive(Default)]
pub(crate) struct Households {
    seen: FxHashSet<u64>,
    /// The building that every household of the current sheet is in; empty = not known.
    building: String,
}

impl Households {
    /// The building of the rows that follow: the name of their sheet, normalised like a cell.
    pub fn set_building(&mut self, name: &str) {
        self.building.clear();
        write_normalised(name, &mut self.building);
    }

    /// Writes the household's name and counts it.
    pub fn write_name(&mut self, columns: &[usize], cells: &[&str], name: &mut String) {
        self.write(columns, cells, name);
        if name.is_empty() {
            return;
        }
        let mut hasher = FxHasher::default();
        hasher.write(name.as_bytes());
        self.seen.insert(hasher.finish());
    }

    /// The household's name, not counted.
    pub fn name_of(&self, columns: &[usize], cells: &[&str]) -> String {
        let mut name = String::new();
        self.write(columns, cells, &mut name);
        name
    }

    /// Writes the household's name from its columns (building, unit, room): half width, no spaces, capital
    /// letters. Writes nothing if the room is empty, since a building alone is no household.
    fn write(&self, columns: &[usize], cells: &[&str], name: &mut String) {
        let Some(room) = columns.last().and_then(|at| cells.get(*at)) else { return };
        if room.trim().is_empty() {
            return;
        }
        name.push_str(&self.building);
        for cell in columns.iter().filter_map(|at| cells.get(*at)).filter(|cell| !cell.trim().is_empty()) {
            if !name.is_empty() {
                name.push('-');
            }
            write_normalised(csv_text(cell), name);
        }
    }

    pub fn count(&self) -> u64 {
        self.seen.len() as u64
    }
}

fn write_normalised(cell: &str, out: &mut String) {
    for c in cell.chars() {
        match c {
            '!'..='`' | '{'..='~' | '一'..='鿿' => out.push(c),
            c if c.is_whitespace() => {}
            c => out.push(normalise_char(c)),
        }
    }
}

fn normalise_char(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c).to_ascii_uppercase(),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c => c.to_ascii_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_household_gives_the_same_name() {
        let mut flats = Households::default();
        let mut of = |columns: &[usize], cells: &[&str]| {
            let mut name = String::new();
            flats.write_name(columns, cells, &mut name);
            (name, flats.count())
        };
        for spelling in ["A座1-101", " a座 1-101", "Ａ座１－１０１", "A座1–101"] {
            assert_eq!(of(&[0], &[spelling]), ("A座1-101".into(), 1), "{spelling}");
        }
        assert_eq!(of(&[0, 1, 2], &["3栋", "2", "101"]), ("3栋-2-101".into(), 2));
        for (columns, cells) in [(&[0, 1][..], &["3栋", " "][..]), (&[], &["3栋"]), (&[7], &["3栋"])] {
            assert_eq!(of(columns, cells), (String::new(), 2));
        }
    }
}
