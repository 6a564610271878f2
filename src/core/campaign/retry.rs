//! When a number is tried again: which outcomes, after how long, how often.

use crate::outcome::Outcome;
use crate::time::Duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The `[retry]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryRules {
    /// Counted attempts per number in this campaign.
    pub attempts_max: u32,
    /// Counted attempts per number and local day, over all campaigns.
    pub per_day_max: u32,
    /// Between two attempts on one number, whatever the outcome.
    pub gap_min: Duration,
    /// Outcome = delay. An outcome that is not named is final.
    pub after: BTreeMap<Outcome, Duration>,
}
