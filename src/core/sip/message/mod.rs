//! The SIP message parser: one pass over borrowed bytes, nothing copied. Typed header access is in `typed`;
//! `sip::build` writes messages; `sip::frame` splits a stream into messages.

mod error;
mod index;
mod start_line;
mod typed;

pub use super::method::Method;
pub use error::ParseError;
use index::Span;
pub(super) use index::{Index, line_end};
pub use index::{MAX_HEADERS, MAX_MESSAGE};
pub use start_line::StartLine;
pub(super) use start_line::read_start;
pub use typed::List;
pub(super) use typed::first_element;

use super::grammar::digits;
use super::headers::{CSeq, HeaderName, NameAddrParts, ViaParts};
use std::borrow::Cow;

/// A message whose start line and five mandatory headers (Via, From, To, Call-ID, CSeq) are valid. Other
/// headers may still be malformed: their accessors report it.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) index: Index,
    /// The start line and headers as text, where all of them are UTF-8.
    head: Option<&'a str>,
    start: StartLine<'a>,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Parses one datagram, or one message from `StreamFramer`. Without Content-Length the body is the rest
    /// of the bytes; bytes beyond Content-Length are ignored (RFC 3261 section 18.3).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        if bytes.len() > MAX_MESSAGE {
            return Err(ParseError::TooLarge);
        }
        let (start, headers_start) = read_start(bytes)?;
        let index = Index::read(bytes, headers_start)?;
        let body = body(bytes, &index)?;
        let head = std::str::from_utf8(&bytes[..index.body_start]).ok();
        let message = Message { bytes, index, head, start, body };
        message.check()?;
        Ok(message)
    }

    pub fn start(&self) -> StartLine<'a> {
        self.start
    }

    pub fn is_request(&self) -> bool {
        matches!(self.start, StartLine::Request { .. })
    }

    /// The method of a request, or for a response the method of its CSeq.
    pub fn method(&self) -> Result<Method<'a>, ParseError> {
        match self.start {
            StartLine::Request { method, .. } => Ok(method),
            StartLine::Response { .. } => Ok(self.cseq()?.method),
        }
    }

    /// The status code of a response.
    pub fn code(&self) -> Option<u16> {
        match self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { code, .. } => Some(code),
        }
    }

    /// Empty if the message has no body.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    fn text(&self, span: &Span) -> Cow<'a, str> {
        span.text(self.head, self.bytes)
    }

    /// Checks the five headers needed to answer or match a message: each present once and readable.
    /// Allocates only for folded values.
    fn check(&self) -> Result<(), ParseError> {
        let names = [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq];
        let mut found = [None; 5];
        let mut forwards = None;
        for span in self.index.spans() {
            let place = match span.name {
                HeaderName::Via => &mut found[0],
                HeaderName::From => &mut found[1],
                HeaderName::To => &mut found[2],
                HeaderName::CallId => &mut found[3],
                HeaderName::CSeq => &mut found[4],
                HeaderName::MaxForwards => &mut forwards,
                _ => continue,
            };
            match place {
                None => *place = Some(span),
                Some(_) if span.name == HeaderName::Via => {}
                Some(_) => return Err(ParseError::Repeated(span.name)),
            }
        }
        let value = |at: usize| -> Result<Cow<'a, str>, ParseError> {
            Ok(self.text(found[at].ok_or(ParseError::Missing(names[at]))?))
        };
        let via = value(0)?;
        ViaParts::parse(typed::first_element(&via)).ok_or(ParseError::Bad(HeaderName::Via))?;
        for at in [1, 2] {
            let text = value(at)?;
            let sound = NameAddrParts::parse(&text).is_some_and(|parts| parts.is_sound());
            sound.then_some(()).ok_or(ParseError::Bad(names[at]))?;
        }
        let call_id = value(3)?;
        if call_id.is_empty() || call_id.bytes().any(|byte| byte <= b' ') {
            return Err(ParseError::Bad(HeaderName::CallId));
        }
        let cseq = value(4)?;
        let cseq = CSeq::parse(&cseq).ok_or(ParseError::Bad(HeaderName::CSeq))?;
        match self.start {
            StartLine::Request { method, .. } if method.as_str() != cseq.method.as_str() => {
                Err(ParseError::MethodMismatch)
            }
            _ => Ok(()),
        }
    }
}

fn body<'a>(bytes: &'a [u8], index: &Index) -> Result<&'a [u8], ParseError> {
    let rest = &bytes[index.body_start..];
    match content_length(bytes, index)? {
        None => Ok(rest),
        Some(length) => rest.get(..length).ok_or(ParseError::Truncated),
    }
}

/// Content-Length; `None` if absent. Two differing values are an error.
pub(super) fn content_length(bytes: &[u8], index: &Index) -> Result<Option<usize>, ParseError> {
    let mut known = None;
    for span in index.spans().filter(|span| span.name == HeaderName::ContentLength) {
        let length = digits(&span.value(bytes)).ok_or(ParseError::ContentLength)? as usize;
        if known.is_some_and(|known| known != length) {
            return Err(ParseError::Repeated(HeaderName::ContentLength));
        }
        known = Some(length);
    }
    Ok(known)
}
