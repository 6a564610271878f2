//! Simulated agents in virtual time: takes the dialer's outputs that concern agents and returns their
//! actions.

use super::habits::Habits;
use super::legs::{Legs, Pickup};
use super::person::{Deed, Person, Scene};
use crate::sim::random::Dice;
use paceline_core::agent::{Agent, AgentAct, Availability, Group, Way, WorkMode};
use paceline_core::dialer::{Input, Output};
use paceline_core::ids::{AgentId, CallId};
use paceline_core::outcome::EndedBy;
use paceline_core::time::{Duration, Time, WallClock};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

const DAY: Duration = Duration::from_secs(86_400);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Come(AgentId),
    Go(AgentId),
    /// The agent acts; void unless this is still the agent's generation.
    Decide(AgentId, u32),
    PhoneBack(AgentId),
}

/// All agents of a floor. The same seed gives the same day.
#[derive(Debug)]
pub struct Workforce {
    clock: WallClock,
    habits: Habits,
    scene: Scene,
    groups: Vec<Group>,
    people: BTreeMap<AgentId, Person>,
    legs: Legs,
    dice: Dice,
    steps: BinaryHeap<Reverse<(Time, u64, Step)>>,
    order: u64,
    asked: u64,
    asks: BTreeMap<u64, (AgentId, &'static str)>,
    ready: VecDeque<Input>,
    closing: bool,
    opened: bool,
    /// Accepted actions, and refused ones, by their words.
    pub done: BTreeMap<&'static str, u64>,
    pub refused: BTreeMap<&'static str, u64>,
}

impl Workforce {
    /// `clock` maps virtual time to UTC.
    pub fn new(
        seed: u64,
        clock: WallClock,
        scene: Scene,
        groups: Vec<Group>,
        agents: Vec<Agent>,
        habits: Habits,
    ) -> Self {
        let person = |agent: Agent| {
            let dice = Dice::keyed(seed, &[agent.id.0 as u64]);
            (agent.id, Person::new(agent, &habits, dice))
        };
        Workforce {
            clock,
            people: agents.into_iter().map(person).collect(),
            habits,
            scene,
            groups,
            legs: Legs::default(),
            dice: Dice::keyed(seed, &[0]),
            steps: BinaryHeap::new(),
            order: 0,
            asked: 0,
            asks: BTreeMap::new(),
            ready: VecDeque::new(),
            closing: false,
            opened: false,
            done: BTreeMap::new(),
            refused: BTreeMap::new(),
        }
    }

    /// Inputs that define group and agents for a starting process. The first call also begins the shifts.
    pub fn open(&mut self, now: Time) -> Vec<Input> {
        let mut inputs: Vec<Input> = self.groups.iter().cloned().map(Input::GroupDefined).collect();
        for person in self.people.values() {
            inputs.push(Input::AgentDefined(Box::new(person.agent.clone())));
            inputs.push(Input::PhoneChanged { agent: person.agent.id, ready: person.phone_ready });
        }
        let agents: Vec<AgentId> = self.people.keys().copied().collect();
        for agent in agents {
            if !self.opened {
                let late = self.habits.late.draw(&mut self.dice);
                self.schedule(now + late, Step::Come(agent));
            } else {
                self.think(now, agent);
            }
        }
        self.opened = true;
        inputs
    }

    /// The dialer's process died: every seat is lost and every leg is cut.
    pub fn dialer_died(&mut self) {
        self.legs.forget();
        self.asks.clear();
        self.ready.clear();
        self.people.values_mut().for_each(Person::forget_seat);
    }

    /// No further agent signs in; agents who are signed in sign out once their call is over.
    pub fn send_home(&mut self, now: Time) {
        self.closing = true;
        let agents: Vec<AgentId> = self.people.keys().copied().collect();
        for agent in agents {
            self.go(now, agent, false);
        }
    }

    /// Whether any agent picks up and takes outbound calls, where the group sets `mode` for all.
    pub fn takes_calls_out(&self, mode: Option<WorkMode>) -> bool {
        self.people.values().any(|person| !person.deaf && mode.unwrap_or(person.work_mode).takes_outbound())
    }

