//! Parses phone numbers as people type them: a `PhoneNumber`, or a refusal that says what to do. Digits are
//! never guessed or added; the core decides which numbers can exist.

use paceline_core::number::{NotChinese, NumberKind, PhoneNumber, ShownNumber};
use paceline_core::number_pattern::NumberPattern;
use paceline_core::outcome::Reason;
use paceline_core::spreadsheet::is_invisible;
use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};
use rustc_hash::FxHashMap;

/// Why a text is no number that may be called, and what the user can do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{hint}")]
pub struct Refusal {
    pub reason: Reason,
    pub hint: String,
}

/// Longest text that is parsed as a number, in bytes.
const TEXT_MAX: usize = 160;

/// Longest folded text, in bytes: digits, separators, a few letters.
const FOLDED_MAX: usize = 64;

/// Parses a number as people and spreadsheets write it. `region` (ISO 3166 alpha-2, empty = CN) is the
/// country of a number without a country code.
pub fn clean_number(text: &str, region: &str) -> Result<PhoneNumber, Refusal> {
    let in_china = region.is_empty() || region.eq_ignore_ascii_case("CN");
    let bytes = text.as_bytes();
    if in_china
        && bytes.len() == 11
        && bytes[0] == b'1'
        && let Ok(number) = PhoneNumber::chinese(bytes)
    {
        return Ok(number);
    }
    if text.len() > TEXT_MAX {
        return Err(invalid_number(format!("{} characters are no phone number", text.chars().count())));
    }
    let folded = fold(strip_wrapping(text))?;
    let folded = folded.as_str();
    if folded.is_empty() {
        return Err(invalid_number("no phone number in the cell".into()));
    }
    if is_scientific(folded) {
        return Err(invalid_number(format!(
            "a spreadsheet shortened the number to {}: its last digits are lost. Format the column as text and paste the numbers again",
            text.trim()
        )));
    }
    let without_thousands = has_thousands(folded).then(|| folded.replace(',', ""));
    let folded = strip_decimals(without_thousands.as_deref().unwrap_or(folded));
    refuse_extension(folded)?;
    if let Some(other) = folded.chars().find(|c| !matches!(c, '0'..='9' | '+' | '-' | '(' | ')' | '.' | ' '))
    {
        return Err(invalid_number(format!("'{other}' does not belong in a phone number")));
    }
    let international = folded.trim_start_matches(['(', ' ']).starts_with('+');
    if folded.matches('+').count() > usize::from(international) {
        return Err(invalid_number("a plus sign stands only at the start of a number".into()));
    }
    let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
    match parse_digits(&digits, international, in_china, region) {
        Err(refusal) => Err(dashed_extension(folded, in_china, region).unwrap_or(refusal)),
        ok => ok,
    }
}

/// Parses a number that calls show, in any form that people write: `+8675512345678`, `8675512345678`,
/// `0755-12345678`, `0085223456789`, a service number (`95188`). `region` decides national forms. Digits that
/// could be numbers of two countries are refused.
pub fn caller_id(text: &str, region: &str) -> Result<ShownNumber, Refusal> {
    let folded = fold(strip_wrapping(text))?;
    let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
    let is_international = folded.trim_start_matches(['(', ' ']).starts_with('+') || digits.starts_with("00");
    let in_china = region.is_empty() || region.eq_ignore_ascii_case("CN");
    let service = match digits.trim_start_matches("00").strip_prefix("86") {
        Some(rest) if is_international || in_china => Some(rest),
        _ if in_china && !is_international => Some(digits.as_str()),
        _ => None,
    };
    let is_plain = folded.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')'));
    if let Some(shown) =
        service.filter(|_| is_plain).and_then(|digits| ShownNumber::chinese_service(digits.as_bytes()))
    {
        return Ok(shown);
    }
    let read = clean_number(text, region);
    if is_international {
        return read.map(ShownNumber::from);
    }
    // Without a plus sign the digits may still begin with a country code.
    let abroad = parse_foreign(&format!("+{digits}"), None).ok().filter(|number| is_in_plan(*number));
    let (written, plan) = (digits.as_str(), if in_china { "CN" } else { region });
    let two = |home: &str| {
        invalid_number(format!(
            "{written} may be +{written} or a number of {plan}: write it as +{written} or as {home}"
        ))
    };
    match (read, abroad) {
        (Ok(home), Some(abroad)) if home != abroad && !is_in_plan(home) => Err(two(&home.to_string())),
        (Ok(home), _) => Ok(home.into()),
        (Err(refusal), _) if refusal.reason == Reason::EmergencyNumber => Err(refusal),
        (Err(_), Some(_)) if in_china && lacks_leading_part(&digits) => Err(two(&format!("0{digits}"))),
        (Err(_), Some(abroad)) if is_plain => Ok(abroad.into()),
        (Err(refusal), _) => Err(refusal),
    }
}

