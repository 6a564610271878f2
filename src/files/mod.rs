//! The object store: bytes that people send and files that are made for them, in one private folder. An object is
//! complete or not there; its name is of our own making, never a user's. Which object is what is a row of the store.
//!
//! A folder and no library: lists and sounds are read by programs that need a real file, every file must be private
//! (0600), and what is written must be on disk before its row is.

mod disk;
mod put;
mod read;
mod sweep;

pub use put::{Limits, PutError, Temporary, hash};
pub use read::chunks;

use crate::private_file;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What an object is; a part of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A list as it was sent.
    List,
    /// What the reader of a list found, as JSON.
    ListReport,
    /// The refused rows of a list, as CSV.
    ListFix,
    /// A sound as it was sent.
    Audio,
    /// What the line carries of a sound, as WAV.
    AudioLine,
    /// A campaign's folder as it was sent, as zip.
    CampaignFolder,
    /// A blacklist or the days without calls of a campaign that came as a folder.
    CampaignPart,
    /// A file that people asked for.
    Export,
    /// A blacklist as it was sent.
    Blacklist,
    /// A paper that shows who holds a caller ID.
    Proof,
}

impl Kind {
    pub const ALL: [Kind; 10] = [
        Kind::List,
        Kind::ListReport,
        Kind::ListFix,
        Kind::Audio,
        Kind::AudioLine,
        Kind::CampaignFolder,
        Kind::CampaignPart,
        Kind::Export,
        Kind::Blacklist,
        Kind::Proof,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Kind::List => "list",
            Kind::ListReport => "list_report",
            Kind::ListFix => "list_fix",
            Kind::Audio => "audio",
            Kind::AudioLine => "audio_line",
            Kind::CampaignFolder => "campaign_folder",
            Kind::CampaignPart => "campaign_part",
            Kind::Export => "export",
            Kind::Blacklist => "blacklist",
            Kind::Proof => "proof",
        }
    }
}

/// An object that is on disk under its final name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// `ENTERPRISE/KIND/YYYY-MM/ID`, relative to the object store.
    pub path: String,
    pub sha256: [u8; 32],
    pub bytes: u64,
}

/// Free space that uploads leave to everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserve {
    pub bytes: u64,
    /// Of the whole disk.
    pub percent: u64,
}

impl Default for Reserve {
    fn default() -> Self {
        Reserve { bytes: 5 << 30, percent: 10 }
    }
}

/// The object store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    reserve: Reserve,
}

/// The folder of objects that are still being written.
const TEMPORARY: &str = "tmp";

impl Files {
    /// Opens the object store in this folder (0700), which is created where it is missing. Removes what an earlier
    /// process had not finished writing.
    ///
    /// # Errors
    /// The folder cannot be created or read.
    pub fn open(root: &Path) -> io::Result<Files> {
        Files::open_with(root, Reserve::default())
    }

    /// As [`Files::open`], with another reserve.
    ///
    /// # Errors
    /// As [`Files::open`].
    pub fn open_with(root: &Path, reserve: Reserve) -> io::Result<Files> {
        let temporary = root.join(TEMPORARY);
        private_file::create_dir(&temporary)?;
        for entry in std::fs::read_dir(&temporary)? {
            std::fs::remove_file(entry?.path())?;
        }
        let root = std::fs::canonicalize(root)?;
        Ok(Files { inner: Arc::new(Inner { root, reserve }) })
    }

    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// The file of an object, for programs that need one.
    ///
    /// # Errors
    /// `InvalidInput` for a path that [`Files::put`] did not make.
    pub fn file(&self, path: &str) -> io::Result<PathBuf> {
        let relative = Path::new(path);
        let parts: Vec<Component<'_>> = relative.components().collect();
        let is_plain = parts.iter().all(|part| matches!(part, Component::Normal(_)));
        let is_ours = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_".contains(&b));
        if parts.len() != 4 || !is_plain || !is_ours {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{path} is no object's path")));
        }
        Ok(self.inner.root.join(relative))
    }

    /// Removes an object; one that is gone already is fine.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn delete(&self, path: &str) -> io::Result<()> {
        match std::fs::remove_file(self.file(path)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether the disk has room for so many bytes beside the [`Reserve`].
    ///
    /// # Errors
    /// The system does not say how full the disk is.
    pub fn has_room(&self, bytes: u64) -> io::Result<bool> {
        let space = disk::space(&self.inner.root)?;
        let reserve = self.inner.reserve;
        let kept = reserve.bytes.max(space.total / 100 * reserve.percent);
        Ok(space.free >= kept.saturating_add(bytes))
    }
}
