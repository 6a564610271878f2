//! Authentication and checks of rights: the middleware before every route (session cookie, bearer token,
//! anonymous), the Origin check and the check of query parameters. Whose data a caller may see is checked in the handlers.

use super::app_state::{AppState, OpenCampaignFacts};
use super::free_text;
use super::idempotency::serve_once;
use super::limits::StreamReader;
use super::parameters::check_query;
use super::problem::Problem;
use super::request_limits::{RequestKey as CountedKey, network_of};
use super::rights::{self, Action, Right};
use super::route::Route;
use super::secrets;
use super::sessions;
use super::shown_number::NumberSight;
use super::source::Source;
use crate::store::scope::FIRST_ENTERPRISE;
use crate::store::{Actor, ActorKind, AgentRow, OrganisationRow, RequestKey, Role, Scope, SessionRow};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use paceline_core::ids::{AgentId, GroupId};
use paceline_core::time::Duration;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Name of the session cookie.
pub const SESSION_COOKIE: &str = "paceline";

/// Largest request body, in bytes.
pub const BODY_MAX: usize = 64 * 1024;

/// The authenticated sender of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    pub role: Role,
    /// Runs the installation.
    pub operator: bool,
    /// Actions of a token: it may do these as far as its role may. `None` = all that the role may.
    pub scopes: Option<BTreeSet<Action>>,
    /// Whose rows the caller sees.
    pub scope: Scope,
    /// The caller's own organisation.
    pub organisation: Arc<OrganisationRow>,
    /// `None` = a program with a bearer token.
    pub account: Option<AgentRow>,
    /// The session of this request's cookie.
    pub session: Option<SessionRow>,
    /// The bearer token of this request.
    pub token: Option<Token>,
    pub address: IpAddr,
    /// The `Idempotency-Key` of this request.
    pub request_key: Option<RequestKey>,
}

/// A bearer token that was accepted.
#[derive(Clone, Debug)]
pub struct Token {
    pub hash: String,
    /// `None` = the token of commands on this machine.
    pub id: Option<i64>,
    pub name: String,
    /// The account that made the token.
    pub made_by: Option<AgentId>,
}

