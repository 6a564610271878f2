//! Handlers of the register of caller IDs: enter a number, lead it through its life cycle, show what its own calls say
//! of it.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::caller_id_approvals::{self, ApprovalStanding, organisations_asking};
use super::caller_id_requests::{
    CallerIdAction, CallerIdRequest, REGION, fields_of, parse_number, parse_until,
};
use super::caller_id_views::{DAY_HOURS, Figures, day_start, log_view, view, words};
use super::fields::parse_text;
use super::problem::Problem;
use super::rights::Action;
use super::versions::{answer_of_row, check_version, with_etag};
use super::views::moment;
use crate::store::approvals::ApprovalId;
use crate::store::caller_id_hours::hour_start;
use crate::store::caller_ids::{CallerIdFields, CallerIdKey, CallerIdRow, CallerIdStep};
use crate::store::{Change, Subject};
use crate::tasks::{self, Changed};
use crate::text::CallerIdFigures;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use paceline_core::caller_id_health::Evidence;
use paceline_core::caller_id_life::{CallerIdAct, CallerIdState};
use paceline_core::time::Duration;
use serde::Deserialize;
use serde_json::{Value, json};

/// Days shown without `days`.
const DAYS: u32 = 7;
/// Shown log entries.
const LOG: u32 = 100;
/// The rest of a person's flag.
const FLAG_REST: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Numbers in use, and the retired ones on request.
#[derive(Deserialize)]
pub(super) struct CallerIdQuery {
    #[serde(default)]
    retired: bool,
}

pub(super) async fn caller_ids(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<CallerIdQuery>,
) -> Result<Json<Value>, Problem> {
    let mut rows = state.store().caller_ids_in(&caller.scope).await?;
    rows.retain(|row| query.retired || row.state != CallerIdState::Retired);
    let figures = Figures::load(&state, &caller, DAYS).await?;
    let items: Vec<Value> = rows.iter().map(|row| view(row, &figures)).collect();
    let judged = state.store().judged_hour().await?.map(|hour| moment(hour_start(hour + 1)));
    Ok(Json(json!({ "items": items, "judged_until": judged })))
}

pub(super) async fn find(state: &AppState, caller: &Caller, number: &str) -> Result<CallerIdRow, Problem> {
    let missing = || Problem::not_found("caller ID");
    let number = tasks::parse_caller_id(number, REGION).ok_or_else(missing)?;
    let rows = state.store().caller_ids_in(&caller.scope).await?;
    let is_it = |row: &&CallerIdRow| row.number == number;
    // A number that was retired and entered anew has two rows; the one in use is meant.
    let in_use = rows.iter().filter(is_it).find(|row| row.state != CallerIdState::Retired);
    in_use.or_else(|| rows.iter().rfind(is_it)).cloned().ok_or_else(missing)
}

#[derive(Deserialize)]
pub(super) struct DaysQuery {
    days: Option<u32>,
}

pub(super) async fn caller_id(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    let row = find(&state, &caller, &number).await?;
    answer(&state, &caller, &row).await
}

/// One number with its log.
pub(super) async fn answer(
    state: &AppState,
    caller: &Caller,
    row: &CallerIdRow,
) -> Result<Response, Problem> {
    let figures = Figures::load(state, caller, DAYS).await?;
    let mut shown = view(row, &figures);
    let log = state.store().caller_id_log(row.id, LOG).await?;
    shown["log"] = log.iter().map(|entry| log_view(entry, &figures)).collect();
    Ok(answer_of_row(row.version, shown))
}

/// What the number's calls say of it, day by day.
pub(super) async fn health(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    Query(query): Query<DaysQuery>,
) -> Result<Json<Value>, Problem> {
    let row = find(&state, &caller, &number).await?;
    let figures = Figures::load(&state, &caller, query.days.unwrap_or(DAYS)).await?;
    let days = figures.days(row.id);
    let mut all = CallerIdFigures::default();
    for day in &days {
        all.add_day(day);
    }
    let first = day_start(figures.now, i64::from(figures.days) - 1);
    let shown = days.iter().zip(0..).map(|(day, n)| {
        let mut shown = day.view();
        shown["day"] = moment(hour_start(first + n * DAY_HOURS));
        shown
    });
    Ok(Json(json!({
        "days": shown.collect::<Vec<_>>(),
        "verdict": all.verdict(row.flags > 0).word(),
        "words": words(|lang| lang.caller_id_health(&all, row.flags > 0)),
    })))
}

pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<CallerIdRequest>,
) -> Result<Response, Problem> {
    let number = parse_number(asked.number.as_deref().unwrap_or_default())?;
    let mut fields = CallerIdFields::default();
    asked.apply_to(&mut fields)?;
    let subject = Subject::of("caller_id", number.national());
    let mut change = state.change(&caller, Action::CallerIdsEdit, subject).await?;
    let Some(id) = change.add_caller_id(caller.scope.own(), number, &fields, caller.maker()).await? else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "taken",
            "this number stands in the register already",
        ));
    };
    change.set_after(json!({ "state": "entered", "holder": fields.holder, "carrier": fields.carrier }));
    let row = finish(&state, change, id).await?;
    let answered = answer(&state, &caller, &row).await?;
    Ok((StatusCode::CREATED, answered).into_response())
}

