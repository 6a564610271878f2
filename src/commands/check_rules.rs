//! What the settings of a campaign mean for its calls: which outcomes are retried, and whether agents can pick up in
//! time.

use crate::config::{Config, LoadedCampaign};
use crate::output::print_line;
use crate::store::Store;
use paceline_core::campaign::Mode;
use paceline_core::campaign::retry::usual_retry;
use paceline_core::outcome::{LeadState, Outcome};
use paceline_core::time::Duration;
use serde::Serialize;
use std::collections::BTreeMap;

/// People pick a phone up within 3 to 6 s of its ring.
const PICK_UP: Duration = Duration::from_secs(6);

/// Retries by outcome, as they hold: delays in seconds, the least gap between two calls included.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Retries {
    /// Named in `[retry.after]`.
    named: BTreeMap<&'static str, u64>,
    /// Not named there; the built-in delay holds.
    usual: BTreeMap<&'static str, u64>,
    /// Not called again.
    last: Vec<&'static str>,
}

impl Retries {
    pub fn of(loaded: &LoadedCampaign) -> Retries {
        let rules = &loaded.rules.retry;
        let mut retries = Retries { named: BTreeMap::new(), usual: BTreeMap::new(), last: Vec::new() };
        for outcome in Outcome::ALL.iter().copied() {
            let gap = if outcome == Outcome::LineFault { Duration::ZERO } else { rules.gap_min };
            let secs = |delay: Duration| delay.max(gap).as_secs();
            match (rules.after.get(&outcome), usual_retry(outcome)) {
                (Some(named), _) => _ = retries.named.insert(outcome.word(), secs(*named)),
                (None, Some(usual)) => _ = retries.usual.insert(outcome.word(), secs(usual)),
                (None, None) => retries.last.push(outcome.word()),
            }
        }
        retries
    }

    pub fn show(&self) {
        let list = |delays: &BTreeMap<&'static str, u64>| match delays.is_empty() {
            true => "none".to_owned(),
            false => delays
                .iter()
                .map(|(word, secs)| format!("{word} after {}", span(*secs)))
                .collect::<Vec<_>>()
                .join(", "),
        };
        print_line!("  retries by [retry.after]: {}", list(&self.named));
        print_line!("    usual, as it names none: {}", list(&self.usual));
        print_line!("    not called again: {}", self.last.join(", "));
    }
}

/// `90s`, `10m`, `2h`, `1d`.
fn span(secs: u64) -> String {
    match secs {
        0 => "0s".into(),
        secs if secs % 86_400 == 0 => format!("{}d", secs / 86_400),
        secs if secs % 3_600 == 0 => format!("{}h", secs / 3_600),
        secs if secs % 60 == 0 => format!("{}m", secs / 60),
        secs => format!("{secs}s"),
    }
}

/// A warning where phones that are rung for each call can hardly be picked up within the callee's wait.
pub(super) fn pick_up_warning(loaded: &LoadedCampaign) -> Option<String> {
    let rules = &loaded.rules;
    let waits = matches!(rules.mode, Mode::Progressive | Mode::Ratio | Mode::Predictive);
    let wait = rules.pacing.answer_wait;
    if !waits || wait >= PICK_UP {
        return None;
    }
    let secs = wait.as_secs_f64();
    Some(format!(
        "answer_wait_secs = {secs}: an agent whose phone is rung for each call (holding per_call) has {secs} s from the \
         callee's answer to pick it up, and people take 3 to 6 s, so most of those callees are abandoned: let agents \
         sign in with holding nailed_up, or write {} or more in [pacing] answer_wait_secs",
        PICK_UP.as_secs()
    ))
}

/// Leads that are done without any key after which the trunk is suspected: of people who listen to the end more than
/// one in ten presses one.
const KEYLESS_LEADS: u64 = 20;

/// A warning where the campaign waits for keys and its calls so far have brought none. Without a store, or before the
/// campaign's first run, nothing is known.
pub(super) async fn keyless_warning(loaded: &LoadedCampaign, config: &Config) -> Option<String> {
    if loaded.rules.keys.is_empty() {
        return None;
    }
    let mut reader = Store::open_reader(&config.store.url).await.ok()?;
    let record = reader.campaign(&loaded.rules.name).await.ok()?;
    let counts = reader.counts(record.id).await.ok()?;
    let done = counts.leads.get(LeadState::Done.word()).copied().unwrap_or(0);
    if done < KEYLESS_LEADS || !counts.keys_by_way.is_empty() {
        return None;
    }
    let known = config.known_trunks();
    let used = known.iter().filter(|(_, it)| loaded.rules.trunks.contains(&it.id));
    let used: Vec<&str> = used.map(|(name, _)| name.as_str()).collect();
    Some(format!(
        "[keys] waits for keys, and the calls to {done} leads that are done brought none (trunk {}): press one on a test \
         call, and ask the carrier for RFC 4733",
        if used.is_empty() { "simulated".to_owned() } else { used.join(", ") }
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn campaign(more: &str) -> LoadedCampaign {
        let text = format!(
            "name = \"vote\"\nmode = \"progressive\"\n[list]\nfile = \"list.csv\"\n[agents]\ngroup = \"team\"\n{more}"
        );
        LoadedCampaign::parse(Path::new("campaign.toml"), text, &Config::default()).expect("a campaign")
    }

    #[test]
    fn every_outcome_is_retried_as_named_or_as_usual_or_not_at_all() {
        let retries = Retries::of(&campaign("[retry]\ngap_min = \"20m\"\n[retry.after]\nbusy = \"10m\"\n"));
        assert_eq!(retries.named, [("busy", 1_200)].into(), "not before the least gap");
        assert_eq!((retries.usual["line_fault"], retries.usual["interrupted"]), (300, 1_200));
        assert!(retries.last.contains(&"answered") && retries.last.contains(&"no_answer"));
        let all = retries.named.len() + retries.usual.len() + retries.last.len();
        assert_eq!(all, Outcome::ALL.len());
        assert_eq!([0, 90, 600, 7_200, 172_800].map(span), ["0s", "90s", "10m", "2h", "2d"]);
    }

    #[test]
    fn a_wait_in_which_no_phone_is_picked_up_is_warned_of_with_numbers() {
        let warning = pick_up_warning(&campaign("")).expect("two seconds are short");
        assert!(warning.contains("answer_wait_secs = 2:") && warning.contains("3 to 6 s"), "{warning}");
        assert_eq!(pick_up_warning(&campaign("[pacing]\nanswer_wait_secs = 6\n")), None);
    }
}
