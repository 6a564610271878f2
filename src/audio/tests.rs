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

const JOINED: [(&str, &[u8]); 3] = [
    (
        "the first clip's Info header ends its stream",
        include_bytes!("../../tests/fixtures/audio/joined_info.mp3"),
    ),
    ("44,100 then 24,000 Hz", include_bytes!("../../tests/fixtures/audio/joined_rates.mp3")),
    ("mono then stereo", include_bytes!("../../tests/fixtures/audio/joined_channels.mp3")),
];

/// Amplitude of this frequency between two moments of the sound, in full scale.
fn amplitude_at(sound: &Sound, hz: f64, from: f64, until: f64) -> f64 {
    let samples = heard(sound, Codec::Pcma);
    let at = |secs: f64| ((secs * 8_000.0) as usize).min(samples.len());
    // `purity` looks at the middle half.
    let margin = (until - from) / 2.0;
    let (from, until) = ((from - margin).max(0.0), until + margin);
    purity(&samples[at(from)..at(until)], 8_000.0, hz).0
}

#[test]
fn mp3_clips_joined_end_to_end_play_whole_at_their_pitch() {
    for (what, bytes) in JOINED {
        let sound = Sound::from_bytes("x.mp3", bytes.to_vec()).unwrap();
        assert!((0.97..1.12).contains(&sound.measured.secs), "{what}: {:?}", sound.measured);
        let half = sound.measured.secs / 2.0;
        for (hz, from) in [(600.0, half - 0.35), (1_400.0, half + 0.2)] {
            let there = amplitude_at(&sound, hz, from, from + 0.15);
            assert!(there > 0.1, "{what}: {hz} Hz has {there:.3} at {from:.2} s");
        }
    }
}

/// An ID3v2 tag with a picture of this size in it.
fn id3v2(picture: usize) -> Vec<u8> {
    let size =
        |n: usize| [(n >> 21) as u8 & 0x7F, (n >> 14) as u8 & 0x7F, (n >> 7) as u8 & 0x7F, n as u8 & 0x7F];
    let mut frame = b"APIC".to_vec();
    frame.extend(size(picture));
    frame.extend([0, 0]);
    // A picture's bytes look like frame headers now and then.
    frame.extend((0..picture).map(|n| if n % 700 < 2 { 0xFF } else { n as u8 }));
    [b"ID3\x04\0\0".as_slice(), &size(frame.len()), &frame].concat()
}

#[test]
fn the_length_of_joined_clips_is_the_sum_of_their_lengths() {
    let seed = 0x5EA3_u64;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut clips: Vec<&[u8]> = vec![CBR, VBR];
    clips.extend(JOINED.map(|(_, bytes)| bytes));
    let length = |bytes: &[u8]| decode::decode(bytes.to_vec()).unwrap().narrow.len() as f64 / 8_000.0;
    let lengths: Vec<f64> = clips.iter().map(|clip| length(clip)).collect();
    for round in 0..30 {
        let (mut file, mut wanted) = (Vec::new(), 0.0);
        for _ in 0..random.random_range(1..5) {
            let pick = random.random_range(0..clips.len());
            if random.random_bool(0.3) {
                file.extend(id3v2(random.random_range(0..300_000)));
            }
            file.extend(clips[pick]);
            wanted += lengths[pick];
            if random.random_bool(0.3) {
                file.extend([b"TAG".as_slice(), &[b'x'; 125]].concat());
            }
        }
        let found = length(&file);
        assert!((found - wanted).abs() < 0.02, "seed {seed:#x}, round {round}: {found:.3} of {wanted:.3} s");
    }
}

#[test]
fn a_picture_of_any_size_is_skipped() {
    for picture in [0, 1_000_000, 20_000_000] {
        let sound = Sound::from_bytes("x.mp3", [id3v2(picture), CBR.to_vec()].concat()).unwrap();
        assert_is_the_sine(&sound, 1_000.0, 3.0, &format!("picture of {picture} bytes"));
    }
}

