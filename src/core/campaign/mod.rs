//! One campaign's rules, validated when they were read. The parts with arithmetic have files of their own:
//! `window` (calling hours), `retry`, `caller_id`, `hopper`.

pub mod agents;
pub mod callee_pattern;
pub mod caller_id;
pub mod hopper;
pub mod lease;
pub mod retry;
pub mod share;
pub mod window;

use crate::call::Digit;
use crate::ids::{CampaignId, TrunkId};
use crate::number::PhoneNumber;
use crate::time::{Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use agents::{AgentRules, Disposition, PacingRules, Preview, Recorded};
pub use callee_pattern::{CalleePattern, HomeCountry, NotCalleePattern};
pub use caller_id::{CallerId, CallerIdRules, Rotation};
pub use retry::RetryRules;
pub use share::Share;
pub use window::{CallingWindows, DayWindow};

/// How a campaign places calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Announce,
    Preview,
    Progressive,
    Ratio,
    Predictive,
}

impl Mode {
    pub const fn word(self) -> &'static str {
        match self {
            Mode::Announce => "announce",
            Mode::Preview => "preview",
            Mode::Progressive => "progressive",
            Mode::Ratio => "ratio",
            Mode::Predictive => "predictive",
        }
    }
}

/// The rules of one campaign, complete and consistent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    pub id: CampaignId,
    pub name: String,
    pub mode: Mode,
    /// In order of priority.
    pub trunks: Vec<TrunkId>,
    /// How long a phone may ring before the call is cancelled, from the first report that it rings.
    pub ring: Duration,
    /// How long a call may take until the phone rings, unless its trunk says otherwise.
    pub setup: Duration,
    /// Calls at once; `None` = no limit of its own. At most 999.
    pub concurrency_max: Option<u32>,
    /// Calls started per second; `None` = the trunk's limit alone.
    pub calls_per_sec: Option<f64>,
    pub windows: CallingWindows,
    /// First and last moment of calling.
    pub start: Option<Utc>,
    pub end: Option<Utc>,
    pub retry: RetryRules,
    pub announcement: Option<Announcement>,
    pub keys: BTreeMap<Digit, KeyRule>,
    pub caller_ids: CallerIdRules,
    /// Agents; `None` = no agents (mode `announce` without a key that transfers to them).
    pub agents: Option<AgentRules>,
    pub pacing: PacingRules,
    /// Country of the list: what a trunk without `allow` may carry.
    pub home: HomeCountry,
}

/// The announcement as the dialer needs it: length and plays. The sound stays in the media thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Length of one play.
    pub length: Duration,
    pub plays: u32,
    /// Silence between the answer and the first play.
    pub pause: Duration,
    /// How long a key is awaited after the last play. The call lasts at most `plays x length + input_wait`
    /// from the start of playing (a key that repeats starts it again), while the callee can hear it.
    pub input_wait: Duration,
}

/// What a key press does. Empty = the key is noted without effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRule {
    /// Sets the lead's result.
    pub result: Option<String>,
    /// Plays the announcement again from its start.
    pub repeat: bool,
    /// Transfers the callee to the agent group.
    pub agents: bool,
    /// Puts the number on the campaign's "do not call me again" list and ends the call.
    pub blacklist: bool,
}

/// Name of the built-in simulated carrier's trunk; no configured trunk may have it.
pub const SIMULATED_TRUNK: &str = "simulated";

/// Name of the system's own campaign of test calls over a trunk (`paceline trunk test`).
pub const TRUNK_TEST: &str = "_trunk_test";

/// Whether a campaign of this name is the system's own: it has no file and no list, and stands in no list of
/// campaigns; its calls are in the log of calls.
pub fn is_system_name(name: &str) -> bool {
    name.starts_with('_')
}

/// A trunk as the dialer needs it. Its address and credentials belong to SIP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trunk {
    pub id: TrunkId,
    pub name: String,
    /// Calls at once.
    pub calls_max: u32,
    pub calls_per_sec: f64,
    /// How long a call over this trunk may take until the phone rings; `None` = the campaign's.
    pub setup: Option<Duration>,
    /// Callees that this trunk may carry; empty = those of the campaign's home country.
    pub allow: Vec<CalleePattern>,
    /// Callees that it may not carry, whatever `allow` says.
    pub deny: Vec<CalleePattern>,
}

impl Trunk {
    /// Whether this trunk may carry a call to `number` for a campaign whose list is of `home`.
    pub fn carries(&self, number: PhoneNumber, home: &HomeCountry) -> bool {
        let is_allowed = match self.allow.is_empty() {
            true => home.has(number),
            false => self.allow.iter().any(|pattern| pattern.matches(number, home)),
        };
        // `0*` denies numbers abroad too: they are dialled `00…`, and a prohibition is read widely.
        let is_denied = |pattern: &CalleePattern| {
            pattern.matches(number, home) || pattern.as_str() == "0*" && !home.has(number)
        };
        is_allowed && !self.deny.iter().any(is_denied)
    }
}