/// Whether these may be the digits of a Chinese landline without its leading zero or area code.
fn lacks_leading_part(digits: &str) -> bool {
    matches!(PhoneNumber::chinese(digits.as_bytes()), Err(NotChinese::NoLeadingZero | NotChinese::NoAreaCode))
}

/// Splits a cell that holds several numbers: `13800138000/13900139000`, also at ` ::: `, `;`, `、`, `,`, `&`, a new
/// line, `或`, `or`, and at a space between two whole numbers. A cell with one number is one part; a number with
/// thousands separators (`13,800,138,000`) is one number.
pub fn split_numbers(cell: &str) -> impl Iterator<Item = &str> {
    let splits = |c: char| {
        matches!(
            c,
            '/' | ';'
                | ','
                | '|'
                | '&'
                | '\n'
                | '\r'
                | '、'
                | '，'
                | '；'
                | '／'
                | '｜'
                | '＆'
                | '\\'
                | '和'
                | '或'
                | '及'
        )
    };
    let whole = has_thousands(cell).then_some(cell);
    let rest = if whole.is_some() { "" } else { cell };
    let parts = rest.split(":::").flat_map(move |part| part.split(splits)).flat_map(split_words);
    whole.into_iter().chain(parts).map(str::trim).filter(|part| !part.is_empty())
}

/// Splits at ` or `, ` and `, and at spaces if every piece is long enough to be a number of its own.
fn split_words(part: &str) -> impl Iterator<Item = &str> {
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let is_whole = |text: &str| (10..=16).contains(&digits(text));
    let mut pieces: Vec<&str> = vec![part];
    for word in [" or ", " OR ", " and ", " AND "] {
        pieces = pieces.into_iter().flat_map(|piece| piece.split(word)).collect();
    }
    let at_spaces =
        |piece: &&str| piece.split_whitespace().count() > 1 && piece.split_whitespace().all(is_whole);
    pieces
        .into_iter()
        .flat_map(move |piece| match at_spaces(&piece) {
            true => piece.split_whitespace().collect::<Vec<_>>(),
            false => vec![piece],
        })
        .collect::<Vec<_>>()
        .into_iter()
}

