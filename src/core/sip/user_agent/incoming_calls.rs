//! Incoming calls from INVITE to ACK: callbacks, and the simulated carrier's side.

use super::ending::{ended_by_us, unanswered_outcome};
use super::identifiers::tag_text;
use super::in_dialog::{ReceivedRequest, session_of};
use super::leg::{Arriving, Leg, LegState, Refresh, Retransmission, SdpOrigin};
use super::write::{self, Reply};
use super::{Caller, IncomingCall, Peer, UaEvent, UserAgent};
use crate::call::{Ended, HangUpCause, Progress};
use crate::ids::CallId;
use crate::media::{Codec, MediaCapabilities};
use crate::outcome::{EndedBy, Outcome};
use crate::sdp;
use crate::sip::dialog::Dialog;
use crate::sip::headers::HeaderName;
use crate::sip::message::{Message, Method};
use crate::sip::session_timer::MIN_SE;
use crate::time::{Duration, Time};

/// Ids of incoming calls start here.
pub(super) const INCOMING: u64 = 1 << 63;
/// Whether this id belongs to an incoming call.
pub(super) fn is_incoming(call: CallId) -> bool {
    call.0 >> 62 == INCOMING >> 62
}

/// Longest ring time of an incoming call, the same as Timer C of proxies.
const RING_MAX: Duration = Duration::from_secs(180);
/// Longest INVITE that is kept until it is answered, in bytes.
const INVITE_MAX: usize = 16 * 1_024;
/// Most incoming calls that are open at once.
const INCOMING_MAX: usize = 10_000;

impl UserAgent {
    /// Handles an INVITE outside any dialog.
    pub(super) fn handle_invite(
        &mut self,
        now: Time,
        received: ReceivedRequest<'_, '_>,
        caller: Caller,
        bytes: &[u8],
    ) {
        let ReceivedRequest { id, from, request } = received;
        if let Some(refusal) = self.refusal_of_invite(request, bytes.len()) {
            let tag = tag_text(self.identifiers.fresh());
            self.reply(now, id, request, from, &refusal.tag(&tag));
            return;
        }
        let offer = match write::description(request).map(|offer| sdp::answer(offer, &any_codec(), 0, 0)) {
            None => None,
            Some(Ok((target, _))) => Some(target),
            Some(Err(_)) => {
                let tag = tag_text(self.identifiers.fresh());
                self.reply(now, id, request, from, &Reply::new(488, "Not Acceptable Here").tag(&tag));
                return;
            }
        };
        self.incoming += 1;
        let call = CallId(INCOMING | self.incoming);
        let tag = self.identifiers.tag(call);
        let is_phone = matches!(caller, Caller::Phone { .. });
        let peer = if is_phone { from } else { write::reply_peer(request, from) };
        let Some(mut dialog) = Dialog::from_request(request, &tag_text(tag), peer) else {
            self.reply(now, id, request, from, &Reply::new(400, "Bad Request"));
            return;
        };
        dialog.pinned = is_phone;
        let trunk = match caller {
            Caller::Trunk(trunk) => Some(trunk),
            Caller::Phone { .. } | Caller::Anybody => None,
        };
        let leg = Leg {
            state: LegState::Arriving,
            trunk,
            tag,
            dialog,
            media: None,
            sdp: SdpOrigin { id: tag >> 33, version: 1 },
            target: offer.clone(),
            timer: None,
            allows_update: request.has_token(HeaderName::Allow, "UPDATE"),
            reoffer: false,
            credentials: None,
            placing: None,
            arriving: Some(Box::new(Arriving {
                transaction: id,
                invite: bytes.to_vec(),
                from,
                has_offer: offer.is_some(),
                reliable: request.has_token(HeaderName::Require, "100rel"),
                rseq: 0,
                pending_provisional: None,
                has_sent_answer: false,
                pending_answer: None,
                decide_by: now + RING_MAX,
                hang_up: None,
            })),
            unacknowledged: None,
            refresh: Refresh::None,
            ended: None,
            armed: None,
            phone: is_phone.then(Box::default),
        };
        self.add_leg(call, leg);
        self.link_server_to_call(id, call);
        self.emit(UaEvent::Incoming(Box::new(IncomingCall {
            call,
            from,
            call_id: request.call_id().into_owned(),
            to_user: request.request_uri().map(|uri| uri.user_text().into_owned()).unwrap_or_default(),
            from_user: request.from().map(|from| from.uri.user_text().into_owned()).unwrap_or_default(),
            caller,
            offer,
            wants_auto_answer: request
                .header(HeaderName::CallInfo)
                .is_some_and(|info| info.ends_with(";answer-after=0")),
            authorization: authorization(request),
        })));
    }

