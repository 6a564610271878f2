//! Authentication and role checks: the middleware before every route (session cookie, bearer token,
//! anonymous), the Origin check and the check of query parameters. Whose data a caller may see is checked in the handlers.

use super::app_state::AppState;
use super::limits::StreamReader;
use super::parameters::check_query;
use super::problem::Problem;
use super::request_limits::{RequestKey, network_of};
use super::route::Route;
use super::secrets;
use super::source::Source;
use crate::store::{AgentRow, Role};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use paceline_core::ids::{AgentId, GroupId};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Name of the session cookie.
pub const SESSION_COOKIE: &str = "paceline";

/// Largest request body, in bytes.
pub const BODY_MAX: usize = 64 * 1024;

/// Which roles a route admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Public,
    /// Any account and any token.
    SignedIn,
    /// Roles that work on the phone or lead agents.
    Workers,
    /// Roles that lead agents, and analysts.
    Readers,
    ShiftLeads,
    Managers,
    /// Commands on this machine, with the token of the service's key file.
    ThisMachine,
}

impl Access {
    pub const fn roles(self) -> &'static [Role] {
        use Role::{Admin, Agent, Analyst, Lead, Manager};
        match self {
            Access::Public | Access::SignedIn => &[Agent, Lead, Manager, Analyst, Admin],
            Access::Workers => &[Agent, Lead, Manager, Admin],
            Access::Readers => &[Lead, Manager, Analyst, Admin],
            Access::ShiftLeads => &[Lead, Manager, Admin],
            Access::Managers => &[Manager, Admin],
            Access::ThisMachine => &[Admin],
        }
    }
}

/// The authenticated sender of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    pub role: Role,
    /// `None` = a program with a bearer token.
    pub account: Option<AgentRow>,
    /// Hash of the session cookie of this request.
    pub session: Option<String>,
    /// Hash of the bearer token of this request.
    pub token: Option<String>,
    pub address: IpAddr,
}

impl Caller {
    /// The caller's account; a program has none and is refused.
    pub fn account(&self) -> Result<&AgentRow, Problem> {
        let none = || Problem::forbidden("this is for people who sign in; a program has no seat");
        self.account.as_ref().ok_or_else(none)
    }

    pub fn is_agent(&self, agent: AgentId) -> bool {
        self.account.as_ref().is_some_and(|account| account.id == agent)
    }

    /// Whose live streams those of this caller count with.
    pub(super) fn stream_reader(&self) -> StreamReader {
        match &self.account {
            Some(account) => StreamReader::Account(account.id),
            None => StreamReader::Program(self.token.clone().unwrap_or_default()),
        }
    }

    /// Whose requests those of this caller count with; `None` = the commands of this machine, which are not counted.
    fn request_key(&self, state: &AppState) -> Option<RequestKey> {
        let key = match (&self.account, &self.token) {
            (Some(account), _) => RequestKey::Account(account.id),
            (None, token) => RequestKey::Program(token.clone().unwrap_or_default()),
        };
        let is_local =
            self.token.as_ref().is_some_and(|it| *it == secrets::key_hash(state.local_service_token()));
        (!is_local).then_some(key)
    }

    /// Whether the role sees all agents, groups and campaigns.
    pub fn can_see_all(&self) -> bool {
        matches!(self.role, Role::Manager | Role::Analyst | Role::Admin)
    }

    /// The groups that the caller is a member of.
    pub fn groups(&self) -> BTreeSet<GroupId> {
        let memberships = self.account.iter().flat_map(|account| &account.groups);
        memberships.map(|membership| membership.group).collect()
    }

    /// Whether the caller may see this agent: an agent sees itself, a shift lead the members of the same
    /// groups, a manager, analyst or admin everyone.
    pub fn can_see(&self, agent: &AgentRow) -> bool {
        let groups = self.groups();
        let shares = || agent.groups.iter().any(|membership| groups.contains(&membership.group));
        self.can_see_all() || self.is_agent(agent.id) || (self.role == Role::Lead && shares())
    }

