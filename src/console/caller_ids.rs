//! Handlers of the register of caller IDs: enter a number, lead it through its life cycle, show what its own calls say
//! of it.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::fields::{TEXT, parse_text};
use super::problem::Problem;
use super::rights::Action;
use super::versions::{answer_of_row, check_version, etag, with_etag};
use super::views::{moment, optional_moment};
use crate::store::caller_ids::{
    CallerIdFields, CallerIdHour, CallerIdKey, CallerIdLogRow, CallerIdRow, CallerIdStep, hour_of, hour_start,
};
use crate::store::{Change, Subject};
use crate::tasks;
use crate::text::{CallerIdFigures, Lang};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use paceline_core::caller_id_health::Evidence;
use paceline_core::caller_id_life::{CallerIdAct, CallerIdState};
use paceline_core::ids::AgentId;
use paceline_core::number::ShownNumber;
use paceline_core::time::{Duration, Utc};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const DAY_HOURS: i64 = 24;
/// Days shown without `days`.
const DAYS: u32 = 7;
/// Shown log entries.
const LOG: u32 = 100;
const CAP_MAX: u32 = 100_000;
const IDLE_DAYS_MAX: u32 = 365;
/// The rest of a person's flag.
const FLAG_REST: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Where a number without a country code is from.
const REGION: &str = "CN";
/// The zone of days: organisations have none of their own.
const ZONE: &str = "Asia/Shanghai";

/// What is known of a number. A field that is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallerIdRequest {
    /// Of an entry, in any spelling: `0755-12345678`, `+8675512345678`. It cannot be changed.
    #[schemars(length(min = 3, max = 32))]
    number: Option<String>,
    /// Whose number it is; empty = not known.
    #[schemars(length(max = 64), regex(pattern = TEXT_OR_NONE))]
    holder: Option<String>,
    /// The holder's identity number. Only its last four characters are kept.
    #[schemars(length(max = 64), regex(pattern = TEXT_OR_NONE))]
    holder_id: Option<String>,
    #[schemars(length(max = 64), regex(pattern = TEXT_OR_NONE))]
    region: Option<String>,
    #[schemars(length(max = 64), regex(pattern = TEXT_OR_NONE))]
    carrier: Option<String>,
    #[schemars(length(max = 64), regex(pattern = TEXT_OR_NONE))]
    note: Option<String>,
    /// Calls in 60 minutes that may show it; 0 = as its campaigns say.
    #[schemars(range(max = 100_000))]
    per_hour_max: Option<u32>,
    /// Calls in 24 hours that may show it; 0 = as its campaigns say.
    #[schemars(range(max = 100_000))]
    per_day_max: Option<u32>,
    /// Days without a call after which the carrier takes the number back; 0 = never.
    #[schemars(range(max = 365))]
    idle_days: Option<u32>,
}

/// The body of an entry: as a change, and it has a number.
pub(super) fn new_caller_id_schema() -> Schema {
    let mut schema = schema_for!(CallerIdRequest).to_value();
    schema["required"] = json!(["number"]);
    schema["properties"]["number"]["type"] = "string".into();
    Schema::try_from(schema).unwrap_or_default()
}

const TEXT_OR_NONE: &str =
    r"^([^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\s\x00-\x1f\x7f-\x9f])?)?$";

impl CallerIdRequest {
    fn apply_to(&self, fields: &mut CallerIdFields) -> Result<(), Problem> {
        let text = |name: &str, given: &Option<String>, kept: &mut String| match given.as_deref() {
            None => Ok(()),
            Some("") => {
                kept.clear();
                Ok(())
            }
            Some(given) => parse_text(name, given).map(|text| *kept = text),
        };
        text("holder", &self.holder, &mut fields.holder)?;
        text("region", &self.region, &mut fields.region)?;
        text("carrier", &self.carrier, &mut fields.carrier)?;
        text("note", &self.note, &mut fields.note)?;
        let mut holder_id = String::new();
        text("holder_id", &self.holder_id, &mut holder_id)?;
        if self.holder_id.is_some() {
            let start = holder_id.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
            // A number of four characters or fewer would be kept whole.
            fields.holder_id_end = if start == 0 { String::new() } else { holder_id.split_off(start) };
        }
        let cap = |name: &str, given: Option<u32>, max: u32, kept: &mut Option<u32>| match given {
            Some(n) if n > max => {
                Err(Problem::of_field(&format!("/{name}"), &format!("0 to {max}"), &format!("0 到 {max}")))
            }
            Some(n) => {
                *kept = (n > 0).then_some(n);
                Ok(())
            }
            None => Ok(()),
        };
        cap("per_hour_max", self.per_hour_max, CAP_MAX, &mut fields.per_hour_max)?;
        cap("per_day_max", self.per_day_max, CAP_MAX, &mut fields.per_day_max)?;
        cap("idle_days", self.idle_days, IDLE_DAYS_MAX, &mut fields.idle_days)
    }
}

