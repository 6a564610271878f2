//! Admission: whether the floor can take one more call of a campaign, by its mode; and which agent may take
//! a lead.

use super::Floor;
use crate::campaign::{Campaign, Mode};
use crate::dialer::Dialer;
use crate::dialer::campaign_run::CampaignRun;
use crate::dialer::live_call::Phase;
use crate::dialer::placing::Search;
use crate::dialer::plan::predicts;
use crate::explain::CALLBACK_GRACE;
use crate::ids::{AgentId, CampaignId, GroupId};
use crate::lead::Lead;
use crate::pacing::{Why, ratio};
use crate::time::Utc;

impl Dialer {
    /// Checks whether the floor can take one more call of this campaign.
    pub(in crate::dialer) fn admit_call(&mut self, id: CampaignId, utc: Utc) -> Result<(), Why> {
        let Some(run) = self.campaigns.get_mut(&id) else { return Err(Why::Finished) };
        // An empty hopper is the reason before any state of the floor.
        if run.hopper.is_empty() {
            return Err(Self::why_empty(run, utc, &mut self.wakes, &self.wall, id, &self.floor));
        }
        let Some(rules) = run.rules.agents.as_ref() else { return Err(Why::NoAgents) };
        let (group, pacing, mode) = (rules.group, run.rules.pacing, run.rules.mode);
        // No agents are counted while the last plan holds and is used up.
        if let Some(why) = predicts(mode).then(|| self.used_up_plan(id)).flatten() {
            return Err(why);
        }
        let (there, idle) = self.floor.census(group);
        if there == 0 {
            return Err(Why::NoAgents);
        }
        if mode == Mode::Preview {
            return Ok(());
        }
        let (pending, waiting) = self.calls_needing_agents(group);
        if waiting > pacing.waiting_max {
            return Err(Why::CalleesWaiting);
        }
        let failing = waiting.saturating_sub(idle);
        let Some(run) = self.campaigns.get_mut(&id) else { return Err(Why::Finished) };
        if predicts(mode) {
            let safe = pending < idle;
            let lends = safe || run.brake(utc, there, failing).may_lend();
            // The pacer is asked in any case: it may want to cancel ringing calls.
            self.take_from_plan(id, group, utc, safe)?;
            // Without budget for an abandoned call, the model is overruled: one call per idle agent.
            return if lends { Ok(()) } else { Err(Why::AbandonBudget) };
        }
        let lines = match mode {
            Mode::Ratio => ratio::lines(pacing.call_ratio, idle),
            Mode::Progressive | Mode::Predictive | Mode::Preview | Mode::Announce => idle,
        };
        if pending >= lines {
            return Err(if idle == 0 { Why::AgentsBusy } else { Why::LinesOut });
        }
        if pending >= idle && !run.brake(utc, there, failing).pays_for(pending + 1, idle) {
            return Err(Why::AbandonBudget);
        }
        Ok(())
    }

    /// Calls that will need an agent of this group, and those of them whose callees wait already.
    fn calls_needing_agents(&self, group: GroupId) -> (u32, u32) {
        let hers = |run: &CampaignRun| run.rules.agents.as_ref().is_some_and(|rules| rules.group == group);
        let sharing: Vec<CampaignId> =
            self.campaigns.iter().filter(|(_, run)| hers(run)).map(|(id, _)| *id).collect();
        let pending =
            self.calls.values().filter(|call| call.needs_agent() && sharing.contains(&call.campaign));
        pending
            .fold((0, 0), |(all, waiting), call| (all + 1, waiting + u32::from(call.phase == Phase::Waiting)))
    }
}

/// The agent who is reserved for this lead's call: `None` = not to be dialled now, `Some(None)` = no agent
/// is reserved.
pub(in crate::dialer) fn agent_for_lead(
    floor: &Floor,
    lead: &Lead,
    rules: &Campaign,
    search: Search,
    utc: Utc,
) -> Option<Option<AgentId>> {
    let Some(group) = rules.agents.as_ref().map(|rules| rules.group) else { return Some(None) };
    let free =
        |agent: &AgentId| floor.seats.get(agent).is_some_and(|seat| floor.takes_calls(seat, group, false));
    let Some(booked) = &lead.callback else {
        return match (lead.assigned, search) {
            (Some(owner), Search::Preview(viewer)) => (owner == viewer).then_some(Some(viewer)),
            (Some(owner), _) if Dialer::needs_agents(rules.mode) => free(&owner).then_some(Some(owner)),
            _ => Some(None),
        };
    };
    let overdue = lead.next_at.is_some_and(|at| at + CALLBACK_GRACE <= utc);
    let wanted = booked.agent.or(lead.assigned).filter(|_| !overdue);
    let skilled = |agent: &AgentId| {
        let seat = floor.seats.get(agent);
        seat.is_some_and(|seat| booked.skill.as_ref().is_none_or(|skill| seat.agent.skills.contains(skill)))
    };
    if let Search::Preview(viewer) = search {
        let hers = wanted.is_none_or(|wanted| wanted == viewer) && skilled(&viewer);
        return hers.then_some(Some(viewer));
    }
    let any = || {
        let seats = floor.seats.values().filter(|seat| free(&seat.agent.id) && skilled(&seat.agent.id));
        seats.min_by_key(|seat| (seat.idle_since, seat.agent.id)).map(|seat| Some(seat.agent.id))
    };
    match wanted {
        Some(agent) => free(&agent).then_some(Some(agent)),
        None if booked.skill.is_some() => any(),
        // A callback does not wait for a free agent for ever, and an announcement needs none.
        None if overdue || !Dialer::needs_agents(rules.mode) => Some(None),
        None => any(),
    }
}
