//! Received requests by method, outside and inside a dialog: re-INVITE, UPDATE, INFO, BYE, OPTIONS.

use super::identifiers::tag_text;
use super::incoming_calls::{ended_by_caller, is_allowed};
use super::leg::{Leg, LegState, Refresh, Retransmission};
use super::write::{self, Reply};
use super::{Caller, Peer, UaEvent, UserAgent};
use crate::call::Digit;
use crate::ids::CallId;
use crate::outcome::{EndedBy, Outcome};
use crate::sdp;
use crate::sip::headers::{HeaderName, Refresher};
use crate::sip::message::{Message, Method};
use crate::sip::session_timer::{MIN_SE, SessionTimer};
use crate::sip::verdict;
use crate::time::{Duration, Time};

/// How long a 2xx is awaited that was overtaken by its call's BYE: three of its retransmissions.
const OVERTAKEN_2XX: Duration = Duration::from_secs(4);

/// A new request and its server transaction.
#[derive(Clone, Copy)]
pub(super) struct ReceivedRequest<'a, 'b> {
    pub id: u64,
    pub from: Peer,
    pub request: &'a Message<'b>,
}

impl UserAgent {
    pub(super) fn handle_new_request(
        &mut self,
        now: Time,
        received: ReceivedRequest<'_, '_>,
        method: Method<'_>,
        caller: Caller,
        bytes: &[u8],
    ) {
        let ReceivedRequest { id, from, request } = received;
        if method == Method::Cancel {
            self.handle_cancel(now, id, from, request);
        } else if let Some(reply) = refusal_of_any(method, request, self.registrar.is_some()) {
            self.respond_to(now, received, reply);
        } else if request.to_tag().is_some() {
            self.handle_in_dialog(now, received, method);
        } else {
            match (method, caller) {
                (Method::Register, Caller::Phone { user, .. }) => {
                    self.handle_phone_register(now, received, &user)
                }
                (Method::Invite, caller) => self.handle_invite(now, received, caller, bytes),
                (Method::Options, _) => self.respond_to(now, received, capabilities()),
                _ => self.respond_to(now, received, Reply::new(481, "Call/Transaction Does Not Exist")),
            }
        }
    }

    /// Sends a response, with a tag of ours if the request had no To tag.
    pub(super) fn respond_to(&mut self, now: Time, received: ReceivedRequest<'_, '_>, reply: Reply<'_>) {
        let tag = match received.request.to_tag() {
            Some(_) => String::new(),
            None => tag_text(self.identifiers.fresh()),
        };
        self.reply(now, received.id, received.request, received.from, &reply.tag(&tag));
    }

    fn handle_in_dialog(&mut self, now: Time, received: ReceivedRequest<'_, '_>, method: Method<'_>) {
        let request = received.request;
        if method == Method::Bye && self.hears_early_bye(now, received) {
            return;
        }
        let leg = self.find_call(request).and_then(|call| Some((call, self.legs.get_mut(&call)?)));
        let Some((call, dialog)) = leg.and_then(|(call, leg)| Some((call, dialog_with(leg, request)?)))
        else {
            self.respond_to(now, received, Reply::new(481, "Call/Transaction Does Not Exist"));
            return;
        };
        let number = request.cseq().map(|cseq| cseq.number).unwrap_or_default();
        if !dialog.accept_cseq(number) {
            self.respond_to(now, received, Reply::new(500, "CSeq Out Of Order"));
            return;
        }
        match method {
            Method::Bye => self.handle_bye(now, received, call),
            Method::Invite => self.handle_reinvite(now, received, call),
            Method::Update => self.handle_update(now, received, call),
            Method::Prack => self.handle_prack(now, received.id, call, received.from, request),
            Method::Info => self.handle_info(now, received, call),
            Method::Refer => self.handle_refer(now, received, call),
            _ => self.respond_to(now, received, capabilities()),
        }
    }

    /// A BYE of the callee before its 2xx: only a callee that has answered may send one (RFC 3261 section 15), so
    /// the 2xx was overtaken or lost. It is awaited: it decides whether the call was answered.
    fn hears_early_bye(&mut self, now: Time, received: ReceivedRequest<'_, '_>) -> bool {
        let request = received.request;
        let Some(call) = self.find_call(request) else { return false };
        let Some(leg) = self.legs.get_mut(&call).filter(|leg| leg.state == LegState::Calling) else {
            return false;
        };
        let Some(placing) = leg.placing.as_deref_mut() else { return false };
        placing.callee_hung_up.get_or_insert_with(|| write::reason_text(request));
        placing.ring_until = Some(placing.ring_until.unwrap_or(now + OVERTAKEN_2XX).min(now + OVERTAKEN_2XX));
        self.respond_to(now, received, Reply::new(200, "OK"));
        self.rearm_leg(call);
        true
    }

