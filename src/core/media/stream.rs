//! One outgoing RTP stream: its SSRC, sequence numbers and clock, for packets of our own and relayed ones.

use super::rtp::Packet;

/// Sequence number, timestamp and marker of a packet in our own stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamPosition {
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
}

/// State of one outgoing RTP stream. The clock runs whether or not packets are sent.
#[derive(Clone, Debug)]
pub struct SendStream {
    pub ssrc: u32,
    /// Sequence number of the next packet.
    pub sequence: u16,
    /// Timestamp of the next frame.
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

impl SendStream {
    /// All three numbers should be random (RFC 3550 section 5.1).
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        SendStream { ssrc, sequence, timestamp, packets: 0, octets: 0 }
    }

    /// Writes the next packet with this timestamp and counts it. Returns its length.
    pub fn write(
        &mut self,
        payload_type: u8,
        marker: bool,
        timestamp: u32,
        payload: &[u8],
        target: &mut [u8],
    ) -> usize {
        let sequence = self.sequence;
        let packet = Packet { payload_type, marker, sequence, timestamp, ssrc: self.ssrc, payload };
        let length = packet.write(target);
        self.sequence = sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
        length
    }

    /// Writes a relayed packet at its position (see `relay`) and counts it. The stream continues
    /// after the newest packet. Returns its length.
    pub fn write_relayed(
        &mut self,
        payload_type: u8,
        position: StreamPosition,
        payload: &[u8],
        target: &mut [u8],
    ) -> usize {
        let StreamPosition { sequence, timestamp, marker } = position;
        let packet = Packet { payload_type, marker, sequence, timestamp, ssrc: self.ssrc, payload };
        let length = packet.write(target);
        let next = sequence.wrapping_add(1);
        if (next.wrapping_sub(self.sequence) as i16) > 0 {
            self.sequence = next;
        }
        let after = timestamp.wrapping_add(payload.len() as u32);
        if (after.wrapping_sub(self.timestamp) as i32) > 0 {
            self.timestamp = after;
        }
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
        length
    }

    /// Advances the clock by `samples` of 1/8,000 s.
    pub fn advance_clock(&mut self, samples: u32) {
        self.timestamp = self.timestamp.wrapping_add(samples);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_packet_reads_back_the_same() {
        let mut stream = SendStream::new(0xDEAD_BEEF, 0xFFFF, u32::MAX - 79);
        let mut buffer = [0; 200];
        let length = stream.write(8, true, stream.timestamp, &[7; 160], &mut buffer);
        assert_eq!(length, 172);
        let packet = Packet::parse(&buffer[..length]).unwrap();
        assert_eq!((packet.payload_type, packet.marker, packet.sequence), (8, true, 0xFFFF));
        assert_eq!((packet.timestamp, packet.ssrc), (u32::MAX - 79, 0xDEAD_BEEF));
        assert_eq!(packet.payload, &[7; 160]);
        stream.advance_clock(160);
        assert_eq!((stream.sequence, stream.timestamp), (0, 80));
        assert_eq!((stream.packets, stream.octets), (1, 160));
    }
}
