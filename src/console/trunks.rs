//! Handlers of trunks: a test call over one, and the trace of a call, step by step and in words.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{DIALLED, parse_dialled, parse_shown};
use super::floor;
use super::problem::Problem;
use super::records::parse_id;
use super::rights::Action;
use super::shown_number::{NumberSight, shown_text};
use super::trunk_rows::set_enabled;
use super::views::{millis, stored_number};
use super::why::add_sentences;
use crate::engine::{TrunkTestRefusal, test_campaign_retry};
use crate::store::{CallTrace, NewCampaign, Subject};
use crate::text::{CallFacts, Lang};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use paceline_core::call_steps::Step;
use paceline_core::campaign::{Mode, TRUNK_TEST};
use paceline_core::ids::{AgentId, AttemptId};
use paceline_core::outcome::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a test call may wait for the trunk's rate and the store before the request is given up.
const PLACING_WAIT: Duration = Duration::from_secs(10);

/// A manager's action on a trunk.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "action", deny_unknown_fields)]
pub(super) enum TrunkAction {
    /// Calls a number over this trunk, plays a tone for some seconds and hangs up; in no list and in no campaign.
    TestCall {
        #[schemars(regex(pattern = DIALLED))]
        number: String,
        /// The number to show; without it the trunk's own.
        #[schemars(regex(pattern = DIALLED))]
        caller_id: Option<String>,
    },
    /// Takes the trunk out of use: no call is placed over it, calls that are up go on.
    Disable {},
    /// Takes it into use again, and ends what the line guard or the carrier let it rest for.
    Enable {},
}

pub(super) async fn trunk_action(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Body(asked): Body<TrunkAction>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (number, caller_id) = match asked {
        TrunkAction::TestCall { number, caller_id } => (number, caller_id),
        TrunkAction::Disable {} => return set_enabled(&state, &caller, &name, false).await,
        TrunkAction::Enable {} => return set_enabled(&state, &caller, &name, true).await,
    };
    let number = parse_dialled(&number)?;
    let caller_id = caller_id.as_deref().map(parse_shown).transpose()?;
    let known: Vec<String> = floor::board(&state).trunks.iter().map(|trunk| trunk.name.clone()).collect();
    if !known.contains(&name) {
        return Err(TrunkTestRefusal::UnknownTrunk(known).into());
    }
    if caller.organisation.suspended {
        return Err(Problem::suspended());
    }
    let mut change = state.change(&caller, Action::TrunksTest, Subject::of("trunk", &name)).await?;
    let shown = shown_text(&number.to_string(), NumberSight::Masked);
    change.set_after(json!({ "action": "test_call", "number": shown }));
    change.commit().await?;
    let campaign = state
        .store()
        .define_campaign(&NewCampaign {
            name: TRUNK_TEST,
            title: "Test calls over trunks",
            mode: Mode::Announce.word(),
            timezone: "UTC",
            toml: "",
            retry: &test_campaign_retry(),
        })
        .await?;
    let placed = state.engine().test_trunk(campaign, name, number, caller_id);
    let late = || Problem::full("the call was not placed in time; look for it in the log of calls");
    let placed = tokio::time::timeout(PLACING_WAIT, placed).await.map_err(|_| late())?;
    let attempt = placed.ok_or_else(|| Problem::internal("the engine has stopped"))??;
    Ok((StatusCode::ACCEPTED, Json(json!({ "attempt": attempt.0 }))))
}

impl From<TrunkTestRefusal> for Problem {
    fn from(refusal: TrunkTestRefusal) -> Problem {
        let (status, code) = match &refusal {
            TrunkTestRefusal::UnknownTrunk(_) => (StatusCode::NOT_FOUND, "not_found"),
            TrunkTestRefusal::NotCarried => (StatusCode::UNPROCESSABLE_ENTITY, "not_carried"),
            TrunkTestRefusal::Full => (StatusCode::CONFLICT, "trunk_full"),
            TrunkTestRefusal::StoreStalled => (StatusCode::SERVICE_UNAVAILABLE, "store_stalled"),
            TrunkTestRefusal::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
            TrunkTestRefusal::Blacklisted => (StatusCode::CONFLICT, "blacklisted"),
            TrunkTestRefusal::NotNow(_) => (StatusCode::CONFLICT, "not_now"),
        };
        Problem::new(status, code, refusal.to_string())
    }
}

