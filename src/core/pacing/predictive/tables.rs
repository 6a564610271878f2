//! Lookup tables of a decision: P(a call of this age needs an agent) and P(this agent is free), at a few
//! points in time within a call's ring time. `table_builder` makes them from the learnt state.

use serde::{Deserialize, Serialize};

/// Number of points in time.
pub const POINTS: usize = 9;
/// The first point is the next second, used for cancelling calls; its weight is zero.
pub const SOON: usize = 0;

/// A probability for each point.
pub type Chances = [f64; POINTS];

/// The forecast tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tables {
    /// Seconds from now.
    pub points: Chances,
    /// Share of a new call's answers near each point.
    pub weights: Chances,
    /// By seconds since dialling and by seconds of ringing: P(answered by a person and still in need of an
    /// agent).
    pub placed: Vec<Chances>,
    pub ringing: Vec<Chances>,
    /// By bins of [`Durations::edges`]: P(free within the patience of a callee who answers at that point).
    pub talking: Vec<Chances>,
    pub wrapping: Vec<Chances>,
    /// By seconds of ringing: P(a person | picked up then).
    pub person: Vec<f64>,
    /// P(verdict by second n) for people and for machines.
    pub verdict_live: Vec<f64>,
    pub verdict_machine: Vec<f64>,
    /// P(a call placed now is answered by a person), and by seconds of ringing.
    pub answer: f64,
    pub answer_ringing: Vec<f64>,
    /// Mean seconds that a call holds a line before it is answered or ends, likewise.
    pub hold: f64,
    pub hold_ringing: Vec<f64>,
    /// The scale that these tables assume.
    pub scale: f64,
    pub(super) patience: f64,
}

/// Linear interpolation of a function given at whole seconds.
pub(super) fn interpolate(values: &[f64], x: f64) -> f64 {
    if x <= 0.0 || values.is_empty() {
        return if x < 0.0 { 0.0 } else { values.first().copied().unwrap_or(0.0) };
    }
    let below = x as usize;
    match (values.get(below), values.get(below + 1)) {
        (Some(low), Some(high)) => low + (high - low) * (x - below as f64),
        _ => values.last().copied().unwrap_or(0.0),
    }
}

impl Tables {
    /// Whether every value is finite.
    pub fn is_finite(&self) -> bool {
        let tables = [&self.placed, &self.ringing, &self.talking, &self.wrapping];
        let rows = tables.into_iter().flatten().chain([&self.points, &self.weights]);
        let columns = [&self.person, &self.verdict_live, &self.verdict_machine];
        let more = [&self.answer_ringing, &self.hold_ringing];
        rows.flatten().chain(columns.into_iter().chain(more).flatten()).all(|value| value.is_finite())
            && [self.answer, self.hold, self.scale].iter().all(|value| value.is_finite() && *value > 0.0)
    }

    /// Chances of a call picked up after `rang` seconds that has been with the detector for `judged` seconds.
    pub fn picked_up_chances(&self, rang: f64, judged: f64) -> Chances {
        let person = self.person[(rang.max(0.0) as usize).min(self.person.len() - 1)];
        let open_live = person * (1.0 - interpolate(&self.verdict_live, judged));
        let open_machine = (1.0 - person) * (1.0 - interpolate(&self.verdict_machine, judged));
        let open = (open_live + open_machine).max(1e-9);
        self.points.map(|point| {
            let said =
                interpolate(&self.verdict_live, judged + point) - interpolate(&self.verdict_live, judged);
            (person * said / open).clamp(0.0, 1.0)
        })
    }

    /// Chances of an agent whose wrap-up ends by timeout in `secs`.
    pub fn timed_wrap_chances(&self, secs: f64, back: f64) -> Chances {
        self.points.map(|point| if secs <= point + self.patience { back } else { 0.0 })
    }
}
