//! The campaign's rules: the only settings of the pacer, none of them a guess about the list.

use crate::pacing::ledger::Rate;
use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// Limits that hold whatever the model estimates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Abandoned per live answer over the day, 0.03 = three in a hundred.
    pub abandon_rate_max: f64,
    /// The same within any rolling half hour, once it holds enough answers to be judged; `None` = not
    /// limited. Kept by growing care, so leave some room below the hard limit (0.055 for six in a hundred).
    pub half_hour_rate_max: Option<f64>,
    /// A callee who answered and has no agent for longer than this is abandoned.
    pub answer_wait: Duration,
    /// How long a phone rings before the dialer gives up.
    pub ring_max: Duration,
    /// Whether ringing calls may be cancelled to keep answers from finding no agent.
    pub may_cancel: bool,
    /// Minimum ringing time before a cancel (15 s or four rings in the United States).
    pub ring_legal_min: Duration,
    /// Hard cap of pending calls per agent who is not on a break.
    pub calls_per_agent_max: f64,
    /// Live answers and abandoned callees that count against this day already.
    pub carried: BudgetCounts,
}

/// Counts carried over from an earlier process or an earlier part of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BudgetCounts {
    pub live: f64,
    pub abandoned: f64,
}

impl From<&Rate> for BudgetCounts {
    /// The ledger's counts by the rule that brakes.
    fn from(rate: &Rate) -> Self {
        BudgetCounts { live: rate.of, abandoned: rate.abandoned }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            abandon_rate_max: 0.03,
            half_hour_rate_max: Some(0.055),
            answer_wait: Duration::from_secs(2),
            ring_max: Duration::from_secs(45),
            may_cancel: true,
            ring_legal_min: Duration::from_secs(15),
            calls_per_agent_max: 25.0,
            carried: BudgetCounts::default(),
        }
    }
}
