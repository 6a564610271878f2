//! A proportion that fades: successes over trials, with a prior of a stated weight (beta-binomial).

use serde::{Deserialize, Serialize};

/// A proportion as a beta distribution whose data fade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    yes: f64,
    no: f64,
    prior_yes: f64,
    prior_no: f64,
}

impl Share {
    /// A prior of `share` with the weight of `weight` observations.
    pub fn new(share: f64, weight: f64) -> Self {
        Share { yes: 0.0, no: 0.0, prior_yes: share * weight, prior_no: (1.0 - share) * weight }
    }

    pub fn count(&mut self, yes: bool) {
        if yes {
            self.yes += 1.0;
        } else {
            self.no += 1.0;
        }
    }

    /// Moves one observation to the other kind, for a correction that came later.
    pub fn reclassify(&mut self, to_yes: bool) {
        let (from, into) = if to_yes { (&mut self.no, &mut self.yes) } else { (&mut self.yes, &mut self.no) };
        if *from >= 1.0 {
            *from -= 1.0;
            *into += 1.0;
        }
    }

    /// Multiplies the weight of the data by `factor`; the prior keeps its own.
    pub fn fade(&mut self, factor: f64) {
        self.yes *= factor;
        self.no *= factor;
    }

    pub fn mean(&self) -> f64 {
        (self.yes + self.prior_yes) / self.weight()
    }

    /// Weight of the observations behind the mean, the prior's included.
    pub fn weight(&self) -> f64 {
        self.yes + self.no + self.prior_yes + self.prior_no
    }

    /// One standard deviation of the proportion.
    pub fn spread(&self) -> f64 {
        let mean = self.mean();
        (mean * (1.0 - mean) / (self.weight() + 1.0)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prior_gives_way_to_what_is_seen() {
        let mut share = Share::new(0.5, 4.0);
        assert_eq!(share.mean(), 0.5);
        for n in 0..96 {
            share.count(n % 8 == 0);
        }
        assert!((share.mean() - 14.0 / 100.0).abs() < 1e-12);
        let firm = share.spread();
        share.fade(0.25);
        assert!(share.spread() > firm, "less data, less certainty");
    }
}
