//! Hang-up by call state (CANCEL, BYE, final response), a challenged BYE, and the final event of a call.

use super::client_transactions::{Answer, ClientRequest, Purpose};
use super::credentials::Credentials;
use super::incoming_calls::is_incoming;
use super::leg::{Leg, LegState};
use super::phone_calls::{agent_end, is_branch};
use super::wakes::Owner;
use super::{UaEvent, UaOutput, UserAgent, write};
use crate::call::{Ended, HangUpCause, Progress};
use crate::ids::CallId;
use crate::outcome::{EndedBy, Outcome};
use crate::sip::headers::HeaderName;
use crate::sip::message::Method;
use crate::sip::verdict;
use crate::time::Time;

impl UserAgent {
    pub(super) fn hang_up_call(&mut self, now: Time, call: CallId, cause: HangUpCause) {
        let Some(leg) = self.legs.get_mut(&call) else {
            self.cancel_phone_call(now, call, cause);
            return;
        };
        match leg.state {
            LegState::Calling => self.cancel_call(now, call, cause),
            LegState::Answered => {
                self.send_withheld_ack(now, call);
                self.send_bye(now, call, cause, ended_by_us(cause, Some(200), ""));
            }
            LegState::Confirmed => self.send_bye(now, call, cause, ended_by_us(cause, Some(200), "")),
            LegState::Arriving => self.reject_call(now, call, 480, "Temporarily Unavailable", &[], cause),
            LegState::Accepted => {
                // A callee must not send BYE before the ACK (RFC 3261 section 15).
                if let Some(arriving) = leg.arriving.as_deref_mut() {
                    arriving.hang_up = Some(cause);
                }
            }
            LegState::Ending => {}
        }
    }

