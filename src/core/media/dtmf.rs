//! DTMF digits as RTP telephone events (RFC 4733): a sender that steps once per 20 ms, and a receiver
//! that reports each digit once although its packets may be lost, duplicated or late.

use super::rtp::Packet;
use crate::call::Digit;
use std::collections::VecDeque;

/// Bytes of one event payload (RFC 4733 section 2.3).
pub const EVENT_BYTES: usize = 4;
/// One step of the sender, in 1/8,000 s.
const STEP: u16 = 160;
/// 100 ms of tone, then a pause of 100 ms before the next digit.
const TONE_STEPS: u16 = 5;
const PAUSE_STEPS: u16 = 5;
/// The end packet is sent three times (section 2.5.1.4).
const END_PACKETS: u16 = 3;
/// -10 dBm0.
const VOLUME: u8 = 10;
/// A digit is reported once it has lasted this long, in 1/8,000 s, even if its end never arrives.
const MIN_DURATION: u16 = 320;
/// A digit without an end is reported after this long without a packet.
const LOST_END_MICROS: u64 = 100_000;
/// Longest queue of digits; the rest is dropped.
const MAX_QUEUED: usize = 256;

/// What to send in this 20 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// No digit is being sent: send audio.
    Audio,
    /// Send an event packet instead of audio. `timestamp` is the start of the digit.
    Event { payload: [u8; EVENT_BYTES], marker: bool, timestamp: u32 },
}

/// Sends queued digits one after the other. Audio stops during a digit and may be sent in the pauses.
#[derive(Clone, Debug, Default)]
pub struct DigitSender {
    queue: VecDeque<Digit>,
    /// The digit being sent, its first timestamp and the steps done.
    current: Option<(Digit, u32, u16)>,
    pause: u16,
}

impl DigitSender {
    pub fn push(&mut self, digits: impl IntoIterator<Item = Digit>) {
        let room = MAX_QUEUED.saturating_sub(self.queue.len());
        self.queue.extend(digits.into_iter().take(room));
    }

    pub fn is_idle(&self) -> bool {
        self.current.is_none() && self.queue.is_empty()
    }

    /// One step of 20 ms; `timestamp` is the stream's clock now.
    pub fn step(&mut self, timestamp: u32) -> Step {
        if self.current.is_none() {
            if self.pause > 0 {
                self.pause -= 1;
                return Step::Audio;
            }
            match self.queue.pop_front() {
                Some(digit) => self.current = Some((digit, timestamp, 0)),
                None => return Step::Audio,
            }
        }
        let Some((digit, began, steps)) = self.current else { return Step::Audio };
        let ended = steps + 1 >= TONE_STEPS;
        let duration = STEP * (steps + 1).min(TONE_STEPS);
        let [high, low] = duration.to_be_bytes();
        let payload = [digit.event(), (u8::from(ended) << 7) | VOLUME, high, low];
        if steps + 1 == TONE_STEPS + END_PACKETS - 1 {
            self.current = None;
            self.pause = PAUSE_STEPS;
        } else {
            self.current = Some((digit, began, steps + 1));
        }
        Step::Event { payload, marker: steps == 0, timestamp: began }
    }
}

/// Shortest pause between two presses that separates them from one press (ITU-T Q.24), in 1/8,000 s.
const MIN_PAUSE: u32 = 320;
/// Clock and sequence steps between the packets of one press: 20 ms, or up to this many packets later after loss.
const STEP_UNITS: u32 = STEP as u32;
const MAX_LOST_IN_PRESS: u16 = 4;
/// Repeated ends follow the first one within this time or this many packets; the end of a next press cannot.
const REPEATED_END_MICROS: u64 = 70_000;
const REPEATED_END_PACKETS: u16 = 3;
/// A packet with the marker bit this soon after one of the same press is no new press: some senders mark all packets.
const MARKED_STEP_MICROS: u64 = 50_000;
const MARKED_STEP_PACKETS: u16 = 2;
/// A press whose duration and clock grow alike goes on after a gap of at most this.
const GROWTH_MICROS: u64 = 300_000;
/// A press that comes this long after the end of one with the same timestamp is a new one: some senders never
/// advance the timestamp.
const FROZEN_CLOCK_MICROS: u64 = 100_000;
/// A sequence number at most this far behind is a late packet.
const MAX_LATE: u16 = 64;
/// Presses remembered to recognise late packets.
const KEPT_PRESSES: usize = 8;