/// `13,800,138,000`: groups of three digits and nothing else.
fn has_thousands(cell: &str) -> bool {
    let mut groups = cell.trim().split(',');
    let is_group = |text: &str, len: std::ops::RangeInclusive<usize>| {
        len.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    cell.contains(',')
        && groups.next().is_some_and(|first| is_group(first, 1..=3))
        && groups.all(|g| is_group(g, 3..=3))
}

/// Parses an entry of a blacklist as people write it: a number in any spelling, a prefix (`1380013*`, `0755%`,
/// `1380013????`, `0755开头`), or a range (`13800138000-13800138099`). The prefixes cover exactly the numbers that
/// were named; empty = no number that may be dialled begins so (`95588*`).
pub fn clean_pattern(text: &str, region: &str) -> Result<Vec<NumberPattern>, Refusal> {
    let refused = match clean_number(text, region) {
        Ok(number) => return Ok(vec![number.into()]),
        Err(refusal) => refusal,
    };
    if text.len() > TEXT_MAX {
        return Err(refused);
    }
    let folded = fold(strip_wrapping(text))?.replace('％', "%").replace('？', "?");
    if let Some(range) = clean_range(&folded, region) {
        return range;
    }
    let mut body = folded.trim().trim_start_matches('^');
    body = body.strip_prefix('以').unwrap_or(body);
    let is_wildcard = |c: char| matches!(c, '*' | '%' | '?' | 'x' | '…' | '#');
    let mut is_prefix = body.ends_with(is_wildcard);
    for word in ["开头的号码", "开头", "號段", "号段", "打头", "段"] {
        if let Some(rest) = body.strip_suffix(word) {
            (body, is_prefix) = (rest, true);
        }
    }
    if !is_prefix {
        return match body.contains(is_wildcard) {
            true => Err(invalid_number(
                "a number with hidden digits blocks nothing: write the whole number, or a prefix such as 1380013*"
                    .into(),
            )),
            false => Err(refused),
        };
    }
    let body = body.trim_end_matches(|c| is_wildcard(c) || matches!(c, ' ' | '-' | '.' | '('));
    if body.contains(is_wildcard) {
        return Err(invalid_number("a wildcard stands only at the end: 1380013*, 0755*".into()));
    }
    if let Some(other) = body.chars().find(|c| !matches!(c, '0'..='9' | '+' | '-' | '(' | ')' | '.' | ' ')) {
        return Err(invalid_number(format!("'{other}' does not belong in a prefix")));
    }
    let digits: String = body.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return Err(invalid_number("this would block every number: write the digits it begins with".into()));
    }
    prefixes(&digits, body.trim_start_matches(['(', ' ']).starts_with('+'), region)
}

/// The prefixes that these digits name in a region; `international` = they followed a plus sign.
fn prefixes(digits: &str, international: bool, region: &str) -> Result<Vec<NumberPattern>, Refusal> {
    let in_china = region.is_empty() || region.eq_ignore_ascii_case("CN");
    let refused = || invalid_number(format!("{digits}* is no prefix of any number"));
    let chinese = |digits: &str| NumberPattern::chinese_prefixes(digits).ok_or_else(refused);
    if international {
        return chinese(&format!("00{}", digits.strip_prefix("00").unwrap_or(digits)));
    }
    if digits.starts_with("00") {
        return chinese(digits);
    }
    if in_china {
        // No national number begins with 86.
        if digits.len() >= 3 && digits.starts_with("86") {
            return chinese(&format!("00{digits}"));
        }
        let found = chinese(digits)?;
        let is_service = ["10", "11", "12", "95", "96"].iter().any(|service| digits.starts_with(service));
        return match found.is_empty() && !is_service {
            true => Err(invalid_number(format!("an area code without its leading zero? Write 0{digits}*"))),
            false => Ok(found),
        };
    }
    let Ok(home) = region.to_ascii_uppercase().parse::<Region>() else {
        return Err(invalid_number(format!("'{region}' is no region (two letters, for example CN)")));
    };
    let Some(country) = PHONE_NUMBER_UTIL.get_country_code_for_region(home) else { return Err(refused()) };
    // Italy keeps the leading zero in its international form; North America dials a leading 1.
    let national = match country {
        1 | 39 => digits.strip_prefix('1').filter(|_| country == 1).unwrap_or(digits),
        _ => digits.strip_prefix('0').unwrap_or(digits),
    };
    chinese(&format!("00{country}{national}"))
}

/// Numbers of the largest range that a blacklist may name in one row.
const RANGE_MAX: u64 = 1_000_000;

