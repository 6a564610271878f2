//! Handlers of accounts, their phones and passwords, groups and memberships. A change is written to the
//! store first, then sent to the engine.

use super::accounts;
use super::auth::{Body, Caller};
use super::problem::Problem;
use super::secrets;
use super::state::Door;
use super::views;
use crate::engine::Ask;
use crate::store::{AgentDetails, AgentRow, Role, Secrets};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use paceline_core::agent::{Group, Membership, WorkMode};
use paceline_core::ids::GroupId;
use paceline_core::number::PhoneNumber;
use paceline_core::time::Duration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const TEXT_MAX: usize = 64;
const SKILLS_MAX: usize = 32;
const GROUPS_MAX: usize = 64;

/// A group's name alone (`"vote-team"`), or with priority and use.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum MembershipRequest {
    Name(String),
    Full {
        group: String,
        #[serde(default = "default_priority")]
        priority: u8,
        #[serde(default = "default_in_use")]
        in_use: bool,
    },
}

const fn default_priority() -> u8 {
    1
}

const fn default_in_use() -> bool {
    true
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAgent {
    /// The agent number (工号); it never changes. Without it one is drawn by `pattern`.
    number: Option<String>,
    /// Leading digits of a drawn number, like `8?`.
    pattern: Option<String>,
    /// Length of a drawn number: 2 to 6, without it 4.
    digits: Option<u8>,
    name: String,
    /// Without it the agent number.
    login: Option<String>,
    /// agent, lead, manager, analyst or admin.
    role: Option<String>,
    #[serde(default)]
    groups: Vec<MembershipRequest>,
    #[serde(default)]
    skills: BTreeSet<String>,
    telephone: Option<String>,
    #[serde(default)]
    recorded: bool,
    /// The console's password; without it one is drawn and shown once.
    password: Option<String>,
    /// Whether the agent gets a SIP account; without it agents and leads do.
    phone: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentChange {
    /// An agent number never changes; it may be sent along unchanged.
    number: Option<String>,
    name: Option<String>,
    login: Option<String>,
    role: Option<String>,
    groups: Option<Vec<MembershipRequest>>,
    skills: Option<BTreeSet<String>>,
    /// Empty = none.
    telephone: Option<String>,
    recorded: Option<bool>,
}

pub(super) async fn agents(State(state): State<Door>, caller: Caller) -> Result<Json<Value>, Problem> {
    let groups = state.group_names().await?;
    let all = state.store().agents().await?;
    let seen: Vec<Value> =
        all.iter().filter(|row| caller.can_see(row)).map(|row| views::agent(row, &groups)).collect();
    Ok(Json(json!({ "agents": seen })))
}

pub(super) async fn agent(
    State(state): State<Door>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Json<Value>, Problem> {
    let row = state.agent_by_number(&number).await?;
    if !caller.can_see(&row) {
        return Err(Problem::not_found("agent"));
    }
    Ok(Json(views::agent(&row, &state.group_names().await?)))
}

pub(super) async fn add_agent(
    State(state): State<Door>,
    caller: Caller,
    Body(asked): Body<NewAgent>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let role = parse_role(asked.role.as_deref().unwrap_or("agent"))?;
    may_grant(&caller, role)?;
    let groups = parse_memberships(&state, &asked.groups).await?;
    let number = match &asked.number {
        Some(number) => check_agent_number(number)?,
        None => draw_agent_number(&state, asked.pattern.as_deref(), asked.digits).await?,
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
    let id = state.store().add_agent(&number, &details, &kept).await?;
    state.store().set_memberships(id, &groups).await?;
    let row = state.send_agent_to_engine(id).await?;
    let mut answer = json!({ "agent": views::agent(&row, &state.group_names().await?) });
    if drawn {
        answer["password"] = password.into();
    }
    if let Some(password) = phone_password {
        answer["sheet"] = sheet(&state, &number, &password);
    }
    Ok((StatusCode::CREATED, Json(answer)))
}

pub(super) async fn change_agent(
    State(state): State<Door>,
    caller: Caller,
    Path(number): Path<String>,
    Body(asked): Body<AgentChange>,
) -> Result<Json<Value>, Problem> {
    let row = changeable_agent(&state, &caller, &number).await?;
    if asked.number.as_ref().is_some_and(|sent| *sent != row.number) {
        return Err(Problem::unprocessable("an agent's number never changes; make a new agent"));
    }
    let mut details = row.details.clone();
    if let Some(name) = &asked.name {
        details.name = parse_text("name", name)?;
    }
    if let Some(wanted) = &asked.login {
        details.login = parse_login(wanted)?;
    }
    if let Some(wanted) = &asked.role {
        details.role = parse_role(wanted)?;
        may_grant(&caller, details.role)?;
    }
    if let Some(wanted) = asked.skills {
        details.skills = parse_skills(wanted)?;
    }
    if let Some(wanted) = &asked.telephone {
        details.telephone = if wanted.is_empty() { None } else { Some(parse_telephone(wanted)?) };
    }
    details.recorded = asked.recorded.unwrap_or(details.recorded);
    let groups = match &asked.groups {
        Some(groups) => Some(parse_memberships(&state, groups).await?),
        None => None,
    };
    state.store().change_agent(row.id, &details).await?;
    if let Some(groups) = groups {
        state.store().set_memberships(row.id, &groups).await?;
    }
    let row = state.send_agent_to_engine(row.id).await?;
    Ok(Json(views::agent(&row, &state.group_names().await?)))
}

pub(super) async fn remove_agent(
    State(state): State<Door>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<StatusCode, Problem> {
    let row = changeable_agent(&state, &caller, &number).await?;
    if caller.is_agent(row.id) {
        return Err(Problem::forbidden("an account cannot remove itself"));
    }
    state.store().remove_agent(row.id).await?;
    state.engine().ask(Ask::AgentGone { agent: row.id }).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a new SIP password for the agent's phone; the old one is void at once.
pub(super) async fn phone_password(
    State(state): State<Door>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Json<Value>, Problem> {
    let row = changeable_agent(&state, &caller, &number).await?;
    let password = secrets::random_password()?;
    let user = row.details.sip_user.clone().unwrap_or_else(|| row.number.clone());
    if row.details.sip_user.is_none() {
        let details = AgentDetails { sip_user: Some(user.clone()), ..row.details.clone() };
        state.store().change_agent(row.id, &details).await?;
    }
    let mut kept = row.secrets.clone();
    set_phone_hashes(&mut kept, &user, &state.phones().domain, &password);
    state.store().set_secrets(row.id, &kept).await?;
    state.send_agent_to_engine(row.id).await?;
    Ok(Json(json!({ "sheet": sheet(&state, &user, &password) })))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordRequest {
    /// Without it one is drawn and shown once.
    password: Option<String>,
}

/// Sets a new console password and ends the agent's sessions.
pub(super) async fn console_password(
    State(state): State<Door>,
    caller: Caller,
    Path(number): Path<String>,
    Body(asked): Body<PasswordRequest>,
) -> Result<Json<Value>, Problem> {
    let row = changeable_agent(&state, &caller, &number).await?;
    let drawn = asked.password.is_none();
    let password = asked.password.map_or_else(secrets::random_password, Ok)?;
    secrets::check_password(&password)?;
    accounts::set_password(&state, &row, &password).await?;
    Ok(Json(if drawn { json!({ "password": password }) } else { json!({}) }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MembershipChange {
    priority: Option<u8>,
    in_use: Option<bool>,
}

/// Adds the agent to a group, or changes the membership. A shift lead may do so in the groups they lead.
pub(super) async fn set_membership(
    State(state): State<Door>,
    caller: Caller,
    Path((number, group)): Path<(String, String)>,
    Body(asked): Body<MembershipChange>,
) -> Result<Json<Value>, Problem> {
    let (row, group) = agent_and_group(&state, &caller, &number, &group).await?;
    let mut groups = row.groups.clone();
    match groups.iter_mut().find(|membership| membership.group == group) {
        Some(membership) => {
            membership.priority = asked.priority.unwrap_or(membership.priority);
            membership.in_use = asked.in_use.unwrap_or(membership.in_use);
        }
        None => groups.push(Membership {
            group,
            priority: asked.priority.unwrap_or(default_priority()),
            in_use: asked.in_use.unwrap_or(true),
        }),
    }
    state.store().set_memberships(row.id, &groups).await?;
    let row = state.send_agent_to_engine(row.id).await?;
    Ok(Json(views::agent(&row, &state.group_names().await?)))
}

pub(super) async fn drop_membership(
    State(state): State<Door>,
    caller: Caller,
    Path((number, group)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (row, group) = agent_and_group(&state, &caller, &number, &group).await?;
    let groups: Vec<Membership> =
        row.groups.iter().filter(|membership| membership.group != group).copied().collect();
    state.store().set_memberships(row.id, &groups).await?;
    let row = state.send_agent_to_engine(row.id).await?;
    Ok(Json(views::agent(&row, &state.group_names().await?)))
}

/// The agent and the group, if the caller may see both.
async fn agent_and_group(
    state: &Door,
    caller: &Caller,
    number: &str,
    group: &str,
) -> Result<(AgentRow, GroupId), Problem> {
    let group = state.group_by_name(group).await?.id;
    let row = state.agent_by_number(number).await?;
    if !caller.can_see_group(Some(group)) || !caller.can_see(&row) {
        return Err(Problem::not_found("agent in such a group"));
    }
    Ok((row, group))
}

pub(super) async fn groups(State(state): State<Door>, caller: Caller) -> Result<Json<Value>, Problem> {
    let agents = state.store().agents().await?;
    let groups = state.store().groups().await?;
    let seen = groups.iter().filter(|group| caller.can_see_group(Some(group.id)));
    let shown = seen.map(|group| {
        let member = |row: &&AgentRow| row.groups.iter().any(|membership| membership.group == group.id);
        let members: Vec<&str> = agents.iter().filter(member).map(|row| row.number.as_str()).collect();
        let mut shown = views::group(group);
        shown["members"] = members.into();
        shown
    });
    Ok(Json(json!({ "groups": shown.collect::<Vec<Value>>() })))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupRequest {
    name: Option<String>,
    /// Whether agents may work on ordinary telephones.
    telephones: Option<bool>,
    announce_number: Option<bool>,
    /// 0 = never.
    idle_release_secs: Option<u32>,
    /// inbound, outbound or both; empty = each agent's own choice.
    work_mode: Option<String>,
    /// 0 = no limit.
    seats: Option<u32>,
}

impl GroupRequest {
    /// Applies the given fields to the group.
    fn apply_to(self, group: &mut Group) -> Result<(), Problem> {
        if let Some(name) = &self.name {
            group.name = parse_text("name", name)?;
        }
        group.telephones = self.telephones.unwrap_or(group.telephones);
        group.announce_number = self.announce_number.unwrap_or(group.announce_number);
        if let Some(secs) = self.idle_release_secs {
            group.idle_release = (secs > 0).then(|| Duration::from_secs(u64::from(secs)));
        }
        if let Some(seats) = self.seats {
            group.seats = (seats > 0).then_some(seats);
        }
        group.work_mode = match self.work_mode.as_deref() {
            None => group.work_mode,
            Some("") => None,
            Some("inbound") => Some(WorkMode::Inbound),
            Some("outbound") => Some(WorkMode::Outbound),
            Some("both") => Some(WorkMode::Both),
            Some(_) => return Err(Problem::unprocessable("work_mode is inbound, outbound, both or empty")),
        };
        Ok(())
    }
}

pub(super) async fn add_group(
    State(state): State<Door>,
    Body(asked): Body<GroupRequest>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut group = Group {
        id: GroupId(0),
        name: String::new(),
        telephones: false,
        announce_number: true,
        idle_release: None,
        work_mode: None,
        seats: None,
    };
    asked.apply_to(&mut group)?;
    parse_text("name", &group.name)?;
    group.id = state.store().add_group(&group).await?;
    let shown = views::group(&group);
    state.engine().ask(Ask::Group(group)).await;
    Ok((StatusCode::CREATED, Json(shown)))
}

pub(super) async fn change_group(
    State(state): State<Door>,
    Path(name): Path<String>,
    Body(asked): Body<GroupRequest>,
) -> Result<Json<Value>, Problem> {
    let mut group = state.group_by_name(&name).await?;
    asked.apply_to(&mut group)?;
    state.store().change_group(&group).await?;
    let shown = views::group(&group);
    state.engine().ask(Ask::Group(group)).await;
    Ok(Json(shown))
}

/// Members stay in their other groups. Refused while an open campaign works with the group.
pub(super) async fn remove_group(
    State(state): State<Door>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let group = state.group_by_name(&name).await?;
    let member = |row: &AgentRow| row.groups.iter().any(|membership| membership.group == group.id);
    let members: Vec<AgentRow> = state.store().agents().await?.into_iter().filter(member).collect();
    let open = state.campaigns().into_values().find(|facts| {
        facts.rules.agents.as_ref().is_some_and(|rules| rules.group == group.id)
            && !state
                .engine()
                .board()
                .borrow()
                .campaigns
                .get(&facts.rules.id)
                .is_none_or(|board| board.finished)
    });
    if let Some(facts) = open {
        let detail = format!("the campaign `{}` works with this group", facts.rules.name);
        return Err(Problem::new(StatusCode::CONFLICT, "in_use", detail));
    }
    state.store().remove_group(group.id).await?;
    for row in members {
        state.send_agent_to_engine(row.id).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The settings that the agent types into the phone. The password appears nowhere else.
fn sheet(state: &Door, user: &str, password: &str) -> Value {
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

/// An account that the caller may change: only an admin changes an admin's.
async fn changeable_agent(state: &Door, caller: &Caller, number: &str) -> Result<AgentRow, Problem> {
    let row = state.agent_by_number(number).await?;
    may_grant(caller, row.details.role)?;
    Ok(row)
}

pub(super) fn may_grant(caller: &Caller, role: Role) -> Result<(), Problem> {
    if role == Role::Admin && caller.role != Role::Admin {
        return Err(Problem::forbidden("only an admin makes or changes an admin"));
    }
    Ok(())
}

async fn parse_memberships(state: &Door, asked: &[MembershipRequest]) -> Result<Vec<Membership>, Problem> {
    if asked.len() > GROUPS_MAX {
        return Err(Problem::unprocessable(format!("at most {GROUPS_MAX} groups")));
    }
    let names: BTreeMap<String, GroupId> =
        state.group_names().await?.into_iter().map(|(id, name)| (name, id)).collect();
    let mut found: BTreeMap<GroupId, Membership> = BTreeMap::new();
    for asked in asked {
        let (name, priority, in_use) = match asked {
            MembershipRequest::Name(name) => (name, default_priority(), true),
            MembershipRequest::Full { group, priority, in_use } => (group, *priority, *in_use),
        };
        let group = *names.get(name).ok_or_else(|| Problem::not_found("group"))?;
        found.insert(group, Membership { group, priority, in_use });
    }
    Ok(found.into_values().collect())
}

async fn draw_agent_number(
    state: &Door,
    pattern: Option<&str>,
    digits: Option<u8>,
) -> Result<String, Problem> {
    let (pattern, digits) = (pattern.unwrap_or("8?"), usize::from(digits.unwrap_or(4)));
    if !(2..=6).contains(&digits) || pattern.len() > 7 {
        return Err(Problem::unprocessable("a number that is drawn has 2 to 6 digits"));
    }
    let drawn = state.store().free_agent_number(pattern, digits, secrets::random_number()?).await?;
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

pub(super) fn parse_role(word: &str) -> Result<Role, Problem> {
    let words: Vec<&str> = Role::ALL.into_iter().map(Role::word).collect();
    Role::from_word(word)
        .ok_or_else(|| Problem::unprocessable(format!("a role is one of {}", words.join(", "))))
}

/// Trims a text of any script; it must be one line and not empty.
pub(super) fn parse_text(field: &str, given: &str) -> Result<String, Problem> {
    let given = given.trim();
    let fits = !given.is_empty() && given.chars().count() <= TEXT_MAX && !given.chars().any(char::is_control);
    if fits {
        return Ok(given.to_owned());
    }
    Err(Problem::unprocessable(format!("{field}: 1 to {TEXT_MAX} characters on one line")))
}

fn parse_login(given: &str) -> Result<String, Problem> {
    let login = parse_text("login", given)?;
    if login.chars().any(char::is_whitespace) {
        return Err(Problem::unprocessable("login: no spaces"));
    }
    Ok(login)
}

fn parse_skills(given: BTreeSet<String>) -> Result<BTreeSet<String>, Problem> {
    if given.len() > SKILLS_MAX {
        return Err(Problem::unprocessable(format!("at most {SKILLS_MAX} skills")));
    }
    given.iter().map(|skill| parse_text("skills", skill)).collect()
}

/// Parses a telephone number as people write it, with spaces, dashes or +86.
pub(super) fn parse_telephone(given: &str) -> Result<PhoneNumber, Problem> {
    let unfit = || Problem::unprocessable("this is no telephone number: write 13800138000 or 0571-88888888");
    if given.len() > 32 {
        return Err(unfit());
    }
    let bare: String = given.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let bare = bare.strip_prefix("+86").unwrap_or(&bare);
    PhoneNumber::chinese(bare.as_bytes()).map_err(|_| unfit())
}
