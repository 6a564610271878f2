//! Handler of a call's trace: its steps in words, and what came of it.

use super::app_state::AppState;
use super::auth::Caller;
use super::call_moments::{RowMoments, StepClock};
use super::problem::Problem;
use super::records::parse_id;
use super::shown_number::{NumberSight, shown_text};
use super::views::{millis, stored_number};
use super::why::add_sentences;
use crate::store::CallTrace;
use crate::text::{CallFacts, Lang, steps_in_words};
use axum::Json;
use axum::extract::{Path, State};
use paceline_core::call_steps::Step;
use paceline_core::ids::{AgentId, AttemptId};
use paceline_core::outcome::Outcome;
use serde_json::{Value, json};

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

/// Steps as [`super::answers::StepView`]s. `ended` = the final response of an ended call and what it came to.
fn steps_json(
    steps: &[Step],
    clock: &StepClock,
    ended: Option<(u16, Outcome)>,
    sight: NumberSight,
) -> Vec<Value> {
    let [en, zh] = [Lang::En, Lang::Zh].map(|lang| steps_in_words(lang, steps, ended));
    let shown = |(step, words): (&Step, (Option<String>, Option<String>))| {
        json!({
            "at_ms": step.at_ms,
            "at": millis(Some(clock.at(step.at_ms))),
            "dir": step.dir.word(),
            "text": shown_text(&step.text, sight),
            "again": step.again,
            "peer": step.peer,
            "words": words.0.zip(words.1).map(|(en, zh)| {
                json!({ "en": shown_text(&en, sight), "zh": shown_text(&zh, sight) })
            }),
        })
    };
    steps.iter().zip(en.into_iter().zip(zh)).map(shown).collect()
}

fn trace_json(attempt: AttemptId, row: &CallTrace, steps: &[Step], sight: NumberSight) -> Value {
    let outcome = row.outcome.as_deref().and_then(Outcome::from_word).filter(|_| row.ended_at.is_some());
    let sip_code = row.sip_code.and_then(|code| u16::try_from(code).ok());
    let ended = sip_code.zip(outcome);
    let clock = StepClock::of(
        RowMoments {
            opened: row.placed_at,
            ringing: row.ringing_at,
            answered: row.answered_at,
            ended: row.ended_at,
        },
        steps,
    );
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
        "steps": steps_json(steps, &clock, ended, sight),
        "words": null,
        "advice": null,
    });
    if let Some(outcome) = outcome {
        let facts = CallFacts {
            trunk: &row.trunk,
            outcome,
            sip_code,
            cause: &row.cause,
            answered: row.answered_at.is_some(),
            steps,
        };
        add_sentences(&mut answer, |lang| lang.call_meaning(&facts));
    }
    answer
}
