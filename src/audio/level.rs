//! How loud a recording is where it is not silent, and how loud it is sent.

use super::Measured;

/// Active speech is sent at this level (ITU-T P.56 in spirit: pauses do not count).
const TARGET_DBFS: f64 = -20.0;
const PEAK_MAX_DBFS: f64 = -3.0;
const GAIN_MAX_DB: f64 = 30.0;

/// Below this a recording is silent.
pub(super) const SILENCE_DBFS: f64 = -65.0;

/// A stretch of 20 ms more than this below the loudest one is a pause.
const PAUSE_DB: f64 = 30.0;

pub(super) fn measure(mono: &[f32], sample_rate: u32, channels: u16) -> Measured {
    let active = active_dbfs(mono, sample_rate);
    let stretch = stretch_len(sample_rate);
    let floor = (active - PAUSE_DB).max(SILENCE_DBFS);
    let silent = |stretch: &&[f32]| dbfs(power(stretch)) < floor;
    let head = mono.chunks(stretch).take_while(silent).count();
    let tail = mono.rchunks(stretch).take_while(silent).count();
    let peak = mono.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    let secs = |stretches: usize| (stretches * stretch) as f64 / f64::from(sample_rate);
    Measured {
        sample_rate,
        channels,
        secs: mono.len() as f64 / f64::from(sample_rate),
        rms_dbfs_in: active,
        rms_dbfs_out: active,
        peak_dbfs_in: dbfs(f64::from(peak) * f64::from(peak)),
        clipped: 0,
        silence_head_secs: secs(head),
        silence_tail_secs: secs(tail),
    }
}

/// The level over the stretches that are not pauses.
pub(super) fn active_dbfs(mono: &[f32], sample_rate: u32) -> f64 {
    let powers: Vec<f64> = mono.chunks(stretch_len(sample_rate)).map(power).collect();
    let loudest = powers.iter().copied().fold(0.0, f64::max);
    let threshold = loudest / 10f64.powf(PAUSE_DB / 10.0);
    let active: Vec<f64> = powers.into_iter().filter(|power| *power >= threshold && *power > 0.0).collect();
    if active.is_empty() {
        return f64::from(i8::MIN);
    }
    dbfs(active.iter().sum::<f64>() / active.len() as f64)
}

/// Removes a constant offset and brings speech to the level at which it is sent; peaks stay below
/// their limit by turning all of it down, never by clipping.
pub(super) fn adjust(mono: &mut [f32], measured: &Measured) {
    let mean = (mono.iter().map(|sample| f64::from(*sample)).sum::<f64>() / mono.len().max(1) as f64) as f32;
    let peak = mono.iter().fold(0.0f32, |peak, sample| peak.max((sample - mean).abs()));
    let wanted = (TARGET_DBFS - measured.rms_dbfs_in).min(GAIN_MAX_DB);
    let room = PEAK_MAX_DBFS - dbfs(f64::from(peak) * f64::from(peak));
    let gain = 10f64.powf(wanted.min(room) / 20.0) as f32;
    for sample in mono {
        *sample = (*sample - mean) * gain;
    }
}

pub(super) fn to_linear(mono: &[f32]) -> Vec<i16> {
    mono.iter().map(|sample| (sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16).collect()
}

fn stretch_len(sample_rate: u32) -> usize {
    (sample_rate as usize / 50).max(1)
}

fn power(samples: &[f32]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64
}

fn dbfs(power: f64) -> f64 {
    10.0 * power.max(1e-13).log10()
}
