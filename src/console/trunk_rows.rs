//! Handlers of trunks as rows: shown with their state, added, changed and removed while calls are up. Those of
//! `paceline.toml` are shown with file and line, and changed there.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::campaign_text::faulty;
use super::campaign_views::StateFacts;
use super::floor;
use super::problem::Problem;
use super::rights::Action;
use super::trunk_requests::TrunkChanges;
use super::versions::{answer_of_row, check_version, etag};
use super::views;
use super::visible_campaigns;
use crate::config::TrunkConfig;
use crate::store::Subject;
use crate::store::trunks::{TrunkRow, TrunkSource};
use crate::text::fault_zh;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use paceline_core::campaign::{SIMULATED_TRUNK, is_system_name};
use paceline_core::ids::TrunkId;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A trunk to add.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTrunk {
    /// Up to 64 letters, digits, `-` and `_`; campaigns name it.
    name: String,
    #[schemars(with = "TrunkConfig")]
    settings: Map<String, Value>,
}

/// New values of some settings; the others stay. Without `password` the password stays, an empty one removes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrunkChange {
    #[schemars(with = "TrunkConfig")]
    settings: Map<String, Value>,
}

const NAME_MAX: usize = 64;

/// Campaigns that use each trunk, by name; only those of the caller are named.
struct Users {
    by_trunk: BTreeMap<TrunkId, BTreeSet<String>>,
    /// Those that name it, of all enterprises, so that it cannot go.
    naming: BTreeMap<String, (BTreeSet<String>, usize)>,
}

impl Users {
    async fn load(state: &AppState, caller: &Caller) -> Result<Users, Problem> {
        let facts = StateFacts::load(state, &caller.scope).await?;
        let open = state.campaigns();
        let mut users = Users { by_trunk: BTreeMap::new(), naming: BTreeMap::new() };
        let mut own = BTreeSet::new();
        for row in visible_campaigns::rows(state, caller).await? {
            own.insert(row.id);
            if !facts.state(&row).is_open() {
                continue;
            }
            // What it uses is what it was opened with: one on the simulated carrier stays there.
            for trunk in open.get(&row.id).iter().flat_map(|facts| facts.rules.trunks.iter()) {
                users.by_trunk.entry(*trunk).or_default().insert(row.name.clone());
            }
            for trunk in named_trunks(&row.toml) {
                users.naming.entry(trunk).or_default().0.insert(row.name.clone());
            }
        }
        // Campaigns of others keep a trunk too; they are counted and not named.
        let board = floor::board(state);
        for (id, open) in &board.campaigns {
            let is_over = open.finished || open.view.drained || is_system_name(&open.name);
            if is_over || own.contains(id) {
                continue;
            }
            let row = state.store().any_campaign_row(*id).await?;
            for trunk in named_trunks(&row.toml) {
                users.naming.entry(trunk).or_default().1 += 1;
            }
        }
        Ok(users)
    }
}

fn named_trunks(toml: &str) -> Vec<String> {
    let table = toml.parse::<toml::Table>().unwrap_or_default();
    let named = table.get("trunks").and_then(toml::Value::as_array);
    named.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect()
}

fn view(state: &AppState, row: &TrunkRow, users: &Users) -> Value {
    let config = state.config();
    let of_file = config.trunks.get(&row.name).filter(|_| row.source == TrunkSource::File);
    let has_password =
        !row.password_sealed.is_empty() || of_file.is_some_and(|trunk| !trunk.password.is_empty());
    let settings = TrunkConfig {
        password: String::new(),
        ..of_file.cloned().unwrap_or_else(|| TrunkConfig::of_row(&row.settings))
    };
    let board = floor::board(state);
    let set_in = config.trunk_place(&row.name).filter(|_| row.source == TrunkSource::File);
    json!({
        "name": row.name,
        "id": row.id.0,
        "source": row.source.word(),
        "set_in": set_in.map(|(file, line)| json!({ "file": file, "line": line })),
        "enabled": row.is_enabled,
        "has_password": has_password,
        "settings": settings,
        "campaigns": users.by_trunk.get(&row.id).cloned().unwrap_or_default(),
        "live": board.trunk(row.id).map(views::trunk),
        "version": row.version,
        "etag": etag(row.version),
    })
}

