//! `NumberPattern`: one entry of a blacklist. It names one number, or every number that begins with given
//! digits (a range, an area code, a country).
//!
//! A pattern is kept in E.164 digits, so a number has at most 16 patterns that match it
//! (`NumberPattern::matching`): a store or a hash set answers "is this number blocked?" with a lookup of
//! those, whatever the size of the blacklist.

use crate::number::PhoneNumber;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One number or a range of numbers. As text `+8613800138000` or `+861380013*`, the form of the store, the
/// journal and the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NumberPattern {
    /// E.164 digits, country code first.
    digits: u64,
    is_prefix: bool,
}

/// Why a text is no pattern. The text of a list is parsed by `lists`, which knows the list's region and says
/// what to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPattern {
    #[error("write the country code first: +86755* or +8613800138000")]
    NoCountryCode,
    #[error("a wildcard (*) stands only at the end, after at least one digit")]
    WildcardPlace,
    #[error("only digits, separators and a wildcard (*) at the end belong in a pattern")]
    OtherCharacter,
    #[error("a number has 7 to 15 digits and is no emergency or service number; a prefix has 1 to 15 digits")]
    Digits,
}

impl NumberPattern {
    /// Most digits of a number and of a prefix (E.164).
    pub const DIGITS_MAX: usize = 15;

    /// The pattern of one number.
    pub const fn exact(number: PhoneNumber) -> Self {
        NumberPattern { digits: number.as_u64(), is_prefix: false }
    }

    /// Every number whose E.164 digits begin with these. `None` for 0 and beyond 15 digits.
    pub const fn prefix(digits: u64) -> Option<Self> {
        if digits == 0 || digits > 999_999_999_999_999 {
            return None;
        }
        Some(NumberPattern { digits, is_prefix: true })
    }

    /// Whether this pattern covers the number.
    pub const fn matches(self, number: PhoneNumber) -> bool {
        let mut digits = number.as_u64();
        if !self.is_prefix {
            return digits == self.digits;
        }
        while digits > self.digits {
            digits /= 10;
        }
        digits == self.digits
    }

    /// Every pattern that matches the number: the number itself, then its prefixes from the longest to one digit.
    pub fn matching(number: PhoneNumber) -> impl Iterator<Item = NumberPattern> {
        let shorter = |digits: &u64| (*digits >= 10).then_some(digits / 10);
        let prefixes = std::iter::successors(Some(number.as_u64()), shorter);
        std::iter::once(NumberPattern::exact(number))
            .chain(prefixes.map(|digits| NumberPattern { digits, is_prefix: true }))
    }

    /// The number, if the pattern names one number.
    pub const fn number(self) -> Option<PhoneNumber> {
        if self.is_prefix { None } else { PhoneNumber::from_e164(self.digits) }
    }

    /// The digits of a prefix; of one number, the number.
    pub const fn digits(self) -> u64 {
        self.digits
    }

    pub const fn is_prefix(self) -> bool {
        self.is_prefix
    }

    /// The prefixes that cover exactly the dialable numbers which begin with these digits when they are dialled
    /// inside China: `0755` is one area code, `1380013` a block of mobiles, `1` every mobile (and not the area
    /// code 010), `400` the hotlines, `00852` Hong Kong. Empty where no dialable number begins so (`95588`).
    /// `None`: not digits, no digit, or too many.
    pub fn chinese_prefixes(digits: &str) -> Option<Vec<NumberPattern>> {
        if digits.is_empty() || digits.len() > 17 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let prefix = |country: &str, rest: &str| -> Option<NumberPattern> {
            format!("{country}{rest}").parse().ok().and_then(NumberPattern::prefix)
        };
        let every = |country: &str, first: std::ops::RangeInclusive<u32>| -> Vec<NumberPattern> {
            first.filter_map(|digit| prefix(country, &digit.to_string())).collect()
        };
        if let Some(abroad) = digits.strip_prefix("00") {
            return match (abroad, abroad.strip_prefix("86")) {
                ("", _) => {
                    Some([every("", 1..=7), every("8", 0..=5), every("8", 7..=9), every("", 9..=9)].concat())
                }
                (_, Some(home)) => Self::after_country_code_86(home),
                _ if abroad.starts_with('0') => None,
                _ => Some(prefix("", abroad).into_iter().collect()),
            };
        }
        if let Some(area) = digits.strip_prefix('0') {
            return match (area.as_bytes(), area.as_bytes().get(1)) {
                // Mobiles as dialled from another city: `0138…`.
                (b"", _) => Some(every("86", 1..=9)),
                ([b'1', ..], None | Some(b'0'))
                | ([b'1', ..], Some(b'3'..=b'9'))
                | ([b'2'..=b'9', ..], _) => Some(prefix("86", area).into_iter().collect()),
                _ => Some(Vec::new()),
            };
        }
        Some(match digits.as_bytes() {
            [b'1'] => every("861", 3..=9),
            [b'1', b'3'..=b'9', ..] => prefix("86", digits).into_iter().collect(),
            [b'4' | b'8'] | [b'4' | b'8', b'0'] => {
                prefix("86", &format!("{}00", &digits[..1])).into_iter().collect()
            }
            [b'4' | b'8', b'0', b'0', ..] => prefix("86", digits).into_iter().collect(),
            _ => Vec::new(),
        })
    }

