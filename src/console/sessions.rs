//! Console sessions: the password is asked for again, and the sessions of an account are listed and ended.

use super::account_rights::check_account;
use super::accounts::{self, PASSWORD_AGE, SESSION_LIFETIME};
use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::problem::Problem;
use super::rights::Action;
use super::route::Route;
use super::views::moment;
use crate::store::{AgentRow, SessionRow, Subject};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use paceline_core::time::{Duration, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// A session is extended by its use, at most so often: each request must not be a write.
const EXTEND_EVERY: Duration = Duration::from_secs(60);

/// What a locked session may still ask for: one's own account and seat, and to hang up, hold and retrieve.
const OPEN_WHILE_LOCKED: &[(&str, &str)] = &[
    ("get", "/me"),
    ("get", "/me/seat"),
    ("post", "/me/verify"),
    ("post", "/me/actions"),
    ("post", "/sign-out"),
];

/// Actions of the seat that a locked session may do.
pub(super) const ACTIONS_WHILE_LOCKED: &[&str] = &["hang_up", "hold", "retrieve"];

/// Whether the password must be typed again before anything else.
pub(super) fn is_locked(session: &SessionRow, now: Utc) -> bool {
    session.locked || session.typed_at + PASSWORD_AGE <= now
}

pub(super) fn locked() -> Problem {
    Problem::new(StatusCode::LOCKED, "locked", "the screen is locked: type the password (POST /me/verify)")
}

/// Refuses what a locked session may not ask for, and extends a session that is used.
pub(super) async fn use_session(state: &AppState, caller: &mut Caller, route: &Route) -> Result<(), Problem> {
    let Some(session) = &mut caller.session else { return Ok(()) };
    let now = state.now();
    if is_locked(session, now) && !OPEN_WHILE_LOCKED.contains(&(route.method, route.path)) {
        return Err(locked());
    }
    if let Some(until) = extend(state, session, now).await? {
        session.expires = until;
    }
    Ok(())
}

/// Moves the end of a session that is used, or whose live stream is open; the new end, if it was moved.
pub(super) async fn extend(state: &AppState, session: &SessionRow, now: Utc) -> Result<Option<Utc>, Problem> {
    if session.used_at + EXTEND_EVERY > now {
        return Ok(None);
    }
    let until = now + SESSION_LIFETIME;
    state.store().extend_session(&session.hash, until, false).await?;
    Ok(Some(until))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordAgain {
    #[schemars(length(max = 256))]
    password: String,
}

/// Checks the password again, behind the throttle of sign-ins, and unlocks the session.
pub(super) async fn verify(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<PasswordAgain>,
) -> Result<StatusCode, Problem> {
    let account = caller.account()?.clone();
    let login = account.details.login.clone();
    accounts::check_password_of(&state, &login, Some(account), &asked.password, caller.address).await?;
    if let Some(session) = &caller.session {
        state.store().extend_session(&session.hash, state.now() + SESSION_LIFETIME, true).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn visible_agent(state: &AppState, caller: &Caller, number: &str) -> Result<AgentRow, Problem> {
    let row = state.agent_by_number(&caller.scope, number).await?;
    if caller.can_see(&row) { Ok(row) } else { Err(Problem::not_found("agent")) }
}

/// The sessions of an account: from where, with which browser, since when.
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Json<Value>, Problem> {
    let row = visible_agent(&state, &caller, &number).await?;
    let now = state.now();
    let sessions = state.store().sessions_of(row.id).await?;
    let own = caller.session.as_ref().map(|session| session.hash.as_str());
    let items = sessions.iter().map(|session| {
        json!({
            "since": moment(session.created_at),
            "used_at": moment(session.used_at),
            "password_typed_at": moment(session.typed_at),
            "until": moment(session.expires),
            "address": session.address,
            "browser": session.agent_text,
            "locked": is_locked(session, now),
            "current": own == Some(session.hash.as_str()),
        })
    });
    Ok(Json(json!({ "items": items.collect::<Vec<_>>() })))
}

/// Ends every session of an account; its live streams close with the next beat.
pub(super) async fn end(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<StatusCode, Problem> {
    let row = visible_agent(&state, &caller, &number).await?;
    check_account(&caller, &row)?;
    let subject = Subject::of("agent", &row.number);
    let mut change = state.change(&caller, Action::SessionsEnd, subject).await?;
    let ended = change.end_sessions(row.id, None).await?;
    change.set_after(json!({ "sessions_ended": ended }));
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
