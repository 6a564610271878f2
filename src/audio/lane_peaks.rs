//! The loudest samples of equal parts of a recording, for each of its channels. The file is read in pieces of
//! [`PIECE`]: an hour costs no more memory than a second.

use paceline_core::media::g711;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Most parts of one recording: more than a screen has columns.
pub const LANE_BINS_MAX: usize = 2_000;

/// Bytes read at once.
const PIECE: usize = 64 << 10;
/// Chunks before the sound that are looked at.
const CHUNKS_MAX: usize = 64;
/// Bytes of a `fmt ` chunk that are read.
const FORMAT_BYTES: usize = 16;
const CHANNELS_MAX: u16 = 8;

/// The peaks of a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LanePeaks {
    pub millis: u64,
    /// Of each channel: the loudest sample of each part, 0 to 1.
    pub lanes: Vec<Vec<f64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Linear,
    Alaw,
    Ulaw,
}

#[derive(Clone, Copy, Debug)]
struct Format {
    coding: Coding,
    channels: u16,
    rate: u32,
}

impl Format {
    fn sample_bytes(self) -> usize {
        if self.coding == Coding::Linear { 2 } else { 1 }
    }

    fn frame_bytes(self) -> usize {
        self.sample_bytes() * usize::from(self.channels)
    }

    /// The distance of a sample from silence, of 32,768.
    fn loudness(self, sample: &[u8]) -> u16 {
        let byte = sample.first().copied().unwrap_or_default();
        match self.coding {
            Coding::Linear => {
                i16::from_le_bytes([byte, sample.get(1).copied().unwrap_or_default()]).unsigned_abs()
            }
            Coding::Alaw => g711::linear_from_alaw(byte).unsigned_abs(),
            Coding::Ulaw => g711::linear_from_ulaw(byte).unsigned_abs(),
        }
    }
}

/// The peaks of a WAV file of 16-bit, A-law or mu-law samples in at most `bins` parts. Not for an async task.
///
/// # Errors
/// The file cannot be read, or is no such file.
pub fn lane_peaks(file: &Path, bins: usize) -> io::Result<LanePeaks> {
    let mut file = File::open(file)?;
    let (format, bytes) = find_sound(&mut file)?;
    let frames = bytes / format.frame_bytes() as u64;
    let bins = (bins.clamp(1, LANE_BINS_MAX) as u64).min(frames.max(1));
    let mut lanes = vec![vec![0u16; bins as usize]; usize::from(format.channels)];
    // Whole frames, so that no sample is cut by a piece.
    let mut piece = vec![0; PIECE / format.frame_bytes() * format.frame_bytes()];
    let (mut frame, mut bin) = (0u64, 0u64);
    while frame < frames {
        let left = ((frames - frame) * format.frame_bytes() as u64).min(piece.len() as u64) as usize;
        file.read_exact(&mut piece[..left])?;
        for samples in piece[..left].chunks_exact(format.frame_bytes()) {
            while frame >= frames * (bin + 1) / bins {
                bin += 1;
            }
            for (lane, sample) in lanes.iter_mut().zip(samples.chunks_exact(format.sample_bytes())) {
                let peak = &mut lane[bin as usize];
                *peak = (*peak).max(format.loudness(sample));
            }
            frame += 1;
        }
    }
    let share = |peak: u16| (f64::from(peak) / 32_768.0 * 1_000.0).round() / 1_000.0;
    Ok(LanePeaks {
        millis: frames * 1_000 / u64::from(format.rate),
        lanes: lanes.into_iter().map(|lane| lane.into_iter().map(share).collect()).collect(),
    })
}

/// The format, and the bytes of sound that are in the file; it then stands at the first of them.
fn find_sound(file: &mut File) -> io::Result<(Format, u64)> {
    let refused = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let length = file.metadata()?.len();
    let mut head = [0; 12];
    file.read_exact(&mut head)?;
    if &head[..4] != b"RIFF" || &head[8..] != b"WAVE" {
        return Err(refused("no WAV file"));
    }
    let mut format = None;
    for _ in 0..CHUNKS_MAX {
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let size = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
        let begin = file.stream_position()?;
        match &head[..4] {
            b"fmt " => {
                format = Some(read_format(file).ok_or_else(|| refused("a format of another program"))?)
            }
            b"data" => {
                let format = format.ok_or_else(|| refused("sound before its format"))?;
                // A header of a crash may claim less or more than there is.
                let there = length.saturating_sub(begin);
                return Ok((format, if size == 0 { there } else { size.min(there) }));
            }
            _ => {}
        }
        // Chunks begin at even places.
        file.seek(SeekFrom::Start(begin + size + size % 2))?;
    }
    Err(refused("no sound in it"))
}

