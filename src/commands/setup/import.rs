//! Saves the campaign with its blacklists in the store, and takes in its list: once as a whole, later what was
//! added to it.

use crate::cli::UseText;
use crate::commands::Failure;
use crate::commands::folder::{self, Refused, TakenIn};
use crate::config::{Config, LoadedCampaign};
use crate::files::Files;
use crate::lists::{self, Batch, ListSpec, RefusedRow};
use crate::output::error_line;
use crate::store::list_growth::ADDED;
use crate::store::{Import, NewImport, Store};
use crate::tasks::KnownRows;
use paceline_core::ids::{CampaignId, LeadId};
use paceline_core::outcome::Reason;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Takes in a campaign file, its sounds and its blacklists. `files` = the object store, where the sounds are kept too.
pub(in crate::commands) async fn save_campaign(
    store: &Store,
    files: Option<&Files>,
    loaded: &LoadedCampaign,
    config: &Config,
    use_text: Option<UseText>,
) -> Result<TakenIn, Refused> {
    let taken = folder::take_in(store, files, loaded, config, use_text).await?;
    if let Some(files) = files.filter(|_| !taken.is_from_store) {
        folder::keep_sounds(store, files, taken.campaign, &taken.loaded).await.map_err(Refused::Other)?;
    }
    refresh_blacklists(store, taken.campaign, &taken.loaded).await.map_err(Refused::Other)?;
    Ok(taken)
}

/// Reads the campaign's blacklists again: the store checks them before every attempt, whatever the import saw.
async fn refresh_blacklists(store: &Store, id: CampaignId, loaded: &LoadedCampaign) -> Result<(), Failure> {
    for file in &loaded.list.blacklists {
        let (path, region) = (file.clone(), loaded.list.region.clone());
        let skip_rows = loaded.list.skip_blacklist_rows;
        let numbers = tokio::task::spawn_blocking(move || lists::read_blacklist(&path, &region, skip_rows))
            .await
            .map_err(Failure::unexpected)?
            .map_err(Failure::refused)?;
        let source = file.display().to_string();
        store.replace_blacklist(Some(id), &source, &numbers).await.map_err(Failure::unexpected)?;
    }
    Ok(())
}

/// A list file that is taken into a campaign.
pub(in crate::commands) struct ListFile<'a> {
    pub spec: ListSpec,
    /// The file is the campaign's whole list; else its rows come to those the campaign has.
    pub is_whole_list: bool,
    /// Read the file even if it was taken in before: to find the leads that are no longer in it.
    pub again: bool,
    /// Folder of `list-report.json` and `fix.csv`.
    pub report_dir: &'a Path,
}

/// What taking in a list changed. A row is known if the campaign has a lead with its numbers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::commands) struct ListChange {
    pub rows_read: u64,
    pub new_leads: u64,
    pub known_rows: u64,
    /// Further numbers of known leads.
    pub new_numbers: u64,
    pub refused_rows: u64,
    /// Of those, rows whose numbers stand further up in the file.
    pub duplicate_rows: u64,
    /// New leads whose household is done already.
    pub household_done: u64,
    /// Leads of the list that are no longer in it, and their first rows.
    pub gone: u64,
    pub gone_rows: Vec<u64>,
    #[serde(skip)]
    pub gone_leads: Vec<LeadId>,
}

/// Rows of gone leads that are named.
const ROWS_NAMED: usize = 5;

/// Imports the campaign's list: all rows at first; later, what has been added to it since.
pub(super) async fn import_list(
    store: &Store,
    campaign: CampaignId,
    loaded: &LoadedCampaign,
) -> Result<(), Failure> {
    let report_dir = loaded.results_dir.as_path();
    let list = ListFile { spec: loaded.list.clone(), is_whole_list: true, again: false, report_dir };
    let Some(change) = take_in_list(store, campaign, list).await? else { return Ok(()) };
    let dir = report_dir.display();
    let why = if change.refused_rows > 0 { format!(" (why: {dir}/fix.csv)") } else { String::new() };
    if change.known_rows == 0 && change.gone == 0 {
        error_line!(
            "list imported: {} rows = {} leads + {} refused{why}",
            change.rows_read,
            change.new_leads,
            change.refused_rows
        );
        return Ok(());
    }
    error_line!("the list has changed since it was imported: {}{why}", describe_change(&change));
    if change.gone > 0 {
        error_line!(
            "leads that are no longer in the list stay in the campaign; to close them: \
             paceline list add {} {} --close-gone",
            loaded.file.display(),
            loaded.list.file.display()
        );
    }
    Ok(())
}

/// `2 new leads, 1 new number of known leads, 3 known rows, …`
pub(in crate::commands) fn describe_change(change: &ListChange) -> String {
    let mut text = format!(
        "{} new leads, {} new numbers of known leads, {} known rows, {} newly refused rows",
        change.new_leads, change.new_numbers, change.known_rows, change.refused_rows
    );
    if change.duplicate_rows > 0 {
        text.push_str(&format!(" ({} of them twice in the file)", change.duplicate_rows));
    }
    if change.household_done > 0 {
        text.push_str(&format!(", {} new leads of households that are done", change.household_done));
    }
    if change.gone > 0 {
        let rows: Vec<String> = change.gone_rows.iter().map(u64::to_string).collect();
        let more = if change.gone > change.gone_rows.len() as u64 { ", …" } else { "" };
        text.push_str(&format!(
            ", {} leads no longer in the list (old rows {}{more})",
            change.gone,
            rows.join(", ")
        ));
    }
    text
}

