//! The messages we send: the headers of each. `sip::build` encodes the header lines.

use super::identifiers::ClientKey;
use super::leg::{Leg, Placing};
use super::{Peer, SavedDialog, Transport, UaConfig, UserAgent};
use crate::call::HangUpCause;
use crate::sip::build::{RequestBuilder, ResponseBuilder};
use crate::sip::dialog::Dialog;
use crate::sip::headers::{HeaderName, Via};
use crate::sip::message::{Message, Method};
use crate::sip::multipart;
use crate::sip::session_timer::MIN_SE;
use crate::sip::uri::Uri;
use crate::sip::verdict::cause_words;
use std::net::SocketAddr;

/// Longest cause text kept from a received message, in bytes.
const CAUSE_MAX: usize = 200;

/// A response under construction.
pub(super) struct Reply<'a> {
    pub code: u16,
    reason: &'a str,
    tag: String,
    headers: Vec<(String, String)>,
    sdp: Option<String>,
}

impl<'a> Reply<'a> {
    pub fn new(code: u16, reason: &'a str) -> Self {
        Reply { code, reason, tag: String::new(), headers: Vec::new(), sdp: None }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Our To tag, used if the request has none.
    pub fn tag(mut self, tag: &str) -> Self {
        self.tag = tag.into();
        self
    }

    pub fn sdp(mut self, description: String) -> Self {
        self.sdp = Some(description);
        self
    }

    /// Adds Allow and Supported; a phone may also send REFER.
    pub fn allow(self, phone: bool) -> Self {
        self.header("Allow", allow(phone)).header("Supported", SUPPORTED)
    }
}

fn allow(phone: bool) -> String {
    if phone { super::phone_calls::phone_allow() } else { super::incoming_calls::ALLOW.to_string() }
}

/// The extensions we implement.
const SUPPORTED: &str = "100rel, timer";

pub(super) fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
        Transport::Tls => "TLS",
    }
}

impl UaConfig {
    /// Our sent-by for this peer's transport and address family; if there is none, for its transport, else the
    /// first one.
    pub(super) fn sent_by(&self, peer: Peer) -> &str {
        let fits = |known: Transport| known == peer.transport;
        let same_family = |sent_by: &str| sent_by.starts_with('[') == peer.address.is_ipv6();
        let exact = self.sent_by.iter().find(|(known, sent_by)| fits(*known) && same_family(sent_by));
        let near = || self.sent_by.iter().find(|(known, _)| fits(*known));
        exact.or_else(near).or(self.sent_by.first()).map_or("paceline.invalid", |(_, sent_by)| sent_by)
    }
}

/// `<sip:user@host:port;transport=tcp>`
pub(super) fn contact(config: &UaConfig, peer: Peer, user: &str) -> String {
    let user = if user.is_empty() { "paceline" } else { user };
    let mut uri = Uri::sip(user, config.sent_by(peer));
    match peer.transport {
        Transport::Udp => {}
        Transport::Tcp => uri.params.set("transport", "tcp"),
        Transport::Tls => uri.params.set("transport", "tls"),
    }
    format!("<{uri}>")
}

fn start(method: Method<'_>, uri: &str, transport: Transport, sent_by: &str, branch: &str) -> RequestBuilder {
    RequestBuilder::new(method, uri)
        .header(HeaderName::Via, &Via::new(transport_name(transport), sent_by, branch).to_string())
        .header(HeaderName::MaxForwards, "70")
}

fn cseq(number: u32, method: Method<'_>) -> String {
    format!("{number} {}", method.as_str())
}

/// The INVITE of an outgoing call.
pub(super) fn invite(config: &UaConfig, leg: &Leg, placing: &Placing, offer: &str) -> Vec<u8> {
    let transport = placing.peer.transport;
    let branch = placing.key.branch_text();
    let dialog = &leg.dialog;
    let mut request = start(Method::Invite, &placing.request_uri, transport, &placing.sent_by, &branch)
        .header(HeaderName::From, &dialog.local)
        .header(HeaderName::To, &dialog.remote)
        .header(HeaderName::CallId, &dialog.call_id)
        .header(HeaderName::CSeq, &cseq(placing.cseq, Method::Invite))
        .header(HeaderName::Contact, &contact(config, placing.peer, &placing.contact_user))
        .header(HeaderName::Allow, &allow(leg.phone.is_some()))
        .header(HeaderName::Supported, SUPPORTED)
        .header(HeaderName::SessionExpires, &placing.session_secs.to_string())
        .header(
            HeaderName::MinSe,
            &MIN_SE.max(if placing.raised { placing.session_secs } else { 0 }).to_string(),
        );
    if let Some((name, value)) = &placing.identity {
        request = request.header(*name, value);
    }
    let phone_lines = leg.phone.iter().flat_map(|phone| &phone.lines);
    for (name, value) in placing.authorization.iter().chain(phone_lines) {
        request = request.header(*name, value);
    }
    request = request.header(HeaderName::UserAgent, &config.product);
    request.body("application/sdp", offer.as_bytes())
}

