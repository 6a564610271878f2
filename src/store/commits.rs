//! Histogram of the writer's commit times, read by the metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets, in seconds; one more bucket counts longer commits.
pub const BOUNDS_SECS: [f64; 12] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// Written by the writer alone, read from any thread.
#[derive(Debug, Default)]
pub struct CommitTimes {
    buckets: [AtomicU64; BOUNDS_SECS.len() + 1],
    micros: AtomicU64,
    commands: AtomicU64,
}

/// A snapshot of the histogram. `buckets[i]` counts commits up to `BOUNDS_SECS[i]`, not cumulative.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommitTotals {
    pub buckets: [u64; BOUNDS_SECS.len() + 1],
    pub secs: f64,
    pub commits: u64,
    /// Commands in those commits.
    pub commands: u64,
}

impl CommitTimes {
    pub(crate) fn note(&self, took: Duration, commands: usize) {
        let secs = took.as_secs_f64();
        let bucket = BOUNDS_SECS.iter().position(|bound| secs <= *bound).unwrap_or(BOUNDS_SECS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
        self.commands.fetch_add(commands as u64, Ordering::Relaxed);
    }

    pub fn totals(&self) -> CommitTotals {
        let buckets: [u64; BOUNDS_SECS.len() + 1] =
            std::array::from_fn(|i| self.buckets[i].load(Ordering::Relaxed));
        CommitTotals {
            buckets,
            secs: self.micros.load(Ordering::Relaxed) as f64 / 1e6,
            commits: buckets.iter().sum(),
            commands: self.commands.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_falls_into_the_bucket_of_its_length() {
        let commits = CommitTimes::default();
        commits.note(Duration::from_millis(3), 7);
        commits.note(Duration::from_secs(60), 1);
        let totals = commits.totals();
        assert_eq!((totals.buckets[3], totals.buckets[12], totals.commits, totals.commands), (1, 1, 2, 8));
        assert!((totals.secs - 60.003).abs() < 1e-9);
    }
}
