//! Attended transfer and conference: the consulted party takes the callee over, or all three hear each other.

use super::Job;
use crate::agent::{Activity, Refusal};
use crate::dialer::live_call::Talk;
use crate::dialer::{Dialer, Output};
use crate::ids::{AgentId, CallId};
use crate::media::Voice;

impl Dialer {
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
}
