//! Mode predictive: what happens on the floor told to the campaign's pacer, the floor as it stands shown
//! to it, and its plan kept until it is used up.

use super::{Job, Seat};
use crate::agent::{Activity, Availability};
use crate::call::HangUpCause;
use crate::campaign::Mode;
use crate::campaign::window::WindowState;
use crate::dialer::Dialer;
use crate::dialer::run::Phase;
use crate::dialer::trunk_line::Ready;
use crate::dialer::wake::Wake;
use crate::ids::{AgentId, CallId, CampaignId, GroupId};
use crate::pacing::Why;
use crate::pacing::predictive::{
    AgentNow, CallNow, Doing, Event, Limit, Part, Reason, Snapshot, Stage, WaitingNow,
};
use crate::time::{Duration, Time, Utc};
use serde::{Deserialize, Serialize};

/// A plan, as far as it is not used up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::dialer) struct Planned {
    at: Time,
    /// The round of placing it was made for.
    round: u64,
    left: u32,
    pub reason: Reason,
}

/// What the pacers were told of a seat last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Paced {
    here: bool,
    paused: bool,
    activity: Work,
}

/// An activity, as far as it matters to pacing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Work {
    #[default]
    Free,
    Talking,
    WrapUp,
}

/// With more agents than this, the pacer is asked at most four times a second.
const LARGE: usize = 50;
const ASKED_APART: Duration = Duration::from_millis(250);

impl Dialer {
    /// A fact about a call, for the pacer of its campaign.
    pub(in crate::dialer) fn pacer_hears(&mut self, id: CallId, event: impl FnOnce(CallId) -> Event) {
        let Some(call) = self.calls.get(&id).filter(|call| !call.inbound && call.for_agent.is_none()) else {
            return;
        };
        let now = self.now;
        let run = self.campaigns.get_mut(&call.campaign);
        if let Some(pacer) = run.and_then(|run| run.pacer.as_mut()) {
            pacer.on_event(now, event(id));
        }
    }

    /// What changed about agents since the last input, for every pacer of their groups. Called before
    /// anything is placed, so that pacers and floor agree.
    pub(in crate::dialer) fn tell_pacers(&mut self) {
        let now = self.now;
        let any = self.campaigns.values().any(|run| run.pacer.is_some());
        if !any {
            return;
        }
        let changed: Vec<AgentId> = self.floor.changed.iter().copied().collect();
        for agent in changed {
            let Some(seat) = self.floor.seats.get_mut(&agent) else { continue };
            let before = seat.paced;
            let after = paced(seat);
            if before == after {
                continue;
            }
            seat.paced = after;
            let groups: Vec<GroupId> = seat.groups.iter().copied().collect();
            let events = events(agent, before, after);
            for run in self.campaigns.values_mut() {
                let hers = run.rules.agents.as_ref().is_some_and(|rules| groups.contains(&rules.group));
                let left = !after.here && before.here;
                if let Some(pacer) = run.pacer.as_mut().filter(|_| hers || left) {
                    for event in &events {
                        pacer.on_event(now, *event);
                    }
                }
            }
        }
    }

    /// Whether the plan has one more call to place; asks for a new plan where the old one is past.
    pub(in crate::dialer) fn predicted(
        &mut self,
        id: CampaignId,
        group: GroupId,
        utc: Utc,
    ) -> Result<(), Why> {
        let now = self.now;
        let planned = self.campaigns.get(&id).and_then(|run| run.planned);
        let apart = if self.floor.seats.len() > LARGE { ASKED_APART } else { Duration::ZERO };
        let fresh =
            planned.filter(|planned| planned.round == self.floor.round || now.since(planned.at) < apart);
        let mut planned = match fresh {
            Some(planned) => planned,
            None => self.plan(id, group, utc),
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

    fn plan(&mut self, id: CampaignId, group: GroupId, utc: Utc) -> Planned {
        let now = self.now;
        let round = self.floor.round;
        let view = self.snapshot(id, group, utc);
        let nothing = Reason {
            limit: Limit::NoAgents,
            expected_free: 0.0,
            expected_answers: 0.0,
            risk: 0.0,
            risk_max: 0.0,
            budget_left: 0.0,
        };
        let Some(run) = self.campaigns.get_mut(&id) else {
            return Planned { at: now, round, left: 0, reason: nothing };
        };
        run.tell_pacer(utc, view.waiting.len());
        let Some(pacer) = run.pacer.as_mut() else {
            return Planned { at: now, round, left: 0, reason: nothing };
        };
        let plan = pacer.decide(now, &view);
        let planned = Planned { at: now, round, left: plan.place, reason: plan.why };
        run.planned = Some(planned);
        if let Some(at) = plan.next_look {
            self.wakes.set_sooner(Wake::Pace(id), at.max(now + Duration::from_millis(1)));
        }
        for call in plan.cancel {
            self.hang_up(call, HangUpCause::RingTimeout);
        }
        planned
    }

    /// The floor at this moment, as the pacer sees it.
    fn snapshot(&mut self, id: CampaignId, group: GroupId, utc: Utc) -> Snapshot {
        let agents = self.floor.seats.values().filter(|seat| seat.groups.contains(&group));
        let agents = agents.map(|seat| self.agent_now(seat, group)).collect();
        let mut view = Snapshot { agents, starts_allowed: u32::MAX, ..Snapshot::default() };
        for (call_id, call) in self.calls.iter().filter(|(_, call)| call.campaign == id && call.pending()) {
            let on_its_way = |stage, since| CallNow { call: *call_id, part: Part::default(), stage, since };
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
        if !run.supply.more_due && run.supply.next_due.is_none() {
            view.leads_left = Some(run.hopper.len() as u64);
        }
        if let WindowState::OpenUntil(until) = run.window(utc) {
            view.closes = (until != crate::campaign::window::FOREVER).then(|| self.wall.time(until));
        }
        view
    }

    fn agent_now(&self, seat: &Seat, group: GroupId) -> AgentNow {
        let available = seat.availability == Availability::Available;
        let doing = match (&seat.activity, &seat.job) {
            (Activity::Talking | Activity::Consulting, Some(Job::Call { .. })) => Doing::Talking,
            // Summaries end most of them before their time: what was seen says when, not the clock.
            (_, Some(Job::WrapUp(_))) => Doing::WrapUp { until: None },
            (Activity::Idle, None) if self.floor.takes_calls(seat, group, false) => Doing::Idle,
            (Activity::Idle, None) => Doing::Paused,
            _ => Doing::Reserved,
        };
        let leaving = seat.leaving || !available;
        AgentNow { agent: seat.agent.id, doing, since: seat.doing_since, leaving }
    }
}

fn paced(seat: &Seat) -> Paced {
    let activity = match (&seat.activity, &seat.job) {
        (Activity::Talking | Activity::Consulting, Some(Job::Call { .. })) => Work::Talking,
        (_, Some(Job::WrapUp(_))) => Work::WrapUp,
        _ => Work::Free,
    };
    let paused = seat.availability != Availability::Available && activity == Work::Free;
    Paced { here: seat.signed_in(), paused, activity }
}

/// The events that lead from what was told to what is.
fn events(agent: AgentId, before: Paced, after: Paced) -> Vec<Event> {
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
    }
}

/// Whether this mode asks a pacer.
pub(in crate::dialer) const fn predicts(mode: Mode) -> bool {
    matches!(mode, Mode::Predictive)
}
