//! Outgoing calls from INVITE to ACK: digest challenges, redirection, refusals, and the 2xx whose ACK is
//! withheld until the answer is on disk.

use super::client_transactions::{Answer, ClientRequest, Purpose};
use super::credentials::Credentials;
use super::ending::{ended, ended_by_us, unanswered_outcome};
use super::identifiers::{ClientKey, tag_text};
use super::incoming_calls::ended_by_caller;
use super::leg::{Leg, LegState, Placing};
use super::{CallRequest, Peer, SavedDialog, SipTrunk, UaEvent, UserAgent, write};
use crate::call::{Ended, HangUpCause, Progress};
use crate::ids::CallId;
use crate::outcome::{EndedBy, Outcome};
use crate::sdp;
use crate::sip::dialog::{Dialog, peer_of};
use crate::sip::headers::HeaderName;
use crate::sip::message::Message;
use crate::sip::session_timer::SessionTimer;
use crate::sip::uri::Uri;
use crate::sip::verdict;
use crate::time::{Duration, Time};

/// CSeq of the first INVITE of every call.
pub(super) const FIRST_CSEQ: u32 = 1;
/// Digest challenges answered per INVITE: one from a proxy and one from the far end, or one and its stale
/// repetition.
const CHALLENGES_MAX: u8 = 2;
const REDIRECTIONS_MAX: u8 = 3;
/// Silence after which a trunk with several destinations is asked at the next one: three retransmissions. Sooner
/// than the dialer doubts the whole trunk.
const SILENCE: Duration = Duration::from_millis(3_500);