/// Receives digits. One per leg; survives a change of the RTP source.
///
/// RFC 4733 gives all packets of a press one timestamp. Gateways also send each packet, or each repeated end, with a
/// new one, so a press is known by event, sequence, duration and time together: see `Press::continues_with`.
#[derive(Clone, Debug, Default)]
pub struct DigitReceiver {
    current: Option<Press>,
    /// Earlier presses, newest last.
    earlier: VecDeque<Press>,
    /// The sender sets the marker bit in all packets, so it says nothing.
    marks_all: bool,
}

/// The event packets of one press as far as they have come.
#[derive(Clone, Copy, Debug)]
struct Press {
    ssrc: u32,
    digit: Digit,
    /// RTP timestamps of its first and last packet; equal if the sender follows RFC 4733.
    first_timestamp: u32,
    last_timestamp: u32,
    first_sequence: u16,
    last_sequence: u16,
    duration: u16,
    /// Sequence number and arrival of the first packet with the end bit.
    ended: Option<(u16, u64)>,
    is_reported: bool,
    last_micros: u64,
}

/// One event packet.
#[derive(Clone, Copy, Debug)]
struct Event {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    marker: bool,
    digit: Digit,
    duration: u16,
    is_end: bool,
    at: u64,
}

impl DigitReceiver {
    /// Handles one event packet. Returns at most two digits: one whose end was lost, and this one.
    pub fn packet(&mut self, packet: &Packet<'_>, now_micros: u64) -> [Option<Digit>; 2] {
        let Some(mut event) = Event::read(packet, now_micros) else { return [None, None] };
        event.marker &= !self.marks_all;
        let is_current =
            self.current.as_ref().is_some_and(|press| press.spans(&event) && press.continues_with(&event));
        if !is_current && self.is_late(&event) {
            return [None, None];
        }
        let mut unfinished = None;
        match &mut self.current {
            Some(press) if press.continues_with(&event) => {
                self.marks_all |= event.marker && event.sequence.wrapping_sub(press.last_sequence) == 1;
                press.take(&event);
            }
            current => {
                if let Some(mut press) = current.replace(Press::new(&event)) {
                    unfinished = press.report();
                    if self.earlier.len() == KEPT_PRESSES {
                        self.earlier.pop_front();
                    }
                    self.earlier.push_back(press);
                }
            }
        }
        let known = self.current.as_mut().filter(|press| press.ended.is_some() || press.lasts_long_enough());
        [unfinished, known.and_then(Press::report)]
    }

    /// A late or repeated packet of an earlier press.
    fn is_late(&self, event: &Event) -> bool {
        let behind =
            self.current.as_ref().filter(|press| press.ssrc == event.ssrc).is_some_and(|press| {
                (1..=MAX_LATE).contains(&press.first_sequence.wrapping_sub(event.sequence))
            });
        self.earlier
            .iter()
            .rev()
            .any(|press| press.owns_late(event) || (behind && press.continues_with(event)))
    }

    /// Reports a digit whose end was lost, once its timeout has passed.
    pub fn expire(&mut self, now_micros: u64) -> Option<Digit> {
        self.current.as_mut().filter(|press| now_micros >= press.last_micros + LOST_END_MICROS)?.report()
    }

    /// The digit that is being pressed now, as far as its packets tell.
    pub fn pressed(&self, now_micros: u64) -> Option<Digit> {
        let press = self.current.as_ref().filter(|press| press.ended.is_none())?;
        (now_micros < press.last_micros + LOST_END_MICROS).then_some(press.digit)
    }
}

