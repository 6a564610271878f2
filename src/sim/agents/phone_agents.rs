//! Simulated agents on real SIP phones: they register, sign in, answer, talk, send summaries and sign out,
//! with the same profile as in virtual time. Their requests go through a closure, so this room does not use
//! the engine.

use super::profile::AgentProfile;
use super::sim_agent::{Decision, SimAgent, WorkContext};
use crate::net::clock::Clock;
use crate::sim::phones::{self, PhoneCall, PhoneOptions, PhonesError, PhonesSeen, RunningPhones};
use crate::sim::random::SimRng;
use paceline_core::agent::{Agent, AgentAction, Refusal, SeatView};
use paceline_core::ids::{AgentId, CallId};
use paceline_core::time::{Duration, Time};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Sends one agent action to the service and returns its answer.
pub type Act = Arc<dyn Fn(AgentId, AgentAction) -> Answer + Send + Sync>;
pub type Answer = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;

/// Settings of the simulated agents and their phones.
#[derive(Clone, Debug)]
pub struct PhoneAgentsOptions {
    pub seed: u64,
    /// An agent's number is also the user name of the agent's phone.
    pub agents: Vec<Agent>,
    pub profile: AgentProfile,
    pub context: WorkContext,
    /// One login for each agent; `answer_after` is ignored, the profile decides when a phone is answered.
    pub phones: PhoneOptions,
}

/// Counts of what the agents did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhoneAgentsSeen {
    pub registered: usize,
    pub signed_in: usize,
    pub talking: usize,
    /// Accepted actions, and refused ones by the word of the refusal.
    pub done: u64,
    pub refused: BTreeMap<&'static str, u64>,
}

/// Running agents. Dropping it closes their phones without unregistering or BYE.
#[derive(Debug)]
pub struct PhoneAgents {
    phones: Arc<RunningPhones>,
    seen: watch::Receiver<PhoneAgentsSeen>,
    orders: mpsc::UnboundedSender<()>,
    task: JoinHandle<()>,
}

impl PhoneAgents {
    /// Registers the phones and begins the shift. `seats` receives every seat that changes.
    ///
    /// # Errors
    /// No socket or no RTP port is to be had.
    pub async fn start(
        options: PhoneAgentsOptions,
        act: Act,
        seats: mpsc::UnboundedReceiver<SeatView>,
    ) -> Result<PhoneAgents, PhonesError> {
        let by_order = PhoneOptions { answer_after: None, ..options.phones.clone() };
        let phones = Arc::new(phones::start(by_order).await?);
        let (seen_out, seen) = watch::channel(PhoneAgentsSeen::default());
        let (orders, ordered) = mpsc::unbounded_channel();
        let (answers, answered) = mpsc::unbounded_channel();
        let sim_agent = |agent: Agent| {
            let rng = SimRng::keyed(options.seed, &[agent.id.0 as u64]);
            (agent.id, SimAgent::new(Agent { telephone: None, ..agent }, &options.profile, rng))
        };
        let sim_agents: BTreeMap<AgentId, SimAgent> = options.agents.iter().cloned().map(sim_agent).collect();
        let task_state = PhoneAgentsTask {
            clock: Clock::start(),
            by_user: sim_agents.values().map(|one| (one.agent.number.clone(), one.agent.id)).collect(),
            sim_agents,
            profile: options.profile,
            context: options.context,
            phones: phones.clone(),
            act,
            answers,
            steps: BinaryHeap::new(),
            order: 0,
            decided: BTreeSet::new(),
            seen: seen_out,
        };
        let task = tokio::spawn(task_state.work(seats, answered, ordered));
        Ok(PhoneAgents { phones, seen, orders, task })
    }

    pub fn seen(&self) -> watch::Receiver<PhoneAgentsSeen> {
        self.seen.clone()
    }

    /// Each phone's calls and what was received on them.
    pub fn calls(&self) -> watch::Receiver<PhonesSeen> {
        self.phones.seen()
    }

