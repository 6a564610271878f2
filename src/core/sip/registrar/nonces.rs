//! Nonces a phone has authenticated with, each with its count. The count stops replays; a proven nonce
//! keeps a signed-in phone independent of the guess throttle.

use crate::time::{Duration, Time};
use std::collections::BTreeMap;

/// Lifetime of a proven nonce.
const PROVEN_LIFE: Duration = Duration::from_secs(12 * 3_600);
/// Proven nonces kept per account; more than ten contacts use.
const NONCES_MAX: usize = 32;
/// Wrong answers to a proven nonce before it is revoked.
const FAILURES_MAX: u8 = 3;

#[derive(Debug)]
struct Proven {
    since: Time,
    /// Highest nonce count used.
    count: u32,
    failures: u8,
}

/// Nonces begin with their creation time, so map order is age order.
#[derive(Debug, Default)]
pub struct ProvenNonces {
    proven: BTreeMap<String, Proven>,
    /// Nonces up to this one were evicted and are not accepted again.
    floor: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Never authenticated with.
    New,
    /// Authenticated with before, and this count is unused.
    Live,
    /// Not usable: count already used, or expired.
    Spent,
}

impl ProvenNonces {
    pub fn standing(&self, now: Time, nonce: &str, count: u32) -> Standing {
        match self.proven.get(nonce) {
            Some(known) if count <= known.count || now.since(known.since) > PROVEN_LIFE => Standing::Spent,
            Some(_) => Standing::Live,
            None if nonce <= self.floor.as_str() => Standing::Spent,
            None => Standing::New,
        }
    }

    pub fn record_success(&mut self, now: Time, nonce: &str, count: u32) {
        let known = self.proven.entry(nonce.into()).or_insert(Proven { since: now, count, failures: 0 });
        known.count = count;
        known.failures = 0;
        if self.proven.len() > NONCES_MAX
            && let Some((oldest, _)) = self.proven.pop_first()
        {
            self.floor = oldest;
        }
    }

    /// Counts a wrong answer to a proven nonce.
    pub fn record_failure(&mut self, nonce: &str) {
        if let Some(known) = self.proven.get_mut(nonce) {
            known.failures += 1;
            if known.failures >= FAILURES_MAX {
                known.count = u32::MAX;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_count_is_accepted_once() {
        let mut nonces = ProvenNonces::default();
        assert_eq!(nonces.standing(Time::ZERO, "a", 1), Standing::New);
        nonces.record_success(Time::ZERO, "a", 1);
        assert_eq!(nonces.standing(Time::ZERO, "a", 1), Standing::Spent);
        assert_eq!(nonces.standing(Time::ZERO, "a", 3), Standing::Live);
        nonces.record_success(Time::ZERO, "a", 3);
        assert_eq!(nonces.standing(Time::ZERO, "a", 2), Standing::Spent);
        let tomorrow = Time::from_millis(24 * 3_600_000);
        assert_eq!(nonces.standing(tomorrow, "a", 4), Standing::Spent);
    }

    #[test]
    fn an_evicted_nonce_is_not_accepted_again() {
        let mut nonces = ProvenNonces::default();
        for n in 100..200 {
            nonces.record_success(Time::ZERO, &n.to_string(), 1);
        }
        assert_eq!(nonces.proven.len(), NONCES_MAX);
        for n in 100..200 {
            assert_eq!(nonces.standing(Time::ZERO, &n.to_string(), 1), Standing::Spent, "{n}");
        }
        assert_eq!(nonces.standing(Time::ZERO, "300", 1), Standing::New);
    }

    #[test]
    fn wrong_answers_revoke_a_proven_nonce() {
        let mut nonces = ProvenNonces::default();
        nonces.record_success(Time::ZERO, "a", 1);
        for count in 2..5 {
            assert_eq!(nonces.standing(Time::ZERO, "a", count), Standing::Live);
            nonces.record_failure("a");
        }
        assert_eq!(nonces.standing(Time::ZERO, "a", 5), Standing::Spent);
    }
}
