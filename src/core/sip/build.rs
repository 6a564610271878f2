//! Message writer: one header per line, no line ends inside a value, always a Content-Length. Callers
//! choose the headers.

use super::grammar::is_token_byte;
use super::headers::{HeaderName, NameAddrParts, Via};
use super::message::{Index, MAX_MESSAGE, Message, Method, ParseError, StartLine, read_start};
use std::net::SocketAddr;

/// Builds a request. Headers are written in the order given.
#[derive(Clone, Debug)]
pub struct RequestBuilder {
    bytes: Vec<u8>,
}

impl RequestBuilder {
    pub fn new(method: Method<'_>, uri: &str) -> Self {
        let mut bytes = Vec::with_capacity(1_024);
        bytes.extend(method.as_str().bytes().filter(|byte| is_token_byte(*byte)));
        bytes.push(b' ');
        // A blank would end the URI early.
        bytes.extend(uri.bytes().filter(|byte| *byte > b' ' && *byte != 0x7f));
        bytes.extend_from_slice(b" SIP/2.0\r\n");
        RequestBuilder { bytes }
    }

    /// Adds a header. Line ends in the value become blanks.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        push_line(&mut self.bytes, name.as_str(), value.as_bytes());
        self
    }

    /// Adds a header by its text, for names not in `HeaderName`.
    pub fn text(mut self, name: &str, value: &str) -> Self {
        push_line(&mut self.bytes, name, value.as_bytes());
        self
    }

    /// The complete message with a body of this type.
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Vec<u8> {
        push_body(&mut self.bytes, content_type, body);
        self.bytes
    }

    /// The complete message without a body.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        self.bytes
    }
}

/// Builds a response.
#[derive(Clone, Debug)]
pub struct ResponseBuilder {
    bytes: Vec<u8>,
    to: Vec<u8>,
}

impl ResponseBuilder {
    /// Copies from the request what RFC 3261 section 8.2.6 requires: every Via (the topmost with `received`
    /// and `rport` of the source, RFC 3581), From, To, Call-ID and CSeq byte for byte; Record-Route if the
    /// response can create a dialog; Timestamp into a 100.
    pub fn to(request: &Message<'_>, source: SocketAddr, code: u16, reason: &str) -> Self {
        let mut bytes = Vec::with_capacity(1_024);
        push_status(&mut bytes, code, reason);
        push_vias(&mut bytes, &request.index, request.bytes, source);
        if (101..300).contains(&code) && makes_dialog(request) {
            push_copies(&mut bytes, &request.index, request.bytes, HeaderName::RecordRoute);
        }
        for name in [HeaderName::From, HeaderName::CallId, HeaderName::CSeq] {
            push_copies(&mut bytes, &request.index, request.bytes, name);
        }
        if code == 100 {
            push_copies(&mut bytes, &request.index, request.bytes, HeaderName::Timestamp);
        }
        let to = request.index.find(HeaderName::To).map(|span| span.raw(request.bytes).to_vec());
        ResponseBuilder { bytes, to: to.unwrap_or_default() }
    }

    /// Adds our tag to To, unless the request has a To tag.
    pub fn tag(mut self, tag: &str) -> Self {
        add_tag(&mut self.to, tag);
        self
    }

    /// Adds a header. Line ends in the value become blanks.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        push_line(&mut self.bytes, name.as_str(), value.as_bytes());
        self
    }

    /// Adds a header by its text, for names not in `HeaderName`.
    pub fn text(mut self, name: &str, value: &str) -> Self {
        push_line(&mut self.bytes, name, value.as_bytes());
        self
    }

    /// The complete message with a body of this type.
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Vec<u8> {
        push_line(&mut self.bytes, "To", &self.to);
        push_body(&mut self.bytes, content_type, body);
        self.bytes
    }

    /// The complete message without a body.
    pub fn finish(mut self) -> Vec<u8> {
        push_line(&mut self.bytes, "To", &self.to);
        self.bytes.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        self.bytes
    }
}

