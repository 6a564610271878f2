//! Handlers of recordings: the sound in ranges, on record once a hearing; its download; its peaks.

use super::app_state::AppState;
use super::auth::Caller;
use super::floor;
use super::problem::Problem;
use super::recording_access::Hearing;
use super::records::{parse_id, send_file, set_header};
use super::rights::Action;
use crate::store::{RecordingPart, Subject};
use crate::tasks::{LANE_BINS_MAX, LanePeaks, lane_peaks};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use paceline_core::ids::AttemptId;
use paceline_core::time::Duration;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path as File, PathBuf};
use std::sync::Arc;

/// Bytes of a recording that is drawn: some four hours.
const DRAWN_MAX: u64 = 512 << 20;

/// Bytes of a second of a recording in A-law; in 16-bit samples there are twice as many.
const BYTES_A_SECOND: u64 = 16_000;

/// The word of the audit for a download. The right to it is that of exports, which hand out the same files.
const DOWNLOAD: &str = "recordings.download";

#[derive(Deserialize)]
pub(super) struct PartQuery {
    /// A call that was recorded in several parts has several files: 1, 2, …
    part: Option<usize>,
    /// The player's number for this hearing, so that hearing it again is on record again.
    hearing: Option<i64>,
    download: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct PeaksQuery {
    part: Option<usize>,
    bins: Option<usize>,
}

/// A call by its id, outbound or inbound.
#[derive(Clone, Copy, Debug)]
enum CallRef {
    Out(AttemptId),
    In(i64),
}

impl CallRef {
    fn name(self) -> String {
        match self {
            CallRef::Out(attempt) => format!("out-{}", attempt.0),
            CallRef::In(call) => format!("in-{call}"),
        }
    }

