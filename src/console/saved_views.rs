//! Handlers of saved views: filters and columns of a page under a name, of one person, who may share them with a group.
//! The address of a view holds its filters, so it shows the same to everybody, each within what they may see.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{TEXT, parse_text};
use super::problem::Problem;
use super::records::parse_id;
use super::rights::Action;
use super::shown_number::{NumberSight, shown_text};
use super::versions::{check_version, with_etag};
use crate::store::saved_views::SavedView;
use crate::store::{AgentRow, Subject};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use paceline_core::ids::{AgentId, GroupId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Pages that have views.
pub(super) const PAGES: &[&str] = &["results", "sums"];

/// Views of one account.
const VIEWS_MAX: i64 = 100;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    page: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ViewRequest {
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    name: String,
    #[schemars(extend("enum" = PAGES))]
    page: String,
    /// The query of the page's address, without the `?`.
    #[schemars(length(max = 2_000))]
    query: String,
    /// Names of columns in their order; without them each reader's own.
    #[serde(default)]
    #[schemars(length(max = 40), inner(length(max = 40), regex(pattern = r"^[a-z][a-z_]*$")))]
    columns: Vec<String>,
    /// The group whose members see it too.
    #[schemars(length(max = 64))]
    group: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ViewChange {
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    name: Option<String>,
    #[schemars(length(max = 2_000))]
    query: Option<String>,
    #[schemars(length(max = 40), inner(length(max = 40), regex(pattern = r"^[a-z][a-z_]*$")))]
    columns: Option<Vec<String>>,
    /// Empty = shared with nobody.
    #[schemars(length(max = 64))]
    group: Option<String>,
}

/// The right that opens a page.
fn right_of(page: &str) -> Option<Action> {
    PAGES.contains(&page).then_some(Action::ResultsRead)
}

fn check_page(caller: &Caller, page: &str) -> Result<(), Problem> {
    let right = right_of(page).ok_or_else(|| {
        let known = PAGES.join(", ");
        Problem::of_field("/page", &format!("one of {known}"), &format!("{known} 之一"))
    })?;
    if caller.may(right) { Ok(()) } else { Err(Problem::missing_right(right)) }
}

/// What a view shows beside its row: names of people and groups.
struct Names {
    agents: BTreeMap<AgentId, (String, String)>,
    groups: BTreeMap<GroupId, String>,
}

impl Names {
    async fn of(state: &AppState) -> Result<Names, Problem> {
        let name = |row: &AgentRow| (row.id, (row.number.clone(), row.details.name.clone()));
        let agents = state.store().all_agents().await?.iter().map(name).collect();
        Ok(Names { agents, groups: state.group_names().await? })
    }

    fn view(&self, view: &SavedView, caller: &Caller, sight: NumberSight) -> Value {
        let owner = self.agents.get(&view.owner);
        json!({
            "id": view.id,
            "page": view.page,
            "name": shown_text(&view.name, sight),
            // A shared one holds nobody's number.
            "query": view.query,
            "columns": view.columns,
            "group": view.group.and_then(|group| self.groups.get(&group)),
            "owner": owner.map(|(number, _)| number),
            "owner_name": owner.map(|(_, name)| name),
            "own": caller.is_agent(view.owner),
            "version": view.version,
        })
    }

    /// As the audit has it.
    fn for_audit(&self, view: &SavedView) -> Value {
        json!({
            "page": view.page,
            "name": shown_text(&view.name, NumberSight::Masked),
            "query": shown_text(&view.query, NumberSight::Masked),
            "columns": view.columns,
            "group": view.group.and_then(|group| self.groups.get(&group)),
        })
    }

    /// As its owner reads it, who wrote every word of it.
    fn for_owner(&self, view: &SavedView, caller: &Caller) -> Value {
        self.view(view, caller, NumberSight::Whole)
    }
}

pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let account = caller.account()?;
    let views = state.store().saved_views(&caller.scope, account.id, caller.groups().into_iter()).await?;
    let is_shown = |view: &&SavedView| {
        query.page.as_ref().is_none_or(|page| view.page == *page)
            && right_of(&view.page).is_some_and(|right| caller.may(right))
    };
    let names = Names::of(&state).await?;
    let items = views.iter().filter(is_shown).map(|view| match view.owner == account.id {
        true => names.for_owner(view, &caller),
        false => names.view(view, &caller, caller.sight()),
    });
    Ok(Json(json!({ "items": items.collect::<Vec<Value>>() })))
}

/// The group of this name, with which the caller may share: one of its own, or any where it sees all.
async fn find_group(state: &AppState, caller: &Caller, name: &str) -> Result<Option<GroupId>, Problem> {
    if name.is_empty() {
        return Ok(None);
    }
    let group = state.group_by_name(&caller.scope, name).await?.group.id;
    if caller.can_see_group(Some(group)) { Ok(Some(group)) } else { Err(Problem::not_found("group")) }
}

/// What a group's members are not shown stands in none of its views. The caller ID is the enterprise's own number.
fn check_shared(view: &SavedView) -> Result<(), Problem> {
    let mut filters = view.query.split('&').filter(|filter| !filter.starts_with("caller="));
    let has_number = filters.any(|filter| shown_text(filter, NumberSight::Masked) != filter);
    if view.group.is_none() || !has_number {
        return Ok(());
    }
    let en = "a view with a telephone number is not shared: take the number out, or share it with nobody";
    let zh = "含电话号码的视图不能共享:去掉号码,或不共享";
    Err(Problem::of_field("/group", en, zh))
}

fn check_query(query: &str) -> Result<String, Problem> {
    let fits = query.chars().count() <= 2_000
        && !query.starts_with('?')
        && !query.chars().any(|c| c.is_control() || c.is_whitespace() || c == '#');
    if fits {
        return Ok(query.to_owned());
    }
    let (en, zh) = (
        "what stands behind the `?` of an address, up to 2000 characters",
        "网址中 `?` 之后的部分,最多 2000 字符",
    );
    Err(Problem::of_field("/query", en, zh))
}

fn check_columns(columns: Vec<String>) -> Result<Vec<String>, Problem> {
    let is_name = |name: &String| {
        name.len() <= 40
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_')
    };
    if columns.len() <= 40 && columns.iter().all(is_name) {
        return Ok(columns);
    }
    Err(Problem::of_field("/columns", "up to 40 names of columns", "最多 40 个列名"))
}

pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<ViewRequest>,
) -> Result<Response, Problem> {
    let owner = caller.account()?.id;
    check_page(&caller, &asked.page)?;
    let mut view = SavedView {
        id: 0,
        owner,
        group: find_group(&state, &caller, asked.group.as_deref().unwrap_or_default()).await?,
        name: parse_text("name", &asked.name)?,
        page: asked.page,
        query: check_query(&asked.query)?,
        columns: check_columns(asked.columns)?,
        version: 1,
    };
    check_shared(&view)?;
    let names = Names::of(&state).await?;
    let mut change = state.change_own(&caller, "views.edit", Subject::of("view", &view.name)).await?;
    if change.count_saved_views(owner).await? >= VIEWS_MAX {
        let (en, zh) = (
            format!("at most {VIEWS_MAX} views: delete one"),
            format!("最多 {VIEWS_MAX} 个视图:请先删除一个"),
        );
        return Err(Problem::of_field("/name", &en, &zh));
    }
    view.id = change.add_saved_view(&view).await?;
    change.set_after(names.for_audit(&view));
    change.commit().await?;
    let answer = (StatusCode::CREATED, Json(names.for_owner(&view, &caller))).into_response();
    Ok(with_etag(view.version, answer))
}

