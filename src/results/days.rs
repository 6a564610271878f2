//! Local days of a campaign's time zone: the day of a timestamp, and spans split at midnight.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Maps timestamps to local days. Caches the last day found, because timestamps come in order.
#[derive(Clone, Debug)]
pub(super) struct Days {
    zone: TimeZone,
    last: Option<Day>,
}

/// A local day and its bounds in milliseconds; 23 or 25 hours long when daylight saving time changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub date: Date,
    pub start: i64,
    pub end: i64,
}

impl Days {
    pub(super) fn of(zone: TimeZone) -> Days {
        Days { zone, last: None }
    }

    /// The day of a timestamp; `None` = out of the calendar's range.
    pub(super) fn day(&mut self, millis: i64) -> Option<Day> {
        if let Some(day) = self.last.filter(|day| (day.start..day.end).contains(&millis)) {
            return Some(day);
        }
        let moment = Timestamp::from_millisecond(millis).ok()?.to_zoned(self.zone.clone());
        let start = moment.start_of_day().ok()?;
        let end = start.checked_add(1.day()).ok()?.start_of_day().ok()?;
        let day = Day {
            date: moment.date(),
            start: start.timestamp().as_millisecond(),
            end: end.timestamp().as_millisecond(),
        };
        self.last = Some(day);
        Some(day)
    }

    /// Splits a span at midnight; one part per day, in milliseconds.
    pub(super) fn parts(&mut self, from: i64, to: i64) -> Vec<(Date, i64)> {
        let mut parts = Vec::new();
        let mut at = from;
        while at < to {
            let Some(day) = self.day(at).filter(|day| day.end > at) else { break };
            let until = day.end.min(to);
            parts.push((day.date, until - at));
            at = until;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn days(zone: &str) -> Days {
        Days::of(TimeZone::get(zone).expect("a zone"))
    }

    #[test]
    fn a_span_is_split_at_local_midnight() {
        // 2026-03-02 23:00 to 2026-03-04 01:00 in Shanghai.
        let from = 1_772_463_600_000;
        let hour = 3_600_000;
        let parts = days("Asia/Shanghai").parts(from, from + 26 * hour);
        let expected = [(date(2026, 3, 2), hour), (date(2026, 3, 3), 24 * hour), (date(2026, 3, 4), hour)];
        assert_eq!(parts, expected);
        assert!(days("Asia/Shanghai").parts(from, from).is_empty());
    }

    #[test]
    fn a_day_with_a_clock_change_has_23_hours() {
        // 2026-03-29 in Berlin has 23 hours.
        let noon = 1_774_778_400_000;
        let day = days("Europe/Berlin").day(noon).expect("a day");
        assert_eq!((day.date, day.end - day.start), (date(2026, 3, 29), 23 * 3_600_000));
    }
}
