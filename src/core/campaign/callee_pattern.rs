//! Which numbers a trunk may carry: patterns over a callee's number, and the country that is home for a campaign.
//!
//! A call abroad is where stolen access and mistyped lists cost real money, so nothing leaves the home country
//! unless a pattern says so.

use crate::number::PhoneNumber;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The country of a campaign's list, as far as patterns need its number plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeCountry {
    /// Country calling code, 1 to 3 digits.
    pub code: u16,
    /// Dialled before a number within the country: `0`, `1`; empty = none.
    pub trunk_prefix: String,
    /// Where countries share a code (North America, +7): the three digits behind the code that are of this one.
    /// Empty = all.
    pub areas: Vec<u16>,
}

impl HomeCountry {
    /// China, whose number plan the core knows.
    pub fn china() -> Self {
        HomeCountry { code: 86, trunk_prefix: "0".into(), areas: Vec::new() }
    }

    /// The digits behind the country code. `None` = a number of another country.
    fn subscriber(&self, number: PhoneNumber) -> Option<String> {
        let digits = number.as_u64().to_string();
        let rest = digits.strip_prefix(&self.code.to_string())?;
        let is_own = self.areas.is_empty()
            || rest
                .get(..3)
                .and_then(|area| area.parse().ok())
                .is_some_and(|area| self.areas.contains(&area));
        is_own.then(|| rest.to_owned())
    }

    /// Whether the number is one of this country.
    pub fn has(&self, number: PhoneNumber) -> bool {
        self.subscriber(number).is_some()
    }
}

/// A pattern of `allow` or `deny`: `*`, `13800138000`, `0755*`, `00852*`, `+44*`.
///
/// - `*` is every number.
/// - `+…` and `00…` are digits with the country code; `00*` alone is every number abroad.
/// - Other digits are a number of the home country as it is dialled there; where the trunk prefix is `0` or `1`,
///   also without it (not in China, where `10…` would be a mobile).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CalleePattern(String);

/// Why a text is no pattern of `allow` or `deny`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCalleePattern {
    #[error("it is empty: write * for every number")]
    Empty,
    #[error("a * stands only at the end")]
    WildcardPlace,
    #[error("a plus sign stands only at the start, before a country code")]
    PlusPlace,
    #[error("only digits, a leading + and a * at the end belong in a pattern, as in 0755* or +852*")]
    OtherCharacter,
    #[error("a number has at most 15 digits")]
    TooLong,
}

/// Most digits of a pattern: a number of 15 behind the international prefix `00`.
const DIGITS_MAX: usize = 17;

impl CalleePattern {
    /// Every number.
    pub fn every() -> Self {
        CalleePattern("*".into())
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern covers this number for a list of `home`.
    pub fn matches(&self, number: PhoneNumber, home: &HomeCountry) -> bool {
        let (digits, is_prefix) = match self.0.strip_suffix('*') {
            Some(digits) => (digits, true),
            None => (self.0.as_str(), false),
        };
        let covers = |text: &str| if is_prefix { text.starts_with(digits) } else { text == digits };
        if digits.is_empty() {
            return true;
        }
        if digits == "00" {
            return is_prefix && !home.has(number);
        }
        let e164 = number.as_u64();
        if digits.starts_with('+') {
            return covers(&format!("+{e164}"));
        }
        if digits.starts_with("00") {
            return covers(&format!("00{e164}"));
        }
        let Some(subscriber) = home.subscriber(number) else { return false };
        if home.code == 86 {
            return covers(&number.national());
        }
        let is_optional = matches!(home.trunk_prefix.as_str(), "0" | "1");
        covers(&format!("{}{subscriber}", home.trunk_prefix)) || is_optional && covers(&subscriber)
    }
}

impl FromStr for CalleePattern {
    type Err = NotCalleePattern;

