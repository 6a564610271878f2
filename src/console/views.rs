//! JSON of accounts, groups, seats and campaigns. Moments are RFC 3339 in UTC; telephone numbers are
//! national, as people dial them.

use super::app_state::{AppState, OpenCampaignFacts};
use super::seat_acts;
use super::shown_number::{NumberSight, ShownNumber, shown_text};
use crate::engine::{Board, CampaignBoard, PhoneBoard, TrunkBoard, TrunkDown};
use crate::store::{AgentRow, GroupRow};
use crate::text::{Lang, TimeFormat};
use paceline_core::agent::{CallSummary, Endpoint, Membership, Party, SeatView, Work};
use paceline_core::campaign::Recorded;
use paceline_core::dialer::{LineView, View};
use paceline_core::ids::{AgentId, CampaignId, GroupId};
use paceline_core::line_guard::Scope;
use paceline_core::number::PhoneNumber;
use paceline_core::pacing::Why;
use paceline_core::pacing::ledger::AbandonReport;
use paceline_core::sip::user_agent::TrunkUse;
use paceline_core::time::{Duration, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn moment(at: Utc) -> Value {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok();
    at.map_or(Value::Null, |at| format!("{at:.3}").into())
}

pub(super) fn millis(at: Option<i64>) -> Value {
    at.map_or(Value::Null, |at| moment(Utc::from_millis(at)))
}

pub(super) fn optional_moment(at: Option<Utc>) -> Value {
    at.map_or(Value::Null, moment)
}

pub(super) fn number(number: Option<PhoneNumber>, sight: NumberSight) -> Value {
    number.map_or(Value::Null, |number| ShownNumber::of(number, sight).into())
}

/// A number for the audit: `138****8000`.
pub(super) fn masked_number(number: Option<PhoneNumber>) -> Value {
    self::number(number, NumberSight::Masked)
}

/// A telephone number from its database column (E.164 digits).
pub(super) fn stored_number(stored: Option<i64>, sight: NumberSight) -> Value {
    number(stored.and_then(|digits| PhoneNumber::from_e164(u64::try_from(digits).ok()?)), sight)
}

fn secs(span: Duration) -> Value {
    (span.as_millis() as f64 / 1000.0).into()
}

/// An account, without its secrets.
pub(super) fn agent(row: &AgentRow, groups: &BTreeMap<GroupId, String>, sight: NumberSight) -> Value {
    json!({
        "number": row.number,
        "name": row.details.name,
        "login": row.details.login,
        "role": row.details.role,
        "groups": memberships(&row.groups, groups),
        "skills": row.details.skills,
        "telephone": number(row.details.telephone, sight),
        "recorded": row.details.recorded,
        "operator": row.operator,
        "phone_user": row.details.sip_user,
        "created_at": moment(row.created_at),
        "version": row.version,
    })
}

pub(super) fn memberships(rows: &[Membership], groups: &BTreeMap<GroupId, String>) -> Value {
    let shown = rows.iter().map(|membership| {
        json!({
            "group": groups.get(&membership.group),
            "priority": membership.priority,
            "in_use": membership.in_use,
        })
    });
    shown.collect::<Vec<Value>>().into()
}

pub(super) fn group(row: &GroupRow) -> Value {
    let group = &row.group;
    json!({
        "name": group.name,
        "telephones": group.telephones,
        "announce_number": group.announce_number,
        "idle_release_secs": group.idle_release.map(|span| span.as_secs()),
        "work_mode": group.work_mode,
        "seats": group.seats,
        "version": row.version,
    })
}

/// Names of agents, groups and campaigns, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub agents: BTreeMap<AgentId, (String, String)>,
    pub groups: BTreeMap<GroupId, String>,
    pub campaigns: BTreeMap<CampaignId, String>,
    /// Campaigns in which an agent starts and stops the recording.
    pub on_demand: BTreeSet<CampaignId>,
    /// How their reader is shown telephone numbers.
    pub sight: NumberSight,
}

impl Names {
    pub fn of(
        agents: &[AgentRow],
        groups: BTreeMap<GroupId, String>,
        state: &AppState,
        sight: NumberSight,
    ) -> Names {
        let name = |row: &AgentRow| (row.id, (row.number.clone(), row.details.name.clone()));
        let mut campaigns: BTreeMap<CampaignId, String> =
            state.engine().board().borrow().campaigns.iter().map(|(id, b)| (*id, b.name.clone())).collect();
        let open = state.campaigns();
        campaigns.extend(open.iter().map(|(id, facts)| (*id, facts.rules.name.clone())));
        let is_on_demand = |facts: &OpenCampaignFacts| {
            facts.rules.agents.as_ref().is_some_and(|rules| rules.recorded == Recorded::OnDemand)
        };
        let on_demand = open.iter().filter(|(_, facts)| is_on_demand(facts)).map(|(id, _)| *id).collect();
        Names { agents: agents.iter().map(name).collect(), groups, campaigns, on_demand, sight }
    }

