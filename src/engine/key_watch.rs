//! Notices a trunk whose calls tell no keys although the campaign asks for some: a vote over it looks like silence.

use paceline_core::dialer::output::AttemptResult;
use paceline_core::time::Duration;
use std::collections::BTreeMap;

/// Calls in a row that heard the whole announcement and pressed nothing before a word is said of it. Of callees who
/// listen to the end more than one in ten presses a key, so it is no chance.
const SILENT_CALLS: u32 = 20;

/// The keys of one campaign's calls by trunk.
#[derive(Clone, Debug, Default)]
pub struct KeyWatch {
    /// Length of one play of the announcement; `None` = the campaign asks for no keys.
    announcement: Option<Duration>,
    trunks: BTreeMap<String, TrunkKeys>,
}

#[derive(Clone, Copy, Debug, Default)]
struct TrunkKeys {
    silent_calls: u32,
    has_told_keys: bool,
}

impl KeyWatch {
    pub fn new(announcement: Option<Duration>) -> Self {
        KeyWatch { announcement, trunks: BTreeMap::new() }
    }

    /// Whether keys are awaited.
    pub fn awaits_keys(&self) -> bool {
        self.announcement.is_some()
    }

    /// Takes the result of a call. Returns the number of calls without a key when it reaches the limit.
    pub fn call_ended(&mut self, trunk: &str, result: &AttemptResult) -> Option<u32> {
        let announcement = self.announcement?;
        let answered = result.answered_at?;
        let lasted = result.ended_at.as_millis() - answered.as_millis();
        let keys = self.trunks.entry(trunk.to_owned()).or_default();
        keys.has_told_keys |= !result.keys.is_empty();
        if keys.has_told_keys || lasted < (announcement.as_secs_f64() * 1_000.0) as i64 {
            return None;
        }
        keys.silent_calls = keys.silent_calls.saturating_add(1);
        (keys.silent_calls == SILENT_CALLS).then_some(SILENT_CALLS)
    }

    /// Trunks that have told no key in enough calls.
    pub fn silent_trunks(&self) -> impl Iterator<Item = &str> {
        let silent = |keys: &TrunkKeys| !keys.has_told_keys && keys.silent_calls >= SILENT_CALLS;
        self.trunks.iter().filter(move |(_, keys)| silent(keys)).map(|(trunk, _)| trunk.as_str())
    }
}
