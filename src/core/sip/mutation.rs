//! Seeded mutation of messages, for tests: damage as by networks, bugs and attackers.

use rand::{Rng, RngExt};

/// Byte strings significant to SIP and SDP parsers.
const PIECES: [&[u8]; 24] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n ",
    b"\r\n\r\n",
    b"\0",
    b"\"",
    b"<",
    b">",
    b";",
    b",",
    b":",
    b"=",
    b"@",
    b"[::1]",
    b"%",
    b"\\",
    b"\xff\xfe",
    b"\xe4\xbd",
    b"99999999999999999999",
    b"-1",
    b"Via:",
    b"l: 0\r\n",
    b"m=audio 1 RTP/AVP 8\r\n",
];

/// One to four changes: flips, cuts, repetitions, moves and insertions.
pub(crate) fn mutate(random: &mut impl Rng, bytes: &mut Vec<u8>) {
    for _ in 0..random.random_range(1..=4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.random_range(0..bytes.len());
        let end = (at + random.random_range(0..24)).min(bytes.len());
        match random.random_range(0..12) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes[at] = random.random(),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = random.random_range(0..=bytes.len());
                bytes.splice(to..to, piece);
            }
            4 => bytes.truncate(at),
            _ => {
                let piece = PIECES[random.random_range(0..PIECES.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
}
