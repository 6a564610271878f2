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
const WILD: i32 = 8_000;
/// Packets observed before the delay is adapted: 2.5 s.
const WATCHED: u32 = 125;
/// Smallest margin before playout below this (2 ms): increase the delay.
const TOO_NEAR: i32 = 16;
/// Smallest margin at or above this (25 ms): decrease the delay by one frame.
const TOO_FAR: i32 = 200;
/// Empty frames after which the source counts as new: 1 s.
const FORGOTTEN: u32 = 50;

/// The jitter buffer of one stream. Memory is fixed; nothing is allocated after `new`.
#[derive(Clone, Debug)]
pub struct Jitter {
    bytes: Box<[u8; RING]>,
    /// One bit per received byte of the ring.
    came: [u64; WORDS],
    silence: u8,
    source: Option<u32>,
    /// Timestamp of the next frame to play out.
    play: u32,
    /// Timestamps after the newest received byte and after the newest played byte.
    newest: u32,
    taken: u32,
    /// False until a frame was played; frames before the first packet are not losses.
    begun: bool,
    watched: u32,
    /// Smallest margin of an observed packet before its playout, in 1/8,000 s.
    least: i32,
    empty: u32,
    counts: Counts,
}

/// Statistics of packets and frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
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
pub enum Taken {
    Whole,
    Part,
    Nothing,
}

