//! Text cells for files that a spreadsheet opens. Text from lists and SIP lines is untrusted: no cell may run as a
//! formula. In CSV a spreadsheet also guesses types: it drops leading zeros, writes long numbers as 4.42E+11, loses
//! the digits behind the fifteenth, and reads `1-12` as a date.

use std::borrow::Cow;

/// Prefixes the text with `'` if a spreadsheet would take it for a formula: it begins with `=`, `+`, `-`, `@`
/// (also full-width, also after blanks that programs trim), a tab or a line end. NUL, at which some programs
/// end the text, becomes U+FFFD.
pub fn guard_formula(text: &str) -> Cow<'_, str> {
    let shown = if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { text.into() };
    let starts_formula = text.starts_with(['\t', '\r', '\n']) || {
        let begin = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c));
        begin.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹢', '﹣', '﹦', '﹫', '−'])
    };
    if starts_formula { Cow::Owned(format!("'{shown}")) } else { shown }
}

/// The text as a CSV cell: guarded against formulas, and as the constant `="075512345678"` where a spreadsheet would
/// take it for a number or a date and change it. Excel, WPS and Google Sheets show the constant as the bare text; it
/// holds nothing but digits and the signs of numbers, so it cannot run anything.
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    if is_changed(text) { Cow::Owned(format!("=\"{text}\"")) } else { guard_formula(text) }
}

/// The text of a cell that [`csv_cell`] wrote as a constant; other text as it is.
pub fn csv_text(cell: &str) -> &str {
    let constant = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    constant.filter(|text| is_changed(text)).unwrap_or(cell)
}

/// Characters without width: zero-width marks, direction marks, the byte order mark.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{AD}')
}

/// Digits that a spreadsheet shows in full.
const DIGITS_SHOWN: usize = 11;

/// Whether a spreadsheet that opens a CSV file shows other text than this.
fn is_changed(text: &str) -> bool {
    let Some(first) = text.bytes().next() else { return false };
    if !first.is_ascii_digit() || text.len() > 40 {
        return false;
    }
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_digits(text) {
        return text.len() > DIGITS_SHOWN || (text.len() > 1 && first == b'0');
    }
    if let Some((whole, fraction)) = text.split_once('.')
        && is_digits(whole)
        && is_digits(fraction)
    {
        let zero_first = whole.len() > 1 && first == b'0';
        return zero_first || fraction.ends_with('0') || whole.len() + fraction.len() > DIGITS_SHOWN;
    }
    // 3E5 is 300000.
    if let Some((digits, exponent)) = text.split_once(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        return is_digits(exponent) && digits.split('.').all(is_digits);
    }
    // 1-12, 3/4 and 12-1-3 are dates, 12:30 is a time.
    let parts: Vec<&str> = text.split(['-', '/', ':']).collect();
    let same_sign = ["-", "/", ":"].iter().filter(|sign| text.contains(**sign)).count() == 1;
    let short = parts.iter().all(|part| is_digits(part) && part.len() <= 4);
    matches!(parts.len(), 2 | 3) && same_sign && short && parts[0].len() <= 2 && parts[1].len() <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_prefixed_with_an_apostrophe() {
        let nasty = [
            "=1+1",
            "+861",
            "-2",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n",
            "＝1",
            "＋1",
            "－1",
            "＠x",
            " =1",
            "\u{feff}@a",
        ];
        for text in nasty.into_iter().chain(["\u{feff}=1", "\u{a0}@x", "\u{3000}=1", "\0=1", "\u{200b}+1"]) {
            assert!(guard_formula(text).starts_with('\''), "{text:?}");
            assert!(csv_cell(text).starts_with('\''), "{text:?}");
        }
        for text in ["=\"0755\"", "=\"1\"&A1", "=HYPERLINK(\"0\")", "0=1\n=cmd"] {
            assert!(!csv_cell(text).starts_with("=\"0=") && !csv_cell(text).starts_with("=H"), "{text:?}");
        }
    }

    #[test]
    fn ordinary_text_is_unchanged() {
        for text in [
            "",
            "王小明",
            "13800138000",
            "a=b",
            "3-101",
            "O'Hara",
            "'quoted",
            "a\nb",
            "x\t=1",
            " x",
            "1-2-301",
            "0",
            "7",
        ] {
            assert!(matches!(guard_formula(text), Cow::Borrowed(same) if same == text), "{text:?}");
            assert!(matches!(csv_cell(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
        for text in
            ["2026-11-21T10:00:00.000+08:00", "2026-11-21", "12.5", "1栋-101", "10.0.0.1", "44 20 7946"]
        {
            assert_eq!(csv_cell(text), text);
        }
    }

    #[test]
    fn digits_that_a_spreadsheet_changes_are_constants() {
        for text in [
            "075512345629",
            "00442079460929",
            "990000199003070011",
            "0123",
            "862012345678",
            "1-12",
            "10/1",
            "12:30",
            "3E5",
            "1.50",
        ] {
            assert_eq!(csv_cell(text), format!("=\"{text}\""));
            assert_eq!(csv_text(&csv_cell(text)), text);
        }
        assert_eq!(csv_text("=\"a\"&B1"), "=\"a\"&B1");
    }

    /// Whatever the text is, a cell begins with `=` only as a constant of digits and number signs.
    #[test]
    fn no_cell_of_any_text_is_a_formula() {
        use rand::{RngExt, SeedableRng};
        let seed = 69;
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let letters: Vec<char> = "0123456789=+-@\"'/.:eE \t\n\0A王＝\u{200b}".chars().collect();
        for _ in 0..50_000 {
            let len = rng.random_range(0..9);
            let text: String = (0..len).map(|_| letters[rng.random_range(0..letters.len())]).collect();
            let cell = csv_cell(&text);
            if let Some(rest) = cell.strip_prefix('=') {
                let inner = rest.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                let is_constant =
                    inner.is_some_and(|inner| inner.chars().all(|c| "0123456789-/.:eE+".contains(c)));
                assert!(is_constant, "{text:?} became {cell:?}, seed {seed}");
            }
            assert!(
                !cell.starts_with(['+', '-', '@', '\t', '\r', '\n']),
                "{text:?} became {cell:?}, seed {seed}"
            );
        }
    }
}
