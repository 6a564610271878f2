//! Parses spans of time, weekdays, times of day and dates as configuration files hold them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZoneDatabase;
use paceline_core::campaign::DayWindow;
use paceline_core::campaign::window::Holiday;
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

/// Which moment a date without a time means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateMeans {
    /// Its first moment.
    Start,
    /// The end of that day.
    End,
}

/// `2026-11-21` or `2026-11-21T09:00`, in the campaign's zone.
pub(super) fn parse_moment(text: &str, timezone: &str, date_means: DateMeans) -> Result<Utc, Fault> {
    let fault = || (format!("`{text}` is no date"), "write 2026-11-21 or 2026-11-21T09:00".to_owned());
    let zone = TimeZoneDatabase::bundled().get(timezone).map_err(|_| fault())?;
    let civil: DateTime = match text.trim().parse::<Date>() {
        Ok(date) if text.trim().len() <= 10 => match date_means {
            DateMeans::Start => date.at(0, 0, 0, 0),
            DateMeans::End => date.tomorrow().map_err(|_| fault())?.at(0, 0, 0, 0),
        },
        _ => text.trim().replace(' ', "T").parse().map_err(|_| fault())?,
    };
    let timestamp = zone.to_ambiguous_timestamp(civil).compatible().map_err(|_| fault())?;
    Ok(Utc::from_millis(timestamp.as_millisecond()))
}

/// Most days of one holiday.
const HOLIDAY_DAYS_MAX: i32 = 366;

/// A day or several: `2027-05-01`, `2027-02-05..2027-02-12`, also `2027/5/1`, `20270501`, `2027年5月1日` and ranges with
/// `~`, `至` or ` - `.
pub(super) fn parse_holiday(text: &str) -> Result<Holiday, Fault> {
    let fault = |found: String| (found, "write days as 2027-05-01, or 2027-02-05..2027-02-12".to_owned());
    let (first, last) = ["..", "~", "至", " - ", " to "]
        .iter()
        .find_map(|sign| text.split_once(sign))
        .map_or((text, text), |(first, last)| (first, last.trim_start_matches('.')));
    let day = |text: &str| parse_date(text).ok_or_else(|| fault(format!("`{}` is no date", text.trim())));
    let (first, last) = (day(first)?, day(last)?);
    let days = first.until(last).map_or(-1, |span| span.get_days());
    match (0..HOLIDAY_DAYS_MAX).contains(&days) {
        true => Ok(Holiday { first, last }),
        false => Err(fault(format!("`{}` ends before it begins, or lasts longer than a year", text.trim()))),
    }
}

fn parse_date(text: &str) -> Option<Date> {
    let text = text.trim().trim_end_matches('日');
    let bare = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = match bare {
        true => vec![&text[..4], &text[4..6], &text[6..]],
        false => text.split(['-', '/', '.', '年', '月']).collect(),
    };
    let [year, month, day] = parts.as_slice() else { return None };
    if year.len() != 4 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// The holidays of a file: one day or range a line (its first cell; the rest is a remark, `#` begins a comment), or
/// a calendar (`.ics`).
pub(super) fn parse_holiday_file(text: &str) -> Result<Vec<Holiday>, Fault> {
    let text = text.trim_start_matches('\u{feff}');
    if text.starts_with("BEGIN:VCALENDAR") {
        return parse_calendar(text);
    }
    let mut holidays = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let cell = line.split(['#', ',', ';', '\t']).next().unwrap_or_default().trim().trim_matches('"');
        if cell.is_empty() || (at == 0 && !cell.contains(|c: char| c.is_ascii_digit())) {
            continue;
        }
        let (found, hint) = match parse_holiday(cell) {
            Ok(holiday) => {
                holidays.push(holiday);
                continue;
            }
            Err(fault) => fault,
        };
        return Err((format!("line {}: {found}", at + 1), hint));
    }
    Ok(holidays)
}

/// `DTSTART` and `DTEND` of each event (RFC 5545): the end of a date is the day after the last.
fn parse_calendar(text: &str) -> Result<Vec<Holiday>, Fault> {
    let mut holidays = Vec::new();
    let mut first: Option<Date> = None;
    let mut end: Option<Date> = None;
    for (at, line) in text.lines().enumerate() {
        let Some((name, value)) = line.trim().split_once(':') else { continue };
        let date = || parse_date(value.get(..8).unwrap_or_default());
        let fault = || {
            (format!("line {}: `{value}` is no date", at + 1), "write DTSTART;VALUE=DATE:20270501".to_owned())
        };
        match name.split(';').next().unwrap_or_default() {
            "BEGIN" => (first, end) = (None, None),
            "DTSTART" => first = Some(date().ok_or_else(fault)?),
            "DTEND" => end = Some(date().ok_or_else(fault)?),
            "END" if value == "VEVENT" => {
                if let Some(first) = first {
                    let last = end.and_then(|end| end.yesterday().ok()).unwrap_or(first).max(first);
                    holidays.push(Holiday { first, last });
                }
            }
            _ => {}
        }
    }
    Ok(holidays)
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
    fn a_date_is_a_whole_day_in_the_campaigns_time_zone() {
        let start = |text: &str| parse_moment(text, "Asia/Shanghai", DateMeans::Start);
        let end = |text: &str| parse_moment(text, "Asia/Shanghai", DateMeans::End);
        assert_eq!(start("2026-11-21"), start("2026-11-21T00:00"));
        assert_eq!(start("2026-11-21").expect("a date").as_millis(), 1_795_190_400_000);
        assert_eq!(end("2026-11-21"), start("2026-11-22"));
        assert_eq!(end("2026-11-21T09:00"), start("2026-11-21 09:00"));
        assert!(start("21.11.2026").is_err());
    }

    #[test]
    fn holidays_are_days_ranges_or_calendars() {
        let spring = parse_holiday("2027-02-05..2027-02-12").expect("a range");
        for text in ["2027/2/5 ~ 2027/2/12", "20270205至20270212", "2027年2月5日 - 2027年2月12日"] {
            assert_eq!(parse_holiday(text), Ok(spring), "{text}");
        }
        for bad in ["2027-13-01", "soon", "2027-02-12..2027-02-05", "2027-01-01..2029-01-01", "5.2.2027"] {
            assert!(parse_holiday(bad).is_err(), "{bad}");
        }
        let file = "date,name\n# national days\n2027-05-01,Labour Day\n2027-02-05..2027-02-12\n";
        assert_eq!(parse_holiday_file(file).expect("a file").len(), 2);
        assert!(parse_holiday_file("2027-05-01\nsoon\n").expect_err("a bad line").0.contains("line 2"));
        let calendar = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270205\r\n\
                        DTEND;VALUE=DATE:20270213\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(parse_holiday_file(calendar), Ok(vec![spring]));
    }
}