    fn number_of(&self, agent: AgentId) -> Value {
        self.agents.get(&agent).map_or(Value::Null, |(number, _)| number.clone().into())
    }

    fn name_of(&self, agent: AgentId) -> Value {
        self.agents.get(&agent).map_or(Value::Null, |(_, name)| name.clone().into())
    }
}

/// One seat, with the registered phone of its agent.
pub(super) fn seat(seat: &SeatView, phone: Option<&PhoneBoard>, names: &Names) -> Value {
    let reason = match &seat.availability {
        paceline_core::agent::Availability::Paused { reason } => Value::from(reason.as_str()),
        _ => Value::Null,
    };
    let endpoint = match seat.endpoint {
        Endpoint::Phone => json!("phone"),
        Endpoint::Telephone(telephone) => {
            json!({ "telephone": ShownNumber::of(telephone, names.sight) })
        }
    };
    let groups: Vec<&String> = seat.groups.iter().filter_map(|group| names.groups.get(group)).collect();
    let supervising =
        seat.supervising.map(|(agent, how)| json!({ "agent": names.number_of(agent), "how": how }));
    json!({
        "agent": seat.number,
        "name": names.name_of(seat.agent),
        "availability": seat.availability.word(),
        "reason": reason,
        "activity": seat.activity.word(),
        "since": moment(seat.since),
        "signed_in_at": optional_moment(seat.signed_in_at),
        "groups": groups,
        "work_mode": seat.work_mode,
        "endpoint": endpoint,
        "holding": seat.holding,
        "phone_ready": seat.phone_ready,
        "leg_up": seat.leg_up,
        "phone": phone.map(phone_link),
        "quiet": seat.no_calls,
        "work": seat.work.as_ref().map(|doing| work(doing, names)),
        "muted": seat.muted,
        "until": optional_moment(seat.until),
        "leaving": seat.leaving,
        "supervising": supervising,
        "can": seat_acts::of(seat, names),
        "answered": seat.answered,
        "talked_secs": secs(seat.talked),
        "refused": seat.refused,
        "refused_words": seat.refused.map(|reason| {
            json!({ "en": Lang::En.call_refused(reason), "zh": Lang::Zh.call_refused(reason) })
        }),
    })
}

fn phone_link(phone: &PhoneBoard) -> Value {
    json!({
        "contacts": phone.contacts,
        "address": phone.address,
        "transport": phone.transport,
        "product": phone.product,
        "latency_ms": phone.latency.map(|span| span.as_millis() as u64),
    })
}

fn work(work: &Work, names: &Names) -> Value {
    let parties: Vec<Value> = work.parties.iter().map(|it| party(it, names)).collect();
    json!({
        "campaign": names.campaigns.get(&work.campaign),
        "lead": work.lead,
        "number": number(work.number, names.sight),
        "attempt": work.attempt,
        "inbound": work.inbound,
        "answered_at": optional_moment(work.answered_at),
        "connected_at": optional_moment(work.connected_at),
        "parties": parties,
        "recording": work.recording,
        "summary": work.summary.as_ref().map(|it| summary(it, names.sight)),
    })
}

fn party(party: &Party, names: &Names) -> Value {
    json!({
        // A string: leg ids exceed 2^53, the largest integer that JavaScript holds exactly.
        "leg": party.leg.0.to_string(),
        "kind": party.kind,
        "agent": party.agent.map(|agent| names.number_of(agent)),
        "number": number(party.number, names.sight),
        "up": party.up,
        "held": party.held,
    })
}

fn summary(summary: &CallSummary, sight: NumberSight) -> Value {
    let callback = summary
        .callback
        .as_ref()
        .map(|callback| json!({ "at": moment(callback.at), "own": callback.own, "skill": callback.skill }));
    json!({ "disposition": summary.disposition, "note": shown_text(&summary.note, sight), "callback": callback })
}

/// The view of a campaign with every number, moments and abandon rates in their own forms.
pub(super) fn view(view: &View) -> Value {
    let mut shown = serde_json::to_value(view).unwrap_or_default();
    shown["until"] = optional_moment(view.until);
    shown["abandon"] = view.abandon.as_ref().map_or(Value::Null, abandon);
    shown
}