#[test]
fn mp3_with_another_kind_of_file_behind_it_is_refused() {
    let behind = wav(Coding::Int(16), 8_000, 1, sine(500.0, 8_000, 0.3, 8.0));
    let refusal = refused(&[CBR.to_vec(), behind].concat());
    assert!(refusal.found.contains("3.1 seconds of MP3 and"), "{refusal:?}");
}

/// A RIFF chunk, padded to an even size.
fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = [id.as_slice(), &(content.len() as u32).to_le_bytes(), content].concat();
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

/// The `fmt ` chunk and the samples of a file of [`wav`].
fn taken_apart(file: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (file[12..36].to_vec(), file[44..].to_vec())
}

#[test]
fn wav_of_several_chunks_plays_whole() {
    let (format, data) = taken_apart(&wav(Coding::Int(16), 8_000, 1, sine(500.0, 8_000, 0.3, 1.0)));
    let (first, second) = data.split_at(data.len() / 2);
    let list = chunk(b"LIST", b"INFOISFT\x05\0\0\0Lavf\0\0");
    let riff = |chunks: &[&[u8]]| {
        let body = chunks.concat();
        [b"RIFF", &(body.len() as u32 + 4).to_le_bytes()[..], b"WAVE", &body].concat()
    };
    let odd = [b"LIST".as_slice(), &3u32.to_le_bytes(), b"abc"].concat();
    let silence = chunk(b"slnt", &0u32.to_le_bytes());
    let wavl = chunk(
        b"LIST",
        &[b"wavl".as_slice(), &chunk(b"data", first), &silence, &chunk(b"data", second)].concat(),
    );
    let (one, two) = (chunk(b"data", first), chunk(b"data", second));
    let mut extensible = format[..24].to_vec();
    extensible[4..8].copy_from_slice(&40u32.to_le_bytes());
    extensible[8..10].copy_from_slice(&0xFFFEu16.to_le_bytes());
    extensible.extend([22, 0, 16, 0, 4, 0, 0, 0, 1, 0]);
    extensible.extend(b"\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71");
    let mut rf64 = b"RF64\xFF\xFF\xFF\xFFWAVE".to_vec();
    rf64.extend(chunk(b"ds64", &[[0; 8].as_slice(), &(data.len() as u64).to_le_bytes(), &[0; 12]].concat()));
    rf64.extend([format.as_slice(), b"data\xFF\xFF\xFF\xFF", &data, &list].concat());
    let streamed = |data: &[u8]| {
        [b"RIFF\xFF\xFF\xFF\xFFWAVE", format.as_slice(), b"data\xFF\xFF\xFF\xFF", data].concat()
    };
    let mut wrong_riff = riff(&[&format, &one, &two]);
    wrong_riff[4..8].copy_from_slice(&7u32.to_le_bytes());
    let cases = [
        ("two data chunks", riff(&[&format, &one, &two])),
        ("LIST between them", riff(&[&list, &format, &list, &one, &list, &two, &list])),
        ("an odd chunk without its padding", riff(&[&format, &odd, &one, &odd, &two])),
        ("LIST wavl", riff(&[&format, &wavl])),
        ("extensible", riff(&[&extensible, &one, &two])),
        ("RF64", rf64),
        ("two files joined", [riff(&[&format, &one]), riff(&[&format, &two])].concat()),
        ("two streamed files joined", [streamed(first), streamed(second)].concat()),
        ("a wrong RIFF size", wrong_riff),
        ("a tag behind it", [riff(&[&format, &one, &two]), b"TAG".to_vec(), vec![b'x'; 125]].concat()),
    ];
    for (what, file) in cases {
        let sound = Sound::from_bytes("x.wav", file).unwrap_or_else(|refusal| panic!("{what}: {refusal}"));
        assert!((sound.measured.secs - 1.0).abs() < 0.001, "{what}: {:?}", sound.measured);
        assert_is_the_sine(&sound, 500.0, 1.0, what);
    }
    // Two files of other rates: each keeps its pitch.
    let other = wav(Coding::Int(24), 22_050, 2, sine(1_200.0, 22_050, 0.3, 1.0).flat_map(|s| [s, s]));
    let sound = Sound::from_bytes("x.wav", [riff(&[&format, &one, &two]), other].concat()).unwrap();
    assert!((sound.measured.secs - 2.0).abs() < 0.001, "{:?}", sound.measured);
    assert!(amplitude_at(&sound, 500.0, 0.3, 0.7) > 0.1 && amplitude_at(&sound, 1_200.0, 1.3, 1.7) > 0.1);
}

