//! Rows of tasks, lists, approvals and caller IDs in the live stream, each as its reader may see it.

use super::app_state::AppState;
use super::auth::Caller;
use super::live_topics::Topics;
use super::rights::Action;
use super::{approvals, list_views, lists, task_routes};
use crate::store::approvals::ApprovalId;
use crate::store::list_uploads::UploadId;
use crate::store::task_rows::TaskId;
use serde_json::{Value, json};

/// The row of this kind and id as it is now; `None` = it is gone, not the reader's to see, or of no topic that it reads.
pub(super) async fn shown(
    state: &AppState,
    caller: &Caller,
    topics: &Topics,
    kind: &str,
    id: i64,
) -> Option<Value> {
    match kind {
        "task" if topics.has("tasks") => task(state, caller, TaskId(id)).await,
        "list" if topics.has("tasks") && caller.may(Action::ListsEdit) => {
            list(state, caller, UploadId(id)).await
        }
        "approval" if topics.has("approvals") && caller.may(Action::ApprovalsDecide) => {
            approval(state, caller, ApprovalId(id)).await
        }
        "caller_id" if topics.has("caller_ids") && caller.may(Action::CallerIdsEdit) => {
            caller_id(state, caller, id).await
        }
        _ => None,
    }
}

async fn task(state: &AppState, caller: &Caller, id: TaskId) -> Option<Value> {
    let row = state.store().task(&caller.scope, id).await.ok()??;
    let numbers = state.agent_numbers().await.ok()?;
    task_routes::may_see(caller, &row).then(|| list_views::task(&row, &numbers, caller.sight()))
}

async fn list(state: &AppState, caller: &Caller, id: UploadId) -> Option<Value> {
    let row = state.store().upload(caller.scope.enterprise, id).await.ok()??;
    if !caller.scope.holds(row.enterprise, row.organisation) {
        return None;
    }
    let task = list_views::task_of(state, &row).await.ok()?;
    let numbers = state.agent_numbers().await.ok()?;
    let standing = lists::approval_standing(state, &row).await.ok()?;
    Some(list_views::upload(&row, task.as_ref(), &numbers, &standing, caller))
}

async fn caller_id(state: &AppState, caller: &Caller, id: i64) -> Option<Value> {
    let rows = state.store().caller_ids_in(&caller.scope).await.ok()?;
    let row = rows.into_iter().find(|row| row.id.0 == id)?;
    let (number, state) = (row.number.national(), row.state.word());
    Some(json!({ "id": id, "number": number, "state": state, "version": row.version }))
}

async fn approval(state: &AppState, caller: &Caller, id: ApprovalId) -> Option<Value> {
    let numbers = state.agent_numbers().await.ok()?;
    for is_open in [true, false] {
        let before = Some(id.0.saturating_add(1));
        let rows = state.store().approvals(&caller.scope, is_open, before, 1).await.ok()?;
        if let Some(row) = rows.into_iter().find(|row| row.id == id) {
            return Some(approvals::view(&row, caller, &numbers));
        }
    }
    None
}
