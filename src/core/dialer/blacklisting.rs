//! Numbers that are blacklisted while campaigns run. The store has committed them and refuses every further
//! attempt; the dialer takes back what was on its way before.

use super::Dialer;
use super::floor::Job;
use super::live_call::Phase;
use crate::call::HangUpCause;
use crate::ids::{AgentId, CallId, CampaignId};
use crate::lead::Lead;
use crate::number::PhoneNumber;
use crate::number_pattern::NumberPattern;
use std::collections::BTreeSet;

impl Dialer {
    /// Drops the numbers' leads from hoppers, previews and agent-first calls, and cancels unanswered calls to
    /// them, in one campaign or in all. The store leases a lead again that has another number left.
    pub(super) fn numbers_blacklisted(&mut self, campaign: Option<CampaignId>, patterns: &[NumberPattern]) {
        let patterns: BTreeSet<NumberPattern> = patterns.iter().copied().collect();
        let listed =
            |number: PhoneNumber| NumberPattern::matching(number).any(|pattern| patterns.contains(&pattern));
        let any = |lead: &Lead| lead.phones.iter().any(|phone| !phone.closed && listed(phone.number));
        let applies = |of: CampaignId| campaign.is_none_or(|campaign| campaign == of);
        for (_, run) in self.campaigns.iter_mut().filter(|(id, _)| applies(**id)) {
            run.hopper.drop_waiting(any);
            run.tests.retain(|test| !listed(test.number));
            run.supply.stale = true;
        }
        self.take_back_from_agents(applies, any, listed);
        let calls = self.calls.iter_mut().filter(|(_, call)| {
            !call.inbound && applies(call.campaign) && call.phase != Phase::Ended && listed(call.number)
        });
        let mut unanswered: Vec<CallId> = Vec::new();
        for (id, call) in calls {
            call.blacklisted = true;
            unanswered.extend(call.answered_at.is_none().then_some(*id));
        }
        for id in unanswered {
            self.hang_up(id, HangUpCause::Stopped);
        }
    }

    /// Takes previews of these leads from the agents, and agent-first calls to these leads and numbers.
    fn take_back_from_agents(
        &mut self,
        applies: impl Fn(CampaignId) -> bool,
        any: impl Fn(&Lead) -> bool,
        listed: impl Fn(PhoneNumber) -> bool,
    ) {
        let wanted = |job: &Job| match job {
            Job::Preview { campaign, leased, .. } => applies(*campaign) && any(&leased.lead),
            Job::AgentFirst { campaign, number, leased } => {
                applies(*campaign)
                    && (listed(*number) || leased.as_ref().is_some_and(|leased| any(&leased.lead)))
            }
            _ => false,
        };
        let seats = self.floor.seats.values().filter(|seat| seat.job.as_ref().is_some_and(&wanted));
        let agents: Vec<AgentId> = seats.map(|seat| seat.agent.id).collect();
        for agent in agents {
            self.take_lead_from(agent);
        }
    }
}
