//! Packets of the length that the far end asked for (`a=ptime`, RFC 4566 section 6), cut from frames of 20 ms.

/// Longest packet: 60 ms.
pub const MAX_BYTES: usize = 480;

/// Coded audio that waits until it fills a packet. All codecs have one byte per 1/8,000 s.
#[derive(Clone, Debug, Default)]
pub struct Packetizer {
    bytes: Vec<u8>,
    /// RTP timestamp of the first byte.
    clock: u32,
}

impl Packetizer {
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What waits is not sent any more: a key, a hold or skipped time came between.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Adds a frame with its timestamp.
    pub fn push(&mut self, clock: u32, frame: &[u8]) {
        if self.bytes.is_empty() {
            self.clock = clock;
            // Once a leg: a frame and all but one byte of the longest packet.
            self.bytes.reserve(MAX_BYTES + frame.len());
        }
        self.bytes.extend_from_slice(frame);
    }

    /// Takes the next packet of `size` bytes, with its timestamp, into the front of `packet`.
    pub fn next(&mut self, size: usize, packet: &mut [u8; MAX_BYTES]) -> Option<u32> {
        let size = size.clamp(1, MAX_BYTES);
        if self.bytes.len() < size {
            return None;
        }
        packet[..size].copy_from_slice(&self.bytes[..size]);
        self.bytes.drain(..size);
        let clock = self.clock;
        self.clock = clock.wrapping_add(size as u32);
        Some(clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_leaves_once_in_order_with_its_timestamp() {
        for size in [80, 160, 240, 320, 400, 480] {
            let (mut packetizer, mut packet) = (Packetizer::default(), [0; MAX_BYTES]);
            let (mut sent, mut due) = (0usize, 1_000u32);
            for frame in 0..60u32 {
                let bytes: [u8; 160] = std::array::from_fn(|n| (frame as usize * 160 + n) as u8);
                packetizer.push(1_000 + frame * 160, &bytes);
                while let Some(clock) = packetizer.next(size, &mut packet) {
                    assert_eq!(clock, due);
                    assert!((0..size).all(|n| packet[n] == (sent + n) as u8), "{size}");
                    sent += size;
                    due += size as u32;
                }
            }
            assert_eq!(sent, 60 * 160, "{size}: 60 frames fill whole packets");
        }
    }
}
