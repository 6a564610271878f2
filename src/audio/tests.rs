//! Files made here byte by byte, and what becomes of them.

use super::*;
use std::f64::consts::TAU;

fn sine(hz: f64, rate: u32, secs: f64, level: f64) -> Vec<f64> {
    (0..(f64::from(rate) * secs) as usize)
        .map(|n| level * (TAU * hz * n as f64 / f64::from(rate)).sin())
        .collect()
}

/// A WAV file: format tag, bits, and how one sample becomes bytes.
fn wav(
    tag: u16,
    bits: u16,
    channels: u16,
    rate: u32,
    samples: &[f64],
    put: impl Fn(f64) -> Vec<u8>,
) -> Vec<u8> {
    let data: Vec<u8> = samples
        .iter()
        .flat_map(|sample| (0..channels).flat_map(|_| put(*sample)).collect::<Vec<u8>>())
        .collect();
    let block = channels * bits / 8;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0");
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(block)).to_le_bytes());
    file.extend(block.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

fn pcm16(channels: u16, rate: u32, samples: &[f64]) -> Vec<u8> {
    wav(1, 16, channels, rate, samples, |s| ((s * 32_767.0) as i16).to_le_bytes().to_vec())
}

fn load(bytes: &[u8], name: &str) -> Result<Sound, String> {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join(name);
    std::fs::write(&file, bytes).expect("written");
    Sound::load(&file).map_err(|error| error.to_string())
}

/// The power of one frequency, as a share of all of it.
fn purity(samples: &[i16], hz: f64, rate: f64) -> f64 {
    let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let (x, angle) = (f64::from(*sample), TAU * hz * n as f64 / rate);
        re += x * angle.cos();
        im += x * angle.sin();
        all += x * x;
    }
    2.0 * (re * re + im * im) / (samples.len() as f64 * all)
}

#[test]
fn every_usual_wav_plays_at_the_right_pitch_and_length() {
    for rate in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000] {
        for channels in [1, 2] {
            let sound =
                load(&pcm16(channels, rate, &sine(1_000.0, rate, 1.0, 0.5)), "a.wav").expect("a sound");
            assert_eq!(sound.length, Duration::from_secs(1), "{rate} Hz");
            assert_eq!((sound.measured.sample_rate, sound.measured.channels), (rate, channels));
            let heard = g711::decode_alaw(sound.encoded(Codec::Pcma));
            let share = purity(&heard[800..7200], 1_000.0, 8_000.0);
            assert!(share > 0.99, "{rate} Hz, {channels} channels: {share}");
            let wide = g722::Decoder::new().decode(sound.encoded(Codec::G722));
            let share = purity(&wide[1600..14_400], 1_000.0, 16_000.0);
            assert!(share > 0.99, "G.722 from {rate} Hz: {share}");
        }
    }
}

#[test]
fn every_usual_depth_is_read() {
    let samples = sine(700.0, 8_000, 0.5, 0.4);
    let files = [
        ("8 bit", wav(1, 8, 1, 8_000, &samples, |s| vec![(s * 127.0 + 128.0) as u8])),
        (
            "24 bit",
            wav(1, 24, 1, 8_000, &samples, |s| ((s * 8_388_607.0) as i32).to_le_bytes()[..3].to_vec()),
        ),
        ("32 bit", wav(1, 32, 1, 8_000, &samples, |s| ((s * 2_147_483_000.0) as i32).to_le_bytes().to_vec())),
        ("float", wav(3, 32, 1, 8_000, &samples, |s| (s as f32).to_le_bytes().to_vec())),
        ("double", wav(3, 64, 1, 8_000, &samples, |s| s.to_le_bytes().to_vec())),
        ("A-law", wav(6, 8, 1, 8_000, &samples, |s| vec![g711::alaw_from_linear((s * 32_767.0) as i16)])),
        ("mu-law", wav(7, 8, 1, 8_000, &samples, |s| vec![g711::ulaw_from_linear((s * 32_767.0) as i16)])),
    ];
    for (what, bytes) in files {
        let sound = load(&bytes, "a.wav").unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(sound.length, Duration::from_millis(500), "{what}");
        let heard = g711::decode_ulaw(sound.encoded(Codec::Pcmu));
        let share = purity(&heard[400..3600], 700.0, 8_000.0);
        assert!(share > 0.98, "{what}: {share}");
    }
}