    /// The number of legs.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    pub fn carry(&mut self, now: Time, output: &Output) {
        match output {
            Output::CallAgent { leg, agent, way, auto_answer, ring, .. } => {
                self.ring(now, *leg, *agent, *way, *auto_answer, *ring);
            }
            Output::CallThird { leg, ring, .. } => {
                let answers = self.dice.chance(0.7);
                let after = self.dice.between(Duration::from_secs(1), Duration::from_secs(15));
                let stays = self.habits.talk.draw(&mut self.dice);
                let pickup = if answers { Pickup::After(after) } else { Pickup::Declined(after) };
                self.legs.ring(now, *leg, None, *ring, pickup, Some(stays));
            }
            Output::HangUp { call, .. } => self.legs.hang_up(now, *call, &mut self.dice),
            Output::SeatChanged { seat, .. } => {
                let agent = seat.agent;
                let Some(person) = self.people.get_mut(&agent) else { return };
                if person.sees((**seat).clone()) {
                    self.think(now, agent);
                }
            }
            Output::ActAnswered { ask, refusal } => {
                let Some((agent, word)) = self.asks.remove(ask) else { return };
                match refusal {
                    None => *self.done.entry(word).or_default() += 1,
                    Some(refusal) => {
                        *self.refused.entry(refusal.word()).or_default() += 1;
                        if let Some(person) = self.people.get_mut(&agent) {
                            person.refused(*refusal, word);
                        }
                    }
                }
                self.think(now, agent);
            }
            _ => {}
        }
    }

    /// The next agent action that happens by `now`.
    pub fn poll(&mut self, now: Time) -> Option<Input> {
        loop {
            if let Some(input) = self.ready.pop_front() {
                return Some(input);
            }
            let leg = self.legs.next_wake();
            let step = self.steps.peek().map(|Reverse((at, ..))| *at);
            if leg.is_some_and(|leg| leg <= now && step.is_none_or(|step| leg <= step)) {
                if let Some(input) = self.legs.poll(now) {
                    return Some(input);
                }
                continue;
            }
            let (at, step) = self.steps.peek().map(|Reverse((at, _, step))| (*at, *step))?;
            if at > now {
                return None;
            }
            self.steps.pop();
            self.happen(now, step);
        }
    }

    pub fn next_wake(&self) -> Option<Time> {
        if !self.ready.is_empty() {
            return Some(Time::ZERO);
        }
        let step = self.steps.peek().map(|Reverse((at, ..))| *at);
        [step, self.legs.next_wake()].into_iter().flatten().min()
    }

    fn schedule(&mut self, at: Time, step: Step) {
        self.order += 1;
        self.steps.push(Reverse((at, self.order, step)));
    }

    /// Schedules the agent's next action, unless the agent waits for an event.
    fn think(&mut self, now: Time, agent: AgentId) {
        let Some(person) = self.people.get_mut(&agent) else { return };
        person.generation += 1;
        let generation = person.generation;
        if let Some(span) = person.ponders(now, &self.habits) {
            self.schedule(now + span, Step::Decide(agent, generation));
        }
    }

    fn happen(&mut self, now: Time, step: Step) {
        match step {
            Step::Come(agent) => {
                if self.closing {
                    return;
                }
                let Some(person) = self.people.get_mut(&agent) else { return };
                person.comes(now, &self.habits);
                let shift = self.habits.shift.draw(&mut person.dice);
                self.schedule(now + shift, Step::Go(agent));
                self.schedule(now + DAY, Step::Come(agent));
                self.think(now, agent);
            }
            Step::Go(agent) => {
                let forgets = self.dice.chance(self.habits.forgets_sign_out);
                self.go(now, agent, forgets);
            }
            Step::Decide(agent, generation) => {
                let talking: Vec<AgentId> = self
                    .people
                    .values()
                    .filter(|person| person.talks())
                    .map(|person| person.agent.id)
                    .collect();
                let Some(person) = self.people.get_mut(&agent) else { return };
                if person.generation != generation || person.absent {
                    return;
                }
                let utc = self.clock.utc(now);
                let deed = person.decides(now, utc, &self.habits, &self.scene, &talking);
                self.does(now, agent, deed);
            }
            Step::PhoneBack(agent) => {
                let Some(person) = self.people.get_mut(&agent) else { return };
                person.phone_ready = true;
                self.ready.push_back(Input::PhoneChanged { agent, ready: true });
            }
        }
    }

