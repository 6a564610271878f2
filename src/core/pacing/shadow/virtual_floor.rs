//! The virtual floor: seats that follow the live agents' sign-ins and breaks, calls whose fates are drawn
//! from samples, and the setting on trial that decides how many are placed. Routing as on the live floor:
//! longest idle agent first, longest waiting callee first, abandoned when the wait is over.

use super::samples::{Fate, Samples};
use super::totals::Totals;
use super::{LiveLimits, ShadowRules, call_id};
use crate::campaign::Mode;
use crate::ids::AgentId;
use crate::pacing::Rate;
use crate::pacing::brake::{self, Brake};
use crate::pacing::predictive::{
    self, AgentNow, CallNow, Doing, Event, Pacer, Part, Snapshot, Stage, WaitingNow,
};
use crate::pacing::ratio;
use crate::time::{Duration, Time};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// With more agents than this, decisions are at least `DECIDE_EVERY` apart, as for the live pacer.
const LARGE_FLOOR: usize = 50;
const DECIDE_EVERY: Duration = Duration::from_millis(250);
/// Upper limit of calls started by one decision, so that no setting exhausts memory.
const STARTS_MAX: u32 = 2_000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct VirtualFloor {
    rules: ShadowRules,
    answer_wait: Duration,
    pacer: Option<Box<Pacer>>,
    /// Calls that rang to an end.
    settled: u64,
    seats: BTreeMap<AgentId, Seat>,
    calls: BTreeMap<u64, Call>,
    waiting: VecDeque<(Time, u64)>,
    due: BTreeMap<(Time, u64), FloorEvent>,
    sequence: u64,
    next_call: u64,
    rate: Rate,
    decided_at: Time,
    look_at: Option<Time>,
    open: bool,
    totals: Totals,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seat {
    /// The live agent is signed in and not on a break.
    here: bool,
    /// The live agent has signed out.
    gone: bool,
    doing: SeatState,
    since: Time,
    counted: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum SeatState {
    Idle,
    Talk,
    WrapUp,
    Away,
}

/// One call, pending or with an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Call {
    fate: Fate,
    stage: Stage,
    since: Time,
    /// Answered: no longer pending.
    answered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum FloorEvent {
    Rings(u64),
    Answers(u64),
    Ends(u64),
    GivesUp(u64),
    TalkEnds(AgentId, u64),
    WrapEnds(AgentId),
    Look,
}

impl VirtualFloor {
    pub fn new(rules: ShadowRules, predictive: predictive::Rules) -> Self {
        VirtualFloor {
            rules,
            answer_wait: predictive.answer_wait,
            pacer: (rules.mode == Mode::Predictive).then(|| Box::new(Pacer::new(predictive))),
            settled: 0,
            seats: BTreeMap::new(),
            calls: BTreeMap::new(),
            waiting: VecDeque::new(),
            due: BTreeMap::new(),
            sequence: 0,
            next_call: 0,
            rate: Rate::per_sec(0.0),
            decided_at: Time::ZERO,
            look_at: None,
            open: false,
            totals: Totals::default(),
        }
    }

    /// Begins dialling and counting.
    pub fn open(&mut self, now: Time) {
        self.open = true;
        self.totals = Totals::default();
        self.due.clear();
        self.look_at = None;
        self.seats.values_mut().for_each(|seat| (seat.counted, seat.since) = (now, now));
    }

    /// The totals up to `now`.
    pub fn totals(&self, now: Time) -> Totals {
        let mut totals = self.totals;
        for seat in self.seats.values() {
            totals.count(seat.doing != SeatState::Away, seat.busy(), now.since(seat.counted));
        }
        totals
    }

    /// The live agent signed in or came back; or went on a break, which waits for the end of the virtual
    /// call.
    pub fn set_present(&mut self, now: Time, agent: AgentId, here: bool) {
        let away = Seat { here: false, gone: false, doing: SeatState::Away, since: now, counted: now };
        let seat = self.seats.entry(agent).or_insert(away);
        let came = seat.doing == SeatState::Away && here;
        (seat.here, seat.gone) = (here, false);
        let idle = seat.doing == SeatState::Idle;
        if came {
            self.send_event(now, Event::AgentCame { agent });
            self.set_idle(now, agent);
            self.look_by(now);
        } else if idle && !here {
            self.set_away(now, agent);
        }
    }

    pub fn sign_out(&mut self, now: Time, agent: AgentId) {
        let Some(seat) = self.seats.get_mut(&agent) else { return };
        (seat.here, seat.gone) = (false, true);
        if !seat.busy() {
            self.set_away(now, agent);
        }
    }

    /// Handles every event due until `now`, with a decision after each moment.
    pub fn advance(&mut self, now: Time, room: &LiveLimits, samples: &Samples, random: &mut ChaCha8Rng) {
        if !self.open {
            return;
        }
        self.rate.set_per_sec(room.calls_per_sec);
        while let Some((&(at, n), &what)) = self.due.first_key_value() {
            if at > now {
                break;
            }
            self.due.remove(&(at, n));
            self.handle(at, what, samples, random);
            if self.due.first_key_value().is_none_or(|(&(next, _), _)| next > at) {
                self.decide(at, room, samples, random);
            }
        }
    }

    fn handle(&mut self, now: Time, what: FloorEvent, samples: &Samples, random: &mut ChaCha8Rng) {
        match what {
            FloorEvent::Rings(n) => {
                if let Some(call) = self.calls.get_mut(&n).filter(|call| !call.answered) {
                    (call.stage, call.since) = (Stage::Ringing, now);
                    self.send_event(now, Event::Ringing { call: call_id(n) });
                }
            }
            FloorEvent::Answers(n) => self.answer(now, n, samples, random),
            FloorEvent::Ends(n) => {
                if self.calls.remove(&n).is_some() {
                    self.settled += 1;
                    self.send_event(now, Event::Unanswered { call: call_id(n), network: false });
                }
            }
            FloorEvent::GivesUp(n) => self.abandon(now, n),
            FloorEvent::TalkEnds(agent, n) => {
                self.calls.remove(&n);
                self.set_state(now, agent, SeatState::WrapUp);
                self.send_event(now, Event::TalkEnded { agent });
                let over = now + samples.wrap(random);
                self.schedule(over, FloorEvent::WrapEnds(agent));
            }
            FloorEvent::WrapEnds(agent) => {
                self.send_event(now, Event::WrapEnded { agent });
                let stays = self.seats.get(&agent).is_some_and(|seat| seat.here);
                if stays {
                    self.set_idle(now, agent)
                } else {
                    self.set_away(now, agent)
                }
                self.connect_waiting(now, samples, random);
            }
            FloorEvent::Look => {
                // A look that an earlier one replaced asks for no decision.
                if self.look_at == Some(now) {
                    self.look_at = None;
                }
                self.connect_waiting(now, samples, random);
            }
        }
    }

    fn answer(&mut self, now: Time, n: u64, samples: &Samples, random: &mut ChaCha8Rng) {
        let Some(call) = self.calls.get_mut(&n) else { return };
        call.answered = true;
        self.settled += 1;
        self.totals.answered += 1;
        self.send_event(now, Event::AnsweredLive { call: call_id(n) });
        self.waiting.push_back((now, n));
        self.schedule(now + self.answer_wait, FloorEvent::GivesUp(n));
        self.connect_waiting(now, samples, random);
    }

    /// Connects the longest waiting callee to the longest idle agent.
    fn connect_waiting(&mut self, now: Time, samples: &Samples, random: &mut ChaCha8Rng) {
        while !self.waiting.is_empty() {
            let idle = self.seats.iter().filter(|(_, seat)| seat.doing == SeatState::Idle);
            let Some(agent) = idle.min_by_key(|(id, seat)| (seat.since, **id)).map(|(id, _)| *id) else {
                return;
            };
            let Some((_, n)) = self.waiting.pop_front() else { return };
            self.set_state(now, agent, SeatState::Talk);
            self.send_event(now, Event::Connected { call: call_id(n), agent });
            let over = now + samples.talk(random);
            self.schedule(over, FloorEvent::TalkEnds(agent, n));
        }
    }

    fn abandon(&mut self, now: Time, n: u64) {
        let Some(place) = self.waiting.iter().position(|(_, waiting)| *waiting == n) else { return };
        self.waiting.remove(place);
        self.calls.remove(&n);
        self.totals.abandoned += 1;
        self.send_event(now, Event::Abandoned { call: call_id(n) });
    }

    /// Makes a decision and places its calls.
    pub fn decide(&mut self, now: Time, room: &LiveLimits, samples: &Samples, random: &mut ChaCha8Rng) {
        if !room.open || !self.open {
            return;
        }
        let apart = if self.seats.len() > LARGE_FLOOR { DECIDE_EVERY } else { Duration::ZERO };
        let next = self.decided_at + apart;
        if apart > Duration::ZERO && now < next {
            return self.look_by(next);
        }
        self.decided_at = now;
        let out = self.calls.values().filter(|call| !call.answered).count() as u32;
        let lines_free = room.lines.saturating_sub(self.calls.len() as u32);
        let wanted = match self.rules.mode {
            Mode::Predictive => self.predictive_starts(now, lines_free, room),
            Mode::Progressive => self.ratio_starts(out, 1.0),
            Mode::Ratio => self.ratio_starts(out, self.rules.call_ratio),
            Mode::Announce | Mode::Preview => 0,
        };
        for _ in 0..wanted.min(lines_free).min(STARTS_MAX) {
            let start = self.rate.next_start(now);
            if start > now {
                return self.look_by(start);
            }
            self.rate.reserve(now);
            self.place(now, samples, random);
        }
    }

    /// Lines for idle agents, with the live brake.
    fn ratio_starts(&self, out: u32, call_ratio: f64) -> u32 {
        let idle = self.seats.values().filter(|seat| seat.doing == SeatState::Idle).count() as u32;
        let pending = out + self.waiting.len() as u32;
        let most = ratio::lines(call_ratio, idle);
        let of = self.totals.answered.saturating_sub(self.waiting.len() as u64);
        let brake = Brake {
            abandoned: self.totals.abandoned as f64,
            of: of as f64,
            ceiling: self.rules.abandon_rate_max,
            answer_rate: brake::answer_rate(of, self.settled),
            // Compared with the live side over any span, so no day's end limits it.
            to_come: f64::INFINITY,
            failing: 0.0,
        };
        let paid = |more: &u32| brake.pays_for(pending + more, idle);
        (1..=most.saturating_sub(pending)).take_while(paid).count() as u32
    }

    fn predictive_starts(&mut self, now: Time, lines_free: u32, room: &LiveLimits) -> u32 {
        let view = self.snapshot(lines_free, room);
        let Some(pacer) = &mut self.pacer else { return 0 };
        let plan = pacer.decide(now, &view);
        if let Some(at) = plan.next_look {
            self.look_by(at.max(now + Duration::from_millis(20)));
        }
        for call in plan.cancel {
            if self.calls.get(&call.0).is_some_and(|call| !call.answered) {
                self.calls.remove(&call.0);
                self.send_event(now, Event::Cancelled { call });
            }
        }
        plan.place
    }

    fn snapshot(&self, lines_free: u32, room: &LiveLimits) -> Snapshot {
        let agents = self.seats.iter().filter(|(_, seat)| !seat.gone || seat.doing != SeatState::Away);
        let agents = agents.map(|(agent, seat)| AgentNow {
            agent: *agent,
            doing: match seat.doing {
                SeatState::Idle => Doing::Idle,
                SeatState::Talk => Doing::Talking,
                SeatState::WrapUp => Doing::WrapUp { until: None },
                SeatState::Away => Doing::Paused,
            },
            since: seat.since,
            leaving: !seat.here,
        });
        let calls = self.calls.iter().filter(|(_, call)| !call.answered);
        let calls = calls.map(|(n, call)| CallNow {
            call: call_id(*n),
            part: Part::default(),
            stage: call.stage,
            since: call.since,
        });
        let waiting = self.waiting.iter().map(|(since, n)| WaitingNow { call: call_id(*n), since: *since });
        Snapshot {
            agents: agents.collect(),
            calls: calls.collect(),
            waiting: waiting.collect(),
            lines_free,
            starts_allowed: u32::MAX,
            closes: room.closes,
            ..Snapshot::default()
        }
    }

    fn place(&mut self, now: Time, samples: &Samples, random: &mut ChaCha8Rng) {
        let n = self.next_call;
        self.next_call += 1;
        self.totals.calls += 1;
        let fate = samples.fate(random);
        self.calls.insert(n, Call { fate, stage: Stage::Placed, since: now, answered: false });
        self.send_event(now, Event::Placed { call: call_id(n), part: Part::default() });
        if let Some(rang) = fate.rang {
            self.schedule(now + rang, FloorEvent::Rings(n));
        }
        let end = if fate.answered { FloorEvent::Answers(n) } else { FloorEvent::Ends(n) };
        self.schedule(now + fate.after, end);
    }

    fn set_state(&mut self, now: Time, agent: AgentId, doing: SeatState) {
        let Some(seat) = self.seats.get_mut(&agent) else { return };
        self.totals.count(seat.doing != SeatState::Away, seat.busy(), now.since(seat.counted));
        (seat.doing, seat.since, seat.counted) = (doing, now, now);
    }

    fn set_idle(&mut self, now: Time, agent: AgentId) {
        self.set_state(now, agent, SeatState::Idle);
    }

    fn set_away(&mut self, now: Time, agent: AgentId) {
        let gone = self.seats.get(&agent).is_some_and(|seat| seat.gone);
        self.set_state(now, agent, SeatState::Away);
        self.send_event(now, if gone { Event::AgentLeft { agent } } else { Event::AgentPaused { agent } });
        if gone {
            self.seats.remove(&agent);
        }
    }

    fn send_event(&mut self, now: Time, event: Event) {
        if let Some(pacer) = &mut self.pacer {
            pacer.on_event(now, event);
        }
    }

    fn schedule(&mut self, when: Time, what: FloorEvent) {
        self.sequence += 1;
        self.due.insert((when, self.sequence), what);
    }

    fn look_by(&mut self, when: Time) {
        if self.look_at.is_none_or(|set| when < set) {
            self.look_at = Some(when);
            self.schedule(when, FloorEvent::Look);
        }
    }
}

impl Seat {
    fn busy(&self) -> bool {
        matches!(self.doing, SeatState::Talk | SeatState::WrapUp)
    }
}
