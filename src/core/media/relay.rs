//! Relaying RTP without a buffer: maps another stream's sequence numbers and timestamps onto our own.
//! Relayed packets keep their distance to each other, so the far end's jitter buffer handles loss and
//! reordering. Packets of our own (silence, announcements, DTMF) take their place in the same stream.

use super::stream::{SendStream, StreamPosition};

/// A source that jumps further ahead than this (1 s) is anchored anew at our stream's clock.
const MAX_AHEAD: i32 = 8_000;
/// Sequence numbers further apart than this end the run.
const MAX_STEP: i16 = 100;

/// The RTP header fields that relaying needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderFields {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
}

/// One direction of a relay.
#[derive(Clone, Debug, Default)]
pub struct Relay {
    anchor: Option<Anchor>,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    ssrc: u32,
    /// Newest sequence number of the source.
    newest: u16,
    timestamp_offset: u32,
    /// Our sequence number minus the source's, and our first number of this run; `None` after a packet of
    /// our own.
    run: Option<(u16, u16)>,
}

impl Relay {
    /// A packet of our own was sent: the next relayed packet follows after it.
    pub fn interrupt(&mut self) {
        if let Some(anchor) = &mut self.anchor {
            anchor.run = None;
        }
    }

    /// The position of this packet in our stream; `None` if the position is taken. A batch is given in
    /// sequence order; `last` says that nothing newer has arrived. Then a packet whose time has passed
    /// means that the source is late from now on, and the stream continues with it from here.
    pub fn position(
        &mut self,
        stream: &SendStream,
        packet: HeaderFields,
        last: bool,
    ) -> Option<StreamPosition> {
        let Some(anchor) = self.anchor.filter(|anchor| anchor.ssrc == packet.ssrc) else {
            return Some(self.start(stream, packet));
        };
        let step = packet.sequence.wrapping_sub(anchor.newest) as i16;
        let timestamp = packet.timestamp.wrapping_add(anchor.timestamp_offset);
        let ahead = timestamp.wrapping_sub(stream.timestamp) as i32;
        if !(-MAX_STEP..=MAX_STEP).contains(&step) || ahead > MAX_AHEAD {
            return Some(self.start(stream, packet));
        }
        if step <= 0 {
            // Out of order: fills the gap left for it, if this run left one.
            let (offset, first) = anchor.run?;
            let sequence = packet.sequence.wrapping_add(offset);
            let in_run = sequence.wrapping_sub(first) as i16 >= 0;
            return (step < 0 && in_run).then_some(StreamPosition { sequence, timestamp, marker: false });
        }
        if ahead < 0 {
            if last {
                return Some(self.start(stream, packet));
            }
            self.anchor = Some(Anchor { newest: packet.sequence, run: None, ..anchor });
            return None;
        }
        let fresh = stream.sequence.wrapping_sub(packet.sequence);
        let (offset, first) = anchor.run.unwrap_or((fresh, stream.sequence));
        let sequence = packet.sequence.wrapping_add(offset);
        self.anchor = Some(Anchor { newest: packet.sequence, run: Some((offset, first)), ..anchor });
        Some(StreamPosition { sequence, timestamp, marker: packet.marker || anchor.run.is_none() })
    }

