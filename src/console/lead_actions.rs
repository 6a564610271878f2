//! Handlers of what people do to leads: one lead at once, many by a task, and a lead that is added by hand.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{TEXT, moment_of};
use super::lead_table::{campaign_group, find_campaign, record_number_filter, search_filter};
use super::problem::Problem;
use super::records::{parse_id, visible_lead};
use super::rights::Action;
use super::route::ROOT;
use super::shown_number::{NumberSight, ShownNumber, shown_optional, shown_text};
use super::views::moment;
use crate::engine::EngineRequest;
use crate::store::lead_actions::{LeadAction, LeadRefusal, LeadStanding};
use crate::store::lead_additions::{AdditionRefusal, NewLead};
use crate::store::{BlacklistAddition, CampaignRecord, LeadFilter, Subject};
use crate::tasks::{AskedBy, Changed, LeadsWish, PhoneRefusal, clean_phones};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use paceline_core::dialer::input::ManagerAction;
use paceline_core::ids::{AgentId, CampaignId, LeadId};
use paceline_core::number_pattern::NumberPattern;
use paceline_core::time::{Duration, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A callback is booked at most so far ahead.
const BOOKED_AHEAD: Duration = Duration::from_secs(366 * 24 * 3_600);

/// Leads that one request may name.
const IDS_MAX: usize = 1_000;

/// The words of the actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum LeadActionWord {
    Close,
    Reopen,
    First,
    Assign,
    Unassign,
    Blacklist,
    Book,
}

/// What is done to one lead. `assign` needs `agent`; `book` needs `at` and may name `agent` or `skill`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LeadActionRequest {
    action: LeadActionWord,
    #[schemars(length(max = 128), regex(pattern = TEXT))]
    reason: Option<String>,
    /// An agent's number.
    #[schemars(regex(pattern = "^[0-9]{2,8}$"))]
    agent: Option<String>,
    #[schemars(with = "Option<super::answers::Moment>")]
    at: Option<String>,
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    skill: Option<String>,
}

/// What is done to many leads of a campaign: to those of `ids`, or to those that `filters` leave.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["ids"], "properties": { "ids": { "type": "array" }, "filters": { "type": "null" } } },
    { "required": ["filters"], "properties": { "filters": { "type": "object" }, "ids": { "type": "null" } } },
]))]
pub(super) struct LeadsActionRequest {
    action: LeadActionWord,
    #[schemars(length(max = 128), regex(pattern = TEXT))]
    reason: Option<String>,
    #[schemars(regex(pattern = "^[0-9]{2,8}$"))]
    agent: Option<String>,
    #[schemars(with = "Option<super::answers::Moment>")]
    at: Option<String>,
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    skill: Option<String>,
    #[schemars(length(min = 1, max = 1000), inner(range(min = 1, max = 9_007_199_254_740_991_i64)))]
    ids: Option<Vec<i64>>,
    filters: Option<LeadFilters>,
}

/// As the parameters of the table of leads. None at all is every lead.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LeadFilters {
    #[schemars(extend("enum" = ["open", "follow_up", "done", "failed", null]))]
    state: Option<String>,
    #[schemars(length(max = 64))]
    reason: Option<String>,
    #[schemars(length(max = 64))]
    outcome: Option<String>,
    #[schemars(length(max = 128))]
    disposition: Option<String>,
    #[schemars(length(max = 128))]
    building: Option<String>,
    callback: Option<bool>,
    #[schemars(length(max = 128))]
    q: Option<String>,
}

impl LeadFilters {
    fn filter(self) -> Result<LeadFilter, Problem> {
        let searched = self.q.as_deref().map(search_filter).transpose()?.unwrap_or_default();
        Ok(LeadFilter {
            state: self.state,
            reason: self.reason,
            outcome: self.outcome,
            disposition: self.disposition,
            building: self.building,
            callback: self.callback,
            ..searched
        })
    }
}

/// An action with its parts, before they are looked up.
struct Asked<'a> {
    action: LeadActionWord,
    agent: Option<&'a str>,
    at: Option<&'a str>,
    skill: Option<&'a str>,
}

