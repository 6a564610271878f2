//! Decoding, levelling and encoding of audio files that are built byte by byte here.

use super::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;

const CBR: &[u8] = include_bytes!("../../tests/fixtures/audio/cbr_mono_16k.mp3");
const VBR: &[u8] = include_bytes!("../../tests/fixtures/audio/vbr_stereo_44k.mp3");

#[derive(Clone, Copy, Debug)]
enum Coding {
    Int(u16),
    Float(u16),
    Alaw,
    Ulaw,
}

/// A WAV file with these interleaved samples (-1 to 1).
fn wav(coding: Coding, rate: u32, channels: u16, samples: impl IntoIterator<Item = f64>) -> Vec<u8> {
    let (tag, bits) = match coding {
        Coding::Int(bits) => (1u16, bits),
        Coding::Float(bits) => (3, bits),
        Coding::Alaw => (6, 8),
        Coding::Ulaw => (7, 8),
    };
    let mut data = Vec::new();
    for sample in samples {
        let whole = |bits: u32| (sample * 2f64.powi(bits as i32 - 1)) as i64;
        match coding {
            Coding::Int(8) => data.push((sample * 127.0 + 128.0) as u8),
            Coding::Int(bits) => {
                data.extend(&whole(bits.into()).to_le_bytes()[..usize::from(bits / 8)]);
            }
            Coding::Float(32) => data.extend((sample as f32).to_le_bytes()),
            Coding::Float(_) => data.extend(sample.to_le_bytes()),
            Coding::Alaw => data.push(g711::alaw_from_linear(whole(16) as i16)),
            Coding::Ulaw => data.push(g711::ulaw_from_linear(whole(16) as i16)),
        }
    }
    let block = channels * bits / 8;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16u32.to_le_bytes());
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

fn sine(hz: f64, rate: u32, amplitude: f64, secs: f64) -> impl Iterator<Item = f64> {
    let count = (f64::from(rate) * secs) as u32;
    (0..count).map(move |n| amplitude * (TAU * hz * f64::from(n) / f64::from(rate)).sin())
}

fn heard(sound: &Sound, codec: Codec) -> Vec<i16> {
    let bytes = sound.encoded(codec);
    match codec {
        Codec::Pcma => g711::decode_alaw(bytes),
        Codec::Pcmu => g711::decode_ulaw(bytes),
        Codec::G722 => g722::Decoder::new().decode(bytes),
    }
}

/// (amplitude of this frequency, RMS of all else) in full scale, over the middle of the samples.
fn purity(samples: &[i16], rate: f64, hz: f64) -> (f64, f64) {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let wave = |n: usize| (TAU * hz * n as f64 / rate).sin_cos();
    let (mut a, mut b) = (0.0, 0.0);
    for (n, &sample) in middle.iter().enumerate() {
        let (sin, cos) = wave(n);
        a += f64::from(sample) / 32_768.0 * sin * 2.0 / middle.len() as f64;
        b += f64::from(sample) / 32_768.0 * cos * 2.0 / middle.len() as f64;
    }
    let rest = middle.iter().enumerate().map(|(n, &sample)| {
        let (sin, cos) = wave(n);
        (f64::from(sample) / 32_768.0 - a * sin - b * cos).powi(2)
    });
    (a.hypot(b), (rest.sum::<f64>() / middle.len() as f64).sqrt())
}

fn assert_is_the_sine(sound: &Sound, hz: f64, secs: f64, what: &str) {
    assert!((sound.length.as_secs_f64() - secs).abs() < 0.15, "{what}: {:?}", sound.length);
    // A sine at -20 dBFS RMS has an amplitude of 0.141.
    for codec in Codec::ALL {
        let (amplitude, rest) = purity(&heard(sound, codec), codec.sample_rate().into(), hz);
        assert!((0.12..0.165).contains(&amplitude), "{what} {codec:?}: amplitude {amplitude:.3}");
        assert!(rest < amplitude / 15.0, "{what} {codec:?}: {rest:.4} of noise beside {amplitude:.3}");
    }
    assert!((sound.measured.rms_dbfs_out + 20.0).abs() < 1.0, "{what}: {:?}", sound.measured);
}

