//! Escapes cells for files that a spreadsheet opens, against formula injection.

use std::borrow::Cow;

/// The cell as text that no spreadsheet runs: a cell that begins with a formula character (also after spaces,
/// also in full width) gets an apostrophe in front; NUL, which cuts a cell short, is dropped.
pub fn escape_formula(cell: &str) -> Cow<'_, str> {
    let cell: Cow<'_, str> =
        if cell.contains('\0') { Cow::Owned(cell.replace('\0', "")) } else { Cow::Borrowed(cell) };
    if starts_formula(&cell) { Cow::Owned(format!("'{cell}")) } else { cell }
}

fn starts_formula(cell: &str) -> bool {
    match cell.chars().next() {
        None => false,
        Some('\t' | '\r' | '\n') => true,
        Some(_) => {
            let seen = cell.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c));
            matches!(seen.chars().next(), Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'))
        }
    }
}

/// Characters without width: zero-width marks, direction marks, the byte order mark.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{AD}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_starts_a_formula() {
        for cell in [
            "=1+1",
            "+8613800138000",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n",
            "＝cmd",
            "＋1",
            "－1",
            "＠x",
            " =1",
            "\u{200B}=1",
            "\0=1",
            "\u{FEFF}@a",
        ] {
            let out = escape_formula(cell);
            assert!(out.starts_with('\''), "{cell:?} became {out:?}");
        }
    }

    #[test]
    fn an_ordinary_cell_is_not_changed_or_copied() {
        for cell in ["", "13800138000", "王芳", "1-2-301", "a=b", "'=1", " x"] {
            assert!(matches!(escape_formula(cell), Cow::Borrowed(same) if same == cell), "{cell:?}");
        }
    }
}