    fn start(&mut self, stream: &SendStream, packet: HeaderFields) -> StreamPosition {
        self.anchor = Some(Anchor {
            ssrc: packet.ssrc,
            newest: packet.sequence,
            timestamp_offset: stream.timestamp.wrapping_sub(packet.timestamp),
            run: Some((stream.sequence.wrapping_sub(packet.sequence), stream.sequence)),
        });
        StreamPosition { sequence: stream.sequence, timestamp: stream.timestamp, marker: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn numbers(n: u16) -> HeaderFields {
        HeaderFields {
            ssrc: 7,
            sequence: 65_530u16.wrapping_add(n),
            timestamp: (u32::MAX - 300).wrapping_add(u32::from(n) * 160),
            marker: false,
        }
    }

    fn pass(
        relay: &mut Relay,
        stream: &mut SendStream,
        packet: HeaderFields,
        last: bool,
    ) -> Option<StreamPosition> {
        let place = relay.position(stream, packet, last);
        if let Some(place) = place {
            stream.write_relayed(8, place, &[0; 160], &mut [0; 200]);
        }
        place
    }

    #[test]
    fn relayed_packets_keep_their_distances_and_gaps() {
        let (mut relay, mut stream) = (Relay::default(), SendStream::new(1, 65_000, 500));
        let kept: Vec<u16> = vec![0, 1, 2, 5, 4, 6, 20, 21];
        for &n in &kept {
            let place = pass(&mut relay, &mut stream, numbers(n), true).unwrap();
            assert_eq!(place.sequence, 65_000u16.wrapping_add(n), "packet {n}");
            assert_eq!(place.timestamp, 500 + u32::from(n) * 160, "packet {n}");
            assert_eq!(place.marker, n == 0);
        }
        assert_eq!((stream.sequence, stream.timestamp), (65_022u16.wrapping_add(0), 500 + 22 * 160));
        assert_eq!(relay.position(&stream, numbers(21), true), None, "the same once more");
    }

    #[test]
    fn packets_whose_time_was_filled_with_silence_are_dropped() {
        let (mut relay, mut stream) = (Relay::default(), SendStream::new(1, 100, 0));
        pass(&mut relay, &mut stream, numbers(0), true);
        // Five ticks without a packet: three are waited for, then two frames of silence are sent.
        stream.advance_clock(3 * 160);
        for _ in 0..2 {
            stream.write(8, false, stream.timestamp, &[0; 160], &mut [0; 200]);
            stream.advance_clock(160);
        }
        relay.interrupt();
        let places: Vec<_> = (1..=6).map(|n| pass(&mut relay, &mut stream, numbers(n), n == 6)).collect();
        assert!(places[..5].iter().all(Option::is_none), "{places:?}");
        let place = places[5].unwrap();
        assert_eq!((place.sequence, place.timestamp, place.marker), (103, 6 * 160, true));
    }

    #[test]
    fn a_source_with_more_delay_is_anchored_anew_at_once() {
        let (mut relay, mut stream) = (Relay::default(), SendStream::new(1, 100, 0));
        pass(&mut relay, &mut stream, numbers(0), true);
        stream.advance_clock(10 * 160);
        relay.interrupt();
        for n in 1..20 {
            let place = pass(&mut relay, &mut stream, numbers(n), true).unwrap();
            assert_eq!(place.timestamp, (10 + u32::from(n)) * 160);
            assert_eq!(place.sequence, 100 + n);
        }
    }

    #[test]
    fn another_source_or_a_jump_continues_at_the_streams_position() {
        let (mut relay, mut stream) = (Relay::default(), SendStream::new(1, 100, 0));
        pass(&mut relay, &mut stream, numbers(0), true);
        let other = HeaderFields { ssrc: 8, sequence: 9, timestamp: 77, marker: false };
        assert_eq!(
            pass(&mut relay, &mut stream, other, true),
            Some(StreamPosition { sequence: 101, timestamp: 160, marker: true })
        );
        let jumped = HeaderFields { timestamp: 77 + 80_000, sequence: 10, ..other };
        assert_eq!(
            pass(&mut relay, &mut stream, jumped, true),
            Some(StreamPosition { sequence: 102, timestamp: 320, marker: true })
        );
    }

    /// For any input, the stream never runs backwards and no position is given to two new packets.
    #[test]
    fn any_input_leaves_one_forward_stream() {
        for seed in 0..200u64 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let (mut relay, mut stream) = (Relay::default(), SendStream::new(1, 7, 7));
            let mut taken = std::collections::BTreeSet::new();
            for n in 0..500u32 {
                let packet = HeaderFields {
                    ssrc: u32::from(random.random_bool(0.02)),
                    sequence: (n as u16).wrapping_add(random.random_range(0..4)),
                    timestamp: n * 160 + random.random_range(0..3) * 160,
                    marker: random.random_bool(0.1),
                };
                let before = stream.clone();
                if random.random_bool(0.2) {
                    stream.write(8, false, stream.timestamp, &[0; 160], &mut [0; 200]);
                    taken.insert(before.sequence);
                    stream.advance_clock(160);
                    relay.interrupt();
                } else if let Some(place) = pass(&mut relay, &mut stream, packet, random.random_bool(0.7)) {
                    let new = place.sequence.wrapping_sub(before.sequence) as i16 >= 0;
                    if new {
                        assert!(taken.insert(place.sequence), "seed {seed}: {place:?} twice");
                        assert!(place.timestamp.wrapping_sub(before.timestamp) as i32 >= 0, "seed {seed}");
                    }
                }
                assert!(stream.timestamp.wrapping_sub(before.timestamp) as i32 >= 0, "seed {seed}");
            }
        }
    }
}
