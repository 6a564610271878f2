//! Messages from the media threads to the recorder: pieces of audio, and the start and end of recordings.

use super::request::Recording;
use paceline_core::ids::CallId;
use paceline_core::media::Codec;

pub const PIECE_BYTES: usize = 160;

/// Control messages to the recorder, in an unbounded channel: they must not be lost.
pub enum Control {
    Start { key: u64, leg: CallId, recording: Recording, started_micros: u64, wall_micros: u64 },
    Stop { key: u64, ended_micros: u64, lost_frames: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Audio received from the leg.
    Heard,
    /// Audio sent to the leg.
    Sent,
}

/// At most 20 ms of one side, in its codec.
pub struct Piece {
    pub key: u64,
    pub side: Side,
    pub codec: Codec,
    pub ssrc: u32,
    pub timestamp: u32,
    /// Samples of 1/8,000 s since the start of the recording, by our own clock.
    pub at: u32,
    pub length: u8,
    pub bytes: [u8; PIECE_BYTES],
}
