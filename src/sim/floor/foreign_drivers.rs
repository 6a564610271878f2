//! Reports the virtual floor to a pacing rule as another dialer might: with missing events, a fixed interval,
//! reused ids. Wraps any [`Pacing`]; changes what it is given, never what happens.

use super::{Pacing, PacingDecision};
use crate::sim::random::SimRng;
use paceline_core::ids::CallId;
use paceline_core::pacing::predictive::{AgentNow, CallNow, Doing, Event, Snapshot, Stage};
use paceline_core::time::{Duration, Time};
use std::collections::BTreeMap;

/// What a driver reports. [`DriverProfile::full`] reports everything.
#[derive(Clone, Debug, PartialEq)]
pub struct DriverProfile {
    /// Decides at this interval only, not after each event.
    pub interval: Option<Duration>,
    pub ringing: bool,
    /// Without ringing events: whether the snapshot shows the stage.
    pub stages: bool,
    pub picked_up: bool,
    /// Whether the snapshot shows calls in set-up or with a detector.
    pub set_up: bool,
    pub talk_ended: bool,
    pub wrap_ended: bool,
    pub breaks: bool,
    pub sign_ins: bool,
    pub leads_left: bool,
    pub closes: bool,
    pub starts: bool,
    /// Network failures are reported as such.
    pub network: bool,
    /// Machines are reported after the conversation, as a disposition would be.
    pub machine_late: bool,
    /// Events of one moment arrive in reverse order.
    pub reversed: bool,
    /// Call ids are reused after this many.
    pub ids: Option<u64>,
    /// The clock's value when the day begins.
    pub clock: Duration,
}

impl DriverProfile {
    pub fn full() -> Self {
        DriverProfile {
            interval: None,
            ringing: true,
            stages: true,
            picked_up: true,
            set_up: true,
            talk_ended: true,
            wrap_ended: true,
            breaks: true,
            sign_ins: true,
            leads_left: true,
            closes: true,
            starts: true,
            network: true,
            machine_late: false,
            reversed: false,
            ids: None,
            clock: Duration::ZERO,
        }
    }

    /// A random mixture by `seed`.
    pub fn drawn(seed: u64) -> Self {
        let mut rng = SimRng::keyed(seed, &[79]);
        let intervals = [None, Some(250), Some(1000), Some(2000)];
        let interval = intervals[(rng.next_u64() % 4) as usize].map(Duration::from_millis);
        let mut reports = || rng.chance(0.5);
        DriverProfile {
            interval,
            ringing: reports(),
            stages: reports(),
            picked_up: reports(),
            set_up: reports(),
            talk_ended: reports() || reports(),
            wrap_ended: reports(),
            breaks: reports(),
            sign_ins: reports(),
            leads_left: reports(),
            closes: reports(),
            starts: reports(),
            network: reports(),
            machine_late: reports(),
            reversed: reports(),
            ids: reports().then_some(50_000),
            clock: Duration::from_millis(if reports() { 1_700_000_000_000 } else { 0 }),
        }
    }
}

/// A pacing rule behind a driver that reports by [`DriverProfile`].
pub struct ForeignDriver<P> {
    pub inner: P,
    profile: DriverProfile,
    held: Vec<Event>,
    held_at: Time,
    late: Vec<Event>,
    next: Time,
    placed: BTreeMap<CallId, Time>,
}

impl<P: Pacing> ForeignDriver<P> {
    pub fn new(inner: P, profile: DriverProfile) -> Self {
        ForeignDriver {
            inner,
            profile,
            held: Vec::new(),
            held_at: Time::ZERO,
            late: Vec::new(),
            next: Time::ZERO,
            placed: BTreeMap::new(),
        }
    }

    fn driver_time(&self, time: Time) -> Time {
        time + self.profile.clock
    }

    fn driver_id(&self, call: CallId) -> CallId {
        self.profile.ids.map_or(call, |ids| CallId(call.0 % ids))
    }

    fn deliver_held(&mut self) {
        let now = self.driver_time(self.held_at);
        if self.profile.reversed {
            self.held.reverse();
        }
        for event in std::mem::take(&mut self.held) {
            self.inner.on_event(now, event);
        }
    }

