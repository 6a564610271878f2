//! The recorder thread: drains the channel, buffers the last half second until its packets have arrived,
//! writes in large blocks and keeps the file headers up to date.

use super::files::{PART, write_whole};
use super::piece::{Control, Piece};
use super::request::{Encoding, Recording};
use super::tracks::Tracks;
use super::wav;
use crate::net::rtp::event::MediaEvent;
use crate::net::rtp::system;
use crate::private_file;
use paceline_core::ids::CallId;
use paceline_core::media::g711;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

/// Polling interval of the channel: a fraction of what it holds.
const POLL_INTERVAL: Duration = Duration::from_millis(40);
/// How long late packets are waited for, in samples: 0.5 s.
const LATE_SAMPLES: u64 = 4_000;
/// Two seconds of PCM.
const WRITE_BYTES: usize = 64 << 10;
/// The header is updated after this many writes.
const WRITES_PER_HEADER: u32 = 4;
const NAMES_TRIED: u32 = 1_000;

pub struct Writer {
    controls: Receiver<Control>,
    pieces: Receiver<Piece>,
    report: Arc<dyn Fn(MediaEvent) + Send + Sync>,
    open: BTreeMap<u64, OpenRecording>,
}

/// A recording in progress.
struct OpenRecording {
    leg: CallId,
    path: PathBuf,
    /// `None` after an error, which has been reported.
    file: Option<File>,
    encoding: Encoding,
    about: serde_json::Value,
    started_micros: u64,
    tracks: Tracks,
    /// Encoded and not yet written.
    ready: Vec<u8>,
    data_bytes: u64,
    writes: u32,
}

impl Writer {
    pub fn new(
        controls: Receiver<Control>,
        pieces: Receiver<Piece>,
        report: Arc<dyn Fn(MediaEvent) + Send + Sync>,
    ) -> Self {
        Writer { controls, pieces, report, open: BTreeMap::new() }
    }

    pub fn run(mut self) {
        loop {
            let first = if self.open.is_empty() {
                self.controls.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                self.controls.recv_timeout(POLL_INTERVAL)
            };
            let gone = matches!(first, Err(RecvTimeoutError::Disconnected));
            let mut stopped = Vec::new();
            first.into_iter().for_each(|control| self.handle_control(control, &mut stopped));
            self.read_controls(&mut stopped);
            // A sink sends its pieces before its `Stop`, so all pieces of a stopped recording are in the
            // channel now.
            self.drain_pieces(&mut stopped);
            for (key, ended_micros, lost_frames) in stopped {
                self.finish(key, ended_micros, lost_frames);
                // Finishing may take long on a slow disk: keep the channel from filling up.
                self.drain_pieces(&mut Vec::new());
            }
            self.write_due();
            if gone {
                return;
            }
        }
    }

    fn read_controls(&mut self, stopped: &mut Vec<(u64, u64, u64)>) {
        while let Ok(control) = self.controls.try_recv() {
            self.handle_control(control, stopped);
        }
    }

    fn handle_control(&mut self, control: Control, stopped: &mut Vec<(u64, u64, u64)>) {
        match control {
            Control::Start { key, leg, recording, started_micros, wall_micros } => {
                match OpenRecording::create(leg, recording, started_micros, wall_micros) {
                    Ok(open) => {
                        self.open.insert(key, open);
                    }
                    Err((path, error)) => self.failed(leg, path, &error),
                }
            }
            Control::Stop { key, ended_micros, lost_frames } => {
                stopped.push((key, ended_micros, lost_frames))
            }
        }
    }

