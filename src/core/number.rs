//! `PhoneNumber`: a valid E.164 number that may be dialled. Normalising typed input belongs to the lists;
//! emergency and service numbers are refused here, for every source.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An E.164 number as its digits, country code first, without the plus sign: at most 15 digits,
/// so it fits a `u64` and is cheap to compare, hash and store.
///
/// The emergency and service numbers of China have no value of this type, in any spelling: a list,
/// a blacklist, a store row or a journal that holds one cannot make the dialer place that call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct PhoneNumber(u64);

impl PhoneNumber {
    /// Placeholder for a withheld caller's number. Never shown, never dialled.
    pub(crate) const WITHHELD: PhoneNumber = PhoneNumber(1_000_000);

    /// From digits with country code, for example `8613800138000`. `None` outside 7 to 15 digits,
    /// and for what [`is_service`] names.
    pub const fn from_e164(digits: u64) -> Option<Self> {
        if digits < 1_000_000 || digits > 999_999_999_999_999 {
            return None;
        }
        match china_national(digits) {
            Some(national) if is_service(national) => None,
            _ => Some(PhoneNumber(digits)),
        }
    }

    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The number as it is dialled inside China: `13800138000`, `075512345678`, `4001234567`;
    /// a number of another country as `00` and the whole number.
    pub fn national(self) -> String {
        national_text(self.0)
    }

    /// Whether both are Chinese landlines of one area code (`0755`, `010`).
    pub const fn same_area(self, other: PhoneNumber) -> bool {
        match (self.area_code(), other.area_code()) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => false,
        }
    }

    /// The kind of number, by its shape alone.
    pub const fn kind(self) -> NumberKind {
        match china_national(self.0) {
            None => NumberKind::Abroad,
            Some(n) if is_mobile(n) => NumberKind::Mobile,
            Some(n) if is_hotline(n) => NumberKind::Hotline,
            Some(_) => NumberKind::Landline,
        }
    }

    /// The area code of a Chinese landline without its zero: `10`, `21`, `755`.
    pub const fn area_code(self) -> Option<u16> {
        match (self.kind(), china_national(self.0)) {
            (NumberKind::Landline, Some(n)) => match split_area(n) {
                Some((area, _, _)) => Some(area as u16),
                None => None,
            },
            _ => None,
        }
    }

    /// A Chinese number from its national digits, in any of the forms a line would take: a mobile,
    /// a landline with its area code and leading zero, a 400 or 800 number. No spaces, no `+86`.
    pub const fn chinese(digits: &[u8]) -> Result<Self, NotChinese> {
        // Fast path: nearly every row of a list is a mobile.
        if digits.len() == 11 && digits[0] == b'1' && digits[1] >= b'3' {
            return match value_of(digits) {
                Some(n) => Ok(PhoneNumber(8_600_000_000_000 + n)),
                None => Err(NotChinese::Shape),
            };
        }
        let Some(value) = value_of(digits) else { return Err(NotChinese::Shape) };
        if value == 0 || digits.len() > 16 {
            return Err(NotChinese::Shape);
        }
        if digits[0] != b'0' {
            return Self::without_zero(value, digits.len());
        }
        if is_service(value) {
            return Err(NotChinese::Service);
        }
        // `0` + `138…` is how a mobile is dialled from another city.
        if digits.len() == 12 && is_mobile(value) {
            return Ok(PhoneNumber(8_600_000_000_000 + value));
        }
        let Some((area, _, local_len)) = split_area(value) else { return Err(NotChinese::Shape) };
        if digits[1] == b'0' || (area < 100 && local_len != 8) {
            return Err(NotChinese::Shape);
        }
        match local_len {
            7 | 8 => Ok(PhoneNumber(86 * pow10(length(value)) + value)),
            _ => Err(NotChinese::Shape),
        }
    }

    const fn without_zero(value: u64, len: usize) -> Result<Self, NotChinese> {
        if is_hotline(value) {
            return Ok(PhoneNumber(860_000_000_000 + value));
        }
        if is_short_service(value) {
            return Err(NotChinese::Service);
        }
        match (len, leading(value)) {
            (7 | 8, 2..=9) => Err(NotChinese::NoAreaCode),
            (10 | 11, 2..=9) => Err(NotChinese::NoLeadingZero),
            (10, 1) if value / 100_000_000 == 10 => Err(NotChinese::NoLeadingZero),
            (12.., _) => Err(NotChinese::TooLong),
            (7..=10, 1) => Err(NotChinese::TooShort),
            _ => Err(NotChinese::Shape),
        }
    }
}