    /// Every agent signs out once the current call is over; no further agent signs in.
    pub fn sign_out_all(&self) {
        // The task may have ended already; then no agent is left to sign out.
        let _ = self.orders.send(());
    }
}

impl Drop for PhoneAgents {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    StartShift(AgentId),
    EndShift(AgentId),
    Decide(AgentId, u32),
    PickUp(CallId),
}

type Answered = (AgentId, &'static str, Result<(), Refusal>);

struct PhoneAgentsTask {
    clock: Clock,
    sim_agents: BTreeMap<AgentId, SimAgent>,
    by_user: BTreeMap<String, AgentId>,
    profile: AgentProfile,
    context: WorkContext,
    phones: Arc<RunningPhones>,
    act: Act,
    answers: mpsc::UnboundedSender<Answered>,
    steps: BinaryHeap<Reverse<(Time, u64, Step)>>,
    order: u64,
    /// Calls for which pick-up or no pick-up has been decided.
    decided: BTreeSet<CallId>,
    seen: watch::Sender<PhoneAgentsSeen>,
}

impl PhoneAgentsTask {
    async fn work(
        mut self,
        mut seats: mpsc::UnboundedReceiver<SeatView>,
        mut answered: mpsc::UnboundedReceiver<Answered>,
        mut ordered: mpsc::UnboundedReceiver<()>,
    ) {
        let mut phones = self.phones.seen();
        let now = self.clock.now();
        let agents: Vec<AgentId> = self.sim_agents.keys().copied().collect();
        for agent in &agents {
            let late =
                self.sim_agents.get_mut(agent).map(|sim_agent| self.profile.late.draw(&mut sim_agent.rng));
            self.schedule(now + late.unwrap_or_default(), Step::StartShift(*agent));
        }
        loop {
            let wake = self.steps.peek().map(|Reverse((at, ..))| *at);
            let wake = wake.unwrap_or(self.clock.now() + Duration::from_secs(3_600));
            tokio::select! {
                Some(seat) = seats.recv() => self.update_seat(seat),
                Some((agent, word, answer)) = answered.recv() => self.take_answer(agent, word, answer),
                changed = phones.changed() => match changed {
                    Ok(()) => self.take_new_calls(&phones.borrow_and_update()),
                    Err(_) => return,
                },
                Some(()) = ordered.recv() => agents.iter().for_each(|agent| self.end_shift(*agent)),
                () = tokio::time::sleep_until(self.clock.instant(wake).into()) => self.run_due_steps(),
                else => return,
            }
        }
    }

    fn schedule(&mut self, at: Time, step: Step) {
        self.order += 1;
        self.steps.push(Reverse((at, self.order, step)));
    }

    fn schedule_decision(&mut self, agent: AgentId) {
        let now = self.clock.now();
        let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
        sim_agent.generation += 1;
        let generation = sim_agent.generation;
        if let Some(span) = sim_agent.thinking_time(now, &self.profile) {
            self.schedule(now + span, Step::Decide(agent, generation));
        }
    }

    fn update_seat(&mut self, seat: SeatView) {
        let agent = seat.agent;
        let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
        if sim_agent.update_seat(seat) {
            self.schedule_decision(agent);
            let signed_in = self.sim_agents.values().filter(|sim_agent| sim_agent.is_signed_in()).count();
            let talking = self.sim_agents.values().filter(|sim_agent| sim_agent.is_talking()).count();
            self.seen.send_modify(|seen| (seen.signed_in, seen.talking) = (signed_in, talking));
        }
    }

    fn take_answer(&mut self, agent: AgentId, word: &'static str, answer: Result<(), Refusal>) {
        self.seen.send_modify(|seen| match answer {
            Ok(()) => seen.done += 1,
            Err(refusal) => *seen.refused.entry(refusal.word()).or_default() += 1,
        });
        if let (Some(sim_agent), Err(refusal)) = (self.sim_agents.get_mut(&agent), answer) {
            sim_agent.refused(refusal, word);
        }
        self.schedule_decision(agent);
    }

    /// Decides for every new call to one of the phones whether and when the agent picks up.
    fn take_new_calls(&mut self, seen: &PhonesSeen) {
        self.seen.send_if_modified(|crew| {
            let changed = crew.registered != seen.registered;
            crew.registered = seen.registered;
            changed
        });
        let fresh: Vec<PhoneCall> =
            seen.calls.iter().rev().take_while(|call| !self.decided.contains(&call.call)).cloned().collect();
        for call in fresh {
            self.decided.insert(call.call);
            let agent = self.by_user.get(&call.user).copied();
            let Some(sim_agent) = agent.and_then(|agent| self.sim_agents.get_mut(&agent)) else { continue };
            let profile = &self.profile;
            if call.wants_auto_answer {
                self.schedule(self.clock.now(), Step::PickUp(call.call));
            } else if !sim_agent.deaf && !sim_agent.absent && !sim_agent.rng.chance(profile.misses) {
                let after = profile.answer.draw(&mut sim_agent.rng);
                self.schedule(self.clock.now() + after, Step::PickUp(call.call));
            }
        }
    }

    fn run_due_steps(&mut self) {
        let now = self.clock.now();
        while let Some(Reverse((at, _, step))) =
            self.steps.peek().copied().filter(|Reverse((at, ..))| *at <= now)
        {
            debug_assert!(at <= now);
            self.steps.pop();
            self.run_step(now, step);
        }
    }

    fn run_step(&mut self, now: Time, step: Step) {
        match step {
            Step::PickUp(call) => self.phones.answer(call),
            Step::EndShift(agent) => self.end_shift(agent),
            Step::StartShift(agent) => {
                let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
                sim_agent.start_shift(now, &self.profile);
                let shift = self.profile.shift.draw(&mut sim_agent.rng);
                self.schedule(now + shift, Step::EndShift(agent));
                self.schedule_decision(agent);
            }
            Step::Decide(agent, generation) => {
                let sim_agents = self.sim_agents.values();
                let talking: Vec<AgentId> = sim_agents
                    .filter(|sim_agent| sim_agent.is_talking())
                    .map(|sim_agent| sim_agent.agent.id)
                    .collect();
                let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
                if sim_agent.generation != generation || sim_agent.absent {
                    return;
                }
                let decision = sim_agent.decide(now, Clock::utc(), &self.profile, &self.context, &talking);
                self.carry_out_decision(agent, decision);
            }
        }
    }

    fn carry_out_decision(&mut self, agent: AgentId, decision: Decision) {
        match decision {
            Decision::Act(act) => self.send_act(agent, act),
            Decision::HangUpPhone => {
                let user = self.sim_agents.get(&agent).map(|sim_agent| sim_agent.agent.number.clone());
                let seen = self.phones.seen();
                let own_call = seen
                    .borrow()
                    .calls
                    .iter()
                    .rev()
                    .find(|call| Some(&call.user) == user.as_ref() && call.answered && !call.ended)
                    .map(|call| call.call);
                if let Some(call) = own_call {
                    self.phones.hang_up(call);
                }
                self.schedule_decision(agent);
            }
            // One socket serves all phones, so a single phone cannot be lost.
            Decision::LosePhone | Decision::Nothing => self.schedule_decision(agent),
        }
    }

    fn send_act(&self, agent: AgentId, act: AgentAction) {
        let word = super::workforce::word(&act);
        let (answer, answers) = ((self.act)(agent, act), self.answers.clone());
        tokio::spawn(async move {
            // The task may have ended meanwhile.
            let _ = answers.send((agent, word, answer.await));
        });
    }

    fn end_shift(&mut self, agent: AgentId) {
        let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
        sim_agent.at_work = false;
        if sim_agent.is_signed_in() {
            self.send_act(agent, AgentAction::SignOut);
        }
        self.schedule_decision(agent);
    }
}
