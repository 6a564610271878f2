//! Tables made from what was learnt: by when will a call of this age want an agent, by when will this agent
//! be free, at a few moments within a call's ring time. Made anew every few seconds, read at every decision.

use super::calls::{Calls, Rings, SETUP_SECS, VERDICT_SECS};
use super::event::Part;
use super::staff::Staff;
use crate::pacing::estimate::Spans;
use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// Moments looked at.
pub const POINTS: usize = 9;
/// The first is the next second, where calls that may be given up are judged; it weighs nothing otherwise.
pub const SOON: usize = 0;
const SOON_SECS: f64 = 1.0;
/// The others are these quantiles of the time from dialling to an answer.
const QUANTILES: [f64; POINTS - 1] = [0.03, 0.13, 0.3, 0.5, 0.68, 0.83, 0.94, 0.985];
/// Seconds looked ahead at most.
const AHEAD_MAX: usize = 90;

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
    patience: f64,
}

/// Value of a function given at whole seconds, between them by a straight line.
fn at(values: &[f64], x: f64) -> f64 {
    if x <= 0.0 || values.is_empty() {
        return if x < 0.0 { 0.0 } else { values.first().copied().unwrap_or(0.0) };
    }
    let below = x as usize;
    match (values.get(below), values.get(below + 1)) {
        (Some(low), Some(high)) => low + (high - low) * (x - below as f64),
        _ => values.last().copied().unwrap_or(0.0),
    }
}

/// Sums from zero on: `out[n]` = the mass before second n.
fn summed(mass: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let mut out = vec![0.0];
    for value in mass {
        sum += value;
        out.push(sum);
    }
    out
}

/// The mass of a sum of two spans whose masses are given by whole seconds begun.
fn joined(one: &[f64], two: &[f64], len: usize) -> Vec<f64> {
    let mut out = vec![0.0; len + 1];
    for (n, first) in one.iter().enumerate().take(len) {
        if *first < 1e-12 {
            continue;
        }
        for (m, second) in two.iter().enumerate().take(len - n) {
            // Two halves of a second on average make the sum lie on the border of two bins.
            let half = 0.5 * first * second;
            out[n + m] += half;
            out[n + m + 1] += half;
        }
    }
    out.truncate(len);
    out
}

/// Ringing by whole seconds: survival, answers by a person and by a machine.
struct Ringing {
    alive: Vec<f64>,
    live: Vec<f64>,
    person: Vec<f64>,
}