impl Asked<'_> {
    /// Checks the parts against the campaign and its people.
    async fn action(
        &self,
        state: &AppState,
        caller: &Caller,
        campaign: &CampaignRecord,
    ) -> Result<LeadAction, Problem> {
        let takes_agent = matches!(self.action, LeadActionWord::Assign | LeadActionWord::Book);
        if self.agent.is_some() && !takes_agent {
            return Err(Problem::of_field("/agent", "only `assign` and `book` take it", "只用于分配和预约"));
        }
        let takes_at = self.action == LeadActionWord::Book;
        if !takes_at && (self.at.is_some() || self.skill.is_some()) {
            return Err(Problem::of_field("/at", "only `book` takes `at` and `skill`", "只用于预约"));
        }
        let agent = match self.agent {
            Some(number) => Some(agent_of(state, caller, campaign, number).await?),
            None => None,
        };
        Ok(match self.action {
            LeadActionWord::Close => LeadAction::Close,
            LeadActionWord::Reopen => LeadAction::Reopen,
            LeadActionWord::First => LeadAction::First,
            LeadActionWord::Unassign => LeadAction::Unassign,
            LeadActionWord::Blacklist => LeadAction::Blacklist,
            LeadActionWord::Assign => {
                let missing = || Problem::of_field("/agent", "name the agent's number", "请填写坐席工号");
                LeadAction::Assign { agent: agent.ok_or_else(missing)?.0 }
            }
            LeadActionWord::Book => LeadAction::Book {
                at: booked_at(self.at, state.now())?.as_millis(),
                agent: agent.map(|agent| agent.0),
                skill: self.skill.map(str::to_owned),
            },
        })
    }
}

/// The agent with this number, who must be one of the campaign's group.
async fn agent_of(
    state: &AppState,
    caller: &Caller,
    campaign: &CampaignRecord,
    number: &str,
) -> Result<AgentId, Problem> {
    let Some(group) = campaign_group(state, caller, campaign).await else {
        let detail = "this campaign has no group of agents, so no lead of it is an agent's";
        return Err(Problem::new(StatusCode::CONFLICT, "no_agents", detail));
    };
    let row = state.agent_by_number(&caller.scope, number).await?;
    if row.groups.iter().any(|membership| membership.group == group) {
        return Ok(row.id);
    }
    let detail = format!("the agent {number} is not in the campaign's group: add the agent to it first");
    Err(Problem::new(StatusCode::CONFLICT, "not_in_group", detail))
}

fn booked_at(text: Option<&str>, now: Utc) -> Result<Utc, Problem> {
    let unfit = || {
        let en = "a moment within a year, like 2030-01-31T09:30:00Z";
        Problem::of_field("/at", en, "一年以内的时间,如 2030-01-31T09:30:00Z")
    };
    let at = text.and_then(moment_of).ok_or_else(unfit)?;
    if at <= now {
        return Err(Problem::new(StatusCode::CONFLICT, "past", "at: this moment is in the past"));
    }
    if at > now + BOOKED_AHEAD { Err(unfit()) } else { Ok(at) }
}

/// Shift leads close and blacklist; the rest is for those who edit leads.
fn check_right(caller: &Caller, action: LeadActionWord) -> Result<(), Problem> {
    let needed = match action {
        LeadActionWord::Close => Action::LeadsClose,
        LeadActionWord::Blacklist => Action::BlacklistAdd,
        _ => Action::LeadsEdit,
    };
    if caller.may(needed) { Ok(()) } else { Err(Problem::missing_right(needed)) }
}

fn refusal(refusal: LeadRefusal, lead: i64) -> Problem {
    let detail = match refusal {
        LeadRefusal::Unknown => return Problem::not_found("lead"),
        LeadRefusal::Busy => "a call to this lead is up: change the lead when it is over",
        LeadRefusal::NotOpen => "the lead is closed: open it again first",
        LeadRefusal::NotClosed => "the lead is open already",
        LeadRefusal::Booked => {
            "the lead has a callback booked: book another moment, or open the lead again first"
        }
        LeadRefusal::Blacklisted => "every number of the lead is on the blacklist: take it off first",
        LeadRefusal::AttemptsUsed => {
            "every number of the lead has used the campaign's attempts: raise `attempts_max` of [retry] first"
        }
        LeadRefusal::NotAssigned => "the lead is assigned to no agent",
        LeadRefusal::Past => "this moment is in the past",
    };
    Problem::new(StatusCode::CONFLICT, refusal.word(), detail).with("lead", lead.into())
}

/// An action as a request has it, for undoing.
async fn action_json(state: &AppState, action: &LeadAction) -> Result<Value, Problem> {
    let numbers = state.agent_numbers().await?;
    let number = |id: Option<i64>| id.and_then(|id| numbers.get(&AgentId(id)));
    let (agent, at, skill) = match action {
        LeadAction::Assign { agent } => (Some(*agent), None, None),
        LeadAction::Book { at, agent, skill } => (*agent, Some(*at), skill.clone()),
        _ => (None, None, None),
    };
    Ok(json!({
        "action": action.word(),
        "agent": number(agent),
        "at": at.map(|at| moment(Utc::from_millis(at))),
        "skill": skill,
    }))
}

