//! Calling hours in the campaign's time zone or in each number's own, and days without calls. Zones travel by name,
//! and their rules come from the bundled database, so daylight saving and midnight are handled here alone.

use crate::number::PhoneNumber;
use crate::number_zone;
use crate::time::{Duration, Utc};
use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
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

/// Days without calls, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Holiday {
    pub first: Date,
    pub last: Date,
}

/// All windows of a campaign. No window = at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallingWindows {
    /// IANA name, for example `Asia/Shanghai`. With `by_number` the zone of dates, days and reports.
    pub timezone: String,
    pub windows: Vec<DayWindow>,
    /// Local days on which nobody is called.
    pub holidays: Vec<Holiday>,
    /// The windows are those of each number's own zones.
    pub by_number: bool,
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

/// Days that are looked through for the next window, beyond the holidays: a weekly pattern repeats within nine.
const DAYS_AHEAD: i64 = 9;
/// Most days that are looked through.
const DAYS_AHEAD_MAX: i64 = 3 * 366;

impl CallingWindows {
    /// The same hours on every day, in minutes since local midnight.
    pub fn daily(timezone: &str, from_minute: u16, to_minute: u16) -> CallingWindows {
        let windows = vec![DayWindow { days: [true; 7], from_minute, to_minute }];
        CallingWindows { timezone: timezone.into(), windows, ..CallingWindows::default() }
    }

    /// Whether the bundled database knows the zone.
    pub fn timezone_known(name: &str) -> bool {
        TimeZoneDatabase::bundled().get(name).is_ok()
    }

    /// Whether `at` lies inside the calling hours, and until when that stays so. With `by_number` a campaign is open
    /// at any time: the hours are asked for each number ([`CallingWindows::state_of`]).
    pub fn state(&self, at: Utc) -> WindowState {
        if self.by_number {
            return WindowState::OpenUntil(FOREVER);
        }
        self.state_in(&zone_named(&self.timezone), at)
    }

    /// Whether this number may be called at `at`: with `by_number` the hours are open in every zone in which its owner
    /// may be. A number whose zones are not known is never called then.
    pub fn state_of(&self, number: PhoneNumber, at: Utc) -> WindowState {
        match self.by_number {
            true => self.state_in_all(number_zone::zones_of_number(number), at),
            false => self.state(at),
        }
    }

    /// Whether the hours are open in all of these zones. No zone = never.
    pub fn state_in_all(&self, zones: &[&str], at: Utc) -> WindowState {
        let zones: Vec<TimeZone> = zones.iter().map(|name| zone_named(name)).collect();
        let mut from = at;
        // Each turn moves to the latest opening; two weeks of turns find an overlap or there is none.
        for _ in 0..32 {
            let states = zones.iter().map(|zone| self.state_in(zone, from));
            let (mut until, mut opens) = (None, None);
            for state in states {
                match state {
                    WindowState::OpenUntil(end) => {
                        until = Some(until.map_or(end, |until: Utc| until.min(end)))
                    }
                    WindowState::ClosedUntil(Some(start)) => opens = opens.max(Some(start)),
                    WindowState::ClosedUntil(None) => return WindowState::ClosedUntil(None),
                }
            }
            match (until, opens) {
                (_, Some(opens)) => from = opens,
                (Some(until), None) if from == at => return WindowState::OpenUntil(until),
                (Some(_), None) => return WindowState::ClosedUntil(Some(from)),
                (None, None) => return WindowState::ClosedUntil(None),
            }
        }
        WindowState::ClosedUntil(None)
    }

    fn state_in(&self, zone: &TimeZone, at: Utc) -> WindowState {
        if self.windows.is_empty() && self.holidays.is_empty() {
            return WindowState::OpenUntil(FOREVER);
        }
        let spans = self.spans_around(zone, at);
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
        let zone = zone_named(&self.timezone);
        let date = local_date(&zone, at);
        (day_start(&zone, date), day_start(&zone, next_day(date)))
    }

    /// The first and last moment of calling within a campaign's start and end, from `now` on. `None` = never; a last
    /// moment of [`FOREVER`] = without end.
    pub fn bounds(&self, now: Utc, start: Option<Utc>, end: Option<Utc>) -> Option<(Utc, Utc)> {
        let first = match within(self.state(now), now, start, end) {
            WindowState::OpenUntil(_) => now,
            WindowState::ClosedUntil(Some(opens)) => match within(self.state(opens), opens, start, end) {
                WindowState::OpenUntil(_) => opens,
                WindowState::ClosedUntil(later) => later?,
            },
            WindowState::ClosedUntil(None) => return None,
        };
        let Some(end) = end else { return Some((first, FOREVER)) };
        if self.by_number || (self.windows.is_empty() && self.holidays.is_empty()) {
            return Some((first, end));
        }
        let zone = zone_named(&self.timezone);
        let last_day = local_date(&zone, end);
        for offset in 0..DAYS_AHEAD_MAX {
            let date = last_day.saturating_sub(Span::new().days(offset));
            let mut spans = Vec::new();
            if !self.is_holiday(date) {
                self.add_spans(&zone, date, &mut spans);
            }
            let last = spans.iter().filter(|(from, _)| *from < end).map(|(_, to)| (*to).min(end)).max();
            if let Some(last) = last {
                return (last > first).then_some((first, last));
            }
        }
        None
    }

