//! The people file: the simulated callees and their carrier, as TOML in which every key may be left out. The
//! scenario of one call is drawn in `call_scenario`.

use paceline_core::call::Digit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::call_scenario::Behaviour;
use super::random::SimRng;

/// All callees, and the carrier through which they are called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Population {
    /// The same seed makes the same callees, whatever the order in which they are called.
    pub seed: u64,
    pub shares: Shares,
    pub blocked: Blocked,
    pub post_dial: PostDial,
    pub ring: Ring,
    pub refusal: Refusal,
    pub keys: Keys,
    pub listening: Listening,
    pub talk: Talk,
    pub early_media: EarlyMedia,
    pub hours: Hours,
    pub trouble: Trouble,
    pub access: Access,
    pub limits: Limits,
    /// Caller IDs beside which callees see a warning, as they are dialled at home: `075512345678`.
    pub marked: BTreeMap<String, MarkedNumber>,
}

/// What happens to calls that show a marked number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarkedNumber {
    /// Share of those who would answer that still do.
    pub answer: f64,
    /// Share of calls that the carrier refuses with 403.
    pub blocked: f64,
}

impl Default for MarkedNumber {
    fn default() -> Self {
        MarkedNumber { answer: 0.5, blocked: 0.0 }
    }
}

/// Weights of call behaviours; they need not sum to one. Vacant, suspended and restricted are traits of the
/// number and stay with it; the rest is drawn for each call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shares {
    pub answer: f64,
    /// Answered by a machine: indistinguishable on the wire, presses no keys.
    pub voicemail: f64,
    pub busy: f64,
    pub no_answer: f64,
    pub reject: f64,
    pub powered_off: f64,
    pub unreachable: f64,
    pub vacant: f64,
    pub suspended: f64,
    pub restricted: f64,
}

impl Default for Shares {
    fn default() -> Self {
        Shares {
            answer: 0.42,
            voicemail: 0.03,
            busy: 0.09,
            no_answer: 0.27,
            reject: 0.04,
            powered_off: 0.05,
            unreachable: 0.03,
            vacant: 0.04,
            suspended: 0.02,
            restricted: 0.01,
        }
    }
}

/// Callees that the carrier refuses with 403.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Blocked {
    /// First digits of the national number: `0991`, `170`.
    pub prefixes: Vec<String>,
    /// Share of all other numbers that are blocked too.
    pub share: f64,
}

/// A duration with a long tail: log-normal around its median, clamped at both ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    pub median_secs: f64,
    /// Standard deviation of the logarithm; 0 = always the median.
    #[serde(default)]
    pub sigma: f64,
    #[serde(default)]
    pub min_secs: f64,
    #[serde(default = "ten_minutes")]
    pub max_secs: f64,
}

fn ten_minutes() -> f64 {
    600.0
}

impl Spread {
    pub const fn new(median_secs: f64, sigma: f64, min_secs: f64, max_secs: f64) -> Self {
        Spread { median_secs, sigma, min_secs, max_secs }
    }

    pub fn draw(&self, rng: &mut SimRng) -> Duration {
        let secs = self.median_secs * (self.sigma * rng.normal()).exp();
        let secs = secs.clamp(self.min_secs, self.max_secs.max(self.min_secs));
        Duration::from_millis((secs * 1000.0).round() as u64)
    }

    fn problem(&self) -> Option<&'static str> {
        let all = [self.median_secs, self.sigma, self.min_secs, self.max_secs];
        if all.iter().any(|value| !value.is_finite() || *value < 0.0) {
            Some("a time needs values of zero or more")
        } else if self.max_secs > 86_400.0 {
            Some("a time is at most a day (86400 seconds)")
        } else if self.max_secs < self.min_secs {
            Some("max_secs is below min_secs")
        } else {
            None
        }
    }
}

/// Post-dial delay: from the INVITE to the first ring, or to the refusal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PostDial {
    pub delay: Spread,
}

