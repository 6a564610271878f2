//! An agent's day from the state log: each state with its beginning, and seconds by state and day.

use super::app_state::AppState;
use super::auth::Caller;
use super::problem::Problem;
use super::views::moment;
use crate::store::AgentRow;
use crate::store::seat_log::SeatLogRow;
use crate::text::TimeFormat;
use axum::Json;
use axum::extract::{Path, Query, State};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use paceline_core::time::Utc;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Days that one answer may cover.
const DAYS_MAX: i32 = 62;

/// Days begin and end in this zone where the request names none.
const DEFAULT_ZONE: &str = "Asia/Shanghai";

#[derive(Deserialize)]
pub(super) struct LogQuery {
    /// `YYYY-MM-DD`; without it today.
    day: Option<String>,
    zone: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct HoursQuery {
    from: Option<String>,
    /// The last day, included.
    until: Option<String>,
    zone: Option<String>,
}

fn parse_zone(text: Option<&str>) -> Result<TimeZone, Problem> {
    let name = text.unwrap_or(DEFAULT_ZONE);
    let unknown = |_| Problem::unprocessable(format!("zone: `{name}` is no time zone; write Asia/Shanghai"));
    jiff::tz::TimeZoneDatabase::bundled().get(name).map_err(unknown)?;
    Ok(TimeFormat::in_zone(name).zone().clone())
}

fn parse_day(field: &str, text: &str) -> Result<Date, Problem> {
    text.parse().map_err(|_| Problem::unprocessable(format!("{field}: a day like 2030-01-31")))
}

/// The first moment of a day.
fn start_of(day: Date, zone: &TimeZone) -> Result<i64, Problem> {
    let start = day.to_zoned(zone.clone()).and_then(|noon| noon.start_of_day());
    let start = start.map_err(|_| Problem::unprocessable("this day is beyond the calendar"))?;
    Ok(start.timestamp().as_millisecond())
}

fn next_day(day: Date) -> Result<Date, Problem> {
    day.tomorrow().map_err(|_| Problem::unprocessable("this day is beyond the calendar"))
}

fn today(now: Utc, zone: &TimeZone) -> Date {
    let now = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default();
    now.to_zoned(zone.clone()).date()
}

/// One's own log, or that of an agent whom the caller may see.
async fn visible_agent(state: &AppState, caller: &Caller, number: &str) -> Result<AgentRow, Problem> {
    let row = state.agent_by_number(&caller.scope, number).await?;
    if caller.can_see(&row) { Ok(row) } else { Err(Problem::not_found("agent")) }
}

/// The state in which a row puts the seat: what the agent does, else whether calls are taken.
fn word(row: &SeatLogRow) -> &str {
    match (row.availability.as_str(), row.activity.as_str()) {
        ("signed_out", "idle") => "signed_out",
        ("paused", "idle") => "paused",
        (_, activity) => activity,
    }
}

pub(super) async fn log(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    Query(query): Query<LogQuery>,
) -> Result<Json<Value>, Problem> {
    let agent = visible_agent(&state, &caller, &number).await?;
    let zone = parse_zone(query.zone.as_deref())?;
    let now = state.now();
    let day = match &query.day {
        Some(text) => parse_day("day", text)?,
        None => today(now, &zone),
    };
    let (from, until) = (start_of(day, &zone)?, start_of(next_day(day)?, &zone)?);
    let rows = state.store().reader().await?.seat_log_between(agent.id, from, until).await?;
    let names = state.campaign_names(&caller.scope).await?;
    let ends = rows.iter().skip(1).map(|row| row.at).chain([until.min(now.as_millis())]);
    let items = rows.iter().zip(ends).map(|(row, end)| {
        json!({
            // A state that began on an earlier day goes on from midnight.
            "at": moment(Utc::from_millis(row.at.max(from))),
            "secs": (end.max(from) - row.at.max(from)).max(0) / 1_000,
            "state": word(row),
            "availability": row.availability,
            "activity": row.activity,
            "reason": row.reason,
            "campaign": row.campaign_id.and_then(|id| names.get(&id)),
            "attempt": row.attempt_id,
            "inbound": row.inbound,
        })
    });
    let items: Vec<Value> = items.collect();
    Ok(Json(json!({ "day": day.to_string(), "items": items })))
}

pub(super) async fn hours(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    Query(query): Query<HoursQuery>,
) -> Result<Json<Value>, Problem> {
    let agent = visible_agent(&state, &caller, &number).await?;
    let zone = parse_zone(query.zone.as_deref())?;
    let now = state.now();
    let last = match &query.until {
        Some(text) => parse_day("until", text)?,
        None => today(now, &zone),
    };
    let first = match &query.from {
        Some(text) => parse_day("from", text)?,
        None => last,
    };
    let days = last.since(first).map(|span| span.get_days()).unwrap_or(-1);
    if !(0..DAYS_MAX).contains(&days) {
        return Err(Problem::unprocessable(format!(
            "from and until: 1 to {DAYS_MAX} days, from the earlier one"
        )));
    }
    let mut starts = vec![(first, start_of(first, &zone)?)];
    while let Some((day, _)) = starts.last().filter(|(day, _)| *day <= last) {
        let next = next_day(*day)?;
        starts.push((next, start_of(next, &zone)?));
    }
    let (from, until) = (starts[0].1, starts[starts.len() - 1].1);
    let rows = state.store().reader().await?.seat_log_between(agent.id, from, until).await?;
    let spans = spans(&rows, until.min(now.as_millis()));
    let items = starts.windows(2).map(|pair| {
        let (day, from, until) = (pair[0].0, pair[0].1, pair[1].1);
        let mut secs: BTreeMap<&str, i64> = BTreeMap::new();
        for (state, begun, ended) in &spans {
            let span = ended.min(&until) - begun.max(&from);
            if span > 0 && *state != "signed_out" {
                *secs.entry(state).or_default() += span;
            }
        }
        let secs: BTreeMap<&str, i64> =
            secs.into_iter().map(|(state, millis)| (state, millis / 1_000)).collect();
        json!({ "day": day.to_string(), "secs": secs })
    });
    let items: Vec<Value> = items.collect();
    Ok(Json(json!({ "items": items })))
}

/// Each row's state with beginning and end, in milliseconds.
fn spans(rows: &[SeatLogRow], end: i64) -> Vec<(&str, i64, i64)> {
    let ends = rows.iter().skip(1).map(|row| row.at).chain([end]);
    rows.iter().zip(ends).map(|(row, end)| (word(row), row.at, end)).collect()
}
