//! Call recording: stereo files, the received audio of a leg on the left and all audio sent to it on the
//! right, so one file covers the whole call through hold, transfer and conference, without whispers to
//! other members. Media threads hand over coded pieces and never wait; one recorder thread writes.

mod files;
mod piece;
mod request;
mod tracks;
mod wav;
mod writer;

pub use files::{Pruned, Recovered, prune_recordings, recordings_finished_since, recover_recordings};
pub use request::{Encoding, Recording};

use super::event::MediaEvent;
use super::system;
use paceline_core::ids::CallId;
use paceline_core::media::Codec;
use piece::{Control, PIECE_BYTES, Piece, Side};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender, SyncSender};

/// Capacity of the channel to the recorder, in pieces of 200 bytes: a second of 300 recorded calls.
const CHANNEL_PIECES: usize = 32_768;

/// Handle of the recorder thread.
#[derive(Debug)]
pub struct Recorder {
    pieces: SyncSender<Piece>,
    controls: Sender<Control>,
    next: AtomicU64,
}

impl Recorder {
    /// Starts the recorder thread; it ends when the handle and all sinks are dropped.
    pub fn start(report: Arc<dyn Fn(MediaEvent) + Send + Sync>) -> io::Result<Recorder> {
        let (pieces, received_pieces) = mpsc::sync_channel(CHANNEL_PIECES);
        let (controls, received) = mpsc::channel();
        let writer = writer::Writer::new(received, received_pieces, report);
        std::thread::Builder::new().name("recorder".to_owned()).spawn(move || writer.run())?;
        Ok(Recorder { pieces, controls, next: AtomicU64::new(0) })
    }

    /// Starts a recording of this leg; it ends when the sink is dropped.
    pub fn start_recording(&self, leg: CallId, recording: Recording) -> RecordingSink {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        let started_micros = system::monotonic_micros();
        let wall_micros = system::wall_micros();
        let _ = self.controls.send(Control::Start { key, leg, recording, started_micros, wall_micros });
        let (pieces, controls) = (self.pieces.clone(), self.controls.clone());
        RecordingSink { key, pieces, controls, started_micros, lost_frames: 0 }
    }
}

/// Feeds one recording from a media thread. Never waits: pieces that find the channel full are lost and
/// counted.
#[derive(Debug)]
pub struct RecordingSink {
    key: u64,
    pieces: SyncSender<Piece>,
    controls: Sender<Control>,
    started_micros: u64,
    lost_frames: u64,
}

impl RecordingSink {
    pub fn heard(&mut self, codec: Codec, ssrc: u32, timestamp: u32, payload: &[u8], at_micros: u64) {
        self.write(Side::Heard, codec, ssrc, timestamp, payload, at_micros);
    }

    pub fn sent(&mut self, codec: Codec, timestamp: u32, payload: &[u8], at_micros: u64) {
        self.write(Side::Sent, codec, 0, timestamp, payload, at_micros);
    }

    fn write(&mut self, side: Side, codec: Codec, ssrc: u32, timestamp: u32, payload: &[u8], micros: u64) {
        let at = (micros.saturating_sub(self.started_micros) / 125) as u32;
        for (n, part) in payload.chunks(PIECE_BYTES).enumerate() {
            let before = (n * PIECE_BYTES) as u32;
            let mut bytes = [0; PIECE_BYTES];
            bytes[..part.len()].copy_from_slice(part);
            let piece = Piece {
                key: self.key,
                side,
                codec,
                ssrc,
                timestamp: timestamp.wrapping_add(before),
                at: at.saturating_add(before),
                length: part.len() as u8,
                bytes,
            };
            // The recorder polls the channel; `try_send` wakes no thread.
            self.lost_frames += u64::from(self.pieces.try_send(piece).is_err());
        }
    }
}

impl Drop for RecordingSink {
    fn drop(&mut self) {
        let ended_micros = system::monotonic_micros();
        let _ =
            self.controls.send(Control::Stop { key: self.key, ended_micros, lost_frames: self.lost_frames });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_channel_never_blocks_and_lost_pieces_are_counted() {
        let (pieces, received_pieces) = mpsc::sync_channel(2);
        let (controls, received) = mpsc::channel();
        let started_micros = system::monotonic_micros();
        let mut sink = RecordingSink { key: 3, pieces, controls, started_micros, lost_frames: 0 };
        for n in 0..4 {
            // Two pieces each (40 ms).
            sink.heard(Codec::Pcma, 1, n * 320, &[0x55; 320], started_micros + 1_000);
        }
        drop(sink);
        let places: Vec<(u32, u32)> =
            received_pieces.iter().map(|piece| (piece.at, piece.timestamp)).collect();
        assert_eq!(places, [(8, 0), (168, 160)]);
        assert!(matches!(received.recv(), Ok(Control::Stop { key: 3, lost_frames: 6, .. })));
    }
}
