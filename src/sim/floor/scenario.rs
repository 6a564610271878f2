//! Parameters of one campaign day: agents, callees, line, list. `world` runs it.

use crate::sim::random::SimRng;

/// A distribution of seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread {
    Fixed(f64),
    /// Mean, and the standard deviation of the logarithm.
    LogNormal(f64, f64),
    Exponential(f64),
    Between(f64, f64),
    /// The first with this probability, else the second; each a mean and a spread of the logarithm.
    Bimodal(f64, (f64, f64), (f64, f64)),
}

impl Spread {
    pub fn draw(&self, rng: &mut SimRng) -> f64 {
        let log_normal = |rng: &mut SimRng, mean: f64, spread: f64| {
            (mean.ln() - spread * spread / 2.0 + spread * rng.normal()).exp()
        };
        match *self {
            Spread::Fixed(secs) => secs,
            Spread::LogNormal(mean, spread) => log_normal(rng, mean, spread),
            Spread::Exponential(mean) => -mean * (1.0 - rng.unit()).ln(),
            Spread::Between(low, high) => low + (high - low) * rng.unit(),
            Spread::Bimodal(share, one, two) => {
                let (mean, spread) = if rng.chance(share) { one } else { two };
                log_normal(rng, mean, spread)
            }
        }
    }
}

/// A detector that separates people from machines after the pick-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detector {
    pub live_secs: Spread,
    pub machine_secs: Spread,
}

/// One campaign day. Times are seconds from its start.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub name: String,
    pub agents: u32,
    pub hours: f64,
    pub talk: Spread,
    pub wrap: Spread,
    /// Standard deviation of the logarithm of each agent's own pace.
    pub pace_spread: f64,
    pub setup: Spread,
    /// Probability that a person answers, from each second on.
    pub answer: Vec<(f64, f64)>,
    /// Seconds of ringing before a person answers.
    pub ring: Spread,
    pub ring_max: f64,
    /// Busy, rejected, not in service: ends soon after ringing would have begun.
    pub refused: f64,
    /// Of the rest, the share with a machine, and its ringing time until the pick-up.
    pub machine: f64,
    pub machine_ring: Spread,
    /// `None` with machines: agents get them and hang up after some seconds.
    pub detector: Option<Detector>,
    pub lines: u32,
    pub calls_per_sec: f64,
    /// The line is down between these seconds.
    pub outages: Vec<(f64, f64)>,
    /// Mean seconds between an agent's breaks, and their length.
    pub breaks: Option<(f64, Spread)>,
    /// Start, length, and the seconds over which the agents' starts are spread.
    pub lunch: Option<(f64, f64, f64)>,
    pub leads: Option<u64>,
    pub may_cancel: bool,
    pub answer_wait: f64,
}

impl Scenario {
    /// A plain day, to be changed by the caller.
    pub fn plain(name: &str, agents: u32) -> Self {
        Scenario {
            name: name.to_owned(),
            agents,
            hours: 4.0,
            talk: Spread::LogNormal(150.0, 0.8),
            wrap: Spread::LogNormal(25.0, 0.5),
            pace_spread: 0.1,
            setup: Spread::Between(1.0, 3.5),
            answer: vec![(0.0, 0.3)],
            ring: Spread::LogNormal(11.0, 0.5),
            ring_max: 30.0,
            refused: 0.15,
            machine: 0.0,
            machine_ring: Spread::Between(16.0, 24.0),
            detector: None,
            lines: 6 * agents + 20,
            calls_per_sec: f64::from(agents).max(5.0),
            outages: Vec::new(),
            breaks: Some((5400.0, Spread::LogNormal(500.0, 0.4))),
            lunch: None,
            leads: None,
            may_cancel: true,
            answer_wait: 2.0,
        }
    }

    /// Probability of an answer at that second.
    pub fn answer_at(&self, secs: f64) -> f64 {
        self.answer.iter().rev().find(|(from, _)| *from <= secs).map_or(0.0, |(_, chance)| *chance)
    }
}
