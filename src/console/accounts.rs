//! Handlers of sign-in, sign-out and one's own account; the session cookie is set here.

use super::app_state::AppState;
use super::auth::{self, Body, Caller, SESSION_COOKIE};
use super::fields::{TELEPHONE_OR_NONE, parse_telephone};
use super::problem::Problem;
use super::secrets;
use super::sessions::is_locked;
use super::shown_number::NumberSight;
use super::source::Source;
use super::versions::{answer_of_row, check_version};
use super::views;
use crate::store::scope::FIRST_ENTERPRISE;
use crate::store::{AgentDetails, AgentRow, Change, NewSession, Secrets, Subject};
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use paceline_core::ids::AgentId;
use paceline_core::time::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Lifetime of a session cookie: one shift with a margin.
pub(super) const SESSION_LIFETIME: Duration = Duration::from_secs(14 * 3600);

/// After so long the password is asked for again, however much a session was used.
pub(super) const PASSWORD_AGE: Duration = Duration::from_secs(24 * 3600);

/// Characters of a browser's own name that are kept.
const BROWSER_MAX: usize = 200;

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
    start_session(&state, &account, source.address, &headers).await
}

/// Checks the password behind the login throttle. An unknown login, an account without a password and a
/// wrong password take the same time and get the same answer.
async fn check_login(
    state: &AppState,
    login: &str,
    password: &str,
    address: IpAddr,
) -> Result<AgentRow, Problem> {
    if login.chars().count() > 128 {
        return Err(wrong_password());
    }
    let account = account_of_login(state, login).await?;
    check_password_of(state, login, account, password, address).await
}

fn wrong_password() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "wrong_password", "login or password is wrong")
}

/// The account of `login`, or of `login@slug`. A login without a slug is the first enterprise's where that has it, so
/// that no other enterprise can take it from there; else it is that of the only enterprise that has it.
async fn account_of_login(state: &AppState, login: &str) -> Result<Option<AgentRow>, Problem> {
    let organisations = state.store().organisations().await?;
    let accounts = state.store().agents().await?;
    let of = |enterprise: i64, name: &str| {
        accounts.iter().find(|row| row.enterprise == enterprise && row.details.login == name).cloned()
    };
    if let Some((name, slug)) = login.rsplit_once('@')
        && let Some(enterprise) = organisations.iter().find(|row| row.parent.is_none() && row.slug == slug)
    {
        return Ok(of(enterprise.id, name));
    }
    if let Some(account) = of(FIRST_ENTERPRISE, login) {
        return Ok(Some(account));
    }
    let mut found = accounts.iter().filter(|row| row.details.login == login);
    let first = found.next();
    Ok(first.filter(|_| found.next().is_none()).cloned())
}

/// Checks a password of an account behind the login throttle; `login` is what is counted.
pub(super) async fn check_password_of(
    state: &AppState,
    login: &str,
    account: Option<AgentRow>,
    password: &str,
    address: IpAddr,
) -> Result<AgentRow, Problem> {
    if password.chars().count() > secrets::PASSWORD_MAX {
        return Err(wrong_password());
    }
    let throttled = |secs| Problem::too_many_requests(secs, "too many wrong passwords; wait a little");
    state.login_throttle().count_guess(login, address, state.now()).map_err(throttled)?;
    let kept = account.as_ref().map_or("", |account| account.secrets.password.as_str());
    let right = state.hasher().is_right(password, kept).await?;
    let account = account.filter(|_| right).ok_or_else(wrong_password)?;
    state.login_throttle().count_success(login, address, state.now());
    Ok(account)
}

/// Starts a session for the account; answers with its cookie.
pub(super) async fn start_session(
    state: &AppState,
    account: &AgentRow,
    address: IpAddr,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let key = secrets::random_key()?;
    let hash = secrets::key_hash(&key);
    let browser = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let browser: String = browser.chars().take(BROWSER_MAX).collect();
    let session = NewSession {
        hash: &hash,
        account: account.id,
        expires: state.now() + SESSION_LIFETIME,
        address: &address.to_string(),
        agent_text: &browser,
    };
    state.store().start_session(&session).await?;
    let caller =
        auth::caller_of_session(state, &hash, address).await?.ok_or_else(Problem::unauthenticated)?;
    let body = Json(own_account(state, &caller, account).await?);
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
    if let Some(session) = &caller.session {
        state.store().end_session(&session.hash, false).await?;
    }
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), "", 0))
}

/// The caller's account with what it may do. A screen asks again each hour: the session and its cookie are extended.
pub(super) async fn me(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(account) = &caller.account else {
        return Ok(Json(json!({
            "role": caller.role,
            "program": true,
            "rights": rights(&caller),
            "organisation": organisation(&caller),
            "operator": caller.operator,
        }))
        .into_response());
    };
    let answer = answer_of_row(account.version, own_account(&state, &caller, account).await?);
    // The session was just extended; its cookie lives as long.
    match auth::session_cookie(&headers) {
        Some(key) => Ok(with_cookie(answer, key, SESSION_LIFETIME.as_secs())),
        None => Ok(answer),
    }
}

