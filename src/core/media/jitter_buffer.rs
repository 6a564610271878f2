//! Jitter buffer: takes packets in any order and plays out 20 ms of coded audio at each tick, in
//! timestamp order. The playout delay starts at 20 ms, grows with network jitter to at most 120 ms, and
//! shrinks during pauses in the talk, which also absorbs clock drift.

/// All supported codecs carry one byte per 1/8,000 s, so a timestamp is a byte position in the ring.
const RING: usize = 4_096;
const WORDS: usize = RING / 64;
pub const FRAME: usize = 160;
const START_DELAY: u32 = FRAME as u32;
/// Limit of buffered audio: 120 ms beyond the next frame.
const MAX_HELD: u32 = 7 * FRAME as u32;
/// 60 ms, the longest packet that is accepted.
const MAX_PAYLOAD: usize = 480;
/// A timestamp this far off (1 s) belongs to another clock.
const MAX_TIMESTAMP_JUMP: i32 = 8_000;
/// Packets observed before the delay is adapted: 2.5 s.
const PACKETS_PER_ADAPTATION: u32 = 125;
/// Smallest margin before playout below this (2 ms): increase the delay.
const MARGIN_TOO_SMALL: i32 = 16;
/// Smallest margin at or above this (25 ms): decrease the delay by one frame.
const MARGIN_TOO_LARGE: i32 = 200;
/// Empty frames after which the source counts as new: 1 s.
const MAX_EMPTY_FRAMES: u32 = 50;

/// The jitter buffer of one stream. Memory is fixed; nothing is allocated after `new`.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    bytes: Box<[u8; RING]>,
    /// One bit per received byte of the ring.
    received: [u64; WORDS],
    silence: u8,
    source: Option<u32>,
    /// Timestamp of the next frame to play out.
    playout: u32,
    /// Timestamps after the newest received byte and after the newest played byte.
    newest: u32,
    played_until: u32,
    /// False until a frame was played; frames before the first packet are not losses.
    has_played: bool,
    observed: u32,
    /// Smallest margin of an observed packet before its playout, in 1/8,000 s.
    min_margin: i32,
    empty_frames: u32,
    counts: JitterCounts,
}

/// Statistics of packets and frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterCounts {
    /// Packets that arrived after their playout time.
    pub late: u64,
    /// Frames with a gap although newer audio was buffered.
    pub lost: u64,
    /// Frames of silence inserted, and frames dropped, to change the delay.
    pub inserted: u64,
    pub dropped: u64,
}

/// How much of a played frame had been received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameFill {
    Whole,
    Part,
    Nothing,
}

impl JitterBuffer {
    /// `silence` fills the gaps.
    pub fn new(silence: u8) -> Self {
        JitterBuffer {
            bytes: Box::new([silence; RING]),
            received: [0; WORDS],
            silence,
            source: None,
            playout: 0,
            newest: 0,
            played_until: 0,
            has_played: false,
            observed: 0,
            min_margin: i32::MAX,
            empty_frames: 0,
            counts: JitterCounts::default(),
        }
    }

    pub fn counts(&self) -> JitterCounts {
        self.counts
    }

    /// Buffered audio beyond the next frame, in 1/8,000 s.
    pub fn held(&self) -> u32 {
        let held = self.newest.wrapping_sub(self.playout) as i32 - FRAME as i32;
        if self.source.is_some() { held.max(0) as u32 } else { 0 }
    }

