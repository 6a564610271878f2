//! Index of a message's header lines: spans over its bytes, found in one pass, without allocation for
//! ordinary messages and without interpreting values.

use super::ParseError;
use crate::sip::grammar::{find_byte, is_token_byte};
use crate::sip::headers::HeaderName;
use std::borrow::Cow;

/// The largest message, on any transport.
pub const MAX_MESSAGE: usize = 65_535;
/// The most header lines that are taken (folded lines count once).
pub const MAX_HEADERS: usize = 256;
/// Spans held without allocation.
const INLINE: usize = 40;

/// One header line: its known name, and the positions of name and value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub name: HeaderName,
    folded: bool,
    name_start: u16,
    name_end: u16,
    value_start: u16,
    value_end: u16,
}

const NO_SPAN: Span = Span {
    name: HeaderName::Extension,
    folded: false,
    name_start: 0,
    name_end: 0,
    value_start: 0,
    value_end: 0,
};

impl Span {
    pub fn name_text<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[usize::from(self.name_start)..usize::from(self.name_end)]
    }

    /// Like `value`, borrowed from `head` when the whole header part is UTF-8.
    pub fn text<'a>(&self, head: Option<&'a str>, bytes: &'a [u8]) -> Cow<'a, str> {
        let text = head.and_then(|head| head.get(usize::from(self.value_start)..usize::from(self.value_end)));
        match text {
            Some(text) if !self.folded && find_byte(text.as_bytes(), b'\r').is_none() => Cow::Borrowed(text),
            _ => self.value(bytes),
        }
    }

    /// The value as received: trimmed, folds included.
    pub fn raw<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[usize::from(self.value_start)..usize::from(self.value_end)]
    }

    /// The value, trimmed, each fold replaced by one blank; a stray CR too, so that a copied value cannot
    /// end a line.
    pub fn value<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        let raw = self.raw(bytes);
        let text = String::from_utf8_lossy(raw);
        if self.folded || find_byte(raw, b'\r').is_some() { Cow::Owned(unfold(&text)) } else { text }
    }
}

fn unfold(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(if plain.is_empty() { line } else { line.trim_start_matches([' ', '\t']) });
    }
    plain.replace('\r', " ").trim_matches([' ', '\t']).to_string()
}

/// The spans of all header lines, in order.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    inline: [Span; INLINE],
    count: usize,
    spilled: Vec<Span>,
    /// End of the header part; the body starts here.
    pub body_start: usize,
}

impl Index {
    /// Reads header lines from `start` to the empty line. A datagram that ends right after a complete
    /// header line counts as if the empty line were present.
    pub fn read(bytes: &[u8], start: usize) -> Result<Self, ParseError> {
        Self::scan(bytes, start, false)
    }

    /// Like `read`, but skips unreadable lines: a refusal quotes the headers that could be read.
    pub fn read_leniently(bytes: &[u8], start: usize) -> Self {
        let bytes = &bytes[..bytes.len().min(MAX_MESSAGE)];
        Self::scan(bytes, start, true).unwrap_or_else(|_| Self::empty(bytes.len()))
    }

    const fn empty(body_start: usize) -> Self {
        Index { inline: [NO_SPAN; INLINE], count: 0, spilled: Vec::new(), body_start }
    }

    fn scan(bytes: &[u8], start: usize, lenient: bool) -> Result<Self, ParseError> {
        let mut index = Self::empty(bytes.len());
        let mut at = start;
        while at < bytes.len() {
            let Some((mut end, mut next)) = line_end(bytes, at) else {
                return if lenient { Ok(index) } else { Err(ParseError::Unfinished) };
            };
            if end == at {
                index.body_start = next;
                return Ok(index);
            }
            let mut folded = false;
            while matches!(bytes.get(next), Some(b' ' | b'\t')) {
                let Some(fold) = line_end(bytes, next) else {
                    return if lenient { Ok(index) } else { Err(ParseError::Unfinished) };
                };
                (end, next) = fold;
                folded = true;
            }
            let pushed = span(bytes, at, end, folded).and_then(|span| index.push(span));
            if !lenient {
                pushed?;
            }
            at = next;
        }
        Ok(index)
    }

    fn push(&mut self, span: Span) -> Result<(), ParseError> {
        if let Some(place) = self.inline.get_mut(self.count) {
            *place = span;
            self.count += 1;
        } else if self.count + self.spilled.len() < MAX_HEADERS {
            self.spilled.push(span);
        } else {
            return Err(ParseError::TooManyHeaders);
        }
        Ok(())
    }

    pub fn spans(&self) -> impl Iterator<Item = &Span> {
        self.inline[..self.count].iter().chain(&self.spilled)
    }

    pub fn find(&self, name: HeaderName) -> Option<&Span> {
        self.spans().find(|span| span.name == name)
    }
}

/// One header line. Blanks before the colon are allowed (RFC 3261 section 7.3.1).
fn span(bytes: &[u8], start: usize, end: usize, folded: bool) -> Result<Span, ParseError> {
    let line = &bytes[start..end];
    let name_length = line.iter().position(|byte| !is_token_byte(*byte)).ok_or(ParseError::HeaderLine)?;
    let name = &line[..name_length];
    let gap = line[name_length..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let colon = name_length + gap;
    if name.is_empty() || line.get(colon) != Some(&b':') {
        return Err(ParseError::HeaderLine);
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let value = &line[colon + 1..];
    let lead = value.iter().position(|byte| !blank(byte)).unwrap_or(value.len());
    let tail = value[lead..].iter().rev().take_while(|byte| blank(byte)).count();
    let place = |at: usize| u16::try_from(at).map_err(|_| ParseError::TooLarge);
    Ok(Span {
        name: HeaderName::parse(name),
        folded,
        name_start: place(start)?,
        name_end: place(start + name.len())?,
        value_start: place(start + colon + 1 + lead)?,
        value_end: place(end - tail)?,
    })
}

/// The end of the line that starts at `at` (without CRLF or LF) and the start of the next one.
pub(crate) fn line_end(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let feed = at + find_byte(&bytes[at..], b'\n')?;
    let end = if feed > at && bytes[feed - 1] == b'\r' { feed - 1 } else { feed };
    Some((end, feed + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_on_header_lines_holds() {
        let lines = |count: usize| "a: b\r\n".repeat(count) + "\r\n";
        assert_eq!(
            Index::read(lines(MAX_HEADERS).as_bytes(), 0).map(|index| index.spans().count()),
            Ok(MAX_HEADERS)
        );
        assert_eq!(
            Index::read(lines(MAX_HEADERS + 1).as_bytes(), 0).map(|_| ()),
            Err(ParseError::TooManyHeaders)
        );
    }

    #[test]
    fn folds_blanks_and_bare_line_feeds_are_parsed() {
        let bytes = b"Subject  : one \r\n\t two\n   three \r\nX-Empty:\r\ns:\r\n x\n\nbody";
        let index = Index::read(bytes, 0).expect("an index");
        let values: Vec<_> = index.spans().map(|span| (span.name, span.value(bytes).into_owned())).collect();
        assert_eq!(
            values,
            [
                (HeaderName::Subject, "one  two three".to_string()),
                (HeaderName::Extension, String::new()),
                (HeaderName::Subject, "x".to_string()),
            ]
        );
        assert_eq!(&bytes[index.body_start..], b"body");
    }
}
