//! Handlers of sounds: receive, listen to, retire.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::list_views::stored_json;
use super::objects::{self, Sending};
use super::problem::Problem;
use super::records::parse_id;
use super::rights::Action;
use super::server::RequestDeadline;
use super::shown_number::{NumberSight, shown_json, shown_text};
use super::uploads::{receive, remove_object};
use super::versions::{answer_of_row, check_version, etag, with_etag};
use super::views::moment;
use crate::files::{Kind, Stored};
use crate::store::Subject;
use crate::store::audio_files::{AudioId, AudioRow, AudioState, CampaignText, EnteredAudio, NewAudio};
use crate::store::blobs::NewBlob;
use crate::tasks::{self, SoundMeasured};
use crate::text::{Lang, SoundFacts};
use axum::Json;
use axum::body::Body as Sent;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use paceline_core::ids::AgentId;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PAGE: u32 = 50;
const BINS: u32 = 400;

async fn find(state: &AppState, caller: &Caller, id: &str) -> Result<AudioRow, Problem> {
    let id = AudioId(parse_id(id, "sound")?);
    let found = state.store().audio_file(caller.scope.enterprise, id).await?;
    let found = found.filter(|row| caller.scope.holds(row.enterprise, row.organisation));
    found.filter(|row| row.state != AudioState::Retired).ok_or_else(|| Problem::not_found("sound"))
}

fn view(
    row: &AudioRow,
    used_by: &[Option<String>],
    numbers: &BTreeMap<AgentId, String>,
    sight: NumberSight,
) -> Value {
    let measured: Option<SoundMeasured> =
        row.level_db.filter(|_| row.error.is_none()).and_then(|_| serde_json::from_str(&row.measured).ok());
    let facts = measured.as_ref().map(|it| SoundFacts {
        millis: it.millis,
        millis_claimed: it.millis_claimed,
        level_db: it.level_db,
        clipped: it.clipped,
        silence_head_ms: it.silence_head_ms,
        silence_tail_ms: it.silence_tail_ms,
        channels: it.channels,
        sample_rate: it.sample_rate,
    });
    let warnings = |lang: Lang| facts.map_or_else(Vec::new, |facts| lang.sound_warnings(&facts));
    let pairs = warnings(Lang::En).into_iter().zip(warnings(Lang::Zh));
    json!({
        "id": row.id.0,
        "name": shown_text(&row.name, sight),
        "bytes": row.bytes,
        "state": row.state.word(),
        "measured": measured,
        "warnings": pairs.map(|(en, zh)| json!({ "en": en, "zh": zh })).collect::<Vec<_>>(),
        "error": shown_json(stored_json(row.error.as_deref()), sight),
        "used_by": used_by.iter().flatten().collect::<Vec<_>>(),
        "task": row.task.map(|task| task.0),
        "made_at": moment(row.made_at),
        "made_by": row.made_by.and_then(|id| numbers.get(&AgentId(id))),
        "version": row.version,
        "etag": etag(row.version),
    })
}

/// Campaigns by the sounds that their texts name; one that the caller does not see has no name.
async fn uses(state: &AppState, caller: &Caller) -> Result<BTreeMap<String, Vec<Option<String>>>, Problem> {
    let mut uses: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    let scope = &caller.scope;
    for CampaignText { name, organisation, toml, .. } in
        state.store().campaign_texts(scope.enterprise).await?
    {
        let seen = Some(name).filter(|_| scope.holds(scope.enterprise, organisation));
        let Ok(table) = toml.parse::<toml::Table>() else { continue };
        let announcement = table.get("announcement").and_then(toml::Value::as_table);
        for key in ["file", "sorry"] {
            let name = announcement.and_then(|table| table.get(key)).and_then(toml::Value::as_str);
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                uses.entry(name.to_owned()).or_default().push(seen.clone());
            }
        }
    }
    Ok(uses)
}

#[derive(Deserialize)]
pub(super) struct PageQuery {
    after: Option<i64>,
    limit: Option<u32>,
}

pub(super) async fn sounds(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Value>, Problem> {
    let limit = query.limit.unwrap_or(PAGE);
    let rows = state.store().audio_files(caller.scope.enterprise, query.after.map(AudioId), limit).await?;
    let next = rows.last().filter(|_| rows.len() as u32 == limit).map(|row| row.id.0);
    let (uses, numbers) = (uses(&state, &caller).await?, state.agent_numbers().await?);
    let seen = rows.iter().filter(|row| caller.scope.holds(row.enterprise, row.organisation));
    let none = Vec::new();
    let items: Vec<Value> =
        seen.map(|row| view(row, uses.get(&row.name).unwrap_or(&none), &numbers, caller.sight())).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}

async fn shown(state: &AppState, caller: &Caller, row: &AudioRow) -> Result<Value, Problem> {
    let used_by = uses(state, caller).await?.remove(&row.name).unwrap_or_default();
    Ok(view(row, &used_by, &state.agent_numbers().await?, caller.sight()))
}

pub(super) async fn sound(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = find(&state, &caller, &id).await?;
    Ok(answer_of_row(row.version, shown(&state, &caller, &row).await?))
}

#[derive(Deserialize)]
pub(super) struct NameQuery {
    name: Option<String>,
}

/// Receives a sound and queues its measuring.
pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<NameQuery>,
    deadline: Option<Extension<RequestDeadline>>,
    headers: HeaderMap,
    body: Sent,
) -> Result<Response, Problem> {
    let name = query.name.ok_or_else(|| Problem::unprocessable("name: the name of the sound is missing"))?;
    let deadline = deadline.map(|Extension(deadline)| deadline);
    let stored = receive(&state, &caller, deadline, &headers, body, Kind::Audio).await?;
    let entered = enter(&state, &caller, &name, &stored).await;
    if entered.as_ref().map_or(true, |entered| entered.blob_is_known) {
        remove_object(&state, &stored.path);
    }
    let entered = entered?;
    state.tasks().wake();
    let row = find(&state, &caller, &entered.id.0.to_string()).await?;
    let answer = (StatusCode::CREATED, Json(shown(&state, &caller, &row).await?)).into_response();
    Ok(with_etag(row.version, answer))
}

