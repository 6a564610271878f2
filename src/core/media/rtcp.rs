//! RTCP as bytes (RFC 3550 section 6): builds compound reports and parses received ones within bounds.
//! The owner of the leg decides when to send.

use super::reception::Report;

/// Upper bound of the compound packets built here.
pub const MAX_BYTES: usize = 128;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
/// Packets parsed per datagram; the rest is ignored.
const MAX_PACKETS: usize = 16;

/// Our stream's part of a sender report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// Wall clock as NTP: seconds since 1900 and 1/2^32 s.
    pub ntp: u64,
    /// The stream's clock at that moment.
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// The far end's last sender report, which it uses to measure the round trip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastSenderReport {
    /// The middle 32 bits of its NTP time; 0 for none.
    pub ntp_middle: u32,
    /// Since it arrived, in 1/65,536 s.
    pub delay: u32,
}

/// NTP time of a wall clock moment in microseconds since 1970.
pub fn ntp(utc_micros: u64) -> u64 {
    const FROM_1900: u64 = 2_208_988_800;
    let secs = utc_micros / 1_000_000 + FROM_1900;
    (secs << 32) | (((utc_micros % 1_000_000) << 32) / 1_000_000)
}

/// Builds SR (or RR when `sent` is `None`), SDES with a CNAME, and BYE if wanted, into the front of
/// `target` (at least [`MAX_BYTES`]). Returns the length; 0 if it does not fit.
pub fn write(
    target: &mut [u8],
    ssrc: u32,
    sent: Option<SenderInfo>,
    block: Option<(Report, LastSenderReport)>,
    bye: bool,
) -> usize {
    let mut out = Writer { target, length: 0, overflow: false };
    let blocks = u8::from(block.is_some());
    match sent {
        Some(sent) => {
            out.header(blocks, SENDER_REPORT, 6 + 6 * u16::from(blocks));
            out.word(ssrc);
            out.word((sent.ntp >> 32) as u32);
            out.word(sent.ntp as u32);
            out.word(sent.timestamp);
            out.word(sent.packets);
            out.word(sent.octets);
        }
        None => {
            out.header(blocks, RECEIVER_REPORT, 1 + 6 * u16::from(blocks));
            out.word(ssrc);
        }
    }
    if let Some((report, last)) = block {
        out.word(report.ssrc);
        out.word((u32::from(report.fraction_lost) << 24) | (report.cumulative_lost as u32 & 0xFF_FFFF));
        out.word(report.highest);
        out.word(report.jitter);
        out.word(last.ntp_middle);
        out.word(last.delay);
    }
    // A CNAME of eight hex digits reveals neither host nor user (RFC 7022). Then the end and padding.
    out.header(1, SOURCE_DESCRIPTION, 4);
    out.word(ssrc);
    out.bytes(&[1, 8]);
    out.bytes(&hex(ssrc));
    out.bytes(&[0, 0]);
    if bye {
        out.header(1, BYE, 1);
        out.word(ssrc);
    }
    if out.overflow { 0 } else { out.length }
}

/// The parts of an RTCP datagram that are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The middle 32 bits of the sender report's NTP time.
    pub sender_ntp_middle: Option<u32>,
    /// The report block about our stream.
    pub our_block: Option<Report>,
    pub bye: bool,
}

/// Parses a compound datagram; `None` if it does not begin as RTCP. Parsing stops at a damaged part.
pub fn parse(bytes: &[u8], our_ssrc: u32) -> Option<Received> {
    let mut received = Received::default();
    let mut rest = bytes;
    for index in 0..MAX_PACKETS {
        let Some((&[first, kind, high, low], _)) = rest.split_first_chunk() else { break };
        let length = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
        let known = first >> 6 == 2 && (192..=223).contains(&kind);
        if !known || length > rest.len() {
            if index == 0 {
                return None;
            }
            break;
        }
        let (packet, after) = rest.split_at(length);
        rest = after;
        match kind {
            SENDER_REPORT => {
                if let (Some(high), Some(low)) = (word(packet, 2), word(packet, 3)) {
                    received.sender_ntp_middle = Some((high << 16) | (low >> 16));
                }
                received.read_report_blocks(packet, 7, first & 0x1F, our_ssrc);
            }
            RECEIVER_REPORT => received.read_report_blocks(packet, 2, first & 0x1F, our_ssrc),
            BYE => received.bye = true,
            _ => {}
        }
    }
    (rest.len() < bytes.len()).then_some(received)
}

