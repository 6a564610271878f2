//! Resampling between 16,000 and 8,000 samples a second with one half-band filter each way: linear phase,
//! no aliasing of the upper band into the lower one, 1 ms of delay. State is carried from frame to frame.

use std::f32::consts::PI;
use std::sync::LazyLock;

/// Non-zero taps on each side of the middle.
const SIDE: usize = 12;
/// The middle tap of the whole filter.
const MIDDLE: usize = 2 * SIDE - 1;
const LENGTH: usize = 2 * MIDDLE + 1;

/// Half of the odd taps, at distances 1, 3, 5 ... from the middle (Blackman window on the ideal filter).
static TAPS: LazyLock<[f32; SIDE]> = LazyLock::new(|| {
    let mut taps = [0.0; SIDE];
    for (k, tap) in taps.iter_mut().enumerate() {
        let distance = (2 * k + 1) as f32;
        let angle = PI * distance / (MIDDLE + 1) as f32;
        let window = 0.42 + 0.5 * angle.cos() + 0.08 * (2.0 * angle).cos();
        *tap = (PI * distance / 2.0).sin() / (PI * distance) * window;
    }
    // DC gain is 1.
    let sum: f32 = taps.iter().sum();
    taps.map(|tap| tap * 0.25 / sum)
});

/// Downsampler, 16,000 to 8,000.
#[derive(Clone, Debug)]
pub struct Downsampler {
    /// The end of the last frame: an even number of samples from the middle tap to the newest, so that
    /// the delay is a whole number of samples at both rates.
    past: [f32; LENGTH - 2],
}

/// Upsampler, 8,000 to 16,000.
#[derive(Clone, Debug)]
pub struct Upsampler {
    past: [f32; 2 * SIDE - 1],
}

impl Downsampler {
    pub fn new() -> Self {
        Downsampler { past: [0.0; LENGTH - 2] }
    }

    /// Resamples one frame of 20 ms.
    pub fn frame(&mut self, wide: &[i16; 320], narrow: &mut [i16; 160]) {
        let mut samples = [0.0; LENGTH - 2 + 320];
        samples[..LENGTH - 2].copy_from_slice(&self.past);
        for (place, &sample) in samples[LENGTH - 2..].iter_mut().zip(wide) {
            *place = f32::from(sample);
        }
        for (n, out) in narrow.iter_mut().enumerate() {
            let around = &samples[2 * n..2 * n + LENGTH];
            let mut sum = 0.5 * around[MIDDLE];
            for (k, tap) in TAPS.iter().enumerate() {
                sum += tap * (around[MIDDLE - 2 * k - 1] + around[MIDDLE + 2 * k + 1]);
            }
            *out = sum as i16;
        }
        self.past.copy_from_slice(&samples[320..]);
    }
}

impl Upsampler {
    pub fn new() -> Self {
        Upsampler { past: [0.0; 2 * SIDE - 1] }
    }

    /// Resamples one frame of 20 ms.
    pub fn frame(&mut self, narrow: &[i16; 160], wide: &mut [i16; 320]) {
        const PAST: usize = 2 * SIDE - 1;
        let mut samples = [0.0; PAST + 160];
        samples[..PAST].copy_from_slice(&self.past);
        for (place, &sample) in samples[PAST..].iter_mut().zip(narrow) {
            *place = f32::from(sample);
        }
        for (n, pair) in wide.chunks_exact_mut(2).enumerate() {
            let around = &samples[n..=n + PAST];
            pair[0] = around[SIDE - 1] as i16;
            let mut sum = 0.0;
            for (k, tap) in TAPS.iter().enumerate() {
                sum += tap * (around[SIDE - 1 - k] + around[SIDE + k]);
            }
            pair[1] = (2.0 * sum) as i16;
        }
        self.past.copy_from_slice(&samples[160..]);
    }
}

impl Default for Downsampler {
    fn default() -> Self {
        Downsampler::new()
    }
}

impl Default for Upsampler {
    fn default() -> Self {
        Upsampler::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn sine(hz: f64, rate: f64, count: usize) -> Vec<i16> {
        (0..count).map(|n| (8_000.0 * (TAU * hz * n as f64 / rate).sin()) as i16).collect()
    }

    /// Gain of the settled part against the input sine.
    fn gain_db(samples: &[i16]) -> f64 {
        let settled = &samples[400..samples.len() - 400];
        let power: f64 = settled.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / settled.len() as f64;
        10.0 * (power.max(0.25) / (8_000.0f64.powi(2) / 2.0)).log10()
    }

    fn downsampled(samples: &[i16]) -> Vec<i16> {
        let mut downsampler = Downsampler::new();
        let mut out = Vec::new();
        for frame in samples.as_chunks::<320>().0 {
            let mut narrow = [0; 160];
            downsampler.frame(frame, &mut narrow);
            out.extend(narrow);
        }
        out
    }

    fn upsampled(samples: &[i16]) -> Vec<i16> {
        let mut upsampler = Upsampler::new();
        let mut out = Vec::new();
        for frame in samples.as_chunks::<160>().0 {
            let mut wide = [0; 320];
            upsampler.frame(frame, &mut wide);
            out.extend(wide);
        }
        out
    }

    #[test]
    fn downsampling_passes_speech_and_stops_aliases() {
        for (hz, least, most) in [
            (300.0, -0.1, 0.1),
            (1_000.0, -0.1, 0.1),
            (3_000.0, -0.5, 0.1),
            (5_000.0, -120.0, -45.0),
            (7_000.0, -120.0, -55.0),
        ] {
            let db = gain_db(&downsampled(&sine(hz, 16_000.0, 16_000)));
            assert!((least..=most).contains(&db), "{hz} Hz: {db:.2} dB");
        }
    }

    #[test]
    fn upsampling_adds_no_mirror_image() {
        let wide = upsampled(&sine(1_000.0, 8_000.0, 8_000));
        assert!(gain_db(&wide).abs() < 0.1);
        // The remainder beside 1,000 Hz at 16,000 samples a second.
        let settled = &wide[800..8_800];
        let (mut a, mut b) = (0.0, 0.0);
        for (n, &s) in settled.iter().enumerate() {
            let angle = TAU * 1_000.0 * n as f64 / 16_000.0;
            a += f64::from(s) * angle.sin() / 4_000.0;
            b += f64::from(s) * angle.cos() / 4_000.0;
        }
        let noise: f64 = settled
            .iter()
            .enumerate()
            .map(|(n, &s)| {
                let angle = TAU * 1_000.0 * n as f64 / 16_000.0;
                (f64::from(s) - a * angle.sin() - b * angle.cos()).powi(2)
            })
            .sum::<f64>()
            / settled.len() as f64;
        let snr = 10.0 * ((a * a + b * b) / 2.0 / noise).log10();
        assert!(snr > 60.0, "{snr:.1} dB");
    }

    #[test]
    fn resampling_up_and_down_only_delays_the_signal() {
        let sent = sine(700.0, 8_000.0, 8_000);
        let back = downsampled(&upsampled(&sent));
        let best = (0..60)
            .map(|delay| {
                let worst = (400..7_000)
                    .map(|n| (i32::from(back[n + delay]) - i32::from(sent[n])).abs())
                    .max()
                    .unwrap();
                (worst, delay)
            })
            .min()
            .unwrap();
        assert!(best.0 < 50 && best.1 < 30, "{best:?}");
    }
}
