//! Recordings on disk after the fact: what a crash left is made whole, and what is old is deleted.

use super::wav;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// While it is written.
pub const PART: &str = "part";
/// Up to here a file may have been cut off before there was any sound.
const LONGEST_HEAD: u64 = 60;
/// Folders within folders, as recordings by day and campaign have them; links are not followed.
const DEPTH: usize = 8;

/// A recording that was cut off and is whole again.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovered {
    pub path: PathBuf,
    pub seconds: f64,
}

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub recordings: u64,
    pub bytes: u64,
}

/// Mends all unfinished recordings below `dir`: to be called before any new one is started there. A
/// file without any sound is removed. One that cannot be mended is passed over with a warning.
pub fn recover(dir: &Path) -> io::Result<Vec<Recovered>> {
    let mut recovered = Vec::new();
    each_file(dir, 0, &mut |path| {
        if path.extension().is_some_and(|end| end == PART) {
            match mend(path) {
                Ok(Some(found)) => recovered.push(found),
                Ok(None) => {}
                Err(error) => tracing::warn!(file = %path.display(), "cannot recover a recording: {error}"),
            }
        }
    })?;
    recovered.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(recovered)
}

fn mend(part: &Path) -> io::Result<Option<Recovered>> {
    let path = part.with_extension("");
    let file = OpenOptions::new().read(true).write(true).open(part)?;
    let length = file.metadata()?.len();
    let mut first = Vec::new();
    (&file).take(64).read_to_end(&mut first)?;
    let encoding = wav::encoding(&first);
    let pairs = encoding
        .map_or(0, |encoding| length.saturating_sub(encoding.head_bytes() as u64) / encoding.pair_bytes());
    if pairs == 0 && length < LONGEST_HEAD {
        fs::remove_file(part)?;
        let _ = fs::remove_file(path.with_extension("json"));
        return Ok(None);
    }
    let Some(encoding) = encoding else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a recording of ours"));
    };
    let head = encoding.head_bytes() as u64;
    let bytes = pairs * encoding.pair_bytes();
    file.set_len(head + bytes)?;
    file.write_all_at(&wav::head(encoding, bytes), 0)?;
    file.sync_all()?;
    fs::rename(part, &path)?;
    let seconds = pairs as f64 / f64::from(wav::RATE);
    mark_recovered(&path.with_extension("json"), seconds);
    Ok(Some(Recovered { path, seconds }))
}

/// The sound counts; a description that cannot be written stays as it was.
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

/// Either the old content or the new, never half of it.
pub fn write_whole(file: &Path, value: &serde_json::Value) -> io::Result<()> {
    let new = file.with_extension("json.new");
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    fs::write(&new, bytes)?;
    fs::rename(new, file)
}

/// Complete recordings below `dir` that were last written at `since` or later, in the order of their names.
pub fn finished_since(dir: &Path, since: SystemTime) -> io::Result<Vec<PathBuf>> {
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

/// Deletes the recordings below `dir` that were last written before `older_than`, with their
/// descriptions. Other files stay, and so do recordings that are being written.
pub fn prune(dir: &Path, older_than: SystemTime) -> io::Result<Pruned> {
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

/// A sound that somebody put there for another purpose is not ours to delete.
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
