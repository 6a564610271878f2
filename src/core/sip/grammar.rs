//! Lexical rules of SIP shared by the parsers (RFC 3261 section 25): character classes, digits, splitting, and
//! quoted strings.

use std::borrow::Cow;

/// Byte classes as a lookup table, since every byte of a message is classified.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let letter = byte as u8;
        let token = letter.is_ascii_alphanumeric()
            || matches!(letter, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
        let uri = letter > b' ' && letter != 0x7f && !matches!(letter, b'<' | b'>' | b'"');
        classes[byte] = token as u8 | (uri as u8) << 1;
        byte += 1;
    }
    classes
};

/// Whether a byte may be in a `token` (RFC 3261 section 25.1).
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    CLASSES[byte as usize] & 1 != 0
}

/// Whether a byte may appear in a URI: no blank, control character or delimiter.
pub(crate) const fn is_uri_byte(byte: u8) -> bool {
    CLASSES[byte as usize] & 2 != 0
}

/// Parses a number that consists of digits only; `None` above `u32::MAX`.
pub(crate) fn digits(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Splits at the first such ASCII byte. A plain loop: headers are short, and the standard library's search
/// is tuned for long texts.
pub(crate) fn split_once(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|known| known == byte)?;
    Some((&text[..at], &text[at + 1..]))
}

/// Position of the first such byte, searched eight bytes at a time: header lines are long and line feeds
/// rare.
pub(crate) fn find_byte(bytes: &[u8], wanted: u8) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let pattern = LOW * u64::from(wanted);
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let matches = u64::from_le_bytes(*word) ^ pattern;
        let zero_bytes = matches.wrapping_sub(LOW) & !matches & HIGH;
        if zero_bytes != 0 {
            return Some(at * 8 + zero_bytes.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|byte| *byte == wanted).map(|at| words.len() * 8 + at)
}

/// Whether every quoted string is closed. Text appended after an open quote would end up inside it.
pub(crate) fn quotes_are_closed(text: &str) -> bool {
    !text.contains('"') || scan(text, |_| false).is_ok()
}

/// Position of the first such ASCII byte outside double quotes.
pub(crate) fn find_unquoted(text: &str, wanted: u8) -> Option<usize> {
    let first = find_byte(text.as_bytes(), wanted)?;
    if find_byte(&text.as_bytes()[..first], b'"').is_none() {
        return Some(first);
    }
    scan(text, |byte| byte == wanted).ok().flatten()
}

/// The first wanted byte outside quotes; an error if a quote is still open at the end.
fn scan(text: &str, wanted: impl Fn(u8) -> bool) -> Result<Option<usize>, ()> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if quoted {
            match byte {
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
        } else if wanted(byte) {
            return Ok(Some(at));
        } else if byte == b'"' {
            quoted = true;
        }
    }
    if quoted { Err(()) } else { Ok(None) }
}

/// The text inside a quoted string, escapes resolved; other text unchanged.
pub(crate) fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        plain.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    Cow::Owned(plain)
}

/// Escapes a value for a quoted string: quotes and backslashes escaped, control characters dropped.
pub(crate) fn escape_quoted(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_found_at_every_place() {
        for length in 0..40 {
            for place in 0..length {
                let mut bytes = vec![b'\r'; length];
                bytes[place] = b'\n';
                assert_eq!(find_byte(&bytes, b'\n'), Some(place), "{length} {place}");
            }
            assert_eq!(find_byte(&vec![0x8a; length], b'\n'), None);
        }
    }
}
