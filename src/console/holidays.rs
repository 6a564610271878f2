//! Handlers of the organisation's holidays, which hold for every campaign of it beside the campaign's own.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::campaign_text::apply_live;
use super::organisations::change_row;
use super::problem::Problem;
use super::rights::Action;
use super::versions::answer_of_row;
use crate::config::holidays::{parse_days, written};
use crate::store::OrganisationRow;
use crate::text::fault_sentence_zh;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

const DAYS_MAX: usize = 200;

/// Campaigns whose open runs are brought up to date at once.
const CAMPAIGNS_MAX: u32 = 1_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HolidaysRequest {
    /// Days and ranges: `2027-01-01`, `2027-02-05..2027-02-12`.
    #[schemars(
        length(max = 200),
        inner(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(\.\.[0-9]{4}-[0-9]{2}-[0-9]{2})?$"))
    )]
    days: Vec<String>,
}

fn answer(row: &OrganisationRow) -> Response {
    answer_of_row(row.version, json!({ "days": row.settings.holidays, "version": row.version }))
}

pub(super) async fn show(caller: Caller) -> Response {
    answer(&caller.organisation)
}

pub(super) async fn replace(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Body(asked): Body<HolidaysRequest>,
) -> Result<Response, Problem> {
    if asked.days.len() > DAYS_MAX {
        let (en, zh) = (format!("at most {DAYS_MAX} days and ranges"), format!("最多 {DAYS_MAX} 项"));
        return Err(Problem::of_field("/days", &en, &zh));
    }
    let mut days = Vec::new();
    for (place, text) in asked.days.iter().enumerate() {
        let unfit = |(found, hint): (String, String)| {
            let zh = fault_sentence_zh(None, &found, &hint);
            Problem::of_field(&format!("/days/{place}"), &format!("{found}; {hint}"), &zh)
        };
        days.push(parse_days(text).map_err(unfit)?);
    }
    days.sort_unstable();
    days.dedup();
    let days: Vec<String> = days.iter().map(written).collect();
    let id = caller.organisation.id;
    let edit = |row: &mut OrganisationRow| row.settings.holidays = days;
    let row = change_row(&state, &caller, Action::ScheduleEdit, &headers, id, edit).await?;
    for campaign in state.store().campaign_rows(&caller.scope, None, CAMPAIGNS_MAX).await? {
        if state.campaigns().contains_key(&campaign.id) {
            apply_live(&state, &campaign).await;
        }
    }
    Ok(answer(&row))
}
