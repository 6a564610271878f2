//! Connects the floor with each campaign's pacer (mode predictive): events and snapshots in, a plan out
//! that is kept until it is used up. Also feeds the shadows.

use super::{Job, Seat};
use crate::agent::{Activity, Availability};
use crate::call::HangUpCause;
use crate::campaign::window::WindowState;
use crate::dialer::Dialer;
use crate::dialer::campaign_run::CampaignRun;
use crate::dialer::live_call::{Call, Phase};
use crate::dialer::plan::{ANSWER_HORIZON, Planned};
use crate::dialer::trunk_line::Ready;
use crate::dialer::wake::Wake;
use crate::ids::{AgentId, CallId, CampaignId, GroupId};
use crate::lead::Lead;
use crate::pacing::Why;
use crate::pacing::predictive::{AgentNow, CallNow, Doing, Event, Limit, Part, Snapshot, Stage, WaitingNow};
use crate::pacing::shadow::{LiveLimits, ShadowRules};
use crate::time::{Duration, Utc};
use serde::{Deserialize, Serialize};

/// The seat state last reported to the pacers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReportedState {
    here: bool,
    paused: bool,
    activity: Work,
}

/// An activity, as far as pacing distinguishes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Work {
    #[default]
    Free,
    Talking,
    WrapUp,
}

/// With more agents than this, the pacer is asked at most four times a second.
const LARGE_FLOOR: usize = 50;
const PLAN_INTERVAL: Duration = Duration::from_millis(250);

impl Dialer {
    /// Reports an event of a call to its campaign's pacer. Calls with a reserved agent and inbound calls
    /// are not paced.
    pub(in crate::dialer) fn feed_pacer(&mut self, id: CallId, event: impl FnOnce(CallId) -> Event) {
        let is_paced = |call: &&Call| !call.inbound && !call.announced && call.for_agent.is_none();
        let Some(call) = self.calls.get(&id).filter(is_paced) else { return };
        let now = self.now;
        if let Some(run) = self.campaigns.get_mut(&call.campaign) {
            run.feed_event(now, event(id));
        }
    }

    /// Reports changed agents to the pacers of their groups. Called before any call is placed, so that
    /// pacers and floor agree.
    pub(in crate::dialer) fn notify_pacers(&mut self) {
        let now = self.now;
        let any = self.campaigns.values().any(CampaignRun::takes_events);
        if !any {
            return;
        }
        let changed: Vec<AgentId> = self.floor.changed.iter().copied().collect();
        for agent in changed {
            let Some(seat) = self.floor.seats.get_mut(&agent) else { continue };
            let before = seat.reported;
            let after = state_for_pacers(seat);
            if before == after {
                continue;
            }
            seat.reported = after;
            let groups: Vec<GroupId> = seat.groups.iter().copied().collect();
            let events = events(agent, before, after);
            for run in self.campaigns.values_mut() {
                let hers = run.rules.agents.as_ref().is_some_and(|rules| groups.contains(&rules.group));
                let left = !after.here && before.here;
                if hers || left {
                    events.iter().for_each(|event| run.feed_event(now, *event));
                }
            }
        }
    }

    /// How long a plan holds.
    fn plan_interval(&self) -> Duration {
        if self.floor.seats.len() > LARGE_FLOOR { PLAN_INTERVAL } else { Duration::ZERO }
    }

    /// The reason of the last plan, if that plan still holds and is used up.
    pub(in crate::dialer) fn used_up_plan(&mut self, id: CampaignId) -> Option<Why> {
        let apart = self.plan_interval();
        let planned = self.campaigns.get(&id)?.planned.filter(|planned| planned.left == 0)?;
        let holds = planned.round == self.floor.round || self.now.since(planned.at) < apart;
        if holds && apart > Duration::ZERO {
            self.wakes.set_sooner(Wake::Pace(id), planned.at + apart);
        }
        holds.then(|| why(planned.reason.limit))
    }