fn read_format(file: &mut File) -> Option<Format> {
    let mut bytes = [0; FORMAT_BYTES];
    file.read_exact(&mut bytes).ok()?;
    let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let coding = match (word(0), word(14)) {
        (1, 16) => Coding::Linear,
        (6, 8) => Coding::Alaw,
        (7, 8) => Coding::Ulaw,
        _ => return None,
    };
    let rate = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    let channels = word(2);
    ((1..=CHANNELS_MAX).contains(&channels) && rate > 0).then_some(Format { coding, channels, rate })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(coding: u16, bits: u16, sound: &[u8], claimed: u32) -> tempfile::NamedTempFile {
        let mut bytes = b"RIFF\0\0\0\0WAVE".to_vec();
        bytes.extend(b"LIST\x03\0\0\0abc\0fmt \x10\0\0\0");
        bytes.extend(coding.to_le_bytes());
        bytes.extend(2u16.to_le_bytes());
        bytes.extend(8_000u32.to_le_bytes());
        bytes.extend(32_000u32.to_le_bytes());
        bytes.extend([4, 0]);
        bytes.extend(bits.to_le_bytes());
        bytes.extend(b"data");
        bytes.extend(claimed.to_le_bytes());
        bytes.extend(sound);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    /// Frames of both channels as 16-bit samples.
    fn linear(frames: impl Iterator<Item = (i16, i16)>) -> Vec<u8> {
        frames.flat_map(|(left, right)| [left.to_le_bytes(), right.to_le_bytes()].concat()).collect()
    }

    #[test]
    fn each_part_of_each_channel_has_its_loudest_sample() {
        // Over several pieces: 40,000 frames are 160 kB.
        let sound = linear((0..40_000).map(|at| match at {
            9_999 => (16_384, 0),
            10_000 => (-32_768, 328),
            39_999 => (0, -3_277),
            _ => (33, 0),
        }));
        let file = wav(1, 16, &sound, sound.len() as u32);
        let peaks = lane_peaks(file.path(), 4).unwrap();
        assert_eq!(peaks.millis, 5_000);
        assert_eq!(peaks.lanes, [vec![0.5, 1.0, 0.001, 0.001], vec![0.0, 0.01, 0.0, 0.1]]);
    }

    #[test]
    fn coded_sound_and_headers_that_claim_too_much_or_nothing_are_read() {
        let loud = g711::alaw_from_linear(16_384);
        let silent = g711::alaw_from_linear(0);
        let sound = [silent, loud, silent, silent, silent, loud];
        for claimed in [0, 6, 4_000_000] {
            let file = wav(6, 8, &sound, claimed);
            let peaks = lane_peaks(file.path(), 2_000).unwrap();
            assert_eq!(peaks.lanes.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3], "no more than frames");
            let is_loud: Vec<Vec<bool>> =
                peaks.lanes.iter().map(|lane| lane.iter().map(|peak| *peak > 0.4).collect()).collect();
            assert_eq!(is_loud, [[false, false, false], [true, false, true]]);
        }
    }

    #[test]
    fn the_parts_are_bounded_and_other_files_are_refused() {
        let sound = linear((0..5_000).map(|_| (1, 1)));
        let file = wav(1, 16, &sound, sound.len() as u32);
        assert_eq!(lane_peaks(file.path(), 1 << 40).unwrap().lanes[0].len(), LANE_BINS_MAX);
        assert_eq!(lane_peaks(file.path(), 0).unwrap().lanes[0].len(), 1);
        assert!(lane_peaks(wav(1, 24, &sound, 9).path(), 4).is_err());
        let other = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(other.path(), [7; 300]).unwrap();
        assert!(lane_peaks(other.path(), 4).is_err());
        let empty = wav(1, 16, &[], 0);
        assert_eq!(lane_peaks(empty.path(), 4).unwrap().lanes, [vec![0.0], vec![0.0]]);
    }
}
