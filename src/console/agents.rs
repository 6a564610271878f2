//! Handlers of accounts, with their phones and passwords. A change is written to the store first, then sent
//! to the engine.

use super::account_rights::{check_account, check_operator, check_role};
use super::accounts;
use super::answers;
use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{
    TELEPHONE_OR_NONE, TEXT, WORD, parse_login, parse_role, parse_skills, parse_telephone, parse_text,
};
use super::groups::{MembershipRequest, parse_memberships};
use super::parameters::TELEPHONE;
use super::problem::Problem;
use super::rights::Action;
use super::secrets;
use super::shown_number::NumberSight;
use super::versions::{answer_of_row, check_version, with_etag};
use super::views;
use crate::engine::EngineRequest;
use crate::store::scope::FIRST_ENTERPRISE;
use crate::store::{AgentDetails, AgentRow, Change, Role, Secrets, Subject};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use paceline_core::agent::Membership;
use paceline_core::ids::GroupId;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAgent {
    /// The agent number (工号); it never changes. Without it one is drawn by `pattern`.
    #[schemars(regex(pattern = "^[0-9]{2,8}$"))]
    number: Option<String>,
    /// Leading digits of a drawn number, like `8?`.
    #[schemars(regex(pattern = r"^[0-9]?\?$"))]
    pattern: Option<String>,
    /// Length of a drawn number: 2 to 6, without it 4.
    #[schemars(range(min = 2, max = 6))]
    digits: Option<u8>,
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    name: String,
    /// Without it the agent number.
    #[schemars(length(max = 64), regex(pattern = WORD))]
    login: Option<String>,
    /// agent, lead, manager, analyst, auditor or admin.
    #[schemars(with = "Option<answers::Role>")]
    role: Option<String>,
    #[schemars(length(max = 64))]
    #[serde(default)]
    groups: Vec<MembershipRequest>,
    #[schemars(length(max = 32), inner(length(max = 64), regex(pattern = TEXT)))]
    #[serde(default)]
    skills: BTreeSet<String>,
    #[schemars(regex(pattern = TELEPHONE))]
    telephone: Option<String>,
    #[serde(default)]
    recorded: bool,
    /// The console's password; without it one is drawn and shown once.
    #[schemars(length(min = 8, max = 256))]
    password: Option<String>,
    /// Whether the agent gets a SIP account; without it agents and leads do.
    phone: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentChange {
    /// An agent number never changes; it may be sent along unchanged.
    #[schemars(regex(pattern = "^[0-9]{2,8}$"))]
    number: Option<String>,
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    name: Option<String>,
    #[schemars(length(max = 64), regex(pattern = WORD))]
    login: Option<String>,
    #[schemars(with = "Option<answers::Role>")]
    role: Option<String>,
    #[schemars(length(max = 64))]
    groups: Option<Vec<MembershipRequest>>,
    #[schemars(length(max = 32), inner(length(max = 64), regex(pattern = TEXT)))]
    skills: Option<BTreeSet<String>>,
    /// Empty = none.
    #[schemars(regex(pattern = TELEPHONE_OR_NONE))]
    telephone: Option<String>,
    recorded: Option<bool>,
    /// Whether the account runs the installation; an operator says so.
    operator: Option<bool>,
}

pub(super) async fn agents(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Problem> {
    let groups = state.group_names().await?;
    let all = state.agents_in(&caller.scope).await?;
    let seen: Vec<Value> = {
        let shown = all.iter().filter(|row| caller.can_see(row));
        shown.map(|row| views::agent(row, &groups, caller.sight_of(row))).collect()
    };
    Ok(Json(json!({ "agents": seen })))
}

pub(super) async fn agent(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    let row = state.agent_by_number(&caller.scope, &number).await?;
    if !caller.can_see(&row) {
        return Err(Problem::not_found("agent"));
    }
    Ok(answer_of_row(row.version, views::agent(&row, &state.group_names().await?, caller.sight_of(&row))))
}

/// An account that is about to be written, and what is shown of it once.
struct Drafted {
    number: String,
    details: AgentDetails,
    groups: Vec<Membership>,
    secrets: Secrets,
    /// The console's password, if it was drawn.
    password: Option<String>,
    phone_password: Option<String>,
}

/// Checks a request for an account and hashes its passwords: all that must not wait inside the change. `taken` are the
/// numbers of the accounts that are made with it.
async fn draft(
    state: &AppState,
    caller: &Caller,
    asked: NewAgent,
    taken: &BTreeSet<String>,
) -> Result<Drafted, Problem> {
    let role = parse_role(asked.role.as_deref().unwrap_or("agent"))?;
    check_role(caller, role)?;
    let groups = parse_memberships(state, &caller.scope, &asked.groups).await?;
    let number = match &asked.number {
        Some(number) => check_agent_number(number)?,
        None => draw_agent_number(state, asked.pattern.as_deref(), asked.digits, taken).await?,
    };
    let phone = asked.phone.unwrap_or(matches!(role, Role::Agent | Role::Lead));
    let details = AgentDetails {
        name: parse_text("name", &asked.name)?,
        login: parse_login(asked.login.as_deref().unwrap_or(&number))?,
        role,
        telephone: asked.telephone.as_deref().map(parse_telephone).transpose()?,
        recorded: asked.recorded,
        skills: parse_skills(asked.skills)?,
        sip_user: phone.then(|| number.clone()),
    };
    let drawn = asked.password.is_none();
    let password = asked.password.map_or_else(secrets::random_password, Ok)?;
    secrets::check_password(&password)?;
    let phone_password = phone.then(secrets::random_password).transpose()?;
    let mut kept = Secrets { password: state.hasher().hash(&password).await?, ..Secrets::default() };
    if let Some(password) = &phone_password {
        set_phone_hashes(&mut kept, &number, &state.phones().domain, password);
    }
    let password = drawn.then_some(password);
    Ok(Drafted { number, details, groups, secrets: kept, password, phone_password })
}

/// Writes a drafted account, which is the subject of the change; answers with its row and with what is shown once.
async fn hire(
    state: &AppState,
    caller: &Caller,
    change: &mut Change<'_>,
    drafted: Drafted,
    names: &BTreeMap<GroupId, String>,
) -> Result<(AgentRow, Value), Problem> {
    let id = change.add_agent(&caller.scope, &drafted.number, &drafted.details, &drafted.secrets).await?;
    change.set_memberships(id, &drafted.groups).await?;
    // An installation has an operator: the first admin, however it was made.
    if drafted.details.role == Role::Admin
        && caller.scope.enterprise == FIRST_ENTERPRISE
        && !change.has_operator().await?
    {
        change.set_operator(id, true).await?;
    }
    let row = change.agent(id).await?;
    change.set_after(audit_view(&row, names));
    let mut answer = json!({ "agent": views::agent(&row, names, caller.sight()) });
    if let Some(password) = drafted.password {
        answer["password"] = password.into();
    }
    if let Some(password) = drafted.phone_password {
        answer["sheet"] = sheet(state, &drafted.number, &password);
    }
    Ok((row, answer))
}

/// An account in the words of the audit: without secrets, its telephone masked.
pub(super) fn audit_view(row: &AgentRow, groups: &BTreeMap<GroupId, String>) -> Value {
    views::agent(row, groups, NumberSight::Masked)
}

pub(super) async fn add_agent(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<NewAgent>,
) -> Result<Response, Problem> {
    let drafted = draft(&state, &caller, asked, &BTreeSet::new()).await?;
    let names = state.group_names().await?;
    let subject = Subject::of("agent", &drafted.number);
    let mut change = state.change(&caller, Action::PeopleEdit, subject).await?;
    let (row, answer) = hire(&state, &caller, &mut change, drafted, &names).await?;
    change.commit().await?;
    state.send_agent_to_engine(row.id).await?;
    Ok(with_etag(row.version, (StatusCode::CREATED, Json(answer)).into_response()))
}

/// Accounts of one batch: their passwords are hashed within the time of a request.
const BATCH_MAX: usize = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAgents {
    #[schemars(length(min = 1, max = 100))]
    agents: Vec<NewAgent>,
}

/// Adds accounts; each row of the answer is one account, or why it was not added. All rows are checked first, and those
/// that fit are added in one transaction, so that a batch that was cut off has added all of them or none.
pub(super) async fn add_agents(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<NewAgents>,
) -> Result<Json<Value>, Problem> {
    if !(1..=BATCH_MAX).contains(&asked.agents.len()) {
        return Err(Problem::unprocessable(format!("agents: 1 to {BATCH_MAX}")));
    }
    let mut taken: BTreeSet<String> = asked.agents.iter().filter_map(|new| new.number.clone()).collect();
    let mut rows = Vec::new();
    for new in asked.agents {
        let drafted = row_or_fault(draft(&state, &caller, new, &taken).await)?;
        taken.extend(drafted.iter().map(|drafted| drafted.number.clone()));
        rows.push(drafted);
    }
    let names = state.group_names().await?;
    let mut change = state.change(&caller, Action::PeopleEdit, Subject::of("agent", "")).await?;
    change.leave_out_of_audit();
    let (mut added, mut items) = (Vec::new(), Vec::new());
    for row in rows {
        let hired = match row {
            Ok(drafted) => {
                change.begin_subject(Subject::of("agent", &drafted.number));
                let hired = row_or_fault(hire(&state, &caller, &mut change, drafted, &names).await)?;
                if hired.is_err() {
                    change.leave_out_of_audit();
                }
                hired
            }
            Err(problem) => Err(problem),
        };
        items.push(match hired {
            Ok((row, answer)) => {
                added.push(row.id);
                answer
            }
            Err(problem) => json!({ "problem": problem.document() }),
        });
    }
    change.commit().await?;
    for id in added {
        state.send_agent_to_engine(id).await?;
    }
    Ok(Json(json!({ "items": items })))
}

/// A problem of one row stands in its place; a fault of the service ends the batch.
fn row_or_fault<T>(worked: Result<T, Problem>) -> Result<Result<T, Problem>, Problem> {
    match worked {
        Err(problem) if problem.status().is_server_error() => Err(problem),
        worked => Ok(worked),
    }
}

pub(super) async fn change_agent(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<AgentChange>,
) -> Result<Response, Problem> {
    let found = changeable_person(&state, &caller, &number).await?;
    if asked.number.as_ref().is_some_and(|sent| *sent != found.number) {
        let detail = "an agent's number never changes; make a new agent";
        return Err(Problem::new(StatusCode::CONFLICT, "number_stays", detail));
    }
    let groups = match &asked.groups {
        Some(groups) => Some(parse_memberships(&state, &caller.scope, groups).await?),
        None => None,
    };
    let names = state.group_names().await?;
    let mut change = state.change(&caller, Action::PeopleEdit, Subject::of("agent", &found.number)).await?;
    let row = change.agent(found.id).await?;
    check_version(&headers, row.version, false)?;
    let operator = asked.operator.filter(|operator| *operator != row.operator);
    check_account(&caller, &row)?;
    let details = asked.applied_to(&row.details)?;
    if operator.is_some() {
        check_operator(&caller, details.role)?;
    }
    check_role(&caller, details.role)?;
    change.set_before(audit_view(&row, &names));
    change.change_agent(row.id, &details).await?;
    if let Some(groups) = groups {
        change.set_memberships(row.id, &groups).await?;
    }
    if let Some(operator) = operator {
        change.set_operator(row.id, operator).await?;
        if !change.has_operator().await? {
            let detail = "the installation needs an operator: make another account one first";
            return Err(Problem::new(StatusCode::CONFLICT, "last_operator", detail));
        }
    }
    if details.role != row.details.role || operator.is_some() {
        // Screens draw by right: they start again with the new ones.
        change.end_sessions(row.id, None).await?;
    }
    let row = change.agent(row.id).await?;
    change.set_after(audit_view(&row, &names));
    change.commit().await?;
    let row = state.send_agent_to_engine(row.id).await?;
    Ok(answer_of_row(row.version, views::agent(&row, &names, caller.sight())))
}

impl AgentChange {
    /// The details with the given fields changed.
    fn applied_to(self, details: &AgentDetails) -> Result<AgentDetails, Problem> {
        let mut details = details.clone();
        if let Some(name) = &self.name {
            details.name = parse_text("name", name)?;
        }
        if let Some(wanted) = &self.login {
            details.login = parse_login(wanted)?;
        }
        if let Some(wanted) = &self.role {
            details.role = parse_role(wanted)?;
        }
        if let Some(wanted) = self.skills {
            details.skills = parse_skills(wanted)?;
        }
        if let Some(wanted) = &self.telephone {
            details.telephone = if wanted.is_empty() { None } else { Some(parse_telephone(wanted)?) };
        }
        details.recorded = self.recorded.unwrap_or(details.recorded);
        Ok(details)
    }
}

pub(super) async fn remove_agent(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let found = changeable_agent(&state, &caller, &number).await?;
    if caller.is_agent(found.id) {
        return Err(Problem::forbidden("an account cannot remove itself"));
    }
    let names = state.group_names().await?;
    let mut change = state.change(&caller, Action::PeopleEdit, Subject::of("agent", &found.number)).await?;
    let row = change.agent(found.id).await?;
    check_version(&headers, row.version, false)?;
    change.set_before(audit_view(&row, &names));
    change.remove_agent(row.id).await?;
    change.unbind_caller_ids_of(row.id).await?;
    change.commit().await?;
    state.engine().send(EngineRequest::RemoveAgent { agent: row.id }).await;
    state.engine().register_caller_ids(state.store().registered_numbers().await?).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a new SIP password for the agent's phone; the old one is void at once.
pub(super) async fn phone_password(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Json<Value>, Problem> {
    let found = changeable_person(&state, &caller, &number).await?;
    let password = secrets::random_password()?;
    let mut change = state.change(&caller, Action::PeopleEdit, Subject::of("agent", &found.number)).await?;
    let row = change.agent(found.id).await?;
    let user = row.details.sip_user.clone().unwrap_or_else(|| row.number.clone());
    if row.details.sip_user.is_none() {
        let details = AgentDetails { sip_user: Some(user.clone()), ..row.details.clone() };
        change.change_agent(row.id, &details).await?;
    }
    let mut kept = row.secrets.clone();
    set_phone_hashes(&mut kept, &user, &state.phones().domain, &password);
    change.set_secrets(row.id, &kept).await?;
    change.set_after(json!({ "phone_password": "new" }));
    change.commit().await?;
    state.send_agent_to_engine(row.id).await?;
    Ok(Json(json!({ "sheet": sheet(&state, &user, &password) })))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordRequest {
    /// Without it one is drawn and shown once.
    #[schemars(length(min = 8, max = 256))]
    password: Option<String>,
}

/// Sets a new console password and ends the agent's sessions.
pub(super) async fn console_password(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    Body(asked): Body<PasswordRequest>,
) -> Result<Json<Value>, Problem> {
    let row = changeable_person(&state, &caller, &number).await?;
    let drawn = asked.password.is_none();
    let password = asked.password.map_or_else(secrets::random_password, Ok)?;
    secrets::check_password(&password)?;
    let hash = state.hasher().hash(&password).await?;
    let mut change = state.change(&caller, Action::PeopleEdit, Subject::of("agent", &row.number)).await?;
    change.set_after(json!({ "password": "new" }));
    accounts::set_password(change, row.id, hash).await?;
    Ok(Json(if drawn { json!({ "password": password }) } else { json!({}) }))
}

/// The settings that the agent types into the phone. The password appears nowhere else.
fn sheet(state: &AppState, user: &str, password: &str) -> Value {
    let line = state.phones();
    json!({
        "user": user,
        "password": password,
        "domain": line.domain,
        "proxy": line.proxy,
        "transport": line.transport,
    })
}

fn set_phone_hashes(kept: &mut Secrets, user: &str, realm: &str, password: &str) {
    let (md5, sha256) = secrets::phone_hashes(user, realm, password);
    (kept.ha1_md5, kept.ha1_sha256) = (Some(md5), Some(sha256));
}

/// An account that the caller may change.
async fn changeable_agent(state: &AppState, caller: &Caller, number: &str) -> Result<AgentRow, Problem> {
    let row = state.agent_by_number(&caller.scope, number).await?;
    check_account(caller, &row)?;
    Ok(row)
}

/// As [`changeable_agent`], of a person: simulated agents have neither passwords nor other groups.
async fn changeable_person(state: &AppState, caller: &Caller, number: &str) -> Result<AgentRow, Problem> {
    let row = changeable_agent(state, caller, number).await?;
    if row.simulated_for.is_some() {
        return Err(simulated());
    }
    Ok(row)
}

/// 409: the account is a simulated agent's.
pub(super) fn simulated() -> Problem {
    let detail = "this is a simulated agent of the sample campaign: it can be removed, and not changed";
    Problem::new(StatusCode::CONFLICT, "simulated", detail)
}

async fn draw_agent_number(
    state: &AppState,
    pattern: Option<&str>,
    digits: Option<u8>,
    taken: &BTreeSet<String>,
) -> Result<String, Problem> {
    let (pattern, digits) = (pattern.unwrap_or("8?"), usize::from(digits.unwrap_or(4)));
    if !(2..=6).contains(&digits) || pattern.len() > 7 {
        return Err(Problem::unprocessable("a number that is drawn has 2 to 6 digits"));
    }
    let drawn = state.store().free_agent_number(pattern, digits, secrets::random_number()?, taken).await?;
    drawn.ok_or_else(|| Problem::unprocessable("no number of this pattern is free; a pattern is like `8?`"))
}

fn check_agent_number(number: &str) -> Result<String, Problem> {
    let fits = (2..=8).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    if fits {
        Ok(number.to_owned())
    } else {
        Err(Problem::unprocessable("an agent's number has 2 to 8 digits"))
    }
}
