//! Healthy and marked numbers in simulated traffic.

use super::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Of so many calls with this probability each.
fn drawn(random: &mut ChaCha8Rng, calls: u32, probability: f64) -> u32 {
    (0..calls).filter(|_| random.random_bool(probability)).count() as u32
}

/// How numbers of one campaign are used: calls an hour of each, hours a day, and what callees do in each network.
struct Traffic {
    numbers: u32,
    calls_per_hour: u32,
    answer_rates: [f64; 3],
    refused_rate: f64,
}

const ORDINARY: Traffic =
    Traffic { numbers: 5, calls_per_hour: 60, answer_rates: [0.24, 0.28, 0.33], refused_rate: 0.03 };

impl Traffic {
    /// An hour of the first number beside the others, spread unevenly over the networks. `odds` = its odds of an answer.
    fn hour(&self, random: &mut ChaCha8Rng, odds: f64, refused_rate: f64) -> Vec<Compared> {
        let shares = [0.5, 0.3, 0.2];
        // The hour of the day moves every rate.
        let shift = random.random_range(-0.08..0.08);
        (0..3)
            .map(|n| {
                let rate = self.answer_rates[n] + shift;
                let own_rate = rate * odds / (1.0 - rate + rate * odds);
                let calls = (f64::from(self.calls_per_hour) * shares[n]) as u32;
                let others = calls * (self.numbers - 1);
                let mut counts = |calls: u32, rate: f64, refused_rate: f64| {
                    let refused = drawn(random, calls, refused_rate);
                    Counts { calls, refused, answered: drawn(random, calls - refused, rate) }
                };
                let control = counts(others, rate, self.refused_rate);
                Compared { own: counts(calls, own_rate, refused_rate), control }
            })
            .collect()
    }
}

/// Ratio of the odds at which a rate is halved.
fn halving(rate: f64) -> f64 {
    let half = rate / 2.0;
    half / (1.0 - half) / (rate / (1.0 - rate))
}

#[test]
fn a_healthy_number_is_flagged_at_most_once_in_200_weeks() {
    let mut flags = 0;
    for week in 0..200u64 {
        let mut random = ChaCha8Rng::seed_from_u64(week);
        let mut evidence = Evidence::default();
        for _ in 0..91 {
            evidence.add_hour(&ORDINARY.hour(&mut random, 1.0, ORDINARY.refused_rate));
            if evidence.mark().is_some() {
                flags += 1;
                evidence = Evidence::default();
            }
        }
    }
    assert!(flags <= 1, "{flags} flags in 200 weeks, seeds 0 to 199");
}

/// Calls of the first number after it was marked, until it is flagged, one entry a seed.
fn calls_until_flag(traffic: &Traffic, odds: f64, refused_rate: f64) -> Vec<u32> {
    let found = (0..100u64).map(|seed| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut evidence = Evidence::default();
        // Healthy for a day first: what was good before must not hide it.
        for _ in 0..13 {
            evidence.add_hour(&traffic.hour(&mut random, 1.0, traffic.refused_rate));
        }
        (1..).find_map(|hour| {
            evidence.add_hour(&traffic.hour(&mut random, odds, refused_rate));
            evidence.mark().map(|_| hour * traffic.calls_per_hour)
        })
    });
    let mut found: Vec<u32> = found.flatten().collect();
    found.sort_unstable();
    found
}

fn mean(calls: &[u32]) -> u32 {
    calls.iter().sum::<u32>() / calls.len() as u32
}

#[test]
fn a_halved_answer_rate_is_found_within_300_calls() {
    // Mean over 100 seeds.
    let traffic = Traffic { answer_rates: [0.28; 3], ..ORDINARY };
    let found = calls_until_flag(&traffic, halving(0.28), traffic.refused_rate);
    assert!(mean(&found) <= 300, "{found:?}");
    // Where more people answer, and from nine of ten numbers, the same holds for nine seeds of ten.
    for (rate, numbers) in [(0.28, 10), (0.4, 5)] {
        let traffic = Traffic { numbers, answer_rates: [rate; 3], ..ORDINARY };
        let found = calls_until_flag(&traffic, halving(rate), traffic.refused_rate);
        assert!(found[90] <= 300, "{rate}, {numbers} numbers: {found:?}");
    }
}

