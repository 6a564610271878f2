//! Begins forecasts of a campaign; the task has the result.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::campaign_series::find_visible;
use super::problem::Problem;
use super::route::ROOT;
use crate::store::task_rows::{TaskFilter, TaskKind, TaskState};
use crate::store::{Scope, Subject};
use crate::tasks::{
    Changed, FORECAST_AGENTS_MAX, FORECAST_HOURS_MAX, FORECAST_SEEDS_MAX, ForecastWish, forecast_refusal,
};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Forecasts of an enterprise that wait or run: lists are checked by the same two threads.
const OPEN_MAX: usize = 3;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForecastRequest {
    #[schemars(range(min = 1, max = 2000))]
    agents: u32,
    /// Share of calls that a person answers.
    #[schemars(range(min = 0.0, max = 1.0))]
    answer_rate: Option<f64>,
    /// Medians of the conversation, of the wrap-up and of ringing before an answer.
    #[schemars(range(min = 0.5, max = 7200.0))]
    talk_secs: Option<f64>,
    #[schemars(range(min = 0.5, max = 7200.0))]
    wrap_secs: Option<f64>,
    #[schemars(range(min = 0.5, max = 7200.0))]
    ring_secs: Option<f64>,
    /// What is not given is measured in the campaign's own past calls; without it, usual figures are taken.
    #[serde(default)]
    from_history: bool,
    #[schemars(range(min = 0.1, max = 24.0))]
    hours: f64,
    /// Virtual days for each pacing mode.
    #[schemars(range(min = 1, max = 20))]
    seeds: u64,
    /// Also the agents that finish the list within `hours`.
    #[serde(default)]
    needed: bool,
}

impl ForecastRequest {
    fn checked(self) -> Result<ForecastWish, Problem> {
        let ForecastRequest { agents, answer_rate, talk_secs, wrap_secs, ring_secs, .. } = self;
        let fits = |value: Option<f64>, (least, most): (f64, f64), what: &str| match value {
            Some(value) if !(least..=most).contains(&value) => {
                Err(Problem::unprocessable(format!("{what}: {least} to {most}")))
            }
            _ => Ok(()),
        };
        let secs = (0.5, 7_200.0);
        fits(answer_rate, (0.0, 1.0), "answer_rate")?;
        fits(talk_secs, secs, "talk_secs")?;
        fits(wrap_secs, secs, "wrap_secs")?;
        fits(ring_secs, secs, "ring_secs")?;
        fits(Some(self.hours), (0.1, FORECAST_HOURS_MAX), "hours")?;
        fits(Some(f64::from(agents)), (1.0, f64::from(FORECAST_AGENTS_MAX)), "agents")?;
        fits(Some(self.seeds as f64), (1.0, FORECAST_SEEDS_MAX as f64), "seeds")?;
        Ok(ForecastWish {
            agents,
            hours: self.hours,
            seeds: self.seeds,
            answer_rate,
            talk_secs,
            wrap_secs,
            ring_secs,
            from_history: self.from_history,
            needed: self.needed,
        })
    }
}

pub(super) async fn begin(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Body(asked): Body<ForecastRequest>,
) -> Result<Response, Problem> {
    let record = find_visible(&state, &caller, &name).await?;
    let wish = asked.checked()?;
    if let Some(words) = forecast_refusal(&record) {
        return Err(
            Problem::new(StatusCode::CONFLICT, "no_forecast", words.en.clone()).with("words", json!(words))
        );
    }
    refuse_too_many(&state, &caller).await?;
    let wish = json!(wish);
    let mut change = state.change_own(&caller, "campaigns.forecast", Subject::of("campaign", &name)).await?;
    let by = caller.account.as_ref().map(|account| account.id.0);
    let task = change.queue_forecast(caller.scope.enterprise, record.id, by, &wish).await?;
    change.set_after(wish);
    change.commit().await?;
    state.tasks().wake();
    state.tasks().announce(Changed::Task(task));
    let place = format!("{ROOT}/tasks/{}", task.0);
    let answer = Json(json!({ "task": task.0 }));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], answer).into_response())
}

async fn refuse_too_many(state: &AppState, caller: &Caller) -> Result<(), Problem> {
    // Those of the whole enterprise: its parts share the threads.
    let enterprise = caller.scope.enterprise;
    let scope = Scope { enterprise, organisations: vec![enterprise] };
    let mut open = 0;
    for wanted in [TaskState::Queued, TaskState::Running] {
        let filter =
            TaskFilter { kind: Some(TaskKind::Forecast), state: Some(wanted), ..TaskFilter::default() };
        open += state.store().tasks(&scope, &filter, OPEN_MAX as u32).await?.len();
    }
    if open < OPEN_MAX {
        return Ok(());
    }
    let detail = format!("{open} forecasts wait or run already; wait for one, or cancel it");
    Err(Problem::new(StatusCode::CONFLICT, "busy", detail))
}