    /// Whether the caller may see what belongs to this group.
    pub fn can_see_group(&self, group: Option<GroupId>) -> bool {
        self.can_see_all() || group.is_some_and(|group| self.groups().contains(&group))
    }
}

/// Middleware before every route of the table: authenticates, checks the Origin of changing requests that
/// come with a cookie, checks the role, and hands the [`Caller`] to the handler.
pub(super) async fn require_access(
    State((state, route)): State<(AppState, &'static Route)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let access = route.access;
    let source = request.extensions().get::<Source>().copied();
    let address = source.map_or(IpAddr::from([0, 0, 0, 0]), |it| it.address);
    if access == Access::Public {
        match is_changing(request.method()) {
            true => state.count_request(RequestKey::SignIn(network_of(address)))?,
            false => state.count_stranger(address)?,
        }
        if is_changing(request.method()) && request.headers().contains_key(header::ORIGIN) {
            check_origin(request.headers())?;
        }
        check_query(request.uri().query(), route.query)?;
        return Ok(next.run(request).await);
    }
    let caller = match authenticate(&state, request.headers(), address).await {
        Ok(Some(caller)) => caller,
        refused => {
            state.count_stranger(address)?;
            return Err(refused.err().unwrap_or_else(Problem::unauthenticated));
        }
    };
    if let Some(key) = caller.request_key(&state) {
        state.count_request(key)?;
    }
    if caller.session.is_some() && is_changing(request.method()) {
        check_origin(request.headers())?;
    }
    if !access.roles().contains(&caller.role) {
        return Err(Problem::forbidden(format!("this is not for the role `{}`", caller.role.word())));
    }
    let is_own = caller.request_key(&state).is_none();
    if access == Access::ThisMachine && !(source.is_some_and(|it| it.is_local) && is_own) {
        return Err(Problem::forbidden(
            "this is for commands on the machine of the service, with its key file",
        ));
    }
    check_query(request.uri().query(), route.query)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

fn is_changing(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Authenticates by the headers alone. An invalid token is refused, even beside a valid cookie.
pub(super) async fn authenticate(
    state: &AppState,
    headers: &HeaderMap,
    address: IpAddr,
) -> Result<Option<Caller>, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|text| text.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, token) = token.ok_or_else(Problem::unauthenticated)?;
        let token = secrets::key_hash(token.trim());
        let role = role_of_token(state, &token).await?.ok_or_else(Problem::unauthenticated)?;
        return Ok(Some(Caller { role, account: None, session: None, token: Some(token), address }));
    }
    let Some(cookie) = session_cookie(headers) else { return Ok(None) };
    let hash = secrets::key_hash(cookie);
    let account = state.store().session_account(&hash).await?;
    Ok(account.map(|account| Caller {
        role: account.details.role,
        account: Some(account),
        session: Some(hash),
        token: None,
        address,
    }))
}

async fn role_of_token(state: &AppState, hash: &str) -> Result<Option<Role>, Problem> {
    if hash == secrets::key_hash(state.local_service_token()) {
        return Ok(Some(Role::Admin));
    }
    Ok(state.store().token(hash).await?.map(|token| token.role))
}

/// The value of the session cookie.
pub(super) fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == SESSION_COOKIE).map(|(_, value)| value).next()
}

/// CSRF check by Origin, else Sec-Fetch-Site: a browser's request must come from a page of this host.
fn check_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    let ours = match text(header::ORIGIN) {
        Some(origin) => {
            let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
            !authority.is_empty() && authority.eq_ignore_ascii_case(host)
        }
        None if headers.contains_key(header::ORIGIN) => false,
        None => headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin"),
    };
    if ours {
        return Ok(());
    }
    let detail = "this came from another page (Origin); programs use a bearer token instead of the cookie";
    Err(Problem::new(StatusCode::FORBIDDEN, "foreign_origin", detail))
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(Problem::unauthenticated)
    }
}