async fn enter(
    state: &AppState,
    caller: &Caller,
    name: &str,
    stored: &Stored,
) -> Result<EnteredAudio, Problem> {
    let blob = NewBlob {
        enterprise: caller.scope.enterprise,
        kind: Kind::Audio.word(),
        sha256: stored.sha256,
        bytes: stored.bytes,
        media_type: "application/octet-stream",
        path: &stored.path,
    };
    let made_by = caller.maker();
    let new = NewAudio { blob, organisation: caller.scope.own(), name, made_by };
    let mut change = state.change(caller, Action::AudioEdit, Subject::of("audio", name)).await?;
    let Some(entered) = change.enter_audio(&new).await? else {
        let detail = format!("another sound is named {name}: retire it, or choose another name");
        return Err(Problem::new(StatusCode::CONFLICT, "taken", detail));
    };
    change.set_after(json!({ "audio": entered.id.0, "name": name, "bytes": stored.bytes }));
    change.commit().await?;
    Ok(entered)
}

#[derive(Deserialize)]
pub(super) struct SoundQuery {
    #[serde(rename = "as")]
    form: Option<String>,
}

/// The sound as it was sent, or as the line carries it.
pub(super) async fn bytes(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<SoundQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = find(&state, &caller, &id).await?;
    let is_line = query.form.as_deref() == Some("telephone");
    let path = match is_line {
        true => line_path(&state, &row).await?,
        false => row.path.clone(),
    };
    let (mut file, _) = state.files().open_object(&path).await.map_err(Problem::internal)?;
    let media_type = if is_line { "audio/wav" } else { media_type(&mut file).await? };
    objects::send(file, Sending { media_type, save_as: None }, &headers).await
}

/// By the first bytes; the reader of the file has refused what is neither.
async fn media_type(file: &mut tokio::fs::File) -> Result<&'static str, Problem> {
    use tokio::io::AsyncReadExt;
    let mut head = [0; 4];
    let read = file.read(&mut head).await.map_err(Problem::internal)?;
    let is_wav = [b"RIFF", b"RF64", b"BW64"].iter().any(|magic| head[..read] == **magic);
    Ok(if is_wav { "audio/wav" } else { "audio/mpeg" })
}

async fn line_path(state: &AppState, row: &AudioRow) -> Result<String, Problem> {
    let line =
        row.line.ok_or_else(|| Problem::not_found("sound yet: it is being measured, or cannot be played"))?;
    Ok(state.store().blob(line).await?.path)
}

#[derive(Deserialize)]
pub(super) struct PeaksQuery {
    bins: Option<u32>,
}

pub(super) async fn peaks(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<PeaksQuery>,
) -> Result<Json<Value>, Problem> {
    let row = find(&state, &caller, &id).await?;
    let path = line_path(&state, &row).await?;
    let file = state.files().file(&path).map_err(Problem::internal)?;
    let bins = query.bins.unwrap_or(BINS) as usize;
    let read = tokio::task::spawn_blocking(move || tasks::peaks(&file, bins));
    let peaks = read.await.map_err(Problem::internal)?.map_err(Problem::internal)?;
    Ok(Json(json!({ "peaks": peaks })))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AudioActionRequest {
    #[schemars(extend("enum" = ["retire"]))]
    action: String,
}

/// Retires a sound that no campaign names.
pub(super) async fn act(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<AudioActionRequest>,
) -> Result<StatusCode, Problem> {
    if asked.action != "retire" {
        return Err(Problem::unprocessable("action: retire"));
    }
    let row = find(&state, &caller, &id).await?;
    check_version(&headers, row.version, false)?;
    if let Some(campaigns) = uses(&state, &caller).await?.get(&row.name) {
        let unseen = "a campaign of another part of the enterprise";
        let campaigns: Vec<&str> = campaigns.iter().map(|name| name.as_deref().unwrap_or(unseen)).collect();
        let detail = format!("the sound is used by {}: give them another one first", campaigns.join(", "));
        return Err(Problem::new(StatusCode::CONFLICT, "in_use", detail));
    }
    let by = caller.maker();
    let mut change = state.change(&caller, Action::AudioEdit, Subject::of("audio", &row.name)).await?;
    change.set_before(json!({ "audio": row.id.0, "state": row.state.word() }));
    let unused = change.retire_audio(&row, by).await?;
    change.set_after(json!({ "audio": row.id.0, "state": "retired" }));
    change.commit().await?;
    unused.iter().for_each(|path| remove_object(&state, path));
    Ok(StatusCode::NO_CONTENT)
}
