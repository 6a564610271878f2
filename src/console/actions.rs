//! Handlers of actions: an agent's, and a manager's on a campaign. The body of an agent's action is the
//! core's `AgentAction`, with names where the core has ids: `"agent": "8001"`, `"campaign": "vote"`,
//! `"number": "13800138000"`.

use super::account_rights::check_account;
use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::campaign_start;
use super::fields::parse_telephone;
use super::floor;
use super::parameters::TELEPHONE;
use super::problem::Problem;
use super::rights::Action;
use super::sessions::{ACTIONS_WHILE_LOCKED, is_locked, locked};
use super::test_call;
use crate::config::floor::ShadowTable;
use crate::engine::EngineRequest;
use crate::store::campaign_rows::{CampaignState, DesiredState};
use crate::store::scope::FIRST_ENTERPRISE;
use crate::store::{AgentRow, Role, Subject};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use paceline_core::agent::{AgentAction, Availability, Endpoint, Refusal, SeatView};
use paceline_core::call::Digit;
use paceline_core::campaign::is_system_name;
use paceline_core::dialer::input::ManagerAction;
use paceline_core::ids::CampaignId;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Every agent's action with its fields in words, for the OpenAPI document and for error messages.
pub(super) const ACTIONS: &[(&str, &str)] = &[
    (
        "sign_in",
        "groups (names; none = all of the agent's), endpoint (\"phone\", \"telephone\" or {telephone}), holding, work_mode",
    ),
    ("sign_out", ""),
    ("change_endpoint", "endpoint, holding"),
    ("ready", ""),
    ("pause", "reason"),
    ("dial", ""),
    ("skip", ""),
    ("extend", ""),
    ("call", "campaign, number"),
    ("call_lead", "campaign, lead"),
    ("hang_up", "leg (none = the callee)"),
    ("hold", ""),
    ("retrieve", ""),
    ("mute", "on"),
    ("send_digits", "keys (\"12#\")"),
    ("consult", "target ({agent}, {group} or {number})"),
    ("cancel_consult", ""),
    ("transfer", ""),
    ("conference", ""),
    ("record", "on"),
    ("summarise", "disposition, note, callback ({at, own, skill})"),
    ("next", ""),
    ("supervise", "agent, how (listen, whisper, barge, take_over)"),
    ("stop_supervising", ""),
    ("force", "agent, what (\"release\", {pause: {reason}}, \"ready\", \"sign_out\")"),
];

/// The dialer decides within one step of the engine's loop; a longer wait means that it hangs.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Covers the five seconds of recording, and measuring.
const CHECK_WAIT: Duration = Duration::from_secs(15);

const NOTE_MAX: usize = 4_000;
const REASON_MAX: usize = 200;
const KEYS_MAX: usize = 64;

pub(super) async fn own_action(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<Value>,
) -> Result<Json<Value>, Problem> {
    let account = caller.account()?;
    let word = asked.get("action").and_then(Value::as_str).unwrap_or_default();
    let is_open = ACTIONS_WHILE_LOCKED.contains(&word);
    if !is_open && caller.session.as_ref().is_some_and(|session| is_locked(session, state.now())) {
        return Err(locked());
    }
    carry_out(&state, &caller, account, asked).await
}

/// An action of the named agent, sent by the agent, or on its behalf by a manager, an admin or a
/// program with such a token.
pub(super) async fn agent_action(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    Body(asked): Body<Value>,
) -> Result<Json<Value>, Problem> {
    let row = state.agent_by_number(&caller.scope, &number).await?;
    if !caller.can_see(&row) {
        return Err(Problem::not_found("agent"));
    }
    if !caller.is_agent(row.id) && !matches!(caller.role, Role::Manager | Role::Admin) {
        return Err(Problem::forbidden(
            "agents act in their own name; a shift lead uses `force` or `supervise`",
        ));
    }
    if !caller.is_agent(row.id) {
        check_account(&caller, &row)?;
    }
    carry_out(&state, &caller, &row, asked).await
}

