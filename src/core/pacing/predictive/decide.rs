//! One decision: the probability that the next call's answer finds an idle agent, weighed against the budget,
//! within every cap. The chances of calls and agents come from `tables`.

use super::Pacer;
use super::budget::{self, DayForecast};
use super::margin::Margin;
use super::snapshot::{CallNow, Doing, Limit, Plan, Reason, Snapshot, Stage};
use super::tables::{Chances, POINTS, SOON, Tables};
use crate::ids::CallId;

use crate::pacing::estimate::Durations;
use crate::time::{Duration, Time};
use std::collections::BTreeMap;

/// Busy and idle agents, and the product of agents and calls, up to which the margin is exact.
const EXACT_AGENTS: usize = 45;
const EXACT_IDLE: usize = 30;
const EXACT_WORK: usize = 10_000;
/// An old call is cancelled when an answer within the next second would find no agent with this probability.
const CANCEL_ABOVE: f64 = 0.01;
/// A ringing call worth less than this share of a new one makes room for it when lines are short.
const WORTH_LESS: f64 = 0.6;
/// A trunk with this share of network failures gets one call for each idle agent.
const NETWORK_FAILING: f64 = 0.5;

fn secs(span: Duration) -> f64 {
    span.as_millis() as f64 / 1000.0
}

/// Counts of the snapshot.
struct FloorCounts {
    idle: u32,
    /// Agents who are not on a break.
    present: u32,
    waiting: u32,
    /// Busy agents and calls, grouped by equal chances with their number.
    busy: Vec<(Chances, u32)>,
    busy_agents: usize,
    calls: Vec<(Chances, u32)>,
    calls_out: usize,
    answers_coming: f64,
}

impl FloorCounts {
    fn surplus(&self) -> i64 {
        i64::from(self.idle) - i64::from(self.waiting)
    }

    /// Whether the exact margin is affordable.
    fn is_exact(&self) -> bool {
        let (idle, busy) = (self.idle as usize, self.busy_agents);
        busy <= EXACT_AGENTS && idle <= EXACT_IDLE && (idle + busy) * (busy + self.calls_out) <= EXACT_WORK
    }

    fn margin(&self, exact: bool, doubt: f64) -> Margin {
        if exact { Margin::exact(self.surplus()) } else { Margin::normal(self.surplus(), doubt) }
    }
}

/// Limits outside the model.
struct Caps {
    most: u32,
    by: Limit,
    /// One call for each idle agent, less pending calls and waiting callees.
    safe: u32,
    present: u32,
}

impl Caps {
    fn of(pacer: &Pacer, view: &Snapshot) -> Self {
        let count = |wanted: fn(&Doing) -> bool| {
            view.agents.iter().filter(|agent| wanted(&agent.doing)).count().min(u32::MAX as usize) as u32
        };
        let (present, idle) = (count(|doing| *doing != Doing::Paused), count(|doing| *doing == Doing::Idle));
        let out = (view.calls.len() + pacer.feed.hidden_calls().len()).min(u32::MAX as usize) as u32;
        let waiting = view.waiting.len().min(u32::MAX as usize) as u32;
        let rule = pacer.rules.calls_per_agent_max;
        // A cap that is not a number is set to the least that dials at all.
        let per_agent = (if rule.is_nan() { 1.0 } else { rule } * f64::from(present)).floor() as u32;
        let leads = view.leads_left.map_or(u32::MAX, |leads| leads.min(u64::from(u32::MAX)) as u32);
        let caps = [
            (per_agent.saturating_sub(out), Limit::CallsPerAgent),
            (view.lines_free, Limit::LinesFull),
            (view.starts_allowed, Limit::CallsPerSec),
            (leads, Limit::LeadsOut),
        ];
        let (most, by) = caps.into_iter().min_by_key(|(cap, _)| *cap).unwrap_or((0, Limit::LinesFull));
        Caps { most, by, safe: idle.saturating_sub(waiting).saturating_sub(out), present }
    }

