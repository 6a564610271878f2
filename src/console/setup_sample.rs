//! The sample campaign of the first start: fictional owners, called over the simulated carrier by simulated agents. A
//! task loads its list and has the service open it.

use super::app_state::AppState;
use super::auth::Caller;
use super::campaign_text;
use super::campaign_views::StateFacts;
use super::problem::Problem;
use super::rights::Action;
use super::route::ROOT;
use crate::config::campaign::sample::{SAMPLE, SAMPLE_AGENTS, sample_text};
use crate::config::campaign::{CampaignFiles, LoadedCampaign};
use crate::store::campaign_rows::{CampaignRow, CampaignState};
use crate::store::task_rows::{TaskFilter, TaskId, TaskKind, TaskState};
use crate::store::{AgentDetails, AgentRow, Change, Role, Scope, Secrets, StoreError, Subject};
use crate::tasks::Changed;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use paceline_core::agent::{Group, Membership};
use paceline_core::ids::{AgentId, CampaignId, GroupId};
use serde_json::json;
use std::collections::BTreeMap;

/// Names and numbers that are tried until one is free.
const TRIES: usize = 1_000;

/// Numbers of simulated agents: one digit more than usual ones.
const FIRST_NUMBER: usize = 88_001;

pub(super) async fn start_sample(State(state): State<AppState>, caller: Caller) -> Result<Response, Problem> {
    if caller.organisation.suspended {
        return Err(Problem::suspended());
    }
    if state.campaign_service().is_none() {
        return Err(conflict("no_service", "this process runs one campaign and opens no other"));
    }
    if !state.config().listens_for_simulation() {
        let detail = "the simulated carrier and its phones are reached over UDP and IPv4, and [sip] listen has no \
                      such address: add \"udp://0.0.0.0:5060\" and start the service again";
        return Err(conflict("cannot_place", detail));
    }
    let by = caller.account.as_ref().map(|account| account.id.0);
    let (task, name) = match state.store().sample_of(caller.scope.enterprise).await? {
        Some(row) => {
            if !caller.scope.holds(row.enterprise, row.organisation) {
                return Err(there_elsewhere());
            }
            refuse_again(&state, &caller, &row).await?;
            let subject = Subject::of("campaign", &row.name);
            let mut change = state.change(&caller, Action::CampaignsEdit, subject).await?;
            let task = change.queue_sample(row.enterprise, row.id, by).await?;
            change.set_after(json!({ "sample": true, "again": true }));
            change.commit().await?;
            (task, row.name)
        }
        None => make(&state, &caller, by).await?,
    };
    state.tasks().wake();
    state.tasks().announce(Changed::Task(task));
    let place = format!("{ROOT}/tasks/{}", task.0);
    let answer = Json(json!({ "task": task.0, "campaign": name }));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], answer).into_response())
}

fn conflict(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, detail)
}

fn there_already(name: &str) -> Problem {
    conflict("sample_there", "the sample campaign is there already")
        .with("campaign", name.into())
        .with("href", format!("/campaigns/{name}/live").into())
}

/// As [`there_already`], of a part of the enterprise that the caller does not see.
fn there_elsewhere() -> Problem {
    conflict(
        "sample_elsewhere",
        "your enterprise has its sample campaign already, in a part that you do not see",
    )
}

/// A sample campaign that is there is started again only if it is closed and has leads to call, or has no list yet.
async fn refuse_again(state: &AppState, caller: &Caller, row: &CampaignRow) -> Result<(), Problem> {
    let facts = StateFacts::load(state, &caller.scope).await?;
    let now = facts.state(row);
    if now.is_open() || has_open_task(state, row).await? {
        return Err(there_already(&row.name));
    }
    if now == CampaignState::Finished {
        let detail = "the sample campaign has called everybody on its list; archive it to start it anew";
        let problem = conflict("sample_over", detail).with("campaign", row.name.clone().into());
        return Err(problem.with("href", format!("/campaigns/{}/live", row.name).into()));
    }
    Ok(())
}

