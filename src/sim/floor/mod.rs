//! A virtual floor: agents, callees and a line as numbers, light enough for days of many campaigns.
//! `scenario` describes a day, `family` has many of them, `world` runs one with any [`Pacing`], `baselines`
//! are the pacing rules of other dialers, `foreign_drivers` reports the floor as incompletely as other
//! dialers would, `score` compares a run with a clairvoyant dialer.

pub mod baselines;
pub mod family;
pub mod foreign_drivers;
pub mod scenario;
pub mod score;
pub mod world;

#[cfg(test)]
mod tests;

pub use foreign_drivers::{DriverProfile, ForeignDriver};
pub use scenario::{Scenario, Spread};
pub use score::Score;
pub use world::{Day, run};

use paceline_core::ids::CallId;
use paceline_core::pacing::predictive::{Event, Pacer, Snapshot};
use paceline_core::time::Time;

/// Decision of a pacing rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PacingDecision {
    pub place: u32,
    pub cancel: Vec<CallId>,
    /// Decide again by then.
    pub next_look: Option<Time>,
}

/// A rule that can drive the floor from the same events and snapshots.
pub trait Pacing {
    fn on_event(&mut self, now: Time, event: Event);
    fn decide(&mut self, now: Time, view: &Snapshot) -> PacingDecision;
}

impl Pacing for Pacer {
    fn on_event(&mut self, now: Time, event: Event) {
        Pacer::on_event(self, now, event);
    }

    fn decide(&mut self, now: Time, view: &Snapshot) -> PacingDecision {
        let plan = Pacer::decide(self, now, view);
        PacingDecision { place: plan.place, cancel: plan.cancel, next_look: plan.next_look }
    }
}