/// A standing in the words of the audit.
fn audit_view(standing: &LeadStanding) -> Value {
    json!({
        "state": standing.state,
        "reason": standing.reason,
        "next_at": (standing.next_at > 0).then(|| moment(Utc::from_millis(standing.next_at))),
        "callback_agent": standing.callback_agent,
        "assigned_agent": standing.assigned,
    })
}

/// Notifies the dialer, if it has the campaign open.
async fn notify_dialer(state: &AppState, campaign: CampaignId, action: ManagerAction) {
    state.engine().send(EngineRequest::ManagerAction { campaign, action }).await;
}

pub(super) async fn act(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<LeadActionRequest>,
) -> Result<Json<Value>, Problem> {
    check_right(&caller, asked.action)?;
    let lead = LeadId(parse_id(&id, "lead")?);
    let mut reader = state.store().reader().await?;
    let record = visible_lead(&state, &caller, &mut reader, lead).await?;
    drop(reader);
    let campaign = find_campaign(&state, &caller, &record.campaign).await?;
    let parts = Asked {
        action: asked.action,
        agent: asked.agent.as_deref(),
        at: asked.at.as_deref(),
        skill: asked.skill.as_deref(),
    };
    let action = parts.action(&state, &caller, &campaign).await?;
    let right = if action == LeadAction::Close { Action::LeadsClose } else { Action::LeadsEdit };
    let right = if action == LeadAction::Blacklist { Action::BlacklistAdd } else { right };
    let mut change = state.change(&caller, right, Subject::of("lead", lead)).await?;
    let changed = change.change_lead(&caller.scope, campaign.id, lead, &action).await?;
    let changed = changed.map_err(|why| refusal(why, lead.0))?;
    let addition = (action == LeadAction::Blacklist).then(|| BlacklistAddition {
        campaign: Some(campaign.id),
        patterns: changed.numbers.iter().copied().map(NumberPattern::exact).collect(),
        source: "by hand".into(),
        reason: asked.reason.clone(),
        added_by: Some(caller.account.as_ref().map_or("program", |account| &account.number).to_owned()),
        until: None,
    });
    if let Some(addition) = &addition {
        change.add_blacklist(addition).await?;
    }
    change.set_before(audit_view(&changed.before));
    let mut after = audit_view(&changed.after);
    (after["action"], after["why"]) = (action.word().into(), asked.reason.clone().into());
    change.set_after(after);
    change.add_event("leads", campaign.id, json!({ "campaign": campaign.name, "leads": 1 }));
    change.commit().await?;
    if let Some(addition) = &addition {
        state.store().apply_blacklist(addition).await?;
    }
    notify_dialer(&state, campaign.id, ManagerAction::LeadsChanged { leads: vec![lead] }).await;
    let inverse = match &changed.inverse {
        Some(inverse) => action_json(&state, inverse).await?,
        None => Value::Null,
    };
    Ok(Json(json!({ "done": true, "inverse": inverse })))
}

#[derive(Deserialize)]
pub(super) struct DryRun {
    dry_run: Option<bool>,
}

pub(super) async fn act_on_many(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<DryRun>,
    Body(asked): Body<LeadsActionRequest>,
) -> Result<Response, Problem> {
    check_right(&caller, asked.action)?;
    let campaign = find_campaign(&state, &caller, &name).await?;
    let parts = Asked {
        action: asked.action,
        agent: asked.agent.as_deref(),
        at: asked.at.as_deref(),
        skill: asked.skill.as_deref(),
    };
    let action = parts.action(&state, &caller, &campaign).await?;
    let (ids, filter) = match (asked.ids, asked.filters) {
        (Some(ids), None) if (1..=IDS_MAX).contains(&ids.len()) => (Some(ids), LeadFilter::default()),
        (None, Some(filters)) => (None, filters.filter()?),
        _ => {
            let detail = format!("send `ids` with 1 to {IDS_MAX} leads, or `filters`");
            return Err(Problem::unprocessable(detail));
        }
    };
    record_number_filter(&state, &caller, &filter).await?;
    let count = match &ids {
        Some(ids) => ids.len() as u64,
        None => {
            let mut reader = state.store().reader().await?;
            reader.count_leads(campaign.id, &filter, u64::MAX, &|| false).await?.0
        }
    };
    if query.dry_run == Some(true) {
        return Ok(Json(json!({ "count": count })).into_response());
    }
    let wish = LeadsWish {
        action,
        reason: asked.reason,
        ids,
        filter,
        campaign: campaign.name.clone(),
        asked_by: AskedBy::of(&caller.actor(), &caller.scope),
    };
    let right = if asked.action == LeadActionWord::Close { Action::LeadsClose } else { Action::LeadsEdit };
    let right = if asked.action == LeadActionWord::Blacklist { Action::BlacklistAdd } else { right };
    let mut change = state.change(&caller, right, Subject::of("campaign", &campaign.name)).await?;
    change.set_after(json!({ "action": wish.action.word(), "reason": wish.reason, "leads": count }));
    let by = caller.account.as_ref().map(|account| account.id.0);
    let wish = serde_json::to_value(&wish).map_err(Problem::internal)?;
    let task = change.queue_lead_changes(caller.scope.enterprise, campaign.id, count, by, &wish).await?;
    change.commit().await?;
    state.tasks().announce(Changed::Task(task));
    state.tasks().wake();
    let place = format!("{ROOT}/tasks/{}", task.0);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(json!({ "task": task.0 }))).into_response())
}