/// What a call did. While it is live, what it has done so far.
pub(super) async fn trace(
    State(state): State<AppState>,
    caller: Caller,
    Path(attempt): Path<String>,
) -> Result<Json<Value>, Problem> {
    let attempt = AttemptId(parse_id(&attempt, "call")?);
    // Asked before the store: a call that ends in between is whole there.
    let live = state.engine().call_steps(attempt).await;
    let found = state.store().reader().await?.call_trace(attempt).await?;
    let row = found.ok_or_else(|| Problem::not_found("call"))?;
    let is_own = caller.scope.holds(row.enterprise, row.organisation);
    if !is_own || !may_see(&state, &caller, &row).await? {
        return Err(Problem::not_found("call"));
    }
    let text = row.steps.as_deref().or(live.as_deref()).unwrap_or("[]");
    let steps: Vec<Step> = serde_json::from_str(text).map_err(Problem::internal)?;
    Ok(Json(trace_json(attempt, &row, &steps, caller.sight())))
}

/// Callers that see every call, the agent who spoke in it, and their shift leads.
async fn may_see(state: &AppState, caller: &Caller, row: &CallTrace) -> Result<bool, Problem> {
    if caller.can_see_all() {
        return Ok(true);
    }
    let Some(agent) = row.agent_id.map(AgentId) else { return Ok(false) };
    Ok(state.agent_by_id(agent).await.is_ok_and(|row| caller.can_see(&row)))
}

/// The cause of a call's end in both languages.
pub(super) fn cause_words(cause: &str, sight: NumberSight) -> Value {
    let [en, zh] = [Lang::En, Lang::Zh].map(|lang| shown_text(&lang.call_cause(cause), sight));
    json!({ "en": en, "zh": zh })
}

fn trace_json(attempt: AttemptId, row: &CallTrace, steps: &[Step], sight: NumberSight) -> Value {
    let mut answer = json!({
        "attempt": attempt.0,
        "campaign": row.campaign,
        "trunk": row.trunk,
        "number": stored_number(Some(row.number), sight),
        "lead": row.lead_id,
        "at": millis(Some(row.placed_at)),
        "ringing_at": millis(row.ringing_at),
        "answered_at": millis(row.answered_at),
        "ended_at": millis(row.ended_at),
        "outcome": row.outcome,
        "sip_code": row.sip_code,
        "cause": shown_text(&row.cause, sight),
        "cause_words": cause_words(&row.cause, sight),
        "ended_by": row.ended_by,
        "steps": steps.iter().map(|step| json!({
            "at_ms": step.at_ms,
            "dir": step.dir.word(),
            "text": shown_text(&step.text, sight),
            "again": step.again,
            "peer": step.peer,
            "words": Lang::En.step_words(&step.text).zip(Lang::Zh.step_words(&step.text)).map(|(en, zh)| {
                json!({ "en": shown_text(&en, sight), "zh": shown_text(&zh, sight) })
            }),
        })).collect::<Vec<_>>(),
        "words": null,
        "advice": null,
    });
    let outcome = row.outcome.as_deref().and_then(Outcome::from_word);
    if let Some(outcome) = outcome.filter(|_| row.ended_at.is_some()) {
        let facts = CallFacts {
            trunk: &row.trunk,
            outcome,
            sip_code: row.sip_code.and_then(|code| u16::try_from(code).ok()),
            cause: &row.cause,
            answered: row.answered_at.is_some(),
            steps,
        };
        add_sentences(&mut answer, |lang| lang.call_meaning(&facts));
    }
    answer
}
