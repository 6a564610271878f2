//! Keys as tones in the audio (ITU-T Q.23, Q.24): for far ends that send no telephone events. Eight Goertzel filters
//! over half blocks of 6.4 ms; two half blocks make a window, and a key must stand in several windows in a row.

use super::resample::Downsampler;
use super::{Codec, g711, g722};
use crate::call::Digit;
use std::f32::consts::TAU;

/// Frequencies of the rows and columns of the keypad, in Hz.
const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYPAD: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];
const SAMPLE_RATE: f32 = 8_000.0;

/// Samples of half a window (6.4 ms). Two neighbouring tones are 73 Hz apart, a window resolves 78 Hz.
const HALF: usize = 51;
const WINDOW: f32 = 2.0 * HALF as f32;

/// Windows in a row that must hold the key: at least 32 ms of tone, at most 40 ms (Q.24: 40 ms is a key, 24 ms none).
const WINDOWS_OF_KEY: usize = 4;
/// Windows in a row without the key that end it: more than an interruption of 10 ms makes, fewer than a pause of
/// 40 ms.
const WINDOWS_OF_PAUSE: u8 = 5;
/// Least level of each tone: -34 dBm0, as the square of the amplitude in samples. (Q.24: at least -25 dBm0 are keys
/// for AT&T, -24 for NTT; the weaker group may be 8 dB below. A full-scale sine is +3.14 dBm0.)
const LEAST_POWER: f32 = 200_000.0;
/// The high group may be stronger by 4 dB and weaker by 8 dB (Q.24); the weaker tone is measured through the
/// leakage of the stronger one, to within 2 dB.
const HIGH_GROUP_STRONGER: f32 = 3.2;
const LOW_GROUP_STRONGER: f32 = 10.5;
/// Share of the two tones in the power of the window. Speech and music are never so pure for long.
const PURITY: f32 = 0.82;
/// The strongest of a group over each other one: 8 dB.
const OVER_OTHERS: f32 = 6.3;
/// Q.24: 1.5 % off is accepted, 3.5 % refused.
const OFF_FREQUENCY: f32 = 0.025;
/// Strongest over weakest window of a key: a key press is steady, a voice is not.
const STEADY: f32 = 2.5;
/// A gap in the stream up to this (60 ms) is packet loss, not a pause between two keys.
const LOST: u32 = 480;

type Complex = [f32; 2];

/// The audio of half a window: each filter's output and the power.
#[derive(Clone, Copy, Default)]
struct HalfBlock {
    tones: [Complex; 8],
    energy: f32,
}

/// The strongest tones of one window, if they can be a key.
#[derive(Clone, Copy)]
struct Window {
    row: usize,
    column: usize,
    /// Outputs of the two filters.
    tones: [Complex; 2],
    energy: f32,
}

/// Finds keys in the samples of one leg, 8,000 a second.
#[derive(Clone)]
pub struct ToneDetector {
    samples: [f32; HALF],
    filled: usize,
    last: Option<HalfBlock>,
    windows: [Option<Window>; WINDOWS_OF_KEY],
    /// The key that stands now, and the windows since it was last seen.
    standing: Option<(Digit, u8)>,
    filters: &'static [Filter; 8],
}

/// Constants of one frequency.
struct Filter {
    /// 2 cos(w).
    coefficient: f32,
    cos: f32,
    sin: f32,
    /// Rotation of a half block: e^(-iwN).
    shift: Complex,
}

static FILTERS: std::sync::LazyLock<[Filter; 8]> = std::sync::LazyLock::new(|| {
    let frequencies: [f32; 8] = std::array::from_fn(|n| if n < 4 { ROWS[n] } else { COLUMNS[n - 4] });
    frequencies.map(|frequency| {
        let w = TAU * frequency / SAMPLE_RATE;
        let shift = w * HALF as f32;
        Filter { coefficient: 2.0 * w.cos(), cos: w.cos(), sin: w.sin(), shift: [shift.cos(), -shift.sin()] }
    })
});

impl Default for ToneDetector {
    fn default() -> Self {
        ToneDetector {
            samples: [0.0; HALF],
            filled: 0,
            last: None,
            windows: [None; WINDOWS_OF_KEY],
            standing: None,
            filters: &FILTERS,
        }
    }
}

