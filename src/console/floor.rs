//! Handlers of the floor snapshot, of one's own seat, and of open campaigns, each restricted to what the
//! caller may see ([`Scope`]).

use super::app_state::{AppState, CampaignFolder};
use super::auth::Caller;
use super::campaign_views::{StateFacts, waiting_for};
use super::problem::Problem;
use super::rights::Action;
use super::views::{self, Names};
use crate::engine::{Board, CampaignBoard};
use crate::store::campaign_rows::{CampaignState, DesiredState};
use crate::store::scope::FIRST_ENTERPRISE;
use crate::store::{AgentRow, Role, Subject};
use crate::tasks::{OpenCampaign, OpenRefusal, UseText};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use paceline_core::agent::SeatView;
use paceline_core::campaign::is_system_name;
use paceline_core::dialer::View;
use paceline_core::ids::{AgentId, CampaignId, GroupId};
use paceline_core::pacing::Why;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, PathBuf};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Which agents and groups a caller may see, and the names to show for ids.
pub(super) struct Scope {
    pub names: Names,
    owner: crate::store::Scope,
    everything: bool,
    agents: BTreeSet<AgentId>,
    groups: BTreeSet<GroupId>,
    /// What open campaigns wait for.
    waiting: Arc<StateFacts>,
}

impl Scope {
    pub async fn of(state: &AppState, caller: &Caller) -> Result<Scope, Problem> {
        let all = state.agents_in(&caller.scope).await?;
        let names = Names::of(&all, state.group_names().await?, state, caller.sight());
        // Managers and analysts without a group have no seat to show.
        let sits =
            |row: &&AgentRow| !row.groups.is_empty() || matches!(row.details.role, Role::Agent | Role::Lead);
        let seen = |row: &&AgentRow| {
            caller.is_agent(row.id) || (caller.may(Action::FloorRead) && caller.can_see(row))
        };
        let agents = all.iter().filter(sits).filter(seen).map(|row| row.id).collect();
        let owner = caller.scope.clone();
        let waiting = Arc::new(StateFacts::load(state, &caller.scope).await?);
        Ok(Scope { names, owner, everything: caller.can_see_all(), agents, groups: caller.groups(), waiting })
    }

    /// Reads again what open campaigns wait for. Where it cannot be read now, what was read last stays.
    pub async fn refresh_waiting(&mut self, state: &AppState) {
        if let Ok(facts) = StateFacts::load(state, &self.owner).await {
            self.waiting = Arc::new(facts);
        }
    }

    /// Restricts the scope to one group.
    fn restrict_to_group(&mut self, group: GroupId, members: BTreeSet<AgentId>) {
        self.everything = false;
        self.agents.retain(|agent| members.contains(agent));
        self.groups = BTreeSet::from([group]);
    }

    pub fn can_see(&self, seat: &SeatView) -> bool {
        self.agents.contains(&seat.agent)
    }

    /// Whether this agent's account existed when the scope was made.
    pub fn has_agent(&self, agent: AgentId) -> bool {
        self.names.agents.contains_key(&agent)
    }

    pub fn can_see_campaign(&self, state: &AppState, campaign: CampaignId) -> bool {
        let facts = state.campaigns().remove(&campaign);
        // A campaign of whose opening the console has no word yet is one of a file: the first enterprise's.
        let owner = facts
            .as_ref()
            .map_or((FIRST_ENTERPRISE, FIRST_ENTERPRISE), |facts| (facts.enterprise, facts.organisation));
        let rules = facts.as_ref().and_then(|facts| facts.rules.agents.as_ref());
        self.owner.holds(owner.0, owner.1)
            && (self.everything || rules.is_some_and(|rules| self.groups.contains(&rules.group)))
    }

    pub fn seats(&self, board: &Board) -> Vec<Value> {
        let seen = board.seats.values().filter(|seat| self.can_see(seat));
        seen.map(|seat| views::seat(seat, views::phone_of(board, seat.agent), &self.names)).collect()
    }

