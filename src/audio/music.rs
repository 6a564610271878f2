//! Hold music, synthesised: four chords under a slow pentatonic melody, sixteen seconds that loop.

use super::{Sound, decibels};
use paceline_core::media::g722;
use std::f64::consts::TAU;
use std::sync::{Arc, LazyLock};

const SECS: usize = 16;
const LEVEL_DBFS: f64 = -20.0;

static MUSIC: LazyLock<Arc<Sound>> = LazyLock::new(|| Arc::new(compose()));

/// Hold music for endless playback; loops without a click in every codec.
pub fn hold_music() -> Arc<Sound> {
    MUSIC.clone()
}

/// Semitones above A3 (220 Hz) of the notes of each four seconds: D, B minor, G, A.
const CHORDS: [[i32; 4]; 4] = [[5, 9, 12, 17], [2, 5, 9, 14], [-2, 2, 10, 14], [0, 4, 7, 12]];
/// One note each half second, from the pentatonic scale; -99 is a rest.
const MELODY: [i32; 32] = [
    21, -99, 24, 26, -99, 24, 21, -99, 17, -99, 21, 24, -99, 21, 19, -99, 14, -99, 17, 19, 21, -99, 19, -99,
    16, -99, 19, 21, -99, 24, 19, -99,
];

fn hertz(half_tones: i32) -> f64 {
    220.0 * 2f64.powf(f64::from(half_tones) / 12.0)
}

fn compose() -> Sound {
    let (mut wide, mut narrow) = (synthesise(16_000), synthesise(8_000));
    let power: f64 =
        narrow.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>() / narrow.len() as f64;
    let gain = 10f64.powf((LEVEL_DBFS - decibels(power.sqrt())) / 20.0) as f32;
    wide.iter_mut().chain(&mut narrow).for_each(|sample| *sample *= gain);
    let once = Sound::from_both("hold music", &wide, &narrow);
    // The G.722 encoder keeps state: encode twice, so that the loop begins with the state of its end.
    let linear = super::linear(&wide, wide.len());
    let mut encoder = g722::Encoder::new();
    encoder.encode(&linear);
    Sound { g722: encoder.encode(&linear).into(), ..once }
}

/// All notes; the decay of the last ones wraps around to the beginning.
fn synthesise(rate: usize) -> Vec<f32> {
    let mut samples = vec![0.0; SECS * rate];
    for (n, chord) in CHORDS.iter().enumerate() {
        for &note in chord {
            add_note(
                &mut samples,
                rate,
                4.0 * n as f64,
                &Note { hz: hertz(note), secs: 5.0, attack: 0.8, loud: 0.5 },
            );
        }
    }
    for (n, &note) in MELODY.iter().enumerate().filter(|(_, note)| **note > -99) {
        add_note(
            &mut samples,
            rate,
            0.5 * n as f64,
            &Note { hz: hertz(note), secs: 2.0, attack: 0.02, loud: 1.0 },
        );
    }
    samples
}

struct Note {
    hz: f64,
    secs: f64,
    attack: f64,
    loud: f64,
}

/// Adds a soft tone with one overtone that decays faster.
fn add_note(samples: &mut [f32], rate: usize, start_secs: f64, note: &Note) {
    let start = (start_secs * rate as f64) as usize;
    for n in 0..(note.secs * rate as f64) as usize {
        let t = n as f64 / rate as f64;
        let rise = (t / note.attack).min(1.0);
        let fall = (-3.0 * t / note.secs).exp() * (1.0 - t / note.secs);
        let tone = (TAU * note.hz * t).sin() + 0.3 * fall * (TAU * 2.0 * note.hz * t).sin();
        let place = (start + n) % samples.len();
        samples[place] += (note.loud * rise * fall * tone) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::media::{Codec, g711};

    #[test]
    fn hold_music_has_its_level_and_loops_without_a_click() {
        let music = hold_music();
        assert_eq!((music.frames(), music.length.as_secs()), (SECS * 50, SECS as u64));
        let once = g711::decode_alaw(music.encoded(Codec::Pcma));
        let power = once.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / once.len() as f64;
        let level = decibels(power.sqrt() / 32_768.0);
        assert!((-21.0..-19.0).contains(&level), "{level:.1} dB");
        assert!(once.iter().all(|sample| sample.unsigned_abs() < 20_000), "no peak near overload");
        let step =
            |samples: &[i16]| samples.windows(2).map(|w| (i32::from(w[0]) - i32::from(w[1])).abs()).max();
        let seam = [once[once.len() - 80..].to_vec(), once[..80].to_vec()].concat();
        assert!(step(&seam) <= step(&once), "the seam is no sharper than the music");
        // More than one pitch: zero crossings at many different distances.
        let mut distances = std::collections::BTreeSet::new();
        let mut last = 0;
        for (n, pair) in once.windows(2).enumerate() {
            if pair[0] < 0 && pair[1] >= 0 {
                distances.insert(n - last);
                last = n;
            }
        }
        assert!(distances.len() > 10, "{distances:?}");
    }

    #[test]
    fn the_seam_of_the_wide_band_is_smooth_too() {
        let coded = hold_music().encoded(Codec::G722).repeat(2);
        let heard = g722::Decoder::new().decode(&coded);
        let jump = |around: usize| {
            heard[around - 200..around + 200]
                .windows(2)
                .map(|w| (i32::from(w[0]) - i32::from(w[1])).abs())
                .max()
        };
        let elsewhere = (1..40).filter_map(|n| jump(8_000 + n * 5_000)).max();
        assert!(jump(SECS * 16_000) <= elsewhere);
    }
}