fn fields_of(row: &CallerIdRow) -> CallerIdFields {
    CallerIdFields {
        holder: row.holder.clone(),
        holder_id_end: row.holder_id_end.clone(),
        region: row.region.clone(),
        carrier: row.carrier.clone(),
        note: row.note.clone(),
        per_hour_max: row.per_hour_max,
        per_day_max: row.per_day_max,
        idle_days: row.idle_days,
    }
}

/// Figures of every number beside its row.
struct Figures {
    hours: BTreeMap<CallerIdKey, Vec<CallerIdHour>>,
    today: BTreeMap<ShownNumber, u64>,
    campaigns: BTreeMap<ShownNumber, BTreeSet<String>>,
    agents: BTreeMap<AgentId, String>,
    now: Utc,
    days: u32,
}

/// The first hour of the day that lies so many days back, by the zone of days.
fn day_start(now: Utc, back: i64) -> i64 {
    let zone = jiff::tz::TimeZone::get(ZONE).unwrap_or(jiff::tz::TimeZone::UTC);
    let moment = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default().to_zoned(zone);
    let day = moment.start_of_day().unwrap_or(moment);
    let first = day.checked_sub(jiff::Span::new().days(back)).unwrap_or(day);
    hour_of(Utc::from_millis(first.timestamp().as_millisecond()))
}

impl Figures {
    async fn load(state: &AppState, caller: &Caller, days: u32) -> Result<Figures, Problem> {
        let now = state.now();
        let first = day_start(now, i64::from(days) - 1);
        Ok(Figures {
            hours: state.store().caller_id_hours(first).await?,
            today: state.store().calls_by_caller_id(hour_start(day_start(now, 0))).await?,
            campaigns: campaigns_by_number(state, caller).await?,
            agents: state.agent_numbers().await?,
            now,
            days,
        })
    }

    /// A row a day, oldest first; the last one is today, as far as it is judged.
    fn days(&self, id: CallerIdKey) -> Vec<CallerIdFigures> {
        let first = day_start(self.now, i64::from(self.days) - 1);
        let mut days = vec![CallerIdFigures::default(); self.days as usize];
        for hour in self.hours.get(&id).into_iter().flatten() {
            if let Some(day) =
                usize::try_from((hour.hour - first) / DAY_HOURS).ok().and_then(|n| days.get_mut(n))
            {
                day.add(hour);
            }
        }
        days
    }
}

/// The campaigns whose texts name each number.
async fn campaigns_by_number(
    state: &AppState,
    caller: &Caller,
) -> Result<BTreeMap<ShownNumber, BTreeSet<String>>, Problem> {
    let mut found: BTreeMap<ShownNumber, BTreeSet<String>> = BTreeMap::new();
    let scope = &caller.scope;
    for (campaign, organisation, text) in state.store().campaign_texts(scope.enterprise).await? {
        if !scope.holds(scope.enterprise, organisation) {
            continue;
        }
        let Ok(table) = text.parse::<toml::Table>() else { continue };
        let sub = |name: &str| table.get(name).and_then(toml::Value::as_table);
        let region =
            sub("list").and_then(|it| it.get("region")).and_then(toml::Value::as_str).unwrap_or("CN");
        let numbers = sub("caller_ids").and_then(|it| it.get("numbers")).and_then(toml::Value::as_array);
        for text in numbers.into_iter().flatten().filter_map(toml::Value::as_str) {
            if let Some(number) = tasks::parse_caller_id(text, region) {
                found.entry(number).or_default().insert(campaign.clone());
            }
        }
    }
    Ok(found)
}