    fn handle_bye(&mut self, now: Time, received: ReceivedRequest<'_, '_>, call: CallId) {
        self.respond_to(now, received, Reply::new(200, "OK"));
        let Some(leg) = self.legs.get_mut(&call) else { return };
        let mut over = ended_by_caller(Outcome::Answered, Some(200), write::reason_text(received.request));
        match leg.state {
            LegState::Arriving => {
                over.outcome = Outcome::NoAnswer;
                over.sip_code = Some(487);
                self.terminate_invite(now, call);
            }
            // `hears_early_bye` has taken it.
            LegState::Calling => return,
            LegState::Ending => {
                if let Some(ours) = leg.ended.take() {
                    over = *ours;
                }
            }
            LegState::Answered | LegState::Accepted | LegState::Confirmed => {
                let cause =
                    received.request.reason().filter(|reason| reason.is_q850()).and_then(|it| it.cause);
                let fault = cause.map(|cause| verdict::refusal(480, Some(cause)));
                if fault.is_some_and(|fault| fault.outcome == Outcome::LineFault) {
                    over.by = EndedBy::Carrier;
                }
            }
        }
        self.end_leg(now, call, over);
    }

    /// Handles a re-INVITE: hold, moved media, session refresh.
    fn handle_reinvite(&mut self, now: Time, received: ReceivedRequest<'_, '_>, call: CallId) {
        let Some(leg) = self.legs.get(&call) else { return };
        let refusal = match leg.state {
            LegState::Calling => Some(Reply::new(491, "Request Pending")),
            _ => refusal_of_change(leg, true),
        };
        if let Some(reply) = refusal {
            let wait = self.identifiers.fresh() % 10;
            let reply = if reply.code == 500 { reply.header("Retry-After", wait.to_string()) } else { reply };
            self.respond_to(now, received, reply);
            return;
        }
        let Some((reply, offers)) = self.description_reply(now, call, received.request, true) else {
            self.respond_to(now, received, Reply::new(488, "Not Acceptable Here"));
            return;
        };
        let bytes = write::response(received.request, received.from, &reply);
        self.respond(now, received.id, 200, bytes.clone());
        let to = write::reply_peer(received.request, received.from);
        let number = received.request.cseq().map(|cseq| cseq.number).unwrap_or_default();
        if let Some(leg) = self.legs.get_mut(&call) {
            leg.unacknowledged = Some(Box::new(Retransmission::of_2xx(now, to, bytes, number, offers)));
        }
        self.rearm_leg(call);
    }

    /// Handles UPDATE (RFC 3311): like a re-INVITE, but without an ACK and possible before the answer.
    fn handle_update(&mut self, now: Time, received: ReceivedRequest<'_, '_>, call: CallId) {
        let Some(leg) = self.legs.get(&call) else { return };
        let offers = write::description(received.request).is_some();
        if let Some(reply) = refusal_of_change(leg, offers) {
            self.respond_to(now, received, reply);
            return;
        }
        match self.description_reply(now, call, received.request, false) {
            Some((reply, _)) => self.respond_to(now, received, reply),
            None => self.respond_to(now, received, Reply::new(488, "Not Acceptable Here")),
        }
        self.rearm_leg(call);
    }

    /// The 200 to a request that may carry an offer, and whether it contains our own offer. `None` = the
    /// offer is not acceptable: nothing changes.
    fn description_reply(
        &mut self,
        now: Time,
        call: CallId,
        request: &Message<'_>,
        offers: bool,
    ) -> Option<(Reply<'static>, bool)> {
        let contact = write::contact(&self.config, self.legs.get(&call)?.dialog.peer, "");
        let leg = self.legs.get_mut(&call)?;
        let mut reply = Reply::new(200, "OK").header("Contact", contact).allow(leg.phone.is_some());
        let mut news = None;
        let mut offered = false;
        if let Some(offer) = write::description(request) {
            let (target, text) =
                sdp::answer(offer, leg.media.as_ref()?, leg.sdp.id, leg.sdp.version + 1).ok()?;
            leg.sdp.version += 1;
            reply = reply.sdp(text);
            if leg.target.as_ref() != Some(&target) {
                leg.target = Some(target.clone());
                news = Some(target);
            }
        } else if offers {
            reply = reply.sdp(sdp::offer(leg.media.as_ref()?, leg.sdp.id, leg.sdp.version));
            offered = true;
        }
        if leg.state != LegState::Calling {
            leg.dialog.retarget(request);
            if let Some((timer, line)) = session_of(now, request) {
                leg.timer = Some(timer);
                reply = reply.header("Session-Expires", line);
                if !timer.ours {
                    reply = reply.header("Require", "timer");
                }
            }
        }
        let early = leg.state == LegState::Calling;
        if let Some(target) = news {
            self.emit(UaEvent::Media { call, target, early });
        }
        Some((reply, offered))
    }

    /// Handles INFO: a DTMF digit, or an empty body.
    fn handle_info(&mut self, now: Time, received: ReceivedRequest<'_, '_>, call: CallId) {
        let kind = received.request.content_type().unwrap_or_default();
        let body = std::str::from_utf8(received.request.body()).unwrap_or_default();
        let digit = match kind.as_str() {
            "application/dtmf-relay" => Some(relayed_digit(body)),
            "application/dtmf" => Some(digit(body)),
            "" => None,
            _ => {
                let reply = Reply::new(415, "Unsupported Media Type");
                self.respond_to(
                    now,
                    received,
                    reply.header("Accept", "application/dtmf-relay, application/dtmf"),
                );
                return;
            }
        };
        self.respond_to(now, received, Reply::new(200, "OK"));
        if let Some(Some(digit)) = digit {
            self.emit(UaEvent::Digit { call, digit });
        }
    }
}

