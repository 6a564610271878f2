//! Simulated agents on real SIP phones: they register, sign in, answer, talk, send summaries and sign out,
//! with the same profile as in virtual time. Their requests go through a closure, so this room does not use
//! the engine.

use super::habits::Habits;
use super::person::{Deed, Person, Scene};
use crate::net::clock::Clock;
use crate::sim::phones::{self, PhoneCall, PhoneOptions, PhonesError, PhonesSeen, RunningPhones};
use crate::sim::random::Dice;
use paceline_core::agent::{Agent, AgentAct, Refusal, SeatView};
use paceline_core::ids::{AgentId, CallId};
use paceline_core::time::{Duration, Time};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Sends one agent action to the service and returns its answer.
pub type Act = Arc<dyn Fn(AgentId, AgentAct) -> Answer + Send + Sync>;
pub type Answer = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;

/// Settings of the simulated agents and their phones.
#[derive(Clone, Debug)]
pub struct CrewOptions {
    pub seed: u64,
    /// An agent's number is also the user name of the agent's phone.
    pub agents: Vec<Agent>,
    pub habits: Habits,
    pub scene: Scene,
    /// One login for each agent; `answer_after` is ignored, the profile decides when a phone is answered.
    pub phones: PhoneOptions,
}

/// Counts of what the agents did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrewSeen {
    pub registered: usize,
    pub signed_in: usize,
    pub talking: usize,
    /// Accepted actions, and refused ones by the word of the refusal.
    pub done: u64,
    pub refused: BTreeMap<&'static str, u64>,
}

/// Running agents. Dropping it closes their phones without unregistering or BYE.
#[derive(Debug)]
pub struct AgentPhones {
    phones: Arc<RunningPhones>,
    seen: watch::Receiver<CrewSeen>,
    orders: mpsc::UnboundedSender<()>,
    task: JoinHandle<()>,
}

impl AgentPhones {
    /// Registers the phones and begins the shift. `seats` receives every seat that changes.
    ///
    /// # Errors
    /// No socket or no RTP port is to be had.
    pub async fn start(
        options: CrewOptions,
        act: Act,
        seats: mpsc::UnboundedReceiver<SeatView>,
    ) -> Result<AgentPhones, PhonesError> {
        let by_order = PhoneOptions { answer_after: None, ..options.phones.clone() };
        let phones = Arc::new(phones::start(by_order).await?);
        let (seen_out, seen) = watch::channel(CrewSeen::default());
        let (orders, ordered) = mpsc::unbounded_channel();
        let (answers, answered) = mpsc::unbounded_channel();
        let person = |agent: Agent| {
            let dice = Dice::keyed(options.seed, &[agent.id.0 as u64]);
            (agent.id, Person::new(Agent { telephone: None, ..agent }, &options.habits, dice))
        };
        let people: BTreeMap<AgentId, Person> = options.agents.iter().cloned().map(person).collect();
        let crew = Crew {
            clock: Clock::start(),
            by_user: people.values().map(|one| (one.agent.number.clone(), one.agent.id)).collect(),
            people,
            habits: options.habits,
            scene: options.scene,
            phones: phones.clone(),
            act,
            answers,
            steps: BinaryHeap::new(),
            order: 0,
            known: BTreeSet::new(),
            seen: seen_out,
        };
        let task = tokio::spawn(crew.work(seats, answered, ordered));
        Ok(AgentPhones { phones, seen, orders, task })
    }

    pub fn seen(&self) -> watch::Receiver<CrewSeen> {
        self.seen.clone()
    }

    /// Each phone's calls and what was received on them.
    pub fn calls(&self) -> watch::Receiver<PhonesSeen> {
        self.phones.seen()
    }

    /// Every agent signs out once the current call is over; no further agent signs in.
    pub fn send_home(&self) {
        // The task may have ended already; then no agent is left to sign out.
        let _ = self.orders.send(());
    }
}

impl Drop for AgentPhones {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Come(AgentId),
    Go(AgentId),
    Decide(AgentId, u32),
    PickUp(CallId),
}

