//! Handlers of long work: which tasks there are, how far they are, and cancelling one.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::list_views;
use super::problem::Problem;
use super::records::parse_id;
use super::rights::Action;
use crate::store::task_rows::{TaskFilter, TaskId, TaskKind, TaskRow, TaskState};
use crate::store::{Role, Subject};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

const PAGE: u32 = 50;

#[derive(Deserialize)]
pub(super) struct TasksQuery {
    kind: Option<String>,
    state: Option<String>,
    after: Option<i64>,
    limit: Option<u32>,
}

/// Callers see their own tasks; those who edit lists or sounds see each other's.
pub(super) fn may_see(caller: &Caller, task: &TaskRow) -> bool {
    let is_own = caller.account.as_ref().is_some_and(|account| task.asked_by == Some(account.id.0));
    // Files that somebody asked for are that person's, and admins'.
    let is_shared = task.kind != TaskKind::Export || caller.role == Role::Admin;
    is_own || (is_shared && sees_all(caller))
}

fn sees_all(caller: &Caller) -> bool {
    caller.may(Action::ListsEdit) || caller.may(Action::AudioEdit)
}

pub(super) async fn tasks(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<TasksQuery>,
) -> Result<Json<Value>, Problem> {
    let limit = query.limit.unwrap_or(PAGE);
    let filter = TaskFilter {
        // No account has the id 0: a program that may not see all sees none.
        asked_by: match sees_all(&caller) {
            true => None,
            false => Some(caller.account.as_ref().map_or(0, |account| account.id.0)),
        },
        kind: query.kind.as_deref().and_then(TaskKind::from_word),
        state: query.state.as_deref().and_then(TaskState::from_word),
        before: query.after,
    };
    let rows = state.store().tasks(&caller.scope, &filter, limit).await?;
    let next = rows.last().filter(|_| rows.len() as u32 == limit).map(|row| row.id.0);
    let numbers = state.agent_numbers().await?;
    let seen = rows.iter().filter(|row| may_see(&caller, row));
    let items: Vec<Value> = seen.map(|row| list_views::task(row, &numbers, caller.sight())).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}

async fn find(state: &AppState, caller: &Caller, id: &str) -> Result<TaskRow, Problem> {
    let id = TaskId(parse_id(id, "task")?);
    let found = state.store().task(&caller.scope, id).await?;
    found.filter(|task| may_see(caller, task)).ok_or_else(|| Problem::not_found("task"))
}

pub(super) async fn task(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let row = find(&state, &caller, &id).await?;
    Ok(Json(list_views::task(&row, &state.agent_numbers().await?, caller.sight())))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskActionRequest {
    #[schemars(extend("enum" = ["cancel"]))]
    action: String,
}

/// Cancels a task that waits or runs. One that runs ends within a second or so, and the answer may still show it.
pub(super) async fn act(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<TaskActionRequest>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if asked.action != "cancel" {
        return Err(Problem::unprocessable("action: cancel"));
    }
    let row = find(&state, &caller, &id).await?;
    if !row.state.is_open() {
        let detail = format!("the task is {} already", row.state.word());
        return Err(Problem::new(StatusCode::CONFLICT, "not_open", detail));
    }
    let mut change = state.change_own(&caller, "tasks.cancel", Subject::of("task", row.id.0)).await?;
    change.set_after(json!({ "kind": row.kind.word() }));
    change.commit().await?;
    state.tasks().cancel(row.id).await?;
    let row = find(&state, &caller, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(list_views::task(&row, &state.agent_numbers().await?, caller.sight()))))
}