fn refused(bytes: &[u8]) -> Refusal {
    Sound::from_bytes("x", bytes.to_vec()).expect_err("must be refused")
}

#[test]
fn every_usual_wav_keeps_its_pitch_and_length_and_gets_the_same_level() {
    let codings = [
        Coding::Int(8),
        Coding::Int(16),
        Coding::Int(24),
        Coding::Int(32),
        Coding::Float(32),
        Coding::Float(64),
        Coding::Alaw,
        Coding::Ulaw,
    ];
    for coding in codings {
        let file = wav(coding, 8_000, 1, sine(700.0, 8_000, 0.4, 1.0));
        let sound =
            Sound::from_bytes("x.wav", file).unwrap_or_else(|refusal| panic!("{coding:?}: {refusal}"));
        assert_is_the_sine(&sound, 700.0, 1.0, &format!("{coding:?}"));
    }
}

#[test]
fn every_usual_rate_and_channel_count_keeps_its_pitch_and_length() {
    for (rate, channels) in [
        (8_000, 2),
        (11_025, 1),
        (16_000, 1),
        (22_050, 2),
        (32_000, 1),
        (44_100, 2),
        (48_000, 6),
        (96_000, 2),
    ] {
        let samples = sine(900.0, rate, 0.1, 1.0).flat_map(|s| std::iter::repeat_n(s, channels as usize));
        let file = wav(Coding::Int(16), rate, channels, samples);
        let sound = Sound::from_bytes("x.wav", file).unwrap_or_else(|refusal| panic!("{rate}: {refusal}"));
        assert_eq!((sound.measured.sample_rate, sound.measured.channels), (rate, channels));
        assert_is_the_sine(&sound, 900.0, 1.0, &format!("{rate} Hz, {channels} channels"));
    }
}

#[test]
fn mp3_with_constant_and_variable_rate_and_tags_is_played() {
    let cbr = Sound::from_bytes("cbr", CBR.to_vec()).unwrap();
    assert_is_the_sine(&cbr, 1_000.0, 3.0, "CBR");
    let vbr = Sound::from_bytes("vbr", VBR.to_vec()).unwrap();
    assert_is_the_sine(&vbr, 1_000.0, 2.0, "VBR");
    assert_eq!((vbr.measured.sample_rate, vbr.measured.channels), (44_100, 2));
}

#[test]
fn frequencies_above_the_telephone_band_do_not_alias() {
    for (rate, hz) in [(48_000, 5_000.0), (44_100, 7_000.0), (48_000, 12_000.0)] {
        // A quiet tone within the band, so that the file is not silent, and a loud one outside of it.
        let low = sine(500.0, rate, 0.05, 1.0);
        let mixed = low.zip(sine(hz, rate, 0.5, 1.0)).map(|(low, high)| low + high);
        let sound = Sound::from_bytes("x", wav(Coding::Int(16), rate, 1, mixed)).unwrap();
        let (amplitude, rest) = purity(&heard(&sound, Codec::Pcmu), 8_000.0, 500.0);
        assert!(rest < amplitude / 20.0, "{hz} Hz at {rate}: {rest:.4} beside {amplitude:.4}");
    }
}

#[test]
fn dc_is_removed_and_peaks_stay_under_the_limit() {
    let shifted = sine(600.0, 8_000, 0.2, 1.0).map(|sample| sample + 0.3);
    let sound = Sound::from_bytes("x", wav(Coding::Int(16), 8_000, 1, shifted)).unwrap();
    assert_is_the_sine(&sound, 600.0, 1.0, "with direct current");

    // Quiet speech with sharp peaks in it.
    let bangs = sine(600.0, 8_000, 0.02, 2.0).enumerate();
    let bangs = bangs.map(|(n, sample)| if n % 4_000 < 4 { 0.9 } else { sample });
    let sound = Sound::from_bytes("x", wav(Coding::Int(16), 8_000, 1, bangs)).unwrap();
    let loudest = heard(&sound, Codec::Pcmu).iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!(f64::from(loudest) / 32_768.0 < 0.74, "{loudest} is above -3 dBFS and a coding step");
}