async fn has_open_task(state: &AppState, row: &CampaignRow) -> Result<bool, Problem> {
    let enterprise = Scope { enterprise: row.enterprise, organisations: vec![row.enterprise] };
    for wanted in [TaskState::Queued, TaskState::Running] {
        let filter =
            TaskFilter { kind: Some(TaskKind::Sample), state: Some(wanted), ..TaskFilter::default() };
        if state.store().tasks(&enterprise, &filter, 50).await?.iter().any(|task| task.subject == row.id.0) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes the campaign, its group and its agents, and queues the task: all of it or nothing.
async fn make(state: &AppState, caller: &Caller, by: Option<i64>) -> Result<(TaskId, String), Problem> {
    // Agents of a sample that was put away work in the next one.
    let agents = state.store().agents().await?.into_iter();
    let earlier: Vec<AgentRow> = agents
        .filter(|row| row.simulated_for.is_some() && row.enterprise == caller.scope.enterprise)
        .collect();
    let known_group = earlier.iter().find_map(|row| row.groups.first()).map(|it| it.group);
    let mut change = state.change(caller, Action::CampaignsEdit, Subject::of("campaign", SAMPLE)).await?;
    // Asked again inside the change: of two people at once the second is refused.
    if let Some((name, organisation)) = change.present_sample(&caller.scope).await? {
        let is_seen = caller.scope.holds(caller.scope.enterprise, organisation);
        return Err(if is_seen { there_already(&name) } else { there_elsewhere() });
    }
    let (group, group_name) = match known_group {
        Some(id) => (id, change.group(id).await?.group.name),
        None => add_group(&mut change, &caller.scope).await?,
    };
    let (campaign, name) = add_campaign(state, &mut change, &caller.scope, &group_name).await?;
    for row in earlier.iter().take(SAMPLE_AGENTS) {
        change.mark_simulated(row.id, campaign).await?;
        change.set_memberships(row.id, &[Membership { group, priority: 1, in_use: true }]).await?;
    }
    for place in earlier.len()..SAMPLE_AGENTS {
        let id = add_agent(&mut change, &caller.scope, place).await?;
        change.mark_simulated(id, campaign).await?;
        change.set_memberships(id, &[Membership { group, priority: 1, in_use: true }]).await?;
    }
    let task = change.queue_sample(caller.scope.enterprise, campaign, by).await?;
    change
        .set_after(json!({ "sample": true, "campaign": name, "group": group_name, "agents": SAMPLE_AGENTS }));
    change.add_event("campaign", &name, json!({ "campaign": name, "version": 1 }));
    change.commit().await?;
    Ok((task, name))
}

/// `sample`, `sample-2`, …
fn names() -> impl Iterator<Item = String> {
    (1..=TRIES).map(|n| if n == 1 { SAMPLE.to_owned() } else { format!("{SAMPLE}-{n}") })
}

async fn add_group(change: &mut Change<'_>, scope: &Scope) -> Result<(GroupId, String), Problem> {
    for name in names() {
        let group = Group {
            id: GroupId(0),
            name: name.clone(),
            telephones: false,
            announce_number: true,
            idle_release: None,
            work_mode: None,
            seats: None,
        };
        match change.add_group(scope, &group).await {
            Err(StoreError::Taken { .. }) => {}
            added => return Ok((added?, name)),
        }
    }
    Err(Problem::internal("no name of a group is free"))
}

async fn add_campaign(
    state: &AppState,
    change: &mut Change<'_>,
    scope: &Scope,
    group: &str,
) -> Result<(CampaignId, String), Problem> {
    for name in names() {
        let text = sample_text(&name, group).map_err(Problem::internal)?;
        let loaded = LoadedCampaign::parse_row(&text, &CampaignFiles::default(), state.config());
        let loaded = loaded.map_err(Problem::internal)?;
        let files = BTreeMap::new();
        match change.add_campaign(scope, &campaign_text::version(&loaded, None, &files)).await {
            Err(StoreError::Taken { .. }) => {}
            added => {
                let id = added?;
                change.mark_sample(id).await?;
                return Ok((id, name));
            }
        }
    }
    Err(Problem::internal("no name of a campaign is free"))
}

/// An account without a password. The service gives its phone one at each start.
async fn add_agent(change: &mut Change<'_>, scope: &Scope, place: usize) -> Result<AgentId, Problem> {
    for number in (FIRST_NUMBER + place)..(FIRST_NUMBER + place + TRIES) {
        let number = number.to_string();
        let details = AgentDetails {
            name: format!("模拟坐席 {n} · Simulated {n}", n = place + 1),
            login: format!("simulated-{number}"),
            role: Role::Agent,
            telephone: None,
            recorded: false,
            skills: Default::default(),
            // User names of phones are unique over all enterprises.
            sip_user: Some(format!("simulated-{}-{number}", scope.enterprise)),
        };
        match change.add_agent(scope, &number, &details, &Secrets::default()).await {
            Err(StoreError::Taken { .. }) => {}
            added => return Ok(added?),
        }
    }
    Err(Problem::internal("no number of an agent is free"))
}