/// A reconstructed INVITE of another process, from its saved dialog: enough to cancel and to acknowledge
/// it.
pub(super) fn saved_invite(saved: &SavedDialog, key: ClientKey, number: u32) -> Vec<u8> {
    let branch = key.branch_text();
    start(Method::Invite, &saved.request_uri, saved.peer.transport, &saved.sent_by, &branch)
        .header(HeaderName::From, &saved.from)
        .header(HeaderName::To, &saved.to)
        .header(HeaderName::CallId, &saved.call_id)
        .header(HeaderName::CSeq, &cseq(number, Method::Invite))
        .finish()
}

/// A request outside any dialog: REGISTER, OPTIONS.
pub(super) struct OutOfDialog<'a> {
    pub method: &'static str,
    pub uri: &'a str,
    pub from: String,
    pub to: String,
    pub call_id: &'a str,
    pub cseq: u32,
}

pub(super) fn out_of_dialog(
    config: &UaConfig,
    peer: Peer,
    key: ClientKey,
    out_of_dialog: &OutOfDialog<'_>,
    lines: &[(HeaderName, String)],
) -> Vec<u8> {
    let method = Method::parse(out_of_dialog.method);
    let sent_by = config.sent_by(peer);
    let mut request = start(method, out_of_dialog.uri, peer.transport, sent_by, &key.branch_text())
        .header(HeaderName::From, &out_of_dialog.from)
        .header(HeaderName::To, &out_of_dialog.to)
        .header(HeaderName::CallId, out_of_dialog.call_id)
        .header(HeaderName::CSeq, &cseq(out_of_dialog.cseq, method));
    for (name, value) in lines {
        request = request.header(*name, value);
    }
    request.header(HeaderName::UserAgent, &config.product).finish()
}

fn in_dialog(
    config: &UaConfig,
    dialog: &Dialog,
    branch: u64,
    number: u32,
    method: Method<'_>,
) -> RequestBuilder {
    let (uri, routes) = dialog.path();
    let next_hop = dialog.next_hop();
    let transport = next_hop.transport;
    let branch = ClientKey::new(branch).branch_text();
    let mut request = start(method, &uri, transport, config.sent_by(next_hop), &branch);
    for route in &routes {
        request = request.header(HeaderName::Route, route);
    }
    request
        .header(HeaderName::From, &dialog.local)
        .header(HeaderName::To, &dialog.remote)
        .header(HeaderName::CallId, &dialog.call_id)
        .header(HeaderName::CSeq, &cseq(number, method))
}

/// The ACK of a 2xx: a request within the dialog, with the CSeq number and credentials of the INVITE (RFC
/// 3261 section 13.2.2.4).
pub(super) fn ack(
    config: &UaConfig,
    dialog: &Dialog,
    branch: u64,
    number: u32,
    authorization: &[(HeaderName, String)],
) -> Vec<u8> {
    let mut request = in_dialog(config, dialog, branch, number, Method::Ack);
    for (name, value) in authorization {
        request = request.header(*name, value);
    }
    request.finish()
}

impl UserAgent {
    pub(super) fn dialog_ack(&mut self, dialog: &Dialog) -> Vec<u8> {
        ack(&self.config, dialog, self.identifiers.fresh(), dialog.local_cseq, &[])
    }

    /// The next request within a dialog.
    pub(super) fn dialog_request(
        &mut self,
        dialog: &mut Dialog,
        method: Method<'_>,
        lines: &[(HeaderName, String)],
        body: Option<(&str, &str)>,
    ) -> (ClientKey, Vec<u8>) {
        let branch = self.identifiers.fresh();
        let number = dialog.next_cseq();
        let mut request = in_dialog(&self.config, dialog, branch, number, method);
        for (name, value) in lines {
            request = request.header(*name, value);
        }
        request = request.header(HeaderName::UserAgent, &self.config.product);
        let bytes = match body {
            Some((kind, body)) => request.body(kind, body.as_bytes()),
            None => request.finish(),
        };
        (ClientKey::new(branch), bytes)
    }
}

/// The CANCEL of an INVITE, with its request URI, Via, From, To, Call-ID, CSeq number and Route (RFC 3261
/// section 9.1).
pub(super) fn cancel_of(invite: &[u8], reason: &str) -> Option<Vec<u8>> {
    let invite = Message::parse(invite).ok()?;
    let request =
        within_invite_transaction(&invite, Method::Cancel, invite.header(HeaderName::To)?.as_ref())?;
    Some(request.header(HeaderName::Reason, reason).finish())
}