    async fn parts(self, state: &AppState) -> Result<Vec<RecordingPart>, Problem> {
        let mut reader = state.store().reader().await?;
        Ok(match self {
            CallRef::Out(attempt) => reader.recording(attempt).await?,
            CallRef::In(call) => reader.inbound_recording(call).await?,
        })
    }
}

/// The recording of an outbound call, for every agent who spoke in it, their shift leads, managers and admins.
pub(super) async fn recording(
    State(state): State<AppState>,
    caller: Caller,
    Path(attempt): Path<String>,
    Query(query): Query<PartQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let call = CallRef::Out(AttemptId(parse_id(&attempt, "recording")?));
    send_recording(&state, &caller, call, query, &headers).await
}

/// The recording of an inbound call, by its id in the log of inbound calls.
pub(super) async fn inbound_recording(
    State(state): State<AppState>,
    caller: Caller,
    Path(call): Path<String>,
    Query(query): Query<PartQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let call = CallRef::In(parse_id(&call, "recording")?);
    send_recording(&state, &caller, call, query, &headers).await
}

pub(super) async fn peaks(
    State(state): State<AppState>,
    caller: Caller,
    Path(attempt): Path<String>,
    Query(query): Query<PeaksQuery>,
) -> Result<Json<Value>, Problem> {
    let call = CallRef::Out(AttemptId(parse_id(&attempt, "recording")?));
    send_peaks(&state, &caller, call, query).await
}

pub(super) async fn inbound_peaks(
    State(state): State<AppState>,
    caller: Caller,
    Path(call): Path<String>,
    Query(query): Query<PeaksQuery>,
) -> Result<Json<Value>, Problem> {
    let call = CallRef::In(parse_id(&call, "recording")?);
    send_peaks(&state, &caller, call, query).await
}

/// The file of a part that the caller may hear.
async fn audible_file(
    state: &AppState,
    caller: &Caller,
    call: CallRef,
    part: Option<usize>,
) -> Result<PathBuf, Problem> {
    let missing = || Problem::not_found("recording");
    let parts = call.parts(state).await?;
    let found = parts.into_iter().nth(part.unwrap_or(1).wrapping_sub(1)).ok_or_else(missing)?;
    if !caller.scope.holds(found.enterprise, found.organisation) {
        return Err(missing());
    }
    let accounts = state.store().all_agents().await?;
    let mut speakers = accounts.iter().filter(|row| found.speakers.contains(&row.id.0));
    // Agents hear the calls they took part in, shift leads those of their groups, the other roles all.
    if !caller.can_see_all() && !speakers.any(|row| caller.can_see(row)) {
        return Err(missing());
    }
    // The store holds a path relative to the folder, or an absolute one.
    let root = state.recordings();
    let path = File::new(&found.path);
    let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    floor::resolve_below(root, &path).await.map_err(|_| missing())
}

async fn send_recording(
    state: &AppState,
    caller: &Caller,
    call: CallRef,
    query: PartQuery,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let is_download = query.download == Some(true);
    if is_download && !caller.may(Action::ExportsMake) {
        return Err(Problem::missing_right(Action::ExportsMake));
    }
    let file = audible_file(state, caller, call, query.part).await?;
    let range = headers.get(header::RANGE);
    let size = tokio::fs::metadata(&file).await.map_err(|_| Problem::not_found("recording"))?.len();
    let hearing = Hearing {
        who: format!("{:?}", caller.stream_reader()),
        subject: call.name(),
        number: query.hearing.unwrap_or(0),
        is_download,
    };
    // Every download from its beginning is one of its own; what goes on after a break belongs to it.
    let begins = is_download && starts_at_zero(range);
    note_access(state, caller, hearing, Duration::from_secs(size / BYTES_A_SECOND), begins).await?;
    let mut response = send_file(&file, range).await?;
    if is_download {
        let part = query.part.filter(|part| *part > 1).map(|part| format!("-{part}")).unwrap_or_default();
        let end = file.extension().and_then(|end| end.to_str()).unwrap_or("wav");
        let name = format!("attachment; filename=\"{}{part}.{end}\"", call.name());
        set_header(&mut response, header::CONTENT_DISPOSITION, &name);
    }
    Ok(response)
}

/// Writes the entry of the audit before the first byte of a hearing or of a download.
async fn note_access(
    state: &AppState,
    caller: &Caller,
    hearing: Hearing,
    length: Duration,
    begins: bool,
) -> Result<(), Problem> {
    let mut hearings = state.recording_access().hearings.lock().await;
    if !begins && hearings.goes_on(&hearing, length, state.now()) {
        return Ok(());
    }
    let subject = Subject::of("call", &hearing.subject);
    match hearing.is_download {
        true => state.store().record_access(&caller.actor(), DOWNLOAD, subject).await?,
        false => state.record_access(caller, Action::RecordingsPlay, subject).await?,
    }
    hearings.begin(hearing, state.now());
    Ok(())
}

/// Whether a request asks for the beginning of a file: it has no range that is understood, or one from byte 0.
fn starts_at_zero(range: Option<&HeaderValue>) -> bool {
    let text = range.and_then(|value| value.to_str().ok());
    text.is_none_or(|text| {
        text.trim_start().starts_with("bytes=0-") || super::records::parse_range(text, u64::MAX).is_none()
    })
}

async fn send_peaks(
    state: &AppState,
    caller: &Caller,
    call: CallRef,
    query: PeaksQuery,
) -> Result<Json<Value>, Problem> {
    let file = audible_file(state, caller, call, query.part).await?;
    let bins = query.bins.unwrap_or(LANE_BINS_MAX).clamp(1, LANE_BINS_MAX);
    let access = state.recording_access();
    let found = match access.peaks(&file, bins) {
        Some(found) => found,
        None => {
            let turn = access.reading.acquire().await.map_err(Problem::internal)?;
            let found = read_peaks(file.clone(), bins).await?;
            drop(turn);
            access.keep_peaks(&file, bins, found.clone());
            found
        }
    };
    Ok(Json(json!({ "millis": found.millis, "lanes": found.lanes })))
}

async fn read_peaks(file: PathBuf, bins: usize) -> Result<Arc<LanePeaks>, Problem> {
    let size = tokio::fs::metadata(&file).await.map_or(0, |it| it.len());
    // It may still be heard.
    if size > DRAWN_MAX {
        return Ok(Arc::default());
    }
    let read = tokio::task::spawn_blocking(move || lane_peaks(&file, bins)).await;
    let read = read.map_err(Problem::internal)?;
    // A file of another program, or one that was cut within its header, has no waveform; it may still be heard.
    Ok(Arc::new(read.unwrap_or_default()))
}
