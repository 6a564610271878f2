//! Consult: the callee is held while the agent speaks with another agent, a group or an outside number.

use super::Job;
use crate::agent::{Activity, ConsultTarget, Holding, Refusal};
use crate::call::HangUpCause;
use crate::dialer::live_call::{Call, Consult};
use crate::dialer::output::SoundName;
use crate::dialer::{Dialer, Output};
use crate::ids::{AgentId, CallId};
use crate::media::Voice;
use crate::time::Duration;

/// How long a consulted agent's phone rings.
const CONSULT_RING: Duration = Duration::from_secs(20);

impl Dialer {
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
    pub(super) fn begin_consult(&mut self, id: CallId, leg: CallId) {
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

    pub(super) fn leave_consult(&mut self, consulted: AgentId) {
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
    pub(super) fn rejoin_callee(&mut self, id: CallId) {
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
}
