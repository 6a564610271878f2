//! Changes of a campaign's text: as a whole or by a merge patch of its fields, tried first or applied.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::caller_id_campaigns;
use super::campaign_requests::CampaignRequest;
use super::campaign_views::StateFacts;
use super::campaigns::{find, name_taken};
use super::fields::{TEXT, parse_text};
use super::problem::Problem;
use super::rights::Action;
use super::uploads::remove_object;
use super::versions::{answer_of_row, check_version, etag};
use super::views::moment;
use crate::config::campaign::diff::{DiffLine, diff};
use crate::config::campaign::edit;
use crate::config::campaign::{CampaignFiles, FileUse, named_files};
use crate::config::{CampaignFile, ConfigError, LoadedCampaign};
use crate::store::blobs::BlobId;
use crate::store::campaign_rows::{CampaignRow, NewVersion};
use crate::store::{NewCampaign, Subject};
use crate::text::{fault_sentence_zh, fault_zh};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use paceline_core::campaign::SIMULATED_TRUNK;
use paceline_core::ids::AgentId;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The objects that the names in a text stand for.
pub(super) struct NamedFiles {
    files: CampaignFiles,
    pub blobs: BTreeMap<String, BlobId>,
    /// Names of sounds that wait for an approval.
    waiting: BTreeSet<String>,
}

impl NamedFiles {
    /// Names that the row has already keep their objects; others are uploaded sounds.
    pub async fn of(
        state: &AppState,
        caller: &Caller,
        text: &str,
        row: Option<&CampaignRow>,
    ) -> Result<NamedFiles, Problem> {
        let kept = match row {
            Some(row) => state.store().campaign_files(row.id).await?,
            None => Vec::new(),
        };
        let (mut objects, mut blobs, mut waiting) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        for (name, is_sound) in file_names(text) {
            let own = kept.iter().find(|file| file.name == name);
            let found = match own {
                Some(own) => {
                    let word = own.audio.as_ref().map_or(String::new(), |(_, word)| word.clone());
                    Some((own.blob, own.path.clone(), word))
                }
                None if is_sound => state.store().sound_named(&caller.scope, &name).await?,
                // Lists, blacklists and days come with the campaign's folder, or not at all.
                None => None,
            };
            let Some((blob, path, word)) = found else { continue };
            if word == "waiting" {
                waiting.insert(name.clone());
            }
            objects.insert(name.clone(), state.files().file(&path).map_err(Problem::internal)?);
            blobs.insert(name, blob);
        }
        let file = row.and_then(|row| row.file.as_deref()).map(PathBuf::from);
        Ok(NamedFiles { files: CampaignFiles { file, objects }, blobs, waiting })
    }

    pub fn files(&self) -> &CampaignFiles {
        &self.files
    }
}

/// Names of the files in a text, each with whether it is a sound. Also of a text with faults elsewhere.
fn file_names(text: &str) -> Vec<(String, bool)> {
    if let Ok(written) = toml::from_str::<CampaignFile>(text) {
        let named = named_files(&written).into_iter();
        return named.map(|file| (file.name, file.what == FileUse::Sound)).collect();
    }
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let announcement = table.get("announcement").and_then(toml::Value::as_table);
    let name = |key| announcement.and_then(|table| table.get(key)).and_then(toml::Value::as_str);
    let sounds = ["file", "sorry"].into_iter().filter_map(name).filter(|name| !name.is_empty());
    sounds.map(|name| (name.to_owned(), true)).collect()
}

/// Reads and checks a text that comes in the place of `before`.
pub(super) fn check(
    state: &AppState,
    text: &str,
    before: Option<&CampaignFile>,
    files: &NamedFiles,
) -> Result<LoadedCampaign, ConfigError> {
    LoadedCampaign::parse_change(text, before, &files.files, state.config())
}

/// The version to be written.
pub(super) fn version<'a>(
    loaded: &'a LoadedCampaign,
    note: Option<&'a str>,
    files: &'a BTreeMap<String, BlobId>,
) -> NewVersion<'a> {
    let rules = &loaded.rules;
    let row = NewCampaign {
        name: &rules.name,
        title: &loaded.title,
        mode: rules.mode.word(),
        timezone: &rules.windows.timezone,
        toml: &loaded.text,
        retry: &rules.retry,
    };
    NewVersion { row, note, files }
}

/// 422: the text has faults, each with its key or line.
pub(super) fn faulty(error: &ConfigError) -> Problem {
    let detail = error.problems.iter().map(|it| format!("{}; {}", it.found, it.hint)).collect::<Vec<_>>();
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "campaign_faulty", detail.join("\n"));
    error.problems.iter().fold(problem, |problem, it| {
        let at = match (&it.key, it.line) {
            (Some(key), _) => format!("/{}", key.replace('.', "/")),
            (None, Some(line)) => format!("campaign.toml:{line}"),
            (None, None) => String::new(),
        };
        let en = match it.hint.as_str() {
            "" => it.found.clone(),
            hint => format!("{}; {hint}", it.found),
        };
        problem.with_fault(at, "unfit", &en, &fault_sentence_zh(it.line, &it.found, &it.hint))
    })
}

