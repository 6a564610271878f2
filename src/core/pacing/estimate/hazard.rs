//! Hazard rates of an event by age in whole seconds: events over exposure, so that cancelled and pending
//! calls count for as long as they were observed (right-censored).

use serde::{Deserialize, Serialize};

/// Events per second of exposure, by age. Beyond the last second the last rate holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hazard {
    prior: Vec<f64>,
    /// Seconds of exposure that the prior is worth in every second of age.
    weight: f64,
    events: Vec<f64>,
    exposure: Vec<f64>,
}

impl Hazard {
    /// `prior`: rates by second of age, with the weight of `weight` seconds of exposure each.
    pub fn new(prior: Vec<f64>, weight: f64) -> Self {
        let bins = prior.len();
        Hazard { prior, weight, events: vec![0.0; bins], exposure: vec![0.0; bins] }
    }

    /// Takes another prior, of another number of seconds; what was learnt of the seconds of both stays.
    pub fn set_prior(&mut self, prior: Vec<f64>) {
        self.events.resize(prior.len(), 0.0);
        self.exposure.resize(prior.len(), 0.0);
        self.prior = prior;
    }

    pub fn bins(&self) -> usize {
        self.prior.len()
    }

    fn bin(&self, age: f64) -> usize {
        (age.max(0.0) as usize).min(self.prior.len() - 1)
    }

    pub fn count(&mut self, age: f64, weight: f64) {
        let bin = self.bin(age);
        self.events[bin] += weight;
    }

    /// Adds exposure between two ages, however it ended.
    pub fn expose(&mut self, from: f64, to: f64, weight: f64) {
        let mut at = from.max(0.0);
        let last = self.prior.len() - 1;
        while at < to {
            let bin = self.bin(at);
            let next = if bin == last { to } else { to.min((bin + 1) as f64) };
            self.exposure[bin] += (next - at) * weight;
            at = next;
        }
    }

    /// Multiplies the exposure so far by `factor`.
    pub fn scale_exposure(&mut self, factor: f64) {
        self.exposure.iter_mut().for_each(|value| *value *= factor);
    }

    /// Number of events that `rates` expect between two ages.
    pub fn expected(rates: &[f64], from: f64, to: f64) -> f64 {
        let last = rates.len() - 1;
        let (mut at, mut sum) = (from.max(0.0), 0.0);
        while at < to {
            let bin = (at as usize).min(last);
            let next = if bin == last { to } else { to.min((bin + 1) as f64) };
            sum += (next - at) * rates[bin];
            at = next;
        }
        sum
    }

    pub fn fade(&mut self, factor: f64) {
        for value in self.events.iter_mut().chain(self.exposure.iter_mut()) {
            *value *= factor;
        }
    }

    /// Weight of all events counted, after fading.
    pub fn total_events(&self) -> f64 {
        self.events.iter().sum()
    }

    /// Rates smoothed over neighbouring seconds, more widely while few events are known.
    pub fn rates(&self) -> Vec<f64> {
        let reach = (9.0 / (1.0 + self.total_events()).cbrt()).clamp(1.0, 5.0);
        let width = reach.ceil() as usize;
        let bins = self.prior.len();
        (0..bins)
            .map(|bin| {
                let (mut events, mut exposure) = (self.weight * self.prior[bin], self.weight);
                for other in bin.saturating_sub(width)..(bin + width + 1).min(bins) {
                    let near = 1.0 - other.abs_diff(bin) as f64 / (reach + 1.0);
                    if near > 0.0 {
                        events += near * self.events[other];
                        exposure += near * self.exposure[other];
                    }
                }
                events / exposure
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_rate_is_found_though_half_the_calls_are_cut_short() {
        let mut hazard = Hazard::new(vec![0.2; 30], 5.0);
        // A rate of 0.05 per second, in expectation: exposure times the rate.
        for bin in 0..30 {
            let watched = if bin < 10 { 4000.0 } else { 2000.0 };
            hazard.expose(bin as f64, bin as f64 + 1.0, watched);
            hazard.count(bin as f64, watched * 0.05);
        }
        for rate in hazard.rates() {
            assert!((rate - 0.05).abs() < 0.001, "{rate}");
        }
    }

    #[test]
    fn exposure_is_split_at_whole_seconds() {
        let mut hazard = Hazard::new(vec![0.0; 4], 0.0);
        hazard.expose(0.5, 6.0, 1.0);
        assert_eq!(hazard.exposure, vec![0.5, 1.0, 1.0, 3.0]);
        assert_eq!(Hazard::expected(&[1.0, 2.0, 0.0, 4.0], 0.5, 6.0), 0.5 + 2.0 + 12.0);
    }

    #[test]
    fn nothing_seen_means_the_prior() {
        let hazard = Hazard::new(vec![0.1, 0.3], 2.0);
        assert_eq!(hazard.rates(), vec![0.1, 0.3]);
    }
}
