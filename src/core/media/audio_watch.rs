//! Notices when a far end that should send stops sending audio, and when it sends again. Time is an argument, so
//! a dead phone can be judged in virtual time.

/// The far end should send a packet every 20 ms; after this long without one its audio has stopped.
pub const STOPPED_MICROS: u64 = 2_000_000;
/// The same for a far end that sends nothing while its user is silent (comfort noise, RFC 3389, or gaps without
/// lost packets).
pub const STOPPED_WITH_SUPPRESSION_MICROS: u64 = 10_000_000;

/// What is reported about the audio of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioChange {
    /// No audio for the span. `rtcp`: the far end has sent RTCP after its last audio packet, as phones do that send
    /// no audio while muted; reported again with `true` when the first RTCP packet comes later.
    Stopped {
        rtcp: bool,
    },
    Resumed,
}

/// Watches the received packets of one leg.
#[derive(Clone, Debug)]
pub struct AudioWatch {
    /// The last audio packet, or the moment from which audio is expected.
    since_micros: u64,
    /// SSRC and sequence number of the last packet.
    last: Option<(u32, u16)>,
    has_stopped: bool,
    has_rtcp: bool,
    reported_rtcp: bool,
    suppresses_silence: bool,
}

impl AudioWatch {
    pub fn new(now_micros: u64) -> Self {
        AudioWatch {
            since_micros: now_micros,
            last: None,
            has_stopped: false,
            has_rtcp: false,
            reported_rtcp: false,
            suppresses_silence: false,
        }
    }

    /// The leg was connected or taken off hold: audio is expected from now on.
    pub fn restart(&mut self, now_micros: u64) {
        self.since_micros = now_micros;
        self.last = None;
    }

    /// A packet of the latched source arrived: audio, a key or comfort noise.
    pub fn packet(
        &mut self,
        ssrc: u32,
        sequence: u16,
        is_comfort_noise: bool,
        now_micros: u64,
    ) -> Option<AudioChange> {
        let gap = now_micros.saturating_sub(self.since_micros);
        // Nothing was lost in the gap, so the far end sent nothing: silence suppression, or mute.
        let nothing_lost = self.last.is_some_and(|(last_ssrc, last_sequence)| {
            ssrc == last_ssrc && sequence.wrapping_sub(last_sequence) == 1 && gap >= STOPPED_MICROS
        });
        self.suppresses_silence |= is_comfort_noise || nothing_lost;
        self.since_micros = now_micros;
        self.last = Some((ssrc, sequence));
        (self.has_rtcp, self.reported_rtcp) = (false, false);
        std::mem::take(&mut self.has_stopped).then_some(AudioChange::Resumed)
    }

    /// RTCP of the far end arrived.
    pub fn rtcp(&mut self, arrived_micros: u64) {
        self.has_rtcp |= arrived_micros > self.since_micros;
    }

    pub fn has_stopped(&self) -> bool {
        self.has_stopped
    }

    /// To be called often. `expects`: the far end should send (not on hold, not `recvonly`).
    pub fn check(&mut self, expects: bool, now_micros: u64) -> Option<AudioChange> {
        if !expects {
            self.restart(now_micros);
            return None;
        }
        let span = if self.suppresses_silence { STOPPED_WITH_SUPPRESSION_MICROS } else { STOPPED_MICROS };
        let first = !self.has_stopped && now_micros.saturating_sub(self.since_micros) >= span;
        let with_rtcp = self.has_stopped && self.has_rtcp && !self.reported_rtcp;
        if !first && !with_rtcp {
            return None;
        }
        self.has_stopped = true;
        self.reported_rtcp = self.has_rtcp;
        Some(AudioChange::Stopped { rtcp: self.has_rtcp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000;

    /// A packet every 20 ms from `from` to `until`, checked every 20 ms; returns the reports with their times in ms.
    fn run(watch: &mut AudioWatch, until_ms: u64, sends: impl Fn(u64) -> bool) -> Vec<(u64, AudioChange)> {
        let mut sequence = 0u16;
        let mut reports = Vec::new();
        for now in (0..until_ms).step_by(20) {
            if sends(now) {
                sequence = sequence.wrapping_add(1);
                reports.extend(watch.packet(7, sequence, false, now * MS).map(|change| (now, change)));
            }
            reports.extend(watch.check(true, now * MS).map(|change| (now, change)));
        }
        reports
    }

    #[test]
    fn a_dead_phone_is_reported_once_after_two_seconds() {
        let mut watch = AudioWatch::new(0);
        let reports = run(&mut watch, 60_000, |now| now < 10_000);
        assert_eq!(reports, [(11_980, AudioChange::Stopped { rtcp: false })]);
    }

    #[test]
    fn a_phone_that_never_sends_is_reported_too() {
        assert_eq!(
            run(&mut AudioWatch::new(0), 5_000, |_| false),
            [(2_000, AudioChange::Stopped { rtcp: false })]
        );
    }

    #[test]
    fn gaps_shorter_than_two_seconds_are_not_reported() {
        let mut watch = AudioWatch::new(0);
        assert_eq!(run(&mut watch, 30_000, |now| now % 2_000 < 200), []);
    }

    #[test]
    fn a_far_end_that_suppresses_silence_is_given_more_time_after_its_first_gap() {
        let mut watch = AudioWatch::new(0);
        let reports = run(&mut watch, 60_000, |now| now < 1_000 || now % 6_000 < 100);
        let stopped = reports.iter().filter(|(_, change)| *change != AudioChange::Resumed).count();
        assert_eq!((stopped, reports.len()), (1, 2), "{reports:?}");
        let mut noise = AudioWatch::new(0);
        noise.packet(7, 1, true, 0);
        assert_eq!(noise.check(true, 9_000 * MS), None);
        assert_eq!(noise.check(true, 10_000 * MS), Some(AudioChange::Stopped { rtcp: false }));
    }

    #[test]
    fn rtcp_after_the_last_packet_is_a_fact_of_its_own() {
        let mut watch = AudioWatch::new(0);
        watch.packet(7, 1, false, 0);
        watch.rtcp(0);
        assert_eq!(
            watch.check(true, 2_000 * MS),
            Some(AudioChange::Stopped { rtcp: false }),
            "it came before"
        );
        watch.rtcp(4_000 * MS);
        assert_eq!(watch.check(true, 4_001 * MS), Some(AudioChange::Stopped { rtcp: true }));
        assert_eq!(watch.check(true, 9_001 * MS), None);
        assert_eq!(watch.packet(7, 200, false, 10_000 * MS), Some(AudioChange::Resumed));
        assert_eq!(watch.check(true, 12_000 * MS), Some(AudioChange::Stopped { rtcp: false }));
    }

    #[test]
    fn hold_is_no_silence_and_the_span_begins_anew_after_it() {
        let mut watch = AudioWatch::new(0);
        for now in 0..1_000 {
            assert_eq!(watch.check(false, now * 20 * MS), None);
        }
        assert_eq!(watch.check(true, 21_000 * MS), None);
        assert!(watch.check(true, 22_000 * MS).is_some());
    }
}
