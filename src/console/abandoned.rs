//! The abandoned calls behind each rule's rate: how long each callee waited, what agents did then, and when the next
//! was free.

use super::app_state::AppState;
use super::auth::Caller;
use super::campaign_series::find_visible;
use super::fields::parse_moment;
use super::problem::Problem;
use super::shown_number::{NumberSight, shown_optional};
use super::views::{millis, stored_number};
use crate::config::campaign::CampaignFile;
use crate::store::abandoned_calls::{AbandonedCall, AbandonedFilter, SeatThen};
use crate::store::{CampaignRecord, Reader};
use crate::text::TimeFormat;
use axum::Json;
use axum::extract::{Path, Query, State};
use paceline_core::ids::{CampaignId, GroupId};
use paceline_core::pacing::ledger::{LedgerTime, Rule};
use paceline_core::time::{Duration, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Calls in an answer.
const PAGE: usize = 50;

/// Agents named beside a call; the counts hold all of them.
const NAMED: usize = 12;

/// How long after a call the next free agent is looked for.
const NEXT_FREE_WITHIN: i64 = 24 * 3_600_000;

/// Words of `rule`.
pub(super) const RULES: &[&str] =
    &["us_tsr", "uk_ofcom", "whole_day", "rolling_24h", "all_calls", "reached_queue"];

#[derive(Deserialize)]
pub(super) struct AbandonedQuery {
    rule: Option<String>,
    from: Option<String>,
    after: Option<i64>,
}

/// Who was to take the calls, and how long callees were to wait.
struct Answering {
    group: Option<GroupId>,
    wait: Duration,
}

/// Abandoned calls of a rule's window, the latest first.
pub(super) async fn abandoned(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<AbandonedQuery>,
) -> Result<Json<Value>, Problem> {
    let campaign = find_visible(&state, &caller, &name).await?;
    let word = query.rule.as_deref().unwrap_or(Rule::WholeDay.word());
    let rule = Rule::ALL.into_iter().find(|rule| rule.word() == word).unwrap_or(Rule::WholeDay);
    let now = state.now();
    let at = LedgerTime { now, day_start: day_start(&campaign, now) };
    let from = parse_moment(query.from.as_deref(), "from")?;
    let answering = answering(&state, &caller, &campaign).await?;
    let wanted = AbandonedFilter {
        campaign: campaign.id,
        from: from.unwrap_or(rule.window_start(at).as_millis()),
        until: now.as_millis() + 1,
        with_late: rule == Rule::UsTsr,
        answer_wait: answering.wait.as_millis() as i64,
        before: query.after.unwrap_or(i64::MAX),
        limit: PAGE as i64 + 1,
    };
    let mut reader = state.store().reader().await?;
    let calls = reader.abandoned_calls(&wanted).await?;
    let next = calls.get(PAGE).and_then(|_| calls.get(PAGE - 1)).map(|last| last.attempt);
    let sight = NumberSight::of(&caller);
    let mut items = Vec::with_capacity(PAGE);
    for call in calls.iter().take(PAGE) {
        items.push(shown(&mut reader, &campaign, answering.group, call, sight).await?);
    }
    Ok(Json(json!({
        "items": items,
        "from": millis(Some(wanted.from)),
        "answer_wait_ms": wanted.answer_wait,
        "next": next,
    })))
}

/// Start of the campaign's local day.
fn day_start(campaign: &CampaignRecord, now: Utc) -> Utc {
    let zone = TimeFormat::in_zone(&campaign.timezone).zone().clone();
    let start = jiff::Timestamp::from_millisecond(now.as_millis())
        .and_then(|at| at.to_zoned(zone).start_of_day())
        .map(|start| start.timestamp().as_millisecond());
    start.map_or(now, Utc::from_millis)
}

/// As the open campaign has it; for one that is not open as its text says.
async fn answering(
    state: &AppState,
    caller: &Caller,
    campaign: &CampaignRecord,
) -> Result<Answering, Problem> {
    let open: BTreeMap<CampaignId, _> = state.campaigns();
    if let Some(facts) = open.get(&campaign.id) {
        let group = facts.rules.agents.as_ref().map(|agents| agents.group);
        return Ok(Answering { group, wait: facts.rules.pacing.answer_wait });
    }
    let Ok(file) = toml::from_str::<CampaignFile>(&campaign.toml) else {
        return Ok(Answering { group: None, wait: Duration::ZERO });
    };
    let groups = state.groups_in(&caller.scope).await?;
    let group =
        groups.into_iter().find(|group| group.group.name == file.agents.group).map(|group| group.group.id);
    let wait = Duration::from_secs_f64(file.pacing.answer_wait_secs.clamp(0.0, 60.0));
    Ok(Answering { group, wait })
}

async fn shown(
    reader: &mut Reader,
    campaign: &CampaignRecord,
    group: Option<GroupId>,
    call: &AbandonedCall,
    sight: NumberSight,
) -> Result<Value, Problem> {
    let at = call.answered_at;
    let (mut seats, mut free_next_at) = (Vec::new(), None);
    if let Some(group) = group {
        seats = reader.seats_at(campaign.enterprise, group, at).await?;
        let until = at + NEXT_FREE_WITHIN;
        free_next_at = reader.next_free(campaign.enterprise, group, at, until).await?;
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for seat in &seats {
        *counts.entry(doing(seat)).or_default() += 1;
    }
    let busy: Vec<Value> = seats
        .iter()
        .filter(|seat| doing(seat) != "idle")
        .take(NAMED)
        .map(|seat| json!({ "agent": seat.agent, "name": seat.name, "activity": doing(seat) }))
        .collect();
    Ok(json!({
        "attempt": call.attempt,
        "lead": call.lead_id,
        "name": shown_optional(call.name.as_ref(), sight),
        "number": stored_number(Some(call.number), sight),
        "at": millis(Some(at)),
        "waited_ms": call.waited_ms,
        "late": call.is_late,
        "hung_up": call.hung_up,
        "free_next_at": millis(free_next_at),
        "seats": counts,
        "busy": busy,
    }))
}

/// What an agent did, as the plots say it: one who has nothing to do and takes no calls is paused.
fn doing(seat: &SeatThen) -> &str {
    if seat.activity == "idle" && seat.availability != "available" { "paused" } else { &seat.activity }
}