/// A campaign's figures and the sentence that says what limits dialling.
pub(super) fn campaign(
    id: CampaignId,
    board: &CampaignBoard,
    facts: Option<&OpenCampaignFacts>,
    names: &Names,
) -> Value {
    let mut view = serde_json::to_value(board.view).unwrap_or_default();
    view["until"] = optional_moment(board.view.until);
    // Repeated below in its own form.
    if let Some(view) = view.as_object_mut() {
        view.remove("abandon");
    }
    let braking = board.view.abandon.map(|standing| standing.braking()).filter(|rate| rate.of > 0.0);
    let group = facts.and_then(|facts| facts.rules.agents.as_ref()).map(|rules| rules.group);
    json!({
        "id": id,
        "name": board.name,
        "title": facts.map(|facts| facts.title.as_str()),
        "mode": facts.map(|facts| facts.rules.mode.word()),
        "group": group.and_then(|group| names.groups.get(&group)),
        "view": view,
        "why": board.view.why.map(|why| why.word()),
        "words": words(&board.view, &board.line_trunk, &zone(facts)),
        "line": line(board.view.line.as_ref(), &board.line_trunk, &zone(facts)),
        "placed": board.placed,
        "ended": board.ended,
        "outcomes": board.outcomes.iter().map(|(outcome, n)| (outcome.word(), *n)).collect::<BTreeMap<_, _>>(),
        "results": board.results,
        "calls_per_sec": board.calls_per_sec,
        "answer_rate": board.answer_rate(),
        "abandon_rate": braking.map(|rate| rate.rate),
        "abandon": board.view.abandon.as_ref().map(abandon),
        "leads": board.leads,
        "leads_ended": board.leads.saturating_sub(board.view.leads_open),
        "finished": board.finished,
        "opened_at": moment(board.opened_at),
    })
}

/// The campaign's time zone, for moments in sentences.
pub(super) fn zone(facts: Option<&OpenCampaignFacts>) -> TimeFormat {
    facts.map_or_else(TimeFormat::utc, |facts| TimeFormat::in_zone(&facts.rules.windows.timezone))
}

pub(super) fn moments(state: &AppState, campaign: CampaignId) -> TimeFormat {
    zone(state.campaigns().get(&campaign).map(AsRef::as_ref))
}

/// The sentence that says why a campaign dials or does not, in English and Chinese. `trunk` = name of the trunk that
/// rests, if one does.
pub(super) fn words(view: &View, trunk: &str, moments: &TimeFormat) -> Value {
    words_beside(view, trunk, moments, None)
}

/// [`words`]; `other` = the campaign that has the lines, where the reader may know its name.
pub(super) fn words_beside(view: &View, trunk: &str, moments: &TimeFormat, other: Option<&str>) -> Value {
    match paused_by(view) {
        Some(all) => line(Some(&all), trunk, moments)["words"].take(),
        None => json!({
            "en": Lang::En.view_beside(view, moments, other),
            "zh": Lang::Zh.view_beside(view, moments, other),
        }),
    }
}

/// The line trouble that keeps the campaign from calling, where nothing else does.
pub(super) fn paused_by(view: &View) -> Option<LineView> {
    let otherwise = [Why::Paused, Why::Draining, Why::Finished, Why::OutsideWindow];
    view.line.filter(|line| line.all && !view.why.is_some_and(|why| otherwise.contains(&why)))
}

/// Why a trunk, or a region on it, rests; `null` = the line works.
pub(super) fn line(line: Option<&LineView>, trunk: &str, moments: &TimeFormat) -> Value {
    let Some(line) = line else { return Value::Null };
    let [en, zh] = [Lang::En, Lang::Zh].map(|lang| lang.line_status(trunk, line, moments));
    json!({
        "trunk": trunk,
        "region": match line.trouble.scope {
            Scope::Trunk => None,
            Scope::Region(prefix) => Some(format!("+{prefix}")),
        },
        "all": line.all,
        "fault": line.trouble.fault,
        "sip_code": line.trouble.sip_code,
        "calls": line.trouble.calls,
        "until": optional_moment(line.until),
        "words": { "en": en.says, "zh": zh.says },
        "advice": { "en": en.advice, "zh": zh.advice },
    })
}