impl Jitter {
    /// `silence` fills the gaps.
    pub fn new(silence: u8) -> Self {
        Jitter {
            bytes: Box::new([silence; RING]),
            came: [0; WORDS],
            silence,
            source: None,
            play: 0,
            newest: 0,
            taken: 0,
            begun: false,
            watched: 0,
            least: i32::MAX,
            empty: 0,
            counts: Counts::default(),
        }
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Buffered audio beyond the next frame, in 1/8,000 s.
    pub fn held(&self) -> u32 {
        let held = self.newest.wrapping_sub(self.play) as i32 - FRAME as i32;
        if self.source.is_some() { held.max(0) as u32 } else { 0 }
    }

    /// Stores a packet. Packets longer than 60 ms are cut.
    pub fn put(&mut self, ssrc: u32, timestamp: u32, payload: &[u8]) {
        let payload = &payload[..payload.len().min(MAX_PAYLOAD)];
        let margin = timestamp.wrapping_sub(self.play) as i32;
        if self.source != Some(ssrc) || !(-WILD..=WILD).contains(&margin) {
            self.start(ssrc, timestamp);
        } else if margin < 0 {
            if (timestamp.wrapping_sub(self.taken) as i32) < 0 {
                // Newer audio was played already.
                self.counts.late += 1;
                self.watch(margin);
                return;
            }
            // Nothing newer was played: the network delay has grown, so the playout time follows it.
            self.counts.inserted += u64::from(margin.unsigned_abs().div_ceil(FRAME as u32));
            self.play = timestamp;
        }
        self.watch(timestamp.wrapping_sub(self.play) as i32);
        let end = timestamp.wrapping_add(payload.len() as u32);
        if (end.wrapping_sub(self.newest) as i32) > 0 {
            self.newest = end;
        }
        // Over the limit: drop the oldest audio.
        let held = self.newest.wrapping_sub(self.play);
        if held > MAX_HELD + FRAME as u32 {
            let surplus = held - MAX_HELD;
            self.counts.dropped += u64::from(surplus.div_ceil(FRAME as u32));
            self.forget(surplus.min(RING as u32) as usize);
            self.play = self.play.wrapping_add(surplus);
        }
        for (n, &byte) in payload.iter().enumerate() {
            let at = timestamp.wrapping_add(n as u32);
            if (at.wrapping_sub(self.play) as i32) >= 0 {
                let place = at as usize % RING;
                self.bytes[place] = byte;
                self.came[place / 64] |= 1 << (place % 64);
            }
        }
    }

    /// Plays out the next 20 ms. `quiet` says that the previous frame was a pause, where the delay may
    /// change.
    pub fn take(&mut self, frame: &mut [u8; FRAME], quiet: bool) -> Taken {
        frame.fill(self.silence);
        if self.source.is_none() {
            return Taken::Nothing;
        }
        if quiet && self.watched >= WATCHED && self.adapt() {
            return Taken::Nothing;
        }
        let mut found = 0;
        for (n, byte) in frame.iter_mut().enumerate() {
            let place = self.play.wrapping_add(n as u32) as usize % RING;
            if self.came[place / 64] & (1 << (place % 64)) != 0 {
                *byte = self.bytes[place];
                found += 1;
            }
        }
        self.forget(FRAME);
        self.play = self.play.wrapping_add(FRAME as u32);
        let newer = (self.newest.wrapping_sub(self.play) as i32) > 0;
        self.counts.lost += u64::from(newer && found < FRAME && self.begun);
        if found > 0 {
            self.taken = self.play;
            self.begun = true;
        }
        self.empty = if found > 0 { 0 } else { self.empty + 1 };
        if self.empty > FORGOTTEN {
            self.source = None;
        }
        match found {
            0 => Taken::Nothing,
            FRAME => Taken::Whole,
            _ => Taken::Part,
        }
    }

    /// Adapts the delay to the observed margins. Returns true if this frame is inserted silence.
    fn adapt(&mut self) -> bool {
        let (nearest, held) = (self.least, self.held());
        self.watched = 0;
        self.least = i32::MAX;
        if nearest < TOO_NEAR && held + (FRAME as u32) < MAX_HELD {
            self.counts.inserted += 1;
            return true;
        }
        if nearest >= TOO_FAR {
            self.forget(FRAME);
            self.play = self.play.wrapping_add(FRAME as u32);
            self.counts.dropped += 1;
        }
        false
    }

    fn watch(&mut self, margin: i32) {
        self.watched = self.watched.saturating_add(1);
        self.least = self.least.min(margin);
    }

    fn start(&mut self, ssrc: u32, timestamp: u32) {
        self.came = [0; WORDS];
        self.source = Some(ssrc);
        self.play = timestamp.wrapping_sub(START_DELAY);
        self.newest = timestamp;
        self.taken = self.play;
        self.begun = false;
        (self.watched, self.least, self.empty) = (0, i32::MAX, 0);
    }

    /// Clears the received bits of the next `count` bytes.
    fn forget(&mut self, count: usize) {
        for n in 0..count {
            let place = self.play.wrapping_add(n as u32) as usize % RING;
            self.came[place / 64] &= !(1 << (place % 64));
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
    fn play(jitter: &mut Jitter, packets: u32, beats: u32, delay: impl Fn(u32) -> Option<u32>) -> Vec<u8> {
        let mut heard = Vec::new();
        for beat in 0..beats {
            for n in 0..packets.min(beat + 1) {
                if delay(n).is_some_and(|delay| n + delay == beat) {
                    jitter.put(7, 5_000 + n * 160, &payload(n));
                }
            }
            let mut frame = [0; FRAME];
            jitter.take(&mut frame, false);
            heard.push(frame[0]);
        }
        heard
    }

    fn wanted(packets: std::ops::Range<u32>) -> Vec<u8> {
        packets.map(|n| payload(n)[0]).collect()
    }

    #[test]
    fn a_steady_stream_is_heard_whole_one_frame_later() {
        let mut jitter = Jitter::new(SILENCE);
        let heard = play(&mut jitter, 100, 101, |_| Some(0));
        assert_eq!(heard, [vec![0], wanted(0..100)].concat());
        assert_eq!(jitter.counts(), Counts::default());
    }

    #[test]
    fn neighbours_that_changed_places_are_put_right() {
        let mut jitter = Jitter::new(SILENCE);
        let heard = play(&mut jitter, 100, 101, |n| Some(u32::from(n % 3 == 1)));
        assert_eq!(heard, [vec![0], wanted(0..100)].concat());
        assert_eq!(jitter.counts(), Counts::default());
    }

    #[test]
    fn a_lost_packet_is_a_frame_of_silence_and_counted() {
        let mut jitter = Jitter::new(SILENCE);
        let heard = play(&mut jitter, 50, 51, |n| (n != 20).then_some(0));
        assert_eq!(heard[21], SILENCE);
        assert_eq!((heard[20], heard[22]), (payload(19)[0], payload(21)[0]));
        assert_eq!(jitter.counts().lost, 1);
    }

    #[test]
    fn a_network_that_becomes_slower_costs_a_pause_and_no_sound() {
        let mut jitter = Jitter::new(SILENCE);
        let heard = play(&mut jitter, 100, 110, |n| Some(if n < 50 { 0 } else { 4 }));
        let sound: Vec<u8> = heard.iter().copied().filter(|&byte| byte != SILENCE).collect();
        assert_eq!(sound, wanted(0..100));
        assert_eq!(jitter.counts().late, 0);
        assert!(jitter.counts().inserted >= 3);
    }

    #[test]
    fn a_burst_after_a_long_stall_leaves_at_most_120_milliseconds() {
        let mut jitter = Jitter::new(SILENCE);
        play(&mut jitter, 50, 51, |n| Some(if n < 20 { 0 } else { 49 - n }));
        assert!(jitter.held() <= MAX_HELD, "{}", jitter.held());
        let mut frame = [0; FRAME];
        let rest = (0..8).filter(|_| jitter.take(&mut frame, false) == Taken::Whole).count();
        assert!((5..=7).contains(&rest), "{rest}");
    }

    #[test]
    fn the_drift_of_clocks_vanishes_in_pauses() {
        // One packet in 200 too many, then one in 200 too few; each fiftieth frame is a pause.
        for (every, add) in [(200, 1i64), (200, -1)] {
            let mut jitter = Jitter::new(SILENCE);
            let (mut next, mut worst, mut frame) = (0u32, 0, [0; FRAME]);
            for beat in 0..20_000u32 {
                let count = if beat % every == 0 { 1 + add } else { 1 };
                for _ in 0..count {
                    jitter.put(7, next * 160, &payload(next));
                    next += 1;
                }
                jitter.take(&mut frame, beat % 50 < 5);
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
            let mut jitter = Jitter::new(SILENCE);
            let (mut sent, mut heard) = (Vec::new(), Vec::new());
            let mut frame = [0; FRAME];
            for beat in 0..60usize {
                while sent.len() < (beat + 1) * FRAME {
                    let packet: Vec<u8> = (0..length).map(|n| ((sent.len() + n) % 255 + 1) as u8).collect();
                    jitter.put(7, sent.len() as u32, &packet);
                    sent.extend(packet);
                }
                jitter.take(&mut frame, false);
                heard.extend(frame);
            }
            assert_eq!(heard[FRAME..], sent[..heard.len() - FRAME], "{length} bytes a packet");
        }
    }

    #[test]
    fn after_a_second_of_nothing_the_source_is_new() {
        let mut jitter = Jitter::new(SILENCE);
        play(&mut jitter, 10, 100, |_| Some(0));
        jitter.put(7, 900_000, &payload(1));
        let mut frame = [0; FRAME];
        assert_eq!(jitter.take(&mut frame, false), Taken::Nothing);
        assert_eq!(jitter.take(&mut frame, false), Taken::Whole);
    }

    /// Any order of arrival keeps the delay in bounds and time never runs backwards.
    #[test]
    fn any_arrival_keeps_order_and_bounds() {
        for seed in 0..100u64 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut jitter = Jitter::new(SILENCE);
            let (mut frame, mut last) = ([0; FRAME], 0u32);
            let mut waiting: Vec<(u32, u32)> = Vec::new();
            for beat in 0..2_000u32 {
                if !random.random_bool(0.05) {
                    waiting.push((beat + random.random_range(0..4) / 2, beat));
                }
                if random.random_bool(0.01) {
                    waiting.push((beat, random.random_range(beat.saturating_sub(40)..=beat)));
                }
                waiting.retain(|&(due, n)| {
                    if due <= beat {
                        // The payload repeats the packet number as 4 bytes.
                        let bytes: Vec<u8> = (0..40).flat_map(|_| (n + 1).to_be_bytes()).collect();
                        jitter.put(1, n * 160, &bytes);
                    }
                    due > beat
                });
                let taken = jitter.take(&mut frame, random.random_bool(0.1));
                assert!(jitter.held() <= MAX_HELD, "seed {seed}: {}", jitter.held());
                if taken == Taken::Whole {
                    let n = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]);
                    assert!(n > last, "seed {seed}, beat {beat}: {n} after {last}");
                    assert!(beat + 1 - n <= 12, "seed {seed}, beat {beat}: {n} is old");
                    last = n;
                }
            }
            assert!(last > 1_900, "seed {seed}: nothing was heard in the end");
        }
    }
}
