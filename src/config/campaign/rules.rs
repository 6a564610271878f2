//! Converts the tables of `campaign.toml` to the core's rules, and reports what they cannot mean.

use super::tables::{
    AnnouncementTable, CallerIdsTable, CallingTable, CampaignFile, KeyTable, ModeWord, Names, RetryTable,
    RotationWord,
};
use crate::config::hours;
use crate::config::problem::{Source, nearest};
use crate::config::settings::Config;
use crate::config::units::DateMeans;
use crate::config::{floor, units};
use crate::dialplan;
use crate::lists;
use paceline_core::call::Digit;
use paceline_core::campaign::window::Holiday;
use paceline_core::campaign::{
    Announcement, CallerId, CallerIdRules, CallingWindows, Campaign, KeyRule, Mode, RetryRules, Rotation,
    SIMULATED_TRUNK, Share, is_system_name,
};
use paceline_core::ids::{CampaignId, RegisterId, TrunkId};
use paceline_core::outcome::Outcome;
use paceline_core::time::{Duration, Utc};
use std::collections::BTreeMap;
use std::path::Path;

pub(super) fn to_core(file: &CampaignFile, config: &Config, source: &mut Source<'_>) -> Campaign {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if file.name.is_empty() || file.name.len() > 64 || !file.name.chars().all(is_allowed) {
        let found = format!("`{}` is no campaign name", file.name.escape_debug());
        source.fault(&["name"], found, "use up to 64 letters, digits, - and _; any script goes into `title`");
    }
    if is_system_name(&file.name) {
        let found = format!("`{}`: names that begin with _ are the system's own", file.name.escape_debug());
        source.fault(&["name"], found, "begin it with a letter or a digit");
    }
    let agents = floor::agents(&file.agents, &file.dispositions, source);
    if file.mode != ModeWord::Announce && agents.is_none() {
        let found = format!("mode `{}` needs agents", mode(file.mode).word());
        source.lack(&["mode"], found, "name their group: [agents] group = \"…\"");
    }
    let announcement = announcement(&file.announcement, source);
    let calling = &file.calling;
    if !(5..=180).contains(&calling.ring_secs) {
        let found = format!("ring_secs = {}", calling.ring_secs);
        source.fault(
            &["calling", "ring_secs"],
            found,
            "write 5 to 180 (45 is usual, fewer is advised against)",
        );
    }
    if !(3..=120).contains(&calling.setup_secs) {
        let found = format!("setup_secs = {}", calling.setup_secs);
        source.fault(&["calling", "setup_secs"], found, "write 3 to 120 (30 is usual)");
    }
    if calling.concurrency_max > 999 {
        let found = format!("concurrency_max = {}", calling.concurrency_max);
        source.fault(&["calling", "concurrency_max"], found, "write 0 (no limit of its own) to 999");
    }
    if !(0.0..=1_000.0).contains(&calling.calls_per_sec) {
        let found = format!("calls_per_sec = {}", calling.calls_per_sec);
        source.fault(&["calling", "calls_per_sec"], found, "write 0 (the trunk's) to 1000");
    }
    check_share(calling, source);
    let windows = windows(calling, &file.list.region, source);
    let (start, end) = moments(calling, &windows, source);
    let retry = retry(&file.retry, source);
    let pacing = floor::pacing(&file.pacing, &retry, source);
    Campaign {
        id: CampaignId(0),
        name: file.name.clone(),
        mode: mode(file.mode),
        trunks: trunks(&file.trunks, config, source),
        ring: Duration::from_secs(u64::from(calling.ring_secs)),
        setup: Duration::from_secs(u64::from(calling.setup_secs)),
        concurrency_max: (calling.concurrency_max > 0).then_some(calling.concurrency_max),
        calls_per_sec: (calling.calls_per_sec > 0.0).then_some(calling.calls_per_sec),
        windows,
        start,
        end,
        retry,
        announcement: (!file.announcement.file.is_empty()).then_some(announcement),
        keys: keys(&file.keys, agents.is_some(), source),
        caller_ids: caller_ids(&file.caller_ids, &file.list.region, source),
        agents,
        pacing,
        home: dialplan::home_country(&file.list.region),
    }
}