fn ringing(calls: &Calls, scale: f64) -> Ringing {
    let (live, machine, other) = (calls.live_rates(), calls.machine.rates(), calls.other.rates());
    let seconds = live.len();
    let mut out = Ringing { alive: vec![1.0], live: Vec::new(), person: Vec::new() };
    let mut alive = 1.0;
    for second in 0..seconds {
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

fn verdicts(counts: &[f64]) -> Vec<f64> {
    let total: f64 = counts.iter().sum();
    // Two seconds, until verdicts are known.
    let prior = |n: usize| if n == 1 || n == 2 { 1.0 } else { 0.02 };
    let all: f64 = total + (0..VERDICT_SECS).map(prior).sum::<f64>();
    counts.iter().enumerate().map(|(n, count)| (count + prior(n)) / all).collect()
}

impl Outlook {
    pub fn new(calls: &Calls, staff: &Staff, part: Part, answer_wait: Duration) -> Self {
        let patience = answer_wait.as_millis() as f64 / 1000.0;
        let scale = calls.scale(part).mean();
        let rings = ringing(calls, scale);
        let ring_secs = rings.live.len();
        let delays = calls.has_verdicts().then(|| verdicts(&calls.verdict_live));
        let wanted = |mass: &[f64]| match &delays {
            Some(delay) => joined(mass, delay, mass.len() + VERDICT_SECS),
            None => mass.to_vec(),
        };
        let fresh_ring = wanted(&rings.live);

        // Set-up.
        let (starts, fails) = (calls.setup_rings.rates(), calls.setup_ends.rates());
        let mut setup = Vec::with_capacity(SETUP_SECS);
        let mut alive = 1.0;
        for second in 0..SETUP_SECS {
            let all = starts[second] + fails[second];
            let ends = alive * (1.0 - (-all).exp());
            setup.push(ends * starts[second] / all.max(1e-12));
            alive -= ends;
        }
        let at_once = calls.rings == Rings::Never;
        let fresh = if at_once {
            fresh_ring.clone()
        } else {
            joined(&setup, &fresh_ring, (SETUP_SECS + fresh_ring.len()).min(AHEAD_MAX + SETUP_SECS))
        };
        let answer: f64 = fresh.iter().sum();

        let (points, weights) = points(&fresh, answer);
        let furthest = (points[POINTS - 1] + patience).ceil() as usize + 1;

        // Agents.
        let back = staff.return_chance();
        let (talk_rates, wrap_rates) = (staff.talk.rates(), staff.wrap.rates());
        let wrap_fresh = Spans::ending_within(&wrap_rates, 0.0, furthest, 1.0);
        let mut talk_fresh = Vec::new();
        let mut talking = Vec::new();
        let mut wrapping = Vec::new();
        let edges = Spans::edges();
        for (bin, edge) in edges.iter().enumerate() {
            let middle = edges.get(bin + 1).map_or(*edge, |next| 0.5 * (edge + next) - 0.5).max(*edge);
            let ends = Spans::ending_within(&talk_rates, middle, furthest, 1.0);
            let free = |x: f64| {
                let mut sum = 0.0;
                for second in 0..(x as usize + 1).min(furthest) {
                    sum += (ends[second + 1] - ends[second]) * at(&wrap_fresh, x - second as f64 - 0.5);
                }
                sum
            };
            talking.push(points.map(|point| back * free(point + patience)));
            if bin == 0 {
                talk_fresh = (0..=furthest).map(|x| back * free(x as f64)).collect();
            }
            let ends = Spans::ending_within(&wrap_rates, middle, furthest, 1.0);
            wrapping.push(points.map(|point| back * at(&ends, point + patience)));
        }

        // Demand that is still there at each point: answered, and its agent not free again by then.
        let net = |mass: &[f64], alive: f64| {
            let sums = summed(mass);
            points.map(|point| {
                let mut again = 0.0;
                for (second, value) in mass.iter().enumerate().take(point as usize) {
                    again += value * at(&talk_fresh, point - second as f64 - 0.5);
                }
                ((at(&sums, point) - again) / alive).clamp(0.0, 1.0)
            })
        };
        let mut by_ringing = Vec::with_capacity(ring_secs);
        let (mut answer_ringing, mut hold_ringing) = (Vec::new(), Vec::new());
        let (mut answers_left, mut hold_left) = (0.0, 0.0);
        for second in (0..ring_secs).rev() {
            answers_left += rings.live[second];
            hold_left += 0.5 * (rings.alive[second] + rings.alive[second + 1]);
            answer_ringing.push((answers_left / rings.alive[second]).min(1.0));
            hold_ringing.push(hold_left / rings.alive[second]);
        }
        answer_ringing.reverse();
        hold_ringing.reverse();
        for second in 0..ring_secs {
            by_ringing.push(net(&wanted(&rings.live[second..]), rings.alive[second]));
        }
        let mut placed = Vec::with_capacity(SETUP_SECS);
        let mut alive = 1.0;
        if at_once {
            placed.clone_from(&by_ringing);
        }
        for second in 0..if at_once { 0 } else { SETUP_SECS } {
            let mass = joined(&setup[second..], &fresh_ring, furthest + 1);
            placed.push(net(&mass, alive));
            let all = starts[second] + fails[second];
            alive = (alive * (-all).exp()).max(1e-9);
        }
        let cumulated = |counts: &[f64]| summed(&verdicts(counts));
        Outlook {
            points,
            weights,
            placed,
            ringing: by_ringing,
            talking,
            wrapping,
            person: rings.person,
            verdict_live: cumulated(&calls.verdict_live),
            verdict_machine: cumulated(&calls.verdict_machine),
            answer,
            hold: hold_ringing.first().copied().unwrap_or(20.0) + 2.0,
            answer_ringing,
            hold_ringing,
            scale,
            patience,
        }
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

/// The moments and their weights, from the mass of answer times.
fn points(mass: &[f64], answer: f64) -> (Chances, Chances) {
    let sums = summed(mass);
    let mut points = [SOON_SECS; POINTS];
    for (point, quantile) in points.iter_mut().skip(1).zip(QUANTILES) {
        let want = quantile * answer;
        let above = sums.partition_point(|sum| *sum < want).clamp(1, sums.len() - 1);
        let (low, high) = (sums[above - 1], sums[above]);
        *point = (above - 1) as f64 + if high > low { (want - low) / (high - low) } else { 0.0 };
    }
    let mut weights = [0.0; POINTS];
    for (n, weight) in weights.iter_mut().skip(1).enumerate() {
        let from = if n == 0 { 0.0 } else { 0.5 * (QUANTILES[n - 1] + QUANTILES[n]) };
        let to = if n == QUANTILES.len() - 1 { 1.0 } else { 0.5 * (QUANTILES[n] + QUANTILES[n + 1]) };
        *weight = to - from;
    }
    (points, weights)
}
