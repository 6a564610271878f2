//! Telephone numbers as callers of the API are shown them: whole for those who may read numbers, else masked. No
//! other function writes a number into an answer.

use super::auth::Caller;
use super::rights::Action;
use crate::text;
use paceline_core::number::PhoneNumber;
use serde::Serialize;
use serde_json::Value;

/// Which numbers a caller is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum NumberSight {
    Whole,
    #[default]
    Masked,
}

impl NumberSight {
    pub fn of(caller: &Caller) -> NumberSight {
        if caller.may(Action::NumbersRead) { NumberSight::Whole } else { NumberSight::Masked }
    }
}

/// A number as it is shown: national digits, or `138****8000`; a `*` says that it is masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct ShownNumber(String);

impl ShownNumber {
    pub fn of(number: PhoneNumber, sight: NumberSight) -> ShownNumber {
        ShownNumber(match sight {
            NumberSight::Whole => number.national(),
            NumberSight::Masked => text::masked(number),
        })
    }
}

impl From<ShownNumber> for Value {
    fn from(shown: ShownNumber) -> Value {
        shown.0.into()
    }
}

/// A text of a list, a note or a correction: telephone numbers in it are masked for callers who may not read them.
pub(super) fn shown_text(text: &str, sight: NumberSight) -> String {
    match sight {
        NumberSight::Whole => text.to_owned(),
        NumberSight::Masked => masked_text(text),
    }
}

/// As [`shown_text`], where the text may be missing.
pub(super) fn shown_optional(text: Option<&String>, sight: NumberSight) -> Option<String> {
    text.map(|text| shown_text(text, sight))
}

fn masked_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut run = String::new();
    for letter in text.chars() {
        let joins = letter.is_ascii_digit() || (matches!(letter, ' ' | '-' | '(' | ')' | '+'));
        if joins {
            run.push(letter);
        } else {
            push_run(&mut shown, &run);
            run.clear();
            shown.push(letter);
        }
    }
    push_run(&mut shown, &run);
    shown
}

/// Adds a run of digits and the signs that people write between them; a telephone number is masked.
fn push_run(shown: &mut String, run: &str) {
    let digits: Vec<char> = run.chars().filter(char::is_ascii_digit).collect();
    if !is_number(run, &digits) {
        shown.push_str(run);
        return;
    }
    let bare = |sign: char| !sign.is_ascii_digit();
    let (front, back) =
        (&run[..run.len() - run.trim_start_matches(bare).len()], run.trim_end_matches(bare).len());
    let keep = if digits.len() >= 9 { (3, 4) } else { (0, 2) };
    shown.push_str(front);
    let last = digits.len() - keep.1;
    let masked = digits.iter().enumerate();
    shown.extend(masked.map(|(place, digit)| if place < keep.0 || place >= last { *digit } else { '*' }));
    shown.push_str(&run[back..]);
}

/// Whether a run is a number, several of them, or so long that it may hide one. Dates are none.
fn is_number(run: &str, digits: &[char]) -> bool {
    let text: String = digits.iter().collect();
    let longest = run.split(|sign: char| !sign.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    let is_foreign = (run.contains('+') || text.starts_with("00")) && digits.len() >= 7;
    is_foreign || longest >= 9 || digits.len() > 12 || PhoneNumber::chinese(text.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_text_are_masked_and_dates_and_areas_are_not() {
        for (text, shown) in [
            ("13800138000", "138****8000"),
            ("138 0013 8000", "138****8000"),
            ("+86 138-0013-8000 (home)", "+861******8000 (home)"),
            ("0755-8888 1234", "075*****1234"),
            ("+852 2345 6789", "+852****6789"),
            ("tel: 13800138000/13900139000", "tel: 138****8000/139****9000"),
            ("13800138000 13900139000", "138***************9000"),
            ("440301199001011234", "440***********1234"),
            ("2026-11-21 10:00:00", "2026-11-21 10:00:00"),
            ("20261121", "20261121"),
            ("89.5 ㎡, 3-1-201", "89.5 ㎡, 3-1-201"),
            ("王敏", "王敏"),
            ("", ""),
            ("--", "--"),
        ] {
            assert_eq!(shown_text(text, NumberSight::Masked), shown, "{text}");
            assert_eq!(shown_text(text, NumberSight::Whole), text);
        }
    }

    #[test]
    fn no_mobile_number_stays_whole_whatever_stands_around_it() {
        let signs = ["", " ", "-", "(", ")", "+86", "0086", "a", "手机", "/", ",", "12", "\n"];
        for (front, back) in signs.iter().flat_map(|front| signs.iter().map(move |back| (front, back))) {
            for number in ["13800138000", "19912345678", "138 0013 8000", "138-0013-8000"] {
                let text = format!("{front}{number}{back}");
                let digits: String = number.chars().filter(char::is_ascii_digit).collect();
                let shown: String =
                    shown_text(&text, NumberSight::Masked).chars().filter(char::is_ascii_digit).collect();
                assert!(!shown.contains(&digits), "{text:?} is shown as {shown:?}");
            }
        }
    }
}