    /// The holiday that a moment lies in, in the campaign's own zone.
    pub fn holiday_at(&self, at: Utc) -> Option<Holiday> {
        let date = local_date(&zone_named(&self.timezone), at);
        self.holidays.iter().find(|holiday| holiday.first <= date && date <= holiday.last).copied()
    }

    pub fn is_holiday(&self, date: Date) -> bool {
        self.holidays.iter().any(|holiday| holiday.first <= date && date <= holiday.last)
    }

    /// Every window that starts from the day before `at` to nine days after, and on until one starts after `at`:
    /// holidays may be longer than a week.
    fn spans_around(&self, zone: &TimeZone, at: Utc) -> Vec<(Utc, Utc)> {
        let today = local_date(zone, at);
        let mut spans = Vec::new();
        for offset in -1..=DAYS_AHEAD_MAX {
            if offset > DAYS_AHEAD && spans.iter().any(|(from, _)| *from > at) {
                break;
            }
            let date = today.saturating_add(Span::new().days(offset));
            if self.is_holiday(date) {
                continue;
            }
            self.add_spans(zone, date, &mut spans);
            if self.windows.is_empty() && offset > DAYS_AHEAD && self.holidays.iter().all(|h| h.last < date) {
                break;
            }
        }
        spans
    }

    /// The windows that begin on this day, cut off where a holiday begins.
    fn add_spans(&self, zone: &TimeZone, date: Date, spans: &mut Vec<(Utc, Utc)>) {
        const WHOLE_DAY: DayWindow = DayWindow { days: [true; 7], from_minute: 0, to_minute: 1440 };
        let weekday = date.weekday().to_monday_zero_offset() as usize;
        let windows = if self.windows.is_empty() { std::slice::from_ref(&WHOLE_DAY) } else { &self.windows };
        for window in windows.iter().filter(|w| w.days[weekday]) {
            let next = next_day(date);
            let over_midnight = window.to_minute <= window.from_minute;
            let from = opening(zone, date, window.from_minute);
            let to = match (over_midnight, window.to_minute) {
                (true, _) if self.is_holiday(next) => day_start(zone, next),
                (true, minute) => closing(zone, next, minute),
                (false, 1440..) => day_start(zone, next),
                (false, minute) => closing(zone, date, minute),
            };
            if from < to {
                spans.push((from, to));
            }
        }
    }
}

/// The zone of this name; configuration has refused unknown ones, so the fallback to UTC is never taken.
fn zone_named(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap_or(TimeZone::UTC)
}

fn local_date(zone: &TimeZone, at: Utc) -> Date {
    let timestamp = Timestamp::from_millisecond(at.as_millis()).unwrap_or(Timestamp::MAX);
    zone.to_datetime(timestamp).date()
}

fn next_day(date: Date) -> Date {
    date.saturating_add(Span::new().days(1))
}

fn utc(timestamp: Result<Timestamp, jiff::Error>) -> Utc {
    timestamp.map_or(FOREVER, |timestamp| Utc::from_millis(timestamp.as_millisecond()))
}

/// The first moment of a local day, also where daylight saving begins at midnight.
fn day_start(zone: &TimeZone, date: Date) -> Utc {
    let midnight = zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0));
    match midnight.offset() {
        AmbiguousOffset::Gap { .. } => transition(zone, midnight.earlier()),
        _ => utc(midnight.compatible()),
    }
}

/// When a window opens that begins at this minute of a local day. A minute that daylight saving skips is the moment
/// after the gap. One that comes twice is the second, since the clock shows earlier minutes again in between; or the
/// first, if the clock is put back to just this minute.
fn opening(zone: &TimeZone, date: Date, minute: u16) -> Utc {
    let civil = date.at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
    let at = zone.to_ambiguous_timestamp(civil);
    match at.offset() {
        AmbiguousOffset::Fold { .. } => {
            let back = transition(zone, at.earlier());
            let shown = Timestamp::from_millisecond(back.as_millis()).map(|back| zone.to_datetime(back));
            if shown.is_ok_and(|shown| shown == civil) { utc(at.earlier()) } else { utc(at.later()) }
        }
        _ => utc(at.compatible()),
    }
}

