//! RTP packets as bytes: parsed from untrusted input, written into a reused buffer. The header format is
//! `rtp-rs`'s.

use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

/// Bytes of an RTP header without CSRCs and extension (RFC 3550 section 5.1).
pub const HEADER_BYTES: usize = 12;

/// One received packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    /// In units of 1/8,000 s.
    pub timestamp: u32,
    pub ssrc: u32,
    /// Without padding.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// `None` for anything but RTP version 2 with a payload, and for misdirected RTCP (payload types 64
    /// to 95, RFC 5761 section 4).
    pub fn parse(bytes: &'a [u8]) -> Option<Packet<'a>> {
        let reader = RtpReader::new(bytes).ok()?;
        let payload = reader.payload();
        let payload_type = reader.payload_type();
        if payload.is_empty() || (64..=95).contains(&payload_type) {
            return None;
        }
        Some(Packet {
            payload_type,
            marker: reader.mark(),
            sequence: reader.sequence_number().into(),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
            payload,
        })
    }

    /// Writes the packet to the front of `target` and returns its length; 0 if it does not fit.
    pub fn write(&self, target: &mut [u8]) -> usize {
        RtpPacketBuilder::new()
            .payload_type(self.payload_type)
            .marked(self.marker)
            .sequence(Seq::from(self.sequence))
            .timestamp(self.timestamp)
            .ssrc(self.ssrc)
            .payload(self.payload)
            .build_into(target)
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn a_too_small_buffer_stays_untouched() {
        let packet =
            Packet { payload_type: 0, marker: false, sequence: 1, timestamp: 2, ssrc: 3, payload: &[1] };
        assert_eq!(packet.write(&mut [0; 12]), 0);
        assert_eq!(packet.write(&mut [0; 13]), 13);
    }

    #[test]
    fn csrcs_extension_and_padding_are_passed_over() {
        let mut bytes = vec![0xB1, 0x08, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend([9, 9, 9, 9]); // one CSRC
        bytes.extend([0xBE, 0xDE, 0, 1, 1, 2, 3, 4]); // an extension of one word
        bytes.extend([42, 43, 0, 2]); // two bytes of payload, two of padding
        assert_eq!(Packet::parse(&bytes).unwrap().payload, &[42, 43]);
    }

    #[test]
    fn non_rtp_datagrams_are_refused() {
        let whole = [0x80, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xD5];
        assert!(Packet::parse(&whole).is_some());
        let change = |index: usize, value: u8| {
            let mut bytes = whole;
            bytes[index] = value;
            bytes
        };
        assert!(Packet::parse(&whole[..12]).is_none(), "no payload");
        assert!(Packet::parse(&[]).is_none());
        assert!(Packet::parse(&change(0, 0x40)).is_none(), "version 1");
        assert!(Packet::parse(&change(0, 0x8F)).is_none(), "15 CSRCs that are not there");
        assert!(Packet::parse(&change(0, 0x90)).is_none(), "an extension that is not there");
        assert!(Packet::parse(&change(0, 0xA0)).is_none(), "more padding than packet");
        assert!(Packet::parse(&change(1, 200)).is_none(), "RTCP");
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        let seed = 0x51ED_u64;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut read = 0;
        for _ in 0..200_000 {
            let mut bytes = [0u8; 64];
            random.fill_bytes(&mut bytes);
            bytes[0] = 0x80 | (bytes[0] & 0x3F);
            let length = random.random_range(0..=bytes.len());
            if let Some(packet) = Packet::parse(&bytes[..length]) {
                assert!(packet.payload.len() <= length, "seed {seed:#x}");
                read += 1;
            }
        }
        assert!(read > 1_000, "seed {seed:#x}: only {read} were readable, so this tests nothing");
    }
}
