//! What to record: the file, its encoding and its description.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Encoding of the file; always 8,000 samples a second and two channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// 16 bit, 32 kB a second.
    #[default]
    Pcm,
    /// G.711 A-law, 16 kB a second.
    Alaw,
}

/// A request to record one leg from now on.
#[derive(Clone, Debug)]
pub struct Recording {
    pub(super) path: PathBuf,
    pub(super) meta: serde_json::Value,
    pub(super) encoding: Encoding,
}

impl Recording {
    /// Requests a recording into this file (the name should end in `.wav`; folders are created; a name in
    /// use gets a number). The file ends in `.wav.part` until it is complete. `meta` is stored in the
    /// `.json` file beside it.
    pub fn start(path: impl Into<PathBuf>, meta: &impl Serialize) -> Recording {
        let meta = serde_json::to_value(meta).unwrap_or_default();
        Recording { path: path.into(), meta, encoding: Encoding::default() }
    }

    pub(in crate::net::rtp) fn path(&self) -> &Path {
        &self.path
    }

    pub fn encoded(self, encoding: Encoding) -> Recording {
        Recording { encoding, ..self }
    }
}