pub(super) async fn carry_out(
    state: &AppState,
    caller: &Caller,
    actor: &AgentRow,
    asked: Value,
) -> Result<Json<Value>, Problem> {
    let word = asked.get("action").and_then(Value::as_str).unwrap_or_default();
    if caller.organisation.suspended && matches!(word, "call" | "call_lead" | "dial") {
        return Err(Problem::suspended());
    }
    let action = resolve_action(state, caller, actor, asked).await?;
    let endpoint = match &action {
        AgentAction::SignIn { endpoint, .. } | AgentAction::ChangeEndpoint { endpoint, .. } => *endpoint,
        _ => Endpoint::Phone,
    };
    let answered =
        tokio::time::timeout(ANSWER_WAIT, state.engine().send_agent_action(actor.id, action)).await;
    let answered = answered.map_err(|_| Problem::internal("the engine has not answered an action"))?;
    if let (Err(Refusal::PhoneTaken), Endpoint::Telephone(_)) = (&answered, endpoint) {
        return Err(phone_taken(state, caller, endpoint).await?);
    }
    answered?;
    Ok(Json(json!({ "done": true })))
}

/// The refusal of a telephone on which another agent works; names that agent where the caller's organisation has it.
async fn phone_taken(state: &AppState, caller: &Caller, endpoint: Endpoint) -> Result<Problem, Problem> {
    let board = floor::board(state);
    let works = |seat: &&Arc<SeatView>| {
        seat.availability != Availability::SignedOut
            && seat.endpoint == endpoint
            && !caller.is_agent(seat.agent)
    };
    let user = board.seats.values().find(works).map(|seat| seat.agent);
    let rows = state.agents_in(&caller.scope).await?;
    let named = rows.iter().find(|row| Some(row.id) == user);
    let used_by = named.map(|row| format!("{} {}", row.number, row.details.name));
    let problem = Problem::from(Refusal::PhoneTaken);
    Ok(match used_by {
        Some(used_by) => problem.with("used_by", used_by.into()),
        None => problem,
    })
}

/// Turns the request body into the core's type: names become ids, numbers are parsed, texts bounded.
async fn resolve_action(
    state: &AppState,
    caller: &Caller,
    actor: &AgentRow,
    asked: Value,
) -> Result<AgentAction, Problem> {
    let Value::Object(mut action) = asked else {
        return Err(Problem::unprocessable("an action is a JSON object"));
    };
    let word = action.get("action").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !ACTIONS.iter().any(|(known, _)| *known == word) {
        let known: Vec<&str> = ACTIONS.iter().map(|(known, _)| *known).collect();
        return Err(Problem::unprocessable(format!("`action` is one of {}", known.join(", "))));
    }
    match word.as_str() {
        "sign_in" | "change_endpoint" => {
            resolve_groups(state, caller, &mut action).await?;
            resolve_endpoint(&mut action, actor)?;
            action.entry("holding").or_insert_with(|| "nailed_up".into());
        }
        "pause" => check_length(action.get("reason"), REASON_MAX)?,
        "call" | "call_lead" => {
            resolve_campaign(state, caller, &mut action)?;
            parse_number(&mut action)?;
        }
        "hang_up" => {
            if let Some(Value::String(leg)) = action.get("leg") {
                let leg: u64 = leg.parse().map_err(|_| Problem::unprocessable("leg: a number"))?;
                action.insert("leg".into(), leg.into());
            }
        }
        "send_digits" => parse_keys(&mut action)?,
        "consult" => resolve_consult_target(state, caller, &mut action).await?,
        "summarise" => complete_summary(&mut action)?,
        "supervise" | "force" => {
            if !actor.details.role.can_supervise() {
                return Err(Refusal::NotAllowed.into());
            }
            let reason = action.get("what").and_then(|what| what.pointer("/pause/reason"));
            check_length(reason, REASON_MAX)?;
            resolve_agent(state, caller, &mut action).await?;
        }
        _ => {}
    }
    parse_action(&word, action)
}

/// The core tags an action externally (`{"pause": {"reason": …}}`); the API has the fields beside the tag.
fn parse_action(word: &str, mut fields: Map<String, Value>) -> Result<AgentAction, Problem> {
    fields.remove("action");
    let known = ACTIONS.iter().find(|(known, _)| *known == word).map_or("", |(_, fields)| fields);
    let action = match known.is_empty() {
        true => Value::String(word.to_owned()),
        false => json!({ word: fields }),
    };
    serde_json::from_value(action)
        .map_err(|error| Problem::unprocessable(format!("{word}: {error}; its fields: {known}")))
}