/// A number that a call shows: any number that may be dialled, and a short service number of China (`95188`),
/// which many call centres show and no list may dial. Kept as E.164 digits, like [`PhoneNumber`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct ShownNumber(u64);

impl ShownNumber {
    /// From digits with country code; `None` for what is neither a number nor a service number that may be
    /// shown.
    pub const fn from_e164(digits: u64) -> Option<Self> {
        if PhoneNumber::from_e164(digits).is_some() {
            return Some(ShownNumber(digits));
        }
        match digits {
            0..1_000_000 => None,
            _ => match china_national(digits) {
                Some(short) if is_shown_service(short) => Some(ShownNumber(digits)),
                _ => None,
            },
        }
    }

    /// A service number of China as it is dialled: `95188`, `10086`, `12345`. `None` for emergency numbers.
    pub const fn chinese_service(digits: &[u8]) -> Option<Self> {
        match value_of(digits) {
            Some(value) if digits.len() == length(value) as usize && is_shown_service(value) => {
                Some(ShownNumber(86 * pow10(length(value)) + value))
            }
            _ => None,
        }
    }

    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The number as it is dialled inside China; see [`PhoneNumber::national`].
    pub fn national(self) -> String {
        national_text(self.0)
    }

    /// Whether a subscriber can hold it: any number that may be dialled, an enterprise's 95 or 96 number, and eight
    /// digits that begin with 1010. The others are the carriers' and the cities' own (10086, 12345).
    pub const fn is_of_subscribers(self) -> bool {
        if self.dialable().is_some() {
            return true;
        }
        match china_national(self.0) {
            Some(short) => {
                matches!(two_leading(short), 95 | 96) || (length(short) == 8 && short / 10_000 == 1010)
            }
            None => false,
        }
    }

    /// The same number as one that may be dialled; `None` for a service number.
    pub const fn dialable(self) -> Option<PhoneNumber> {
        PhoneNumber::from_e164(self.0)
    }
}

impl From<PhoneNumber> for ShownNumber {
    fn from(number: PhoneNumber) -> Self {
        ShownNumber(number.0)
    }
}

impl TryFrom<u64> for ShownNumber {
    type Error = &'static str;

    fn try_from(digits: u64) -> Result<Self, Self::Error> {
        ShownNumber::from_e164(digits).ok_or("no number that may be shown")
    }
}

impl From<ShownNumber> for u64 {
    fn from(number: ShownNumber) -> u64 {
        number.0
    }
}

/// `+8675512345678`.
impl fmt::Display for ShownNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

/// The kind of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    Mobile,
    Landline,
    /// A 400 or 800 number.
    Hotline,
    Abroad,
}

/// Why digits are no Chinese number that a list may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotChinese {
    /// An emergency or service number: 110, 12345, 95588, 10086, 96110, also behind an area code.
    Service,
    /// Seven or eight digits: a landline without its area code.
    NoAreaCode,
    /// A landline whose leading zero is gone.
    NoLeadingZero,
    TooShort,
    TooLong,
    /// No known form.
    Shape,
}

impl TryFrom<u64> for PhoneNumber {
    type Error = &'static str;

    fn try_from(digits: u64) -> Result<Self, Self::Error> {
        PhoneNumber::from_e164(digits).ok_or("no E.164 number that may be dialled")
    }
}

impl From<PhoneNumber> for u64 {
    fn from(number: PhoneNumber) -> u64 {
        number.0
    }
}

/// `+8613800138000`.
impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

/// Whether national digits (no leading zero) name an emergency, operator or short service number of
/// China: 110, 119, 120, 122, 10xxx, 11xxx, 12xxx, 95xxx, 96xxx with whatever follows them, with or
/// without an area code in front. 400 and 800 numbers are ordinary numbers.
pub const fn is_service(national: u64) -> bool {
    if is_short_service(national) {
        return true;
    }
    if is_hotline(national) || is_mobile(national) {
        return false;
    }
    match split_area(national) {
        Some((_, local, len)) => is_short_service(local) && !(len >= 7 && is_subscriber(local)),
        None => false,
    }
}

/// 1xx to 12xxxx…, 95xxx…, 96xxx…, as they are dialled without an area code.
const fn is_short_service(n: u64) -> bool {
    let len = length(n);
    match two_leading(n) {
        10..=12 => len >= 3 && len <= 8,
        13..=19 => len >= 3 && len <= 6,
        95 | 96 => len >= 5 && len <= 9,
        _ => false,
    }
}

/// A short service number that a call may show: 95xxx, 96xxx, an operator's 100xx or a city's 12xxx, never
/// one that begins like an emergency number.
const fn is_shown_service(n: u64) -> bool {
    let len = length(n);
    if len < 5 || !is_short_service(n) || two_leading(n) > 12 && two_leading(n) < 95 {
        return false;
    }
    !matches!(n / pow10(len - 3), 110 | 112 | 119 | 120 | 122)
}

