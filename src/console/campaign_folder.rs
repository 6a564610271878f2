//! A campaign's folder as a zip, in and out. In, the zip is received and checked, and a task takes it in; out, the text
//! as it stands goes with each file that it names, so that `paceline run` works in the folder.

use super::app_state::AppState;
use super::auth::Caller;
use super::floor;
use super::objects::{self, Sending};
use super::problem::Problem;
use super::rights::Action;
use super::route::ROOT;
use super::server::RequestDeadline;
use super::uploads::{receive, remove_object};
use super::versions::with_etag;
use crate::config::campaign::{
    FileUse, NamedFile, edit, further_list_note, is_flat, named_files, without_further_lists,
};
use crate::config::{CampaignFile, LoadedCampaign};
use crate::files::{Kind, Stored};
use crate::store::Subject;
use crate::store::blobs::NewBlob;
use crate::store::campaign_rows::{CampaignFileRow, CampaignRow};
use crate::store::list_uploads::{UploadRow, UploadState};
use crate::store::task_rows::TaskId;
use crate::tasks::{self, AskedBy, Changed, FolderFault, FolderNames, ImportWish, Mapping, UseText};
use axum::Json;
use axum::extract::{Query, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(super) const ZIP: &str = "application/zip";

/// Lists that are put into a folder beside the one that its text names.
const LISTS_MAX: u32 = 50;

/// Whether the body is a zip.
pub(super) fn is_zip(headers: &HeaderMap) -> bool {
    let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(ZIP) || essence.eq_ignore_ascii_case("application/x-zip-compressed")
}

/// Whether the sender wants a task instead of waiting (RFC 7240, 4.1).
pub(super) fn prefers_task(headers: &HeaderMap) -> bool {
    let all = headers.get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|text| text.split(',')).any(|word| word.trim().eq_ignore_ascii_case("respond-async"))
}

/// The name and the title that replace those of the folder's text.
#[derive(Default, Deserialize)]
struct FolderQuery {
    name: Option<String>,
    title: Option<String>,
}

/// Receives the folder of a campaign and queues its import.
pub(super) async fn import(
    state: &AppState,
    caller: &Caller,
    deadline: Option<RequestDeadline>,
    request: Request,
) -> Result<Response, Problem> {
    if caller.request_key.is_none() {
        let detail = "send an Idempotency-Key, a word of your own for this request";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "key_missing", detail));
    }
    // A token may have the right to edit campaigns alone; a folder brings lists and sounds.
    for right in [Action::ListsEdit, Action::AudioEdit] {
        if !caller.may(right) {
            return Err(Problem::missing_right(right));
        }
    }
    let (head, body) = request.into_parts();
    let Query(asked) = Query::<FolderQuery>::try_from_uri(&head.uri)
        .map_err(|error| Problem::unprocessable(error.body_text()))?;
    let filled = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|it| !it.is_empty());
    let names = FolderNames { name: filled(asked.name), title: filled(asked.title) };
    let stored = receive(state, caller, deadline, &head.headers, body, Kind::CampaignFolder).await?;
    let queued = queue_folder(state, caller, &stored, names).await;
    let Ok((task, name, is_known)) = queued else {
        remove_object(state, &stored.path);
        return queued.map(|_| ().into_response());
    };
    if is_known {
        remove_object(state, &stored.path);
    }
    Ok(begun(state, task, &name))
}

/// Checks a folder and queues its import. Returns whether its bytes were there before.
async fn queue_folder(
    state: &AppState,
    caller: &Caller,
    stored: &Stored,
    names: FolderNames,
) -> Result<(TaskId, String, bool), Problem> {
    let path = state.files().file(&stored.path).map_err(Problem::internal)?;
    let (files, config, given) = (state.files().clone(), state.config_shared(), names.clone());
    let checked = tokio::task::spawn_blocking(move || tasks::check_folder(&path, &given, &files, &config));
    let name = checked.await.map_err(Problem::internal)?.map_err(|fault| match fault {
        FolderFault::Text(error) => super::campaign_text::faulty(&error),
        FolderFault::Zip(words) => {
            let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "folder_unfit", words.en.clone());
            problem.with_fault(String::new(), "unfit", &words.en, &words.zh)
        }
    })?;
    if state.store().campaign_row(&caller.scope, &name).await?.is_some() {
        let words = tasks::name_taken(&name);
        let problem = Problem::new(StatusCode::CONFLICT, "name_taken", words.en.clone());
        return Err(problem.with_fault(String::new(), "unfit", &words.en, &words.zh));
    }
    let blob = NewBlob {
        enterprise: caller.scope.enterprise,
        kind: Kind::CampaignFolder.word(),
        sha256: stored.sha256,
        bytes: stored.bytes,
        media_type: ZIP,
        path: &stored.path,
    };
    let (task, is_known) =
        queue(state, caller, &name, Some(&blob), ImportWish { names, ..ImportWish::default() }).await?;
    Ok((task, name, is_known))
}

