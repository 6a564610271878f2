//! Handlers of blacklists that are sent as files: receive, look at what the check found, make it the entries of its
//! source. Entries are never removed in bulk without their count.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::blacklist::{campaign_id, is_of_system};
use super::fields::{TEXT, parse_text};
use super::list_views::{self, stored_json};
use super::problem::Problem;
use super::records::parse_id;
use super::rights::Action;
use super::server::RequestDeadline;
use super::shown_number::{shown_json, shown_text};
use super::uploads::{receive, remove_object};
use super::views::moment;
use crate::files::{Kind, Stored};
use crate::store::Subject;
use crate::store::blacklist_imports::{BlacklistImportId, BlacklistImportRow, NewBlacklistImport};
use crate::store::blobs::NewBlob;
use crate::store::scope::FIRST_ENTERPRISE;
use crate::tasks::{self, AskedBy, BlacklistWish, Changed};
use axum::Json;
use axum::body::Body as Sent;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use paceline_core::ids::{AgentId, CampaignId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PAGE: u32 = 50;

#[derive(Deserialize)]
pub(super) struct ImportQuery {
    source: Option<String>,
    file_name: Option<String>,
    campaign: Option<String>,
}

/// The campaign that is named and its organisation; without one the entries of every campaign, which are the operator's
/// enterprise's.
async fn place_of(
    state: &AppState,
    caller: &Caller,
    name: Option<&str>,
) -> Result<(Option<CampaignId>, i64), Problem> {
    let Some(name) = name else {
        return match is_of_system(caller) {
            true => Ok((None, FIRST_ENTERPRISE)),
            false => Err(Problem::of_field(
                "/campaign",
                "name one: the entries of every campaign are the operator's",
                "请指定活动:全局黑名单由平台维护",
            )),
        };
    };
    let mut reader = state.store().reader().await?;
    let found =
        reader.campaign_in(&caller.scope, name).await?.ok_or_else(|| Problem::not_found("campaign"))?;
    Ok((Some(found.id), found.organisation))
}

fn wish(caller: &Caller, load: bool) -> Result<Value, Problem> {
    let wish = BlacklistWish { load, asked_by: AskedBy::of(&caller.actor(), &caller.scope) };
    serde_json::to_value(wish).map_err(Problem::internal)
}

fn added_by(caller: &Caller) -> &str {
    caller.account.as_ref().map_or("program", |account| &account.number)
}

/// Receives a blacklist and queues its check.
pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ImportQuery>,
    deadline: Option<Extension<RequestDeadline>>,
    headers: HeaderMap,
    body: Sent,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let missing = |name: &str| Problem::unprocessable(format!("{name}: this parameter is missing"));
    let source = parse_text("source", &query.source.ok_or_else(|| missing("source"))?)?;
    let file_name = query.file_name.ok_or_else(|| missing("file_name"))?;
    let place = place_of(&state, &caller, query.campaign.as_deref()).await?;
    let deadline = deadline.map(|Extension(deadline)| deadline);
    let stored = receive(&state, &caller, deadline, &headers, body, Kind::Blacklist).await?;
    let entered = enter(&state, &caller, &source, &file_name, place, &stored).await;
    let Ok((id, is_known)) = entered else {
        remove_object(&state, &stored.path);
        return Err(entered.err().unwrap_or_else(|| Problem::internal("no import")));
    };
    if is_known {
        remove_object(&state, &stored.path);
    }
    state.tasks().wake();
    Ok((StatusCode::CREATED, Json(view_of(&state, &caller, id).await?)))
}

