//! Calls-per-second limit by the generic cell rate algorithm (ITU-T I.371): starts are spaced evenly, so no
//! second holds more than the rate, rounded up. The only limiter of the dial path.

use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};

const NANOS_PER_MILLI: u64 = 1_000_000;

/// One limit. Times are kept in nanoseconds, so that a rate of 3 per second does not drift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    interval_nanos: u64,
    /// The theoretical arrival time: the next start may not be earlier.
    next_nanos: u64,
}

impl Rate {
    /// `per_sec` of zero or less (or not a number) = no limit.
    pub fn per_sec(per_sec: f64) -> Self {
        let interval_nanos = if per_sec > 0.0 { (1e9 / per_sec).min(86_400e9) as u64 } else { 0 };
        Rate { interval_nanos, next_nanos: 0 }
    }

    /// The first moment, not before `now`, at which a start conforms.
    pub fn next_start(&self, now: Time) -> Time {
        let now_nanos = now.as_millis() * NANOS_PER_MILLI;
        if self.next_nanos <= now_nanos {
            now
        } else {
            Time::from_millis(self.next_nanos.div_ceil(NANOS_PER_MILLI))
        }
    }

    /// Reserves the next start and returns its time.
    pub fn reserve(&mut self, now: Time) -> Time {
        let start = self.next_start(now);
        let from = self.next_nanos.max(now.as_millis() * NANOS_PER_MILLI);
        self.next_nanos = from + self.interval_nanos;
        start
    }

    /// Changes the limit; starts that were reserved keep their times.
    pub fn set_per_sec(&mut self, per_sec: f64) {
        self.interval_nanos = Rate::per_sec(per_sec).interval_nanos;
    }

    /// The span between two starts.
    pub fn interval(&self) -> Duration {
        Duration::from_nanos(self.interval_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_any_second_no_more_starts_than_the_rate() {
        for per_sec in [0.5, 1.0, 3.0, 20.0, 33.0, 200.0] {
            let mut rate = Rate::per_sec(per_sec);
            let mut starts = Vec::new();
            let mut now = Time::ZERO;
            while now < Time::from_millis(10_000) {
                let start = rate.reserve(now);
                starts.push(start.as_millis());
                now = start;
            }
            let most = starts
                .iter()
                .map(|first| starts.iter().filter(|s| **s >= *first && **s < first + 1000).count())
                .max()
                .expect("some starts");
            assert!(most as f64 <= per_sec.ceil() + 1e-9, "{most} starts in a second at {per_sec}/s");
            let expected = (10.0 * per_sec) as usize;
            assert!(
                starts.len() >= expected && starts.len() <= expected + 2,
                "{} of {expected}",
                starts.len()
            );
        }
    }

    #[test]
    fn an_idle_time_earns_no_burst() {
        let mut rate = Rate::per_sec(10.0);
        rate.reserve(Time::ZERO);
        let later = Time::from_millis(60_000);
        assert_eq!(rate.reserve(later), later);
        assert_eq!(rate.reserve(later), later + Duration::from_millis(100));
    }

    #[test]
    fn zero_means_no_limit() {
        let mut rate = Rate::per_sec(0.0);
        assert_eq!(rate.reserve(Time::ZERO), Time::ZERO);
        assert_eq!(rate.reserve(Time::ZERO), Time::ZERO);
    }
}