/// Extractor of a JSON body; a bad body is a problem document. The content type must be JSON, because
/// a cross-site HTML form cannot send that (CSRF).
pub(super) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content.map(|text| text.split(';').next().unwrap_or_default().trim());
        if !essence.is_some_and(|text| text.eq_ignore_ascii_case("application/json")) {
            let detail = "send JSON, with the content type application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
        }
        // A Content-Length above the limit is refused before the body is read.
        let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        if length.and_then(|text| text.parse::<u64>().ok()).is_some_and(|length| length > BODY_MAX as u64) {
            return Err(too_large(StatusCode::PAYLOAD_TOO_LARGE));
        }
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|rejected| {
            let status = axum::response::IntoResponse::into_response(rejected).status();
            too_large(status)
        })?;
        parse_json(&bytes).map(Body)
    }
}

fn too_large(status: StatusCode) -> Problem {
    Problem::new(status, "body", "the body cannot be read, or is larger than 64 KiB")
}

/// Deserialises JSON; syntax errors are 400, data that does not fit is 422.
pub(super) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let error = match serde_json::from_slice(bytes) {
        Ok(parsed) => return Ok(parsed),
        Err(error) => error,
    };
    if error.classify() != serde_json::error::Category::Data {
        return Err(Problem::bad_request(format!("this is no JSON: {error}")));
    }
    // JSON has one kind of number: 2.0 is the integer 2.
    let mut value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let unfit = Problem::unprocessable(format!("this does not fit: {error}"));
    if !make_whole(&mut value) {
        return Err(unfit);
    }
    serde_json::from_value(value).map_err(|_| unfit)
}

/// The largest number up to which every integer has its own floating point number.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Writes numbers without a fraction as integers; `false` = there was none.
fn make_whole(value: &mut Value) -> bool {
    match value {
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < WHOLE_MAX);
            if let Some(whole) = whole {
                *value = Value::from(whole as i64);
            }
            whole.is_some()
        }
        Value::Array(items) => items.iter_mut().map(make_whole).filter(|is_whole| *is_whole).count() > 0,
        Value::Object(fields) => fields.values_mut().map(make_whole).filter(|is_whole| *is_whole).count() > 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        pairs.collect()
    }

    #[test]
    fn requests_of_foreign_origins_cannot_change_anything() {
        for (pairs, ours) in [
            (vec![("host", "a:8080"), ("origin", "http://a:8080")], true),
            (vec![("host", "A:8080"), ("origin", "https://a:8080")], true),
            (vec![("host", "a:8080"), ("sec-fetch-site", "same-origin")], true),
            (vec![("host", "a:8080"), ("origin", "http://a:8081")], false),
            (vec![("host", "a:8080"), ("origin", "http://a:8080.evil.example")], false),
            (vec![("host", "a:8080"), ("origin", "null")], false),
            (vec![("host", "a:8080"), ("origin", "null"), ("sec-fetch-site", "same-origin")], false),
            (vec![("host", "a:8080"), ("sec-fetch-site", "cross-site")], false),
            (vec![("host", "a:8080")], false),
            (vec![("origin", "http://")], false),
        ] {
            assert_eq!(check_origin(&headers(&pairs)).is_ok(), ours, "{pairs:?}");
        }
    }

    #[test]
    fn a_number_without_a_fraction_is_an_integer() {
        let parse = |text: &str| parse_json::<Vec<u8>>(text.as_bytes()).ok();
        assert_eq!(parse("[1, 2.0, 3e0]"), Some(vec![1, 2, 3]));
        for unfit in ["[1.5]", "[256.0]", "[-1.0]", "[1e300]", "[\"1\"]"] {
            assert_eq!(parse(unfit), None, "{unfit}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        assert_eq!(session_cookie(&headers(&[("cookie", "a=b; paceline=x; c")])), Some("x"));
        assert_eq!(session_cookie(&headers(&[("cookie", "xpaceline=x")])), None);
        assert_eq!(session_cookie(&headers(&[])), None);
    }
}
