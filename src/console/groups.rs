//! Handlers of groups and memberships. A change is written to the store first, then sent to the engine.

use super::account_rights::check_account;
use super::agents;
use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{TEXT, parse_text};
use super::problem::Problem;
use super::rights::Action;
use super::versions::{answer_of_row, check_version, with_etag};
use super::views;
use crate::engine::EngineRequest;
use crate::store::{AgentRow, Scope, Subject};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use paceline_core::agent::{Group, Membership, WorkMode};
use paceline_core::ids::GroupId;
use paceline_core::time::Duration;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const GROUPS_MAX: usize = 64;

/// A group's name alone (`"vote-team"`), or with priority and use.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum MembershipRequest {
    Name(String),
    Full {
        group: String,
        #[serde(default = "default_priority")]
        priority: u8,
        #[serde(default = "default_in_use")]
        in_use: bool,
    },
}

const fn default_priority() -> u8 {
    1
}

const fn default_in_use() -> bool {
    true
}

pub(super) async fn parse_memberships(
    state: &AppState,
    scope: &Scope,
    asked: &[MembershipRequest],
) -> Result<Vec<Membership>, Problem> {
    if asked.len() > GROUPS_MAX {
        return Err(Problem::unprocessable(format!("at most {GROUPS_MAX} groups")));
    }
    let names: BTreeMap<String, GroupId> =
        state.groups_in(scope).await?.into_iter().map(|row| (row.group.name, row.group.id)).collect();
    let mut found: BTreeMap<GroupId, Membership> = BTreeMap::new();
    for asked in asked {
        let (name, priority, in_use) = match asked {
            MembershipRequest::Name(name) => (name, default_priority(), true),
            MembershipRequest::Full { group, priority, in_use } => (group, *priority, *in_use),
        };
        let group = *names.get(name).ok_or_else(|| Problem::not_found("group"))?;
        found.insert(group, Membership { group, priority, in_use });
    }
    Ok(found.into_values().collect())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MembershipChange {
    priority: Option<u8>,
    in_use: Option<bool>,
}

/// Adds the agent to a group, or changes the membership. A shift lead may do so in the groups they lead.
pub(super) async fn set_membership(
    State(state): State<AppState>,
    caller: Caller,
    Path((number, group)): Path<(String, String)>,
    Body(asked): Body<MembershipChange>,
) -> Result<Json<Value>, Problem> {
    let edit = |groups: &mut Vec<Membership>, group| match groups.iter_mut().find(|it| it.group == group) {
        Some(membership) => {
            membership.priority = asked.priority.unwrap_or(membership.priority);
            membership.in_use = asked.in_use.unwrap_or(membership.in_use);
        }
        None => groups.push(Membership {
            group,
            priority: asked.priority.unwrap_or(default_priority()),
            in_use: asked.in_use.unwrap_or(true),
        }),
    };
    // An account that is not there is refused below, where the group is looked for first.
    if let Ok(row) = state.agent_by_number(&caller.scope, &number).await
        && row.simulated_for.is_some()
        && caller.can_see(&row)
    {
        return Err(agents::simulated());
    }
    change_memberships(&state, &caller, &number, &group, edit).await
}

pub(super) async fn drop_membership(
    State(state): State<AppState>,
    caller: Caller,
    Path((number, group)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let edit = |groups: &mut Vec<Membership>, group| groups.retain(|membership| membership.group != group);
    change_memberships(&state, &caller, &number, &group, edit).await
}

async fn change_memberships(
    state: &AppState,
    caller: &Caller,
    number: &str,
    group: &str,
    edit: impl FnOnce(&mut Vec<Membership>, GroupId),
) -> Result<Json<Value>, Problem> {
    let (found, group) = agent_and_group(state, caller, number, group).await?;
    let names = state.group_names().await?;
    let view = |groups: &[Membership]| json!({ "groups": views::memberships(groups, &names) });
    let subject = Subject::of("agent", &found.number);
    let mut change = state.change(caller, Action::GroupsMembers, subject).await?;
    let row = change.agent(found.id).await?;
    let mut groups = row.groups.clone();
    edit(&mut groups, group);
    change.set_before(view(&row.groups));
    change.set_after(view(&groups));
    change.set_memberships(row.id, &groups).await?;
    change.commit().await?;
    let row = state.send_agent_to_engine(row.id).await?;
    Ok(Json(views::agent(&row, &names, caller.sight_of(&row))))
}

/// The agent and the group, if the caller may see both and change the account.
async fn agent_and_group(
    state: &AppState,
    caller: &Caller,
    number: &str,
    group: &str,
) -> Result<(AgentRow, GroupId), Problem> {
    let group = state.group_by_name(&caller.scope, group).await?.group.id;
    if !caller.can_see_group(Some(group)) {
        return Err(Problem::not_found("group"));
    }
    let row = state.agent_by_number(&caller.scope, number).await?;
    if !caller.can_see(&row) {
        return Err(Problem::not_found("agent"));
    }
    check_account(caller, &row)?;
    Ok((row, group))
}

pub(super) async fn groups(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Problem> {
    let agents = state.agents_in(&caller.scope).await?;
    let groups = state.groups_in(&caller.scope).await?;
    let seen = groups.iter().filter(|row| caller.can_see_group(Some(row.group.id)));
    let shown = seen.map(|found| {
        let member = |row: &&AgentRow| row.groups.iter().any(|membership| membership.group == found.group.id);
        let members: Vec<&str> = agents.iter().filter(member).map(|row| row.number.as_str()).collect();
        let mut shown = views::group(found);
        shown["members"] = members.into();
        shown
    });
    Ok(Json(json!({ "groups": shown.collect::<Vec<Value>>() })))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupRequest {
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    name: Option<String>,
    /// Whether agents may work on ordinary telephones.
    telephones: Option<bool>,
    announce_number: Option<bool>,
    /// 0 = never.
    #[schemars(range(max = 4_294_967_295_u32))]
    idle_release_secs: Option<u32>,
    /// inbound, outbound or both; empty = each agent's own choice.
    #[schemars(extend("enum" = ["inbound", "outbound", "both", "", null]))]
    work_mode: Option<String>,
    /// 0 = no limit.
    #[schemars(range(max = 4_294_967_295_u32))]
    seats: Option<u32>,
}

/// The body of a new group: as a change, and it has a name.
pub(super) fn new_group_schema() -> Schema {
    let mut schema = schema_for!(GroupRequest).to_value();
    schema["required"] = json!(["name"]);
    schema["properties"]["name"]["type"] = "string".into();
    Schema::try_from(schema).unwrap_or_default()
}

impl GroupRequest {
    /// Applies the given fields to the group.
    fn apply_to(self, group: &mut Group) -> Result<(), Problem> {
        if let Some(name) = &self.name {
            group.name = parse_text("name", name)?;
        }
        group.telephones = self.telephones.unwrap_or(group.telephones);
        group.announce_number = self.announce_number.unwrap_or(group.announce_number);
        if let Some(secs) = self.idle_release_secs {
            group.idle_release = (secs > 0).then(|| Duration::from_secs(u64::from(secs)));
        }
        if let Some(seats) = self.seats {
            group.seats = (seats > 0).then_some(seats);
        }
        group.work_mode = match self.work_mode.as_deref() {
            None => group.work_mode,
            Some("") => None,
            Some("inbound") => Some(WorkMode::Inbound),
            Some("outbound") => Some(WorkMode::Outbound),
            Some("both") => Some(WorkMode::Both),
            Some(_) => return Err(Problem::unprocessable("work_mode is inbound, outbound, both or empty")),
        };
        Ok(())
    }
}

pub(super) async fn add_group(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<GroupRequest>,
) -> Result<Response, Problem> {
    let mut group = Group {
        id: GroupId(0),
        name: String::new(),
        telephones: false,
        announce_number: true,
        idle_release: None,
        work_mode: None,
        seats: None,
    };
    asked.apply_to(&mut group)?;
    parse_text("name", &group.name)?;
    let mut change = state.change(&caller, Action::GroupsEdit, Subject::of("group", &group.name)).await?;
    group.id = change.add_group(&caller.scope, &group).await?;
    let row = change.group(group.id).await?;
    let shown = views::group(&row);
    change.set_after(shown.clone());
    change.commit().await?;
    state.engine().send(EngineRequest::SetGroup(group)).await;
    Ok(with_etag(row.version, (StatusCode::CREATED, Json(shown)).into_response()))
}

pub(super) async fn change_group(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<GroupRequest>,
) -> Result<Response, Problem> {
    let found = state.group_by_name(&caller.scope, &name).await?;
    let mut change = state.change(&caller, Action::GroupsEdit, Subject::of("group", &name)).await?;
    let row = change.group(found.group.id).await?;
    check_version(&headers, row.version, false)?;
    let mut group = row.group.clone();
    asked.apply_to(&mut group)?;
    change.set_before(views::group(&row));
    change.change_group(&group).await?;
    let row = change.group(group.id).await?;
    let shown = views::group(&row);
    change.set_after(shown.clone());
    change.commit().await?;
    state.engine().send(EngineRequest::SetGroup(group)).await;
    Ok(answer_of_row(row.version, shown))
}

/// Members stay in their other groups. Refused while an open campaign works with the group.
pub(super) async fn remove_group(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let group = state.group_by_name(&caller.scope, &name).await?.group;
    let member = |row: &AgentRow| row.groups.iter().any(|membership| membership.group == group.id);
    let members: Vec<AgentRow> = state.store().agents().await?.into_iter().filter(member).collect();
    let open = state.campaigns().into_values().find(|facts| {
        facts.rules.agents.as_ref().is_some_and(|rules| rules.group == group.id)
            && !state
                .engine()
                .board()
                .borrow()
                .campaigns
                .get(&facts.rules.id)
                .is_none_or(|board| board.finished)
    });
    if let Some(facts) = open {
        let detail = format!("the campaign `{}` works with this group", facts.rules.name);
        return Err(Problem::new(StatusCode::CONFLICT, "in_use", detail));
    }
    let mut change = state.change(&caller, Action::GroupsEdit, Subject::of("group", &name)).await?;
    let row = change.group(group.id).await?;
    check_version(&headers, row.version, false)?;
    change.set_before(views::group(&row));
    change.remove_group(group.id).await?;
    change.commit().await?;
    for row in members {
        state.send_agent_to_engine(row.id).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