/// `13800138000-13800138099`, also with `~`, `至`, `到`. `None`: no range.
fn clean_range(folded: &str, region: &str) -> Option<Result<Vec<NumberPattern>, Refusal>> {
    let splits = folded.match_indices(['-', '至', '到']).filter_map(|(at, sign)| {
        let (first, last) = (&folded[..at], &folded[at + sign.len()..]);
        Some((clean_number(first, region).ok()?.as_u64(), clean_number(last, region).ok()?.as_u64()))
    });
    let (first, last) = splits.into_iter().next()?;
    if first > last || last - first >= RANGE_MAX {
        let hint =
            "a range goes from a lower to a higher number of the same block; two numbers stand in two cells";
        return Some(Err(invalid_number(hint.into())));
    }
    Some(Ok(range_prefixes(first, last)))
}

/// The fewest prefixes and numbers that cover the numbers from `first` to `last`, which have equally many digits.
fn range_prefixes(mut first: u64, last: u64) -> Vec<NumberPattern> {
    let mut patterns = Vec::new();
    while first <= last {
        let mut block = 1;
        while first.is_multiple_of(block * 10) && first + block * 10 - 1 <= last {
            block *= 10;
        }
        let pattern = match block {
            1 => PhoneNumber::from_e164(first).map(NumberPattern::exact),
            _ => NumberPattern::prefix(first / block),
        };
        patterns.extend(pattern);
        first += block;
    }
    patterns
}

fn invalid_number(hint: String) -> Refusal {
    Refusal { reason: Reason::InvalidNumber, hint }
}

fn service_refusal(digits: &str) -> Refusal {
    Refusal {
        reason: Reason::EmergencyNumber,
        hint: format!("{digits} is an emergency or service number and is never dialled from a list"),
    }
}

/// Strips the apostrophe that marks text in a spreadsheet, `="…"`, and words such as `tel:` before a number.
fn strip_wrapping(text: &str) -> &str {
    let mut text = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
    text = text.strip_prefix('=').unwrap_or(text);
    text = text.trim_matches(['\'', '"', '’', '‘', '`', '“', '”']);
    for word in [
        "tel",
        "phone",
        "mobile",
        "cell",
        "home",
        "work",
        "office",
        "main",
        "电话",
        "手机",
        "手机号",
        "座机",
        "固话",
        "家庭",
        "办公",
    ] {
        if let Some(head) = text.get(..word.len())
            && head.eq_ignore_ascii_case(word)
            && let Some(rest) = text[word.len()..].trim_start().strip_prefix([':', '：'])
        {
            return rest;
        }
    }
    text
}

/// Folds full-width and typographic forms to ASCII, drops characters without width, lower-cases letters.
fn fold(text: &str) -> Result<String, Refusal> {
    let mut out = String::with_capacity(FOLDED_MAX);
    for c in text.chars() {
        let c = match c {
            '０'..='９' | '＋' | '－' | '（' | '）' | '．' | '＃' | '＊' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => {
                char::from_u32(c as u32 - 0xFEE0).unwrap_or(c)
            }
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE63}' | '\u{FE58}' | '~' | '～' | '〜' | '_' => '-',
            '[' | '【' | '{' => '(',
            ']' | '】' | '}' => ')',
            '·' | '•' | '。' => '.',
            c if is_invisible(c) => continue,
            c if c.is_whitespace() => ' ',
            c => c,
        };
        out.push(c.to_ascii_lowercase());
        if out.len() > FOLDED_MAX {
            return Err(invalid_number(format!("{} characters are no phone number", text.chars().count())));
        }
    }
    let kept = out.trim().len();
    let start = out.len() - out.trim_start().len();
    out.truncate(start + kept);
    out.drain(..start);
    Ok(out)
}

/// `1.38e+10`, `1.38e10`: digits, perhaps a point, then an exponent.
fn is_scientific(folded: &str) -> bool {
    let Some((head, exponent)) = folded.split_once('e') else { return false };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let head = head.strip_prefix(['+', '-']).unwrap_or(head);
    digits(exponent) && digits(&head.replacen(['.', ','], "", 1))
}

