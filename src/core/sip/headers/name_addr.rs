//! Address headers (From, To, Contact, Route and others): display name, URI and header parameters.

use crate::sip::grammar::{find_unquoted, quotes_are_closed, split_once, unquote};
use crate::sip::params::{self, Params};
use crate::sip::uri::{Uri, UriParts};
use std::fmt;

/// `"Bell" <sip:bell@example.com;lr>;tag=1`, or `sip:bell@example.com;tag=1` where the parameters
/// belong to the header (RFC 3261 section 20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// Unquoted, escapes resolved.
    pub display: Option<String>,
    pub uri: Uri,
    /// Header parameters, not those of the URI.
    pub params: Params,
}

/// The parts of a name-addr value, borrowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameAddrParts<'a> {
    /// As received: quoted, tokens, or empty.
    pub display: &'a str,
    pub uri: &'a str,
    pub params: &'a str,
}

impl<'a> NameAddrParts<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let Some(open) = find_unquoted(text, b'<') else {
            return Self::parse_bare(text);
        };
        let display = text[..open].trim_end();
        if display.starts_with('"') && !(display.len() >= 2 && display.ends_with('"')) {
            return None;
        }
        let (uri, rest) = split_once(&text[open + 1..], b'>')?;
        let params = rest.trim_start();
        if !(params.is_empty() || params.starts_with(';')) || !quotes_are_closed(params) {
            return None;
        }
        Some(NameAddrParts { display, uri: uri.trim(), params })
    }

    /// An addr-spec without angle brackets: everything from the first semicolon belongs to the header, and
    /// a question mark or comma is not allowed.
    fn parse_bare(text: &'a str) -> Option<Self> {
        if text.is_empty() || text.bytes().any(|byte| matches!(byte, b'"' | b'>' | b',' | b'?')) {
            return None;
        }
        let (uri, params) = match text.find(';') {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let uri = uri.trim_end();
        if uri.bytes().any(|byte| byte == b' ' || byte == b'\t') {
            return None;
        }
        Some(NameAddrParts { display: "", uri, params })
    }

    pub fn tag(&self) -> Option<&'a str> {
        params::value(self.params, "tag").filter(|tag| !tag.is_empty())
    }

    /// Whether the URI is valid, without keeping its parts.
    pub fn is_sound(&self) -> bool {
        UriParts::parse(self.uri).is_some()
    }
}

impl NameAddr {
    /// `None` if the URI is unreadable, or quotes or brackets are not closed.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = NameAddrParts::parse(text)?;
        let display = unquote(parts.display);
        Some(NameAddr {
            display: (!display.is_empty()).then(|| display.into_owned()),
            uri: Uri::parse(parts.uri)?,
            params: Params::parse(parts.params),
        })
    }

    pub fn new(uri: Uri) -> Self {
        NameAddr { display: None, uri, params: Params::new() }
    }

    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", tag);
        self
    }

    pub fn tag(&self) -> Option<&str> {
        self.params.value("tag").filter(|tag| !tag.is_empty())
    }

    /// `expires` of a Contact, in seconds.
    pub fn expires(&self) -> Option<u32> {
        self.params.value("expires").and_then(|text| text.parse().ok())
    }
}

/// Always with angle brackets, so that URI parameters stay with the URI.
impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            f.write_str("\"")?;
            for c in display.chars().filter(|c| *c != '\r' && *c != '\n') {
                if c == '"' || c == '\\' || c.is_ascii_control() {
                    f.write_str("\\")?;
                }
                write!(f, "{c}")?;
            }
            f.write_str("\" ")?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_spellings_are_read() {
        let table = [
            (
                "\"Watson, \\\"T\\\"\" <sip:t@example.org;lr>;tag=1",
                Some("Watson, \"T\""),
                "sip:t@example.org;lr",
                Some("1"),
            ),
            ("Alice  Smith<sip:a@b>", Some("Alice  Smith"), "sip:a@b", None),
            ("sip:a@b;tag=2", None, "sip:a@b", Some("2")),
            (
                "<tel:+358-555-1234567;phone-context=x>; tag = 3",
                None,
                "tel:+358-555-1234567;phone-context=x",
                Some("3"),
            ),
            ("\"\" <sip:a@b>;tag=", None, "sip:a@b", None),
        ];
        for (text, display, uri, tag) in table {
            let address = NameAddr::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(address.display.as_deref(), display, "{text}");
            assert_eq!(address.uri.to_string(), uri, "{text}");
            assert_eq!(address.tag(), tag, "{text}");
            let again = NameAddr::parse(&address.to_string()).unwrap_or_else(|| panic!("{address}"));
            assert_eq!(again, address);
        }
    }

    #[test]
    fn an_invalid_address_is_rejected() {
        for text in [
            "",
            "<>",
            "\"Mr. J. User <sip:j@example.com>",
            "<sip:a@b",
            "sip:a@b?Route=x",
            "a b",
            "sip:a @b",
            "<sip:a@b>;x=\"y",
            "<sip:a@b> junk",
            "sip:a@b, sip:c@d",
        ] {
            assert_eq!(NameAddr::parse(text), None, "{text}");
        }
    }
}
