//! Runs one scenario with one pacing rule in virtual time. The same seed gives the same people with the same
//! fates in the same order of the list, whatever the rule decides. Has no SIP.

use super::scenario::Scenario;
use super::{Pacing, PacingDecision};
use crate::sim::random::SimRng;
use paceline_core::ids::{AgentId, CallId};
use paceline_core::pacing::predictive::{AgentNow, CallNow, Doing, Event, Part, Snapshot, Stage, WaitingNow};
use paceline_core::time::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Totals of a day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Day {
    pub secs: f64,
    pub calls: u64,
    /// Answered by a person, and those of them abandoned.
    pub live: u64,
    pub abandoned: u64,
    pub cancelled: u64,
    /// Agents' seconds in talk or wrap-up, and seconds not on a break.
    pub busy: f64,
    pub available: f64,
    /// Live answers and abandons by half hour.
    pub half_hours: Vec<(u64, u64)>,
    pub decisions: u64,
}

impl Day {
    pub fn utilisation(&self) -> f64 {
        if self.available > 0.0 { self.busy / self.available } else { 0.0 }
    }

    pub fn abandon_rate(&self) -> f64 {
        if self.live > 0 { self.abandoned as f64 / self.live as f64 } else { 0.0 }
    }

    /// The worst half hour with at least 50 live answers.
    pub fn worst_half_hour(&self) -> f64 {
        let rate = |(live, gone): &(u64, u64)| *gone as f64 / (*live).max(1) as f64;
        self.half_hours.iter().filter(|half| half.0 >= 50).map(rate).fold(0.0, f64::max)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum FloorEvent {
    Rings(u32),
    PicksUp(u32),
    Verdict(u32),
    Ends(u32),
    GivesUp(u32),
    TalkEnds(u32),
    WrapEnds(u32),
    Break(u32),
    Back(u32),
    OutageStarts,
    Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Person,
    Machine,
    Refuses,
    Silent,
}

struct Call {
    fate: Fate,
    rings_at: u64,
    answers_at: u64,
    verdict_at: u64,
    talk: u64,
    /// Its index in the snapshot while it is pending.
    place: Option<usize>,
    agent: Option<u32>,
    waiting: bool,
}

struct Agent {
    wants_break: bool,
    pace: f64,
    rng: SimRng,
    idle_since: u64,
    counted: u64,
}

struct World<'a, P> {
    scenario: &'a Scenario,
    pacing: &'a mut P,
    seed: u64,
    now: u64,
    end: u64,
    queue: BinaryHeap<Reverse<(u64, u64, FloorEvent)>>,
    sequence: u64,
    calls: Vec<Call>,
    agents: Vec<Agent>,
    view: Snapshot,
    lines_used: u32,
    tokens: f64,
    tokens_at: u64,
    leads: Option<u64>,
    next_look: u64,
    dirty: bool,
    day: Day,
}

fn millis(secs: f64) -> u64 {
    (secs * 1000.0).round().max(0.0) as u64
}

/// Runs the day until its hours are over or the list is finished.
pub fn run<P: Pacing>(scenario: &Scenario, seed: u64, pacing: &mut P) -> Day {
    let mut world = World::new(scenario, seed, pacing);
    world.run_day();
    world.day
}

impl<'a, P: Pacing> World<'a, P> {
    fn new(scenario: &'a Scenario, seed: u64, pacing: &'a mut P) -> Self {
        let end = millis(scenario.hours * 3600.0);
        let mut world = World {
            scenario,
            pacing,
            seed,
            now: 0,
            end,
            queue: BinaryHeap::new(),
            sequence: 0,
            calls: Vec::new(),
            agents: Vec::new(),
            view: Snapshot {
                closes: Some(Time::from_millis(end)),
                leads_left: scenario.leads,
                ..Snapshot::default()
            },
            lines_used: 0,
            tokens: scenario.calls_per_sec.max(1.0),
            tokens_at: 0,
            leads: scenario.leads,
            next_look: u64::MAX,
            dirty: true,
            day: Day { half_hours: vec![(0, 0); (scenario.hours * 2.0).ceil() as usize], ..Day::default() },
        };
        for n in 0..scenario.agents {
            world.add_agent(n);
        }
        for (from, _) in &scenario.outages {
            world.schedule(millis(*from), FloorEvent::OutageStarts);
        }
        world
    }

    fn add_agent(&mut self, n: u32) {
        let mut rng = SimRng::keyed(self.seed, &[1, u64::from(n)]);
        let pace = (self.scenario.pace_spread * rng.normal()).exp();
        if let Some((every, _)) = self.scenario.breaks {
            let first = every * (0.3 + rng.unit());
            self.schedule(millis(first), FloorEvent::Break(n));
        }
        if let Some((from, _, over)) = self.scenario.lunch {
            let own = from + over * rng.unit();
            self.schedule(millis(own), FloorEvent::Break(n));
        }
        self.agents.push(Agent { wants_break: false, pace, rng, idle_since: 0, counted: 0 });
        let agent = AgentId(i64::from(n));
        self.view.agents.push(AgentNow { agent, doing: Doing::Idle, since: Time::ZERO, leaving: false });
        self.pacing.on_event(Time::ZERO, Event::AgentCame { agent });
    }

