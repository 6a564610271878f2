//! Calling hours in the campaign's time zone. The zone travels by name, and its rules come from the bundled
//! database, so daylight saving and midnight are handled here alone.

use crate::time::{Duration, Utc};
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// One line of `windows`: these days, from this minute of the day to that one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayWindow {
    /// Monday first.
    pub days: [bool; 7],
    /// Minutes since local midnight, 0 to 1439.
    pub from_minute: u16,
    /// Minutes since local midnight, 1 to 1440 (`24:00`). If not after `from_minute`, the window
    /// ends on the following day (a window over midnight belongs to the day it starts on).
    pub to_minute: u16,
}

/// All windows of a campaign. Empty = at any time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallingWindows {
    /// IANA name, for example `Asia/Shanghai`.
    pub timezone: String,
    pub windows: Vec<DayWindow>,
}

/// Whether calling hours are open at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WindowState {
    /// Open until then (exclusive). [`FOREVER`] = always open.
    OpenUntil(Utc),
    /// Closed until then. `None` = never opens again.
    ClosedUntil(Option<Utc>),
}

/// The latest moment.
pub const FOREVER: Utc = Utc::from_millis(i64::MAX);

impl CallingWindows {
    /// Whether the bundled database knows the zone.
    pub fn timezone_known(name: &str) -> bool {
        TimeZoneDatabase::bundled().get(name).is_ok()
    }

    /// Whether `at` lies inside the calling hours, and until when that stays so.
    pub fn state(&self, at: Utc) -> WindowState {
        if self.windows.is_empty() {
            return WindowState::OpenUntil(FOREVER);
        }
        let spans = self.spans_around(at);
        if let Some(mut until) = spans.iter().filter(|s| s.0 <= at && at < s.1).map(|s| s.1).max() {
            // Windows that touch or overlap are one.
            while let Some(later) = spans.iter().filter(|s| s.0 <= until && until < s.1).map(|s| s.1).max() {
                until = later;
            }
            return WindowState::OpenUntil(until);
        }
        WindowState::ClosedUntil(spans.iter().map(|s| s.0).filter(|start| *start > at).min())
    }

    /// The local day that `at` lies in: its first moment and the next day's.
    pub fn local_day(&self, at: Utc) -> (Utc, Utc) {
        let zone = self.zone();
        let date = local_date(&zone, at);
        let next = date.saturating_add(Span::new().days(1));
        (moment(&zone, date, 0), moment(&zone, next, 0))
    }

    /// Every window that starts from the day before `at` to nine days after: enough for a weekly pattern.
    fn spans_around(&self, at: Utc) -> Vec<(Utc, Utc)> {
        let zone = self.zone();
        let today = local_date(&zone, at);
        let mut spans = Vec::new();
        for offset in -1..=9i64 {
            let date = today.saturating_add(Span::new().days(offset));
            let weekday = date.weekday().to_monday_zero_offset() as usize;
            for window in self.windows.iter().filter(|w| w.days[weekday]) {
                let from = moment(&zone, date, window.from_minute);
                let to = if window.to_minute > window.from_minute {
                    moment(&zone, date, window.to_minute)
                } else {
                    moment(&zone, date.saturating_add(Span::new().days(1)), window.to_minute)
                };
                if from < to {
                    spans.push((from, to));
                }
            }
        }
        spans
    }

    /// The time zone; configuration has refused unknown ones, so the fallback to UTC is never taken.
    fn zone(&self) -> TimeZone {
        TimeZoneDatabase::bundled().get(&self.timezone).unwrap_or(TimeZone::UTC)
    }
}

fn local_date(zone: &TimeZone, at: Utc) -> Date {
    let timestamp = Timestamp::from_millisecond(at.as_millis()).unwrap_or(Timestamp::MAX);
    zone.to_datetime(timestamp).date()
}

/// The moment of a minute of a local day. A minute that daylight saving skips is the moment after the gap;
/// one that comes twice is the first, so an evening limit is never stretched.
fn moment(zone: &TimeZone, date: Date, minute: u16) -> Utc {
    let (date, minute) = if minute >= 1440 {
        (date.saturating_add(Span::new().days(1)), minute - 1440)
    } else {
        (date, minute)
    };
    let civil = date.at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
    match zone.to_ambiguous_timestamp(civil).compatible() {
        Ok(timestamp) => Utc::from_millis(timestamp.as_millisecond()),
        Err(_) => FOREVER,
    }
}

/// Narrows the windows by a campaign's start and end.
pub fn within(state: WindowState, at: Utc, start: Option<Utc>, end: Option<Utc>) -> WindowState {
    if end.is_some_and(|end| at >= end) {
        return WindowState::ClosedUntil(None);
    }
    if let Some(start) = start.filter(|start| at < *start) {
        return WindowState::ClosedUntil(Some(match state {
            WindowState::ClosedUntil(Some(opens)) => opens.max(start),
            WindowState::OpenUntil(_) | WindowState::ClosedUntil(None) => start,
        }));
    }
    match (state, end) {
        (WindowState::OpenUntil(until), Some(end)) => WindowState::OpenUntil(until.min(end)),
        (WindowState::ClosedUntil(Some(opens)), Some(end)) if opens >= end => WindowState::ClosedUntil(None),
        (state, _) => state,
    }
}

