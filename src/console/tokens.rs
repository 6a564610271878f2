//! Handlers of bearer tokens for programs: create, list, revoke. A token is shown once; the store keeps
//! its hash.

use super::account_rights::check_token;
use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{TEXT, parse_role, parse_text};
use super::problem::Problem;
use super::rights::{Action, TABLE};
use super::versions::{check_version, with_etag};
use super::{secrets, views};
use crate::store::{self, Role, Subject, TokenRow};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use paceline_core::ids::AgentId;
use paceline_core::time::Duration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Default lifetime in days: few tokens are still looked after a year later.
const DAYS: u32 = 365;
const DAYS_MAX: u32 = 3_650;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// What the token is for, in words.
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    name: String,
    /// analyst or auditor (they read and change nothing), manager or admin. Without it analyst.
    #[schemars(extend("enum" = ["analyst", "auditor", "manager", "admin", null]))]
    role: Option<String>,
    /// Actions that the token may do, of those of its role; without it all of them.
    #[schemars(length(max = 64), inner(length(max = 32)))]
    scopes: Option<Vec<String>>,
    /// Lifetime in days; 0 = for ever. Without it 365.
    #[schemars(range(max = 3650))]
    days: Option<u32>,
}

pub(super) async fn add_token(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<NewToken>,
) -> Result<Response, Problem> {
    let name = parse_text("name", &asked.name)?;
    let role = parse_role(asked.role.as_deref().unwrap_or("analyst"))?;
    check_token(&caller, role)?;
    // A leaked token must not make another one that outlives it.
    if caller.account.is_none() && caller.role != Role::Admin {
        return Err(Problem::forbidden("people make tokens, or an admin's program"));
    }
    if matches!(role, Role::Agent | Role::Lead) {
        return Err(Problem::unprocessable(
            "a program has no seat: its role is analyst, auditor, manager or admin",
        ));
    }
    let days = asked.days.unwrap_or(DAYS);
    if days > DAYS_MAX {
        return Err(Problem::unprocessable(format!("days: 0 to {DAYS_MAX}")));
    }
    let scopes = asked.scopes.map(|words| check_scopes(&caller, role, words)).transpose()?;
    let expires = (days > 0).then(|| state.now() + Duration::from_secs(u64::from(days) * 24 * 3_600));
    let token = secrets::random_key()?;
    let hash = secrets::key_hash(&token);
    let mut change = state.change(&caller, Action::TokensEdit, Subject::of("token", &name)).await?;
    let new = store::NewToken { hash: &hash, role, name: &name, scopes: scopes.as_deref(), expires };
    let id = change.add_token(&caller.scope, &new).await?;
    let row = TokenRow {
        id,
        role,
        name,
        created_at: change.at(),
        expires,
        enterprise: caller.scope.enterprise,
        organisation: caller.scope.own(),
        scopes,
        made_by: caller.account.as_ref().map(|account| account.id),
        used_at: None,
        version: 1,
    };
    let shown = view(&row, &state.agent_numbers().await?, &state);
    change.set_after(shown.clone());
    change.commit().await?;
    let answer = json!({ "row": shown, "token": token });
    Ok(with_etag(row.version, (StatusCode::CREATED, Json(answer)).into_response()))
}

/// The actions of a token; each must be the caller's own and the role's, or it would allow nothing.
fn check_scopes(caller: &Caller, role: Role, words: Vec<String>) -> Result<Vec<String>, Problem> {
    for word in &words {
        let unknown = || {
            let known: Vec<&str> = TABLE.iter().map(|(action, _)| action.word()).collect();
            Problem::unprocessable(format!("scopes: `{word}` is no action; they are {}", known.join(", ")))
        };
        let action = Action::from_word(word).ok_or_else(unknown)?;
        if !action.roles().contains(&role) {
            let detail = format!("scopes: the role `{}` may not `{word}`", role.word());
            return Err(Problem::unprocessable(detail));
        }
        if !caller.may(action) {
            return Err(Problem::missing_right(action));
        }
    }
    Ok(words)
}

pub(super) async fn tokens(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Problem> {
    let rows = tokens_in(&state, &caller).await?;
    let numbers = state.agent_numbers().await?;
    let shown: Vec<Value> = rows.iter().map(|row| view(row, &numbers, &state)).collect();
    Ok(Json(json!({ "tokens": shown })))
}

async fn tokens_in(state: &AppState, caller: &Caller) -> Result<Vec<TokenRow>, Problem> {
    let mut rows = state.store().tokens().await?;
    rows.retain(|row| caller.scope.holds(row.enterprise, row.organisation));
    Ok(rows)
}

/// Revokes a token at once.
pub(super) async fn remove_token(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let missing = || Problem::not_found("token");
    let id: i64 = id.parse().map_err(|_| missing())?;
    let row = tokens_in(&state, &caller).await?.into_iter().find(|row| row.id == id).ok_or_else(missing)?;
    check_token(&caller, row.role)?;
    check_version(&headers, row.version, false)?;
    let numbers = state.agent_numbers().await?;
    let mut change = state.change(&caller, Action::TokensEdit, Subject::of("token", &row.name)).await?;
    change.set_before(view(&row, &numbers, &state));
    change.remove_token(&row).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(row: &TokenRow, numbers: &BTreeMap<AgentId, String>, state: &AppState) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "created_at": views::moment(row.created_at),
        "expires_at": row.expires.map(views::moment),
        "scopes": row.scopes,
        "made_by": row.made_by.and_then(|id| numbers.get(&id)),
        "used_at": row.used_at.map(views::moment),
        "version": row.version,
        "expired": row.expires.is_some_and(|at| at <= state.now()),
    })
}
