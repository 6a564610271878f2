//! Call progress tones: one sine, switched on and off (China: 450 Hz, GF 002). Produces samples only;
//! `audio::Sound::tone` encodes them.

use std::f64::consts::TAU;

/// A repeating tone: on, then off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    pub hz: u32,
    pub on_millis: u32,
    /// 0 for a steady tone.
    pub off_millis: u32,
}

impl Cadence {
    pub const DIAL: Cadence = Cadence { hz: 450, on_millis: 1_000, off_millis: 0 };
    pub const RINGBACK: Cadence = Cadence { hz: 450, on_millis: 1_000, off_millis: 4_000 };
    pub const BUSY: Cadence = Cadence { hz: 450, on_millis: 350, off_millis: 350 };
    pub const CONGESTION: Cadence = Cadence { hz: 450, on_millis: 700, off_millis: 700 };

    /// Samples from the start of an on-period, at about -10 dBm0 as exchanges send it. Each burst ramps
    /// up and down over 5 ms to avoid clicks.
    pub fn samples(self, sample_rate: u32, millis: u32) -> Vec<i16> {
        let period = u64::from(self.on_millis) + u64::from(self.off_millis);
        let count = u64::from(sample_rate) * u64::from(millis) / 1_000;
        (0..count).map(|n| self.sample(n, sample_rate, period)).collect()
    }

    /// One whole period: the on-time and the off-time.
    pub fn period(self, sample_rate: u32) -> Vec<i16> {
        self.samples(sample_rate, self.on_millis + self.off_millis)
    }

    fn sample(self, n: u64, sample_rate: u32, period_millis: u64) -> i16 {
        const AMPLITUDE: f64 = 10_000.0;
        const RAMP_MILLIS: f64 = 5.0;
        let rate = f64::from(sample_rate);
        let in_period = n % (period_millis * u64::from(sample_rate) / 1_000).max(1);
        let millis = in_period as f64 * 1_000.0 / rate;
        let on = f64::from(self.on_millis);
        if millis >= on {
            return 0;
        }
        let ramp = if self.off_millis == 0 { 1.0 } else { (millis.min(on - millis) / RAMP_MILLIS).min(1.0) };
        (AMPLITUDE * ramp * (TAU * f64::from(self.hz) * in_period as f64 / rate).sin()) as i16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loud_millis(samples: &[i16]) -> Vec<bool> {
        samples.chunks(80).map(|ten_millis| ten_millis.iter().any(|s| s.abs() > 1_000)).collect()
    }

    #[test]
    fn the_busy_tone_is_on_and_off_for_350_milliseconds() {
        let heard = loud_millis(&Cadence::BUSY.samples(8_000, 1_400));
        let expected: Vec<bool> = (0..140).map(|ten| ten % 70 < 35).collect();
        assert_eq!(heard, expected);
    }

    #[test]
    fn ringback_is_one_second_of_450_hertz_in_five() {
        let samples = Cadence::RINGBACK.period(8_000);
        assert_eq!(samples.len(), 40_000);
        let rising = samples[..8_000].windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        assert!((449..=451).contains(&rising), "{rising} Hz");
        assert!(samples[8_000..].iter().all(|&sample| sample == 0));
    }

    #[test]
    fn a_steady_tone_repeats_without_a_seam() {
        let twice = Cadence::DIAL.samples(8_000, 2_000);
        assert_eq!(twice[..8_000], twice[8_000..]);
        assert!(twice.windows(2).all(|pair| (i32::from(pair[0]) - i32::from(pair[1])).abs() < 4_000));
    }
}