impl ToneDetector {
    /// Takes samples that follow the last ones; `found` gets each key once, 40 ms after it began at the latest.
    pub fn push(&mut self, samples: impl IntoIterator<Item = i16>, mut found: impl FnMut(Digit)) {
        for sample in samples {
            self.samples[self.filled] = f32::from(sample);
            self.filled += 1;
            if self.filled == HALF {
                self.filled = 0;
                if let Some(digit) = self.half_block() {
                    found(digit);
                }
            }
        }
    }

    /// Samples are missing here: what comes next is not in phase. The key that stood before stands on.
    pub fn interrupt(&mut self) {
        self.filled = 0;
        self.last = None;
        self.windows = [None; WINDOWS_OF_KEY];
    }

    fn half_block(&mut self) -> Option<Digit> {
        let energy = self.samples.iter().map(|sample| sample * sample).sum::<f32>();
        let mut half = HalfBlock { tones: [[0.0; 2]; 8], energy };
        // Silence and faint sounds cost no filters.
        if energy >= LEAST_POWER * HALF as f32 / 2.0 {
            half.tones = goertzel(&self.samples, self.filters);
        }
        let window = self.last.and_then(|last| self.window(&last, &half));
        self.last = Some(half);
        self.windows.rotate_left(1);
        self.windows[WINDOWS_OF_KEY - 1] = window;
        let digit = self.key();
        match (&mut self.standing, digit) {
            (Some((standing, pause)), Some(digit)) if *standing == digit => *pause = 0,
            (_, Some(digit)) => {
                self.standing = Some((digit, 0));
                return Some(digit);
            }
            // Part of the key is enough to go on: only its begin needs all windows.
            (Some((standing, pause)), None) => {
                if window.is_some_and(|window| window.digit() == Some(*standing)) {
                    *pause = 0;
                } else {
                    *pause += 1;
                    if *pause >= WINDOWS_OF_PAUSE {
                        self.standing = None;
                    }
                }
            }
            (None, None) => {}
        }
        None
    }

    /// The window of two half blocks, unless it cannot be a key by level, group or neighbours.
    fn window(&self, first: &HalfBlock, second: &HalfBlock) -> Option<Window> {
        let energy = first.energy + second.energy;
        if energy < LEAST_POWER * WINDOW {
            return None;
        }
        let tones: [Complex; 8] = std::array::from_fn(|n| {
            let turned = multiply(second.tones[n], self.filters[n].shift);
            [first.tones[n][0] + turned[0], first.tones[n][1] + turned[1]]
        });
        let power = tones.map(square);
        let strongest = |group: &[f32]| {
            (0..4).max_by(|&a, &b| group[a].total_cmp(&group[b])).filter(|&best| {
                group.iter().enumerate().all(|(n, &other)| n == best || group[best] >= other * OVER_OTHERS)
            })
        };
        let (row, column) = (strongest(&power[..4])?, strongest(&power[4..])?);
        Some(Window { row, column, tones: [tones[row], tones[4 + column]], energy })
    }

    /// The key that stands in all of the last windows.
    fn key(&self) -> Option<Digit> {
        let mut windows = [Window::default(); WINDOWS_OF_KEY];
        for (window, known) in windows.iter_mut().zip(&self.windows) {
            *window = (*known)?;
        }
        let Window { row, column, .. } = windows[0];
        if windows.iter().any(|window| (window.row, window.column) != (row, column)) {
            return None;
        }
        let energies = windows.map(|window| window.energy);
        let strongest = energies.iter().copied().fold(0.0, f32::max);
        let weakest = energies.iter().copied().fold(f32::MAX, f32::min);
        if strongest > weakest * STEADY {
            return None;
        }
        let mut shares = [1.0; 2];
        for (tone, share) in shares.iter_mut().enumerate() {
            let frequency = if tone == 0 { ROWS[row] } else { COLUMNS[column] };
            let filter = &self.filters[if tone == 0 { row } else { 4 + column }];
            let off = off_frequency(&windows.map(|window| window.tones[tone]), filter);
            if off.abs() > frequency * OFF_FREQUENCY {
                return None;
            }
            // A tone beside the middle of its filter is stronger than the filter says.
            let x = std::f32::consts::PI * off * WINDOW / SAMPLE_RATE;
            *share = if x.abs() < 0.01 { 1.0 } else { (x.sin() / x).powi(2) };
        }
        let pure = windows.iter().all(|window| {
            // Of a tone of amplitude A a filter gives (A N / 2)^2, and the energy is A^2 N / 2.
            let [low, high] = [0, 1].map(|tone| square(window.tones[tone]) / shares[tone] * 2.0 / WINDOW);
            let level = LEAST_POWER * WINDOW / 2.0;
            low >= level
                && high >= level
                && high <= low * HIGH_GROUP_STRONGER
                && low <= high * LOW_GROUP_STRONGER
                && low + high >= window.energy * PURITY
        });
        if pure { windows[0].digit() } else { None }
    }
}

