//! Call quality of a leg: level, loss and jitter reduced to a grade and a fault that a person can act on.
//! Used by the device check.

use serde::{Deserialize, Serialize};

/// Measurements of one leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// dB below overload of the parts with sound in them, 0 to -127; `None` if nothing was received.
    pub heard_dbov: Option<i8>,
    pub packets_received: u64,
    pub packets_lost: u64,
    pub jitter_micros: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    Good,
    /// Usable, but people will notice.
    Weak,
    /// Unusable for calls.
    Bad,
}

/// Why the grade is not better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// No packet arrived: a firewall, or the wrong address.
    NothingCame,
    /// Packets arrived without sound in them: the microphone is off or not selected.
    Silent,
    Quiet,
    Overdriven,
    Loss,
    Jitter,
}

/// The grade and its worst fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    pub grade: Grade,
    pub fault: Option<Fault>,
}

/// Below this level there was no speech.
const SILENT_DBOV: i8 = -55;
/// Speech is usually sent at about -20 dBov.
const QUIET_DBOV: i8 = -38;
const OVERDRIVEN_DBOV: i8 = -6;
const LOSS_WEAK_PCT: f64 = 1.0;
const LOSS_BAD_PCT: f64 = 5.0;
const JITTER_WEAK_MICROS: u32 = 30_000;
const JITTER_BAD_MICROS: u32 = 80_000;

impl Measured {
    pub fn loss_pct(&self) -> f64 {
        let expected = self.packets_received + self.packets_lost;
        if expected == 0 { 0.0 } else { self.packets_lost as f64 * 100.0 / expected as f64 }
    }
}

/// Grades by the worst fault; of equally bad ones by the first in the order of the signal path.
pub fn judge(measured: &Measured) -> Quality {
    let loss = measured.loss_pct();
    let jitter = measured.jitter_micros;
    let level = measured.heard_dbov.unwrap_or(i8::MIN);
    let faults = [
        (measured.packets_received == 0, Grade::Bad, Fault::NothingCame),
        (level < SILENT_DBOV, Grade::Bad, Fault::Silent),
        (loss >= LOSS_BAD_PCT, Grade::Bad, Fault::Loss),
        (jitter >= JITTER_BAD_MICROS, Grade::Bad, Fault::Jitter),
        (loss >= LOSS_WEAK_PCT, Grade::Weak, Fault::Loss),
        (jitter >= JITTER_WEAK_MICROS, Grade::Weak, Fault::Jitter),
        (level < QUIET_DBOV, Grade::Weak, Fault::Quiet),
        (level > OVERDRIVEN_DBOV, Grade::Weak, Fault::Overdriven),
    ];
    let found = faults.into_iter().find(|fault| fault.0);
    found.map_or(Quality { grade: Grade::Good, fault: None }, |(_, grade, fault)| Quality {
        grade,
        fault: Some(fault),
    })
}

/// dB below overload of `count` samples whose squares sum up to `energy`: 0 is a full-scale square wave,
/// -127 the floor.
pub fn dbov(energy: u64, count: u64) -> i8 {
    let power = energy as f64 / count.max(1) as f64 / (32_768.0 * 32_768.0);
    (10.0 * power.max(1e-13).log10()).round().clamp(-127.0, 0.0) as i8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_grade() {
        let good =
            Measured { heard_dbov: Some(-20), packets_received: 500, packets_lost: 0, jitter_micros: 2_000 };
        let table = [
            (good, Grade::Good, None),
            (Measured::default(), Grade::Bad, Some(Fault::NothingCame)),
            (Measured { heard_dbov: None, ..good }, Grade::Bad, Some(Fault::Silent)),
            (Measured { heard_dbov: Some(-70), ..good }, Grade::Bad, Some(Fault::Silent)),
            (Measured { heard_dbov: Some(-45), ..good }, Grade::Weak, Some(Fault::Quiet)),
            (Measured { heard_dbov: Some(-3), ..good }, Grade::Weak, Some(Fault::Overdriven)),
            (Measured { packets_lost: 4, ..good }, Grade::Good, None),
            (Measured { packets_lost: 10, ..good }, Grade::Weak, Some(Fault::Loss)),
            (Measured { packets_lost: 50, ..good }, Grade::Bad, Some(Fault::Loss)),
            (Measured { jitter_micros: 40_000, ..good }, Grade::Weak, Some(Fault::Jitter)),
            (Measured { jitter_micros: 90_000, ..good }, Grade::Bad, Some(Fault::Jitter)),
            (Measured { heard_dbov: Some(-45), packets_lost: 50, ..good }, Grade::Bad, Some(Fault::Loss)),
        ];
        for (measured, grade, fault) in table {
            assert_eq!(judge(&measured), Quality { grade, fault }, "{measured:?}");
        }
    }

    #[test]
    fn a_full_scale_sine_is_three_below_overload() {
        let energy: u64 = (0..8_000)
            .map(|n| (32_767.0 * (f64::from(n) * 0.7).sin()) as i64)
            .map(|sample| (sample * sample) as u64)
            .sum();
        assert_eq!(dbov(energy, 8_000), -3);
        assert_eq!(dbov(0, 160), -127);
        assert_eq!(dbov(0, 0), -127);
    }
}
