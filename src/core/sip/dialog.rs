//! A dialog (RFC 3261 section 12): identifiers, sequence numbers, route set and remote target shared by
//! both sides, and the requests that follow from them.

use super::headers::HeaderName;
use super::message::Message;
use super::peer::{Peer, Transport};
use super::uri::Uri;
use std::net::SocketAddr;

/// Routes kept from one Record-Route list; more than any real path has. Further ones are dropped.
const ROUTES_MAX: usize = 32;

/// Header values are kept as text, so they are sent exactly as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    pub call_id: String,
    /// The From value of our requests, with our tag.
    pub local: String,
    /// The To value of our requests, with the remote tag once it is known.
    pub remote: String,
    /// `None` before a response of the far side. An element of RFC 2543 sends no tag: the tag is then empty (RFC
    /// 3261 section 12.1.2).
    pub remote_tag: Option<String>,
    /// The URI of the far side's Contact; before one is received, the request URI.
    pub remote_target: String,
    /// Values of Route, in sending order.
    pub route_set: Vec<String>,
    /// CSeq number of our last request.
    pub local_cseq: u32,
    /// CSeq number of the far side's last request.
    pub remote_cseq: Option<u32>,
    /// The destination when neither the route set nor the target is an IP address.
    pub peer: Peer,
    /// Requests always go to `peer`: the far side is a phone, perhaps behind a NAT, and its Contact must
    /// not redirect our requests.
    pub pinned: bool,
}

impl Dialog {
    /// Takes the remote tag, target and route set (reversed) from a response to our INVITE.
    pub fn establish(&mut self, response: &Message<'_>) {
        if let Some(to) = response.header(HeaderName::To) {
            self.remote = bounded(&to);
        }
        self.remote_tag = Some(response.to_tag().map(|tag| bounded(&tag)).unwrap_or_default());
        self.retarget(response);
        let mut routes: Vec<String> =
            response.list(HeaderName::RecordRoute).take(ROUTES_MAX).map(|route| bounded(&route)).collect();
        routes.reverse();
        self.route_set = routes;
    }

    /// The dialog that a response alone describes: another branch of a fork, or a call whose state is gone.
    /// `None` without our tag.
    pub fn from_response(response: &Message<'_>, peer: Peer) -> Option<Self> {
        let cseq = response.cseq().ok()?.number;
        response.from_tag()?;
        let target = response.to().ok()?.uri.to_string();
        let mut dialog = Dialog {
            call_id: response.call_id().into_owned(),
            local: response.header(HeaderName::From)?.into_owned(),
            remote: String::new(),
            remote_tag: None,
            remote_target: target,
            route_set: Vec::new(),
            local_cseq: cseq,
            remote_cseq: None,
            peer,
            pinned: false,
        };
        dialog.establish(response);
        Some(dialog)
    }

    /// The callee's side of the dialog that an INVITE creates, with our tag.
    pub fn from_request(request: &Message<'_>, local_tag: &str, peer: Peer) -> Option<Self> {
        let to = request.header(HeaderName::To)?;
        let target = match request.contact() {
            Ok(contact) => contact.uri.to_string(),
            Err(_) => request.from().ok()?.uri.to_string(),
        };
        Some(Dialog {
            call_id: request.call_id().into_owned(),
            local: format!("{to};tag={local_tag}"),
            remote: request.header(HeaderName::From)?.into_owned(),
            remote_tag: Some(request.from_tag().map(|tag| tag.into_owned()).unwrap_or_default()),
            remote_target: bounded(&target),
            route_set: request
                .list(HeaderName::RecordRoute)
                .take(ROUTES_MAX)
                .map(|route| bounded(&route))
                .collect(),
            local_cseq: 0,
            remote_cseq: request.cseq().ok().map(|cseq| cseq.number),
            peer,
            pinned: false,
        })
    }

    /// Target refresh (RFC 3261 section 12.2): the Contact of a re-INVITE, an UPDATE, or their 2xx.
    pub fn retarget(&mut self, message: &Message<'_>) {
        if let Ok(contact) = message.contact()
            && contact.uri.is_sip()
        {
            self.remote_target = bounded(&contact.uri.to_string());
        }
    }

    /// Checks and records the CSeq of a received request; `false` = out of order (RFC 3261 section 12.2.2).
    pub fn accept_cseq(&mut self, number: u32) -> bool {
        if self.remote_cseq.is_some_and(|last| number <= last) {
            return false;
        }
        self.remote_cseq = Some(number);
        true
    }

    pub fn next_cseq(&mut self) -> u32 {
        self.local_cseq += 1;
        self.local_cseq
    }

    /// The request URI and the Route values of our requests. A first route without `lr` is a strict router:
    /// it becomes the request URI and the target comes last (RFC 3261 section 12.2.1.1).
    pub fn path(&self) -> (String, Vec<String>) {
        let Some(first) = self.route_set.first() else {
            return (self.remote_target.clone(), Vec::new());
        };
        match route_uri(first) {
            Some(uri) if !uri.is_loose_router() => {
                let mut routes: Vec<String> = self.route_set[1..].to_vec();
                routes.push(format!("<{}>", self.remote_target));
                (uri.to_string(), routes)
            }
            _ => (self.remote_target.clone(), self.route_set.clone()),
        }
    }

    /// Destination of our requests: the first route, else the target, where those are IP addresses. Host
    /// names are not resolved here; the peer the call was placed with is used for them.
    pub fn next_hop(&self) -> Peer {
        if self.pinned {
            return self.peer;
        }
        let uri = match self.route_set.first() {
            Some(route) => route_uri(route),
            None => Uri::parse(&self.remote_target),
        };
        uri.and_then(|uri| peer_of(&uri, self.peer)).unwrap_or(self.peer)
    }
}

/// The URI inside a Route value.
fn route_uri(route: &str) -> Option<Uri> {
    super::headers::NameAddr::parse(route).map(|route| route.uri)
}

/// The peer a URI names, if its host is an IP address; the transport is that of `near` unless the URI names
/// another supported one.
pub fn peer_of(uri: &Uri, near: Peer) -> Option<Peer> {
    let address = uri.address().filter(|address| !address.is_unspecified() && !address.is_multicast())?;
    let transport = match uri.transport() {
        Some(name) if name.eq_ignore_ascii_case("udp") => Transport::Udp,
        Some(name) if name.eq_ignore_ascii_case("tcp") => Transport::Tcp,
        Some(name) if name.eq_ignore_ascii_case("tls") => Transport::Tls,
        _ => near.transport,
    };
    let default = if transport == Transport::Tls { 5061 } else { 5060 };
    let port = uri.port.filter(|port| *port != 0).unwrap_or(default);
    Some(Peer { transport, address: SocketAddr::new(address, port) })
}

/// Cuts received text at 1 KiB: it is kept for the length of a call, no real header is longer, and the
/// sender must not decide how much memory a call takes.
fn bounded(text: &str) -> String {
    const LONGEST: usize = 1_024;
    text[..text.floor_char_boundary(LONGEST)].to_string()
}
