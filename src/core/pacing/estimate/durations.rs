//! Distribution of the durations of talks or wrap-ups from finished and unfinished ones alike (Kaplan-Meier
//! by widening bins), resting on a lognormal fitted to the same data while few are known.

use super::normal;
use serde::{Deserialize, Serialize};

/// Lower edge of each bin, in seconds; the last bin is open.
const EDGES: [f64; 61] = [
    0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 23.0, 26.0, 29.0, 32.0,
    36.0, 40.0, 45.0, 50.0, 55.0, 60.0, 67.0, 75.0, 83.0, 92.0, 100.0, 110.0, 120.0, 132.0, 145.0, 160.0,
    175.0, 190.0, 210.0, 230.0, 250.0, 275.0, 300.0, 330.0, 360.0, 400.0, 440.0, 480.0, 540.0, 600.0, 660.0,
    750.0, 840.0, 960.0, 1080.0, 1200.0, 1500.0, 1800.0, 2100.0, 2400.0, 3000.0, 3600.0,
];

/// The prior.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    pub mean_secs: f64,
    /// Standard deviation of the logarithm.
    pub spread: f64,
    /// Weight, as a number of finished spans.
    pub weight: f64,
}

/// A duration distribution that is being learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Durations {
    prior: Prior,
    ended: Vec<f64>,
    exposure: Vec<f64>,
    /// Sums of the logarithm and of its square over the finished spans.
    logs: f64,
    log_squares: f64,
    count: f64,
    watched: f64,
}

impl Durations {
    pub fn new(prior: Prior) -> Self {
        let bins = EDGES.len();
        Durations {
            prior,
            ended: vec![0.0; bins],
            exposure: vec![0.0; bins],
            logs: 0.0,
            log_squares: 0.0,
            count: 0.0,
            watched: 0.0,
        }
    }

