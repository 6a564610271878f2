//! People and prompts for a running engine: who works here, what the house says.

use super::Failure;
use crate::audio::Language;
use crate::config::Config;
use crate::config::settings::PromptLanguage;
use crate::console;
use crate::engine::{Ask, EngineHandle, Prompts};
use crate::net::rtp;
use crate::store::Store;
use std::path::{Path, PathBuf};

/// Tells the engine of every group and agent the store knows. Told again, nothing is lost.
pub(super) async fn tell_people(store: &Store, handle: &EngineHandle) -> Result<(), Failure> {
    for group in store.groups().await.map_err(Failure::unexpected)? {
        handle.ask(Ask::Group(group)).await;
    }
    for row in store.agents().await.map_err(Failure::unexpected)? {
        handle.ask(Ask::Agent(Box::new(console::opening(&row)))).await;
    }
    Ok(())
}

/// What the house says, in the configured language.
pub(super) fn prompts(config: &Config) -> Result<Prompts, Failure> {
    let language = match config.prompts.language {
        PromptLanguage::Zh => Language::Zh,
        PromptLanguage::En => Language::En,
    };
    let dir = Some(&config.prompts.dir).filter(|dir| !dir.is_empty()).map(Path::new);
    Prompts::load(language, dir).map_err(Failure::refused)
}

/// Recordings deleted at one start: the rest follows at the next.
const DELETED_AT_ONCE: u32 = 100_000;

/// Recordings that a crash cut off are mended; those past their time are deleted.
pub(super) async fn tidy_recordings(config: &Config, store: &Store) -> Result<(), Failure> {
    let dir = PathBuf::from(&config.recordings.dir);
    if !dir.is_dir() {
        return Ok(());
    }
    let mending = dir.clone();
    let mended = tokio::task::spawn_blocking(move || rtp::recover(&mending))
        .await
        .map_err(Failure::unexpected)?
        .map_err(|error| Failure::usage(format!("{}: {error}", dir.display())))?;
    if !mended.is_empty() {
        eprintln!("{} recordings were cut off by the last stop; they are whole again", mended.len());
    }
    let days = config.retention.recordings_days;
    let old = store.recordings_older_than(days, DELETED_AT_ONCE).await.map_err(Failure::unexpected)?;
    let mut deleted = Vec::new();
    for recording in old {
        let file = dir.join(&recording.path);
        match std::fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                eprintln!("warning: {}: {error}; kept beyond its time", file.display());
                continue;
            }
        }
        // Beside it; may never have been there.
        let _ = std::fs::remove_file(file.with_extension("json"));
        deleted.push(recording.id);
    }
    store.recordings_deleted(&deleted).await.map_err(Failure::unexpected)
}
