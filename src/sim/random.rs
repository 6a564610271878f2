//! Seeded random numbers for the simulation: the same key gives the same numbers for ever, independent of any
//! random crate's version. Not for secrets.

use std::time::Duration;

/// A SplitMix64 stream. Cheap enough to make one for every call.
#[derive(Clone, Debug)]
pub struct SimRng(u64);

impl SimRng {
    pub fn new(seed: u64) -> Self {
        SimRng(seed)
    }

    /// An independent stream for this combination of `parts`.
    pub fn keyed(seed: u64, parts: &[u64]) -> Self {
        let mut state = mix(seed ^ 0x9e37_79b9_7f4a_7c15);
        for part in parts {
            state = mix(state ^ mix(part.wrapping_add(0x9e37_79b9_7f4a_7c15)));
        }
        SimRng(state)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// In [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with probability `share`.
    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// A standard normal number (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Uniform between the two, both included.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let span = high.saturating_sub(low).as_millis() as u64;
        low + Duration::from_millis(self.next_u64() % (span + 1))
    }

    /// An index drawn in proportion to its weight; `None` if no weight is positive.
    pub fn weighted(&mut self, weights: &[f64]) -> Option<usize> {
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let mut left = self.unit() * total;
        for (place, weight) in weights.iter().enumerate() {
            if left < *weight {
                return Some(place);
            }
            left -= weight;
        }
        weights.iter().rposition(|weight| *weight > 0.0)
    }
}

fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_gives_the_same_numbers() {
        let mut one = SimRng::keyed(7, &[13800138000, 2]);
        let mut two = SimRng::keyed(7, &[13800138000, 2]);
        let mut other = SimRng::keyed(7, &[13800138000, 3]);
        let throws: Vec<u64> = (0..8).map(|_| one.next_u64()).collect();
        assert_eq!(throws, (0..8).map(|_| two.next_u64()).collect::<Vec<_>>());
        assert_ne!(throws, (0..8).map(|_| other.next_u64()).collect::<Vec<_>>());
    }

    #[test]
    fn weights_are_drawn_in_proportion_and_zero_never() {
        let mut rng = SimRng::new(1);
        let mut counts = [0u32; 3];
        for _ in 0..10_000 {
            counts[rng.weighted(&[3.0, 0.0, 1.0]).expect("positive weights")] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((7_200..7_800).contains(&counts[0]), "{counts:?}");
        assert_eq!(rng.weighted(&[0.0, 0.0]), None);
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_spread_one() {
        let mut rng = SimRng::new(2);
        let throws: Vec<f64> = (0..20_000).map(|_| rng.normal()).collect();
        let mean = throws.iter().sum::<f64>() / throws.len() as f64;
        let spread = throws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / throws.len() as f64;
        assert!(mean.abs() < 0.03 && (spread - 1.0).abs() < 0.05, "mean {mean}, spread {spread}");
    }
}