    fn schedule(&mut self, when: u64, what: FloorEvent) {
        self.sequence += 1;
        self.queue.push(Reverse((when, self.sequence, what)));
    }

    fn time(&self) -> Time {
        Time::from_millis(self.now)
    }

    fn send_event(&mut self, event: Event) {
        self.pacing.on_event(Time::from_millis(self.now), event);
        self.dirty = true;
    }

    fn run_day(&mut self) {
        // In large teams the rule decides at most four times a second.
        let gap = if self.scenario.agents >= 60 { 250 } else { 0 };
        let mut decided_at = 0;
        self.decide();
        while let Some(Reverse((when, _, what))) = self.queue.pop() {
            if when >= self.end {
                break;
            }
            self.now = when;
            self.handle(what);
            let more_now = self.queue.peek().is_some_and(|Reverse((next, ..))| *next == when);
            if self.dirty && !more_now {
                if self.now >= decided_at + gap {
                    decided_at = self.now;
                    self.decide();
                } else {
                    self.look_by(decided_at + gap);
                }
            }
            if self.leads == Some(0) && self.view.calls.is_empty() && self.view.waiting.is_empty() {
                self.end = self.now;
            }
        }
        self.now = self.end;
        for n in 0..self.agents.len() {
            self.count_agent(n);
        }
        self.day.secs = self.end as f64 / 1000.0;
    }

    fn look_by(&mut self, when: u64) {
        if when < self.next_look {
            self.next_look = when;
            self.schedule(when, FloorEvent::Look);
        }
    }

    fn decide(&mut self) {
        let elapsed = (self.now - self.tokens_at) as f64 / 1000.0;
        self.tokens_at = self.now;
        let rate = self.scenario.calls_per_sec;
        self.tokens = (self.tokens + rate * elapsed).min(rate.max(1.0));
        self.view.starts_allowed = self.tokens as u32;
        self.view.lines_free = self.scenario.lines.saturating_sub(self.lines_used);
        self.view.leads_left = self.leads;
        self.dirty = false;
        self.day.decisions += 1;
        let PacingDecision { place, cancel, next_look } =
            self.pacing.decide(Time::from_millis(self.now), &self.view);
        for call in cancel {
            self.cancel(call);
        }
        let lines_free = self.scenario.lines.saturating_sub(self.lines_used);
        let leads = self.leads.map_or(u32::MAX, |leads| leads.min(1 << 30) as u32);
        for _ in 0..place.min(self.tokens as u32).min(lines_free).min(leads) {
            self.tokens -= 1.0;
            self.place();
        }
        self.next_look = u64::MAX;
        if let Some(look) = next_look {
            self.look_by(look.as_millis().max(self.now + 20));
        }
    }

    fn is_outage(&self) -> bool {
        let secs = self.now as f64 / 1000.0;
        self.scenario.outages.iter().any(|(from, to)| (*from..*to).contains(&secs))
    }

    fn place(&mut self) {
        let n = self.calls.len() as u32;
        let mut rng = SimRng::keyed(self.seed, &[2, u64::from(n)]);
        let s = self.scenario;
        let mut draw = rng.unit();
        let answer = s.answer_at(self.now as f64 / 1000.0);
        let mut fate = Fate::Silent;
        for (chance, so) in [
            (answer, Fate::Person),
            (s.refused * (1.0 - answer), Fate::Refuses),
            (s.machine * (1.0 - answer), Fate::Machine),
        ] {
            if draw < chance {
                fate = so;
                break;
            }
            draw -= chance;
        }
        let setup = s.setup.draw(&mut rng);
        let ring = match fate {
            Fate::Person => s.ring.draw(&mut rng),
            Fate::Machine => s.machine_ring.draw(&mut rng),
            Fate::Refuses => 0.3 + 3.0 * rng.unit(),
            Fate::Silent => f64::MAX,
        };
        let verdict = match (s.detector, fate) {
            (Some(detector), Fate::Person) => detector.live_secs.draw(&mut rng),
            (Some(detector), Fate::Machine) => detector.machine_secs.draw(&mut rng),
            _ => 0.0,
        };
        let talk = if fate == Fate::Machine { 4.0 + 4.0 * rng.unit() } else { s.talk.draw(&mut rng) };
        let rings_at = self.now + millis(setup);
        let answers_at = rings_at + millis(ring.min(1e6));
        let call = CallId(u64::from(n));
        self.day.calls += 1;
        self.lines_used += 1;
        if let Some(leads) = &mut self.leads {
            *leads -= 1;
        }
        let place = Some(self.view.calls.len());
        self.calls.push(Call {
            fate,
            rings_at,
            answers_at,
            verdict_at: answers_at + millis(verdict),
            talk: millis(talk.max(0.5)),
            place,
            agent: None,
            waiting: false,
        });
        let since = self.time();
        self.view.calls.push(CallNow { call, part: Part(0), stage: Stage::Placed, since });
        self.pacing.on_event(self.time(), Event::Placed { call, part: Part(0) });
        if self.is_outage() {
            self.schedule(self.now + 300, FloorEvent::Ends(n));
        } else {
            self.schedule(rings_at, FloorEvent::Rings(n));
        }
        // Placed events of its own calls are no reason for another decision.
    }