#[test]
fn wav_that_holds_more_than_its_header_says_is_refused_with_both_lengths() {
    let mut file = wav(Coding::Int(16), 8_000, 1, sine(500.0, 8_000, 0.3, 2.0));
    file[40..44].copy_from_slice(&8_000u32.to_le_bytes());
    let refusal = refused(&file);
    assert!(refusal.found.contains("2.0 seconds found, 0.5 claimed"), "{refusal:?}");
    // Of a file that was cut off both lengths are reported.
    let whole = wav(Coding::Int(16), 8_000, 1, sine(500.0, 8_000, 0.3, 2.0));
    let cut = Sound::from_bytes("x.wav", whole[..16_044].to_vec()).unwrap();
    assert_eq!((cut.measured.secs, cut.measured.secs_claimed), (1.0, 2.0));
    let cut = Sound::from_bytes("x.mp3", VBR[..VBR.len() / 2].to_vec()).unwrap();
    assert!(cut.measured.secs < 1.5 && cut.measured.secs_claimed > 1.9, "{:?}", cut.measured);
    assert_eq!(Sound::from_bytes("x.mp3", VBR.to_vec()).unwrap().measured.secs_claimed, 0.0);
}

#[test]
fn absurd_header_fields_are_refused_without_a_panic() {
    let good = wav(Coding::Int(16), 8_000, 2, sine(500.0, 8_000, 0.3, 0.2));
    // Tag, channels, rate, bytes a second, block size, bits.
    for (at, length) in [(20, 2), (22, 2), (24, 4), (28, 4), (32, 2), (34, 2), (16, 4), (40, 4), (4, 4)] {
        for value in [0u32, 1, 3, 7, 9, 255, 256, 32_767, 65_535, u32::MAX / 2, u32::MAX - 7, u32::MAX] {
            let mut file = good.clone();
            file[at..at + length].copy_from_slice(&value.to_le_bytes()[..length]);
            // Either is right; a panic is not.
            let _ = Sound::decoded("absurd", file);
        }
    }
    for (at, value) in [(22usize, 0u16), (22, 65_535), (34, 65_535), (34, 0)] {
        let mut file = good.clone();
        file[at..at + 2].copy_from_slice(&value.to_le_bytes());
        file[32..34].copy_from_slice(&0u16.to_le_bytes());
        assert!(refused(&file).found.contains("claims"), "{at}: {value}");
    }
}

#[test]
fn our_own_sounds_hold_no_keys() {
    let mut sounds = vec![hold_music()];
    for language in Language::ALL {
        sounds.extend((0..10).map(|digit| prompt(language, Prompt::Digit(digit))));
        sounds.extend(
            [
                Prompt::AgentNumber,
                Prompt::AtYourService,
                Prompt::Sorry,
                Prompt::EnterAgentNumber,
                Prompt::SignedIn,
                Prompt::SignedOut,
                Prompt::NotKnown,
            ]
            .map(|what| prompt(language, what)),
        );
    }
    for file in ["notice.mp3", "sorry.wav"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns/jade-garden").join(file);
        sounds.push(Arc::new(Sound::load(&path).unwrap()));
    }
    for sound in sounds {
        for codec in Codec::ALL {
            let mut listener = paceline_core::media::tone_keys::ToneListener::default();
            for (n, payload) in sound.encoded(codec).chunks(160).enumerate() {
                listener.packet(codec, 1, n as u32 * 160, payload, |digit| {
                    panic!("{} in {codec:?} holds a {:?} at {} ms", sound.name, digit, n * 20)
                });
            }
        }
    }
}