pub(super) async fn change(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<ViewChange>,
) -> Result<Response, Problem> {
    let owner = caller.account()?.id;
    let id = parse_id(&id, "view")?;
    let group = match &asked.group {
        Some(name) => Some(find_group(&state, &caller, name).await?),
        None => None,
    };
    let names = Names::of(&state).await?;
    let mut change = state.change_own(&caller, "views.edit", Subject::of("view", id)).await?;
    let before = change.saved_view(owner, id).await?.ok_or_else(|| Problem::not_found("view"))?;
    check_page(&caller, &before.page)?;
    check_version(&headers, before.version, true)?;
    let mut view = before.clone();
    if let Some(name) = &asked.name {
        view.name = parse_text("name", name)?;
    }
    if let Some(query) = &asked.query {
        view.query = check_query(query)?;
    }
    if let Some(columns) = asked.columns {
        view.columns = check_columns(columns)?;
    }
    view.group = group.unwrap_or(before.group);
    check_shared(&view)?;
    change.set_subject(Subject::of("view", &before.name));
    change.set_before(names.for_audit(&before));
    change.change_saved_view(&view).await?;
    view.version += 1;
    change.set_after(names.for_audit(&view));
    change.commit().await?;
    Ok(with_etag(view.version, Json(names.for_owner(&view, &caller)).into_response()))
}

pub(super) async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let owner = caller.account()?.id;
    let id = parse_id(&id, "view")?;
    let names = Names::of(&state).await?;
    let mut change = state.change_own(&caller, "views.edit", Subject::of("view", id)).await?;
    let view = change.saved_view(owner, id).await?.ok_or_else(|| Problem::not_found("view"))?;
    check_version(&headers, view.version, true)?;
    change.set_subject(Subject::of("view", &view.name));
    change.set_before(names.for_audit(&view));
    change.remove_saved_view(id).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