    /// One call for each idle agent, without a model.
    fn plan(&self, now: Time, limit: Limit) -> Plan {
        let why = Reason {
            limit: if self.present == 0 { Limit::NoAgents } else { limit },
            expected_free: 0.0,
            expected_answers: 0.0,
            risk: 0.0,
            risk_max: 0.0,
            budget_left: 0.0,
        };
        let next_look = Some(now + Duration::from_secs(1));
        Plan { place: self.safe.min(self.most), cancel: Vec::new(), why, next_look }
    }
}

/// The model's plan within the caps, or one call for each idle agent where the model has failed.
pub fn decide(pacer: &Pacer, now: Time, view: &Snapshot) -> Plan {
    let caps = Caps::of(pacer, view);
    let Some(tables) = &pacer.tables else { return caps.plan(now, Limit::ModelFailed) };
    let plan = plan_by_model(pacer, tables, &caps, now, view);
    let why = &plan.why;
    let numbers = [why.expected_free, why.expected_answers, why.risk, why.risk_max, why.budget_left];
    if numbers.iter().all(|number| number.is_finite()) { plan } else { caps.plan(now, Limit::ModelFailed) }
}

fn plan_by_model(pacer: &Pacer, tables: &Tables, caps: &Caps, now: Time, view: &Snapshot) -> Plan {
    let floor = count_floor(pacer, tables, now, view);
    let mut margins = margins(pacer, tables, &floor, view);
    let allowance =
        pacer.budget.allowance(&pacer.rules, now, day_forecast(pacer, tables, &floor, &margins, now, view));
    let mut risk = next_risk(tables, &margins);
    let doubted = pacer.feed.is_doubted(now) || pacer.call_model.network_failing() > NETWORK_FAILING;
    let mut place = 0;
    let mut limit = if floor.present == 0 {
        Limit::NoAgents
    } else if doubted {
        place = caps.safe.min(caps.most);
        Limit::FeedDoubted
    } else {
        let fresh = scaled(tables.placed[0], relative_level(pacer, tables, view.next_part));
        let cap = caps.most.min(cap_at_day_end(&floor, allowance.last));
        let wanted = calls_within_risk(tables, &mut margins, &fresh, allowance.risk, cap, &mut risk);
        place = wanted.max(caps.safe).min(caps.most);
        if allowance.risk <= 0.0 { Limit::Budget } else { Limit::AgentsBusy }
    };
    if place == caps.most && limit != Limit::NoAgents {
        limit = caps.by;
    }
    let mut cancel =
        if doubted { Vec::new() } else { cancels(pacer, tables, now, view, &floor, allowance.risk) };
    if !doubted && view.lines_free == 0 && cancel.is_empty() && risk <= allowance.risk {
        cancel = cancels_for_lines(pacer, tables, now, view);
    }
    let middle = POINTS / 2;
    let why = Reason {
        limit,
        expected_free: f64::from(floor.idle) + total(&floor.busy, middle),
        expected_answers: total(&floor.calls, middle) + f64::from(place) * tables.placed[0][middle],
        risk,
        risk_max: allowance.risk,
        budget_left: allowance.left,
    };
    let moving = floor.present > 0 || !view.calls.is_empty();
    Plan { place, cancel, why, next_look: moving.then(|| now + Duration::from_secs(1)) }
}

/// Forecast for the rest of the day.
fn day_forecast(
    pacer: &Pacer,
    tables: &Tables,
    floor: &FloorCounts,
    margins: &[Margin],
    now: Time,
    view: &Snapshot,
) -> DayForecast {
    let floor_pace = f64::from(floor.present) / (pacer.agent_model.busy_secs() + 10.0);
    let from_leads = view.leads_left.map(|leads| leads as f64 * tables.answer + floor.answers_coming);
    DayForecast {
        answers: budget::expected_answers(pacer.budget.pace(now), floor_pace, now, view.closes, from_leads),
        in_flight: floor.answers_coming,
        failing: expected_failures(floor, margins),
        // Usually a few in a hundred agents do not return after a call; more than that is a wave.
        leaving: 8.0 * (0.9 - pacer.agent_model.return_chance()).max(0.0),
        end_known: view.closes.is_some() || view.leads_left.is_some(),
        is_estimated: pacer.call_model.machines_reported(),
        team: view.agents.len() as u32,
    }
}

