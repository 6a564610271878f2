//! Access to a message's headers: text by name, lists, and typed values.

use super::{Message, ParseError, StartLine};
use crate::sip::auth::Challenge;
use crate::sip::grammar::{digits, find_byte, find_unquoted};
use crate::sip::headers::{
    CSeq, HeaderName, NameAddr, NameAddrParts, RAck, Reason, SessionExpires, Via, ViaParts,
};
use crate::sip::uri::Uri;
use std::borrow::Cow;

impl<'a> Message<'a> {
    /// The first value of that name, unfolded and trimmed. For lists see [`Message::list`].
    pub fn header(&self, name: HeaderName) -> Option<Cow<'a, str>> {
        self.index.find(name).map(|span| self.text(span))
    }

    /// Each header line of that name, in order.
    pub fn headers(&self, name: HeaderName) -> impl Iterator<Item = Cow<'a, str>> {
        self.index.spans().filter(move |span| span.name == name).map(|span| self.text(span))
    }

    /// Every header line in order: name as received, and value.
    pub fn lines(&self) -> impl Iterator<Item = (HeaderName, Cow<'a, str>, Cow<'a, str>)> {
        let bytes = self.bytes;
        self.index
            .spans()
            .map(move |span| (span.name, String::from_utf8_lossy(span.name_text(bytes)), span.value(bytes)))
    }

    /// The first value of a name that is not in `HeaderName`.
    pub fn extension(&self, name: &str) -> Option<Cow<'a, str>> {
        let wanted = |span: &&super::index::Span| {
            span.name == HeaderName::Extension
                && span.name_text(self.bytes).eq_ignore_ascii_case(name.as_bytes())
        };
        self.index.spans().find(wanted).map(|span| self.text(span))
    }

    /// The elements of a comma-separated header over all its lines. Commas in quotes or angle brackets do
    /// not separate; empty elements are skipped.
    pub fn list(&self, name: HeaderName) -> impl Iterator<Item = Cow<'a, str>> {
        self.headers(name).flat_map(List::new)
    }

    /// The request URI, typed.
    pub fn request_uri(&self) -> Option<Uri> {
        match self.start {
            StartLine::Request { uri, .. } => Uri::parse(uri),
            StartLine::Response { .. } => None,
        }
    }

    /// The topmost Via.
    pub fn via(&self) -> Result<Via, ParseError> {
        let line = self.header(HeaderName::Via).ok_or(ParseError::Missing(HeaderName::Via))?;
        Via::parse(first_element(&line)).ok_or(ParseError::Bad(HeaderName::Via))
    }

    /// Every Via, topmost first; an unreadable one is an error in its place.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via, ParseError>> {
        self.list(HeaderName::Via).map(|text| Via::parse(&text).ok_or(ParseError::Bad(HeaderName::Via)))
    }

    /// The branch of the topmost Via, borrowed in ordinary messages.
    pub fn branch(&self) -> Option<Cow<'a, str>> {
        match self.header(HeaderName::Via)? {
            Cow::Borrowed(line) => ViaParts::parse(first_element(line))?.branch().map(Cow::Borrowed),
            Cow::Owned(line) => {
                ViaParts::parse(first_element(&line))?.branch().map(|branch| Cow::Owned(branch.into()))
            }
        }
    }

    pub fn from(&self) -> Result<NameAddr, ParseError> {
        self.address(HeaderName::From)
    }

    pub fn to(&self) -> Result<NameAddr, ParseError> {
        self.address(HeaderName::To)
    }

    /// The first Contact. `Contact: *` is not an address: see [`Message::list`].
    pub fn contact(&self) -> Result<NameAddr, ParseError> {
        self.address(HeaderName::Contact)
    }

    /// Every readable Contact.
    pub fn contacts(&self) -> impl Iterator<Item = NameAddr> {
        self.addresses(HeaderName::Contact)
    }

    /// Every readable value of an address list: Route, Record-Route, Contact, P-Asserted-Identity.
    pub fn addresses(&self, name: HeaderName) -> impl Iterator<Item = NameAddr> {
        self.list(name).filter_map(|text| NameAddr::parse(&text))
    }

    fn address(&self, name: HeaderName) -> Result<NameAddr, ParseError> {
        let line = self.header(name).ok_or(ParseError::Missing(name))?;
        let single = matches!(name, HeaderName::From | HeaderName::To);
        NameAddr::parse(if single { &line } else { first_element(&line) }).ok_or(ParseError::Bad(name))
    }

    /// The tag of From, borrowed in ordinary messages.
    pub fn from_tag(&self) -> Option<Cow<'a, str>> {
        self.tag(HeaderName::From)
    }

    /// The tag of To; `None` outside a dialog.
    pub fn to_tag(&self) -> Option<Cow<'a, str>> {
        self.tag(HeaderName::To)
    }

    fn tag(&self, name: HeaderName) -> Option<Cow<'a, str>> {
        match self.header(name)? {
            Cow::Borrowed(line) => NameAddrParts::parse(line)?.tag().map(Cow::Borrowed),
            Cow::Owned(line) => NameAddrParts::parse(&line)?.tag().map(|tag| Cow::Owned(tag.into())),
        }
    }

    /// The Call-ID. `parse` has checked it; empty only if the header consists of folds.
    pub fn call_id(&self) -> Cow<'a, str> {
        self.header(HeaderName::CallId).unwrap_or_default()
    }

    /// The CSeq. Folded with an unknown method it is an error, since the method's text cannot be borrowed.
    pub fn cseq(&self) -> Result<CSeq<'a>, ParseError> {
        use super::Method;
        let bad = ParseError::Bad(HeaderName::CSeq);
        match self.header(HeaderName::CSeq).ok_or(ParseError::Missing(HeaderName::CSeq))? {
            Cow::Borrowed(line) => CSeq::parse(line).ok_or(bad),
            Cow::Owned(line) => {
                let cseq = CSeq::parse(&line).ok_or(bad)?;
                let method = match (cseq.method, self.start) {
                    // `parse` has checked that both are equal.
                    (Method::Other(_), StartLine::Request { method, .. }) => method,
                    (Method::Other(_), StartLine::Response { .. }) => return Err(bad),
                    (known, _) => Method::known(known.as_str()).ok_or(bad)?,
                };
                Ok(CSeq { number: cseq.number, method })
            }
        }
    }

    /// `None` if absent or not a number from 0 to 255.
    pub fn max_forwards(&self) -> Option<u8> {
        self.number(HeaderName::MaxForwards).and_then(|hops| u8::try_from(hops).ok())
    }

    pub fn rseq(&self) -> Option<u32> {
        self.number(HeaderName::RSeq)
    }

    pub fn rack(&self) -> Option<RAck> {
        self.header(HeaderName::RAck).and_then(|line| RAck::parse(&line))
    }

    /// The Expires header in seconds; a Contact has its own `expires` parameter. A number too large for the
    /// field counts as 2^32 - 1 (RFC 3261 section 20.19).
    pub fn expires(&self) -> Option<u32> {
        self.number(HeaderName::Expires)
    }

    pub fn min_expires(&self) -> Option<u32> {
        self.number(HeaderName::MinExpires)
    }

    pub fn session_expires(&self) -> Option<SessionExpires> {
        self.header(HeaderName::SessionExpires).and_then(|line| SessionExpires::parse(&line))
    }

    /// Min-SE in seconds.
    pub fn min_se(&self) -> Option<u32> {
        self.number(HeaderName::MinSe)
    }

    /// Retry-After in seconds, without its comment and parameters.
    pub fn retry_after(&self) -> Option<u32> {
        self.number(HeaderName::RetryAfter)
    }

    /// The number at the start of a value, before any parameter, blank or comment; capped at `u32::MAX`.
    fn number(&self, name: HeaderName) -> Option<u32> {
        let line = self.header(name)?;
        let end =
            line.bytes().position(|byte| matches!(byte, b';' | b' ' | b'\t' | b'(')).unwrap_or(line.len());
        let number = &line[..end];
        let whole = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        whole.then(|| digits(number).unwrap_or(u32::MAX))
    }

    /// Option tags of Require.
    pub fn require(&self) -> impl Iterator<Item = Cow<'a, str>> {
        self.list(HeaderName::Require)
    }

    /// Option tags of Supported.
    pub fn supported(&self) -> impl Iterator<Item = Cow<'a, str>> {
        self.list(HeaderName::Supported)
    }

    /// Whether a list header contains this option tag, method or token, ignoring case.
    pub fn has_token(&self, name: HeaderName, token: &str) -> bool {
        self.list(name).any(|known| known.eq_ignore_ascii_case(token))
    }

    /// The media type in lower case and without parameters: `application/sdp`.
    pub fn content_type(&self) -> Option<String> {
        let line = self.header(HeaderName::ContentType)?;
        let kind = line.split(';').next().unwrap_or("");
        Some(kind.split_ascii_whitespace().collect::<String>().to_ascii_lowercase())
    }

    /// The Q.850 Reason if present, else the first Reason.
    pub fn reason(&self) -> Option<Reason> {
        let mut reasons: Vec<Reason> =
            self.list(HeaderName::Reason).take(8).filter_map(|text| Reason::parse(&text)).collect();
        let at = reasons.iter().position(Reason::is_q850).unwrap_or(0);
        (at < reasons.len()).then(|| reasons.swap_remove(at))
    }

    /// The digest challenges of WWW-Authenticate and Proxy-Authenticate, in order.
    pub fn challenges(&self) -> Vec<Challenge> {
        let mut challenges = Vec::new();
        for (name, proxy) in [(HeaderName::WwwAuthenticate, false), (HeaderName::ProxyAuthenticate, true)] {
            for line in self.headers(name) {
                challenges.extend(Challenge::parse_all(&line, proxy));
            }
        }
        challenges
    }
}

