//! Receiving files: the body is the file, streamed into the object store, never held in memory and never kept under the
//! name that was sent.

use super::app_state::AppState;
use super::auth::Caller;
use super::limits::{Counts, Permit, StreamReader};
use super::problem::Problem;
use super::secrets;
use super::server::RequestDeadline;
use crate::files::{self, Kind, Limits, PutError, Stored};
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Uploads at once: of one account or program, and of one enterprise.
const PER_CALLER_MAX: usize = 2;
const PER_ENTERPRISE_MAX: usize = 4;
/// Bytes that an enterprise may send in a day, refused files included, and keep.
const DAY_BYTES_MAX: u64 = 10 << 30;
const STORED_BYTES_MAX: u64 = 50 << 30;
/// An upload ends without a byte for so long, and after so long in any case.
const IDLE_MAX: Duration = Duration::from_secs(30);
const WHOLE_MAX: Duration = Duration::from_secs(2 * 3_600);
const DAY_MILLIS: i64 = 24 * 3_600 * 1_000;

/// Largest list and largest sound, in bytes.
pub(super) const LIST_BYTES_MAX: u64 = 512 << 20;
pub(super) const AUDIO_BYTES_MAX: u64 = 64 << 20;
/// Largest proof of a caller ID.
const PROOF_BYTES_MAX: u64 = 10 << 20;

/// Uploads under way, and what came today.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    by_caller: Counts<StreamReader>,
    by_enterprise: Counts<i64>,
    /// By enterprise: the day, and the bytes that came in it since this process began.
    received: Mutex<BTreeMap<i64, (i64, u64)>>,
}

/// The place of one upload.
struct Place {
    _caller: Permit<StreamReader>,
    _enterprise: Permit<i64>,
}

impl Uploads {
    fn enter(&self, caller: &Caller) -> Result<Place, Problem> {
        let full = |detail: &str| Problem::too_many_requests(5, detail);
        let of_caller = self.by_caller.try_acquire(caller.stream_reader(), PER_CALLER_MAX);
        let _caller =
            of_caller.ok_or_else(|| full("two files are on their way already; wait for one of them"))?;
        let of_enterprise = self.by_enterprise.try_acquire(caller.scope.enterprise, PER_ENTERPRISE_MAX);
        let _enterprise = of_enterprise
            .ok_or_else(|| full("your colleagues are sending four files; wait for one of them"))?;
        Ok(Place { _caller, _enterprise })
    }

    /// Counts bytes that came, and returns those of the day.
    fn note(&self, enterprise: i64, day: i64, bytes: u64) -> u64 {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let of_day = received.entry(enterprise).or_insert((day, 0));
        if of_day.0 != day {
            *of_day = (day, 0);
        }
        of_day.1 += bytes;
        of_day.1
    }
}

/// Receives a body into the object store.
///
/// # Errors
/// The file is too large, too slow, cut off, or more than the enterprise may send; the disk is low.
pub(super) async fn receive(
    state: &AppState,
    caller: &Caller,
    deadline: Option<RequestDeadline>,
    headers: &HeaderMap,
    body: Body,
    kind: Kind,
) -> Result<Stored, Problem> {
    let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content.starts_with("multipart/") || content.starts_with("application/x-www-form-urlencoded") {
        let detail = "send the file itself as the body, with the content type application/octet-stream";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_a_file", detail));
    }
    let bytes = match kind {
        Kind::Audio => AUDIO_BYTES_MAX,
        Kind::Proof => PROOF_BYTES_MAX,
        _ => LIST_BYTES_MAX,
    };
    let (_place, announced) = admit(state, caller, deadline, headers, bytes).await?;
    let limits = Limits { bytes, idle: IDLE_MAX };
    let (enterprise, now) = (caller.scope.enterprise, state.now());
    let put = state.files().put(enterprise, kind, now, announced, limits, body.into_data_stream()).await;
    let stored = counted(state, enterprise, announced, put, |stored| stored.bytes)?;
    if let Some(key) = &caller.request_key {
        let noted = state.store().note_key_file(key, &secrets::hex(&stored.sha256)).await;
        if noted.is_err() {
            remove_object(state, &stored.path);
        }
        noted?;
    }
    Ok(stored)
}

