//! Checks the dialer's counters and queues against its calls. A counter that drifted would slow down or
//! stop a campaign without a visible reason, so tests run this after every input.

use super::Dialer;
use super::campaign_run::CampaignRun;
use super::floor::Job;
use super::live_call::{Call, Phase};
use super::wake::Wake;
use crate::ids::{CallId, CampaignId, HouseholdId, LeadId, TrunkId};
use crate::number::PhoneNumber;
use std::collections::{BTreeMap, BTreeSet};

impl Dialer {
    /// The first counter that differs from what it counts, in words; `None` = all agree. Iterates over
    /// every call, seat and waiting lead.
    pub fn drift(&self) -> Option<String> {
        let trunks = self.trunks.keys().find_map(|trunk| self.trunk_drift(*trunk));
        let campaigns = || self.campaigns.iter().find_map(|(id, run)| self.campaign_drift(*id, run));
        trunks
            .or_else(campaigns)
            .or_else(|| self.busy_drift())
            .or_else(|| self.floor_drift())
            .or_else(|| self.wake_drift())
    }

    /// Outbound attempts; inbound calls are in no counter.
    fn attempts(&self) -> impl Iterator<Item = (&CallId, &Call)> {
        self.calls.iter().filter(|(_, call)| !call.inbound)
    }

    fn trunk_drift(&self, trunk: TrunkId) -> Option<String> {
        let line = self.trunks.get(&trunk)?;
        let calls = self.attempts().filter(|(_, call)| call.trunk == trunk && call.phase != Phase::Ended);
        let legs = self.floor.legs_on(trunk);
        let (said, counted) = (line.live(), calls.count() as u32 + legs);
        if said != counted {
            return Some(format!("trunk {trunk} counts {said} calls, there are {counted}"));
        }
        let mut by_campaign: BTreeMap<CampaignId, u32> = BTreeMap::new();
        let live = self.attempts().filter(|(_, call)| call.trunk == trunk && call.phase != Phase::Ended);
        live.for_each(|(_, call)| *by_campaign.entry(call.campaign).or_default() += 1);
        let said: BTreeMap<CampaignId, u32> = self.sharing.as_ref()?.lines_on(trunk).collect();
        (said != by_campaign)
            .then(|| format!("trunk {trunk} has the calls {by_campaign:?} by campaign and counts {said:?}"))
    }

    fn campaign_drift(&self, id: CampaignId, run: &CampaignRun) -> Option<String> {
        let of = |ended: bool| {
            let calls = self.attempts().filter(|(_, call)| call.campaign == id);
            calls.filter(|(_, call)| (call.phase == Phase::Ended) == ended).count() as u32
        };
        let (live, unsaved) = (of(false), of(true));
        if (run.live, run.unsaved) != (live, unsaved) {
            return Some(format!(
                "campaign {id} counts {} calls and {} results to be written, there are {live} and {unsaved}",
                run.live, run.unsaved
            ));
        }
        let held = self.held_leads(id);
        if let Some(lead) = held.iter().find(|lead| !run.hopper.holds(**lead)) {
            return Some(format!("campaign {id}: lead {lead} is in use, and the hopper would take it in"));
        }
        let (there, known) = (held.len() + run.hopper.len(), run.hopper.held());
        (there != known)
            .then(|| format!("campaign {id}: the hopper keeps out {known} leads, {there} are somewhere"))
    }

    /// Leads of this campaign in calls and previews.
    fn held_leads(&self, id: CampaignId) -> BTreeSet<LeadId> {
        let calls = self.attempts().filter(|(_, call)| call.campaign == id);
        let called = calls.filter_map(|(_, call)| call.leased.as_ref()).map(|leased| leased.lead.id);
        let shown = self.floor.seats.values().filter_map(|seat| match &seat.job {
            Some(Job::Preview { campaign, leased, .. }) if *campaign == id => Some(leased.lead.id),
            Some(Job::AgentFirst { campaign, leased: Some(leased), .. }) if *campaign == id => {
                Some(leased.lead.id)
            }
            _ => None,
        });
        called.chain(shown).collect()
    }

