//! Handler of the day's page: what needs somebody, ranked the same for everybody, and the hours of the day beside those
//! of the same weekday a week before.

use super::app_state::AppState;
use super::approvals::may_decide;
use super::auth::Caller;
use super::caller_id_views::idle_at;
use super::campaign_views::StateFacts;
use super::checklist;
use super::health;
use super::problem::Problem;
use super::rights::Action;
use super::shown_number::shown_text;
use super::views::{moment, trunk};
use super::visible_campaigns;
use crate::engine::CampaignBoard;
use crate::store::Reader;
use crate::store::caller_ids::CallerIdRow;
use crate::store::campaign_rows::{CampaignRow, CampaignState};
use crate::store::finds::HourSum;
use crate::text::{Lang, TimeFormat};
use axum::Json;
use axum::extract::State;
use paceline_core::caller_id_life::CallerIdState;
use paceline_core::campaign::Mode;
use paceline_core::explain::DialStatus;
use paceline_core::ids::CampaignId;
use paceline_core::pacing::Why;
use paceline_core::time::{Duration, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DAY: Duration = Duration::from_secs(24 * 3_600);
const HOUR: Duration = Duration::from_secs(3_600);
/// A number is named so long before the carrier takes it back.
const IDLE_SOON: Duration = Duration::from_secs(2 * 24 * 3_600);

/// Items of one kind.
const OF_KIND_MAX: usize = 20;

/// The zone of days: organisations have none of their own.
const ZONE: &str = "Asia/Shanghai";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Stop,
    Warn,
    Info,
}

impl Severity {
    const fn word(self) -> &'static str {
        match self {
            Severity::Stop => "stop",
            Severity::Warn => "warn",
            Severity::Info => "info",
        }
    }
}

/// The kinds, in the order in which equally urgent items stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    NotDialling,
    Health,
    Line,
    Approval,
    CallerId,
    StartsSoon,
    ListEnds,
    Finished,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Kind::NotDialling => "not_dialling",
            Kind::Health => "health",
            Kind::Line => "line",
            Kind::Approval => "approval",
            Kind::CallerId => "caller_id",
            Kind::StartsSoon => "starts_soon",
            Kind::ListEnds => "list_ends",
            Kind::Finished => "finished",
        }
    }
}

struct Item {
    severity: Severity,
    kind: Kind,
    campaign: Option<(String, String)>,
    words: Value,
    href: String,
    since: Option<Utc>,
}

impl Item {
    fn view(&self) -> Value {
        json!({
            "kind": self.kind.word(),
            "campaign": self.campaign.as_ref().map(|(name, _)| name),
            "title": self.campaign.as_ref().map(|(_, title)| title),
            "words": self.words,
            "href": self.href,
            "since": self.since.map(moment),
            "severity": self.severity.word(),
        })
    }
}

fn words(en: impl Into<String>, zh: impl Into<String>) -> Value {
    json!({ "en": en.into(), "zh": zh.into() })
}