    /// The digits behind country code 86, where a landline may have its leading zero or not.
    fn after_country_code_86(rest: &str) -> Option<Vec<NumberPattern>> {
        let rest = rest.strip_prefix('0').unwrap_or(rest);
        let digits = format!("86{rest}").parse().ok().and_then(NumberPattern::prefix)?;
        Some(vec![digits])
    }
}

impl From<PhoneNumber> for NumberPattern {
    fn from(number: PhoneNumber) -> Self {
        NumberPattern::exact(number)
    }
}

/// With separators and either wildcard (`*`, `%`): `+86 138-0013 *`, `0086755%`.
impl FromStr for NumberPattern {
    type Err = NotPattern;

    fn from_str(text: &str) -> Result<Self, NotPattern> {
        let text = text.trim();
        let digits =
            text.strip_prefix('+').or_else(|| text.strip_prefix("00")).ok_or(NotPattern::NoCountryCode)?;
        let kept: String = digits.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
        let body = kept.trim_end_matches(['*', '%']);
        if body.contains(['*', '%']) || body.is_empty() {
            return Err(NotPattern::WildcardPlace);
        }
        if !body.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotPattern::OtherCharacter);
        }
        if body.len() > Self::DIGITS_MAX || body.starts_with('0') {
            return Err(NotPattern::Digits);
        }
        let digits = body.parse().map_err(|_| NotPattern::Digits)?;
        let pattern = match body.len() == kept.len() {
            true => PhoneNumber::from_e164(digits).map(NumberPattern::exact),
            false => NumberPattern::prefix(digits),
        };
        pattern.ok_or(NotPattern::Digits)
    }
}

impl TryFrom<String> for NumberPattern {
    type Error = NotPattern;

    fn try_from(text: String) -> Result<Self, NotPattern> {
        text.parse()
    }
}

impl From<NumberPattern> for String {
    fn from(pattern: NumberPattern) -> String {
        pattern.to_string()
    }
}

