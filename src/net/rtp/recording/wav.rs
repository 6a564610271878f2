//! WAV headers: written, patched while the file grows, and recognised after a crash.

use super::Encoding;

pub const RATE: u32 = 8_000;
const CHANNELS: u16 = 2;
const PCM: u16 = 1;
const ALAW: u16 = 6;
const PCM_HEAD: usize = 44;
/// With an extension size of 0 and a `fact` chunk, as the format requires for coded audio.
const ALAW_HEAD: usize = 58;

impl Encoding {
    /// Bytes of one sample of both channels.
    pub fn pair_bytes(self) -> u64 {
        match self {
            Encoding::Pcm => 4,
            Encoding::Alaw => 2,
        }
    }

    pub fn head_bytes(self) -> usize {
        match self {
            Encoding::Pcm => PCM_HEAD,
            Encoding::Alaw => ALAW_HEAD,
        }
    }
}

/// The header of a file with this many bytes of audio.
pub fn head(encoding: Encoding, data_bytes: u64) -> Vec<u8> {
    let data = u32::try_from(data_bytes).unwrap_or(u32::MAX - 64);
    let pair = encoding.pair_bytes() as u32;
    let (format, bits, fmt_bytes) = match encoding {
        Encoding::Pcm => (PCM, 16u16, 16u32),
        Encoding::Alaw => (ALAW, 8, 18),
    };
    let mut head = Vec::with_capacity(encoding.head_bytes());
    head.extend(b"RIFF");
    head.extend((encoding.head_bytes() as u32 - 8 + data).to_le_bytes());
    head.extend(b"WAVEfmt ");
    head.extend(fmt_bytes.to_le_bytes());
    head.extend(format.to_le_bytes());
    head.extend(CHANNELS.to_le_bytes());
    head.extend(RATE.to_le_bytes());
    head.extend((RATE * pair).to_le_bytes());
    head.extend((pair as u16).to_le_bytes());
    head.extend(bits.to_le_bytes());
    if encoding == Encoding::Alaw {
        head.extend(0u16.to_le_bytes());
        head.extend(b"fact");
        head.extend(4u32.to_le_bytes());
        head.extend((data / pair).to_le_bytes());
    }
    head.extend(b"data");
    head.extend(data.to_le_bytes());
    head
}

/// The encoding of one of our recordings, from its first bytes; `None` for any other file.
pub fn encoding(bytes: &[u8]) -> Option<Encoding> {
    [Encoding::Pcm, Encoding::Alaw].into_iter().find(|&encoding| {
        let ours = head(encoding, 0);
        // Compares all but the sizes, which may not have been patched.
        let same = |range: std::ops::Range<usize>| bytes.get(range.clone()) == ours.get(range);
        let whole = bytes.len() >= encoding.head_bytes();
        whole && same(0..4) && same(8..36) && same(encoding.head_bytes() - 8..encoding.head_bytes() - 4)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_recognised_whatever_its_sizes() {
        for encoding in [Encoding::Pcm, Encoding::Alaw] {
            for bytes in [0, 64_000, u64::MAX] {
                let head = head(encoding, bytes);
                assert_eq!(head.len(), encoding.head_bytes());
                assert_eq!(super::encoding(&head), Some(encoding));
                assert_eq!(super::encoding(&head[..40]), None);
            }
        }
        assert_eq!(super::encoding(&[0; 60]), None);
    }
}
