//! Saves the campaign with its blacklists in the store, and imports its list once.

use crate::commands::Failure;
use crate::config::LoadedCampaign;
use crate::lists::{self, Batch};
use crate::store::{NewCampaign, NewImport, Store};
use paceline_core::ids::CampaignId;
use paceline_core::number_pattern::NumberPattern;
use sha2::{Digest, Sha256};
use std::path::Path;
use tokio::sync::mpsc;

/// The campaign's row for the store.
pub(in crate::commands) fn campaign_row(loaded: &LoadedCampaign) -> NewCampaign<'_> {
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

pub(super) async fn save_campaign(store: &Store, loaded: &LoadedCampaign) -> Result<CampaignId, Failure> {
    let id = store.define_campaign(&campaign_row(loaded)).await.map_err(Failure::unexpected)?;
    // Refresh the blacklists: the store checks them again before every attempt, whatever the import saw.
    for file in &loaded.list.blacklists {
        let (path, region) = (file.clone(), loaded.list.region.clone());
        let numbers = tokio::task::spawn_blocking(move || lists::read_blacklist(&path, &region))
            .await
            .map_err(Failure::unexpected)?
            .map_err(Failure::refused)?;
        let source = file.display().to_string();
        store.replace_blacklist(Some(id), &source, &numbers).await.map_err(Failure::unexpected)?;
    }
    Ok(id)
}

/// Imports the list once, all of it or nothing.
pub(super) async fn import_list(
    store: &Store,
    campaign: CampaignId,
    loaded: &LoadedCampaign,
) -> Result<(), Failure> {
    let file = loaded.list.file.clone();
    let fingerprint = tokio::task::spawn_blocking(move || fingerprint(&file))
        .await
        .map_err(Failure::unexpected)?
        .map_err(Failure::refused)?;
    let earlier = store.imports(campaign).await.map_err(Failure::unexpected)?;
    if earlier.iter().any(|import| import.fingerprint == fingerprint) {
        return Ok(());
    }
    if let Some(last) = earlier.last() {
        return Err(Failure::refused(format!(
            "{}: changed since it was imported ({} rows from {}); restore the old list, or remove the import with \
             `paceline undo-import` (as long as no lead was called), or put the new rows into a new campaign",
            loaded.list.file.display(),
            last.rows_read,
            last.file
        )));
    }
    let system = store.blacklisted(None).await.map_err(Failure::unexpected)?;
    let (batches_in, mut batches) = mpsc::channel::<Batch>(2);
    let spec = loaded.list.clone();
    let dir = loaded.results_dir.clone();
    let reading = tokio::task::spawn_blocking(move || {
        lists::check_with(
            &spec,
            &mut system.into_iter().filter_map(NumberPattern::number),
            &dir,
            &mut |batch| {
                let copy = Batch {
                    columns: batch.columns.clone(),
                    leads: batch.leads.clone(),
                    refused: batch.refused.clone(),
                };
                batches_in.blocking_send(copy).is_ok()
            },
        )
    });
    let mut import = None;
    while let Some(batch) = batches.recv().await {
        if import.is_none() {
            let new = NewImport {
                campaign,
                file: loaded.list.file.display().to_string(),
                fingerprint: fingerprint.clone(),
                header: batch.columns.to_vec(),
            };
            import = Some(store.begin_import(&new).await.map_err(Failure::unexpected)?);
        }
        if let Some(import) = &mut import {
            import.push(&batch.leads, &batch.refused).await.map_err(Failure::unexpected)?;
        }
    }
    let report = reading.await.map_err(Failure::unexpected)?.map_err(Failure::refused)?;
    let Some(import) = import.filter(|_| report.leads > 0) else {
        let dir = loaded.results_dir.display();
        return Err(Failure::refused(format!("{}: no row can be dialled; see {dir}/fix.csv", report.file)));
    };
    let json = serde_json::to_string(&report).map_err(Failure::unexpected)?;
    import.commit(report.rows_read, &json).await.map_err(Failure::unexpected)?;
    eprintln!(
        "list imported: {} rows = {} leads + {} refused{}",
        report.rows_read,
        report.leads,
        report.refused_rows,
        if report.refused_rows > 0 {
            format!(" (why: {}/fix.csv)", loaded.results_dir.display())
        } else {
            String::new()
        }
    );
    Ok(())
}

/// Identifies a list file: its size and SHA-256.
fn fingerprint(file: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: cannot be read: {error}", file.display());
    let mut reader = std::fs::File::open(file).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0u64;
    loop {
        let read = std::io::Read::read(&mut reader, &mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        size += read as u64;
        hash.update(&buffer[..read]);
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{size}:{hex}"))
}

pub(super) async fn lead_counts(url: &str, loaded: &LoadedCampaign) -> Result<(u64, u64), Failure> {
    let mut reader = Store::open_reader(url).await.map_err(Failure::unexpected)?;
    let record = reader.campaign(&loaded.rules.name).await.map_err(Failure::unexpected)?;
    let counts = reader.counts(record.id).await.map_err(Failure::unexpected)?;
    Ok((counts.leads.values().sum(), counts.leads.get("open").copied().unwrap_or(0)))
}
