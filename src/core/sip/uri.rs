//! URIs in SIP: `sip:`, `sips:`, `tel:`; other schemes are kept as text.

use super::grammar::{is_uri_byte, split_once};
use super::params::Params;
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// A URI. Parts stay as received (escapes included), so that a copied Route or request line matches the far
/// side's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    /// Lower case: `sip`, `sips`, `tel`, or another scheme.
    pub scheme: String,
    /// As received; see [`Uri::user_text`]. The number of a `tel:` URI.
    pub user: Option<String>,
    pub password: Option<String>,
    /// IPv6 in brackets. Empty for `tel:`; everything after the colon for unknown schemes.
    pub host: String,
    pub port: Option<u16>,
    pub params: Params,
    /// The text after the question mark, as received.
    pub headers: Option<String>,
}

/// The parts of a URI, borrowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UriParts<'a> {
    pub scheme: &'a str,
    pub user: Option<&'a str>,
    pub password: Option<&'a str>,
    pub host: &'a str,
    pub port: Option<u16>,
    pub params: &'a str,
    pub headers: Option<&'a str>,
}

impl<'a> UriParts<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = split_once(text, b':')?;
        let mut letters = scheme.bytes();
        if !letters.next()?.is_ascii_alphabetic()
            || !letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
            || rest.is_empty()
            || !rest.bytes().all(is_uri_byte)
        {
            return None;
        }
        if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            Self::parse_sip(scheme, rest)
        } else if scheme.eq_ignore_ascii_case("tel") {
            let (number, params) = split_before(rest, b';');
            let parts = UriParts { user: Some(number), params, ..Self::opaque(scheme, "") };
            (!number.is_empty()).then_some(parts)
        } else {
            Some(Self::opaque(scheme, rest))
        }
    }

    /// The user part may contain `;`, `?` and `/`, so it is split off first, at the only at sign.
    fn parse_sip(scheme: &'a str, rest: &'a str) -> Option<Self> {
        let (userinfo, rest) = match split_once(rest, b'@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, rest),
        };
        let (user, password) = match userinfo.map(|userinfo| split_once(userinfo, b':').ok_or(userinfo)) {
            Some(Ok((user, password))) => (Some(user), Some(password)),
            Some(Err(user)) => (Some(user), None),
            None => (None, None),
        };
        if user == Some("") {
            return None;
        }
        let (rest, headers) = match split_once(rest, b'?') {
            Some((rest, headers)) => (rest, Some(headers)),
            None => (rest, None),
        };
        let (host_port, params) = split_before(rest, b';');
        let (host, port) = split_host_port(host_port)?;
        Some(UriParts { scheme, user, password, host, port, params, headers })
    }

    fn opaque(scheme: &'a str, rest: &'a str) -> Self {
        UriParts { scheme, user: None, password: None, host: rest, port: None, params: "", headers: None }
    }
}