impl Event {
    fn read(packet: &Packet<'_>, at: u64) -> Option<Event> {
        let (&[event, flags, high, low], _) = packet.payload.split_first_chunk()?;
        let Packet { ssrc, sequence, timestamp, marker, .. } = *packet;
        let (digit, duration) = (Digit::from_event(event)?, u16::from_be_bytes([high, low]));
        Some(Event { ssrc, sequence, timestamp, marker, digit, duration, is_end: flags & 0x80 != 0, at })
    }
}

impl Press {
    fn new(event: &Event) -> Press {
        Press {
            ssrc: event.ssrc,
            digit: event.digit,
            first_timestamp: event.timestamp,
            last_timestamp: event.timestamp,
            first_sequence: event.sequence,
            last_sequence: event.sequence,
            duration: event.duration,
            ended: event.is_end.then_some((event.sequence, event.at)),
            is_reported: false,
            last_micros: event.at,
        }
    }

    fn take(&mut self, event: &Event) {
        if event.ssrc != self.ssrc {
            (self.ssrc, self.first_timestamp, self.last_timestamp) =
                (event.ssrc, event.timestamp, event.timestamp);
            self.last_sequence = event.sequence;
        }
        if is_before(event.timestamp, self.first_timestamp) {
            self.first_timestamp = event.timestamp;
        }
        if is_before(self.last_timestamp, event.timestamp) {
            // A press of more than 8 s goes on in a new segment, whose duration begins anew (section 2.5.1.3).
            if self.duration == u16::MAX {
                self.first_timestamp = event.timestamp;
                self.duration = 0;
            }
            self.last_timestamp = event.timestamp;
        }
        if event.sequence.wrapping_sub(self.last_sequence) <= u16::MAX / 2 {
            self.last_sequence = event.sequence;
        }
        self.duration = self.duration.max(event.duration);
        if event.is_end && self.ended.is_none() {
            self.ended = Some((event.sequence, event.at));
        }
        self.last_micros = self.last_micros.max(event.at);
    }

    /// When the press was over at the earliest, by the sender's clock. While the timestamps run, the last of them is
    /// the newer fact.
    fn over(&self) -> u32 {
        let by_duration = self.first_timestamp.wrapping_add(u32::from(self.duration));
        let by_clock = self.last_timestamp.wrapping_add(STEP_UNITS);
        if self.first_timestamp == self.last_timestamp || is_before(by_clock, by_duration) {
            by_duration
        } else {
            by_clock
        }
    }

    fn lasts_long_enough(&self) -> bool {
        self.over().wrapping_sub(self.first_timestamp) >= u32::from(MIN_DURATION)
    }

    fn spans(&self, event: &Event) -> bool {
        let behind = event.timestamp.wrapping_sub(self.first_timestamp);
        let length = self.last_timestamp.wrapping_sub(self.first_timestamp);
        event.ssrc == self.ssrc && event.digit == self.digit && behind <= length
    }

    /// A late or repeated packet of an earlier press.
    fn owns_late(&self, event: &Event) -> bool {
        self.spans(event) && !self.begins_with_frozen_clock(event)
    }

    /// The sender never advances its timestamps, and this packet begins a press after this one.
    fn begins_with_frozen_clock(&self, event: &Event) -> bool {
        let ahead = event.sequence.wrapping_sub(self.last_sequence);
        let begins = !event.is_end && (event.marker || event.duration < self.duration);
        let rested = event.at >= self.last_micros.saturating_add(FROZEN_CLOCK_MICROS);
        (1..=u16::MAX / 2).contains(&ahead) && begins && rested
    }