/// When a window closes that ends at this minute of a local day. A minute that daylight saving skips is the moment at
/// which the gap begins; one that comes twice is the first, so an evening limit is never stretched.
fn closing(zone: &TimeZone, date: Date, minute: u16) -> Utc {
    let civil = date.at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
    let at = zone.to_ambiguous_timestamp(civil);
    match at.offset() {
        AmbiguousOffset::Gap { .. } => transition(zone, at.earlier()),
        _ => utc(at.compatible()),
    }
}

/// The change of the clock that follows a moment.
fn transition(zone: &TimeZone, before: Result<Timestamp, jiff::Error>) -> Utc {
    let Ok(before) = before else { return FOREVER };
    zone.following(before)
        .next()
        .map_or(FOREVER, |change| Utc::from_millis(change.timestamp().as_millisecond()))
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
            ..CallingWindows::default()
        }
    }

    fn check(windows: &CallingWindows, at: &str, expected: WindowState) {
        assert_eq!(windows.state(utc(at)), expected, "at {at}");
    }

    #[test]
    fn no_windows_means_at_any_time() {
        let windows = CallingWindows { timezone: "Asia/Shanghai".into(), ..CallingWindows::default() };
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
            ..CallingWindows::default()
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

    #[test]
    fn a_window_that_ends_in_the_gap_ends_where_the_gap_begins() {
        // New York, 8 March 2026: 02:00 EST becomes 03:00 EDT at 07:00Z.
        let windows = daily("America/New_York", 0, 150);
        check(&windows, "2026-03-08T06:30:00Z", WindowState::OpenUntil(utc("2026-03-08T07:00:00Z")));
        let inside = daily("America/New_York", 130, 170);
        check(&inside, "2026-03-08T06:30:00Z", WindowState::ClosedUntil(Some(utc("2026-03-09T06:10:00Z"))));
    }

    #[test]
    fn holidays_have_no_calls_however_long_they_are() {
        let date = |text: &str| text.parse::<Date>().expect("a date");
        let mut windows = daily("Asia/Shanghai", 8 * 60, 21 * 60);
        windows.holidays = vec![Holiday { first: date("2027-02-05"), last: date("2027-02-28") }];
        check(&windows, "2027-02-04T12:00:00Z", WindowState::OpenUntil(utc("2027-02-04T13:00:00Z")));
        check(&windows, "2027-02-05T04:00:00Z", WindowState::ClosedUntil(Some(utc("2027-03-01T00:00:00Z"))));
        let mut night = daily("Asia/Shanghai", 22 * 60, 2 * 60);
        night.holidays = vec![Holiday { first: date("2027-02-05"), last: date("2027-02-05") }];
        check(&night, "2027-02-04T15:00:00Z", WindowState::OpenUntil(utc("2027-02-04T16:00:00Z")));
        let mut always = CallingWindows { timezone: "UTC".into(), ..CallingWindows::default() };
        always.holidays = vec![Holiday { first: date("2027-02-05"), last: date("2027-02-05") }];
        check(&always, "2027-02-05T12:00:00Z", WindowState::ClosedUntil(Some(utc("2027-02-06T00:00:00Z"))));
    }

    #[test]
    fn each_number_has_the_hours_of_its_own_zones() {
        let mut windows = daily("America/New_York", 8 * 60, 21 * 60);
        windows.by_number = true;
        let number = |digits: u64| PhoneNumber::from_e164(digits).expect("a number");
        let at = utc("2026-11-23T14:00:00Z");
        // 09:00 in New York, 06:00 in San Francisco.
        assert_eq!(
            windows.state_of(number(12_125_550_172), at),
            WindowState::OpenUntil(utc("2026-11-24T02:00:00Z"))
        );
        let west = windows.state_of(number(14_155_550_171), at);
        assert_eq!(west, WindowState::ClosedUntil(Some(utc("2026-11-23T16:00:00Z"))));
        // A toll-free number may ring from Newfoundland to Hawaii: 18:00Z to 00:30Z.
        let all = windows.state_of(number(18_005_550_100), at);
        assert_eq!(all, WindowState::ClosedUntil(Some(utc("2026-11-23T18:00:00Z"))));
        let later = windows.state_of(number(18_005_550_100), utc("2026-11-23T19:00:00Z"));
        assert_eq!(later, WindowState::OpenUntil(utc("2026-11-24T00:30:00Z")));
        assert_eq!(windows.state_of(number(88_161_234_567_890), at), WindowState::ClosedUntil(None));
        assert_eq!(windows.state(at), WindowState::OpenUntil(FOREVER));
    }

    /// Over zones and years: whatever is called open lies in a window of the local clock and on no holiday, and a
    /// closed span ends where it says.
    #[test]
    fn no_moment_outside_the_windows_is_open() {
        use rand::{RngExt, SeedableRng};
        const ZONES: &[&str] = &[
            "Asia/Shanghai",
            "America/New_York",
            "America/St_Johns",
            "America/Havana",
            "Australia/Lord_Howe",
            "Europe/Dublin",
            "Africa/Cairo",
            "America/Asuncion",
            "Asia/Beirut",
            "Pacific/Apia",
            "Asia/Tehran",
            "America/Sao_Paulo",
            "Africa/Casablanca",
            "Atlantic/Azores",
            "Asia/Gaza",
            "Pacific/Kwajalein",
        ];
        for seed in 0..1_500u64 {
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let zone_name = ZONES[rng.random_range(0..ZONES.len())];
            let zone = zone_named(zone_name);
            let minute = |rng: &mut rand_chacha::ChaCha8Rng| rng.random_range(0..96u16) * 15;
            let windows = (0..rng.random_range(1..=2))
                .map(|_| {
                    let from = minute(&mut rng);
                    let to = minute(&mut rng);
                    let days = std::array::from_fn(|_| rng.random_range(0..4) > 0);
                    DayWindow { days, from_minute: from, to_minute: if to == 0 { 1440 } else { to } }
                })
                .filter(|w| w.from_minute != w.to_minute)
                .collect::<Vec<_>>();
            if windows.is_empty() {
                continue;
            }
            // Half of the moments are near a change of the clock.
            let year = rng.random_range(1993..2037i16);
            let start = Date::constant(year, 1, 1).at(0, 0, 0, 0).in_tz("UTC").expect("a date").timestamp();
            let change = zone.following(start).next().map(|change| change.timestamp());
            let near = match (rng.random_range(0..2), change) {
                (0, Some(change)) => {
                    change.as_millisecond() - 86_400_000 + rng.random_range(0..172_800_000i64)
                }
                _ => start.as_millisecond() + rng.random_range(0..365 * 86_400_000i64),
            };
            let at = Utc::from_millis(near);
            let holiday = local_date(&zone, at).saturating_add(Span::new().days(rng.random_range(-1..3i64)));
            let windows = CallingWindows {
                timezone: zone_name.into(),
                windows,
                holidays: vec![Holiday { first: holiday, last: holiday }],
                by_number: false,
            };
            let is_inside = |at: Utc| {
                let local = zone.to_datetime(Timestamp::from_millisecond(at.as_millis()).expect("a moment"));
                let (date, minute) = (local.date(), local.hour() as u16 * 60 + local.minute() as u16);
                let day = |date: Date| date.weekday().to_monday_zero_offset() as usize;
                let yesterday = date.yesterday().expect("a day before");
                !windows.is_holiday(date)
                    && windows.windows.iter().any(|w| match w.to_minute > w.from_minute {
                        true => w.days[day(date)] && (w.from_minute..w.to_minute).contains(&minute),
                        false => {
                            w.days[day(date)] && minute >= w.from_minute
                                || w.days[day(yesterday)]
                                    && !windows.is_holiday(yesterday)
                                    && minute < w.to_minute
                        }
                    })
            };
            let named = || format!("seed {seed}, {zone_name}, {at:?}, {windows:?}");
            match windows.state(at) {
                WindowState::OpenUntil(until) => {
                    assert!(at < until, "{}", named());
                    let span = until.as_millis().min(at.as_millis() + 4 * 86_400_000) - at.as_millis();
                    for _ in 0..20 {
                        let inner = Utc::from_millis(at.as_millis() + rng.random_range(0..span));
                        assert!(is_inside(inner), "{} at {inner:?}", named());
                        let state = windows.state(inner);
                        assert!(matches!(state, WindowState::OpenUntil(end) if end >= until), "{}", named());
                    }
                }
                WindowState::ClosedUntil(Some(opens)) => {
                    assert!(opens > at && is_inside(opens), "{} opens {opens:?}", named());
                    assert!(matches!(windows.state(opens), WindowState::OpenUntil(_)), "{}", named());
                }
                WindowState::ClosedUntil(None) => {
                    assert!(windows.windows.iter().all(|w| w.days == [false; 7]), "{}", named());
                }
            }
        }
    }

    #[test]
    fn a_moment_lies_in_the_holiday_of_its_local_day() {
        let mut windows = daily("Asia/Shanghai", 8 * 60, 21 * 60);
        let day = |text: &str| text.parse::<Date>().expect("a date");
        let holiday = Holiday { first: day("2026-10-01"), last: day("2026-10-07") };
        windows.holidays.push(holiday);
        assert_eq!(windows.holiday_at(utc("2026-09-30T16:00:00Z")), Some(holiday));
        assert_eq!(windows.holiday_at(utc("2026-09-30T15:59:59Z")), None);
        assert_eq!(windows.holiday_at(utc("2026-10-07T15:59:59Z")), Some(holiday));
        assert_eq!(windows.holiday_at(utc("2026-10-07T16:00:00Z")), None);
    }
}