/// The ACK of a non-2xx final response: within the INVITE's transaction, with the To of the response (RFC
/// 3261 section 17.1.1.3).
pub(super) fn ack_of_refusal(invite: &[u8], response: &Message<'_>) -> Option<Vec<u8>> {
    let invite = Message::parse(invite).ok()?;
    Some(within_invite_transaction(&invite, Method::Ack, response.header(HeaderName::To)?.as_ref())?.finish())
}

fn within_invite_transaction(invite: &Message<'_>, method: Method<'_>, to: &str) -> Option<RequestBuilder> {
    let crate::sip::message::StartLine::Request { uri, .. } = invite.start() else { return None };
    let mut request = RequestBuilder::new(method, uri)
        .header(HeaderName::Via, &invite.via().ok()?.to_string())
        .header(HeaderName::MaxForwards, "70");
    for route in invite.list(HeaderName::Route) {
        request = request.header(HeaderName::Route, &route);
    }
    Some(
        request
            .header(HeaderName::From, &invite.header(HeaderName::From)?)
            .header(HeaderName::To, to)
            .header(HeaderName::CallId, &invite.call_id())
            .header(HeaderName::CSeq, &cseq(invite.cseq().ok()?.number, method)),
    )
}

/// A response to a request, with its Vias, From, To, Call-ID, CSeq and Record-Route.
pub(super) fn response(request: &Message<'_>, from: Peer, reply: &Reply<'_>) -> Vec<u8> {
    let mut response = ResponseBuilder::to(request, from.address, reply.code, reply.reason);
    if !reply.tag.is_empty() {
        response = response.tag(&reply.tag);
    }
    for (name, value) in &reply.headers {
        response = response.text(name, value);
    }
    match &reply.sdp {
        Some(sdp) => response.body("application/sdp", sdp.as_bytes()),
        None => response.finish(),
    }
}

/// Destination of a response (RFC 3261 section 18.2.2, RFC 3581): the connection; over UDP the source
/// address, at the source port if `rport` is present, else at the port of the Via.
pub(super) fn reply_peer(request: &Message<'_>, from: Peer) -> Peer {
    if from.transport != Transport::Udp {
        return from;
    }
    match request.via() {
        Ok(via) if via.rport().is_none() => {
            let address = SocketAddr::new(from.address.ip(), via.port.unwrap_or(5060));
            Peer { transport: from.transport, address }
        }
        _ => from,
    }
}

/// The SDP of a message: its body, or the part of a multipart body that is one.
pub(super) fn description<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    let kind = message.header(HeaderName::ContentType)?;
    multipart::find_part(&kind, message.body(), "application/sdp").filter(|body| !body.is_empty())
}

/// The Reason value for CANCEL and BYE (RFC 3326).
pub(super) fn reason(cause: HangUpCause) -> &'static str {
    match cause {
        HangUpCause::RingTimeout => "Q.850;cause=19;text=\"No answer\"",
        HangUpCause::Finished => "Q.850;cause=16;text=\"Finished\"",
        HangUpCause::Stopped => "Q.850;cause=16;text=\"Stopped\"",
        HangUpCause::MediaLost => "Q.850;cause=41;text=\"Media lost\"",
        HangUpCause::AgentHungUp => "Q.850;cause=16;text=\"Agent hung up\"",
        HangUpCause::AgentFailed => "Q.850;cause=41;text=\"Agent not reached\"",
        HangUpCause::Abandoned => "Q.850;cause=16;text=\"Nobody free\"",
        HangUpCause::SetupTimeout => "Q.850;cause=18;text=\"It did not ring\"",
        HangUpCause::NotSaved => "Q.850;cause=41;text=\"Not saved\"",
    }
}

/// The Reason header in words; empty if absent.
pub(super) fn reason_text(message: &Message<'_>) -> String {
    let Some(reason) = message.reason() else { return String::new() };
    let words = match (reason.text.as_deref(), reason.cause.filter(|_| reason.is_q850())) {
        (Some(text), _) if !text.is_empty() => text,
        (_, Some(cause)) => cause_words(cause),
        _ => "",
    };
    let cause = reason.cause.map(|cause| format!("{} {cause}", reason.protocol)).unwrap_or_default();
    truncate(format!("{cause} {words}").trim())
}

/// A refusal in words: reason phrase, then Reason header.
pub(super) fn cause_text(message: &Message<'_>) -> String {
    let phrase = match message.start() {
        crate::sip::message::StartLine::Response { reason, .. } => reason,
        crate::sip::message::StartLine::Request { .. } => "",
    };
    let more = reason_text(message);
    match (phrase.is_empty(), more.is_empty()) {
        (_, true) => truncate(phrase),
        (true, false) => more,
        (false, false) => truncate(&format!("{phrase}; {more}")),
    }
}

fn truncate(text: &str) -> String {
    text[..text.floor_char_boundary(CAUSE_MAX)].to_string()
}
