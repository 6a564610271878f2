//! Receiver statistics of one stream: sequence with wrap-around, loss and jitter, as in RFC 3550 appendix
//! A. Which source to accept is decided in `latch`.

/// How far ahead a sequence number may jump and still be the same stream (A.1).
const MAX_DROPOUT: u16 = 3_000;
/// How far behind a packet may be and still be merely late (A.1).
const MAX_MISORDER: u16 = 100;

/// Receiver statistics of one leg. A new SSRC, or a jump that two packets confirm, restarts the sequence;
/// earlier losses stay in the total.
#[derive(Clone, Debug, Default)]
pub struct Reception {
    source: Option<Source>,
    /// Losses of earlier sources on this leg.
    lost_before: u64,
}

#[derive(Clone, Debug)]
struct Source {
    ssrc: u32,
    base: u32,
    /// Highest sequence number seen, with its cycles in the upper half (RFC 3550 section 6.4.1).
    highest: u32,
    received: u64,
    /// The sequence number after an out-of-range one: if it comes next, the far end has restarted (A.1).
    restart_at: Option<u16>,
    transit: Option<i32>,
    /// In sixteenths of 1/8,000 s (A.8).
    jitter: u32,
    expected_at_report: u64,
    received_at_report: u64,
}

/// One report block (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    pub ssrc: u32,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Since the start, clamped to 24 bits; negative when duplicates outnumber losses.
    pub cumulative_lost: i32,
    pub highest: u32,
    /// In 1/8,000 s.
    pub jitter: u32,
}

impl Reception {
    /// Counts a packet. `arrival_micros` is on any monotonic clock. Returns false for an out-of-range
    /// sequence number: the packet does not belong to the stream.
    pub fn packet(&mut self, ssrc: u32, sequence: u16, timestamp: u32, arrival_micros: u64) -> bool {
        let belongs = self.event_packet(ssrc, sequence);
        if let Some(source) = self.source.as_mut().filter(|_| belongs) {
            source.update_jitter(timestamp, arrival_micros);
        }
        belongs
    }

    /// As `packet`, without measuring jitter: the timestamp of an RFC 4733 event is not its sending time.
    pub fn event_packet(&mut self, ssrc: u32, sequence: u16) -> bool {
        let lost = self.lost();
        match &mut self.source {
            Some(source) if source.ssrc == ssrc => match source.check_sequence(sequence) {
                SequenceCheck::InRange => {}
                SequenceCheck::OutOfRange => return false,
                SequenceCheck::Restarted => {
                    self.lost_before = lost;
                    self.source = Some(Source::new(ssrc, sequence));
                }
            },
            _ => {
                self.lost_before = lost;
                self.source = Some(Source::new(ssrc, sequence));
            }
        }
        if let Some(source) = &mut self.source {
            source.received += 1;
        }
        true
    }

    /// Lost packets over all sources of this leg. Duplicates can hide a loss, as in A.3.
    pub fn lost(&self) -> u64 {
        let now = self.source.as_ref().map_or(0, |source| source.expected().saturating_sub(source.received));
        self.lost_before + now
    }

    pub fn jitter_micros(&self) -> u32 {
        self.source.as_ref().map_or(0, |source| (source.jitter >> 4) * 125)
    }

    /// The report block for the far end; starts a new reporting interval. `None` before the first packet.
    pub fn report(&mut self) -> Option<Report> {
        let source = self.source.as_mut()?;
        let expected = source.expected();
        let expected_now = expected - source.expected_at_report;
        let received_now = source.received - source.received_at_report;
        source.expected_at_report = expected;
        source.received_at_report = source.received;
        let fraction_lost = match expected_now.checked_sub(received_now) {
            Some(lost) if expected_now > 0 => (lost * 256 / expected_now).min(255) as u8,
            _ => 0,
        };
        let lost = expected as i64 - source.received as i64;
        Some(Report {
            ssrc: source.ssrc,
            fraction_lost,
            cumulative_lost: lost.clamp(-0x80_0000, 0x7F_FFFF) as i32,
            highest: source.highest,
            jitter: source.jitter >> 4,
        })
    }
}

enum SequenceCheck {
    InRange,
    OutOfRange,
    Restarted,
}