    fn cancel(&mut self, call: CallId) {
        if self.remove_from_view(call.0 as u32) {
            self.day.cancelled += 1;
            self.lines_used -= 1;
            self.send_event(Event::Cancelled { call });
        }
    }

    /// Removes the call from the snapshot; false if it is not pending.
    fn remove_from_view(&mut self, n: u32) -> bool {
        let Some(place) = self.calls[n as usize].place.take() else { return false };
        self.view.calls.swap_remove(place);
        if let Some(moved) = self.view.calls.get(place) {
            let moved = moved.call.0 as usize;
            self.calls[moved].place = Some(place);
        }
        true
    }

    fn handle(&mut self, what: FloorEvent) {
        match what {
            FloorEvent::Rings(n) => self.start_ringing(n),
            FloorEvent::PicksUp(n) => self.pick_up(n),
            FloorEvent::Verdict(n) => self.answer(n),
            FloorEvent::Ends(n) => {
                if self.remove_from_view(n) {
                    self.lines_used -= 1;
                    let network = self.now < self.calls[n as usize].rings_at;
                    self.send_event(Event::Unanswered { call: CallId(u64::from(n)), network });
                }
            }
            FloorEvent::GivesUp(n) => self.abandon(n),
            FloorEvent::TalkEnds(n) => self.end_talk(n),
            FloorEvent::WrapEnds(n) => self.end_wrap_up(n as usize),
            FloorEvent::Break(n) => self.request_break(n as usize),
            FloorEvent::Back(n) => {
                let agent = self.set_state(n as usize, Doing::Idle);
                self.send_event(Event::AgentBack { agent });
                self.become_free(n as usize);
            }
            FloorEvent::OutageStarts => {
                for call in self.view.calls.clone() {
                    if self.remove_from_view(call.call.0 as u32) {
                        self.lines_used -= 1;
                        self.send_event(Event::Unanswered { call: call.call, network: true });
                    }
                }
            }
            FloorEvent::Look => {
                if self.next_look <= self.now {
                    self.next_look = u64::MAX;
                    self.dirty = true;
                }
            }
        }
    }

    fn start_ringing(&mut self, n: u32) {
        let call = &self.calls[n as usize];
        let Some(place) = call.place else { return };
        let last = self.now + millis(self.scenario.ring_max);
        let (answers_at, fate) = (call.answers_at, call.fate);
        let since = self.time();
        self.view.calls[place].stage = Stage::Ringing;
        self.view.calls[place].since = since;
        self.send_event(Event::Ringing { call: CallId(u64::from(n)) });
        match fate {
            Fate::Person | Fate::Machine if answers_at < last => {
                self.schedule(answers_at, FloorEvent::PicksUp(n))
            }
            Fate::Refuses if answers_at < last => self.schedule(answers_at, FloorEvent::Ends(n)),
            _ => self.schedule(last, FloorEvent::Ends(n)),
        }
    }

    fn pick_up(&mut self, n: u32) {
        let Some(place) = self.calls[n as usize].place else { return };
        if self.scenario.detector.is_some() {
            let since = self.time();
            self.view.calls[place].stage = Stage::PickedUp;
            self.view.calls[place].since = since;
            self.send_event(Event::PickedUp { call: CallId(u64::from(n)) });
            self.schedule(self.calls[n as usize].verdict_at, FloorEvent::Verdict(n));
        } else {
            self.answer(n);
        }
    }

    fn answer(&mut self, n: u32) {
        let machine = self.calls[n as usize].fate == Fate::Machine;
        if !self.remove_from_view(n) {
            return;
        }
        let call = CallId(u64::from(n));
        if machine && self.scenario.detector.is_some() {
            self.lines_used -= 1;
            self.send_event(Event::AnsweredMachine { call });
            return;
        }
        if !machine {
            self.day.live += 1;
            self.half_hour().0 += 1;
        }
        self.send_event(Event::AnsweredLive { call });
        let idle = (0..self.agents.len())
            .filter(|a| self.view.agents[*a].doing == Doing::Idle)
            .min_by_key(|a| self.agents[*a].idle_since);
        match idle {
            Some(agent) => self.connect(agent, n),
            None => {
                self.calls[n as usize].waiting = true;
                let since = self.time();
                self.view.waiting.push(WaitingNow { call, since });
                self.schedule(self.now + millis(self.scenario.answer_wait), FloorEvent::GivesUp(n));
            }
        }
    }