async fn own_account(state: &AppState, caller: &Caller, account: &AgentRow) -> Result<Value, Problem> {
    let mut me = views::agent(account, &state.group_names().await?, NumberSight::Whole);
    me["program"] = false.into();
    me["rights"] = rights(caller);
    me["organisation"] = organisation(caller);
    me["operator"] = account.operator.into();
    let preferences: Preferences = serde_json::from_str(&account.preferences).unwrap_or_default();
    me["preferences"] = serde_json::to_value(preferences).map_err(Problem::internal)?;
    me["until"] = views::optional_moment(caller.session.as_ref().map(|session| session.expires));
    let asked = caller.session.as_ref().map(|session| session.typed_at + PASSWORD_AGE);
    me["password_asked_at"] = views::optional_moment(asked);
    me["locked"] = {
        let now = state.now();
        caller.session.as_ref().is_some_and(|session| is_locked(session, now)).into()
    };
    Ok(me)
}

fn rights(caller: &Caller) -> Value {
    caller.rights().iter().map(|action| action.word()).collect::<Vec<_>>().into()
}

fn organisation(caller: &Caller) -> Value {
    json!({ "slug": caller.organisation.slug, "name": caller.organisation.name })
}

/// What an account chose for its screens. A field that is left out is chosen by the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Preferences {
    #[schemars(extend("enum" = ["zh", "en", null]))]
    pub language: Option<String>,
    #[schemars(extend("enum" = ["system", "light", "dark", null]))]
    pub theme: Option<String>,
    /// Keys of the desk by action: `"hang_up": "Alt+G"`; an empty text switches a key off.
    #[schemars(length(max = 64))]
    pub keys: Option<BTreeMap<String, String>>,
    /// The tour of the sample campaign's page was closed, for ever.
    pub tour_closed: Option<bool>,
}

impl Preferences {
    pub(super) fn check(&self) -> Result<(), Problem> {
        let one_of = |field: &str, given: &Option<String>, words: &[&str]| match given {
            Some(word) if !words.contains(&word.as_str()) => {
                Err(Problem::unprocessable(format!("{field} is one of {}", words.join(", "))))
            }
            _ => Ok(()),
        };
        one_of("preferences.language", &self.language, &["zh", "en"])?;
        one_of("preferences.theme", &self.theme, &["system", "light", "dark"])?;
        let keys = self.keys.iter().flatten();
        let fits = |text: &str| text.chars().count() <= 32 && !text.chars().any(char::is_control);
        if self.keys.as_ref().is_some_and(|keys| keys.len() > 64)
            || keys.clone().any(|(action, key)| !fits(action) || !fits(key))
        {
            return Err(Problem::unprocessable(
                "preferences.keys: at most 64, each of at most 32 characters",
            ));
        }
        Ok(())
    }

    /// Takes over the fields that are given.
    fn merge(&mut self, given: Preferences) {
        self.language = given.language.or(self.language.take());
        self.theme = given.theme.or(self.theme.take());
        self.keys = given.keys.or(self.keys.take());
        self.tour_closed = given.tour_closed.or(self.tour_closed);
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnChange {
    preferences: Option<Preferences>,
    /// Empty = none.
    #[schemars(regex(pattern = TELEPHONE_OR_NONE))]
    telephone: Option<String>,
}

/// Changes what is the caller's own: preferences, and the telephone that is called for a shift.
pub(super) async fn change_me(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Body(asked): Body<OwnChange>,
) -> Result<Response, Problem> {
    let account = caller.account()?;
    if let Some(given) = &asked.preferences {
        given.check()?;
    }
    let telephone = match asked.telephone.as_deref() {
        None => account.details.telephone,
        Some("") => None,
        Some(given) => Some(parse_telephone(given)?),
    };
    let mut change = state.change_own(&caller, "me.edit", Subject::of("agent", &account.number)).await?;
    let row = change.agent(account.id).await?;
    check_version(&headers, row.version, false)?;
    if telephone == row.details.telephone {
        // Only the account's own screens look different.
        change.leave_out_of_audit();
    } else {
        let shown = |number| json!({ "telephone": views::masked_number(number) });
        change.set_before(shown(row.details.telephone));
        change.set_after(shown(telephone));
        change.change_agent(row.id, &AgentDetails { telephone, ..row.details.clone() }).await?;
    }
    if let Some(given) = asked.preferences {
        let mut kept: Preferences = serde_json::from_str(&row.preferences).unwrap_or_default();
        kept.merge(given);
        let text = serde_json::to_string(&kept).map_err(Problem::internal)?;
        change.set_preferences(row.id, &text).await?;
    }
    let row = change.agent(account.id).await?;
    change.commit().await?;
    state.send_agent_to_engine(row.id).await?;
    Ok(answer_of_row(row.version, own_account(&state, &caller, &row).await?))
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
    headers: HeaderMap,
    Body(asked): Body<NewPassword>,
) -> Result<Response, Problem> {
    let account = caller.account()?.clone();
    secrets::check_password(&asked.new)?;
    let login = account.details.login.clone();
    let account = check_password_of(&state, &login, Some(account), &asked.old, caller.address).await?;
    let hash = state.hasher().hash(&asked.new).await?;
    let change = state.change_own(&caller, "me.password", Subject::of("agent", &account.number)).await?;
    set_password(change, account.id, hash).await?;
    start_session(&state, &account, caller.address, &headers).await
}

/// Stores the hash of a new password, ends every session of the account, and commits.
pub(super) async fn set_password(
    mut change: Change<'_>,
    account: AgentId,
    hash: String,
) -> Result<(), Problem> {
    let row = change.agent(account).await?;
    change.set_secrets(account, &Secrets { password: hash, ..row.secrets }).await?;
    change.end_sessions(account, None).await?;
    Ok(change.commit().await?)
}