fn check_share(calling: &CallingTable, source: &mut Source<'_>) {
    if !(1..=Share::PRIORITY_MAX).contains(&calling.priority) {
        let found = format!("priority = {}", calling.priority);
        source.fault(&["calling", "priority"], found, "write 1 (first) to 9; 5 is usual");
    }
    if !(1..=Share::WEIGHT_MAX).contains(&calling.weight) {
        let found = format!("weight = {}", calling.weight);
        source.fault(&["calling", "weight"], found, "write 1 to 100");
    }
    if calling.lines_reserved > 999 {
        let found = format!("lines_reserved = {}", calling.lines_reserved);
        source.fault(&["calling", "lines_reserved"], found, "write 0 (none) to 999");
    }
    if calling.concurrency_max > 0 && calling.lines_reserved > calling.concurrency_max {
        let (reserved, most) = (calling.lines_reserved, calling.concurrency_max);
        let found = format!("lines_reserved = {reserved}, and concurrency_max = {most}");
        source.fault(
            &["calling", "lines_reserved"],
            found,
            "reserve no more lines than the campaign may use",
        );
    }
}

fn mode(word: ModeWord) -> Mode {
    match word {
        ModeWord::Announce => Mode::Announce,
        ModeWord::Preview => Mode::Preview,
        ModeWord::Progressive => Mode::Progressive,
        ModeWord::Ratio => Mode::Ratio,
        ModeWord::Predictive => Mode::Predictive,
    }
}

fn trunks(named: &[String], config: &Config, source: &mut Source<'_>) -> Vec<TrunkId> {
    if config.has_trunks() {
        check_trunk_names(named, config, source);
    }
    config.trunks_named(named)
}

fn check_trunk_names(named: &[String], config: &Config, source: &mut Source<'_>) {
    if named.iter().any(|name| name == SIMULATED_TRUNK) {
        if named.len() > 1 {
            let found = format!("`{SIMULATED_TRUNK}` beside a trunk that rings real phones");
            source.fault(&["trunks"], found, "name the simulated carrier alone, or leave it out");
        }
        return;
    }
    let trunks = config.known_trunks();
    let known: Vec<&str> = trunks.keys().map(String::as_str).collect();
    for name in named.iter().filter(|name| !trunks.contains_key(*name)) {
        let hint = match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", known.join(", ")),
        };
        source.fault(&["trunks"], format!("there is no trunk `{name}`"), hint);
    }
}

/// `timezone = "number"`: each number has the hours of its own zone.
const BY_NUMBER: &str = "number";

fn windows(calling: &CallingTable, region: &str, source: &mut Source<'_>) -> CallingWindows {
    let by_number = calling.timezone == BY_NUMBER;
    let timezone = match by_number {
        true => main_zone(region).to_owned(),
        false => calling.timezone.clone(),
    };
    if by_number && timezone.is_empty() {
        let found = format!("the time zones of region `{region}` are not known");
        source.fault(&["calling", "timezone"], found, "write an IANA name, for example Asia/Shanghai");
    } else if !CallingWindows::timezone_known(&timezone) {
        let found = format!("`{}` is no time zone", calling.timezone);
        let hint = "write an IANA name, for example Asia/Shanghai, or \"number\" for each number's own zone";
        source.fault(&["calling", "timezone"], found, hint);
    }
    let mut windows = Vec::new();
    for window in &calling.windows {
        match units::parse_day_window(&window.days, &window.from, &window.to) {
            Ok(window) => windows.push(window),
            Err((found, hint)) => source.fault(&["calling", "windows"], found, hint),
        }
    }
    if calling.windows.is_empty() {
        let hint = "name at least one, for example { days = \"mon-sun\", from = \"08:00\", to = \"21:00\" }";
        source.fault(&["calling", "windows"], "no calling hours", hint);
    }
    CallingWindows { timezone, windows, holidays: holidays(calling, source), by_number }
}

/// The zone in which a campaign by number counts its days and shows its times.
fn main_zone(region: &str) -> &'static str {
    match region.to_ascii_uppercase().as_str() {
        "US" => "America/New_York",
        "CA" => "America/Toronto",
        "RU" => "Europe/Moscow",
        "KZ" => "Asia/Almaty",
        "BR" => "America/Sao_Paulo",
        region => lists::zones_of_region(region).first().copied().unwrap_or_default(),
    }
}