    /// Stores a packet. Packets longer than 60 ms are cut.
    pub fn push(&mut self, ssrc: u32, timestamp: u32, payload: &[u8]) {
        let payload = &payload[..payload.len().min(MAX_PAYLOAD)];
        let margin = timestamp.wrapping_sub(self.playout) as i32;
        if self.source != Some(ssrc) || !(-MAX_TIMESTAMP_JUMP..=MAX_TIMESTAMP_JUMP).contains(&margin) {
            self.restart(ssrc, timestamp);
        } else if margin < 0 {
            if (timestamp.wrapping_sub(self.played_until) as i32) < 0 {
                // Newer audio was played already.
                self.counts.late += 1;
                self.observe_margin(margin);
                return;
            }
            // Nothing newer was played: the network delay has grown, so the playout time follows it.
            self.counts.inserted += u64::from(margin.unsigned_abs().div_ceil(FRAME as u32));
            self.playout = timestamp;
        }
        self.observe_margin(timestamp.wrapping_sub(self.playout) as i32);
        let end = timestamp.wrapping_add(payload.len() as u32);
        if (end.wrapping_sub(self.newest) as i32) > 0 {
            self.newest = end;
        }
        // Over the limit: drop the oldest audio.
        let held = self.newest.wrapping_sub(self.playout);
        if held > MAX_HELD + FRAME as u32 {
            let surplus = held - MAX_HELD;
            self.counts.dropped += u64::from(surplus.div_ceil(FRAME as u32));
            self.clear(surplus.min(RING as u32) as usize);
            self.playout = self.playout.wrapping_add(surplus);
        }
        for (n, &byte) in payload.iter().enumerate() {
            let at = timestamp.wrapping_add(n as u32);
            if (at.wrapping_sub(self.playout) as i32) >= 0 {
                let place = at as usize % RING;
                self.bytes[place] = byte;
                self.received[place / 64] |= 1 << (place % 64);
            }
        }
    }

    /// Plays out the next 20 ms. `quiet` says that the previous frame was a pause, where the delay may
    /// change.
    pub fn pop_frame(&mut self, frame: &mut [u8; FRAME], quiet: bool) -> FrameFill {
        frame.fill(self.silence);
        if self.source.is_none() {
            return FrameFill::Nothing;
        }
        if quiet && self.observed >= PACKETS_PER_ADAPTATION && self.adapt_delay() {
            return FrameFill::Nothing;
        }
        let mut found = 0;
        for (n, byte) in frame.iter_mut().enumerate() {
            let place = self.playout.wrapping_add(n as u32) as usize % RING;
            if self.received[place / 64] & (1 << (place % 64)) != 0 {
                *byte = self.bytes[place];
                found += 1;
            }
        }
        self.clear(FRAME);
        self.playout = self.playout.wrapping_add(FRAME as u32);
        let newer = (self.newest.wrapping_sub(self.playout) as i32) > 0;
        self.counts.lost += u64::from(newer && found < FRAME && self.has_played);
        if found > 0 {
            self.played_until = self.playout;
            self.has_played = true;
        }
        self.empty_frames = if found > 0 { 0 } else { self.empty_frames + 1 };
        if self.empty_frames > MAX_EMPTY_FRAMES {
            self.source = None;
        }
        match found {
            0 => FrameFill::Nothing,
            FRAME => FrameFill::Whole,
            _ => FrameFill::Part,
        }
    }

    /// Adapts the delay to the observed margins. Returns true if this frame is inserted silence.
    fn adapt_delay(&mut self) -> bool {
        let (nearest, held) = (self.min_margin, self.held());
        self.observed = 0;
        self.min_margin = i32::MAX;
        if nearest < MARGIN_TOO_SMALL && held + (FRAME as u32) < MAX_HELD {
            self.counts.inserted += 1;
            return true;
        }
        if nearest >= MARGIN_TOO_LARGE {
            self.clear(FRAME);
            self.playout = self.playout.wrapping_add(FRAME as u32);
            self.counts.dropped += 1;
        }
        false
    }

    fn observe_margin(&mut self, margin: i32) {
        self.observed = self.observed.saturating_add(1);
        self.min_margin = self.min_margin.min(margin);
    }

    fn restart(&mut self, ssrc: u32, timestamp: u32) {
        self.received = [0; WORDS];
        self.source = Some(ssrc);
        self.playout = timestamp.wrapping_sub(START_DELAY);
        self.newest = timestamp;
        self.played_until = self.playout;
        self.has_played = false;
        (self.observed, self.min_margin, self.empty_frames) = (0, i32::MAX, 0);
    }

