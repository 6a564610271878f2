//! A virtual floor: agents, callees and a line as numbers, light enough for days of many campaigns.
//! `scenario` says what a day is like, `family` has many of them, `world` runs one with any [`Pacing`],
//! `rivals` are the rules of other dialers, `stranger` tells of the floor in other drivers' manners, `score`
//! holds a run against a clairvoyant.

pub mod baselines;
pub mod family;
pub mod foreign_drivers;
pub mod scenario;
pub mod score;
pub mod world;

#[cfg(test)]
mod tests;

pub use foreign_drivers::{Manners, Stranger};
pub use scenario::{Scenario, Spread};
pub use score::Score;
pub use world::{Day, run};

use paceline_core::ids::CallId;
use paceline_core::pacing::predictive::{Event, Pacer, Snapshot};
use paceline_core::time::Time;

/// What a pacing rule wants done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wish {
    pub place: u32,
    pub cancel: Vec<CallId>,
    /// Ask again by then.
    pub next_look: Option<Time>,
}

/// Any rule that can drive the floor: it hears the same events and sees the same snapshots.
pub trait Pacing {
    fn on_event(&mut self, now: Time, event: Event);
    fn decide(&mut self, now: Time, view: &Snapshot) -> Wish;
}

impl Pacing for Pacer {
    fn on_event(&mut self, now: Time, event: Event) {
        Pacer::on_event(self, now, event);
    }

    fn decide(&mut self, now: Time, view: &Snapshot) -> Wish {
        let plan = Pacer::decide(self, now, view);
        Wish { place: plan.place, cancel: plan.cancel, next_look: plan.next_look }
    }
}
