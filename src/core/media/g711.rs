//! A-law and mu-law by table, bit exact with ITU-T G.711. The tables are computed at compile time; a
//! frame of 160 samples costs well under a microsecond.

/// The A-law byte of digital silence.
pub const ALAW_SILENCE: u8 = 0xD5;
/// The mu-law byte of digital silence.
pub const ULAW_SILENCE: u8 = 0xFF;

/// A-law uses the 13 upper bits of a sample, mu-law the 14 upper bits.
static ALAW_ENCODE: [u8; 1 << 13] = alaw_table();
static ULAW_ENCODE: [u8; 1 << 14] = ulaw_table();
static ALAW_DECODE: [i16; 256] = alaw_expansion();
static ULAW_DECODE: [i16; 256] = ulaw_expansion();

pub fn alaw_from_linear(sample: i16) -> u8 {
    ALAW_ENCODE[(sample as u16 >> 3) as usize]
}

pub fn linear_from_alaw(byte: u8) -> i16 {
    ALAW_DECODE[byte as usize]
}

pub fn ulaw_from_linear(sample: i16) -> u8 {
    ULAW_ENCODE[(sample as u16 >> 2) as usize]
}

pub fn linear_from_ulaw(byte: u8) -> i16 {
    ULAW_DECODE[byte as usize]
}

/// One byte per sample.
pub fn encode_alaw(samples: &[i16]) -> Vec<u8> {
    samples.iter().map(|&sample| alaw_from_linear(sample)).collect()
}

/// One byte per sample.
pub fn encode_ulaw(samples: &[i16]) -> Vec<u8> {
    samples.iter().map(|&sample| ulaw_from_linear(sample)).collect()
}

/// One sample per byte.
pub fn decode_alaw(bytes: &[u8]) -> Vec<i16> {
    bytes.iter().map(|&byte| linear_from_alaw(byte)).collect()
}

/// One sample per byte.
pub fn decode_ulaw(bytes: &[u8]) -> Vec<i16> {
    bytes.iter().map(|&byte| linear_from_ulaw(byte)).collect()
}

/// Transcodes one byte between the two laws.
pub fn ulaw_from_alaw(byte: u8) -> u8 {
    ulaw_from_linear(linear_from_alaw(byte))
}

/// Transcodes one byte between the two laws.
pub fn alaw_from_ulaw(byte: u8) -> u8 {
    alaw_from_linear(linear_from_ulaw(byte))
}

/// Sum of the squared samples: power times length, in units of a linear sample squared.
pub fn alaw_energy(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(ALAW_SQUARES[byte as usize])).sum()
}

/// Mu-law counterpart of [`alaw_energy`].
pub fn ulaw_energy(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(ULAW_SQUARES[byte as usize])).sum()
}

static ALAW_SQUARES: [u32; 256] = squares(&ALAW_DECODE);
static ULAW_SQUARES: [u32; 256] = squares(&ULAW_DECODE);

const fn squares(samples: &[i16; 256]) -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let magnitude = samples[byte].unsigned_abs() as u32;
        table[byte] = magnitude * magnitude;
        byte += 1;
    }
    table
}

/// `sample` has 13 bits: -4096 to 4095.
const fn compress_alaw(sample: i32) -> u8 {
    let (sign, magnitude) = if sample >= 0 { (0xD5, sample) } else { (0x55, -sample - 1) };
    let segment = if magnitude < 32 { 0 } else { 27 - (magnitude as u32).leading_zeros() as i32 };
    let step = if segment < 2 { magnitude >> 1 } else { magnitude >> segment };
    ((segment << 4) | (step & 0x0F)) as u8 ^ sign
}

/// `sample` has 14 bits: -8192 to 8191.
const fn compress_ulaw(sample: i32) -> u8 {
    let (sign, magnitude) = if sample >= 0 { (0xFF, sample) } else { (0x7F, -sample) };
    let biased = if magnitude > 8158 { 8158 + 33 } else { magnitude + 33 };
    let segment = 26 - (biased as u32).leading_zeros() as i32;
    ((segment << 4) | ((biased >> (segment + 1)) & 0x0F)) as u8 ^ sign
}

