//! Outgoing calls from INVITE to ACK: provisionals, early media, forks, refusals, and the 2xx whose ACK is
//! withheld until the answer is on disk.

use super::clients::{Answer, Purpose};
use super::credentials::Credentials;
use super::identifiers::{ClientKey, tag_text};
use super::leg::{CANCEL_TIMEOUT, Cancel, EarlyDialog, Leg, LegState, Placing, Refresh, SdpOrigin};
use super::{CallRequest, Peer, SavedDialog, SipTrunk, UaEvent, UserAgent, write};
use crate::call::{Ended, HangUpCause, Progress};
use crate::ids::CallId;
use crate::outcome::{EndedBy, Outcome};
use crate::sdp;
use crate::sip::dialog::{Dialog, peer_of};
use crate::sip::headers::HeaderName;
use crate::sip::message::{Message, Method};
use crate::sip::session_timer::{self, SessionTimer};
use crate::sip::uri::Uri;
use crate::sip::verdict;
use crate::time::Time;

/// CSeq of the first INVITE of every call.
pub(super) const FIRST_CSEQ: u32 = 1;
/// Digest challenges answered per INVITE: one from a proxy and one from the far end, or one and its stale
/// repetition.
const CHALLENGES_MAX: u8 = 2;
const REDIRECTIONS_MAX: u8 = 3;
/// Early dialogs kept per call (phones that a fork rings).
const EARLY_MAX: usize = 8;

impl UserAgent {
    /// The dialog identifiers that [`UserAgent::place`] will use for a call.
    pub(super) fn identity_of(&self, trunk: &SipTrunk, request: &CallRequest) -> SavedDialog {
        let request_uri = Uri::sip(&request.user, &trunk.host).to_string();
        let user = match &request.caller_id {
            Some(caller_id) => caller_id.as_str(),
            None if trunk.username.is_empty() => "anonymous",
            None => trunk.username.as_str(),
        };
        let domain = if trunk.from_domain.is_empty() { &trunk.host } else { &trunk.from_domain };
        let tag = tag_text(self.identifiers.tag(request.call));
        SavedDialog {
            trunk: Some(request.trunk),
            phone: None,
            peer: trunk.peer,
            sent_by: self.config.sent_by(trunk.peer.transport).to_string(),
            to: format!("<{request_uri}>"),
            from: format!("<{}>;tag={tag}", Uri::sip(user, domain)),
            request_uri,
            call_id: self.identifiers.call_id(request.call),
            branch: ClientKey::new(self.identifiers.invite_branch(request.call)).branch_text(),
            cseq: FIRST_CSEQ,
            confirmed: None,
        }
    }

    pub(super) fn place_call(&mut self, now: Time, request: CallRequest) {
        let call = request.call;
        if self.legs.contains_key(&call) {
            return;
        }
        let Some(trunk) = self.trunks.get(&request.trunk) else {
            let ended = ended(verdict::SILENT_TRUNK, None, "no such trunk");
            self.report_progress(call, Progress::Ended(ended));
            return;
        };
        let saved = self.identity_of(&trunk.config, &request);
        let tag = self.identifiers.tag(call);
        let leg = Leg {
            state: LegState::Calling,
            trunk: Some(request.trunk),
            tag,
            dialog: Dialog {
                call_id: saved.call_id,
                local: saved.from,
                remote: saved.to,
                remote_tag: None,
                remote_target: saved.request_uri.clone(),
                route_set: Vec::new(),
                local_cseq: saved.cseq,
                remote_cseq: None,
                peer: saved.peer,
                pinned: false,
            },
            media: Some(request.media),
            sdp: SdpOrigin { id: tag >> 33, version: 1 },
            target: None,
            timer: None,
            allows_update: false,
            reoffer: false,
            credentials: None,
            placing: Some(Box::new(Placing {
                sent_by: saved.sent_by,
                request_uri: saved.request_uri,
                user: request.user,
                caller_id: request.caller_id,
                key: ClientKey::new(self.identifiers.invite_branch(call)),
                cseq: saved.cseq,
                peer: saved.peer,
                challenges: 0,
                redirections: 0,
                session_secs: session_timer::SESSION_EXPIRES,
                raised: false,
                authorization: Vec::new(),
                ring_until: Some(now + request.ring),
                provisional: false,
                ringing: false,
                early: Vec::new(),
                cancel: None,
                has_no_media: false,
                session: None,
            })),
            arriving: None,
            unacknowledged: None,
            refresh: Refresh::None,
            ended: None,
            armed: None,
            phone: None,
        };
        self.add_leg(call, leg);
        self.send_invite(now, call);
        self.report_progress(call, Progress::Sent);
        self.rearm_leg(call);
    }

