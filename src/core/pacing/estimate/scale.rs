//! How much more or less a list answers than its usual rates: a Bayesian filter over a grid of factors that
//! follows slow drift and detects a jump within tens of calls. Its inputs are counts and exposure.

use serde::{Deserialize, Serialize};

const LOWEST: f64 = 0.02;
const STEP_LN: f64 = 0.06;
const POINTS: usize = 101;

/// Belief about the factor, as a weight for each point of a logarithmic grid (0.02 to 8).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    weights: Vec<f64>,
    prior: Vec<f64>,
    mean: f64,
    /// Standard deviation of the factor's logarithm.
    spread: f64,
}

fn point(n: usize) -> f64 {
    LOWEST * (STEP_LN * n as f64).exp()
}

impl Scale {
    /// A prior around `centre`; `spread` is the standard deviation of the factor's logarithm.
    pub fn new(centre: f64, spread: f64) -> Self {
        let mut prior: Vec<f64> = (0..POINTS)
            .map(|n| {
                let off = (point(n) / centre).ln() / spread;
                (-0.5 * off * off).exp() + 1e-4
            })
            .collect();
        let sum: f64 = prior.iter().sum();
        prior.iter_mut().for_each(|w| *w /= sum);
        let mut scale = Scale { weights: prior.clone(), prior, mean: centre, spread };
        scale.update_moments();
        scale
    }

    /// `seconds` passed: the factor may have drifted, or jumped to any value of the prior.
    pub fn drift(&mut self, seconds: f64, jumps_per_sec: f64, drift_per_sec: f64) {
        // Diffusion with variance drift^2 x t, as a step to both neighbours.
        let step = (drift_per_sec * drift_per_sec * seconds / (STEP_LN * STEP_LN)).min(0.5) / 2.0;
        let jump = (jumps_per_sec * seconds).min(0.2);
        let mut before = self.weights[0];
        for n in 0..POINTS {
            let own = self.weights[n];
            let after = if n + 1 < POINTS { self.weights[n + 1] } else { own };
            let mixed = own * (1.0 - 2.0 * step) + step * (before + after);
            self.weights[n] = mixed * (1.0 - jump) + jump * self.prior[n];
            before = own;
        }
    }

    /// `count` events were seen where a factor of one would have expected `expected`. A `trust` below 1
    /// reduces the weight of the observation.
    pub fn observe(&mut self, count: f64, expected: f64, trust: f64) {
        if count == 0.0 && expected == 0.0 {
            return;
        }
        let mut most = f64::MIN;
        let logs: Vec<f64> = (0..POINTS)
            .map(|n| {
                let log = trust * (count * (LOWEST.ln() + STEP_LN * n as f64) - expected * point(n));
                most = most.max(log);
                log
            })
            .collect();
        let mut sum = 0.0;
        for (weight, log) in self.weights.iter_mut().zip(logs) {
            // A floor keeps every point of the grid reachable.
            *weight = (*weight * (log - most).exp()).max(1e-14);
            sum += *weight;
        }
        self.weights.iter_mut().for_each(|w| *w /= sum);
        self.update_moments();
    }

    fn update_moments(&mut self) {
        let mean: f64 = self.weights.iter().enumerate().map(|(n, w)| w * point(n)).sum();
        let mean_ln: f64 = self.weights.iter().enumerate().map(|(n, w)| w * n as f64).sum();
        let square: f64 =
            self.weights.iter().enumerate().map(|(n, w)| w * (n as f64 - mean_ln).powi(2)).sum();
        self.mean = mean;
        self.spread = square.sqrt() * STEP_LN;
    }

    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Standard deviation of the factor's logarithm.
    pub fn spread(&self) -> f64 {
        self.spread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_factor_is_found() {
        let mut scale = Scale::new(1.5, 0.8);
        for _ in 0..200 {
            scale.drift(1.0, 1.0 / 900.0, 0.004);
            scale.observe(0.6, 2.0, 1.0);
        }
        assert!((scale.mean() - 0.3).abs() < 0.02, "{}", scale.mean());
        assert!(scale.spread() < 0.15);
    }

    #[test]
    fn a_jump_is_seen_within_tens_of_calls() {
        let mut scale = Scale::new(1.5, 0.8);
        for _ in 0..600 {
            scale.drift(1.0, 1.0 / 900.0, 0.004);
            scale.observe(0.2, 1.0, 1.0);
        }
        assert!((scale.mean() - 0.2).abs() < 0.03, "{}", scale.mean());
        let mut expected = 0.0;
        while scale.mean() < 0.5 {
            scale.drift(1.0, 1.0 / 900.0, 0.004);
            scale.observe(0.7, 1.0, 1.0);
            expected += 1.0;
        }
        assert!(expected < 25.0, "{expected} calls' worth");
    }

    #[test]
    fn weights_stay_a_distribution() {
        let mut scale = Scale::new(1.0, 0.5);
        scale.observe(5000.0, 10.0, 1.0);
        scale.drift(1e6, 1.0, 1.0);
        let sum: f64 = scale.weights.iter().sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        assert!(scale.mean().is_finite());
    }
}
