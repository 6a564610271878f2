//! The size of a flat as people write it: `89.5`, `89.50㎡`, `１２０ 平方米`, `1,204.75 m2`.

use paceline_core::spreadsheet::csv_text;

/// A flat has less than this, in hundredths of a square metre: a million square metres.
const AREA_MAX: u64 = 100_000_000;

const UNITS: &[&str] = &["平方米", "平米", "㎡", "m²", "m2", "sqm", "平"];

/// Hundredths of a square metre; `None` = no size. More than two decimals are rounded.
pub(crate) fn clean_area(cell: &str) -> Option<u64> {
    let half = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        c => c,
    };
    let folded: String = csv_text(cell.trim()).chars().filter(|c| !c.is_whitespace()).map(half).collect();
    let folded = folded.to_lowercase();
    let bare = UNITS.iter().find_map(|unit| folded.strip_suffix(unit)).unwrap_or(&folded);
    let (whole, fraction) = bare.split_once('.').unwrap_or((bare, "0"));
    let whole = match whole.contains(',') {
        true if !has_thousands(whole) => return None,
        _ => whole.replace(',', ""),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(&whole) || !is_digits(fraction) || whole.len() > 9 {
        return None;
    }
    let digit = |at: usize| fraction.as_bytes().get(at).map_or(0, |b| u64::from(b - b'0'));
    let hundredths = whole.parse::<u64>().ok()? * 100 + digit(0) * 10 + digit(1) + u64::from(digit(2) >= 5);
    (1..AREA_MAX).contains(&hundredths).then_some(hundredths)
}

/// `1,204,000`: groups of three digits behind the first.
fn has_thousands(text: &str) -> bool {
    let mut groups = text.split(',');
    groups.next().is_some_and(|first| (1..=3).contains(&first.len())) && groups.all(|group| group.len() == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_usual_form() {
        for (cell, area) in [
            ("89.5", Some(8_950)),
            ("89", Some(8_900)),
            (" 89.50㎡ ", Some(8_950)),
            ("１２０ 平方米", Some(12_000)),
            ("1,204.755 m2", Some(120_476)),
            ("89.999", Some(9_000)),
            ("0.01", Some(1)),
            ("0", None),
            ("-5", None),
            ("89,5", None),
            ("1e3", None),
            ("89.5.1", None),
            ("三室", None),
            ("", None),
            ("999999999999", None),
        ] {
            assert_eq!(clean_area(cell), area, "{cell}");
        }
    }
}
