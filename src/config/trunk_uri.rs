//! The `uri` of a trunk: host, port and transport. A part with no meaning here is refused, never dropped.

use paceline_core::sip::uri::Uri;
use paceline_core::sip::user_agent::Transport;
use std::net::IpAddr;

/// Where a trunk is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkUri {
    pub transport: Transport,
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    pub host: String,
    /// As written; without it a name is looked up by SRV records.
    pub port: Option<u16>,
}

impl TrunkUri {
    /// Parses `sip:HOST[:PORT][;transport=…]`. `transport` = the setting beside it, which must not contradict.
    ///
    /// # Errors
    /// What was found, and what to write.
    pub fn parse(text: &str, transport: Option<Transport>) -> Result<TrunkUri, (String, String)> {
        const HINT: &str = "write sip:HOST or sip:HOST:PORT, an IPv6 address in brackets";
        let shown = text.escape_debug();
        let fault = |found: String, hint: &str| Err((found, hint.to_owned()));
        let Some(uri) = Uri::parse(text) else { return fault(format!("`{shown}` is no SIP URI"), HINT) };
        if uri.scheme == "sips" {
            return fault(format!("`{shown}` begins with sips:"), "write sip:HOST;transport=tls");
        }
        if uri.scheme != "sip" {
            return fault(format!("`{shown}` does not begin with sip:"), HINT);
        }
        if uri.user.is_some() {
            return fault(
                format!("`{shown}` names a user"),
                "write the host alone; the account belongs into username and password",
            );
        }
        if uri.headers.is_some() {
            return fault(format!("`{shown}` has headers after its question mark"), "remove them");
        }
        if uri.port == Some(0) {
            return fault(format!("`{shown}` names port 0"), HINT);
        }
        let mut named = None;
        for (name, value) in uri.params.iter() {
            if !name.eq_ignore_ascii_case("transport") {
                let found = format!("the URI parameter `{}` has no meaning here", name.escape_debug());
                return fault(found, "remove it; transport is the only one");
            }
            named = match value.to_ascii_lowercase().as_str() {
                "udp" => Some(Transport::Udp),
                "tcp" => Some(Transport::Tcp),
                "tls" => Some(Transport::Tls),
                _ => {
                    let found = format!("`{}` is no transport of ours", value.escape_debug());
                    return fault(found, "write transport=udp, tcp or tls");
                }
            };
        }
        if let (Some(named), Some(set)) = (named, transport)
            && named != set
        {
            let found = format!("the URI says {}, transport = \"{}\"", word(named), word(set));
            return fault(found, "remove one of them");
        }
        let transport = named.or(transport).unwrap_or(Transport::Udp);
        Ok(TrunkUri { transport, host: uri.host, port: uri.port })
    }

    /// The host as an address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// The port where neither URI nor SRV record names one: 5061 for TLS, else 5060 (RFC 3261 section 19.1.2).
    pub fn default_port(&self) -> u16 {
        if self.transport == Transport::Tls { 5061 } else { 5060 }
    }

    /// Host and port as they stand in request URIs: the port only where it is not the default.
    pub fn host_port(&self) -> String {
        match self.port.filter(|port| *port != self.default_port()) {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

/// Host and port, if the text is a host with or without a port.
pub(super) fn is_host(text: &str) -> Option<(String, Option<u16>)> {
    let uri = Uri::parse(&format!("sip:{text}"))?;
    let is_plain = uri.user.is_none() && uri.headers.is_none() && uri.params.iter().next().is_none();
    is_plain.then_some((uri.host, uri.port))
}

fn word(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_port_and_transport_are_read() {
        for (text, set, transport, host_port, port) in [
            ("sip:carrier.example", None, Transport::Udp, "carrier.example", None),
            ("sip:203.0.113.1:5060", None, Transport::Udp, "203.0.113.1", Some(5060)),
            ("sip:203.0.113.1:5080", Some(Transport::Tcp), Transport::Tcp, "203.0.113.1:5080", Some(5080)),
            ("sip:h:5061;transport=TLS", None, Transport::Tls, "h", Some(5061)),
            ("SIP:h;Transport=tcp", Some(Transport::Tcp), Transport::Tcp, "h", None),
            ("sip:[::1]:5062", None, Transport::Udp, "[::1]:5062", Some(5062)),
            ("sip:[2001:db8::10]", None, Transport::Udp, "[2001:db8::10]", None),
        ] {
            let uri = TrunkUri::parse(text, set).expect(text);
            assert_eq!((uri.transport, uri.host_port().as_str(), uri.port), (transport, host_port, port));
        }
        let v6 = TrunkUri::parse("sip:[::1]:5062", None).expect("an address");
        assert_eq!(v6.address(), Some("::1".parse().expect("an address")));
    }

    #[test]
    fn odd_parts_are_refused_in_words() {
        for (text, set, words) in [
            ("203.0.113.1", None, "no SIP URI"),
            ("sip:", None, "no SIP URI"),
            ("sip:::1", None, "no SIP URI"),
            ("sip:h:99999", None, "no SIP URI"),
            ("sip:h:0", None, "port 0"),
            ("sips:h", None, "sips:"),
            ("tel:+8613800138000", None, "does not begin"),
            ("sip:alice@h", None, "names a user"),
            ("sip:h?Subject=x", None, "headers"),
            ("sip:h;lr", None, "`lr`"),
            ("sip:h;maddr=10.0.0.1", None, "`maddr`"),
            ("sip:h;transport=sctp", None, "`sctp`"),
            ("sip:h;transport=ws", None, "`ws`"),
            ("sip:h;transport", None, "``"),
            ("sip:h;transport=tcp", Some(Transport::Udp), "the URI says tcp"),
            ("sip:h;transport=udp", Some(Transport::Tls), "the URI says udp"),
        ] {
            let (found, hint) = TrunkUri::parse(text, set).expect_err(text);
            assert!(found.contains(words) && !hint.is_empty(), "{text}: {found}; {hint}");
        }
    }
}