impl Default for Window {
    fn default() -> Self {
        Window { row: 0, column: 0, tones: [[0.0; 2]; 2], energy: 0.0 }
    }
}

impl Window {
    fn digit(&self) -> Option<Digit> {
        Digit::from_char(KEYPAD[self.row][self.column])
    }
}

/// By how many Hz a tone is off its filter, by the turn of its phase from window to window: over one half block
/// roughly, over two exactly.
fn off_frequency(windows: &[Complex; WINDOWS_OF_KEY], filter: &Filter) -> f32 {
    let turn = |apart: usize| {
        let sum = (0..WINDOWS_OF_KEY - apart).fold([0.0; 2], |sum: Complex, n| {
            let [a, b] = multiply(windows[n + apart], [windows[n][0], -windows[n][1]]);
            [sum[0] + a, sum[1] + b]
        });
        // What the filter's own frequency turns in that time is no deviation.
        let sum = (0..apart).fold(sum, |sum, _| multiply(sum, filter.shift));
        sum[1].atan2(sum[0])
    };
    let rough = turn(1) * SAMPLE_RATE / (TAU * HALF as f32);
    let exact = turn(2) * SAMPLE_RATE / (TAU * WINDOW);
    let cycle = SAMPLE_RATE / WINDOW;
    exact + ((rough - exact) / cycle).round() * cycle
}

/// The Fourier sums of half a block at the eight frequencies, with the phase of its first sample.
fn goertzel(samples: &[f32; HALF], filters: &[Filter; 8]) -> [Complex; 8] {
    let coefficients: [f32; 8] = std::array::from_fn(|n| filters[n].coefficient);
    let (mut last, mut before) = ([0.0f32; 8], [0.0f32; 8]);
    for &sample in samples {
        for n in 0..8 {
            let next = sample + coefficients[n] * last[n] - before[n];
            (before[n], last[n]) = (last[n], next);
        }
    }
    std::array::from_fn(|n| {
        let Filter { cos, sin, shift, .. } = &filters[n];
        // sum x[k] e^(iw(N-1-k)), turned back to the first sample by e^(-iw(N-1)).
        let end = [last[n] - before[n] * cos, before[n] * sin];
        multiply(end, multiply(*shift, [*cos, *sin]))
    })
}

fn multiply(a: Complex, b: Complex) -> Complex {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}

fn square(a: Complex) -> f32 {
    a[0] * a[0] + a[1] * a[1]
}

/// Listens to the received packets of one leg.
#[derive(Default)]
pub struct ToneListener {
    detector: ToneDetector,
    /// SSRC and timestamp of the packet that should come next.
    next: Option<(u32, u32)>,
    wide: Option<Box<WideDecoder>>,
}

/// G.722 to samples at 8,000 a second.
#[derive(Default)]
struct WideDecoder {
    decoder: g722::Decoder,
    downsampler: Downsampler,
    coded: Vec<u8>,
}

