//! One simulated agent: how long the agent waits in each seat state, and the next action then.

use super::profile::Habits;
use crate::sim::random::Dice;
use paceline_core::agent::{
    Activity, Agent, AgentAct, Availability, CallSummary, CallbackRequest, Consulted, Force, Holding,
    PartyKind, Refusal, SeatView, Supervision, Way, WorkMode,
};
use paceline_core::campaign::Disposition;
use paceline_core::ids::{AgentId, CampaignId, GroupId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::time::{Duration, Time, Utc};

/// Data that all agents of a floor share: campaign, dispositions, leads and outside numbers to call.
#[derive(Clone, Debug)]
pub struct Scene {
    pub campaign: CampaignId,
    pub group: GroupId,
    pub dispositions: Vec<Disposition>,
    /// Leads that an agent may request.
    pub leads: Vec<LeadId>,
    /// Numbers that agents call or consult outside.
    pub outside: Vec<PhoneNumber>,
}

/// The next action of an agent.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    Act(AgentAct),
    /// The agent presses the hang-up key of the phone.
    HangUpPhone,
    /// The phone, or its network, is lost for a while.
    LosePhone,
    Nothing,
}

/// The part of the seat whose change makes the agent decide anew.
#[derive(Clone, Debug, PartialEq)]
struct Situation {
    availability: &'static str,
    activity: Activity,
    attempt: Option<i64>,
    supervises: bool,
}

#[derive(Debug)]
pub(super) struct SimAgent {
    pub agent: Agent,
    pub dice: Dice,
    pub way: Way,
    pub holding: Holding,
    pub work_mode: WorkMode,
    pub deaf: bool,
    /// The shift is on.
    pub at_work: bool,
    /// The agent left without signing out.
    pub absent: bool,
    pub phone_ready: bool,
    pub seat: Option<SeatView>,
    /// Counts changes of `situation`: a decision made for an earlier one is void.
    pub generation: u32,
    situation: Option<Situation>,
    break_at: Time,
    sign_in_refused: bool,
}

const REASONS: [&str; 4] = ["lunch", "training", "茶歇", "toilet"];

impl SimAgent {
    pub fn new(agent: Agent, habits: &Habits, mut dice: Dice) -> Self {
        let telephone = agent.telephone.filter(|_| dice.chance(habits.telephone));
        let nailed = dice.chance(habits.nailed_up);
        let deaf = dice.chance(habits.deaf);
        let modes = [WorkMode::Both, WorkMode::Both, WorkMode::Outbound, WorkMode::Inbound];
        let work_mode = modes[if dice.chance(habits.own_mode) { dice.next_u64() as usize % 4 } else { 0 }];
        SimAgent {
            agent,
            way: telephone.map_or(Way::Phone, Way::Telephone),
            holding: if nailed { Holding::NailedUp } else { Holding::PerCall },
            work_mode,
            deaf,
            at_work: false,
            absent: false,
            phone_ready: true,
            seat: None,
            generation: 0,
            situation: None,
            break_at: Time::ZERO,
            sign_in_refused: false,
            dice,
        }
    }

    /// Takes the agent's new seat. Returns whether the agent must decide anew.
    pub fn update_seat(&mut self, seat: SeatView) -> bool {
        let situation = Situation {
            availability: seat.availability.word(),
            activity: seat.activity.clone(),
            attempt: seat.work.as_ref().and_then(|work| work.attempt).map(|attempt| attempt.0),
            supervises: seat.supervising.is_some(),
        };
        self.seat = Some(seat);
        let changed = self.situation.as_ref() != Some(&situation);
        self.situation = Some(situation);
        changed
    }

    /// The process that held the agent's seat died.
    pub fn forget_seat(&mut self) {
        (self.seat, self.situation) = (None, None);
        self.generation += 1;
    }

    pub fn start_shift(&mut self, now: Time, habits: &Habits) {
        self.at_work = true;
        self.absent = false;
        self.break_at = now + habits.between_breaks.draw(&mut self.dice);
    }