type Answered = (AgentId, &'static str, Result<(), Refusal>);

struct Crew {
    clock: Clock,
    people: BTreeMap<AgentId, Person>,
    by_user: BTreeMap<String, AgentId>,
    habits: Habits,
    scene: Scene,
    phones: Arc<RunningPhones>,
    act: Act,
    answers: mpsc::UnboundedSender<Answered>,
    steps: BinaryHeap<Reverse<(Time, u64, Step)>>,
    order: u64,
    /// Calls for which pick-up or no pick-up has been decided.
    known: BTreeSet<CallId>,
    seen: watch::Sender<CrewSeen>,
}

impl Crew {
    async fn work(
        mut self,
        mut seats: mpsc::UnboundedReceiver<SeatView>,
        mut answered: mpsc::UnboundedReceiver<Answered>,
        mut ordered: mpsc::UnboundedReceiver<()>,
    ) {
        let mut phones = self.phones.seen();
        let now = self.clock.now();
        let agents: Vec<AgentId> = self.people.keys().copied().collect();
        for agent in &agents {
            let late = self.people.get_mut(agent).map(|person| self.habits.late.draw(&mut person.dice));
            self.schedule(now + late.unwrap_or_default(), Step::Come(*agent));
        }
        loop {
            let wake = self.steps.peek().map(|Reverse((at, ..))| *at);
            let wake = wake.unwrap_or(self.clock.now() + Duration::from_secs(3_600));
            tokio::select! {
                Some(seat) = seats.recv() => self.sees(seat),
                Some((agent, word, answer)) = answered.recv() => self.hears(agent, word, answer),
                changed = phones.changed() => match changed {
                    Ok(()) => self.rung(&phones.borrow_and_update()),
                    Err(_) => return,
                },
                Some(()) = ordered.recv() => agents.iter().for_each(|agent| self.go(*agent)),
                () = tokio::time::sleep_until(self.clock.instant(wake).into()) => self.woken(),
                else => return,
            }
        }
    }

    fn schedule(&mut self, at: Time, step: Step) {
        self.order += 1;
        self.steps.push(Reverse((at, self.order, step)));
    }

    fn think(&mut self, agent: AgentId) {
        let now = self.clock.now();
        let Some(person) = self.people.get_mut(&agent) else { return };
        person.generation += 1;
        let generation = person.generation;
        if let Some(span) = person.ponders(now, &self.habits) {
            self.schedule(now + span, Step::Decide(agent, generation));
        }
    }

    fn sees(&mut self, seat: SeatView) {
        let agent = seat.agent;
        let Some(person) = self.people.get_mut(&agent) else { return };
        if person.sees(seat) {
            self.think(agent);
            let signed_in = self.people.values().filter(|person| person.signed_in()).count();
            let talking = self.people.values().filter(|person| person.talks()).count();
            self.seen.send_modify(|seen| (seen.signed_in, seen.talking) = (signed_in, talking));
        }
    }

    fn hears(&mut self, agent: AgentId, word: &'static str, answer: Result<(), Refusal>) {
        self.seen.send_modify(|seen| match answer {
            Ok(()) => seen.done += 1,
            Err(refusal) => *seen.refused.entry(refusal.word()).or_default() += 1,
        });
        if let (Some(person), Err(refusal)) = (self.people.get_mut(&agent), answer) {
            person.refused(refusal, word);
        }
        self.think(agent);
    }

    /// Decides for every new call to one of the phones whether and when the agent picks up.
    fn rung(&mut self, seen: &PhonesSeen) {
        self.seen.send_if_modified(|crew| {
            let changed = crew.registered != seen.registered;
            crew.registered = seen.registered;
            changed
        });
        let fresh: Vec<PhoneCall> =
            seen.calls.iter().rev().take_while(|call| !self.known.contains(&call.call)).cloned().collect();
        for call in fresh {
            self.known.insert(call.call);
            let agent = self.by_user.get(&call.user).copied();
            let Some(person) = agent.and_then(|agent| self.people.get_mut(&agent)) else { continue };
            let habits = &self.habits;
            if call.answers_itself {
                self.schedule(self.clock.now(), Step::PickUp(call.call));
            } else if !person.deaf && !person.absent && !person.dice.chance(habits.misses) {
                let after = habits.answer.draw(&mut person.dice);
                self.schedule(self.clock.now() + after, Step::PickUp(call.call));
            }
        }
    }

    fn woken(&mut self) {
        let now = self.clock.now();
        while let Some(Reverse((at, _, step))) =
            self.steps.peek().copied().filter(|Reverse((at, ..))| *at <= now)
        {
            debug_assert!(at <= now);
            self.steps.pop();
            self.happen(now, step);
        }
    }

    fn happen(&mut self, now: Time, step: Step) {
        match step {
            Step::PickUp(call) => self.phones.answer(call),
            Step::Go(agent) => self.go(agent),
            Step::Come(agent) => {
                let Some(person) = self.people.get_mut(&agent) else { return };
                person.comes(now, &self.habits);
                let shift = self.habits.shift.draw(&mut person.dice);
                self.schedule(now + shift, Step::Go(agent));
                self.think(agent);
            }
            Step::Decide(agent, generation) => {
                let people = self.people.values();
                let talking: Vec<AgentId> =
                    people.filter(|person| person.talks()).map(|person| person.agent.id).collect();
                let Some(person) = self.people.get_mut(&agent) else { return };
                if person.generation != generation || person.absent {
                    return;
                }
                let deed = person.decides(now, Clock::utc(), &self.habits, &self.scene, &talking);
                self.does(agent, deed);
            }
        }
    }

    fn does(&mut self, agent: AgentId, deed: Deed) {
        match deed {
            Deed::Act(act) => self.ask(agent, act),
            Deed::PutDown => {
                let user = self.people.get(&agent).map(|person| person.agent.number.clone());
                let seen = self.phones.seen();
                let hers = seen
                    .borrow()
                    .calls
                    .iter()
                    .rev()
                    .find(|call| Some(&call.user) == user.as_ref() && call.answered && !call.ended)
                    .map(|call| call.call);
                if let Some(call) = hers {
                    self.phones.hang_up(call);
                }
                self.think(agent);
            }
            // One socket serves all phones, so a single phone cannot be lost.
            Deed::LosePhone | Deed::Nothing => self.think(agent),
        }
    }

    fn ask(&self, agent: AgentId, act: AgentAct) {
        let word = super::workforce::word(&act);
        let (answer, answers) = ((self.act)(agent, act), self.answers.clone());
        tokio::spawn(async move {
            // The task may have ended meanwhile.
            let _ = answers.send((agent, word, answer.await));
        });
    }

    fn go(&mut self, agent: AgentId) {
        let Some(person) = self.people.get_mut(&agent) else { return };
        person.at_work = false;
        if person.signed_in() {
            self.ask(agent, AgentAct::SignOut);
        }
        self.think(agent);
    }
}