/// Queues the opening of a campaign file of the server.
pub(super) async fn open(
    state: &AppState,
    caller: &Caller,
    file: &str,
    paused: bool,
    use_text: Option<UseText>,
) -> Result<Response, Problem> {
    let (_, path) = floor::campaign_file(state, caller, file).await?;
    let (read, config) = (path.clone(), state.config_shared());
    let loaded = tokio::task::spawn_blocking(move || LoadedCampaign::load(&read, &config));
    let loaded = loaded.await.map_err(Problem::internal)?;
    let not_opened = |error: crate::config::ConfigError| {
        Problem::new(StatusCode::CONFLICT, "not_opened", error.to_string())
    };
    let name = loaded.map_err(not_opened)?.rules.name;
    let wish = ImportWish { file: Some(path), paused, use_text, ..ImportWish::default() };
    let (task, _) = queue(state, caller, &name, None, wish).await?;
    Ok(begun(state, task, &name))
}

async fn queue(
    state: &AppState,
    caller: &Caller,
    name: &str,
    folder: Option<&NewBlob<'_>>,
    wish: ImportWish,
) -> Result<(TaskId, bool), Problem> {
    let asked_by = AskedBy::of(&caller.actor(), &caller.scope);
    let wish = ImportWish { campaign: name.to_owned(), asked_by, ..wish };
    let by = caller.maker();
    let mut change = state.change(caller, Action::CampaignsEdit, Subject::of("campaign", name)).await?;
    let queued = change.queue_campaign_import(caller.scope.enterprise, folder, by, json!(wish)).await?;
    let bytes = folder.map(|folder| folder.bytes);
    change.set_after(json!({ "action": "import", "task": queued.0.0, "bytes": bytes }));
    change.commit().await?;
    Ok(queued)
}

fn begun(state: &AppState, task: TaskId, name: &str) -> Response {
    state.tasks().wake();
    state.tasks().announce(Changed::Task(task));
    let place = format!("{ROOT}/tasks/{}", task.0);
    let answer = Json(json!({ "task": task.0, "campaign": name }));
    (StatusCode::ACCEPTED, [(header::LOCATION, place)], answer).into_response()
}

/// What a folder is made of.
struct Folder {
    text: String,
    /// Name and place of each file beside the text.
    parts: Vec<(String, PathBuf)>,
}

/// Sends the folder. A caller who may not read whole numbers gets it without lists and blacklists, and its text says so:
/// the text is shown to that caller anyway, and the sounds are what every callee hears.
pub(super) async fn export(
    state: &AppState,
    caller: &Caller,
    row: &CampaignRow,
) -> Result<Response, Problem> {
    let folder = folder_of(state, caller, row).await?;
    state.record_access(caller, Action::CampaignsRead, Subject::of("campaign_folder", &row.name)).await?;
    let files = state.files().clone();
    let written = tokio::task::spawn_blocking(move || -> std::io::Result<_> {
        let sizes: u64 =
            folder.parts.iter().filter_map(|(_, path)| path.metadata().ok()).map(|it| it.len()).sum();
        if !files.has_room(sizes)? {
            return Ok(None);
        }
        let temporary = files.create()?;
        let out = std::fs::OpenOptions::new().read(true).write(true).open(temporary.path())?;
        tasks::write_folder(&out, &folder.text, &folder.parts)?;
        // The file lives on under this handle when its name goes with `temporary`.
        Ok(Some(out))
    });
    let written = written.await.map_err(Problem::internal)?.map_err(|error| {
        let detail = format!("a file of the campaign cannot be read on the server: {error}");
        Problem::new(StatusCode::CONFLICT, "file_gone", detail)
    })?;
    let out = written.ok_or_else(|| {
        let detail =
            "the disk of the service is nearly full, so no folder is packed; ask its operator for room";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "disk_low", detail)
    })?;
    let save_as = format!("{}.zip", row.name);
    let sending = Sending { media_type: ZIP, save_as: Some(&save_as) };
    // Packed anew for each request, so it is sent whole.
    let response = objects::send(tokio::fs::File::from_std(out), sending, &HeaderMap::new()).await?;
    Ok(with_etag(row.version, response))
}

