//! Tidies the recordings: repairs those that a crash cut off at the start, deletes those past their retention at
//! the start and every hour.

use super::Failure;
use crate::config::Config;
use crate::net::rtp;
use crate::output::error_line;
use crate::store::{InterruptedLeg, RecoveredRecording, Store};
use paceline_core::ids::CallId;
use paceline_core::time::Utc;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// How often recordings past their retention are looked for.
const RETENTION_INTERVAL: Duration = Duration::from_secs(3_600);

/// Most recordings deleted at once; the rest follows the next time.
const DELETED_AT_ONCE: u32 = 100_000;

/// A recording may be complete this long before its row is written.
const ROW_DELAY_MAX: Duration = Duration::from_secs(60);

/// Repairs recordings that a crash cut off, enters them with their calls, and deletes those past their
/// retention. `cut` and `alive_at`: open legs and last sign of life of the last process, from the store.
pub(super) async fn recover_recordings(
    config: &Config,
    store: &Store,
    cut: &[InterruptedLeg],
    alive_at: Utc,
) -> Result<(), Failure> {
    let dir = PathBuf::from(&config.recordings.dir);
    if !dir.is_dir() {
        return Ok(());
    }
    let recordings = dir.clone();
    let since = UNIX_EPOCH + Duration::from_millis(alive_at.as_millis().max(0) as u64);
    let since = since.checked_sub(ROW_DELAY_MAX).unwrap_or(UNIX_EPOCH);
    let searched = tokio::task::spawn_blocking(move || {
        let mended = rtp::recover_recordings(&recordings)?;
        let finished = rtp::recordings_finished_since(&recordings, since)?;
        let found = finished.iter().filter_map(|file| found_recording(&recordings, file)).collect();
        Ok::<_, std::io::Error>((mended.len(), found))
    });
    let (mended, found): (usize, Vec<_>) = searched
        .await
        .map_err(Failure::unexpected)?
        .map_err(|error| Failure::usage(format!("{}: {error}", dir.display())))?;
    if mended > 0 {
        error_line!("{mended} recordings were cut off by the last stop; they have been repaired");
    }
    store.add_recovered_recordings(&found, cut).await.map_err(Failure::unexpected)?;
    delete_expired(config, store).await
}

/// Deletes recordings past their retention as long as the service runs; the start has done so once.
pub(super) async fn keep_retention(config: Config, store: Arc<Store>) {
    let mut due = tokio::time::interval(RETENTION_INTERVAL);
    due.tick().await;
    loop {
        due.tick().await;
        if let Err(error) = store.delete_old_events().await {
            tracing::warn!(%error, "events past their retention are kept; retrying later");
        }
        if let Err(error) = store.delete_old_minutes().await {
            tracing::warn!(%error, "minutes of campaigns past their retention are kept; retrying later");
        }
        if let Err(failure) = delete_expired(&config, &store).await {
            tracing::warn!(
                why = failure.sentence,
                "recordings past their retention are kept; retrying later"
            );
        }
    }
}

async fn delete_expired(config: &Config, store: &Store) -> Result<(), Failure> {
    let dir = PathBuf::from(&config.recordings.dir);
    let days = config.retention.recordings_days;
    let old = store.recordings_older_than(days, DELETED_AT_ONCE).await.map_err(Failure::unexpected)?;
    let mut deleted = Vec::new();
    for recording in old {
        let file = dir.join(&recording.path);
        match std::fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                error_line!("warning: {}: {error}; kept beyond its retention", file.display());
                continue;
            }
        }
        // The description beside the sound file, if there is one.
        let _ = std::fs::remove_file(file.with_extension("json"));
        deleted.push(recording.id);
    }
    store.mark_recordings_deleted(&deleted).await.map_err(Failure::unexpected)
}

/// The description (`.json`) of a recording.
#[derive(Deserialize)]
struct Description {
    meta: DescribedCall,
    started_unix_micros: i64,
    #[serde(default)]
    seconds: f64,
    #[serde(default)]
    lost_frames: u64,
    /// The recorder finished it.
    #[serde(default)]
    complete: bool,
}

#[derive(Deserialize)]
struct DescribedCall {
    call: CallId,
}

/// `None` if the description is missing or does not name a call.
fn found_recording(dir: &Path, file: &Path) -> Option<RecoveredRecording> {
    let description: Description =
        serde_json::from_slice(&std::fs::read(file.with_extension("json")).ok()?).ok()?;
    Some(RecoveredRecording {
        call: description.meta.call,
        began_at: Utc::from_millis(description.started_unix_micros / 1_000),
        path: file.strip_prefix(dir).unwrap_or(file).display().to_string(),
        seconds: description.seconds,
        lost_frames: description.lost_frames,
        is_cut: !description.complete,
    })
}
