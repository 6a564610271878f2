//! The carrier's limits for one customer in virtual time: concurrent calls and calls per second.

use super::people::Limits;
use governor::clock::FakeRelativeClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use paceline_core::time::Time;
use std::num::NonZeroU32;

type Rate = RateLimiter<NotKeyed, InMemoryState, FakeRelativeClock, NoOpMiddleware<governor::nanos::Nanos>>;

/// Counts concurrent calls and limits their rate.
pub struct CallLimits {
    calls_max: u32,
    calls: u32,
    rate: Option<Rate>,
    clock: FakeRelativeClock,
    last: Time,
}

impl std::fmt::Debug for CallLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallLimits").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl CallLimits {
    pub fn new(limits: &Limits) -> Self {
        let clock = FakeRelativeClock::default();
        let rate = NonZeroU32::new(limits.calls_per_sec)
            .map(|rate| RateLimiter::direct_with_clock(Quota::per_second(rate), clock.clone()));
        CallLimits { calls_max: limits.calls_max, calls: 0, rate, clock, last: Time::ZERO }
    }

    /// Whether one more call is admitted; it counts until `release`.
    pub fn admit(&mut self, now: Time) -> bool {
        self.clock.advance(now.since(self.last));
        self.last = self.last.max(now);
        if self.calls_max != 0 && self.calls >= self.calls_max {
            return false;
        }
        if self.rate.as_ref().is_some_and(|rate| rate.check().is_err()) {
            return false;
        }
        self.calls += 1;
        true
    }

    pub fn release(&mut self) {
        self.calls = self.calls.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_calls_at_once_than_agreed() {
        let mut limits = CallLimits::new(&Limits { calls_max: 2, calls_per_sec: 0 });
        let admitted: Vec<bool> = (0..3).map(|_| limits.admit(Time::ZERO)).collect();
        assert_eq!(admitted, [true, true, false]);
        limits.release();
        assert!(limits.admit(Time::ZERO));
    }

    #[test]
    fn no_more_starts_per_second_than_agreed() {
        let mut limits = CallLimits::new(&Limits { calls_max: 0, calls_per_sec: 10 });
        let admitted = (0..10_000).filter(|ms| limits.admit(Time::from_millis(*ms))).count();
        // Ten a second for ten seconds, and one second's worth at once at the start.
        assert!((100..=110).contains(&admitted), "{admitted}");
    }

    #[test]
    fn zero_is_no_limit() {
        let mut limits = CallLimits::new(&Limits::default());
        assert!((0..10_000).all(|_| limits.admit(Time::ZERO)));
    }
}