async fn folder_of(state: &AppState, caller: &Caller, row: &CampaignRow) -> Result<Folder, Problem> {
    let store = state.store();
    let written: Option<CampaignFile> = toml::from_str(&row.toml).ok();
    // A text that this program cannot read goes as it is.
    let Some(written) = written else { return Ok(Folder { text: row.toml.clone(), parts: Vec::new() }) };
    let kept = store.campaign_files(row.id).await?;
    let mut lists = store.uploads(row.enterprise, row.id, None, LISTS_MAX).await?;
    lists.retain(|list| list.state == UploadState::Loaded);
    lists.reverse();
    let mut packing = Packing {
        state,
        sees_numbers: caller.may(Action::NumbersRead),
        beside: row.file.as_deref().and_then(|file| Path::new(file).parent()).map(Path::to_owned),
        kept: &kept,
        names: BTreeSet::from([String::from("campaign.toml")]),
        parts: Vec::new(),
        left_out: Vec::new(),
    };
    let (mut patch, mut blacklists) = (Map::new(), Vec::new());
    for file in named_files(&written) {
        let name = packing.add_named(&file)?;
        match file.what {
            FileUse::Blacklist => blacklists.push(name),
            _ if name != file.name => patch_key(&mut patch, file.key, name.into()),
            _ => {}
        }
    }
    if blacklists != written.list.blacklists {
        patch_key(&mut patch, ["list", "blacklists"], json!(blacklists));
    }
    if written.results.dir != "results" {
        patch_key(&mut patch, ["results", "dir"], "results".into());
    }
    let mut further = Vec::new();
    for list in &lists {
        if kept.iter().any(|file| file.blob == list.blob) {
            continue;
        }
        let name = packing.add_list(list)?;
        let names_one = patch.get("list").is_some_and(|table| table.get("file").is_some());
        match written.list.file.is_empty() && !names_one {
            true => name_list(&mut patch, &name, list),
            false => further.push(name),
        }
    }
    let edited = edit::edit(&row.toml, &patch).map_err(|error| Problem::internal(error.to_string()))?;
    let text = with_notes(without_further_lists(&edited), &packing.left_out, &further);
    Ok(Folder { text, parts: packing.parts })
}

fn patch_key(patch: &mut Map<String, Value>, [table, key]: [&str; 2], value: Value) {
    patch.entry(table).or_insert_with(|| json!({}))[key] = value;
}

/// The text reads an uploaded list as it was loaded.
fn name_list(patch: &mut Map<String, Value>, name: &str, list: &UploadRow) {
    patch_key(patch, ["list", "file"], name.into());
    let mapping: Option<Mapping> = list.mapping.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let Some(mapping) = mapping else { return };
    patch_key(patch, ["list", "phones"], json!(mapping.phones));
    if !mapping.name.is_empty() {
        patch_key(patch, ["list", "name"], mapping.name.into());
    }
    if !mapping.household.is_empty() {
        patch_key(patch, ["list", "household"], json!(mapping.household));
    }
}

/// Comments that say what the folder lacks, and what it has beside what the text names.
fn with_notes(text: String, left_out: &[String], further: &[String]) -> String {
    let mut notes = String::new();
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        notes.push_str(&format!(
            "# left out, for it holds telephone numbers that this account may not read: {names}\n\
             # 未包含(含有本账号无权查看的号码):{names}\n"
        ));
    }
    for name in further {
        notes.push_str(&further_list_note(name));
        notes.push('\n');
    }
    match notes.is_empty() {
        true => text,
        false => format!("{}\n{notes}", text.trim_end_matches('\n')),
    }
}

/// A folder that is being put together.
struct Packing<'a> {
    state: &'a AppState,
    sees_numbers: bool,
    /// The folder of the campaign file that the row was made from.
    beside: Option<PathBuf>,
    kept: &'a [CampaignFileRow],
    names: BTreeSet<String>,
    parts: Vec<(String, PathBuf)>,
    left_out: Vec<String>,
}

impl Packing<'_> {
    /// Adds a file that the text names, and returns the name under which it lies in the folder.
    fn add_named(&mut self, file: &NamedFile) -> Result<String, Problem> {
        let own = self.kept.iter().find(|kept| kept.name == file.name);
        let place = match (own, &self.beside) {
            (Some(own), _) => Some(self.state.files().file(&own.path).map_err(Problem::internal)?),
            (None, Some(beside)) => Some(beside.join(&file.name)),
            // A name that nothing stands for yet.
            (None, None) => None,
        };
        let Some(place) = place else { return Ok(file.name.clone()) };
        if let Some((name, _)) = self.parts.iter().find(|(_, known)| *known == place) {
            return Ok(name.clone());
        }
        self.add(&file.name, place, file.what.has_numbers())
    }

    fn add_list(&mut self, list: &UploadRow) -> Result<String, Problem> {
        let place = self.state.files().file(&list.path).map_err(Problem::internal)?;
        self.add(&list.file_name, place, true)
    }

    fn add(&mut self, wanted: &str, place: PathBuf, has_numbers: bool) -> Result<String, Problem> {
        let name = self.free_name(wanted);
        match has_numbers && !self.sees_numbers {
            true => self.left_out.push(name.clone()),
            false => self.parts.push((name.clone(), place)),
        }
        Ok(name)
    }

    /// A name without a path, that no other file of the folder has: `list.csv`, `list-2.csv`.
    fn free_name(&mut self, wanted: &str) -> String {
        let last = wanted.rsplit(['/', '\\']).next().unwrap_or_default();
        let last = if is_flat(last) { last } else { "file" };
        let (stem, end) = match last.rsplit_once('.') {
            Some((stem, end)) if !stem.is_empty() => (stem, format!(".{end}")),
            _ => (last, String::new()),
        };
        let mut name = last.to_owned();
        let mut number = 2;
        while !self.names.insert(name.to_lowercase()) {
            name = format!("{stem}-{number}{end}");
            number += 1;
        }
        name
    }
}
