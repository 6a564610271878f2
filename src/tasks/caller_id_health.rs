//! Judges caller IDs by their own calls, hour by hour, and leads each through what time brings: the end of its warm-up,
//! of its rest, of its recovery. The arithmetic is [`paceline_core::caller_id_health`]'s.

use super::Shared;
use crate::engine::EngineHandle;
use crate::store::caller_id_hours::{CallOfHour, CallerIdHour, hour_of, hour_start};
use crate::store::caller_ids::{CallerIdRow, CallerIdStep, standing};
use crate::store::{Actor, ActorKind, Change, Store, StoreError, Subject};
use paceline_core::caller_id_health::{Compared, Evidence, JudgedCall, Mark, Recovery, compare};
use paceline_core::caller_id_life::CallerIdState;
use paceline_core::campaign::caller_id::Usage;
use paceline_core::number::ShownNumber;
use paceline_core::time::{Duration, Utc};
use serde_json::{Value, json};
use std::sync::Weak;

/// Time between two looks.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(60);
/// An hour is judged so long after its end: by then every call of it was answered or has failed.
const SETTLED: Duration = Duration::from_secs(600);
/// Hours that are judged at most: what lies longer back says nothing of today.
const HOURS_BACK: i64 = 7 * 24;
/// The rest after a first flag; each flag in a row doubles it, up to the longest.
const REST: Duration = Duration::from_secs(7 * 24 * 3_600);
const REST_DOUBLED_MAX: u32 = 2;

/// Judges once a minute until the tasks are gone.
pub(super) async fn keep_caller_ids_judged(shared: Weak<Shared>) {
    let mut due = tokio::time::interval(LOOK_AGAIN);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        let parts = &shared.parts;
        if let Err(error) = judge_caller_ids(&parts.store, &parts.engine, parts.store.clock_now()).await {
            tracing::warn!(%error, "the caller IDs could not be judged now; trying again");
        }
    }
}

/// Judges every hour that is due at `now`, and lets the dialer know what changed.
///
/// # Errors
/// The store cannot be read or written; what was judged before stays.
pub async fn judge_caller_ids(store: &Store, engine: &EngineHandle, now: Utc) -> Result<(), StoreError> {
    let mut has_changed = advance(store, now).await?;
    let last_due = hour_of(Utc::from_millis(now.as_millis() - SETTLED.as_millis() as i64)) - 1;
    let judged = store.judged_hour().await?.unwrap_or(last_due - HOURS_BACK);
    for hour in (judged.max(last_due - HOURS_BACK) + 1)..=last_due {
        has_changed |= judge_hour(store, hour, now, hour == last_due).await?;
    }
    if has_changed {
        engine.register_caller_ids(store.registered_numbers().await?).await;
    }
    Ok(())
}

/// The service itself, in the audit.
async fn begin<'a>(store: &'a Store, enterprise: i64, subject: &str) -> Result<Change<'a>, StoreError> {
    let actor = Actor {
        kind: ActorKind::System,
        id: None,
        name: "service".to_owned(),
        address: String::new(),
        enterprise,
        key: None,
    };
    store.begin_change(&actor, "caller_ids.edit", Subject::of("caller_id", subject)).await
}

/// Leads each number into the state that time brings. Whether one changed.
async fn advance(store: &Store, now: Utc) -> Result<bool, StoreError> {
    let mut has_changed = false;
    for row in store.caller_ids().await? {
        let to = row.state.at(row.state_since, row.rest_until, row.flags > 0, now);
        if to == row.state {
            continue;
        }
        let mut change = begin(store, row.enterprise, &row.number.national()).await?;
        // As it stands now: somebody may have changed it meanwhile.
        let Some(row) = change.caller_id(row.id).await? else { continue };
        if row.state.at(row.state_since, row.rest_until, row.flags > 0, now) != to {
            continue;
        }
        let why = if row.state == CallerIdState::Warming { "warmed_up" } else { "rest_over" };
        let evidence = if to == CallerIdState::Recovering { Evidence::default() } else { row.evidence };
        let step = step(&row, to, why, evidence, json!({}));
        change.step_caller_id(&row, &step).await?;
        change.set_before(json!({ "state": row.state.word() }));
        change.set_after(json!({ "state": to.word(), "why": why }));
        let body = json!({ "number": row.number.national(), "state": to.word(), "why": why });
        change.add_event("caller_id", row.id.0, body);
        change.commit().await?;
        has_changed = true;
    }
    Ok(has_changed)
}

fn step<'a>(
    row: &CallerIdRow,
    now: CallerIdState,
    why: &'a str,
    evidence: Evidence,
    detail: Value,
) -> CallerIdStep<'a> {
    CallerIdStep {
        now,
        rest_until: None,
        flags: if now == CallerIdState::Normal { 0 } else { row.flags },
        agent: row.bound_agent,
        evidence,
        why,
        detail,
        note: "",
    }
}

