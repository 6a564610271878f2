//! The INVITE client transaction (RFC 3261 section 17.1.1 with the Accepted state of RFC 6026):
//! retransmission by Timer A, time-out by Timer B.

use super::{Backoff, Due, ResponseAction, TRANSACTION_TIMEOUT, earlier};
use crate::time::{Duration, Time};

/// ```text
///            INVITE sent; A repeats it, B ends it
///                   │
///               ┌───▼────┐  B: timed out
///               │Calling ├────────────────────────────────┐
///               └─┬──┬──┬┘                                │
///             1xx │  │  └── 300-699: pass, ACK ───────┐   │
///               ┌─▼──┼───────┐                        │   │
///   1xx: pass ─▶│Proceeding  ├── 300-699: pass, ACK ─┐│   │      A and B stop at the first 1xx
///               └─┬──┼───────┘                     ┌─▼▼───┴────┐
///             2xx │  │ 2xx: pass                   │Completed  │ D: 32 s unreliable, 0 reliable
///               ┌─▼──▼───────┐                     └─────┬─────┘ 300-699 again: ACK again
///   2xx: pass ─▶│Accepted    │ M: 32 s                   │
///               └─────┬──────┘                           │
///                     └───────────▶ Terminated ◀─────────┘
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInvite {
    state: State,
    reliable: bool,
    /// Timer A: retransmission.
    retransmit: Option<Backoff>,
    /// Timer B (time-out), then D or M; in Proceeding only for `resume` and `abandon`.
    end: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Calling,
    Proceeding,
    Accepted,
    Completed,
    Terminated,
}

impl ClientInvite {
    /// Starts when the INVITE is sent.
    pub fn new(now: Time, reliable: bool) -> Self {
        // Timer A doubles without a cap: Timer B ends it first.
        let retransmit = (!reliable).then(|| Backoff::new(now, TRANSACTION_TIMEOUT));
        ClientInvite { state: State::Calling, reliable, retransmit, end: Some(now + TRANSACTION_TIMEOUT) }
    }

    /// Replaces a transaction of an earlier process whose INVITE was sent long ago: accepts late responses
    /// for 32 seconds.
    pub fn resume(now: Time, reliable: bool) -> Self {
        ClientInvite {
            state: State::Proceeding,
            reliable,
            retransmit: None,
            end: Some(now + TRANSACTION_TIMEOUT),
        }
    }

    pub fn handle_response(&mut self, now: Time, code: u16) -> ResponseAction {
        match (self.state, code) {
            (State::Calling, 100..=199) => {
                self.state = State::Proceeding;
                self.retransmit = None;
                self.end = None;
                ResponseAction::Pass
            }
            (State::Proceeding, 100..=199) => ResponseAction::Pass,
            (State::Calling | State::Proceeding, 200..=299) => {
                self.state = State::Accepted;
                self.retransmit = None;
                self.end = Some(now + TRANSACTION_TIMEOUT);
                ResponseAction::Pass
            }
            (State::Accepted, 200..=299) => ResponseAction::Pass,
            (State::Calling | State::Proceeding, 300..) => {
                self.state = State::Completed;
                self.retransmit = None;
                self.end = Some(now + if self.reliable { Duration::ZERO } else { TRANSACTION_TIMEOUT });
                ResponseAction::PassAndAcknowledge
            }
            (State::Completed, 300..) => ResponseAction::Acknowledge,
            _ => ResponseAction::Absorb,
        }
    }

    pub fn handle_timeout(&mut self, now: Time) -> Due {
        if self.end.is_some_and(|end| end <= now) {
            let timed_out = matches!(self.state, State::Calling | State::Proceeding);
            self.state = State::Terminated;
            return if timed_out { Due::TimedOut } else { Due::Over };
        }
        let retransmit = self.retransmit.as_mut().is_some_and(|retransmit| retransmit.take_due(now));
        if retransmit { Due::Resend } else { Due::Nothing }
    }

    /// The ACK of a 2xx is being sent: retransmitted 2xx responses are acknowledged for another 32 seconds.
    pub fn extend_accepted(&mut self, now: Time) {
        if self.state == State::Accepted {
            self.end = Some(now + TRANSACTION_TIMEOUT);
        }
    }

    /// The transaction user is gone: an INVITE without a final response is kept 32 seconds more, not for
    /// ever.
    pub fn abandon(&mut self, now: Time) {
        if self.state == State::Proceeding {
            self.end = Some(now + TRANSACTION_TIMEOUT);
        }
    }

    pub fn next_wake(&self) -> Option<Time> {
        earlier(self.retransmit, self.end)
    }

    /// Whether no response was received yet.
    pub fn is_calling(&self) -> bool {
        self.state == State::Calling
    }

    /// Whether a final response was received.
    pub fn is_final(&self) -> bool {
        !matches!(self.state, State::Calling | State::Proceeding)
    }
}
