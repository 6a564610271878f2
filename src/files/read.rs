//! Reading objects, whole or in part, in bounded pieces.

use super::Files;
use futures_util::{Stream, stream};
use std::io;
use std::ops::Range;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Bytes of one piece.
const PIECE: u64 = 64 * 1024;

impl Files {
    /// Opens an object. Returns its size.
    ///
    /// # Errors
    /// The object is gone, or cannot be read.
    pub async fn open_object(&self, path: &str) -> io::Result<(tokio::fs::File, u64)> {
        let file = tokio::fs::File::open(self.file(path)?).await?;
        let size = file.metadata().await?.len();
        Ok((file, size))
    }
}

/// The bytes of this range, piece by piece.
///
/// # Errors
/// The file cannot be read.
pub async fn chunks(
    mut file: tokio::fs::File,
    range: Range<u64>,
) -> io::Result<impl Stream<Item = io::Result<Vec<u8>>> + use<>> {
    file.seek(io::SeekFrom::Start(range.start)).await?;
    let left = range.end.saturating_sub(range.start);
    Ok(stream::unfold((file, left), |(mut file, left)| async move {
        if left == 0 {
            return None;
        }
        let mut piece = vec![0; left.min(PIECE) as usize];
        match file.read(&mut piece).await {
            Ok(0) => {
                let gone = io::Error::new(io::ErrorKind::UnexpectedEof, "the object is shorter than it was");
                Some((Err(gone), (file, 0)))
            }
            Ok(read) => {
                piece.truncate(read);
                Some((Ok(piece), (file, left - read as u64)))
            }
            Err(error) => Some((Err(error), (file, 0))),
        }
    }))
}
