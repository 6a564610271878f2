//! Shadow pacing: tries another pacing setting beside the live one before it is switched on. A virtual floor
//! with the same agents and breaks dials a line that behaves as the live one just did. It places no call, and
//! no live decision depends on it. Samples of the live line are in `samples`, the virtual floor in `virtual_floor`.

mod samples;
#[cfg(test)]
mod tests;
mod totals;
mod virtual_floor;

pub use totals::SideFigures;

use crate::campaign::{Mode, PacingRules};
use crate::ids::{AgentId, CallId};
use crate::pacing::predictive::{self, Event};
use crate::time::{Duration, Time};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use samples::Samples;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use totals::Totals;
use virtual_floor::VirtualFloor;

/// The setting on trial. Everything else is as in the campaign.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShadowRules {
    /// `Progressive`, `Ratio` or `Predictive`; other modes dial nothing.
    pub mode: Mode,
    /// Mode ratio: lines for each idle agent.
    pub call_ratio: f64,
    /// The ceiling, 0.03 = three in a hundred.
    pub abandon_rate_max: f64,
}

/// The live campaign's limits at this moment; they bound the shadow too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiveLimits {
    /// Inside the calling hours, not paused, leads in the hopper.
    pub open: bool,
    /// Upper limit of simultaneous calls.
    pub lines: u32,
    pub calls_per_sec: f64,
    /// When dialling ends for today, if known.
    pub closes: Option<Time>,
}

/// Live and shadow side by side, over the same span.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub rules: ShadowRules,
    /// Length of the span in seconds; zero while the line is being learnt.
    pub secs: f64,
    pub live: SideFigures,
    pub shadow: SideFigures,
}

/// Calls and conversations that must be sampled before the shadow begins.
const CALLS_NEEDED: usize = 40;
const TALKS_NEEDED: usize = 10;

/// One shadow of one campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shadow {
    rules: ShadowRules,
    samples: Samples,
    live: Totals,
    live_seats: BTreeMap<AgentId, LiveSeat>,
    floor: VirtualFloor,
    random: ChaCha8Rng,
    began: Option<Time>,
    room: Option<LiveLimits>,
    now: Time,
}

/// A live agent's state, as far as the comparison counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LiveSeat {
    paused: bool,
    /// Start of the conversation, and of its wrap-up.
    talking: Option<Time>,
    wrapping: Option<Time>,
    counted: Time,
}

impl Shadow {
    /// `ring`: how long phones ring; `pacing` gives the campaign's answer wait and whether calls may be
    /// cancelled.
    pub fn new(rules: ShadowRules, pacing: &PacingRules, ring: Duration, seed: u64) -> Self {
        let predictive = predictive::Rules {
            abandon_rate_max: rules.abandon_rate_max,
            answer_wait: pacing.answer_wait,
            ring_max: ring,
            may_cancel: pacing.may_cancel,
            ..predictive::Rules::default()
        };
        Shadow {
            rules,
            samples: Samples::default(),
            live: Totals::default(),
            live_seats: BTreeMap::new(),
            floor: VirtualFloor::new(rules, predictive),
            random: ChaCha8Rng::seed_from_u64(seed),
            began: None,
            room: None,
            now: Time::ZERO,
        }
    }

    pub fn rules(&self) -> &ShadowRules {
        &self.rules
    }

