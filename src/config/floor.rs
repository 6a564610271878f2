//! The `[agents]`, `[[dispositions]]` and `[pacing]` tables of `campaign.toml`, and their conversion to the
//! core's rules.

use super::problem::Source;
use super::units::parse_span;
use paceline_core::agent::{Strategy, WrapUp};
use paceline_core::campaign::{AgentRules, Disposition, Mode, PacingRules, Preview, Recorded, RetryRules};
use paceline_core::ids::GroupId;
use paceline_core::outcome::{LeadState, Outcome};
use paceline_core::pacing::ledger::Rule;
use paceline_core::pacing::shadow::ShadowRules;
use paceline_core::time::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PacingTable {
    /// Mode ratio: lines = ratio x idle agents.
    pub call_ratio: f64,
    /// Modes ratio and predictive: the highest abandon rate in percent, by each of `abandon_rules`. A
    /// ceiling, not a target.
    pub abandon_rate_pct_max: f64,
    /// How abandoned calls are counted. The strictest of these rules limits dialling; all are shown.
    pub abandon_rules: Vec<RuleWord>,
    /// How long no campaign calls an abandoned number again, unless an agent is reserved for that call. Empty
    /// = as `abandoned` in `[retry.after]` says, or 72h without it.
    pub abandoned_rest: String,
    /// An answered call that waits longer than this for an agent is abandoned, counted from the callee's answer,
    /// whatever agents' phones do. Where phones are rung for each call (holding `per_call`), people need 6 s or more.
    pub answer_wait_secs: f64,
    /// Nothing is placed while more callees than this wait for an agent.
    pub waiting_max: u32,
    /// Mode predictive: ringing calls may be cancelled, not before 15 seconds, when all agents have become
    /// busy.
    pub may_cancel: bool,
    /// Another setting that runs beside this one on the same calls and agents, and is compared with it.
    /// It never places a call.
    pub shadow: Option<ShadowTable>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShadowTable {
    pub mode: ShadowWord,
    /// Mode ratio: lines = ratio x idle agents.
    #[serde(default = "usual_ratio")]
    pub call_ratio: f64,
    /// The shadow's highest abandon rate, in percent.
    #[serde(default = "usual_ceiling")]
    pub abandon_rate_pct_max: f64,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShadowWord {
    Progressive,
    Ratio,
    Predictive,
}

fn usual_ratio() -> f64 {
    PacingTable::default().call_ratio
}

fn usual_ceiling() -> f64 {
    PacingTable::default().abandon_rate_pct_max
}

impl ShadowTable {
    /// The core's rules; values outside the range that `[pacing]` allows are clamped.
    pub fn rules(&self) -> ShadowRules {
        ShadowRules {
            mode: match self.mode {
                ShadowWord::Progressive => Mode::Progressive,
                ShadowWord::Ratio => Mode::Ratio,
                ShadowWord::Predictive => Mode::Predictive,
            },
            call_ratio: self.call_ratio.clamp(0.1, 10.0),
            abandon_rate_max: self.abandon_rate_pct_max.clamp(0.0, 100.0) / 100.0,
        }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AgentsTable {
    /// The group that answers. Needed by every mode but `announce`, and by a key with `agents = true`.
    pub group: String,
    /// Which idle agent gets the next call.
    pub strategy: StrategyWord,
    /// After which calls the agent gets wrap-up time: any that rang, answered ones, or none.
    pub wrap_up: WrapUpWord,
    /// Length of the wrap-up.
    pub wrap_up_secs: u32,
    /// Plays "Agent 8001, at your service" before agent and callee talk.
    pub announce_agent_id: bool,
    /// How long a phone that is rung per call may ring before the next agent is tried.
    pub ring_secs: u32,
    /// How long a caller, or a callee who pressed a key for an agent, waits before the sorry message.
    pub wait_secs: u32,
    /// The agent who spoke with the household before gets its next call, when free.
    pub prefer_last: bool,
    /// Mode preview: `click` = the agent dials, `timed` = the system does after `preview_secs`.
    pub preview: PreviewWord,
    /// Countdown of a timed preview.
    pub preview_secs: u32,
    /// Seconds that the agent can add to the countdown of a timed preview.
    pub extend_secs: u32,
    /// Which conversations are recorded.
    pub record: RecordWord,
    /// Every conversation needs a disposition; without one in time the default is written and marked as such.
    pub summary_required: bool,
}

/// A way of counting abandoned calls.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleWord {
    /// United States: of the calls that a person answered, over 30 days; an agent later than two seconds
    /// after the answer is an abandoned call too.
    UsTsr,
    /// United Kingdom, Ofcom 2008: less the share of machines that agents hear, over 24 hours.
    UkOfcom,
    /// Of the calls that a person answered, this calendar day.
    WholeDay,
    /// The same over the last 24 hours.
    #[serde(rename = "rolling_24h")]
    Rolling24h,
    /// Of all calls placed, this calendar day.
    AllCalls,
    /// Of the calls that needed an agent, including machines that agents heard, this calendar day.
    ReachedQueue,
}

impl RuleWord {
    const fn rule(self) -> Rule {
        match self {
            RuleWord::UsTsr => Rule::UsTsr,
            RuleWord::UkOfcom => Rule::UkOfcom,
            RuleWord::WholeDay => Rule::WholeDay,
            RuleWord::Rolling24h => Rule::Rolling24h,
            RuleWord::AllCalls => Rule::AllCalls,
            RuleWord::ReachedQueue => Rule::ReachedQueue,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StrategyWord {
    LongestIdle,
    RoundRobin,
    Random,
    FewestAnswered,
    Priority,
    RingAll,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WrapUpWord {
    AnyRing,
    Answered,
    Off,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreviewWord {
    Click,
    Timed,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordWord {
    /// Conversations of agents whose account is marked as recorded.
    Agents,
    All,
    /// When the agent asks for it.
    OnDemand,
    Never,
}

/// One disposition code.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DispositionTable {
    /// The code in the results: letters, digits and `_`.
    pub code: String,
    /// The label that agents see; any script.
    #[serde(default)]
    pub label: String,
    /// The state of the lead afterwards.
    pub state: StateWord,
    /// With `state = "open"`: called again after this.
    #[serde(default)]
    pub retry: String,
    /// The number goes on the campaign's blacklist.
    #[serde(default)]
    pub do_not_call: bool,
    /// The phone was wrong: this number is closed, the lead's others are still tried.
    #[serde(default)]
    pub wrong_number: bool,
    /// A machine answered: the abandon rate does not count the call as answered by a person.
    #[serde(default)]
    pub machine: bool,
    /// Written when the agent gives no disposition in time.
    #[serde(default)]
    pub default: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateWord {
    Open,
    FollowUp,
    Done,
    Failed,
}

impl Default for PacingTable {
    fn default() -> Self {
        PacingTable {
            call_ratio: 2.0,
            abandon_rate_pct_max: 3.0,
            abandon_rules: vec![RuleWord::WholeDay],
            abandoned_rest: String::new(),
            answer_wait_secs: 2.0,
            waiting_max: 2,
            may_cancel: false,
            shadow: None,
        }
    }
}

impl Default for AgentsTable {
    fn default() -> Self {
        AgentsTable {
            group: String::new(),
            strategy: StrategyWord::LongestIdle,
            wrap_up: WrapUpWord::Answered,
            wrap_up_secs: 20,
            announce_agent_id: true,
            ring_secs: 10,
            wait_secs: 60,
            prefer_last: true,
            preview: PreviewWord::Click,
            preview_secs: 20,
            extend_secs: 10,
            record: RecordWord::Agents,
            summary_required: true,
        }
    }
}

pub(super) fn pacing(table: &PacingTable, retry: &RetryRules, source: &mut Source<'_>) -> PacingRules {
    let mut within = |keys: &[&str], value: f64, least: f64, most: f64| {
        if !(least..=most).contains(&value) {
            let key = keys.last().copied().unwrap_or_default();
            source.fault(keys, format!("{key} = {value}"), format!("write {least} to {most}"));
        }
    };
    within(&["pacing", "call_ratio"], table.call_ratio, 0.1, 10.0);
    within(&["pacing", "abandon_rate_pct_max"], table.abandon_rate_pct_max, 0.0, 100.0);
    within(&["pacing", "answer_wait_secs"], table.answer_wait_secs, 0.0, 60.0);
    if let Some(shadow) = &table.shadow {
        within(&["pacing", "shadow", "call_ratio"], shadow.call_ratio, 0.1, 10.0);
        within(&["pacing", "shadow", "abandon_rate_pct_max"], shadow.abandon_rate_pct_max, 0.0, 100.0);
    }
    if table.abandon_rules.is_empty() {
        let hint = "name at least one, such as \"whole_day\"";
        source.fault(&["pacing", "abandon_rules"], "no rule says what the ceiling is of", hint);
    }
    let usual = retry.after.get(&Outcome::Abandoned).copied();
    let usual = usual.unwrap_or(PacingRules::default().abandoned_rest);
    let abandoned_rest = match table.abandoned_rest.as_str() {
        "" => usual,
        text => source.value_or_fault(&["pacing", "abandoned_rest"], parse_span(text), usual),
    };
    PacingRules {
        call_ratio: table.call_ratio.clamp(0.1, 10.0),
        abandon_rate_max: table.abandon_rate_pct_max.clamp(0.0, 100.0) / 100.0,
        abandon_rules: table.abandon_rules.iter().map(|word| word.rule()).collect(),
        abandoned_rest,
        answer_wait: Duration::from_secs_f64(table.answer_wait_secs.clamp(0.0, 60.0)),
        waiting_max: table.waiting_max,
        may_cancel: table.may_cancel,
        shadow: table.shadow.as_ref().map(ShadowTable::rules),
    }
}

/// `None` = the campaign names no group.
pub(super) fn agents(
    table: &AgentsTable,
    written: &[DispositionTable],
    source: &mut Source<'_>,
) -> Option<AgentRules> {
    let dispositions = dispositions(written, source);
    if table.group.is_empty() {
        return None;
    }
    if table.group.chars().count() > 64 || table.group.chars().any(char::is_control) {
        source.fault(&["agents", "group"], "the name is too long, or no text", "use up to 64 letters");
    }
    for (key, secs, most) in [
        ("wrap_up_secs", table.wrap_up_secs, 3_600),
        ("ring_secs", table.ring_secs, 120),
        ("wait_secs", table.wait_secs, 3_600),
        ("preview_secs", table.preview_secs, 3_600),
        ("extend_secs", table.extend_secs, 3_600),
    ] {
        if secs > most {
            source.fault(&["agents", key], format!("{key} = {secs}"), format!("write 0 to {most}"));
        }
    }
    let secs = |secs: u32| Duration::from_secs(u64::from(secs));
    let default = written.iter().find(|one| one.default).map(|one| one.code.clone());
    Some(AgentRules {
        group: GroupId(0),
        strategy: match table.strategy {
            StrategyWord::LongestIdle => Strategy::LongestIdle,
            StrategyWord::RoundRobin => Strategy::RoundRobin,
            StrategyWord::Random => Strategy::Random,
            StrategyWord::FewestAnswered => Strategy::FewestAnswered,
            StrategyWord::Priority => Strategy::Priority,
            StrategyWord::RingAll => Strategy::RingAll,
        },
        wrap_up: match table.wrap_up {
            WrapUpWord::AnyRing => WrapUp::AnyRing,
            WrapUpWord::Answered => WrapUp::Answered,
            WrapUpWord::Off => WrapUp::Off,
        },
        wrap_up_len: secs(table.wrap_up_secs),
        ring: secs(table.ring_secs.max(3)),
        announce_number: table.announce_agent_id,
        prefer_last: table.prefer_last,
        preview: match table.preview {
            PreviewWord::Click => Preview::Click,
            PreviewWord::Timed => {
                Preview::Timed { countdown: secs(table.preview_secs), step: secs(table.extend_secs) }
            }
        },
        wait: secs(table.wait_secs),
        recorded: match table.record {
            RecordWord::Agents => Recorded::PerAgent,
            RecordWord::All => Recorded::All,
            RecordWord::OnDemand => Recorded::OnDemand,
            RecordWord::Never => Recorded::Never,
        },
        // Without disposition codes none can be required.
        disposition_required: table.summary_required && !dispositions.is_empty(),
        disposition_default: default,
        dispositions,
    })
}

fn dispositions(written: &[DispositionTable], source: &mut Source<'_>) -> Vec<Disposition> {
    let mut codes = BTreeSet::new();
    let mut defaults = 0;
    let mut dispositions = Vec::new();
    for table in written {
        let code = table.code.as_str();
        let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if code.is_empty() || code.len() > 64 || !code.chars().all(is_allowed) {
            let found = format!("`{}` is no code", code.escape_debug());
            source.fault(&["dispositions"], found, "use letters, digits and _; any script goes into `label`");
        }
        if !codes.insert(code) {
            source.fault(&["dispositions"], format!("`{code}` stands there twice"), "remove one");
        }
        defaults += u32::from(table.default);
        if table.default && table.machine {
            let found = format!("`{code}` is the default and says that a machine had answered");
            source.fault(
                &["dispositions"],
                found,
                "the default stands for a missing disposition; take another one",
            );
        }
        let state = match table.state {
            StateWord::Open => LeadState::Open,
            StateWord::FollowUp => LeadState::FollowUp,
            StateWord::Done => LeadState::Done,
            StateWord::Failed => LeadState::Failed,
        };
        let retry = match table.retry.as_str() {
            "" => None,
            text => match parse_span(text) {
                Ok(retry) if state == LeadState::Open => Some(retry),
                Ok(_) => {
                    let found = format!("`{code}` has `retry`, and its state is not open");
                    source.fault(&["dispositions"], found, "write state = \"open\", or leave `retry` out");
                    None
                }
                Err((found, hint)) => {
                    source.fault(&["dispositions"], found, hint);
                    None
                }
            },
        };
        dispositions.push(Disposition {
            code: table.code.clone(),
            label: if table.label.is_empty() { table.code.clone() } else { table.label.clone() },
            state,
            retry,
            do_not_call: table.do_not_call,
            wrong_number: table.wrong_number,
            machine: table.machine,
        });
    }
    if defaults > 1 {
        source.fault(&["dispositions"], "several of them say default = true", "keep one");
    }
    if !written.is_empty() && defaults == 0 {
        let hint = "set default = true on the one to write when the agent gives none in time";
        source.fault(&["dispositions"], "none of them is the default", hint);
    }
    dispositions
}
