//! The four transaction machines (RFC 3261 section 17 with RFC 6026) as states and deadlines. They
//! know codes, methods and `Time`; bytes, keys and who is told belong to `user_agent`.

mod client;
mod client_invite;
mod server;
mod server_invite;

pub use client::Client;
pub use client_invite::ClientInvite;
pub use server::Server;
pub use server_invite::ServerInvite;

use crate::time::{Duration, Time};

/// The round-trip estimate.
pub const T1: Duration = Duration::from_millis(500);
/// The longest pause between two copies of a non-INVITE request or of a final response to INVITE.
pub const T2: Duration = Duration::from_millis(4_000);
/// The longest a message stays in the network.
pub const T4: Duration = Duration::from_millis(5_000);
/// 64 x T1: Timers B, F, H, J, L and M, and the patience of everything built on them.
pub const PATIENCE: Duration = Duration::from_millis(32_000);

/// What becomes of a response that a client transaction was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is news for the user of the transaction.
    Pass,
    /// It is news, and an INVITE transaction sends the ACK of a non-2xx final response.
    PassAndAcknowledge,
    /// A repeated non-2xx final response: the same ACK again.
    Acknowledge,
    /// A repetition that nobody needs.
    Absorb,
}

/// What becomes of a request that a server transaction was given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// The last response goes out again.
    Resend,
    Absorb,
}

/// What a deadline asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Not yet.
    Nothing,
    /// Send the last message again.
    Resend,
    /// Nobody answered in time: the user is told, the transaction is over.
    TimedOut,
    /// The transaction is over; nobody needs to know.
    Over,
    /// Server INVITE: nothing was said for 200 ms, so 100 goes out.
    Trying,
}

/// Copies over an unreliable transport: after T1, then ever twice as long, up to a cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub at: Time,
    interval: Duration,
    cap: Duration,
}

impl Backoff {
    pub fn new(now: Time, cap: Duration) -> Self {
        Backoff { at: now + T1, interval: T1, cap }
    }

    /// Straight to the longest pause (Timer E in Proceeding).
    pub fn slow(now: Time, cap: Duration) -> Self {
        Backoff { at: now + cap, interval: cap, cap }
    }

    /// Whether a copy is due; if so the next one is set.
    pub fn take_due(&mut self, now: Time) -> bool {
        if now < self.at {
            return false;
        }
        self.interval = (self.interval * 2).min(self.cap);
        self.at = now + self.interval;
        true
    }
}

fn earlier(copy: Option<Backoff>, end: Option<Time>) -> Option<Time> {
    match (copy.map(|copy| copy.at), end) {
        (Some(copy), Some(end)) => Some(copy.min(end)),
        (copy, end) => copy.or(end),
    }
}

#[cfg(test)]
mod tests;
