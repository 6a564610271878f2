//! Handlers of campaigns as rows: list, make, show, remove, and the versions of their texts.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::campaign_folder::{self, ZIP};
use super::campaign_text::{self, NamedFiles};
use super::campaign_views::{StateFacts, campaign_view, group_of, may_see, row_view};
use super::floor::{self, CampaignRequest};
use super::problem::Problem;
use super::rights::Action;
use super::server::RequestDeadline;
use super::shown_number::shown_optional;
use super::uploads::remove_object;
use super::versions::{answer_of_row, check_version, etag, with_etag};
use super::views::moment;
use crate::config::CampaignFile;
use crate::config::campaign::edit;
use crate::store::campaign_rows::{CampaignRow, CampaignState, VersionRow};
use crate::store::{Role, StoreError, Subject};
use axum::Json;
use axum::extract::{Extension, FromRequest, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use paceline_core::campaign::is_system_name;
use paceline_core::ids::{AgentId, CampaignId, GroupId};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: u32 = 50;

/// Rows that are read at once while a filter is applied.
const CHUNK: u32 = 200;

/// A campaign that the caller may see.
pub(super) async fn find(state: &AppState, caller: &Caller, name: &str) -> Result<CampaignRow, Problem> {
    let missing = || Problem::not_found("campaign");
    if is_system_name(name) || caller.role == Role::Agent {
        return Err(missing());
    }
    let row = state.store().campaign_row(&caller.scope, name).await?.ok_or_else(missing)?;
    let groups = group_ids(state, caller).await?;
    if may_see(caller, &row, &groups) { Ok(row) } else { Err(missing()) }
}

async fn group_ids(state: &AppState, caller: &Caller) -> Result<BTreeMap<String, GroupId>, Problem> {
    let rows = state.groups_in(&caller.scope).await?.into_iter();
    Ok(rows.map(|row| (row.group.name, row.group.id)).collect())
}

#[derive(Deserialize)]
pub(super) struct CampaignsQuery {
    state: Option<String>,
    q: Option<String>,
    group: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

impl CampaignsQuery {
    fn states(&self) -> Result<Option<BTreeSet<CampaignState>>, Problem> {
        let Some(text) = &self.state else { return Ok(None) };
        let one = |word: &str| {
            let known = || {
                Problem::unprocessable(format!(
                    "state: some of {}, with commas",
                    CampaignState::WORDS.join(", ")
                ))
            };
            CampaignState::from_word(word.trim()).ok_or_else(known)
        };
        text.split(',').map(one).collect::<Result<_, _>>().map(Some)
    }

    fn after(&self) -> Result<Option<CampaignId>, Problem> {
        let unfit = |_| Problem::unprocessable("after: the `next` of the page before");
        self.after.as_deref().map(|text| text.parse().map(CampaignId)).transpose().map_err(unfit)
    }

    fn fits(&self, row: &CampaignRow) -> bool {
        let has = |part: &str| {
            let part = part.to_lowercase();
            row.name.to_lowercase().contains(&part) || row.title.to_lowercase().contains(&part)
        };
        self.q.as_deref().is_none_or(has)
            && self.group.as_ref().is_none_or(|group| group_of(&row.toml).as_ref() == Some(group))
    }
}

/// The open campaigns with their figures, and a page of all. Agents get the dispositions of their groups' campaigns.
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<CampaignsQuery>,
) -> Result<Json<Value>, Problem> {
    let mut answer = floor::open_campaigns(&state, &caller).await?;
    if caller.role == Role::Agent {
        return Ok(Json(answer));
    }
    let (states, limit) = (query.states()?, query.limit.unwrap_or(PAGE) as usize);
    let (facts, groups) = (StateFacts::load(&state, &caller.scope).await?, group_ids(&state, &caller).await?);
    let (mut after, mut rows, mut is_end) = (query.after()?, Vec::new(), false);
    // One more than the page says whether there is a next one.
    while rows.len() <= limit && !is_end {
        let chunk = state.store().campaign_rows(&caller.scope, after, CHUNK).await?;
        (after, is_end) = (chunk.last().map(|row| row.id), (chunk.len() as u32) < CHUNK);
        rows.extend(chunk.into_iter().filter(|row| {
            query.fits(row)
                && may_see(&caller, row, &groups)
                && states.as_ref().is_none_or(|states| states.contains(&facts.state(row)))
        }));
    }
    let has_next = rows.len() > limit;
    rows.truncate(limit);
    let (numbers, mut items) = (state.agent_numbers().await?, Vec::new());
    for row in &rows {
        items.push(row_view(
            row,
            &facts,
            state.store().campaign_totals(row.id).await?,
            &numbers,
            caller.sight(),
        ));
    }
    answer["items"] = items.into();
    answer["next"] = rows.last().filter(|_| has_next).map(|row| row.id.0.to_string()).into();
    Ok(Json(answer))
}

/// Makes a campaign from a text, as a copy or from its folder, or opens a campaign file.
pub(super) async fn make(
    State(state): State<AppState>,
    caller: Caller,
    deadline: Option<Extension<RequestDeadline>>,
    request: Request,
) -> Result<Response, Problem> {
    if campaign_folder::is_zip(request.headers()) {
        return campaign_folder::import(&state, &caller, deadline.map(|Extension(it)| it), request).await;
    }
    let is_async = campaign_folder::prefers_task(request.headers());
    let Body(asked) = Body::from_request(request, &state).await?;
    let (text, copied) = match asked {
        CampaignRequest {
            file: Some(file),
            toml: None,
            copy_of: None,
            name: None,
            title: None,
            paused,
            r#use,
        } => {
            if is_async {
                return campaign_folder::open(&state, &caller, &file, paused, r#use).await;
            }
            let name = floor::open_campaign(&state, &caller, &file, paused, r#use).await?;
            return made(&state, &caller, &name).await;
        }
        CampaignRequest {
            toml: Some(text),
            file: None,
            copy_of: None,
            name: None,
            title: None,
            paused: false,
            r#use: None,
        } => (text, None),
        CampaignRequest {
            copy_of: Some(source),
            name: Some(name),
            title,
            file: None,
            toml: None,
            paused: false,
            r#use: None,
        } => {
            let source = find(&state, &caller, &source).await?;
            (copy_text(&source, &name, title.as_deref())?, Some(source))
        }
        _ => {
            let detail =
                "send { toml }, { copy_of, name, title? } or { file, paused? }, and nothing beside it";
            return Err(Problem::unprocessable(detail));
        }
    };
    let files = NamedFiles::of(&state, &caller, &text, copied.as_ref()).await?;
    let loaded =
        campaign_text::check(&state, &text, None, &files).map_err(|error| campaign_text::faulty(&error))?;
    let name = loaded.rules.name.clone();
    let mut change = state.change(&caller, Action::CampaignsEdit, Subject::of("campaign", &name)).await?;
    let new = campaign_text::version(&loaded, None, &files.blobs);
    let added = change.add_campaign(&caller.scope, &new).await;
    added.map_err(|error| name_taken(error, &name))?;
    let copy_of = copied.map(|source| source.name);
    change.set_after(json!({ "version": 1, "title": loaded.title, "copy_of": copy_of }));
    change.add_event("campaign", &name, json!({ "campaign": name, "version": 1 }));
    change.commit().await?;
    made(&state, &caller, &name).await
}

pub(super) fn name_taken(error: StoreError, name: &str) -> Problem {
    match error {
        StoreError::Taken { .. } => {
            let detail = format!("another campaign is named {name}: choose another name");
            Problem::new(StatusCode::CONFLICT, "name_taken", detail)
        }
        other => other.into(),
    }
}

/// The text of a copy: without what lies beside the source's file.
fn copy_text(source: &CampaignRow, name: &str, title: Option<&str>) -> Result<String, Problem> {
    let title = title.map_or_else(|| source.title.clone(), str::to_owned);
    let mut patch = json!({
        "name": name, "title": title, "list": { "file": null, "blacklists": null }, "results": null,
    });
    let fields: Option<CampaignFile> = toml::from_str(&source.toml).ok();
    if fields.is_none_or(|fields| fields.list.file.is_empty() && fields.list.blacklists.is_empty()) {
        patch["list"] = json!({});
    }
    let mut text = source.toml.as_str();
    if source.is_sample {
        // What holds only where no phone rings: hours, delays, numbers, and the words about it.
        patch["trunks"] = Value::Null;
        patch["caller_ids"] = Value::Null;
        patch["retry"] = Value::Null;
        patch["calling"] = json!({ "windows": [{ "days": "mon-sun", "from": "08:00", "to": "21:00" }] });
        text = text.find("name = ").map_or(text, |at| &text[at..]);
    }
    let Value::Object(patch) = patch else { return Err(Problem::internal("a patch is an object")) };
    edit::edit(text, &patch).map_err(|error| Problem::unprocessable(error.to_string()))
}

async fn made(state: &AppState, caller: &Caller, name: &str) -> Result<Response, Problem> {
    let row = state.store().campaign_row(&caller.scope, name).await?;
    let row = row.ok_or_else(|| Problem::not_found("campaign"))?;
    let facts = StateFacts::load(state, &caller.scope).await?;
    let answer = json!({
        "campaign": row.name,
        "name": row.name,
        "state": facts.state(&row).word(),
        "version": row.version,
        "etag": etag(row.version),
    });
    Ok(with_etag(row.version, (StatusCode::CREATED, Json(answer)).into_response()))
}

const TOML: &str = "application/toml";

/// The first media type that `Accept` names and this route has.
fn wanted_type(headers: &HeaderMap) -> &'static str {
    const HAS: [&str; 4] = [TOML, ZIP, "application/json", "*/*"];
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut types = accept.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
    types.find_map(|it| HAS.into_iter().find(|has| *has == it)).unwrap_or("application/json")
}

/// The campaign as JSON, its text, or its folder.
pub(super) async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = find(&state, &caller, &name).await?;
    let wanted = wanted_type(&headers);
    if wanted == ZIP {
        return campaign_folder::export(&state, &caller, &row).await;
    }
    if wanted == TOML {
        let save_as = format!("attachment; filename=\"{}.toml\"", row.name);
        let headers = [(header::CONTENT_TYPE, TOML.to_owned()), (header::CONTENT_DISPOSITION, save_as)];
        return Ok(with_etag(row.version, (headers, row.toml).into_response()));
    }
    let facts = StateFacts::load(&state, &caller.scope).await?;
    let files = state.store().campaign_files(row.id).await?;
    let fields: Option<CampaignFile> = toml::from_str(&row.toml).ok();
    let fields = serde_json::to_value(fields).map_err(Problem::internal)?;
    let numbers = state.agent_numbers().await?;
    let shown = campaign_view(&row, &facts, fields, &files, &numbers, (caller.sight(), state.config()));
    Ok(answer_of_row(row.version, shown))
}

/// Removes a campaign that nobody was called in.
pub(super) async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let row = find(&state, &caller, &name).await?;
    check_version(&headers, row.version, false)?;
    let in_use = || {
        let detail = "only a draft without leads and calls can be removed; archive it instead";
        Problem::new(StatusCode::CONFLICT, "in_use", detail)
    };
    let facts = StateFacts::load(&state, &caller.scope).await?;
    if facts.live(row.id).is_some() || row.kept_state.is_open() {
        return Err(in_use());
    }
    let mut change = state.change(&caller, Action::CampaignsEdit, Subject::of("campaign", &name)).await?;
    change.set_before(json!({ "version": row.version, "title": row.title }));
    let unused = change.remove_campaign(row.id).await?.ok_or_else(in_use)?;
    change.set_after(json!({ "removed": true }));
    change.add_event("campaign", &name, json!({ "campaign": name, "removed": true }));
    change.commit().await?;
    unused.iter().for_each(|path| remove_object(&state, path));
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn versions(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let row = find(&state, &caller, &name).await?;
    let numbers = state.agent_numbers().await?;
    let one = |it: &VersionRow| {
        json!({
            "number": it.number,
            "at": moment(it.made_at),
            "by": it.made_by.and_then(|id| numbers.get(&AgentId(id))),
            "source": it.source,
            "note": shown_optional(it.note.as_ref(), caller.sight()),
        })
    };
    let rows = state.store().campaign_versions(row.id).await?;
    Ok(Json(json!({ "items": rows.iter().map(one).collect::<Vec<_>>() })))
}

pub(super) async fn version(
    State(state): State<AppState>,
    caller: Caller,
    Path((name, number)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let row = find(&state, &caller, &name).await?;
    let number = super::records::parse_id(&number, "version")?;
    let found = state.store().campaign_version(row.id, number).await?;
    let it = found.ok_or_else(|| Problem::not_found("version"))?;
    let numbers = state.agent_numbers().await?;
    Ok(Json(json!({
        "number": it.number,
        "at": moment(it.made_at),
        "by": it.made_by.and_then(|id| numbers.get(&AgentId(id))),
        "note": shown_optional(it.note.as_ref(), caller.sight()),
        "toml": it.toml,
    })))
}
