//! The journal's file format. A segment is a magic line, a snapshot block, then record blocks; each block is
//! a head and a postcard body. A torn last block is the result of a crash and ends the segment; the head has
//! a checksum of its own, so that a damaged length is not mistaken for a valid one.

use paceline_core::dialer::{Dialer, Input, Output};
use paceline_core::time::Time;
use serde::{Deserialize, Serialize};

/// The first line of every segment. The number grows with every incompatible change of the format.
pub(super) const MAGIC: &[u8] = b"paceline journal 6\n";
/// Its start in every version.
pub(super) const MAGIC_START: &[u8] = b"paceline journal ";

/// A larger block is damage.
pub(super) const BLOCK_MAX: usize = 64 << 20;

/// Length and CRC-32 of a block, then the CRC-32 of these eight bytes; all little-endian.
pub(super) const HEAD: usize = 12;

/// The head of a block with this body.
pub(super) fn head(body: &[u8]) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(&(body.len() as u32).to_le_bytes());
    head[4..8].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
    let own = crc32fast::hash(&head[..8]);
    head[8..].copy_from_slice(&own.to_le_bytes());
    head
}

/// Length and checksum of the body that follows; `None` = the head is damaged.
pub(super) fn read_head(head: &[u8; HEAD]) -> Option<(usize, u32)> {
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    (crc32fast::hash(&head[..8]) == word(8)).then(|| (word(0) as usize, word(4)))
}

/// The first block of a segment.
#[derive(Serialize, Deserialize)]
pub(super) struct Snapshot {
    /// Version of the program that wrote it: another version may decide otherwise.
    pub version: String,
    pub dialer: Dialer,
}

/// One input and the fingerprint of its outputs.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    pub at: Time,
    pub input: Input,
    /// FNV-1a over the outputs' postcard bytes.
    pub outputs: u64,
}

/// FNV-1a, 64 bit (Fowler, Noll, Vo): a fingerprint that is the same on every machine.
pub(super) fn fingerprint(outputs: &[Output], scratch: &mut Vec<u8>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for output in outputs {
        scratch.clear();
        if postcard::to_io(output, &mut *scratch).is_err() {
            continue;
        }
        for byte in scratch.iter() {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

/// Appends one block to `into`.
pub(super) fn put_block<T: Serialize>(value: &T, into: &mut Vec<u8>) -> Result<(), postcard::Error> {
    let start = into.len();
    into.extend_from_slice(&[0; HEAD]);
    postcard::to_io(value, &mut *into)?;
    let head = head(&into[start + HEAD..]);
    into[start..start + HEAD].copy_from_slice(&head);
    Ok(())
}
