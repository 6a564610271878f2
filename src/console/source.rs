//! The address that a request comes from: of the socket, or what a trusted proxy says. A request over any
//! proxy never counts as local.

use crate::config::proxies::TrustedProxies;
use axum::http::{HeaderMap, header};
use std::net::{IpAddr, SocketAddr};

/// The socket address that a request came from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The origin of a request, as an extension of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Canonical; unspecified for requests without a socket.
    pub address: IpAddr,
    /// Sent by a program on this machine, without a proxy.
    pub is_local: bool,
    /// A trusted proxy vouches for the address.
    pub is_forwarded: bool,
}

/// Headers that proxies add.
const PROXY_HEADERS: &[&str] = &["x-forwarded-for", "forwarded", "x-real-ip", "via"];

impl Source {
    /// Walks `X-Forwarded-For` (each proxy appends the address of its client) from the right and stops at the
    /// first address that is no trusted proxy: anything further left is the client's own text.
    pub fn of(peer: Option<&Peer>, headers: &HeaderMap, proxies: &TrustedProxies) -> Source {
        let socket = peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip().to_canonical());
        if !proxies.contain(socket) {
            let is_proxied = PROXY_HEADERS.iter().any(|name| headers.contains_key(*name));
            let is_local = socket.is_loopback() && !is_proxied;
            return Source { address: socket, is_local, is_forwarded: false };
        }
        let lines: Vec<&str> = headers
            .get_all(header::HeaderName::from_static("x-forwarded-for"))
            .iter()
            .map(|line| line.to_str().unwrap_or_default())
            .collect();
        let mut vouched = None;
        for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            let Some(address) = parse_forwarded(entry) else { break };
            vouched = Some(address);
            if !proxies.contain(address) {
                break;
            }
        }
        Source { address: vouched.unwrap_or(socket), is_local: false, is_forwarded: vouched.is_some() }
    }
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn parse_forwarded(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim().trim_matches('"');
    let address = entry.parse::<IpAddr>().ok();
    let address = address.or_else(|| Some(entry.parse::<SocketAddr>().ok()?.ip()));
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    address.or_else(bracketed).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn source(peer: &str, lines: &[(&'static str, &str)]) -> (String, bool, bool) {
        let proxies = ["127.0.0.1", "10.0.0.0/8"].map(str::to_owned);
        let proxies = TrustedProxies::parse(&proxies).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let found = Source::of(Some(&Peer(peer.parse().unwrap())), &headers, &proxies);
        (found.address.to_string(), found.is_local, found.is_forwarded)
    }

    fn expected(address: &str, is_local: bool, is_forwarded: bool) -> (String, bool, bool) {
        (address.to_owned(), is_local, is_forwarded)
    }

    #[test]
    fn a_trusted_proxy_vouches_for_the_last_stranger_in_the_chain() {
        let forwarded = "x-forwarded-for";
        for (lines, address) in [
            (vec![(forwarded, "198.51.100.9")], "198.51.100.9"),
            (vec![(forwarded, "1.1.1.1, 198.51.100.9")], "198.51.100.9"),
            (vec![(forwarded, "1.1.1.1, 198.51.100.9, 10.1.1.1")], "198.51.100.9"),
            (vec![(forwarded, "1.1.1.1"), (forwarded, "198.51.100.9:4711")], "198.51.100.9"),
            (vec![(forwarded, "[2001:db8::1]:4711")], "2001:db8::1"),
            (vec![(forwarded, "::ffff:198.51.100.9")], "198.51.100.9"),
            (vec![(forwarded, "1.1.1.1, junk, 10.2.2.2")], "10.2.2.2"),
        ] {
            assert_eq!(source("127.0.0.1:5", &lines), expected(address, false, true), "{lines:?}");
        }
    }

    #[test]
    fn a_stranger_cannot_name_its_own_address() {
        let claim = [("x-forwarded-for", "127.0.0.1")];
        assert_eq!(source("192.0.2.1:5", &claim), expected("192.0.2.1", false, false));
        assert_eq!(
            source("127.0.0.1:5", &[("x-forwarded-for", "junk")]),
            expected("127.0.0.1", false, false)
        );
    }

    #[test]
    fn a_request_over_a_proxy_is_never_local() {
        assert_eq!(source("[::1]:5", &[]), expected("::1", true, false));
        assert_eq!(source("[::1]:5", &[("x-real-ip", "192.0.2.1")]), expected("::1", false, false));
        assert_eq!(source("[::1]:5", &[("forwarded", "for=192.0.2.1")]), expected("::1", false, false));
        assert_eq!(source("127.0.0.1:5", &[]), expected("127.0.0.1", false, false));
        assert!(!source("127.0.0.1:5", &[("x-forwarded-for", "127.0.0.1")]).1);
    }
}