    /// Clears the received bits of the next `count` bytes.
    fn clear(&mut self, count: usize) {
        for n in 0..count {
            let place = self.playout.wrapping_add(n as u32) as usize % RING;
            self.received[place / 64] &= !(1 << (place % 64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const SILENCE: u8 = 0;

    /// No two neighbouring frames alike, and never silence.
    fn payload(n: u32) -> [u8; FRAME] {
        [(n % 250 + 1) as u8; FRAME]
    }

    /// Ticks of 20 ms; packet `n` is sent at tick `n` and arrives `delay(n)` ticks later. Returns the
    /// first byte of every played frame.
    fn play(
        jitter: &mut JitterBuffer,
        packets: u32,
        ticks: u32,
        delay: impl Fn(u32) -> Option<u32>,
    ) -> Vec<u8> {
        let mut heard = Vec::new();
        for tick in 0..ticks {
            for n in 0..packets.min(tick + 1) {
                if delay(n).is_some_and(|delay| n + delay == tick) {
                    jitter.push(7, 5_000 + n * 160, &payload(n));
                }
            }
            let mut frame = [0; FRAME];
            jitter.pop_frame(&mut frame, false);
            heard.push(frame[0]);
        }
        heard
    }

    fn wanted(packets: std::ops::Range<u32>) -> Vec<u8> {
        packets.map(|n| payload(n)[0]).collect()
    }

    #[test]
    fn a_steady_stream_plays_completely_one_frame_later() {
        let mut jitter = JitterBuffer::new(SILENCE);
        let heard = play(&mut jitter, 100, 101, |_| Some(0));
        assert_eq!(heard, [vec![0], wanted(0..100)].concat());
        assert_eq!(jitter.counts(), JitterCounts::default());
    }

    #[test]
    fn swapped_packets_are_played_in_order() {
        let mut jitter = JitterBuffer::new(SILENCE);
        let heard = play(&mut jitter, 100, 101, |n| Some(u32::from(n % 3 == 1)));
        assert_eq!(heard, [vec![0], wanted(0..100)].concat());
        assert_eq!(jitter.counts(), JitterCounts::default());
    }

    #[test]
    fn a_lost_packet_plays_silence_and_is_counted() {
        let mut jitter = JitterBuffer::new(SILENCE);
        let heard = play(&mut jitter, 50, 51, |n| (n != 20).then_some(0));
        assert_eq!(heard[21], SILENCE);
        assert_eq!((heard[20], heard[22]), (payload(19)[0], payload(21)[0]));
        assert_eq!(jitter.counts().lost, 1);
    }

    #[test]
    fn growing_network_delay_inserts_silence_and_loses_no_audio() {
        let mut jitter = JitterBuffer::new(SILENCE);
        let heard = play(&mut jitter, 100, 110, |n| Some(if n < 50 { 0 } else { 4 }));
        let sound: Vec<u8> = heard.iter().copied().filter(|&byte| byte != SILENCE).collect();
        assert_eq!(sound, wanted(0..100));
        assert_eq!(jitter.counts().late, 0);
        assert!(jitter.counts().inserted >= 3);
    }

    #[test]
    fn a_burst_after_a_stall_buffers_at_most_120_ms() {
        let mut jitter = JitterBuffer::new(SILENCE);
        play(&mut jitter, 50, 51, |n| Some(if n < 20 { 0 } else { 49 - n }));
        assert!(jitter.held() <= MAX_HELD, "{}", jitter.held());
        let mut frame = [0; FRAME];
        let rest = (0..8).filter(|_| jitter.pop_frame(&mut frame, false) == FrameFill::Whole).count();
        assert!((5..=7).contains(&rest), "{rest}");
    }

    #[test]
    fn clock_drift_is_absorbed_in_pauses() {
        // One packet in 200 too many, then one in 200 too few; each fiftieth frame is a pause.
        for (every, add) in [(200, 1i64), (200, -1)] {
            let mut jitter = JitterBuffer::new(SILENCE);
            let (mut next, mut worst, mut frame) = (0u32, 0, [0; FRAME]);
            for tick in 0..20_000u32 {
                let count = if tick % every == 0 { 1 + add } else { 1 };
                for _ in 0..count {
                    jitter.push(7, next * 160, &payload(next));
                    next += 1;
                }
                jitter.pop_frame(&mut frame, tick % 50 < 5);
                worst = worst.max(jitter.held());
            }
            let counts = jitter.counts();
            assert_eq!((counts.late, counts.lost), (0, 0), "{add}: {counts:?}");
            assert!(worst <= 3 * 160, "{add}: {worst}");
            let changed = if add > 0 { counts.dropped } else { counts.inserted };
            assert!((60..=140).contains(&changed), "{add}: {counts:?}");
        }
    }

    #[test]
    fn packets_of_any_length_are_cut_into_frames() {
        for length in [80usize, 240, 320, 480] {
            let mut jitter = JitterBuffer::new(SILENCE);
            let (mut sent, mut heard) = (Vec::new(), Vec::new());
            let mut frame = [0; FRAME];
            for tick in 0..60usize {
                while sent.len() < (tick + 1) * FRAME {
                    let packet: Vec<u8> = (0..length).map(|n| ((sent.len() + n) % 255 + 1) as u8).collect();
                    jitter.push(7, sent.len() as u32, &packet);
                    sent.extend(packet);
                }
                jitter.pop_frame(&mut frame, false);
                heard.extend(frame);
            }
            assert_eq!(heard[FRAME..], sent[..heard.len() - FRAME], "{length} bytes a packet");
        }
    }

    #[test]
    fn a_source_is_new_after_a_second_of_silence() {
        let mut jitter = JitterBuffer::new(SILENCE);
        play(&mut jitter, 10, 100, |_| Some(0));
        jitter.push(7, 900_000, &payload(1));
        let mut frame = [0; FRAME];
        assert_eq!(jitter.pop_frame(&mut frame, false), FrameFill::Nothing);
        assert_eq!(jitter.pop_frame(&mut frame, false), FrameFill::Whole);
    }

    /// Any order of arrival keeps the delay in bounds and time never runs backwards.
    #[test]
    fn any_arrival_keeps_order_and_bounds() {
        for seed in 0..100u64 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut jitter = JitterBuffer::new(SILENCE);
            let (mut frame, mut last) = ([0; FRAME], 0u32);
            let mut waiting: Vec<(u32, u32)> = Vec::new();
            for tick in 0..2_000u32 {
                if !random.random_bool(0.05) {
                    waiting.push((tick + random.random_range(0..4) / 2, tick));
                }
                if random.random_bool(0.01) {
                    waiting.push((tick, random.random_range(tick.saturating_sub(40)..=tick)));
                }
                waiting.retain(|&(due, n)| {
                    if due <= tick {
                        // The payload repeats the packet number as 4 bytes.
                        let bytes: Vec<u8> = (0..40).flat_map(|_| (n + 1).to_be_bytes()).collect();
                        jitter.push(1, n * 160, &bytes);
                    }
                    due > tick
                });
                let taken = jitter.pop_frame(&mut frame, random.random_bool(0.1));
                assert!(jitter.held() <= MAX_HELD, "seed {seed}: {}", jitter.held());
                if taken == FrameFill::Whole {
                    let n = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]);
                    assert!(n > last, "seed {seed}, tick {tick}: {n} after {last}");
                    assert!(tick + 1 - n <= 12, "seed {seed}, tick {tick}: {n} is old");
                    last = n;
                }
            }
            assert!(last > 1_900, "seed {seed}: nothing was heard in the end");
        }
    }
}
