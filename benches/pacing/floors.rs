//! Scores one pacing rule on a family of virtual floors, by size of team.

use paceline::sim::floor::{
    Day, DriverProfile, ForeignDriver, Scenario, Score, baselines, family, run as day,
};
use paceline_core::pacing::predictive::{Pacer, Rules};
use paceline_core::time::Duration;
use std::collections::BTreeMap;
use std::time::Instant;

/// Team sizes of a drawn family; the seed draws the other parameters.
const DRAWN: [u32; 14] = [3, 4, 5, 8, 10, 12, 30, 40, 50, 100, 100, 300, 300, 1000];

#[derive(Default)]
struct Sum {
    score: f64,
    utilisation: f64,
    abandoned: f64,
    runs: u32,
    within: u32,
}

impl Sum {
    fn add(&mut self, score: &Score) {
        self.score += score.value();
        self.utilisation += score.utilisation;
        self.abandoned += score.abandon_rate;
        self.runs += 1;
        self.within += u32::from(score.within);
    }

    fn line(&self, name: &str) {
        let runs = f64::from(self.runs.max(1));
        println!(
            "{name:12} score {:.3}  utilisation {:5.1} %  abandoned {:.2} %  within the ceiling {} of {}",
            self.score / runs,
            100.0 * self.utilisation / runs,
            100.0 * self.abandoned / runs,
            self.within,
            self.runs
        );
    }
}

pub fn run(args: &[String]) {
    let word = |n: usize, default: &str| args.get(n).cloned().unwrap_or_else(|| default.to_owned());
    let number = |n: usize, default: u64| args.get(n).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (rule, set, seeds, first) = (word(0, "predictive"), word(1, "fixed"), number(2, 2), number(3, 1));
    let mut days: Vec<(Scenario, u64)> = Vec::new();
    for seed in first..first + seeds {
        if set == "drawn" {
            for (n, agents) in DRAWN.iter().enumerate() {
                let own = seed * 1000 + n as u64;
                days.push((family::drawn(own, *agents), own));
            }
        } else {
            days.extend(family::fixed().into_iter().map(|scenario| (scenario, seed)));
        }
    }
    let began = Instant::now();
    let (mut by_size, mut all): (BTreeMap<&str, Sum>, Sum) = (BTreeMap::new(), Sum::default());
    let (mut calls, mut hours) = (0u64, 0.0);
    for (scenario, seed) in &days {
        let result = one(&rule, scenario, *seed);
        let score = Score::of(scenario, *seed, &result);
        calls += result.calls;
        hours += result.secs / 3600.0;
        by_size.entry(size(scenario.agents)).or_default().add(&score);
        all.add(&score);
        if !score.within || scenario.agents >= 30 && score.worst_half_hour > 0.06 {
            println!(
                "{}, seed {seed}: {:.2} % abandoned, worst half hour {:.2} %",
                scenario.name,
                100.0 * score.abandon_rate,
                100.0 * score.worst_half_hour
            );
        }
    }
    by_size.iter().for_each(|(name, sum)| sum.line(name));
    all.line(&rule);
    let secs = began.elapsed().as_secs_f64();
    println!(
        "{hours:.0} virtual hours, {:.0} calls and {:.1} virtual hours a second ({secs:.1} s)",
        calls as f64 / secs,
        hours / secs
    );
}

fn size(agents: u32) -> &'static str {
    match agents {
        0..=5 => "1: 3-5",
        6..=15 => "2: 8-12",
        16..=60 => "3: 20-50",
        61..=150 => "4: 100",
        _ => "5: 300-1000",
    }
}

fn one(rule: &str, scenario: &Scenario, seed: u64) -> Day {
    let millis = |secs: f64| Duration::from_millis((secs * 1000.0) as u64);
    let rules = Rules {
        ring_max: millis(scenario.ring_max),
        may_cancel: scenario.may_cancel,
        answer_wait: millis(scenario.answer_wait),
        ..Rules::default()
    };
    match rule {
        "progressive" => day(scenario, seed, &mut baselines::Ratio(1.0)),
        "ratio1.5" => day(scenario, seed, &mut baselines::Ratio(1.5)),
        "ratio2" => day(scenario, seed, &mut baselines::Ratio(2.0)),
        "ratio3" => day(scenario, seed, &mut baselines::Ratio(3.0)),
        "adaptive" => day(scenario, seed, &mut baselines::Adaptive::new(3.0, 3.0)),
        "adaptive2" => day(scenario, seed, &mut baselines::Adaptive::new(2.0, 3.0)),
        "soonfree" => day(scenario, seed, &mut baselines::SoonFree::default()),
        "percentage" => day(scenario, seed, &mut baselines::Percentage(150.0)),
        // The predictive pacer fed with events in another driver's style, drawn by the seed.
        "strangers" => {
            day(scenario, seed, &mut ForeignDriver::new(Pacer::new(rules), DriverProfile::drawn(seed)))
        }
        _ => day(scenario, seed, &mut Pacer::new(rules)),
    }
}