pub(super) async fn trunks(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Problem> {
    let rows = state.store().trunk_rows().await?;
    let users = Users::load(&state, &caller).await?;
    let board = floor::board(&state);
    // The simulated carrier is shown once it carries calls.
    let is_shown = |row: &&TrunkRow| row.source != TrunkSource::BuiltIn || board.trunk(row.id).is_some();
    let mut items: Vec<Value> = rows.iter().filter(is_shown).map(|row| view(&state, row, &users)).collect();
    items.sort_by_key(|item| item["name"].as_str().map(str::to_owned));
    Ok(Json(json!({ "items": items })))
}

async fn find(state: &AppState, name: &str) -> Result<TrunkRow, Problem> {
    let rows = state.store().trunk_rows().await?;
    rows.into_iter().find(|row| row.name == name).ok_or_else(|| Problem::not_found("trunk"))
}

async fn answer(state: &AppState, caller: &Caller, name: &str) -> Result<Response, Problem> {
    let row = find(state, name).await?;
    let users = Users::load(state, caller).await?;
    Ok(answer_of_row(row.version, view(state, &row, &users)))
}

pub(super) async fn trunk(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    answer(&state, &caller, &name).await
}

/// Reads settings over `before`; the password is taken out.
fn read_settings(
    name: &str,
    before: &TrunkConfig,
    asked: &Map<String, Value>,
) -> Result<(TrunkConfig, Option<String>), Problem> {
    let mut asked = asked.clone();
    let password = match asked.remove("password") {
        None => None,
        Some(Value::String(password)) => Some(password),
        Some(_) => {
            return Err(Problem::of_field("/settings/password", "a password is a text", "密码须为文本"));
        }
    };
    let mut whole = serde_json::to_value(before).map_err(Problem::internal)?;
    if let Some(fields) = whole.as_object_mut() {
        fields.extend(asked);
    }
    let settings: TrunkConfig = serde_json::from_value(whole).map_err(|error| {
        let en = error.to_string();
        Problem::of_field("/settings", &en, &fault_zh(&en).unwrap_or_else(|| en.clone()))
    })?;
    if let Err(error) = settings.checked(name) {
        return Err(faulty(&error));
    }
    Ok((settings, password))
}

/// The way to the task that applies changes, and the key.
fn changes(state: &AppState) -> Result<&TrunkChanges, Problem> {
    let missing = || Problem::new(StatusCode::CONFLICT, "no_service", "this process changes no trunks");
    state.trunk_changes().ok_or_else(missing)
}

pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<NewTrunk>,
) -> Result<Response, Problem> {
    let NewTrunk { name, settings } = asked;
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(is_allowed) {
        let en = "a name of up to 64 letters, digits, - and _";
        return Err(Problem::of_field("/name", en, "名称须为不超过 64 个字母、数字、- 或 _"));
    }
    if name == SIMULATED_TRUNK {
        let en = "this is the name of the built-in simulated carrier: take another";
        return Err(Problem::of_field("/name", en, "这是内置模拟线路的名称:请换一个"));
    }
    let (settings, password) = read_settings(&name, &TrunkConfig::default(), &settings)?;
    let sealed = changes(&state)?.seal(&password.unwrap_or_default(), &name).map_err(Problem::internal)?;
    let mut change = state.change(&caller, Action::TrunksEdit, Subject::of("trunk", &name)).await?;
    if change.trunk(&name).await?.is_some() {
        return Err(Problem::new(StatusCode::CONFLICT, "taken", "there is a trunk of this name already"));
    }
    let Some(id) = change.next_trunk_id().await? else {
        return Err(Problem::new(StatusCode::CONFLICT, "full", "there are as many trunks as there can be"));
    };
    change.add_trunk(id, &name, &settings.as_row(), &sealed).await?;
    change.set_after(audited(&settings, !sealed.is_empty(), true));
    change.commit().await?;
    apply(&state, &name).await?;
    let answered = answer(&state, &caller, &name).await?;
    Ok((StatusCode::CREATED, answered).into_response())
}

/// What the audit keeps of settings.
fn audited(settings: &TrunkConfig, has_password: bool, is_enabled: bool) -> Value {
    let mut shown = serde_json::to_value(settings).unwrap_or_default();
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("password");
    }
    json!({ "settings": shown, "has_password": has_password, "enabled": is_enabled })
}

/// The row stands; why it is not in use is said.
pub(super) async fn apply(state: &AppState, name: &str) -> Result<(), Problem> {
    let Some(changes) = state.trunk_changes() else { return Ok(()) };
    changes.apply(name).await.map_err(|why| {
        let en = format!("it is kept, and not in use: {why}");
        let zh = format!("已保存,但未启用:{}", fault_zh(&why).unwrap_or_else(|| why.clone()));
        Problem::new(StatusCode::CONFLICT, "not_applied", en.clone())
            .with("words", json!({ "en": en, "zh": zh }))
    })
}

/// 409 for a trunk whose settings stand in the file.
fn refuse_if_set_in_file(state: &AppState, row: &TrunkRow) -> Result<(), Problem> {
    match row.source {
        TrunkSource::Row => Ok(()),
        TrunkSource::BuiltIn => {
            let detail = "the simulated carrier is built in and has no settings";
            Err(Problem::new(StatusCode::CONFLICT, "built_in", detail))
        }
        TrunkSource::File => {
            let (file, line) = state.config().trunk_place(&row.name).unwrap_or_default();
            let place = line.map_or(file.clone(), |line| format!("{file}:{line}"));
            let en = format!("this trunk is set in {place}: change it there and start the service again");
            let zh = format!("此线路在 {place} 中设置:请在该处修改后重新启动服务");
            Err(Problem::new(StatusCode::CONFLICT, "set_in_file", en.clone())
                .with("file", file.into())
                .with("line", line.into())
                .with("words", json!({ "en": en, "zh": zh })))
        }
    }
}