    fn drain_pieces(&mut self, stopped: &mut Vec<(u64, u64, u64)>) {
        loop {
            match self.pieces.try_recv() {
                Ok(piece) => {
                    if !self.open.contains_key(&piece.key) {
                        // Its `Start` may have arrived since the last poll.
                        self.read_controls(stopped);
                    }
                    if let Some(open) = self.open.get_mut(&piece.key) {
                        open.tracks.put(&piece);
                    }
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    fn write_due(&mut self) {
        let now = system::monotonic_micros();
        let mut failed = Vec::new();
        for open in self.open.values_mut() {
            let until = (now.saturating_sub(open.started_micros) / 125).saturating_sub(LATE_SAMPLES);
            open.encode_until(until);
            if open.ready.len() >= WRITE_BYTES
                && let Err(error) = open.write()
            {
                open.file = None;
                failed.push((open.leg, open.path.clone(), error));
            }
        }
        for (leg, path, error) in failed {
            self.failed(leg, path, &error);
        }
    }

    fn finish(&mut self, key: u64, ended_micros: u64, lost_frames: u64) {
        let Some(mut open) = self.open.remove(&key) else { return };
        if open.file.is_none() {
            return;
        }
        open.encode_until(ended_micros.saturating_sub(open.started_micros) / 125);
        if lost_frames > 0 {
            tracing::warn!(leg = %open.leg, lost_frames, "the disk was too slow for a recording");
        }
        match open.finish(lost_frames) {
            Ok((path, seconds)) => {
                (self.report)(MediaEvent::Recorded { leg: open.leg, path, seconds, lost_frames });
            }
            Err(error) => self.failed(open.leg, open.path, &error),
        }
    }

    fn failed(&self, leg: CallId, path: PathBuf, error: &io::Error) {
        tracing::error!(%leg, file = %path.display(), "a recording failed: {error}");
        (self.report)(MediaEvent::RecordingFailed { leg, path, error: error.to_string() });
    }
}

impl OpenRecording {
    fn create(
        leg: CallId,
        recording: Recording,
        started_micros: u64,
        wall_micros: u64,
    ) -> Result<OpenRecording, (PathBuf, io::Error)> {
        let Recording { path: wanted, meta, encoding } = recording;
        let failed = |error| (wanted.clone(), error);
        if let Some(dir) = wanted.parent() {
            private_file::create_dir(dir).map_err(failed)?;
        }
        let (path, file) = create_file(&wanted).map_err(failed)?;
        let about = json!({
            "meta": meta,
            "started_unix_micros": wall_micros,
            "rate": wav::RATE,
            "encoding": encoding,
            "left": "what the leg said",
            "right": "what was sent to the leg",
            "complete": false,
        });
        write_whole(&path.with_extension("json"), &about).map_err(failed)?;
        file.write_all_at(&wav::header(encoding, 0), 0).map_err(failed)?;
        let tracks = Tracks::new();
        let (ready, data_bytes, writes) = (Vec::new(), 0, 0);
        let file = Some(file);
        Ok(OpenRecording {
            leg,
            path,
            file,
            encoding,
            about,
            started_micros,
            tracks,
            ready,
            data_bytes,
            writes,
        })
    }

    /// Encodes the samples up to that position.
    fn encode_until(&mut self, until: u64) {
        let ready = &mut self.ready;
        if self.file.is_none() {
            self.tracks.take(until, |_, _| {});
            return;
        }
        match self.encoding {
            Encoding::Pcm => self.tracks.take(until, |left, right| {
                ready.extend(left.to_le_bytes());
                ready.extend(right.to_le_bytes());
            }),
            Encoding::Alaw => self.tracks.take(until, |left, right| {
                ready.extend([g711::alaw_from_linear(left), g711::alaw_from_linear(right)]);
            }),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all_at(&self.ready, self.encoding.header_bytes() as u64 + self.data_bytes)?;
        self.data_bytes += self.ready.len() as u64;
        self.ready.clear();
        self.writes += 1;
        if self.writes.is_multiple_of(WRITES_PER_HEADER) {
            file.write_all_at(&wav::header(self.encoding, self.data_bytes), 0)?;
        }
        Ok(())
    }

    fn finish(&mut self, lost_frames: u64) -> io::Result<(PathBuf, f64)> {
        self.write()?;
        if let Some(mut file) = self.file.take() {
            file.write_all_at(&wav::header(self.encoding, self.data_bytes), 0)?;
            file.flush()?;
            file.sync_all()?;
        }
        let seconds = self.tracks.written() as f64 / f64::from(wav::RATE);
        fs::rename(part(&self.path), &self.path)?;
        self.about["seconds"] = seconds.into();
        self.about["lost_frames"] = lost_frames.into();
        self.about["complete"] = true.into();
        write_whole(&self.path.with_extension("json"), &self.about)?;
        Ok((self.path.clone(), seconds))
    }
}

fn part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(PART);
    PathBuf::from(name)
}

/// The requested name, or the first free one with a number. Never overwrites a file.
fn create_file(wanted: &Path) -> io::Result<(PathBuf, File)> {
    let stem = wanted.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    for n in 1..=NAMES_TRIED {
        let name = if n == 1 { format!("{stem}.wav") } else { format!("{stem}-{n}.wav") };
        let path = wanted.with_file_name(name);
        if path.exists() {
            continue;
        }
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(part(&path)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (path, file)),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "a thousand recordings bear this name"))
}
