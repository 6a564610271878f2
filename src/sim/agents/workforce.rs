//! Simulated agents in virtual time: takes the dialer's outputs that concern agents and returns their
//! actions.

use super::legs::{Legs, Pickup};
use super::profile::AgentProfile;
use super::sim_agent::{Decision, SimAgent, WorkContext};
use crate::sim::random::SimRng;
use paceline_core::agent::{Agent, AgentAction, Availability, Endpoint, Group, WorkMode};
use paceline_core::dialer::{Input, Output};
use paceline_core::ids::{AgentId, CallId};
use paceline_core::outcome::EndedBy;
use paceline_core::time::{Duration, Time, WallClock};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

const DAY: Duration = Duration::from_secs(86_400);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    StartShift(AgentId),
    EndShift(AgentId),
    /// The agent acts; void unless this is still the agent's generation.
    Decide(AgentId, u32),
    PhoneReturns(AgentId),
}

/// All agents of a floor. The same seed gives the same day.
#[derive(Debug)]
pub struct Workforce {
    clock: WallClock,
    profile: AgentProfile,
    context: WorkContext,
    groups: Vec<Group>,
    sim_agents: BTreeMap<AgentId, SimAgent>,
    legs: Legs,
    rng: SimRng,
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
        context: WorkContext,
        groups: Vec<Group>,
        agents: Vec<Agent>,
        profile: AgentProfile,
    ) -> Self {
        let sim_agent = |agent: Agent| {
            let rng = SimRng::keyed(seed, &[agent.id.0 as u64]);
            (agent.id, SimAgent::new(agent, &profile, rng))
        };
        Workforce {
            clock,
            sim_agents: agents.into_iter().map(sim_agent).collect(),
            profile,
            context,
            groups,
            legs: Legs::default(),
            rng: SimRng::keyed(seed, &[0]),
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
        for sim_agent in self.sim_agents.values() {
            inputs.push(Input::AgentDefined(Box::new(sim_agent.agent.clone())));
            inputs.push(Input::PhoneChanged { agent: sim_agent.agent.id, ready: sim_agent.phone_ready });
        }
        let agents: Vec<AgentId> = self.sim_agents.keys().copied().collect();
        for agent in agents {
            if !self.opened {
                let late = self.profile.late.draw(&mut self.rng);
                self.schedule(now + late, Step::StartShift(agent));
            } else {
                self.schedule_decision(now, agent);
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
        self.sim_agents.values_mut().for_each(SimAgent::forget_seat);
    }

    /// No further agent signs in; agents who are signed in sign out once their call is over.
    pub fn sign_out_all(&mut self, now: Time) {
        self.closing = true;
        let agents: Vec<AgentId> = self.sim_agents.keys().copied().collect();
        for agent in agents {
            self.end_shift(now, agent, false);
        }
    }

    /// Whether any agent picks up and takes outbound calls, where the group sets `mode` for all.
    pub fn has_outbound_agents(&self, mode: Option<WorkMode>) -> bool {
        self.sim_agents
            .values()
            .any(|sim_agent| !sim_agent.deaf && mode.unwrap_or(sim_agent.work_mode).takes_outbound())
    }

    /// The number of legs.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    pub fn carry(&mut self, now: Time, output: &Output) {
        match output {
            Output::CallAgent { leg, agent, endpoint, auto_answer, ring, .. } => {
                self.ring(now, *leg, *agent, *endpoint, *auto_answer, *ring);
            }
            Output::CallConsulted { leg, ring, .. } => {
                let answers = self.rng.chance(0.7);
                let after = self.rng.between(Duration::from_secs(1), Duration::from_secs(15));
                let stays = self.profile.talk.draw(&mut self.rng);
                let pickup = if answers { Pickup::After(after) } else { Pickup::Declined(after) };
                self.legs.ring(now, *leg, None, *ring, pickup, Some(stays));
            }
            Output::HangUp { call, .. } => self.legs.hang_up(now, *call, &mut self.rng),
            Output::SeatChanged { seat, .. } => {
                let agent = seat.agent;
                let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
                if sim_agent.update_seat((**seat).clone()) {
                    self.schedule_decision(now, agent);
                }
            }
            Output::ActionAnswered { request: ask, refusal } => {
                let Some((agent, word)) = self.asks.remove(ask) else { return };
                match refusal {
                    None => *self.done.entry(word).or_default() += 1,
                    Some(refusal) => {
                        *self.refused.entry(refusal.word()).or_default() += 1;
                        if let Some(sim_agent) = self.sim_agents.get_mut(&agent) {
                            sim_agent.refused(*refusal, word);
                        }
                    }
                }
                self.schedule_decision(now, agent);
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
            self.run_step(now, step);
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
    fn schedule_decision(&mut self, now: Time, agent: AgentId) {
        let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
        sim_agent.generation += 1;
        let generation = sim_agent.generation;
        if let Some(span) = sim_agent.thinking_time(now, &self.profile) {
            self.schedule(now + span, Step::Decide(agent, generation));
        }
    }

    fn run_step(&mut self, now: Time, step: Step) {
        match step {
            Step::StartShift(agent) => {
                if self.closing {
                    return;
                }
                let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
                sim_agent.start_shift(now, &self.profile);
                let shift = self.profile.shift.draw(&mut sim_agent.rng);
                self.schedule(now + shift, Step::EndShift(agent));
                self.schedule(now + DAY, Step::StartShift(agent));
                self.schedule_decision(now, agent);
            }
            Step::EndShift(agent) => {
                let forgets = self.rng.chance(self.profile.forgets_sign_out);
                self.end_shift(now, agent, forgets);
            }
            Step::Decide(agent, generation) => {
                let talking: Vec<AgentId> = self
                    .sim_agents
                    .values()
                    .filter(|sim_agent| sim_agent.is_talking())
                    .map(|sim_agent| sim_agent.agent.id)
                    .collect();
                let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
                if sim_agent.generation != generation || sim_agent.absent {
                    return;
                }
                let utc = self.clock.utc(now);
                let decision = sim_agent.decide(now, utc, &self.profile, &self.context, &talking);
                self.carry_out_decision(now, agent, decision);
            }
            Step::PhoneReturns(agent) => {
                let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
                sim_agent.phone_ready = true;
                self.ready.push_back(Input::PhoneChanged { agent, ready: true });
            }
        }
    }

    fn carry_out_decision(&mut self, now: Time, agent: AgentId, decision: Decision) {
        match decision {
            Decision::Act(act) => self.send_act(agent, act),
            Decision::HangUpPhone => match self.legs.of(agent) {
                Some(leg) => self.ready.extend(self.legs.end(leg, EndedBy::Callee, "hung up")),
                None => self.schedule_decision(now, agent),
            },
            Decision::LosePhone => {
                self.lose_phone(now, agent);
                self.schedule_decision(now, agent);
            }
            Decision::Nothing => self.schedule_decision(now, agent),
        }
    }

    fn send_act(&mut self, agent: AgentId, act: AgentAction) {
        self.asked += 1;
        self.asks.insert(self.asked, (agent, word(&act)));
        self.ready.push_back(Input::AgentActed { request: self.asked, agent, action: act });
    }

    /// The agent's phone restarts or its network is lost: the call ends by failure, the registration too.
    fn lose_phone(&mut self, now: Time, agent: AgentId) {
        if let Some(leg) = self.legs.of(agent) {
            self.ready.extend(self.legs.end(leg, EndedBy::Carrier, "no packet from the phone"));
        }
        let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
        if sim_agent.endpoint == Endpoint::Phone && sim_agent.phone_ready {
            sim_agent.phone_ready = false;
            self.ready.push_back(Input::PhoneChanged { agent, ready: false });
            let away = sim_agent.rng.between(Duration::from_secs(2), Duration::from_secs(120));
            self.schedule(now + away, Step::PhoneReturns(agent));
        }
    }

    fn end_shift(&mut self, now: Time, agent: AgentId, forgets: bool) {
        let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
        sim_agent.at_work = false;
        sim_agent.absent = forgets;
        let here = sim_agent.seat.as_ref().is_some_and(|seat| seat.availability != Availability::SignedOut);
        if here && !forgets {
            self.send_act(agent, AgentAction::SignOut);
        }
        self.schedule_decision(now, agent);
    }

    fn ring(
        &mut self,
        now: Time,
        leg: CallId,
        agent: AgentId,
        endpoint: Endpoint,
        auto_answer: bool,
        ring: Duration,
    ) {
        let Some(sim_agent) = self.sim_agents.get_mut(&agent) else { return };
        let by_itself = auto_answer && endpoint == Endpoint::Phone;
        let profile = &self.profile;
        let pickup = if endpoint == Endpoint::Phone && !sim_agent.phone_ready {
            Pickup::Away
        } else if by_itself {
            Pickup::After(sim_agent.rng.between(Duration::from_millis(100), Duration::from_millis(500)))
        } else if sim_agent.deaf || sim_agent.absent || sim_agent.rng.chance(profile.misses) {
            Pickup::Never
        } else if sim_agent.rng.chance(profile.declines) {
            Pickup::Declined(profile.answer.draw(&mut sim_agent.rng))
        } else {
            Pickup::After(profile.answer.draw(&mut sim_agent.rng))
        };
        self.legs.ring(now, leg, Some(agent), ring, pickup, None);
    }
}

/// The action's word in counts.
pub(super) const fn word(act: &AgentAction) -> &'static str {
    match act {
        AgentAction::SignIn { .. } => "sign_in",
        AgentAction::SignOut => "sign_out",
        AgentAction::ChangeEndpoint { .. } => "change_endpoint",
        AgentAction::Ready => "ready",
        AgentAction::Pause { .. } => "pause",
        AgentAction::Dial => "dial",
        AgentAction::Skip => "skip",
        AgentAction::Extend => "extend",
        AgentAction::Call { .. } => "call",
        AgentAction::CallLead { .. } => "call_lead",
        AgentAction::HangUp { .. } => "hang_up",
        AgentAction::Hold => "hold",
        AgentAction::Retrieve => "retrieve",
        AgentAction::Mute { .. } => "mute",
        AgentAction::SendDigits { .. } => "send_digits",
        AgentAction::Consult { .. } => "consult",
        AgentAction::CancelConsult => "cancel_consult",
        AgentAction::Transfer => "transfer",
        AgentAction::Conference => "conference",
        AgentAction::Record { .. } => "record",
        AgentAction::Summarise(_) => "summarise",
        AgentAction::Next => "next",
        AgentAction::Supervise { .. } => "supervise",
        AgentAction::StopSupervising => "stop_supervising",
        AgentAction::Force { .. } => "force",
    }
}
