//! The INVITE server transaction (RFC 3261 section 17.2.1 with the Accepted state of RFC 6026): retransmits
//! a refusal by Timer G until its ACK or Timer H.

use super::{Backoff, Due, RepeatAction, T2, T4, TRANSACTION_TIMEOUT, earlier};
use crate::time::{Duration, Time};

/// A 100 is sent automatically after this long without a response (RFC 3261 section 17.2.1).
const TRYING_AFTER: Duration = Duration::from_millis(200);

/// ```text
///                 INVITE; 100 after 200 ms of silence
///                    │
///              ┌─────▼──────┐  1xx: send. INVITE again: the last 1xx again
///              │Proceeding  │
///              └──┬──────┬──┘
///       2xx: send │      │ 300-699: send
///        ┌────────▼─┐  ┌─▼─────────┐  G repeats it (T1 up to T2), INVITE again: again
///        │Accepted  │  │Completed  ├── H: no ACK came: timed out ─────────┐
///        └────┬─────┘  └─┬─────────┘                                      │
///  L: 32 s    │          │ ACK                                            │
///  ACK: pass  │        ┌─▼─────────┐ I: T4 unreliable, 0 reliable         │
///             │        │Confirmed  │                                      │
///             │        └─┬─────────┘                                      │
///             └──────────┴──────────────▶ Terminated ◀────────────────────┘
/// ```
/// Retransmitting a 2xx is the call's task (RFC 3261 section 13.3.1.4): an INVITE retransmitted in Accepted
/// is absorbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInvite {
    state: State,
    reliable: bool,
    /// Timer G: retransmission.
    retransmit: Option<Backoff>,
    /// Deadline of the automatic 100, then Timer H, I or L.
    end: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Silent,
    Proceeding,
    Accepted,
    Completed,
    Confirmed,
    Terminated,
}

impl ServerInvite {
    /// Starts when the INVITE is received.
    pub fn new(now: Time, reliable: bool) -> Self {
        ServerInvite { state: State::Silent, reliable, retransmit: None, end: Some(now + TRYING_AFTER) }
    }

    /// Handles a retransmitted INVITE.
    pub fn handle_repeat(&mut self) -> RepeatAction {
        match self.state {
            State::Proceeding | State::Completed => RepeatAction::Resend,
            State::Silent | State::Accepted | State::Confirmed | State::Terminated => RepeatAction::Absorb,
        }
    }

    /// Records our response. `false` = a final response was sent before: send nothing.
    pub fn respond(&mut self, now: Time, code: u16) -> bool {
        if !matches!(self.state, State::Silent | State::Proceeding) {
            return false;
        }
        match code {
            100..=199 => {
                self.state = State::Proceeding;
                self.end = None;
            }
            200..=299 => {
                self.state = State::Accepted;
                self.end = Some(now + TRANSACTION_TIMEOUT);
            }
            _ => {
                self.state = State::Completed;
                self.retransmit = (!self.reliable).then(|| Backoff::new(now, T2));
                self.end = Some(now + TRANSACTION_TIMEOUT);
            }
        }
        true
    }

    /// Handles an ACK. `true` = pass it to the call: the ACK of a 2xx has no transaction of its own.
    pub fn handle_ack(&mut self, now: Time) -> bool {
        if self.state == State::Completed {
            self.state = State::Confirmed;
            self.retransmit = None;
            self.end = Some(now + if self.reliable { Duration::ZERO } else { T4 });
        }
        self.state == State::Accepted
    }

    pub fn handle_timeout(&mut self, now: Time) -> Due {
        if self.end.is_some_and(|end| end <= now) {
            let before = self.state;
            if before == State::Silent {
                self.end = None;
                return Due::Trying;
            }
            self.state = State::Terminated;
            return if before == State::Completed { Due::TimedOut } else { Due::Over };
        }
        let retransmit = self.retransmit.as_mut().is_some_and(|retransmit| retransmit.take_due(now));
        if retransmit { Due::Resend } else { Due::Nothing }
    }

    pub fn next_wake(&self) -> Option<Time> {
        earlier(self.retransmit, self.end)
    }

    /// Whether a final response has been sent.
    pub fn is_final(&self) -> bool {
        !matches!(self.state, State::Silent | State::Proceeding)
    }
}
