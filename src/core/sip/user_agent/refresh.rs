//! Timers of a leg: ring time, retransmission of unacknowledged responses, session refresh by UPDATE or
//! re-INVITE (RFC 4028), and moved media.

use super::client_transactions::{Answer, Purpose};
use super::ending::ended_by_us;
use super::identifiers::ClientKey;
use super::leg::{Leg, LegState, Refresh, Retransmission};
use super::{UserAgent, write};
use crate::call::HangUpCause;
use crate::ids::CallId;
use crate::media::MediaCapabilities;
use crate::outcome::EndedBy;
use crate::sdp;
use crate::sip::headers::{HeaderName, Refresher};
use crate::sip::message::{Message, Method};
use crate::sip::session_timer::{SessionDue, SessionTimer};
use crate::time::{Duration, Time};

/// Timer state of a response that waits for its acknowledgement.
enum RetransmissionState {
    NotDue,
    Resend(super::Peer, Vec<u8>),
    TimedOut,
}

fn poll_retransmission(repeat: Option<&mut Retransmission>, now: Time) -> RetransmissionState {
    let Some(repeat) = repeat else { return RetransmissionState::NotDue };
    if repeat.is_over(now) {
        RetransmissionState::TimedOut
    } else if repeat.take_due(now) {
        RetransmissionState::Resend(repeat.to, repeat.bytes.clone())
    } else {
        RetransmissionState::NotDue
    }
}