/// Abandons come in clusters, and the day's last one may only be a single one: at the end, no more calls are
/// placed than would cause it if all of them were answered.
fn cap_at_day_end(floor: &FloorCounts, people: Option<u32>) -> u32 {
    match people {
        Some(people @ 0..=1) => {
            let bearable = (floor.surplus().max(0) as usize).saturating_add(people as usize);
            bearable.saturating_sub(floor.calls_out).min(u32::MAX as usize) as u32
        }
        _ => u32::MAX,
    }
}

fn total(rows: &[(Chances, u32)], point: usize) -> f64 {
    rows.iter().map(|(chances, count)| chances[point] * f64::from(*count)).sum()
}

fn count_floor(pacer: &Pacer, tables: &Tables, now: Time, view: &Snapshot) -> FloorCounts {
    let mut floor = FloorCounts {
        idle: 0,
        present: 0,
        waiting: view.waiting.len() as u32,
        busy: Vec::new(),
        busy_agents: 0,
        calls: Vec::new(),
        calls_out: view.calls.len() + pacer.feed.hidden_calls().len(),
        answers_coming: 0.0,
    };
    count_agents(pacer, tables, now, view, &mut floor);
    count_calls(pacer, tables, now, view, &mut floor);
    floor
}

fn count_agents(pacer: &Pacer, tables: &Tables, now: Time, view: &Snapshot, floor: &mut FloorCounts) {
    let back = pacer.agent_model.return_chance();
    let (mut talking, mut wrapping) = (vec![0; tables.talking.len()], vec![0; tables.wrapping.len()]);
    for agent in view.agents.iter().filter(|agent| agent.doing != Doing::Paused) {
        floor.present += 1;
        let bin = || Durations::bin(secs(now.since(agent.since)));
        match agent.doing {
            Doing::Idle => floor.idle += 1,
            _ if agent.leaving => {}
            Doing::Reserved => talking[0] += 1,
            Doing::Talking => talking[bin()] += 1,
            Doing::WrapUp { until: Some(until) } => {
                floor.busy.push((tables.timed_wrap_chances(secs(until.since(now)), back), 1));
            }
            Doing::WrapUp { until: None } => wrapping[bin()] += 1,
            Doing::Paused => {}
        }
    }
    let rows = tables.talking.iter().zip(talking).chain(tables.wrapping.iter().zip(wrapping));
    floor.busy.extend(rows.filter(|(_, count)| *count > 0).map(|(chances, count)| (*chances, count)));
    floor.busy_agents = floor.busy.iter().map(|(_, count)| *count as usize).sum();
}