    pub fn campaigns(&self, state: &AppState, board: &Board) -> BTreeMap<CampaignId, Value> {
        let facts = state.campaigns();
        let open = board
            .campaigns
            .iter()
            .filter(|(id, campaign)| !is_system_name(&campaign.name) && self.can_see_campaign(state, **id));
        open.map(|(id, campaign)| {
            let facts = facts.get(id).map(AsRef::as_ref);
            let mut shown = views::campaign(*id, campaign, facts, &self.names);
            if let Some(other) = self.campaign_with_lines(state, &campaign.view) {
                let (trunk, zone) = (&campaign.line_trunk, views::zone(facts));
                shown["words"] = views::words_beside(&campaign.view, trunk, &zone, Some(&other));
            }
            let organisation = facts.map_or(FIRST_ENTERPRISE, |facts| facts.organisation);
            shown["state"] = open_state(campaign).word().into();
            shown["waiting_for"] =
                waiting_for(&self.waiting.waiting_in(*id, organisation), &campaign.name, self.names.sight)
                    .into();
            (*id, shown)
        })
        .collect()
    }

    /// Name of the campaign that has the lines which another one wants, if the caller may see it.
    pub fn campaign_with_lines(&self, state: &AppState, view: &View) -> Option<String> {
        let given = view.share.filter(|given| self.can_see_campaign(state, given.to))?;
        self.names.campaigns.get(&given.to).cloned()
    }

    /// The trunks that the caller may see, by name.
    pub fn trunks(&self, board: &Board) -> Vec<(String, Value)> {
        let seen = board.trunks.iter().filter(|_| self.everything);
        seen.map(|trunk| (trunk.name.clone(), views::trunk(trunk))).collect()
    }
}

/// Where a campaign of the engine is.
fn open_state(campaign: &CampaignBoard) -> CampaignState {
    match campaign.view.why {
        _ if campaign.view.drained => CampaignState::Ready,
        _ if campaign.finished => CampaignState::Finished,
        Some(Why::Paused) => CampaignState::Paused,
        Some(Why::Draining) => CampaignState::Draining,
        _ => CampaignState::Running,
    }
}

pub(super) fn board(state: &AppState) -> Arc<Board> {
    state.engine().board().borrow().clone()
}

/// Seats, campaigns, trunks and the store's state: the first event of the live stream, and `GET /floor`.
pub(super) fn snapshot(state: &AppState, scope: &Scope) -> Value {
    let board = board(state);
    let trunks: Vec<Value> = board.trunks.iter().map(views::trunk).collect();
    json!({
        "at": views::moment(state.now()),
        "seats": scope.seats(&board),
        "campaigns": scope.campaigns(state, &board).into_values().collect::<Vec<Value>>(),
        "trunks": if scope.everything { trunks } else { Vec::new() },
        "store": board.store_stalled.as_deref().map_or("ok", |_| "stalled"),
    })
}

#[derive(Deserialize)]
pub(super) struct FloorQuery {
    group: Option<String>,
}

pub(super) async fn floor(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<FloorQuery>,
) -> Result<Json<Value>, Problem> {
    let mut scope = Scope::of(&state, &caller).await?;
    if let Some(name) = &query.group {
        let group = state.group_by_name(&caller.scope, name).await?.group.id;
        if !caller.can_see_group(Some(group)) {
            return Err(Problem::not_found("group"));
        }
        let agents = state.agents_in(&caller.scope).await?;
        let member = |row: &&AgentRow| row.groups.iter().any(|it| it.group == group);
        scope.restrict_to_group(group, agents.iter().filter(member).map(|row| row.id).collect());
    }
    Ok(Json(snapshot(&state, &scope)))
}

