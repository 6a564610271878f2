//! The search of answers for what their reader may not see: telephone numbers, and marks of other organisations.

use super::super::*;
use super::world::{Caller, World};

/// What was shown to those who may see it: without it the search would prove nothing.
#[derive(Default)]
pub struct Seen {
    whole: BTreeSet<String>,
    pub answers: usize,
    faults: Vec<String>,
}

/// A part of a text.
fn around(text: &str, at: usize) -> String {
    let before: String = text[..at].chars().rev().take(80).collect();
    let before: String = before.chars().rev().collect();
    let after: String = text[at..].chars().take(60).collect();
    format!("…{before}{after}…")
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
    pub fn check(&mut self, world: &World, by: Option<&Caller>, what: &str, answer: &Answer) {
        let (text, digits) = squeezed(answer);
        self.check_text(world, by, what, &text, &digits);
    }

    /// As [`Seen::check`], of a text and its digits.
    pub fn check_text(&mut self, world: &World, by: Option<&Caller>, what: &str, text: &str, digits: &str) {
        self.answers += 1;
        for (place, organisation) in world.organisations.iter().enumerate() {
            let is_seen = by.is_some_and(|by| world.sees(by.organisation, place));
            if !is_seen && let Some(at) = text.find(organisation.mark) {
                self.fault(format!("{what} shows what is not theirs: {}", around(text, at)));
            }
            let may = is_seen && by.is_some_and(reads_numbers);
            for number in &organisation.numbers {
                // Without its first three digits it is a number still.
                let Some(at) = digits.find(&number[3..]) else { continue };
                if !may {
                    self.fault(format!("{what} shows {number}: {}", around(digits, at)));
                }
                self.whole.insert(number.clone());
            }
        }
    }

    pub fn fault(&mut self, what: String) {
        self.faults.push(what);
    }

    /// # Panics
    /// Something was shown or refused that should not be.
    pub fn assert_no_faults(&self) {
        let first: Vec<&str> = self.faults.iter().take(60).map(String::as_str).collect();
        assert!(
            first.is_empty(),
            "{} faults in {} answers:\n{}",
            self.faults.len(),
            self.answers,
            first.join("\n")
        );
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
