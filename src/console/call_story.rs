//! Begins the trace of a call from the journal: a task reads why the call was dialled and what became of it.

use super::app_state::AppState;
use super::auth::Caller;
use super::call_detail::may_see;
use super::problem::Problem;
use super::records::parse_id;
use super::route::ROOT;
use crate::store::task_rows::{TaskFilter, TaskId, TaskKind, TaskState};
use crate::store::{Scope, Subject};
use crate::tasks::Changed;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use paceline_core::ids::AttemptId;
use serde_json::json;

/// Stories of an enterprise that wait or run: lists are checked by the same two threads.
const OPEN_MAX: usize = 4;

pub(super) async fn begin(
    State(state): State<AppState>,
    caller: Caller,
    Path(attempt): Path<String>,
) -> Result<Response, Problem> {
    let attempt = AttemptId(parse_id(&attempt, "call")?);
    let mut reader = state.store().reader().await?;
    let row = reader.call_detail(attempt).await?.ok_or_else(|| Problem::not_found("call"))?;
    let seats = reader.call_seats(&row, false).await?;
    drop(reader);
    if !may_see(&caller, &row, &seats, &state.store().all_agents().await?) {
        return Err(Problem::not_found("call"));
    }
    let by = caller.account.as_ref().map(|account| account.id.0);
    let task = match open_task(&state, &caller, attempt, by).await? {
        Some(task) => task,
        None => {
            let subject = Subject::of("call", format!("out-{}", attempt.0));
            let mut change = state.change_own(&caller, "calls.story", subject).await?;
            let task = change.queue_story(caller.scope.enterprise, attempt, by).await?;
            change.commit().await?;
            state.tasks().wake();
            state.tasks().announce(Changed::Task(task));
            task
        }
    };
    let place = format!("{ROOT}/tasks/{}", task.0);
    let answer = Json(json!({ "task": task.0 }));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], answer).into_response())
}

/// The caller's own task for this call that waits or runs.
///
/// # Errors
/// 409 if the enterprise has as many stories open as it may.
async fn open_task(
    state: &AppState,
    caller: &Caller,
    attempt: AttemptId,
    by: Option<i64>,
) -> Result<Option<TaskId>, Problem> {
    // Those of the whole enterprise: its parts share the threads.
    let enterprise = caller.scope.enterprise;
    let scope = Scope { enterprise, organisations: vec![enterprise] };
    let mut open = Vec::new();
    for wanted in [TaskState::Queued, TaskState::Running] {
        let filter = TaskFilter { kind: Some(TaskKind::Story), state: Some(wanted), ..TaskFilter::default() };
        open.extend(state.store().tasks(&scope, &filter, OPEN_MAX as u32).await?);
    }
    if let Some(own) = open.iter().find(|task| task.subject == attempt.0 && task.asked_by == by) {
        return Ok(Some(own.id));
    }
    if open.len() < OPEN_MAX {
        return Ok(None);
    }
    let detail = format!("{} stories of calls wait or run already; wait for one, or cancel it", open.len());
    Err(Problem::new(StatusCode::CONFLICT, "stories_full", detail))
}
