//! Session timers (RFC 4028): which side refreshes a dialog, when, and when the session has expired.
//! `user_agent::refresh` sends the refresh.

use crate::time::{Duration, Time};

/// The session interval that our INVITE requests, in seconds (RFC 4028 section 4 recommends half an hour).
pub const SESSION_EXPIRES: u32 = 1_800;
/// The shortest session interval we accept, in seconds (RFC 4028 section 5).
pub const MIN_SE: u32 = 90;

/// The action due on a dialog's session timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionDue {
    /// Send UPDATE or re-INVITE.
    Refresh,
    /// The far side did not refresh in time: send BYE (RFC 4028 section 10).
    Expired,
}

/// The timer of one confirmed dialog.
///
/// ```text
///   we refresh:   start ──── half ──▶ Refresh (and again at half of what the answer says)
///   they refresh: start ──── interval - min(32 s, interval / 3) ──▶ Expired
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    pub interval_secs: u32,
    /// Whether we are the refresher.
    pub ours: bool,
    pub at: Time,
}

impl SessionTimer {
    /// Starts the interval over: a 2xx to INVITE or UPDATE was received or sent.
    pub fn start(now: Time, interval_secs: u32, ours: bool) -> Self {
        let interval_secs = interval_secs.max(MIN_SE);
        let secs = if ours { interval_secs / 2 } else { interval_secs - (interval_secs / 3).min(32) };
        SessionTimer { interval_secs, ours, at: now + Duration::from_secs(u64::from(secs)) }
    }

    /// Records that the refresh is being sent. Without a 2xx the session expires at its full interval.
    pub fn refreshing(&mut self, now: Time) {
        let rest = self.interval_secs - self.interval_secs / 2;
        self.at = now + Duration::from_secs(u64::from(rest));
        self.ours = false;
    }

    pub fn due(&self, now: Time) -> Option<SessionDue> {
        if now < self.at {
            return None;
        }
        Some(if self.ours { SessionDue::Refresh } else { SessionDue::Expired })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Time {
        Time::from_millis(secs * 1_000)
    }

    #[test]
    fn the_refresher_refreshes_at_half_of_the_interval() {
        let mut timer = SessionTimer::start(secs(10), 90, true);
        assert_eq!(timer.at, secs(55));
        assert_eq!(timer.due(secs(54)), None);
        assert_eq!(timer.due(secs(55)), Some(SessionDue::Refresh));
        timer.refreshing(secs(55));
        assert_eq!(timer.due(secs(99)), None);
        assert_eq!(timer.due(secs(100)), Some(SessionDue::Expired));
    }

    #[test]
    fn the_other_side_gives_up_a_little_before_the_interval_ends() {
        assert_eq!(SessionTimer::start(secs(0), 1_800, false).at, secs(1_768));
        assert_eq!(SessionTimer::start(secs(0), 90, false).at, secs(60));
        assert_eq!(SessionTimer::start(secs(0), 90, false).due(secs(60)), Some(SessionDue::Expired));
    }

    #[test]
    fn an_interval_below_the_minimum_is_the_minimum() {
        assert_eq!(SessionTimer::start(secs(0), 0, true).at, secs(45));
    }
}
