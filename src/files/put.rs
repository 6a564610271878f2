//! Writing objects: the bytes flow into a temporary file while they are counted and hashed; only a complete one gets
//! its final name. Nothing is held in memory but the piece that flows.

use super::{Files, Kind, Stored, TEMPORARY};
use crate::private_file;
use futures_util::{Stream, StreamExt};
use paceline_core::time::Utc;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// What one upload may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub bytes: u64,
    /// Without a byte for so long, the upload ends.
    pub idle: Duration,
}

/// Why an object was not written. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    #[error("the file is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("no byte came for {} seconds", idle.as_secs())]
    Idle { idle: Duration },
    #[error("the sender stopped after {bytes} bytes: {why}")]
    Broken { bytes: u64, why: String },
    #[error("the sender announced {announced} bytes and sent {bytes}")]
    Short { announced: u64, bytes: u64 },
    #[error("the disk of the object store has too little room left")]
    DiskLow,
    #[error("the object store cannot be written: {0}")]
    Disk(#[from] io::Error),
}

impl Files {
    /// Writes what the stream brings. `announced` = its length, if the sender said so.
    ///
    /// # Errors
    /// See [`PutError`].
    pub async fn put<B, E>(
        &self,
        enterprise: i64,
        kind: Kind,
        now: Utc,
        announced: Option<u64>,
        limits: Limits,
        stream: impl Stream<Item = Result<B, E>>,
    ) -> Result<Stored, PutError>
    where
        B: AsRef<[u8]>,
        E: std::fmt::Display,
    {
        let limit = limits.bytes;
        if announced.is_some_and(|bytes| bytes > limit) {
            return Err(PutError::TooLarge { limit });
        }
        if !self.has_room(announced.unwrap_or(0))? {
            return Err(PutError::DiskLow);
        }
        let mut temporary = self.create()?;
        let mut out = tokio::fs::File::from_std(temporary.file.try_clone()?);
        let mut stream = std::pin::pin!(stream);
        let mut checked_at = 0;
        loop {
            let Some(piece) = next_piece(&mut stream, limits.idle, temporary.bytes).await? else { break };
            let piece = piece.as_ref();
            temporary.note(piece);
            if temporary.bytes > limit {
                return Err(PutError::TooLarge { limit });
            }
            out.write_all(piece).await?;
            if temporary.bytes - checked_at > ROOM_CHECKED_EVERY {
                checked_at = temporary.bytes;
                if !self.has_room(0)? {
                    return Err(PutError::DiskLow);
                }
            }
        }
        out.flush().await?;
        let bytes = temporary.bytes;
        check_length(announced, bytes)?;
        drop(out);
        let files = self.clone();
        let kept = tokio::task::spawn_blocking(move || files.keep(temporary, enterprise, kind, now));
        Ok(kept.await.map_err(io::Error::other)??)
    }

    /// A new temporary file; it vanishes with its value unless [`Files::keep`] gets it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(&self) -> io::Result<Temporary> {
        let path = self.root().join(TEMPORARY).join(random_name()?);
        let file = private_file::create(&path)?;
        Ok(Temporary { path, file, hash: Sha256::new(), bytes: 0, is_kept: false })
    }

    /// Gives a complete file its final name. It is on disk when this returns.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn keep(
        &self,
        mut temporary: Temporary,
        enterprise: i64,
        kind: Kind,
        now: Utc,
    ) -> io::Result<Stored> {
        temporary.file.sync_all()?;
        let folder = format!("{enterprise}/{}/{}", kind.word(), month(now));
        let path = format!("{folder}/{}", random_name()?);
        let dir = self.root().join(&folder);
        private_file::create_dir(&dir)?;
        std::fs::rename(&temporary.path, self.file(&path)?)?;
        temporary.is_kept = true;
        // The name is durable once its folder, and the folders that were made for it, are.
        for dir in [dir.as_path()].into_iter().chain(dir.ancestors().skip(1).take(3)) {
            File::open(dir)?.sync_all()?;
        }
        let sha256 = temporary.hash.clone().finalize().into();
        Ok(Stored { path, sha256, bytes: temporary.bytes })
    }
}

/// SHA-256 and length of what the stream brings, which is not kept. `announced` as in [`Files::put`].
///
/// # Errors
/// See [`PutError`].
pub async fn hash<B, E>(
    announced: Option<u64>,
    limits: Limits,
    stream: impl Stream<Item = Result<B, E>>,
) -> Result<([u8; 32], u64), PutError>
where
    B: AsRef<[u8]>,
    E: std::fmt::Display,
{
    let mut stream = std::pin::pin!(stream);
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    while let Some(piece) = next_piece(&mut stream, limits.idle, bytes).await? {
        hash.update(piece.as_ref());
        bytes += piece.as_ref().len() as u64;
        if bytes > limits.bytes {
            return Err(PutError::TooLarge { limit: limits.bytes });
        }
    }
    check_length(announced, bytes)?;
    Ok((hash.finalize().into(), bytes))
}

async fn next_piece<B, E: std::fmt::Display>(
    stream: &mut (impl Stream<Item = Result<B, E>> + Unpin),
    idle: Duration,
    bytes: u64,
) -> Result<Option<B>, PutError> {
    let next = tokio::time::timeout(idle, stream.next()).await;
    let piece = next.map_err(|_| PutError::Idle { idle })?.transpose();
    piece.map_err(|error| PutError::Broken { bytes, why: error.to_string() })
}

fn check_length(announced: Option<u64>, bytes: u64) -> Result<(), PutError> {
    match announced.filter(|announced| *announced != bytes) {
        Some(announced) => Err(PutError::Short { announced, bytes }),
        None => Ok(()),
    }
}

/// Free space is asked for again after so many bytes.
const ROOM_CHECKED_EVERY: u64 = 32 << 20;

/// A file that is being written; it is removed when dropped.
#[derive(Debug)]
pub struct Temporary {
    path: PathBuf,
    file: File,
    hash: Sha256,
    bytes: u64,
    is_kept: bool,
}

impl Temporary {
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn note(&mut self, piece: &[u8]) {
        self.hash.update(piece);
        self.bytes += piece.len() as u64;
    }

    /// Reads what another writer put into the file at [`Temporary::path`], which is hashed and counted here.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn measure(&mut self) -> io::Result<()> {
        (self.hash, self.bytes) = (Sha256::new(), 0);
        let mut read = File::open(&self.path)?;
        let mut piece = vec![0; 1 << 16];
        loop {
            match io::Read::read(&mut read, &mut piece)? {
                0 => return Ok(()),
                len => self.note(&piece[..len]),
            }
        }
    }
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.note(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_kept {
            // What is left here is removed at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// 128 random bits, so that no name can be guessed or met twice.
fn random_name() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// `2026-11`, in UTC.
fn month(now: Utc) -> String {
    let at = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default();
    at.strftime("%Y-%m").to_string()
}