/// The response to a request that `Message::parse` rejected, built from its readable headers. `None` for a
/// response, an ACK, bytes that are not SIP, or without a Via to send it to.
pub fn refusal(bytes: &[u8], error: ParseError, source: SocketAddr) -> Option<Vec<u8>> {
    let (code, reason) = error.response()?;
    let bytes = &bytes[..bytes.len().min(MAX_MESSAGE)];
    let headers_start = match read_start(bytes) {
        Ok((StartLine::Request { method: Method::Ack, .. } | StartLine::Response { .. }, _)) => return None,
        Ok((StartLine::Request { .. }, headers_start)) => headers_start,
        // It is a request line: for any other, `error.response()` is `None`.
        Err(_) => request_headers_start(bytes)?,
    };
    let index = Index::read_leniently(bytes, headers_start);
    let mut out = Vec::with_capacity(1_024);
    push_status(&mut out, code, reason);
    let top = index.find(HeaderName::Via)?.value(bytes);
    push_vias(&mut out, &index, bytes, source);
    for name in [HeaderName::From, HeaderName::CallId, HeaderName::CSeq] {
        if let Some(span) = index.find(name) {
            push_line(&mut out, name.as_str(), span.raw(bytes));
        }
    }
    if let Some(span) = index.find(HeaderName::To) {
        let mut to = span.raw(bytes).to_vec();
        // A hash, so that every retransmission gets the same tag without stored state.
        add_tag(&mut to, &format!("{:08x}", fingerprint(top.as_bytes())));
        push_line(&mut out, "To", &to);
    }
    out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    Some(out)
}

/// Offset of the headers of a request with a malformed start line.
fn request_headers_start(bytes: &[u8]) -> Option<usize> {
    let lead = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let (end, next) = super::message::line_end(bytes, lead)?;
    let line = &bytes[lead..end];
    (!line.starts_with(b"SIP/") && !line.starts_with(b"ACK ")).then_some(next)
}

fn makes_dialog(request: &Message<'_>) -> bool {
    let StartLine::Request { method, .. } = request.start() else { return false };
    matches!(method, Method::Invite | Method::Subscribe | Method::Refer | Method::Notify)
}

fn push_status(bytes: &mut Vec<u8>, code: u16, reason: &str) {
    bytes.extend_from_slice(b"SIP/2.0 ");
    bytes.extend_from_slice(code.clamp(100, 699).to_string().as_bytes());
    bytes.push(b' ');
    push_clean(bytes, reason.as_bytes());
    bytes.extend_from_slice(b"\r\n");
}

/// Writes the Vias for a response: the topmost with the source filled in, the others unchanged.
fn push_vias(out: &mut Vec<u8>, index: &Index, bytes: &[u8], source: SocketAddr) {
    let mut first = true;
    for span in index.spans().filter(|span| span.name == HeaderName::Via) {
        if !std::mem::take(&mut first) {
            push_line(out, "Via", span.raw(bytes));
            continue;
        }
        let line = span.value(bytes);
        let top = super::message::first_element(&line);
        let Some(mut via) = Via::parse(top) else {
            // Reached only by `refusal`: a Via of another version, for example.
            push_line(out, "Via", span.raw(bytes));
            continue;
        };
        via.note_source(source);
        push_line(out, "Via", via.to_string().as_bytes());
        let others = line.split_at(line.find(top).unwrap_or(0) + top.len()).1;
        let others = others.trim_matches([',', ' ', '\t']);
        if !others.is_empty() {
            push_line(out, "Via", others.as_bytes());
        }
    }
}

fn push_copies(out: &mut Vec<u8>, index: &Index, bytes: &[u8], name: HeaderName) {
    for span in index.spans().filter(|span| span.name == name) {
        push_line(out, name.as_str(), span.raw(bytes));
    }
}

fn add_tag(to: &mut Vec<u8>, tag: &str) {
    let text = String::from_utf8_lossy(to).replace(['\r', '\n'], " ");
    if NameAddrParts::parse(&text).is_none_or(|parts| parts.tag().is_none()) {
        to.extend_from_slice(b";tag=");
        to.extend(tag.bytes().filter(|byte| is_token_byte(*byte)));
    }
}

fn push_line(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    bytes.extend(name.bytes().filter(|byte| is_token_byte(*byte)));
    bytes.extend_from_slice(b": ");
    push_clean(bytes, value);
    bytes.extend_from_slice(b"\r\n");
}

fn push_body(bytes: &mut Vec<u8>, content_type: &str, body: &[u8]) {
    push_line(bytes, "Content-Type", content_type.as_bytes());
    push_line(bytes, "Content-Length", body.len().to_string().as_bytes());
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
}

/// Appends text, line ends replaced by blanks.
fn push_clean(bytes: &mut Vec<u8>, text: &[u8]) {
    let start = bytes.len();
    bytes.extend_from_slice(text);
    for byte in &mut bytes[start..] {
        if matches!(byte, b'\r' | b'\n') {
            *byte = b' ';
        }
    }
}

