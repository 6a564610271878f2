//! Table of agent actions and the functions that carry them out.

use crate::agent::{AgentAction, Refusal};
use crate::campaign::Recorded;
use crate::dialer::{Dialer, Output};
use crate::ids::AgentId;

impl Dialer {
    pub(in crate::dialer) fn handle_agent_action(
        &mut self,
        request: u64,
        agent: AgentId,
        action: AgentAction,
    ) {
        let refusal = self.carry_out(agent, action).err();
        self.outputs.push_back(Output::ActionAnswered { request, refusal });
    }

    fn carry_out(&mut self, agent: AgentId, action: AgentAction) -> Result<(), Refusal> {
        let now = self.now;
        let seat = self.seat(agent).filter(|seat| !seat.removed).ok_or(Refusal::UnknownAgent)?;
        seat.touched = now;
        let signed_in = seat.is_signed_in();
        if !signed_in && !matches!(action, AgentAction::SignIn { .. } | AgentAction::Force { .. }) {
            return Err(Refusal::NotSignedIn);
        }
        match action {
            AgentAction::SignIn { groups, endpoint, holding, work_mode } => {
                self.sign_in(agent, groups, endpoint, holding, work_mode)
            }
            AgentAction::SignOut => self.request_sign_out(agent),
            AgentAction::ChangeEndpoint { endpoint, holding } => {
                self.change_endpoint(agent, endpoint, holding)
            }
            AgentAction::Ready => self.ready(agent),
            AgentAction::Pause { reason } => self.pause(agent, reason),
            AgentAction::Dial => self.dial_preview(agent),
            AgentAction::Skip => self.skip(agent),
            AgentAction::Extend => self.extend_preview(agent),
            AgentAction::Call { campaign, number } => self.call_number(agent, campaign, number),
            AgentAction::CallLead { campaign, lead } => self.call_lead(agent, campaign, lead),
            AgentAction::HangUp { leg } => self.hang_up_by(agent, leg),
            AgentAction::Hold => self.hold_by(agent, true),
            AgentAction::Retrieve => self.hold_by(agent, false),
            AgentAction::Mute { on } => self.mute_by(agent, on),
            AgentAction::SendDigits { keys } => self.send_digits(agent, keys),
            AgentAction::Consult { target } => self.consult(agent, target),
            AgentAction::CancelConsult => self.cancel_consult(agent),
            AgentAction::Transfer => self.transfer(agent),
            AgentAction::Conference => self.conference(agent),
            AgentAction::Record { on } => self.record_by(agent, on),
            AgentAction::Summarise(summary) => self.summarise(agent, summary),
            AgentAction::Next => self.next(agent),
            AgentAction::Supervise { agent: of, how } => self.supervise(agent, of, how),
            AgentAction::StopSupervising => {
                self.stop_supervising(agent);
                Ok(())
            }
            AgentAction::Force { agent: of, what } => self.force(agent, of, what),
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
}
