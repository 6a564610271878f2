//! Moments on the clock of a campaign's time zone, as result files write them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Write;
use std::ops::Range;

const DAY: i64 = 86_400_000;

/// Writes moments of one zone. Offset and date are kept from one moment to the next, because the rows of a table
/// lie close together and a look-up in the zone costs more than the rest of the row.
#[derive(Clone, Debug)]
pub(super) struct LocalTime {
    zone: TimeZone,
    offset: Option<Offset>,
    /// A day since 1970 on the local clock, and its date: `2026-03-02`.
    date: Option<(i64, String)>,
}

/// What the zone's clock differs from UTC by, between two changes.
#[derive(Clone, Debug)]
struct Offset {
    /// In milliseconds since 1970.
    valid: Range<i64>,
    millis: i64,
    /// `+08:00`
    text: String,
}

impl LocalTime {
    pub(super) fn of(zone: TimeZone) -> LocalTime {
        LocalTime { zone, offset: None, date: None }
    }

    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// ISO 8601 with milliseconds and offset, and the milliseconds since 1970 on the local clock. `None` = out of the
    /// calendar's range.
    pub(super) fn write(&mut self, millis: i64) -> Option<(String, i64)> {
        let moment = Timestamp::from_millisecond(millis).ok()?;
        if !self.offset.as_ref().is_some_and(|offset| offset.valid.contains(&millis)) {
            self.offset = Some(self.look_up(moment));
        }
        let offset = self.offset.as_ref()?;
        let local = millis + offset.millis;
        let (day, of_day) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        if self.date.as_ref().is_none_or(|(known, _)| *known != day) {
            let date = moment.to_zoned(self.zone.clone()).strftime("%Y-%m-%d").to_string();
            self.date = Some((day, date));
        }
        let (_, date) = self.date.as_ref()?;
        let mut text = String::with_capacity(32);
        text.push_str(date);
        let [hour, minute, second] = [of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60];
        // Writing to a String cannot fail.
        let _ = write!(text, "T{hour:02}:{minute:02}:{second:02}.{:03}", of_day % 1_000);
        text.push_str(&offset.text);
        Some((text, local))
    }

    fn look_up(&self, moment: Timestamp) -> Offset {
        let millis = moment.as_millisecond();
        // A change at this very moment is the first of its span.
        let before = moment.checked_add(jiff::Span::new().nanoseconds(1)).unwrap_or(moment);
        let from = self.zone.preceding(before).next().map_or(i64::MIN, |it| it.timestamp().as_millisecond());
        let until = self.zone.following(moment).next().map_or(i64::MAX, |it| it.timestamp().as_millisecond());
        let zoned = moment.to_zoned(self.zone.clone());
        Offset {
            valid: from.min(millis)..until.max(millis.saturating_add(1)),
            millis: i64::from(zoned.offset().seconds()) * 1_000,
            text: zoned.strftime("%:z").to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments near changes of the clock, in any order, are written as the library writes them.
    #[test]
    fn moments_are_written_as_the_zone_has_them() {
        let changes =
            [1_743_296_400_000, 1_761_440_400_000, 1_772_416_800_000, 26_500_000, 0, 4_102_444_800_000];
        let mut state = 7_u64;
        for zone in
            ["Asia/Shanghai", "Europe/London", "America/New_York", "Asia/Kathmandu", "Africa/Monrovia", "UTC"]
        {
            let zone = TimeZone::get(zone).expect("a zone");
            let mut local = LocalTime::of(zone.clone());
            for _ in 0..2_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let near = changes[(state >> 33) as usize % changes.len()];
                let millis = near + ((state >> 20) % 14_400_000) as i64 - 7_200_000;
                let zoned = Timestamp::from_millisecond(millis).expect("a moment").to_zoned(zone.clone());
                let text = zoned.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
                let clock = millis + i64::from(zoned.offset().seconds()) * 1_000;
                assert_eq!(local.write(millis), Some((text, clock)), "{millis} {zone:?}");
            }
        }
        assert_eq!(LocalTime::of(TimeZone::UTC).write(i64::MAX), None);
    }
}
