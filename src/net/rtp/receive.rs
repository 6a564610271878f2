//! Packets and digits that one member of a mix received in one tick, copied out of the inbox so that
//! other members can be sent them. Buffers belong to the media thread and are reused.

use paceline_core::call::Digit;
use paceline_core::media::Codec;
use paceline_core::media::relay::HeaderFields;

/// Packets of one leg that are relayed per tick: 160 ms, the burst after a short network stall. More is a
/// flood.
pub const MAX_PACKETS: usize = 8;
/// 60 ms; longer packets are not telephone audio.
pub const PAYLOAD_BYTES: usize = 480;
const MAX_DIGITS: usize = 4;

/// One received audio packet.
#[derive(Clone, Copy)]
pub struct ReceivedPacket {
    pub header: HeaderFields,
    pub codec: Codec,
    length: usize,
    bytes: [u8; PAYLOAD_BYTES],
}

/// Packets and digits of one leg in one tick.
#[derive(Default)]
pub struct ReceiveBatch {
    packets: Vec<ReceivedPacket>,
    digits: Vec<Digit>,
}

impl ReceivedPacket {
    pub fn payload(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl ReceiveBatch {
    pub fn clear(&mut self) {
        self.packets.clear();
        self.digits.clear();
    }

    pub fn packets(&self) -> &[ReceivedPacket] {
        &self.packets
    }

    pub fn digits(&self) -> &[Digit] {
        &self.digits
    }

    /// Adds a packet. Memory for one tick is allocated once; more packets are dropped.
    pub fn push(&mut self, header: HeaderFields, codec: Codec, payload: &[u8]) {
        if payload.len() > PAYLOAD_BYTES || self.packets.len() == MAX_PACKETS {
            return;
        }
        self.packets.reserve_exact(MAX_PACKETS - self.packets.len());
        let mut packet = ReceivedPacket { header, codec, length: payload.len(), bytes: [0; PAYLOAD_BYTES] };
        packet.bytes[..payload.len()].copy_from_slice(payload);
        self.packets.push(packet);
    }

    pub fn push_digit(&mut self, digit: Digit) {
        if self.digits.len() < MAX_DIGITS {
            self.digits.reserve_exact(MAX_DIGITS - self.digits.len());
            self.digits.push(digit);
        }
    }

    /// Sorts the packets by sequence number.
    pub fn sort(&mut self) {
        let Some(first) = self.packets.first().map(|packet| packet.header.sequence) else { return };
        let place = |packet: &ReceivedPacket| packet.header.sequence.wrapping_sub(first) as i16;
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
        let mut batch = ReceiveBatch::default();
        for sequence in [65_535, 1, 0, 65_534] {
            let header = HeaderFields { ssrc: 1, sequence, timestamp: 0, marker: false };
            batch.push(header, Codec::Pcma, &[7; 160]);
        }
        batch.sort();
        let order: Vec<u16> = batch.packets().iter().map(|packet| packet.header.sequence).collect();
        assert_eq!(order, [65_534, 65_535, 0, 1]);
    }

    #[test]
    fn packets_beyond_the_limit_of_one_tick_are_dropped() {
        let mut batch = ReceiveBatch::default();
        let header = HeaderFields { ssrc: 1, sequence: 1, timestamp: 0, marker: false };
        batch.push(header, Codec::Pcma, &[7; 481]);
        assert!(batch.packets().is_empty());
        for _ in 0..100 {
            batch.push(header, Codec::Pcma, &[7; 480]);
            batch.push_digit(Digit::from_event(5).unwrap());
        }
        assert_eq!((batch.packets().len(), batch.digits().len()), (MAX_PACKETS, MAX_DIGITS));
    }
}
