//! Writes the journal: the engine hands bytes to a thread that writes the files. While the files cannot be
//! written the journal pauses; it never delays a call.

use super::format::{MAGIC, Record, Snapshot, fingerprint, put_block};
use crate::private_file;
use paceline_core::dialer::{Dialer, Input, Output};
use paceline_core::time::Time;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

#[derive(Clone, Debug)]
pub struct JournalConfig {
    pub dir: PathBuf,
    /// A segment is closed at this size.
    pub segment_bytes: u64,
    /// Size of all segments together; the oldest are deleted.
    pub total_bytes: u64,
}

impl JournalConfig {
    pub fn in_dir(dir: PathBuf) -> Self {
        JournalConfig { dir, segment_bytes: 16 << 20, total_bytes: 256 << 20 }
    }
}

/// The engine's side of the writer thread.
#[derive(Debug)]
pub struct JournalWriter {
    to_thread: Option<mpsc::SyncSender<Chunk>>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Set by the thread after a failed write: the next chunk must be a whole new segment.
    has_failed: Arc<AtomicBool>,
    pending: Vec<u8>,
    scratch: Vec<u8>,
    written: u64,
    segment_bytes: u64,
    needs_segment: bool,
}

enum Chunk {
    Segment(Vec<u8>),
    More(Vec<u8>),
}

/// Bytes gathered before a chunk goes to the thread.
const CHUNK_BYTES: usize = 32 << 10;

impl JournalWriter {
    /// # Errors
    /// When the folder cannot be made or the thread cannot be started.
    pub fn start(config: JournalConfig) -> std::io::Result<Self> {
        private_file::create_dir(&config.dir)?;
        let (to_thread, chunks) = mpsc::sync_channel(256);
        let has_failed = Arc::new(AtomicBool::new(false));
        let (segment_bytes, flag) = (config.segment_bytes, has_failed.clone());
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || write_segments(&config, &chunks, &flag))?;
        Ok(JournalWriter {
            to_thread: Some(to_thread),
            thread: Some(thread),
            has_failed,
            pending: Vec::new(),
            scratch: Vec::new(),
            written: 0,
            segment_bytes,
            needs_segment: true,
        })
    }

    /// Called before an input is handled: starts a new segment with this state where one is due.
    pub fn before(&mut self, dialer: &Dialer) {
        if self.has_failed.swap(false, Ordering::Relaxed) {
            self.pending.clear();
            self.needs_segment = true;
        }
        if !self.needs_segment && self.written < self.segment_bytes {
            return;
        }
        self.flush();
        let mut bytes = MAGIC.to_vec();
        let snapshot = Snapshot { version: env!("CARGO_PKG_VERSION").into(), dialer: dialer.clone() };
        self.needs_segment = put_block(&snapshot, &mut bytes).is_err();
        if !self.needs_segment {
            self.written = bytes.len() as u64;
            self.send(Chunk::Segment(bytes));
        }
    }

    /// Appends one handled input with its time and the fingerprint of its outputs.
    pub fn record(&mut self, at: Time, input: Input, outputs: &[Output]) {
        if self.needs_segment {
            return;
        }
        let record = Record { at, input, outputs: fingerprint(outputs, &mut self.scratch) };
        let before = self.pending.len();
        if put_block(&record, &mut self.pending).is_err() {
            self.pending.truncate(before);
            self.needs_segment = true;
            return;
        }
        self.written += (self.pending.len() - before) as u64;
        if self.pending.len() >= CHUNK_BYTES {
            self.flush();
        }
    }

    /// Sends the gathered bytes to the thread.
    pub fn flush(&mut self) {
        if !self.pending.is_empty() {
            let bytes = std::mem::take(&mut self.pending);
            self.send(Chunk::More(bytes));
        }
    }

    fn send(&mut self, chunk: Chunk) {
        let Some(to_thread) = &self.to_thread else { return };
        // Where the disk is too slow, records are lost and calls go on.
        if to_thread.try_send(chunk).is_err() {
            self.needs_segment = true;
        }
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        self.flush();
        self.to_thread = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_segments(config: &JournalConfig, chunks: &mpsc::Receiver<Chunk>, has_failed: &AtomicBool) {
    let mut file: Option<File> = None;
    let mut number = segments(&config.dir).last().map_or(0, |(number, _)| *number);
    let mut is_warned = false;
    while let Ok(chunk) = chunks.recv() {
        let written = match chunk {
            Chunk::Segment(bytes) => {
                number += 1;
                delete_oldest(config);
                private_file::create(&config.dir.join(segment_name(number))).and_then(|mut new| {
                    new.write_all(&bytes)?;
                    file = Some(new);
                    Ok(())
                })
            }
            Chunk::More(bytes) => match &mut file {
                Some(file) => file.write_all(&bytes),
                None => continue,
            },
        };
        match written {
            Ok(()) => is_warned = false,
            Err(error) => {
                file = None;
                has_failed.store(true, Ordering::Relaxed);
                if !is_warned {
                    tracing::warn!(%error, dir = %config.dir.display(), "the journal cannot be written; decisions of this time cannot be replayed");
                    is_warned = true;
                }
            }
        }
    }
}

fn delete_oldest(config: &JournalConfig) {
    let old = segments(&config.dir);
    let mut total: u64 = old.iter().filter_map(|(_, path)| Some(path.metadata().ok()?.len())).sum();
    for (_, path) in old {
        if total + config.segment_bytes <= config.total_bytes {
            break;
        }
        let size = path.metadata().map_or(0, |metadata| metadata.len());
        if std::fs::remove_file(&path).is_ok() {
            total -= size;
        }
    }
}

fn segment_name(number: u64) -> String {
    format!("{number:08}.journal")
}

/// The segments of a folder, oldest first.
pub(super) fn segments(dir: &Path) -> Vec<(u64, PathBuf)> {
    let mut found: Vec<(u64, PathBuf)> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let number = path.file_name()?.to_str()?.strip_suffix(".journal")?.parse().ok()?;
            Some((number, path))
        })
        .collect();
    found.sort();
    found
}