/// The days themselves, or the path of a file that lists them.
fn holidays(calling: &CallingTable, source: &mut Source<'_>) -> Vec<Holiday> {
    let path = ["calling", "holidays"];
    let mut holidays = Vec::new();
    let folder = source.file.parent().unwrap_or(Path::new("")).to_owned();
    let is_row = source.is_row;
    let objects = source.objects.clone();
    let mut fault = |found: String, hint: String| source.fault(&path, format!("holidays: {found}"), hint);
    for text in calling.holidays.to_vec() {
        match (units::parse_holiday(&text), &calling.holidays) {
            (Ok(holiday), _) => holidays.push(holiday),
            (Err((found, _)), Names::Several(_)) if text.contains('.') && !text.contains("..") => {
                fault(found, format!("a file is named alone, without brackets: holidays = {text:?}"));
            }
            (Err((found, hint)), Names::Several(_)) => fault(found, hint),
            (Err((found, hint)), Names::One(_)) if !text.contains('.') || text.contains("..") => {
                fault(found, format!("{hint}, or the path of a file"));
            }
            (Err(_), Names::One(_)) if objects.contains_key(&text) => {
                match read_holidays(&objects[&text], &text) {
                    Ok(found) => holidays.extend(found),
                    Err((found, hint)) => fault(found, hint),
                }
            }
            (Err(_), Names::One(_)) if is_row && folder.as_os_str().is_empty() => {
                fault(
                    format!("`{text}` is a file"),
                    "write the days themselves: [\"2027-02-05..2027-02-12\"]".into(),
                );
            }
            (Err(_), Names::One(_)) => {
                let file = folder.join(&text);
                match read_holidays(&file, &file.display().to_string()) {
                    Ok(found) => holidays.extend(found),
                    Err((found, hint)) => fault(found, hint),
                }
            }
        }
    }
    holidays.sort_unstable();
    holidays
}

/// The days of a file, which problems name as `shown`.
fn read_holidays(file: &Path, shown: &str) -> Result<Vec<Holiday>, (String, String)> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        let hint = "name a text file with one day a line, or an .ics calendar";
        (format!("{shown}: cannot be read: {error}"), hint.to_owned())
    })?;
    units::parse_holiday_file(&text).map_err(|(found, hint)| (format!("{shown}: {found}"), hint))
}

fn moments(
    calling: &CallingTable,
    windows: &CallingWindows,
    source: &mut Source<'_>,
) -> (Option<Utc>, Option<Utc>) {
    let mut read = |key: &str, text: &str, means: DateMeans| {
        if text.trim().is_empty() || !CallingWindows::timezone_known(&windows.timezone) {
            return None;
        }
        units::parse_moment(text, &windows.timezone, means)
            .map_err(|(found, hint)| source.fault(&["calling", key], found, hint))
            .ok()
    };
    let start = read("start", &calling.start, DateMeans::Start);
    let end = read("end", &calling.end, DateMeans::End);
    if let (Some(first), Some(last)) = (start, end)
        && last <= first
    {
        let found = format!("the end {} is not after the start {}", calling.end, calling.start);
        source.fault(&["calling", "end"], found, "write a later end");
    }
    (start, end)
}

/// Settings of the calling hours that probably mean something else than their author thinks.
pub(super) fn calling_warnings(file: &CampaignFile, windows: &CallingWindows) -> Vec<String> {
    let mut warnings = Vec::new();
    let name = file.calling.timezone.as_str();
    if windows.by_number {
        return warnings;
    }
    let fixed = ["EST", "MST", "HST", "UTC", "GMT", "UCT", "Zulu", "Universal", "Greenwich", "GMT0"];
    if name.starts_with("Etc/") || fixed.contains(&name) || name.starts_with("GMT") {
        let offset = hours::offset_name(name);
        let sign = match name.starts_with("Etc/GMT") && name.len() > 7 {
            true => " (the sign in its name is the other way round)",
            false => "",
        };
        warnings.push(format!(
            "timezone = \"{name}\" is {offset}{sign} all year, without daylight saving: name the place instead, for \
             example Asia/Shanghai or America/New_York"
        ));
    }
    let region = &file.list.region;
    let zones = lists::zones_of_region(region);
    if !zones.is_empty() && zones.iter().all(|zone| !hours::is_same_clock(zone, name)) {
        let own: Vec<String> = zones
            .iter()
            .filter(|zone| {
                **zone == zones[0] || **zone == zones[zones.len() - 1] || **zone == main_zone(region)
            })
            .filter_map(|zone| {
                Some(format!("{} in {zone}", hours::shown_in(windows.windows.first()?, name, zone)))
            })
            .collect();
        let here = windows.windows.first().map(hours::shown).unwrap_or_default();
        warnings.push(format!(
            "region = \"{region}\", but the calling hours are those of {name}: {here} there is {}. Set [calling] \
             timezone to where the numbers are, or to \"number\" for each number's own zone",
            own.join(", ")
        ));
    }
    warnings
}