/// E.164 digits as they are dialled inside China.
fn national_text(e164: u64) -> String {
    let digits = e164.to_string();
    match digits.strip_prefix("86") {
        Some(rest) if rest.len() == 11 && rest.starts_with('1') => rest.to_string(),
        Some(rest) if rest.len() == 10 && (rest.starts_with("400") || rest.starts_with("800")) => {
            rest.to_string()
        }
        Some(_) if china_national(e164).is_some_and(is_shown_service) => digits[2..].to_string(),
        Some(rest) => format!("0{rest}"),
        None => format!("00{digits}"),
    }
}

/// Seven or eight digits behind an area code that begin with 1 but with no carrier's or hotline's
/// prefix: `0755 12345678`, the form of every example, is a landline.
const fn is_subscriber(local: u64) -> bool {
    leading(local) == 1 && local / pow10(length(local) - 3) != 100
}

const fn is_mobile(national: u64) -> bool {
    national >= 13_000_000_000 && national <= 19_999_999_999
}

const fn is_hotline(national: u64) -> bool {
    let prefix = national / 10_000_000;
    prefix == 400 || prefix == 800
}

/// The part behind `86`, if these are a Chinese number's digits.
const fn china_national(e164: u64) -> Option<u64> {
    let scale = pow10(length(e164) - 2);
    if e164 / scale == 86 { Some(e164 % scale) } else { None }
}

/// Area code, local part and its length. `10` and `2x` are the two-digit codes.
const fn split_area(national: u64) -> Option<(u64, u64, u32)> {
    let len = length(national);
    let area_len = match two_leading(national) {
        10 | 20..=29 => 2,
        30..=99 => 3,
        _ => return None,
    };
    if len <= area_len {
        return None;
    }
    let scale = pow10(len - area_len);
    let local = national % scale;
    if local < scale / 10 { None } else { Some((national / scale, local, len - area_len)) }
}

const fn value_of(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let (mut value, mut at) = (0u64, 0);
    while at < digits.len() {
        let digit = digits[at].wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + digit as u64;
        at += 1;
    }
    Some(value)
}

const fn length(n: u64) -> u32 {
    match n.checked_ilog10() {
        Some(log) => log + 1,
        None => 1,
    }
}

const fn pow10(exponent: u32) -> u64 {
    10u64.pow(exponent)
}

const fn leading(n: u64) -> u64 {
    n / pow10(length(n) - 1)
}

