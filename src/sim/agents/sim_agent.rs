//! One simulated agent: how long the agent waits in each seat state, and the next action then.

use super::profile::AgentProfile;
use crate::sim::random::SimRng;
use paceline_core::agent::{
    Activity, Agent, AgentAction, Availability, CallSummary, CallbackRequest, ConsultTarget, Endpoint, Force,
    Holding, PartyKind, Refusal, SeatView, Supervision, WorkMode,
};
use paceline_core::campaign::Disposition;
use paceline_core::ids::{AgentId, CampaignId, GroupId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::time::{Duration, Time, Utc};

/// Data that all agents of a floor share: campaign, dispositions, leads and outside numbers to call.
#[derive(Clone, Debug)]
pub struct WorkContext {
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
    Act(AgentAction),
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
    pub rng: SimRng,
    pub endpoint: Endpoint,
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
    pub fn new(agent: Agent, profile: &AgentProfile, mut rng: SimRng) -> Self {
        let telephone = agent.telephone.filter(|_| rng.chance(profile.telephone));
        let nailed = rng.chance(profile.nailed_up);
        let deaf = rng.chance(profile.deaf);
        let modes = [WorkMode::Both, WorkMode::Both, WorkMode::Outbound, WorkMode::Inbound];
        let work_mode = modes[if rng.chance(profile.own_mode) { rng.next_u64() as usize % 4 } else { 0 }];
        SimAgent {
            agent,
            endpoint: telephone.map_or(Endpoint::Phone, Endpoint::Telephone),
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
            rng,
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

    pub fn start_shift(&mut self, now: Time, profile: &AgentProfile) {
        self.at_work = true;
        self.absent = false;
        self.break_at = now + profile.between_breaks.draw(&mut self.rng);
    }

    /// An agent whose ordinary telephone is not admitted switches to the SIP phone.
    pub fn refused(&mut self, refusal: Refusal, act: &str) {
        self.sign_in_refused |= act == "sign_in";
        if refusal == Refusal::PhoneNotReady && act == "sign_in" {
            self.endpoint = Endpoint::Phone;
        }
    }

    pub fn is_talking(&self) -> bool {
        self.seat.as_ref().is_some_and(|seat| seat.activity == Activity::Talking)
    }

    pub fn is_signed_in(&self) -> bool {
        self.seat.as_ref().is_some_and(|seat| seat.availability != Availability::SignedOut)
    }

    /// Time until the agent's next action in this state; `None` = the agent waits for an event.
    pub fn thinking_time(&mut self, now: Time, profile: &AgentProfile) -> Option<Duration> {
        if self.absent {
            return None;
        }
        let rng = &mut self.rng;
        if !self.seat.as_ref().is_some_and(|seat| seat.availability != Availability::SignedOut) {
            // At once at first; up to 30 s after a refused sign-in.
            let most = if self.sign_in_refused { 30_000 } else { 1_000 };
            let span = rng.between(Duration::from_millis(100), Duration::from_millis(most));
            return self.at_work.then_some(span);
        }
        let seat = self.seat.as_ref()?;
        match seat.activity {
            Activity::Idle if !self.at_work => Some(Duration::from_secs(5)),
            Activity::Idle if seat.availability == Availability::Available => {
                let whim = profile.whim.draw(rng);
                Some(whim.min(self.break_at.since(now)).max(Duration::from_millis(500)))
            }
            Activity::Idle => Some(profile.a_break.draw(rng)),
            Activity::Reserved => Some(profile.think.draw(rng)),
            Activity::Ringing => None,
            Activity::Talking => Some(profile.talk.draw(rng)),
            Activity::Consulting => Some(profile.think.draw(rng) * 2),
            Activity::WrapUp if rng.chance(profile.forgets_summary) => None,
            Activity::WrapUp => Some(profile.wrap_up.draw(rng)),
        }
    }

    /// The agent's next action. `talking` = other agents in conversation.
    pub fn decide(
        &mut self,
        now: Time,
        utc: Utc,
        profile: &AgentProfile,
        context: &WorkContext,
        talking: &[AgentId],
    ) -> Decision {
        if !self.is_signed_in() {
            let sign_in = AgentAction::SignIn {
                groups: Vec::new(),
                endpoint: self.endpoint,
                holding: self.holding,
                work_mode: self.work_mode,
            };
            return if self.at_work { Decision::Act(sign_in) } else { Decision::Nothing };
        }
        let Some(seat) = self.seat.as_ref() else { return Decision::Nothing };
        match seat.activity {
            Activity::Idle if !self.at_work => Decision::Act(AgentAction::SignOut),
            Activity::Idle if seat.availability != Availability::Available => {
                self.act_in_break(now, profile, context)
            }
            Activity::Idle => self.act_when_idle(now, profile, context, talking),
            Activity::Reserved => self.act_in_preview(profile),
            Activity::Talking => self.act_in_conversation(utc, profile, context, talking),
            Activity::Consulting => self.act_in_consult(talking),
            Activity::WrapUp => self.act_in_wrap_up(utc, profile, context),
            Activity::Ringing => Decision::Nothing,
        }
    }

    fn act_in_break(&mut self, now: Time, profile: &AgentProfile, context: &WorkContext) -> Decision {
        if self.rng.chance(profile.own_calls) {
            return self.place_own_call(context);
        }
        self.break_at = now + profile.between_breaks.draw(&mut self.rng);
        Decision::Act(AgentAction::Ready)
    }

    fn act_when_idle(
        &mut self,
        now: Time,
        profile: &AgentProfile,
        context: &WorkContext,
        talking: &[AgentId],
    ) -> Decision {
        if now >= self.break_at {
            let reason = REASONS[self.rng.next_u64() as usize % REASONS.len()].to_owned();
            return Decision::Act(AgentAction::Pause { reason });
        }
        if self.agent.leads && self.rng.chance(profile.supervises) {
            return self.supervise(talking);
        }
        if self.rng.chance(profile.phone_crashes) {
            return Decision::LosePhone;
        }
        if self.rng.chance(profile.own_calls) {
            return self.place_own_call(context);
        }
        if self.rng.chance(profile.clumsy) {
            return self.invalid_action(talking);
        }
        Decision::Nothing
    }

    fn place_own_call(&mut self, context: &WorkContext) -> Decision {
        let campaign = context.campaign;
        if self.rng.chance(0.5)
            && let Some(lead) = self.pick(&context.leads)
        {
            return Decision::Act(AgentAction::CallLead { campaign, lead });
        }
        match self.pick(&context.outside) {
            Some(number) => Decision::Act(AgentAction::Call { campaign, number }),
            None => Decision::Nothing,
        }
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let place = self.rng.next_u64() as usize;
        all.get(place % all.len().max(1)).copied()
    }

    fn supervise(&mut self, talking: &[AgentId]) -> Decision {
        let Some(agent) = self.pick(talking).filter(|agent| *agent != self.agent.id) else {
            return Decision::Nothing;
        };
        let how = [Supervision::Listen, Supervision::Whisper, Supervision::Barge, Supervision::TakeOver];
        let how = how[self.rng.weighted(&[4.0, 3.0, 2.0, 0.5]).unwrap_or(0)];
        if self.rng.chance(0.15) {
            return Decision::Act(AgentAction::Force { agent, what: self.draw_force() });
        }
        Decision::Act(AgentAction::Supervise { agent, how })
    }

    fn draw_force(&mut self) -> Force {
        match self.rng.next_u64() % 4 {
            0 => Force::Release,
            1 => Force::Pause { reason: "come and see me".into() },
            2 => Force::Ready,
            _ => Force::SignOut,
        }
    }

    /// An invalid action: it must be refused and must not harm any call.
    fn invalid_action(&mut self, talking: &[AgentId]) -> Decision {
        let other = self.pick(talking).unwrap_or(self.agent.id);
        Decision::Act(match self.rng.next_u64() % 12 {
            0 => AgentAction::Hold,
            1 => AgentAction::Retrieve,
            2 => AgentAction::Transfer,
            3 => AgentAction::Conference,
            4 => AgentAction::HangUp { leg: None },
            5 => AgentAction::Next,
            6 => AgentAction::Skip,
            7 => AgentAction::CancelConsult,
            8 => AgentAction::Supervise { agent: other, how: Supervision::TakeOver },
            9 => AgentAction::ChangeEndpoint { endpoint: self.endpoint, holding: self.flip_holding() },
            10 => AgentAction::Pause { reason: " ".into() },
            _ => AgentAction::StopSupervising,
        })
    }

    fn flip_holding(&mut self) -> Holding {
        self.holding = match self.holding {
            Holding::NailedUp => Holding::PerCall,
            Holding::PerCall => Holding::NailedUp,
        };
        self.holding
    }

    fn act_in_preview(&mut self, profile: &AgentProfile) -> Decision {
        let dialled =
            self.seat.as_ref().and_then(|seat| seat.work.as_ref()).is_some_and(|work| work.attempt.is_some());
        if dialled {
            // Now and then the agent cancels the preview call while it rings.
            let cancels = self.rng.chance(profile.skips / 4.0);
            return if cancels {
                Decision::Act(AgentAction::HangUp { leg: None })
            } else {
                Decision::Nothing
            };
        }
        if self.rng.chance(profile.skips) {
            Decision::Act(AgentAction::Skip)
        } else if self.rng.chance(profile.extends) {
            Decision::Act(AgentAction::Extend)
        } else {
            Decision::Act(AgentAction::Dial)
        }
    }

    fn act_in_conversation(
        &mut self,
        utc: Utc,
        profile: &AgentProfile,
        context: &WorkContext,
        talking: &[AgentId],
    ) -> Decision {
        let held = self.seat.as_ref().and_then(|seat| seat.work.as_ref()).is_some_and(|work| {
            work.parties.iter().any(|party| party.kind == PartyKind::Callee && party.held)
        });
        if held {
            return Decision::Act(AgentAction::Retrieve);
        }
        let weights = [
            profile.holds,
            profile.consults,
            profile.mutes,
            profile.moves_phone,
            profile.loses_network,
            profile.summarises_early,
            profile.clumsy / 10.0,
        ];
        let rest = (1.0 - weights.iter().sum::<f64>()).max(0.05);
        let all: Vec<f64> = weights.into_iter().chain([rest]).collect();
        match self.rng.weighted(&all).unwrap_or(7) {
            0 => Decision::Act(AgentAction::Hold),
            1 => self.start_consult(context, talking),
            2 => {
                let on = self.seat.as_ref().is_some_and(|seat| !seat.muted);
                Decision::Act(AgentAction::Mute { on })
            }
            3 => {
                let holding = self.flip_holding();
                Decision::Act(AgentAction::ChangeEndpoint { endpoint: self.endpoint, holding })
            }
            4 => Decision::LosePhone,
            5 => Decision::Act(AgentAction::Summarise(self.draw_summary(utc, profile, context))),
            6 => self.invalid_action(talking),
            _ if self.rng.chance(profile.puts_down) => Decision::HangUpPhone,
            _ => Decision::Act(AgentAction::HangUp { leg: None }),
        }
    }

    fn start_consult(&mut self, context: &WorkContext, talking: &[AgentId]) -> Decision {
        let target = match self.rng.next_u64() % 4 {
            0 => self.pick(&context.outside).map(ConsultTarget::Number),
            1 => self.pick(talking).map(ConsultTarget::Agent),
            _ => Some(ConsultTarget::Group(context.group)),
        };
        target.map_or(Decision::Nothing, |target| Decision::Act(AgentAction::Consult { target }))
    }

    fn act_in_consult(&mut self, talking: &[AgentId]) -> Decision {
        let Some(seat) = self.seat.as_ref() else { return Decision::Nothing };
        if let Some((agent, _)) = seat.supervising {
            return match self.rng.next_u64() % 6 {
                0 => Decision::Act(AgentAction::Supervise { agent, how: Supervision::Whisper }),
                1 => Decision::Act(AgentAction::Supervise { agent, how: Supervision::Barge }),
                2 => Decision::Act(AgentAction::Force { agent, what: self.draw_force() }),
                3 => Decision::LosePhone,
                _ => Decision::Act(AgentAction::StopSupervising),
            };
        }
        match self.rng.weighted(&[4.0, 4.0, 3.0, 1.0, 1.0, 0.5]).unwrap_or(0) {
            0 => Decision::Act(AgentAction::Transfer),
            1 => Decision::Act(AgentAction::CancelConsult),
            2 => Decision::Act(AgentAction::Conference),
            3 => Decision::Act(AgentAction::HangUp { leg: None }),
            4 => Decision::HangUpPhone,
            _ => self.invalid_action(talking),
        }
    }

    fn act_in_wrap_up(&mut self, utc: Utc, profile: &AgentProfile, context: &WorkContext) -> Decision {
        if self.rng.chance(profile.extends) {
            return Decision::Act(AgentAction::Extend);
        }
        if self.rng.chance(profile.clumsy / 2.0) {
            return Decision::Act(AgentAction::Next);
        }
        Decision::Act(AgentAction::Summarise(self.draw_summary(utc, profile, context)))
    }

    fn draw_summary(&mut self, utc: Utc, profile: &AgentProfile, context: &WorkContext) -> CallSummary {
        let place = self.rng.next_u64() as usize % context.dispositions.len().max(1);
        let disposition = context.dispositions.get(place).map_or(String::new(), |one| one.code.clone());
        let callback = self.rng.chance(profile.callbacks).then(|| CallbackRequest {
            at: utc + self.rng.between(Duration::from_secs(60), Duration::from_secs(4 * 3_600)),
            own: self.rng.chance(0.7),
            skill: None,
        });
        CallSummary { disposition, note: String::new(), callback }
    }
}
