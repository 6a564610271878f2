//! Call control by the agent: hold, mute, digits, consult, attended transfer, conference, hang up.

use super::bridging::Third;
use super::{Job, Talk};
use crate::agent::{Activity, Consulted, Holding, Refusal};
use crate::call::{Digit, HangUpCause};
use crate::dialer::output::SoundName;
use crate::dialer::run::Phase;
use crate::dialer::{Dialer, Output};
use crate::ids::{AgentId, CallId};
use crate::media::Voice;
use crate::time::Duration;

/// Most digits sent by one action.
const KEYS_MAX: usize = 32;

/// How long a consulted agent's phone rings.
const HELPER_RING: Duration = Duration::from_secs(20);

impl Dialer {
    /// The conversation whose agent this is; a consulted agent has none.
    pub(super) fn talking(&self, agent: AgentId) -> Result<CallId, Refusal> {
        let id = self.call_of(agent).ok_or(Refusal::NoCall)?;
        let hers = self.talk(id).is_some_and(|talk| talk.agent == Some(agent));
        if hers { Ok(id) } else { Err(Refusal::NoCall) }
    }

    pub(super) fn talk(&self, id: CallId) -> Option<&Talk> {
        self.calls.get(&id)?.talk.as_ref()
    }

    fn talk_mut(&mut self, id: CallId) -> Option<&mut Talk> {
        self.calls.get_mut(&id)?.talk.as_mut()
    }

    fn leg_of(&self, agent: AgentId) -> Option<CallId> {
        self.floor.seats.get(&agent)?.leg
    }

    fn voice_of(&self, agent: AgentId) -> Voice {
        let muted = self.floor.seats.get(&agent).is_some_and(|seat| seat.muted);
        if muted { Voice::Nobody } else { Voice::Everyone }
    }

    pub(super) fn hang_up_by(&mut self, agent: AgentId, leg: Option<CallId>) -> Result<(), Refusal> {
        let id = match self.floor.seats.get(&agent).and_then(|seat| seat.job.clone()) {
            Some(Job::Call { call }) => call,
            Some(Job::Helping { .. }) => {
                self.leave_help(agent);
                return Ok(());
            }
            Some(Job::First { .. } | Job::Fetching { .. }) => {
                self.let_go_of_leg(agent);
                self.give_back(agent);
                return Ok(());
            }
            _ => return Err(Refusal::NoCall),
        };
        let third = self.talk(id).and_then(|talk| talk.third.clone());
        let theirs = third.as_ref().is_some_and(|third| {
            leg.is_some() && (third.leg == leg || third.agent.is_some_and(|agent| self.leg_of(agent) == leg))
        });
        if theirs {
            self.end_third(id);
            self.callee_back(id);
        } else if leg.is_none_or(|leg| leg == id) {
            self.hang_up(id, HangUpCause::AgentHungUp);
        } else {
            return Err(Refusal::NoCall);
        }
        Ok(())
    }

