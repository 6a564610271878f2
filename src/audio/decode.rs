//! Decodes WAV and MP3 to mono samples at 16,000 and 8,000 Hz. Bounded by what is decoded, never by what
//! a header claims; a damaged end loses only the end. Files of several pieces (chunks, joined clips)
//! are decoded piece by piece, each at its own rate.

use super::resample::Resampler;
use super::sniff::{self, Kind};
use super::{MAX_LENGTH, Refusal, mp3, wav};
use std::io::Cursor;
use symphonia::core::codecs::audio::well_known::CODEC_ID_MP3;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::Timestamp;

/// Plausible sample rates; others mean a damaged header.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;
/// Undecodable packets in a row after which the rest is given up.
const MAX_DAMAGED: u32 = 500;
/// Seconds of undecodable frames, and their share, from which a file is refused.
const DAMAGED_SECS: f64 = 0.5;
const DAMAGED_SHARE: f64 = 0.1;
/// Samples at or above this are clipped: 16-bit full scale less one step.
const FULL_SCALE: f32 = 0.9999;

/// Mono samples (-1 to 1) and measurements of the input.
pub struct Decoded {
    pub sample_rate: u32,
    pub channels: u16,
    /// Peak of any channel, before mixing.
    pub peak: f32,
    pub clipped: u64,
    /// Seconds by the headers.
    pub claimed_secs: f64,
    /// At 16,000 Hz.
    pub wide: Vec<f32>,
    /// At 8,000 Hz.
    pub narrow: Vec<f32>,
}

/// How channels are mixed to mono.
#[derive(Clone, Copy)]
enum Mix {
    Mean,
    Only(usize),
}

pub fn decode(bytes: Vec<u8>) -> Result<Decoded, Refusal> {
    match sniff::file_kind(&bytes)? {
        Kind::Wav => decode_wav(bytes),
        Kind::Mp3 => decode_mp3(&bytes),
    }
}

fn decode_wav(bytes: Vec<u8>) -> Result<Decoded, Refusal> {
    let parts = wav::parts(&bytes)?;
    // Before anything is decoded: a file of an hour would take ten minutes' worth of memory to be refused.
    let plausible = parts.iter().filter(|part| RATES.contains(&part.rate()));
    refuse_too_long(plausible.map(wav::Part::secs).sum())?;
    let mut decoded: Option<Decoded> = None;
    for part in &parts {
        let file = part.file(&bytes);
        let mut piece = without_cancelling(|mix| Pass::wav(&file, mix))?;
        piece.claimed_secs = part.claimed_secs();
        Decoded::join(&mut decoded, piece)?;
    }
    decoded.ok_or_else(no_sound)
}

fn decode_mp3(bytes: &[u8]) -> Result<Decoded, Refusal> {
    let clips = mp3::clips(bytes)?;
    let found: f64 = clips.iter().map(mp3::Clip::secs).sum();
    refuse_too_long(found)?;
    let (mut decoded, mut damaged_secs) = (None, 0.0);
    for clip in &clips {
        let mut damaged = 0;
        let mut piece = without_cancelling(|mix| {
            damaged = 0;
            Pass::mp3(bytes, clip, mix, &mut damaged)
        })?;
        damaged_secs += (damaged * clip.frame_samples) as f64 / f64::from(clip.rate);
        piece.claimed_secs = clip.claimed_secs();
        Decoded::join(&mut decoded, piece)?;
    }
    if damaged_secs > DAMAGED_SECS && damaged_secs > DAMAGED_SHARE * found {
        return Err(Refusal::new(
            format!("holds {:.1} seconds of sound where its frames claim {found:.1}", found - damaged_secs),
            "it is damaged: export it again",
        ));
    }
    decoded.ok_or_else(no_sound)
}

fn no_sound() -> Refusal {
    Refusal::new("holds no sound (0 seconds could be decoded)", "export it again, as WAV or MP3")
}

fn refuse_too_long(secs: f64) -> Result<(), Refusal> {
    if secs > MAX_LENGTH.as_secs_f64() {
        return Err(Refusal::new("is longer than 10 minutes", "cut it: an announcement is seconds long"));
    }
    Ok(())
}