    /// An agent whose ordinary telephone is not admitted switches to the SIP phone.
    pub fn refused(&mut self, refusal: Refusal, act: &str) {
        self.sign_in_refused |= act == "sign_in";
        if refusal == Refusal::PhoneNotReady && act == "sign_in" {
            self.way = Way::Phone;
        }
    }

    pub fn is_talking(&self) -> bool {
        self.seat.as_ref().is_some_and(|seat| seat.activity == Activity::Talking)
    }

    pub fn is_signed_in(&self) -> bool {
        self.seat.as_ref().is_some_and(|seat| seat.availability != Availability::SignedOut)
    }

    /// Time until the agent's next action in this state; `None` = the agent waits for an event.
    pub fn thinking_time(&mut self, now: Time, habits: &Habits) -> Option<Duration> {
        if self.absent {
            return None;
        }
        let dice = &mut self.dice;
        if !self.seat.as_ref().is_some_and(|seat| seat.availability != Availability::SignedOut) {
            // At once at first; up to 30 s after a refused sign-in.
            let most = if self.sign_in_refused { 30_000 } else { 1_000 };
            let span = dice.between(Duration::from_millis(100), Duration::from_millis(most));
            return self.at_work.then_some(span);
        }
        let seat = self.seat.as_ref()?;
        match seat.activity {
            Activity::Idle if !self.at_work => Some(Duration::from_secs(5)),
            Activity::Idle if seat.availability == Availability::Available => {
                let whim = habits.whim.draw(dice);
                Some(whim.min(self.break_at.since(now)).max(Duration::from_millis(500)))
            }
            Activity::Idle => Some(habits.a_break.draw(dice)),
            Activity::Reserved => Some(habits.think.draw(dice)),
            Activity::Ringing => None,
            Activity::Talking => Some(habits.talk.draw(dice)),
            Activity::Consulting => Some(habits.think.draw(dice) * 2),
            Activity::WrapUp if dice.chance(habits.forgets_summary) => None,
            Activity::WrapUp => Some(habits.wrap_up.draw(dice)),
        }
    }

    /// The agent's next action. `talking` = other agents in conversation.
    pub fn decide(
        &mut self,
        now: Time,
        utc: Utc,
        habits: &Habits,
        scene: &Scene,
        talking: &[AgentId],
    ) -> Decision {
        if !self.is_signed_in() {
            let sign_in = AgentAct::SignIn {
                groups: Vec::new(),
                way: self.way,
                holding: self.holding,
                work_mode: self.work_mode,
            };
            return if self.at_work { Decision::Act(sign_in) } else { Decision::Nothing };
        }
        let Some(seat) = self.seat.as_ref() else { return Decision::Nothing };
        match seat.activity {
            Activity::Idle if !self.at_work => Decision::Act(AgentAct::SignOut),
            Activity::Idle if seat.availability != Availability::Available => {
                self.act_in_break(now, habits, scene)
            }
            Activity::Idle => self.act_when_idle(now, habits, scene, talking),
            Activity::Reserved => self.act_in_preview(habits),
            Activity::Talking => self.act_in_conversation(utc, habits, scene, talking),
            Activity::Consulting => self.act_in_consult(talking),
            Activity::WrapUp => self.act_in_wrap_up(utc, habits, scene),
            Activity::Ringing => Decision::Nothing,
        }
    }

    fn act_in_break(&mut self, now: Time, habits: &Habits, scene: &Scene) -> Decision {
        if self.dice.chance(habits.own_calls) {
            return self.place_own_call(scene);
        }
        self.break_at = now + habits.between_breaks.draw(&mut self.dice);
        Decision::Act(AgentAct::Ready)
    }

