//! What the tests of the pacer share: a seeded random stream and short times.

use crate::time::Time;

/// A seeded random stream (xorshift).
pub(super) struct RandomStream(pub u64);

impl RandomStream {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

pub(super) fn ms(millis: u64) -> Time {
    Time::from_millis(millis)
}