impl Caller {
    /// The account that answers for what the caller makes: its own, or the one that made the program's token, so
    /// that own work is not approved through a program.
    pub fn maker(&self) -> Option<i64> {
        let own = self.account.as_ref().map(|account| account.id);
        own.or(self.token.as_ref().and_then(|token| token.made_by)).map(|agent| agent.0)
    }

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
            None => StreamReader::Program(self.token.as_ref().map_or_else(String::new, |it| it.hash.clone())),
        }
    }

    /// Whose requests those of this caller count with; `None` = the commands of this machine, which are not counted.
    fn counted_key(&self) -> Option<CountedKey> {
        match (&self.account, &self.token) {
            (Some(account), _) => Some(CountedKey::Account(account.id)),
            (None, Some(Token { id: None, .. })) => None,
            (None, token) => {
                Some(CountedKey::Program(token.as_ref().map_or_else(String::new, |it| it.hash.clone())))
            }
        }
    }

    /// Whether the caller may do this at all; see [`rights`] for what is asked beside it.
    pub fn may(&self, action: Action) -> bool {
        if self.scopes.as_ref().is_some_and(|scopes| !scopes.contains(&action)) {
            return false;
        }
        if self.operator && action.is_operators() {
            return true;
        }
        let settings = &self.organisation.settings;
        let is_allowed_here = match (action, self.role) {
            (Action::NumbersRead, Role::Analyst | Role::Auditor) => settings.analysts_read_numbers,
            (Action::LeadsAdd, Role::Agent) => settings.agents_add_leads,
            // A program approves nothing.
            (Action::ApprovalsDecide, _) => self.account.is_some(),
            _ => true,
        };
        is_allowed_here && action.roles().contains(&self.role)
    }

    /// Every action that the caller may do, in the order of the table.
    pub fn rights(&self) -> Vec<Action> {
        rights::TABLE.iter().map(|(action, _)| *action).filter(|action| self.may(*action)).collect()
    }

    /// Whether the caller is shown whole telephone numbers.
    pub(super) fn sight(&self) -> NumberSight {
        NumberSight::of(self)
    }

    /// As [`Caller::sight`]; one's own telephone is always whole.
    pub(super) fn sight_of(&self, row: &AgentRow) -> NumberSight {
        if self.is_agent(row.id) { NumberSight::Whole } else { self.sight() }
    }

    /// Whose keys those of this caller are.
    pub(super) fn key_space(&self) -> String {
        match (&self.account, &self.token) {
            (Some(account), _) => format!("account {}", account.id.0),
            (None, Some(Token { id: Some(id), .. })) => format!("token {id}"),
            _ => "command".to_owned(),
        }
    }

    /// The caller in the words of the audit.
    pub fn actor(&self) -> Actor {
        let (kind, id, name) = match (&self.account, &self.token) {
            (Some(row), _) => {
                (ActorKind::Person, Some(row.id.0), format!("{} {}", row.number, row.details.name))
            }
            (None, Some(Token { id: Some(id), name, .. })) => (ActorKind::Program, Some(*id), name.clone()),
            _ => (ActorKind::System, None, "command".to_owned()),
        };
        let address = self.address.to_string();
        Actor { kind, id, name, address, enterprise: self.scope.enterprise, key: self.request_key.clone() }
    }

    /// Whether the role sees all agents, groups and campaigns of its organisation.
    pub fn can_see_all(&self) -> bool {
        matches!(self.role, Role::Manager | Role::Analyst | Role::Auditor | Role::Admin)
    }

    /// The groups that the caller is a member of.
    pub fn groups(&self) -> BTreeSet<GroupId> {
        let memberships = self.account.iter().flat_map(|account| &account.groups);
        memberships.map(|membership| membership.group).collect()
    }

    /// Whether the caller may see this agent: an agent sees itself, a shift lead the members of the same
    /// groups, a manager, analyst or admin everyone.
    pub fn can_see(&self, agent: &AgentRow) -> bool {
        if !self.scope.holds(agent.enterprise, agent.organisation) {
            return false;
        }
        let groups = self.groups();
        let shares = || agent.groups.iter().any(|membership| groups.contains(&membership.group));
        self.can_see_all() || self.is_agent(agent.id) || (self.role == Role::Lead && shares())
    }

    /// Whether the caller may see this open campaign.
    pub fn can_see_campaign(&self, facts: &OpenCampaignFacts) -> bool {
        self.scope.holds(facts.enterprise, facts.organisation)
            && self.can_see_group(facts.rules.agents.as_ref().map(|rules| rules.group))
    }

    /// Whether the caller may see what belongs to this group of its own enterprise.
    pub fn can_see_group(&self, group: Option<GroupId>) -> bool {
        self.can_see_all() || group.is_some_and(|group| self.groups().contains(&group))
    }
}

