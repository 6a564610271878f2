//! Handlers of groups and memberships. A change is written to the store first, then sent to the engine.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{TEXT, parse_text};
use super::problem::Problem;
use super::views;
use crate::engine::EngineRequest;
use crate::store::AgentRow;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
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
    asked: &[MembershipRequest],
) -> Result<Vec<Membership>, Problem> {
    if asked.len() > GROUPS_MAX {
        return Err(Problem::unprocessable(format!("at most {GROUPS_MAX} groups")));
    }
    let names: BTreeMap<String, GroupId> =
        state.group_names().await?.into_iter().map(|(id, name)| (name, id)).collect();
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
    let (row, group) = agent_and_group(&state, &caller, &number, &group).await?;
    let mut groups = row.groups.clone();
    match groups.iter_mut().find(|membership| membership.group == group) {
        Some(membership) => {
            membership.priority = asked.priority.unwrap_or(membership.priority);
            membership.in_use = asked.in_use.unwrap_or(membership.in_use);
        }
        None => groups.push(Membership {
            group,
            priority: asked.priority.unwrap_or(default_priority()),
            in_use: asked.in_use.unwrap_or(true),
        }),
    }
    state.store().set_memberships(row.id, &groups).await?;
    let row = state.send_agent_to_engine(row.id).await?;
    Ok(Json(views::agent(&row, &state.group_names().await?)))
}

pub(super) async fn drop_membership(
    State(state): State<AppState>,
    caller: Caller,
    Path((number, group)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (row, group) = agent_and_group(&state, &caller, &number, &group).await?;
    let groups: Vec<Membership> =
        row.groups.iter().filter(|membership| membership.group != group).copied().collect();
    state.store().set_memberships(row.id, &groups).await?;
    let row = state.send_agent_to_engine(row.id).await?;
    Ok(Json(views::agent(&row, &state.group_names().await?)))
}

/// The agent and the group, if the caller may see both.
async fn agent_and_group(
    state: &AppState,
    caller: &Caller,
    number: &str,
    group: &str,
) -> Result<(AgentRow, GroupId), Problem> {
    let group = state.group_by_name(group).await?.id;
    let row = state.agent_by_number(number).await?;
    if !caller.can_see_group(Some(group)) || !caller.can_see(&row) {
        return Err(Problem::not_found("agent in such a group"));
    }
    Ok((row, group))
}

pub(super) async fn groups(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Problem> {
    let agents = state.store().agents().await?;
    let groups = state.store().groups().await?;
    let seen = groups.iter().filter(|group| caller.can_see_group(Some(group.id)));
    let shown = seen.map(|group| {
        let member = |row: &&AgentRow| row.groups.iter().any(|membership| membership.group == group.id);
        let members: Vec<&str> = agents.iter().filter(member).map(|row| row.number.as_str()).collect();
        let mut shown = views::group(group);
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
    Body(asked): Body<GroupRequest>,
) -> Result<(StatusCode, Json<Value>), Problem> {
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
    group.id = state.store().add_group(&group).await?;
    let shown = views::group(&group);
    state.engine().send(EngineRequest::SetGroup(group)).await;
    Ok((StatusCode::CREATED, Json(shown)))
}

pub(super) async fn change_group(
    State(state): State<AppState>,
    Path(name): Path<String>,
    Body(asked): Body<GroupRequest>,
) -> Result<Json<Value>, Problem> {
    let mut group = state.group_by_name(&name).await?;
    asked.apply_to(&mut group)?;
    state.store().change_group(&group).await?;
    let shown = views::group(&group);
    state.engine().send(EngineRequest::SetGroup(group)).await;
    Ok(Json(shown))
}

/// Members stay in their other groups. Refused while an open campaign works with the group.
pub(super) async fn remove_group(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let group = state.group_by_name(&name).await?;
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
    state.store().remove_group(group.id).await?;
    for row in members {
        state.send_agent_to_engine(row.id).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
