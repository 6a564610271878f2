//! Levelling: DC removed, speech brought to about -20 dBFS, peaks held under -3 dBFS by a look-ahead
//! limiter.

use super::decode::Decoded;
use super::{Measured, Refusal, peak};

/// RMS of the parts with sound in them.
const TARGET_DBFS: f64 = -20.0;
const PEAK_DBFS: f64 = -3.0;
/// Maximum gain; more would amplify noise.
const MAX_GAIN_DB: f64 = 36.0;
/// Maximum reduction of peaks by the limiter; beyond that the gain is lowered instead.
const MAX_LIMITING_DB: f64 = 8.0;
/// A file whose level stays below this is silent.
const SILENT_DBFS: f64 = -60.0;
/// Frames this far below the loudest one are pauses.
const PAUSE_DB: f64 = 35.0;
/// Head and tail below this count as silence.
const EDGE_DBFS: f64 = -50.0;
const FRAME_SECS: f64 = 0.02;

pub fn decibels(ratio: f64) -> f64 {
    20.0 * ratio.max(1e-6).log10()
}

fn ratio(decibels: f64) -> f32 {
    10f64.powf(decibels / 20.0) as f32
}

/// Levels the audio at both rates with the same gain. Refuses inaudible files.
pub fn level(decoded: &mut Decoded) -> Result<Measured, Refusal> {
    remove_dc(&mut decoded.wide);
    remove_dc(&mut decoded.narrow);
    let mut measured = measure(decoded);
    if measured.rms_dbfs_in < SILENT_DBFS {
        let found =
            format!("is silent (loudest at {:.0} dB full scale)", decibels(peak(&decoded.narrow).into()));
        return Err(Refusal::new(found, "record it again and listen to it"));
    }
    let wanted = (TARGET_DBFS - measured.rms_dbfs_in).min(MAX_GAIN_DB);
    let loudest = decibels(peak(&decoded.narrow).max(peak(&decoded.wide)).into());
    let gain = ratio(wanted.min(PEAK_DBFS + MAX_LIMITING_DB - loudest));
    for (samples, rate) in [(&mut decoded.wide, 16_000), (&mut decoded.narrow, 8_000)] {
        samples.iter_mut().for_each(|sample| *sample *= gain);
        limit(samples, rate, ratio(PEAK_DBFS));
    }
    measured.rms_dbfs_out = active_dbfs(&decoded.narrow);
    Ok(measured)
}

/// Measurements for the check report.
pub fn measure(decoded: &Decoded) -> Measured {
    let levels: Vec<f64> = frame_levels(&decoded.narrow).collect();
    let silent = |level: &&f64| **level < EDGE_DBFS;
    let head = levels.iter().take_while(silent).count();
    let tail = levels.iter().rev().take_while(silent).count();
    let rms_dbfs_in = active_dbfs(&decoded.narrow);
    let secs = decoded.narrow.len() as f64 / 8_000.0;
    Measured {
        sample_rate: decoded.sample_rate,
        channels: decoded.channels,
        secs,
        secs_claimed: if decoded.claimed_secs > secs + 0.1 { decoded.claimed_secs } else { 0.0 },
        rms_dbfs_in,
        rms_dbfs_out: rms_dbfs_in,
        peak_dbfs_in: decibels(decoded.peak.into()),
        clipped: decoded.clipped,
        silence_head_secs: head as f64 * FRAME_SECS,
        silence_tail_secs: tail as f64 * FRAME_SECS,
    }
}

/// dBFS of each 20 ms.
fn frame_levels(narrow: &[f32]) -> impl Iterator<Item = f64> {
    narrow.chunks(160).map(|frame| {
        let energy: f64 = frame.iter().map(|&sample| f64::from(sample) * f64::from(sample)).sum();
        decibels((energy / frame.len() as f64).sqrt())
    })
}

/// RMS in dBFS of the frames that are not pauses.
fn active_dbfs(narrow: &[f32]) -> f64 {
    let loudest = frame_levels(narrow).fold(-120.0, f64::max);
    let gate = loudest - PAUSE_DB;
    let active: Vec<f64> = frame_levels(narrow).filter(|&level| level >= gate).collect();
    let power: f64 = active.iter().map(|level| 10f64.powf(level / 10.0)).sum();
    10.0 * (power / active.len().max(1) as f64).max(1e-12).log10()
}

fn remove_dc(samples: &mut [f32]) {
    let sum: f64 = samples.iter().map(|&sample| f64::from(sample)).sum();
    let mean = (sum / samples.len().max(1) as f64) as f32;
    samples.iter_mut().for_each(|sample| *sample -= mean);
}

/// Look-ahead limiter: each millisecond gets the gain that its peak needs, or a lower one of its
/// neighbours within 4 ms. Between the middles of milliseconds the gain is interpolated, so it neither
/// clicks nor lets a peak through.
fn limit(samples: &mut [f32], rate: usize, ceiling: f32) {
    const NEIGHBOURS: usize = 4;
    let block = rate / 1_000;
    let needed: Vec<f32> = samples
        .chunks(block)
        .map(|millisecond| (ceiling / peak(millisecond).max(ceiling)).min(1.0))
        .collect();
    if needed.iter().all(|&gain| gain >= 1.0) {
        return;
    }
    let lowest = |at: usize| {
        let around = at.saturating_sub(NEIGHBOURS)..(at + NEIGHBOURS + 1).min(needed.len());
        needed[around].iter().copied().fold(1.0, f32::min)
    };
    let gains: Vec<f32> = (0..needed.len()).map(lowest).collect();
    for (n, sample) in samples.iter_mut().enumerate() {
        let place = n as f32 / block as f32 - 0.5;
        let before = place.max(0.0) as usize;
        let after = (before + 1).min(gains.len() - 1);
        let part = (place - before as f32).clamp(0.0, 1.0);
        let gain = gains[before] + (gains[after] - gains[before]) * part;
        *sample = (*sample * gain).clamp(-ceiling, ceiling);
    }
}
