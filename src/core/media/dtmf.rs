//! DTMF digits as RTP telephone events (RFC 4733): a sender that steps once per 20 ms, and a receiver
//! that reports each digit once although its packets may be lost, duplicated or late.

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

/// Receives digits. One per leg; survives a change of the RTP source.
#[derive(Clone, Debug, Default)]
pub struct DigitReceiver {
    pending: Option<Pending>,
    /// (SSRC, timestamp) of reported digits, newest last, to recognise late and repeated ends.
    reported: VecDeque<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    ssrc: u32,
    timestamp: u32,
    digit: Digit,
    duration: u16,
    reported: bool,
    last_micros: u64,
}

impl DigitReceiver {
    /// Handles one event packet. Returns at most two digits: one whose end was lost, and this one.
    pub fn packet(
        &mut self,
        ssrc: u32,
        timestamp: u32,
        payload: &[u8],
        now_micros: u64,
    ) -> [Option<Digit>; 2] {
        let Some((&[event, flags, high, low], _)) = payload.split_first_chunk() else { return [None, None] };
        let Some(digit) = Digit::from_event(event) else { return [None, None] };
        let duration = u16::from_be_bytes([high, low]);
        let ended = flags & 0x80 != 0;
        if self.reported.contains(&(ssrc, timestamp)) {
            self.refresh_pending(ssrc, timestamp, duration, now_micros);
            return [None, None];
        }
        let mut unfinished = None;
        match &mut self.pending {
            Some(pending) if pending.ssrc == ssrc && pending.timestamp == timestamp => {
                pending.duration = pending.duration.max(duration);
                pending.last_micros = now_micros;
            }
            Some(pending) if pending.continues_as(ssrc, timestamp, digit) => {
                // A long press continues in a new segment (section 2.5.1.3): still one digit.
                *pending = Pending { timestamp, duration, last_micros: now_micros, ..*pending };
                self.mark_reported(ssrc, timestamp);
                return [None, None];
            }
            _ => {
                unfinished = self.report_pending();
                let reported = false;
                let last_micros = now_micros;
                self.pending = Some(Pending { ssrc, timestamp, digit, duration, reported, last_micros });
            }
        }
        let known = if ended || duration >= MIN_DURATION { self.report_pending() } else { None };
        [unfinished, known]
    }

    /// Reports a digit whose end was lost, once its timeout has passed.
    pub fn expire(&mut self, now_micros: u64) -> Option<Digit> {
        let pending = self.pending.as_ref()?;
        if pending.reported || now_micros < pending.last_micros + LOST_END_MICROS {
            return None;
        }
        self.report_pending()
    }

    fn report_pending(&mut self) -> Option<Digit> {
        let pending = self.pending.as_mut().filter(|pending| !pending.reported)?;
        pending.reported = true;
        let (digit, ssrc, timestamp) = (pending.digit, pending.ssrc, pending.timestamp);
        self.mark_reported(ssrc, timestamp);
        Some(digit)
    }

    fn refresh_pending(&mut self, ssrc: u32, timestamp: u32, duration: u16, now_micros: u64) {
        if let Some(pending) = &mut self.pending
            && (pending.ssrc, pending.timestamp) == (ssrc, timestamp)
        {
            pending.duration = pending.duration.max(duration);
            pending.last_micros = now_micros;
        }
    }

    fn mark_reported(&mut self, ssrc: u32, timestamp: u32) {
        const KEPT: usize = 16;
        if self.reported.len() == KEPT {
            self.reported.pop_front();
        }
        self.reported.push_back((ssrc, timestamp));
    }
}

impl Pending {
    fn continues_as(&self, ssrc: u32, timestamp: u32, digit: Digit) -> bool {
        self.reported
            && self.ssrc == ssrc
            && self.digit == digit
            && self.duration == u16::MAX
            && timestamp == self.timestamp.wrapping_add(u32::from(u16::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(keys: &str) -> Vec<Digit> {
        keys.chars().map(|key| Digit::from_char(key).unwrap()).collect()
    }

    /// All event packets of these keys: (timestamp, marker, payload).
    fn packets(keys: &str) -> Vec<(u32, bool, [u8; 4])> {
        let mut sender = DigitSender::default();
        sender.push(digits(keys));
        let mut sent = Vec::new();
        for n in 0..2_000u32 {
            if let Step::Event { payload, marker, timestamp } = sender.step(n * 160) {
                sent.push((timestamp, marker, payload));
            }
        }
        assert!(sender.is_idle());
        sent
    }

    /// Digits received when only the packets that `keep` accepts arrive, 20 ms apart.
    fn heard(keys: &str, keep: impl Fn(usize) -> bool) -> String {
        let mut receiver = DigitReceiver::default();
        let mut heard = Vec::new();
        let mut now = 0;
        for (n, (timestamp, _, payload)) in packets(keys).into_iter().enumerate() {
            now += 20_000;
            if keep(n) {
                heard.extend(receiver.packet(7, timestamp, &payload, now).into_iter().flatten());
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
        assert!(sent.iter().all(|packet| packet.0 == sent[0].0));
        assert_eq!(sent.iter().filter(|packet| packet.1).count(), 1);
        assert!(sent[0].1);
        let durations: Vec<u16> = sent.iter().map(|p| u16::from_be_bytes([p.2[2], p.2[3]])).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
        let ends: Vec<bool> = sent.iter().map(|p| p.2[1] & 0x80 != 0).collect();
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
        for (n, (timestamp, _, payload)) in late.enumerate() {
            let now = n as u64 * 20_000;
            heard.extend(receiver.packet(7, *timestamp, payload, now).into_iter().flatten());
            heard.extend(receiver.expire(now));
        }
        heard.extend(receiver.expire(10_000_000));
        assert_eq!(heard, digits("12"));
    }

    #[test]
    fn a_press_longer_than_eight_seconds_is_one_digit() {
        let mut receiver = DigitReceiver::default();
        let end = [1, 10, 0xFF, 0xFF];
        assert_eq!(receiver.packet(7, 1_000, &end, 0), [None, Digit::from_event(1)]);
        assert_eq!(receiver.packet(7, 1_000 + 65_535, &[1, 10, 1, 0], 20_000), [None, None]);
        assert_eq!(receiver.packet(7, 1_000 + 65_535, &[1, 0x8A, 2, 0], 40_000), [None, None]);
        assert_eq!(receiver.expire(10_000_000), None);
    }

    #[test]
    fn non_digit_events_are_ignored() {
        let mut receiver = DigitReceiver::default();
        assert_eq!(receiver.packet(7, 0, &[], 0), [None, None]);
        assert_eq!(receiver.packet(7, 0, &[1, 0x80, 0], 0), [None, None]);
        assert_eq!(receiver.packet(7, 0, &[16, 0x80, 3, 0], 0), [None, None], "flash is not a key");
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
}