/// Takes a list file into a campaign, all of it or nothing. A list is known by its rows, not by its bytes: rows
/// whose numbers the campaign has are not taken in again, so that no number is ever two leads. `None`: exactly
/// this file was taken in before.
pub(in crate::commands) async fn take_in_list(
    store: &Store,
    campaign: CampaignId,
    list: ListFile<'_>,
) -> Result<Option<ListChange>, Failure> {
    let file = list.spec.file.clone();
    let bytes = tokio::task::spawn_blocking({
        let file = file.clone();
        move || fingerprint(&file)
    });
    let bytes = bytes.await.map_err(Failure::unexpected)?.map_err(Failure::refused)?;
    let fingerprint = if list.is_whole_list { bytes } else { format!("{ADDED}{bytes}") };
    let earlier = store.imports(campaign).await.map_err(Failure::unexpected)?;
    let is_known = earlier.iter().any(|import| import.fingerprint == fingerprint);
    if is_known && !list.again {
        return Ok(None);
    }
    let is_first = earlier.is_empty();
    let mut known = KnownRows::default();
    if !is_first {
        known = KnownRows::load(store, campaign, true).await.map_err(Failure::unexpected)?;
    }
    let system = store.blacklisted(None).await.map_err(Failure::unexpected)?;
    let (batches_in, mut batches) = mpsc::channel::<Batch>(2);
    let (spec, dir) = (list.spec.clone(), list.report_dir.to_owned());
    let reading = tokio::task::spawn_blocking(move || {
        let mut system = system.into_iter();
        lists::check_with(&spec, &mut system, &dir, &mut |batch| {
            batches_in.blocking_send(batch.clone()).is_ok()
        })
    });
    let mut change = ListChange::default();
    let mut imports: Vec<SheetImport> = Vec::new();
    let mut numbers = Vec::new();
    while let Some(mut batch) = batches.recv().await {
        if imports.last().is_none_or(|open| open.sheet != batch.sheet) {
            let place = match &*batch.sheet {
                "" => file.display().to_string(),
                sheet => format!("{} [{sheet}]", file.display()),
            };
            // Only the last sheet's import carries the fingerprint of the file: a crash between two commits leaves a
            // list that the next start takes in again.
            let fingerprint = match batch.is_last_sheet {
                true => fingerprint.clone(),
                false => format!("{fingerprint}#{}", imports.len() + 1),
            };
            let new = NewImport { campaign, file: place, fingerprint, header: batch.columns.to_vec() };
            let import = store.begin_import(&new).await.map_err(Failure::unexpected)?;
            imports.push(SheetImport { sheet: batch.sheet.clone(), import, rows: 0 });
        }
        let mut flats = Vec::new();
        if !is_first {
            change.known_rows += known.keep_new(&mut batch, &mut numbers, &mut flats);
        }
        let Some(open) = imports.last_mut() else { continue };
        open.import.push(&batch.leads, &batch.refused).await.map_err(Failure::unexpected)?;
        open.import.push_flats(&flats).await.map_err(Failure::unexpected)?;
        open.rows += (batch.leads.len() + batch.refused.len()) as u64;
        change.new_leads += batch.leads.len() as u64;
        change.refused_rows += batch.refused.len() as u64;
        let is_duplicate = |row: &&RefusedRow| row.reason == Reason::Duplicate;
        change.duplicate_rows += batch.refused.iter().filter(is_duplicate).count() as u64;
    }
    let report = reading.await.map_err(Failure::unexpected)?.map_err(Failure::refused)?;
    change.rows_read = report.rows_read;
    if report.leads == 0 || imports.is_empty() {
        let dir = list.report_dir.display();
        return Err(Failure::refused(format!("{}: no row can be dialled; see {dir}/fix.csv", report.file)));
    }
    // Before the commit, since a number is added once however often this is repeated.
    store.add_numbers(&numbers).await.map_err(Failure::unexpected)?;
    change.new_numbers = numbers.len() as u64;
    let json = serde_json::to_string(&report).map_err(Failure::unexpected)?;
    for SheetImport { import, rows, .. } in imports {
        if is_known && rows == 0 {
            import.abandon().await.map_err(Failure::unexpected)?;
            continue;
        }
        let id = import.commit(rows, &json).await.map_err(Failure::unexpected)?;
        if !is_first {
            change.household_done +=
                store.close_leads_of_done_households(id).await.map_err(Failure::unexpected)?;
        }
    }
    if list.is_whole_list && !is_first {
        let (leads, mut rows) = known.gone();
        change.gone = leads.len() as u64;
        change.gone_leads = leads;
        rows.truncate(ROWS_NAMED);
        change.gone_rows = rows;
    }
    Ok(Some(change))
}

/// The import of one sheet, not committed yet.
struct SheetImport {
    sheet: Arc<str>,
    import: Import,
    rows: u64,
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