    /// Takes an event of the live floor, the same that its pacer gets.
    pub fn on_event(&mut self, now: Time, event: Event) {
        self.now = self.now.max(now);
        if let Some(room) = &self.room {
            self.floor.advance(now, room, &self.samples, &mut self.random);
        }
        match event {
            Event::Placed { call, .. } => {
                self.samples.placed(now, call);
                self.live.calls += 1;
            }
            Event::Ringing { call } => self.samples.ringing(now, call),
            Event::AnsweredLive { call } => {
                self.samples.answered(now, call);
                self.live.answered += 1;
            }
            Event::Unanswered { call, .. } | Event::AnsweredMachine { call } => self.samples.ended(now, call),
            Event::Cancelled { call } => self.samples.forget(call),
            Event::Abandoned { .. } => self.live.abandoned += 1,
            Event::Connected { agent, .. } => self.live_connected(now, agent),
            Event::TalkEnded { agent } => self.live_talk_ended(now, agent),
            Event::WrapEnded { agent } => self.live_free(now, agent),
            Event::AgentCame { agent } | Event::AgentBack { agent } => {
                self.live_free(now, agent);
                self.live_seat(now, agent).paused = false;
                self.floor.set_present(now, agent, true);
            }
            Event::AgentPaused { agent } => {
                self.live_free(now, agent);
                self.live_seat(now, agent).paused = true;
                self.floor.set_present(now, agent, false);
            }
            Event::AgentLeft { agent } => {
                self.live_free(now, agent);
                self.live_seats.remove(&agent);
                self.floor.sign_out(now, agent);
            }
            Event::PickedUp { .. } | Event::HungUpWaiting { .. } | Event::FoundMachine { .. } => {}
        }
    }

    /// Advances the virtual floor to `now`.
    pub fn catch_up(&mut self, now: Time, room: &LiveLimits) {
        self.now = self.now.max(now);
        self.room = Some(*room);
        if self.began.is_none() {
            if self.samples.calls() < CALLS_NEEDED || self.samples.talks() < TALKS_NEEDED {
                return;
            }
            // Both sides count from here.
            self.began = Some(now);
            self.live = Totals::default();
            self.live_seats.values_mut().for_each(|seat| seat.counted = now);
            self.floor.open(now);
        }
        self.floor.advance(now, room, &self.samples, &mut self.random);
        self.floor.decide(now, room, &self.samples, &mut self.random);
    }

    /// Both sides so far.
    pub fn comparison(&self) -> Comparison {
        let span = self.began.map_or(Duration::ZERO, |began| self.now.since(began));
        let mut live = self.live;
        for seat in self.live_seats.values() {
            live.count(seat.here(), seat.busy(), self.now.since(seat.counted));
        }
        let (live, shadow) = if self.began.is_some() {
            (live.figures(span), self.floor.totals(self.now).figures(span))
        } else {
            (SideFigures::default(), SideFigures::default())
        };
        Comparison { rules: self.rules, secs: span.as_secs_f64(), live, shadow }
    }

    /// The live agent's seat, counted up to `now`.
    fn live_seat(&mut self, now: Time, agent: AgentId) -> &mut LiveSeat {
        let seat = self.live_seats.entry(agent).or_insert(LiveSeat { counted: now, ..LiveSeat::default() });
        self.live.count(seat.here(), seat.busy(), now.since(seat.counted));
        seat.counted = now;
        seat
    }

    fn live_connected(&mut self, now: Time, agent: AgentId) {
        self.live_free(now, agent);
        self.live_seat(now, agent).talking = Some(now);
    }

    fn live_talk_ended(&mut self, now: Time, agent: AgentId) {
        let seat = self.live_seat(now, agent);
        // Other work, such as inbound calls, is not a sample of this campaign's conversations.
        let Some(since) = seat.talking.take() else { return };
        seat.wrapping = Some(now);
        self.samples.talked(now.since(since));
    }

    fn live_free(&mut self, now: Time, agent: AgentId) {
        self.live_talk_ended(now, agent);
        if let Some(since) = self.live_seat(now, agent).wrapping.take() {
            self.samples.wrapped(now.since(since));
        }
    }
}

impl LiveSeat {
    fn busy(&self) -> bool {
        self.talking.is_some() || self.wrapping.is_some()
    }

    fn here(&self) -> bool {
        !self.paused || self.busy()
    }
}

/// The shadow numbers its calls itself; no id refers to a live call.
fn call_id(n: u64) -> CallId {
    CallId(n)
}
