//! Guards spreadsheets against formula injection: text from lists and SIP lines is untrusted.

use std::borrow::Cow;

/// Prefixes the text with `'` if a spreadsheet would take it for a formula: it begins with `=`, `+`, `-`, `@`
/// (also full-width, also after blanks that programs trim), a tab or a line end. NUL, at which some programs
/// end the text, becomes U+FFFD.
pub fn guard_formula(text: &str) -> Cow<'_, str> {
    let shown = if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { text.into() };
    let starts_formula = text.starts_with(['\t', '\r', '\n']) || {
        let begin = text.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c));
        begin.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹢', '﹣', '﹦', '﹫', '−'])
    };
    if starts_formula { Cow::Owned(format!("'{shown}")) } else { shown }
}

fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_prefixed_with_an_apostrophe() {
        let nasty =
            ["=1+1", "+861", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n", "＝1", "＋1", "－1", "＠x", " =1"];
        for text in nasty.into_iter().chain(["\u{feff}=1", "\u{a0}@x", "\u{3000}=1", "\0=1", "\u{200b}+1"]) {
            assert!(guard_formula(text).starts_with('\''), "{text:?}");
        }
    }

    #[test]
    fn ordinary_text_is_unchanged() {
        for text in ["", "王小明", "13800138000", "a=b", "3-101", "O'Hara", "'quoted", "a\nb", "x\t=1"] {
            assert!(matches!(guard_formula(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }
}