    /// Takes one call from the plan, and asks for a new plan where the old one has expired. `safe` = an
    /// idle agent is there for the call: the rule while the pacer is bypassed.
    pub(in crate::dialer) fn take_from_plan(
        &mut self,
        id: CampaignId,
        group: GroupId,
        utc: Utc,
        safe: bool,
    ) -> Result<(), Why> {
        let now = self.now;
        let planned = self.campaigns.get(&id).and_then(|run| run.planned);
        let apart = self.plan_interval();
        let fresh =
            planned.filter(|planned| planned.round == self.floor.round || now.since(planned.at) < apart);
        let Some(mut planned) = fresh.or_else(|| self.plan(id, group, utc)) else {
            return if safe { Ok(()) } else { Err(Why::PacerFailed) };
        };
        let limit = planned.reason.limit;
        if planned.left == 0 {
            if apart > Duration::ZERO {
                self.wakes.set_sooner(Wake::Pace(id), planned.at + apart);
            }
            return Err(why(limit));
        }
        planned.left -= 1;
        if let Some(run) = self.campaigns.get_mut(&id) {
            run.planned = Some(planned);
        }
        Ok(())
    }

    /// Asks the pacer for a plan; `None` while it is bypassed.
    fn plan(&mut self, id: CampaignId, group: GroupId, utc: Utc) -> Option<Planned> {
        let now = self.now;
        let round = self.floor.round;
        let view = self.snapshot(id, group, utc);
        let run = self.campaigns.get_mut(&id)?;
        run.planned = None;
        run.set_pacer_budget(utc, view.waiting.len());
        let pacer = run.pacer.as_mut()?;
        let Some(plan) = pacer.decide(now, view) else {
            if let Some(at) = pacer.retry_at() {
                self.wakes.set_sooner(Wake::Pace(id), at);
            }
            return None;
        };
        let planned = Planned { at: now, round, left: plan.place, reason: plan.why };
        run.planned = Some(planned);
        if let Some(at) = plan.next_look {
            self.wakes.set_sooner(Wake::Pace(id), at.max(now + Duration::from_millis(1)));
        }
        for call in plan.cancel {
            self.hang_up(call, HangUpCause::RingTimeout);
        }
        Some(planned)
    }

    /// The last input took too long to handle. The pacers that planned in it are suspected.
    pub(in crate::dialer) fn suspect_slow_pacers(&mut self) {
        let (now, round) = (self.now, self.floor.round);
        for run in self.campaigns.values_mut() {
            if run.planned.is_some_and(|planned| planned.round == round)
                && let Some(pacer) = &mut run.pacer
            {
                pacer.report_slow_decision(now);
            }
        }
    }

    /// Snapshot of the floor for the pacer.
    fn snapshot(&mut self, id: CampaignId, group: GroupId, utc: Utc) -> Snapshot {
        let (own, of) = self.share_of_floor(id, group, utc);
        let agents = self.floor.seats.values().filter(|seat| seat.groups.contains(&group));
        let agents = agents.enumerate().filter(|(n, _)| n % of == own);
        let agents = agents.map(|(_, seat)| self.agent_now(seat, group)).collect();
        let mut view = Snapshot { agents, starts_allowed: u32::MAX, ..Snapshot::default() };
        for (call_id, call) in self.calls.iter().filter(|(_, call)| call.campaign == id && call.needs_agent())
        {
            let on_its_way = |stage, since| CallNow { call: *call_id, part: call.part, stage, since };
            match call.phase {
                Phase::Ringing => {
                    view.calls.push(on_its_way(Stage::Ringing, call.rang.unwrap_or(call.opened)));
                }
                Phase::Waiting | Phase::Answered => {
                    let since = call.answered.unwrap_or(self.now);
                    view.waiting.push(WaitingNow { call: *call_id, since });
                }
                _ => view.calls.push(on_its_way(Stage::Placed, call.opened)),
            }
        }
        let Some(run) = self.campaigns.get_mut(&id) else { return view };
        let own = run.rules.concurrency_max.map_or(u32::MAX, |most| most.saturating_sub(run.live));
        let trunks = run.rules.trunks.iter().filter_map(|trunk| self.trunks.get(trunk));
        let free: u32 = trunks
            .filter(|line| !matches!(line.ready(self.now), Ready::Down(_)))
            .fold(0, |sum, line| sum.saturating_add(line.free()));
        view.lines_free = own.min(free);
        let supply = &run.supply;
        let at_hand = run.hopper.len() as u64;
        // The store's count dates from its last answer; the hopper's length is a lower bound.
        let last = !supply.more_due && supply.next_due.is_none();
        view.leads_left = Some(if last { at_hand } else { supply.leads_open.max(at_hand) });
        view.next_part = run.hopper.first().map_or(Part::default(), |leased| part(&leased.lead));
        view.closes = closes(run, utc).map(|at| self.wall.time(at));
        view
    }