    fn act_when_idle(&mut self, now: Time, habits: &Habits, scene: &Scene, talking: &[AgentId]) -> Decision {
        if now >= self.break_at {
            let reason = REASONS[self.dice.next_u64() as usize % REASONS.len()].to_owned();
            return Decision::Act(AgentAct::Pause { reason });
        }
        if self.agent.leads && self.dice.chance(habits.supervises) {
            return self.supervise(talking);
        }
        if self.dice.chance(habits.phone_crashes) {
            return Decision::LosePhone;
        }
        if self.dice.chance(habits.own_calls) {
            return self.place_own_call(scene);
        }
        if self.dice.chance(habits.clumsy) {
            return self.invalid_action(talking);
        }
        Decision::Nothing
    }

    fn place_own_call(&mut self, scene: &Scene) -> Decision {
        let campaign = scene.campaign;
        if self.dice.chance(0.5)
            && let Some(lead) = self.pick(&scene.leads)
        {
            return Decision::Act(AgentAct::CallLead { campaign, lead });
        }
        match self.pick(&scene.outside) {
            Some(number) => Decision::Act(AgentAct::Call { campaign, number }),
            None => Decision::Nothing,
        }
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let place = self.dice.next_u64() as usize;
        all.get(place % all.len().max(1)).copied()
    }

    fn supervise(&mut self, talking: &[AgentId]) -> Decision {
        let Some(agent) = self.pick(talking).filter(|agent| *agent != self.agent.id) else {
            return Decision::Nothing;
        };
        let how = [Supervision::Listen, Supervision::Whisper, Supervision::Barge, Supervision::TakeOver];
        let how = how[self.dice.weighted(&[4.0, 3.0, 2.0, 0.5]).unwrap_or(0)];
        if self.dice.chance(0.15) {
            return Decision::Act(AgentAct::Force { agent, what: self.draw_force() });
        }
        Decision::Act(AgentAct::Supervise { agent, how })
    }

    fn draw_force(&mut self) -> Force {
        match self.dice.next_u64() % 4 {
            0 => Force::Release,
            1 => Force::Pause { reason: "come and see me".into() },
            2 => Force::Ready,
            _ => Force::SignOut,
        }
    }

    /// An invalid action: it must be refused and must not harm any call.
    fn invalid_action(&mut self, talking: &[AgentId]) -> Decision {
        let other = self.pick(talking).unwrap_or(self.agent.id);
        Decision::Act(match self.dice.next_u64() % 12 {
            0 => AgentAct::Hold,
            1 => AgentAct::Retrieve,
            2 => AgentAct::Transfer,
            3 => AgentAct::Conference,
            4 => AgentAct::HangUp { leg: None },
            5 => AgentAct::Next,
            6 => AgentAct::Skip,
            7 => AgentAct::TakeBack,
            8 => AgentAct::Supervise { agent: other, how: Supervision::TakeOver },
            9 => AgentAct::ChangeWay { way: self.way, holding: self.flip_holding() },
            10 => AgentAct::Pause { reason: " ".into() },
            _ => AgentAct::StopSupervising,
        })
    }

    fn flip_holding(&mut self) -> Holding {
        self.holding = match self.holding {
            Holding::NailedUp => Holding::PerCall,
            Holding::PerCall => Holding::NailedUp,
        };
        self.holding
    }

    fn act_in_preview(&mut self, habits: &Habits) -> Decision {
        let dialled =
            self.seat.as_ref().and_then(|seat| seat.work.as_ref()).is_some_and(|work| work.attempt.is_some());
        if dialled {
            // Now and then the agent cancels the preview call while it rings.
            let cancels = self.dice.chance(habits.skips / 4.0);
            return if cancels { Decision::Act(AgentAct::HangUp { leg: None }) } else { Decision::Nothing };
        }
        if self.dice.chance(habits.skips) {
            Decision::Act(AgentAct::Skip)
        } else if self.dice.chance(habits.extends) {
            Decision::Act(AgentAct::Extend)
        } else {
            Decision::Act(AgentAct::Dial)
        }
    }

