//! Call control by the agent: hold, mute, digits, hang up. See `consult` and `transfer` for third parties.

use super::Job;
use crate::agent::{Activity, Refusal};
use crate::call::{Digit, HangUpCause};
use crate::dialer::live_call::{Phase, Talk};
use crate::dialer::output::SoundName;
use crate::dialer::{Dialer, Output};
use crate::ids::{AgentId, CallId};
use crate::media::Voice;

/// Most digits sent by one action.
const KEYS_MAX: usize = 32;

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

    pub(super) fn talk_mut(&mut self, id: CallId) -> Option<&mut Talk> {
        self.calls.get_mut(&id)?.talk.as_mut()
    }

    pub(super) fn leg_of(&self, agent: AgentId) -> Option<CallId> {
        self.floor.seats.get(&agent)?.leg
    }

    pub(super) fn voice_of(&self, agent: AgentId) -> Voice {
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

    /// Whether the call is in conversation.
    pub(super) fn in_conversation(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(|call| call.phase == Phase::Talking)
    }
}
