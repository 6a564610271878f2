//! Capture of the audio that one leg receives, for the device check and for tests: payloads in timestamp
//! order, gaps filled with silence. Legs without a capture pay nothing for it.

use crate::audio::Sound;
use paceline_core::media::{Codec, g711, g722};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// All supported codecs carry one byte per 1/8,000 s.
const BYTES_PER_SECOND: usize = 8_000;

/// Shared by the reader and the media thread that fills it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AudioCapture(Arc<Mutex<Captured>>);

#[derive(Debug)]
struct Captured {
    limit: usize,
    /// One stretch for each run of the same codec and source.
    stretches: Vec<Stretch>,
    length: usize,
}

#[derive(Debug)]
struct Stretch {
    codec: Codec,
    ssrc: u32,
    first: u32,
    bytes: Vec<u8>,
    /// Bytes received; the rest of `bytes` is counted by [`AudioCapture::missing`].
    captured: usize,
}

impl AudioCapture {
    /// Captures the first `limit` of received audio and drops the rest.
    pub fn new(limit: Duration) -> Self {
        let limit = (limit.as_secs_f64() * BYTES_PER_SECOND as f64) as usize;
        AudioCapture(Arc::new(Mutex::new(Captured { limit, stretches: Vec::new(), length: 0 })))
    }

    /// Coded bytes (8 per millisecond) of each stretch, in order.
    pub fn payloads(&self) -> Vec<(Codec, Vec<u8>)> {
        let captured = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        captured.stretches.iter().map(|stretch| (stretch.codec, stretch.bytes.clone())).collect()
    }

    /// Linear samples at 8,000 per second; G.722 is decoded and decimated by two without a filter.
    pub fn linear(&self) -> Vec<i16> {
        let decode = |(codec, bytes): (Codec, Vec<u8>)| match codec {
            Codec::Pcma => g711::decode_alaw(&bytes),
            Codec::Pcmu => g711::decode_ulaw(&bytes),
            Codec::G722 => g722::Decoder::new().decode(&bytes).into_iter().step_by(2).collect(),
        };
        self.payloads().into_iter().flat_map(decode).collect()
    }

    /// The captured audio as a sound, at its original level.
    pub fn sound(&self, name: &str) -> Sound {
        let samples: Vec<f32> =
            self.linear().into_iter().map(|sample| f32::from(sample) / 32_768.0).collect();
        Sound::from_samples(name, &samples, BYTES_PER_SECOND as u32)
    }

    /// Bytes (of 1/8,000 s) between the first and the last packet that were not received.
    pub fn missing(&self) -> usize {
        let captured = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        captured.stretches.iter().map(|stretch| stretch.bytes.len().saturating_sub(stretch.captured)).sum()
    }

    pub(super) fn add(&self, codec: Codec, ssrc: u32, timestamp: u32, payload: &[u8]) {
        let mut captured = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        captured.add(codec, ssrc, timestamp, payload);
    }
}

impl Captured {
    fn add(&mut self, codec: Codec, ssrc: u32, timestamp: u32, payload: &[u8]) {
        let continues = self.stretches.last().is_some_and(|last| last.codec == codec && last.ssrc == ssrc);
        if !continues {
            if self.stretches.len() >= 64 {
                return;
            }
            self.stretches.push(Stretch { codec, ssrc, first: timestamp, bytes: Vec::new(), captured: 0 });
        }
        let room = self.limit.saturating_sub(self.length);
        let Some(stretch) = self.stretches.last_mut() else { return };
        let at = timestamp.wrapping_sub(stretch.first) as usize;
        let end = at.saturating_add(payload.len());
        // A packet before the first one, or beyond the limit, is dropped.
        if end > stretch.bytes.len().saturating_add(room) {
            return;
        }
        if end > stretch.bytes.len() {
            self.length += end - stretch.bytes.len();
            stretch.bytes.resize(end, silence_byte(codec));
        }
        stretch.bytes[at..end].copy_from_slice(payload);
        stretch.captured += payload.len();
    }
}

/// The payload byte of (near) silence.
fn silence_byte(codec: Codec) -> u8 {
    match codec {
        Codec::Pcma => g711::ALAW_SILENCE,
        Codec::Pcmu => g711::ULAW_SILENCE,
        Codec::G722 => 0xFA,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_packets_are_put_in_order_and_gaps_are_silent() {
        let capture = AudioCapture::new(Duration::from_secs(1));
        capture.add(Codec::Pcma, 1, u32::MAX - 1, &[1, 1]);
        capture.add(Codec::Pcma, 1, 4, &[4, 4]);
        capture.add(Codec::Pcma, 1, 0, &[2, 2]);
        assert_eq!(capture.payloads(), [(Codec::Pcma, vec![1, 1, 2, 2, 0xD5, 0xD5, 4, 4])]);
        assert_eq!(capture.missing(), 2);
    }

    #[test]
    fn a_capture_keeps_no_more_than_its_limit() {
        let capture = AudioCapture::new(Duration::from_millis(1));
        capture.add(Codec::Pcmu, 1, 0, &[7; 6]);
        capture.add(Codec::Pcmu, 1, 6, &[8; 6]);
        capture.add(Codec::Pcmu, 1, 4_000_000_000, &[8; 1]);
        capture.add(Codec::Pcmu, 2, 6, &[9; 2]);
        capture.add(Codec::Pcmu, 3, 6, &[9; 1]);
        assert_eq!(capture.payloads().concat_lengths(), 8);
    }

    trait Lengths {
        fn concat_lengths(&self) -> usize;
    }

    impl Lengths for Vec<(Codec, Vec<u8>)> {
        fn concat_lengths(&self) -> usize {
            self.iter().map(|(_, bytes)| bytes.len()).sum()
        }
    }
}