    /// Lower edge of each bin, in seconds.
    pub fn edges() -> &'static [f64] {
        &EDGES
    }

    pub fn bin(elapsed: f64) -> usize {
        EDGES.partition_point(|edge| *edge <= elapsed).saturating_sub(1)
    }

    /// Adds exposure between two ages; the span need not have ended.
    pub fn expose(&mut self, from: f64, to: f64) {
        let mut at = from.max(0.0);
        self.watched += (to - at).max(0.0);
        while at < to {
            let bin = Self::bin(at);
            let next = EDGES.get(bin + 1).map_or(to, |edge| to.min(*edge));
            self.exposure[bin] += next - at;
            at = next;
        }
    }

    pub fn end(&mut self, at: f64) {
        self.ended[Self::bin(at)] += 1.0;
        let log = at.max(0.5).ln();
        self.logs += log;
        self.log_squares += log * log;
        self.count += 1.0;
    }

    pub fn fade(&mut self, factor: f64) {
        for value in self.ended.iter_mut().chain(self.exposure.iter_mut()) {
            *value *= factor;
        }
        for value in [&mut self.logs, &mut self.log_squares, &mut self.count, &mut self.watched] {
            *value *= factor;
        }
    }

    pub fn count(&self) -> f64 {
        self.count
    }

    /// Total time observed per finished span: unfinished ones do not bias it.
    pub fn mean(&self) -> f64 {
        (self.watched + self.prior.mean_secs * self.prior.weight) / (self.count + self.prior.weight)
    }

    /// The lognormal with that mean and the spread of the finished spans: (mean, spread) of the logarithm.
    fn fit(&self) -> (f64, f64) {
        let own = if self.count > 1.0 {
            let mean = self.logs / self.count;
            (self.log_squares / self.count - mean * mean).max(0.0)
        } else {
            0.0
        };
        let prior = self.prior.spread * self.prior.spread;
        let variance =
            ((own * self.count + prior * self.prior.weight) / (self.count + self.prior.weight)).max(0.0025);
        ((self.mean()).max(0.5).ln() - variance / 2.0, variance.sqrt())
    }

    /// Ends per second within each bin.
    pub fn rates(&self) -> Vec<f64> {
        let (centre, spread) = self.fit();
        let alive = |secs: f64| if secs <= 0.0 { 1.0 } else { normal::below((centre - secs.ln()) / spread) };
        let believed = 3.0 + self.prior.weight.min(6.0);
        let bins = EDGES.len();
        let fitted: Vec<f64> = (0..bins)
            .map(|bin| {
                let (from, to) = (EDGES[bin], EDGES.get(bin + 1).copied().unwrap_or(EDGES[bin] * 1.25));
                let (at_start, at_end) = (alive(from).max(1e-9), alive(to).max(1e-10));
                ((at_start / at_end).ln() / (to - from)).clamp(1e-6, 5.0)
            })
            .collect();
        (0..bins)
            .map(|bin| {
                let (from, to) = (EDGES[bin], EDGES.get(bin + 1).copied().unwrap_or(EDGES[bin] * 1.25));
                // The fit's own exposure in this bin, at least enough to guide the rate where no span was
                // observed.
                let fit_exposure =
                    (believed * (to - from) * 0.5 * (alive(from) + alive(to))).max(0.3 * (to - from));
                let (mut ended, mut exposure) = (fitted[bin] * fit_exposure, fit_exposure);
                for (other, near) in [(bin.wrapping_sub(1), 0.5), (bin, 1.0), (bin + 1, 0.5)] {
                    if other < bins {
                        ended += near * self.ended[other];
                        exposure += near * self.exposure[other];
                    }
                }
                ended / exposure
            })
            .collect()
    }

    /// P(ended by each whole second from now | lasted `elapsed`): `seconds + 1` values, the first for 0 s.
    pub fn ending_within(rates: &[f64], elapsed: f64, seconds: usize, pace: f64) -> Vec<f64> {
        let mut risk = 0.0;
        let mut out = Vec::with_capacity(seconds + 1);
        out.push(0.0);
        let mut bin = Self::bin(elapsed);
        for second in 0..seconds {
            let age = elapsed + second as f64 + 0.5;
            while EDGES.get(bin + 1).is_some_and(|edge| *edge <= age) {
                bin += 1;
            }
            risk += rates[bin] * pace;
            out.push(1.0 - (-risk).exp());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prior() -> Prior {
        Prior { mean_secs: 120.0, spread: 0.9, weight: 3.0 }
    }

    #[test]
    fn two_humps_are_recovered() {
        let mut spans = Durations::new(prior());
        for n in 0..400 {
            let secs = if n % 2 == 0 { 14.0 + f64::from(n % 5) } else { 200.0 + f64::from(n % 11) };
            spans.expose(0.0, secs);
            spans.end(secs);
        }
        let rates = spans.rates();
        let soon = Durations::ending_within(&rates, 0.0, 40, 1.0)[30];
        assert!((soon - 0.5).abs() < 0.06, "half of them are short: {soon}");
        let between = Durations::ending_within(&rates, 60.0, 40, 1.0)[40];
        assert!(between < 0.08, "nothing ends between the humps: {between}");
        let late = Durations::ending_within(&rates, 185.0, 60, 1.0)[40];
        assert!(late > 0.8, "the long ones end together: {late}");
    }

    #[test]
    fn unfinished_talks_keep_the_mean_honest() {
        let mut spans = Durations::new(prior());
        // Ten minutes into a shift: 20 short talks ended, 80 long ones go on.
        for _ in 0..20 {
            spans.expose(0.0, 30.0);
            spans.end(30.0);
        }
        for _ in 0..80 {
            spans.expose(0.0, 300.0);
        }
        assert!(spans.mean() > 900.0, "{}", spans.mean());
        let soon = Durations::ending_within(&spans.rates(), 200.0, 20, 1.0)[20];
        assert!(soon < 0.05, "{soon}");
    }

    #[test]
    fn bins_cover_every_age() {
        assert_eq!(Durations::bin(0.0), 0);
        assert_eq!(Durations::bin(0.99), 0);
        assert_eq!(Durations::bin(8.5), 8);
        assert_eq!(Durations::bin(1e9), EDGES.len() - 1);
    }
}