const fn alaw_table() -> [u8; 1 << 13] {
    let mut table = [0; 1 << 13];
    let mut index = 0;
    while index < table.len() {
        // The index is the sample's upper bits as unsigned; sign-extend them.
        table[index] = compress_alaw(((index as i32) << 19) >> 19);
        index += 1;
    }
    table
}

const fn ulaw_table() -> [u8; 1 << 14] {
    let mut table = [0; 1 << 14];
    let mut index = 0;
    while index < table.len() {
        table[index] = compress_ulaw(((index as i32) << 18) >> 18);
        index += 1;
    }
    table
}

const fn alaw_expansion() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let code = byte as i32 ^ 0x55;
        let segment = (code >> 4) & 7;
        let step = ((code & 0x0F) << 4) + 8;
        let magnitude = if segment == 0 { step } else { (step + 0x100) << (segment - 1) };
        table[byte] = if code & 0x80 != 0 { magnitude as i16 } else { -magnitude as i16 };
        byte += 1;
    }
    table
}

const fn ulaw_expansion() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let code = !(byte as i32);
        let magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
        table[byte] = if code & 0x80 != 0 { -magnitude as i16 } else { magnitude as i16 };
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference implementation for the tests: searches the decision levels of G.711 table 1a.
    fn alaw_by_search(sample: i16) -> u8 {
        const SEGMENT_ENDS: [i32; 8] = [0x1F, 0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF];
        let mut value = i32::from(sample) >> 3;
        let mask = if value >= 0 {
            0xD5
        } else {
            value = -value - 1;
            0x55
        };
        let segment = SEGMENT_ENDS.iter().position(|&end| value <= end).unwrap() as i32;
        let shift = segment.max(1);
        ((segment << 4 | (value >> shift & 0xF)) ^ mask) as u8
    }

    fn ulaw_by_search(sample: i16) -> u8 {
        const SEGMENT_ENDS: [i32; 8] = [0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF, 0x1FFF];
        let value = i32::from(sample) >> 2;
        let (mask, magnitude) = if value < 0 { (0x7F, -value) } else { (0xFF, value) };
        let biased = magnitude.min(8158) + 33;
        let segment = SEGMENT_ENDS.iter().position(|&end| biased <= end).unwrap() as i32;
        ((segment << 4 | (biased >> (segment + 1) & 0xF)) ^ mask) as u8
    }

    #[test]
    fn every_sample_is_coded_as_the_formula_says() {
        for sample in i16::MIN..=i16::MAX {
            assert_eq!(alaw_from_linear(sample), alaw_by_search(sample), "A-law of {sample}");
            assert_eq!(ulaw_from_linear(sample), ulaw_by_search(sample), "mu-law of {sample}");
        }
    }

    #[test]
    fn every_code_survives_decoding_and_coding_again() {
        for byte in 0..=255u8 {
            assert_eq!(alaw_from_linear(linear_from_alaw(byte)), byte);
            // Mu-law has two codes for zero; both mean zero.
            let again = ulaw_from_linear(linear_from_ulaw(byte));
            assert!(again == byte || (byte == 0x7F && again == 0xFF), "{byte:#x} became {again:#x}");
        }
    }

    #[test]
    fn known_codes_have_their_known_values() {
        assert_eq!(linear_from_alaw(ALAW_SILENCE), 8);
        assert_eq!(linear_from_ulaw(ULAW_SILENCE), 0);
        assert_eq!(linear_from_alaw(0xAA), 32_256);
        assert_eq!(linear_from_alaw(0x2A), -32_256);
        assert_eq!(linear_from_ulaw(0x80), 32_124);
        assert_eq!(linear_from_ulaw(0x00), -32_124);
        assert_eq!(ulaw_from_linear(0), ULAW_SILENCE);
        assert_eq!(alaw_from_linear(0), ALAW_SILENCE);
    }
}
