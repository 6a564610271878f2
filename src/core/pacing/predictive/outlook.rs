//! Tables read at every decision: by when will a call of this age want an agent, by when will this agent be
//! free, at a few moments within a call's ring time. `draft` makes them from what was learnt.

use serde::{Deserialize, Serialize};

/// Moments looked at.
pub const POINTS: usize = 9;
/// The first is the next second, where calls that may be given up are judged; it weighs nothing otherwise.
pub const SOON: usize = 0;

/// A chance for each moment.
pub type Chances = [f64; POINTS];

/// The near future, as tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// Seconds from now.
    pub points: Chances,
    /// How likely an answered call is answered near each of them.
    pub weights: Chances,
    /// By seconds since dialling and by seconds of ringing: answered by a person and still in need of an agent.
    pub placed: Vec<Chances>,
    pub ringing: Vec<Chances>,
    /// By bins of [`Spans::edges`]: free within the patience of somebody who answers at that moment.
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
    /// The scale that these tables stand for.
    pub scale: f64,
    pub(super) patience: f64,
}

/// Value of a function given at whole seconds, between them by a straight line.
pub(super) fn at(values: &[f64], x: f64) -> f64 {
    if x <= 0.0 || values.is_empty() {
        return if x < 0.0 { 0.0 } else { values.first().copied().unwrap_or(0.0) };
    }
    let below = x as usize;
    match (values.get(below), values.get(below + 1)) {
        (Some(low), Some(high)) => low + (high - low) * (x - below as f64),
        _ => values.last().copied().unwrap_or(0.0),
    }
}

impl Outlook {
    /// Whether every number is one.
    pub fn sound(&self) -> bool {
        let tables = [&self.placed, &self.ringing, &self.talking, &self.wrapping];
        let rows = tables.into_iter().flatten().chain([&self.points, &self.weights]);
        let columns = [&self.person, &self.verdict_live, &self.verdict_machine];
        let more = [&self.answer_ringing, &self.hold_ringing];
        rows.flatten().chain(columns.into_iter().chain(more).flatten()).all(|value| value.is_finite())
            && [self.answer, self.hold, self.scale].iter().all(|value| value.is_finite() && *value > 0.0)
    }

    /// A call whose pick-up is being judged for `judged` seconds, after `rang` seconds of ringing.
    pub fn picked_up(&self, rang: f64, judged: f64) -> Chances {
        let person = self.person[(rang.max(0.0) as usize).min(self.person.len() - 1)];
        let open_live = person * (1.0 - at(&self.verdict_live, judged));
        let open_machine = (1.0 - person) * (1.0 - at(&self.verdict_machine, judged));
        let open = (open_live + open_machine).max(1e-9);
        self.points.map(|point| {
            let said = at(&self.verdict_live, judged + point) - at(&self.verdict_live, judged);
            (person * said / open).clamp(0.0, 1.0)
        })
    }

    /// An agent whose wrap-up ends by itself in `secs`.
    pub fn wrap_known(&self, secs: f64, back: f64) -> Chances {
        self.points.map(|point| if secs <= point + self.patience { back } else { 0.0 })
    }
}
