//! Which flat a row belongs to, in one spelling, and how many flats a list has.

use rustc_hash::{FxHashSet, FxHasher};
use std::hash::Hasher;

/// The flats met so far, by a hash of their name: eight bytes each.
#[derive(Default)]
pub(crate) struct Households(FxHashSet<u64>);

impl Households {
    /// The flat from its columns (building, unit, room): half width, no spaces, letters in capitals.
    /// `None` if the room is empty, since a building alone is no household.
    pub fn of(&mut self, columns: &[usize], cells: &[&str]) -> Option<String> {
        let room = columns.last().and_then(|at| cells.get(*at))?;
        if room.trim().is_empty() {
            return None;
        }
        let mut name = String::with_capacity(room.len() + 8);
        for cell in columns.iter().filter_map(|at| cells.get(*at)).filter(|cell| !cell.trim().is_empty()) {
            if !name.is_empty() {
                name.push('-');
            }
            name.extend(cell.chars().filter(|c| !c.is_whitespace()).map(one_form));
        }
        let mut hasher = FxHasher::default();
        hasher.write(name.as_bytes());
        self.0.insert(hasher.finish());
        Some(name)
    }

    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }
}

fn one_form(c: char) -> char {
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
    fn one_flat_has_one_name_in_every_spelling() {
        let mut flats = Households::default();
        for spelling in ["A座1-101", " a座 1-101", "Ａ座１－１０１", "A座1–101"] {
            assert_eq!(flats.of(&[0], &[spelling]).as_deref(), Some("A座1-101"), "{spelling}");
        }
        assert_eq!(flats.count(), 1);
        assert_eq!(flats.of(&[0, 1, 2], &["3栋", "2", "101"]).as_deref(), Some("3栋-2-101"));
        assert_eq!(flats.of(&[0, 1], &["3栋", " "]), None);
        assert_eq!(flats.of(&[], &["3栋"]), None);
        assert_eq!(flats.of(&[7], &["3栋"]), None);
        assert_eq!(flats.count(), 2);
    }
}