const fn two_leading(n: u64) -> u64 {
    let len = length(n);
    if len < 2 { 0 } else { n / pow10(len - 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chinese(text: &str) -> Result<u64, NotChinese> {
        PhoneNumber::chinese(text.as_bytes()).map(PhoneNumber::as_u64)
    }

    #[test]
    fn every_form_that_a_line_takes_is_a_number() {
        for (text, e164, kind) in [
            ("13800138000", 8_613_800_138_000, NumberKind::Mobile),
            ("013800138000", 8_613_800_138_000, NumberKind::Mobile),
            ("19912345678", 8_619_912_345_678, NumberKind::Mobile),
            ("01062345678", 861_062_345_678, NumberKind::Landline),
            ("02087654321", 862_087_654_321, NumberKind::Landline),
            ("075512345678", 8_675_512_345_678, NumberKind::Landline),
            ("03126543210", 863_126_543_210, NumberKind::Landline),
            ("4001234567", 864_001_234_567, NumberKind::Hotline),
            ("8008201234", 868_008_201_234, NumberKind::Hotline),
        ] {
            let number = PhoneNumber::chinese(text.as_bytes()).expect(text);
            assert_eq!(number.as_u64(), e164, "{text}");
            assert_eq!(number.kind(), kind, "{text}");
            assert_eq!(PhoneNumber::from_e164(e164), Some(number), "{text}");
            assert_eq!(number.national(), text.strip_prefix("013").map_or(text.into(), |t| format!("13{t}")));
        }
    }

    #[test]
    fn carriers_and_cities_keep_their_service_numbers() {
        let of_subscribers =
            |text: &str| ShownNumber::chinese_service(text.as_bytes()).expect(text).is_of_subscribers();
        for text in ["95188", "96110", "951051234", "10105757"] {
            assert!(of_subscribers(text), "{text}");
        }
        for text in ["10086", "10010", "10000", "12345", "12306", "12315", "1008611", "11185", "12110"] {
            if ShownNumber::chinese_service(text.as_bytes()).is_some() {
                assert!(!of_subscribers(text), "{text}");
            }
        }
        assert!(ShownNumber::from_e164(8_675_512_345_678).is_some_and(ShownNumber::is_of_subscribers));
        assert!(ShownNumber::from_e164(442_079_460_000).is_some_and(ShownNumber::is_of_subscribers));
    }

    #[test]
    fn emergency_and_service_numbers_do_not_exist_in_any_spelling() {
        for text in [
            "110",
            "112",
            "119",
            "120",
            "122",
            "12110",
            "12306",
            "12315",
            "12345",
            "10000",
            "10010",
            "10086",
            "1008611",
            "114",
            "116114",
            "118114",
            "95588",
            "95013888",
            "951051234",
            "96110",
            "968888",
        ] {
            assert_eq!(chinese(text), Err(NotChinese::Service), "{text}");
            for area in ["010", "021", "0755", "0312"] {
                assert_eq!(chinese(&format!("{area}{text}")), Err(NotChinese::Service), "{area} {text}");
                let e164: u64 = format!("86{}{text}", &area[1..]).parse().expect("a number");
                assert_eq!(PhoneNumber::from_e164(e164), None, "{e164}");
            }
            let e164: u64 = format!("86{text}").parse().expect("a number");
            assert_eq!(PhoneNumber::from_e164(e164), None, "{e164}");
        }
    }

    #[test]
    fn a_service_number_may_be_shown_and_never_dialled() {
        for text in ["95188", "95013888", "96110", "10086", "12345", "12306"] {
            let shown = ShownNumber::chinese_service(text.as_bytes()).expect(text);
            assert_eq!(shown.national(), text);
            assert_eq!(shown.dialable(), None, "{text}");
            assert_eq!(ShownNumber::from_e164(shown.as_u64()), Some(shown), "{text}");
        }
        for text in
            ["110", "119", "11000", "120", "12000", "12210", "112", "114", "95", "13800", "095188", ""]
        {
            assert_eq!(ShownNumber::chinese_service(text.as_bytes()), None, "{text}");
        }
        assert_eq!(ShownNumber::from_e164(86_110), None);
        assert_eq!(ShownNumber::from_e164(8_611_000), None);
        let landline = ShownNumber::from_e164(8_675_512_345_678).expect("a number");
        assert_eq!((landline.national().as_str(), landline.dialable().is_some()), ("075512345678", true));
    }

    #[test]
    fn a_stored_service_number_cannot_be_read_back() {
        use serde::de::IntoDeserializer;
        use serde::de::value::{Error, U64Deserializer};
        let read = |n: u64| {
            let from: U64Deserializer<Error> = n.into_deserializer();
            PhoneNumber::deserialize(from)
        };
        assert!(read(8_610_110).is_err());
        assert!(read(8_675_595_588).is_err());
        assert_eq!(read(8_613_800_138_000).expect("a number").national(), "13800138000");
    }

    #[test]
    fn a_missing_part_of_a_number_is_named_and_never_added() {
        for (text, fault) in [
            ("62345678", NotChinese::NoAreaCode),
            ("6234567", NotChinese::NoAreaCode),
            ("75512345678", NotChinese::NoLeadingZero),
            ("1062345678", NotChinese::NoLeadingZero),
            ("1380013800", NotChinese::TooShort),
            ("138001380", NotChinese::TooShort),
            ("138001380001", NotChinese::TooLong),
            ("12800138000", NotChinese::Shape),
            ("00000000000", NotChinese::Shape),
            ("0106234567", NotChinese::Shape),
            ("", NotChinese::Shape),
            ("1380013800x", NotChinese::Shape),
        ] {
            assert_eq!(chinese(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn area_codes_belong_to_landlines_only() {
        let area = |text: &str| PhoneNumber::chinese(text.as_bytes()).expect("a number").area_code();
        assert_eq!(area("01062345678"), Some(10));
        assert_eq!(area("02162345678"), Some(21));
        assert_eq!(area("075512345678"), Some(755));
        assert_eq!(area("13800138000"), None);
        assert_eq!(area("4001234567"), None);
        assert_eq!(PhoneNumber::from_e164(14_155_552_671).expect("a number").area_code(), None);
    }

    #[test]
    fn no_value_in_the_whole_range_panics() {
        let mut n = 1u64;
        while n < 1_000_000_000_000_000 {
            for near in [n - 1, n, n + 1, n * 86 / 100, n * 11 / 10] {
                if let Some(number) = PhoneNumber::from_e164(near) {
                    let _ = (number.national(), number.kind(), number.area_code());
                }
            }
            n = n * 13 / 10 + 1;
        }
    }
}
