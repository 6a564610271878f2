//! Packets and digits that one member of a mix received in one tick, copied out of the inbox so that
//! other members can be sent them. Buffers belong to the media thread and are reused.

use paceline_core::call::Digit;
use paceline_core::media::Codec;
use paceline_core::media::relay::Numbers;

/// Packets of one leg that are relayed per tick: 160 ms, the burst after a short network stall. More is a
/// flood.
pub const PACKETS: usize = 8;
/// 60 ms; longer packets are not telephone audio.
pub const PAYLOAD_BYTES: usize = 480;
const KEYS: usize = 4;

/// One received audio packet.
#[derive(Clone, Copy)]
pub struct Arrived {
    pub numbers: Numbers,
    pub codec: Codec,
    length: usize,
    bytes: [u8; PAYLOAD_BYTES],
}

/// Packets and digits of one leg in one tick.
#[derive(Default)]
pub struct Arrivals {
    packets: Vec<Arrived>,
    keys: Vec<Digit>,
}

impl Arrived {
    pub fn payload(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Arrivals {
    pub fn clear(&mut self) {
        self.packets.clear();
        self.keys.clear();
    }

    pub fn packets(&self) -> &[Arrived] {
        &self.packets
    }

    pub fn keys(&self) -> &[Digit] {
        &self.keys
    }

    /// Adds a packet. Memory for one tick is allocated once; more packets are dropped.
    pub fn put(&mut self, numbers: Numbers, codec: Codec, payload: &[u8]) {
        if payload.len() > PAYLOAD_BYTES || self.packets.len() == PACKETS {
            return;
        }
        self.packets.reserve_exact(PACKETS - self.packets.len());
        let mut packet = Arrived { numbers, codec, length: payload.len(), bytes: [0; PAYLOAD_BYTES] };
        packet.bytes[..payload.len()].copy_from_slice(payload);
        self.packets.push(packet);
    }

    pub fn press(&mut self, key: Digit) {
        if self.keys.len() < KEYS {
            self.keys.reserve_exact(KEYS - self.keys.len());
            self.keys.push(key);
        }
    }

    /// Sorts the packets by sequence number.
    pub fn sort(&mut self) {
        let Some(first) = self.packets.first().map(|packet| packet.numbers.sequence) else { return };
        let place = |packet: &Arrived| packet.numbers.sequence.wrapping_sub(first) as i16;
        if !self.packets.is_sorted_by_key(place) {
            self.packets.sort_unstable_by_key(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_put_in_order_across_the_wrap() {
        let mut arrivals = Arrivals::default();
        for sequence in [65_535, 1, 0, 65_534] {
            let numbers = Numbers { ssrc: 1, sequence, timestamp: 0, marker: false };
            arrivals.put(numbers, Codec::Pcma, &[7; 160]);
        }
        arrivals.sort();
        let order: Vec<u16> = arrivals.packets().iter().map(|packet| packet.numbers.sequence).collect();
        assert_eq!(order, [65_534, 65_535, 0, 1]);
    }

    #[test]
    fn packets_beyond_the_limit_of_one_tick_are_dropped() {
        let mut arrivals = Arrivals::default();
        let numbers = Numbers { ssrc: 1, sequence: 1, timestamp: 0, marker: false };
        arrivals.put(numbers, Codec::Pcma, &[7; 481]);
        assert!(arrivals.packets().is_empty());
        for _ in 0..100 {
            arrivals.put(numbers, Codec::Pcma, &[7; 480]);
            arrivals.press(Digit::from_event(5).unwrap());
        }
        assert_eq!((arrivals.packets().len(), arrivals.keys().len()), (PACKETS, KEYS));
    }
}