/// Middleware before every route of the table: authenticates, checks the Origin of changing requests that
/// come with a cookie, checks the right, and hands the [`Caller`] to the handler.
pub(super) async fn require_right(
    State((state, route)): State<(AppState, &'static Route)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    request.extensions_mut().insert(route);
    let source = request.extensions().get::<Source>().copied();
    let address = source.map_or(IpAddr::from([0, 0, 0, 0]), |it| it.address);
    if route.right == Right::Public {
        match is_changing(request.method()) {
            true => state.count_request(CountedKey::SignIn(network_of(address)))?,
            false => state.count_stranger(address)?,
        }
        if is_changing(request.method()) && request.headers().contains_key(header::ORIGIN) {
            check_origin(request.headers())?;
        }
        check_query(request.uri().query(), route.query)?;
        return if is_changing(request.method()) {
            let work = |request| async move { Ok(next.run(request).await) };
            state.running_requests().run(request, work).await
        } else {
            Ok(next.run(request).await)
        };
    }
    let mut caller = match authenticate(&state, request.headers(), address).await {
        Ok(Some(caller)) => caller,
        refused => {
            state.count_stranger(address)?;
            return Err(refused.err().unwrap_or_else(Problem::unauthenticated));
        }
    };
    if let Some(key) = caller.counted_key() {
        state.count_request(key)?;
    }
    if caller.session.is_some() && is_changing(request.method()) {
        check_origin(request.headers())?;
    }
    match route.right {
        Right::Action(action) if !caller.may(action) => return Err(Problem::missing_right(action)),
        Right::Visible(action) if caller.scopes.as_ref().is_some_and(|own| !own.contains(&action)) => {
            return Err(Problem::missing_right(action));
        }
        _ => {}
    }
    let is_own = caller.counted_key().is_none();
    if route.right == Right::ThisMachine && !(source.is_some_and(|it| it.is_local) && is_own) {
        return Err(Problem::forbidden(
            "this is for commands on the machine of the service, with its key file",
        ));
    }
    check_query(request.uri().query(), route.query)?;
    sessions::use_session(&state, &mut caller, route).await?;
    if !is_changing(request.method()) {
        return serve_once(&state, route, caller, request, next).await;
    }
    let shared = state.clone();
    let work = |request| async move { serve_once(&shared, route, caller, request, next).await };
    state.running_requests().run(request, work).await
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
        return accept_token(state, secrets::key_hash(token.trim()), address).await.map(Some);
    }
    let Some(cookie) = session_cookie(headers) else { return Ok(None) };
    caller_of_session(state, &secrets::key_hash(cookie), address).await
}

/// The caller of the session with this hash; `None` = it has ended.
pub(super) async fn caller_of_session(
    state: &AppState,
    hash: &str,
    address: IpAddr,
) -> Result<Option<Caller>, Problem> {
    let Some((session, account)) = state.store().session(hash).await? else { return Ok(None) };
    let (organisation, scope) = state.organisation_of(account.organisation).await?;
    Ok(Some(Caller {
        role: account.details.role,
        operator: account.operator,
        scopes: None,
        scope,
        organisation,
        account: Some(account),
        session: Some(session),
        token: None,
        address,
        request_key: None,
    }))
}

async fn accept_token(state: &AppState, hash: String, address: IpAddr) -> Result<Caller, Problem> {
    if hash == secrets::key_hash(state.local_service_token()) {
        let (organisation, scope) = state.organisation_of(FIRST_ENTERPRISE).await?;
        return Ok(Caller {
            role: Role::Admin,
            operator: true,
            scopes: None,
            scope,
            organisation,
            account: None,
            session: None,
            token: Some(Token { hash, id: None, name: "command".into(), made_by: None }),
            address,
            request_key: None,
        });
    }
    let row = state.store().token(&hash).await?.ok_or_else(Problem::unauthenticated)?;
    let now = state.now();
    // To the minute: a program's every request must not be a write.
    if row.used_at.is_none_or(|at| at + Duration::from_secs(60) <= now) {
        state.store().note_token_used(row.id).await?;
    }
    let (organisation, scope) = state.organisation_of(row.organisation).await?;
    let scopes = row.scopes.map(|words| words.iter().filter_map(|word| Action::from_word(word)).collect());
    Ok(Caller {
        role: row.role,
        operator: false,
        scopes,
        scope,
        organisation,
        account: None,
        session: None,
        token: Some(Token { hash, id: Some(row.id), name: row.name, made_by: row.made_by }),
        address,
        request_key: None,
    })
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
    let detail = if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
        "this came from another page (Origin); programs use a bearer token instead of the cookie"
    } else {
        "no Origin came with this change: with the cookie it needs the one of this host; programs use a bearer token \
         instead"
    };
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
        let route = request.extensions().get::<&'static Route>().copied();
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|rejected| {
            let status = axum::response::IntoResponse::into_response(rejected).status();
            too_large(status)
        })?;
        free_text::check(route, &bytes)?;
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
