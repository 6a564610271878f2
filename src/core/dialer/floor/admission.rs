//! Whether the floor can take one more call of a campaign's, by its mode; and for whom a lead may be dialled.

use super::{Floor, predicts};
use crate::campaign::Mode;
use crate::dialer::Dialer;
use crate::dialer::run::{CampaignRun, Phase};
use crate::explain::CALLBACK_GRACE;
use crate::ids::{AgentId, CampaignId, GroupId};
use crate::lead::Lead;
use crate::pacing::{Why, ratio};
use crate::time::Utc;

impl Dialer {
    /// Whether the floor can take one more call of this campaign's.
    pub(in crate::dialer) fn agents_allow(&mut self, id: CampaignId, utc: Utc) -> Result<(), Why> {
        let Some(run) = self.campaigns.get_mut(&id) else { return Err(Why::Finished) };
        // With nothing left to dial the floor is not the reason.
        if run.hopper.is_empty() {
            return Err(Self::why_empty(run, utc, &mut self.wakes, &self.wall, id, &self.floor));
        }
        let Some(rules) = run.rules.agents.as_ref() else { return Err(Why::NoAgents) };
        let (group, pacing, mode) = (rules.group, run.rules.pacing, run.rules.mode);
        // Nothing is counted while the last plan holds and has no call left.
        if let Some(why) = predicts(mode).then(|| self.used_up(id)).flatten() {
            return Err(why);
        }
        let (there, idle) = self.floor.census(group);
        if there == 0 {
            return Err(Why::NoAgents);
        }
        if mode == Mode::Preview {
            return Ok(());
        }
        let (pending, waiting) = self.pending_for(group);
        if waiting > pacing.waiting_max {
            return Err(Why::CalleesWaiting);
        }
        let failing = waiting.saturating_sub(idle);
        let Some(run) = self.campaigns.get_mut(&id) else { return Err(Why::Finished) };
        if predicts(mode) {
            let safe = pending < idle;
            let lends = safe || run.brake(utc, there, failing).may_lend();
            // It is asked in any case: it may want to give calls up.
            self.predicted(id, group, utc, safe)?;
            // Whatever the model believes: what could not be paid for is one call per idle agent.
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

    /// Calls on their way to the agents of a group, and those of them whose callees wait.
    fn pending_for(&self, group: GroupId) -> (u32, u32) {
        let hers = |run: &CampaignRun| run.rules.agents.as_ref().is_some_and(|rules| rules.group == group);
        let sharing: Vec<CampaignId> =
            self.campaigns.iter().filter(|(_, run)| hers(run)).map(|(id, _)| *id).collect();
        let pending = self.calls.values().filter(|call| call.pending() && sharing.contains(&call.campaign));
        pending
            .fold((0, 0), |(all, waiting), call| (all + 1, waiting + u32::from(call.phase == Phase::Waiting)))
    }
}

/// For whom this lead may be dialled now: `None` = not now, `Some(None)` = whoever answers.
pub(in crate::dialer) fn booked_for(
    floor: &Floor,
    lead: &Lead,
    group: Option<GroupId>,
    viewer: Option<AgentId>,
    utc: Utc,
) -> Option<Option<AgentId>> {
    let (Some(booked), Some(group)) = (&lead.callback, group) else { return Some(None) };
    let overdue = lead.next_at.is_some_and(|at| at + CALLBACK_GRACE <= utc);
    let wanted = booked.agent.filter(|_| !overdue);
    let skilled = |agent: &AgentId| {
        let seat = floor.seats.get(agent);
        seat.is_some_and(|seat| booked.skill.as_ref().is_none_or(|skill| seat.agent.skills.contains(skill)))
    };
    if let Some(viewer) = viewer {
        let hers = wanted.is_none_or(|wanted| wanted == viewer) && skilled(&viewer);
        return hers.then_some(Some(viewer));
    }
    let free =
        |agent: &AgentId| floor.seats.get(agent).is_some_and(|seat| floor.takes_calls(seat, group, false));
    match wanted {
        Some(agent) => free(&agent).then_some(Some(agent)),
        None if booked.skill.is_none() => Some(None),
        None => floor.seats.keys().find(|agent| free(agent) && skilled(agent)).map(|agent| Some(*agent)),
    }
}