/// FNV-1a, 32 bits.
fn fingerprint(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &[u8] = b"INVITE sip:bob@b.example SIP/2.0\r\n\
        Via: SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bK1;rport , SIP/2.0/TCP p.example;branch=z9hG4bK2\r\n\
        v: SIP/2.0/UDP q.example\r\n ;branch=z9hG4bK3\r\n\
        Record-Route: <sip:p1;lr>,\r\n <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n\
        f: \"\xc4\xe3\xba\xc3\" <sip:a@a.example>;tag=1\r\nTo: <sip:bob@b.example>\r\ni: c1\r\nCSeq: 7 INVITE\r\n\
        Timestamp: 54\r\n\r\n";

    fn source() -> SocketAddr {
        "192.0.2.9:41000".parse().expect("an address")
    }

    #[test]
    fn a_response_carries_what_the_request_asks_for() {
        let request = Message::parse(INVITE).expect("a request");
        let bytes = ResponseBuilder::to(&request, source(), 180, "Ringing")
            .tag("ours")
            .header(HeaderName::Contact, "<sip:us>")
            .finish();
        let expected: &[u8] = b"SIP/2.0 180 Ringing\r\n\
            Via: SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bK1;rport=41000;received=192.0.2.9\r\n\
            Via: SIP/2.0/TCP p.example;branch=z9hG4bK2\r\n\
            Via: SIP/2.0/UDP q.example   ;branch=z9hG4bK3\r\n\
            Record-Route: <sip:p1;lr>,   <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n\
            From: \"\xc4\xe3\xba\xc3\" <sip:a@a.example>;tag=1\r\nCall-ID: c1\r\nCSeq: 7 INVITE\r\n\
            Contact: <sip:us>\r\nTo: <sip:bob@b.example>;tag=ours\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(bytes.escape_ascii().to_string(), expected.escape_ascii().to_string());
        let trying = ResponseBuilder::to(&request, source(), 100, "Trying").finish();
        let trying = Message::parse(&trying).expect("a response");
        assert_eq!(trying.header(HeaderName::Timestamp).as_deref(), Some("54"));
        assert_eq!((trying.header(HeaderName::RecordRoute), trying.to_tag()), (None, None));
        assert_eq!(trying.vias().count(), 3);
    }

    #[test]
    fn values_cannot_end_their_line() {
        let bytes = RequestBuilder::new(Method::Other("OP\r\nX"), "sip:a@b\r\nEvil: 1 x")
            .header(HeaderName::Via, "SIP/2.0/UDP a;branch=z9hG4bK1\r\nEvil: 1")
            .header(HeaderName::From, "<sip:a@b>;tag=1\nEvil: 1")
            .header(HeaderName::To, "<sip:a@b>")
            .header(HeaderName::CallId, "c")
            .header(HeaderName::CSeq, "1 OPX")
            .text("X\r\nEvil: ", "\r\n\r\nbody")
            .body("text/plain\r\n", b"\r\nEvil: 1\r\n");
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.starts_with("OPX sip:a@bEvil:1x SIP/2.0\r\n"), "{text}");
        let head = text.split("\r\n\r\n").next().expect("a head");
        assert!(head.lines().all(|line| !line.starts_with("Evil")), "{text}");
        assert_eq!(head.lines().count(), 9, "{text}");
        assert!(text.ends_with("Content-Length: 11\r\n\r\n\r\nEvil: 1\r\n"), "{text}");
    }

    #[test]
    fn a_malformed_request_is_refused_with_its_own_headers() {
        let broken =
            b"INVITE sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nf: <sip:a@b>;tag=1\r\n\
            no colon here\r\nTo: <sip:b@b>\r\nCall-ID: c\r\nCSeq: x\r\n\r\n";
        let error = Message::parse(broken).expect_err("broken");
        let first = refusal(broken, error, source()).expect("a refusal");
        let text = String::from_utf8(first.clone()).expect("text");
        assert!(
            text.starts_with("SIP/2.0 400 Bad Header Line\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1;received=")
        );
        assert!(text.contains("\r\nFrom: <sip:a@b>;tag=1\r\nCall-ID: c\r\nCSeq: x\r\nTo: <sip:b@b>;tag="));
        assert_eq!(refusal(broken, error, source()), Some(first), "the same again for a repetition");
    }

    #[test]
    fn a_response_an_ack_or_a_request_without_via_gets_no_refusal() {
        for bytes in [
            &b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nCSeq: x\r\n\r\n"[..],
            b"ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\r\n",
            b"ACK  sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\r\n",
            b"INVITE sip:a@b SIP/2.0\r\nFrom: x\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\r\n\r\n",
            b"",
        ] {
            let error = Message::parse(bytes).expect_err("broken");
            assert_eq!(refusal(bytes, error, source()), None, "{}", bytes.escape_ascii());
        }
    }
}