    pub(super) fn hold_by(&mut self, agent: AgentId, on: bool) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        if self.talk(id).is_some_and(|talk| talk.third.is_some()) {
            return Err(Refusal::Busy);
        }
        self.hold(id, on);
        Ok(())
    }

    /// Puts callee and agent on hold with music, or bridges them again.
    pub(super) fn hold(&mut self, id: CallId, on: bool) {
        let Some(talk) = self.talk_mut(id).filter(|talk| talk.held != on) else { return };
        talk.held = on;
        let Some(agent) = talk.agent else { return };
        let leg = self.leg_of(agent);
        if !on {
            return self.rejoin(id, agent);
        }
        for leg in [Some(id), leg].into_iter().flatten() {
            self.outputs.push_back(Output::Leave { leg });
            self.outputs.push_back(Output::Play { leg, sound: SoundName::HoldMusic });
        }
        self.show_parties(id);
    }

    /// Bridges callee and agent again.
    pub(super) fn rejoin(&mut self, id: CallId, agent: AgentId) {
        let voice = self.voice_of(agent);
        let Some(talk) = self.talk_mut(id) else { return };
        talk.held = false;
        let leg = self.leg_of(agent);
        for (leg, voice) in [(Some(id), Voice::Everyone), (leg, voice)] {
            let Some(leg) = leg else { continue };
            self.outputs.push_back(Output::StopPlaying { leg });
            self.outputs.push_back(Output::Join { leg, mix: Self::mix(id), voice });
        }
        self.set_activity(agent, Activity::Talking);
        self.show_parties(id);
    }

    /// The agent changed phones during a call: bridges the new leg with the callee, or with the consulted
    /// party.
    pub(super) fn back_on_the_line(&mut self, id: CallId, agent: AgentId) {
        let third = self.talk(id).and_then(|talk| talk.third.clone()).filter(|third| !third.joined);
        let Some(third) = third else { return self.rejoin(id, agent) };
        let helper = third.agent.and_then(|helper| self.leg_of(helper));
        match third.leg.or(helper).filter(|_| third.up) {
            Some(leg) => self.aside_begins(id, leg),
            None => {
                if let Some(leg) = self.leg_of(agent) {
                    self.outputs.push_back(Output::Play { leg, sound: SoundName::RingBack });
                }
            }
        }
    }

    pub(super) fn mute_by(&mut self, agent: AgentId, on: bool) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        if let Some(seat) = self.seat(agent) {
            seat.muted = on;
        }
        let Some(talk) = self.talk(id) else { return Err(Refusal::NoCall) };
        let aside = talk.third.as_ref().is_some_and(|third| third.up && !third.joined);
        let (held, voice) = (talk.held, self.voice_of(agent));
        let Some(leg) = self.leg_of(agent).filter(|_| !held || aside) else { return Ok(()) };
        let mix = if aside { Self::aside(id) } else { Self::mix(id) };
        self.outputs.push_back(Output::Join { leg, mix, voice });
        Ok(())
    }

    /// Sends digits to the party the agent talks with, for example a voice menu.
    pub(super) fn send_digits(&mut self, agent: AgentId, keys: Vec<Digit>) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        let third = self.talk(id).and_then(|talk| talk.third.as_ref());
        let leg = third.filter(|third| third.up && !third.joined).and_then(|third| third.leg).unwrap_or(id);
        let keys = keys.into_iter().take(KEYS_MAX).collect();
        self.outputs.push_back(Output::SendDigits { leg, keys });
        Ok(())
    }

    pub(super) fn consult(&mut self, agent: AgentId, whom: Consulted) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        if self.talk(id).is_some_and(|talk| talk.third.is_some()) {
            return Err(Refusal::Busy);
        }
        let mut third = Third { agent: None, leg: None, number: None, up: false, joined: false };
        match whom {
            Consulted::Number(number) => {
                third.leg = Some(self.ring_third(agent, id, number).ok_or(Refusal::NobodyFree)?);
                third.number = Some(number);
            }
            Consulted::Agent(helper) => third.agent = Some(self.helper(agent, helper)?),
            Consulted::Group(group) => {
                let free = self
                    .floor
                    .seats
                    .values()
                    .filter(|seat| seat.agent.id != agent && self.floor.takes_calls(seat, group, false));
                let helper =
                    free.min_by_key(|seat| (seat.idle_since, seat.agent.id)).map(|seat| seat.agent.id);
                third.agent = Some(helper.ok_or(Refusal::NobodyFree)?);
            }
        }
        self.hold(id, true);
        let helper = third.agent;
        if let Some(talk) = self.talk_mut(id) {
            talk.third = Some(third);
        }
        self.set_activity(agent, Activity::Consulting);
        if let Some(leg) = self.leg_of(agent) {
            self.outputs.push_back(Output::Play { leg, sound: SoundName::RingBack });
        }
        if let Some(helper) = helper {
            self.ask_helper(helper, id);
        }
        self.show_parties(id);
        Ok(())
    }

    /// An agent who can be consulted: signed in and free, paused or not.
    fn helper(&self, agent: AgentId, helper: AgentId) -> Result<AgentId, Refusal> {
        let seat = self.floor.seats.get(&helper).ok_or(Refusal::UnknownAgent)?;
        let ready = match seat.holding {
            Holding::NailedUp => self.floor.leg_up(seat),
            Holding::PerCall => seat.reachable() && seat.leg.is_none(),
        };
        if helper == agent || !seat.free() || !ready {
            return Err(Refusal::NobodyFree);
        }
        Ok(helper)
    }

    fn ask_helper(&mut self, helper: AgentId, id: CallId) {
        let Some(seat) = self.seat(helper) else { return };
        seat.job = Some(Job::Helping { call: id });
        if seat.holding == Holding::NailedUp {
            return self.helper_reached(helper, id);
        }
        self.set_activity(helper, Activity::Ringing);
        if !self.ring_agent(helper, Some(id), HELPER_RING) {
            self.helper_gone(helper, id);
        }
    }

    pub(super) fn helper_reached(&mut self, helper: AgentId, id: CallId) {
        self.set_activity(helper, Activity::Consulting);
        let Some(leg) = self.leg_of(helper) else { return self.helper_gone(helper, id) };
        self.aside_begins(id, leg);
    }

    /// A consulted party outside answered.
    pub(super) fn third_up(&mut self, leg: CallId) {
        let of = |call: &crate::dialer::run::Call| {
            call.talk
                .as_ref()
                .and_then(|talk| talk.third.as_ref())
                .is_some_and(|third| third.leg == Some(leg))
        };
        let Some(id) = self.calls.iter().find(|(_, call)| of(call)).map(|(id, _)| *id) else {
            return self.drop_leg(leg);
        };
        self.aside_begins(id, leg);
    }

    /// Bridges agent and consulted party; the callee stays on hold.
    fn aside_begins(&mut self, id: CallId, leg: CallId) {
        let Some(talk) = self.talk_mut(id) else { return };
        let agent = talk.agent;
        if let Some(third) = &mut talk.third {
            third.up = true;
        }
        let asking = agent.and_then(|agent| Some((self.leg_of(agent)?, self.voice_of(agent))));
        self.outputs.push_back(Output::Join { leg, mix: Self::aside(id), voice: Voice::Everyone });
        if let Some((leg, voice)) = asking {
            self.outputs.push_back(Output::StopPlaying { leg });
            self.outputs.push_back(Output::Join { leg, mix: Self::aside(id), voice });
        }
        self.show_parties(id);
    }

    /// A consulted party outside hung up, or never answered.
    pub(super) fn third_ended(&mut self, leg: CallId) {
        let of = |call: &crate::dialer::run::Call| {
            call.talk
                .as_ref()
                .and_then(|talk| talk.third.as_ref())
                .is_some_and(|third| third.leg == Some(leg))
        };
        let Some(id) = self.calls.iter().find(|(_, call)| of(call)).map(|(id, _)| *id) else { return };
        if let Some(talk) = self.talk_mut(id) {
            talk.third = None;
        }
        self.third_is_gone(id);
    }

    /// A consulted agent did not answer, or left.
    pub(super) fn helper_gone(&mut self, helper: AgentId, id: CallId) {
        let hers = self
            .talk(id)
            .and_then(|talk| talk.third.as_ref())
            .is_some_and(|third| third.agent == Some(helper));
        if hers && let Some(talk) = self.talk_mut(id) {
            talk.third = None;
        }
        self.now_idle(helper);
        if hers {
            self.third_is_gone(id);
        }
    }

    fn leave_help(&mut self, helper: AgentId) {
        let Some(Job::Helping { call }) = self.floor.seats.get(&helper).and_then(|seat| seat.job.clone())
        else {
            return;
        };
        self.let_go_of_leg(helper);
        self.helper_gone(helper, call);
    }

    fn third_is_gone(&mut self, id: CallId) {
        match self.talk(id).map(|talk| talk.agent) {
            Some(Some(_)) => self.callee_back(id),
            // The agent had transferred the callee to this party.
            Some(None) => self.hang_up(id, HangUpCause::AgentHungUp),
            None => {}
        }
    }

    /// Bridges the callee with the call's agent again.
    fn callee_back(&mut self, id: CallId) {
        if let Some(agent) = self.talk(id).and_then(|talk| talk.agent) {
            self.rejoin(id, agent);
        }
    }

    pub(super) fn take_back(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        if self.talk(id).is_none_or(|talk| talk.third.is_none()) {
            return Err(Refusal::NobodyConsulted);
        }
        self.end_third(id);
        self.callee_back(id);
        Ok(())
    }

    /// Ends the consult: hangs up the party outside, or frees the consulted agent.
    pub(super) fn end_third(&mut self, id: CallId) {
        let Some(third) = self.talk_mut(id).and_then(|talk| talk.third.take()) else { return };
        if let Some(leg) = third.leg {
            self.drop_leg(leg);
        }
        if let Some(helper) = third.agent {
            self.let_go_of_leg(helper);
            self.now_idle(helper);
        }
    }

    /// Attended transfer: the callee is bridged with the consulted party, who must have answered; the agent
    /// leaves.
    pub(super) fn transfer(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        let third = self.talk(id).and_then(|talk| talk.third.clone());
        let third = third.filter(|third| third.up).ok_or(Refusal::NobodyConsulted)?;
        match third.agent {
            Some(helper) => self.hand_over(id, agent, helper),
            None => {
                let Some(leg) = third.leg else { return Err(Refusal::NobodyConsulted) };
                self.agent_leaves(id, agent);
                if let Some(talk) = self.talk_mut(id) {
                    talk.agent = None;
                    talk.held = false;
                }
                for leg in [id, leg] {
                    self.outputs.push_back(Output::StopPlaying { leg });
                    self.outputs.push_back(Output::Join { leg, mix: Self::mix(id), voice: Voice::Everyone });
                }
            }
        }
        Ok(())
    }

    /// Another agent takes this call: a transfer, or a shift lead's take-over.
    pub(super) fn hand_over(&mut self, id: CallId, from: AgentId, to: AgentId) {
        let (now, utc) = (self.now, self.wall.utc(self.now));
        self.agent_leaves(id, from);
        if let Some(call) = self.calls.get_mut(&id) {
            call.spoke = Some((to, call.spoke.map_or(utc, |(_, at)| at)));
            call.worded = false;
            if let Some(talk) = &mut call.talk {
                talk.agent = Some(to);
                talk.since_now(now);
                talk.third = None;
            }
        }
        let Some(seat) = self.seat(to) else { return };
        seat.job = Some(Job::Call { call: id });
        seat.answered += 1;
        seat.muted = false;
        self.rejoin(id, to);
    }

    /// The agent leaves a conversation that goes on; the wrap-up begins.
    fn agent_leaves(&mut self, id: CallId, agent: AgentId) {
        let since = self.talk(id).map(Talk::began);
        self.count_talk(agent, since);
        self.leave_supervisors(id);
        self.let_go_of_leg(agent);
        self.begin_wrap_up(agent, id);
    }

    pub(super) fn conference(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        let Some(talk) = self.talk_mut(id) else { return Err(Refusal::NoCall) };
        let third = talk.third.as_mut().filter(|third| third.up).ok_or(Refusal::NobodyConsulted)?;
        third.joined = true;
        let (helper, leg) = (third.agent, third.leg);
        let leg = leg.or_else(|| helper.and_then(|helper| self.leg_of(helper)));
        self.rejoin(id, agent);
        if let Some(leg) = leg {
            self.outputs.push_back(Output::Join { leg, mix: Self::mix(id), voice: Voice::Everyone });
        }
        if let Some(helper) = helper {
            self.set_activity(helper, Activity::Talking);
        }
        Ok(())
    }

    /// Whether the call is in conversation.
    pub(super) fn in_conversation(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(|call| call.phase == Phase::Talking)
    }
}
