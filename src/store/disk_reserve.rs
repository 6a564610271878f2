//! Disk reserve: a file of real bytes beside the database (`FILE.ballast`). The writer deletes it when the
//! disk is full, so that answers and results of live calls can still be written.

use super::lock::beside;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// 4 MiB: answers and results of a thousand calls, with the pages they touch.
const BYTES: usize = 4 << 20;

#[derive(Clone, Debug)]
pub(crate) struct DiskReserve {
    path: PathBuf,
}

impl DiskReserve {
    pub(crate) fn beside(database: &Path) -> DiskReserve {
        DiskReserve { path: beside(database, "ballast") }
    }

    /// Writes the reserve file in full, unless it exists in full.
    pub(crate) fn fill(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|found| found.len() == BYTES as u64) {
            return Ok(());
        }
        let written = self.write();
        if written.is_err() {
            // A partial file reserves nothing useful and takes space that is missing.
            self.release();
        }
        written
    }

    fn write(&self) -> io::Result<()> {
        let mut file = crate::private_file::create(&self.path)?;
        // Pseudo-random bytes: no file system stores them as a hole or compresses them.
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

    /// Deletes the reserve file. `true` = it existed.
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
    fn the_reserve_occupies_disk_space_until_it_is_released() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = DiskReserve::beside(&dir.path().join("x.db"));
        reserve.fill().unwrap();
        let file = dir.path().join("x.db.ballast");
        assert!(fs::metadata(&file).unwrap().blocks() * 512 >= BYTES as u64);
        reserve.fill().unwrap();
        assert!(reserve.release());
        assert!(!reserve.release());
        assert!(!file.exists());
    }
}
