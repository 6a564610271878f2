//! Call control by the agent: hold, mute, digits, consult, attended transfer, conference, hang up.

use super::Job;
use crate::agent::{Activity, ConsultTarget, Holding, Refusal};
use crate::call::{Digit, HangUpCause};
use crate::dialer::live_call::{Call, Consult, Phase, Talk};
use crate::dialer::output::SoundName;
use crate::dialer::{Dialer, Output};
use crate::ids::{AgentId, CallId};
use crate::media::Voice;
use crate::time::Duration;

/// Most digits sent by one action.
const KEYS_MAX: usize = 32;

/// How long a consulted agent's phone rings.
const CONSULT_RING: Duration = Duration::from_secs(20);

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
            Some(Job::Consulted { .. }) => {
                self.leave_consult(agent);
                return Ok(());
            }
            Some(Job::AgentFirst { .. } | Job::Fetching { .. }) => {
                self.release_leg(agent);
                self.return_lead(agent);
                return Ok(());
            }
            _ => return Err(Refusal::NoCall),
        };
        let consult = self.talk(id).and_then(|talk| talk.consult.clone());
        let theirs = consult.as_ref().is_some_and(|consult| {
            leg.is_some()
                && (consult.leg == leg || consult.agent.is_some_and(|agent| self.leg_of(agent) == leg))
        });
        if theirs {
            self.end_consult(id);
            self.rejoin_callee(id);
        } else if leg.is_none_or(|leg| leg == id) {
            self.hang_up(id, HangUpCause::AgentHungUp);
        } else {
            return Err(Refusal::NoCall);
        }
        Ok(())
    }

    pub(super) fn hold_by(&mut self, agent: AgentId, on: bool) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        if self.talk(id).is_some_and(|talk| talk.consult.is_some()) {
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
        self.mark_parties_changed(id);
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
        self.mark_parties_changed(id);
    }

    /// The agent changed phones during a call: bridges the new leg with the callee, or with the consulted
    /// party.
    pub(super) fn rejoin_after_phone_change(&mut self, id: CallId, agent: AgentId) {
        let consult = self.talk(id).and_then(|talk| talk.consult.clone()).filter(|consult| !consult.joined);
        let Some(consult) = consult else { return self.rejoin(id, agent) };
        let consulted = consult.agent.and_then(|consulted| self.leg_of(consulted));
        match consult.leg.or(consulted).filter(|_| consult.up) {
            Some(leg) => self.begin_consult(id, leg),
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
        let consulting = talk.consult.as_ref().is_some_and(|consult| consult.up && !consult.joined);
        let (held, voice) = (talk.held, self.voice_of(agent));
        let Some(leg) = self.leg_of(agent).filter(|_| !held || consulting) else { return Ok(()) };
        let mix = if consulting { Self::consult_mix(id) } else { Self::mix(id) };
        self.outputs.push_back(Output::Join { leg, mix, voice });
        Ok(())
    }

    /// Sends digits to the party the agent talks with, for example a voice menu.
    pub(super) fn send_digits(&mut self, agent: AgentId, keys: Vec<Digit>) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        let consult = self.talk(id).and_then(|talk| talk.consult.as_ref());
        let leg = consult
            .filter(|consult| consult.up && !consult.joined)
            .and_then(|consult| consult.leg)
            .unwrap_or(id);
        let keys = keys.into_iter().take(KEYS_MAX).collect();
        self.outputs.push_back(Output::SendDigits { leg, keys });
        Ok(())
    }

    pub(super) fn consult(&mut self, agent: AgentId, target: ConsultTarget) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        if self.talk(id).is_some_and(|talk| talk.consult.is_some()) {
            return Err(Refusal::Busy);
        }
        let mut consult = Consult { agent: None, leg: None, number: None, up: false, joined: false };
        match target {
            ConsultTarget::Number(_) if self.floor.closed => return Err(Refusal::CampaignClosed),
            ConsultTarget::Number(number) => {
                consult.leg = Some(self.ring_consulted_party(agent, id, number).ok_or(Refusal::NobodyFree)?);
                consult.number = Some(number);
            }
            ConsultTarget::Agent(consulted) => {
                consult.agent = Some(self.consultable_agent(agent, consulted)?)
            }
            ConsultTarget::Group(group) => {
                let free = self
                    .floor
                    .seats
                    .values()
                    .filter(|seat| seat.agent.id != agent && self.floor.takes_calls(seat, group, false));
                let consulted =
                    free.min_by_key(|seat| (seat.idle_since, seat.agent.id)).map(|seat| seat.agent.id);
                consult.agent = Some(consulted.ok_or(Refusal::NobodyFree)?);
            }
        }
        self.hold(id, true);
        let consulted = consult.agent;
        if let Some(talk) = self.talk_mut(id) {
            talk.consult = Some(consult);
        }
        self.set_activity(agent, Activity::Consulting);
        if let Some(leg) = self.leg_of(agent) {
            self.outputs.push_back(Output::Play { leg, sound: SoundName::RingBack });
        }
        if let Some(consulted) = consulted {
            self.consult_agent(consulted, id);
        }
        self.mark_parties_changed(id);
        Ok(())
    }

    /// An agent who can be consulted: signed in and free, paused or not.
    fn consultable_agent(&self, agent: AgentId, consulted: AgentId) -> Result<AgentId, Refusal> {
        let seat = self.floor.seats.get(&consulted).ok_or(Refusal::UnknownAgent)?;
        let ready = match seat.holding {
            Holding::NailedUp => self.floor.leg_up(seat),
            Holding::PerCall => seat.is_reachable() && seat.leg.is_none(),
        };
        if consulted == agent || !seat.is_free() || !ready {
            return Err(Refusal::NobodyFree);
        }
        Ok(consulted)
    }

    fn consult_agent(&mut self, consulted: AgentId, id: CallId) {
        let Some(seat) = self.seat(consulted) else { return };
        seat.job = Some(Job::Consulted { call: id });
        if seat.holding == Holding::NailedUp {
            return self.consulted_agent_reached(consulted, id);
        }
        self.set_activity(consulted, Activity::Ringing);
        if !self.ring_agent(consulted, Some(id), CONSULT_RING) {
            self.consulted_agent_gone(consulted, id);
        }
    }

    pub(super) fn consulted_agent_reached(&mut self, consulted: AgentId, id: CallId) {
        self.set_activity(consulted, Activity::Consulting);
        let Some(leg) = self.leg_of(consulted) else { return self.consulted_agent_gone(consulted, id) };
        self.begin_consult(id, leg);
    }

    /// A consulted party outside answered.
    pub(super) fn consulted_party_up(&mut self, leg: CallId) {
        let of = |call: &Call| {
            call.talk
                .as_ref()
                .and_then(|talk| talk.consult.as_ref())
                .is_some_and(|consult| consult.leg == Some(leg))
        };
        let Some(id) = self.calls.iter().find(|(_, call)| of(call)).map(|(id, _)| *id) else {
            return self.hang_up_leg(leg);
        };
        self.begin_consult(id, leg);
    }

    /// Bridges agent and consulted party; the callee stays on hold.
    fn begin_consult(&mut self, id: CallId, leg: CallId) {
        let Some(talk) = self.talk_mut(id) else { return };
        let agent = talk.agent;
        if let Some(consult) = &mut talk.consult {
            consult.up = true;
        }
        let asking = agent.and_then(|agent| Some((self.leg_of(agent)?, self.voice_of(agent))));
        self.outputs.push_back(Output::Join { leg, mix: Self::consult_mix(id), voice: Voice::Everyone });
        if let Some((leg, voice)) = asking {
            self.outputs.push_back(Output::StopPlaying { leg });
            self.outputs.push_back(Output::Join { leg, mix: Self::consult_mix(id), voice });
        }
        self.mark_parties_changed(id);
    }

    /// A consulted party outside hung up, or never answered.
    pub(super) fn consulted_party_ended(&mut self, leg: CallId) {
        let of = |call: &Call| {
            call.talk
                .as_ref()
                .and_then(|talk| talk.consult.as_ref())
                .is_some_and(|consult| consult.leg == Some(leg))
        };
        let Some(id) = self.calls.iter().find(|(_, call)| of(call)).map(|(id, _)| *id) else { return };
        if let Some(talk) = self.talk_mut(id) {
            talk.consult = None;
        }
        self.consult_over(id);
    }

    /// A consulted agent did not answer, or left.
    pub(super) fn consulted_agent_gone(&mut self, consulted: AgentId, id: CallId) {
        let hers = self
            .talk(id)
            .and_then(|talk| talk.consult.as_ref())
            .is_some_and(|consult| consult.agent == Some(consulted));
        if hers && let Some(talk) = self.talk_mut(id) {
            talk.consult = None;
        }
        self.set_idle(consulted);
        if hers {
            self.consult_over(id);
        }
    }

    fn leave_consult(&mut self, consulted: AgentId) {
        let Some(Job::Consulted { call }) =
            self.floor.seats.get(&consulted).and_then(|seat| seat.job.clone())
        else {
            return;
        };
        self.release_leg(consulted);
        self.consulted_agent_gone(consulted, call);
    }

    fn consult_over(&mut self, id: CallId) {
        match self.talk(id).map(|talk| talk.agent) {
            Some(Some(_)) => self.rejoin_callee(id),
            // The agent had transferred the callee to this party.
            Some(None) => self.hang_up(id, HangUpCause::AgentHungUp),
            None => {}
        }
    }

    /// Bridges the callee with the call's agent again.
    fn rejoin_callee(&mut self, id: CallId) {
        if let Some(agent) = self.talk(id).and_then(|talk| talk.agent) {
            self.rejoin(id, agent);
        }
    }

    pub(super) fn cancel_consult(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        if self.talk(id).is_none_or(|talk| talk.consult.is_none()) {
            return Err(Refusal::NobodyConsulted);
        }
        self.end_consult(id);
        self.rejoin_callee(id);
        Ok(())
    }

    /// Ends the consult: hangs up the party outside, or frees the consulted agent.
    pub(super) fn end_consult(&mut self, id: CallId) {
        let Some(consult) = self.talk_mut(id).and_then(|talk| talk.consult.take()) else { return };
        if let Some(leg) = consult.leg {
            self.hang_up_leg(leg);
        }
        if let Some(consulted) = consult.agent {
            self.release_leg(consulted);
            self.set_idle(consulted);
        }
    }

    /// Attended transfer: the callee is bridged with the consulted party, who must have answered; the agent
    /// leaves.
    pub(super) fn transfer(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        let consult = self.talk(id).and_then(|talk| talk.consult.clone());
        let consult = consult.filter(|consult| consult.up).ok_or(Refusal::NobodyConsulted)?;
        match consult.agent {
            Some(consulted) => self.hand_over(id, agent, consulted),
            None => {
                let Some(leg) = consult.leg else { return Err(Refusal::NobodyConsulted) };
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
            call.summary_asked = false;
            if let Some(talk) = &mut call.talk {
                talk.agent = Some(to);
                talk.restart(now);
                talk.consult = None;
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
        self.release_leg(agent);
        self.begin_wrap_up(agent, id);
    }

    pub(super) fn conference(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        let Some(talk) = self.talk_mut(id) else { return Err(Refusal::NoCall) };
        let consult = talk.consult.as_mut().filter(|consult| consult.up).ok_or(Refusal::NobodyConsulted)?;
        consult.joined = true;
        let (consulted, leg) = (consult.agent, consult.leg);
        let leg = leg.or_else(|| consulted.and_then(|consulted| self.leg_of(consulted)));
        self.rejoin(id, agent);
        if let Some(leg) = leg {
            self.outputs.push_back(Output::Join { leg, mix: Self::mix(id), voice: Voice::Everyone });
        }
        if let Some(consulted) = consulted {
            self.set_activity(consulted, Activity::Talking);
        }
        Ok(())
    }

    /// Whether the call is in conversation.
    pub(super) fn in_conversation(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(|call| call.phase == Phase::Talking)
    }
}
