//! Calls to an agent's phones (parallel forking): one INVITE per contact, each a branch leg of its own; the
//! first answer wins and is acknowledged at once, the other branches are cancelled.

use super::ending::{ended_by_us, unanswered_outcome};
use super::identifiers::{ClientKey, tag_text};
use super::leg::{Leg, PhoneSide, Placing};
use super::phones::PhoneContact;
use super::wakes::Owner;
use super::{PhoneRequest, SavedPhone, UaEvent, UserAgent, write};
use crate::call::{Ended, HangUpCause, Progress};
use crate::ids::CallId;
use crate::outcome::{EndedBy, Outcome};
use crate::sip::dialog::Dialog;
use crate::sip::grammar::escape_quoted;
use crate::sip::headers::HeaderName;
use crate::sip::uri::Uri;
use crate::time::Time;
use std::collections::BTreeSet;

/// Ids of branch legs start here; a branch that answers takes over the call's id.
const BRANCHES: u64 = 3 << 62;
/// Reason of the CANCEL to losing phones, so that they do not show a missed call (RFC 3326).
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// A call that rings an agent's phones.
#[derive(Debug)]
pub(super) struct PhoneCall {
    branches: BTreeSet<CallId>,
    /// The last reported progress: 0 nothing, 1 sent, 2 trying, 3 ringing.
    reported_step: u8,
    /// The most significant end among branches that have ended.
    best: Option<Ended>,
}

impl UserAgent {
    pub(super) fn ring_phone(&mut self, now: Time, request: PhoneRequest) {
        let call = request.call;
        if self.legs.contains_key(&call) || self.phone_calls.contains_key(&call) {
            return;
        }
        let contacts = self.contacts_of(&request.user);
        if contacts.is_empty() {
            self.report_progress(call, Progress::Ended(agent_failed("phone not registered")));
            return;
        }
        let mut branches = BTreeSet::new();
        for _ in &contacts {
            self.last_branch += 1;
            branches.insert(CallId(BRANCHES | self.last_branch));
        }
        let all: Vec<CallId> = branches.iter().copied().collect();
        self.branch_of.extend(all.iter().map(|branch| (*branch, call)));
        self.phone_calls.insert(call, PhoneCall { branches, reported_step: 0, best: None });
        for (branch, contact) in all.into_iter().zip(contacts) {
            let leg = self.branch_leg(now, branch, &request, contact);
            self.add_leg(branch, leg);
            self.send_invite(now, branch);
            self.report_progress(branch, Progress::Sent);
            self.rearm_leg(branch);
        }
    }

    fn branch_leg(&self, now: Time, branch: CallId, request: &PhoneRequest, contact: PhoneContact) -> Leg {
        let PhoneContact { peer, uri, instance } = contact;
        let account = SavedPhone { user: request.user.clone(), instance };
        let realm = self.registrar.as_ref().map_or("", |registrar| registrar.realm());
        let tag = self.identifiers.tag(branch);
        let from = Uri::sip(&request.from_user, realm);
        let name = escape_quoted(&request.from_name);
        let name = if name.is_empty() { String::new() } else { format!("\"{name}\" ") };
        let dialog = Dialog {
            call_id: self.identifiers.call_id(branch),
            local: format!("{name}<{from}>;tag={}", tag_text(tag)),
            remote: format!("<{}>", Uri::sip(&request.user, realm)),
            remote_tag: None,
            remote_target: uri.clone(),
            route_set: Vec::new(),
            local_cseq: 1,
            remote_cseq: None,
            peer,
            pinned: true,
        };
        let lines = match request.auto_answer {
            true => vec![
                (HeaderName::CallInfo, format!("<{}>;answer-after=0", Uri::sip("", realm))),
                (HeaderName::AlertInfo, "<http://127.0.0.1>;info=alert-autoanswer;delay=0".to_string()),
            ],
            false => Vec::new(),
        };
        let key = ClientKey::new(self.identifiers.invite_branch(branch));
        let sent_by = self.config.sent_by(peer).to_string();
        let placing = Placing::new(sent_by, uri, key, peer, now + request.ring);
        let phone = Some(Box::new(PhoneSide { account, lines, ..PhoneSide::default() }));
        Leg { phone, ..Leg::calling(tag, dialog, request.media.clone(), placing) }
    }

    /// The branch legs of this call.
    pub(super) fn branches_of(&self, call: CallId) -> impl Iterator<Item = &Leg> {
        let branches = self.phone_calls.get(&call).map(|phone_call| &phone_call.branches);
        branches.into_iter().flatten().filter_map(|branch| self.legs.get(branch)).map(Box::as_ref)
    }