impl Default for PostDial {
    fn default() -> Self {
        PostDial { delay: Spread::new(1.2, 0.4, 0.2, 6.0) }
    }
}

/// From the first ring to the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ring {
    pub until_answer: Spread,
    /// The carrier ends an unanswered call by itself (480, Q.850 cause 19).
    pub carrier_gives_up_secs: f64,
}

impl Default for Ring {
    fn default() -> Self {
        Ring { until_answer: Spread::new(9.0, 0.5, 1.0, 50.0), carrier_gives_up_secs: 60.0 }
    }
}

/// Delay of a refusal that a person or an announcement makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Refusal {
    /// From the first ring to the callee's decline.
    pub reject_after: Spread,
    /// Length of an early-media announcement before the final response.
    pub announcement: Spread,
}

impl Default for Refusal {
    fn default() -> Self {
        Refusal {
            reject_after: Spread::new(5.0, 0.5, 1.0, 20.0),
            announcement: Spread::new(8.0, 0.2, 3.0, 20.0),
        }
    }
}

/// DTMF keys that callees press after the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// Share of answered calls that press this key first; the rest press none.
    pub press: BTreeMap<Digit, f64>,
    /// From the answer to the first key.
    pub after: Spread,
    /// Share of those who press a second key, drawn like the first.
    pub second: f64,
    /// Share of those whose phone sends keys by SIP INFO instead of RFC 4733.
    pub by_info: f64,
}

impl Default for Keys {
    fn default() -> Self {
        let press = [('1', 0.38), ('2', 0.10), ('3', 0.05), ('9', 0.04), ('*', 0.01)];
        Keys {
            press: press
                .into_iter()
                .filter_map(|(key, share)| Some((Digit::from_char(key)?, share)))
                .collect(),
            after: Spread::new(8.0, 0.5, 1.0, 60.0),
            second: 0.05,
            by_info: 0.02,
        }
    }
}

/// How long callees stay on the line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listening {
    /// Share that hangs up early, and after how long.
    pub early_share: f64,
    pub early_after: Spread,
    /// Share of the others that stays until the dialer hangs up; the rest leaves after `talk`.
    pub to_the_end: f64,
}

impl Default for Listening {
    fn default() -> Self {
        Listening { early_share: 0.18, early_after: Spread::new(4.0, 0.7, 0.3, 30.0), to_the_end: 0.85 }
    }
}

/// Length of a call that the callee ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Talk {
    pub time: Spread,
}

impl Default for Talk {
    fn default() -> Self {
        Talk { time: Spread::new(45.0, 0.6, 5.0, 600.0) }
    }
}

/// 183 with audio before the answer or the refusal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyMedia {
    /// Announcements and busy tones before a refusal.
    pub announcements: bool,
    /// Share of ringing calls whose ring-back tone comes as audio (183) rather than as a bare 180.
    pub ring_back_share: f64,
    /// WAV or MP3 instead of the generated tones, by what it announces: `vacant`, `powered_off`, `suspended`,
    /// `unreachable`, `restricted`, `busy`; `voicemail` and `answer` are played after the answer. Paths are
    /// relative to the people file.
    pub files: BTreeMap<String, PathBuf>,
}

impl Default for EarlyMedia {
    fn default() -> Self {
        EarlyMedia { announcements: true, ring_back_share: 0.3, files: BTreeMap::new() }
    }
}

/// Answer rates by hour of the day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hours {
    /// 24 factors from 0 to 1 on the share of answered calls, from midnight on; empty = always 1.
    pub answer: Vec<f64>,
    /// The callees' time zone, in minutes east of UTC.
    pub utc_offset_minutes: i32,
}

