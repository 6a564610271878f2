//! RTP ports and the dedicated media threads with their 20 ms beat. A thread owns its legs; the
//! engine sends commands over rings and hears of little: first audio, digits, the end of a play, silence.

use crate::audio::Sound;
use paceline_core::call::{Digit, Heard};
use paceline_core::ids::CallId;
use paceline_core::media::MediaTarget;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// How the media room is set up.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Where sockets are bound.
    pub bind: IpAddr,
    /// RTP on the even ports, RTCP on the odd ones.
    pub ports: RangeInclusive<u16>,
    pub threads: usize,
    /// A leg that hears nothing for this long reports `Heard::Silent` once.
    pub silence: Duration,
}

/// What the engine asks of one leg. The thread that owns the leg carries it out on its next beat.
#[derive(Clone, Debug)]
pub enum MediaCommand {
    /// Send there, in that codec and direction; latch onto the first valid source anew if it moved.
    Connect(MediaTarget),
    /// From the start, `plays` times, then `Heard::PlayEnded`. Replaces what is playing.
    Play {
        sound: Arc<Sound>,
        plays: u32,
    },
    StopPlaying,
    /// RFC 4733 digits, one after the other. (The simulated people press keys.)
    SendDigits(Vec<Digit>),
    /// RTCP BYE, close the sockets, give back the port, report `MediaEvent::Closed`.
    Close,
}

#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    Heard { leg: CallId, heard: Heard },
    Closed { leg: CallId, stats: LegStats },
}

/// What one leg sent and received, for the ledger and for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegStats {
    pub packets_sent: u64,
    pub packets_received: u64,
    /// From sources that were not latched, or not valid RTP.
    pub packets_refused: u64,
    /// RFC 3550 appendix A.3.
    pub packets_lost: u64,
    /// RFC 3550 section 6.4.1, in microseconds.
    pub jitter_micros: u32,
}

/// Sums over all legs since the start, and the lateness of our own packets.
#[derive(Clone, Debug, Default)]
pub struct MediaTotals {
    pub packets_sent: u64,
    pub packets_received: u64,
    pub packets_refused: u64,
    /// (upper bound in microseconds, packets) per bucket; the last bound is `u64::MAX`.
    pub late: Vec<(u64, u64)>,
    pub late_micros_sum: u64,
    pub legs_open: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error("no free RTP port pair in {0}-{1}: widen [rtp] ports, or lower calls_max")]
    NoPorts(u16, u16),
    #[error("cannot bind RTP ports on {address}: {source}")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error("cannot start a media thread: {0}")]
    Thread(std::io::Error),
}

/// The handle. Cheap to clone; the threads end when the last one is dropped.
#[derive(Clone, Debug)]
pub struct MediaRoom;

#[expect(unused_variables, clippy::unimplemented, reason = "the contract, to be filled in")]
impl MediaRoom {
    /// `events` is called on a media thread and must not block.
    pub fn start(
        config: MediaConfig,
        events: impl Fn(MediaEvent) + Send + Sync + 'static,
    ) -> Result<MediaRoom, MediaError> {
        unimplemented!()
    }

    /// Binds a pair of ports for this leg and says where it listens. Received audio is heard from now on.
    pub fn open_leg(&self, leg: CallId) -> Result<SocketAddr, MediaError> {
        unimplemented!()
    }

    /// Unknown legs are ignored: the call may have ended meanwhile.
    pub fn command(&self, leg: CallId, command: MediaCommand) {
        unimplemented!()
    }

    pub fn totals(&self) -> MediaTotals {
        unimplemented!()
    }
}
