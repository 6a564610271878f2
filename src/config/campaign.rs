//! `campaign.toml`: its tables, and their conversion to the core's rules.

use super::floor::{self, AgentsTable, DispositionTable, PacingTable};
use super::problem::{ConfigError, Source, nearest, unreadable};
use super::settings::Config;
use super::units;
use crate::lists::ListSpec;
use paceline_core::call::Digit;
use paceline_core::campaign::{
    Announcement, CallerId, CallerIdRules, CallingWindows, Campaign, KeyRule, Mode, RetryRules, Rotation,
};
use paceline_core::ids::{CampaignId, TrunkId};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::Outcome;
use paceline_core::time::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The tables of `campaign.toml`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignFile {
    /// Up to 64 letters, digits, `-` and `_`.
    pub name: String,
    /// The title on screens; any script.
    #[serde(default)]
    pub title: String,
    pub mode: ModeWord,
    /// Trunk names, tried in this order. Empty = all of `paceline.toml`, or the built-in simulated carrier.
    #[serde(default)]
    pub trunks: Vec<String>,
    pub list: ListTable,
    #[serde(default)]
    pub calling: CallingTable,
    #[serde(default)]
    pub retry: RetryTable,
    #[serde(default)]
    pub pacing: PacingTable,
    #[serde(default)]
    pub agents: AgentsTable,
    /// Dispositions that an agent can give a call (电话小结).
    #[serde(default)]
    pub dispositions: Vec<DispositionTable>,
    #[serde(default)]
    pub announcement: AnnouncementTable,
    /// What each key of the callee does: `0` to `9`, `*`, `#`.
    #[serde(default)]
    pub keys: BTreeMap<String, KeyTable>,
    #[serde(default)]
    pub caller_ids: CallerIdsTable,
    #[serde(default)]
    pub results: ResultsTable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModeWord {
    Announce,
    Preview,
    Progressive,
    Ratio,
    Predictive,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTable {
    /// `.csv`, `.txt` or `.xlsx`, beside this file.
    pub file: String,
    /// Columns with numbers, dialled in this order; empty = found by header name.
    #[serde(default)]
    pub phones: Vec<String>,
    /// Column of the household: leads with the same value belong together; empty = found by header name.
    #[serde(default)]
    pub household: String,
    #[serde(default)]
    pub name: String,
    /// Country of numbers without a country code, as two letters.
    #[serde(default = "china")]
    pub region: String,
    /// Blacklist files, in addition to the system-wide blacklist.
    #[serde(default)]
    pub blacklists: Vec<String>,
}

fn china() -> String {
    "CN".into()
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CallingTable {
    pub ring_secs: u32,
    /// Most calls at the same time, up to 999; 0 = no limit of the campaign's own.
    pub concurrency_max: u32,
    /// Calls started per second; 0 = the trunk's limit.
    pub calls_per_sec: f64,
    pub timezone: String,
    pub windows: Vec<WindowTable>,
    /// First moment of dialling, a date or date-time; empty = no limit.
    pub start: String,
    /// Last moment of dialling, a date or date-time; empty = no limit.
    pub end: String,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowTable {
    /// `mon-sun`, `mon-fri,sun`.
    pub days: String,
    /// `08:00`
    pub from: String,
    /// `21:00`, up to `24:00`.
    pub to: String,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryTable {
    /// Most attempts per number.
    pub attempts_max: u32,
    /// Most attempts per number and day, over all campaigns.
    pub per_day_max: u32,
    pub gap_min: String,
    /// Delay before the next attempt, by outcome; an outcome that is not named is final.
    pub after: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AnnouncementTable {
    /// WAV or MP3, any rate, mono or stereo.
    pub file: String,
    pub plays: u32,
    /// Time for keys after the last play: the call lasts at most plays x length + this.
    pub input_wait_secs: u32,
    /// Sound file that is played to an abandoned callee.
    pub sorry: String,
}

/// What one key does. An empty table = the key is only recorded.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyTable {
    /// Sets the lead's result.
    pub result: String,
    /// Plays the announcement again.
    pub repeat: bool,
    /// Connects the callee to the agent group.
    pub agents: bool,
    /// Puts the number on the blacklist.
    pub blacklist: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CallerIdsTable {
    /// Numbers that callees see; registered numbers only.
    pub numbers: Vec<String>,
    pub rotation: RotationWord,
    /// A household sees the same number at every call.
    pub sticky: bool,
    /// Most calls per hour from one number; 0 = no cap.
    pub per_hour_max: u32,
    /// Most calls per day from one number; 0 = no cap.
    pub per_day_max: u32,
    pub warm_up: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RotationWord {
    InOrder,
    RoundRobin,
    Random,
    LeastUsed,
    Region,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResultsTable {
    /// Folder of the result files, relative to this file.
    pub dir: String,
}

impl Default for CallingTable {
    fn default() -> Self {
        CallingTable {
            ring_secs: 45,
            concurrency_max: 0,
            calls_per_sec: 0.0,
            timezone: "Asia/Shanghai".into(),
            windows: vec![WindowTable { days: "mon-sun".into(), from: "08:00".into(), to: "21:00".into() }],
            start: String::new(),
            end: String::new(),
        }
    }
}

impl Default for RetryTable {
    fn default() -> Self {
        RetryTable { attempts_max: 3, per_day_max: 3, gap_min: "30m".into(), after: BTreeMap::new() }
    }
}

impl Default for AnnouncementTable {
    fn default() -> Self {
        AnnouncementTable { file: String::new(), plays: 1, input_wait_secs: 5, sorry: String::new() }
    }
}

impl Default for CallerIdsTable {
    fn default() -> Self {
        CallerIdsTable {
            numbers: Vec::new(),
            rotation: RotationWord::RoundRobin,
            sticky: true,
            per_hour_max: 0,
            per_day_max: 0,
            warm_up: false,
        }
    }
}

impl Default for ResultsTable {
    fn default() -> Self {
        ResultsTable { dir: "results".into() }
    }
}

/// A campaign file that was read and checked, also against `paceline.toml`.
#[derive(Clone, Debug)]
pub struct LoadedCampaign {
    /// The core's rules. Campaign and group ids and the announcement's length are 0 until the store and the
    /// sound file give them.
    pub rules: Campaign,
    pub title: String,
    pub file: PathBuf,
    pub text: String,
    pub list: ListSpec,
    pub announcement: Option<PathBuf>,
    /// The group of agents that answers, by name.
    pub group: Option<String>,
    pub sorry: Option<PathBuf>,
    pub results_dir: PathBuf,
    /// Warnings for the manager; the campaign can run with them.
    pub warnings: Vec<String>,
}

impl LoadedCampaign {
    /// Reads a campaign file.
    ///
    /// # Errors
    /// All problems at once where possible, each with file and line.
    pub fn load(file: &Path, config: &Config) -> Result<LoadedCampaign, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
        LoadedCampaign::parse(file, text, config)
    }

    /// As `load`, from a text. Paths in the text are relative to the folder of `file`.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse(file: &Path, text: String, config: &Config) -> Result<LoadedCampaign, ConfigError> {
        let mut source = Source::new(file, &text);
        let written: CampaignFile = source.parse()?;
        let dir = file.parent().map(Path::to_owned).unwrap_or_default();
        let rules = rules(&written, config, &mut source);
        if written.list.file.is_empty() {
            source.fault(&["list", "file"], "no list", "name a .csv, .txt or .xlsx file");
        }
        let announces = !written.announcement.file.is_empty();
        if !announces && rules.mode == Mode::Announce {
            source.fault(&["announcement", "file"], "no announcement", "name a WAV or MP3 file");
        }
        if rules.pacing.shadow.is_some() && rules.agents.is_none() {
            source.fault(
                &["pacing", "shadow"],
                "no agents",
                "a shadow needs a campaign with an [agents] group",
            );
        }
        source.finish()?;
        let list = &written.list;
        Ok(LoadedCampaign {
            title: if written.title.is_empty() { written.name.clone() } else { written.title.clone() },
            list: ListSpec {
                file: dir.join(&list.file),
                phones: list.phones.clone(),
                household: list.household.clone(),
                name: list.name.clone(),
                region: list.region.clone(),
                blacklists: list.blacklists.iter().map(|file| dir.join(file)).collect(),
            },
            announcement: announces.then(|| dir.join(&written.announcement.file)),
            group: Some(written.agents.group.clone()).filter(|group| !group.is_empty()),
            sorry: Some(&written.announcement.sorry)
                .filter(|file| !file.is_empty())
                .map(|file| dir.join(file)),
            results_dir: dir.join(&written.results.dir),
            file: file.to_owned(),
            rules,
            text,
            warnings: Vec::new(),
        })
    }
}

fn rules(file: &CampaignFile, config: &Config, source: &mut Source<'_>) -> Campaign {
    let fine = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if file.name.is_empty() || file.name.len() > 64 || !file.name.chars().all(fine) {
        let found = format!("`{}` is no campaign name", file.name.escape_debug());
        source.fault(&["name"], found, "use up to 64 letters, digits, - and _; any script goes into `title`");
    }
    let agents = floor::agents(&file.agents, &file.dispositions, source);
    if file.mode != ModeWord::Announce && agents.is_none() {
        let found = format!("mode `{}` needs agents", mode(file.mode).word());
        source.fault(&["mode"], found, "name their group: [agents] group = \"…\"");
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
    if calling.concurrency_max > 999 {
        let found = format!("concurrency_max = {}", calling.concurrency_max);
        source.fault(&["calling", "concurrency_max"], found, "write 0 (no limit of its own) to 999");
    }
    if !(0.0..=1_000.0).contains(&calling.calls_per_sec) {
        let found = format!("calls_per_sec = {}", calling.calls_per_sec);
        source.fault(&["calling", "calls_per_sec"], found, "write 0 (the trunk's) to 1000");
    }
    let (start, end) = moments(calling, source);
    let retry = retry(&file.retry, source);
    let pacing = floor::pacing(&file.pacing, &retry, source);
    Campaign {
        id: CampaignId(0),
        name: file.name.clone(),
        mode: mode(file.mode),
        trunks: trunks(&file.trunks, config, source),
        ring: Duration::from_secs(u64::from(calling.ring_secs)),
        concurrency_max: (calling.concurrency_max > 0).then_some(calling.concurrency_max),
        calls_per_sec: (calling.calls_per_sec > 0.0).then_some(calling.calls_per_sec),
        windows: windows(calling, source),
        start,
        end,
        retry,
        announcement: (!file.announcement.file.is_empty()).then_some(announcement),
        keys: keys(&file.keys, agents.is_some(), source),
        caller_ids: caller_ids(&file.caller_ids, source),
        agents,
        pacing,
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
    // Without any configured trunk, the built-in simulated carrier replaces every named one.
    if config.trunks.is_empty() {
        return vec![TrunkId(0)];
    }
    let known: Vec<&str> = config.trunks.keys().map(String::as_str).collect();
    if named.is_empty() {
        return (0..known.len() as u16).map(TrunkId).collect();
    }
    let mut found = Vec::new();
    for name in named {
        match known.iter().position(|known| known == name) {
            Some(place) => found.push(TrunkId(place as u16)),
            None => {
                let hint = match nearest(name, &known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("paceline.toml has: {}", known.join(", ")),
                };
                source.fault(&["trunks"], format!("there is no trunk `{name}`"), hint);
            }
        }
    }
    found
}

fn windows(calling: &CallingTable, source: &mut Source<'_>) -> CallingWindows {
    if !CallingWindows::timezone_known(&calling.timezone) {
        let found = format!("`{}` is no time zone", calling.timezone);
        source.fault(&["calling", "timezone"], found, "write an IANA name, for example Asia/Shanghai");
    }
    let mut windows = Vec::new();
    for window in &calling.windows {
        match units::day_window(&window.days, &window.from, &window.to) {
            Ok(window) => windows.push(window),
            Err((found, hint)) => source.fault(&["calling", "windows"], found, hint),
        }
    }
    if calling.windows.is_empty() {
        let hint = "name at least one, for example { days = \"mon-sun\", from = \"08:00\", to = \"21:00\" }";
        source.fault(&["calling", "windows"], "no calling hours", hint);
    }
    CallingWindows { timezone: calling.timezone.clone(), windows }
}

fn moments(
    calling: &CallingTable,
    source: &mut Source<'_>,
) -> (Option<paceline_core::time::Utc>, Option<paceline_core::time::Utc>) {
    let mut read = |key: &str, text: &str| {
        if text.is_empty() {
            return None;
        }
        units::moment(text, &calling.timezone)
            .map_err(|(found, hint)| source.fault(&["calling", key], found, hint))
            .ok()
    };
    let (start, end) = (read("start", &calling.start), read("end", &calling.end));
    if let (Some(first), Some(last)) = (start, end)
        && last <= first
    {
        let found = format!("the end {} is not after the start {}", calling.end, calling.start);
        source.fault(&["calling", "end"], found, "write a later end");
    }
    (start, end)
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
        let delay = source.or_fault(&path, units::span(delay), Duration::ZERO);
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
        gap_min: source.or_fault(&["retry", "gap_min"], units::span(&table.gap_min), Duration::ZERO),
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
    Announcement {
        length: Duration::ZERO,
        plays: table.plays,
        input_wait: Duration::from_secs(u64::from(table.input_wait_secs)),
    }
}

fn keys(
    table: &BTreeMap<String, KeyTable>,
    agents_there: bool,
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
        if rule.agents && !agents_there {
            let found = format!("key {key} hands over to agents");
            source.fault(&["keys", key], found, "name their group: [agents] group = \"…\"");
        }
        let result = Some(rule.result.clone()).filter(|result| !result.is_empty());
        let KeyTable { repeat, agents, blacklist, .. } = *rule;
        keys.insert(digit, KeyRule { result, repeat, agents, blacklist });
    }
    keys
}

fn caller_ids(table: &CallerIdsTable, source: &mut Source<'_>) -> CallerIdRules {
    let mut numbers: Vec<CallerId> = Vec::new();
    for text in &table.numbers {
        match PhoneNumber::chinese(text.as_bytes()) {
            Ok(number) if numbers.iter().any(|known| known.number == number) => {
                source.fault(
                    &["caller_ids", "numbers"],
                    format!("`{text}` stands there twice"),
                    "remove one",
                );
            }
            Ok(number) => numbers.push(CallerId { number, shown: number.national() }),
            Err(_) => {
                let found = format!("`{}` is no number to show", text.escape_debug());
                let hint =
                    "write a mobile (13800138000), a landline with area code (075512345678) or a 400 number";
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::pacing::ledger::RuleSet;

    const LEAST: &str = "name = \"vote\"\nmode = \"announce\"\n[list]\nfile = \"list.csv\"\n\
                         [announcement]\nfile = \"notice.mp3\"\n";

    fn parse(text: &str) -> Result<LoadedCampaign, String> {
        let file = Path::new("campaigns/vote/campaign.toml");
        LoadedCampaign::parse(file, text.into(), &Config::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_least_file_has_the_contracts_defaults() {
        let campaign = parse(LEAST).expect("a campaign");
        assert_eq!(campaign.rules.ring, Duration::from_secs(45));
        assert_eq!(campaign.rules.retry.attempts_max, 3);
        assert_eq!(campaign.rules.windows.windows[0].from_minute, 480);
        assert_eq!(campaign.list.file, Path::new("campaigns/vote/list.csv"));
        assert_eq!(campaign.results_dir, Path::new("campaigns/vote/results"));
    }

    #[test]
    fn faults_name_line_and_what_to_do() {
        let check = |more: &str, expected: &str| {
            let error = parse(&format!("{LEAST}{more}")).expect_err(more);
            assert!(error.contains(expected), "{error}\nshould contain {expected}");
        };
        check("[callin]\nring_secs = 3\n", "campaign.toml:7: unknown key `callin`; did you mean `calling`?");
        check("[calling]\nring_secs = 3\n", "campaign.toml:8: ring_secs = 3; write 5 to 180");
        check("[calling]\nconcurrency_max = 1000\n", "campaign.toml:8: concurrency_max = 1000");
        check(
            "[calling]\ntimezone = \"Asia/Shanghia\"\n",
            "campaign.toml:8: `Asia/Shanghia` is no time zone",
        );
        check("[calling]\nring_secs = \"long\"\n", "campaign.toml:8: invalid type: string");
        check(
            "[retry.after]\nno_anwser = \"2h\"\n",
            "campaign.toml:8: `no_anwser` is no outcome; did you mean `no_answer`?",
        );
        check("[retry.after]\nanswered = \"2h\"\n", "`answered` cannot be retried");
        check("[retry]\ngap_min = \"half an hour\"\n", "campaign.toml:8: `half an hour` is no span");
        check("[keys]\n12 = { result = \"x\" }\n", "campaign.toml:8: `12` is no key");
        check("[caller_ids]\nnumbers = [\"110\"]\n", "campaign.toml:8: `110` is no number to show");
        check("[calling]\nstart = \"2026-11-22\"\nend = \"2026-11-21\"\n", "campaign.toml:9: the end");
    }

    #[test]
    fn the_abandon_ledger_is_set_by_the_words_of_its_rules() {
        let pacing = |more: &str| parse(&format!("{LEAST}{more}")).expect("a campaign").rules.pacing;
        let day = Duration::from_secs(24 * 3600);
        let least = pacing("");
        assert_eq!((least.abandon_rules, least.abandoned_rest), (RuleSet::default(), day * 3));
        let several = "[pacing]\nabandon_rules = [\"us_tsr\", \"rolling_24h\"]\nabandoned_rest = \"2d\"\n";
        let several = pacing(several);
        let rules: Vec<&str> = several.abandon_rules.iter().map(|rule| rule.word()).collect();
        assert_eq!((rules, several.abandoned_rest), (vec!["us_tsr", "rolling_24h"], day * 2));
        let word = serde_json::to_value(several.abandon_rules).expect("json");
        assert_eq!(word, serde_json::json!(["us_tsr", "rolling_24h"]));
        assert_eq!(serde_json::from_value::<RuleSet>(word).expect("a set"), several.abandon_rules);
        assert_eq!(pacing("[retry.after]\nabandoned = \"1d\"\n").abandoned_rest, day, "as the lead rests");
        for (more, expected) in [
            ("[pacing]\nabandon_rules = []\n", "campaign.toml:8: no rule says what the ceiling is of"),
            ("[pacing]\nabandon_rules = [\"fcc\"]\n", "us_tsr"),
            ("[pacing]\nabandoned_rest = \"soon\"\n", "campaign.toml:8: `soon` is no span"),
            (
                "[[dispositions]]\ncode = \"x\"\nstate = \"done\"\nmachine = true\ndefault = true\n",
                "is the default and says that a machine",
            ),
        ] {
            let error = parse(&format!("{LEAST}{more}")).expect_err(more);
            assert!(error.contains(expected), "{error}\nshould contain {expected}");
        }
    }

    #[test]
    fn several_faults_come_at_once() {
        let error =
            parse(&format!("{LEAST}[calling]\nring_secs = 1\nconcurrency_max = 5000\n")).expect_err("two");
        assert_eq!(error.lines().count(), 2, "{error}");
    }

    #[test]
    fn other_modes_need_a_group_of_agents() {
        let error = parse(&LEAST.replace("announce\"", "predictive\"")).expect_err("no agents");
        assert!(error.contains("campaign.toml:2: mode `predictive` needs agents"), "{error}");
        let staffed = format!("{}[agents]\ngroup = \"team\"\n", LEAST.replace("announce\"", "predictive\""));
        assert_eq!(parse(&staffed).expect("agents").rules.mode, Mode::Predictive);
    }
}
