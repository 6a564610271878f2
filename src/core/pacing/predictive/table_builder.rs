//! Builds the tables of `tables` from the learnt state, a few steps at each decision, so that no decision
//! has to wait for all of them. Steps and order do not depend on the pace.

use super::agent_model::AgentModel;
use super::call_model::{CallModel, RingingSource, SETUP_SECS, VERDICT_SECS};
use super::event::Part;
use super::survival::{Ringing, SetUp};
use super::tables::{Chances, POINTS, Tables, interpolate};
use crate::pacing::estimate::Durations;
use crate::time::Duration;
use serde::{Deserialize, Serialize};

const SOON_SECS: f64 = 1.0;
/// Points after the next second: these quantiles of the time from dialling to an answer.
const QUANTILES: [f64; POINTS - 1] = [0.03, 0.13, 0.3, 0.5, 0.68, 0.83, 0.94, 0.985];
/// Horizon in seconds.
const AHEAD_MAX: usize = 90;
/// Upper limit of a callee's patience, in seconds.
const PATIENCE_MAX: f64 = 60.0;

/// Cumulative sums: `out[n]` = the mass before second n.
fn cumulate(mass: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let mut out = vec![0.0];
    for value in mass {
        sum += value;
        out.push(sum);
    }
    out
}

/// Convolution: the mass of the sum of two spans given by whole seconds begun.
fn convolve(one: &[f64], two: &[f64], len: usize) -> Vec<f64> {
    let mut out = vec![0.0; len + 1];
    for (n, first) in one.iter().enumerate().take(len) {
        if *first < 1e-12 {
            continue;
        }
        for (m, second) in two.iter().enumerate().take(len - n) {
            // Each span is half a second longer on average, so the sum lies on the border of two bins.
            let half = 0.5 * first * second;
            out[n + m] += half;
            out[n + m + 1] += half;
        }
    }
    out.truncate(len);
    out
}

fn verdict_distribution(counts: &[f64]) -> Vec<f64> {
    let total: f64 = counts.iter().sum();
    // Two seconds, until verdicts are known.
    let prior = |n: usize| if n == 1 || n == 2 { 1.0 } else { 0.02 };
    let all: f64 = total + (0..VERDICT_SECS).map(prior).sum::<f64>();
    counts.iter().enumerate().map(|(n, count)| (count + prior(n)) / all).collect()
}

/// Tables under construction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableBuilder {
    tables: Tables,
    rings: Ringing,
    /// Distribution of the detector's delay, if there is a detector.
    delays: Option<Vec<f64>>,
    /// Answers by seconds of ringing, delayed; set-up by seconds since dialling.
    fresh_ring: Vec<f64>,
    setup: Vec<f64>,
    setup_alive: Vec<f64>,
    /// Ringing is never reported: calls ring from the moment they are placed.
    rings_at_once: bool,
    talk_rates: Vec<f64>,
    wrap_rates: Vec<f64>,
    wrap_fresh: Vec<f64>,
    talk_fresh: Vec<f64>,
    back: f64,
    horizon: usize,
    step: usize,
}

impl TableBuilder {
    /// Captures the learnt state at this moment; the tables follow step by step.
    pub fn new(calls: &CallModel, staff: &AgentModel, part: Part, answer_wait: Duration) -> Self {
        let patience = (answer_wait.as_millis() as f64 / 1000.0).min(PATIENCE_MAX);
        let scale = calls.level(part).0;
        let rings = calls.ringing(scale);
        let delays = calls.has_verdicts().then(|| verdict_distribution(&calls.verdict_live));
        let fresh_ring = delayed(&rings.live, delays.as_deref());

        let SetUp { starts: setup, alive: setup_alive } = calls.set_up();
        let rings_at_once = calls.ringing_source == RingingSource::Never;
        let fresh = if rings_at_once {
            fresh_ring.clone()
        } else {
            convolve(&setup, &fresh_ring, (SETUP_SECS + fresh_ring.len()).min(AHEAD_MAX + SETUP_SECS))
        };
        let answer: f64 = fresh.iter().sum();
        let (points, weights) = choose_points(&fresh, answer);
        let horizon = (points[POINTS - 1] + patience).ceil() as usize + 1;

        let (talk_rates, wrap_rates) = (staff.talk.rates(), staff.wrap.rates());
        let wrap_fresh = Durations::ending_within(&wrap_rates, 0.0, horizon, 1.0);
        let cumulated = |counts: &[f64]| cumulate(&verdict_distribution(counts));
        let (answer_ringing, hold_ringing) = ring_prospects(&rings);
        let tables = Tables {
            points,
            weights,
            placed: Vec::new(),
            ringing: Vec::new(),
            talking: Vec::new(),
            wrapping: Vec::new(),
            person: rings.person.clone(),
            verdict_live: cumulated(&calls.verdict_live),
            verdict_machine: cumulated(&calls.verdict_machine),
            answer,
            hold: hold_ringing.first().copied().unwrap_or(20.0) + 2.0,
            answer_ringing,
            hold_ringing,
            scale,
            patience,
        };
        TableBuilder {
            tables,
            rings,
            delays,
            fresh_ring,
            setup,
            setup_alive,
            rings_at_once,
            talk_rates,
            wrap_rates,
            wrap_fresh,
            talk_fresh: Vec::new(),
            back: staff.return_chance(),
            horizon,
            step: 0,
        }
    }