    /// The call id to report this event under; `None` = do not report it.
    pub(super) fn reported_call(&mut self, event: &UaEvent) -> Option<CallId> {
        let (UaEvent::Progress { call, .. } | UaEvent::Media { call, .. } | UaEvent::Digit { call, .. }) =
            event
        else {
            return None;
        };
        if !is_branch(*call) {
            return Some(*call);
        }
        let whole = *self.branch_of.get(call)?;
        let phone_call = self.phone_calls.get_mut(&whole)?;
        let step = match event {
            UaEvent::Progress { progress: Progress::Sent, .. } => 1,
            UaEvent::Progress { progress: Progress::Trying, .. } => 2,
            UaEvent::Progress { progress: Progress::Ringing, .. } => 3,
            // Media of a ringing phone is reported only if it is the only branch.
            _ => return Some(whole).filter(|_| phone_call.branches.len() == 1),
        };
        let news = step > phone_call.reported_step;
        phone_call.reported_step = phone_call.reported_step.max(step);
        news.then_some(whole)
    }

    /// The contact that answered first becomes the call; the other branches are cancelled.
    pub(super) fn promote_branch(&mut self, now: Time, branch: CallId) -> CallId {
        let Some(call) = self.branch_of.remove(&branch) else { return branch };
        let phone_call = self.phone_calls.remove(&call);
        if let Some(mut leg) = self.legs.remove(&branch) {
            self.wakes.set(Owner::Leg(branch), &mut leg.armed, None);
            self.tags.insert(leg.tag, call);
            if let Some(placing) = leg.placing.as_deref() {
                self.reassign_client(placing.key, call);
            }
            self.legs.insert(call, leg);
        }
        for other in phone_call.into_iter().flat_map(|it| it.branches).filter(|other| *other != branch) {
            self.cancel_branch(now, other, HangUpCause::Finished, Some(ELSEWHERE));
        }
        call
    }

    /// Cancels a branch; its end is not reported.
    fn cancel_branch(&mut self, now: Time, branch: CallId, cause: HangUpCause, why: Option<&'static str>) {
        self.branch_of.remove(&branch);
        if let Some(phone) = self.legs.get_mut(&branch).and_then(|leg| leg.phone.as_deref_mut()) {
            phone.cancel_reason = why;
            self.cancel_call(now, branch, cause);
        }
    }

    /// Cancels an unanswered call to phones. The call is over at once; late responses of the branches are
    /// still handled.
    pub(super) fn cancel_phone_call(&mut self, now: Time, call: CallId, cause: HangUpCause) {
        let Some(phone_call) = self.phone_calls.remove(&call) else { return };
        for branch in phone_call.branches {
            self.cancel_branch(now, branch, cause, None);
        }
        let mut over = ended_by_us(cause, None, "");
        over.outcome = unanswered_outcome(cause);
        self.report_progress(call, Progress::Ended(over));
    }

    /// The call a branch belongs to.
    pub(super) fn call_of_branch(&self, branch: CallId) -> Option<CallId> {
        self.branch_of.get(&branch).copied()
    }

    /// Removes a branch that has ended. `None` = the call goes on, nothing to report.
    pub(super) fn end_branch(&mut self, now: Time, branch: CallId, over: Ended) -> Option<(CallId, Ended)> {
        let call = self.branch_of.remove(&branch)?;
        let phone_call = self.phone_calls.get_mut(&call)?;
        phone_call.branches.remove(&branch);
        // A 6xx ends every branch (RFC 3261 section 21.6).
        let global = over.sip_code.is_some_and(|code| code >= 600);
        let best = match phone_call.best.take() {
            Some(known) if rank(&known) >= rank(&over) => known,
            _ => over,
        };
        if phone_call.branches.is_empty() || global {
            let phone_call = self.phone_calls.remove(&call)?;
            for other in phone_call.branches {
                self.cancel_branch(now, other, HangUpCause::Finished, None);
            }
            return Some((call, best));
        }
        phone_call.best = Some(best);
        None
    }
}

/// Whether this id belongs to a branch leg.
pub(super) fn is_branch(call: CallId) -> bool {
    call.0 >= BRANCHES
}

/// Rank of a branch's end, by how much it says about the agent.
fn rank(over: &Ended) -> u8 {
    match over.outcome {
        Outcome::Rejected => 3,
        Outcome::Busy => 2,
        Outcome::NoAnswer => 1,
        _ => 0,
    }
}

/// Converts the end of a call with a phone: the far side is the agent, and no trunk is at fault.
pub(super) fn agent_end(mut over: Ended) -> Ended {
    let by_us = over.by == EndedBy::Dialer;
    if !by_us {
        over.by = EndedBy::Agent;
    }
    let is_specific = matches!(
        over.outcome,
        Outcome::Answered | Outcome::Busy | Outcome::Rejected | Outcome::NoAnswer | Outcome::Cancelled
    );
    if !is_specific {
        over.outcome = Outcome::AgentFailed;
    }
    over.try_next_trunk = false;
    over.retry_after = None;
    over
}

fn agent_failed(cause: &str) -> Ended {
    Ended {
        outcome: Outcome::AgentFailed,
        by: EndedBy::Dialer,
        sip_code: None,
        cause: cause.into(),
        retry_after: None,
        try_next_trunk: false,
    }
}

/// Methods we accept in a call with a phone.
pub(super) fn phone_allow() -> String {
    format!("{}, REFER", super::incoming_calls::ALLOW)
}

impl PhoneSide {
    pub fn reason(&self, cause: HangUpCause) -> &'static str {
        self.cancel_reason.unwrap_or_else(|| write::reason(cause))
    }
}