async fn resolve_groups(
    state: &AppState,
    caller: &Caller,
    action: &mut Map<String, Value>,
) -> Result<(), Problem> {
    let Some(Value::Array(groups)) = action.get_mut("groups") else { return Ok(()) };
    for group in groups {
        let name = text_of(group, "groups: their names, as text")?;
        *group = state.group_by_name(&caller.scope, &name).await?.group.id.0.into();
    }
    Ok(())
}

/// The name of a row. Ids are refused: nothing says that the row of an id is the caller's to name.
fn text_of(value: &Value, needed: &str) -> Result<String, Problem> {
    value.as_str().map(str::to_owned).ok_or_else(|| Problem::unprocessable(needed))
}

/// `"telephone"` alone stands for the telephone of the agent's account; `{telephone}` gives a number.
fn resolve_endpoint(action: &mut Map<String, Value>, actor: &AgentRow) -> Result<(), Problem> {
    let own = || {
        let none =
            || Problem::unprocessable("you have no telephone here; name one: {\"telephone\": \"138…\"}");
        actor.details.telephone.ok_or_else(none)
    };
    let number = match action.get("endpoint") {
        Some(Value::String(word)) if word == "telephone" => own()?,
        Some(Value::Object(endpoint)) => match endpoint.get("telephone") {
            Some(Value::String(number)) => parse_telephone(number)?,
            Some(Value::Null) => own()?,
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    action.insert("endpoint".into(), json!({ "telephone": number.as_u64() }));
    Ok(())
}

fn resolve_campaign(
    state: &AppState,
    caller: &Caller,
    action: &mut Map<String, Value>,
) -> Result<(), Problem> {
    let Some(name) = action.get("campaign") else { return Ok(()) };
    let name = text_of(name, "campaign: its name, as text")?;
    let (id, facts) = state.campaign_named(&caller.scope, &name).ok_or(Refusal::CampaignClosed)?;
    if !caller.can_see_campaign(&facts) {
        return Err(Refusal::CampaignClosed.into());
    }
    action.insert("campaign".into(), id.0.into());
    Ok(())
}

fn parse_number(action: &mut Map<String, Value>) -> Result<(), Problem> {
    if let Some(Value::String(number)) = action.get("number") {
        let number = parse_telephone(number)?.as_u64();
        action.insert("number".into(), number.into());
    }
    Ok(())
}

fn parse_keys(action: &mut Map<String, Value>) -> Result<(), Problem> {
    if let Some(Value::String(keys)) = action.get("keys") {
        let unfit = || Problem::unprocessable(format!("keys: 1 to {KEYS_MAX} of 0-9, *, #"));
        if keys.is_empty() || keys.len() > KEYS_MAX {
            return Err(unfit());
        }
        let digits: Option<Vec<Digit>> = keys.chars().map(Digit::from_char).collect();
        let digits = serde_json::to_value(digits.ok_or_else(unfit)?).map_err(Problem::internal)?;
        action.insert("keys".into(), digits);
    }
    Ok(())
}

/// The target of a consult; agents of any group may be consulted.
async fn resolve_consult_target(
    state: &AppState,
    caller: &Caller,
    action: &mut Map<String, Value>,
) -> Result<(), Problem> {
    let Some(Value::Object(target)) = action.get_mut("target") else { return Ok(()) };
    if let Some(number) = target.get("agent") {
        let number = text_of(number, "target.agent: an agent's number, as text")?;
        let agent = state.agent_by_number(&caller.scope, &number).await?.id.0;
        target.insert("agent".into(), agent.into());
    }
    if let Some(name) = target.get("group") {
        let name = text_of(name, "target.group: a group's name")?;
        let group = state.group_by_name(&caller.scope, &name).await?.group.id.0;
        target.insert("group".into(), group.into());
    }
    parse_number(target)
}

fn complete_summary(action: &mut Map<String, Value>) -> Result<(), Problem> {
    check_length(action.get("note"), NOTE_MAX)?;
    action.entry("note").or_insert_with(|| "".into());
    let Some(Value::Object(callback)) = action.get_mut("callback") else { return Ok(()) };
    if let Some(Value::String(at)) = callback.get("at") {
        let at: jiff::Timestamp = at
            .parse()
            .map_err(|_| Problem::unprocessable("callback.at: a moment like 2030-01-31T09:30:00+08:00"))?;
        callback.insert("at".into(), at.as_millisecond().into());
    }
    callback.entry("own").or_insert(false.into());
    Ok(())
}

/// The agent that a supervising action is about; the caller must be allowed to see it.
async fn resolve_agent(
    state: &AppState,
    caller: &Caller,
    action: &mut Map<String, Value>,
) -> Result<(), Problem> {
    let number = text_of(action.get("agent").unwrap_or(&Value::Null), "agent: an agent number, as text")?;
    let row = state.agent_by_number(&caller.scope, &number).await?;
    // As of one that is not there.
    if !caller.can_see(&row) {
        return Err(Problem::not_found("agent"));
    }
    action.insert("agent".into(), row.id.0.into());
    Ok(())
}

fn check_length(text: Option<&Value>, max: usize) -> Result<(), Problem> {
    match text.and_then(Value::as_str) {
        Some(text) if text.chars().count() > max => {
            Err(Problem::unprocessable(format!("at most {max} characters")))
        }
        _ => Ok(()),
    }
}

/// Device check: records the agent's leg for some seconds, plays it back, answers with level and quality.
pub(super) async fn device_check(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<Value>, Problem> {
    let account = caller.account()?;
    let checked = tokio::time::timeout(CHECK_WAIT, state.engine().check_device(account.id)).await;
    let checked = checked.map_err(|_| Problem::internal("a device check has not ended"))??;
    Ok(Json(json!({ "measured": checked.measured, "quality": checked.quality })))
}

/// A manager's action on a campaign.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "action", deny_unknown_fields)]
pub(super) enum CampaignAction {
    /// Opens the campaign from its row: it is dialled in its calling hours.
    Start {},
    /// Puts a campaign that is not open away; `start` takes it out again.
    Archive {},
    Pause {},
    Resume {},
    /// No new calls are placed; live calls end by themselves.
    Drain {},
    HangUpAll {},
    /// Runs another pacing setting as a shadow beside the live one, for comparison; none = stop.
    Shadow {
        setting: Option<ShadowTable>,
    },
    /// Removes the list that was imported last, as long as none of its leads was called.
    UndoImport {},
    /// Calls a single number that is in no list, also before the start: the campaign is open for this call alone then.
    TestCall {
        #[schemars(regex(pattern = TELEPHONE))]
        number: String,
    },
}

pub(super) async fn campaign_action(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Body(asked): Body<CampaignAction>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let open = state.campaign_named(&caller.scope, &name);
    if caller.role == Role::Lead {
        let open = open.as_ref().ok_or_else(|| Problem::not_found("open campaign"))?;
        if !caller.can_see_campaign(&open.1) {
            return Err(Problem::not_found("open campaign"));
        }
        if !matches!(asked, CampaignAction::Pause {} | CampaignAction::Resume {}) {
            return Err(Problem::forbidden("a shift lead pauses and resumes; ask a manager for the rest"));
        }
    }
    // Also for a campaign that is not open here.
    if matches!(asked, CampaignAction::UndoImport {}) {
        return undo_import(&state, &caller, &name).await;
    }
    if is_system_name(&name) {
        return Err(Problem::not_found("open campaign"));
    }
    match asked {
        CampaignAction::Start {} => return campaign_start::start(&state, &caller, &name).await,
        CampaignAction::Archive {} => return campaign_start::archive(&state, &caller, &name).await,
        CampaignAction::TestCall { number } => {
            let open = open.map(|(id, _)| id).or_else(|| campaign_on_board(&state, &caller, &name));
            return test_call::place(&state, &caller, &name, open, &number).await;
        }
        _ => {}
    }
    let campaign = open.map(|(id, _)| id).or_else(|| campaign_on_board(&state, &caller, &name));
    let campaign = match campaign {
        Some(campaign) => campaign,
        // It is being opened: what is asked for now is done as soon as it is open.
        None => campaign_start::being_opened(&state, &caller, &name).await?,
    };
    if caller.organisation.suspended && matches!(asked, CampaignAction::Resume {}) {
        return Err(Problem::suspended());
    }
    let word = asked.word();
    let action = match asked {
        CampaignAction::Pause {} => ManagerAction::Pause,
        CampaignAction::Resume {} => ManagerAction::Resume,
        CampaignAction::Drain {} => ManagerAction::Drain,
        CampaignAction::HangUpAll {} => ManagerAction::HangUpAll,
        CampaignAction::Shadow { setting } => ManagerAction::Shadow(setting.as_ref().map(ShadowTable::rules)),
        CampaignAction::UndoImport {} => return undo_import(&state, &caller, &name).await,
        CampaignAction::Start {} | CampaignAction::Archive {} | CampaignAction::TestCall { .. } => {
            return Err(Problem::not_found("action"));
        }
    };
    let mut change = state.change(&caller, Action::CampaignsRun, Subject::of("campaign", &name)).await?;
    let asked_for = match action {
        ManagerAction::Pause => Some((DesiredState::Paused, CampaignState::Paused)),
        ManagerAction::Resume => Some((DesiredState::Open, CampaignState::Running)),
        ManagerAction::Drain | ManagerAction::HangUpAll => {
            Some((DesiredState::Draining, CampaignState::Draining))
        }
        _ => None,
    };
    if let Some((desired, kept)) = asked_for {
        change.set_campaign_state(campaign, desired, kept, None).await?;
        change.add_event("campaign", &name, json!({ "campaign": name, "state": kept.word() }));
    }
    change.set_after(json!({ "action": word }));
    change.commit().await?;
    state.engine().send(EngineRequest::ManagerAction { campaign, action }).await;
    Ok((StatusCode::ACCEPTED, Json(json!({ "taken": true }))))
}

/// A campaign that the board shows and of whose opening the console has no word yet: one of a file, so the first
/// enterprise's.
fn campaign_on_board(state: &AppState, caller: &Caller, name: &str) -> Option<CampaignId> {
    let board = state.engine().board();
    let board = board.borrow();
    let known = state.campaigns();
    let mut found = board.campaigns.iter().filter(|(id, it)| it.name == name && !known.contains_key(id));
    let seen = caller.scope.holds(FIRST_ENTERPRISE, FIRST_ENTERPRISE);
    found.next().filter(|_| seen).map(|(id, _)| *id)
}

impl CampaignAction {
    /// The word of the request.
    const fn word(&self) -> &'static str {
        match self {
            CampaignAction::Start {} => "start",
            CampaignAction::Archive {} => "archive",
            CampaignAction::Pause {} => "pause",
            CampaignAction::Resume {} => "resume",
            CampaignAction::Drain {} => "drain",
            CampaignAction::HangUpAll {} => "hang_up_all",
            CampaignAction::Shadow { .. } => "shadow",
            CampaignAction::UndoImport {} => "undo_import",
            CampaignAction::TestCall { .. } => "test_call",
        }
    }
}

/// The dial check refuses leads of the removed list that the dialer still holds.
async fn undo_import(
    state: &AppState,
    caller: &Caller,
    name: &str,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let found = state.store().reader().await?.campaign_in(&caller.scope, name).await?;
    let campaign = found.ok_or_else(|| Problem::not_found("campaign"))?.id;
    let mut change = state.change(caller, Action::CampaignsRun, Subject::of("campaign", name)).await?;
    let undone = change.undo_last_list(campaign).await?;
    let Some(first) = undone.first() else {
        let detail = format!("the campaign `{name}` has no imported list");
        return Err(Problem::new(StatusCode::CONFLICT, "no_import", detail));
    };
    change.set_after(json!({ "action": "undo_import", "file": first.file }));
    change.commit().await?;
    state.store().sweep_undone(&undone).await?;
    let rows: u64 = undone.iter().map(|import| import.rows_read).sum();
    let import = json!({ "file": first.file, "rows": rows });
    Ok((StatusCode::ACCEPTED, Json(json!({ "taken": true, "import": import }))))
}