    pub(super) fn send_invite(&mut self, now: Time, call: CallId) {
        let Some(leg) = self.legs.get(&call) else { return };
        let Some(placing) = leg.placing.as_deref() else { return };
        let offer = match &leg.media {
            Some(media) => sdp::offer(media, leg.sdp.id, leg.sdp.version),
            None => String::new(),
        };
        let (key, peer) = (placing.key, placing.peer);
        let pinned = leg.dialog.pinned;
        let bytes = write::invite(&self.config, leg, placing, &offer);
        self.send_invite_request(now, key, peer, bytes, Purpose::Invite(call));
        if pinned {
            self.pin_client(key);
        }
    }

    /// Sends the INVITE again as a new transaction of the same call: next CSeq, derived branch.
    fn send_invite_again(&mut self, now: Time, call: CallId) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        leg.dialog.local_cseq += 1;
        let cseq = leg.dialog.local_cseq;
        let Some(placing) = leg.placing.as_deref_mut() else { return };
        placing.key.resend += 1;
        placing.cseq = cseq;
        placing.provisional = false;
        placing.early.clear();
        self.send_invite(now, call);
        self.rearm_leg(call);
    }

    pub(super) fn invite_answered(
        &mut self,
        now: Time,
        call: CallId,
        key: ClientKey,
        answer: Answer<'_, '_>,
    ) {
        let Some(placing) = self.legs.get(&call).and_then(|leg| leg.placing.as_deref()) else { return };
        if placing.key != key {
            return;
        }
        match answer {
            Answer::Response { code: 100..=199, message, from } => {
                self.handle_provisional(now, call, message, from);
                self.rearm_leg(call);
            }
            Answer::Response { code: 200..=299, message, from } => {
                self.handle_answer(now, call, message, from)
            }
            Answer::Response { code, message, .. } => self.handle_refusal(now, call, code, message),
            Answer::TimedOut => {
                let words = "no response from the trunk within 32 s";
                self.fail_invite(now, call, ended(verdict::SILENT_TRUNK, None, words));
            }
            Answer::Unreachable => {
                let words = "the connection to the trunk failed";
                self.fail_invite(now, call, ended(verdict::SILENT_TRUNK, None, words));
            }
        }
    }

    /// Ends a call whose INVITE failed; a call that a person stopped before ends as cancelled.
    fn fail_invite(&mut self, now: Time, call: CallId, mut ended: Ended) {
        let cancel = self.legs.get(&call).and_then(|leg| leg.placing.as_deref()?.cancel);
        if cancel.is_some_and(|cancel| cancel.cause == HangUpCause::Stopped) {
            ended.outcome = Outcome::Cancelled;
            ended.by = EndedBy::Dialer;
            ended.try_next_trunk = false;
        }
        self.end_leg(now, call, ended);
    }

    fn handle_provisional(&mut self, now: Time, call: CallId, message: &Message<'_>, from: Peer) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        let Some(placing) = leg.placing.as_deref_mut() else { return };
        let silent_so_far = !std::mem::replace(&mut placing.provisional, true);
        if let Some(cancel) = placing.cancel {
            // A CANCEL waits for the first provisional (RFC 3261 section 9.1).
            if cancel.give_up.is_none() {
                self.send_cancel(now, call, cancel.cause);
            }
            return;
        }
        let code = message.code().unwrap_or(100);
        if code == 100 || code == 199 {
            if silent_so_far && !placing.ringing {
                self.report_progress(call, Progress::Trying);
            }
            return;
        }
        let first = !placing.ringing && (180..=189).contains(&code);
        placing.ringing |= first;
        if first {
            self.report_progress(call, Progress::Ringing);
        }
        let Some(at) = self.early_dialog(call, message, from) else { return };
        let reliable = message.rseq().filter(|_| message.has_token(HeaderName::Require, "100rel"));
        if reliable.is_some_and(|rseq| !self.acknowledge_provisional(now, call, at, rseq)) {
            return;
        }
        self.apply_early_media(call, at, message);
    }

    /// Index of this provisional's early dialog, created if new; `None` without a tag or above `EARLY_MAX`.
    fn early_dialog(&mut self, call: CallId, message: &Message<'_>, from: Peer) -> Option<usize> {
        let tag = message.to_tag()?;
        let leg = self.legs.get_mut(&call)?;
        let placing = leg.placing.as_deref_mut()?;
        let known = placing.early.iter().position(|early| early.dialog.remote_tag.as_deref() == Some(&*tag));
        if known.is_some() {
            return known;
        }
        if placing.early.len() >= EARLY_MAX {
            return None;
        }
        let mut dialog = leg.dialog.clone();
        if !dialog.pinned {
            dialog.peer = from;
        }
        dialog.establish(message);
        placing.early.push(EarlyDialog { dialog, rseq: 0, target: None });
        Some(placing.early.len() - 1)
    }

    /// Sends PRACK for a reliable provisional (RFC 3262 section 4). `false` = the provisional is a
    /// retransmission or out of order.
    fn acknowledge_provisional(&mut self, now: Time, call: CallId, at: usize, rseq: u32) -> bool {
        let Some(leg) = self.legs.get_mut(&call) else { return false };
        let Some(placing) = leg.placing.as_deref_mut() else { return false };
        let invite_cseq = placing.cseq;
        let Some(early) = placing.early.get_mut(at) else { return false };
        if early.rseq != 0 && rseq != early.rseq.wrapping_add(1) {
            return false;
        }
        early.rseq = rseq;
        leg.dialog.local_cseq += 1;
        early.dialog.local_cseq = leg.dialog.local_cseq - 1;
        let mut dialog = early.dialog.clone();
        let mut lines = vec![(HeaderName::RAck, format!("{rseq} {invite_cseq} INVITE"))];
        let (uri, _) = dialog.path();
        if let Some(credentials) = leg.credentials.as_deref_mut() {
            lines.extend(credentials.lines("PRACK", &uri, b"", &mut self.identifiers));
        }
        let to = dialog.next_hop();
        let (key, bytes) = self.dialog_request(&mut dialog, Method::Prack, &lines, None);
        self.send_request(now, key, to, bytes, Purpose::Prack(call));
        true
    }

    /// Reads the SDP of a provisional: the source of early media, and the answer itself if the 2xx carries
    /// none.
    fn apply_early_media(&mut self, call: CallId, at: usize, message: &Message<'_>) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        let (Some(placing), Some(media)) = (leg.placing.as_deref_mut(), &leg.media) else { return };
        let Some(answer) = write::description(message) else { return };
        let Ok(target) = sdp::read_answer(media, answer) else { return };
        let Some(early) = placing.early.get_mut(at) else { return };
        early.target = Some(target.clone());
        if leg.target.as_ref() != Some(&target) {
            leg.target = Some(target.clone());
            self.emit(UaEvent::Media { call, target, early: true });
        }
    }

    fn handle_answer(&mut self, now: Time, call: CallId, message: &Message<'_>, from: Peer) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        let Some(placing) = leg.placing.as_deref_mut() else { return };
        if !leg.dialog.pinned {
            leg.dialog.peer = from;
        }
        leg.dialog.establish(message);
        leg.allows_update = message.has_token(HeaderName::Allow, "UPDATE");
        let tag = leg.dialog.remote_tag.as_deref();
        let early = placing.early.iter().find(|early| early.dialog.remote_tag.as_deref() == tag);
        let settled = early.and_then(|early| early.target.clone());
        let described = match (write::description(message), &leg.media) {
            (Some(answer), Some(media)) => sdp::read_answer(media, answer).ok(),
            _ => None,
        };
        placing.early.clear();
        placing.session = message.session_expires().map(|session| {
            let ours = session.refresher != Some(crate::sip::headers::Refresher::Uas);
            (session.secs, ours)
        });
        let target = described.or(settled);
        placing.has_no_media = target.is_none();
        leg.target.clone_from(&target);
        leg.state = LegState::Answered;
        if let Some(cancel) = placing.cancel {
            let code = message.code();
            let mut over = ended_by_us(cancel.cause, code, "answered while it was being cancelled");
            over.outcome = unanswered_outcome(cancel.cause);
            self.send_withheld_ack(now, call);
            self.send_bye(now, call, cancel.cause, over);
            return;
        }
        let phone = leg.phone.is_some();
        let call = if phone { self.promote_branch(now, call) } else { call };
        self.report_progress(call, Progress::Answered);
        if let Some(target) = target {
            self.emit(UaEvent::Media { call, target, early: false });
        }
        if phone {
            // Nothing has to be saved before an agent's phone is connected.
            self.acknowledge_call(now, call);
        }
        self.rearm_leg(call);
    }

    pub(super) fn acknowledge_call(&mut self, now: Time, call: CallId) {
        let Some(leg) = self.legs.get(&call).filter(|leg| leg.state == LegState::Answered) else { return };
        let mute = leg.placing.as_deref().is_some_and(|placing| placing.has_no_media);
        self.send_withheld_ack(now, call);
        if mute {
            let over =
                ended_by_us(HangUpCause::MediaLost, Some(200), "the answer had no media that we can use");
            self.send_bye(now, call, HangUpCause::MediaLost, over);
        }
    }

    /// Sends the ACK of the 2xx and drops the state needed only until then.
    pub(super) fn send_withheld_ack(&mut self, now: Time, call: CallId) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        let Some(placing) = leg.placing.take() else { return };
        leg.state = LegState::Confirmed;
        leg.timer = placing.session.map(|(secs, ours)| SessionTimer::start(now, secs, ours));
        let (dialog, to) = (&leg.dialog, leg.dialog.next_hop());
        let tag = dialog.remote_tag.clone().unwrap_or_default();
        let ack =
            write::ack(&self.config, dialog, self.identifiers.fresh(), placing.cseq, &placing.authorization);
        self.send_ack(now, placing.key, &tag, to, ack);
        self.rearm_leg(call);
    }

    fn handle_refusal(&mut self, now: Time, call: CallId, code: u16, message: &Message<'_>) {
        let Some(placing) = self.legs.get(&call).and_then(|leg| leg.placing.as_deref()) else { return };
        if let Some(cancel) = placing.cancel {
            let mut over = ended_by_us(cancel.cause, Some(code), &write::cause_text(message));
            over.outcome = unanswered_outcome(cancel.cause);
            self.end_leg(now, call, over);
            return;
        }
        let pinned = self.legs.get(&call).is_some_and(|leg| leg.dialog.pinned);
        let again = match code {
            401 | 407 => self.answer_challenge(call, message),
            422 => self.raise_session(call, message),
            // A phone's redirection is not followed.
            300..=399 if !pinned => self.redirect(call, message),
            _ => false,
        };
        if again {
            self.send_invite_again(now, call);
            return;
        }
        let cause = message.reason().filter(|reason| reason.is_q850()).and_then(|reason| reason.cause);
        let mut over = ended(verdict::refusal(code, cause), Some(code), &write::cause_text(message));
        if code == 503 {
            over.retry_after =
                message.retry_after().map(|secs| crate::time::Duration::from_secs(secs.into()));
        }
        self.end_leg(now, call, over);
    }

    /// Answers a digest challenge; `false` = no credentials, or they were refused.
    fn answer_challenge(&mut self, call: CallId, message: &Message<'_>) -> bool {
        let Some(leg) = self.legs.get_mut(&call) else { return false };
        let Some(placing) = leg.placing.as_deref_mut() else { return false };
        let Some(trunk) = leg.trunk.and_then(|trunk| self.trunks.get(&trunk)) else { return false };
        if placing.challenges >= CHALLENGES_MAX {
            return false;
        }
        let credentials = leg.credentials.get_or_insert_with(|| {
            Box::new(Credentials::new(&trunk.config.username, &trunk.config.password))
        });
        if !credentials.store_challenges(message) {
            return false;
        }
        placing.challenges += 1;
        placing.authorization = credentials.lines("INVITE", &placing.request_uri, b"", &mut self.identifiers);
        true
    }

    /// Raises the session interval after a 422 (RFC 4028 section 7.3).
    fn raise_session(&mut self, call: CallId, message: &Message<'_>) -> bool {
        let Some(placing) = self.legs.get_mut(&call).and_then(|leg| leg.placing.as_deref_mut()) else {
            return false;
        };
        let Some(min) = message.min_se().filter(|_| !placing.raised) else { return false };
        placing.raised = true;
        placing.session_secs = placing.session_secs.max(min);
        true
    }

    /// Follows a 3xx to the same number elsewhere, never to another number.
    fn redirect(&mut self, call: CallId, message: &Message<'_>) -> bool {
        let Some(leg) = self.legs.get_mut(&call) else { return false };
        let Some(placing) = leg.placing.as_deref_mut() else { return false };
        if placing.redirections >= REDIRECTIONS_MAX {
            return false;
        }
        let target = message.contacts().map(|contact| contact.uri).find(|uri| {
            uri.is_sip() && uri.user_text() == placing.user && uri.to_string() != placing.request_uri
        });
        let Some(target) = target else { return false };
        placing.redirections += 1;
        placing.peer = peer_of(&target, placing.peer).unwrap_or(leg.dialog.peer);
        placing.request_uri = Uri { headers: None, ..target }.to_string();
        leg.dialog.remote_target.clone_from(&placing.request_uri);
        true
    }

    /// Cancels the call: CANCEL now, or as soon as a provisional has come.
    pub(super) fn cancel_call(&mut self, now: Time, call: CallId, cause: HangUpCause) {
        if let Some(whole) = self.call_of_branch(call) {
            self.cancel_phone_call(now, whole, cause);
            return;
        }
        let Some(placing) = self.legs.get_mut(&call).and_then(|leg| leg.placing.as_deref_mut()) else {
            return;
        };
        if placing.cancel.is_some() {
            return;
        }
        placing.cancel = Some(Cancel { cause, give_up: None });
        if placing.provisional {
            self.send_cancel(now, call, cause);
        }
        self.rearm_leg(call);
    }

    fn send_cancel(&mut self, now: Time, call: CallId, cause: HangUpCause) {
        let Some(placing) = self.legs.get_mut(&call).and_then(|leg| leg.placing.as_deref_mut()) else {
            return;
        };
        placing.cancel = Some(Cancel { cause, give_up: Some(now + CANCEL_TIMEOUT) });
        let (key, to) = (placing.key, placing.peer);
        let phone = self.legs.get(&call).and_then(|leg| leg.phone.as_deref());
        let reason = phone.map_or(write::reason(cause), |phone| phone.reason(cause));
        let invite = self.clients.get(&key).map(|client| client.bytes.as_slice()).unwrap_or_default();
        let Some(cancel) = write::cancel_of(invite, reason) else { return };
        self.send_request(now, ClientKey { cancel: true, ..key }, to, cancel, Purpose::Cancel(call));
    }

    /// The INVITE's own final response decides how the call ended; an unknown or unanswered CANCEL changes
    /// nothing until its deadline passes.
    pub(super) fn cancel_answered(&mut self, now: Time, call: CallId, answer: Answer<'_, '_>) {
        if matches!(answer, Answer::Unreachable) {
            self.fail_cancel(now, call);
        }
    }

    /// The CANCEL had no effect for 32 seconds (RFC 3261 section 9.1).
    pub(super) fn fail_cancel(&mut self, now: Time, call: CallId) {
        let cancel = self.legs.get(&call).and_then(|leg| leg.placing.as_deref()?.cancel);
        let Some(cancel) = cancel else { return };
        let mut over = ended_by_us(cancel.cause, None, "cancelled; the trunk never said that it was over");
        over.outcome = unanswered_outcome(cancel.cause);
        self.end_leg(now, call, over);
    }

    /// `None` if there is no such dialog, or it was never answered.
    pub(super) fn answered_dialog(&self, call: CallId) -> Option<SavedDialog> {
        let leg = self.legs.get(&call)?;
        let confirmed = leg.confirmed()?;
        let to = crate::sip::headers::NameAddr::parse(&leg.dialog.remote).map(|mut to| {
            to.params.remove("tag");
            to.to_string()
        });
        let placing = leg.placing.as_deref();
        Some(SavedDialog {
            trunk: leg.trunk,
            phone: leg.phone.as_deref().map(|phone| phone.account.clone()),
            peer: leg.dialog.peer,
            sent_by: self.config.sent_by(leg.dialog.peer.transport).to_string(),
            request_uri: placing.map_or(&leg.dialog.remote_target, |placing| &placing.request_uri).clone(),
            call_id: leg.dialog.call_id.clone(),
            from: leg.dialog.local.clone(),
            to: to?,
            branch: ClientKey::new(self.identifiers.invite_branch(call)).branch_text(),
            cseq: FIRST_CSEQ,
            confirmed: Some(confirmed),
        })
    }
}

