//! Objects without a row: an upload whose process ended between the move and the row. They are removed once they are
//! a day old, so that an upload that is just being entered loses nothing.

use super::{Files, TEMPORARY};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How old an object without a row must be to be removed.
const AGE: Duration = Duration::from_secs(24 * 3_600);

impl Files {
    /// Removes objects of at least a day's age whose path is not among the known. Returns how many.
    ///
    /// # Errors
    /// A folder cannot be read, or a file cannot be removed.
    pub fn sweep(&self, known: &BTreeSet<String>, now: SystemTime) -> io::Result<usize> {
        let mut removed = 0;
        let mut open = vec![self.root().to_path_buf()];
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(&dir)? {
                let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
                if kind.is_dir() {
                    if path != self.root().join(TEMPORARY) {
                        open.push(path);
                    }
                    continue;
                }
                let name = path.strip_prefix(self.root()).unwrap_or(Path::new("")).to_string_lossy();
                if !known.contains(&*name) && is_old(&path, now) {
                    std::fs::remove_file(&path)?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }
}

/// A file whose age is not known is kept.
fn is_old(path: &Path, now: SystemTime) -> bool {
    let modified = std::fs::metadata(path).and_then(|found| found.modified());
    modified.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age >= AGE))
}