    /// The immediate refusal of an INVITE, before it is reported as an incoming call.
    fn refusal_of_invite(&self, request: &Message<'_>, length: usize) -> Option<Reply<'static>> {
        if self.incoming_now >= INCOMING_MAX {
            return Some(Reply::new(503, "Service Unavailable").header("Retry-After", "10"));
        }
        if length > INVITE_MAX {
            return Some(Reply::new(513, "Message Too Large"));
        }
        if !request.body().is_empty() && write::description(request).is_none() {
            return Some(Reply::new(415, "Unsupported Media Type").header("Accept", "application/sdp"));
        }
        let too_short = request.session_expires().is_some_and(|session| session.secs < MIN_SE);
        if too_short && request.has_token(HeaderName::Supported, "timer") {
            return Some(Reply::new(422, "Session Interval Too Small").header("Min-SE", MIN_SE.to_string()));
        }
        None
    }

    /// The bytes of a response to the INVITE of this call, with our tag and our Contact.
    fn invite_response(&self, call: CallId, reply: Reply<'_>) -> Option<Vec<u8>> {
        let leg = self.legs.get(&call)?;
        let arriving = leg.arriving.as_deref()?;
        let invite = Message::parse(&arriving.invite).ok()?;
        let contact = write::contact(&self.config, arriving.from, "");
        let reply = reply.tag(&tag_text(leg.tag)).header("Contact", contact);
        Some(write::response(&invite, arriving.from, &reply))
    }

    pub(super) fn send_trying(&mut self, now: Time, id: u64, call: CallId) {
        let Some(arriving) = self.legs.get(&call).and_then(|leg| leg.arriving.as_deref()) else { return };
        let from = arriving.from;
        let Ok(invite) = Message::parse(&arriving.invite) else { return };
        let bytes = write::response(&invite, from, &Reply::new(100, "Trying"));
        self.respond(now, id, 100, bytes);
    }

    /// Sends 180 or 183; reliably if the caller requires it.
    pub(super) fn send_provisional(
        &mut self,
        now: Time,
        call: CallId,
        code: u16,
        media: Option<MediaCapabilities>,
    ) {
        let Some(leg) = self.legs.get_mut(&call).filter(|leg| leg.state == LegState::Arriving) else {
            return;
        };
        let Some(arriving) = leg.arriving.as_deref_mut() else { return };
        if arriving.pending_provisional.is_some() {
            // One reliable provisional at a time (RFC 3262 section 3); another would carry no new answer.
            return;
        }
        let mut reply = Reply::new(code, if code == 180 { "Ringing" } else { "Session Progress" });
        let mut settled = None;
        if let Some(media) = media.filter(|_| arriving.has_offer) {
            let answer = Message::parse(&arriving.invite).ok().and_then(|invite| {
                sdp::answer(write::description(&invite)?, &media, leg.sdp.id, leg.sdp.version).ok()
            });
            if let Some((target, text)) = answer {
                reply = reply.sdp(text);
                settled = Some(target);
                leg.media = Some(media);
            }
        }
        let reliable = arriving.reliable;
        if reliable {
            arriving.rseq = if arriving.rseq == 0 { (leg.tag as u32 >> 8).max(1) } else { arriving.rseq + 1 };
            arriving.has_sent_answer |= settled.is_some();
            reply = reply.header("Require", "100rel").header("RSeq", arriving.rseq.to_string());
        }
        let (id, from, rseq) = (arriving.transaction, arriving.from, arriving.rseq);
        let Some(bytes) = self.invite_response(call, reply) else { return };
        if reliable
            && let Some(arriving) = self.legs.get_mut(&call).and_then(|leg| leg.arriving.as_deref_mut())
        {
            let to = Message::parse(&arriving.invite).map(|invite| write::reply_peer(&invite, from));
            let to = to.unwrap_or(from);
            arriving.pending_provisional = Some(Retransmission::of_provisional(now, to, bytes.clone(), rseq));
        }
        self.respond(now, id, code, bytes);
        if let Some(target) = settled {
            self.set_target(call, target, true);
        }
        self.rearm_leg(call);
    }

    pub(super) fn set_target(&mut self, call: CallId, target: crate::media::MediaTarget, early: bool) {
        if let Some(leg) = self.legs.get_mut(&call) {
            leg.target = Some(target.clone());
            self.emit(UaEvent::Media { call, target, early });
        }
    }

    /// Sends 200 with our answer, or with our offer if the INVITE had none.
    pub(super) fn answer_call(&mut self, now: Time, call: CallId, media: MediaCapabilities) {
        let Some(leg) = self.legs.get_mut(&call).filter(|leg| leg.state == LegState::Arriving) else {
            return;
        };
        let Some(arriving) = leg.arriving.as_deref_mut() else { return };
        if arriving.pending_provisional.is_some() && arriving.has_sent_answer {
            arriving.pending_answer = Some(media);
            return;
        }
        let Ok(invite) = Message::parse(&arriving.invite) else { return };
        let mut settled = None;
        let mut reply = Reply::new(200, "OK");
        if !arriving.has_offer {
            reply = reply.sdp(sdp::offer(&media, leg.sdp.id, leg.sdp.version));
        } else if !arriving.has_sent_answer {
            let answer = write::description(&invite)
                .and_then(|offer| sdp::answer(offer, &media, leg.sdp.id, leg.sdp.version).ok());
            let Some((target, text)) = answer else {
                self.reject_call(now, call, 488, "Not Acceptable Here", &[], HangUpCause::MediaLost);
                return;
            };
            reply = reply.sdp(text);
            settled = Some(target);
        }
        if let Some((timer, line)) = session_of(now, &invite) {
            leg.timer = Some(timer);
            reply = reply.header("Session-Expires", line);
            if !timer.ours {
                reply = reply.header("Require", "timer");
            }
        }
        let offers = !arriving.has_offer;
        let cseq = invite.cseq().map(|cseq| cseq.number).unwrap_or_default();
        let (id, to) = (arriving.transaction, write::reply_peer(&invite, arriving.from));
        leg.media = Some(media);
        let reply = reply.allow(self.legs.get(&call).is_some_and(|leg| leg.phone.is_some()));
        let Some(bytes) = self.invite_response(call, reply) else { return };
        if !self.respond(now, id, 200, bytes.clone()) {
            return;
        }
        if let Some(leg) = self.legs.get_mut(&call) {
            leg.state = LegState::Accepted;
            leg.unacknowledged = Some(Box::new(Retransmission::of_2xx(now, to, bytes, cseq, offers)));
            if let Some(arriving) = leg.arriving.as_deref_mut() {
                arriving.pending_provisional = None;
                arriving.invite = Vec::new();
            }
        }
        if let Some(target) = settled {
            self.set_target(call, target, false);
        }
        self.rearm_leg(call);
    }

    pub(super) fn reject_call(
        &mut self,
        now: Time,
        call: CallId,
        code: u16,
        reason: &str,
        headers: &[&str],
        cause: HangUpCause,
    ) {
        let Some(leg) = self.legs.get(&call).filter(|leg| leg.state == LegState::Arriving) else { return };
        let Some(id) = leg.arriving.as_deref().map(|arriving| arriving.transaction) else { return };
        let mut reply = Reply::new(code, reason);
        for line in headers {
            if let Some((name, value)) = line.split_once(':') {
                reply = reply.header(name.trim(), value.trim());
            }
        }
        let Some(bytes) = self.invite_response(call, reply) else { return };
        self.respond(now, id, code, bytes);
        let mut over = ended_by_us(cause, Some(code), reason);
        over.outcome = unanswered_outcome(cause);
        self.end_leg(now, call, over);
    }

    /// Handles CANCEL (RFC 3261 section 9.2): 200 for itself, 487 for its INVITE if still open.
    pub(super) fn handle_cancel(&mut self, now: Time, id: u64, from: Peer, request: &Message<'_>) {
        let Some(call) = self.call_to_cancel(request) else {
            let tag = tag_text(self.identifiers.fresh());
            let reply = Reply::new(481, "Call/Transaction Does Not Exist").tag(&tag);
            self.reply(now, id, request, from, &reply);
            return;
        };
        let tag = call.and_then(|call| self.legs.get(&call)).map(|leg| leg.tag);
        let tag = tag_text(tag.unwrap_or_else(|| self.identifiers.fresh()));
        self.reply(now, id, request, from, &Reply::new(200, "OK").tag(&tag));
        let Some(call) = call else { return };
        if self.legs.get(&call).is_none_or(|leg| leg.state != LegState::Arriving) {
            return;
        }
        self.terminate_invite(now, call);
        self.end_leg(now, call, ended_by_caller(Outcome::NoAnswer, Some(487), write::reason_text(request)));
    }

    /// Sends 487 to the INVITE of an unanswered call.
    pub(super) fn terminate_invite(&mut self, now: Time, call: CallId) {
        let id = self.legs.get(&call).and_then(|leg| Some(leg.arriving.as_deref()?.transaction));
        let bytes = self.invite_response(call, Reply::new(487, "Request Terminated"));
        if let (Some(id), Some(bytes)) = (id, bytes) {
            self.respond(now, id, 487, bytes);
        }
    }

    /// Handles PRACK: the reliable provisional is acknowledged (RFC 3262 section 3).
    pub(super) fn handle_prack(
        &mut self,
        now: Time,
        id: u64,
        call: CallId,
        from: Peer,
        request: &Message<'_>,
    ) {
        let rack = request.rack();
        let arriving = self.legs.get_mut(&call).and_then(|leg| leg.arriving.as_deref_mut());
        let expected = arriving.filter(|arriving| {
            rack.as_ref().is_some_and(|rack| rack.rseq == arriving.rseq)
                && arriving.pending_provisional.is_some()
        });
        let Some(arriving) = expected else {
            self.reply(now, id, request, from, &Reply::new(481, "Call/Transaction Does Not Exist"));
            return;
        };
        arriving.pending_provisional = None;
        let wanted = arriving.pending_answer.take();
        self.reply(now, id, request, from, &Reply::new(200, "OK"));
        if let Some(media) = wanted {
            self.answer_call(now, call, media);
        }
        self.rearm_leg(call);
    }

    /// Handles an ACK that no transaction took: it acknowledges a 2xx of ours.
    pub(super) fn handle_ack_of_2xx(&mut self, now: Time, ack: &Message<'_>) {
        let Some(call) = self.find_call(ack) else { return };
        let Some(leg) = self.legs.get_mut(&call) else { return };
        let number = ack.cseq().map(|cseq| cseq.number).ok();
        let Some(repeat) = leg.unacknowledged.take_if(|repeat| Some(repeat.cseq) == number) else { return };
        let answer = write::description(ack).filter(|_| repeat.offers);
        let target = match (answer, &leg.media) {
            (Some(answer), Some(media)) => sdp::read_answer(media, answer).ok(),
            _ => None,
        };
        let first = leg.state == LegState::Accepted;
        let hang_up = leg.arriving.take().and_then(|arriving| arriving.hang_up);
        if first {
            leg.state = LegState::Confirmed;
        }
        if let Some(target) = target {
            self.set_target(call, target, false);
        }
        if first {
            self.report_progress(call, Progress::Answered);
        }
        if let Some(cause) = hang_up {
            self.send_bye(now, call, cause, ended_by_us(cause, Some(200), ""));
        }
        self.rearm_leg(call);
    }

    /// A 2xx or reliable provisional was never acknowledged (RFC 3261 section 13.3.1.4, RFC 3262 section
    /// 3).
    pub(super) fn fail_unacknowledged(&mut self, now: Time, call: CallId) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        leg.unacknowledged = None;
        if leg.state == LegState::Arriving {
            self.reject_call(now, call, 504, "Server Time-out", &[], HangUpCause::MediaLost);
            return;
        }
        let over = ended_by_us(HangUpCause::MediaLost, Some(200), "no ACK within 32 s");
        self.send_bye(now, call, HangUpCause::MediaLost, over);
    }

