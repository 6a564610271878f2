//! Pool of RTP port pairs. A released port rests before it is reused, so that late packets of an earlier
//! call do not reach the next one.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

/// How long a port rests after its leg was closed.
const REST_MICROS: u64 = 2_000_000;

/// Even ports, least recently used first.
#[derive(Debug)]
pub struct Ports {
    free: VecDeque<u16>,
    /// (usable again from, port), in order of time.
    resting: VecDeque<(u64, u16)>,
}

impl Ports {
    /// All even ports of the range whose odd neighbour is in the range too.
    pub fn new(range: &RangeInclusive<u16>) -> Self {
        let even = range.clone().filter(|port| port % 2 == 0 && *port < *range.end());
        Ports { free: even.collect(), resting: VecDeque::new() }
    }

    pub fn take(&mut self, now_micros: u64) -> Option<u16> {
        while let Some(&(from, port)) = self.resting.front()
            && from <= now_micros
        {
            self.resting.pop_front();
            self.free.push_back(port);
        }
        self.free.pop_front()
    }

    pub fn give_back(&mut self, port: u16, now_micros: u64) {
        self.resting.push_back((now_micros + REST_MICROS, port));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_even_ports_with_a_neighbour_are_used() {
        let mut ports = Ports::new(&(20_001..=20_006));
        assert_eq!([ports.take(0), ports.take(0), ports.take(0)], [Some(20_002), Some(20_004), None]);
        assert_eq!(Ports::new(&(65_534..=65_535)).take(0), Some(65_534));
        assert_eq!(Ports::new(&(5..=5)).take(0), None);
    }

    #[test]
    fn a_released_port_rests_before_reuse() {
        let mut ports = Ports::new(&(100..=103));
        assert_eq!((ports.take(0), ports.take(0)), (Some(100), Some(102)));
        ports.give_back(102, 1_000);
        ports.give_back(100, 2_000);
        assert_eq!(ports.take(1_000 + REST_MICROS - 1), None);
        assert_eq!(ports.take(1_000 + REST_MICROS), Some(102));
        assert_eq!(ports.take(1_000 + REST_MICROS), None);
        assert_eq!(ports.take(2_000 + REST_MICROS), Some(100));
    }
}