    /// Total number of steps.
    pub fn steps(&self) -> usize {
        2 * Durations::edges().len() + self.rings.live.len() + if self.rings_at_once { 0 } else { SETUP_SECS }
    }

    /// Does some steps; true when the tables are complete.
    pub fn advance(&mut self, steps: usize) -> bool {
        let all = self.steps();
        for _ in 0..steps.min(all - self.step.min(all)) {
            self.step_once();
            self.step += 1;
        }
        self.step >= all
    }

    /// Does the remaining steps and returns the tables; `None` if a value in them is not finite.
    pub fn finish(mut self) -> Option<Tables> {
        self.advance(usize::MAX);
        if self.rings_at_once {
            self.tables.placed.clone_from(&self.tables.ringing);
        }
        self.tables.is_finite().then_some(self.tables)
    }

    fn step_once(&mut self) {
        let bins = Durations::edges().len();
        let ring_secs = self.rings.live.len();
        match self.step {
            bin if bin < bins => self.add_talk_row(bin),
            step if step < 2 * bins => self.add_wrap_row(step - bins),
            step if step < 2 * bins + ring_secs => {
                let second = step - 2 * bins;
                let mass = delayed(&self.rings.live[second..], self.delays.as_deref());
                let row = self.demand_row(&mass, self.rings.alive[second]);
                self.tables.ringing.push(row);
            }
            step => {
                let second = step - 2 * bins - ring_secs;
                let mass = convolve(&self.setup[second..], &self.fresh_ring, self.horizon + 1);
                let row = self.demand_row(&mass, self.setup_alive[second]);
                self.tables.placed.push(row);
            }
        }
    }

    /// Row of an agent who has talked for this bin's age and then wraps up.
    fn add_talk_row(&mut self, bin: usize) {
        let ends = Durations::ending_within(&self.talk_rates, bin_age(bin), self.horizon, 1.0);
        let free = |x: f64| -> f64 {
            (0..(x as usize + 1).min(self.horizon))
                .map(|second| {
                    (ends[second + 1] - ends[second]) * interpolate(&self.wrap_fresh, x - second as f64 - 0.5)
                })
                .sum()
        };
        let (back, patience) = (self.back, self.tables.patience);
        let row = self.tables.points.map(|point| back * free(point + patience));
        if bin == 0 {
            self.talk_fresh = (0..=self.horizon).map(|x| back * free(x as f64)).collect();
        }
        self.tables.talking.push(row);
    }

    fn add_wrap_row(&mut self, bin: usize) {
        let ends = Durations::ending_within(&self.wrap_rates, bin_age(bin), self.horizon, 1.0);
        let (back, patience) = (self.back, self.tables.patience);
        let row = self.tables.points.map(|point| back * interpolate(&ends, point + patience));
        self.tables.wrapping.push(row);
    }

    /// P(demand at each point): answered, and its agent not free again by then; given `alive`.
    fn demand_row(&self, mass: &[f64], alive: f64) -> Chances {
        let sums = cumulate(mass);
        self.tables.points.map(|point| {
            let again: f64 = mass
                .iter()
                .enumerate()
                .take(point as usize)
                .map(|(second, value)| value * interpolate(&self.talk_fresh, point - second as f64 - 0.5))
                .sum();
            ((interpolate(&sums, point) - again) / alive).clamp(0.0, 1.0)
        })
    }
}

fn delayed(mass: &[f64], delays: Option<&[f64]>) -> Vec<f64> {
    match delays {
        Some(delay) => convolve(mass, delay, mass.len() + VERDICT_SECS),
        None => mass.to_vec(),
    }
}

/// The age that stands for a bin of [`Durations::edges`].
fn bin_age(bin: usize) -> f64 {
    let (edges, edge) = (Durations::edges(), Durations::edges()[bin]);
    edges.get(bin + 1).map_or(edge, |next| 0.5 * (edge + next) - 0.5).max(edge)
}

/// By seconds of ringing: P(an answer still comes), and the mean seconds that the line will be held.
fn ring_prospects(rings: &Ringing) -> (Vec<f64>, Vec<f64>) {
    let (mut answers, mut holds) = (Vec::new(), Vec::new());
    let (mut answers_left, mut hold_left) = (0.0, 0.0);
    for second in (0..rings.live.len()).rev() {
        answers_left += rings.live[second];
        hold_left += 0.5 * (rings.alive[second] + rings.alive[second + 1]);
        answers.push((answers_left / rings.alive[second]).min(1.0));
        holds.push(hold_left / rings.alive[second]);
    }
    answers.reverse();
    holds.reverse();
    (answers, holds)
}

/// The points in time and their weights, from the mass of answer times.
fn choose_points(mass: &[f64], answer: f64) -> (Chances, Chances) {
    let sums = cumulate(mass);
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
