//! Rules for a campaign's agents (group, strategy, wrap-up, previews, dispositions, recording) and for
//! pacing.

use crate::agent::{Strategy, WrapUp};
use crate::ids::GroupId;
use crate::outcome::LeadState;
use crate::pacing::ledger::RuleSet;
use crate::pacing::shadow::ShadowRules;
use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// The `[agents]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRules {
    pub group: GroupId,
    pub strategy: Strategy,
    pub wrap_up: WrapUp,
    pub wrap_up_len: Duration,
    /// How long a per-call phone may ring before the next agent is tried.
    pub ring: Duration,
    pub announce_number: bool,
    /// The agent who spoke with the household before gets it again, when free.
    pub prefer_last: bool,
    pub preview: Preview,
    /// How long an inbound caller, or a callee who asked for an agent, waits before the sorry message.
    pub wait: Duration,
    pub recorded: Recorded,
    /// Empty = no disposition can be given.
    pub dispositions: Vec<Disposition>,
    /// Every conversation needs a disposition; at a timeout the default is written, marked as defaulted.
    pub disposition_required: bool,
    /// A code of `dispositions`.
    pub disposition_default: Option<String>,
}

impl AgentRules {
    pub fn disposition(&self, code: &str) -> Option<&Disposition> {
        self.dispositions.iter().find(|known| known.code == code)
    }
}

/// When a previewed lead is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preview {
    /// When the agent clicks.
    #[default]
    Click,
    /// After the countdown, unless the agent dials before, extends it by `step` or skips the lead.
    Timed { countdown: Duration, step: Duration },
}

/// Which conversations are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// Conversations of agents with `recorded` set.
    #[default]
    PerAgent,
    All,
    /// When the agent asks for it.
    OnDemand,
    Never,
}

/// One disposition code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    pub code: String,
    /// Shown to the agent; any script.
    pub label: String,
    /// The lead's new state.
    pub state: LeadState,
    /// Delay until the next attempt, when `state` is open.
    pub retry: Option<Duration>,
    /// The number goes on the blacklist.
    pub do_not_call: bool,
    /// Wrong number: this phone of the lead is closed, its others are still tried.
    pub wrong_number: bool,
    /// A machine answered: the call leaves the people in the abandon rates. The call's outcome stays what
    /// the line reported, since retries, columns and counts were settled by it before.
    pub machine: bool,
}

/// The `[pacing]` table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PacingRules {
    /// Mode ratio: lines = ratio x idle agents.
    pub call_ratio: f64,
    /// A ceiling, not a target: 0.03, by every rule of `abandon_rules`.
    pub abandon_rate_max: f64,
    /// How abandoned calls are counted: the strictest of these rules brakes.
    pub abandon_rules: RuleSet,
    /// How long no campaign dials a number after an abandoned call, unless an agent is reserved for the
    /// call.
    pub abandoned_rest: Duration,
    /// Longest wait of an answered callee for an agent; beyond it the call is abandoned.
    pub answer_wait: Duration,
    /// Nothing is placed while more callees than this wait for an agent.
    pub waiting_max: u32,
    /// Mode predictive: ringing calls may be cancelled, after the legal minimum of 15 s, when the agents
    /// have become busy.
    pub may_cancel: bool,
    /// Another setting that runs in the shadow, for comparison alone.
    pub shadow: Option<ShadowRules>,
}

impl Default for PacingRules {
    fn default() -> Self {
        PacingRules {
            call_ratio: 2.0,
            abandon_rate_max: 0.03,
            abandon_rules: RuleSet::default(),
            abandoned_rest: Duration::from_secs(72 * 3600),
            answer_wait: Duration::from_secs(2),
            waiting_max: 2,
            may_cancel: false,
            shadow: None,
        }
    }
}