fn count_calls(pacer: &Pacer, tables: &Tables, now: Time, view: &Snapshot, floor: &mut FloorCounts) {
    // Calls of one part and one age have equal chances.
    let rows = tables.placed.len() + tables.ringing.len();
    let mut parts: BTreeMap<super::Part, Vec<u32>> = BTreeMap::new();
    let mut tally = (view.next_part, vec![0u32; rows]);
    let mut single: Vec<(super::Part, Chances)> = Vec::new();
    for call in view.calls.iter().chain(pacer.feed.hidden_calls()) {
        if call.part != tally.0 {
            let other = parts.remove(&call.part).unwrap_or_else(|| vec![0; rows]);
            let (part, counts) = std::mem::replace(&mut tally, (call.part, other));
            parts.insert(part, counts);
        }
        let age = secs(now.since(call.since)) as usize;
        match call.stage {
            Stage::Placed => tally.1[age.min(tables.placed.len() - 1)] += 1,
            Stage::Ringing => tally.1[tables.placed.len() + age.min(tables.ringing.len() - 1)] += 1,
            Stage::PickedUp => single.push((call.part, call_chances(tables, now, call))),
        }
    }
    parts.insert(tally.0, tally.1);
    for (part, counts) in parts {
        let by = relative_level(pacer, tables, part);
        // No call has rung to its end yet, so an old unanswered call says nothing about slow answers.
        let least = if pacer.first_generation(now) { tables.placed[0] } else { [0.0; POINTS] };
        let chances_by_age = tables.placed.iter().chain(&tables.ringing);
        let counted = chances_by_age.zip(counts).filter(|(_, count)| *count > 0).map(|(chances, count)| {
            let chances: Chances = std::array::from_fn(|n| chances[n].max(least[n]));
            (scaled(chances, by), count)
        });
        floor.calls.extend(counted);
    }
    floor.calls.extend(
        single.iter().map(|(part, chances)| (scaled(*chances, relative_level(pacer, tables, *part)), 1)),
    );
    floor.answers_coming =
        floor.calls.iter().map(|(chances, count)| chances[POINTS - 1] * f64::from(*count)).sum();
}

/// How much better a part answers now than the tables state. An unknown list is assumed to answer as usual,
/// whatever its first seconds show.
fn relative_level(pacer: &Pacer, tables: &Tables, part: super::Part) -> f64 {
    let by = pacer.call_model.level(part).0 / tables.scale;
    let Some(least) = pacer.call_model.cautious_answer_rate() else { return by };
    let odds = |chance: f64| chance / (1.0 - chance.min(0.99));
    by.max(odds(least) / odds(tables.answer).max(1e-6))
}

fn scaled(chances: Chances, by: f64) -> Chances {
    if (by - 1.0).abs() < 0.01 {
        return chances;
    }
    chances.map(|p| scaled_chance(p, by))
}

fn scaled_chance(p: f64, by: f64) -> f64 {
    by * p / (1.0 + (by - 1.0) * p)
}

fn call_chances(tables: &Tables, now: Time, call: &CallNow) -> Chances {
    let age = secs(now.since(call.since));
    let within = |table: &[Chances]| table[(age as usize).min(table.len() - 1)];
    match call.stage {
        Stage::Placed => within(&tables.placed),
        Stage::Ringing => within(&tables.ringing),
        Stage::PickedUp => tables.picked_up_chances(10.0, age),
    }
}

fn margins(pacer: &Pacer, tables: &Tables, floor: &FloorCounts, view: &Snapshot) -> Vec<Margin> {
    let exact = floor.is_exact();
    let doubt = pacer.call_model.level(view.next_part).1;
    (0..tables.points.len())
        .map(|n| {
            let mut margin = floor.margin(exact, doubt);
            floor.busy.iter().for_each(|(chances, count)| margin.add_agents(chances[n], *count));
            floor.calls.iter().for_each(|(chances, count)| margin.add_calls(chances[n], *count));
            margin
        })
        .collect()
}

/// P(one more call, when answered, finds no idle agent).
fn next_risk(tables: &Tables, margins: &[Margin]) -> f64 {
    (SOON + 1..POINTS).map(|n| tables.weights[n] * margins[n].shortage()).sum()
}

/// Expected number of pending calls whose answer finds no idle agent.
fn expected_failures(floor: &FloorCounts, margins: &[Margin]) -> f64 {
    let (mut before, mut sum) = (0.0, f64::from(floor.waiting) * margins[SOON].shortage());
    for n in SOON + 1..POINTS {
        let by_then: f64 = floor.calls.iter().map(|(chances, count)| chances[n] * f64::from(*count)).sum();
        sum += (by_then - before).max(0.0) * margins[n].shortage();
        before = by_then;
    }
    sum
}

