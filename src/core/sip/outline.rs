//! Start line, Call-ID and CSeq of a message, read without the rest: enough to record that it passed.

use super::grammar::find_byte;
use std::borrow::Cow;

/// Header lines that are looked at; ours come first, and a message with more before them is not recorded.
const LINES_MAX: usize = 64;

/// The outline of a request or a response. Nothing is copied, and no other header is looked at, so no credential
/// and no body gets into a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline<'a> {
    start: &'a [u8],
    pub call_id: &'a str,
    pub cseq: u32,
    /// The method of CSeq.
    method: &'a str,
}

impl<'a> Outline<'a> {
    /// `None` for bytes that are no message with Call-ID and CSeq.
    pub fn read(bytes: &'a [u8]) -> Option<Outline<'a>> {
        let mut rest = bytes;
        let start = next_line(&mut rest)?;
        let (mut call_id, mut cseq) = (None, None);
        for _ in 0..LINES_MAX {
            let line = next_line(&mut rest)?;
            let (name, value) = line.split_at_checked(find_byte(line, b':')?)?;
            let name = name.trim_ascii_end();
            if name.eq_ignore_ascii_case(b"call-id") || name.eq_ignore_ascii_case(b"i") {
                call_id = Some(std::str::from_utf8(value[1..].trim_ascii()).ok()?);
            } else if name.eq_ignore_ascii_case(b"cseq") {
                let (number, method) = std::str::from_utf8(value[1..].trim_ascii()).ok()?.split_once(' ')?;
                cseq = Some((number.parse().ok()?, method.trim_start()));
            }
            if let (Some(call_id), Some((cseq, method))) = (call_id, cseq) {
                return Some(Outline { start, call_id, cseq, method });
            }
        }
        None
    }

    /// Whether this is an INVITE, not a response to one.
    pub fn is_invite(&self) -> bool {
        self.start.starts_with(b"INVITE ")
    }

    /// `INVITE sip:13800138000@198.51.100.7`, `180 Ringing`, `200 OK (BYE)`. A password and headers in a URI are left
    /// out.
    pub fn text(&self) -> String {
        let start = String::from_utf8_lossy(self.start);
        if let Some(status) = start.strip_prefix("SIP/2.0 ") {
            return match self.method {
                "INVITE" => status.trim_end().to_owned(),
                method => format!("{} ({method})", status.trim_end()),
            };
        }
        let request = start.strip_suffix(" SIP/2.0").unwrap_or(&start);
        match request.split_once(' ') {
            Some((method, uri)) => format!("{method} {}", without_secrets(uri)),
            None => request.to_owned(),
        }
    }
}

/// The next line without its end; `None` at the empty line or where no line ends.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = find_byte(rest, b'\n')?;
    let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
    *rest = &rest[end + 1..];
    (!line.is_empty()).then_some(line)
}

/// `sip:user:password@host?header=value` without password and headers (RFC 3261 section 19.1.1).
fn without_secrets(uri: &str) -> Cow<'_, str> {
    let host_at = uri.rfind('@').map_or(0, |at| at + 1);
    let uri = &uri[..uri[host_at..].find('?').map_or(uri.len(), |at| host_at + at)];
    let Some((scheme, rest)) = uri.split_once(':') else { return uri.into() };
    let Some((user, host)) = rest.rsplit_once('@') else { return uri.into() };
    match user.split_once(':') {
        Some((user, _)) => format!("{scheme}:{user}@{host}").into(),
        None => uri.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:13800138000@198.51.100.7 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z\r\n\
        Authorization: Digest response=\"secret\"\r\ni : abc@h\r\ncseq:  7  INVITE\r\n\r\nv=0 secret";

    #[test]
    fn a_request_shows_its_method_and_uri_alone() {
        let outline = Outline::read(INVITE.as_bytes()).expect("a message");
        assert_eq!((outline.call_id, outline.cseq, outline.is_invite()), ("abc@h", 7, true));
        assert_eq!(outline.text(), "INVITE sip:13800138000@198.51.100.7");
        for (uri, shown) in [
            ("sip:a:secret@h;x=1?y=secret", "sip:a@h;x=1"),
            ("sip:a:b:secret@h", "sip:a@h"),
            ("sip:1;p=q@h:5060", "sip:1;p=q@h:5060"),
            ("sip:h:5060", "sip:h:5060"),
            ("tel:+86", "tel:+86"),
        ] {
            assert_eq!(without_secrets(uri), shown, "{uri}");
        }
    }

    #[test]
    fn a_response_names_the_request_that_it_answers() {
        let of = |text: &str| Outline::read(text.as_bytes()).map(|outline| outline.text());
        let answer = |start: &str, method: &str| format!("{start}\r\nCSeq: 2 {method}\nCall-ID: x\r\n\r\n");
        assert_eq!(of(&answer("SIP/2.0 180 Ringing", "INVITE")).as_deref(), Some("180 Ringing"));
        assert_eq!(of(&answer("SIP/2.0 200 OK", "BYE")).as_deref(), Some("200 OK (BYE)"));
        assert_eq!(of(&answer("SIP/2.0 200 ", "CANCEL")).as_deref(), Some("200 (CANCEL)"));
    }

    #[test]
    fn no_cut_and_no_changed_byte_makes_it_fail() {
        for n in 0..INVITE.len() {
            let _ = Outline::read(&INVITE.as_bytes()[..n]).map(|outline| outline.text());
            for byte in [0, b'\n', b':', b'@', 0xff] {
                let mut bytes = INVITE.as_bytes().to_vec();
                bytes[n] = byte;
                if let Some(outline) = Outline::read(&bytes) {
                    assert!(!outline.text().contains("response="), "byte {n}");
                }
            }
        }
        for text in ["", "\r\n", "INVITE", "INVITE sip:h SIP/2.0\r\n\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"] {
            assert_eq!(Outline::read(text.as_bytes()), None, "{text:?}");
        }
    }
}