    fn does(&mut self, now: Time, agent: AgentId, deed: Deed) {
        match deed {
            Deed::Act(act) => self.ask(agent, act),
            Deed::PutDown => match self.legs.of(agent) {
                Some(leg) => self.ready.extend(self.legs.end(leg, EndedBy::Callee, "hung up")),
                None => self.think(now, agent),
            },
            Deed::LosePhone => {
                self.lose_phone(now, agent);
                self.think(now, agent);
            }
            Deed::Nothing => self.think(now, agent),
        }
    }

    fn ask(&mut self, agent: AgentId, act: AgentAct) {
        self.asked += 1;
        self.asks.insert(self.asked, (agent, word(&act)));
        self.ready.push_back(Input::AgentActed { ask: self.asked, agent, act });
    }

    /// The agent's phone restarts or its network is lost: the call ends by failure, the registration too.
    fn lose_phone(&mut self, now: Time, agent: AgentId) {
        if let Some(leg) = self.legs.of(agent) {
            self.ready.extend(self.legs.end(leg, EndedBy::Carrier, "no packet from the phone"));
        }
        let Some(person) = self.people.get_mut(&agent) else { return };
        if person.way == Way::Phone && person.phone_ready {
            person.phone_ready = false;
            self.ready.push_back(Input::PhoneChanged { agent, ready: false });
            let away = person.dice.between(Duration::from_secs(2), Duration::from_secs(120));
            self.schedule(now + away, Step::PhoneBack(agent));
        }
    }

    fn go(&mut self, now: Time, agent: AgentId, forgets: bool) {
        let Some(person) = self.people.get_mut(&agent) else { return };
        person.at_work = false;
        person.absent = forgets;
        let here = person.seat.as_ref().is_some_and(|seat| seat.availability != Availability::SignedOut);
        if here && !forgets {
            self.ask(agent, AgentAct::SignOut);
        }
        self.think(now, agent);
    }

    fn ring(&mut self, now: Time, leg: CallId, agent: AgentId, way: Way, auto_answer: bool, ring: Duration) {
        let Some(person) = self.people.get_mut(&agent) else { return };
        let by_itself = auto_answer && way == Way::Phone;
        let habits = &self.habits;
        let pickup = if way == Way::Phone && !person.phone_ready {
            Pickup::Away
        } else if by_itself {
            Pickup::After(person.dice.between(Duration::from_millis(100), Duration::from_millis(500)))
        } else if person.deaf || person.absent || person.dice.chance(habits.misses) {
            Pickup::Never
        } else if person.dice.chance(habits.declines) {
            Pickup::Declined(habits.answer.draw(&mut person.dice))
        } else {
            Pickup::After(habits.answer.draw(&mut person.dice))
        };
        self.legs.ring(now, leg, Some(agent), ring, pickup, None);
    }
}

/// The action's word in counts.
pub(super) const fn word(act: &AgentAct) -> &'static str {
    match act {
        AgentAct::SignIn { .. } => "sign_in",
        AgentAct::SignOut => "sign_out",
        AgentAct::ChangeWay { .. } => "change_way",
        AgentAct::Ready => "ready",
        AgentAct::Pause { .. } => "pause",
        AgentAct::Dial => "dial",
        AgentAct::Skip => "skip",
        AgentAct::Extend => "extend",
        AgentAct::Call { .. } => "call",
        AgentAct::CallLead { .. } => "call_lead",
        AgentAct::HangUp { .. } => "hang_up",
        AgentAct::Hold => "hold",
        AgentAct::Retrieve => "retrieve",
        AgentAct::Mute { .. } => "mute",
        AgentAct::SendDigits { .. } => "send_digits",
        AgentAct::Consult { .. } => "consult",
        AgentAct::TakeBack => "take_back",
        AgentAct::Transfer => "transfer",
        AgentAct::Conference => "conference",
        AgentAct::Record { .. } => "record",
        AgentAct::Summarise(_) => "summarise",
        AgentAct::Next => "next",
        AgentAct::Supervise { .. } => "supervise",
        AgentAct::StopSupervising => "stop_supervising",
        AgentAct::Force { .. } => "force",
    }
}
