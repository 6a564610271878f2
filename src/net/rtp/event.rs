//! Events of the media threads for the engine, and the statistics of a leg.

use paceline_core::call::Heard;
use paceline_core::ids::CallId;
use paceline_core::media::quality::Measured;
use std::path::PathBuf;

/// An event of one leg or of its recording.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    Heard {
        leg: CallId,
        heard: Heard,
    },
    /// A recording is complete on disk. `lost_frames`: pieces of 20 ms lost because the disk was too
    /// slow.
    Recorded {
        leg: CallId,
        path: PathBuf,
        seconds: f64,
        lost_frames: u64,
    },
    /// A recording could not be started or continued; what there is of it stays as `.part`.
    RecordingFailed {
        leg: CallId,
        path: PathBuf,
        error: String,
    },
    /// Statistics so far, in reply to `Measure`.
    Measured {
        leg: CallId,
        stats: LegStats,
    },
    Closed {
        leg: CallId,
        stats: LegStats,
    },
}

/// Statistics of one leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegStats {
    pub packets_sent: u64,
    pub packets_received: u64,
    /// Packets from sources that are not latched, and invalid RTP.
    pub packets_refused: u64,
    /// RFC 3550 appendix A.3.
    pub packets_lost: u64,
    /// RFC 3550 section 6.4.1, in microseconds.
    pub jitter_micros: u32,
    /// Received level: dB below overload (0 to -127) of the parts with sound in them; of all if there are
    /// none. `None` if nothing was received, or only G.722 that was never decoded.
    pub heard_dbov: Option<i8>,
    /// Level of the sent audio, likewise.
    pub sent_dbov: Option<i8>,
}

impl LegStats {
    /// For [`paceline_core::media::quality::judge`].
    pub fn measured(&self) -> Measured {
        Measured {
            heard_dbov: self.heard_dbov,
            packets_received: self.packets_received,
            packets_lost: self.packets_lost,
            jitter_micros: self.jitter_micros,
        }
    }
}
