//! From a file to mono samples, bounded whatever the file claims.

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

/// Why a file is refused: what was found, what to do.
pub(super) type Refusal = (String, String);

/// A file as samples between -1 and 1.
pub(super) struct Decoded {
    pub mono: Vec<f32>,
    pub sample_rate: u32,
    pub channels: u16,
    pub clipped: u64,
}

/// An announcement is minutes, not hours.
const SECS_MAX: u64 = 600;
const BYTES_MAX: u64 = 64 << 20;
/// 10 ms: shorter is a broken file.
const SHORTEST_MILLIS: u64 = 10;
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

const CONVERT: &str = "convert it to WAV or MP3";

pub(super) fn decode(file: &Path) -> Result<Decoded, Refusal> {
    let head = look(file)?;
    known_kind(&head)?;
    let opened = File::open(file).map_err(|error| unreadable(&error))?;
    let stream = MediaSourceStream::new(Box::new(opened), Default::default());
    let mut hint = Hint::new();
    hint.with_extension(if head.starts_with(b"RIFF") { "wav" } else { "mp3" });
    let mut format = symphonia::default::get_probe()
        .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| broken(&error))?;
    let track = format.default_track(TrackType::Audio).ok_or_else(|| no_sound("no audio track"))?;
    let id = track.id;
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or_else(|| no_sound("the kind of its samples is not told"))?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| (format!("its kind of samples is not known ({error})"), CONVERT.into()))?;
    let mut decoded = Decoded { mono: Vec::new(), sample_rate: 0, channels: 0, clipped: 0 };
    let mut interleaved: Vec<f32> = Vec::new();
    // A broken tail is not worth refusing what comes before it.
    while let Ok(Some(packet)) = format.next_packet() {
        if packet.track_id != id {
            continue;
        }
        let samples = match decoder.decode(&packet) {
            Ok(samples) => samples,
            Err(Error::DecodeError(_)) => continue,
            Err(_) => break,
        };
        let (rate, channels) = (samples.spec().rate(), samples.spec().channels().count());
        if channels == 0 || !RATES.contains(&rate) {
            let found = format!("{channels} channels at {rate} Hz");
            return Err((found, "save it as mono or stereo at 8000 to 48000 Hz".into()));
        }
        if decoded.sample_rate == 0 {
            (decoded.sample_rate, decoded.channels) = (rate, channels as u16);
        }
        if rate != decoded.sample_rate || channels != usize::from(decoded.channels) {
            break;
        }
        samples.copy_to_vec_interleaved(&mut interleaved);
        decoded.take(&interleaved, channels);
        if decoded.mono.len() as u64 > SECS_MAX * u64::from(rate) {
            return Err((
                format!("longer than {} minutes", SECS_MAX / 60),
                "an announcement is short: cut it".into(),
            ));
        }
    }
    let shortest = SHORTEST_MILLIS * u64::from(decoded.sample_rate.max(1)) / 1_000;
    if (decoded.mono.len() as u64) < shortest.max(1) {
        return Err(no_sound("no sound in it, or it is cut off"));
    }
    Ok(decoded)
}

impl Decoded {
    /// Mixes to mono and counts samples at full scale.
    fn take(&mut self, interleaved: &[f32], channels: usize) {
        for frame in interleaved.chunks_exact(channels) {
            self.clipped += frame.iter().filter(|sample| sample.abs() >= 0.9999).count() as u64;
            let sum: f32 = frame.iter().map(|sample| if sample.is_finite() { *sample } else { 0.0 }).sum();
            self.mono.push((sum / channels as f32).clamp(-1.0, 1.0));
        }
    }
}

/// The first bytes, after what size and rights tell.
fn look(file: &Path) -> Result<Vec<u8>, Refusal> {
    let metadata = std::fs::metadata(file).map_err(|error| unreadable(&error))?;
    if metadata.is_dir() {
        return Err(("it is a folder".into(), "name a WAV or MP3 file".into()));
    }
    if metadata.len() == 0 {
        return Err(("it is empty".into(), "upload it again".into()));
    }
    if metadata.len() > BYTES_MAX {
        return Err((format!("{} MiB", metadata.len() >> 20), "save it as MP3, or cut it".into()));
    }
    let mut head = Vec::new();
    let opened = File::open(file).map_err(|error| unreadable(&error))?;
    opened.take(64).read_to_end(&mut head).map_err(|error| unreadable(&error))?;
    Ok(head)
}

/// Files that are something else are named for what they are.
fn known_kind(head: &[u8]) -> Result<(), Refusal> {
    let kinds: [(&[u8], usize, &str); 11] = [
        (b"\x7fELF", 0, "a program"),
        (b"MZ", 0, "a program"),
        (b"%PDF", 0, "a PDF"),
        (b"PK\x03\x04", 0, "a ZIP archive or an office file"),
        (b"ftyp", 4, "M4A or MP4"),
        (b"OggS", 0, "Ogg"),
        (b"fLaC", 0, "FLAC"),
        (b"#!AMR", 0, "AMR"),
        (b"FORM", 0, "AIFF"),
        (b"\x30\x26\xb2\x75", 0, "WMA"),
        (b"<", 0, "a web page"),
    ];
    let found =
        kinds.iter().find(|(magic, at, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    match found {
        Some((_, _, kind)) => Err((format!("it is {kind}, not WAV or MP3"), CONVERT.into())),
        None => Ok(()),
    }
}

fn unreadable(error: &std::io::Error) -> Refusal {
    (format!("cannot be read: {error}"), "check the path and the rights".into())
}

fn broken(error: &Error) -> Refusal {
    (format!("not a WAV or MP3 file that can be read ({error})"), CONVERT.into())
}

fn no_sound(what: &str) -> Refusal {
    (what.to_owned(), "listen to it and upload it again".into())
}

/// Band-limited, whole, without the filter's delay.
pub(super) fn resample(mono: &[f32], from: u32, to: u32) -> Vec<f32> {
    if from == to || mono.is_empty() {
        return mono.to_vec();
    }
    let samples = [mono.to_vec()];
    let resampled =
        Fft::<f32>::new(from as usize, to as usize, 1_024, 1, FixedSync::Both).ok().and_then(|mut fft| {
            let input = SequentialSliceOfVecs::new(&samples, 1, mono.len()).ok()?;
            Some(fft.process_all(&input, mono.len(), None).ok()?.take_data())
        });
    let length = (mono.len() as u64 * u64::from(to)).div_ceil(u64::from(from)) as usize;
    let mut resampled = resampled.unwrap_or_default();
    resampled.resize(length, 0.0);
    resampled
}