/// The session timer that an INVITE, re-INVITE or UPDATE asks for, and the Session-Expires value of our
/// 2xx.
pub(super) fn session_of(now: Time, request: &Message<'_>) -> Option<(SessionTimer, String)> {
    let session = request.session_expires()?;
    let supports = request.has_token(HeaderName::Supported, "timer");
    let theirs = supports && session.refresher != Some(Refresher::Uas);
    let secs = session.secs.max(MIN_SE);
    let who = if theirs { "uac" } else { "uas" };
    Some((SessionTimer::start(now, secs, !theirs), format!("{secs};refresher={who}")))
}

/// Refusals that need no call state.
fn refusal_of_any(method: Method<'_>, request: &Message<'_>, registrar: bool) -> Option<Reply<'static>> {
    if method == Method::Refer && request.to_tag().is_none() {
        return Some(Reply::new(603, "Decline"));
    }
    let registers = method == Method::Register && registrar;
    if !is_allowed(method) && method != Method::Refer && !registers {
        return Some(Reply::new(405, "Method Not Allowed").allow(false));
    }
    let unknown: Vec<String> = request
        .require()
        .filter(|tag| !["100rel", "timer"].iter().any(|known| tag.eq_ignore_ascii_case(known)))
        .map(|tag| tag.into_owned())
        .collect();
    (!unknown.is_empty()).then(|| Reply::new(420, "Bad Extension").header("Unsupported", unknown.join(", ")))
}

/// 416 for a request URI that is neither `sip:`, `sips:` nor `tel:`, whatever the method (RFC 3261 section
/// 8.2.2.1).
pub(super) fn refusal_of_scheme(request: &Message<'_>) -> Option<Reply<'static>> {
    let is_unknown = request.request_uri().is_some_and(|uri| !uri.is_sip() && uri.scheme != "tel");
    is_unknown.then(|| Reply::new(416, "Unsupported URI Scheme"))
}

/// Why a session change is refused now (RFC 3261 section 14.2, RFC 3311 section 5.2).
fn refusal_of_change(leg: &Leg, offers: bool) -> Option<Reply<'static>> {
    match leg.state {
        LegState::Ending => return Some(Reply::new(481, "Call/Transaction Does Not Exist")),
        // The open INVITE carries an offer of its own.
        LegState::Answered | LegState::Accepted | LegState::Arriving if offers => {
            return Some(Reply::new(491, "Request Pending"));
        }
        LegState::Answered
        | LegState::Accepted
        | LegState::Arriving
        | LegState::Calling
        | LegState::Confirmed => {}
    }
    if offers && matches!(leg.refresh, Refresh::Sent(_)) {
        return Some(Reply::new(491, "Request Pending"));
    }
    (offers && leg.unacknowledged.is_some()).then(|| Reply::new(500, "Server Internal Error"))
}

/// The leg's dialog, or early dialog, with the request's From tag.
fn dialog_with<'a>(leg: &'a mut Leg, request: &Message<'_>) -> Option<&'a mut crate::sip::dialog::Dialog> {
    let tag = request.from_tag().unwrap_or_default();
    if leg.dialog.remote_tag.as_deref() == Some(&*tag) {
        return Some(&mut leg.dialog);
    }
    let early = leg.placing.as_deref_mut()?.early.iter_mut();
    early.map(|early| &mut early.dialog).find(|dialog| dialog.remote_tag.as_deref() == Some(&*tag))
}

/// The response to OPTIONS (RFC 3261 section 11.2).
fn capabilities() -> Reply<'static> {
    Reply::new(200, "OK").allow(false).header("Accept", "application/sdp")
}

/// Reads `Signal=5` from `application/dtmf-relay`.
fn relayed_digit(body: &str) -> Option<Digit> {
    let signal = body.lines().take(16).filter_map(|line| line.split_once('='));
    let (_, value) = signal.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("Signal"))?;
    digit(value)
}

/// A key, or its event number.
fn digit(text: &str) -> Option<Digit> {
    let text = text.trim();
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(key), None) => Digit::from_char(key),
        (Some(_), Some(_)) => {
            text.parse().ok().filter(|event| (10..=15).contains(event)).and_then(Digit::from_event)
        }
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_both_kinds_of_info() {
        let table = [
            ("Signal=5\r\nDuration=160\r\n", Some('5')),
            ("signal = *\nduration=100", Some('*')),
            ("Signal=11\r\n", Some('#')),
            ("Duration=160\r\n", None),
            ("Signal=\r\n", None),
            ("Signal=16", None),
            ("Signal=5x", None),
        ];
        for (body, key) in table {
            assert_eq!(relayed_digit(body).map(Digit::as_char), key, "{body:?}");
        }
        assert_eq!(digit("7\r\n").map(Digit::as_char), Some('7'));
        assert_eq!(digit("中"), None);
    }
}
