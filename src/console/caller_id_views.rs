//! Caller IDs in JSON: what the register says, and the figures beside it.

use super::app_state::AppState;
use super::auth::Caller;
use super::caller_id_approvals::{ApprovalStanding, organisations_asking};
use super::caller_id_campaigns::{self, NamedBy};
use super::problem::Problem;
use super::versions::etag;
use super::views::{moment, optional_moment};
use crate::store::caller_id_hours::{CallerIdHour, CallsOfNumber, hour_of, hour_start};
use crate::store::caller_ids::{CallerIdKey, CallerIdLogRow, CallerIdRow};
use crate::text::{CallerIdFigures, Lang};
use paceline_core::caller_id_life::{CallerIdAct, CallerIdState};
use paceline_core::campaign::caller_id::warm_up_max;
use paceline_core::ids::AgentId;
use paceline_core::number::ShownNumber;
use paceline_core::time::{Duration, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const DAY_HOURS: i64 = 24;
const DAY_SECS: u64 = 24 * 3_600;
/// The zone of days: organisations have none of their own.
const ZONE: &str = "Asia/Shanghai";

/// Figures of every number beside its row.
pub(super) struct Figures {
    hours: BTreeMap<CallerIdKey, Vec<CallerIdHour>>,
    calls: BTreeMap<ShownNumber, CallsOfNumber>,
    named: BTreeMap<ShownNumber, NamedBy>,
    agents: BTreeMap<AgentId, String>,
    asking: BTreeSet<i64>,
    pub now: Utc,
    pub days: u32,
}

/// The first hour of the day that lies so many days back, by the zone of days.
pub(super) fn day_start(now: Utc, back: i64) -> i64 {
    let zone = jiff::tz::TimeZone::get(ZONE).unwrap_or(jiff::tz::TimeZone::UTC);
    let moment = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default().to_zoned(zone);
    let day = moment.start_of_day().unwrap_or(moment);
    let first = day.checked_sub(jiff::Span::new().days(back)).unwrap_or(day);
    hour_of(Utc::from_millis(first.timestamp().as_millisecond()))
}

impl Figures {
    pub async fn load(state: &AppState, caller: &Caller, days: u32) -> Result<Figures, Problem> {
        let now = state.now();
        let first = day_start(now, i64::from(days) - 1);
        Ok(Figures {
            hours: state.store().caller_id_hours(first).await?,
            calls: state
                .store()
                .caller_id_calls(caller.scope.enterprise, hour_start(day_start(now, 0)), now)
                .await?,
            named: caller_id_campaigns::by_number(state, &caller.scope).await?,
            agents: state.agent_numbers().await?,
            asking: organisations_asking(state).await?,
            now,
            days,
        })
    }

    /// A row a day, oldest first; the last one is today, as far as it is judged.
    pub fn days(&self, id: CallerIdKey) -> Vec<CallerIdFigures> {
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

impl CallerIdFigures {
    pub(super) fn add(&mut self, hour: &CallerIdHour) {
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

    pub(super) fn view(&self) -> Value {
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

pub(super) fn words(say: impl Fn(Lang) -> String) -> Value {
    json!({ "en": say(Lang::En), "zh": say(Lang::Zh) })
}

/// The cap of 24 hours that holds now, and what sets it.
fn cap(row: &CallerIdRow, figures: &Figures) -> Option<(u32, &'static str)> {
    let now = figures.now;
    let warm_up = (row.state == CallerIdState::Warming)
        .then(|| warm_up_max(now.since(row.state_since).as_secs() / DAY_SECS))
        .filter(|max| *max != u32::MAX);
    // Of several campaigns the one that lets it be shown most often.
    let rules = figures.named.get(&row.number).map_or(&[][..], |it| &it.rules);
    let of_campaigns = rules.iter().map(|it| it.day_max(row.first_used, now).unwrap_or(u32::MAX)).max();
    let caps = [
        row.per_day_max.map(|max| (max, "own")),
        warm_up.map(|max| (max, "warm_up")),
        of_campaigns.filter(|max| *max != u32::MAX).map(|max| (max, "campaign")),
    ];
    caps.into_iter().flatten().min_by_key(|(max, _)| *max)
}

/// When the carrier takes a number back unless a call shows it before: its count begins with the last call, or with the
/// entry.
pub(super) fn idle_at(row: &CallerIdRow, last_used: Option<Utc>) -> Option<Utc> {
    let days = u64::from(row.idle_days?);
    Some(last_used.unwrap_or(row.state_since) + Duration::from_secs(days * DAY_SECS))
}

pub(super) fn view(row: &CallerIdRow, figures: &Figures) -> Value {
    let days = figures.days(row.id);
    let mut week = CallerIdFigures::default();
    for day in &days {
        week.add_day(day);
    }
    let is_suspected = row.flags > 0;
    let calls = figures.calls.get(&row.number);
    let last_used = row.last_used.max(calls.map(|it| it.last));
    let (cap, standing) = (cap(row, figures), ApprovalStanding::of(row, &figures.asking));
    let warm_up_day = (row.state == CallerIdState::Warming)
        .then(|| figures.now.since(row.state_since).as_secs() / DAY_SECS + 1);
    let acts: Vec<&str> = standing.acts(row).into_iter().map(CallerIdAct::word).collect();
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
        "idle_at": optional_moment(idle_at(row, last_used)),
        "found": row.is_found,
        "first_used_at": optional_moment(row.first_used),
        "last_used_at": optional_moment(last_used),
        "today": calls.map_or(0, |it| it.today),
        "last_day": calls.map_or(0, |it| it.last_day),
        "cap": cap.map(|(cap, _)| cap),
        "cap_by": cap.map(|(_, by)| by),
        "approval": standing.word(),
        "approval_id": row.asked.map(|id| id.0),
        "proof": row.proof.as_ref().map(|proof| json!({
            "media_type": proof.media_type,
            "bytes": proof.bytes,
            "at": moment(proof.at),
            "by": proof.by.and_then(|by| figures.agents.get(&AgentId(by))),
        })),
        "days": days.iter().map(CallerIdFigures::view).collect::<Vec<_>>(),
        "verdict": week.verdict(is_suspected).word(),
        "words": words(|lang| lang.caller_id_health(&week, is_suspected)),
        "campaigns": figures.named.get(&row.number).map(|it| &it.campaigns).cloned().unwrap_or_default(),
        "actions": acts,
        "version": row.version,
        "etag": etag(row.version),
    })
}

pub(super) fn log_view(entry: &CallerIdLogRow, figures: &Figures) -> Value {
    json!({
        "at": moment(entry.at),
        "was": entry.was,
        "now": entry.now,
        "why": entry.why,
        "note": entry.note,
        "by": entry.by.and_then(|by| figures.agents.get(&by)),
    })
}
