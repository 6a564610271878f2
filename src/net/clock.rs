//! The only place that reads the clock.

use paceline_core::time::{Time, Utc};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since its creation. Cheap to copy; copies agree.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    pub fn start() -> Self {
        Clock { start: Instant::now() }
    }

    /// Milliseconds on the monotonic clock.
    pub fn now(&self) -> Time {
        Time::from_millis(self.start.elapsed().as_millis() as u64)
    }

    /// The moment on the monotonic clock that `time` stands for.
    pub fn instant(&self, time: Time) -> Instant {
        self.start + std::time::Duration::from_millis(time.as_millis())
    }

    /// The wall clock. A clock before 1970 reads as 1970.
    pub fn utc() -> Utc {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Utc::from_millis(since.as_millis() as i64)
    }
}