#[test]
fn quiet_and_loud_recordings_are_sent_at_one_level() {
    for level in [0.005, 0.05, 0.9] {
        let sound = load(&pcm16(1, 16_000, &sine(500.0, 16_000, 1.0, level)), "a.wav").expect("a sound");
        assert!((sound.measured.rms_dbfs_out + 20.0).abs() < 0.5, "{level}: {:?}", sound.measured);
    }
}

#[test]
fn what_would_alias_is_filtered_out() {
    let mut samples = sine(1_000.0, 44_100, 1.0, 0.2);
    for (sample, high) in samples.iter_mut().zip(sine(7_000.0, 44_100, 1.0, 0.2)) {
        *sample += high;
    }
    let sound = load(&pcm16(1, 44_100, &samples), "a.wav").expect("a sound");
    let heard = g711::decode_alaw(sound.encoded(Codec::Pcma));
    // 7 kHz would come back as 1 kHz's neighbour: 8 - 7 = 1 kHz exactly; so ask for purity and level.
    let share = purity(&heard[800..7200], 1_000.0, 8_000.0);
    assert!(share > 0.98, "{share}");
}

#[test]
fn what_cannot_be_played_is_refused_in_words() {
    let check = |bytes: &[u8], name: &str, expected: &str| {
        let error = load(bytes, name).expect_err(expected);
        assert!(error.contains(expected) && error.contains(name), "{error}\nshould say {expected}");
    };
    check(b"", "a.wav", "it is empty");
    check(b"\x7fELF\x02\x01\x01", "a.mp3", "it is a program");
    check(b"<!doctype html><html>", "a.mp3", "a web page");
    check(b"%PDF-1.7", "a.wav", "a PDF");
    check(b"OggS\0\x02", "a.wav", "Ogg");
    check(b"\0\0\0\x20ftypM4A ", "a.mp3", "M4A or MP4");
    check(b"fLaC\0\0\0\x22", "a.wav", "FLAC");
    check(&pcm16(1, 8_000, &[0.0; 8_000]), "a.wav", "nothing but silence");
    check(&pcm16(1, 8_000, &[]), "a.wav", "no sound");
    check(&pcm16(1, 8_000, &sine(500.0, 8_000, 1.0, 0.5))[..30], "a.wav", "not a WAV or MP3");
    check(&vec![0x55; 4_000], "a.mp3", "not a WAV or MP3");
    let long = pcm16(1, 8_000, &sine(500.0, 8_000, 601.0, 0.5));
    check(&long, "a.wav", "longer than 10 minutes");
}

#[test]
fn a_cut_off_tail_plays_as_far_as_it_goes() {
    let whole = pcm16(1, 8_000, &sine(500.0, 8_000, 2.0, 0.5));
    let sound = load(&whole[..whole.len() / 2], "a.wav").expect("a sound");
    assert!(sound.length >= Duration::from_millis(900) && sound.length <= Duration::from_millis(1_100));
}

#[test]
fn random_damage_never_panics() {
    use rand::{RngExt, SeedableRng};
    let whole = pcm16(2, 22_050, &sine(500.0, 22_050, 0.2, 0.5));
    for seed in 0..300 {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = whole.clone();
        for _ in 0..random.random_range(1..20) {
            let most = if random.random_bool(0.7) { 60 } else { bytes.len() };
            let at = random.random_range(0..most);
            bytes[at] = random.random();
        }
        bytes.truncate(random.random_range(0..=bytes.len()));
        let _ = load(&bytes, "a.wav");
    }
}