    /// Whether this packet belongs to this press. A new press of the same key comes at least 40 ms after the end of
    /// the one before; it begins with a shorter duration, usually with the marker bit.
    fn continues_with(&self, event: &Event) -> bool {
        if event.digit != self.digit {
            return false;
        }
        let rested = event.at.saturating_sub(self.last_micros);
        let grows = event.duration >= self.duration || self.duration == u16::MAX;
        if event.ssrc != self.ssrc {
            return grows && !event.marker && rested <= MARKED_STEP_MICROS;
        }
        if self.spans(event) {
            return !self.begins_with_frozen_clock(event);
        }
        let ahead = event.sequence.wrapping_sub(self.last_sequence);
        if ahead == 0 || ahead > u16::MAX - MAX_LATE {
            // Late. Of a press of which nothing else has come, it is over before this one begins.
            let over = event.timestamp.wrapping_add(u32::from(event.duration)).wrapping_add(MIN_PAUSE);
            return is_before(self.first_timestamp, over);
        }
        let advance = event.timestamp.wrapping_sub(self.last_timestamp);
        let pause = event.timestamp.wrapping_sub(self.over()) as i32;
        let begins_too_early = (advance as i32) > 0 && pause < MIN_PAUSE as i32;
        if let Some((end_sequence, end_micros)) = self.ended {
            // After an end only its repetitions belong to the press.
            let repeated = event.sequence.wrapping_sub(end_sequence) <= REPEATED_END_PACKETS
                || event.at.saturating_sub(end_micros) <= REPEATED_END_MICROS;
            return event.is_end && (begins_too_early || (repeated && grows && !event.marker));
        }
        if event.marker {
            return grows && ahead <= MARKED_STEP_PACKETS && rested <= MARKED_STEP_MICROS;
        }
        let growth = u32::from(event.duration.saturating_sub(self.duration));
        let grows_with_clock =
            growth > 0 && advance.abs_diff(growth) <= STEP_UNITS && rested <= GROWTH_MICROS;
        // An end that carries the clock of the press's end instead of its beginning.
        let since_first = event.timestamp.wrapping_sub(self.first_timestamp);
        let ends_with_clock = event.is_end
            && since_first.wrapping_sub(u32::from(event.duration)) <= MIN_PAUSE
            && rested <= GROWTH_MICROS;
        grows && (begins_too_early || ahead <= MAX_LOST_IN_PRESS || grows_with_clock || ends_with_clock)
    }

    fn report(&mut self) -> Option<Digit> {
        (!std::mem::replace(&mut self.is_reported, true)).then_some(self.digit)
    }
}

