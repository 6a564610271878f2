//! Handler of the audit: who did what to what, from where, with before and after.

use super::app_state::AppState;
use super::auth::Caller;
use super::fields::parse_moment;
use super::problem::Problem;
use super::shown_number::{NumberSight, shown_json, shown_text};
use super::views::millis;
use crate::store::{AuditFilter, AuditRow, Role};
use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

const PAGE: u32 = 50;

/// The chain of the system's own rows.
const SYSTEM: i64 = 0;

/// Filters of the audit; their forms are checked by the table of routes.
#[derive(Deserialize)]
pub(super) struct AuditQuery {
    /// The beginning of the actor's number or of the token's name.
    actor: Option<String>,
    /// A kind, or a kind and a name: `agent`, `agent:8001`.
    subject: Option<String>,
    action: Option<String>,
    from: Option<String>,
    until: Option<String>,
    after: Option<i64>,
    limit: Option<u32>,
}

/// The rows of the caller's enterprise; an operator without a role that reads them gets the system's own.
pub(super) async fn audit(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Value>, Problem> {
    let (subject_kind, subject) = match query.subject.as_deref().map(|text| text.split_once(':')) {
        Some(Some((kind, name))) => (Some(kind.to_owned()), Some(name.to_owned())),
        _ => (query.subject, None),
    };
    let limit = query.limit.unwrap_or(PAGE);
    let scope = &caller.scope;
    let filter = AuditFilter {
        organisations: (!scope.is_whole()).then(|| scope.organisations.clone()),
        actor: query.actor,
        subject_kind,
        subject,
        action: query.action,
        from: parse_moment(query.from.as_deref(), "from")?,
        until: parse_moment(query.until.as_deref(), "until")?,
        before: query.after,
        limit,
    };
    let reads_own = matches!(caller.role, Role::Admin | Role::Auditor);
    let chain = if reads_own { caller.scope.enterprise } else { SYSTEM };
    let rows = state.store().audit(chain, &filter).await?;
    let next = rows.last().filter(|_| rows.len() as u32 == limit).map(|row| row.id);
    Ok(Json(
        json!({ "items": rows.iter().map(|row| view(row, caller.sight())).collect::<Vec<_>>(), "next": next }),
    ))
}

fn view(row: &AuditRow, sight: NumberSight) -> Value {
    let object = |text: &Option<String>| {
        let value = text.as_ref().and_then(|text| serde_json::from_str(text).ok())?;
        Some(shown_json(value, sight))
    };
    let (before, after): (Option<Value>, Option<Value>) = (object(&row.before), object(&row.after));
    json!({
        "id": row.id,
        "at": millis(Some(row.at)),
        "actor_kind": row.actor_kind,
        "actor": row.actor,
        "address": row.address,
        "action": row.action,
        "subject_kind": row.subject_kind,
        "subject": shown_text(&row.subject, sight),
        "before": before,
        "after": after,
    })
}
