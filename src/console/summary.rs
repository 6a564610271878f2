//! The content of a campaign's `summary.json`, counted anew.

use super::app_state::AppState;
use super::auth::Caller;
use super::campaign_series::find_visible;
use super::problem::Problem;
use super::shown_number::{NumberSight, shown_optional, shown_text};
use super::views::moment;
use crate::store::CampaignRecord;
use crate::tasks::{Summary, campaign_summary};
use crate::text::TimeFormat;
use axum::Json;
use axum::extract::{Path, State};
use paceline_core::time::Utc;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Handler of a campaign's summary.
pub(super) async fn summary(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let campaign = find_visible(&state, &caller, &name).await?;
    let kept = &state.campaign_counts().summaries;
    let counting = count(state.clone(), campaign.clone());
    let counted = kept.get(campaign.id, "", state.clock(), counting).await?;
    let CountedSummary { summary, first_day } = &*counted.value;
    let mut shown = serde_json::to_value(summary).map_err(Problem::internal)?;
    mask(&mut shown, summary, NumberSight::of(&caller));
    shown["first_day"] = first_day.as_deref().into();
    shown["as_of"] = moment(counted.as_of);
    Ok(Json(shown))
}

/// A campaign's summary, and the local day of its first call.
#[derive(Debug)]
pub(super) struct CountedSummary {
    summary: Summary,
    first_day: Option<String>,
}

async fn count(state: AppState, campaign: CampaignRecord) -> Result<CountedSummary, Problem> {
    let first = state.store().reader().await?.first_call(campaign.id).await?;
    let zone = TimeFormat::in_zone(&campaign.timezone);
    let first_day = first.map(|at| zone.written(Utc::from_millis(at), "%F"));
    let counted = campaign_summary(state.store_shared(), campaign).await;
    Ok(CountedSummary { summary: counted.map_err(Problem::internal)?, first_day })
}

/// Masks the numbers in a summary for those who may not read them; numbers that look alike then are added up.
fn mask(shown: &mut Value, summary: &Summary, sight: NumberSight) {
    if sight == NumberSight::Whole {
        return;
    }
    shown["line_trouble"] = shown_optional(summary.line_trouble.as_ref(), sight).into();
    let mut uses: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (number, used) in &summary.caller_ids {
        let sums = uses.entry(shown_text(number, sight)).or_default();
        *sums = (sums.0 + used.attempts, sums.1 + used.answered);
    }
    let shown_uses = uses.into_iter().map(|(number, (attempts, answered))| {
        (number, json!({ "attempts": attempts, "answered": answered }))
    });
    shown["caller_ids"] = Value::Object(shown_uses.collect());
}