/// Strips the decimals of Excel's `13800138000.0`. Other points are separators.
fn strip_decimals(folded: &str) -> &str {
    match folded.split_once('.') {
        Some((whole, zeros))
            if !zeros.is_empty()
                && zeros.bytes().all(|b| b == b'0')
                && whole.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit()) =>
        {
            whole
        }
        _ => folded,
    }
}

const EXTENSION: &str = "extensions cannot be dialled: give the number without it, or a direct number";

fn refuse_extension(folded: &str) -> Result<(), Refusal> {
    for mark in ["转", "轉", "分机", "分機", "ext", "x", "#", "*"] {
        if let Some(at) = folded.find(mark)
            && folded[..at].bytes().filter(u8::is_ascii_digit).count() >= 5
            && folded[at + mark.len()..].bytes().any(|b| b.is_ascii_digit())
        {
            return Err(invalid_number(EXTENSION.into()));
        }
    }
    Ok(())
}

/// Recognises `0755-12345678-123`: a complete number, a dash, and up to 6 more digits.
fn dashed_extension(folded: &str, in_china: bool, region: &str) -> Option<Refusal> {
    let (number, tail) = folded.rsplit_once(['-', ' ', '('])?;
    let tail_len = tail.bytes().filter(u8::is_ascii_digit).count();
    let international = number.starts_with('+');
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let whole = (1..=6).contains(&tail_len) && parse_digits(&digits, international, in_china, region).is_ok();
    whole.then(|| invalid_number(EXTENSION.into()))
}

/// Parses bare digits; `international` = they followed a plus sign.
fn parse_digits(
    digits: &str,
    international: bool,
    in_china: bool,
    region: &str,
) -> Result<PhoneNumber, Refusal> {
    if digits.is_empty() {
        return Err(invalid_number("no digits in the cell".into()));
    }
    if !international && in_china {
        let home = PhoneNumber::chinese(digits.as_bytes());
        return match (home, digits.strip_prefix("00"), digits.strip_prefix("86")) {
            (Ok(number), ..) => Ok(number),
            (Err(NotChinese::Service), ..) => Err(service_refusal(digits)),
            (_, Some(abroad), _) => parse_digits(abroad, true, in_china, region),
            (Err(fault), _, Some(rest)) => match parse_after_86(rest) {
                Ok(number) if digits.len() >= 12 => Ok(number),
                Err(NotChinese::Service) => Err(service_refusal(rest)),
                _ => Err(refusal_for(fault, digits)),
            },
            (Err(fault), ..) => Err(refusal_for(fault, digits)),
        };
    }
    if international {
        let digits = digits.strip_prefix("00").unwrap_or(digits);
        if let Some(rest) = digits.strip_prefix("86") {
            return parse_after_86(rest).map_err(|fault| refusal_for(fault, rest));
        }
        return parse_foreign(&format!("+{digits}"), None);
    }
    if digits.len() <= 6 && ["000", "110", "112", "119", "120", "122", "911", "999"].contains(&digits) {
        return Err(service_refusal(digits));
    }
    let Ok(home) = region.to_ascii_uppercase().parse::<Region>() else {
        return Err(invalid_number(format!("'{region}' is no region (two letters, for example CN)")));
    };
    parse_foreign(digits, Some(home))
}

/// Parses the digits after country code 86, where a landline may have its leading zero or not.
fn parse_after_86(rest: &str) -> Result<PhoneNumber, NotChinese> {
    match PhoneNumber::chinese(rest.as_bytes()) {
        Err(NotChinese::NoLeadingZero) => PhoneNumber::chinese(format!("0{rest}").as_bytes()),
        Err(NotChinese::Service) => Err(NotChinese::Service),
        Err(fault) => match PhoneNumber::chinese(format!("0{rest}").as_bytes()) {
            Err(NotChinese::Service) => Err(NotChinese::Service),
            _ => Err(fault),
        },
        ok => ok,
    }
}

