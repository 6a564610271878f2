//! Transcoding between coded packets and linear frames at 8,000 samples a second, for legs whose mix
//! needs a sum. Legs that are only relayed have no decoder and no encoder.

use super::receive::ReceivedPacket;
use paceline_core::media::jitter_buffer::{FrameFill, JitterBuffer};
use paceline_core::media::mix::{Frame, SAMPLES};
use paceline_core::media::quality;
use paceline_core::media::resample::{Downsampler, Upsampler};
use paceline_core::media::{Codec, g711, g722};

/// A frame counts as a pause if all samples stay below this (about -40 dBov).
const QUIET: u16 = 328;

/// Jitter buffer and decoder: received packets in, steady linear frames out.
pub struct PlayoutDecoder {
    jitter: JitterBuffer,
    codec: Codec,
    decoder: g722::Decoder,
    downsampler: Downsampler,
    quiet: bool,
}

impl PlayoutDecoder {
    pub fn new(codec: Codec) -> Self {
        PlayoutDecoder {
            jitter: JitterBuffer::new(codec.silence_byte()),
            codec,
            decoder: g722::Decoder::new(),
            downsampler: Downsampler::new(),
            quiet: true,
        }
    }

    pub fn push(&mut self, packet: &ReceivedPacket) {
        if packet.codec != self.codec {
            *self = PlayoutDecoder::new(packet.codec);
        }
        self.jitter.push(packet.header.ssrc, packet.header.timestamp, packet.payload());
    }

    /// Plays out the next 20 ms. Returns false if nothing was buffered.
    pub fn pop_frame(&mut self, frame: &mut Frame) -> bool {
        let mut coded = [0; SAMPLES];
        if self.jitter.pop_frame(&mut coded, self.quiet) == FrameFill::Nothing {
            frame.fill(0);
            self.quiet = true;
            return false;
        }
        match self.codec {
            Codec::Pcma => decode(&coded, frame, g711::linear_from_alaw),
            Codec::Pcmu => decode(&coded, frame, g711::linear_from_ulaw),
            Codec::G722 => {
                let mut wide = [0; 2 * SAMPLES];
                self.decoder.decode_frame(&coded, &mut wide);
                self.downsampler.frame(&wide, frame);
            }
        }
        self.quiet = frame.iter().all(|sample| sample.unsigned_abs() < QUIET);
        true
    }
}

fn decode(coded: &[u8; SAMPLES], frame: &mut Frame, linear: impl Fn(u8) -> i16) {
    for (sample, &byte) in frame.iter_mut().zip(coded) {
        *sample = linear(byte);
    }
}

/// Encoder: linear frames in, coded frames out.
#[derive(Default)]
pub struct FrameEncoder {
    /// Only for G.722, whose encoder keeps state.
    wide: Option<Box<(Upsampler, g722::Encoder)>>,
}

impl FrameEncoder {
    pub fn encode(&mut self, codec: Codec, frame: &Frame) -> [u8; SAMPLES] {
        match codec {
            Codec::Pcma => frame.map(g711::alaw_from_linear),
            Codec::Pcmu => frame.map(g711::ulaw_from_linear),
            Codec::G722 => {
                let (upsampler, encoder) = &mut **self.wide.get_or_insert_default();
                let (mut wide, mut coded) = ([0; 2 * SAMPLES], [0; SAMPLES]);
                upsampler.frame(frame, &mut wide);
                encoder.encode_frame(&wide, &mut coded);
                coded
            }
        }
    }
}

/// LevelMeter meter of one direction of a leg. G.722 is measured only where it is decoded anyway.
#[derive(Clone, Copy, Debug, Default)]
pub struct LevelMeter {
    energy: u64,
    samples: u64,
    loud_energy: u64,
    loud_samples: u64,
}

impl LevelMeter {
    pub fn add_coded(&mut self, codec: Codec, payload: &[u8]) {
        match codec {
            Codec::Pcma => self.add(g711::alaw_energy(payload), payload.len()),
            Codec::Pcmu => self.add(g711::ulaw_energy(payload), payload.len()),
            Codec::G722 => {}
        }
    }

    pub fn add_linear(&mut self, frame: &Frame) {
        let energy = frame.iter().map(|&sample| i64::from(sample).pow(2) as u64).sum();
        self.add(energy, frame.len());
    }

    fn add(&mut self, energy: u64, samples: usize) {
        /// About -50 dBov; quieter frames are pauses and not counted as speech.
        const LOUD: u64 = 10_000;
        self.energy += energy;
        self.samples += samples as u64;
        if energy > LOUD * samples as u64 {
            self.loud_energy += energy;
            self.loud_samples += samples as u64;
        }
    }

    /// dB below overload of the parts with sound in them; of everything if there was none.
    pub fn dbov(&self) -> Option<i8> {
        match (self.loud_samples, self.samples) {
            (0, 0) => None,
            (0, samples) => Some(quality::dbov(self.energy, samples)),
            (samples, _) => Some(quality::dbov(self.loud_energy, samples)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_do_not_count_as_speech() {
        let mut level = LevelMeter::default();
        assert_eq!(level.dbov(), None);
        level.add_linear(&[1; SAMPLES]);
        assert_eq!(level.dbov(), Some(-90));
        level.add_linear(&[3_276; SAMPLES]);
        assert_eq!(level.dbov(), Some(-20));
        let coded = FrameEncoder::default().encode(Codec::Pcma, &[3_276; SAMPLES]);
        level.add_coded(Codec::Pcma, &coded);
        assert_eq!(level.dbov(), Some(-20));
    }
}