/// The hash of a file that is sent again under its key; nothing of it is kept.
///
/// # Errors
/// As [`receive`].
pub(super) async fn hash_again(
    state: &AppState,
    caller: &Caller,
    deadline: Option<RequestDeadline>,
    headers: &HeaderMap,
    body: Body,
) -> Result<String, Problem> {
    let (_place, announced) = admit(state, caller, deadline, headers, LIST_BYTES_MAX).await?;
    let limits = Limits { bytes: LIST_BYTES_MAX, idle: IDLE_MAX };
    let read = files::hash(announced, limits, body.into_data_stream()).await;
    let (hash, _) = counted(state, caller.scope.enterprise, announced, read, |(_, bytes)| *bytes)?;
    Ok(secrets::hex(&hash))
}

/// Takes a place for an upload and gives it its time.
async fn admit(
    state: &AppState,
    caller: &Caller,
    deadline: Option<RequestDeadline>,
    headers: &HeaderMap,
    limit: u64,
) -> Result<(Place, Option<u64>), Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    // A file that is never taken costs nobody's share of the day.
    if announced.is_some_and(|announced: u64| announced > limit) {
        return Err(refusal(PutError::TooLarge { limit }));
    }
    let place = state.uploads().enter(caller)?;
    check_quota(state, caller, announced.unwrap_or(0)).await?;
    if let Some(deadline) = deadline {
        deadline.extend(WHOLE_MAX);
    }
    Ok((place, announced))
}

/// Counts what came to the enterprise's share of the day.
fn counted<T>(
    state: &AppState,
    enterprise: i64,
    announced: Option<u64>,
    put: Result<T, PutError>,
    bytes: impl FnOnce(&T) -> u64,
) -> Result<T, Problem> {
    let day = state.now().as_millis().div_euclid(DAY_MILLIS);
    let came = match &put {
        Ok(stored) => bytes(stored),
        Err(PutError::TooLarge { limit }) => announced.unwrap_or(*limit).min(*limit),
        Err(PutError::Broken { bytes, .. } | PutError::Short { bytes, .. }) => *bytes,
        Err(_) => 0,
    };
    state.uploads().note(enterprise, day, came);
    put.map_err(refusal)
}

async fn check_quota(state: &AppState, caller: &Caller, announced: u64) -> Result<(), Problem> {
    let (enterprise, now) = (caller.scope.enterprise, state.now().as_millis());
    let day = now.div_euclid(DAY_MILLIS);
    let (stored, entered) = state.store().stored_bytes(enterprise, day * DAY_MILLIS).await?;
    let today = state.uploads().note(enterprise, day, 0).max(entered);
    if today.saturating_add(announced) > DAY_BYTES_MAX {
        let detail = "your enterprise has sent 10 GiB today; go on tomorrow (UTC)";
        return Err(Problem::too_many_requests(3_600, detail));
    }
    if stored.saturating_add(announced) > STORED_BYTES_MAX {
        let detail = "your enterprise keeps 50 GiB of files; discard lists or retire sounds first";
        return Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", detail));
    }
    Ok(())
}

fn refusal(error: PutError) -> Problem {
    let detail = error.to_string();
    match error {
        PutError::TooLarge { limit } => {
            let detail = format!("the file is larger than {} MiB: split it", limit >> 20);
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        }
        PutError::Idle { .. } => Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail),
        PutError::Broken { .. } | PutError::Short { .. } => {
            Problem::new(StatusCode::BAD_REQUEST, "cut_off", format!("{detail}: send the file again"))
        }
        PutError::DiskLow => {
            let detail =
                "the disk of the service is nearly full, so no file is taken; ask its operator for room";
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, "disk_low", detail)
        }
        PutError::Disk(error) => Problem::internal(error),
    }
}

/// Removes an object that no row names. What stays is removed by the daily sweep.
pub(super) fn remove_object(state: &AppState, path: &str) {
    if let Err(error) = state.files().delete(path) {
        tracing::warn!(%error, path, "an object that is not needed could not be removed now");
    }
}
