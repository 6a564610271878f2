//! Handlers of the agents' desk: colleagues to consult, the agent's own leads and callbacks, the lock of the screen, and
//! the card of the person on the seat.

use super::app_state::{AppState, OpenCampaignFacts};
use super::auth::{Body, Caller};
use super::problem::Problem;
use super::records::lead_json;
use super::shown_number::shown_optional;
use super::views::{millis, moment};
use super::{actions, floor};
use crate::engine::EngineRequest;
use crate::store::lead_actions::LeadAction;
use crate::store::{AgentRow, DeskLead, Subject};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use paceline_core::agent::{Activity, Availability};
use paceline_core::campaign::Mode;
use paceline_core::dialer::input::ManagerAction;
use paceline_core::ids::{CampaignId, LeadId};
use paceline_core::time::Utc;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Leads and callbacks of one answer.
const PAGE: u32 = 100;

/// Open leads that an agent may hold by fetching.
const HELD_MAX: i64 = 200;

#[derive(Deserialize)]
pub(super) struct ColleaguesQuery {
    group: Option<String>,
}

/// Agents who may be consulted: of the named group, otherwise of the caller's own; the idle ones first.
pub(super) async fn colleagues(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ColleaguesQuery>,
) -> Result<Json<Value>, Problem> {
    let groups = match &query.group {
        Some(name) => [state.group_by_name(&caller.scope, name).await?.group.id].into(),
        None => caller.groups(),
    };
    let board = floor::board(&state);
    let agents = state.agents_in(&caller.scope).await?;
    let is_colleague = |row: &&AgentRow| {
        row.active && !caller.is_agent(row.id) && row.groups.iter().any(|it| groups.contains(&it.group))
    };
    let mut items: Vec<(u8, &AgentRow, &'static str)> = agents
        .iter()
        .filter(is_colleague)
        .map(|row| match board.seats.get(&row.id) {
            Some(seat) if seat.availability != Availability::SignedOut => {
                let is_free = seat.activity == Activity::Idle;
                let rank = match seat.availability {
                    Availability::Available if is_free => 0,
                    _ if is_free => 1,
                    _ => 2,
                };
                let word = match (&seat.availability, is_free) {
                    (Availability::Paused { .. }, true) => "paused",
                    _ => seat.activity.word(),
                };
                (rank, row, word)
            }
            _ => (3, row, "signed_out"),
        })
        .collect();
    items.sort_by(|(a, one, _), (b, other, _)| (a, &one.number).cmp(&(b, &other.number)));
    let items = items.into_iter().map(
        |(_, row, activity)| json!({ "number": row.number, "name": row.details.name, "activity": activity }),
    );
    Ok(Json(json!({ "items": items.collect::<Vec<_>>() })))
}

/// An open campaign that the caller may see, by its name.
fn open_campaign(
    state: &AppState,
    caller: &Caller,
    name: &str,
) -> Result<(CampaignId, Arc<OpenCampaignFacts>), Problem> {
    let found = state.campaign_named(&caller.scope, name);
    let found = found.filter(|(_, facts)| caller.can_see_campaign(facts));
    found.ok_or_else(|| Problem::not_found("open campaign"))
}

#[derive(Deserialize)]
pub(super) struct LeadsQuery {
    campaign: Option<String>,
    state: Option<String>,
    after: Option<i64>,
}

/// The open campaigns of the caller's own groups, by name.
fn own_campaigns(state: &AppState, caller: &Caller) -> BTreeMap<CampaignId, String> {
    let groups = caller.groups();
    let is_own = |facts: &OpenCampaignFacts| {
        let group = facts.rules.agents.as_ref().map(|rules| rules.group);
        caller.can_see_campaign(facts) && group.is_some_and(|group| groups.contains(&group))
    };
    let open = state.campaigns().into_iter().filter(|(_, facts)| is_own(facts));
    open.map(|(id, facts)| (id, facts.rules.name.clone())).collect()
}

/// The caller's own leads in a state, of one campaign or of all that are open, with how many there are in each state.
pub(super) async fn leads(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<LeadsQuery>,
) -> Result<Json<Value>, Problem> {
    let account = caller.account()?.id;
    let open = match query.campaign.as_deref() {
        Some(name) => {
            let (id, facts) = open_campaign(&state, &caller, name)?;
            BTreeMap::from([(id, facts.rules.name.clone())])
        }
        None => own_campaigns(&state, &caller),
    };
    let ids: Vec<CampaignId> = open.keys().copied().collect();
    let wanted = query.state.as_deref().unwrap_or("open");
    let mut reader = state.store().reader().await?;
    let rows = reader.desk_leads(&ids, account, wanted, query.after.unwrap_or(0), PAGE).await?;
    let counts: BTreeMap<String, i64> = reader.desk_counts(&ids, account).await?.into_iter().collect();
    let next = rows.last().filter(|_| rows.len() as u32 == PAGE).map(|row| row.lead_id);
    let sight = caller.sight();
    let items = rows.iter().map(|row| {
        json!({
            "lead": row.lead_id,
            "campaign": open.get(&CampaignId(row.campaign_id)),
            "name": shown_optional(row.name.as_ref(), sight),
            "household": shown_optional(row.household.as_ref(), sight),
            "state": row.state,
            "next_at": millis(Some(row.next_at).filter(|at| *at > 0)),
            "disposition": row.disposition,
            "last_outcome": row.last_outcome,
            "last_at": millis(row.last_at),
        })
    });
    Ok(Json(json!({ "items": items.collect::<Vec<_>>(), "next": next, "counts": counts })))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FetchRequest {
    #[schemars(length(min = 1, max = 64))]
    campaign: String,
    #[schemars(range(min = 1, max = 50))]
    count: u32,
}

/// Assigns further leads that nobody has to the caller, in the order of dialling. Only where agents see a lead before
/// it is called: a campaign that dials by itself would keep the leads from everyone else.
pub(super) async fn fetch(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<FetchRequest>,
) -> Result<Json<Value>, Problem> {
    let account = caller.account()?.id;
    if !(1..=50).contains(&asked.count) {
        return Err(Problem::of_field("/count", "1 to 50 at once", "一次 1 到 50 位"));
    }
    let (campaign, facts) = open_campaign(&state, &caller, &asked.campaign)?;
    let group = facts.rules.agents.as_ref().map(|rules| rules.group);
    if !group.is_some_and(|group| caller.groups().contains(&group)) {
        let detail = "you are not in the campaign's group: ask the shift lead";
        return Err(Problem::new(StatusCode::CONFLICT, "not_in_group", detail));
    }
    if facts.rules.mode != Mode::Preview {
        let detail = "this campaign gives each agent the next lead by itself: there is nothing to fetch";
        return Err(Problem::new(StatusCode::CONFLICT, "not_preview", detail));
    }
    let mut reader = state.store().reader().await?;
    let held = reader.desk_counts(&[campaign], account).await?;
    let held = held.iter().find(|(state, _)| state == "open").map_or(0, |(_, leads)| *leads);
    let room = u32::try_from((HELD_MAX - held).max(0)).unwrap_or(0);
    let found = reader.free_leads(campaign, asked.count.min(room)).await?;
    drop(reader);
    let subject = Subject::of("campaign", &facts.rules.name);
    let mut change = state.change_own(&caller, "leads.fetch", subject).await?;
    let mut fetched = Vec::new();
    for lead in found {
        let assign = LeadAction::Assign { agent: account.0 };
        // One that another agent's call or fetch took meanwhile is passed over.
        if change.change_lead(&caller.scope, campaign, lead, &assign).await?.is_ok() {
            fetched.push(lead);
        }
    }
    change.set_after(json!({ "fetched": fetched.len() }));
    change.commit().await?;
    let count = fetched.len();
    if count > 0 {
        let action = ManagerAction::LeadsChanged { leads: fetched };
        state.engine().send(EngineRequest::ManagerAction { campaign, action }).await;
    }
    Ok(Json(json!({ "fetched": count })))
}

/// Callbacks booked for the caller, and those for anyone in the open campaigns of the caller's groups.
pub(super) async fn callbacks(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Problem> {
    let account = caller.account()?;
    let open = own_campaigns(&state, &caller);
    let ids: Vec<CampaignId> = open.keys().copied().collect();
    let rows = state.store().reader().await?.desk_callbacks(account.id, &ids, PAGE).await?;
    let speaks = |row: &&DeskLead| {
        row.callback_agent.is_some()
            || row.callback_skill.as_ref().is_none_or(|skill| account.details.skills.contains(skill))
    };
    let sight = caller.sight();
    let items = rows.iter().filter(speaks).map(|row| {
        json!({
            "lead": row.lead_id,
            "campaign": open.get(&CampaignId(row.campaign_id)),
            "name": shown_optional(row.name.as_ref(), sight),
            "household": shown_optional(row.household.as_ref(), sight),
            "at": moment(Utc::from_millis(row.next_at)),
            "own": row.callback_agent.is_some(),
            "skill": row.callback_skill,
        })
    });
    Ok(Json(json!({ "items": items.collect::<Vec<_>>() })))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LockRequest {
    /// What the pause is logged with.
    #[schemars(length(min = 1, max = 200))]
    reason: String,
}

/// Locks the screen of this session until the password is typed, and pauses the seat if it is signed in to work.
pub(super) async fn lock(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<LockRequest>,
) -> Result<StatusCode, Problem> {
    let account = caller.account()?;
    let Some(session) = &caller.session else {
        return Err(Problem::unprocessable("only a screen that is signed in with a password is locked"));
    };
    // First the lock: a pause that is refused leaves no open screen.
    state.store().lock_session(&session.hash).await?;
    let board = floor::board(&state);
    let is_working =
        board.seats.get(&account.id).is_some_and(|it| it.availability != Availability::SignedOut);
    if is_working {
        let pause = json!({ "action": "pause", "reason": asked.reason });
        drop(actions::carry_out(&state, &caller, account, pause).await?);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The record of a person who is on the caller's seat.
pub(super) async fn card(state: &AppState, caller: &Caller, lead: LeadId) -> Result<Value, Problem> {
    let mut reader = state.store().reader().await?;
    let record = reader.lead_record(lead).await?;
    let record = record.filter(|it| caller.scope.holds(it.enterprise, it.organisation));
    let record = record.ok_or_else(|| Problem::not_found("lead"))?;
    lead_json(state, &mut reader, &record, caller.sight()).await
}
