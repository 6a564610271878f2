//! Decodes WAV and MP3 to mono samples at 16,000 and 8,000 Hz. Bounded by what is decoded, never by what
//! a header claims; a damaged end loses only the end.

use super::resample::Resampler;
use super::sniff::{self, Kind};
use super::{MAX_LENGTH, Refusal};
use std::io::Cursor;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

/// Plausible sample rates; others mean a damaged header.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;
/// Undecodable packets in a row after which the rest is given up.
const MAX_DAMAGED: u32 = 500;
/// Samples at or above this are clipped: 16-bit full scale less one step.
const FULL_SCALE: f32 = 0.9999;

/// Mono samples (-1 to 1) and measurements of the input.
pub struct Decoded {
    pub sample_rate: u32,
    pub channels: u16,
    /// Peak of any channel, before mixing.
    pub peak: f32,
    pub clipped: u64,
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

pub fn decode(mut bytes: Vec<u8>) -> Result<Decoded, Refusal> {
    let kind = sniff::file_kind(&bytes)?;
    if kind == Kind::Wav {
        sniff::repair_header(&mut bytes)?;
    }
    let first = Pass::run(&bytes, kind, Mix::Mean)?;
    // Channels in opposite phase cancel out in the mean; then only the loudest channel is used.
    let loudest = first.energy.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let pass = match loudest {
        Some((channel, &energy)) if first.mixed_energy < energy * 0.01 => {
            Pass::run(&bytes, kind, Mix::Only(channel))?
        }
        _ => first,
    };
    pass.finish()
}

/// One decoding pass over the whole file.
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
    fn run(bytes: &[u8], kind: Kind, mix: Mix) -> Result<Pass, Refusal> {
        let (mut reader, mut decoder, track) = open(bytes, kind)?;
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
                pass.refuse_too_long()?;
            }
        }
        pass.filter(|pass| pass.frames > 0).ok_or_else(|| {
            Refusal::new("holds no sound (0 seconds could be decoded)", "export it again, as WAV or MP3")
        })
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

    fn refuse_too_long(&self) -> Result<(), Refusal> {
        if self.frames > MAX_LENGTH.as_secs() * u64::from(self.sample_rate) {
            return Err(Refusal::new("is longer than 10 minutes", "cut it: an announcement is seconds long"));
        }
        Ok(())
    }

    fn finish(self) -> Result<Decoded, Refusal> {
        Ok(Decoded {
            sample_rate: self.sample_rate,
            channels: u16::try_from(self.channels).unwrap_or(u16::MAX),
            peak: self.peak,
            clipped: self.clipped,
            wide: self.wide.finish(),
            narrow: self.narrow.finish(),
        })
    }
}

type Opened<'a> = (Box<dyn FormatReader + 'a>, Box<dyn AudioDecoder>, u32);

fn open(bytes: &[u8], kind: Kind) -> Result<Opened<'_>, Refusal> {
    let mut hint = Hint::new();
    hint.with_extension(match kind {
        Kind::Wav => "wav",
        Kind::Mp3 => "mp3",
    });
    let unplayable = |error: Error| {
        let what = match kind {
            Kind::Wav => "a WAV file",
            Kind::Mp3 => "an MP3 file",
        };
        Refusal::new(
            format!("looks like {what} but cannot be decoded ({error})"),
            "export it again, as WAV (16 bit) or MP3",
        )
    };
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let reader = symphonia::default::get_probe()
        .probe(&hint, source, FormatOptions::default(), MetadataOptions::default())
        .map_err(unplayable)?;
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
        .map_err(unplayable)?;
    Ok((reader, decoder, track))
}
