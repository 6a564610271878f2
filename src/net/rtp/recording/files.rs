//! Maintenance of recordings on disk: recovery after a crash, retention.

use super::wav;
use crate::private_file;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// File extension of an unfinished recording.
pub const PART: &str = "part";
/// A shorter file may have been cut off before any audio was written.
const MAX_HEADER_BYTES: u64 = 60;
/// Depth of folders searched (by day, by campaign); links are not followed.
const DEPTH: usize = 8;

/// A recording that was cut off by a crash and repaired.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovered {
    pub path: PathBuf,
    pub seconds: f64,
}

/// Recordings deleted by [`prune_recordings`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub recordings: u64,
    pub bytes: u64,
}

/// Repairs all unfinished recordings below `dir`; call it before a new recording is started there. A file
/// without audio is removed. A file that cannot be repaired is skipped with a warning.
pub fn recover_recordings(dir: &Path) -> io::Result<Vec<Recovered>> {
    let mut recovered = Vec::new();
    each_file(dir, 0, &mut |path| {
        if path.extension().is_some_and(|end| end == PART) {
            match repair(path) {
                Ok(Some(found)) => recovered.push(found),
                Ok(None) => {}
                Err(error) => tracing::warn!(file = %path.display(), "cannot recover a recording: {error}"),
            }
        }
    })?;
    recovered.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(recovered)
}

fn repair(part: &Path) -> io::Result<Option<Recovered>> {
    let path = part.with_extension("");
    let file = OpenOptions::new().read(true).write(true).open(part)?;
    let length = file.metadata()?.len();
    let mut first = Vec::new();
    (&file).take(64).read_to_end(&mut first)?;
    let encoding = wav::encoding(&first);
    let pairs = encoding
        .map_or(0, |encoding| length.saturating_sub(encoding.header_bytes() as u64) / encoding.pair_bytes());
    if pairs == 0 && length < MAX_HEADER_BYTES {
        fs::remove_file(part)?;
        let _ = fs::remove_file(path.with_extension("json"));
        return Ok(None);
    }
    let Some(encoding) = encoding else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a recording of ours"));
    };
    let head = encoding.header_bytes() as u64;
    let bytes = pairs * encoding.pair_bytes();
    file.set_len(head + bytes)?;
    file.write_all_at(&wav::header(encoding, bytes), 0)?;
    file.sync_all()?;
    fs::rename(part, &path)?;
    let seconds = pairs as f64 / f64::from(wav::RATE);
    mark_recovered(&path.with_extension("json"), seconds);
    Ok(Some(Recovered { path, seconds }))
}

/// Updates the description file; a failure leaves it as it was, since the audio matters more.
fn mark_recovered(file: &Path, seconds: f64) {
    let read = fs::read(file).ok().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    if let Some(serde_json::Value::Object(mut fields)) = read {
        fields.insert("seconds".to_owned(), seconds.into());
        fields.insert("complete".to_owned(), false.into());
        if let Err(error) = write_whole(file, &serde_json::Value::Object(fields)) {
            tracing::warn!(file = %file.display(), "cannot describe a recovered recording: {error}");
        }
    }
}

/// Replaces the file atomically: a reader sees the old content or the new one.
pub fn write_whole(file: &Path, value: &serde_json::Value) -> io::Result<()> {
    let new = file.with_extension("json.new");
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    io::Write::write_all(&mut private_file::create(&new)?, &bytes)?;
    fs::rename(new, file)
}

/// Complete recordings below `dir` last written at `since` or later, sorted by path.
pub fn recordings_finished_since(dir: &Path, since: SystemTime) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    each_file(dir, 0, &mut |path| {
        let wave = path.extension().is_some_and(|end| end == "wav");
        let written = fs::symlink_metadata(path).and_then(|about| about.modified());
        if wave && written.is_ok_and(|at| at >= since) && is_ours(path) {
            found.push(path.to_owned());
        }
    })?;
    found.sort();
    Ok(found)
}

/// Deletes recordings below `dir` last written before `older_than`, with their descriptions. Other files
/// and unfinished recordings stay.
pub fn prune_recordings(dir: &Path, older_than: SystemTime) -> io::Result<Pruned> {
    let mut pruned = Pruned::default();
    each_file(dir, 0, &mut |path| {
        let recording = path.extension().is_some_and(|end| end == "wav") && is_ours(path);
        let Ok(about) = fs::symlink_metadata(path) else { return };
        if !recording || !about.modified().is_ok_and(|time| time < older_than) {
            return;
        }
        match fs::remove_file(path) {
            Ok(()) => {
                pruned.recordings += 1;
                pruned.bytes += about.len();
                let _ = fs::remove_file(path.with_extension("json"));
            }
            Err(error) => tracing::warn!(file = %path.display(), "cannot delete a recording: {error}"),
        }
    })?;
    Ok(pruned)
}

/// True for our own recordings: other WAV files in the folder must not be deleted.
fn is_ours(path: &Path) -> bool {
    let mut first = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut first));
    read.is_ok() && wav::encoding(&first).is_some() && path.with_extension("json").exists()
}

fn each_file(dir: &Path, depth: usize, act: &mut dyn FnMut(&Path)) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_file() {
            act(&entry.path());
        } else if kind.is_dir() && depth < DEPTH {
            each_file(&entry.path(), depth + 1, act)?;
        }
    }
    Ok(())
}
