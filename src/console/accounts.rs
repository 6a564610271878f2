//! Handlers of sign-in, sign-out and one's own account; the session cookie is set here.

use super::app_state::AppState;
use super::auth::{self, Body, Caller, SESSION_COOKIE};
use super::problem::Problem;
use super::secrets;
use super::source::Source;
use super::views;
use crate::store::{AgentRow, Secrets};
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use paceline_core::time::Duration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// Lifetime of a session cookie: one shift with a margin.
const SESSION_LIFETIME: Duration = Duration::from_secs(14 * 3600);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    #[schemars(length(max = 128))]
    login: String,
    #[schemars(length(max = 256))]
    password: String,
}

pub(super) async fn sign_in(
    State(state): State<AppState>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    Body(asked): Body<SignIn>,
) -> Result<Response, Problem> {
    let account = check_login(&state, &asked.login, &asked.password, source.address).await?;
    // A session that this browser had before ends, whichever account it was.
    if let Some(before) = auth::session_cookie(&headers) {
        state.store().end_session(&secrets::key_hash(before), false).await?;
    }
    start_session(&state, &account).await
}

/// Checks the password behind the login throttle. An unknown login, an account without a password and a
/// wrong password take the same time and get the same answer.
async fn check_login(
    state: &AppState,
    login: &str,
    password: &str,
    address: std::net::IpAddr,
) -> Result<AgentRow, Problem> {
    let wrong = || Problem::new(StatusCode::UNAUTHORIZED, "wrong_password", "login or password is wrong");
    if login.chars().count() > 128 || password.chars().count() > secrets::PASSWORD_MAX {
        return Err(wrong());
    }
    let throttled = |secs| Problem::too_many_requests(secs, "too many wrong passwords; wait a little");
    state.login_throttle().count_guess(login, address, state.now()).map_err(throttled)?;
    let account = state.store().agent_by_login(login).await?;
    let kept = account.as_ref().map_or("", |account| account.secrets.password.as_str());
    let right = state.hasher().is_right(password, kept).await?;
    let account = account.filter(|_| right).ok_or_else(wrong)?;
    state.login_throttle().count_success(login, address, state.now());
    Ok(account)
}

/// Starts a session for the account; answers with its cookie.
async fn start_session(state: &AppState, account: &AgentRow) -> Result<Response, Problem> {
    let key = secrets::random_key()?;
    let until = state.now() + SESSION_LIFETIME;
    state.store().add_session(&secrets::key_hash(&key), account.id, until).await?;
    let body = Json(own_account(state, account).await?);
    Ok(with_cookie(body.into_response(), &key, SESSION_LIFETIME.as_secs()))
}

fn with_cookie(mut response: Response, key: &str, secs: u64) -> Response {
    let text = format!("{SESSION_COOKIE}={key}; Path=/; HttpOnly; SameSite=Strict; Max-Age={secs}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

pub(super) async fn sign_out(State(state): State<AppState>, caller: Caller) -> Result<Response, Problem> {
    if let Some(hash) = &caller.session {
        state.store().end_session(hash, false).await?;
    }
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), "", 0))
}

pub(super) async fn me(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Problem> {
    match &caller.account {
        Some(account) => Ok(Json(own_account(&state, account).await?)),
        None => Ok(Json(json!({ "role": caller.role, "program": true }))),
    }
}

async fn own_account(state: &AppState, account: &AgentRow) -> Result<Value, Problem> {
    let mut me = views::agent(account, &state.group_names().await?);
    me["program"] = false.into();
    Ok(me)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    #[schemars(length(max = 256))]
    old: String,
    #[schemars(length(min = 8, max = 256))]
    new: String,
}

/// Ends every other session of the account; this one gets a new cookie.
pub(super) async fn change_password(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<NewPassword>,
) -> Result<Response, Problem> {
    let account = caller.account()?;
    secrets::check_password(&asked.new)?;
    let account = check_login(&state, &account.details.login, &asked.old, caller.address).await?;
    set_password(&state, &account, &asked.new).await?;
    start_session(&state, &account).await
}

/// Stores a new password and ends every session of the account.
pub(super) async fn set_password(
    state: &AppState,
    account: &AgentRow,
    password: &str,
) -> Result<(), Problem> {
    let kept = state.hasher().hash(password).await?;
    state.store().set_secrets(account.id, &Secrets { password: kept, ..account.secrets.clone() }).await?;
    state.store().end_all_sessions(account.id).await?;
    Ok(())
}