/// Commits, has the dialer know it, and reads the row again.
pub(super) async fn finish(
    state: &AppState,
    mut change: Change<'_>,
    id: CallerIdKey,
) -> Result<CallerIdRow, Problem> {
    let row = change.caller_id(id).await?.ok_or_else(|| Problem::not_found("caller ID"))?;
    let body = json!({ "number": row.number.national(), "state": row.state.word() });
    change.add_event("caller_id", row.id.0, body);
    change.commit().await?;
    state.engine().register_caller_ids(state.store().registered_numbers().await?).await;
    Ok(row)
}

/// Lets readers of the live stream know of an approval that was asked for.
pub(super) fn announce(state: &AppState, row: &CallerIdRow, asked: Option<ApprovalId>) {
    if let Some(asked) = asked {
        state.tasks().announce(Changed::Approval(row.enterprise, asked));
    }
}

pub(super) async fn edit(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<CallerIdRequest>,
) -> Result<Response, Problem> {
    let found = find(&state, &caller, &number).await?;
    if asked.number.is_some() {
        return Err(Problem::of_field(
            "/number",
            "a number stays what it is: enter the other one, and retire this",
            "号码不能修改:请新增另一个号码,并停用此号码",
        ));
    }
    // Faults are said before anything is written.
    asked.apply_to(&mut fields_of(&found))?;
    let subject = Subject::of("caller_id", found.number.national());
    let mut change = state.change(&caller, Action::CallerIdsEdit, subject).await?;
    let row = change.caller_id(found.id).await?.ok_or_else(|| Problem::not_found("caller ID"))?;
    check_version(&headers, row.version, false)?;
    let mut fields = fields_of(&row);
    asked.apply_to(&mut fields)?;
    let shown = |it: &CallerIdFields| {
        json!({
            "holder": it.holder, "region": it.region, "carrier": it.carrier, "note": it.note,
            "per_hour_max": it.per_hour_max, "per_day_max": it.per_day_max, "idle_days": it.idle_days,
        })
    };
    change.set_before(shown(&fields_of(&row)));
    change.set_after(shown(&fields));
    change.set_caller_id(row.id, &fields).await?;
    let needed = organisations_asking(&state).await?.contains(&row.organisation);
    let asked = change.note_caller_id_content(&row, needed, caller.maker()).await?;
    let row = finish(&state, change, row.id).await?;
    announce(&state, &row, asked);
    answer(&state, &caller, &row).await
}

pub(super) async fn act(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<CallerIdAction>,
) -> Result<Response, Problem> {
    let found = find(&state, &caller, &number).await?;
    let agent = match &asked {
        CallerIdAction::Bind { agent: Some(agent) } => {
            Some(state.agent_by_number(&caller.scope, agent).await?.id)
        }
        _ => None,
    };
    let subject = Subject::of("caller_id", found.number.national());
    let mut change = state.change(&caller, Action::CallerIdsEdit, subject).await?;
    let row = change.caller_id(found.id).await?.ok_or_else(|| Problem::not_found("caller ID"))?;
    check_version(&headers, row.version, false)?;
    let act = asked.act();
    let standing = ApprovalStanding::of(&row, &organisations_asking(&state).await?);
    let Some(now) = standing.after(&row, act) else {
        let possible: Vec<&str> = standing.acts(&row).into_iter().map(CallerIdAct::word).collect();
        let (state, act, possible) = (row.state.word(), act.word(), possible.join(", "));
        let detail = format!("a number that is {state} takes no {act}; it takes {possible}");
        return Err(Problem::new(StatusCode::CONFLICT, "not_in_this_state", detail));
    };
    if standing.forbids(act, now) {
        return Err(caller_id_approvals::not_approved(standing));
    }
    let note = match &asked {
        CallerIdAction::Flag { note: Some(note) } => parse_text("note", note)?,
        _ => String::new(),
    };
    let rest_until = match &asked {
        CallerIdAction::Rest { until: Some(until) } => Some(parse_until(until, change.at())?),
        CallerIdAction::Flag { .. } => Some(change.at() + FLAG_REST),
        _ => None,
    };
    let is_fresh = matches!(now, CallerIdState::Recovering | CallerIdState::Normal) && now != row.state;
    let step = CallerIdStep {
        now,
        rest_until,
        flags: match act {
            CallerIdAct::Flag => row.flags + 1,
            CallerIdAct::ClearFlag => 0,
            _ => row.flags,
        },
        agent: match act {
            CallerIdAct::Bind => agent,
            CallerIdAct::Unbind | CallerIdAct::Retire => None,
            _ => row.bound_agent,
        },
        evidence: if is_fresh { Evidence::default() } else { row.evidence },
        why: act.word(),
        detail: json!({}),
        note: &note,
    };
    change.step_caller_id(&row, &step).await?;
    change.set_before(json!({ "state": row.state.word() }));
    change.set_after(json!({ "state": now.word(), "action": act.word(), "note": note }));
    if act == CallerIdAct::Retire {
        change.withdraw_caller_id_approval(&row).await?;
    }
    let asks = act == CallerIdAct::Request && standing == ApprovalStanding::Missing;
    let approval = if asks { change.ask_for_caller_id(&row, caller.maker()).await? } else { None };
    let row = finish(&state, change, row.id).await?;
    announce(&state, &row, approval);
    let shown = answer(&state, &caller, &row).await?;
    Ok(with_etag(row.version, shown))
}
