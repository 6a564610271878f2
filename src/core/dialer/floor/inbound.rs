//! Inbound calls: to the agent who called the lead, else to the group, else the sorry message. Written on
//! the lead with a summary, like an outbound conversation.

use crate::call::{Ended, HangUpCause};
use crate::campaign::lease::LeasedLead;
use crate::dialer::input::ArrivedCall;
use crate::dialer::live_call::{Call, Phase};
use crate::dialer::output::{LegKind, LegRecord};
use crate::dialer::wake::Wake;
use crate::dialer::{Dialer, Output};
use crate::ids::{CallId, CampaignId};
use crate::number::PhoneNumber;
use crate::outcome::EndedBy;
use crate::time::Duration;
use std::collections::BTreeSet;

/// Inbound calls at once; more are rejected, so that a flood takes no agent's time.
const CALLERS_MAX: usize = 200;

/// How long the ACK to our 200 may take.
const ANSWER_MAX: Duration = Duration::from_secs(60);

impl Dialer {
    pub(in crate::dialer) fn call_arrived(&mut self, arrived: ArrivedCall) {
        let ArrivedCall { call: id, trunk, number, known } = arrived;
        if number.is_some_and(|number| self.take_sign_in_call(id, number)) {
            return;
        }
        let with_agents = |campaign: &CampaignId| {
            self.campaigns.get(campaign).is_some_and(|run| run.rules.agents.is_some())
        };
        let campaign = known.as_ref().map(|known| known.campaign).filter(with_agents);
        let campaign = campaign.or_else(|| self.campaigns.keys().copied().find(with_agents));
        let callers = self.calls.values().filter(|call| call.inbound).count();
        let Some(campaign) = campaign.filter(|_| callers < CALLERS_MAX && !self.store_stalled) else {
            self.outputs.push_back(Output::HangUp { call: id, cause: HangUpCause::Stopped });
            return;
        };
        let for_agent = known.as_ref().and_then(|known| known.agent);
        let leased =
            known.and_then(|known| known.lead).map(|lead| LeasedLead { lead, tried: BTreeSet::new() });
        // A withheld number is replaced by a placeholder that is never shown.
        let (number, withheld) = match number {
            Some(number) => (number, false),
            None => (PhoneNumber::WITHHELD, true),
        };
        let call = Call {
            inbound: true,
            withheld,
            for_agent,
            phase: Phase::Answered,
            answered: Some(self.now),
            ..Call::new(id.attempt(), campaign, leased, number, trunk, self.now)
        };
        self.calls.insert(id, call);
        self.wakes.set(Wake::CallLost(id), self.now + ANSWER_MAX);
        self.outputs.push_back(Output::AnswerCall { call: id });
    }

    /// The caller's ACK arrived: queues the call for an agent.
    pub(in crate::dialer) fn caller_answered(&mut self, id: CallId) {
        let utc = self.wall.utc(self.now);
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.phase == Phase::Answered) else { return };
        call.answered_at = Some(utc);
        self.queue_for_agents(id, true);
    }

    pub(in crate::dialer) fn caller_gone(&mut self, id: CallId, ended: &Ended) {
        let utc = self.wall.utc(self.now);
        self.end_conversation(id);
        for wake in [Wake::CallOver(id), Wake::CallLost(id)] {
            self.wakes.clear(wake);
        }
        let Some(call) = self.calls.remove(&id) else { return };
        let by = match call.hanging_up {
            Some(HangUpCause::AgentHungUp) => EndedBy::Agent,
            Some(_) => EndedBy::Dialer,
            None => ended.by,
        };
        self.outputs.push_back(Output::SaveLeg(Box::new(LegRecord {
            leg: id,
            kind: LegKind::Inbound,
            agent: call.spoke.map(|(agent, _)| agent),
            number: Some(call.number).filter(|_| !call.withheld),
            campaign: Some(call.campaign),
            lead: call.leased.as_ref().map(|leased| leased.lead.id),
            attempt: None,
            began_at: self.wall.utc(call.opened),
            answered_at: call.answered_at,
            connected_at: call.spoke.map(|(_, at)| at),
            ended_at: utc,
            ended_by: by,
            cause: ended.cause.clone(),
        })));
    }
}
