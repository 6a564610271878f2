//! The non-INVITE server transaction (RFC 3261 section 17.2.2).

use super::{Due, RepeatAction, TRANSACTION_TIMEOUT};
use crate::time::{Duration, Time};

/// ```text
///     request
///        │
///   ┌────▼───┐ 1xx: send ┌────────────┐
///   │Trying  ├──────────▶│Proceeding  │ request again: the last 1xx again
///   └────┬───┘           └─────┬──────┘
///        └─── 200-699: send ───┤
///                        ┌─────▼──────┐ request again: the final response again
///                        │Completed   │ J: 32 s unreliable, 0 reliable ──▶ Terminated
///                        └────────────┘
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    state: State,
    reliable: bool,
    /// Timer J; before a final response, the deadline for our own user to respond.
    end: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
}

impl Server {
    /// Starts when the request is received.
    pub fn new(now: Time, reliable: bool) -> Self {
        Server { state: State::Trying, reliable, end: now + TRANSACTION_TIMEOUT }
    }

    pub fn handle_repeat(&mut self) -> RepeatAction {
        match self.state {
            State::Trying => RepeatAction::Absorb,
            State::Proceeding | State::Completed => RepeatAction::Resend,
        }
    }

    /// Records our response. `false` = a final response was sent before: send nothing.
    pub fn respond(&mut self, now: Time, code: u16) -> bool {
        if self.state == State::Completed {
            return false;
        }
        if code < 200 {
            self.state = State::Proceeding;
        } else {
            self.state = State::Completed;
            self.end = now + if self.reliable { Duration::ZERO } else { TRANSACTION_TIMEOUT };
        }
        true
    }

    pub fn handle_timeout(&mut self, now: Time) -> Due {
        if self.end <= now { Due::Over } else { Due::Nothing }
    }

    pub fn next_wake(&self) -> Option<Time> {
        Some(self.end)
    }
}