async fn enter(
    state: &AppState,
    caller: &Caller,
    source: &str,
    file_name: &str,
    (campaign, organisation): (Option<CampaignId>, i64),
    stored: &Stored,
) -> Result<(BlacklistImportId, bool), Problem> {
    if stored.bytes == 0 {
        return Err(Problem::unprocessable("the file is empty: it has no byte"));
    }
    let file = state.files().file(&stored.path).map_err(Problem::internal)?;
    let sent_as = file_name.to_owned();
    let looked = tokio::task::spawn_blocking(move || tasks::check_received_list(&file, &sent_as));
    let refused = |why| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not_a_list", why);
    looked.await.map_err(Problem::internal)?.map_err(refused)?;
    let blob = NewBlob {
        enterprise: caller.scope.enterprise,
        kind: Kind::Blacklist.word(),
        sha256: stored.sha256,
        bytes: stored.bytes,
        media_type: "application/octet-stream",
        path: &stored.path,
    };
    let new = NewBlacklistImport {
        organisation,
        campaign,
        source,
        file_name,
        blob: Some(blob),
        made_by: caller.maker(),
        added_by: added_by(caller),
    };
    let asked = wish(caller, false)?;
    let mut change = state.change(caller, Action::BlacklistEdit, Subject::of("blacklist", source)).await?;
    let entered = change.add_blacklist_import(&new, &asked).await?;
    change.set_after(json!({ "import": entered.0.0, "file_name": file_name, "bytes": stored.bytes }));
    change.commit().await?;
    Ok(entered)
}

async fn find(state: &AppState, caller: &Caller, id: &str) -> Result<BlacklistImportRow, Problem> {
    let id = BlacklistImportId(parse_id(id, "import of the blacklist")?);
    let found = state.store().blacklist_import(caller.scope.enterprise, id).await?;
    let found = found.filter(|row| caller.scope.holds(row.enterprise, row.organisation));
    found.ok_or_else(|| Problem::not_found("import of the blacklist"))
}

async fn names(state: &AppState, caller: &Caller) -> Result<BTreeMap<CampaignId, String>, Problem> {
    let campaigns = state.store().reader().await?.campaigns().await?.into_iter();
    let seen = campaigns.filter(|it| caller.scope.holds(it.enterprise, it.organisation));
    Ok(seen.map(|it| (it.id, it.name)).collect())
}

async fn view_of(state: &AppState, caller: &Caller, id: BlacklistImportId) -> Result<Value, Problem> {
    let row = find(state, caller, &id.0.to_string()).await?;
    view(state, caller, &row, &names(state, caller).await?, &state.agent_numbers().await?).await
}

async fn view(
    state: &AppState,
    caller: &Caller,
    row: &BlacklistImportRow,
    names: &BTreeMap<CampaignId, String>,
    numbers: &BTreeMap<AgentId, String>,
) -> Result<Value, Problem> {
    let sight = caller.sight();
    let task = match row.task {
        Some(task) => state.store().task(&caller.scope, task).await?,
        None => None,
    };
    Ok(json!({
        "id": row.id.0,
        "campaign": row.campaign.and_then(|campaign| names.get(&campaign)),
        "source": shown_text(&row.source, sight),
        "file_name": shown_text(&row.file_name, sight),
        "state": row.state,
        "error": shown_json(stored_json(row.error.as_deref()), sight),
        "report": shown_json(stored_json(row.report.as_deref()), sight),
        "entries": row.entries,
        "gone": row.gone,
        "may_load": row.state == "checked",
        "made_at": moment(row.made_at),
        "made_by": row.made_by.and_then(|id| numbers.get(&AgentId(id))),
        "task": task.map(|task| list_views::task(&task, numbers, sight)),
    }))
}

#[derive(Deserialize)]
pub(super) struct PageQuery {
    after: Option<i64>,
    limit: Option<u32>,
}