/// A trunk with its rest, if its guard keeps it out of use.
pub(super) fn trunk(trunk: &TrunkBoard) -> Value {
    let mut codes: Vec<(&u16, &u64)> = trunk.codes_today.codes.iter().collect();
    codes.sort_by_key(|(code, calls)| (std::cmp::Reverse(**calls), **code));
    let codes: Vec<Value> = codes
        .into_iter()
        .map(|(code, calls)| {
            let [en, zh] = [Lang::En, Lang::Zh].map(|lang| lang.code_words(*code));
            json!({ "code": code, "calls": calls, "words": { "en": en, "zh": zh } })
        })
        .collect();
    let until = trunk.rest.and_then(|rest| rest.until).or(trunk.put_back.asked_until);
    json!({
        "name": trunk.name,
        "up": trunk.up,
        "state": trunk_state(trunk),
        "calls": trunk.calls,
        "calls_max": trunk.calls_max,
        "calls_per_sec": trunk.calls_per_sec,
        "words": trunk_words(trunk),
        "line": line(trunk.rest.as_ref(), &trunk.name, &TimeFormat::in_zone(DAY_ZONE)),
        "until": optional_moment(until),
        "rests_since": optional_moment(trunk.put_back.since),
        "put_back": trunk.put_back.put_back,
        "options_ms": trunk.round_trip.map(|span| span.as_millis() as u64),
        "codes_today": codes,
    })
}

/// The zone in which moments of trunks are said: a trunk is of no campaign.
const DAY_ZONE: &str = "Asia/Shanghai";

fn both(say: impl Fn(Lang) -> &'static str) -> Value {
    json!({ "en": say(Lang::En), "zh": say(Lang::Zh) })
}

fn trunk_state(trunk: &TrunkBoard) -> &'static str {
    match &trunk.down {
        _ if trunk.disabled => "disabled",
        Some(TrunkDown::Unusable(TrunkUse::NotRegistered)) => "registering",
        Some(_) => "down",
        None if !trunk.up => "down",
        None if trunk.rest.is_some() || trunk.put_back.asked_until.is_some() => "resting",
        None => "up",
    }
}

fn trunk_words(trunk: &TrunkBoard) -> Value {
    match &trunk.down {
        _ if trunk.disabled => both(Lang::trunk_disabled),
        Some(down) => trunk_down(down),
        None if trunk.put_back.asked_until.is_some() => both(Lang::trunk_pause),
        None => Value::Null,
    }
}

/// Why a trunk is not in use, in English and Chinese.
pub(super) fn trunk_down(down: &TrunkDown) -> Value {
    let words = |lang: Lang| match down {
        TrunkDown::NotFound { host, why } => lang.trunk_not_found(host, why),
        TrunkDown::Unusable(state) => lang.trunk_unusable(state),
    };
    json!({ "en": words(Lang::En), "zh": words(Lang::Zh) })
}

/// Abandon rates by every rule: which rules brake, which is the strictest, and how many more abandoned
/// calls it leaves.
pub(super) fn abandon(standing: &AbandonReport) -> Value {
    let rules: Vec<Value> = standing
        .rates
        .iter()
        .map(|rate| {
            json!({
                "rule": rate.rule.word(),
                "abandoned": rate.abandoned,
                "of": rate.of,
                "rate": rate.rate,
                "upper": rate.upper,
                "chosen": standing.chosen.contains(rate.rule),
                "left": standing.left_of(rate.rule),
            })
        })
        .collect();
    json!({
        "rules": rules,
        "strictest": standing.strictest.word(),
        "ceiling": standing.ceiling,
        "left": standing.left,
    })
}

/// What an agent's screen needs of a campaign: its name, wrap-up rules and dispositions.
pub(super) fn workplace(facts: &OpenCampaignFacts, names: &Names) -> Value {
    let rules = facts.rules.agents.as_ref();
    let dispositions: Vec<Value> = rules
        .iter()
        .flat_map(|rules| &rules.dispositions)
        .map(|known| {
            json!({
                "code": known.code,
                "label": known.label,
                "state": known.state,
                "do_not_call": known.do_not_call,
                "wrong_number": known.wrong_number,
                "machine": known.machine,
            })
        })
        .collect();
    json!({
        "name": facts.rules.name,
        "title": facts.title,
        "mode": facts.rules.mode.word(),
        "group": rules.and_then(|rules| names.groups.get(&rules.group)),
        "wrap_up": rules.map(|rules| rules.wrap_up),
        "wrap_up_secs": rules.map(|rules| rules.wrap_up_len.as_secs()),
        "preview": rules.map(|rules| rules.preview),
        "dispositions": dispositions,
        "disposition_required": rules.map(|rules| rules.disposition_required),
        "disposition_default": rules.and_then(|rules| rules.disposition_default.as_ref()),
        "recorded": rules.map(|rules| rules.recorded),
        "timezone": facts.rules.windows.timezone,
        "windows": facts.rules.windows.windows.iter().map(|window| json!({
            "days": window.days, "from": window.from_minute, "to": window.to_minute,
        })).collect::<Vec<_>>(),
    })
}

/// The agent's registered phone, if any.
pub(super) fn phone_of(board: &Board, agent: AgentId) -> Option<&PhoneBoard> {
    board.phones.get(&agent)
}
