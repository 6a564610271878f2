//! How full the disk of the object store is.

use std::io;
use std::path::Path;

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    pub total: u64,
    /// What this user may still write.
    pub free: u64,
}

pub fn space(path: &Path) -> io::Result<Space> {
    let found = rustix::fs::statvfs(path)?;
    let unit = found.f_frsize.max(1);
    Ok(Space { total: found.f_blocks.saturating_mul(unit), free: found.f_bavail.saturating_mul(unit) })
}
