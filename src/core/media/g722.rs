//! G.722 at 64 kbit/s: 16,000 samples a second in, 160 bytes per 20 ms out. Wraps `audio-codec` in an
//! interface that cannot panic.

use audio_codec::Encoder as _;
use audio_codec::g722::{G722Decoder, G722Encoder};
use std::fmt;

/// Stateful from frame to frame: one per stream.
pub struct Encoder(G722Encoder);

/// Stateful from frame to frame: one per stream.
pub struct Decoder(G722Decoder);

impl Encoder {
    pub fn new() -> Self {
        Encoder(G722Encoder::new())
    }

    /// One byte per two samples; an odd last sample is left out.
    pub fn encode(&mut self, samples: &[i16]) -> Vec<u8> {
        let samples = &samples[..samples.len() & !1];
        let mut bytes = vec![0; self.0.max_encode_bytes(samples.len())];
        let written = self.0.encode_into(samples, &mut bytes).unwrap_or(0);
        bytes.truncate(written);
        bytes
    }

    /// Codes 20 ms without allocating; if the codec fails, the frame is silence.
    pub fn encode_frame(&mut self, samples: &[i16; 320], bytes: &mut [u8; 160]) {
        if self.0.encode_into(samples, bytes) != Ok(160) {
            bytes.fill(super::Codec::G722.silence_byte());
        }
    }
}

impl Decoder {
    pub fn new() -> Self {
        Decoder(G722Decoder::new())
    }

    /// Two samples per byte.
    pub fn decode(&mut self, bytes: &[u8]) -> Vec<i16> {
        let mut samples = vec![0; bytes.len() * 2];
        let written = self.0.decode_frame_into(bytes, &mut samples).unwrap_or(0);
        samples.truncate(written);
        samples
    }

    /// Codes 20 ms without allocating; if the codec fails, the frame is silence.
    pub fn decode_frame(&mut self, bytes: &[u8; 160], samples: &mut [i16; 320]) {
        if self.0.decode_frame_into(bytes, samples) != Ok(320) {
            samples.fill(0);
        }
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Encoder::new()
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder::new()
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("g722::Encoder")
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("g722::Decoder")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    /// Signal to noise in dB of a sine that went through encoder and decoder.
    fn round_trip(hz: f64, amplitude: f64) -> f64 {
        let sine = |n: f64| amplitude * (TAU * hz * n / 16_000.0).sin();
        let sent: Vec<i16> = (0..16_000).map(|n| sine(n as f64) as i16).collect();
        let heard = Decoder::new().decode(&Encoder::new().encode(&sent));
        assert_eq!(heard.len(), sent.len());
        // The two band filters delay by 22 samples; gain and phase are fitted, the rest is noise.
        let tail = 4_000..15_000;
        let (mut a, mut b) = (0.0, 0.0);
        for n in tail.clone() {
            let angle = TAU * hz * n as f64 / 16_000.0;
            a += f64::from(heard[n]) * angle.sin();
            b += f64::from(heard[n]) * angle.cos();
        }
        let half = tail.len() as f64 / 2.0;
        let (a, b) = (a / half, b / half);
        let (mut signal, mut noise) = (0.0, 0.0);
        for n in tail {
            let angle = TAU * hz * n as f64 / 16_000.0;
            let fitted = a * angle.sin() + b * angle.cos();
            signal += fitted * fitted;
            noise += (f64::from(heard[n]) - fitted).powi(2);
        }
        assert!((0.9..1.1).contains(&(a.hypot(b) / amplitude)), "{hz} Hz came back at another level");
        10.0 * (signal / noise).log10()
    }

    #[test]
    fn a_sine_comes_back_with_little_noise_in_both_bands() {
        for (hz, least) in [(300.0, 25.0), (1_000.0, 25.0), (3_000.0, 20.0), (5_000.0, 12.0), (6_500.0, 12.0)]
        {
            let snr = round_trip(hz, 8_000.0);
            assert!(snr > least, "{hz} Hz: {snr:.1} dB");
        }
    }

    #[test]
    fn twenty_milliseconds_are_160_bytes_and_an_odd_sample_is_left_out() {
        assert_eq!(Encoder::new().encode(&[0; 320]).len(), 160);
        assert_eq!(Encoder::new().encode(&[0; 321]).len(), 160);
        assert_eq!(Encoder::new().encode(&[]).len(), 0);
    }
}