    /// This campaign's share of a group's agents, as (own index, number of shares), where several campaigns
    /// dial for one group: together they must not promise an agent twice. An answered callee still gets any
    /// free agent.
    fn share_of_floor(&mut self, id: CampaignId, group: GroupId, utc: Utc) -> (usize, usize) {
        let dials = |run: &mut CampaignRun| {
            let hers = run.rules.agents.as_ref().is_some_and(|rules| rules.group == group);
            hers && Self::needs_agents(run.rules.mode)
                && !(run.finished || run.paused || run.draining)
                && (run.live > 0 || !run.hopper.is_empty())
                && matches!(run.window(utc), WindowState::OpenUntil(_))
        };
        let sharing =
            self.campaigns.iter_mut().filter_map(|(one, run)| (*one == id || dials(run)).then_some(*one));
        let sharing: Vec<CampaignId> = sharing.collect();
        (sharing.iter().position(|one| *one == id).unwrap_or(0), sharing.len().max(1))
    }

    /// Reports the agents who are already at work to a new shadow.
    pub(in crate::dialer) fn introduce_agents_to_shadow(&mut self, id: CampaignId) {
        let now = self.now;
        let Some(run) = self.campaigns.get_mut(&id) else { return };
        let group = run.rules.agents.as_ref().map(|rules| rules.group);
        let Some(shadow) = &mut run.shadow else { return };
        let here =
            |seat: &&Seat| seat.reported.here && group.is_some_and(|group| seat.groups.contains(&group));
        for seat in self.floor.seats.values().filter(here) {
            seat.events_of_arrival().for_each(|event| shadow.on_event(now, event));
        }
    }

    /// Runs a setting in the shadow of every campaign with agents that does not run it already. No output
    /// depends on it.
    pub fn shadow_all(&mut self, rules: ShadowRules) {
        let wants = |run: &CampaignRun| {
            run.rules.agents.is_some() && run.shadow.as_ref().is_none_or(|shadow| *shadow.rules() != rules)
        };
        let ids: Vec<CampaignId> =
            self.campaigns.iter().filter(|(_, run)| wants(run)).map(|(id, _)| *id).collect();
        for id in ids {
            if let Some(run) = self.campaigns.get_mut(&id) {
                run.set_shadow(Some(rules));
            }
            self.introduce_agents_to_shadow(id);
        }
    }

    /// Takes over the shadows of an earlier state of the same process.
    pub fn take_shadows(&mut self, mut from: Dialer) {
        for (id, run) in &mut self.campaigns {
            if let Some(before) = from.campaigns.get_mut(id) {
                run.shadow = before.shadow.take().or(run.shadow.take());
            }
        }
    }

    /// Brings every shadow to this moment.
    pub(in crate::dialer) fn advance_shadows(&mut self) {
        let (now, utc) = (self.now, self.wall.utc(self.now));
        let shadowed = self.campaigns.iter().filter(|(_, run)| run.shadow.is_some());
        let shadowed: Vec<CampaignId> = shadowed.map(|(id, _)| *id).collect();
        for id in shadowed {
            let calls_per_sec = self.lines_per_sec(id);
            let Some(run) = self.campaigns.get_mut(&id) else { continue };
            let trunks = run.rules.trunks.iter().filter_map(|trunk| self.trunks.get(trunk));
            let lines: u32 = trunks.fold(0, |sum, line| sum.saturating_add(line.trunk.calls_max));
            let room = LiveLimits {
                open: run.last.is_some_and(|last| may_dial(last.why, run.supply.more_due)),
                lines: run.rules.concurrency_max.map_or(lines, |most| most.min(lines)),
                calls_per_sec,
                closes: closes(run, utc).map(|at| self.wall.time(at)),
            };
            if let Some(shadow) = &mut run.shadow {
                shadow.catch_up(now, &room);
            }
        }
    }

    fn agent_now(&self, seat: &Seat, group: GroupId) -> AgentNow {
        let available = seat.availability == Availability::Available;
        let doing = match (&seat.activity, &seat.job) {
            (Activity::Talking | Activity::Consulting, Some(Job::Call { .. })) => Doing::Talking,
            // Most wrap-ups end by a summary before their time, so the pacer goes by observed lengths, not
            // by the countdown.
            (_, Some(Job::WrapUp(_))) => Doing::WrapUp { until: None },
            (Activity::Idle, None) if self.floor.takes_calls(seat, group, false) => Doing::Idle,
            (Activity::Idle, None) => Doing::Paused,
            _ => Doing::Reserved,
        };
        let leaving = seat.leaving || !available;
        AgentNow { agent: seat.agent.id, doing, since: seat.doing_since, leaving }
    }
}

