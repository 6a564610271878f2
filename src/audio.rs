//! Announcements: WAV (any usual depth and rate, A-law, mu-law) and MP3, decoded once, mixed to
//! mono, resampled, levelled, encoded per codec and shared by all calls. Whatever cannot be played
//! is refused here, by name and reason, at check time.

use paceline_core::media::Codec;
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
    /// dB full scale, of the file as it was and of what will be sent.
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

impl Sound {
    #[expect(unused_variables, clippy::unimplemented, reason = "the contract, to be filled in")]
    pub fn load(file: &Path) -> Result<Sound, AudioError> {
        unimplemented!()
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