#[test]
fn channels_in_opposite_phase_do_not_cancel_out() {
    let samples = sine(500.0, 16_000, 0.3, 1.0).flat_map(|sample| [sample, -sample]);
    let sound = Sound::from_bytes("x", wav(Coding::Int(16), 16_000, 2, samples)).unwrap();
    assert_is_the_sine(&sound, 500.0, 1.0, "opposite phase");
}

#[test]
fn the_report_contains_level_clipping_and_silence_at_both_ends() {
    let silence = |secs: f64| std::iter::repeat_n(0.0, (8_000.0 * secs) as usize);
    let loud = sine(500.0, 8_000, 1.5, 1.0).map(|sample| sample.clamp(-1.0, 0.99999));
    let samples = silence(0.5).chain(loud).chain(silence(1.0));
    let measured = Sound::from_bytes("x", wav(Coding::Int(16), 8_000, 1, samples)).unwrap().measured;
    assert!((measured.secs - 2.5).abs() < 0.01, "{measured:?}");
    assert!((measured.silence_head_secs - 0.5).abs() < 0.05, "{measured:?}");
    assert!((measured.silence_tail_secs - 1.0).abs() < 0.05, "{measured:?}");
    assert!(measured.clipped > 3_000, "{measured:?}");
    assert!(measured.peak_dbfs_in.abs() < 0.1, "{measured:?}");
    assert!((-2.5..-0.5).contains(&measured.rms_dbfs_in), "{measured:?}");
}

#[test]
fn a_cut_off_file_plays_as_far_as_it_goes() {
    let whole = wav(Coding::Int(16), 8_000, 1, sine(500.0, 8_000, 0.3, 2.0));
    let half = Sound::from_bytes("x", whole[..whole.len() / 2 + 1].to_vec()).unwrap();
    assert_is_the_sine(&half, 500.0, 1.0, "half a WAV");
    let half = Sound::from_bytes("x", CBR[..CBR.len() / 2].to_vec()).unwrap();
    assert_is_the_sine(&half, 1_000.0, 1.5, "half an MP3");
}

#[test]
fn wav_headers_with_wrong_sizes_are_repaired() {
    for claimed in [0u32, u32::MAX, 0x7FFF_FFFF] {
        let mut file = wav(Coding::Int(16), 8_000, 1, sine(500.0, 8_000, 0.3, 1.0));
        file[4..8].copy_from_slice(&claimed.to_le_bytes());
        file[40..44].copy_from_slice(&claimed.to_le_bytes());
        assert_is_the_sine(&Sound::from_bytes("x", file).unwrap(), 500.0, 1.0, &format!("size {claimed:#x}"));
    }
}

