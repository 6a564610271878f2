//! Counters of the media threads: one set per thread, so that no thread waits for another.

use super::leg::TickCounts;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Upper bounds of the lateness buckets in microseconds.
const BOUNDS: [u64; 12] =
    [100, 250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000, u64::MAX];

/// Sums over all legs since the start, and how late packets were sent.
#[derive(Clone, Debug, Default)]
pub struct MediaTotals {
    pub packets_sent: u64,
    pub packets_received: u64,
    pub packets_refused: u64,
    /// (upper bound in microseconds, packets) per bucket; the last bound is `u64::MAX`.
    pub late: Vec<(u64, u64)>,
    pub late_micros_sum: u64,
    pub legs_open: u64,
}

/// Counters of one media thread: written by it, read by any thread.
#[derive(Debug, Default)]
pub struct Counters {
    sent: AtomicU64,
    received: AtomicU64,
    refused: AtomicU64,
    late: [AtomicU64; BOUNDS.len()],
    late_micros_sum: AtomicU64,
    legs_open: AtomicU64,
}

impl Counters {
    pub fn opened(&self) {
        self.legs_open.fetch_add(1, Relaxed);
    }

    pub fn closed(&self) {
        self.legs_open.fetch_sub(1, Relaxed);
    }

    /// Counts one tick of a leg. Of several packets the first was `late_micros` late, each later one a
    /// tick less.
    pub fn count_tick(&self, counts: TickCounts, late_micros: u64, tick_micros: u64) {
        for (counter, more) in [(&self.received, counts.received), (&self.refused, counts.refused)] {
            if more > 0 {
                counter.fetch_add(more, Relaxed);
            }
        }
        self.sent.fetch_add(u64::from(counts.sent), Relaxed);
        for n in 0..u64::from(counts.sent) {
            let late = late_micros.saturating_sub(n * tick_micros);
            let bucket = BOUNDS.iter().position(|&bound| late <= bound).unwrap_or(BOUNDS.len() - 1);
            self.late[bucket].fetch_add(1, Relaxed);
            self.late_micros_sum.fetch_add(late, Relaxed);
        }
    }

    /// Adds these counters to the totals.
    pub fn add_to(&self, totals: &mut MediaTotals) {
        if totals.late.is_empty() {
            totals.late = BOUNDS.map(|bound| (bound, 0)).to_vec();
        }
        totals.packets_sent += self.sent.load(Relaxed);
        totals.packets_received += self.received.load(Relaxed);
        totals.packets_refused += self.refused.load(Relaxed);
        totals.late_micros_sum += self.late_micros_sum.load(Relaxed);
        totals.legs_open += self.legs_open.load(Relaxed);
        for (sum, counter) in totals.late.iter_mut().zip(&self.late) {
            sum.1 += counter.load(Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_of_caught_up_packets_is_counted_per_packet() {
        let counters = Counters::default();
        counters.count_tick(TickCounts { sent: 3, received: 2, refused: 1 }, 40_100, 20_000);
        let mut totals = MediaTotals::default();
        counters.add_to(&mut totals);
        assert_eq!((totals.packets_sent, totals.packets_received, totals.packets_refused), (3, 2, 1));
        let late: Vec<_> = totals.late.iter().filter(|bucket| bucket.1 > 0).collect();
        assert_eq!(late, [&(100, 1), &(50_000, 2)]);
        assert_eq!(totals.late_micros_sum, 40_100 + 20_100 + 100);
    }
}
