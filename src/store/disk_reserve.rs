//! A file of real bytes beside the database, let go when the disk is full, so that answers and
//! results of calls that are up can still be written.

use super::lock::beside;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Enough for the answers and results of a thousand calls, and the pages they touch.
const BYTES: usize = 4 << 20;

#[derive(Clone, Debug)]
pub(crate) struct Ballast {
    path: PathBuf,
}

impl Ballast {
    pub(crate) fn beside(database: &Path) -> Ballast {
        Ballast { path: beside(database, "ballast") }
    }

    /// Writes it whole, unless it is there already.
    pub(crate) fn fill(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|found| found.len() == BYTES as u64) {
            return Ok(());
        }
        let written = self.write();
        if written.is_err() {
            // Half a ballast would only take the room that is missing.
            self.release();
        }
        written
    }

    fn write(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        // Bytes that no file system stores as a hole or squeezes away.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut block = vec![0; 64 << 10];
        for _ in 0..BYTES / block.len() {
            for word in block.chunks_exact_mut(8) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                word.copy_from_slice(&state.to_le_bytes());
            }
            file.write_all(&block)?;
        }
        file.sync_all()
    }

    /// Whether there was something to let go.
    pub(crate) fn release(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn the_ballast_takes_real_room_and_gives_it_back() {
        let dir = tempfile::tempdir().unwrap();
        let ballast = Ballast::beside(&dir.path().join("x.db"));
        ballast.fill().unwrap();
        let file = dir.path().join("x.db.ballast");
        assert!(fs::metadata(&file).unwrap().blocks() * 512 >= BYTES as u64);
        ballast.fill().unwrap();
        assert!(ballast.release());
        assert!(!ballast.release());
        assert!(!file.exists());
    }
}
