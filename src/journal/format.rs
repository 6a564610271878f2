//! The journal's bytes. A segment is a line that names it, a snapshot, then records; each block is
//! its length and its CRC-32, little-endian, then that many bytes of postcard. A torn last block is
//! what a crash leaves and ends the segment.

use paceline_core::dialer::{Dialer, Input, Output};
use paceline_core::time::Time;
use serde::{Deserialize, Serialize};

/// The first line of every segment. The number grows when the bytes mean something else.
pub(super) const MAGIC: &[u8] = b"paceline journal 1\n";

/// A block larger than this is damage, not data.
pub(super) const BLOCK_MAX: usize = 64 << 20;

/// The first block of a segment.
#[derive(Serialize, Deserialize)]
pub(super) struct Snapshot {
    /// The program that wrote it: another version may decide otherwise.
    pub version: String,
    pub dialer: Dialer,
}

/// One input and what it led to.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    pub at: Time,
    pub input: Input,
    /// FNV-1a over the outputs' own bytes.
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

/// Puts one block at the end of `into`.
pub(super) fn put_block<T: Serialize>(value: &T, into: &mut Vec<u8>) -> Result<(), postcard::Error> {
    let start = into.len();
    into.extend_from_slice(&[0; 8]);
    postcard::to_io(value, &mut *into)?;
    let body = &into[start + 8..];
    let (length, crc) = (body.len() as u32, crc32fast::hash(body));
    into[start..start + 4].copy_from_slice(&length.to_le_bytes());
    into[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
    Ok(())
}
