//! The INVITE client transaction (RFC 3261 section 17.1.1 with the Accepted state of RFC 6026):
//! retransmission by Timer A, time-out by Timer B.

use super::{Backoff, Due, PATIENCE, Received, earlier};
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
    copy: Option<Backoff>,
    /// Timer B (time-out), then D or M; in Proceeding only for `stand_in` and `abandon`.
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
        let copy = (!reliable).then(|| Backoff::new(now, PATIENCE));
        ClientInvite { state: State::Calling, reliable, copy, end: Some(now + PATIENCE) }
    }

    /// Replaces a transaction of an earlier process whose INVITE was sent long ago: accepts late responses
    /// for 32 seconds.
    pub fn stand_in(now: Time, reliable: bool) -> Self {
        ClientInvite { state: State::Proceeding, reliable, copy: None, end: Some(now + PATIENCE) }
    }

    pub fn handle_response(&mut self, now: Time, code: u16) -> Received {
        match (self.state, code) {
            (State::Calling, 100..=199) => {
                self.state = State::Proceeding;
                self.copy = None;
                self.end = None;
                Received::Pass
            }
            (State::Proceeding, 100..=199) => Received::Pass,
            (State::Calling | State::Proceeding, 200..=299) => {
                self.state = State::Accepted;
                self.copy = None;
                self.end = Some(now + PATIENCE);
                Received::Pass
            }
            (State::Accepted, 200..=299) => Received::Pass,
            (State::Calling | State::Proceeding, 300..) => {
                self.state = State::Completed;
                self.copy = None;
                self.end = Some(now + if self.reliable { Duration::ZERO } else { PATIENCE });
                Received::PassAndAcknowledge
            }
            (State::Completed, 300..) => Received::Acknowledge,
            _ => Received::Absorb,
        }
    }

    pub fn handle_timeout(&mut self, now: Time) -> Due {
        if self.end.is_some_and(|end| end <= now) {
            let timed_out = matches!(self.state, State::Calling | State::Proceeding);
            self.state = State::Terminated;
            return if timed_out { Due::TimedOut } else { Due::Over };
        }
        let copy = self.copy.as_mut().is_some_and(|copy| copy.take_due(now));
        if copy { Due::Resend } else { Due::Nothing }
    }

    /// The ACK of a 2xx is being sent: retransmitted 2xx responses are acknowledged for another 32 seconds.
    pub fn hold(&mut self, now: Time) {
        if self.state == State::Accepted {
            self.end = Some(now + PATIENCE);
        }
    }

    /// The transaction user is gone: an INVITE without a final response is kept 32 seconds more, not for
    /// ever.
    pub fn abandon(&mut self, now: Time) {
        if self.state == State::Proceeding {
            self.end = Some(now + PATIENCE);
        }
    }

    pub fn next_wake(&self) -> Option<Time> {
        earlier(self.copy, self.end)
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