pub(super) async fn my_seat(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Problem> {
    let account = caller.account()?;
    let scope = Scope::of(&state, &caller).await?;
    let board = board(&state);
    let seat = board.seats.get(&account.id).ok_or_else(|| Problem::not_found("seat yet"))?;
    Ok(Json(views::seat(seat, views::phone_of(&board, seat.agent), &scope.names)))
}

/// Agents get the dispositions of their groups' open campaigns; other roles also the campaigns' figures.
pub(super) async fn open_campaigns(state: &AppState, caller: &Caller) -> Result<Value, Problem> {
    let scope = Scope::of(state, caller).await?;
    let open = state.campaigns().into_iter().filter(|(id, _)| scope.can_see_campaign(state, *id));
    let workplaces: Vec<Value> = open.map(|(_, facts)| views::workplace(&facts, &scope.names)).collect();
    if caller.role == Role::Agent {
        return Ok(json!({ "campaigns": workplaces }));
    }
    let shown = scope.campaigns(state, &board(state)).into_values().collect::<Vec<Value>>();
    Ok(json!({ "campaigns": shown, "workplaces": workplaces }))
}

/// A new campaign: `toml`, or `copy_of` with `name`, or `file`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CampaignRequest {
    /// The text of a new campaign.
    #[schemars(length(min = 1, max = 65_536))]
    pub toml: Option<String>,
    /// The name of a campaign whose text and sounds are copied.
    #[schemars(length(min = 1, max = 128))]
    pub copy_of: Option<String>,
    /// Of the copy.
    #[schemars(length(min = 1, max = 64))]
    pub name: Option<String>,
    /// Of the copy; without it the source's.
    #[schemars(length(max = 256))]
    pub title: Option<String>,
    /// A path below the folder of campaigns, which is opened: `jade-garden/campaign.toml`.
    #[schemars(length(min = 1, max = 4096))]
    pub file: Option<String>,
    /// Of a file: no call is placed until it is resumed.
    #[serde(default)]
    pub paused: bool,
    /// Of a file: which text counts where the file and the store have both changed.
    pub r#use: Option<UseText>,
}

/// Opens a campaign file; returns the campaign's name.
pub(super) async fn open_campaign(
    state: &AppState,
    caller: &Caller,
    file: &str,
    paused: bool,
    use_text: Option<UseText>,
) -> Result<String, Problem> {
    let (folder, path) = campaign_file(state, caller, file).await?;
    let (answer, answered) = oneshot::channel();
    let opening = OpenCampaign { file: path, paused, use_text, answer };
    let gone = || Problem::internal("nobody opens campaigns any more");
    folder.openings.send(opening).await.map_err(|_| gone())?;
    // The request is right; the file, or a campaign of its name, is not in a state to be opened.
    let refused = |why| match why {
        OpenRefusal::ChangedInBoth(why) => {
            Problem::new(StatusCode::CONFLICT, "changed_in_both", why).with("file", file.into())
        }
        OpenRefusal::Other(why) => Problem::new(StatusCode::CONFLICT, "not_opened", why),
    };
    let name = answered.await.map_err(|_| gone())?.map_err(refused)?;
    let row = state.store().campaign_row(&caller.scope, &name).await?;
    let mut change = state.change(caller, Action::CampaignsEdit, Subject::of("campaign", &name)).await?;
    if let Some(row) = row {
        let (desired, kept) = match paused {
            true => (DesiredState::Paused, CampaignState::Paused),
            false => (DesiredState::Open, CampaignState::Running),
        };
        change.set_campaign_state(row.id, desired, kept, None).await?;
    }
    change.set_after(json!({ "action": "open", "file": file, "paused": paused }));
    change.commit().await?;
    Ok(name)
}

/// The folder of campaign files, and the file in it that the caller may open.
pub(super) async fn campaign_file<'a>(
    state: &'a AppState,
    caller: &Caller,
    file: &str,
) -> Result<(&'a CampaignFolder, PathBuf), Problem> {
    let closed = || {
        let detail = "this service opens no campaigns by itself; start it with --campaigns DIR";
        Problem::new(StatusCode::CONFLICT, "no_folder", detail)
    };
    if caller.organisation.suspended {
        return Err(Problem::suspended());
    }
    // Campaign files are the first enterprise's.
    let is_first = caller.scope.holds(FIRST_ENTERPRISE, FIRST_ENTERPRISE);
    let folder = state.campaign_folder().filter(|_| is_first).ok_or_else(closed)?;
    let path = resolve_below(&folder.dir, file).await?;
    Ok((folder, path))
}

/// Resolves a path to a file below the folder; `..`, absolute paths and links that lead out are refused.
pub(super) async fn resolve_below(dir: &std::path::Path, path: &str) -> Result<PathBuf, Problem> {
    let missing = || Problem::not_found("file");
    let path = PathBuf::from(path);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !plain || path.as_os_str().is_empty() || path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(missing());
    }
    let root = tokio::fs::canonicalize(dir).await.map_err(|_| missing())?;
    let file = tokio::fs::canonicalize(root.join(path)).await.map_err(|_| missing())?;
    let is_file = tokio::fs::metadata(&file).await.is_ok_and(|found| found.is_file());
    if is_file && file.starts_with(&root) { Ok(file) } else { Err(missing()) }
}
