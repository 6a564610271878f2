//! A forecast in every pacing mode over the same seeds: on several threads, with progress, and stopped on request.

use super::{Assumptions, Forecast, World};
use paceline_core::campaign::Mode;
use paceline_core::time::Duration;
use serde_json::{Value, json};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Limits of the search for the agents that are needed: most agents tried, and most seeds; each trial costs several
/// simulated days.
pub const AGENTS_MAX: u32 = 2_000;
pub const NEEDED_SEEDS: u64 = 3;

/// One pacing mode over all seeds.
#[derive(Clone, Debug)]
pub struct ModeForecast {
    pub name: String,
    pub days: Vec<Forecast>,
    /// Agents needed to finish the list in time, one per seed; empty where they were not asked for.
    pub needed: Vec<Option<u32>>,
}

/// What is to be computed beside the assumptions.
#[derive(Clone, Copy, Debug)]
pub struct ForecastPlan {
    pub seeds: u64,
    /// The campaign's own ratio, which is tried beside the usual ones.
    pub own_ratio: f64,
    /// Also the agents that finish the list in time.
    pub needed: bool,
    pub threads: u64,
}

impl ForecastPlan {
    /// Days and searches until the end.
    pub fn total(&self) -> u64 {
        modes(self.own_ratio).len() as u64 * (self.seeds + self.needed_seeds())
    }

    fn needed_seeds(&self) -> u64 {
        if self.needed { self.seeds.min(NEEDED_SEEDS) } else { 0 }
    }
}

/// How far a forecast is, and whether it is to stop.
#[derive(Debug, Default)]
pub struct ForecastProgress {
    pub done: AtomicU64,
    pub is_stopped: AtomicBool,
}

impl ForecastProgress {
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }
}

fn modes(own_ratio: f64) -> Vec<(String, Mode, f64)> {
    let mut modes = vec![
        ("progressive".to_owned(), Mode::Progressive, 1.0),
        (format!("ratio {own_ratio}"), Mode::Ratio, own_ratio),
    ];
    modes.extend(
        [1.5, 3.0]
            .into_iter()
            .filter(|ratio| (ratio - own_ratio).abs() > 0.01)
            .map(|ratio| (format!("ratio {ratio}"), Mode::Ratio, ratio)),
    );
    modes.push(("predictive".to_owned(), Mode::Predictive, 1.0));
    modes
}

/// Simulates every pacing mode over the same seeds; `None` = it was stopped.
pub fn forecast_modes(
    assumed: &Assumptions,
    plan: &ForecastPlan,
    progress: &ForecastProgress,
) -> Option<Vec<ModeForecast>> {
    let count_done = || progress.done.fetch_add(1, Ordering::Relaxed);
    modes(plan.own_ratio)
        .into_iter()
        .map(|(name, mode, ratio)| {
            let days = for_each_seed(plan.seeds, plan.threads, |seed| {
                let day = assumed.day_until_stopped(seed, mode, ratio, progress);
                count_done();
                day
            });
            let needed = for_each_seed(plan.needed_seeds(), plan.threads, |seed| {
                let found = assumed.agents_needed_until_stopped(seed, mode, ratio, AGENTS_MAX, progress);
                count_done();
                found
            });
            Some(ModeForecast {
                name,
                days: days.into_iter().collect::<Option<_>>()?,
                needed: needed.into_iter().collect::<Option<_>>()?,
            })
        })
        .collect()
}

/// Does the work for every seed on some threads; results in the order of the seeds.
fn for_each_seed<T: Send>(seeds: u64, threads: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicU64::new(1);
    let worker = || {
        let own = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
        own.take_while(|seed| *seed <= seeds).map(|seed| (seed, work(seed))).collect::<Vec<_>>()
    };
    let mut done = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(seeds)).map(|_| scope.spawn(worker)).collect();
        // A panic is passed on: a missing day would falsify the bands.
        let days =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|fault| resume_unwind(fault)));
        days.flatten().collect::<Vec<_>>()
    });
    done.sort_by_key(|(seed, _)| *seed);
    done.into_iter().map(|(_, day)| day).collect()
}

/// A forecast as JSON, the same from the command line and over the API. `ceiling` = the campaign's abandon rate.
pub fn forecast_document(assumed: &Assumptions, rows: &[ModeForecast], ceiling: f64) -> Value {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| json!({ "pacing": row.name, "days": row.days, "agents_needed": row.needed }))
        .collect();
    json!({
        "leads": assumed.leads,
        "agents": assumed.agents,
        "answer_rate": assumed.world.answer_rate,
        "talk_secs": assumed.world.talk.as_secs_f64(),
        "wrap_secs": assumed.world.wrap_up.as_secs_f64(),
        "ring_secs": assumed.world.ring.as_secs_f64(),
        "abandon_rate_max": ceiling,
        "forecasts": rows,
    })
}

/// Rates and medians of a world that are given, or were measured in an earlier campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorldFigures {
    pub answer_rate: Option<f64>,
    pub talk_secs: Option<f64>,
    pub wrap_secs: Option<f64>,
    pub ring_secs: Option<f64>,
}

impl WorldFigures {
    /// The value that is given, else the measured one, else the default.
    pub fn world(self, measured: WorldFigures) -> World {
        let secs = |given: Option<f64>, seen: Option<f64>, usual: f64| {
            Duration::from_secs_f64(given.or(seen).unwrap_or(usual).clamp(0.5, 7_200.0))
        };
        World {
            answer_rate: self.answer_rate.or(measured.answer_rate).unwrap_or(0.3).clamp(0.0, 1.0),
            talk: secs(self.talk_secs, measured.talk_secs, 60.0),
            wrap_up: secs(self.wrap_secs, measured.wrap_secs, 12.0),
            ring: secs(self.ring_secs, measured.ring_secs, 12.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_seeds_and_a_panic_is_passed_on() {
        for seeds in [0, 1, 2, 7, 40] {
            assert_eq!(
                for_each_seed(seeds, 3, |seed| seed * 3),
                (1..=seeds).map(|seed| seed * 3).collect::<Vec<_>>()
            );
        }
        let fault = std::panic::catch_unwind(|| for_each_seed(3, 2, |seed| assert_ne!(seed, 2)));
        assert!(fault.is_err(), "a day that failed is not passed over");
    }

    #[test]
    fn every_mode_counts_to_the_total() {
        let plan = ForecastPlan { seeds: 5, own_ratio: 2.0, needed: true, threads: 1 };
        assert_eq!(plan.total(), 5 * (5 + 3));
        let usual = ForecastPlan { own_ratio: 1.5, needed: false, ..plan };
        assert_eq!(usual.total(), 4 * 5, "1.5 is tried once");
    }
}
