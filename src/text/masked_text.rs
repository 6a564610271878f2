//! Finds telephone numbers in texts that people write, and masks them. Its tests stand with `console/shown_number.rs`.

use paceline_core::number::PhoneNumber;

/// The value of a decimal digit of the scripts in which people type numbers: ASCII, or full width.
pub(crate) fn digit(letter: char) -> Option<char> {
    match letter {
        '0'..='9' => Some(letter),
        '\u{ff10}'..='\u{ff19}' => char::from_digit(letter as u32 - 0xff10, 10),
        _ => None,
    }
}

/// What people write between the digits of one number, in ASCII, with wide spaces and dashes, or in full width.
fn is_sign(letter: char) -> bool {
    matches!(
        letter,
        ' ' | '-' | '(' | ')' | '+' | '\u{a0}' | '\u{2002}'..='\u{2015}' | '\u{202f}' | '\u{2212}'
    ) || matches!(letter, '\u{3000}' | '\u{feff}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0b}' | '\u{ff0d}')
}

/// What may stand between two numbers, or between the digits of one.
fn is_weak_sign(letter: char) -> bool {
    matches!(
        letter,
        '.' | '/' | '_' | '·' | '•' | '*' | '~' | '\t' | '\u{30fb}' | '\u{ff0e}' | '\u{ff0f}' | '\u{ff3f}'
    )
}

/// A text of a list, a note or a file with the telephone numbers in it masked.
pub(crate) fn masked_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut span = String::new();
    for letter in text.chars() {
        if digit(letter).is_some() || is_sign(letter) || is_weak_sign(letter) {
            span.push(letter);
        } else {
            push_span(&mut shown, &span);
            span.clear();
            shown.push(letter);
        }
    }
    push_span(&mut shown, &span);
    shown
}

/// Adds digits and all that may stand between them. Each run that is a number is masked; runs between those are masked
/// together where a number is written over several of them.
fn push_span(shown: &mut String, span: &str) {
    // Runs that are no numbers, with the signs between and around them.
    let mut rest = String::new();
    for part in span.split_inclusive(is_weak_sign) {
        let run = part.trim_end_matches(is_weak_sign);
        if !is_number(run) {
            rest.push_str(part);
            continue;
        }
        push_run(shown, &rest);
        rest.clear();
        push_run(shown, run);
        shown.push_str(&part[run.len()..]);
    }
    push_run(shown, &rest);
}

/// Adds a run of digits and the signs that people write between them; a telephone number is masked.
fn push_run(shown: &mut String, run: &str) {
    if !is_number(run) {
        shown.push_str(run);
        return;
    }
    let digits: Vec<char> = run.chars().filter_map(digit).collect();
    let bare = |sign: char| digit(sign).is_none();
    let (front, back) =
        (&run[..run.len() - run.trim_start_matches(bare).len()], run.trim_end_matches(bare).len());
    let keep = if digits.len() >= 9 { (3, 4) } else { (0, 2) };
    shown.push_str(front);
    let last = digits.len() - keep.1;
    let masked = digits.iter().enumerate();
    shown.extend(masked.map(|(place, digit)| if place < keep.0 || place >= last { *digit } else { '*' }));
    shown.push_str(&run[back..]);
}

/// Whether a run is a number, several of them, or so long that it may hide one. Dates and rows are none; a landline
/// without its area code, which stands in a column of its own, is one.
fn is_number(run: &str) -> bool {
    let text: String = run.chars().filter_map(digit).collect();
    let parts = run.split(|sign: char| digit(sign).is_none()).map(|part| part.chars().count());
    let parts: Vec<usize> = parts.filter(|len| *len > 0).collect();
    let longest = parts.iter().copied().max().unwrap_or(0);
    let is_foreign = (run.contains(['+', '\u{ff0b}']) || text.starts_with("00")) && text.len() >= 7;
    let is_local = matches!(parts[..], [7 | 8] | [4, 4]) && !text.starts_with(['0', '1']) && !is_date(&text);
    is_foreign
        || is_local
        || longest >= 9
        || text.len() > 12
        || holds_mobile(&text)
        || PhoneNumber::chinese(text.as_bytes()).is_ok()
}

/// Whether eleven digits in a row have the form of a mobile number.
fn holds_mobile(digits: &str) -> bool {
    digits.as_bytes().windows(11).any(|it| it[0] == b'1' && (b'3'..=b'9').contains(&it[1]))
}

/// Whether eight digits are a day of this century.
fn is_date(digits: &str) -> bool {
    let part = |from: usize, until: usize| digits.get(from..until).and_then(|part| part.parse::<u32>().ok());
    digits.len() == 8
        && digits.starts_with("20")
        && part(4, 6).is_some_and(|month| (1..=12).contains(&month))
        && part(6, 8).is_some_and(|day| (1..=31).contains(&day))
}