    fn act_in_conversation(
        &mut self,
        utc: Utc,
        habits: &Habits,
        scene: &Scene,
        talking: &[AgentId],
    ) -> Decision {
        let held = self.seat.as_ref().and_then(|seat| seat.work.as_ref()).is_some_and(|work| {
            work.parties.iter().any(|party| party.kind == PartyKind::Callee && party.held)
        });
        if held {
            return Decision::Act(AgentAct::Retrieve);
        }
        let weights = [
            habits.holds,
            habits.consults,
            habits.mutes,
            habits.moves_phone,
            habits.loses_network,
            habits.summarises_early,
            habits.clumsy / 10.0,
        ];
        let rest = (1.0 - weights.iter().sum::<f64>()).max(0.05);
        let all: Vec<f64> = weights.into_iter().chain([rest]).collect();
        match self.dice.weighted(&all).unwrap_or(7) {
            0 => Decision::Act(AgentAct::Hold),
            1 => self.start_consult(scene, talking),
            2 => {
                let on = self.seat.as_ref().is_some_and(|seat| !seat.muted);
                Decision::Act(AgentAct::Mute { on })
            }
            3 => {
                let holding = self.flip_holding();
                Decision::Act(AgentAct::ChangeWay { way: self.way, holding })
            }
            4 => Decision::LosePhone,
            5 => Decision::Act(AgentAct::Summarise(self.draw_summary(utc, habits, scene))),
            6 => self.invalid_action(talking),
            _ if self.dice.chance(habits.puts_down) => Decision::HangUpPhone,
            _ => Decision::Act(AgentAct::HangUp { leg: None }),
        }
    }

    fn start_consult(&mut self, scene: &Scene, talking: &[AgentId]) -> Decision {
        let whom = match self.dice.next_u64() % 4 {
            0 => self.pick(&scene.outside).map(Consulted::Number),
            1 => self.pick(talking).map(Consulted::Agent),
            _ => Some(Consulted::Group(scene.group)),
        };
        whom.map_or(Decision::Nothing, |whom| Decision::Act(AgentAct::Consult { whom }))
    }

    fn act_in_consult(&mut self, talking: &[AgentId]) -> Decision {
        let Some(seat) = self.seat.as_ref() else { return Decision::Nothing };
        if let Some((agent, _)) = seat.supervising {
            return match self.dice.next_u64() % 6 {
                0 => Decision::Act(AgentAct::Supervise { agent, how: Supervision::Whisper }),
                1 => Decision::Act(AgentAct::Supervise { agent, how: Supervision::Barge }),
                2 => Decision::Act(AgentAct::Force { agent, what: self.draw_force() }),
                3 => Decision::LosePhone,
                _ => Decision::Act(AgentAct::StopSupervising),
            };
        }
        match self.dice.weighted(&[4.0, 4.0, 3.0, 1.0, 1.0, 0.5]).unwrap_or(0) {
            0 => Decision::Act(AgentAct::Transfer),
            1 => Decision::Act(AgentAct::TakeBack),
            2 => Decision::Act(AgentAct::Conference),
            3 => Decision::Act(AgentAct::HangUp { leg: None }),
            4 => Decision::HangUpPhone,
            _ => self.invalid_action(talking),
        }
    }

    fn act_in_wrap_up(&mut self, utc: Utc, habits: &Habits, scene: &Scene) -> Decision {
        if self.dice.chance(habits.extends) {
            return Decision::Act(AgentAct::Extend);
        }
        if self.dice.chance(habits.clumsy / 2.0) {
            return Decision::Act(AgentAct::Next);
        }
        Decision::Act(AgentAct::Summarise(self.draw_summary(utc, habits, scene)))
    }

    fn draw_summary(&mut self, utc: Utc, habits: &Habits, scene: &Scene) -> CallSummary {
        let place = self.dice.next_u64() as usize % scene.dispositions.len().max(1);
        let disposition = scene.dispositions.get(place).map_or(String::new(), |one| one.code.clone());
        let callback = self.dice.chance(habits.callbacks).then(|| CallbackRequest {
            at: utc + self.dice.between(Duration::from_secs(60), Duration::from_secs(4 * 3_600)),
            own: self.dice.chance(0.7),
            skill: None,
        });
        CallSummary { disposition, note: String::new(), callback }
    }
}
