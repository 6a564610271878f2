//! The two tracks of a recording, aligned in time. A packet's position comes from its timestamp, so late
//! or reordered packets end up in the right position; each stream as a whole is aligned to our own clock.

use super::piece::{Piece, Side};
use paceline_core::media::resample::Downsampler;
use paceline_core::media::{Codec, g711, g722};

/// A stream that deviates by this much (40 ms) on average over some seconds is realigned: clocks drift,
/// and a speaker may pause without sending.
const MAX_MEAN_DEVIATION: i32 = 320;
/// A stream that deviates by this much (0.5 s) is realigned at once.
const MAX_DEVIATION: i32 = 4_000;
/// Limit of buffered samples (30 s); a position beyond it is an error of the sender.
const MAX_WINDOW: usize = 8_000 * 30;

/// Samples of both tracks that are not written yet.
pub struct Tracks {
    /// Samples written since the start.
    written: u64,
    heard: Track,
    sent: Track,
}

#[derive(Default)]
struct Track {
    /// Samples from position `written` on.
    samples: Vec<i16>,
    anchor: Option<Anchor>,
    wide: Option<Box<(g722::Decoder, Downsampler)>>,
}

#[derive(Clone, Copy)]
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    position: i64,
    /// Mean deviation of the stream from our clock, in sixteenths of a sample.
    deviation: i32,
}

impl Tracks {
    pub fn new() -> Self {
        Tracks { written: 0, heard: Track::default(), sent: Track::default() }
    }

    pub fn put(&mut self, piece: &Piece) {
        let track = match piece.side {
            Side::Heard => &mut self.heard,
            Side::Sent => &mut self.sent,
        };
        track.put(piece, self.written as i64);
    }

    /// Passes all samples up to `until` (since the start) to `pair`, left and right; gaps are silence.
    pub fn take(&mut self, until: u64, mut pair: impl FnMut(i16, i16)) {
        let count = until.saturating_sub(self.written) as usize;
        for n in 0..count {
            let at = |track: &Track| track.samples.get(n).copied().unwrap_or(0);
            pair(at(&self.heard), at(&self.sent));
        }
        for track in [&mut self.heard, &mut self.sent] {
            track.samples.drain(..count.min(track.samples.len()));
        }
        self.written += count as u64;
    }

    pub fn written(&self) -> u64 {
        self.written
    }
}

impl Track {
    fn put(&mut self, piece: &Piece, written: i64) {
        let position = self.position(piece);
        let mut samples = [0; 160];
        let length = self.decode(piece, &mut samples);
        // Samples that arrive after their position was written are dropped.
        let skip = (written - position).clamp(0, length as i64) as usize;
        let start = (position - written).max(0) as usize;
        let end = start + length - skip;
        if end > MAX_WINDOW || skip == length {
            return;
        }
        if self.samples.len() < end {
            self.samples.resize(end, 0);
        }
        self.samples[start..end].copy_from_slice(&samples[skip..length]);
    }

    fn position(&mut self, piece: &Piece) -> i64 {
        let at = i64::from(piece.at);
        let fresh = Anchor { ssrc: piece.ssrc, timestamp: piece.timestamp, position: at, deviation: 0 };
        let Some(anchor) = self.anchor.filter(|anchor| anchor.ssrc == piece.ssrc) else {
            self.anchor = Some(fresh);
            return at;
        };
        let since = piece.timestamp.wrapping_sub(anchor.timestamp) as i32;
        let position = anchor.position + i64::from(since);
        let deviation = (position - at).clamp(-100_000, 100_000) as i32;
        let mean = anchor.deviation + (16 * deviation - anchor.deviation) / 64;
        if deviation.abs() > MAX_DEVIATION || mean.abs() > 16 * MAX_MEAN_DEVIATION {
            self.anchor = Some(fresh);
            return at;
        }
        self.anchor = Some(Anchor { timestamp: piece.timestamp, position, deviation: mean, ..anchor });
        position
    }

