//! Settings that show their meaning: dates, holidays, time zones, local hours of the numbers. Tests
//! `paceline check`, the calling windows and the configuration.

use super::*;
use jiff::civil::Date;
use jiff::{ToSpan, Zoned, tz::TimeZone};
use paceline::config::{Config, LoadedCampaign};
use paceline_core::campaign::window::WindowState;
use paceline_core::time::Utc;
use std::time::Duration;

fn today(zone: &str) -> Date {
    Zoned::now().with_time_zone(TimeZone::get(zone).expect("a zone")).date()
}

/// A line of the output that holds both words.
#[track_caller]
fn one_line_says(checked: &Checked, words: &[&str]) {
    let text = checked.ended.text();
    let holds = |line: &str| words.iter().all(|word| line.contains(word));
    assert!(text.lines().any(holds), "no line with {words:?} in\n{text}");
}

#[test]
fn an_end_date_is_the_whole_day() {
    let as_given = Folder::of("19-end-date-is-a-day").check();
    assert!(!as_given.ended.text().contains("is not after the start"), "{}", as_given.ended.all());
    let folder = Folder::of("19-end-date-is-a-day")
        .edit("campaign.toml", "2026-11-29", "2031-03-05")
        .edit("campaign.toml", "2026-11-29", "2031-03-05")
        .edit("campaign.toml", "from = \"00:00\", to = \"24:00\"", "from = \"08:00\", to = \"21:00\"");
    let checked = folder.check().ended(DONE);
    one_line_says(&checked, &["2031-03-05", "21:00"]);
    one_line_says(&checked, &["2031-03-05", "08:00"]);
    let rules = load(&folder).rules;
    let midnight = |date: Date| {
        let at = date.at(0, 0, 0, 0).in_tz("Asia/Shanghai").expect("a moment").timestamp();
        Some(Utc::from_millis(at.as_millisecond()))
    };
    let day = jiff::civil::date(2031, 3, 5);
    assert_eq!((rules.start, rules.end), (midnight(day), midnight(day.tomorrow().expect("a day"))));
}

#[test]
fn an_end_with_a_time_is_that_moment() {
    let folder = Folder::new(phones([15_400_150_001_u64]))
        .set("calling", "start = \"2031-03-05T09:30\"\nend = \"2031-03-05T17:30\"");
    let checked = folder.check().ended(DONE);
    one_line_says(&checked, &["2031-03-05", "17:30"]);
    let backwards = Folder::new(phones([15_400_150_001_u64]))
        .set("calling", "start = \"2031-03-06\"\nend = \"2031-03-05\"");
    backwards.check().ended(REFUSED).says(&["2031-03-05", "2031-03-06"]);
}

#[test]
fn holidays_are_a_setting() {
    let checked = Folder::of("102-holidays").check().ended(DONE);
    checked.says(&["2027-02-05"]);
    let wrong = Folder::of("102-holidays").edit("campaign.toml", "2027-02-05", "2027-02-30");
    wrong.check().ended(REFUSED).says(&["2027-02-30", "campaign.toml:8: holidays: "]);
    let backwards = Folder::of("102-holidays").edit("campaign.toml", "2027-02-05", "2027-02-12..2027-02-05");
    backwards.check().ended(REFUSED).says(&["2027-02-12..2027-02-05"]);
}

#[test]
fn no_call_leaves_on_a_holiday() {
    let day = today("Asia/Shanghai");
    let (before, after) = (day.yesterday().expect("a day"), day.tomorrow().expect("a day"));
    for (keys, file) in [
        (format!("holidays = [\"{before}..{after}\"]"), String::new()),
        (format!("holidays = [\"{before}\", \"{day}\", \"{after}\"]"), String::new()),
        ("holidays = \"holidays.txt\"".to_owned(), format!("# Spring\n{before}..{after}\n")),
    ] {
        let folder =
            Folder::new(phones([15_400_150_001_u64])).write("holidays.txt", file).set("calling", &keys);
        let carrier = folder.carrier(&["--all", "0"]);
        let mut run = carrier.start_run(&[]);
        run.wait_for("0/1");
        // The carrier would have the call within 0.1 s; nothing tells that none comes.
        std::thread::sleep(Duration::from_millis(1_500));
        run.interrupt();
        let ended = run.end();
        assert_eq!((ended.code, carrier.dialled()), (STOPPED, vec![]), "{keys}\n{}", ended.all());
    }
}

#[test]
fn a_list_of_another_country_with_the_default_hours_is_refused_or_shown_with_local_hours() {
    let checked = Folder::of("76-us-list-china-hours").check();
    let text = checked.ended.text();
    let is_refused = checked.ended.code == REFUSED;
    assert!(is_refused || text.to_lowercase().contains("warning"), "{text}");
    let names_zone = ["America/", "California", "Pacific", "local"].iter().any(|it| text.contains(it));
    assert!(names_zone && text.contains("Asia/Shanghai"), "{text}");
    // 08:00 to 21:00 in Shanghai, in Los Angeles.
    let has_hours =
        [("16:00", "05:00"), ("17:00", "06:00")].iter().any(|(a, b)| text.contains(a) && text.contains(b));
    assert!(has_hours, "{text}");
}