/// Until when a pacer may expect answers: end of the calling hours, the campaign or the local day, whose
/// budget is new; never further than `ANSWER_HORIZON`.
fn closes(run: &mut CampaignRun, utc: Utc) -> Option<Utc> {
    let WindowState::OpenUntil(until) = run.window(utc) else { return None };
    let (_, midnight) = run.local_day(utc);
    Some(until.min(midnight).min(utc + ANSWER_HORIZON))
}

/// Leads that were tried before answer differently from those that were not.
pub(in crate::dialer) fn part(lead: &Lead) -> Part {
    tried(lead.phones.iter().map(|phone| phone.attempts).max().unwrap_or(0))
}

/// The part for numbers with this many tries.
pub(in crate::dialer) fn tried(tries: u32) -> Part {
    Part(tries.min(2) as u16)
}

/// Whether pacing alone limits the number of calls. `more`: leads are on their way.
fn may_dial(why: Why, more: bool) -> bool {
    match why {
        Why::ConcurrencyFull
        | Why::TrunksFull
        | Why::ShareUsed
        | Why::CallsPerSec
        | Why::NoAgents
        | Why::AgentsBusy
        | Why::LinesOut
        | Why::AbandonBudget
        | Why::CalleesWaiting
        | Why::CallsPerAgent
        | Why::FeedDoubted
        | Why::PacerFailed => true,
        Why::HopperEmpty => more,
        Why::TrunksDown
        | Why::OutsideWindow
        | Why::HouseholdsBusy
        | Why::RetriesLater
        | Why::CallerIdsUsed
        | Why::CallerIdsResting
        | Why::StoreStalled
        | Why::Paused
        | Why::Draining
        | Why::Finished => false,
    }
}

impl Seat {
    /// Whether the pacers know the agent as signed in.
    pub(in crate::dialer) fn is_reported(&self) -> bool {
        self.reported.here
    }

    /// Events that introduce an agent who is at work already to a pacer. An agent on a call counts as free, which they will be.
    pub(in crate::dialer) fn events_of_arrival(&self) -> impl Iterator<Item = Event> + use<> {
        let agent = self.agent.id;
        let paused = self.reported.paused.then_some(Event::AgentPaused { agent });
        std::iter::once(Event::AgentCame { agent }).chain(paused)
    }
}

fn state_for_pacers(seat: &Seat) -> ReportedState {
    let activity = match (&seat.activity, &seat.job) {
        (Activity::Talking | Activity::Consulting, Some(Job::Call { .. })) => Work::Talking,
        (_, Some(Job::WrapUp(_))) => Work::WrapUp,
        _ => Work::Free,
    };
    let paused = seat.availability != Availability::Available && activity == Work::Free;
    ReportedState { here: seat.is_signed_in(), paused, activity }
}

/// The events that lead from the reported state to the present one.
fn events(agent: AgentId, before: ReportedState, after: ReportedState) -> Vec<Event> {
    let mut events = Vec::new();
    if !before.here && after.here {
        events.push(Event::AgentCame { agent });
    }
    if before.activity == Work::Talking && after.activity != Work::Talking {
        events.push(Event::TalkEnded { agent });
    }
    let wrapped = before.activity == Work::WrapUp || before.activity == Work::Talking;
    if wrapped && after.activity == Work::Free {
        events.push(Event::WrapEnded { agent });
    }
    if !after.here {
        events.push(Event::AgentLeft { agent });
    } else if after.paused && !before.paused {
        events.push(Event::AgentPaused { agent });
    } else if before.paused && !after.paused && before.here {
        events.push(Event::AgentBack { agent });
    }
    events
}

fn why(limit: Limit) -> Why {
    match limit {
        Limit::NoAgents => Why::NoAgents,
        Limit::AgentsBusy => Why::LinesOut,
        Limit::Budget => Why::AbandonBudget,
        Limit::CallsPerAgent => Why::CallsPerAgent,
        Limit::LinesFull => Why::TrunksFull,
        Limit::CallsPerSec => Why::CallsPerSec,
        Limit::LeadsOut => Why::HopperEmpty,
        Limit::FeedDoubted => Why::FeedDoubted,
        Limit::ModelFailed => Why::PacerFailed,
    }
}
