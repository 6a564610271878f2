//! Via: the path of a request, and the address its response goes to (RFC 3261 section 18.2, RFC 3581).

use crate::sip::grammar::{is_token_byte, quotes_are_closed, split_once};
use crate::sip::params::{self, Params};
use crate::sip::uri::split_host_port;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// One Via value. `branch`, `received`, `rport` and `maddr` are among `params`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// `UDP`, `TCP`, `TLS`, `WS`, `WSS` or another token, as received.
    pub transport: String,
    /// Host name or address; IPv6 in brackets.
    pub host: String,
    pub port: Option<u16>,
    pub params: Params,
}

/// The parts of a Via value, borrowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ViaParts<'a> {
    pub transport: &'a str,
    pub host: &'a str,
    pub port: Option<u16>,
    pub params: &'a str,
}

impl<'a> ViaParts<'a> {
    /// `SIP / 2.0 / UDP host : port ; params`, with blanks where the grammar allows them.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (protocol, rest) = split_once(text, b'/')?;
        let (version, rest) = split_once(rest, b'/')?;
        if !protocol.trim().eq_ignore_ascii_case("SIP") || version.trim() != "2.0" {
            return None;
        }
        let rest = rest.trim_start();
        let (transport, rest) = rest.split_once([' ', '\t'])?;
        let (sent_by, params) = match rest.find(';') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = split_host_port(sent_by.trim())?;
        let token = !transport.is_empty() && transport.bytes().all(is_token_byte);
        let sound = token && !params::has_empty(params) && quotes_are_closed(params);
        sound.then_some(ViaParts { transport, host, port, params })
    }

    pub fn branch(&self) -> Option<&'a str> {
        params::value(self.params, "branch").filter(|branch| !branch.is_empty())
    }
}

impl Via {
    /// `None` if the value is not a SIP/2.0 Via.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = ViaParts::parse(text)?;
        Some(Via {
            transport: parts.transport.into(),
            host: parts.host.into(),
            port: parts.port,
            params: Params::parse(parts.params),
        })
    }

    /// A Via of our own with `;rport` (RFC 3581). `sent_by` is `host` or `host:port`.
    pub fn new(transport: &str, sent_by: &str, branch: &str) -> Self {
        let (host, port) = split_host_port(sent_by).unwrap_or((sent_by, None));
        let mut params = Params::new();
        params.set("rport", "");
        params.set("branch", branch);
        Via { transport: transport.into(), host: host.into(), port, params }
    }

    pub fn branch(&self) -> Option<&str> {
        self.params.value("branch").filter(|branch| !branch.is_empty())
    }

    /// Whether the branch follows RFC 3261 and so identifies the transaction. The cookie alone identifies
    /// nothing.
    pub fn has_magic_cookie(&self) -> bool {
        self.branch().is_some_and(|branch| {
            branch.len() > 7 && branch.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("z9hG4bK"))
        })
    }

    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.value("received")?;
        text.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// `None` = absent, `Some(None)` = requested, `Some(Some(port))` = filled in.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.value("rport").map(|port| port.parse().ok())
    }

    pub fn maddr(&self) -> Option<&str> {
        self.params.value("maddr")
    }

    pub fn ttl(&self) -> Option<u8> {
        self.params.value("ttl").and_then(|ttl| ttl.parse().ok())
    }

    /// `host:port` or `host`.
    pub fn sent_by(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// Records the source on receipt: `received` where sent-by is not the source address, `rport` where
    /// requested; with `rport`, `received` is always added (RFC 3581 section 4).
    pub fn note_source(&mut self, source: SocketAddr) {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let same = host.parse::<IpAddr>().is_ok_and(|address| address == source.ip());
        let asked = self.params.has("rport");
        if !same || asked {
            self.params.set("received", &source.ip().to_string());
        } else if self.params.has("received") {
            // Drop a `received` that the sender wrote: only the receiver may set it.
            self.params.remove("received");
        }
        if asked {
            self.params.set("rport", &source.port().to_string());
        }
    }

    /// The address for a response over an unreliable transport (RFC 3261 section 18.2.2, RFC 3581 section
    /// 4), or for a new connection if the old one is gone; `None` if only a host name is known. `maddr` is
    /// ignored: it would let a sender aim our responses at a third party.
    pub fn response_address(&self) -> Option<SocketAddr> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let address = self.received().or_else(|| host.parse().ok())?;
        let default = if self.transport.eq_ignore_ascii_case("TLS") { 5061 } else { 5060 };
        let port = self.rport().flatten().or(self.port).unwrap_or(default);
        Some(SocketAddr::new(address, port))
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_via_is_read_with_all_the_blanks_the_grammar_allows() {
        let via = Via::parse("SIP  / 2.0\t /UDP   192.0.2.2 : 5080 ;branch=390skdjuw; rport").expect("a via");
        assert_eq!((via.transport.as_str(), via.host.as_str(), via.port), ("UDP", "192.0.2.2", Some(5080)));
        assert_eq!((via.branch(), via.rport()), (Some("390skdjuw"), Some(None)));
        assert!(!via.has_magic_cookie());
        let via = Via::parse("SIP/2.0/TLS [2001:db8::9:1]:5061;branch=z9hG4bKas3-111").expect("a via");
        assert_eq!((via.host.as_str(), via.port), ("[2001:db8::9:1]", Some(5061)));
        assert!(via.has_magic_cookie());
        assert_eq!(via.to_string(), "SIP/2.0/TLS [2001:db8::9:1]:5061;branch=z9hG4bKas3-111");
    }

    #[test]
    fn an_invalid_via_is_rejected() {
        for text in [
            "",
            "SIP/2.0",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "HTTP/1.1/TCP a",
            "SIP/7.0/UDP a",
            "SIP/2.0/UDP a:b",
        ] {
            assert_eq!(Via::parse(text), None, "{text}");
        }
    }

    #[test]
    fn received_and_rport_are_set_where_needed() {
        let source: SocketAddr = "192.0.2.7:6060".parse().expect("an address");
        let mut via = Via::parse("SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff").expect("a via");
        via.note_source(source);
        assert_eq!(
            via.to_string(),
            "SIP/2.0/UDP 10.1.1.1:4540;rport=6060;branch=z9hG4bKkjshdyff;received=192.0.2.7"
        );
        assert_eq!(via.response_address(), Some(source));
        let mut via = Via::parse("SIP/2.0/UDP 192.0.2.7:4540;branch=z9hG4bK1").expect("a via");
        via.note_source(source);
        assert_eq!(via.to_string(), "SIP/2.0/UDP 192.0.2.7:4540;branch=z9hG4bK1");
        assert_eq!(via.response_address(), Some("192.0.2.7:4540".parse().expect("an address")));
    }
}
