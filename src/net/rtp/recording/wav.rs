//! WAV headers: written, patched while the file grows, and recognised after a crash.

use super::request::Encoding;

pub const RATE: u32 = 8_000;
const CHANNELS: u16 = 2;
const PCM: u16 = 1;
const ALAW: u16 = 6;
const PCM_HEADER: usize = 44;
/// With an extension size of 0 and a `fact` chunk, as the format requires for coded audio.
const ALAW_HEADER: usize = 58;

impl Encoding {
    /// Bytes of one sample of both channels.
    pub fn pair_bytes(self) -> u64 {
        match self {
            Encoding::Pcm => 4,
            Encoding::Alaw => 2,
        }
    }

    pub fn header_bytes(self) -> usize {
        match self {
            Encoding::Pcm => PCM_HEADER,
            Encoding::Alaw => ALAW_HEADER,
        }
    }
}

/// The header of a file with this many bytes of audio.
pub fn header(encoding: Encoding, data_bytes: u64) -> Vec<u8> {
    let data = u32::try_from(data_bytes).unwrap_or(u32::MAX - 64);
    let pair = encoding.pair_bytes() as u32;
    let (format, bits, fmt_bytes) = match encoding {
        Encoding::Pcm => (PCM, 16u16, 16u32),
        Encoding::Alaw => (ALAW, 8, 18),
    };
    let mut header = Vec::with_capacity(encoding.header_bytes());
    header.extend(b"RIFF");
    header.extend((encoding.header_bytes() as u32 - 8 + data).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(fmt_bytes.to_le_bytes());
    header.extend(format.to_le_bytes());
    header.extend(CHANNELS.to_le_bytes());
    header.extend(RATE.to_le_bytes());
    header.extend((RATE * pair).to_le_bytes());
    header.extend((pair as u16).to_le_bytes());
    header.extend(bits.to_le_bytes());
    if encoding == Encoding::Alaw {
        header.extend(0u16.to_le_bytes());
        header.extend(b"fact");
        header.extend(4u32.to_le_bytes());
        header.extend((data / pair).to_le_bytes());
    }
    header.extend(b"data");
    header.extend(data.to_le_bytes());
    header
}

/// The encoding of one of our recordings, from its first bytes; `None` for any other file.
pub fn encoding(bytes: &[u8]) -> Option<Encoding> {
    [Encoding::Pcm, Encoding::Alaw].into_iter().find(|&encoding| {
        let ours = header(encoding, 0);
        // Compares all but the sizes, which may not have been patched.
        let same = |range: std::ops::Range<usize>| bytes.get(range.clone()) == ours.get(range);
        let whole = bytes.len() >= encoding.header_bytes();
        whole && same(0..4) && same(8..36) && same(encoding.header_bytes() - 8..encoding.header_bytes() - 4)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_recognised_whatever_its_sizes() {
        for encoding in [Encoding::Pcm, Encoding::Alaw] {
            for bytes in [0, 64_000, u64::MAX] {
                let header = header(encoding, bytes);
                assert_eq!(header.len(), encoding.header_bytes());
                assert_eq!(super::encoding(&header), Some(encoding));
                assert_eq!(super::encoding(&header[..40]), None);
            }
        }
        assert_eq!(super::encoding(&[0; 60]), None);
    }
}
