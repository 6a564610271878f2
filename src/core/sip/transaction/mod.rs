//! The four transaction state machines (RFC 3261 section 17 with RFC 6026): retransmission and Timers A to
//! M as states and deadlines. They know codes, methods and `Time`; bytes, keys and owners belong to
//! `user_agent`.

mod client;
mod client_invite;
mod server;
mod server_invite;

pub use client::Client;
pub use client_invite::ClientInvite;
pub use server::Server;
pub use server_invite::ServerInvite;

use crate::time::{Duration, Time};

/// Round-trip estimate (RFC 3261 section 17.1.1.1).
pub const T1: Duration = Duration::from_millis(500);
/// Longest interval between retransmissions of a non-INVITE request or of a final response to INVITE.
pub const T2: Duration = Duration::from_millis(4_000);
/// Longest time a message stays in the network.
pub const T4: Duration = Duration::from_millis(5_000);
/// 64 x T1, 32 s: Timers B, F, H, J, L and M, and every other wait for a reply.
pub const TRANSACTION_TIMEOUT: Duration = Duration::from_millis(32_000);

/// What a client transaction does with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseAction {
    /// Pass it to the transaction user.
    Pass,
    /// Pass it to the transaction user and send the ACK of a non-2xx final response to INVITE.
    PassAndAcknowledge,
    /// A retransmitted non-2xx final response: send the same ACK again.
    Acknowledge,
    /// A retransmission to ignore.
    Absorb,
}

/// What a server transaction does with a retransmitted request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepeatAction {
    /// Retransmit the last response.
    Resend,
    Absorb,
}

/// The action due when a transaction's deadline passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Not yet.
    Nothing,
    /// Retransmit the last message.
    Resend,
    /// No reply in time (Timer B, F or H): report it; the transaction is over.
    TimedOut,
    /// The transaction is over; nothing to report.
    Over,
    /// Server INVITE: no response for 200 ms, so send 100.
    Trying,
}

/// Retransmission schedule over an unreliable transport: after T1, then doubling up to a cap.
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

    /// Starts at the cap (Timer E in Proceeding).
    pub fn slow(now: Time, cap: Duration) -> Self {
        Backoff { at: now + cap, interval: cap, cap }
    }

    /// Whether a retransmission is due; if so the next one is scheduled.
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