pub(super) async fn show(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Problem> {
    let now = state.now();
    let rows = visible_campaigns::rows(&state, &caller).await?;
    let facts = StateFacts::load(&state, &caller.scope).await?;
    let mut items = Vec::new();
    for row in &rows {
        items.extend(campaign_items(&state, &caller, row, &facts, now).await?);
    }
    items.extend(approvals(&state, &caller).await?);
    items.extend(caller_ids(&state, &caller, now).await?);
    items.extend(lines(&state, &caller));
    items.extend(health_faults(&state, &caller).await?);
    items.sort_by(|a, b| (a.severity, a.kind, &a.campaign).cmp(&(b.severity, b.kind, &b.campaign)));
    let items: Vec<Value> = items.iter().map(Item::view).collect();
    let campaigns: Vec<CampaignId> = rows.iter().map(|row| row.id).collect();
    let mut reader = state.store().reader().await?;
    let hours = hours(&mut reader, &campaigns, now).await?;
    Ok(Json(json!({ "items": items, "hours": hours })))
}

async fn campaign_items(
    state: &AppState,
    caller: &Caller,
    row: &CampaignRow,
    facts: &StateFacts,
    now: Utc,
) -> Result<Vec<Item>, Problem> {
    let named = || Some((row.name.clone(), row.title.clone()));
    let live = format!("/campaigns/{}/live", row.name);
    let item = |severity, kind, words, href: &str| {
        let (campaign, href) = (named(), href.to_owned());
        Item { severity, kind, campaign, words, href, since: None }
    };
    let mut items = Vec::new();
    let trouble: Option<Value> = row.trouble.as_deref().and_then(|text| serde_json::from_str(text).ok());
    if let Some(trouble) = trouble.filter(|it| it["en"].is_string() && it["zh"].is_string()) {
        let said =
            words(trouble["en"].as_str().unwrap_or_default(), trouble["zh"].as_str().unwrap_or_default());
        items.push(item(Severity::Stop, Kind::NotDialling, said, &live));
    }
    match facts.live(row.id) {
        Some(board) => {
            if let Some((severity, said)) = not_dialling(row, board) {
                items.push(item(severity, Kind::NotDialling, said, &live));
            }
            if let Some(said) = list_end(board, now) {
                items.push(item(
                    Severity::Info,
                    Kind::ListEnds,
                    said,
                    &format!("/campaigns/{}/lists", row.name),
                ));
            }
        }
        None if facts.state(row) == CampaignState::Finished => {
            let is_recent = row.opened_at.is_some_and(|at| at + DAY > now);
            let said = words("every lead is called: see the results", "名单已拨完:可查看结果");
            let href = format!("/results?campaign={}", row.name);
            items.extend(is_recent.then(|| item(Severity::Info, Kind::Finished, said, &href)));
        }
        None if starts_soon(row, now) => {
            let checked = checklist::check(state, caller, row, facts).await?;
            if !checked.is_ready() {
                let missing = checked.stops().len();
                let en = format!("it starts within a day, and its checklist lacks {missing}: go through it");
                let zh = format!("一天内开始,清单还缺 {missing} 项");
                let href = format!("/campaigns/{}/start", row.name);
                items.push(item(Severity::Warn, Kind::StartsSoon, words(en, zh), &href));
            }
        }
        None => {}
    }
    Ok(items)
}

/// Why an open campaign does not dial, where a person can do something about it.
fn not_dialling(row: &CampaignRow, board: &CampaignBoard) -> Option<(Severity, Value)> {
    let view = board.view;
    let severity = match view.why? {
        Why::StoreStalled | Why::TrunksDown => Severity::Stop,
        Why::NoAgents | Why::CallerIdsUsed | Why::CallerIdsResting | Why::AbandonBudget => Severity::Warn,
        Why::Paused => Severity::Info,
        _ => return None,
    };
    let modes = [Mode::Preview, Mode::Progressive, Mode::Ratio, Mode::Predictive];
    let mode = modes.into_iter().find(|mode| mode.word() == row.mode).unwrap_or(Mode::Announce);
    let standing = DialStatus::Open { mode, view: Box::new(view) };
    let moments = TimeFormat::in_zone(ZONE);
    let said = |lang: Lang| lang.dial_status(&standing, &moments).says;
    Some((severity, words(said(Lang::En), said(Lang::Zh))))
}

/// When the list ends today, at the rate since the campaign was opened; it has dialled for an hour at least.
fn list_end(board: &CampaignBoard, now: Utc) -> Option<Value> {
    let open = now.since(board.opened_at);
    if open < HOUR || board.leads_ended == 0 || board.view.leads_open == 0 {
        return None;
    }
    let left = board.view.leads_open as f64 / board.leads_ended as f64 * open.as_secs_f64();
    let ends = now + Duration::from_secs(left.min(1e7) as u64);
    let zone = TimeFormat::in_zone(ZONE);
    if zone.written(ends, "%F") != zone.written(now, "%F") {
        return None;
    }
    let (at, leads) = (zone.written(ends, "%H:%M"), board.view.leads_open);
    let en = format!("its list ends about {at} today: {leads} leads are left");
    Some(words(en, format!("名单约 {at} 拨完:还剩 {leads} 条")))
}

/// Whether `[calling] start` of a campaign that is not open lies within a day.
fn starts_soon(row: &CampaignRow, now: Utc) -> bool {
    let text: Option<toml::Table> = row.toml.parse().ok();
    let start = text.as_ref().and_then(|text| text.get("calling")?.get("start"));
    let Some(start) = start.map(|start| start.as_str().map_or(start.to_string(), str::to_owned)) else {
        return false;
    };
    let zone = TimeFormat::in_zone(ZONE);
    let day = start.get(..10).and_then(|day| day.parse::<jiff::civil::Date>().ok());
    let begins = day.and_then(|day| day.to_zoned(zone.zone().clone()).ok());
    begins.is_some_and(|begins| {
        let at = Utc::from_millis(begins.timestamp().as_millisecond());
        at + DAY > now && at <= now + DAY
    })
}

async fn approvals(state: &AppState, caller: &Caller) -> Result<Vec<Item>, Problem> {
    if !caller.may(Action::ApprovalsDecide) {
        return Ok(Vec::new());
    }
    let rows = state.store().approvals(&caller.scope, true, None, 200).await?;
    let mine = rows.iter().filter(|row| may_decide(caller, row)).take(OF_KIND_MAX);
    Ok(mine
        .map(|row| Item {
            severity: Severity::Warn,
            kind: Kind::Approval,
            campaign: row.campaign.clone().map(|name| (name.clone(), name)),
            words: words(
                format!("{} waits for your approval", shown_text(&row.title, caller.sight())),
                format!("{} 等待你审核", shown_text(&row.title, caller.sight())),
            ),
            href: format!("/approvals?id={}", row.id.0),
            since: Some(row.asked_at),
        })
        .collect())
}

/// Caller IDs that are flagged, and those that the carrier takes back soon.
async fn caller_ids(state: &AppState, caller: &Caller, now: Utc) -> Result<Vec<Item>, Problem> {
    if !caller.may(Action::CallerIdsEdit) {
        return Ok(Vec::new());
    }
    let rows = state.store().caller_ids_in(&caller.scope).await?;
    let calls = state.store().caller_id_calls(caller.scope.enterprise, now, now).await?;
    let zone = TimeFormat::in_zone(ZONE);
    let item = |row: &CallerIdRow, severity, words, since| Item {
        severity,
        kind: Kind::CallerId,
        campaign: None,
        words,
        href: format!("/caller-ids?caller-id={}", row.number.national()),
        since,
    };
    let (mut flagged, mut idle) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| row.state != CallerIdState::Retired) {
        let number = row.number.national();
        if row.state == CallerIdState::Flagged {
            let until = row.rest_until.map(|until| zone.written(until, "%m-%d %H:%M"));
            let (en, zh) = match until {
                Some(until) => (
                    format!("the caller ID {number} is suspected to be marked, and rests until {until}"),
                    format!("外显号码 {number} 疑似被标记,休息至 {until}"),
                ),
                None => (
                    format!("the caller ID {number} is suspected to be marked, and rests"),
                    format!("外显号码 {number} 疑似被标记,休息中"),
                ),
            };
            flagged.push(item(row, Severity::Warn, words(en, zh), Some(row.state_since)));
        }
        let last = row.last_used.max(calls.get(&row.number).map(|it| it.last));
        let Some(ends) = idle_at(row, last).filter(|ends| *ends < now + IDLE_SOON) else { continue };
        let at = zone.written(ends, "%m-%d %H:%M");
        let said = match ends > now {
            true => words(
                format!(
                    "the carrier takes the caller ID {number} back at {at} unless a call shows it before"
                ),
                format!("外显号码 {number} 久未使用,{at} 将被运营商收回"),
            ),
            false => words(
                format!("the carrier may have taken the caller ID {number} back at {at}: no call showed it"),
                format!("外显号码 {number} 久未使用,{at} 起可能已被运营商收回"),
            ),
        };
        idle.push(item(row, Severity::Warn, said, None));
    }
    flagged.truncate(OF_KIND_MAX);
    idle.truncate(OF_KIND_MAX);
    flagged.extend(idle);
    Ok(flagged)
}