/// Runs a pass with the mean of the channels. Channels in opposite phase cancel out in it; then only the loudest
/// channel is used.
fn without_cancelling(mut pass: impl FnMut(Mix) -> Result<Pass, Refusal>) -> Result<Decoded, Refusal> {
    let first = pass(Mix::Mean)?;
    let loudest = first.energy.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    match loudest {
        Some((channel, &energy)) if first.mixed_energy < energy * 0.01 => pass(Mix::Only(channel))?.finish(),
        _ => first.finish(),
    }
}

impl Decoded {
    /// Appends a piece, which was resampled from a rate of its own. The report names the first piece's format.
    fn join(whole: &mut Option<Decoded>, piece: Decoded) -> Result<(), Refusal> {
        let Some(whole) = whole else {
            *whole = Some(piece);
            return Ok(());
        };
        whole.peak = whole.peak.max(piece.peak);
        whole.clipped += piece.clipped;
        whole.claimed_secs += piece.claimed_secs;
        whole.wide.extend(piece.wide);
        whole.narrow.extend(piece.narrow);
        refuse_too_long(whole.narrow.len() as f64 / 8_000.0)
    }
}

/// One decoding pass over a file, or over one piece of it.
struct Pass {
    mix: Mix,
    sample_rate: u32,
    channels: usize,
    frames: u64,
    peak: f32,
    clipped: u64,
    energy: Vec<f64>,
    mixed_energy: f64,
    wide: Resampler,
    narrow: Resampler,
    interleaved: Vec<f32>,
    mono: Vec<f32>,
}