/// The elements of one comma separated line.
#[derive(Clone, Debug)]
pub struct List<'a> {
    line: Cow<'a, str>,
    at: usize,
}

impl<'a> List<'a> {
    pub fn new(line: Cow<'a, str>) -> Self {
        List { line, at: 0 }
    }
}

impl<'a> Iterator for List<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.line.len() {
            let start = self.at;
            let end = start + first_comma(&self.line[start..]);
            self.at = end + 1;
            let element = match &self.line {
                Cow::Borrowed(line) => Cow::Borrowed(line[start..end].trim()),
                Cow::Owned(line) => Cow::Owned(line[start..end].trim().to_string()),
            };
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}

/// End of the first element: a comma outside quotes and angle brackets, or the end of the text.
fn first_comma(text: &str) -> usize {
    if find_byte(text.as_bytes(), b',').is_none() {
        return text.len();
    }
    let mut at = 0;
    while let Some(comma) = find_unquoted(&text[at..], b',') {
        let comma = at + comma;
        // Angle brackets do not nest: skip to the closing one.
        match find_unquoted(&text[at..comma], b'<')
            .and_then(|open| text[at + open..].find('>').map(|n| at + open + n))
        {
            Some(close) => at = close + 1,
            None => return comma,
        }
    }
    text.len()
}

/// The first element of a comma separated line.
pub(in crate::sip) fn first_element(line: &str) -> &str {
    line[..first_comma(line)].trim()
}
