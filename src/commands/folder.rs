//! Campaign files and their rows. A file that was changed since it was taken in last is the next version of its row; a
//! text that was changed over the API stands as long as the file stays as it was. Where both were changed, people say
//! which text counts.

use super::Failure;
use crate::cli::UseText;
use crate::config::campaign::CampaignFiles;
use crate::config::{Config, LoadedCampaign};
use crate::files::{Files, Kind};
use crate::output::error_line;
use crate::store::blobs::{BlobId, NewBlob};
use crate::store::campaign_rows::CampaignRow;
use crate::store::scope::FIRST_ENTERPRISE;
use crate::store::{NewCampaign, Scope, Store};
use paceline_core::ids::CampaignId;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Why a file was not taken in.
#[derive(Debug)]
pub(super) enum Refused {
    /// Both texts were changed.
    ChangedInBoth(Failure),
    Other(Failure),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Failure {
        match refused {
            Refused::ChangedInBoth(failure) | Refused::Other(failure) => failure,
        }
    }
}

/// A campaign whose file was taken in.
pub(super) struct TakenIn {
    pub campaign: CampaignId,
    /// Of the text that counts: the file's, or the one in the store.
    pub loaded: LoadedCampaign,
    /// The text in the store counts, and it is not the file's.
    pub is_from_store: bool,
}

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The file's text is written where it differs from the store's.
    TakeFile,
    KeepStore,
    Ask,
}

/// `base` = the hash of the file when it was taken in last.
fn decide(base: &str, file: &str, stored: &str, use_text: Option<UseText>) -> Step {
    match (file == base, stored == base) {
        _ if file == stored => Step::TakeFile,
        (true, _) => Step::KeepStore,
        (false, true) => Step::TakeFile,
        (false, false) => match use_text {
            None => Step::Ask,
            Some(UseText::File) => Step::TakeFile,
            Some(UseText::Store) => Step::KeepStore,
        },
    }
}

/// The campaign's row for the store.
pub(super) fn campaign_row(loaded: &LoadedCampaign) -> NewCampaign<'_> {
    let rules = &loaded.rules;
    NewCampaign {
        name: &rules.name,
        title: &loaded.title,
        mode: rules.mode.word(),
        timezone: &rules.windows.timezone,
        toml: &loaded.text,
        retry: &rules.retry,
    }
}

/// Takes a campaign file in, by the rule above.
///
/// # Errors
/// [`Refused::ChangedInBoth`] if both texts were changed and nobody said which counts.
pub(super) async fn take_in(
    store: &Store,
    objects: Option<&Files>,
    loaded: &LoadedCampaign,
    config: &Config,
    use_text: Option<UseText>,
) -> Result<TakenIn, Refused> {
    let failed = |error| Refused::Other(Failure::unexpected(error));
    let row = store.campaign_row(&Scope::first(), &loaded.rules.name).await.map_err(failed)?;
    let file_hash = hash_of(&loaded.text);
    let path = std::path::absolute(&loaded.file).unwrap_or_else(|_| loaded.file.clone());
    let step = match &row {
        None => Step::TakeFile,
        Some(row) => decide(&base_of(store, row).await?, &file_hash, &hash_of(&row.toml), use_text),
    };
    let (campaign, from_store) = match (step, row) {
        (Step::Ask, Some(row)) => return Err(Refused::ChangedInBoth(changed_in_both(&row, &path))),
        (Step::KeepStore, Some(row)) => (row.id, Some(row)),
        _ => (store.define_campaign(&campaign_row(loaded)).await.map_err(failed)?, None),
    };
    store.note_campaign_file(campaign, &path.display().to_string(), &file_hash).await.map_err(failed)?;
    let Some(row) = from_store else {
        return Ok(TakenIn { campaign, loaded: loaded.clone(), is_from_store: false });
    };
    let files =
        CampaignFiles { file: Some(loaded.file.clone()), objects: objects_of(store, objects, row.id).await? };
    let loaded = LoadedCampaign::parse_row(&row.toml, &files, config);
    let loaded = loaded.map_err(|error| Refused::Other(Failure::refused(error)))?;
    if let Some(lack) = loaded.lacks.first() {
        return Err(Refused::Other(Failure::refused(lack)));
    }
    error_line!(
        "campaign {}: its file is as it was, and its text was changed over the API; version {} of it counts",
        row.name,
        row.version
    );
    Ok(TakenIn { campaign, loaded, is_from_store: true })
}

