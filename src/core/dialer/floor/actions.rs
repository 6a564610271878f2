//! Table of agent actions and the functions that carry them out.

use super::Job;
use crate::agent::{AgentAct, Refusal};
use crate::campaign::Recorded;
use crate::dialer::{Dialer, Output};
use crate::ids::AgentId;

impl Dialer {
    pub(in crate::dialer) fn handle_agent_action(&mut self, ask: u64, agent: AgentId, act: AgentAct) {
        let refusal = self.carry_out(agent, act).err();
        self.outputs.push_back(Output::ActAnswered { ask, refusal });
    }

    fn carry_out(&mut self, agent: AgentId, act: AgentAct) -> Result<(), Refusal> {
        let now = self.now;
        let seat = self.seat(agent).filter(|seat| !seat.removed).ok_or(Refusal::UnknownAgent)?;
        seat.touched = now;
        let signed_in = seat.is_signed_in();
        if !signed_in && !matches!(act, AgentAct::SignIn { .. } | AgentAct::Force { .. }) {
            return Err(Refusal::NotSignedIn);
        }
        match act {
            AgentAct::SignIn { groups, way, holding, work_mode } => {
                self.sign_in(agent, groups, way, holding, work_mode)
            }
            AgentAct::SignOut => self.request_sign_out(agent),
            AgentAct::ChangeWay { way, holding } => self.change_way(agent, way, holding),
            AgentAct::Ready => self.ready(agent),
            AgentAct::Pause { reason } => self.pause(agent, reason),
            AgentAct::Dial => self.dial_preview(agent),
            AgentAct::Skip => self.skip(agent),
            AgentAct::Extend => self.extend_preview(agent),
            AgentAct::Call { campaign, number } => self.call_number(agent, campaign, number),
            AgentAct::CallLead { campaign, lead } => self.call_lead(agent, campaign, lead),
            AgentAct::HangUp { leg } => self.hang_up_by(agent, leg),
            AgentAct::Hold => self.hold_by(agent, true),
            AgentAct::Retrieve => self.hold_by(agent, false),
            AgentAct::Mute { on } => self.mute_by(agent, on),
            AgentAct::SendDigits { keys } => self.send_digits(agent, keys),
            AgentAct::Consult { whom } => self.consult(agent, whom),
            AgentAct::TakeBack => self.cancel_consult(agent),
            AgentAct::Transfer => self.transfer(agent),
            AgentAct::Conference => self.conference(agent),
            AgentAct::Record { on } => self.record_by(agent, on),
            AgentAct::Summarise(summary) => self.summarise(agent, summary),
            AgentAct::Next => self.next(agent),
            AgentAct::Supervise { agent: of, how } => self.supervise(agent, of, how),
            AgentAct::StopSupervising => {
                self.stop_supervising(agent);
                Ok(())
            }
            AgentAct::Force { agent: of, what } => self.force(agent, of, what),
        }
    }

    fn record_by(&mut self, agent: AgentId, on: bool) -> Result<(), Refusal> {
        let id = self.talking(agent)?;
        match self.agent_rules(id).map(|rules| rules.recorded) {
            Some(Recorded::OnDemand) => {}
            _ => return Err(Refusal::NotAllowed),
        }
        self.record(id, on);
        Ok(())
    }

    /// The number was blacklisted: agent-first calls whose callee is not dialled yet are dropped.
    pub(in crate::dialer) fn drop_agent_first_calls(&mut self, number: crate::number::PhoneNumber) {
        let seats = self.floor.seats.values();
        let agents: Vec<AgentId> = seats
            .filter(|seat| matches!(&seat.job, Some(Job::AgentFirst { number: of, .. }) if *of == number))
            .map(|seat| seat.agent.id)
            .collect();
        for agent in agents {
            self.release_leg(agent);
            self.return_lead(agent);
        }
    }
}