#[test]
fn a_list_in_its_own_country_is_not_warned() {
    for (region, zone, number) in [
        ("CN", "Asia/Shanghai", "15400150001"),
        ("GB", "Europe/London", "020 7946 0906"),
        ("HK", "Asia/Hong_Kong", "5123 4567"),
    ] {
        let folder = Folder::new(phones([number]))
            .edit("campaign.toml", "\"CN\"", &format!("{region:?}"))
            .set("calling", &format!("timezone = {zone:?}"))
            .edit("campaign.toml", "from = \"00:00\", to = \"24:00\"", "from = \"08:00\", to = \"21:00\"")
            .edit("campaign.toml", "numbers = [\"075512345678\"]", "numbers = []");
        let checked = folder.check().ended(DONE);
        let zones = checked.ended.text().lines().any(|it| it.contains("warning") && it.contains(zone));
        assert!(!zones, "{}", checked.ended.all());
    }
    let abroad = Folder::new(phones(["020 7946 0906"])).edit("campaign.toml", "\"CN\"", "\"GB\"");
    let abroad =
        abroad.edit("campaign.toml", "from = \"00:00\", to = \"24:00\"", "from = \"08:00\", to = \"21:00\"");
    let abroad = abroad.edit("campaign.toml", "numbers = [\"075512345678\"]", "numbers = []");
    let checked = abroad.check();
    let is_loud = checked.ended.code == REFUSED || checked.ended.text().to_lowercase().contains("warning");
    assert!(is_loud && checked.ended.text().contains("Europe/London"), "{}", checked.ended.all());
}

#[test]
fn each_number_may_be_called_by_its_own_zone() {
    let folder = Folder::of("76-us-list-china-hours").edit(
        "campaign.toml",
        "[announcement]",
        "[calling]\ntimezone = \"number\"\n[announcement]",
    );
    let checked = folder.check().ended(DONE);
    checked.says(&["each number's own"]);
}

#[test]
fn zones_with_a_trap_are_warned_of() {
    for (zone, words) in [
        ("Etc/GMT+8", ["Etc/GMT+8", "UTC-8", "-08", "west", "behind"]),
        ("Etc/GMT-8", ["Etc/GMT-8", "UTC+8", "+08", "east", "ahead"]),
        ("EST", ["EST", "America/New_York", "daylight", "summer", "DST"]),
    ] {
        let checked =
            Folder::new(phones([15_400_150_001_u64])).set("calling", &format!("timezone = {zone:?}")).check();
        let text = checked.ended.text();
        let warned = text.lines().any(|line| {
            (line.contains("warning") || checked.ended.code == REFUSED)
                && line.contains(words[0])
                && words[1..].iter().any(|word| line.contains(word))
        });
        assert!(warned, "{zone}: {}", checked.ended.all());
    }
}

fn load(folder: &Folder) -> LoadedCampaign {
    LoadedCampaign::load(&folder.path("campaign.toml"), &Config::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// On 14 March 2027 clocks in New York go from 02:00 to 03:00, on 7 November from 02:00 back to 01:00.
#[test]
fn a_window_inside_the_gap_of_summer_time_ends_where_the_gap_begins() {
    let of = |from: &str, to: &str| {
        let hours = format!("from = {from:?}, to = {to:?}");
        let folder = Folder::new(phones([15_400_150_001_u64]))
            .set("calling", "timezone = \"America/New_York\"")
            .edit("campaign.toml", "from = \"00:00\", to = \"24:00\"", &hours);
        let windows = load(&folder).rules.windows;
        let first =
            jiff::civil::date(2027, 3, 14).at(0, 0, 0, 0).in_tz("America/New_York").expect("a moment");
        let minutes = (0..23 * 60_i32).filter(|minute| {
            let at = &first + i64::from(*minute).minutes();
            let at = Utc::from_millis(at.timestamp().as_millisecond());
            matches!(windows.state(at), WindowState::OpenUntil(_))
        });
        minutes.collect::<Vec<i32>>()
    };
    assert_eq!(of("01:30", "02:30"), (90..120).collect::<Vec<_>>(), "it ends where the gap begins");
    assert_eq!(of("02:15", "02:45"), [0; 0], "a window of the gap alone is not there that day");
    assert_eq!(of("02:30", "04:00"), (150..180).collect::<Vec<_>>(), "half an hour after the gap began");
}

/// It is day in China and night in New York, or the reverse; the window is about now in China.
#[test]
fn a_number_is_called_in_the_hours_of_its_own_zone() {
    let hour = i32::from(Zoned::now().with_time_zone(TimeZone::get("Asia/Shanghai").expect("a zone")).hour());
    let hours = format!("from = \"{:02}:00\", to = \"{:02}:00\"", (hour - 1).max(0), (hour + 2).min(24));
    let folder = Folder::new(phones(["15400150100", "+1 212 555 0100"]))
        .set("calling", "timezone = \"number\"")
        .edit("campaign.toml", "from = \"00:00\", to = \"24:00\"", &hours);
    let carrier = folder.trunk("allow = [\"*\"]").carrier(&["--all", "0"]);
    let played = carrier.run_for(6);
    assert_eq!(carrier.dialled(), ["15400150100"], "{}", played.ended.all());
    assert_eq!(played.ended.code, STOPPED, "{}", played.ended.all());
    assert_eq!(played.leads_in("open"), 1, "{}", played.shown());
}