/// Judges one hour in one transaction. Whether a number changed its state. An hour without calls is written down only
/// where it `is_last`.
async fn judge_hour(store: &Store, hour: i64, now: Utc, is_last: bool) -> Result<bool, StoreError> {
    let calls = store.calls_of_hour(hour).await?;
    if calls.last.is_empty() && !is_last {
        return Ok(false);
    }
    let resting = store.organisations().await?;
    let rests = |organisation: i64| {
        resting.iter().find(|row| row.id == organisation).is_none_or(|row| !row.settings.flagged_numbers_stay)
    };
    let rows = store.caller_ids().await?;
    let mut in_use = standing(&rows);
    in_use.retain(|_, row| row.state != CallerIdState::Retired);
    let mut change = begin(store, crate::store::scope::FIRST_ENTERPRISE, "hour").await?;
    // The log of each number says what was done.
    change.leave_out_of_audit();
    let mut has_changed = false;
    for (number, last) in &calls.last {
        if let Some(row) = in_use.get(number) {
            change.note_caller_id_used(row.id, *last).await?;
        }
    }
    // Each enterprise's numbers are judged beside each other.
    let compared = calls.said.iter().flat_map(|(enterprise, calls)| {
        let of_enterprise = in_use.iter().filter(|((of, _), row)| of == enterprise && row.flags > 0);
        let suspected = of_enterprise.map(|((_, number), _)| *number).collect();
        let judged: Vec<JudgedCall> = calls.iter().map(|call| call.judged).collect();
        compare(&judged, &suspected).into_iter().map(|(number, it)| (*enterprise, number, it))
    });
    for (enterprise, number, compared) in compared {
        let Some(row) = in_use.get(&(enterprise, number)) else { continue };
        // As it stands now: somebody may have changed it meanwhile.
        let Some(row) = change.caller_id(row.id).await? else { continue };
        let mut evidence = row.evidence;
        evidence.add_hour(&compared);
        let figures = figures(&calls.said[&enterprise], number, hour, &compared);
        change.note_caller_id_hour(row.id, &figures, &evidence).await?;
        let Some(step) = verdict(&row, evidence, rests(row.organisation), now) else { continue };
        change.step_caller_id(&row, &step).await?;
        let body = json!({ "number": row.number.national(), "state": step.now.word(), "why": step.why });
        change.add_event_of(row.enterprise, "caller_id", row.id.0, &body).await?;
        has_changed |= step.now != row.state;
    }
    change.set_judged_hour(hour).await?;
    change.commit().await?;
    Ok(has_changed)
}

/// What the evidence leads to; `None` = nothing new.
fn verdict(row: &CallerIdRow, evidence: Evidence, rests: bool, now: Utc) -> Option<CallerIdStep<'static>> {
    if row.state == CallerIdState::Recovering {
        return match evidence.recovery() {
            Recovery::Undecided => None,
            Recovery::Healthy => {
                Some(step(row, CallerIdState::Normal, "recovered", Evidence::default(), json!({})))
            }
            Recovery::Marked => Some(flagged(row, "marked_again", evidence, now)),
        };
    }
    // A flag that does not rest the number is raised once.
    if row.state.usage() != Usage::Full || (!rests && row.flags > 0) {
        return None;
    }
    let why = match evidence.mark()? {
        Mark::AnsweredLess => "answered_less",
        Mark::RefusedMore => "refused_more",
    };
    let raised = flagged(row, why, evidence, now);
    Some(if rests { raised } else { CallerIdStep { now: row.state, rest_until: row.rest_until, ..raised } })
}

fn flagged(row: &CallerIdRow, why: &'static str, evidence: Evidence, now: Utc) -> CallerIdStep<'static> {
    let spans = 1 << row.flags.min(REST_DOUBLED_MAX);
    let rest = Duration::from_secs(REST.as_secs() * spans);
    CallerIdStep {
        rest_until: Some(now + rest),
        flags: row.flags + 1,
        ..step(
            row,
            CallerIdState::Flagged,
            why,
            evidence,
            json!({ "hour": hour_start(hour_of(now)).as_millis() }),
        )
    }
}

/// What screens show of a number's hour.
fn figures(calls: &[CallOfHour], number: ShownNumber, hour: i64, compared: &[Compared]) -> CallerIdHour {
    let mut figures = CallerIdHour { hour, ..CallerIdHour::default() };
    for call in calls.iter().filter(|call| call.judged.number == number) {
        figures.counts.add(call.judged.counts);
        figures.code_403 += u32::from(call.is_403);
        figures.fast_fail += u32::from(call.is_fast_fail);
    }
    for pair in compared {
        if let Some(expected) = pair.expected_answers() {
            figures.compared += pair.own.calls;
            figures.compared_answered += pair.own.answered;
            figures.expected += expected;
            figures.control_calls += pair.control.calls;
        }
    }
    figures
}