/// A sentence of the configuration in both languages.
fn words(en: &str) -> Value {
    json!({ "en": en, "zh": fault_zh(en).unwrap_or_else(|| en.to_owned()) })
}

fn problem_view(it: &crate::config::Problem, level: &str) -> Value {
    let (found, advice) = (words(&it.found), words(&it.hint));
    json!({ "key": it.key, "line": it.line, "found": found, "advice": advice, "level": level })
}

fn problem_views(read: &Result<LoadedCampaign, ConfigError>) -> Vec<Value> {
    let loaded = match read {
        Err(error) => return error.problems.iter().map(|it| problem_view(it, "error")).collect(),
        Ok(loaded) => loaded,
    };
    let warning = |text: &String| {
        let (found, advice) = (words(text), words(""));
        json!({ "key": null, "line": null, "found": found, "advice": advice, "level": "warning" })
    };
    let lacks = loaded.lacks.iter().map(|it| problem_view(it, "warning"));
    lacks.chain(loaded.warnings.iter().map(warning)).collect()
}

fn diff_view(line: &DiffLine<'_>) -> Value {
    json!({
        "kind": line.kind.word(),
        "line_before": line.line_before,
        "line_after": line.line_after,
        "text": line.text,
    })
}

/// The fields that differ, down to the keys of a section.
fn changed_fields(before: &CampaignFile, after: &CampaignFile) -> Vec<String> {
    let fields = |file: &CampaignFile| match serde_json::to_value(file) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let (before, after) = (fields(before), fields(after));
    let mut changed = Vec::new();
    for (section, new) in &after {
        match (before.get(section), new) {
            (Some(old), new) if old == new => {}
            (Some(Value::Object(old)), Value::Object(new)) => {
                let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
                let differs = |key: &&&String| old.get(**key) != new.get(**key);
                changed.extend(keys.iter().filter(differs).map(|key| format!("{section}.{key}")));
            }
            _ => changed.push(section.clone()),
        }
    }
    changed
}

fn effects(
    before: Option<&CampaignFile>,
    after: &LoadedCampaign,
    files: &NamedFiles,
    asks: bool,
) -> Vec<Value> {
    let Some(before) = before else { return Vec::new() };
    let waits = |field: &str| {
        let name = match field {
            "announcement.file" => &after.written.announcement.file,
            "announcement.sorry" => &after.written.announcement.sorry,
            _ => return false,
        };
        asks && files.waiting.contains(name)
    };
    let effect = |field: String| {
        let (when, en, zh) = if waits(&field) {
            ("after_approval", "takes effect once the sound is approved", "声音获批后生效")
        } else if field == "name" || field.starts_with("list.") || field.starts_with("results.") {
            ("next_start", "takes effect at the next start", "下次开始时生效")
        } else {
            ("now", "takes effect at once", "立即生效")
        };
        json!({ "field": field, "when": when, "words": { "en": en, "zh": zh } })
    };
    changed_fields(before, &after.written).into_iter().map(effect).collect()
}

#[derive(Deserialize)]
pub(super) struct ChangeQuery {
    dry_run: Option<String>,
}

/// A whole text.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CampaignTextRequest {
    #[schemars(length(min = 1, max = 65_536))]
    toml: String,
    /// Why it was changed, for people who read the versions.
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    note: Option<String>,
}

/// A change by fields.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CampaignPatchRequest {
    /// A JSON merge patch (RFC 7396) of the campaign's `fields`; `null` takes a key out of the text.
    fields: Map<String, Value>,
    /// Why it was changed, for people who read the versions.
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    note: Option<String>,
}

pub(super) async fn replace(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<ChangeQuery>,
    headers: HeaderMap,
    Body(asked): Body<CampaignTextRequest>,
) -> Result<Response, Problem> {
    let row = find(&state, &caller, &name).await?;
    let note = asked.note.map(|note| parse_text("note", &note)).transpose()?;
    change_text(&state, &caller, row, asked.toml, note, &headers, query.is_dry_run()).await
}

pub(super) async fn patch(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<ChangeQuery>,
    headers: HeaderMap,
    Body(asked): Body<CampaignPatchRequest>,
) -> Result<Response, Problem> {
    let row = find(&state, &caller, &name).await?;
    let note = asked.note.map(|note| parse_text("note", &note)).transpose()?;
    let edited = edit::edit(&row.toml, &asked.fields);
    let text = edited.map_err(|error| {
        let en = error.to_string();
        Problem::of_field("/fields", &en, &fault_zh(&en).unwrap_or_else(|| en.clone()))
    })?;
    change_text(&state, &caller, row, text, note, &headers, query.is_dry_run()).await
}

impl ChangeQuery {
    fn is_dry_run(&self) -> bool {
        self.dry_run.as_deref() == Some("true")
    }
}

/// The precondition of a change, with what stands now where it fails.
async fn check_present(state: &AppState, headers: &HeaderMap, row: &CampaignRow) -> Result<(), Problem> {
    let Err(problem) = check_version(headers, row.version, true) else { return Ok(()) };
    if problem.status() != StatusCode::PRECONDITION_FAILED {
        return Err(problem);
    }
    let numbers = state.agent_numbers().await?;
    Err(problem.with(
        "present",
        json!({
            "etag": etag(row.version),
            "version": row.version,
            "changed_by": row.changed_by.and_then(|id| numbers.get(&AgentId(id))),
            "changed_at": moment(row.changed_at),
        }),
    ))
}

