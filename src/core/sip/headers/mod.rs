//! Typed header values, independent of the message they stand in.

mod name;
mod name_addr;
mod via;

pub use super::params::Params;
pub use name::HeaderName;
pub use name_addr::NameAddr;
pub(crate) use name_addr::NameAddrParts;
pub use via::Via;
pub(crate) use via::ViaParts;

use super::grammar::{digits, is_token_byte, unquote};
use super::method::Method;
use super::params;

/// `4711 INVITE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// Below 2^31 (RFC 3261 section 8.1.1.5).
    pub number: u32,
    pub method: Method<'a>,
}

impl<'a> CSeq<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        let (number, method) = text.trim().split_once([' ', '\t'])?;
        let number = digits(number).filter(|number| *number < 1 << 31)?;
        let method = method.trim_start();
        let token = !method.is_empty() && method.bytes().all(is_token_byte);
        token.then(|| CSeq { number, method: Method::parse(method) })
    }
}

/// `776656 1 INVITE` (RFC 3262 section 7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    pub rseq: u32,
    pub cseq: u32,
    pub method: String,
}

impl RAck {
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let rack =
            RAck { rseq: digits(words.next()?)?, cseq: digits(words.next()?)?, method: words.next()?.into() };
        words.next().is_none().then_some(rack)
    }
}

/// The side that refreshes a session (RFC 4028 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    Uac,
    Uas,
}

/// `1800;refresher=uac`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    pub secs: u32,
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    pub fn parse(text: &str) -> Option<Self> {
        let (secs, rest) = text.split_once(';').unwrap_or((text, ""));
        let refresher = match params::value(rest, "refresher") {
            Some(who) if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(who) if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            _ => None,
        };
        Some(SessionExpires { secs: digits(secs.trim())?, refresher })
    }
}

/// One Reason value (RFC 3326): `Q.850;cause=16;text="Terminated"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `Q.850` or `SIP`, as written.
    pub protocol: String,
    pub cause: Option<u16>,
    pub text: Option<String>,
}

impl Reason {
    pub fn parse(text: &str) -> Option<Self> {
        let (protocol, rest) = text.split_once(';').unwrap_or((text, ""));
        let protocol = protocol.trim();
        if protocol.is_empty() || !protocol.bytes().all(is_token_byte) {
            return None;
        }
        Some(Reason {
            protocol: protocol.into(),
            cause: params::value(rest, "cause").and_then(|cause| cause.trim().parse().ok()),
            text: params::value(rest, "text").map(|text| unquote(&format!("\"{text}\"")).into_owned()),
        })
    }

    /// Whether the cause is an ISDN cause (Q.850) rather than a SIP status.
    pub fn is_q850(&self) -> bool {
        self.protocol.eq_ignore_ascii_case("Q.850")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cseq_is_a_number_below_two_to_the_thirty_one_and_a_method() {
        let table = [
            ("4711 INVITE", Some((4711, "INVITE"))),
            ("  0009\t   Bye ", Some((9, "Bye"))),
            ("2147483647 ACK", Some((2_147_483_647, "ACK"))),
            ("2147483648 ACK", None),
            ("36893488147419103232 REGISTER", None),
            ("-1 ACK", None),
            ("1", None),
            ("1 A B", None),
            ("INVITE 1", None),
            ("", None),
        ];
        for (text, expected) in table {
            let cseq = CSeq::parse(text);
            assert_eq!(cseq.map(|cseq| (cseq.number, cseq.method.as_str())), expected, "{text}");
        }
    }

    #[test]
    fn session_expires_reason_and_rack_are_read() {
        assert_eq!(
            SessionExpires::parse("90 ;Refresher=UAS"),
            Some(SessionExpires { secs: 90, refresher: Some(Refresher::Uas) })
        );
        assert_eq!(SessionExpires::parse("x"), None);
        let reason = Reason::parse("Q.850 ;cause=17;text=\"User \\\"busy\\\"; really\"").expect("a reason");
        assert_eq!((reason.is_q850(), reason.cause), (true, Some(17)));
        assert_eq!(reason.text.as_deref(), Some("User \"busy\"; really"));
        assert_eq!(
            RAck::parse("776656 1 INVITE"),
            Some(RAck { rseq: 776_656, cseq: 1, method: "INVITE".into() })
        );
        assert_eq!(RAck::parse("776656 INVITE"), None);
    }
}