    /// The event as this driver reports it; `None` = left out.
    fn reported(&mut self, now: Time, event: Event) -> Option<Event> {
        let profile = &self.profile;
        let id = |call| self.driver_id(call);
        Some(match event {
            Event::Placed { call, part } => {
                self.placed.insert(call, now);
                Event::Placed { call: self.driver_id(call), part }
            }
            Event::Ringing { call } if profile.ringing => Event::Ringing { call: id(call) },
            Event::PickedUp { call } if profile.picked_up => Event::PickedUp { call: id(call) },
            Event::Ringing { .. } | Event::PickedUp { .. } => return None,
            Event::AnsweredLive { call } => Event::AnsweredLive { call: id(call) },
            Event::AnsweredMachine { call } => Event::AnsweredMachine { call: id(call) },
            Event::Unanswered { call, network } => {
                Event::Unanswered { call: id(call), network: network && profile.network }
            }
            Event::Cancelled { call } => Event::Cancelled { call: id(call) },
            Event::Connected { call, agent } => Event::Connected { call: id(call), agent },
            Event::Abandoned { call } => Event::Abandoned { call: id(call) },
            Event::HungUpWaiting { call } => Event::HungUpWaiting { call: id(call) },
            Event::FoundMachine { call } if profile.machine_late => {
                let event = Event::FoundMachine { call: id(call) };
                self.late.push(event);
                return None;
            }
            Event::FoundMachine { call } => Event::FoundMachine { call: id(call) },
            Event::TalkEnded { .. } if !profile.talk_ended => return None,
            Event::WrapEnded { .. } if !profile.wrap_ended => return None,
            Event::AgentPaused { .. } | Event::AgentBack { .. } if !profile.breaks => return None,
            Event::AgentCame { .. } if !profile.sign_ins => return None,
            other => other,
        })
    }

    fn reported_view(&self, view: &Snapshot) -> Snapshot {
        let profile = &self.profile;
        let mut seen = view.clone();
        if !profile.set_up && profile.ringing {
            seen.calls.retain(|call| {
                call.stage == Stage::Ringing || call.stage == Stage::PickedUp && !profile.picked_up
            });
        }
        for call in &mut seen.calls {
            let unseen = match call.stage {
                Stage::Ringing => !profile.ringing && !profile.stages,
                Stage::PickedUp => !profile.picked_up,
                Stage::Placed => false,
            };
            if unseen {
                let stage = if profile.ringing || profile.stages { Stage::Ringing } else { Stage::Placed };
                let since = if stage == Stage::Placed { self.placed.get(&call.call).copied() } else { None };
                *call = CallNow { stage, since: since.unwrap_or(call.since), ..*call };
            }
            (call.call, call.since) = (self.driver_id(call.call), self.driver_time(call.since));
        }
        for waiting in &mut seen.waiting {
            (waiting.call, waiting.since) = (self.driver_id(waiting.call), self.driver_time(waiting.since));
        }
        for agent in &mut seen.agents {
            let doing = match agent.doing {
                Doing::WrapUp { until } => {
                    Doing::WrapUp { until: until.map(|until| self.driver_time(until)) }
                }
                doing => doing,
            };
            *agent = AgentNow { doing, since: self.driver_time(agent.since), ..*agent };
        }
        seen.closes = view.closes.filter(|_| profile.closes).map(|closes| self.driver_time(closes));
        seen.leads_left = view.leads_left.filter(|_| profile.leads_left);
        if !profile.starts {
            seen.starts_allowed = u32::MAX;
        }
        seen
    }
}

impl<P: Pacing> Pacing for ForeignDriver<P> {
    fn on_event(&mut self, now: Time, event: Event) {
        if now != self.held_at {
            self.deliver_held();
            self.held_at = now;
        }
        // A late machine report comes with the end of the next wrap-up.
        if matches!(event, Event::WrapEnded { .. }) {
            self.held.append(&mut self.late);
        }
        if let Some(event) = self.reported(now, event) {
            self.held.push(event);
        }
    }

    fn decide(&mut self, now: Time, view: &Snapshot) -> PacingDecision {
        if now < self.next {
            return PacingDecision { next_look: Some(self.next), ..PacingDecision::default() };
        }
        self.deliver_held();
        self.held_at = now;
        if self.placed.len() > 20_000 {
            let oldest = now.as_millis().saturating_sub(600_000);
            self.placed.retain(|_, placed| placed.as_millis() > oldest);
        }
        let mut decision = self.inner.decide(self.driver_time(now), &self.reported_view(view));
        let ids: BTreeMap<CallId, CallId> =
            view.calls.iter().map(|call| (self.driver_id(call.call), call.call)).collect();
        decision.cancel = decision.cancel.iter().filter_map(|call| ids.get(call).copied()).collect();
        decision.next_look = match self.profile.interval {
            Some(interval) => {
                self.next = now + interval;
                Some(self.next)
            }
            None => decision.next_look.map(|at| {
                Time::from_millis(at.as_millis().saturating_sub(self.profile.clock.as_millis() as u64))
            }),
        };
        decision
    }
}