impl UserAgent {
    /// The dialog identifiers that [`UserAgent::place`] will use for a call.
    pub(super) fn identity_of(&self, trunk: &SipTrunk, peer: Peer, request: &CallRequest) -> SavedDialog {
        let request_uri = Uri::sip(&request.user, &trunk.host).to_string();
        let user = trunk.user_of_from(request.caller_id.as_deref());
        let tag = tag_text(self.identifiers.tag(request.call));
        SavedDialog {
            trunk: Some(request.trunk),
            phone: None,
            peer,
            sent_by: self.config.sent_by(peer).to_string(),
            to: format!("<{request_uri}>"),
            from: format!("<{}>;tag={tag}", Uri::sip(user, trunk.own_domain())),
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
        let saved = self.identity_of(&trunk.config, trunk.targets.current(), &request);
        let has_alternates = trunk.targets.len() > 1;
        let caller_id = request.caller_id.as_deref();
        let identity = caller_id.map(|caller_id| trunk.config.identity_header(caller_id));
        let contact_user = match trunk.config.user_of_from(caller_id) {
            "anonymous" => "",
            user => user,
        };
        let contact_user = contact_user.to_owned();
        let tag = self.identifiers.tag(call);
        let dialog = Dialog {
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
        };
        let key = ClientKey::new(self.identifiers.invite_branch(call));
        let ring_until = now + request.setup;
        let placing = Placing {
            user: request.user,
            contact_user,
            identity,
            cseq: saved.cseq,
            ring: Some(request.ring),
            silent_at: has_alternates.then(|| now + SILENCE),
            ..Placing::new(saved.sent_by, saved.request_uri, key, saved.peer, ring_until)
        };
        let leg = Leg { trunk: Some(request.trunk), ..Leg::calling(tag, dialog, request.media, placing) };
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
        self.send_invite_request(now, ClientRequest { key, to: peer, bytes, purpose: Purpose::Invite(call) });
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
            // A destination that was silent, and was left for another one.
            if answer.code().is_some_and(|code| code < 200) {
                self.cancel_abandoned(now, key);
            }
            return;
        }
        let pause = match answer {
            Answer::Response { code: 503, message, .. } => Some(message.retry_after()),
            Answer::TimedOut | Answer::Unreachable => Some(None),
            Answer::Response { .. } => None,
        };
        if let Some(pause) = pause
            && self.try_next_target(now, call, answer.code().is_some(), pause)
        {
            return;
        }
        if let Answer::Response { code, .. } = answer
            && !matches!(code, 100 | 401 | 403 | 407)
        {
            self.prove_account(call);
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

    /// Sends the INVITE to the trunk's next destination (RFC 3263 section 4.3) after a 503, a broken connection
    /// or silence. `false` = there is none, or the call is being cancelled.
    fn try_next_target(&mut self, now: Time, call: CallId, answered: bool, pause: Option<u32>) -> bool {
        let Some(leg) = self.legs.get(&call).filter(|leg| leg.state == LegState::Calling) else {
            return false;
        };
        let (Some(placing), Some(id)) = (leg.placing.as_deref(), leg.trunk) else { return false };
        let (failed, key) = (placing.peer, placing.key);
        // A 503 without Retry-After concerns this call alone.
        if !answered || pause.is_some() {
            let rest = pause.map(|secs| Duration::from_secs(secs.into()));
            self.fail_target(now, id, failed, rest);
        }
        let Some(trunk) = self.trunks.get(&id) else { return false };
        let Some(leg) = self.legs.get_mut(&call) else { return false };
        let Some(placing) = leg.placing.as_deref_mut() else { return false };
        // A destination that sent a provisional has the call: asking another one could ring the callee twice.
        let is_taken = placing.ringing || !answered && placing.provisional;
        let is_over = is_taken || placing.cancel.is_some() || placing.callee_hung_up.is_some();
        let next = trunk.targets.preferred(|peer| peer == failed || placing.left.contains(&peer));
        let Some(next) = next.filter(|_| !is_over) else { return false };
        placing.left.push(failed);
        placing.peer = next;
        placing.sent_by = self.config.sent_by(next).to_string();
        placing.silent_at = (placing.left.len() + 1 < trunk.targets.len()).then(|| now + SILENCE);
        leg.dialog.peer = next;
        if !answered {
            self.abandon_silent_invite(now, key);
        }
        self.send_invite_again(now, call);
        true
    }

    /// The trunk's destination has said nothing to this INVITE for `SILENCE`.
    pub(super) fn leave_silent_target(&mut self, now: Time, call: CallId) {
        let Some(placing) = self.legs.get_mut(&call).and_then(|leg| leg.placing.as_deref_mut()) else {
            return;
        };
        placing.silent_at = None;
        if !placing.provisional {
            self.try_next_target(now, call, false, None);
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

    fn handle_answer(&mut self, now: Time, call: CallId, message: &Message<'_>, from: Peer) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        let Some(placing) = leg.placing.as_deref_mut() else { return };
        if !leg.dialog.pinned {
            leg.dialog.peer = from;
        }
        leg.dialog.establish(message);
        leg.allows_update = message.has_token(HeaderName::Allow, "UPDATE");
        let tag = leg.dialog.remote_tag.as_deref();
        let has_tag = |wanted: Option<&str>| {
            placing.early.iter().find(|early| early.dialog.remote_tag.as_deref() == wanted)
        };
        let early = has_tag(tag).or_else(|| has_tag(Some("")));
        let settled = early.and_then(|early| early.target.clone());
        let described = match (write::description(message), &leg.media) {
            (Some(answer), Some(media)) => Some(sdp::read_answer(media, answer)),
            _ => None,
        };
        let why = match &described {
            Some(Err(error)) => error.to_string(),
            _ => "no answer to our offer".to_owned(),
        };
        placing.early.clear();
        placing.session = message.session_expires().map(|session| {
            let ours = session.refresher != Some(crate::sip::headers::Refresher::Uas);
            (session.secs, ours)
        });
        let target = described.and_then(Result::ok).or(settled);
        placing.unusable_media = target.is_none().then_some(why);
        leg.target.clone_from(&target);
        leg.state = LegState::Answered;
        if let Some(cause) = placing.callee_hung_up.take() {
            let over = ended_by_caller(Outcome::Answered, message.code(), cause);
            self.report_progress(call, Progress::Answered);
            self.end_leg(now, call, over);
            return;
        }
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
        let unusable = leg.placing.as_deref().and_then(|placing| placing.unusable_media.clone());
        self.send_withheld_ack(now, call);
        if let Some(why) = unusable {
            // Neither side heard the other: a fault of the line, whatever the callee did.
            let mut over = ended_by_us(HangUpCause::MediaLost, Some(200), "");
            over.outcome = Outcome::LineFault;
            over.cause = format!("media unusable; the answer has {why}");
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
            // This destination is alive.
            if let Some(placing) = self.legs.get_mut(&call).and_then(|leg| leg.placing.as_deref_mut()) {
                placing.silent_at = None;
            }
            self.send_invite_again(now, call);
            return;
        }
        let cause = message.reason().filter(|reason| reason.is_q850()).and_then(|reason| reason.cause);
        let words = write::cause_text(message);
        let mut over = match self.account_refused(call, code, &words) {
            Some(words) => ended(verdict::ACCOUNT_REFUSED, Some(code), &words),
            None => ended(verdict::refusal(code, cause), Some(code), &words),
        };
        if code == 503 {
            over.retry_after = message.retry_after().map(|secs| Duration::from_secs(secs.into()));
        }
        self.end_leg(now, call, over);
    }

    /// A response beyond the challenge shows that the carrier has taken our credentials.
    fn prove_account(&mut self, call: CallId) {
        let Some(leg) = self.legs.get(&call) else { return };
        let given = leg.placing.as_deref().is_some_and(|placing| placing.challenges > 0);
        if let Some(trunk) = leg.trunk.filter(|_| given).and_then(|trunk| self.trunks.get_mut(&trunk)) {
            trunk.account_proven = true;
        }
    }

    /// Whether the carrier refuses our account and not this callee, in words: a challenge that we cannot answer or
    /// that comes again after our credentials, or a 403 after them from a carrier that has never taken them.
    fn account_refused(&self, call: CallId, code: u16, words: &str) -> Option<String> {
        let leg = self.legs.get(&call)?;
        let trunk = self.trunks.get(&leg.trunk?)?;
        let given = leg.placing.as_deref().is_some_and(|placing| placing.challenges > 0);
        let is_account = matches!(code, 401 | 407) || code == 403 && given && !trunk.account_proven;
        is_account.then(|| match trunk.config.username.as_str() {
            "" => format!("the carrier asks for an account and the trunk has none ({code} {words})"),
            _ if !given && !trunk.config.realm.is_empty() => {
                format!(
                    "the carrier asks for an account of another realm than {} ({code} {words})",
                    trunk.config.realm
                )
            }
            account => format!("the carrier refuses the account {account} ({code} {words})"),
        })
    }

    /// Answers a digest challenge; `false` = no credentials, or they were refused.
    fn answer_challenge(&mut self, call: CallId, message: &Message<'_>) -> bool {
        let Some(leg) = self.legs.get_mut(&call) else { return false };
        let Some(placing) = leg.placing.as_deref_mut() else { return false };
        let Some(trunk) = leg.trunk.and_then(|trunk| self.trunks.get(&trunk)) else { return false };
        if placing.challenges >= CHALLENGES_MAX {
            return false;
        }
        let credentials = leg.credentials.get_or_insert_with(|| Box::new(Credentials::of(&trunk.config)));
        if !credentials.store_challenges(message) {
            return false;
        }
        placing.challenges += 1;
        // The body of the next INVITE: `auth-int` covers it.
        let offer = match &leg.media {
            Some(media) => sdp::offer(media, leg.sdp.id, leg.sdp.version),
            None => String::new(),
        };
        placing.authorization =
            credentials.lines("INVITE", &placing.request_uri, offer.as_bytes(), &mut self.identifiers);
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
}
