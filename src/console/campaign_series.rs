//! A campaign by the minute, for plots.

use super::app_state::AppState;
use super::auth::Caller;
use super::fields::parse_moment;
use super::problem::Problem;
use super::views::moment;
use crate::store::{CampaignMinute, CampaignRecord};
use axum::Json;
use axum::extract::{Path, Query, State};
use paceline_core::time::{Duration, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MINUTE: Duration = Duration::from_secs(60);

/// Steps in an answer: a day of minutes, two months of hours.
const ITEMS_MAX: u64 = 1_500;

/// What is answered without `from`.
const SPAN: Duration = Duration::from_secs(4 * 3_600);

/// Words of `step`, in minutes.
pub(super) const STEPS: &[&str] = &["1", "5", "15", "60"];

/// A campaign that the caller may see, open or not. One that is not open has no group at hand: it is shown to those who
/// see all.
pub(super) async fn find_visible(
    state: &AppState,
    caller: &Caller,
    name: &str,
) -> Result<CampaignRecord, Problem> {
    let missing = || Problem::not_found("campaign");
    let record = state.store().reader().await?.campaign_in(&caller.scope, name).await?;
    let open = state.campaign_named(&caller.scope, name);
    let may_see = match &open {
        Some((_, facts)) => caller.can_see_campaign(facts),
        None => caller.can_see_all(),
    };
    record.filter(|_| may_see).ok_or_else(missing)
}

#[derive(Deserialize)]
pub(super) struct SeriesQuery {
    from: Option<String>,
    until: Option<String>,
    step: Option<String>,
}

/// Minutes of a campaign, summed over steps.
pub(super) async fn series(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<SeriesQuery>,
) -> Result<Json<Value>, Problem> {
    let campaign = find_visible(&state, &caller, &name).await?.id;
    let minutes = query.step.as_deref().and_then(|step| step.parse::<u32>().ok()).unwrap_or(1);
    let step = MINUTE * minutes;
    let until = parse_moment(query.until.as_deref(), "until")?.map_or(state.now(), Utc::from_millis);
    let from = parse_moment(query.from.as_deref(), "from")?.map_or(until - SPAN, Utc::from_millis);
    if from >= until {
        return Err(Problem::unprocessable("from: before `until`"));
    }
    let steps = until.since(from).as_secs() / step.as_secs();
    if steps > ITEMS_MAX {
        let detail =
            format!("{steps} steps are asked for, at most {ITEMS_MAX} are answered; take a longer `step`");
        return Err(Problem::unprocessable(detail));
    }
    // Whole steps, so that a step is never shown with a part of its minutes.
    let from = begin_of_step(from, step);
    let limit = (ITEMS_MAX as u32 + 1) * minutes;
    let rows = state.store().reader().await?.campaign_minutes(campaign, from, until, limit).await?;
    let items: Vec<Value> = summed(&rows, step).iter().map(shown).collect();
    Ok(Json(json!({ "step_secs": step.as_secs(), "items": items })))
}

fn begin_of_step(at: Utc, step: Duration) -> Utc {
    let step = step.as_millis() as i64;
    Utc::from_millis(at.as_millis().div_euclid(step) * step)
}

/// Rows in order, one for each step that has any: counts are added, conversations averaged, and what stood at the end of
/// a minute is that of the last.
fn summed(rows: &[CampaignMinute], step: Duration) -> Vec<CampaignMinute> {
    let mut steps: Vec<CampaignMinute> = Vec::new();
    let mut minutes = 0.0;
    for row in rows {
        let at = begin_of_step(row.at, step);
        match steps.last_mut().filter(|last| last.at == at) {
            Some(last) => {
                minutes += 1.0;
                let limits = std::mem::take(&mut last.limits);
                *last = CampaignMinute {
                    at,
                    placed: last.placed + row.placed,
                    answered: last.answered + row.answered,
                    talking: last.talking + (row.talking - last.talking) / minutes,
                    limits: added(limits, &row.limits),
                    ..row.clone()
                };
            }
            None => {
                minutes = 1.0;
                steps.push(CampaignMinute { at, ..row.clone() });
            }
        }
    }
    steps
}

fn added(mut sums: BTreeMap<String, f64>, more: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    for (limit, secs) in more {
        *sums.entry(limit.clone()).or_default() += secs;
    }
    sums
}

/// One item of the series, and the event `minute`.
pub(super) fn shown(minute: &CampaignMinute) -> Value {
    json!({
        "at": moment(minute.at),
        "placed": minute.placed,
        "answered": minute.answered,
        "talking": minute.talking,
        "abandoned": minute.abandoned,
        "divisor": minute.divisor,
        "upper": minute.upper,
        "agents": minute.agents,
        "limits": minute.limits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::ids::CampaignId;

    #[test]
    fn minutes_are_summed_by_steps() {
        let row = |minute: i64, placed, talking, budget| CampaignMinute {
            placed,
            answered: 1,
            talking,
            abandoned: minute as f64,
            limits: [("budget".to_owned(), budget)].into(),
            ..CampaignMinute::empty(CampaignId(1), Utc::from_millis(minute * 60_000))
        };
        let rows = [row(9, 5, 1.0, 60.0), row(10, 2, 3.0, 10.0), row(12, 3, 6.0, 20.0), row(14, 1, 0.0, 0.0)];
        let steps = summed(&rows, MINUTE * 5);
        assert_eq!(steps.len(), 2);
        assert_eq!((steps[0].at, steps[0].placed), (Utc::from_millis(300_000), 5));
        let last = &steps[1];
        assert_eq!((last.at, last.placed, last.answered), (Utc::from_millis(600_000), 6, 3));
        assert_eq!((last.talking, last.abandoned, last.limits["budget"]), (3.0, 14.0, 30.0));
        assert_eq!(summed(&rows, MINUTE), rows);
    }
}