impl Uri {
    /// `None` if the text is not a URI: no scheme, blanks or brackets inside, a malformed host or port.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = UriParts::parse(text)?;
        Some(Uri {
            scheme: parts.scheme.to_ascii_lowercase(),
            user: parts.user.map(Into::into),
            password: parts.password.map(Into::into),
            host: parts.host.into(),
            port: parts.port,
            params: Params::parse(parts.params),
            headers: parts.headers.map(Into::into),
        })
    }

    /// `sip:user@host`, with the user escaped. `host` may include a port; characters invalid in a host are
    /// dropped.
    pub fn sip(user: &str, host: &str) -> Self {
        let clean: String = host
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']'))
            .collect();
        let (host, port) = match split_host_port(&clean) {
            Some((host, port)) => (host.to_string(), port),
            None => (clean, None),
        };
        let user = (!user.is_empty()).then(|| escape_user(user));
        Uri { scheme: "sip".into(), user, password: None, host, port, params: Params::new(), headers: None }
    }

    pub fn is_sip(&self) -> bool {
        self.scheme == "sip" || self.scheme == "sips"
    }

    /// The user part with escapes resolved; empty if absent.
    pub fn user_text(&self) -> Cow<'_, str> {
        unescape(self.user.as_deref().unwrap_or(""))
    }

    /// The host as an IP address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// The value of a parameter, escapes resolved in name and value; `Some("")` for a flag.
    pub fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let same =
            |known: &str| known.eq_ignore_ascii_case(name) || unescape(known).eq_ignore_ascii_case(name);
        self.params.iter().find(|(known, _)| same(known)).map(|(_, value)| unescape(value))
    }

    /// The `transport` parameter.
    pub fn transport(&self) -> Option<&str> {
        self.params.value("transport")
    }

    /// Whether the `lr` parameter is present: the element is a loose router.
    pub fn is_loose_router(&self) -> bool {
        self.parameter("lr").is_some()
    }

    /// URI equality of RFC 3261 section 19.1.4: hosts and parameters ignore case, escapes are resolved, and
    /// `user`, `ttl`, `method`, `maddr` and `transport` must be present on both sides or neither.
    pub fn same_as(&self, other: &Uri) -> bool {
        let is_significant = |name: &str| {
            ["user", "ttl", "method", "maddr", "transport"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        };
        let is_covered = |one: &Uri, two: &Uri| {
            one.params.iter().all(|(name, value)| match two.params.value(name) {
                Some(known) => unescape(known).eq_ignore_ascii_case(&unescape(value)),
                None => !is_significant(name),
            })
        };
        self.scheme == other.scheme
            && self.user_text() == other.user_text()
            && self.password.as_deref().map(unescape) == other.password.as_deref().map(unescape)
            && self.host.eq_ignore_ascii_case(&other.host)
            && self.port == other.port
            && self.headers == other.headers
            && is_covered(self, other)
            && is_covered(other, self)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme)?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            if self.is_sip() {
                f.write_str("@")?;
            }
        }
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)?;
        if let Some(headers) = &self.headers {
            write!(f, "?{headers}")?;
        }
        Ok(())
    }
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`, with blanks around the colon. `None` if host or port is
/// malformed.
pub(crate) fn split_host_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, rest) = if text.starts_with('[') {
        let end = text.find(']')? + 1;
        text[1..end - 1].parse::<Ipv6Addr>().ok()?;
        text.split_at(end)
    } else {
        let (host, rest) = split_before(text, b':');
        let host = host.trim_end();
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if host.is_empty() || !host.bytes().all(sound) {
            return None;
        }
        (host, rest)
    };
    let rest = rest.trim();
    if rest.is_empty() {
        return Some((host, None));
    }
    let port = rest.strip_prefix(':')?.trim_start();
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    Some((host, Some(port.parse().ok().filter(|_| digits)?)))
}

/// Splits before the first such byte; the byte stays with the second part.
fn split_before(text: &str, byte: u8) -> (&str, &str) {
    let end = text.bytes().position(|known| known == byte).unwrap_or(text.len());
    text.split_at(end)
}

/// Escapes text for the user part of a URI (RFC 3261 section 25.1: `unreserved / escaped /
/// user-unreserved`). Nothing that could end the URI or the header stays unescaped.
pub fn escape_user(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte);
        if plain {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            for digit in [byte >> 4, byte & 15] {
                escaped.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
    escaped
}

/// Resolves escapes such as `%41`; a percent sign without two hex digits stays. Invalid UTF-8 becomes the
/// replacement character.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, _, _) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        Uri::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn the_parts_are_found_and_written_back() {
        let table = [
            (
                "sip:alice:secret@atlanta.com:5070;transport=tcp;lr?subject=x",
                Some("alice"),
                "atlanta.com",
                Some(5070),
            ),
            ("sips:[2001:db8::10]:5061", None, "[2001:db8::10]", Some(5061)),
            (
                "sip:user;par=u%40example.net@example.com",
                Some("user;par=u%40example.net"),
                "example.com",
                None,
            ),
            (
                "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
                Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"),
                "example.com",
                None,
            ),
            ("tel:+86-755;phone-context=example.com", Some("+86-755"), "", None),
            ("soap.beep://192.0.2.103:3002", None, "//192.0.2.103:3002", None),
        ];
        for (text, user, host, port) in table {
            let parsed = uri(text);
            assert_eq!(
                (parsed.user.as_deref(), parsed.host.as_str(), parsed.port),
                (user, host, port),
                "{text}"
            );
            assert_eq!(parsed.to_string(), text);
        }
        assert_eq!(uri("SIP:a@b;LR;Transport=TCP").transport(), Some("TCP"));
        assert!(uri("SIP:a@b;LR").is_loose_router());
    }

    #[test]
    fn an_invalid_uri_is_rejected() {
        for text in [
            "",
            "sip:",
            "alice",
            ":a",
            "sip:a@",
            "sip:@b",
            "sip:a@b:x",
            "sip:a@b:70000",
            "sip:a b@c",
            "sip:a@[::g]",
            "sip:a@b\r\nX: y",
            "sip:a@b>c",
            "1a:b",
            "sip:a@b c",
            "sip:a@b:+1",
            "tel:;x",
        ] {
            assert_eq!(Uri::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_user_cannot_end_the_uri_or_the_header() {
        let made = Uri::sip("138\r\nRoute: <sip:x>@\"#", "example.com:5080");
        assert_eq!(made.to_string(), "sip:138%0D%0ARoute%3A%20%3Csip%3Ax%3E%40%22%23@example.com:5080");
        assert_eq!(uri(&made.to_string()).user_text(), "138\r\nRoute: <sip:x>@\"#");
        assert_eq!(Uri::sip("", "a\r\nb>").to_string(), "sip:ab");
        assert_eq!(unescape("%41%zz%4"), "A%zz%4");
    }

    #[test]
    fn sameness_follows_section_19_1_4() {
        let same = [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        ];
        for (one, two) in same {
            assert!(uri(one).same_as(&uri(two)) && uri(two).same_as(&uri(one)), "{one} {two}");
        }
        let different = [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ];
        for (one, two) in different {
            assert!(!uri(one).same_as(&uri(two)) && !uri(two).same_as(&uri(one)), "{one} {two}");
        }
    }
}