/// Faults of the carrier and its network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trouble {
    /// Share of calls refused with 503 and Retry-After.
    pub unavailable: f64,
    pub retry_after_secs: u32,
    /// Share of calls whose first response (even the 100) is late.
    pub slow: f64,
    pub slow_by: Spread,
    /// Share of datagrams lost, each way.
    pub lost: f64,
    /// Share of unanswered calls that are answered at the instant in which the CANCEL arrives.
    pub late_answer: f64,
    /// Share of calls that never get a response.
    pub silent: f64,
}

impl Default for Trouble {
    fn default() -> Self {
        Trouble {
            unavailable: 0.0,
            retry_after_secs: 5,
            slow: 0.0,
            slow_by: Spread::new(2.0, 0.5, 0.5, 10.0),
            lost: 0.0,
            late_answer: 0.0,
            silent: 0.0,
        }
    }
}

/// Digest authentication of callers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// INVITEs without credentials get 407 (or 401).
    pub challenge: bool,
    /// 401 with WWW-Authenticate instead of 407 with Proxy-Authenticate.
    pub as_registrar: bool,
    pub realm: String,
    pub username: String,
    pub password: String,
}

impl Default for Access {
    fn default() -> Self {
        Access {
            challenge: false,
            as_registrar: false,
            realm: "carrier.example".into(),
            username: "paceline".into(),
            password: "paceline".into(),
        }
    }
}

/// The carrier's limits for one customer; calls beyond them get 503.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// 0 = no limit.
    pub calls_max: u32,
    /// 0 = no limit.
    pub calls_per_sec: u32,
}

/// Why a people file was rejected.
#[derive(Debug, thiserror::Error)]
pub enum PopulationError {
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    #[error("{key}: {what}")]
    Value { key: String, what: String },
}

impl Population {
    /// Reads and checks a people file.
    pub fn parse(text: &str) -> Result<Population, PopulationError> {
        let people: Population = toml::from_str(text)?;
        people.check()?;
        Ok(people)
    }

    fn check(&self) -> Result<(), PopulationError> {
        let wrong = |key: &str, what: &str| PopulationError::Value { key: key.into(), what: what.into() };
        if self.shares.weights().iter().any(|weight| !weight.is_finite() || *weight < 0.0) {
            return Err(wrong("shares", "a weight is zero or more"));
        }
        if self.shares.weights().iter().sum::<f64>() <= 0.0 {
            return Err(wrong("shares", "at least one weight must be above zero"));
        }
        let portions = [
            ("blocked.share", self.blocked.share),
            ("keys.press", self.keys.press.values().sum()),
            ("keys.second", self.keys.second),
            ("keys.by_info", self.keys.by_info),
            ("listening.early_share", self.listening.early_share),
            ("listening.to_the_end", self.listening.to_the_end),
            ("early_media.ring_back_share", self.early_media.ring_back_share),
            ("trouble.slow", self.trouble.slow),
            ("trouble.lost", self.trouble.lost),
            ("trouble.late_answer", self.trouble.late_answer),
            ("trouble.unavailable + trouble.silent", self.trouble.unavailable + self.trouble.silent),
        ];
        for (key, share) in portions {
            if !(0.0..=1.0 + 1e-9).contains(&share) {
                return Err(wrong(key, "a share lies between 0 and 1"));
            }
        }
        if self.keys.press.values().any(|share| *share < 0.0) {
            return Err(wrong("keys.press", "a share lies between 0 and 1"));
        }
        let spreads = [
            ("post_dial.delay", self.post_dial.delay),
            ("ring.until_answer", self.ring.until_answer),
            ("ring.carrier_gives_up_secs", Spread::new(self.ring.carrier_gives_up_secs, 0.0, 0.0, 0.0)),
            ("refusal.reject_after", self.refusal.reject_after),
            ("refusal.announcement", self.refusal.announcement),
            ("keys.after", self.keys.after),
            ("listening.early_after", self.listening.early_after),
            ("talk.time", self.talk.time),
            ("trouble.slow_by", self.trouble.slow_by),
        ];
        for (key, spread) in spreads {
            if let Some(what) = spread.problem() {
                return Err(wrong(key, what));
            }
        }
        let spoken = Behaviour::SPOKEN.map(Behaviour::word);
        if let Some(unknown) = self.early_media.files.keys().find(|key| !spoken.contains(&key.as_str())) {
            return Err(wrong(
                &format!("early_media.files.{unknown}"),
                &format!("one of {}", spoken.join(", ")),
            ));
        }
        for (number, mark) in &self.marked {
            if ![mark.answer, mark.blocked].iter().all(|share| (0.0..=1.0).contains(share)) {
                return Err(wrong(&format!("marked.{number}"), "a share lies between 0 and 1"));
            }
        }
        if !matches!(self.hours.answer.len(), 0 | 24) {
            return Err(wrong("hours.answer", "24 factors are needed, one for each hour, or none"));
        }
        if self.hours.answer.iter().any(|factor| !(0.0..=1.0).contains(factor)) {
            return Err(wrong("hours.answer", "a factor lies between 0 and 1"));
        }
        Ok(())
    }
}