    fn decode(&mut self, piece: &Piece, samples: &mut [i16; 160]) -> usize {
        let length = usize::from(piece.length).min(160);
        match piece.codec {
            Codec::Pcma => {
                for (sample, &byte) in samples.iter_mut().zip(&piece.bytes[..length]) {
                    *sample = match byte {
                        // A-law has no code for 0; its nearest one decodes to 8.
                        g711::ALAW_SILENCE => 0,
                        byte => g711::linear_from_alaw(byte),
                    };
                }
            }
            Codec::Pcmu => {
                for (sample, &byte) in samples.iter_mut().zip(&piece.bytes[..length]) {
                    *sample = g711::linear_from_ulaw(byte);
                }
            }
            Codec::G722 => {
                let (decoder, downsampler) = &mut **self.wide.get_or_insert_default();
                let mut wide = [0; 320];
                decoder.decode_frame(&piece.bytes, &mut wide);
                downsampler.frame(&wide, samples);
            }
        }
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(side: Side, at: u32, timestamp: u32, sample: i16) -> Piece {
        let bytes = [g711::ulaw_from_linear(sample); 160];
        Piece { key: 1, side, codec: Codec::Pcmu, ssrc: 7, timestamp, at, length: 160, bytes }
    }

    fn taken(tracks: &mut Tracks, until: u64) -> Vec<(i16, i16)> {
        let mut pairs = Vec::new();
        tracks.take(until, |left, right| pairs.push((left, right)));
        pairs
    }

    #[test]
    fn late_and_reordered_pieces_are_written_at_their_position() {
        let mut tracks = Tracks::new();
        for (n, at) in [(0, 800), (2, 1_130), (1, 1_131), (3, 1_500)] {
            tracks.put(&piece(Side::Heard, at, 5_000 + n * 160, 1_000 * (n as i16 + 1)));
        }
        let pairs = taken(&mut tracks, 2_000);
        assert_eq!(pairs.len(), 2_000);
        assert!(pairs[..800].iter().chain(&pairs[1_440..]).all(|pair| *pair == (0, 0)));
        for n in 0..4 {
            let expected = g711::linear_from_ulaw(g711::ulaw_from_linear(1_000 * (n as i16 + 1)));
            assert!(pairs[800 + n * 160..960 + n * 160].iter().all(|pair| *pair == (expected, 0)));
        }
    }

    #[test]
    fn both_tracks_are_taken_up_to_the_same_position() {
        let mut tracks = Tracks::new();
        tracks.put(&piece(Side::Heard, 0, 0, 100));
        tracks.put(&piece(Side::Sent, 80, 0, -100));
        let pairs = [taken(&mut tracks, 100), taken(&mut tracks, 240)].concat();
        assert!(pairs.iter().take(80).all(|pair| pair.0 != 0 && pair.1 == 0));
        assert!(pairs[80..160].iter().all(|pair| pair.0 != 0 && pair.1 != 0));
        assert!(pairs[160..].iter().all(|pair| pair.0 == 0 && pair.1 != 0));
        assert_eq!((pairs.len(), tracks.written()), (240, 240));
    }

    #[test]
    fn a_drifting_stream_is_realigned_to_our_clock() {
        let mut tracks = Tracks::new();
        // An hour of packets from a clock that is 200 ppm fast.
        let mut worst = 0;
        for n in 0..180_000u32 {
            let at = n * 160;
            let timestamp = (f64::from(n) * 160.0 * 1.0002) as u32;
            tracks.put(&piece(Side::Heard, at, timestamp, 100));
            let position = tracks.heard.anchor.unwrap().position;
            worst = worst.max((position - i64::from(at)).abs());
            if n % 50 == 0 {
                tracks.take(u64::from(at), |_, _| {});
            }
        }
        assert!(worst <= i64::from(MAX_MEAN_DEVIATION) + 40, "{worst}");
    }

    #[test]
    fn a_far_off_timestamp_allocates_no_memory() {
        let mut tracks = Tracks::new();
        tracks.put(&piece(Side::Heard, 0, 0, 100));
        tracks.put(&piece(Side::Heard, 160, 900_000_000, 100));
        tracks.put(&piece(Side::Heard, u32::MAX, 5, 100));
        assert!(tracks.heard.samples.len() <= MAX_WINDOW);
        assert_eq!(taken(&mut tracks, 320).iter().filter(|pair| pair.0 != 0).count(), 320);
    }
}
