//! Calling hours as text, and as the clock of another time zone shows them.

use jiff::civil::{Date, date};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use paceline_core::campaign::DayWindow;

/// Two days that show both halves of a year with daylight saving, north and south.
const DAYS: [Date; 2] = [date(2027, 1, 15), date(2027, 7, 15)];

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap_or(TimeZone::UTC)
}

/// Whether the clocks of two zones show the same, in January and in July.
pub fn is_same_clock(one: &str, other: &str) -> bool {
    let offset = |name: &str, day: Date| {
        zone(name)
            .to_ambiguous_timestamp(day.at(12, 0, 0, 0))
            .compatible()
            .map(|at| zone(name).to_offset(at))
            .ok()
    };
    DAYS.iter().all(|day| offset(one, *day) == offset(other, *day))
}

/// `UTC-8`, in January.
pub(super) fn offset_name(name: &str) -> String {
    let at = zone(name).to_ambiguous_timestamp(DAYS[0].at(12, 0, 0, 0)).compatible();
    let secs = at.map_or(0, |at| zone(name).to_offset(at).seconds());
    match secs {
        0 => "UTC".into(),
        secs if secs % 3_600 == 0 => format!("UTC{:+}", secs / 3_600),
        secs => format!("UTC{:+}:{:02}", secs / 3_600, secs.abs() % 3_600 / 60),
    }
}

/// `08:00-21:00`
pub fn shown(window: &DayWindow) -> String {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    format!("{}-{}", clock(window.from_minute), clock(window.to_minute))
}

/// A window of one zone as the clocks of another show it, in January: `16:00-05:00`.
pub fn shown_in(window: &DayWindow, own: &str, other: &str) -> String {
    let clock = |minute: u16| {
        let (day, minute) = match minute {
            1440.. => (DAYS[0].tomorrow().unwrap_or(DAYS[0]), minute - 1440),
            minute => (DAYS[0], minute),
        };
        let civil = day.at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
        let there =
            zone(own).to_ambiguous_timestamp(civil).compatible().map(|at| zone(other).to_datetime(at));
        there.map_or_else(|_| "?".into(), |there| format!("{:02}:{:02}", there.hour(), there.minute()))
    };
    format!("{}-{}", clock(window.from_minute), clock(window.to_minute))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_shown_as_the_clocks_elsewhere_show_them() {
        let window = DayWindow { days: [true; 7], from_minute: 480, to_minute: 1260 };
        assert_eq!(shown(&window), "08:00-21:00");
        assert_eq!(shown_in(&window, "Asia/Shanghai", "America/Los_Angeles"), "16:00-05:00");
        assert_eq!(shown_in(&window, "Asia/Shanghai", "America/New_York"), "19:00-08:00");
        assert!(is_same_clock("Asia/Shanghai", "Asia/Hong_Kong"));
        assert!(!is_same_clock("America/Phoenix", "America/Denver"));
        assert_eq!(offset_name("Etc/GMT+8"), "UTC-8");
        assert_eq!(offset_name("EST"), "UTC-5");
    }
}