/// Outcome of an unanswered call that we cancelled.
pub(super) fn unanswered_outcome(cause: HangUpCause) -> Outcome {
    match cause {
        HangUpCause::RingTimeout | HangUpCause::Finished => Outcome::NoAnswer,
        HangUpCause::Stopped | HangUpCause::AgentHungUp | HangUpCause::Abandoned => Outcome::Cancelled,
        HangUpCause::AgentFailed => Outcome::AgentFailed,
        HangUpCause::MediaLost | HangUpCause::NotSaved => Outcome::LineFault,
    }
}

pub(super) fn ended(verdict: verdict::Verdict, code: Option<u16>, cause: &str) -> Ended {
    Ended {
        outcome: verdict.outcome,
        by: verdict.by,
        sip_code: code,
        cause: cause.into(),
        retry_after: None,
        try_next_trunk: verdict.try_next_trunk,
    }
}

/// The end of a call that we hung up; the outcome is `Answered` unless the caller changes it.
pub(super) fn ended_by_us(cause: HangUpCause, code: Option<u16>, words: &str) -> Ended {
    let why = match cause {
        HangUpCause::RingTimeout => "nobody answered in time",
        HangUpCause::Finished => "finished",
        HangUpCause::Stopped => "stopped",
        HangUpCause::AgentHungUp => "the agent hung up",
        HangUpCause::AgentFailed => "the agent was not reached",
        HangUpCause::Abandoned => "no agent was free",
        HangUpCause::MediaLost => "media lost",
        HangUpCause::NotSaved => "the answer could not be saved",
    };
    let cause = if words.is_empty() { why.to_string() } else { format!("{why}; {words}") };
    Ended {
        outcome: Outcome::Answered,
        by: EndedBy::Dialer,
        sip_code: code,
        cause,
        retry_after: None,
        try_next_trunk: false,
    }
}