#[test]
fn a_carrier_that_refuses_a_number_is_found_within_120_calls() {
    let found = calls_until_flag(&ORDINARY, 1.0, 0.3);
    assert!(found[90] <= 120, "{found:?}");
}

#[test]
fn a_recovering_number_is_judged_with_the_stated_error() {
    // A tenth of its calls; 200 seeds of each.
    let traffic = Traffic { calls_per_hour: 10, ..ORDINARY };
    let judged = |odds: f64, wanted: Recovery| {
        let wrong = (0..200u64).filter(|seed| {
            let mut random = ChaCha8Rng::seed_from_u64(*seed);
            let mut evidence = Evidence::default();
            let verdict = (0..2_000).find_map(|_| {
                evidence.add_hour(&traffic.hour(&mut random, odds, traffic.refused_rate));
                Some(evidence.recovery()).filter(|it| *it != Recovery::Undecided)
            });
            verdict != Some(wanted)
        });
        wrong.count()
    };
    // 5 % of 200 is 10; three standard deviations are 9.
    let (healthy, marked) = (judged(1.0, Recovery::Healthy), judged(halving(0.28), Recovery::Marked));
    assert!(healthy <= 19 && marked <= 19, "judged wrongly: {healthy} healthy, {marked} marked");
}

/// The ratio has the mean 1 while the number is as the others: what the bound on false flags stands on.
#[test]
fn the_ratio_is_fair_to_a_healthy_number() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..300 {
        let (own_of, control_of) = (random.random_range(0..40u32), random.random_range(0..120u32));
        let sum = random.random_range(0..=own_of + control_of);
        let odds = random.random_range(0.1..8.0);
        let (least, most) = (sum.saturating_sub(control_of), sum.min(own_of));
        let ln_choose =
            |n: u32, k: u32| (1..=k).map(|it| (f64::from(n - k + it) / f64::from(it)).ln()).sum::<f64>();
        let weights: Vec<f64> = (least..=most)
            .map(|own| {
                (ln_choose(own_of, own) + ln_choose(control_of, sum - own)
                    - ln_choose(own_of + control_of, sum))
                .exp()
            })
            .collect();
        let ratio = |own| ln_likelihood_ratio(own, own_of, sum - own, control_of, odds).exp();
        let mean: f64 = (least..=most).zip(&weights).map(|(own, weight)| weight * ratio(own)).sum();
        assert!((mean - 1.0).abs() < 1e-9, "{own_of} {control_of} {sum} {odds}: {mean}");
    }
}

#[test]
fn without_a_control_nothing_is_said() {
    let own = Counts { calls: 500, answered: 0, refused: 500 };
    let mut evidence = Evidence::default();
    for _ in 0..1_000 {
        evidence.add_hour(&[Compared { own, control: Counts::default() }]);
    }
    assert_eq!((evidence.mark(), evidence.recovery()), (None, Recovery::Undecided));
}

#[test]
fn callees_are_grouped_by_what_their_number_tells() {
    let network =
        |digits| CalleeNetwork::of(crate::number::PhoneNumber::from_e164(digits).expect("a number"));
    assert_eq!(network(8613800138000), CalleeNetwork::ChinaMobile);
    assert_eq!(network(8618612345678), CalleeNetwork::ChinaUnicom);
    assert_eq!(network(8619912345678), CalleeNetwork::ChinaTelecom);
    assert_eq!(network(8617012345678), CalleeNetwork::OtherMobile);
    assert_eq!(network(8675588886666), CalleeNetwork::Landline(755));
    assert_eq!(network(447700900123), CalleeNetwork::Abroad(44));
}
