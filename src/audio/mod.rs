//! Audio files for playback (announcements, prompts): WAV (usual depths and rates, A-law, mu-law) and
//! MP3, decoded once, mixed to mono, resampled, levelled, encoded per codec and shared by all calls.
//! Unplayable files are refused at check time, with the reason.

mod decode;
mod lane_peaks;
mod level;
mod mp3;
mod music;
mod prompts;
mod resample;
mod sniff;
mod wav;

pub use lane_peaks::{LANE_BINS_MAX, LanePeaks, lane_peaks};
pub use music::hold_music;
pub use prompts::{Language, Prompt, Prompts, agent_announcement, prompt};

use crate::caught_panic;
use level::decibels;
use paceline_core::media::tone::Cadence;
use paceline_core::media::{Codec, g711, g722};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Longest announcement accepted.
pub const MAX_LENGTH: Duration = Duration::from_secs(600);
/// Largest file accepted.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// A sound ready to be sent: whole 20 ms frames, the last one padded with silence.
#[derive(Clone, Debug)]
pub struct Sound {
    pub name: String,
    pub length: Duration,
    pub measured: Measured,
    pcma: Arc<[u8]>,
    pcmu: Arc<[u8]>,
    g722: Arc<[u8]>,
}

/// Measurements of the file, for the check report.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Measured {
    pub sample_rate: u32,
    pub channels: u16,
    pub secs: f64,
    /// Seconds by the headers, if they claim more than there is: the file was cut off. Else 0.
    pub secs_claimed: f64,
    /// dBFS of the parts with sound in them, of the file and of what will be sent.
    pub rms_dbfs_in: f64,
    pub rms_dbfs_out: f64,
    pub peak_dbfs_in: f64,
    /// Samples at full scale.
    pub clipped: u64,
    pub silence_head_secs: f64,
    pub silence_tail_secs: f64,
}

#[derive(Debug, thiserror::Error)]
#[error("{file}: {found}: {hint}")]
pub struct AudioError {
    pub file: PathBuf,
    pub found: String,
    pub hint: String,
}

/// Why a file cannot be played: what was found, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found}: {hint}")]
pub struct Refusal {
    pub found: String,
    pub hint: String,
}

impl Refusal {
    fn new(found: impl Into<String>, hint: impl Into<String>) -> Self {
        Refusal { found: found.into(), hint: hint.into() }
    }
}

impl Sound {
    /// Reads, decodes and encodes a file. Takes CPU time (up to seconds for the longest files), so not
    /// for an async task. The sound is named after the file.
    pub fn load(file: &Path) -> Result<Sound, AudioError> {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        read_bounded(file).and_then(|bytes| Sound::from_bytes(&name, bytes)).map_err(|refusal| AudioError {
            file: file.to_owned(),
            found: refusal.found,
            hint: refusal.hint,
        })
    }

    /// Decodes the content of a WAV or MP3 file. Never panics, whatever the bytes are.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Sound, Refusal> {
        // The third-party decoders meet any file a user has; a panic in them may cost this file, not the
        // campaign.
        caught_panic::catch("decoding a sound", || Sound::decoded(name, bytes)).unwrap_or_else(|| {
            Err(Refusal::new("the file is damaged", "export it again, as WAV (16 bit) or MP3"))
        })
    }

    /// From mono samples (-1 to 1) at any rate, not levelled. For tones and for tests.
    pub fn from_samples(name: &str, samples: &[f32], sample_rate: u32) -> Sound {
        let at = |rate: u32| {
            let mut resampler = resample::Resampler::new(sample_rate.max(1), rate);
            resampler.push(samples);
            resampler.finish()
        };
        let (wide, narrow) = (at(16_000), at(8_000));
        Sound::measured(name, sample_rate, peak(samples), wide, narrow)
    }

    /// From samples at 16,000 Hz and the same audio at 8,000 Hz, not levelled.
    fn from_both(name: &str, wide: &[f32], narrow: &[f32]) -> Sound {
        Sound::measured(name, 16_000, peak(wide), wide.to_vec(), narrow.to_vec())
    }

    fn measured(name: &str, sample_rate: u32, peak: f32, wide: Vec<f32>, narrow: Vec<f32>) -> Sound {
        let decoded =
            decode::Decoded { sample_rate, channels: 1, peak, clipped: 0, claimed_secs: 0.0, wide, narrow };
        let measured = level::measure(&decoded);
        Sound::encode(name, measured, &decoded.wide, &decoded.narrow)
    }

    /// One period of a call progress tone, to be played repeatedly.
    pub fn tone(name: &str, cadence: Cadence) -> Sound {
        let samples: Vec<f32> =
            cadence.period(16_000).iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
        Sound::from_samples(name, &samples, 16_000)
    }

    /// All frames in this codec, concatenated, `Codec::frame_bytes` each.
    pub fn encoded(&self, codec: Codec) -> &Arc<[u8]> {
        match codec {
            Codec::Pcma => &self.pcma,
            Codec::Pcmu => &self.pcmu,
            Codec::G722 => &self.g722,
        }
    }

    /// What a callee hears of it: 8,000 samples a second, through A-law.
    pub fn line_samples(&self) -> Vec<i16> {
        g711::decode_alaw(&self.pcma)
    }

    /// Number of 20 ms frames, the same in every codec.
    pub fn frames(&self) -> usize {
        self.pcma.len() / Codec::Pcma.frame_bytes()
    }

    fn decoded(name: &str, bytes: Vec<u8>) -> Result<Sound, Refusal> {
        let mut decoded = decode::decode(bytes)?;
        let measured = level::level(&mut decoded)?;
        Ok(Sound::encode(name, measured, &decoded.wide, &decoded.narrow))
    }

    /// `wide` is at 16,000 Hz, `narrow` at 8,000 Hz.
    fn encode(name: &str, measured: Measured, wide: &[f32], narrow: &[f32]) -> Sound {
        const NARROW_FRAME: usize = 160;
        let frames = narrow.len().max(wide.len().div_ceil(2)).div_ceil(NARROW_FRAME);
        let narrow = linear(narrow, frames * NARROW_FRAME);
        let wide = linear(wide, frames * NARROW_FRAME * 2);
        Sound {
            name: name.to_owned(),
            length: Duration::from_millis(20 * frames as u64),
            measured,
            pcma: g711::encode_alaw(&narrow).into(),
            pcmu: g711::encode_ulaw(&narrow).into(),
            g722: g722::Encoder::new().encode(&wide).into(),
        }
    }
}

fn read_bounded(file: &Path) -> Result<Vec<u8>, Refusal> {
    let unreadable = |error: std::io::Error| {
        Refusal::new(format!("cannot be read ({error})"), "check the name and who may read it")
    };
    let opened = File::open(file).map_err(unreadable)?;
    if !opened.metadata().map_err(unreadable)?.is_file() {
        return Err(Refusal::new("is not a file", "name a WAV or MP3 file"));
    }
    let mut bytes = Vec::new();
    opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Refusal::new("is larger than 64 MB", "an announcement is seconds long; send it as MP3"));
    }
    Ok(bytes)
}

/// 16-bit samples, padded with silence to `count`.
fn linear(samples: &[f32], count: usize) -> Vec<i16> {
    let mut linear: Vec<i16> =
        samples.iter().take(count).map(|&sample| (sample * 32_768.0).round() as i16).collect();
    linear.resize(count, 0);
    linear
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

#[cfg(test)]
mod tests;