pub(super) async fn imports(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Value>, Problem> {
    let limit = query.limit.unwrap_or(PAGE);
    let rows = state.store().blacklist_imports(&caller.scope, query.after, limit).await?;
    let next = rows.last().filter(|_| rows.len() as u32 == limit).map(|row| row.id.0);
    let (names, numbers) = (names(&state, &caller).await?, state.agent_numbers().await?);
    let mut items = Vec::new();
    for row in &rows {
        items.push(view(&state, &caller, row, &names, &numbers).await?);
    }
    Ok(Json(json!({ "items": items, "next": next })))
}

pub(super) async fn import(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let row = find(&state, &caller, &id).await?;
    Ok(Json(view_of(&state, &caller, row.id).await?))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BlacklistImportAction {
    #[schemars(extend("enum" = ["load", "discard"]))]
    action: String,
    /// Of `load`, where entries of the source are removed by it: how many, as the check says.
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    gone: Option<u64>,
}

/// Refuses a removal of many whose count was not named, or is another by now.
fn check_count(named: Option<u64>, count: u64) -> Result<(), Problem> {
    if named.unwrap_or(0) == count {
        return Ok(());
    }
    let detail = format!("this removes {count} entries: name this count, so that none goes by mistake");
    Err(Problem::new(StatusCode::CONFLICT, "count_needed", detail).with("count", count.into()))
}

pub(super) async fn act(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<BlacklistImportAction>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let row = find(&state, &caller, &id).await?;
    let wrong_state = || {
        let detail = format!("the blacklist is {}, which does not admit this", row.state);
        Problem::new(StatusCode::CONFLICT, "wrong_state", detail)
    };
    let asked_by = wish(&caller, true)?;
    match asked.action.as_str() {
        "load" => {
            if row.state != "checked" {
                return Err(wrong_state());
            }
            check_count(asked.gone, row.gone)?;
            let subject = Subject::of("blacklist", &row.source);
            let mut change = state.change(&caller, Action::BlacklistEdit, subject).await?;
            let begun = change.begin_blacklist_load(row.id, caller.maker(), &asked_by).await?;
            if !begun {
                return Err(wrong_state());
            }
            // What it does is in the audit with the moment from which it holds.
            change.leave_out_of_audit();
            change.commit().await?;
            state.tasks().wake();
        }
        "discard" => {
            let subject = Subject::of("blacklist", &row.source);
            let mut change = state.change(&caller, Action::BlacklistEdit, subject).await?;
            let freed = change.discard_blacklist_import(&row).await?.ok_or_else(wrong_state)?;
            change.set_before(json!({ "import": row.id.0, "file_name": row.file_name }));
            change.commit().await?;
            freed.iter().for_each(|path| remove_object(&state, path));
        }
        _ => return Err(Problem::unprocessable("action: load or discard")),
    }
    let now = view_of(&state, &caller, row.id).await?;
    if let Some(task) = now["task"]["id"].as_i64() {
        state.tasks().announce(Changed::Task(crate::store::task_rows::TaskId(task)));
    }
    Ok((StatusCode::ACCEPTED, Json(now)))
}

pub(super) async fn sources(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Problem> {
    let rows = state.store().blacklist_sources(&caller.scope, is_of_system(&caller)).await?;
    let names = names(&state, &caller).await?;
    let items = rows.iter().map(|row| {
        json!({
            "source": shown_text(&row.source, caller.sight()),
            "campaign": row.campaign.and_then(|campaign| names.get(&campaign)),
            "entries": row.entries,
        })
    });
    Ok(Json(json!({ "items": items.collect::<Vec<_>>() })))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BlacklistSourceRemoval {
    #[schemars(length(min = 1, max = 64), regex(pattern = TEXT))]
    source: String,
    /// A campaign's name; without it the entries of every campaign.
    #[schemars(length(min = 1, max = 128))]
    campaign: Option<String>,
    /// How many entries the source has.
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    count: u64,
}

/// Removes all entries of a source, in a task.
pub(super) async fn remove_source(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<BlacklistSourceRemoval>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let campaign = campaign_id(&state, &caller, asked.campaign.as_deref()).await?;
    let (_, organisation) = place_of(&state, &caller, asked.campaign.as_deref()).await?;
    let rows = state.store().blacklist_sources(&caller.scope, is_of_system(&caller)).await?;
    let found = rows.into_iter().find(|row| row.campaign == campaign && row.source == asked.source);
    let found = found.ok_or_else(|| Problem::not_found("source of the blacklist"))?;
    check_count(Some(asked.count), found.entries)?;
    let new = NewBlacklistImport {
        organisation,
        campaign,
        source: &asked.source,
        file_name: "",
        blob: None,
        made_by: caller.maker(),
        added_by: added_by(&caller),
    };
    let wanted = wish(&caller, true)?;
    let mut change =
        state.change(&caller, Action::BlacklistEdit, Subject::of("blacklist", &asked.source)).await?;
    change.set_before(json!({ "campaign": asked.campaign, "removed": found.entries }));
    let (id, _) = change.add_blacklist_import(&new, &wanted).await?;
    change.commit().await?;
    state.tasks().wake();
    Ok((StatusCode::ACCEPTED, Json(view_of(&state, &caller, id).await?)))
}
