//! Parsers of request fields that several handlers share: role, text, login, skills, telephone number.

use super::problem::Problem;
use crate::store::Role;
use paceline_core::number::{PhoneNumber, ShownNumber};
use paceline_core::number_pattern::NumberPattern;
use paceline_core::time::Utc;
use std::collections::BTreeSet;

const TEXT_MAX: usize = 64;

/// What [`parse_text`] and [`parse_login`] take, as JSON Schema patterns; ends without a space so that nothing is
/// trimmed.
pub(super) const TEXT: &str =
    r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\s\x00-\x1f\x7f-\x9f])?$";
pub(super) const WORD: &str = r"^[^\s\x00-\x1f\x7f-\x9f]+$";
pub(super) const TELEPHONE_OR_NONE: &str = r"^(|1[3-9][0-9]{9}|0[1-9][0-9]{9,10})$";
const SKILLS_MAX: usize = 32;

pub(super) fn parse_role(word: &str) -> Result<Role, Problem> {
    let words: Vec<&str> = Role::ALL.into_iter().map(Role::word).collect();
    Role::from_word(word).ok_or_else(|| {
        let list = words.join(", ");
        Problem::of_field("/role", &format!("a role is one of {list}"), &format!("角色是 {list} 之一"))
    })
}

/// Trims a text of any script; it must be one line and not empty.
pub(super) fn parse_text(field: &str, given: &str) -> Result<String, Problem> {
    let given = given.trim();
    let fits = !given.is_empty() && given.chars().count() <= TEXT_MAX && !given.chars().any(char::is_control);
    if fits {
        return Ok(given.to_owned());
    }
    Err(Problem::of_field(
        &format!("/{}", field.replace('.', "/")),
        &format!("1 to {TEXT_MAX} characters on one line"),
        &format!("一行,1 到 {TEXT_MAX} 个字"),
    ))
}

pub(super) fn parse_login(given: &str) -> Result<String, Problem> {
    let login = parse_text("login", given)?;
    if login.chars().any(char::is_whitespace) {
        return Err(Problem::of_field("/login", "no spaces", "不能有空格"));
    }
    Ok(login)
}

pub(super) fn parse_skills(given: BTreeSet<String>) -> Result<BTreeSet<String>, Problem> {
    if given.len() > SKILLS_MAX {
        let (en, zh) = (format!("at most {SKILLS_MAX} skills"), format!("最多 {SKILLS_MAX} 项技能"));
        return Err(Problem::of_field("/skills", &en, &zh));
    }
    given.iter().map(|skill| parse_text("skills", skill)).collect()
}

/// Digits of the shortest range within China that a request may block: a slip of the hand must not close every list.
/// Files may hold shorter ones.
const PREFIX_MIN: usize = 3;

/// Parses a number or a range as people write it: `13800138000`, `1380013*`, `0755*`, `+852*`. A range that is
/// dialled inside China may be several patterns.
pub(super) fn parse_pattern(given: &str) -> Result<Vec<NumberPattern>, Problem> {
    let unfit = || {
        Problem::unprocessable(
            "this is no number and no range: write 13800138000, 1380013*, 0755* or +852*; a * stands at the end",
        )
    };
    if given.len() > 32 {
        return Err(unfit());
    }
    let bare: String = given.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    if bare.starts_with('+') || bare.starts_with("00") {
        return bare.parse().map(|pattern| vec![pattern]).map_err(|_| unfit());
    }
    let Some(prefix) = bare.strip_suffix(['*', '%']) else {
        return Ok(vec![NumberPattern::exact(parse_telephone(&bare)?)]);
    };
    if prefix.len() < PREFIX_MIN {
        return Err(Problem::unprocessable(format!(
            "{bare} would block a large part of all numbers: write at least {PREFIX_MIN} digits, as in 139* or 0755*"
        )));
    }
    NumberPattern::chinese_prefixes(prefix).filter(|patterns| !patterns.is_empty()).ok_or_else(unfit)
}

/// What [`parse_dialled`] takes, as a JSON Schema pattern: E.164, or a Chinese number as it is dialled.
pub(super) const DIALLED: &str = r"^(\+[1-9][0-9]{6,14}|1[3-9][0-9]{9}|0[1-9][0-9]{9,10}|[48]00[0-9]{7})$";