pub(super) async fn edit(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<TrunkChange>,
) -> Result<Response, Problem> {
    let before = find(&state, &name).await?;
    refuse_if_set_in_file(&state, &before)?;
    let (settings, password) = read_settings(&name, &TrunkConfig::of_row(&before.settings), &asked.settings)?;
    let sealed = match password {
        Some(password) => Some(changes(&state)?.seal(&password, &name).map_err(Problem::internal)?),
        None => None,
    };
    let mut change = state.change(&caller, Action::TrunksEdit, Subject::of("trunk", &name)).await?;
    let row = change.trunk(&name).await?.ok_or_else(|| Problem::not_found("trunk"))?;
    check_version(&headers, row.version, true)?;
    // The settings were read over another version only if it is refused here.
    if row.version != before.version {
        return Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "changed",
            "somebody changed it meanwhile: read it again, compare, then apply",
        ));
    }
    let is_new_password = sealed.is_some();
    let sealed = sealed.unwrap_or(row.password_sealed);
    change.change_trunk(row.id, &settings.as_row(), &sealed).await?;
    let had_password = !before.password_sealed.is_empty();
    change.set_before(audited(&TrunkConfig::of_row(&before.settings), had_password, row.is_enabled));
    let mut after = audited(&settings, !sealed.is_empty(), row.is_enabled);
    after["password_changed"] = is_new_password.into();
    change.set_after(after);
    change.commit().await?;
    apply(&state, &name).await?;
    answer(&state, &caller, &name).await
}

pub(super) async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let row = find(&state, &name).await?;
    refuse_if_set_in_file(&state, &row)?;
    check_version(&headers, row.version, true)?;
    let users = Users::load(&state, &caller).await?;
    if let Some((named, others)) = users.naming.get(&name) {
        return Err(in_use(named, *others, 0));
    }
    let changes = changes(&state)?;
    changes.remove(row.id).await.map_err(|calls| in_use(&BTreeSet::new(), 0, calls))?;
    let removed = async {
        let mut change = state.change(&caller, Action::TrunksEdit, Subject::of("trunk", &name)).await?;
        let now = change.trunk(&name).await?.ok_or_else(|| Problem::not_found("trunk"))?;
        check_version(&headers, now.version, true)?;
        change.delete_trunk(row.id).await?;
        change.set_before(audited(
            &TrunkConfig::of_row(&row.settings),
            !row.password_sealed.is_empty(),
            row.is_enabled,
        ));
        change.commit().await?;
        Ok(StatusCode::NO_CONTENT)
    };
    let removed: Result<StatusCode, Problem> = removed.await;
    if removed.is_err() {
        // The row stands, so the trunk does.
        let _ = changes.apply(&name).await;
    }
    removed
}

fn in_use(named: &BTreeSet<String>, others: usize, calls: u32) -> Problem {
    let mut who: Vec<String> = named.iter().cloned().collect();
    let (mut en, mut zh) = (who.clone(), who.clone());
    if others > 0 {
        en.push(format!("{others} campaigns of other organisations"));
        zh.push(format!("其他组织的 {others} 个活动"));
    }
    if calls > 0 {
        en.push(format!("{calls} calls that are up"));
        zh.push(format!("进行中的 {calls} 通呼叫"));
    }
    who.extend((others > 0).then(|| format!("+{others}")));
    let en = format!("the trunk is used by {}: end or change them first", en.join(", "));
    let zh = format!("线路正被使用:{};请先结束或修改", zh.join("、"));
    Problem::new(StatusCode::CONFLICT, "in_use", en.clone())
        .with("campaigns", json!(named))
        .with("calls", calls.into())
        .with("words", json!({ "en": en, "zh": zh }))
}

/// Takes a trunk out of use, or into use again; `enable` also ends its rest.
pub(super) async fn set_enabled(
    state: &AppState,
    caller: &Caller,
    name: &str,
    is_enabled: bool,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if !caller.may(Action::TrunksEdit) {
        return Err(Problem::missing_right(Action::TrunksEdit));
    }
    let mut change = state.change(caller, Action::TrunksEdit, Subject::of("trunk", name)).await?;
    let row = change.trunk(name).await?.ok_or_else(|| Problem::not_found("trunk"))?;
    let is_changed = row.is_enabled != is_enabled;
    if is_changed {
        change.enable_trunk(row.id, is_enabled).await?;
    }
    change.set_before(json!({ "enabled": row.is_enabled }));
    change
        .set_after(json!({ "enabled": is_enabled, "action": if is_enabled { "enable" } else { "disable" } }));
    change.commit().await?;
    if is_changed {
        apply(state, name).await?;
    }
    if is_enabled {
        state.engine().send(crate::engine::EngineRequest::EndTrunkRest { trunk: row.id }).await;
    }
    Ok((StatusCode::ACCEPTED, Json(json!({ "attempt": null }))))
}
