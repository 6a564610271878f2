//! The search of answers for what their reader may not see: telephone numbers, and marks of other organisations.

use super::super::*;
use super::world::{Caller, World};

/// What was shown to those who may see it: without it the search would prove nothing.
#[derive(Default)]
pub struct Seen {
    whole: BTreeSet<String>,
    pub answers: usize,
}

/// An answer as the search reads it: its headers and its body, digits of any script as ASCII, without the signs that
/// people write between digits.
fn squeezed(answer: &Answer) -> (String, String) {
    let mut text = String::from_utf8_lossy(&answer.body).into_owned();
    for (name, value) in &answer.headers {
        text.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    }
    squeeze(text)
}

pub fn squeeze(text: String) -> (String, String) {
    let plain = |c: char| match c {
        '\u{ff10}'..='\u{ff19}' => char::from_u32(c as u32 - 0xff10 + '0' as u32),
        ' ' | '-' | '.' | '·' | '_' | '(' | ')' | '/' | '+' | '\u{a0}' | '\u{3000}' => None,
        c => Some(c),
    };
    let digits = text.chars().filter_map(plain).collect();
    (text, digits)
}

impl Seen {
    /// Searches one answer.
    #[track_caller]
    pub fn check(&mut self, world: &World, by: Option<&Caller>, what: &str, answer: &Answer) {
        let (text, digits) = squeezed(answer);
        self.check_text(world, by, what, &text, &digits);
    }

    #[track_caller]
    pub fn check_text(&mut self, world: &World, by: Option<&Caller>, what: &str, text: &str, digits: &str) {
        self.answers += 1;
        for (place, organisation) in world.organisations.iter().enumerate() {
            let is_seen = by.is_some_and(|by| world.sees(by.organisation, place));
            assert!(
                is_seen || !text.contains(organisation.mark),
                "{what} shows `{}`, which is not theirs: {text:.3000}",
                organisation.mark
            );
            let may = is_seen && by.is_some_and(reads_numbers);
            for number in &organisation.numbers {
                let found = digits.contains(number.as_str()) || digits.contains(&number[3..]);
                assert!(may || !found, "{what} shows {number}: {text:.3000}");
                if found {
                    self.whole.insert(number.clone());
                }
            }
        }
    }

    /// Every number was shown to somebody who may see it.
    pub fn assert_is_whole(&self, world: &World) {
        let all: BTreeSet<String> =
            world.organisations.iter().take(2).flat_map(|it| it.numbers.clone()).collect();
        let missed: Vec<&String> = all.difference(&self.whole).collect();
        assert!(missed.is_empty(), "nobody was shown {missed:?}: the search would not find them");
    }
}

/// Whether whole numbers are for this caller, by hand: no switch is on.
pub fn reads_numbers(by: &Caller) -> bool {
    super::table::roles_of("numbers.read").contains(by.letter) && by.lacks != Some("numbers.read")
}