    fn busy_drift(&self) -> Option<String> {
        let mut numbers: BTreeMap<PhoneNumber, u32> = BTreeMap::new();
        let mut households: BTreeMap<(CampaignId, HouseholdId), u32> = BTreeMap::new();
        for (_, call) in self.attempts() {
            *numbers.entry(call.number).or_default() += 1;
            if let Some(household) = call.leased.as_ref().and_then(|leased| leased.lead.household) {
                *households.entry((call.campaign, household)).or_default() += 1;
            }
        }
        if numbers != *self.busy_numbers.counts() {
            return Some("a number is marked wrongly".into());
        }
        let marked = self.busy_households.counts();
        let odd = marked.iter().find(|(key, count)| households.get(key) != Some(count));
        let odd = odd.or_else(|| households.iter().find(|(key, _)| !marked.contains_key(key)));
        odd.map(|((campaign, household), _)| {
            format!("campaign {campaign}: household {household} is marked wrongly")
        })
    }

    fn floor_drift(&self) -> Option<String> {
        for (since, id) in &self.floor.queue {
            let call = self.calls.get(id);
            if !call.is_some_and(|call| call.phase == Phase::Waiting && call.waiting_since == Some(*since)) {
                return Some(format!("{id:?} stands in the queue and does not wait"));
            }
        }
        for (agent, seat) in &self.floor.seats {
            let Some(Job::Call { call }) = &seat.job else { continue };
            if !self.calls.contains_key(call) {
                return Some(format!("agent {agent} is kept for {call:?}, which is over"));
            }
        }
        for (id, call) in &self.calls {
            let queued = call.waiting_since.is_some_and(|since| self.floor.queue.contains(&(since, *id)));
            let looked_for = call.phase == Phase::Waiting && call.hanging_up.is_none();
            if looked_for && !queued && call.offered.is_empty() && call.for_agent.is_none() {
                return Some(format!("{id:?} waits for an agent and stands in no queue"));
            }
            let kept = |agent: &crate::ids::AgentId| {
                let job = self.floor.seats.get(agent).and_then(|seat| seat.job.as_ref());
                matches!(job, Some(Job::Call { call }) if call == id)
            };
            if let Some(agent) = call.offered.iter().find(|agent| !kept(agent)) {
                return Some(format!("{id:?} is offered to agent {agent}, who is busy with something else"));
            }
            let Some(talk) = &call.talk else { continue };
            if let Some(agent) = talk.agent.filter(|agent| !kept(agent)) {
                return Some(format!("{id:?} is with agent {agent}, who is busy with something else"));
            }
            let asked = talk.consult.as_ref().and_then(|consult| consult.agent);
            let helps = |agent: &crate::ids::AgentId| {
                let job = self.floor.seats.get(agent).and_then(|seat| seat.job.as_ref());
                matches!(job, Some(Job::Consulted { call }) if call == id)
            };
            if let Some(agent) = asked.filter(|agent| !helps(agent)) {
                return Some(format!(
                    "{id:?} has the help of agent {agent}, who is busy with something else"
                ));
            }
        }
        None
    }

    /// Every state that waits for the network or a person must have a wake that ends it.
    fn wake_drift(&self) -> Option<String> {
        let ends = |id: &CallId, call: &Call| match call.phase {
            // The store answers, or reports that it is stalled.
            Phase::Opening | Phase::Ended => true,
            Phase::Opened => {
                let queued = self.trunks.get(&call.trunk).is_some_and(|line| line.leaving().contains(id));
                let trunk = self.wakes.at(Wake::Trunk(call.trunk));
                queued && trunk.or(self.wakes.at(Wake::Pace(call.campaign))).is_some()
            }
            Phase::Waiting if call.offered.is_empty() => self.wakes.at(Wake::Abandon(*id)).is_some(),
            _ => self.wakes.at(Wake::CallLost(*id)).is_some(),
        };
        if let Some((id, call)) = self.calls.iter().find(|(id, call)| !ends(id, call)) {
            return Some(format!("{id:?} is {:?} and nothing would end it", call.phase));
        }
        let legs = self.floor.legs.iter().filter(|(_, leg)| !leg.up || leg.ending);
        if let Some((leg, _)) = legs.clone().find(|(leg, _)| self.wakes.at(Wake::LegLost(**leg)).is_none()) {
            return Some(format!("{leg:?} comes or goes and nothing would end it"));
        }
        let stuck = self.floor.seats.iter().find(|(agent, seat)| match &seat.job {
            Some(Job::Preview { .. }) => self.wakes.at(Wake::Preview(**agent)).is_none(),
            Some(Job::WrapUp(_)) => self.wakes.at(Wake::WrapUp(**agent)).is_none(),
            _ => false,
        });
        stuck.map(|(agent, seat)| format!("agent {agent} has {:?} and nothing would end it", seat.job))
    }
}