impl Pass {
    fn wav(bytes: &[u8], mix: Mix) -> Result<Pass, Refusal> {
        let (mut reader, mut decoder, track) = open(bytes)?;
        let mut pass: Option<Pass> = None;
        let mut damaged = 0;
        while damaged < MAX_DAMAGED {
            let packet = match reader.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                Err(Error::DecodeError(_)) => {
                    damaged += 1;
                    continue;
                }
                Err(_) => break,
            };
            if packet.track_id != track {
                continue;
            }
            let Ok(decoded) = decoder.decode(&packet) else {
                damaged += 1;
                continue;
            };
            damaged = 0;
            let (rate, channels) = (decoded.spec().rate(), decoded.spec().channels().count());
            let pass = match &mut pass {
                Some(pass) => pass,
                None => pass.insert(Pass::new(rate, channels, mix)?),
            };
            // A packet with another rate or channel count than the first is damage, not audio.
            if (rate, channels) == (pass.sample_rate, pass.channels) {
                let mut interleaved = std::mem::take(&mut pass.interleaved);
                decoded.copy_to_vec_interleaved(&mut interleaved);
                pass.push(&interleaved);
                pass.interleaved = interleaved;
                refuse_too_long(pass.frames as f64 / f64::from(pass.sample_rate))?;
            }
        }
        pass.filter(|pass| pass.frames > 0).ok_or_else(no_sound)
    }

    /// Decodes the frames of one clip. A damaged frame is silent, so that nothing moves.
    fn mp3(bytes: &[u8], clip: &mp3::Clip, mix: Mix, damaged: &mut usize) -> Result<Pass, Refusal> {
        let channels = usize::from(clip.channels);
        let mut pass = Pass::new(clip.rate, channels, mix)?;
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(CODEC_ID_MP3).with_sample_rate(clip.rate);
        let mut decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
            .map_err(|error| unplayable(Kind::Mp3, &error))?;
        let end = clip.frames.len() * clip.frame_samples - clip.trim_end;
        let mut samples = Vec::new();
        let mut at = 0;
        for frame in &clip.frames {
            let data = bytes.get(frame.clone()).unwrap_or_default();
            samples.clear();
            let packet = Packet::new(0, Timestamp::ZERO, symphonia::core::units::Duration::ZERO, data);
            if let Ok(decoded) = decoder.decode(&packet)
                && decoded.spec().channels().count() == channels
            {
                decoded.copy_to_vec_interleaved(&mut samples);
            }
            if samples.len() != clip.frame_samples * channels {
                *damaged += 1;
                samples.clear();
                samples.resize(clip.frame_samples * channels, 0.0);
            }
            let first = clip.trim_start.saturating_sub(at).min(clip.frame_samples);
            let last = end.saturating_sub(at).min(clip.frame_samples);
            if first < last {
                pass.push(&samples[first * channels..last * channels]);
            }
            at += clip.frame_samples;
        }
        Ok(pass)
    }

    fn new(sample_rate: u32, channels: usize, mix: Mix) -> Result<Pass, Refusal> {
        if !RATES.contains(&sample_rate) || channels == 0 {
            let found = format!("claims {sample_rate} samples per second in {channels} channels");
            return Err(Refusal::new(found, "its header is damaged: export it again"));
        }
        Ok(Pass {
            mix,
            sample_rate,
            channels,
            frames: 0,
            peak: 0.0,
            clipped: 0,
            energy: vec![0.0; channels],
            mixed_energy: 0.0,
            wide: Resampler::new(sample_rate, 16_000),
            narrow: Resampler::new(sample_rate, 8_000),
            interleaved: Vec::new(),
            mono: Vec::new(),
        })
    }

    fn push(&mut self, interleaved: &[f32]) {
        let mut mono = std::mem::take(&mut self.mono);
        mono.clear();
        let share = 1.0 / self.channels as f32;
        for frame in interleaved.chunks_exact(self.channels) {
            let mut mixed = 0.0;
            for (channel, &sample) in frame.iter().enumerate() {
                // Floating-point files can hold anything, even NaN.
                let sample = if sample.is_finite() { sample.clamp(-8.0, 8.0) } else { 0.0 };
                self.peak = self.peak.max(sample.abs());
                self.clipped += u64::from(sample.abs() >= FULL_SCALE);
                self.energy[channel] += f64::from(sample * sample);
                mixed += match self.mix {
                    Mix::Mean => sample * share,
                    Mix::Only(only) if only == channel => sample,
                    Mix::Only(_) => 0.0,
                };
            }
            self.mixed_energy += f64::from(mixed * mixed);
            mono.push(mixed);
        }
        self.frames += mono.len() as u64;
        self.wide.push(&mono);
        self.narrow.push(&mono);
        self.mono = mono;
    }

    fn finish(self) -> Result<Decoded, Refusal> {
        Ok(Decoded {
            sample_rate: self.sample_rate,
            channels: u16::try_from(self.channels).unwrap_or(u16::MAX),
            peak: self.peak,
            clipped: self.clipped,
            claimed_secs: 0.0,
            wide: self.wide.finish(),
            narrow: self.narrow.finish(),
        })
    }
}

type Opened<'a> = (Box<dyn FormatReader + 'a>, Box<dyn AudioDecoder>, u32);

fn unplayable(kind: Kind, error: &Error) -> Refusal {
    let what = match kind {
        Kind::Wav => "a WAV file",
        Kind::Mp3 => "an MP3 file",
    };
    Refusal::new(
        format!("looks like {what} but cannot be decoded ({error})"),
        "export it again, as WAV (16 bit) or MP3",
    )
}

fn open(bytes: &[u8]) -> Result<Opened<'_>, Refusal> {
    let mut hint = Hint::new();
    hint.with_extension("wav");
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let reader = symphonia::default::get_probe()
        .probe(&hint, source, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| unplayable(Kind::Wav, &error))?;
    let track = reader.default_track(TrackType::Audio);
    let found = track.and_then(|track| Some((track.id, track.codec_params.as_ref()?.audio()?)));
    let Some((track, parameters)) = found else {
        return Err(Refusal::new("has no sound track", "export it again, as WAV (16 bit) or MP3"));
    };
    if parameters.sample_rate.is_some_and(|rate| !RATES.contains(&rate)) {
        let rate = parameters.sample_rate.unwrap_or_default();
        return Err(Refusal::new(
            format!("claims {rate} samples per second"),
            "its header is damaged: export it again",
        ));
    }
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| unplayable(Kind::Wav, &error))?;
    Ok((reader, decoder, track))
}
