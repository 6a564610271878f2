//! The pacer's current plan (mode predictive), and how far ahead it may expect answers.

use crate::campaign::Mode;
use crate::pacing::predictive::Reason;
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};

/// A plan and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Planned {
    pub at: Time,
    /// The placing round for which it was made.
    pub round: u64,
    pub left: u32,
    pub reason: Reason,
}

/// Horizon of expected answers: the day may end early (agents go home, a manager stops the campaign), so
/// the abandon rate is kept over the answers so far and those of the next hour.
pub(super) const ANSWER_HORIZON: Duration = Duration::from_secs(3_600);

/// Whether this mode uses a pacer.
pub(super) const fn predicts(mode: Mode) -> bool {
    matches!(mode, Mode::Predictive)
}