impl ToneListener {
    /// Takes one packet; late ones are left out. `found` gets each key once.
    pub fn packet(
        &mut self,
        codec: Codec,
        ssrc: u32,
        timestamp: u32,
        payload: &[u8],
        mut found: impl FnMut(Digit),
    ) {
        let missing = match self.next {
            Some((known, next)) if known == ssrc => timestamp.wrapping_sub(next),
            _ => 0,
        };
        match missing {
            0 => {}
            1..=LOST => self.detector.interrupt(),
            _ if missing > u32::MAX / 2 => return,
            // A longer gap is a pause.
            _ => {
                self.detector.interrupt();
                self.detector.standing = None;
            }
        }
        self.next = Some((ssrc, timestamp.wrapping_add(payload.len() as u32)));
        match codec {
            Codec::Pcma => {
                self.detector.push(payload.iter().map(|&byte| g711::linear_from_alaw(byte)), &mut found);
            }
            Codec::Pcmu => {
                self.detector.push(payload.iter().map(|&byte| g711::linear_from_ulaw(byte)), &mut found);
            }
            Codec::G722 => {
                let WideDecoder { decoder, downsampler, coded } = &mut **self.wide.get_or_insert_default();
                // The decoder takes 20 ms at a time; packets may hold less.
                for &byte in payload {
                    coded.push(byte);
                    let Some(frame) = coded.first_chunk::<160>() else { continue };
                    let (mut wide, mut narrow) = ([0; 320], [0; 160]);
                    decoder.decode_frame(frame, &mut wide);
                    downsampler.frame(&wide, &mut narrow);
                    coded.clear();
                    self.detector.push(narrow, &mut found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Amplitude of a sine at this level; full scale of mu-law is +3.17 dBm0.
    fn amplitude(dbm0: f64) -> f64 {
        32_124.0 * 10f64.powf((dbm0 - 3.17) / 20.0)
    }

    /// Samples of a call, built part by part.
    #[derive(Default)]
    struct Line(Vec<f64>);

    impl Line {
        fn silence(mut self, ms: usize) -> Self {
            self.0.resize(self.0.len() + ms * 8, 0.0);
            self
        }

        /// Two sines: frequency and level in dBm0 of each.
        fn tones(mut self, ms: f64, low: (f64, f64), high: (f64, f64)) -> Self {
            let from = self.0.len();
            for n in 0..(ms * 8.0) as usize {
                let t = (from + n) as f64 / 8_000.0 * std::f64::consts::TAU;
                let sine = |(hz, level): (f64, f64)| amplitude(level) * (hz * t).sin();
                self.0.push(sine(low) + sine(high));
            }
            self
        }

        fn key(self, key: char, ms: f64, level: f64) -> Self {
            let (low, high) = frequencies(key);
            self.tones(ms, (low, level), (high, level))
        }

        fn noise(mut self, dbm0: f64, random: &mut ChaCha8Rng) -> Self {
            // White noise of this power.
            let peak = amplitude(dbm0) / 2f64.sqrt() * 3f64.sqrt();
            self.0.iter_mut().for_each(|sample| *sample += random.random_range(-peak..peak));
            self
        }

        /// The keys that are found after coding, in packets of 20 ms.
        fn heard_as(&self, codec: Codec) -> String {
            let linear: Vec<i16> = self.0.iter().map(|sample| *sample as i16).collect();
            let coded = match codec {
                Codec::Pcma => g711::encode_alaw(&linear),
                Codec::Pcmu => g711::encode_ulaw(&linear),
                Codec::G722 => {
                    let mut upsampler = super::super::resample::Upsampler::new();
                    let wide: Vec<i16> = linear
                        .as_chunks::<160>()
                        .0
                        .iter()
                        .flat_map(|frame| {
                            let mut wide = [0; 320];
                            upsampler.frame(frame, &mut wide);
                            wide
                        })
                        .collect();
                    g722::Encoder::new().encode(&wide)
                }
            };
            packets(&coded, codec, |_| true)
        }

        fn heard(&self) -> String {
            self.heard_as(Codec::Pcma)
        }
    }

    fn packets(coded: &[u8], codec: Codec, keep: impl Fn(usize) -> bool) -> String {
        let mut listener = ToneListener::default();
        let mut heard = String::new();
        for (n, payload) in coded.chunks(160).enumerate().filter(|(n, _)| keep(*n)) {
            listener.packet(codec, 1, n as u32 * 160, payload, |digit| heard.push(digit.as_char()));
        }
        heard
    }

    fn frequencies(key: char) -> (f64, f64) {
        let place = (0..16).find(|n| KEYPAD[n / 4][n % 4] == key).unwrap();
        (f64::from(ROWS[place / 4]), f64::from(COLUMNS[place % 4]))
    }

    const KEYS: &str = "123A456B789C*0#D";

    #[test]
    fn every_key_is_heard_in_every_codec_at_every_level() {
        for codec in Codec::ALL {
            for level in [-25.0, -20.0, -10.0, -4.0] {
                let line = KEYS
                    .chars()
                    .fold(Line::default().silence(33), |line, key| line.key(key, 80.0, level).silence(80));
                assert_eq!(line.silence(200).heard_as(codec), KEYS, "{codec:?} at {level} dBm0");
            }
        }
    }

    #[test]
    fn forty_milliseconds_are_a_key_and_a_pause_and_twenty_four_are_neither() {
        for shift in 0..20 {
            let line = |ms: f64, pause: usize| {
                let line = Line::default().silence(100 + shift);
                KEYS.chars()
                    .fold(line, |line, key| line.key(key, ms, -10.0).key(key, 0.0, 0.0).silence(pause))
            };
            assert_eq!(line(40.0, 40).silence(100).heard(), KEYS, "shift {shift}");
            assert_eq!(line(23.0, 60).silence(100).heard(), "", "shift {shift}");
            let twice =
                Line::default().silence(100 + shift).key('5', 40.0, -10.0).silence(40).key('5', 40.0, -10.0);
            assert_eq!(twice.silence(100).heard(), "55", "shift {shift}");
            let broken =
                Line::default().silence(100 + shift).key('5', 60.0, -10.0).silence(10).key('5', 60.0, -10.0);
            assert_eq!(broken.silence(100).heard(), "5", "an interruption of 10 ms, shift {shift}");
        }
    }

    #[test]
    fn frequencies_are_accepted_within_one_and_a_half_percent_and_refused_from_three_and_a_half() {
        for key in KEYS.chars() {
            let (low, high) = frequencies(key);
            for twist in [-4.0, 0.0, 4.0] {
                for off in [-0.015, -0.007, 0.007, 0.015] {
                    for (low_off, high_off) in [(off, 0.0), (0.0, off), (off, off), (off, -off)] {
                        let line = Line::default().silence(57).tones(
                            60.0,
                            (low * (1.0 + low_off), -12.0 - twist / 2.0),
                            (high * (1.0 + high_off), -12.0 + twist / 2.0),
                        );
                        assert_eq!(
                            line.silence(60).heard(),
                            key.to_string(),
                            "{low_off} {high_off}, twist {twist}"
                        );
                    }
                }
                for off in [-0.06, -0.045, -0.035, 0.035, 0.045, 0.06] {
                    for (low_off, high_off) in [(off, 0.0), (0.0, off)] {
                        let line = Line::default().silence(57).tones(
                            200.0,
                            (low * (1.0 + low_off), -12.0 - twist / 2.0),
                            (high * (1.0 + high_off), -12.0 + twist / 2.0),
                        );
                        assert_eq!(
                            line.silence(60).heard(),
                            "",
                            "{key}: {low_off} {high_off}, twist {twist}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_high_group_may_be_four_stronger_or_eight_weaker() {
        for key in KEYS.chars() {
            let (low, high) = frequencies(key);
            for (low_level, high_level, wanted) in [
                (-14.0, -10.0, true),
                (-10.0, -18.0, true),
                (-17.0, -25.0, true),
                (-20.0, -10.0, false),
                (-10.0, -23.0, false),
                (-40.0, -40.0, false),
            ] {
                let line =
                    Line::default().silence(57).tones(60.0, (low, low_level), (high, high_level)).silence(60);
                let wanted = if wanted { key.to_string() } else { String::new() };
                assert_eq!(line.heard(), wanted, "{key} at {low_level}, {high_level}");
            }
        }
    }

    #[test]
    fn keys_are_heard_through_noise_and_packet_loss() {
        for seed in 0..20 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let keys: String =
                (0..20).map(|_| KEYS.chars().nth(random.random_range(0..16)).unwrap()).collect();
            let line = keys.chars().fold(Line::default().silence(60), |line, key| {
                let (tone, pause) = (random.random_range(60..200), random.random_range(60..300));
                line.key(key, f64::from(tone), -12.0).silence(pause)
            });
            let line = line.silence(200).noise(-27.0, &mut random);
            assert_eq!(line.heard(), keys, "seed {seed}");
        }
        // A lost packet inside a long key is no second key.
        let line = Line::default().silence(100).key('7', 300.0, -10.0).silence(100);
        let coded = g711::encode_alaw(&line.0.iter().map(|sample| *sample as i16).collect::<Vec<_>>());
        for lost in 0..25 {
            assert_eq!(packets(&coded, Codec::Pcma, |n| n != lost && n != lost + 1), "7", "lost {lost}");
        }
    }

    #[test]
    fn packets_of_any_length_hold_keys() {
        let line = Line::default().silence(100).key('7', 100.0, -10.0).silence(100);
        let linear: Vec<i16> = line.0.iter().map(|sample| *sample as i16).collect();
        for length in [80, 240, 320, 480] {
            let (mut listener, mut heard, mut clock) = (ToneListener::default(), 0, 0);
            for payload in g711::encode_alaw(&linear).chunks(length) {
                listener.packet(Codec::Pcma, 1, clock, payload, |_| heard += 1);
                clock += payload.len() as u32;
            }
            assert_eq!(heard, 1, "{length} bytes");
        }
    }

    /// Speech as a source with its formants: pitch, formants and loudness wander and jump.
    fn speech(secs: usize, seed: u64) -> Line {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut samples = Vec::with_capacity(secs * 8_000);
        let (mut phase, mut pitch) = (0.0f64, 150.0f64);
        let mut formants = [(500.0, 60.0), (1_500.0, 90.0), (2_500.0, 120.0)];
        let mut targets = formants;
        let mut state = [[0.0f64; 2]; 3];
        let mut loud = 1.0;
        for n in 0..secs * 8_000 {
            if n % 640 == 0 {
                pitch = (pitch * random.random_range(0.85..1.18)).clamp(80.0, 400.0);
                targets = [
                    (random.random_range(250.0..950.0), random.random_range(30.0..120.0)),
                    (random.random_range(900.0..2_400.0), random.random_range(40.0..150.0)),
                    (random.random_range(2_000.0..3_400.0), 150.0),
                ];
                loud = if random.random_bool(0.2) { 0.0 } else { random.random_range(0.3..1.0) };
            }
            for (formant, target) in formants.iter_mut().zip(targets) {
                formant.0 += (target.0 - formant.0) * 0.005;
                formant.1 += (target.1 - formant.1) * 0.005;
            }
            phase += pitch / 8_000.0;
            let mut sample = if phase >= 1.0 { 1.0 } else { 0.0 } + random.random_range(-0.02..0.02);
            phase -= phase.floor();
            let mut out = 0.0;
            for ((hz, bandwidth), state) in formants.iter().zip(&mut state) {
                let r = (-std::f64::consts::PI * bandwidth / 8_000.0).exp();
                let w = std::f64::consts::TAU * hz / 8_000.0;
                let next = sample * (1.0 - r) + 2.0 * r * w.cos() * state[0] - r * r * state[1];
                *state = [next, state[0]];
                out += next;
                sample *= 0.7;
            }
            samples.push((out * loud * 60_000.0).clamp(-32_000.0, 32_000.0));
        }
        Line(samples)
    }

    #[test]
    fn speech_holds_no_keys() {
        for seed in 0..5 {
            assert_eq!(speech(60, seed).heard(), "", "seed {seed}");
        }
    }

    #[test]
    fn keys_are_heard_over_the_echo_of_an_announcement() {
        for (seed, echo_db) in [(1, -10.0), (2, -20.0), (3, -30.0)] {
            let keys = KEYS
                .chars()
                .fold(Line::default().silence(400), |line, key| line.key(key, 90.0, -9.0).silence(200));
            // An announcement is sent at about -16 dBm0 while sound is in it.
            let echo = speech(6, seed);
            let power = echo.0.iter().map(|sample| sample * sample).sum::<f64>() / echo.0.len() as f64;
            let gain = amplitude(-16.0 + echo_db) / 2f64.sqrt() / power.sqrt();
            let mixed = keys.0.iter().zip(&echo.0).map(|(key, echo)| key + gain * echo).collect();
            assert_eq!(Line(mixed).heard(), KEYS, "echo {echo_db} dB, seed {seed}");
        }
    }
}