impl CallerIdFigures {
    fn add(&mut self, hour: &CallerIdHour) {
        self.calls += u64::from(hour.counts.calls);
        self.answered += u64::from(hour.counts.answered);
        self.refused += u64::from(hour.counts.refused);
        self.code_403 += u64::from(hour.code_403);
        self.fast_fail += u64::from(hour.fast_fail);
        self.compared += u64::from(hour.compared);
        self.compared_answered += u64::from(hour.compared_answered);
        self.expected += hour.expected;
        self.control_calls += u64::from(hour.control_calls);
    }

    fn view(&self) -> Value {
        json!({
            "calls": self.calls,
            "answered": self.answered,
            "refused": self.refused,
            "code_403": self.code_403,
            "fast_fail": self.fast_fail,
            "compared": self.compared,
            "compared_answered": self.compared_answered,
            "expected": (self.expected * 10.0).round() / 10.0,
            "control_calls": self.control_calls,
        })
    }
}

fn words(say: impl Fn(Lang) -> String) -> Value {
    json!({ "en": say(Lang::En), "zh": say(Lang::Zh) })
}

fn view(row: &CallerIdRow, figures: &Figures) -> Value {
    let days = figures.days(row.id);
    let mut week = CallerIdFigures::default();
    for day in &days {
        week.add_day(day);
    }
    let is_suspected = row.flags > 0;
    // The carrier's count begins with the last call, or with the entry.
    let idle_at = row.idle_days.map(|days| {
        row.last_used.unwrap_or(row.state_since) + Duration::from_secs(u64::from(days) * 24 * 3_600)
    });
    let warm_up_day = (row.state == CallerIdState::Warming)
        .then(|| figures.now.since(row.state_since).as_secs() / (24 * 3_600) + 1);
    let acts: Vec<&str> = row.state.acts(is_suspected).into_iter().map(CallerIdAct::word).collect();
    json!({
        "number": row.number.national(),
        "holder": row.holder,
        "holder_id_end": row.holder_id_end,
        "region": row.region,
        "carrier": row.carrier,
        "note": row.note,
        "state": row.state.word(),
        "state_since": moment(row.state_since),
        "rest_until": optional_moment(row.rest_until),
        "suspected": is_suspected,
        "warm_up_day": warm_up_day,
        "bound_agent": row.bound_agent.and_then(|agent| figures.agents.get(&agent)),
        "per_hour_max": row.per_hour_max.unwrap_or(0),
        "per_day_max": row.per_day_max.unwrap_or(0),
        "idle_days": row.idle_days.unwrap_or(0),
        "idle_at": optional_moment(idle_at),
        "found": row.is_found,
        "first_used_at": optional_moment(row.first_used),
        "last_used_at": optional_moment(row.last_used),
        "today": figures.today.get(&row.number).copied().unwrap_or(0),
        "days": days.iter().map(CallerIdFigures::view).collect::<Vec<_>>(),
        "verdict": week.verdict(is_suspected).word(),
        "words": words(|lang| lang.caller_id_health(&week, is_suspected)),
        "campaigns": figures.campaigns.get(&row.number).cloned().unwrap_or_default(),
        "actions": acts,
        "version": row.version,
        "etag": etag(row.version),
    })
}

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

