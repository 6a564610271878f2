//! Results of one side, live or shadow: totals, and the figures shown.

use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// Totals of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    pub calls: u64,
    pub answered: u64,
    pub abandoned: u64,
    /// Agents' time on calls and in wrap-up, and time not on a break.
    pub busy: Duration,
    pub available: Duration,
}

impl Totals {
    pub fn count(&mut self, here: bool, busy: bool, span: Duration) {
        if here {
            self.available += span;
        }
        if busy {
            self.busy += span;
        }
    }

    pub fn figures(&self, span: Duration) -> SideFigures {
        let share = |part: f64, of: f64| if of > 0.0 { part / of } else { 0.0 };
        let (busy, available) = (self.busy.as_secs_f64(), self.available.as_secs_f64());
        let talks = self.answered.saturating_sub(self.abandoned);
        SideFigures {
            calls: self.calls,
            answered: self.answered,
            abandoned: self.abandoned,
            utilisation: share(busy, available),
            abandon_rate: share(self.abandoned as f64, self.answered as f64),
            idle_secs: share(available - busy, talks as f64),
            calls_per_hour: share(self.calls as f64 * 3_600.0, span.as_secs_f64()),
        }
    }
}

/// Figures of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SideFigures {
    pub calls: u64,
    pub answered: u64,
    pub abandoned: u64,
    /// Talk and wrap-up as a share of the time not on a break.
    pub utilisation: f64,
    /// Share of the answered calls.
    pub abandon_rate: f64,
    /// Mean idle seconds per conversation.
    pub idle_secs: f64,
    pub calls_per_hour: f64,
}