/// Parses a number of another country. Its length must fit the number plan; an unknown range is accepted.
fn parse_foreign(digits: &str, home: Option<Region>) -> Result<PhoneNumber, Refusal> {
    let refused = || invalid_number(format!("{digits} is no number of any known country"));
    let parsed = PHONE_NUMBER_UTIL.parse(digits, home).map_err(|_| refused())?;
    match parsed.is_possible_with_reason() {
        Ok(NumberLengthType::IsPossible) => {}
        Ok(NumberLengthType::IsPossibleLocalOnly) => {
            return Err(invalid_number(format!("{digits} lacks its area code")));
        }
        Err(_) => {
            return Err(invalid_number(format!("{digits} has too few or too many digits for its country")));
        }
    }
    let e164 = parsed.format_as(PhoneNumberFormat::E164);
    let e164 = e164.trim_start_matches('+');
    if let Some(rest) = e164.strip_prefix("86") {
        return parse_after_86(rest).map_err(|fault| refusal_for(fault, rest));
    }
    e164.parse().ok().and_then(PhoneNumber::from_e164).ok_or_else(refused)
}

/// Eight digits that are a day of this or the last century: `20270212`.
fn is_date(digits: &str) -> bool {
    let part = |range: std::ops::Range<usize>| digits.get(range).and_then(|text| text.parse::<u32>().ok());
    digits.len() == 8
        && part(0..4).is_some_and(|year| (1900..2100).contains(&year))
        && part(4..6).is_some_and(|month| (1..=12).contains(&month))
        && part(6..8).is_some_and(|day| (1..=31).contains(&day))
}

fn refusal_for(fault: NotChinese, digits: &str) -> Refusal {
    let count = digits.len();
    invalid_number(match fault {
        NotChinese::Service => return service_refusal(digits),
        NotChinese::NoAreaCode => match is_date(digits) {
            true => "a date, not a number".to_owned(),
            false => format!("a landline without its area code: write 0, its own area code, then {digits}"),
        },
        NotChinese::NoLeadingZero => {
            format!("a landline without its leading zero? Write 0{digits} if that is the number")
        }
        NotChinese::TooShort => format!("{count} digits: a mobile number has 11"),
        NotChinese::TooLong => {
            format!("{count} digits are too many: a mobile number has 11, a landline 10 to 12 with area code")
        }
        NotChinese::Shape => format!("{digits} is no Chinese mobile, landline or 400 number"),
    })
}

/// Number ranges that the number plan calls unassigned. They cause a warning, never a refusal, since new
/// ranges open every year. The plan is asked once per range and the answer cached, so a row costs one table
/// lookup.
#[derive(Debug, Default)]
pub struct NumberRanges {
    /// By the first five digits of a mobile, from 13000: 0 = not looked up, 1 = in use, 2 = not.
    mobile: Vec<u8>,
    other: FxHashMap<u64, bool>,
}

impl NumberRanges {
    pub fn is_in_use(&mut self, number: PhoneNumber) -> bool {
        if number.kind() == NumberKind::Mobile {
            self.mobile.resize(7_000, 0);
            let range = ((number.as_u64() - 8_613_000_000_000) / 1_000_000) as usize;
            let known = &mut self.mobile[range];
            if *known == 0 {
                *known = if is_in_plan(number) { 1 } else { 2 };
            }
            return *known == 1;
        }
        if self.other.len() > 65_536 {
            self.other.clear();
        }
        *self.other.entry(number.as_u64() / 10_000).or_insert_with(|| is_in_plan(number))
    }
}

fn is_in_plan(number: PhoneNumber) -> bool {
    PHONE_NUMBER_UTIL.parse(number.to_string(), None).is_ok_and(|parsed| parsed.is_valid())
}

#[cfg(test)]
#[path = "clean_tests.rs"]
mod tests;
