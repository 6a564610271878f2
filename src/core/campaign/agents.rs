//! What a campaign asks of its agents: which group, who gets the next call, wrap-up, previews,
//! dispositions, recording; and how boldly calls are placed for them.

use crate::agent::{Strategy, WrapUp};
use crate::ids::GroupId;
use crate::outcome::LeadState;
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
    /// How long a phone that is rung per call may ring before the next agent is tried.
    pub ring: Duration,
    pub announce_number: bool,
    /// Whoever spoke with the household before gets it again, when free.
    pub prefer_last: bool,
    pub preview: Preview,
    /// A caller, or a callee who asked for an agent, waits this long before the sorry message.
    pub wait: Duration,
    pub recorded: Recorded,
    /// Empty = the agent writes a note at most.
    pub dispositions: Vec<Disposition>,
    /// Every conversation needs one; what is not given in time is the default, and marked.
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
    /// When the agent says so.
    #[default]
    Click,
    /// After this long, unless she says so before, asks for more time or skips it.
    Timed { countdown: Duration, step: Duration },
}

/// Which conversations are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// Those of agents who are recorded.
    #[default]
    PerAgent,
    All,
    /// When the agent asks for it.
    OnDemand,
    Never,
}

/// One code of a call summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    pub code: String,
    /// As the agent reads it; any script.
    pub label: String,
    /// What becomes of the lead.
    pub state: LeadState,
    /// Calls again after this, when `state` is open.
    pub retry: Option<Duration>,
    /// The number goes on the blacklist.
    pub do_not_call: bool,
    /// The phone was wrong: this number of the lead is closed, its others are still tried.
    pub wrong_number: bool,
}

/// The `[pacing]` table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PacingRules {
    /// Mode ratio: lines = ratio x idle agents.
    pub call_ratio: f64,
    /// A ceiling, not a wish: 0.03.
    pub abandon_rate_max: f64,
    /// Answered with no free agent for longer = abandoned.
    pub answer_wait: Duration,
    /// Nothing is placed while more callees than this wait for an agent.
    pub waiting_max: u32,
    /// Mode predictive: ringing calls may be given up, after the legal minimum of 15 s, when the floor
    /// has filled up.
    pub may_cancel: bool,
    /// Another setting that runs beside this one, for comparison alone.
    pub shadow: Option<ShadowRules>,
}

impl Default for PacingRules {
    fn default() -> Self {
        PacingRules {
            call_ratio: 2.0,
            abandon_rate_max: 0.03,
            answer_wait: Duration::from_secs(2),
            waiting_max: 2,
            may_cancel: false,
            shadow: None,
        }
    }
}