    fn from_str(text: &str) -> Result<Self, NotCalleePattern> {
        let body = text.strip_suffix('*').unwrap_or(text);
        let digits = body.strip_prefix('+').unwrap_or(body);
        match () {
            () if text.is_empty() => Err(NotCalleePattern::Empty),
            () if digits.contains('*') => Err(NotCalleePattern::WildcardPlace),
            () if digits.contains('+') => Err(NotCalleePattern::PlusPlace),
            () if !digits.bytes().all(|byte| byte.is_ascii_digit()) => Err(NotCalleePattern::OtherCharacter),
            () if body.starts_with('+') && (digits.is_empty() || digits.starts_with('0')) => {
                Err(NotCalleePattern::PlusPlace)
            }
            () if digits.len() > DIGITS_MAX => Err(NotCalleePattern::TooLong),
            () => Ok(CalleePattern(text.to_owned())),
        }
    }
}

impl TryFrom<String> for CalleePattern {
    type Error = NotCalleePattern;

    fn try_from(text: String) -> Result<Self, NotCalleePattern> {
        text.parse()
    }
}

impl From<CalleePattern> for String {
    fn from(pattern: CalleePattern) -> String {
        pattern.0
    }
}

impl fmt::Display for CalleePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(region: &str) -> HomeCountry {
        let (code, trunk_prefix, areas): (u16, &str, &[u16]) = match region {
            "GB" => (44, "0", &[]),
            "US" => (1, "1", &[212, 415]),
            "HK" => (852, "", &[]),
            _ => return HomeCountry::china(),
        };
        HomeCountry { code, trunk_prefix: trunk_prefix.into(), areas: areas.to_vec() }
    }

    #[test]
    fn a_pattern_covers_what_is_dialled_so_at_home() {
        for (region, pattern, number, covers) in [
            ("CN", "*", 442_079_460_906, true),
            ("CN", "1*", 8_615_400_890_100, true),
            ("CN", "1*", 861_062_345_678, false),
            ("CN", "010*", 861_062_345_678, true),
            ("CN", "10*", 861_062_345_678, false),
            ("CN", "0*", 8_675_512_345_678, true),
            ("CN", "0*", 442_079_460_906, false),
            ("CN", "00*", 442_079_460_906, true),
            ("CN", "00*", 8_675_512_345_678, false),
            ("CN", "0044*", 442_079_460_906, true),
            ("CN", "+44*", 442_079_460_906, true),
            ("CN", "+86*", 8_675_512_345_678, true),
            ("CN", "400*", 864_001_234_567, true),
            ("CN", "15400890100", 8_615_400_890_100, true),
            ("CN", "1540089010", 8_615_400_890_100, false),
            ("CN", "+8615400890100", 8_615_400_890_100, true),
            ("GB", "020*", 442_079_460_906, true),
            ("GB", "20*", 442_079_460_906, true),
            ("GB", "0*", 8_615_400_890_100, false),
            ("GB", "00*", 8_615_400_890_100, true),
            ("US", "415*", 14_155_550_100, true),
            ("US", "1415*", 14_155_550_100, true),
            ("US", "1*", 14_165_550_100, false),
            ("US", "00*", 14_165_550_100, true),
            ("US", "+1416*", 14_165_550_100, true),
            ("HK", "5*", 85_251_234_500, true),
            ("HK", "0*", 85_251_234_500, false),
        ] {
            let parsed: CalleePattern = pattern.parse().expect(pattern);
            let number = PhoneNumber::from_e164(number).expect("a number");
            assert_eq!(parsed.matches(number, &home(region)), covers, "{region} {pattern} {number}");
        }
    }

    #[test]
    fn an_odd_pattern_is_refused() {
        for (text, fault) in [
            ("", NotCalleePattern::Empty),
            ("1*3", NotCalleePattern::WildcardPlace),
            ("**", NotCalleePattern::WildcardPlace),
            ("+", NotCalleePattern::PlusPlace),
            ("+*", NotCalleePattern::PlusPlace),
            ("+0755*", NotCalleePattern::PlusPlace),
            ("0+44", NotCalleePattern::PlusPlace),
            ("0755-*", NotCalleePattern::OtherCharacter),
            (" 1*", NotCalleePattern::OtherCharacter),
            ("１*", NotCalleePattern::OtherCharacter),
            ("1x", NotCalleePattern::OtherCharacter),
            ("123456789012345678*", NotCalleePattern::TooLong),
        ] {
            assert_eq!(text.parse::<CalleePattern>(), Err(fault), "{text:?}");
        }
    }
}