/// RTP timestamps wrap around.
fn is_before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn digits(keys: &str) -> Vec<Digit> {
        keys.chars().map(|key| Digit::from_char(key).unwrap()).collect()
    }

    /// All event packets of these keys: (sequence, timestamp, marker, payload). Audio takes the other numbers.
    fn packets(keys: &str) -> Vec<(u16, u32, bool, [u8; 4])> {
        let mut sender = DigitSender::default();
        sender.push(digits(keys));
        let mut sent = Vec::new();
        for n in 0..2_000u16 {
            if let Step::Event { payload, marker, timestamp } = sender.step(u32::from(n) * 160) {
                sent.push((n, timestamp, marker, payload));
            }
        }
        assert!(sender.is_idle());
        sent
    }

    fn give(
        receiver: &mut DigitReceiver,
        (sequence, timestamp, marker, payload): (u16, u32, bool, [u8; 4]),
        now: u64,
    ) -> Vec<Digit> {
        let packet = Packet { payload_type: 101, marker, sequence, timestamp, ssrc: 7, payload: &payload };
        receiver.packet(&packet, now).into_iter().flatten().collect()
    }

    /// Digits received when only the packets that `keep` accepts arrive.
    fn heard(keys: &str, keep: impl Fn(usize) -> bool) -> String {
        let mut receiver = DigitReceiver::default();
        let mut heard = Vec::new();
        let mut now = 0;
        for (n, packet) in packets(keys).into_iter().enumerate() {
            now = u64::from(packet.0) * 20_000;
            if keep(n) {
                heard.extend(give(&mut receiver, packet, now));
            }
            heard.extend(receiver.expire(now));
        }
        heard.extend(receiver.expire(now + LOST_END_MICROS));
        heard.into_iter().map(Digit::as_char).collect()
    }

    #[test]
    fn a_digit_has_one_timestamp_one_marker_and_three_end_packets() {
        let sent = packets("5");
        assert_eq!(sent.len(), 7);
        assert!(sent.iter().all(|packet| packet.1 == sent[0].1));
        assert_eq!(sent.iter().filter(|packet| packet.2).count(), 1);
        assert!(sent[0].2);
        let durations: Vec<u16> = sent.iter().map(|p| u16::from_be_bytes([p.3[2], p.3[3]])).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
        let ends: Vec<bool> = sent.iter().map(|p| p.3[1] & 0x80 != 0).collect();
        assert_eq!(ends, [false, false, false, false, true, true, true]);
    }

    #[test]
    fn every_digit_is_reported_once() {
        assert_eq!(heard("0123456789*#ABCD", |_| true), "0123456789*#ABCD");
        assert_eq!(heard("11", |_| true), "11");
    }

    #[test]
    fn any_single_packet_of_a_digit_is_enough() {
        for kept in 0..7 {
            assert_eq!(heard("77", |n| n % 7 == kept), "77", "only packet {kept} of each key");
        }
    }

    #[test]
    fn duplicate_and_late_packets_add_no_digits() {
        let mut receiver = DigitReceiver::default();
        let mut heard = Vec::new();
        let sent = packets("12");
        let late = sent[..7].iter().chain(&sent[..9]).chain(&sent[4..7]).chain(&sent[7..]).chain(&sent);
        for (n, packet) in late.enumerate() {
            let now = n as u64 * 20_000;
            heard.extend(give(&mut receiver, *packet, now));
            heard.extend(receiver.expire(now));
        }
        heard.extend(receiver.expire(10_000_000));
        assert_eq!(heard, digits("12"));
    }

    #[test]
    fn a_press_longer_than_eight_seconds_is_one_digit() {
        let mut receiver = DigitReceiver::default();
        let mut heard = give(&mut receiver, (1, 1_000, true, [1, 10, 0xFF, 0xFF]), 0);
        for (n, [flags, high]) in [(2u16, [10, 1]), (3, [10, 1]), (4, [0x8A, 2])] {
            let packet = (n, 1_000 + 65_535, false, [1, flags, high, 0]);
            heard.extend(give(&mut receiver, packet, u64::from(n) * 20_000));
        }
        heard.extend(receiver.expire(10_000_000));
        assert_eq!(heard, digits("1"));
    }

    #[test]
    fn non_digit_events_are_ignored() {
        let mut receiver = DigitReceiver::default();
        for payload in [&[][..], &[1, 0x80, 0], &[16, 0x80, 3, 0]] {
            let packet =
                Packet { payload_type: 101, marker: true, sequence: 1, timestamp: 0, ssrc: 7, payload };
            assert_eq!(receiver.packet(&packet, 0), [None, None], "flash is not a key");
        }
        assert_eq!(receiver.expire(10_000_000), None);
    }

    #[test]
    fn audio_is_sent_in_the_pause_between_two_digits() {
        let mut sender = DigitSender::default();
        sender.push(digits("12"));
        let steps: String =
            (0..25).map(|n| if sender.step(n * 160) == Step::Audio { '.' } else { 'x' }).collect();
        assert_eq!(steps, "xxxxxxx.....xxxxxxx......");
    }

    /// Sequence, timestamp, marker and payload of an event packet.
    type Sent = (u16, u32, bool, [u8; 4]);

    /// How senders number the packets of one press.
    #[derive(Clone, Copy, Debug)]
    enum Style {
        /// RFC 4733.
        OneTimestamp,
        /// Each packet has a new timestamp, the duration grows.
        Running,
        /// The same, and each has the marker bit.
        RunningAllMarked,
        /// Each packet has a new timestamp and the duration of one packet.
        RunningSameDuration,
        /// The repeated ends have new timestamps.
        RunningEnds,
        /// Each packet is a complete event of its own, with the end bit.
        CompletePackets,
        /// All packets of all presses have the same timestamp.
        Frozen,
    }

    /// Event packets with their sending times and the index of their press. Pauses down to the shortest of Q.24.
    fn send(style: Style, keys: &[Digit], random: &mut ChaCha8Rng) -> Vec<(u64, usize, Sent)> {
        let all_marked = matches!(style, Style::RunningAllMarked);
        // Without end, marker and growing duration nothing tells a short pause from two lost packets.
        let may_omit = !matches!(style, Style::RunningSameDuration);
        let (no_ends, no_marker) = (may_omit && random.random_bool(0.2), may_omit && random.random_bool(0.2));
        let audio_in_pause = random.random_bool(0.7);
        let (mut sequence, mut clock): (u16, u32) = (random.random(), random.random());
        let frozen = clock;
        let mut sent = Vec::new();
        let mut at = 1_000_000u64;
        for (press, key) in keys.iter().enumerate() {
            let steps: u16 = random.random_range(3..20);
            let ends = if no_ends { 0 } else { 3 };
            let began = clock;
            for n in 0..steps + ends {
                let is_end = n >= steps || matches!(style, Style::CompletePackets);
                let timestamp = match style {
                    Style::OneTimestamp => began,
                    Style::Running
                    | Style::RunningAllMarked
                    | Style::RunningSameDuration
                    | Style::CompletePackets => clock,
                    Style::RunningEnds if n > steps => clock,
                    Style::RunningEnds => began,
                    Style::Frozen => frozen,
                };
                let duration = match style {
                    Style::RunningSameDuration | Style::CompletePackets => STEP,
                    _ => STEP * (n + 1).min(steps),
                };
                let [high, low] = duration.to_be_bytes();
                let payload = [key.event(), (u8::from(is_end) << 7) | VOLUME, high, low];
                let marker = all_marked || (n == 0 && !no_marker);
                sent.push((at, press, (sequence, timestamp, marker, payload)));
                sequence = sequence.wrapping_add(1);
                at += 20_000;
                clock = clock.wrapping_add(160);
            }
            let least = if matches!(style, Style::Frozen) { 8 } else { 2 };
            for _ in 0..random.random_range(least..12) {
                sequence = sequence.wrapping_add(u16::from(audio_in_pause));
                at += 20_000;
                clock = clock.wrapping_add(160);
            }
        }
        sent
    }

    /// The pressed keys are the truth, whatever the sender's style and whatever the network does to the packets.
    #[test]
    fn one_press_is_one_key_in_any_style_and_on_any_network() {
        let styles = [
            (Style::OneTimestamp, 0.3),
            (Style::Running, 0.1),
            (Style::RunningAllMarked, 0.0),
            (Style::RunningSameDuration, 0.03),
            (Style::RunningEnds, 0.1),
            (Style::CompletePackets, 0.0),
            (Style::Frozen, 0.0),
        ];
        for seed in 0..6_000u64 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let (style, loss) = styles[random.random_range(0..styles.len())];
            let keys: Vec<Digit> = (0..random.random_range(1..8))
                .filter_map(|_| Digit::from_event(random.random_range(0..3)))
                .collect();
            let mut arrived = Vec::new();
            for (at, press, packet) in send(style, &keys, &mut random) {
                if random.random_bool(loss) {
                    continue;
                }
                let delay = if random.random_bool(0.05) { 25_000 } else { random.random_range(0..5_000) };
                arrived.push((at + delay, press, packet));
                if random.random_bool(0.05) {
                    arrived.push((at + delay + random.random_range(0..60_000), press, packet));
                }
            }
            arrived.sort_by_key(|packet| packet.0);
            let mut pressed: Vec<usize> = arrived.iter().map(|packet| packet.1).collect();
            pressed.sort_unstable();
            pressed.dedup();
            let wanted: String = pressed.iter().map(|&press| keys[press].as_char()).collect();
            let mut receiver = DigitReceiver::default();
            let mut heard = Vec::new();
            for (at, _, packet) in &arrived {
                heard.extend(receiver.expire(*at));
                heard.extend(give(&mut receiver, *packet, *at));
            }
            heard.extend(receiver.expire(u64::MAX / 2));
            let heard: String = heard.into_iter().map(Digit::as_char).collect();
            assert_eq!(heard, wanted, "seed {seed}, {style:?}: {arrived:?}");
        }
    }
}