/// Digits of a number that begins with its country code, written with `+` or `00`.
fn international(given: &str) -> Option<u64> {
    let bare: String = given.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let digits = bare.strip_prefix('+').or_else(|| bare.strip_prefix("00"))?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// Parses a number to dial: of any country with `+` or `00`, else as [`parse_telephone`]. Emergency numbers are
/// refused in any spelling.
pub(super) fn parse_dialled(given: &str) -> Result<PhoneNumber, Problem> {
    if given.len() > 32 || !given.trim_start().starts_with(['+', '0']) {
        return parse_telephone(given);
    }
    match international(given) {
        Some(digits) => PhoneNumber::from_e164(digits).ok_or_else(|| {
            Problem::unprocessable("this number is not dialled: write a whole number such as +8613800138000")
        }),
        None => parse_telephone(given),
    }
}

/// Parses a number of any country, in any spelling that [`parse_telephone`] or [`parse_dialled`] takes.
pub(super) fn parse_any_telephone(given: &str) -> Result<PhoneNumber, Problem> {
    parse_telephone(given).or_else(|_| parse_dialled(given))
}

/// Parses a number to show, as [`parse_dialled`]; service numbers as `+8695188`.
pub(super) fn parse_shown(given: &str) -> Result<ShownNumber, Problem> {
    let shown = international(given).filter(|_| given.len() <= 32).and_then(ShownNumber::from_e164);
    match shown {
        Some(shown) => Ok(shown),
        None => parse_telephone(given).map(ShownNumber::from),
    }
}

/// Parses a telephone number as people write it, with spaces, dashes or +86.
pub(super) fn parse_telephone(given: &str) -> Result<PhoneNumber, Problem> {
    let unfit = || Problem::unprocessable("this is no telephone number: write 13800138000 or 0571-88888888");
    if given.len() > 32 {
        return Err(unfit());
    }
    let bare: String = given.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let bare = bare.strip_prefix("+86").unwrap_or(&bare);
    PhoneNumber::chinese(bare.as_bytes()).map_err(|_| unfit())
}

/// A moment of RFC 3339: a date, a time with seconds, and `Z` or an offset of hours and minutes below a day.
pub(super) fn moment_of(text: &str) -> Option<Utc> {
    let at = text.parse::<jiff::Timestamp>().ok()?;
    let is_offset = |rest: &str| {
        let mut parts = rest.split(':').map(|part| (part.len(), part.parse::<u8>()));
        let (hours, minutes) = (parts.next(), parts.next());
        let below = |part: Option<(usize, Result<u8, _>)>, max: u8| matches!(part, Some((2, Ok(value))) if value < max);
        below(hours, 24) && below(minutes, 60) && parts.next().is_none()
    };
    let (_, time) = text.split_once(['T', 't', ' '])?;
    let offset = time.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ':' | '.'));
    let fits = match offset.strip_prefix(['+', '-']) {
        Some(rest) => is_offset(rest),
        None => matches!(offset, "Z" | "z"),
    };
    fits.then(|| Utc::from_millis(at.as_millisecond()))
}

/// Parses an RFC 3339 moment to milliseconds of UTC.
pub(super) fn parse_moment(text: Option<&str>, what: &str) -> Result<Option<i64>, Problem> {
    let unfit = || Problem::unprocessable(format!("{what}: a moment like 2030-01-31T09:30:00Z"));
    text.map(|text| moment_of(text).map(Utc::as_millis).ok_or_else(unfit)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_an_offset_that_a_clock_can_have() {
        let at = Utc::from_millis(1_895_909_400_000);
        for text in ["2030-01-29T09:30:00Z", "2030-01-29t17:30:00.000+08:00", "2030-01-29 00:30:00-09:00"] {
            assert_eq!(moment_of(text), Some(at), "{text}");
        }
        for text in [
            "2030-01-29T09:30:00",
            "2030-01-29",
            "2030-01-29T09:30:00+25:00",
            "2030-01-29T09:30:00+08",
            "2030-01-29T09:30:00+0800",
            "2030-01-29T09:30:00+08:00:30",
            "2030-01-29T09:30:00+08:00[Asia/Shanghai]",
            "2030-01-29T09:30:00Z[UTC]",
        ] {
            assert_eq!(moment_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_of_any_country_is_dialled_and_an_emergency_number_never() {
        for (given, digits) in [
            ("13800138000", 8_613_800_138_000),
            ("+86 755 8888 8888", 8_675_588_888_888),
            ("0755-88888888", 8_675_588_888_888),
            ("+44 20 7946 0000", 442_079_460_000),
            ("0044 20 7946 0000", 442_079_460_000),
        ] {
            assert_eq!(parse_dialled(given).map(PhoneNumber::as_u64), Ok(digits), "{given}");
        }
        for unfit in ["110", "+86110", "0086 110", "", "+", "+12", "+86x", "00", "12345", &"+1".repeat(40)] {
            assert!(parse_dialled(unfit).is_err(), "{unfit}");
        }
        assert_eq!(parse_shown("+8695188").map(ShownNumber::as_u64), Ok(8_695_188));
    }

    #[test]
    fn a_pattern_is_a_number_or_a_range_in_any_usual_spelling() {
        for (given, patterns) in [
            ("13800138000", "+8613800138000"),
            ("+86 138-0013-8000", "+8613800138000"),
            ("0755-8888 8888", "+8675588888888"),
            ("1380013*", "+861380013*"),
            ("138 0013 %", "+861380013*"),
            ("0755*", "+86755*"),
            ("+852*", "+852*"),
            ("00852*", "+852*"),
        ] {
            let found: Vec<String> = parse_pattern(given).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(found, [patterns], "{given}");
        }
        for unfit in [
            "",
            "*",
            "1*",
            "0*",
            "13*",
            "138*0013",
            "110",
            "95588*",
            "abc",
            "+",
            "13800138000123456789*",
            "1380013**8",
        ] {
            assert!(parse_pattern(unfit).is_err(), "{unfit}");
        }
    }
}
