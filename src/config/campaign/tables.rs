//! The tables of `campaign.toml` with their defaults. Doc comments are the descriptions in its JSON Schema.

use super::vote::VoteTable;
use crate::config::floor::{AgentsTable, DispositionTable, PacingTable};
use paceline_core::campaign::Share;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The tables of `campaign.toml`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignFile {
    /// Up to 64 letters, digits, `-` and `_`.
    pub name: String,
    /// The title on screens; any script.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub title: String,
    /// How calls are placed: `announce` without agents, or one of the modes with agents.
    pub mode: ModeWord,
    /// Trunk names, tried in this order. Empty = all that there are, or the built-in simulated carrier where it has
    /// none. `simulated`, alone, is that carrier whatever trunks there are.
    #[serde(default)]
    pub trunks: Vec<String>,
    #[serde(default)]
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
    /// An owners' vote that is counted by heads and by floor area. Without results that agree there is none.
    #[serde(default)]
    pub vote: VoteTable,
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
    /// `.csv`, `.txt` or `.xlsx`, beside this file. Only a campaign whose lists are uploaded has none.
    #[serde(default)]
    pub file: String,
    /// The sheet of a workbook, or a list of sheets; empty = every sheet that has a phone column and is not hidden.
    #[serde(default)]
    pub sheet: Names,
    /// Columns with numbers, dialled in this order; empty = found by header and values.
    #[serde(default)]
    pub phones: Vec<String>,
    /// Column of the household, or several columns (building, unit, room) that together name it: leads with the same
    /// values belong together; empty = found by header name.
    #[serde(default)]
    pub household: Names,
    /// Column of the lead's name; empty = found by header name.
    #[serde(default)]
    pub name: String,
    /// Country of numbers without a country code, as two letters.
    #[serde(default = "china")]
    pub region: String,
    /// Blacklist files, in addition to the system-wide blacklist.
    #[serde(default)]
    pub blacklists: Vec<String>,
    /// Rows of a blacklist that are no number and no prefix: `refuse` stops check and run, `skip` leaves them out with
    /// a warning.
    #[serde(default)]
    pub blacklist_rows: BlacklistRowsWord,
}

impl Default for ListTable {
    fn default() -> Self {
        ListTable {
            file: String::new(),
            sheet: Names::default(),
            phones: Vec::new(),
            household: Names::default(),
            name: String::new(),
            region: china(),
            blacklists: Vec::new(),
            blacklist_rows: BlacklistRowsWord::default(),
        }
    }
}

/// One name or a list of names.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged, expecting = "a name in quotes, or a list of names")]
pub enum Names {
    One(String),
    Several(Vec<String>),
}

impl Default for Names {
    fn default() -> Self {
        Names::Several(Vec::new())
    }
}

impl Names {
    /// The names that are not empty.
    pub fn to_vec(&self) -> Vec<String> {
        let names = match self {
            Names::One(name) => std::slice::from_ref(name),
            Names::Several(names) => names,
        };
        names.iter().filter(|name| !name.trim().is_empty()).cloned().collect()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BlacklistRowsWord {
    #[default]
    Refuse,
    Skip,
}

fn china() -> String {
    "CN".into()
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CallingTable {
    /// How long a callee's phone rings at most, in seconds, from the moment the carrier reports that it rings.
    pub ring_secs: u32,
    /// How long a call may take until the phone rings, in seconds (a mobile takes 5 to 10, abroad up to 20);
    /// then it is cancelled as `unreachable`. A trunk that never reports ringing needs the ring time here.
    pub setup_secs: u32,
    /// Most calls at the same time, up to 999; 0 = no limit of the campaign's own.
    pub concurrency_max: u32,
    /// Calls started per second; 0 = the trunk's limit.
    pub calls_per_sec: f64,
    /// Which campaign gets a line first where several want it: 1 (first) to 9.
    pub priority: u8,
    /// Share of the lines among campaigns of one priority, 1 to 100: one with 2 gets twice the lines of one with 1.
    pub weight: u32,
    /// Lines that no other campaign takes while this one may call; 0 = none.
    pub lines_reserved: u32,
    /// IANA time zone of all hours and dates of the campaign; or `number`: the hours are those of each number's own
    /// zone, by country and area code.
    pub timezone: String,
    /// Calling hours.
    pub windows: Vec<WindowTable>,
    /// Days without calls: dates and ranges (`2027-02-05..2027-02-12`), or the path of a file with one a line (or of an
    /// `.ics` calendar), beside this file.
    pub holidays: Names,
    /// First moment of dialling, a date (from its first moment) or date-time; empty = no limit.
    pub start: String,
    /// Last moment of dialling, a date (to the end of that day) or date-time; empty = no limit.
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
    /// Shortest gap between two attempts to a number.
    pub gap_min: String,
    /// Delay before the next attempt, by outcome. An outcome that is not named is final, except those that say
    /// nothing about the callee: `line_fault` is tried again after 5m, `interrupted`, `cancelled` and
    /// `agent_failed` after 10m.
    pub after: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AnnouncementTable {
    /// WAV or MP3, any rate, mono or stereo.
    pub file: String,
    /// How many times the announcement plays.
    pub plays: u32,
    /// Silence between the answer and the first play, in milliseconds: some phones and gateways lose the first
    /// words. The time counts while the callee can hear.
    pub pause_ms: u32,
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
    /// How the number of the next call is chosen.
    pub rotation: RotationWord,
    /// A household sees the same number at every call.
    pub sticky: bool,
    /// Most calls per hour from one number; 0 = no cap.
    pub per_hour_max: u32,
    /// Most calls in 24 hours from one number; 0 = no cap.
    pub per_day_max: u32,
    /// A new number starts with few calls.
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
            setup_secs: 30,
            concurrency_max: 0,
            calls_per_sec: 0.0,
            priority: Share::default().priority,
            weight: Share::default().weight,
            lines_reserved: 0,
            timezone: "Asia/Shanghai".into(),
            windows: vec![WindowTable { days: "mon-sun".into(), from: "08:00".into(), to: "21:00".into() }],
            holidays: Names::default(),
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
        AnnouncementTable {
            file: String::new(),
            plays: 1,
            pause_ms: 0,
            input_wait_secs: 5,
            sorry: String::new(),
        }
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