/// `+8613800138000`, `+861380013*`.
impl fmt::Display for NumberPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}{}", self.digits, if self.is_prefix { "*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    fn number(digits: u64) -> PhoneNumber {
        PhoneNumber::from_e164(digits).expect("a number")
    }

    fn pattern(text: &str) -> NumberPattern {
        text.parse().expect(text)
    }

    #[test]
    fn a_pattern_is_read_in_any_international_spelling_and_written_in_one() {
        for (text, written) in [
            ("+8613800138000", "+8613800138000"),
            ("+86 138-0013 8000", "+8613800138000"),
            ("008613800138000", "+8613800138000"),
            ("+861380013*", "+861380013*"),
            ("+86 (755) *", "+86755*"),
            ("0086755%", "+86755*"),
            ("+1415**", "+1415*"),
            ("+8*", "+8*"),
        ] {
            assert_eq!(pattern(text).to_string(), written, "{text}");
            assert_eq!(pattern(written), pattern(text));
        }
        for (text, fault) in [
            ("13800138000", NotPattern::NoCountryCode),
            ("+*", NotPattern::WildcardPlace),
            ("+86138****8000", NotPattern::WildcardPlace),
            ("+86138x", NotPattern::OtherCharacter),
            ("+86110", NotPattern::Digits),
            ("+0755*", NotPattern::Digits),
            ("+8613800138000123*", NotPattern::Digits),
            ("+123456", NotPattern::Digits),
        ] {
            assert_eq!(text.parse::<NumberPattern>(), Err(fault), "{text}");
        }
    }

    /// `matches` equals the comparison of texts, and `matching` lists exactly the patterns that match.
    #[test]
    fn a_number_is_matched_by_its_prefixes_and_by_nothing_else() {
        let seed = 20_261_129;
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..20_000 {
            let len = rng.random_range(7..=15u32);
            let digits = rng.random_range(10u64.pow(len - 1)..10u64.pow(len));
            let Some(number) = PhoneNumber::from_e164(digits) else { continue };
            let cut = rng.random_range(0..len);
            let near = digits / 10u64.pow(cut) + rng.random_range(0..=1u64);
            let prefix = NumberPattern::prefix(near.max(1)).expect("a prefix");
            let by_text = digits.to_string().starts_with(&prefix.digits().to_string());
            assert_eq!(prefix.matches(number), by_text, "{prefix} {number}, seed {seed}");
            assert_eq!(NumberPattern::matching(number).any(|p| p == prefix), by_text, "{prefix} {number}");
            assert!(NumberPattern::matching(number).all(|p| p.matches(number)), "{number}");
            assert_eq!(NumberPattern::matching(number).count(), len as usize + 1);
            assert_eq!(NumberPattern::exact(number).number(), Some(number));
            if let Some(other) = PhoneNumber::from_e164(digits ^ 1) {
                assert!(!NumberPattern::exact(number).matches(other), "{number} {other}");
            }
        }
    }

    #[test]
    fn digits_as_dialled_in_china_become_the_ranges_that_they_name() {
        for (digits, prefixes) in [
            ("0755", "+86755*"),
            ("010", "+8610*"),
            ("1540014000", "+861540014000*"),
            ("138", "+86138*"),
            ("0138", "+86138*"),
            ("1", "+8613* +8614* +8615* +8616* +8617* +8618* +8619*"),
            ("400", "+86400*"),
            ("4", "+86400*"),
            ("00852", "+852*"),
            ("0086755", "+86755*"),
            ("00860755", "+86755*"),
            ("95588", ""),
            ("110", ""),
            ("0110", ""),
        ] {
            let found = NumberPattern::chinese_prefixes(digits).expect(digits);
            let found: Vec<String> = found.iter().map(NumberPattern::to_string).collect();
            assert_eq!(found.join(" "), prefixes, "{digits}");
        }
        let abroad = NumberPattern::chinese_prefixes("00").expect("every other country");
        for (digits, is_abroad) in
            [(14_155_552_671, true), (85_221_234_567, true), (8_613_800_138_000, false)]
        {
            assert_eq!(abroad.iter().any(|p| p.matches(number(digits))), is_abroad, "{digits}");
        }
        for refused in ["", "13a", "000", "123456789012345678"] {
            assert_eq!(NumberPattern::chinese_prefixes(refused), None, "{refused}");
        }
    }

    /// Whatever a national prefix covers is what begins with it in the national form.
    #[test]
    fn a_national_prefix_covers_the_numbers_that_are_dialled_with_it() {
        let seed = 7;
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..20_000 {
            let digits = match rng.random_range(0..4) {
                0 => 8_613_000_000_000 + rng.random_range(0..7_000_000_000u64),
                1 => 861_020_000_000 + rng.random_range(0..70_000_000u64),
                2 => 8_675_520_000_000 + rng.random_range(0..70_000_000u64),
                _ => 864_000_000_000 + rng.random_range(0..9_999_999u64),
            };
            let Some(number) = PhoneNumber::from_e164(digits) else { continue };
            let national = number.national();
            let take = rng.random_range(1..=national.len());
            let own = NumberPattern::chinese_prefixes(&national[..take]).expect("digits");
            assert!(own.iter().any(|p| p.matches(number)), "{national} by {take}, seed {seed}");
            let other = number_near(digits, &mut rng);
            let covered = own.iter().any(|p| p.matches(other));
            let begins = other.national().starts_with(&national[..take]);
            // `0` alone covers mobiles too, since `0138…` is a way to dial them.
            if take > 2 {
                assert_eq!(covered, begins, "{national}/{take} {other}, seed {seed}");
            }
        }
    }

    fn number_near(digits: u64, rng: &mut impl RngExt) -> PhoneNumber {
        loop {
            let near = digits ^ (1 << rng.random_range(0..30u32));
            if let Some(number) = PhoneNumber::from_e164(near)
                && number.kind() != crate::number::NumberKind::Abroad
            {
                return number;
            }
        }
    }

    #[test]
    fn a_pattern_is_one_text_in_json_and_in_the_journal() {
        use serde::de::IntoDeserializer;
        use serde::de::value::{Error, StrDeserializer};
        let from: StrDeserializer<'_, Error> = "+86755*".into_deserializer();
        assert_eq!(NumberPattern::deserialize(from).expect("a pattern"), pattern("+86755*"));
        let from: StrDeserializer<'_, Error> = "+86110".into_deserializer();
        assert!(NumberPattern::deserialize(from).is_err());
    }
}
