//! Calls-per-second limit by the generic cell rate algorithm (ITU-T I.371) with a bound over each second: starts
//! are spaced evenly, and no second holds more than the rate, rounded up. The only limiter of the dial path.
//!
//! Two rules together hold the set rate from below and from above:
//!
//! 1. The theoretical arrival time advances by exactly one interval for each start. A start that comes late (a
//!    timer of whole milliseconds, a busy processor) does not move it, so missed starts are made up. A line that
//!    had no call for longer than `LATE_MAX` was idle: it earns nothing.
//! 2. The starts of the last second are remembered. A start that would be one too many for the second before it
//!    waits, however much is to be made up.

use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

const NANOS_PER_MILLI: u64 = 1_000_000;

/// The span over which no more starts happen than the rate.
const SECOND: Duration = Duration::from_secs(1);

/// A start that is late by more than this follows an idle time, and nothing is made up.
const LATE_MAX: Duration = Duration::from_millis(200);

/// Above this rate the starts of the last second are not remembered: no carrier sells it, and memory is bounded.
const REMEMBERED_MAX: u32 = 20_000;

/// One limit. The arrival time is kept in nanoseconds, so that a rate of 3 per second does not drift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    interval_nanos: u64,
    /// Starts allowed in one second; `None` = no bound.
    second_max: Option<u32>,
    /// The theoretical arrival time: the next start may not be earlier. `None` = nothing started yet.
    next_nanos: Option<u64>,
    /// The starts of the last second, oldest first.
    recent: VecDeque<Time>,
}

impl Rate {
    /// `per_sec` of zero or less (or not a number) = no limit.
    pub fn per_sec(per_sec: f64) -> Self {
        let mut rate =
            Rate { interval_nanos: 0, second_max: None, next_nanos: None, recent: VecDeque::new() };
        rate.set_per_sec(per_sec);
        rate
    }

    /// A limit that spaces starts and does not bound the second: another limit behind it does.
    pub fn spaced(per_sec: f64) -> Self {
        let mut rate = Rate::per_sec(per_sec);
        rate.set_spacing(per_sec);
        rate
    }

    /// The first moment, not before `now`, at which a start conforms.
    pub fn next_start(&self, now: Time) -> Time {
        let spaced = self.next_nanos.unwrap_or_default().div_ceil(NANOS_PER_MILLI);
        now.max(Time::from_millis(spaced)).max(self.second_frees())
    }

    /// When a start leaves the second that has no room for another.
    fn second_frees(&self) -> Time {
        let Some(most) = self.second_max else { return Time::ZERO };
        let blocking = self.recent.len().checked_sub(most as usize).and_then(|place| self.recent.get(place));
        blocking.map_or(Time::ZERO, |start| *start + SECOND)
    }

    /// Reserves the next start and returns its time.
    pub fn reserve(&mut self, now: Time) -> Time {
        let start = self.next_start(now);
        if self.interval_nanos == 0 {
            return start;
        }
        let start_nanos = start.as_millis() * NANOS_PER_MILLI;
        let in_time = |due: &u64| start_nanos.saturating_sub(*due) <= LATE_MAX.as_nanos() as u64;
        let due = self.next_nanos.filter(in_time).unwrap_or(start_nanos);
        self.next_nanos = Some(due + self.interval_nanos);
        if self.second_max.is_some() {
            while self.recent.front().is_some_and(|earlier| *earlier + SECOND <= start) {
                self.recent.pop_front();
            }
            self.recent.push_back(start);
        }
        start
    }

    /// Changes the limit; starts that were reserved keep their times.
    pub fn set_per_sec(&mut self, per_sec: f64) {
        let limited = per_sec > 0.0;
        self.interval_nanos = if limited { (1e9 / per_sec).min(86_400e9) as u64 } else { 0 };
        let remembered = limited && per_sec <= f64::from(REMEMBERED_MAX);
        self.second_max = remembered.then(|| per_sec.ceil().max(1.0) as u32);
        if self.second_max.is_none() {
            self.recent.clear();
        }
    }

