//! The journal: every input of the dialer with its time, and a fingerprint of what it led to.
//! Each segment starts with the dialer's whole state, so any of them can be replayed by itself.

mod format;
mod read;
mod write;

pub use read::{Difference, Replay, ReplayError, replay};
pub use write::{JournalConfig, JournalWriter};