impl Received {
    fn read_report_blocks(&mut self, packet: &[u8], first_word: usize, count: u8, our_ssrc: u32) {
        for block in 0..usize::from(count) {
            let at = first_word + 6 * block;
            let words = (word(packet, at), word(packet, at + 1), word(packet, at + 2), word(packet, at + 3));
            let (Some(ssrc), Some(loss), Some(highest), Some(jitter)) = words else { return };
            if ssrc == our_ssrc {
                let cumulative_lost = ((loss << 8) as i32) >> 8;
                let fraction_lost = (loss >> 24) as u8;
                self.our_block = Some(Report { ssrc, fraction_lost, cumulative_lost, highest, jitter });
            }
        }
    }
}

fn word(packet: &[u8], index: usize) -> Option<u32> {
    let (bytes, _) = packet.get(index * 4..)?.split_first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

fn hex(value: u32) -> [u8; 8] {
    let mut digits = [0; 8];
    for (n, digit) in digits.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(value >> (28 - 4 * n)) as usize & 0xF];
    }
    digits
}

struct Writer<'a> {
    target: &'a mut [u8],
    length: usize,
    overflow: bool,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        match self.target.get_mut(self.length..self.length + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            None => self.overflow = true,
        }
    }

    fn word(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// `words` is the number of 32-bit words after this one.
    fn header(&mut self, count: u8, kind: u8, words: u16) {
        let [high, low] = words.to_be_bytes();
        self.bytes(&[0x80 | count, kind, high, low]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const REPORT: Report =
        Report { ssrc: 0x2222, fraction_lost: 25, cumulative_lost: -3, highest: 0x1_0005, jitter: 80 };

    #[test]
    fn a_compound_report_reads_back_at_the_other_end() {
        let mut bytes = [0; MAX_BYTES];
        let sent = SenderInfo { ntp: ntp(1_700_000_000_500_000), timestamp: 5, packets: 6, octets: 7 };
        let last = LastSenderReport { ntp_middle: 8, delay: 9 };
        let length = write(&mut bytes, 0x1111, Some(sent), Some((REPORT, last)), true);
        assert_eq!(length % 4, 0);
        let received = parse(&bytes[..length], 0x2222).unwrap();
        assert_eq!(received.our_block, Some(REPORT));
        assert!(received.bye);
        assert_eq!(received.sender_ntp_middle, Some((sent.ntp >> 16) as u32));
        assert_eq!(parse(&bytes[..length], 0x3333).unwrap().our_block, None);
    }

    #[test]
    fn without_sending_it_is_a_receiver_report_and_always_carries_a_cname() {
        let mut bytes = [0; MAX_BYTES];
        let length = write(&mut bytes, 0xABCD_EF01, None, None, false);
        assert_eq!(bytes[1], RECEIVER_REPORT);
        assert_eq!(length, 8 + 20);
        assert_eq!(&bytes[18..26], b"abcdef01");
        let received = parse(&bytes[..length], 1).unwrap();
        assert_eq!(received, Received::default());
    }

    #[test]
    fn ntp_half_a_second_is_half_of_the_fraction() {
        assert_eq!(ntp(500_000), (2_208_988_800 << 32) | 0x8000_0000);
    }

    #[test]
    fn a_small_buffer_stays_untouched() {
        assert_eq!(write(&mut [0; 20], 1, None, None, true), 0);
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        let seed = 0xC0FFEE_u64;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut whole = [0; MAX_BYTES];
        let sent = SenderInfo { ntp: 1, timestamp: 2, packets: 3, octets: 4 };
        let length = write(&mut whole, 1, Some(sent), Some((REPORT, LastSenderReport::default())), true);
        let mut read = 0;
        for _ in 0..100_000 {
            let mut bytes = whole;
            for _ in 0..random.random_range(1..6) {
                bytes[random.random_range(0..length)] = random.next_u32() as u8;
            }
            let cut = random.random_range(0..=length);
            read += usize::from(parse(&bytes[..cut], 0x2222).is_some());
        }
        assert!(read > 1_000, "seed {seed:#x}: only {read} were readable, so this tests nothing");
    }
}
