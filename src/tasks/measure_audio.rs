//! Measures an uploaded sound, and keeps what the line carries of it: 8,000 samples a second through A-law, levelled as
//! calls will hear it.

use super::Shared;
use super::check_list::{blob, remove};
use super::context::{TaskContext, TaskEnd, Words};
use crate::audio::{Measured, Sound};
use crate::files::Kind;
use crate::store::StoreError;
use crate::store::audio_files::{AudioId, AudioMeasured, AudioRow, AudioState};
use crate::store::task_rows::TaskRow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A sound takes some times its file's size in memory while it is decoded: one at a time.
static DECODING: Mutex<()> = Mutex::new(());

/// Samples a second of what the line carries.
const RATE: u32 = 8_000;
/// Bytes of the WAV header that [`wav_header`] writes.
const HEADER: usize = 44;

/// The measurements of a sound, as its row keeps them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SoundMeasured {
    pub sample_rate: u32,
    pub channels: u16,
    pub millis: u64,
    /// Milliseconds by the headers, if they claim more than there is; else 0.
    pub millis_claimed: u64,
    /// Decibels below full scale: of the parts with sound in them, of the loudest sample, of what is sent.
    pub level_db: f64,
    pub peak_db: f64,
    pub sent_db: f64,
    /// Samples at full scale.
    pub clipped: u64,
    pub silence_head_ms: u64,
    pub silence_tail_ms: u64,
}

impl SoundMeasured {
    fn of(measured: &Measured) -> SoundMeasured {
        let millis = |secs: f64| (secs * 1_000.0).round() as u64;
        let tenths = |level: f64| (level * 10.0).round() / 10.0;
        SoundMeasured {
            sample_rate: measured.sample_rate,
            channels: measured.channels,
            millis: millis(measured.secs),
            millis_claimed: millis(measured.secs_claimed),
            level_db: tenths(measured.rms_dbfs_in),
            peak_db: tenths(measured.peak_dbfs_in),
            sent_db: tenths(measured.rms_dbfs_out),
            clipped: measured.clipped,
            silence_head_ms: millis(measured.silence_head_secs),
            silence_tail_ms: millis(measured.silence_tail_secs),
        }
    }
}

/// The loudest samples of equal parts of a sound, 0 to 1.
pub type Peaks = Vec<f32>;

pub(super) fn measure_audio(context: &mut TaskContext<'_>) -> Result<Value, TaskEnd> {
    let (store, id) = (context.shared.parts.store.clone(), AudioId(context.task.subject));
    let Some(sound) = context.wait(store.audio_file(context.task.enterprise, id))? else {
        return Ok(json!({ "gone": true }));
    };
    if sound.state != AudioState::Measuring {
        return Ok(json!({ "state": sound.state.word() }));
    }
    context.progress(0, 0)?;
    let files = &context.shared.parts.files;
    let _alone = DECODING.lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = std::fs::read(files.file(&sound.path)?)?;
    let decoded = match Sound::from_bytes(&sound.name, bytes) {
        Ok(decoded) => decoded,
        Err(refusal) => {
            let zh = format!("{}:无法播放({}),请另存为 WAV 或 MP3 后上传", sound.name, refusal.found);
            let words = Words::new(format!("{}: {refusal}", sound.name), zh);
            write(context, &sound, Some(&words), &SoundMeasured::default(), None)?;
            return Ok(json!({ "state": "unreadable" }));
        }
    };
    context.progress(0, 0)?;
    let mut line = files.create()?;
    let samples = decoded.line_samples();
    line.write_all(&wav_header(samples.len()))?;
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    line.write_all(&bytes)?;
    let line = files.keep(line, sound.enterprise, Kind::AudioLine, store.clock_now())?;
    let line = blob(sound.enterprise, Kind::AudioLine, "audio/wav", &line);
    write(context, &sound, None, &SoundMeasured::of(&decoded.measured), Some(line))?;
    Ok(json!({ "state": "ready" }))
}

fn write(
    context: &TaskContext<'_>,
    sound: &AudioRow,
    error: Option<&Words>,
    measured: &SoundMeasured,
    line: Option<crate::store::blobs::NewBlob<'_>>,
) -> Result<(), TaskEnd> {
    let store = &context.shared.parts.store;
    let organisations = context.wait(store.organisations())?;
    let own = organisations.iter().find(|row| row.id == sound.organisation);
    let error = error.map(Words::json);
    let silence =
        json!({ "head_ms": measured.silence_head_ms, "tail_ms": measured.silence_tail_ms }).to_string();
    let found = AudioMeasured {
        error: error.as_deref(),
        line,
        millis: measured.millis,
        level_db: (measured.level_db * 10.0).round() as i64,
        clipped: measured.clipped,
        silence: &silence,
        measured: &json!(measured).to_string(),
        needs_approval: own.is_some_and(|row| row.settings.approve_audio),
    };
    for path in context.wait(store.finish_measuring(sound, &found))? {
        remove(context.shared, &path);
    }
    Ok(())
}

/// The sound could not be measured: it is unreadable for this reason.
pub(super) async fn settle(shared: &Shared, task: &TaskRow, words: &Words) -> Result<(), StoreError> {
    let store = &shared.parts.store;
    let Some(sound) = store.audio_file(task.enterprise, AudioId(task.subject)).await? else { return Ok(()) };
    let error = words.json();
    let found = AudioMeasured {
        error: Some(&error),
        line: None,
        millis: 0,
        level_db: 0,
        clipped: 0,
        silence: "{}",
        measured: "{}",
        needs_approval: false,
    };
    store.finish_measuring(&sound, &found).await.map(drop)
}

/// The header of a WAV file of 16-bit samples, mono, with so many samples.
fn wav_header(samples: usize) -> [u8; HEADER] {
    let data = (samples * 2) as u32;
    let mut header = [0; HEADER];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        header[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(b"RIFF");
    put(&(data + HEADER as u32 - 8).to_le_bytes());
    put(b"WAVEfmt ");
    put(&16_u32.to_le_bytes());
    put(&1_u16.to_le_bytes());
    put(&1_u16.to_le_bytes());
    put(&RATE.to_le_bytes());
    put(&(RATE * 2).to_le_bytes());
    put(&2_u16.to_le_bytes());
    put(&16_u16.to_le_bytes());
    put(b"data");
    put(&data.to_le_bytes());
    header
}

/// The peaks of what the line carries, read from its object. Not for an async task.
///
/// # Errors
/// The file is gone, or not of this program.
pub fn peaks(file: &Path, bins: usize) -> io::Result<Peaks> {
    let bytes = std::fs::read(file)?;
    let samples = bytes.get(HEADER..).ok_or_else(|| io::Error::other("no sound"))?;
    let samples: Vec<u16> =
        samples.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]).unsigned_abs()).collect();
    let bins = bins.clamp(1, samples.len().max(1));
    let bin = |at: usize| {
        let part = &samples[samples.len() * at / bins..samples.len() * (at + 1) / bins];
        f32::from(part.iter().copied().max().unwrap_or(0)) / 32_768.0
    };
    Ok((0..bins).map(|at| (bin(at) * 1_000.0).round() / 1_000.0).collect())
}