/// How long before the end of the calling hours the last attempt may be opened, so that its INVITE
/// still leaves inside them.
pub const CLOSING_MARGIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Utc {
        Utc::from_millis(text.parse::<Timestamp>().expect("a timestamp").as_millisecond())
    }

    fn daily(timezone: &str, from: u16, to: u16) -> CallingWindows {
        CallingWindows {
            timezone: timezone.into(),
            windows: vec![DayWindow { days: [true; 7], from_minute: from, to_minute: to }],
        }
    }

    fn check(windows: &CallingWindows, at: &str, expected: WindowState) {
        assert_eq!(windows.state(utc(at)), expected, "at {at}");
    }

    #[test]
    fn no_windows_means_at_any_time() {
        let windows = CallingWindows { timezone: "Asia/Shanghai".into(), windows: vec![] };
        check(&windows, "2026-11-21T00:00:00Z", WindowState::OpenUntil(FOREVER));
    }

    #[test]
    fn hours_are_those_of_the_zone_of_the_list() {
        let windows = daily("Asia/Shanghai", 8 * 60, 21 * 60);
        check(&windows, "2026-11-20T23:59:59Z", WindowState::ClosedUntil(Some(utc("2026-11-21T00:00:00Z"))));
        check(&windows, "2026-11-21T00:00:00Z", WindowState::OpenUntil(utc("2026-11-21T13:00:00Z")));
        check(&windows, "2026-11-21T12:59:59.999Z", WindowState::OpenUntil(utc("2026-11-21T13:00:00Z")));
        check(&windows, "2026-11-21T13:00:00Z", WindowState::ClosedUntil(Some(utc("2026-11-22T00:00:00Z"))));
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_starts_on() {
        let friday = CallingWindows {
            timezone: "UTC".into(),
            windows: vec![DayWindow {
                days: [false, false, false, false, true, false, false],
                from_minute: 22 * 60,
                to_minute: 2 * 60,
            }],
        };
        check(&friday, "2026-11-21T01:59:59Z", WindowState::OpenUntil(utc("2026-11-21T02:00:00Z")));
        check(&friday, "2026-11-21T02:00:00Z", WindowState::ClosedUntil(Some(utc("2026-11-27T22:00:00Z"))));
        check(&friday, "2026-11-20T01:00:00Z", WindowState::ClosedUntil(Some(utc("2026-11-20T22:00:00Z"))));
    }

    #[test]
    fn a_whole_day_touches_the_next_one() {
        let windows = daily("Asia/Shanghai", 0, 1440);
        let WindowState::OpenUntil(until) = windows.state(utc("2026-11-21T15:59:59Z")) else {
            panic!("closed at midnight")
        };
        assert!(until > utc("2026-11-28T00:00:00Z"), "touching days are one span, not {until:?}");
    }

    #[test]
    fn the_hour_that_spring_skips_opens_after_the_gap() {
        // New York, 8 March 2026: 02:00 EST becomes 03:00 EDT at 07:00Z.
        let windows = daily("America/New_York", 2 * 60 + 30, 5 * 60);
        check(&windows, "2026-03-08T07:29:59Z", WindowState::ClosedUntil(Some(utc("2026-03-08T07:30:00Z"))));
        check(&windows, "2026-03-08T07:30:00Z", WindowState::OpenUntil(utc("2026-03-08T09:00:00Z")));
    }

    #[test]
    fn the_hour_that_autumn_repeats_closes_at_its_first_pass() {
        // New York, 1 November 2026: 01:30 comes at 05:30Z (EDT) and again at 06:30Z (EST).
        let windows = daily("America/New_York", 0, 90);
        check(&windows, "2026-11-01T05:29:59Z", WindowState::OpenUntil(utc("2026-11-01T05:30:00Z")));
        check(&windows, "2026-11-01T06:00:00Z", WindowState::ClosedUntil(Some(utc("2026-11-02T05:00:00Z"))));
    }

    #[test]
    fn start_and_end_narrow_the_hours() {
        let at = utc("2026-11-21T10:00:00Z");
        let open = WindowState::OpenUntil(utc("2026-11-21T13:00:00Z"));
        let end = utc("2026-11-21T11:00:00Z");
        assert_eq!(within(open, at, None, Some(end)), WindowState::OpenUntil(end));
        assert_eq!(within(open, at, Some(end), None), WindowState::ClosedUntil(Some(end)));
        assert_eq!(within(open, end, None, Some(end)), WindowState::ClosedUntil(None));
        let closed = WindowState::ClosedUntil(Some(utc("2026-11-22T00:00:00Z")));
        assert_eq!(within(closed, at, None, Some(end)), WindowState::ClosedUntil(None));
    }

    #[test]
    fn a_local_day_has_its_own_length() {
        let windows = daily("America/New_York", 0, 1440);
        let (start, end) = windows.local_day(utc("2026-03-08T12:00:00Z"));
        assert_eq!(end.since(start), Duration::from_secs(23 * 3600));
        let (start, end) = windows.local_day(utc("2026-11-01T12:00:00Z"));
        assert_eq!(end.since(start), Duration::from_secs(25 * 3600));
    }
}
