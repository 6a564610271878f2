//! The non-INVITE client transaction (RFC 3261 section 17.1.2): retransmission by Timer E, time-out by
//! Timer F.

use super::{Backoff, Due, ResponseAction, T2, T4, TRANSACTION_TIMEOUT, earlier};
use crate::time::{Duration, Time};

/// ```text
///     request sent; E repeats it (T1, doubling up to T2), F ends it
///            │
///       ┌────▼───┐ 1xx: pass  ┌────────────┐
///       │Trying  ├───────────▶│Proceeding  │ E every T2     F in either: timed out
///       └────┬───┘            └─────┬──────┘
///            └──── 200-699: pass ───┤
///                             ┌─────▼──────┐
///                             │Completed   │ K: T4 unreliable, 0 reliable ──▶ Terminated
///                             └────────────┘
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    state: State,
    reliable: bool,
    /// Timer E: retransmission.
    retransmit: Option<Backoff>,
    /// Timer F (time-out), then K.
    end: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

impl Client {
    /// Starts when the request is sent.
    pub fn new(now: Time, reliable: bool) -> Self {
        let retransmit = (!reliable).then(|| Backoff::new(now, T2));
        Client { state: State::Trying, reliable, retransmit, end: now + TRANSACTION_TIMEOUT }
    }

    pub fn handle_response(&mut self, now: Time, code: u16) -> ResponseAction {
        match (self.state, code) {
            (State::Trying, 100..=199) => {
                self.state = State::Proceeding;
                self.retransmit = self.retransmit.map(|_| Backoff::slow(now, T2));
                ResponseAction::Pass
            }
            (State::Proceeding, 100..=199) => ResponseAction::Pass,
            (State::Trying | State::Proceeding, 200..) => {
                self.state = State::Completed;
                self.retransmit = None;
                self.end = now + if self.reliable { Duration::ZERO } else { T4 };
                ResponseAction::Pass
            }
            _ => ResponseAction::Absorb,
        }
    }

    pub fn handle_timeout(&mut self, now: Time) -> Due {
        if self.end <= now {
            let timed_out = matches!(self.state, State::Trying | State::Proceeding);
            self.state = State::Terminated;
            return if timed_out { Due::TimedOut } else { Due::Over };
        }
        let retransmit = self.retransmit.as_mut().is_some_and(|retransmit| retransmit.take_due(now));
        if retransmit { Due::Resend } else { Due::Nothing }
    }

    pub fn next_wake(&self) -> Option<Time> {
        earlier(self.retransmit, Some(self.end))
    }

    /// Whether a final response was received.
    pub fn is_final(&self) -> bool {
        !matches!(self.state, State::Trying | State::Proceeding)
    }
}