#[test]
fn unplayable_files_are_refused_by_name() {
    let good = wav(Coding::Int(16), 8_000, 1, sine(500.0, 8_000, 0.3, 0.2));
    let mut adpcm = good.clone();
    adpcm[20..22].copy_from_slice(&0x11u16.to_le_bytes());
    let mut no_rate = good.clone();
    no_rate[24..28].copy_from_slice(&0u32.to_le_bytes());
    let mut wild_rate = good.clone();
    wild_rate[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
    let silent = wav(Coding::Int(16), 8_000, 1, std::iter::repeat_n(0.0, 8_000));
    let cases: &[(&[u8], &str)] = &[
        (b"", "empty"),
        (&good[..10], "ends in its header"),
        (&good[..16], "before its format"),
        (&good[..30], "ends in its header"),
        (&good[..40], "without audio data"),
        (&good[..44], "no sound"),
        (&adpcm, "ADPCM"),
        (&no_rate, "0 samples per second"),
        (&wild_rate, "4294967295 samples"),
        (&silent, "silent"),
        (b"\x7FELF\x02\x01\x01\0\0\0\0\0", "ELF"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "HTML"),
        (b"\n <html lang=\"zh\">", "HTML"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "M4A"),
        (b"OggS\0\x02\0\0", "Ogg"),
        (b"fLaC\0\0\0\x22", "FLAC"),
        (b"PK\x03\x04\x14\0", "ZIP"),
        (b"\xFF\xFB", "only 2 bytes"),
        (&[b'a'; 500], "text"),
        (&[0u8; 5_000], "neither"),
    ];
    for (bytes, word) in cases {
        let refusal = refused(bytes);
        assert!(refusal.found.contains(word), "{:?} should speak of {word}", refusal);
        assert!(!refusal.hint.is_empty());
    }
}

#[test]
fn more_than_ten_minutes_or_64_megabytes_are_refused() {
    let long = wav(Coding::Ulaw, 8_000, 1, std::iter::repeat_n(0.1, 8_000 * 601));
    assert!(refused(&long).found.contains("longer than 10 minutes"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("huge.wav");
    std::fs::File::create(&path).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
    let error = Sound::load(&path).unwrap_err();
    assert!(error.to_string().contains("huge.wav: is larger than 64 MB"), "{error}");
    let error = Sound::load(&dir.path().join("missing.mp3")).unwrap_err();
    assert!(error.found.contains("cannot be read"), "{error}");
    let error = Sound::load(dir.path()).unwrap_err();
    assert!(error.found.contains("not a file"), "{error}");
}

#[test]
fn a_loaded_file_has_whole_frames_in_every_codec_and_its_own_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notice.wav");
    std::fs::write(&path, wav(Coding::Int(16), 8_000, 1, sine(500.0, 8_000, 0.3, 0.105))).unwrap();
    let sound = Sound::load(&path).unwrap();
    assert_eq!((sound.name.as_str(), sound.frames()), ("notice.wav", 6));
    assert_eq!(sound.length, Duration::from_millis(120));
    assert!(Codec::ALL.iter().all(|&codec| sound.encoded(codec).len() == 6 * codec.frame_bytes()));
    // The last frame is padded with silence.
    assert_eq!(sound.encoded(Codec::Pcma).last(), Some(&g711::ALAW_SILENCE));
}

#[test]
fn a_tone_is_not_levelled_and_lasts_one_period() {
    let busy = Sound::tone("busy", Cadence::BUSY);
    assert_eq!(busy.length, Duration::from_millis(700));
    let samples = heard(&busy, Codec::Pcma);
    assert!(samples[800..2_000].iter().any(|sample| sample.abs() > 9_000));
    assert!(samples[3_000..5_400].iter().all(|sample| sample.abs() < 200));
}

#[test]
fn no_damaged_file_makes_the_decoder_panic_or_hang() {
    let seed = 0x0DD_F11E_u64;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let samples: Vec<f64> = sine(500.0, 8_000, 0.3, 0.3).collect();
    let sources = [
        wav(Coding::Int(16), 8_000, 1, samples.iter().copied()),
        wav(Coding::Int(24), 44_100, 2, samples.iter().copied()),
        wav(Coding::Float(32), 16_000, 1, samples.iter().copied()),
        wav(Coding::Alaw, 8_000, 1, samples.iter().copied()),
        CBR[..3_000].to_vec(),
        VBR[..5_000].to_vec(),
    ];
    let (mut played, mut refused) = (0, 0);
    for round in 0..600 {
        let mut bytes = sources[round % sources.len()].clone();
        for _ in 0..random.random_range(1..8) {
            // Most damage goes into the headers.
            let within = if random.random_bool(0.7) { bytes.len().min(64) } else { bytes.len() };
            let at = random.random_range(0..within);
            bytes[at] = random.next_u32() as u8;
        }
        if random.random_bool(0.3) {
            bytes.truncate(random.random_range(0..bytes.len()));
        }
        // Bypasses `catch_unwind`, so that a panic in a decoder fails the test.
        match Sound::decoded("damaged", bytes) {
            Ok(sound) => {
                assert!(
                    sound.length <= MAX_LENGTH + Duration::from_millis(20),
                    "seed {seed:#x}, round {round}"
                );
                played += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(played > 50 && refused > 50, "seed {seed:#x}: {played} played, {refused} refused");
}
