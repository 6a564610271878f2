//! Hash table of every number of an import and of its blacklists, so that duplicates and blacklist hits cost
//! one lookup. Five million numbers take about 110 MB.

use paceline_core::number::PhoneNumber;
use paceline_core::number_pattern::NumberPattern;
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};

/// A number in two halves: an entry takes 12 bytes, not 16.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key([u32; 2]);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0[1]) << 32 | u64::from(self.0[0]));
    }
}

/// The first occurrence of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occurrence {
    /// Here, for the first time.
    New,
    /// In this row, counted through all tables of the list.
    Row(u64),
    /// In this blacklist, counted from 0.
    Blacklist(usize),
}

#[derive(Default)]
pub(crate) struct NumberTable {
    numbers: FxHashMap<Key, u32>,
    /// Blacklisted prefixes, each with the index of its blacklist.
    prefixes: FxHashMap<NumberPattern, usize>,
}

/// Values from here on are blacklist indices, values below are row numbers.
const BLACKLISTS: u32 = 0xFFFF_0000;

impl NumberTable {
    /// Every blacklisted number and prefix, ascending.
    pub fn blocked(&self) -> Vec<NumberPattern> {
        let blocked = self.numbers.iter().filter(|(_, value)| **value >= BLACKLISTS);
        let number = |key: &Key| u64::from(key.0[1]) << 32 | u64::from(key.0[0]);
        let numbers = blocked.filter_map(|(key, _)| PhoneNumber::from_e164(number(key)));
        let mut patterns: Vec<NumberPattern> =
            numbers.map(NumberPattern::exact).chain(self.prefixes.keys().copied()).collect();
        patterns.sort_unstable();
        patterns
    }

    pub fn find_or_add(&mut self, number: PhoneNumber, row: u64) -> Occurrence {
        if !self.prefixes.is_empty()
            && let Some(list) =
                NumberPattern::matching(number).find_map(|pattern| self.prefixes.get(&pattern))
        {
            return Occurrence::Blacklist(*list);
        }
        let row = u32::try_from(row).unwrap_or(u32::MAX).min(BLACKLISTS - 1);
        match self.numbers.entry(key(number)) {
            Entry::Vacant(place) => {
                place.insert(row);
                Occurrence::New
            }
            Entry::Occupied(place) => match place.get() {
                list if *list >= BLACKLISTS => Occurrence::Blacklist((list - BLACKLISTS) as usize),
                row => Occurrence::Row(u64::from(*row)),
            },
        }
    }

    /// Adds an entry of a blacklist.
    pub fn add_blocked(&mut self, pattern: NumberPattern, list: usize) {
        let Some(number) = pattern.number() else {
            self.prefixes.entry(pattern).or_insert(list);
            return;
        };
        let value = BLACKLISTS + u32::try_from(list).unwrap_or(u32::MAX).min(0xFFFF);
        self.numbers.entry(key(number)).or_insert(value);
    }
}

fn key(number: PhoneNumber) -> Key {
    let digits = number.as_u64();
    Key([digits as u32, (digits >> 32) as u32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_its_first_occurrence() {
        let number = |n: u64| PhoneNumber::from_e164(8_615_412_340_000 + n).expect("a number");
        let mut seen = NumberTable::default();
        seen.add_blocked(number(1).into(), 3);
        seen.add_blocked(number(1).into(), 4);
        assert_eq!(seen.find_or_add(number(1), 9), Occurrence::Blacklist(3));
        assert_eq!(seen.find_or_add(number(2), 9), Occurrence::New);
        assert_eq!(seen.find_or_add(number(2), 10), Occurrence::Row(9));
        seen.add_blocked(NumberPattern::prefix(86_154_999).expect("a prefix"), 5);
        let other = PhoneNumber::from_e164(8_615_499_912_345).expect("a number");
        assert_eq!(seen.find_or_add(other, 11), Occurrence::Blacklist(5));
        assert_eq!(seen.blocked().len(), 2);
        assert_eq!(size_of::<(Key, u32)>(), 12);
    }
}
