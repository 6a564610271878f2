//! Announcements: WAV (any usual depth and rate, A-law, mu-law) and MP3, decoded once, mixed to
//! mono, resampled, levelled, encoded per codec and shared by all calls. Whatever cannot be played
//! is refused here, by name and reason, at check time.

mod decode;
mod level;
#[cfg(test)]
mod tests;

use decode::Decoded;
use paceline_core::media::{Codec, g711, g722};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A sound that is ready to be sent: whole 20 ms frames, the last one padded with silence.
#[derive(Clone, Debug)]
pub struct Sound {
    pub name: String,
    pub length: Duration,
    pub measured: Measured,
    pcma: Arc<[u8]>,
    pcmu: Arc<[u8]>,
    g722: Arc<[u8]>,
}

/// What was found in the file, for the check report.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Measured {
    pub sample_rate: u32,
    pub channels: u16,
    pub secs: f64,
    /// dB full scale, over the parts that are not silent: of the file as it was and of what is sent.
    pub rms_dbfs_in: f64,
    pub rms_dbfs_out: f64,
    pub peak_dbfs_in: f64,
    /// Samples at full scale.
    pub clipped: u64,
    pub silence_head_secs: f64,
    pub silence_tail_secs: f64,
}

#[derive(Debug, thiserror::Error)]
#[error("{}: {found}; {hint}", file.display())]
pub struct AudioError {
    pub file: PathBuf,
    pub found: String,
    pub hint: String,
}

const NARROW: u32 = 8_000;
const WIDE: u32 = 16_000;

impl Sound {
    /// Reads, measures, levels and encodes a file.
    ///
    /// # Errors
    /// Says what the file is instead of a sound that can be played, and what to do.
    pub fn load(file: &Path) -> Result<Sound, AudioError> {
        let refuse = |(found, hint): (String, String)| AudioError { file: file.to_owned(), found, hint };
        let decoded = decode::decode(file).map_err(refuse)?;
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Sound::made(&name, decoded).map_err(refuse)
    }

    /// A sound from samples, sent as they are: tones are not levelled.
    pub fn from_samples(name: &str, samples: &[i16], sample_rate: u32) -> Sound {
        let mono: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
        let measured = level::measure(&mono, sample_rate, 1);
        Sound::encode(name, &mono, sample_rate, measured)
    }

    fn made(name: &str, decoded: Decoded) -> Result<Sound, (String, String)> {
        let Decoded { mut mono, sample_rate, channels, clipped } = decoded;
        let mut measured = level::measure(&mono, sample_rate, channels);
        measured.clipped = clipped;
        if measured.rms_dbfs_in < level::SILENCE_DBFS {
            let hint = "listen to it and upload it again".to_owned();
            return Err(("it holds nothing but silence".into(), hint));
        }
        level::adjust(&mut mono, &measured);
        measured.rms_dbfs_out = level::active_dbfs(&mono, sample_rate);
        Ok(Sound::encode(name, &mono, sample_rate, measured))
    }

    fn encode(name: &str, mono: &[f32], sample_rate: u32, measured: Measured) -> Sound {
        let mut narrow = level::to_linear(&decode::resample(mono, sample_rate, NARROW));
        let mut wide = level::to_linear(&decode::resample(mono, sample_rate, WIDE));
        let frames = narrow.len().div_ceil(160).max(1);
        narrow.resize(frames * 160, 0);
        wide.resize(frames * 320, 0);
        Sound {
            name: name.to_owned(),
            length: Duration::from_millis(frames as u64 * 20),
            measured,
            pcma: g711::encode_alaw(&narrow).into(),
            pcmu: g711::encode_ulaw(&narrow).into(),
            g722: g722::Encoder::new().encode(&wide).into(),
        }
    }

    /// All frames in this codec, one after the other, `Codec::frame_bytes` each.
    pub fn encoded(&self, codec: Codec) -> &Arc<[u8]> {
        match codec {
            Codec::Pcma => &self.pcma,
            Codec::Pcmu => &self.pcmu,
            Codec::G722 => &self.g722,
        }
    }
}
