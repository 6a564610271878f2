//! A wide family of campaign days with 3 to 1,000 agents: a fixed set for tuning and comparison, and any
//! number of random ones that nothing was tuned on.

use super::scenario::{Detector, Scenario, Spread};
use crate::sim::random::SimRng;

/// Twenty-four campaigns that cover every feature of a scenario.
pub fn fixed() -> Vec<Scenario> {
    let plain = Scenario::plain;
    let quiet = |mut s: Scenario, answer: f64| {
        s.answer = vec![(0.0, answer)];
        s
    };
    let detector = |live: f64| {
        Some(Detector {
            live_secs: Spread::LogNormal(live, 0.4),
            machine_secs: Spread::LogNormal(live * 1.6, 0.4),
        })
    };
    vec![
        plain("three agents", 3),
        Scenario { may_cancel: false, ..quiet(plain("three, few answer, no cancelling", 3), 0.15) },
        Scenario {
            talk: Spread::LogNormal(60.0, 0.7),
            wrap: Spread::Fixed(10.0),
            ..quiet(plain("five, short talks", 5), 0.4)
        },
        Scenario {
            talk: Spread::Bimodal(0.5, (20.0, 0.3), (240.0, 0.3)),
            ..quiet(plain("five, two humps", 5), 0.25)
        },
        quiet(plain("ten agents", 10), 0.25),
        Scenario {
            talk: Spread::LogNormal(300.0, 0.6),
            ..quiet(plain("ten, long talks, most answer", 10), 0.8)
        },
        Scenario {
            answer: vec![(0.0, 0.15), (4800.0, 0.45), (9600.0, 0.2)],
            ..plain("ten, answers jump", 10)
        },
        Scenario { hours: 1.0, ..quiet(plain("ten, one hour", 10), 0.3) },
        quiet(plain("thirty agents", 30), 0.3),
        Scenario {
            answer: vec![(0.0, 0.4), (3600.0, 0.15), (9000.0, 0.5)],
            ..plain("thirty, answers jump", 30)
        },
        Scenario { machine: 0.35, detector: detector(2.0), ..quiet(plain("thirty, slow detector", 30), 0.2) },
        Scenario { lunch: Some((5400.0, 1800.0, 900.0)), ..plain("thirty, lunch", 30) },
        Scenario {
            talk: Spread::Bimodal(0.6, (15.0, 0.4), (200.0, 0.35)),
            ..quiet(plain("forty, two humps", 40), 0.2)
        },
        Scenario { outages: vec![(3000.0, 3060.0), (9000.0, 9060.0)], ..plain("forty, line lost", 40) },
        Scenario { lines: 85, ..quiet(plain("fifty, few lines", 50), 0.2) },
        Scenario { calls_per_sec: 1.6, ..quiet(plain("fifty, few starts", 50), 0.2) },
        Scenario { leads: Some(4000), ..quiet(plain("thirty, list ends", 30), 0.3) },
        Scenario {
            ring: Spread::LogNormal(22.0, 0.5),
            ring_max: 60.0,
            ..quiet(plain("thirty, long rings", 30), 0.3)
        },
        Scenario { machine: 0.3, ..quiet(plain("twenty, machines unheard", 20), 0.25) },
        quiet(plain("hundred agents", 100), 0.1),
        Scenario {
            answer: vec![(0.0, 0.2), (5000.0, 0.5), (10000.0, 0.25)],
            ..plain("hundred, answers jump", 100)
        },
        Scenario { lunch: Some((6000.0, 1800.0, 300.0)), ..quiet(plain("hundred, lunch at once", 100), 0.3) },
        quiet(plain("three hundred agents", 300), 0.25),
        Scenario { hours: 2.0, ..quiet(plain("thousand agents", 1000), 0.3) },
    ]
}

/// A random campaign by `seed`, with this number of agents.
pub fn drawn(seed: u64, agents: u32) -> Scenario {
    let mut rng = SimRng::keyed(seed, &[77, u64::from(agents)]);
    let mut s = Scenario::plain(&format!("drawn {seed}/{agents}"), agents);
    let mean = [45.0, 90.0, 150.0, 240.0, 400.0][(rng.next_u64() % 5) as usize];
    s.talk = match rng.next_u64() % 4 {
        0 => Spread::Exponential(mean),
        1 => Spread::Bimodal(0.3 + 0.4 * rng.unit(), (0.15 * mean + 5.0, 0.3), (1.7 * mean, 0.35)),
        _ => Spread::LogNormal(mean, 0.4 + 0.8 * rng.unit()),
    };
    s.wrap = match rng.next_u64() % 3 {
        0 => Spread::Fixed(5.0 + 25.0 * rng.unit()),
        1 => Spread::Exponential(10.0 + 30.0 * rng.unit()),
        _ => Spread::LogNormal(15.0 + 35.0 * rng.unit(), 0.3 + 0.5 * rng.unit()),
    };
    s.pace_spread = 0.25 * rng.unit();
    let base = 0.1 + 0.7 * rng.unit() * rng.unit();
    s.answer = vec![(0.0, base)];
    s.ring = Spread::LogNormal(7.0 + 12.0 * rng.unit(), 0.3 + 0.4 * rng.unit());
    s.ring_max = [25.0, 30.0, 45.0][(rng.next_u64() % 3) as usize];
    s.setup = Spread::LogNormal(1.0 + 3.0 * rng.unit(), 0.4);
    s.refused = 0.3 * rng.unit();
    s.may_cancel = rng.chance(0.7);
    let n = f64::from(agents);
    match rng.next_u64() % 9 {
        0 => {
            s.answer =
                vec![(0.0, base), (3600.0 + 3600.0 * rng.unit(), (base * 2.5).min(0.8)), (11_000.0, base)]
        }
        1 => s.answer = vec![(0.0, (base * 2.0).min(0.8)), (3000.0 + 6000.0 * rng.unit(), base * 0.7)],
        2 => s.lunch = Some((5000.0 + 3000.0 * rng.unit(), 1800.0, 1200.0 * rng.unit())),
        3 => {
            s.outages =
                vec![(2000.0 + 9000.0 * rng.unit(), 0.0)].into_iter().map(|(a, _)| (a, a + 60.0)).collect()
        }
        4 => {
            s.machine = 0.2 + 0.4 * rng.unit();
            s.detector = Some(Detector {
                live_secs: Spread::LogNormal(1.0 + 2.5 * rng.unit(), 0.4),
                machine_secs: Spread::LogNormal(2.0 + 3.0 * rng.unit(), 0.4),
            });
        }
        5 => s.machine = 0.3 * rng.unit(),
        6 => s.leads = Some((n * (60.0 + 100.0 * rng.unit())) as u64),
        7 => s.lines = (n * (1.4 + rng.unit())) as u32 + 2,
        _ => {}
    }
    s
}