/// Trunks that are down or rest.
fn lines(state: &AppState, caller: &Caller) -> Vec<Item> {
    if !caller.may(Action::TrunksRead) {
        return Vec::new();
    }
    let board = state.engine().board().borrow().clone();
    let faulty = board.trunks.iter().filter(|it| !it.disabled && (!it.up || it.rest.is_some()));
    faulty
        .map(|it| {
            let view = trunk(it);
            let said = [&view["words"], &view["line"]["words"]].into_iter().find(|it| it["en"].is_string());
            let name = &it.name;
            let plain = || words(format!("the trunk {name} is not in use"), format!("线路 {name} 未启用"));
            Item {
                severity: if it.up { Severity::Warn } else { Severity::Stop },
                kind: Kind::Line,
                campaign: None,
                words: said.cloned().unwrap_or_else(plain),
                href: format!("/trunks?trunk={name}"),
                since: None,
            }
        })
        .collect()
}

/// Faults of the service but those of lines, which stand by themselves.
async fn health_faults(state: &AppState, caller: &Caller) -> Result<Vec<Item>, Problem> {
    if !caller.may(Action::HealthRead) {
        return Ok(Vec::new());
    }
    let Json(health) = health::health(State(state.clone()), caller.clone()).await?;
    let checks = health["checks"].as_array().cloned().unwrap_or_default();
    let faulty = checks.into_iter().filter(|check| {
        check["ok"] == false && !matches!(check["code"].as_str(), Some("trunk" | "line") | None)
    });
    Ok(faulty
        .map(|check| Item {
            severity: Severity::Stop,
            kind: Kind::Health,
            campaign: None,
            words: check["words"].clone(),
            href: "/health".into(),
            since: None,
        })
        .collect())
}