    /// Sends BYE. `over` is reported once the BYE is answered or times out.
    pub(super) fn send_bye(&mut self, now: Time, call: CallId, cause: HangUpCause, over: Ended) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        leg.state = LegState::Ending;
        leg.ended = Some(Box::new(over));
        leg.timer = None;
        leg.unacknowledged = None;
        self.send_bye_request(now, call, Some(cause));
        self.rearm_leg(call);
    }

    fn send_bye_request(&mut self, now: Time, call: CallId, cause: Option<HangUpCause>) {
        let reason = cause.map(|cause| (HeaderName::Reason, write::reason(cause).to_string()));
        let lines: Vec<_> = reason.into_iter().collect();
        self.leg_request(now, call, Method::Bye, lines, None, Purpose::Bye(call));
    }

    /// Sends OPTIONS in the leg's dialog.
    pub(super) fn send_leg_probe(&mut self, now: Time, call: CallId) {
        let confirmed = self.legs.get(&call).is_some_and(|leg| leg.state == LegState::Confirmed);
        if confirmed {
            self.leg_request(now, call, Method::Options, Vec::new(), None, Purpose::LegProbe(call));
        }
    }

    pub(super) fn leg_probe_answered(&mut self, call: CallId, answer: Answer<'_, '_>) {
        if answer.code().is_some_and(|code| code < 200) || !self.legs.contains_key(&call) {
            return;
        }
        // 408 and no answer at all say the same (RFC 5057 section 5.1).
        let alive = answer.code().is_some_and(|code| !matches!(code, 408 | 481));
        self.emit(UaEvent::LegProbed { call, alive });
    }

    /// Sends a request in the leg's dialog, with credentials if the leg was challenged before.
    pub(super) fn leg_request(
        &mut self,
        now: Time,
        call: CallId,
        method: Method<'static>,
        mut lines: Vec<(HeaderName, String)>,
        body: Option<(&str, &str)>,
        purpose: Purpose,
    ) -> Option<super::identifiers::ClientKey> {
        let mut leg = self.legs.remove(&call)?;
        let (uri, _) = leg.dialog.path();
        if let Some(credentials) = leg.credentials.as_deref_mut() {
            let entity = body.map(|(_, body)| body.as_bytes()).unwrap_or_default();
            lines.extend(credentials.lines(method.as_str(), &uri, entity, &mut self.identifiers));
        }
        let to = leg.dialog.next_hop();
        let (key, bytes) = self.dialog_request(&mut leg.dialog, method, &lines, body);
        self.legs.insert(call, leg);
        if method == Method::Invite {
            self.send_invite_request(now, ClientRequest { key, to, bytes, purpose });
        } else {
            self.send_request(now, ClientRequest { key, to, bytes, purpose });
        }
        Some(key)
    }

    /// Adds a challenge to the leg's credentials. `false` = it cannot be answered.
    pub(super) fn store_leg_challenge(&mut self, call: CallId, answer: Answer<'_, '_>) -> bool {
        let Answer::Response { code: 401 | 407, message, .. } = answer else { return false };
        let Some(leg) = self.legs.get_mut(&call) else { return false };
        let Some(trunk) = leg.trunk.and_then(|trunk| self.trunks.get(&trunk)) else { return false };
        let credentials = leg.credentials.get_or_insert_with(|| Box::new(Credentials::of(&trunk.config)));
        credentials.store_challenges(message)
    }

    pub(super) fn bye_answered(&mut self, now: Time, call: CallId, answer: Answer<'_, '_>) {
        if answer.code().is_some_and(|code| code < 200) {
            return;
        }
        if self.store_leg_challenge(call, answer) {
            self.send_bye_request(now, call, None);
            return;
        }
        let Some(over) = self.legs.get_mut(&call).and_then(|leg| leg.ended.take()) else { return };
        let mut over = *over;
        if answer.code().is_none() {
            over.cause.push_str("; the far side did not answer our BYE");
        }
        self.end_leg(now, call, over);
    }

    pub(super) fn add_leg(&mut self, call: CallId, leg: Leg) {
        self.tags.insert(leg.tag, call);
        self.incoming_now += usize::from(is_incoming(call));
        self.legs.insert(call, Box::new(leg));
    }

    /// Removes the leg and reports its end; no event follows.
    pub(super) fn end_leg(&mut self, now: Time, call: CallId, over: Ended) {
        let Some(mut leg) = self.legs.remove(&call) else { return };
        self.wakes.set(Owner::Leg(call), &mut leg.armed, None);
        self.tags.remove(&leg.tag);
        self.incoming_now -= usize::from(is_incoming(call));
        if let Some(placing) = leg.placing.as_deref() {
            self.detach_invite(now, placing.key);
        }
        if leg.phone.is_none() {
            self.report_progress(call, Progress::Ended(over));
            return;
        }
        let over = agent_end(over);
        let told = if is_branch(call) { self.end_branch(now, call, over) } else { Some((call, over)) };
        if let Some((call, over)) = told {
            self.report_progress(call, Progress::Ended(over));
        }
    }

    pub(super) fn report_progress(&mut self, call: CallId, progress: Progress) {
        self.emit(UaEvent::Progress { call, progress });
    }

    /// Emits an event. Events of a branch that rings beside others are reported for the whole call or
    /// dropped.
    pub(super) fn emit(&mut self, mut event: UaEvent) {
        if let UaEvent::Progress { .. } | UaEvent::Media { .. } | UaEvent::Digit { .. } = event {
            let Some(whole) = self.reported_call(&event) else { return };
            if let UaEvent::Progress { call, .. }
            | UaEvent::Media { call, .. }
            | UaEvent::Digit { call, .. } = &mut event
            {
                *call = whole;
            }
        }
        self.outputs.push_back(UaOutput::Event(event));
    }

    pub(super) fn rearm_leg(&mut self, call: CallId) {
        if let Some(leg) = self.legs.get_mut(&call) {
            let wanted = leg.next_wake();
            self.wakes.set(Owner::Leg(call), &mut leg.armed, wanted);
        }
    }
}

/// Outcome of an unanswered call that we cancelled.
pub(super) fn unanswered_outcome(cause: HangUpCause) -> Outcome {
    match cause {
        HangUpCause::RingTimeout | HangUpCause::Finished => Outcome::NoAnswer,
        HangUpCause::Stopped | HangUpCause::AgentHungUp | HangUpCause::Abandoned => Outcome::Cancelled,
        HangUpCause::AgentFailed => Outcome::AgentFailed,
        HangUpCause::SetupTimeout => Outcome::Unreachable,
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
        HangUpCause::SetupTimeout => "the phone did not ring in time",
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
