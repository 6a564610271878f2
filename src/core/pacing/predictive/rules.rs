//! What the campaign allows: the only settings of the pacer, none of them a guess about the list.

use crate::pacing::ledger::Rate;
use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// The limits that hold whatever the model says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Abandoned of live answers over the day, 0.03 = three in a hundred.
    pub abandon_rate_max: f64,
    /// The same within any rolling half hour, once it holds enough answers to be judged; `None` = not limited.
    /// Kept by growing care, so leave some room below what must hold (0.055 for six in a hundred).
    pub half_hour_rate_max: Option<f64>,
    /// An answered person without an agent for longer is abandoned.
    pub answer_wait: Duration,
    /// How long a phone rings before the dialer gives up.
    pub ring_max: Duration,
    /// Ringing calls may be given up to keep the floor from overflowing.
    pub may_cancel: bool,
    /// Not before it has rung for this long (15 s or four rings in the United States).
    pub ring_legal_min: Duration,
    /// Calls on their way per agent who is not on a break; a hard cap.
    pub calls_per_agent_max: f64,
    /// Live answers and abandoned people that count against this day already.
    pub carried: Carried,
}

/// What an earlier process, or an earlier part of the window, leaves to this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Carried {
    pub live: f64,
    pub abandoned: f64,
}

impl From<&Rate> for Carried {
    /// What the ledger counts by the rule that brakes.
    fn from(rate: &Rate) -> Self {
        Carried { live: rate.of, abandoned: rate.abandoned }
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
            carried: Carried::default(),
        }
    }
}
