//! One key press reported by several ways (RTP event, SIP INFO, tone in the audio) is one key.

use crate::call::{Digit, KeyWay};
use std::collections::VecDeque;

/// Reports of one press differ by at most this: an INFO may be repeated once or twice before it arrives, and some
/// phones send it when the key is released.
const APART_MICROS: u64 = 2_000_000;
const KEPT: usize = 16;

/// The recent key presses of one leg.
#[derive(Clone, Debug, Default)]
pub struct PressMerger {
    presses: VecDeque<Press>,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    digit: Digit,
    /// The ways that have reported it, one bit each.
    ways: u8,
    last_micros: u64,
}

impl PressMerger {
    /// Takes one report of a press. Returns true if no other way has reported this press. A far end reports its
    /// presses in order by each way, so a report belongs to the oldest press that its way has not reported.
    pub fn is_new(&mut self, digit: Digit, way: KeyWay, now_micros: u64) -> bool {
        let bit = 1 << way as u8;
        let recent = |press: &&mut Press| now_micros.saturating_sub(press.last_micros) <= APART_MICROS;
        let same = self.presses.iter_mut().filter(recent);
        let mut same = same.filter(|press| press.digit == digit && press.ways & bit == 0);
        if let Some(press) = same.next() {
            press.ways |= bit;
            return false;
        }
        if self.presses.len() == KEPT {
            self.presses.pop_front();
        }
        self.presses.push_back(Press { digit, ways: bit, last_micros: now_micros });
        true
    }

    /// The newest press of this digit goes on: another way may report it at its end.
    pub fn hold(&mut self, digit: Digit, now_micros: u64) {
        if let Some(press) = self.presses.iter_mut().rev().find(|press| press.digit == digit) {
            press.last_micros = now_micros;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys that remain of (milliseconds, digit, way).
    fn keys(reports: &[(u64, char, KeyWay)]) -> String {
        let mut merger = PressMerger::default();
        let is_new = |&&(ms, key, way): &&(u64, char, KeyWay)| {
            merger.is_new(Digit::from_char(key).unwrap(), way, ms * 1_000)
        };
        reports.iter().filter(is_new).map(|report| report.1).collect()
    }

    use KeyWay::{Info, Rtp, Tone};

    #[test]
    fn one_press_told_three_times_is_one_key_in_any_order() {
        assert_eq!(keys(&[(0, '1', Rtp), (30, '1', Tone), (700, '1', Info)]), "1");
        assert_eq!(keys(&[(0, '1', Info), (40, '1', Rtp), (60, '1', Tone)]), "1");
    }

    #[test]
    fn the_same_key_twice_by_two_ways_is_two_keys() {
        assert_eq!(keys(&[(0, '1', Rtp), (100, '1', Rtp), (140, '1', Info), (240, '1', Info)]), "11");
        assert_eq!(keys(&[(0, '1', Rtp), (10, '1', Info), (100, '1', Rtp), (110, '1', Info)]), "11");
        assert_eq!(keys(&[(0, '1', Info), (200, '1', Info)]), "11");
    }

    #[test]
    fn different_keys_and_late_presses_stay_apart() {
        assert_eq!(keys(&[(0, '1', Rtp), (50, '2', Info), (60, '2', Rtp)]), "12");
        assert_eq!(keys(&[(0, '1', Rtp), (3_000, '1', Info)]), "11");
    }

    #[test]
    fn a_long_press_is_merged_with_its_report_at_the_end() {
        let mut merger = PressMerger::default();
        let one = Digit::from_char('1').unwrap();
        assert!(merger.is_new(one, Rtp, 0));
        (0..250).for_each(|n| merger.hold(one, n * 20_000));
        assert!(!merger.is_new(one, Info, 5_500_000));
    }
}