    /// The call whose dialog a request belongs to, by our tag.
    pub(super) fn find_call(&self, request: &Message<'_>) -> Option<CallId> {
        let tag = super::identifiers::parse_tag(&request.to_tag()?)?;
        let call = *self.tags.get(&tag)?;
        let leg = self.legs.get(&call)?;
        (leg.dialog.call_id == request.call_id()).then_some(call)
    }
}

fn authorization(request: &Message<'_>) -> Vec<String> {
    let names = [HeaderName::Authorization, HeaderName::ProxyAuthorization];
    let lines = names.into_iter().flat_map(|name| request.headers(name));
    lines.take(4).map(|line| line.into_owned()).collect()
}

/// The end of a call by the far side.
pub(super) fn ended_by_caller(outcome: Outcome, code: Option<u16>, cause: String) -> Ended {
    Ended { outcome, by: EndedBy::Callee, sip_code: code, cause, retry_after: None, try_next_trunk: false }
}

/// Capabilities for reading an offer before the call is answered.
fn any_codec() -> MediaCapabilities {
    MediaCapabilities { address: ([0, 0, 0, 0], 9).into(), codecs: Codec::ALL.to_vec() }
}

/// Methods we accept, for Allow.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK";

/// Whether we accept this method.
pub(super) fn is_allowed(method: Method<'_>) -> bool {
    ALLOW.split(", ").any(|known| known == method.as_str())
}