    fn half_hour(&mut self) -> &mut (u64, u64) {
        let last = self.day.half_hours.len() - 1;
        &mut self.day.half_hours[((self.now / 1_800_000) as usize).min(last)]
    }

    fn abandon(&mut self, n: u32) {
        if !std::mem::take(&mut self.calls[n as usize].waiting) {
            return;
        }
        let call = CallId(u64::from(n));
        self.view.waiting.retain(|waiting| waiting.call != call);
        self.lines_used -= 1;
        if self.calls[n as usize].fate == Fate::Person {
            self.day.abandoned += 1;
            self.half_hour().1 += 1;
        }
        self.send_event(Event::Abandoned { call });
    }

    /// Changes the agent's state and counts the time before.
    fn set_state(&mut self, n: usize, doing: Doing) -> AgentId {
        self.count_agent(n);
        let since = self.time();
        let agent = &mut self.view.agents[n];
        (agent.doing, agent.since) = (doing, since);
        agent.agent
    }

    fn count_agent(&mut self, n: usize) {
        let span = (self.now - self.agents[n].counted.min(self.now)) as f64 / 1000.0;
        self.agents[n].counted = self.now;
        match self.view.agents[n].doing {
            Doing::Paused => {}
            Doing::Idle => self.day.available += span,
            _ => {
                self.day.available += span;
                self.day.busy += span;
            }
        }
    }

    fn connect(&mut self, agent: usize, n: u32) {
        let id = self.set_state(agent, Doing::Talking);
        let call = &mut self.calls[n as usize];
        call.agent = Some(agent as u32);
        call.waiting = false;
        let talk = (call.talk as f64 * self.agents[agent].pace) as u64;
        self.send_event(Event::Connected { call: CallId(u64::from(n)), agent: id });
        self.schedule(self.now + talk.max(500), FloorEvent::TalkEnds(n));
    }

    fn end_talk(&mut self, n: u32) {
        let Some(agent) = self.calls[n as usize].agent else { return };
        self.lines_used -= 1;
        let machine = self.calls[n as usize].fate == Fate::Machine;
        if machine {
            self.send_event(Event::FoundMachine { call: CallId(u64::from(n)) });
        }
        let id = self.set_state(agent as usize, Doing::WrapUp { until: None });
        self.send_event(Event::TalkEnded { agent: id });
        let own = &mut self.agents[agent as usize];
        let wrap = self.scenario.wrap.draw(&mut own.rng) * if machine { 0.2 } else { 1.0 };
        self.schedule(self.now + millis(wrap), FloorEvent::WrapEnds(agent));
    }

    fn end_wrap_up(&mut self, n: usize) {
        let agent = self.set_state(n, Doing::Idle);
        self.send_event(Event::WrapEnded { agent });
        self.become_free(n);
    }

    fn request_break(&mut self, n: usize) {
        self.agents[n].wants_break = true;
        if self.view.agents[n].doing == Doing::Idle {
            self.go_on_break(n);
        }
    }

    fn go_on_break(&mut self, n: usize) {
        self.agents[n].wants_break = false;
        let agent = self.set_state(n, Doing::Paused);
        self.send_event(Event::AgentPaused { agent });
        let secs = self.now as f64 / 1000.0;
        let lunch =
            self.scenario.lunch.filter(|(from, _, over)| (*from..from + over + 600.0).contains(&secs));
        let own = &mut self.agents[n];
        let length = match (lunch, self.scenario.breaks) {
            (Some((_, length, _)), _) => length,
            (None, Some((every, length))) => {
                let next = secs + every * (0.5 + own.rng.unit());
                let length = length.draw(&mut own.rng);
                self.schedule(millis(next), FloorEvent::Break(n as u32));
                length
            }
            (None, None) => 300.0,
        };
        self.schedule(self.now + millis(length), FloorEvent::Back(n as u32));
    }

    fn become_free(&mut self, n: usize) {
        if self.agents[n].wants_break {
            self.go_on_break(n);
            return;
        }
        self.agents[n].idle_since = self.now;
        if !self.view.waiting.is_empty() {
            let oldest =
                (0..self.view.waiting.len()).min_by_key(|w| self.view.waiting[*w].since).unwrap_or(0);
            let call = self.view.waiting.remove(oldest).call;
            self.connect(n, call.0 as u32);
        }
    }
}