    /// A start that was put off by a slower limit waits no longer than the present one asks for.
    pub fn forget_slower_limit(&mut self, now: Time) {
        let soonest = now.as_millis() * NANOS_PER_MILLI + self.interval_nanos;
        self.next_nanos = self.next_nanos.map(|next| next.min(soonest));
    }

    /// Changes the limit of a rate made by `spaced`.
    pub fn set_spacing(&mut self, per_sec: f64) {
        self.set_per_sec(per_sec);
        self.second_max = None;
        self.recent.clear();
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
    fn a_faster_limit_does_not_wait_for_the_slower_one() {
        let mut rate = Rate::per_sec(0.01);
        rate.reserve(Time::ZERO);
        let now = Time::from_millis(1_000);
        assert_eq!(rate.next_start(now), Time::from_millis(100_000));
        rate.set_per_sec(10.0);
        rate.forget_slower_limit(now);
        assert_eq!(rate.next_start(now), Time::from_millis(1_100));
        rate.set_per_sec(0.01);
        rate.forget_slower_limit(now);
        assert_eq!(rate.next_start(now), Time::from_millis(1_100), "what was reserved keeps its time");
    }

    #[test]
    fn zero_means_no_limit() {
        let mut rate = Rate::per_sec(0.0);
        assert_eq!(rate.reserve(Time::ZERO), Time::ZERO);
        assert_eq!(rate.reserve(Time::ZERO), Time::ZERO);
    }

    /// Late by up to `late_max`, as timers on a busy machine are; all starts that are due leave together.
    fn starts_with_late_wakes(per_sec: f64, late_max: u64, seed: u64) -> Vec<u64> {
        use rand::{RngExt, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut rate = Rate::per_sec(per_sec);
        let (mut starts, mut now) = (Vec::new(), Time::from_millis(random.random_range(0..5_000)));
        let end = now + Duration::from_secs(10);
        while now < end {
            while rate.next_start(now) <= now && now < end {
                starts.push(rate.reserve(now).as_millis());
            }
            now = rate.next_start(now) + Duration::from_millis(random.random_range(0..=late_max));
        }
        starts
    }

    #[test]
    fn the_set_rate_is_held_over_ten_seconds_and_in_each_second() {
        for seed in 0..40 {
            for per_sec in [0.1, 0.7, 1.0, 2.5, 7.0, 20.0, 33.3, 150.0, 300.0, 600.0, 800.0, 1_234.5, 2_000.0]
            {
                let starts = starts_with_late_wakes(per_sec, seed % 12, seed);
                let said = format!("seed {seed}, {per_sec}/s");
                assert!(most_in_a_second(&starts) as f64 <= per_sec.ceil(), "{said}");
                let wanted = 10.0 * per_sec;
                let least = (wanted * 0.99).floor().min(wanted - 1.0);
                assert!(starts.len() as f64 >= least, "{said}: {} of {wanted}", starts.len());
                assert!(starts.len() as f64 <= (wanted * 1.01).ceil() + 1.0, "{said}: {}", starts.len());
            }
        }
    }

    fn most_in_a_second(starts: &[u64]) -> usize {
        let (mut first, mut most) = (0, 0);
        for (last, start) in starts.iter().enumerate() {
            while starts[first] + 1_000 <= *start {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }

    #[test]
    fn a_stall_is_made_up_without_a_burst() {
        let mut rate = Rate::per_sec(100.0);
        let mut starts: Vec<u64> = (0..50).map(|_| rate.reserve(Time::ZERO).as_millis()).collect();
        let mut now = Time::from_millis(640);
        while now < Time::from_millis(2_000) {
            now = rate.next_start(now);
            starts.push(rate.reserve(now).as_millis());
        }
        assert!(most_in_a_second(&starts) <= 100, "{starts:?}");
        assert!(starts.len() >= 199, "{}", starts.len());
    }
}