/// A fault of one key that the text alone does not show.
fn fault(key: &str, found: &str, hint: &str) -> ConfigError {
    let problem = crate::config::Problem {
        file: "campaign.toml".into(),
        line: None,
        key: Some(key.into()),
        found: found.into(),
        hint: hint.into(),
    };
    ConfigError { problems: vec![problem] }
}

/// Tries a text, or makes it the next version.
async fn change_text(
    state: &AppState,
    caller: &Caller,
    row: CampaignRow,
    text: String,
    note: Option<String>,
    headers: &HeaderMap,
    is_dry_run: bool,
) -> Result<Response, Problem> {
    if !is_dry_run {
        check_present(state, headers, &row).await?;
    }
    let before: Option<CampaignFile> = toml::from_str(&row.toml).ok();
    let files = NamedFiles::of(state, caller, &text, Some(&row)).await?;
    let facts = StateFacts::load(state, &caller.scope).await?;
    let mut read = check(state, &text, before.as_ref(), &files);
    let is_open = facts.state(&row).is_open();
    if let Ok(loaded) = &read
        && is_open
        && loaded.rules.name != row.name
    {
        read = Err(fault("name", "the campaign is open", "drain it before it gets another name"));
    }
    if let Ok(loaded) = &read
        && row.is_sample
        && loaded.written.trunks != [SIMULATED_TRUNK]
    {
        let hint = "copy the campaign to call over a line of yours, with a group of people";
        read = Err(fault("trunks", "the sample campaign calls over the simulated carrier alone", hint));
    }
    let asks = caller.organisation.settings.approve_audio;
    let effects = match &read {
        Ok(loaded) => effects(before.as_ref(), loaded, &files, asks),
        Err(_) => Vec::new(),
    };
    let mut problems = problem_views(&read);
    if let Ok(loaded) = &read {
        problems.extend(caller_id_campaigns::warnings(state, row.enterprise, loaded).await?);
    }
    let mut answer = json!({
        "etag": etag(row.version),
        "version": row.version,
        "toml": text,
        "problems": problems,
        "diff": diff(&row.toml, &text).iter().map(diff_view).collect::<Vec<_>>(),
        "effects": effects,
    });
    if is_dry_run {
        return Ok(answer_of_row(row.version, answer));
    }
    let loaded = read.map_err(|error| faulty(&error))?;
    if text == row.toml {
        return Ok(answer_of_row(row.version, answer));
    }
    let number = save(state, caller, &row, &loaded, note.as_deref(), &files).await?;
    if is_open {
        apply_live(state, &row).await;
    }
    answer["etag"] = etag(number).into();
    answer["version"] = number.into();
    Ok(answer_of_row(number, answer))
}

async fn save(
    state: &AppState,
    caller: &Caller,
    row: &CampaignRow,
    loaded: &LoadedCampaign,
    note: Option<&str>,
    files: &NamedFiles,
) -> Result<i64, Problem> {
    let subject = Subject::of("campaign", &row.name);
    let mut change = state.change(caller, Action::CampaignsEdit, subject).await?;
    change.set_before(json!({ "version": row.version }));
    let new = version(loaded, note, &files.blobs);
    let saved = change.save_campaign_text(row.id, row.version, &new).await;
    let saved = saved.map_err(|error| name_taken(error, &loaded.rules.name))?;
    let Ok((number, unused)) = saved else {
        // Changed between the read and this transaction.
        drop(change);
        let now = find(state, caller, &row.name).await?;
        let stale: HeaderMap =
            [(axum::http::header::IF_MATCH, etag(row.version).parse().map_err(Problem::internal)?)]
                .into_iter()
                .collect();
        check_present(state, &stale, &now).await?;
        return Err(Problem::internal("a version that changed is the same"));
    };
    let fields =
        toml::from_str::<CampaignFile>(&row.toml).map(|before| changed_fields(&before, &loaded.written));
    let fields = fields.unwrap_or_default();
    change.set_after(json!({ "version": number, "fields": fields, "note": note }));
    change.add_event("campaign", &row.name, json!({ "campaign": loaded.rules.name, "version": number }));
    change.commit().await?;
    unused.iter().for_each(|path| remove_object(state, path));
    Ok(number)
}

/// Asks the service to apply the current version to the open campaign. The version stands whatever comes of it: why
/// it could not be applied is the campaign's `trouble`.
pub(super) async fn apply_live(state: &AppState, row: &CampaignRow) {
    let Some(service) = state.campaign_service() else { return };
    let (answer, answered) = tokio::sync::oneshot::channel();
    if service.send(CampaignRequest::Apply { campaign: row.id, answer }).await.is_err() {
        return;
    }
    if let Ok(Err(why)) = answered.await {
        tracing::warn!(campaign = row.name, why, "a new version is not applied to the open campaign");
    }
}
