//! Moments and spans. `Time` counts milliseconds since the process started and never jumps; `Utc` is the
//! wall clock in milliseconds since 1970 and may jump. No clock is read here.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};
pub use std::time::Duration;

/// A moment on the monotonic clock: milliseconds since the engine started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time(u64);

impl Time {
    pub const ZERO: Time = Time(0);

    pub const fn from_millis(millis: u64) -> Self {
        Time(millis)
    }

    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The span since `earlier`, zero if `earlier` is later.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, span: Duration) -> Time {
        Time(self.0.saturating_add(span.as_millis() as u64))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Sub<Time> for Time {
    type Output = Duration;

    fn sub(self, earlier: Time) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0 / 1000, self.0 % 1000)
    }
}

/// A moment on the wall clock: milliseconds since 1970-01-01T00:00:00Z. Stored and shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Utc(i64);

impl Utc {
    pub const fn from_millis(millis: i64) -> Self {
        Utc(millis)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The span since `earlier`, zero if `earlier` is later.
    pub fn since(self, earlier: Utc) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0) as u64)
    }
}

impl Add<Duration> for Utc {
    type Output = Utc;

    fn add(self, span: Duration) -> Utc {
        Utc(self.0.saturating_add(span.as_millis() as i64))
    }
}

impl Sub<Duration> for Utc {
    type Output = Utc;

    fn sub(self, span: Duration) -> Utc {
        Utc(self.0.saturating_sub(span.as_millis() as i64))
    }
}

/// Maps `Time` to `Utc`: the only place where the two clocks meet. Replaced when the wall clock is set; a
/// `Time` never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallClock {
    at: Time,
    utc: Utc,
}

impl WallClock {
    pub fn new(at: Time, utc: Utc) -> Self {
        WallClock { at, utc }
    }

    pub fn utc(&self, time: Time) -> Utc {
        let offset = time.as_millis() as i64 - self.at.as_millis() as i64;
        Utc(self.utc.0 + offset)
    }

    /// The `Time` at which the wall clock shows `utc`, not before `Time::ZERO`.
    pub fn time(&self, utc: Utc) -> Time {
        let offset = utc.0.saturating_sub(self.utc.0);
        Time((self.at.as_millis() as i64).saturating_add(offset).max(0) as u64)
    }
}
