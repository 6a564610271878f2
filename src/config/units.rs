//! Parses spans of time, weekdays, times of day and dates as configuration files hold them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZoneDatabase;
use paceline_core::campaign::DayWindow;
use paceline_core::time::{Duration, Utc};

/// A refused value: what was found, what to do.
pub(super) type Fault = (String, String);

/// `90s`, `30m`, `2h`, `1h30m`, `3d`.
pub(super) fn parse_span(text: &str) -> Result<Duration, Fault> {
    let fault = || (format!("`{text}` is no span"), "write it as 90s, 30m, 2h, 1h30m or 3d".to_owned());
    let mut total = 0u64;
    let mut number = String::new();
    for letter in text.trim().chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let unit = match letter {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(fault()),
        };
        let count: u64 = number.parse().map_err(|_| fault())?;
        total = count.checked_mul(unit).and_then(|secs| total.checked_add(secs)).ok_or_else(fault)?;
        number.clear();
    }
    if text.trim().is_empty() || !number.is_empty() || total > 366 * 86_400 {
        return Err(fault());
    }
    Ok(Duration::from_secs(total))
}

/// `mon-sun`, `mon-fri,sun`, from `08:00` to `21:00` (`24:00` is the end of the day).
pub(super) fn parse_day_window(days: &str, from: &str, to: &str) -> Result<DayWindow, Fault> {
    let from_minute = parse_minute(from)?;
    let to_minute = parse_minute(to)?;
    if from_minute == 1440 {
        return Err((format!("`from = {from}` is the end of a day"), "write 00:00".into()));
    }
    if from_minute == to_minute {
        return Err((
            format!("the window from {from} to {to} is empty"),
            "for a whole day write 00:00 to 24:00".into(),
        ));
    }
    Ok(DayWindow {
        days: parse_weekdays(days)?,
        from_minute,
        to_minute: if to_minute == 0 { 1440 } else { to_minute },
    })
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn parse_weekdays(text: &str) -> Result<[bool; 7], Fault> {
    let fault = || (format!("`{text}` names no days"), "write mon-sun, mon-fri or mon,wed,sat".to_owned());
    let day =
        |word: &str| DAYS.iter().position(|day| word.trim().eq_ignore_ascii_case(day)).ok_or_else(fault);
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (day(first)?, day(last)?),
            None => (day(part)?, day(part)?),
        };
        let mut n = first;
        loop {
            days[n] = true;
            if n == last {
                break;
            }
            n = (n + 1) % 7;
        }
    }
    Ok(days)
}

fn parse_minute(text: &str) -> Result<u16, Fault> {
    let fault = || (format!("`{text}` is no time of day"), "write it as 08:00, up to 24:00".to_owned());
    let (hours, minutes) = text.trim().split_once(':').ok_or_else(fault)?;
    let hours: u16 = hours.parse().map_err(|_| fault())?;
    let minutes: u16 = minutes.parse().map_err(|_| fault())?;
    let total = hours * 60 + minutes;
    if hours > 24 || minutes > 59 || total > 1440 { Err(fault()) } else { Ok(total) }
}

/// `2026-11-21` (its first moment) or `2026-11-21T09:00`, in the campaign's zone.
pub(super) fn parse_moment(text: &str, timezone: &str) -> Result<Utc, Fault> {
    let fault = || (format!("`{text}` is no date"), "write 2026-11-21 or 2026-11-21T09:00".to_owned());
    let zone = TimeZoneDatabase::bundled().get(timezone).map_err(|_| fault())?;
    let civil: DateTime = match text.parse::<Date>() {
        Ok(date) if text.len() <= 10 => date.at(0, 0, 0, 0),
        _ => text.replace(' ', "T").parse().map_err(|_| fault())?,
    };
    let timestamp = zone.to_ambiguous_timestamp(civil).compatible().map_err(|_| fault())?;
    Ok(Utc::from_millis(timestamp.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_parsed_or_refused() {
        let check = |text: &str, secs: Option<u64>| {
            assert_eq!(parse_span(text).ok(), secs.map(Duration::from_secs), "{text}");
        };
        check("90s", Some(90));
        check("30m", Some(1_800));
        check("1h30m", Some(5_400));
        check("3d", Some(259_200));
        check("0s", Some(0));
        for bad in ["", "30", "m", "1.5h", "-1h", "10 minutes", "99999999999999999999h", "400d"] {
            check(bad, None);
        }
    }

    #[test]
    fn windows_are_parsed_or_refused() {
        let window = parse_day_window("mon-fri,sun", "08:00", "21:30").expect("a window");
        assert_eq!(window.days, [true, true, true, true, true, false, true]);
        assert_eq!((window.from_minute, window.to_minute), (480, 1290));
        assert!(parse_day_window("fri-mon", "00:00", "24:00").expect("a window").days[5]);
        assert_eq!(parse_day_window("mon", "22:00", "02:00").expect("over midnight").to_minute, 120);
        for (days, from, to) in [
            ("monday", "08:00", "09:00"),
            ("mon", "8", "9"),
            ("mon", "25:00", "26:00"),
            ("mon", "08:00", "08:00"),
            ("mon", "24:00", "02:00"),
            ("mon", "08:60", "09:00"),
        ] {
            assert!(parse_day_window(days, from, to).is_err(), "{days} {from} {to}");
        }
    }

    #[test]
    fn dates_begin_in_the_campaigns_time_zone() {
        let at = parse_moment("2026-11-21", "Asia/Shanghai").expect("a date");
        assert_eq!(at, parse_moment("2026-11-21T00:00", "Asia/Shanghai").expect("a moment"));
        assert_eq!(at.as_millis(), 1_795_190_400_000);
        assert!(parse_moment("21.11.2026", "Asia/Shanghai").is_err());
    }
}
