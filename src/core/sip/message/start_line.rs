//! The start line: request line or status line.

use super::ParseError;
use super::index::line_end;
use crate::sip::grammar::{digits, is_token_byte, split_once};
use crate::sip::method::Method;
use crate::sip::uri::UriParts;

/// The first line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    Request {
        method: Method<'a>,
        /// As received; `Uri::parse` reads it.
        uri: &'a str,
    },
    Response {
        /// 100 to 699.
        code: u16,
        /// May be empty.
        reason: &'a str,
    },
}

/// The start line, and the offset of the headers. Leading line ends are skipped (RFC 3261 section 7.5).
/// Parts of the start line must be separated by exactly one blank.
pub(in crate::sip) fn read_start(bytes: &[u8]) -> Result<(StartLine<'_>, usize), ParseError> {
    let lead = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    if lead == bytes.len() {
        return Err(ParseError::Empty);
    }
    let (end, next) = line_end(bytes, lead).ok_or(ParseError::StartLine)?;
    let line = &bytes[lead..end];
    let start = if line.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/")) {
        response_line(line)?
    } else {
        request_line(line)?
    };
    Ok((start, next))
}

fn response_line(line: &[u8]) -> Result<StartLine<'_>, ParseError> {
    if line.get(4..8).is_none_or(|version| version != b"2.0 ") {
        return Err(ParseError::Version);
    }
    let code = line.get(8..11).and_then(|code| std::str::from_utf8(code).ok()).and_then(digits);
    let code = code.filter(|code| (100..700).contains(code)).ok_or(ParseError::StartLine)?;
    let reason = match line.get(11) {
        None => &[][..],
        Some(b' ') => &line[12..],
        Some(_) => return Err(ParseError::StartLine),
    };
    // A reason phrase in another encoding, or with a stray CR, must not cost the call.
    let reason = std::str::from_utf8(reason).unwrap_or("");
    let reason = reason.split('\r').next().unwrap_or("").trim();
    Ok(StartLine::Response { code: code as u16, reason })
}

fn request_line(line: &[u8]) -> Result<StartLine<'_>, ParseError> {
    let text = std::str::from_utf8(line).map_err(|_| ParseError::StartLine)?;
    let (method, rest) = split_once(text, b' ').ok_or(ParseError::StartLine)?;
    if method.is_empty() || !method.bytes().all(is_token_byte) {
        return Err(ParseError::StartLine);
    }
    // Check for SIP first: only a SIP request gets an error response.
    let trimmed = rest.trim_end_matches([' ', '\t']);
    let (uri, version) = trimmed.rsplit_once(' ').ok_or(ParseError::StartLine)?;
    if !version.get(..4).is_some_and(|protocol| protocol.eq_ignore_ascii_case("SIP/")) {
        return Err(ParseError::StartLine);
    }
    if &version[4..] != "2.0" {
        return Err(ParseError::Version);
    }
    if trimmed.len() != rest.len() {
        return Err(ParseError::RequestUri);
    }
    let parts = UriParts::parse(uri).ok_or(ParseError::RequestUri)?;
    if parts.headers.is_some() {
        return Err(ParseError::RequestUri);
    }
    Ok(StartLine::Request { method: Method::parse(method), uri })
}