fn retry(table: &RetryTable, source: &mut Source<'_>) -> RetryRules {
    for (key, value) in [("attempts_max", table.attempts_max), ("per_day_max", table.per_day_max)] {
        if !(1..=100).contains(&value) {
            source.fault(&["retry", key], format!("{key} = {value}"), "write 1 to 100");
        }
    }
    let mut after = BTreeMap::new();
    for (word, delay) in &table.after {
        let path = ["retry", "after", word.as_str()];
        let delay = source.value_or_fault(&path, units::parse_span(delay), Duration::ZERO);
        match Outcome::from_word(word) {
            Some(Outcome::Answered) => {
                source.fault(&path, "`answered` cannot be retried", "who answered is never called again");
            }
            Some(outcome) => {
                after.insert(outcome, delay);
            }
            None => {
                let known: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.word()).collect();
                let hint = match nearest(word, &known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("outcomes are: {}", known.join(", ")),
                };
                source.fault(&path, format!("`{word}` is no outcome"), hint);
            }
        }
    }
    RetryRules {
        attempts_max: table.attempts_max,
        per_day_max: table.per_day_max,
        gap_min: source.value_or_fault(
            &["retry", "gap_min"],
            units::parse_span(&table.gap_min),
            Duration::ZERO,
        ),
        after,
    }
}

fn announcement(table: &AnnouncementTable, source: &mut Source<'_>) -> Announcement {
    if !(1..=10).contains(&table.plays) {
        source.fault(&["announcement", "plays"], format!("plays = {}", table.plays), "write 1 to 10");
    }
    if table.input_wait_secs > 120 {
        let found = format!("input_wait_secs = {}", table.input_wait_secs);
        source.fault(&["announcement", "input_wait_secs"], found, "write 0 to 120");
    }
    if table.pause_ms > 10_000 {
        let found = format!("pause_ms = {}", table.pause_ms);
        source.fault(&["announcement", "pause_ms"], found, "write 0 to 10000");
    }
    Announcement {
        length: Duration::ZERO,
        plays: table.plays,
        pause: Duration::from_millis(table.pause_ms.into()),
        input_wait: Duration::from_secs(u64::from(table.input_wait_secs)),
    }
}

fn keys(
    table: &BTreeMap<String, KeyTable>,
    has_agents: bool,
    source: &mut Source<'_>,
) -> BTreeMap<Digit, KeyRule> {
    let mut keys = BTreeMap::new();
    for (key, rule) in table {
        let mut letters = key.chars();
        let digit = letters.next().and_then(Digit::from_char).filter(|_| letters.next().is_none());
        let Some(digit) = digit else {
            source.fault(&["keys", key], format!("`{key}` is no key"), "keys are 0 to 9, * and #");
            continue;
        };
        if rule.agents && !has_agents {
            let found = format!("key {key} hands over to agents");
            source.fault(&["keys", key], found, "name their group: [agents] group = \"…\"");
        }
        if rule.result.is_empty() && !rule.repeat && !rule.agents && !rule.blacklist {
            let found = format!("key {key} does nothing");
            let hint = "write what it means: result = \"…\", repeat, agents or blacklist = true";
            source.fault(&["keys", key], found, hint);
        }
        let result = Some(rule.result.clone()).filter(|result| !result.is_empty());
        let KeyTable { repeat, agents, blacklist, .. } = *rule;
        keys.insert(digit, KeyRule { result, repeat, agents, blacklist });
    }
    keys
}

fn caller_ids(table: &CallerIdsTable, region: &str, source: &mut Source<'_>) -> CallerIdRules {
    let mut numbers: Vec<CallerId> = Vec::new();
    for text in &table.numbers {
        match lists::caller_id(text, region) {
            Ok(number) if numbers.iter().any(|known| known.number == number) => {
                source.fault(
                    &["caller_ids", "numbers"],
                    format!("`{text}` stands there twice"),
                    "remove one",
                );
            }
            Ok(number) => numbers.push(CallerId { number, shown: number.national() }),
            Err(refusal) => {
                let found = format!("`{}` is no number to show: {refusal}", text.escape_debug());
                let hint = "write it with its country code (+8675512345678) or as it is dialled at home \
                            (075512345678)";
                source.fault(&["caller_ids", "numbers"], found, hint);
            }
        }
    }
    CallerIdRules {
        numbers,
        rotation: match table.rotation {
            RotationWord::InOrder => Rotation::InOrder,
            RotationWord::RoundRobin => Rotation::RoundRobin,
            RotationWord::Random => Rotation::Random,
            RotationWord::LeastUsed => Rotation::LeastUsed,
            RotationWord::Region => Rotation::Region,
        },
        sticky: table.sticky,
        per_hour_max: (table.per_hour_max > 0).then_some(table.per_hour_max),
        per_day_max: (table.per_day_max > 0).then_some(table.per_day_max),
        warm_up: table.warm_up,
        register: RegisterId::default(),
    }
}
