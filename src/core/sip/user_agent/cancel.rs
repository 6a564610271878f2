//! CANCEL of our own calls (RFC 3261 section 9.1): sent after the first provisional, given up after 32 s.

use super::client_transactions::{Answer, ClientRequest, Purpose};
use super::ending::{ended_by_us, unanswered_outcome};
use super::identifiers::ClientKey;
use super::leg::{CANCEL_TIMEOUT, Cancel};
use super::{UserAgent, write};
use crate::call::HangUpCause;
use crate::ids::CallId;
use crate::time::Time;

impl UserAgent {
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

    pub(super) fn send_cancel(&mut self, now: Time, call: CallId, cause: HangUpCause) {
        let Some(placing) = self.legs.get_mut(&call).and_then(|leg| leg.placing.as_deref_mut()) else {
            return;
        };
        placing.cancel = Some(Cancel { cause, give_up: Some(now + CANCEL_TIMEOUT) });
        let (key, to) = (placing.key, placing.peer);
        let phone = self.legs.get(&call).and_then(|leg| leg.phone.as_deref());
        let reason = phone.map_or(write::reason(cause), |phone| phone.reason(cause));
        let invite = self.clients.get(&key).map(|client| client.bytes.as_slice()).unwrap_or_default();
        let Some(cancel) = write::cancel_of(invite, reason) else { return };
        self.send_request(
            now,
            ClientRequest {
                key: ClientKey { cancel: true, ..key },
                to,
                bytes: cancel,
                purpose: Purpose::Cancel(call),
            },
        );
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
}