/// A lead that is added by hand, cleaned as a row of a list is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLeadRequest {
    #[schemars(length(max = 128), regex(pattern = TEXT))]
    name: Option<String>,
    #[schemars(length(min = 1, max = 20), inner(length(min = 1, max = 64)))]
    phones: Vec<String>,
    /// The household, as the list names it: its leads are never called at once.
    #[schemars(length(max = 128), regex(pattern = TEXT))]
    place: Option<String>,
    #[schemars(length(max = 64), regex(pattern = TEXT))]
    building: Option<String>,
    /// Texts by the columns of the campaign's first list.
    #[serde(default)]
    #[schemars(length(max = 200), inner(length(max = 1000)))]
    cells: BTreeMap<String, String>,
}

const TEXT_MAX: usize = 128;

fn one_line(field: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() <= TEXT_MAX && !text.chars().any(char::is_control) {
        return Ok(Some(text));
    }
    let (en, zh) = (format!("1 to {TEXT_MAX} characters on one line"), format!("一行,1 到 {TEXT_MAX} 个字"));
    Err(Problem::of_field(&format!("/{field}"), &en, &zh))
}

fn addition_problem(why: AdditionRefusal, sight: NumberSight) -> Problem {
    match why {
        AdditionRefusal::Duplicate { number, row } => {
            let number: Value = ShownNumber::of(number, sight).into();
            let shown = number.as_str().unwrap_or_default();
            let detail = format!("{shown} is a lead of this campaign already, in row {row} of its list");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "duplicate", detail).with("row", row.into())
        }
        AdditionRefusal::Blacklisted => {
            let detail = "every number is on the blacklist: take it off first";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "blacklisted", detail)
        }
        AdditionRefusal::Column { name, known } => {
            let (name, known) = (name.escape_debug().to_string(), known.join(", "));
            let (name, known) = (shown_text(&name, sight), shown_text(&known, sight));
            let en = format!("there is no column `{name}`; known are {known}");
            Problem::of_field("/cells", &en, &format!("没有“{name}”这一列;已有:{known}"))
        }
    }
}

/// The country of numbers without a country code, from the campaign's text.
fn region_of(toml: &str) -> String {
    let text: Option<toml::Table> = toml.parse().ok();
    let region = text.as_ref().and_then(|text| text.get("list")?.get("region")?.as_str());
    region.unwrap_or("CN").to_owned()
}

pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Body(asked): Body<NewLeadRequest>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let campaign = find_campaign(&state, &caller, &name).await?;
    let phones = clean_phones(&asked.phones, &region_of(&campaign.toml)).map_err(|refused| {
        let PhoneRefusal { reason, hint } = refused;
        let hint = shown_text(&hint, caller.sight());
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, reason.word(), hint)
    })?;
    let lead = NewLead {
        name: one_line("name", asked.name)?,
        phones,
        place: one_line("place", asked.place)?,
        building: one_line("building", asked.building)?,
        cells: asked.cells.into_iter().map(|(name, cell)| (name, cell.replace('\0', "\u{fffd}"))).collect(),
    };
    let mut change = state.change(&caller, Action::LeadsAdd, Subject::of("campaign", &campaign.name)).await?;
    let added = change.add_lead(campaign.id, &lead).await?;
    let added = added.map_err(|why| addition_problem(why, caller.sight()))?;
    change.set_after(json!({
        "lead": added.0,
        "name": shown_optional(lead.name.as_ref(), NumberSight::Masked),
        "phones": lead.phones.iter().map(|(number, _)| ShownNumber::of(*number, NumberSight::Masked).into())
            .collect::<Vec<Value>>(),
    }));
    change.add_event("leads", campaign.id, json!({ "campaign": campaign.name, "leads": 1 }));
    change.commit().await?;
    notify_dialer(&state, campaign.id, ManagerAction::LeadsAdded).await;
    Ok((StatusCode::CREATED, Json(json!({ "lead": added.0 }))))
}