/// Number of calls that can be added one after the other, each within `risk_max`.
fn calls_within_risk(
    tables: &Tables,
    margins: &mut [Margin],
    fresh: &Chances,
    risk_max: f64,
    cap: u32,
    risk: &mut f64,
) -> u32 {
    let mut placed = 0;
    // Steps of one with an exact margin; otherwise the step doubles while it fits and halves after.
    let exact = matches!(margins.first(), Some(Margin::Exact { .. }));
    let mut step = 1;
    while placed < cap && *risk <= risk_max && risk_max > 0.0 {
        let more = step.min(cap - placed);
        let mut trial = margins.to_vec();
        trial.iter_mut().zip(fresh).for_each(|(margin, chance)| margin.add_calls(*chance, more));
        let after = next_risk(tables, &trial);
        if more > 1 && after > risk_max {
            step = more / 2;
            if step == 0 {
                break;
            }
            continue;
        }
        margins.clone_from_slice(&trial);
        *risk = after;
        placed += more;
        if !exact {
            step = more * 2;
        }
    }
    placed
}

/// Ringing calls to cancel, oldest first: those whose answer within the next second would too probably find
/// no agent. Later answers are judged by later decisions.
fn cancels(
    pacer: &Pacer,
    tables: &Tables,
    now: Time,
    view: &Snapshot,
    floor: &FloorCounts,
    risk_max: f64,
) -> Vec<CallId> {
    let rules = &pacer.rules;
    let tolerated = risk_max.max(CANCEL_ABOVE);
    let mut margin = floor.margin(floor.is_exact(), 0.0);
    floor.busy.iter().for_each(|(chances, count)| margin.add_agents(chances[SOON], *count));
    let agents_alone = margin.clone();
    floor.calls.iter().for_each(|(chances, count)| margin.add_calls(chances[SOON], *count));
    if !rules.may_cancel || margin.shortage() <= tolerated {
        return Vec::new();
    }
    // Young calls stay in any case; old ones are added back one by one, the youngest first.
    let mut margin = agents_alone;
    let mut old: Vec<(Time, CallId, f64)> = Vec::new();
    let mut known = (view.next_part, relative_level(pacer, tables, view.next_part));
    for call in view.calls.iter().chain(pacer.feed.hidden_calls()) {
        if call.part != known.0 {
            known = (call.part, relative_level(pacer, tables, call.part));
        }
        let soon = scaled_chance(call_chances(tables, now, call)[SOON], known.1);
        if call.stage == Stage::Ringing && now.since(call.since) >= rules.ring_legal_min {
            old.push((call.since, call.call, soon));
        } else {
            margin.add_call(soon);
        }
    }
    old.sort_unstable_by_key(|(since, call, _)| (*since, *call));
    let mut kept = 0;
    for (_, _, soon) in old.iter().rev() {
        if margin.shortage() > tolerated {
            break;
        }
        margin.add_call(*soon);
        kept += 1;
    }
    old.truncate(old.len() - kept);
    old.into_iter().map(|(_, call, _)| call).collect()
}

/// When lines are short: old calls whose next second on the line is worth far less than a new call's.
fn cancels_for_lines(pacer: &Pacer, tables: &Tables, now: Time, view: &Snapshot) -> Vec<CallId> {
    if !pacer.rules.may_cancel || view.starts_allowed == 0 || view.leads_left == Some(0) {
        return Vec::new();
    }
    let fresh = tables.answer / tables.hold;
    let last = tables.hold_ringing.len() - 1;
    let mut old: Vec<(Time, CallId)> = view
        .calls
        .iter()
        .filter(|call| call.stage == Stage::Ringing)
        .filter(|call| {
            let age = now.since(call.since);
            let second = (age.as_secs() as usize).min(last);
            let worth = tables.answer_ringing[second] / tables.hold_ringing[second].max(0.5);
            age >= pacer.rules.ring_legal_min && worth < WORTH_LESS * fresh
        })
        .map(|call| (call.since, call.call))
        .collect();
    old.sort_unstable();
    old.truncate((view.starts_allowed as usize).min(1 + view.agents.len() / 20));
    old.into_iter().map(|(_, call)| call).collect()
}