impl UserAgent {
    pub(super) fn leg_due(&mut self, now: Time, call: CallId) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        leg.armed = None;
        let waiting = match leg.unacknowledged.as_deref_mut() {
            Some(repeat) => poll_retransmission(Some(repeat), now),
            None => poll_retransmission(
                leg.arriving.as_deref_mut().and_then(|arriving| arriving.pending_provisional.as_mut()),
                now,
            ),
        };
        match waiting {
            RetransmissionState::NotDue => {}
            RetransmissionState::Resend(to, bytes) => self.transmit(to, bytes),
            RetransmissionState::TimedOut => self.fail_unacknowledged(now, call),
        }
        self.call_due(now, call);
        self.rearm_leg(call);
    }

    fn call_due(&mut self, now: Time, call: CallId) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        match leg.state {
            LegState::Calling => {
                let Some(placing) = leg.placing.as_deref() else { return };
                match placing.cancel {
                    Some(cancel) if cancel.give_up.is_some_and(|at| at <= now) => self.fail_cancel(now, call),
                    None if placing.ring_until.is_some_and(|at| at <= now) => {
                        let set_up = placing.ringing || placing.ring.is_none();
                        let cause = if set_up { HangUpCause::RingTimeout } else { HangUpCause::SetupTimeout };
                        self.cancel_call(now, call, cause);
                    }
                    None if placing.silent_at.is_some_and(|at| at <= now) => {
                        self.leave_silent_target(now, call);
                    }
                    _ => {}
                }
            }
            LegState::Confirmed => self.session_due(now, call),
            LegState::Arriving
                if leg.arriving.as_deref().is_some_and(|arriving| arriving.decide_by <= now) =>
            {
                self.reject_call(now, call, 480, "Temporarily Unavailable", &[], HangUpCause::RingTimeout);
            }
            _ => {}
        }
    }

    fn session_due(&mut self, now: Time, call: CallId) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        if matches!(leg.refresh, Refresh::Again(at) if at <= now) {
            self.send_refresh(now, call);
            return;
        }
        match leg.timer.and_then(|timer| timer.due(now)) {
            Some(SessionDue::Refresh) => {
                if let Some(timer) = &mut leg.timer {
                    timer.refreshing(now);
                }
                self.send_refresh(now, call);
            }
            Some(SessionDue::Expired) => self.end_session(now, call, "the session was not refreshed in time"),
            None => {}
        }
    }

    /// Sends the refresh: UPDATE without SDP if the far side allows it, else a re-INVITE with the current
    /// SDP.
    fn send_refresh(&mut self, now: Time, call: CallId) {
        let peer = self.legs.get(&call).map(|leg| leg.dialog.peer);
        let Some(contact) = peer.map(|peer| write::contact(&self.config, peer, "")) else { return };
        let Some(leg) = self.legs.get_mut(&call) else { return };
        let secs = leg.timer.map_or(crate::sip::session_timer::SESSION_EXPIRES, |timer| timer.interval_secs);
        let lines = vec![
            (HeaderName::Contact, contact),
            (HeaderName::Supported, "timer".to_string()),
            (HeaderName::SessionExpires, format!("{secs};refresher=uac")),
        ];
        let update = !leg.reoffer && (leg.allows_update || leg.media.is_none());
        let offer = match &leg.media {
            Some(media) if !update => sdp::offer(media, leg.sdp.id, leg.sdp.version),
            _ => String::new(),
        };
        let key = if update {
            self.leg_request(now, call, Method::Update, lines, None, Purpose::Update(call))
        } else {
            let body = Some(("application/sdp", offer.as_str()));
            self.leg_request(now, call, Method::Invite, lines, body, Purpose::Reinvite(call))
        };
        if let (Some(key), Some(leg)) = (key, self.legs.get_mut(&call)) {
            leg.refresh = Refresh::Sent(key);
        }
        self.rearm_leg(call);
    }

    pub(super) fn refresh_answered(
        &mut self,
        now: Time,
        call: CallId,
        key: ClientKey,
        answer: Answer<'_, '_>,
        invite: bool,
    ) {
        let Some(leg) = self.legs.get_mut(&call).filter(|leg| leg.refresh == Refresh::Sent(key)) else {
            return;
        };
        let (code, message) = match answer {
            Answer::Response { code: 100..=199, .. } => return,
            Answer::Response { code, message, .. } => (code, message),
            Answer::TimedOut | Answer::Unreachable => {
                leg.refresh = Refresh::None;
                self.end_session(now, call, "the session refresh was not answered");
                return;
            }
        };
        leg.refresh = Refresh::None;
        let again = match code {
            200..=299 => {
                leg.reoffer &= !invite;
                self.refreshed(now, call, key, message, invite);
                false
            }
            401 | 407 => self.store_leg_challenge(call, answer),
            405 | 501 if !invite => {
                leg.allows_update = false;
                true
            }
            422 => raise_interval(leg, message),
            491 => {
                // The owner of the Call-ID waits longer (RFC 3261 section 14.1): 2.1 to 4 s against 0 to 2
                // s.
                let caller = call.0 >> 63 == 0;
                let pick = self.identifiers.fresh();
                let wait = if caller { 2_100 + 10 * (pick % 190) } else { 10 * (pick % 200) };
                if let Some(leg) = self.legs.get_mut(&call) {
                    leg.refresh = Refresh::Again(now + Duration::from_millis(wait));
                }
                false
            }
            408 | 481 => {
                self.end_session(now, call, "the far side does not know the call any more");
                false
            }
            _ => false,
        };
        let moved = self.legs.get(&call).is_some_and(|leg| leg.reoffer && leg.refresh == Refresh::None);
        let moved = moved && code < 300;
        if (again || moved) && self.legs.get(&call).is_some_and(|leg| leg.state == LegState::Confirmed) {
            self.send_refresh(now, call);
        }
        self.rearm_leg(call);
    }

    fn refreshed(&mut self, now: Time, call: CallId, key: ClientKey, message: &Message<'_>, invite: bool) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        leg.dialog.retarget(message);
        let kept = leg.timer.map(|timer| timer.interval_secs);
        let session = message.session_expires();
        let secs = session.map(|session| session.secs).or(kept);
        let ours = session.is_none_or(|session| session.refresher != Some(Refresher::Uas));
        leg.timer = secs.map(|secs| SessionTimer::start(now, secs, ours));
        if !invite {
            return;
        }
        let answer = write::description(message).zip(leg.media.as_ref());
        let target = answer.and_then(|(answer, media)| sdp::read_answer(media, answer).ok());
        let news = target.filter(|target| leg.target.as_ref() != Some(target));
        let Ok(cseq) = message.cseq() else { return };
        let lines: Vec<(HeaderName, String)> = Vec::new();
        let tag = leg.dialog.remote_tag.clone().unwrap_or_default();
        let to = leg.dialog.next_hop();
        let ack = write::ack(&self.config, &leg.dialog, self.identifiers.fresh(), cseq.number, &lines);
        self.send_ack(now, key, &tag, to, ack);
        if let Some(target) = news {
            self.set_target(call, target, false);
        }
    }

    /// Moves our media by re-INVITE, at once or after the pending request.
    pub(super) fn move_our_media(&mut self, now: Time, call: CallId, media: MediaCapabilities) {
        let Some(leg) = self.legs.get_mut(&call).filter(|leg| leg.state == LegState::Confirmed) else {
            return;
        };
        leg.media = Some(media);
        leg.sdp.version += 1;
        leg.reoffer = true;
        if leg.refresh == Refresh::None {
            self.send_refresh(now, call);
        }
    }

    fn end_session(&mut self, now: Time, call: CallId, words: &str) {
        let mut over = ended_by_us(HangUpCause::MediaLost, None, words);
        over.cause = words.into();
        over.by = EndedBy::Carrier;
        self.send_bye(now, call, HangUpCause::MediaLost, over);
    }
}

/// Handles 422 by raising the interval to the far side's minimum. `false` = no minimum given, or not above
/// ours.
fn raise_interval(leg: &mut Leg, message: &Message<'_>) -> bool {
    let (Some(timer), Some(min)) = (&mut leg.timer, message.min_se()) else { return false };
    let raises = min > timer.interval_secs;
    timer.interval_secs = timer.interval_secs.max(min);
    raises
}
