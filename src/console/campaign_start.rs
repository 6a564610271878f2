//! Handlers that start and archive campaigns. A start writes what was asked for, then asks the service to open the
//! campaign; a campaign that cannot be opened is closed again, with the reason in words.

use super::app_state::AppState;
use super::auth::Caller;
use super::campaign_requests::CampaignRequest;
use super::campaign_views::{StateFacts, waiting_for};
use super::campaigns::find;
use super::checklist;
use super::problem::Problem;
use super::rights::Action;
use crate::engine::EngineRequest;
use crate::store::Subject;
use crate::store::campaign_rows::{CampaignRow, CampaignState, DesiredState};
use axum::Json;
use axum::http::StatusCode;
use paceline_core::ids::CampaignId;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::oneshot;

fn conflict(code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, detail)
}

/// How long a start waits for the end of test calls.
const TESTS_END: Duration = Duration::from_secs(10);

/// Opens a campaign that has all it needs.
pub(super) async fn start(
    state: &AppState,
    caller: &Caller,
    name: &str,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let row = find(state, caller, name).await?;
    if caller.organisation.suspended {
        return Err(Problem::suspended());
    }
    let facts = StateFacts::load(state, &caller.scope).await?;
    if facts.state(&row).is_open() {
        return Err(conflict("already_open", format!("the campaign {name} is open already")));
    }
    let checked = checklist::check(state, caller, &row, &facts).await?;
    if checked.waits() {
        let waiting = waiting_for(&facts.waiting(&row), &row.name, caller.sight());
        let problem = conflict("not_approved", "what the campaign needs waits for an approval");
        return Err(problem.with("waiting_for", waiting.into()).with("items", checked.stops().into()));
    }
    if !checked.is_ready() {
        let problem = conflict("not_ready", "the campaign lacks what it needs to start; see the checklist");
        return Err(problem.with("items", checked.stops().into()));
    }
    let service = state.campaign_service();
    let service =
        service.ok_or_else(|| conflict("no_service", "this process runs one campaign and opens no other"))?;
    // A test must not outlive the rules it was placed by. It is hung up here, so that no other campaign waits for it.
    if tokio::time::timeout(TESTS_END, state.engine().end_tests(row.id)).await.is_err() {
        let detail = "a test call of the campaign is still being hung up: start it again in half a minute";
        return Err(conflict("test_running", detail));
    }
    set_state(state, caller, &row, DesiredState::Open, CampaignState::Running, json!({ "action": "start" }))
        .await?;
    let (answer, answered) = oneshot::channel();
    let gone = || "the service is stopping; the campaign is opened when it starts again".to_owned();
    let request = CampaignRequest::Open { campaign: row.id, answer };
    let opened = match service.send(request).await {
        Ok(()) => answered.await.unwrap_or_else(|_| Err(gone())),
        Err(_) => Err(gone()),
    };
    let Err(why) = opened else { return Ok((StatusCode::ACCEPTED, Json(json!({ "taken": true })))) };
    let after = json!({ "action": "start", "failed": why });
    set_state(state, caller, &row, DesiredState::Closed, CampaignState::Ready, after).await?;
    Err(conflict("not_opened", why))
}

/// A campaign that people asked to be open and that the engine does not have yet.
///
/// # Errors
/// 404: there is none of this name.
pub(super) async fn being_opened(
    state: &AppState,
    caller: &Caller,
    name: &str,
) -> Result<CampaignId, Problem> {
    let row = find(state, caller, name).await.map_err(|_| Problem::not_found("open campaign"))?;
    if state.campaign_service().is_none() || row.desired != DesiredState::Open {
        return Err(Problem::not_found("open campaign"));
    }
    Ok(row.id)
}

/// Puts a campaign away that is not open.
pub(super) async fn archive(
    state: &AppState,
    caller: &Caller,
    name: &str,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let row = find(state, caller, name).await?;
    let facts = StateFacts::load(state, &caller.scope).await?;
    if facts.state(&row).is_open() {
        return Err(conflict("already_open", format!("the campaign {name} is open: drain it first")));
    }
    let after = json!({ "action": "archive" });
    set_state(state, caller, &row, DesiredState::Closed, CampaignState::Archived, after).await?;
    state.engine().send(EngineRequest::EndTests { campaign: row.id }).await;
    state.engine().send(EngineRequest::EndTests { campaign: row.id }).await;
    Ok((StatusCode::ACCEPTED, Json(json!({ "taken": true }))))
}

async fn set_state(
    state: &AppState,
    caller: &Caller,
    row: &CampaignRow,
    desired: DesiredState,
    kept: CampaignState,
    after: Value,
) -> Result<(), Problem> {
    let mut change = state.change(caller, Action::CampaignsRun, Subject::of("campaign", &row.name)).await?;
    change.set_before(json!({ "state": row.kept_state.word() }));
    change.set_campaign_state(row.id, desired, kept, None).await?;
    change.set_after(after);
    change.add_event("campaign", &row.name, json!({ "campaign": row.name, "state": kept.word() }));
    change.commit().await?;
    Ok(())
}
