//! Survival of a call in set-up and in ringing by whole seconds, from hazard rates. Shared by the call model,
//! which needs the chance of an answer, and by the table builder, which needs the curves.

use serde::{Deserialize, Serialize};

/// Ringing by whole seconds: survival, answers by a person, and the share of people among the answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Ringing {
    pub(super) alive: Vec<f64>,
    pub(super) live: Vec<f64>,
    pub(super) person: Vec<f64>,
}

impl Ringing {
    /// From the rates of answers by people and by machines, and of all other ends, where the list answers
    /// `scale` times as usual.
    pub(super) fn from_rates(live: &[f64], machine: &[f64], other: &[f64], scale: f64) -> Self {
        let mut out = Ringing { alive: vec![1.0], live: Vec::new(), person: Vec::new() };
        let mut alive = 1.0;
        for second in 0..live.len() {
            let (a, b, c) = (live[second] * scale, machine[second], other[second]);
            let all = a + b + c;
            let ends = alive * (1.0 - (-all).exp());
            out.live.push(ends * a / all.max(1e-12));
            out.person.push(a / (a + b).max(1e-12));
            alive -= ends;
            out.alive.push(alive.max(1e-9));
        }
        out
    }
}

/// Set-up by whole seconds since dialling.
pub(super) struct SetUp {
    /// P(ringing begins in this second).
    pub(super) starts: Vec<f64>,
    /// P(still in set-up at the start of this second).
    pub(super) alive: Vec<f64>,
}

impl SetUp {
    /// From the rates of starting to ring and of ending before that.
    pub(super) fn from_rates(starts: &[f64], fails: &[f64]) -> Self {
        let mut out = SetUp { starts: Vec::with_capacity(starts.len()), alive: vec![1.0] };
        let mut alive = 1.0;
        for second in 0..starts.len() {
            let all = starts[second] + fails[second];
            let ends = alive * (1.0 - (-all).exp());
            out.starts.push(ends * starts[second] / all.max(1e-12));
            alive -= ends;
            out.alive.push(alive.max(1e-9));
        }
        out
    }
}
