//! Generated audio: the Chinese tones at 450 Hz, special information tones before announcements, and a
//! speech-like sound. 16-bit samples at 8,000 Hz.

use super::call_scenario::Behaviour;
use super::random::SimRng;
use std::f64::consts::TAU;

/// Samples per second.
pub const RATE: u32 = 8_000;

/// One stretch of tone or silence: frequency in Hz (0 = silence) and milliseconds.
type Step = (f64, u32);

/// Ring-back: one second on, four off.
const RING_BACK: &[Step] = &[(450.0, 1_000), (0.0, 4_000)];
/// Busy: 0.35 s on, 0.35 s off.
const BUSY: &[Step] = &[(450.0, 350), (0.0, 350)];
/// Congestion: 0.7 s on, 0.7 s off.
const CONGESTION: &[Step] = &[(450.0, 700), (0.0, 700)];
/// ITU-T E.180 special information tone: an announcement follows instead of the callee.
const SPECIAL: &[Step] = &[(950.0, 330), (1_400.0, 330), (1_800.0, 330), (0.0, 400)];
/// An answering machine's beep before it records.
const BEEP: &[Step] = &[(0.0, 300), (1_000.0, 400), (0.0, 300)];

const LEVEL: f64 = 6_500.0;

/// One period of the ring-back tone.
pub fn ring_back() -> Vec<i16> {
    tone(RING_BACK)
}

/// About eight seconds of the network's announcement for this behaviour.
pub fn announcement(behaviour: Behaviour) -> Vec<i16> {
    match behaviour {
        Behaviour::Busy => tone(&BUSY.repeat(12)),
        Behaviour::Unreachable => tone(&CONGESTION.repeat(6)),
        other => {
            let mut samples = tone(SPECIAL);
            samples.extend(speech(other as u64, 5_500));
            samples.extend(tone(&[(0.0, 1_000)]));
            samples
        }
    }
}

/// The audio after the answer: a person's short greeting, or a machine's long one with its beep.
pub fn greeting(behaviour: Behaviour) -> Vec<i16> {
    match behaviour {
        Behaviour::Voicemail => {
            let mut samples = speech(99, 6_000);
            samples.extend(tone(BEEP));
            samples
        }
        _ => speech(1, 700),
    }
}

fn tone(steps: &[Step]) -> Vec<i16> {
    let mut samples = Vec::new();
    for (frequency, millis) in steps {
        let length = (millis * RATE / 1_000) as usize;
        samples.extend((0..length).map(|place| {
            // A ramp of 2 ms keeps the keyed tone from clicking.
            let ramp = (place.min(length - 1 - place) as f64 / 16.0).min(1.0);
            (LEVEL * ramp * (TAU * frequency * place as f64 / f64::from(RATE)).sin()) as i16
        }));
    }
    samples
}

/// A voice-like sound: harmonics of a gliding pitch, four syllables a second, a pause after some.
fn speech(voice: u64, millis: u32) -> Vec<i16> {
    let mut rng = SimRng::new(voice);
    let length = (millis * RATE / 1_000) as usize;
    let syllable = RATE as usize / 4;
    let mut samples = Vec::with_capacity(length);
    let mut phase = 0.0;
    while samples.len() < length {
        let pause = rng.chance(0.2);
        let (from, to) = (100.0 + 60.0 * rng.unit(), 90.0 + 50.0 * rng.unit());
        let formant = 2.0 + 6.0 * rng.unit();
        for place in 0..syllable.min(length - samples.len()) {
            let part = place as f64 / syllable as f64;
            phase += TAU * (from + (to - from) * part) / f64::from(RATE);
            let colour: f64 = (1..=12)
                .map(|harmonic| {
                    let distance = (f64::from(harmonic) - formant) / 2.0;
                    (phase * f64::from(harmonic)).sin() * (-distance * distance).exp()
                })
                .sum();
            let envelope = if pause { 0.0 } else { (part * TAU / 2.0).sin().powi(2) };
            samples.push((LEVEL * envelope * colour / 2.0) as i16);
        }
    }
    samples
}

/// The samples as a WAV file: mono, 16 bits.
pub fn wav(samples: &[i16]) -> Vec<u8> {
    let data = samples.len() as u32 * 2;
    let mut bytes = Vec::with_capacity(44 + data as usize);
    bytes.extend(b"RIFF");
    bytes.extend((36 + data).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(RATE.to_le_bytes());
    bytes.extend((RATE * 2).to_le_bytes());
    bytes.extend(2u16.to_le_bytes());
    bytes.extend(16u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Power at a frequency, relative to the whole (Goertzel).
    fn share(samples: &[i16], frequency: f64) -> f64 {
        let turn = TAU * frequency / f64::from(RATE);
        let (mut re, mut im, mut whole) = (0.0, 0.0, 0.0);
        for (place, sample) in samples.iter().enumerate() {
            let sample = f64::from(*sample);
            re += sample * (turn * place as f64).cos();
            im += sample * (turn * place as f64).sin();
            whole += sample * sample;
        }
        2.0 * (re * re + im * im) / (whole * samples.len() as f64).max(1.0)
    }

    /// Whether each 50 ms is loud.
    fn loud(samples: &[i16]) -> Vec<bool> {
        samples.chunks(400).map(|chunk| chunk.iter().any(|sample| sample.abs() > 1_000)).collect()
    }

    #[test]
    fn the_tones_keep_the_chinese_cadence() {
        let ring = ring_back();
        assert_eq!(ring.len(), 5 * RATE as usize);
        assert!(share(&ring[..8_000], 450.0) > 0.95);
        assert_eq!(loud(&ring), [vec![true; 20], vec![false; 80]].concat());
        let busy = announcement(Behaviour::Busy);
        assert_eq!(loud(&busy)[..14], [vec![true; 7], vec![false; 7]].concat());
        let congestion = announcement(Behaviour::Unreachable);
        assert_eq!(loud(&congestion)[..28], [vec![true; 14], vec![false; 14]].concat());
    }

    #[test]
    fn announcements_start_with_the_special_information_tone_and_differ() {
        let vacant = announcement(Behaviour::Vacant);
        for (place, frequency) in [(0, 950.0), (2_640, 1_400.0), (5_280, 1_800.0)] {
            assert!(share(&vacant[place..place + 2_640], frequency) > 0.9, "{frequency}");
        }
        assert_ne!(vacant, announcement(Behaviour::PoweredOff));
        assert_eq!(vacant, announcement(Behaviour::Vacant));
    }

    #[test]
    fn a_machine_speaks_longer_than_a_person() {
        assert!(greeting(Behaviour::Voicemail).len() > 5 * greeting(Behaviour::Answer).len());
        assert!(loud(&greeting(Behaviour::Answer)).contains(&true));
    }

    #[test]
    fn a_wav_says_how_long_it_is() {
        let bytes = wav(&[1, -1, 2]);
        assert_eq!((bytes.len(), &bytes[..4]), (50, &b"RIFF"[..]));
        assert_eq!(bytes[40..44], 6u32.to_le_bytes());
    }
}
