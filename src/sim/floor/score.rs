//! Compares a run with a clairvoyant dialer that knows every callee's answer and every call's length. The
//! score is zero where more than three in a hundred people were abandoned.

use super::scenario::Scenario;
use super::world::Day;
use crate::sim::random::SimRng;

/// Quality of a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    pub utilisation: f64,
    pub clairvoyant: f64,
    pub abandon_rate: f64,
    pub worst_half_hour: f64,
    pub within: bool,
}

impl Score {
    pub fn of(scenario: &Scenario, seed: u64, day: &Day) -> Self {
        let abandon_rate = day.abandon_rate();
        Score {
            utilisation: day.utilisation(),
            clairvoyant: clairvoyant(scenario, seed, day),
            abandon_rate,
            worst_half_hour: day.worst_half_hour(),
            within: abandon_rate <= 0.03,
        }
    }

    /// Utilisation relative to the clairvoyant dialer's; zero above the ceiling.
    pub fn value(&self) -> f64 {
        if self.within { self.utilisation / self.clairvoyant } else { 0.0 }
    }
}

/// Utilisation of the clairvoyant dialer. It dials only callees who will answer, so that the answer comes the
/// moment an agent is free. Only the first call of each agent has to be waited for.
pub fn clairvoyant(scenario: &Scenario, seed: u64, day: &Day) -> f64 {
    let mut rng = SimRng::keyed(seed, &[3]);
    let wait: f64 = (0..scenario.agents)
        .map(|_| {
            let verdict = scenario.detector.map_or(0.0, |detector| detector.live_secs.draw(&mut rng));
            scenario.setup.draw(&mut rng) + scenario.ring.draw(&mut rng) + verdict
        })
        .sum();
    if day.available <= 0.0 { 1.0 } else { (1.0 - wait / day.available).clamp(0.01, 1.0) }
}