/// The objects that names in a row's text stand for; other names are files beside the campaign file.
async fn objects_of(
    store: &Store,
    files: Option<&Files>,
    campaign: CampaignId,
) -> Result<BTreeMap<String, PathBuf>, Refused> {
    let rows = store.campaign_files(campaign).await;
    let rows = rows.map_err(|error| Refused::Other(Failure::unexpected(error)))?;
    Ok(rows.into_iter().filter_map(|row| Some((row.name, files?.file(&row.path).ok()?))).collect())
}

/// The hash of the file's text when it was taken in last. A store from before it was kept has the text itself.
async fn base_of(store: &Store, row: &CampaignRow) -> Result<String, Refused> {
    if let Some(hash) = &row.file_hash {
        return Ok(hash.clone());
    }
    let failed = |error| Refused::Other(Failure::unexpected(error));
    let versions = store.campaign_versions(row.id).await.map_err(failed)?;
    let Some(last) = versions.iter().find(|version| version.source == "file") else {
        return Ok(String::new());
    };
    let text = store.campaign_version(row.id, last.number).await.map_err(failed)?;
    Ok(text.map_or_else(String::new, |version| hash_of(&version.toml)))
}

fn changed_in_both(row: &CampaignRow, path: &Path) -> Failure {
    Failure::refused(format!(
        "campaign {}: {} was changed, and version {} in the store was changed over the API: say which text counts, \
         --use file or --use store",
        row.name,
        path.display(),
        row.version
    ))
}

pub(super) fn hash_of(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Keeps the sounds beside a campaign file in the object store, so that the row can be opened and copied without its
/// folder. Where the disk is nearly full they stay in the folder alone.
pub(super) async fn keep_sounds(
    store: &Store,
    files: &Files,
    campaign: CampaignId,
    loaded: &LoadedCampaign,
) -> Result<(), Failure> {
    let announcement = &loaded.written.announcement;
    let named = [(&announcement.file, &loaded.announcement), (&announcement.sorry, &loaded.sorry)];
    let mut blobs: BTreeMap<String, BlobId> = BTreeMap::new();
    for (name, path) in named {
        let Some(path) = path.clone().filter(|path| !path.starts_with(files.root())) else { continue };
        if let Some(blob) = keep_sound(store, files, path).await? {
            blobs.insert(name.clone(), blob);
        }
    }
    let unused = store.set_campaign_files(campaign, &blobs).await.map_err(Failure::unexpected)?;
    for path in unused {
        files.delete(&path).map_err(Failure::unexpected)?;
    }
    Ok(())
}

async fn keep_sound(store: &Store, files: &Files, path: PathBuf) -> Result<Option<BlobId>, Failure> {
    let (own, now) = (files.clone(), store.clock_now());
    let kept = tokio::task::spawn_blocking(move || -> std::io::Result<_> {
        let mut source = std::fs::File::open(&path)?;
        if !own.has_room(source.metadata()?.len())? {
            return Ok(None);
        }
        let mut temporary = own.create()?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = source.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            std::io::Write::write_all(&mut temporary, &buffer[..read])?;
        }
        own.keep(temporary, FIRST_ENTERPRISE, Kind::Audio, now).map(Some)
    });
    let Some(stored) = kept.await.map_err(Failure::unexpected)?.map_err(Failure::unexpected)? else {
        return Ok(None);
    };
    let blob = NewBlob {
        enterprise: FIRST_ENTERPRISE,
        kind: Kind::Audio.word(),
        sha256: stored.sha256,
        bytes: stored.bytes,
        media_type: "application/octet-stream",
        path: &stored.path,
    };
    let entered = store.enter_blob(&blob).await.map_err(Failure::unexpected)?;
    if entered.is_known {
        files.delete(&stored.path).map_err(Failure::unexpected)?;
    }
    Ok(Some(entered.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_counts_by_what_was_changed_since_the_file_was_taken_in() {
        let (store, file) = (Some(UseText::Store), Some(UseText::File));
        for (base, in_file, stored, use_text, wanted) in [
            ("a", "a", "a", None, Step::TakeFile),
            ("a", "b", "a", None, Step::TakeFile),
            ("a", "a", "b", None, Step::KeepStore),
            ("a", "b", "b", None, Step::TakeFile),
            ("a", "b", "c", None, Step::Ask),
            ("a", "b", "c", file, Step::TakeFile),
            ("a", "b", "c", store, Step::KeepStore),
            ("", "b", "c", None, Step::Ask),
        ] {
            assert_eq!(
                decide(base, in_file, stored, use_text),
                wanted,
                "{base} {in_file} {stored} {use_text:?}"
            );
        }
    }
}
