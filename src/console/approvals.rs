//! Handlers of approvals: what waits for a second person, and that person's word. A person never decides on work of
//! their own.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::campaign_text::apply_live;
use super::fields::{TEXT, parse_text};
use super::lists::approval_problem;
use super::problem::Problem;
use super::records::parse_id;
use super::rights::Action;
use super::shown_number::{shown_optional, shown_text};
use super::views::{moment, optional_moment};
use crate::store::Subject;
use crate::store::approvals::{ApprovalDecision, ApprovalId, ApprovalKind, ApprovalRow};
use crate::tasks::Changed;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use paceline_core::ids::AgentId;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PAGE: u32 = 50;

#[derive(Deserialize)]
pub(super) struct ApprovalsQuery {
    state: Option<String>,
    after: Option<i64>,
    limit: Option<u32>,
}

pub(super) fn may_decide(caller: &Caller, row: &ApprovalRow) -> bool {
    let Some(account) = &caller.account else { return false };
    row.state == "open" && row.asked_by != Some(account.id.0) && !row.makers.contains(&account.id.0)
}

pub(super) fn view(row: &ApprovalRow, caller: &Caller, numbers: &BTreeMap<AgentId, String>) -> Value {
    let number = |id: Option<i64>| id.and_then(|id| numbers.get(&AgentId(id)));
    let href = match (row.kind, &row.campaign) {
        (ApprovalKind::List, Some(campaign)) => format!("/campaigns/{campaign}/lists/{}", row.subject),
        (ApprovalKind::CallerId, _) => format!("/caller-ids?caller-id={}", row.title),
        _ => format!("/audio?sound={}", row.subject),
    };
    // Numbers of own lines are no callees': those who decide read them in the register too.
    let title = match row.kind {
        ApprovalKind::CallerId => row.title.clone(),
        ApprovalKind::List | ApprovalKind::Audio => shown_text(&row.title, caller.sight()),
    };
    json!({
        "id": row.id.0,
        "kind": row.kind.word(),
        "subject": row.subject,
        "title": title,
        "campaign": row.campaign,
        "href": href,
        "state": row.state,
        "by": number(row.asked_by),
        "at": moment(row.asked_at),
        "may_decide": may_decide(caller, row),
        "decided_by": number(row.decided_by),
        "decided_at": optional_moment(row.decided_at),
        "note": shown_optional(row.note.as_ref(), caller.sight()),
    })
}

/// `mine` = what the caller may decide, `others` = what waits for somebody else, `done` = what was decided.
pub(super) async fn approvals(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ApprovalsQuery>,
) -> Result<Json<Value>, Problem> {
    let limit = query.limit.unwrap_or(PAGE);
    let wanted = query.state.as_deref().unwrap_or("mine");
    let rows = state.store().approvals(&caller.scope, wanted != "done", query.after, limit).await?;
    let next = rows.last().filter(|_| rows.len() as u32 == limit).map(|row| row.id.0);
    let numbers = state.agent_numbers().await?;
    let fits = |row: &&ApprovalRow| match wanted {
        "mine" => may_decide(&caller, row),
        "others" => !may_decide(&caller, row),
        _ => true,
    };
    let items: Vec<Value> = rows.iter().filter(fits).map(|row| view(row, &caller, &numbers)).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApprovalActionRequest {
    #[schemars(extend("enum" = ["approve", "refuse"]))]
    action: String,
    /// A refusal says why; the uploader reads it.
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    note: Option<String>,
}

pub(super) async fn act(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<ApprovalActionRequest>,
) -> Result<StatusCode, Problem> {
    let approves = match asked.action.as_str() {
        "approve" => true,
        "refuse" => false,
        _ => return Err(Problem::unprocessable("action: approve or refuse")),
    };
    let id = ApprovalId(parse_id(&id, "approval")?);
    let note = asked.note.map(|note| parse_text("note", &note)).transpose()?;
    if !approves && note.is_none() {
        return Err(Problem::unprocessable("note: say why it is refused"));
    }
    let (enterprise, by) = (caller.scope.enterprise, caller.account()?.id.0);
    let decision = ApprovalDecision { scope: caller.scope.clone(), approves, note, by };
    let mut change = state.change(&caller, Action::ApprovalsDecide, Subject::of("approval", id.0)).await?;
    change.decide_approval(id, &decision).await?.map_err(approval_problem)?;
    let word = if approves { "approved" } else { "refused" };
    change.set_after(json!({ "state": word, "note": decision.note }));
    change.add_event("approval", id.0, json!({ "approval": id.0, "state": word }));
    change.commit().await?;
    state.tasks().announce(Changed::Approval(enterprise, id));
    state.engine().register_caller_ids(state.store().registered_numbers().await?).await;
    if approves {
        apply_to_open_campaigns(&state, &caller).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Versions of open campaigns that waited for a sound take effect.
async fn apply_to_open_campaigns(state: &AppState, caller: &Caller) -> Result<(), Problem> {
    let open =
        state.campaigns().into_values().filter(|it| caller.scope.holds(it.enterprise, it.organisation));
    for facts in open {
        let Some(row) = state.store().campaign_row(&caller.scope, &facts.rules.name).await? else { continue };
        let files = state.store().campaign_files(row.id).await?;
        if files.iter().any(|file| file.audio.is_some()) {
            apply_live(state, &row).await;
        }
    }
    Ok(())
}