/// Sums of the hours of today, each beside that of the same weekday a week before.
async fn hours(reader: &mut Reader, campaigns: &[CampaignId], now: Utc) -> Result<Vec<Value>, Problem> {
    let zone = TimeFormat::in_zone(ZONE);
    let today = zone.written(now, "%F").parse::<jiff::civil::Date>().ok();
    let begins = today.and_then(|day| day.to_zoned(zone.zone().clone()).ok());
    let Some(begins) = begins else { return Ok(Vec::new()) };
    let from = Utc::from_millis(begins.timestamp().as_millisecond());
    let week = |at: Utc| Utc::from_millis(at.as_millis() - 7 * DAY.as_millis() as i64);
    let sums = reader.hour_sums(campaigns, from, now).await?;
    let before = reader.hour_sums(campaigns, week(from), week(from) + DAY).await?;
    let before: BTreeMap<i64, HourSum> = before.into_iter().map(|sum| (sum.hour, sum)).collect();
    let known: BTreeMap<i64, HourSum> = sums.into_iter().map(|sum| (sum.hour, sum)).collect();
    let last = now.since(from).as_secs() as i64 / 3_600;
    let figures =
        |sum: &HourSum| json!({ "placed": sum.placed, "answered": sum.answered, "abandoned": sum.abandoned });
    Ok((0..=last)
        .map(|hour| {
            let mut shown = figures(&known.get(&hour).copied().unwrap_or_default());
            shown["hour"] = moment(from + HOUR * hour as u32);
            shown["before"] = before.get(&hour).map_or(Value::Null, figures);
            shown
        })
        .collect())
}
