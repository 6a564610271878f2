//! The virtual floor: seats that follow the live agents' sign-ins and breaks, calls whose fates are drawn
//! from samples, and the setting on trial that decides how many are placed. Routing as on the live floor:
//! longest idle agent first, longest waiting callee first, abandoned when the wait is over.

use super::account::Books;
use super::seen::{Fate, Seen};
use super::{Room, ShadowRules, call_id};
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

/// With more agents than this, decisions are at least `ASKED_APART` apart, as for the live pacer.
const LARGE: usize = 50;
const ASKED_APART: Duration = Duration::from_millis(250);
/// Upper limit of calls started by one decision, so that no setting exhausts memory.
const AT_ONCE: u32 = 2_000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Floor {
    rules: ShadowRules,
    answer_wait: Duration,
    pacer: Option<Box<Pacer>>,
    /// Calls that rang to an end.
    settled: u64,
    seats: BTreeMap<AgentId, Seat>,
    calls: BTreeMap<u64, Call>,
    waiting: VecDeque<(Time, u64)>,
    due: BTreeMap<(Time, u64), Happening>,
    sequence: u64,
    next_call: u64,
    rate: Rate,
    asked: Time,
    look_at: Option<Time>,
    open: bool,
    books: Books,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seat {
    /// The live agent is signed in and not on a break.
    here: bool,
    /// The live agent has signed out.
    gone: bool,
    doing: At,
    since: Time,
    counted: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum At {
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
enum Happening {
    Rings(u64),
    Answers(u64),
    Ends(u64),
    GivesUp(u64),
    TalkEnds(AgentId, u64),
    WrapEnds(AgentId),
    Look,
}

impl Floor {
    pub fn new(rules: ShadowRules, predictive: predictive::Rules) -> Self {
        Floor {
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
            asked: Time::ZERO,
            look_at: None,
            open: false,
            books: Books::default(),
        }
    }

    /// Begins dialling and counting.
    pub fn open(&mut self, now: Time) {
        self.open = true;
        self.books = Books::default();
        self.due.clear();
        self.look_at = None;
        self.seats.values_mut().for_each(|seat| (seat.counted, seat.since) = (now, now));
    }

    /// The totals up to `now`.
    pub fn books(&self, now: Time) -> Books {
        let mut books = self.books;
        for seat in self.seats.values() {
            books.count(seat.doing != At::Away, seat.busy(), now.since(seat.counted));
        }
        books
    }

    /// The live agent signed in or came back; or went on a break, which waits for the end of the virtual
    /// call.
    pub fn here(&mut self, now: Time, agent: AgentId, here: bool) {
        let away = Seat { here: false, gone: false, doing: At::Away, since: now, counted: now };
        let seat = self.seats.entry(agent).or_insert(away);
        let came = seat.doing == At::Away && here;
        (seat.here, seat.gone) = (here, false);
        let idle = seat.doing == At::Idle;
        if came {
            self.tell(now, Event::AgentCame { agent });
            self.free(now, agent);
            self.look(now);
        } else if idle && !here {
            self.away(now, agent);
        }
    }

    pub fn gone(&mut self, now: Time, agent: AgentId) {
        let Some(seat) = self.seats.get_mut(&agent) else { return };
        (seat.here, seat.gone) = (false, true);
        if !seat.busy() {
            self.away(now, agent);
        }
    }

    /// Handles every event due until `now`, with a decision after each moment.
    pub fn pass(&mut self, now: Time, room: &Room, seen: &Seen, random: &mut ChaCha8Rng) {
        if !self.open {
            return;
        }
        self.rate.set_per_sec(room.calls_per_sec);
        while let Some((&(at, n), &what)) = self.due.first_key_value() {
            if at > now {
                break;
            }
            self.due.remove(&(at, n));
            self.happen(at, what, seen, random);
            if self.due.first_key_value().is_none_or(|(&(next, _), _)| next > at) {
                self.ask(at, room, seen, random);
            }
        }
    }

    fn happen(&mut self, now: Time, what: Happening, seen: &Seen, random: &mut ChaCha8Rng) {
        match what {
            Happening::Rings(n) => {
                if let Some(call) = self.calls.get_mut(&n).filter(|call| !call.answered) {
                    (call.stage, call.since) = (Stage::Ringing, now);
                    self.tell(now, Event::Ringing { call: call_id(n) });
                }
            }
            Happening::Answers(n) => self.answers(now, n, seen, random),
            Happening::Ends(n) => {
                if self.calls.remove(&n).is_some() {
                    self.settled += 1;
                    self.tell(now, Event::Unanswered { call: call_id(n), network: false });
                }
            }
            Happening::GivesUp(n) => self.gives_up(now, n),
            Happening::TalkEnds(agent, n) => {
                self.calls.remove(&n);
                self.change(now, agent, At::WrapUp);
                self.tell(now, Event::TalkEnded { agent });
                let over = now + seen.wrap(random);
                self.at(over, Happening::WrapEnds(agent));
            }
            Happening::WrapEnds(agent) => {
                self.tell(now, Event::WrapEnded { agent });
                let stays = self.seats.get(&agent).is_some_and(|seat| seat.here);
                if stays {
                    self.free(now, agent)
                } else {
                    self.away(now, agent)
                }
                self.serve(now, seen, random);
            }
            Happening::Look => {
                // A look that an earlier one replaced asks for no decision.
                if self.look_at == Some(now) {
                    self.look_at = None;
                }
                self.serve(now, seen, random);
            }
        }
    }

    fn answers(&mut self, now: Time, n: u64, seen: &Seen, random: &mut ChaCha8Rng) {
        let Some(call) = self.calls.get_mut(&n) else { return };
        call.answered = true;
        self.settled += 1;
        self.books.answered += 1;
        self.tell(now, Event::AnsweredLive { call: call_id(n) });
        self.waiting.push_back((now, n));
        self.at(now + self.answer_wait, Happening::GivesUp(n));
        self.serve(now, seen, random);
    }

    /// Connects the longest waiting callee to the longest idle agent.
    fn serve(&mut self, now: Time, seen: &Seen, random: &mut ChaCha8Rng) {
        while !self.waiting.is_empty() {
            let idle = self.seats.iter().filter(|(_, seat)| seat.doing == At::Idle);
            let Some(agent) = idle.min_by_key(|(id, seat)| (seat.since, **id)).map(|(id, _)| *id) else {
                return;
            };
            let Some((_, n)) = self.waiting.pop_front() else { return };
            self.change(now, agent, At::Talk);
            self.tell(now, Event::Connected { call: call_id(n), agent });
            let over = now + seen.talk(random);
            self.at(over, Happening::TalkEnds(agent, n));
        }
    }

    fn gives_up(&mut self, now: Time, n: u64) {
        let Some(place) = self.waiting.iter().position(|(_, waiting)| *waiting == n) else { return };
        self.waiting.remove(place);
        self.calls.remove(&n);
        self.books.abandoned += 1;
        self.tell(now, Event::Abandoned { call: call_id(n) });
    }

    /// Makes a decision and places its calls.
    pub fn ask(&mut self, now: Time, room: &Room, seen: &Seen, random: &mut ChaCha8Rng) {
        if !room.open || !self.open {
            return;
        }
        let apart = if self.seats.len() > LARGE { ASKED_APART } else { Duration::ZERO };
        let next = self.asked + apart;
        if apart > Duration::ZERO && now < next {
            return self.look(next);
        }
        self.asked = now;
        let out = self.calls.values().filter(|call| !call.answered).count() as u32;
        let lines_free = room.lines.saturating_sub(self.calls.len() as u32);
        let wanted = match self.rules.mode {
            Mode::Predictive => self.predicted(now, lines_free, room),
            Mode::Progressive => self.lines(out, 1.0),
            Mode::Ratio => self.lines(out, self.rules.call_ratio),
            Mode::Announce | Mode::Preview => 0,
        };
        for _ in 0..wanted.min(lines_free).min(AT_ONCE) {
            let start = self.rate.next_start(now);
            if start > now {
                return self.look(start);
            }
            self.rate.reserve(now);
            self.place(now, seen, random);
        }
    }

    /// Lines for idle agents, with the live brake.
    fn lines(&self, out: u32, call_ratio: f64) -> u32 {
        let idle = self.seats.values().filter(|seat| seat.doing == At::Idle).count() as u32;
        let pending = out + self.waiting.len() as u32;
        let most = ratio::lines(call_ratio, idle);
        let of = self.books.answered.saturating_sub(self.waiting.len() as u64);
        let brake = Brake {
            abandoned: self.books.abandoned as f64,
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

    fn predicted(&mut self, now: Time, lines_free: u32, room: &Room) -> u32 {
        let view = self.snapshot(lines_free, room);
        let Some(pacer) = &mut self.pacer else { return 0 };
        let plan = pacer.decide(now, &view);
        if let Some(at) = plan.next_look {
            self.look(at.max(now + Duration::from_millis(20)));
        }
        for call in plan.cancel {
            if self.calls.get(&call.0).is_some_and(|call| !call.answered) {
                self.calls.remove(&call.0);
                self.tell(now, Event::Cancelled { call });
            }
        }
        plan.place
    }

    fn snapshot(&self, lines_free: u32, room: &Room) -> Snapshot {
        let agents = self.seats.iter().filter(|(_, seat)| !seat.gone || seat.doing != At::Away);
        let agents = agents.map(|(agent, seat)| AgentNow {
            agent: *agent,
            doing: match seat.doing {
                At::Idle => Doing::Idle,
                At::Talk => Doing::Talking,
                At::WrapUp => Doing::WrapUp { until: None },
                At::Away => Doing::Paused,
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

    fn place(&mut self, now: Time, seen: &Seen, random: &mut ChaCha8Rng) {
        let n = self.next_call;
        self.next_call += 1;
        self.books.calls += 1;
        let fate = seen.fate(random);
        self.calls.insert(n, Call { fate, stage: Stage::Placed, since: now, answered: false });
        self.tell(now, Event::Placed { call: call_id(n), part: Part::default() });
        if let Some(rang) = fate.rang {
            self.at(now + rang, Happening::Rings(n));
        }
        let end = if fate.answered { Happening::Answers(n) } else { Happening::Ends(n) };
        self.at(now + fate.after, end);
    }

    fn change(&mut self, now: Time, agent: AgentId, doing: At) {
        let Some(seat) = self.seats.get_mut(&agent) else { return };
        self.books.count(seat.doing != At::Away, seat.busy(), now.since(seat.counted));
        (seat.doing, seat.since, seat.counted) = (doing, now, now);
    }

    fn free(&mut self, now: Time, agent: AgentId) {
        self.change(now, agent, At::Idle);
    }

    fn away(&mut self, now: Time, agent: AgentId) {
        let gone = self.seats.get(&agent).is_some_and(|seat| seat.gone);
        self.change(now, agent, At::Away);
        self.tell(now, if gone { Event::AgentLeft { agent } } else { Event::AgentPaused { agent } });
        if gone {
            self.seats.remove(&agent);
        }
    }

    fn tell(&mut self, now: Time, event: Event) {
        if let Some(pacer) = &mut self.pacer {
            pacer.on_event(now, event);
        }
    }

    fn at(&mut self, when: Time, what: Happening) {
        self.sequence += 1;
        self.due.insert((when, self.sequence), what);
    }

    fn look(&mut self, when: Time) {
        if self.look_at.is_none_or(|set| when < set) {
            self.look_at = Some(when);
            self.at(when, Happening::Look);
        }
    }
}

impl Seat {
    fn busy(&self) -> bool {
        matches!(self.doing, At::Talk | At::WrapUp)
    }
}