impl Shares {
    /// In the order of `call_scenario::DRAWN`, traits of the number first.
    pub(super) fn weights(&self) -> [f64; 10] {
        [
            self.vacant,
            self.suspended,
            self.restricted,
            self.answer,
            self.voicemail,
            self.busy,
            self.no_answer,
            self.reject,
            self.powered_off,
            self.unreachable,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_gives_the_defaults() {
        assert_eq!(Population::parse("").expect("empty"), Population::default());
    }

    #[test]
    fn the_sample_file_is_valid() {
        let people = Population::parse(include_str!("../../campaigns/people.toml")).expect("our own sample");
        assert_eq!(people.shares, Shares::default());
        assert_eq!(people.hours.answer.len(), 24);
    }

    #[test]
    fn every_part_can_be_set() {
        let people = Population::parse(
            r#"
            seed = 7
            [shares]
            answer = 1.0
            [blocked]
            prefixes = ["0991"]
            [ring]
            until_answer = { median_secs = 3, sigma = 0.1, min_secs = 1, max_secs = 9 }
            [keys]
            press = { 1 = 0.5, "*" = 0.5 }
            [access]
            challenge = true
            [limits]
            calls_max = 4
            "#,
        )
        .expect("valid");
        assert_eq!(people.keys.press.len(), 2);
        assert_eq!(people.ring.until_answer.median_secs, 3.0);
        assert_eq!(people.limits.calls_max, 4);
    }

    #[test]
    fn a_wrong_file_is_refused_with_the_key_or_the_line() {
        let table = [
            ("[shares]\nanswr = 1", "answr"),
            ("[shares]\nanswer = -1", "shares"),
            ("[keys]\npress = { 1 = 0.9, 2 = 0.9 }", "keys.press"),
            ("[keys]\npress = { x = 0.1 }", "key"),
            ("[hours]\nanswer = [1.0]", "24"),
            ("[talk]\ntime = { median_secs = nan }", "talk.time"),
            ("[talk]\ntime = { median_secs = 1, max_secs = 1e300 }", "talk.time"),
            ("[trouble]\nlost = 2", "trouble.lost"),
            ("[early_media]\nfiles = { vacnt = \"x.wav\" }", "vacnt"),
        ];
        for (text, expected) in table {
            let error = Population::parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_spread_keeps_its_median_and_its_bounds() {
        let spread = Spread::new(10.0, 0.5, 4.0, 30.0);
        let mut rng = SimRng::new(3);
        let mut drawn: Vec<Duration> = (0..4_001).map(|_| spread.draw(&mut rng)).collect();
        drawn.sort();
        let median = drawn[2_000].as_secs_f64();
        assert!((9.5..10.5).contains(&median), "{median}");
        assert!(drawn[0] >= Duration::from_secs(4) && drawn[4_000] <= Duration::from_secs(30));
    }
}