async fn find(state: &AppState, caller: &Caller, number: &str) -> Result<CallerIdRow, Problem> {
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
async fn answer(state: &AppState, caller: &Caller, row: &CallerIdRow) -> Result<Response, Problem> {
    let figures = Figures::load(state, caller, DAYS).await?;
    let mut shown = view(row, &figures);
    let log = state.store().caller_id_log(row.id, LOG).await?;
    shown["log"] = log.iter().map(|entry| log_view(entry, &figures)).collect();
    Ok(answer_of_row(row.version, shown))
}

fn log_view(entry: &CallerIdLogRow, figures: &Figures) -> Value {
    json!({
        "at": moment(entry.at),
        "was": entry.was,
        "now": entry.now,
        "why": entry.why,
        "note": entry.note,
        "by": entry.by.and_then(|by| figures.agents.get(&by)),
    })
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
    let number =
        tasks::parse_caller_id(asked.number.as_deref().unwrap_or_default(), REGION).ok_or_else(|| {
            Problem::of_field(
                "/number",
                "this is no number that a call may show: write 0755-12345678 or +8675512345678",
                "这不是可以外显的号码:请写成 0755-12345678 或 +8675512345678",
            )
        })?;
    let mut fields = CallerIdFields::default();
    asked.apply_to(&mut fields)?;
    let subject = Subject::of("caller_id", number.national());
    let mut change = state.change(&caller, Action::CallerIdsEdit, subject).await?;
    let Some(id) = change.add_caller_id(caller.scope.own(), number, &fields).await? else {
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
async fn finish(state: &AppState, mut change: Change<'_>, id: CallerIdKey) -> Result<CallerIdRow, Problem> {
    let row = change.caller_id(id).await?.ok_or_else(|| Problem::not_found("caller ID"))?;
    let body = json!({ "number": row.number.national(), "state": row.state.word() });
    change.add_event("caller_id", row.id.0, body);
    change.commit().await?;
    state.engine().register_caller_ids(state.store().registered_numbers().await?).await;
    Ok(row)
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
    let row = finish(&state, change, row.id).await?;
    answer(&state, &caller, &row).await
}

/// The body of an act.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum CallerIdAction {
    /// It was applied for at the carrier.
    Request {},
    MarkWhitelisted {},
    /// To an agent, whose calls alone show it; or to a line.
    Bind {
        /// The agent's number; without it no agent.
        #[schemars(length(max = 32))]
        agent: Option<String>,
    },
    /// Few calls a day for seven days, more each day.
    StartWarmUp {},
    /// Its callees see a warning: it rests.
    Flag {
        #[schemars(length(max = 64), regex(pattern = TEXT))]
        note: Option<String>,
    },
    ClearFlag {},
    Rest {
        /// Without it until somebody resumes it.
        #[schemars(with = "Option<super::answers::Moment>")]
        until: Option<String>,
    },
    Resume {},
    Unbind {},
    Retire {},
}

impl CallerIdAction {
    const fn act(&self) -> CallerIdAct {
        match self {
            CallerIdAction::Request {} => CallerIdAct::Request,
            CallerIdAction::MarkWhitelisted {} => CallerIdAct::MarkWhitelisted,
            CallerIdAction::Bind { .. } => CallerIdAct::Bind,
            CallerIdAction::StartWarmUp {} => CallerIdAct::StartWarmUp,
            CallerIdAction::Flag { .. } => CallerIdAct::Flag,
            CallerIdAction::ClearFlag {} => CallerIdAct::ClearFlag,
            CallerIdAction::Rest { .. } => CallerIdAct::Rest,
            CallerIdAction::Resume {} => CallerIdAct::Resume,
            CallerIdAction::Unbind {} => CallerIdAct::Unbind,
            CallerIdAction::Retire {} => CallerIdAct::Retire,
        }
    }
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
    let Some(now) = row.state.after(act, row.flags > 0) else {
        let possible: Vec<&str> = row.state.acts(row.flags > 0).into_iter().map(CallerIdAct::word).collect();
        let (state, act, possible) = (row.state.word(), act.word(), possible.join(", "));
        let detail = format!("a number that is {state} takes no {act}; it takes {possible}");
        return Err(Problem::new(StatusCode::CONFLICT, "not_in_this_state", detail));
    };
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
    let row = finish(&state, change, row.id).await?;
    let shown = answer(&state, &caller, &row).await?;
    Ok(with_etag(row.version, shown))
}

fn parse_until(text: &str, now: Utc) -> Result<Utc, Problem> {
    let unfit = || {
        Problem::of_field(
            "/until",
            "a moment in the future, like 2030-01-31T09:30:00Z",
            "须为将来的时间,例如 2030-01-31T09:30:00Z",
        )
    };
    let at = text.parse::<jiff::Timestamp>().map_err(|_| unfit())?;
    Some(Utc::from_millis(at.as_millisecond())).filter(|at| *at > now).ok_or_else(unfit)
}
