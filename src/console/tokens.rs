//! Handlers of bearer tokens for programs: create, list, revoke. A token is shown once; the store keeps
//! its hash.

use super::agents::may_grant;
use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{TEXT, parse_role, parse_text};
use super::problem::Problem;
use super::{secrets, views};
use crate::store::{Role, TokenRow};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use paceline_core::time::Duration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// Default lifetime in days: few tokens are still looked after a year later.
const DAYS: u32 = 365;
const DAYS_MAX: u32 = 3_650;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// What the token is for, in words.
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    name: String,
    /// analyst (reads and changes nothing), manager or admin. Without it analyst.
    #[schemars(extend("enum" = ["analyst", "manager", "admin", null]))]
    role: Option<String>,
    /// Lifetime in days; 0 = for ever. Without it 365.
    #[schemars(range(max = 3650))]
    days: Option<u32>,
}

pub(super) async fn add_token(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<NewToken>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let name = parse_text("name", &asked.name)?;
    let role = parse_role(asked.role.as_deref().unwrap_or("analyst"))?;
    may_grant(&caller, role)?;
    // A leaked token must not make another one that outlives it.
    if caller.account.is_none() && caller.role != Role::Admin {
        return Err(Problem::forbidden("people make tokens, or an admin's program"));
    }
    if matches!(role, Role::Agent | Role::Lead) {
        return Err(Problem::unprocessable("a program has no seat: its role is analyst, manager or admin"));
    }
    let days = asked.days.unwrap_or(DAYS);
    if days > DAYS_MAX {
        return Err(Problem::unprocessable(format!("days: 0 to {DAYS_MAX}")));
    }
    let expires = (days > 0).then(|| state.now() + Duration::from_secs(u64::from(days) * 24 * 3_600));
    let token = secrets::random_key()?;
    let id = state.store().add_token(&secrets::key_hash(&token), role, &name, expires).await?;
    let row = TokenRow { id, role, name, created_at: state.now(), expires };
    Ok((StatusCode::CREATED, Json(json!({ "row": view(&row, &state), "token": token }))))
}

pub(super) async fn tokens(State(state): State<AppState>) -> Result<Json<Value>, Problem> {
    let rows = state.store().tokens().await?;
    let shown: Vec<Value> = rows.iter().map(|row| view(row, &state)).collect();
    Ok(Json(json!({ "tokens": shown })))
}

/// Revokes a token at once.
pub(super) async fn remove_token(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let missing = || Problem::not_found("token");
    let id: i64 = id.parse().map_err(|_| missing())?;
    let row = state.store().tokens().await?.into_iter().find(|row| row.id == id).ok_or_else(missing)?;
    may_grant(&caller, row.role)?;
    state.store().remove_token(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(row: &TokenRow, state: &AppState) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "created_at": views::moment(row.created_at),
        "expires_at": row.expires.map(views::moment),
        "expired": row.expires.is_some_and(|at| at <= state.now()),
    })
}