impl Source {
    fn new(ssrc: u32, sequence: u16) -> Self {
        let first = u32::from(sequence);
        Source {
            ssrc,
            base: first,
            highest: first,
            received: 0,
            restart_at: None,
            transit: None,
            jitter: 0,
            expected_at_report: 0,
            received_at_report: 0,
        }
    }

    fn expected(&self) -> u64 {
        u64::from(self.highest.wrapping_sub(self.base)) + 1
    }

    fn check_sequence(&mut self, sequence: u16) -> SequenceCheck {
        let ahead = sequence.wrapping_sub(self.highest as u16);
        if ahead < MAX_DROPOUT {
            self.highest = self.highest.wrapping_add(u32::from(ahead));
            self.restart_at = None;
            return SequenceCheck::InRange;
        }
        if ahead > u16::MAX - MAX_MISORDER {
            return SequenceCheck::InRange;
        }
        if self.restart_at == Some(sequence) {
            return SequenceCheck::Restarted;
        }
        self.restart_at = Some(sequence.wrapping_add(1));
        SequenceCheck::OutOfRange
    }

    fn update_jitter(&mut self, timestamp: u32, arrival_micros: u64) {
        let arrival = (arrival_micros / 125) as u32;
        let transit = arrival.wrapping_sub(timestamp) as i32;
        if let Some(before) = self.transit {
            let d = transit.wrapping_sub(before).unsigned_abs();
            // A timestamp jump (a new talkspurt after a gap) is not jitter.
            if d < 8_000 {
                self.jitter = self.jitter + d - ((self.jitter + 8) >> 4);
            }
        }
        self.transit = Some(transit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(reception: &mut Reception, sequences: impl IntoIterator<Item = u16>) {
        for (n, sequence) in sequences.into_iter().enumerate() {
            reception.packet(1, sequence, n as u32 * 160, n as u64 * 20_000);
        }
    }

    #[test]
    fn loss_is_counted_over_the_wrap_of_the_sequence() {
        let mut reception = Reception::default();
        feed(&mut reception, (0..1_000u16).filter(|n| n % 10 != 3).map(|n| 65_000u16.wrapping_add(n)));
        assert_eq!(reception.lost(), 100);
        let report = reception.report().unwrap();
        assert_eq!(report.cumulative_lost, 100);
        assert_eq!(report.fraction_lost, 25, "a tenth of 256");
        assert_eq!(report.highest, 65_000 + 999);
    }

    #[test]
    fn late_packets_are_not_counted_as_lost() {
        let mut reception = Reception::default();
        feed(&mut reception, [10, 12, 11, 14, 13, 15]);
        assert_eq!(reception.lost(), 0);
    }

    #[test]
    fn duplicates_never_make_the_loss_negative() {
        let mut reception = Reception::default();
        feed(&mut reception, [1, 1, 1, 2, 2, 2]);
        assert_eq!(reception.lost(), 0);
        let report = reception.report().unwrap();
        assert_eq!((report.fraction_lost, report.cumulative_lost), (0, -4));
    }

    #[test]
    fn one_out_of_range_number_is_refused_and_two_in_a_row_restart() {
        let mut reception = Reception::default();
        feed(&mut reception, 1..=50);
        assert!(!reception.packet(1, 30_000, 0, 0));
        assert!(reception.packet(1, 51, 0, 0));
        assert!(!reception.packet(1, 40_000, 0, 0));
        assert!(reception.packet(1, 40_001, 0, 0));
        assert_eq!(reception.lost(), 0);
    }

    #[test]
    fn a_new_ssrc_starts_anew_and_keeps_what_was_lost() {
        let mut reception = Reception::default();
        feed(&mut reception, [1, 2, 5]);
        assert!(reception.packet(2, 60_000, 0, 0));
        assert!(reception.packet(2, 60_002, 160, 20_000));
        assert_eq!(reception.lost(), 3);
    }

    #[test]
    fn steady_packets_have_no_jitter_and_a_swing_of_ten_milliseconds_shows() {
        let mut steady = Reception::default();
        feed(&mut steady, 0..100);
        assert_eq!(steady.jitter_micros(), 0);
        let mut swinging = Reception::default();
        for n in 0..500u64 {
            let late = if n % 2 == 0 { 0 } else { 10_000 };
            swinging.packet(1, n as u16, n as u32 * 160, n * 20_000 + late);
        }
        let jitter = swinging.jitter_micros();
        assert!((9_000..=10_500).contains(&jitter), "{jitter}");
    }
}
