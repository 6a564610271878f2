//! Whether the floor can take one more call of a campaign's, by its mode; and for whom a lead may be dialled.

use super::{Floor, predicts};
use crate::campaign::Mode;
use crate::dialer::Dialer;
use crate::dialer::run::{Call, Phase};
use crate::ids::{AgentId, CampaignId, GroupId};
use crate::lead::Lead;
use crate::pacing::{Why, ratio};
use crate::time::{Duration, Utc};

/// A booked callback whose agent is not there goes to anyone after this.
const CALLBACK_GRACE: Duration = Duration::from_secs(15 * 60);

impl Dialer {
    /// Whether the floor can take one more call of this campaign's.
    pub(in crate::dialer) fn agents_allow(&mut self, id: CampaignId, utc: Utc) -> Result<(), Why> {
        let Some(run) = self.campaigns.get_mut(&id) else { return Err(Why::Finished) };
        // With nothing left to dial the floor is not the reason.
        if run.hopper.is_empty() {
            return Err(Self::why_empty(run, utc, &mut self.wakes, &self.wall, id, &self.floor));
        }
        let Some(rules) = run.rules.agents.as_ref() else { return Err(Why::NoAgents) };
        let (group, pacing, mode, tally) = (rules.group, run.rules.pacing, run.rules.mode, run.tally);
        let (there, idle) = self.floor.census(group);
        if there == 0 {
            return Err(Why::NoAgents);
        }
        if mode == Mode::Preview {
            return Ok(());
        }
        let shared = |call: &&Call| {
            let of = self.campaigns.get(&call.campaign).and_then(|run| run.rules.agents.as_ref());
            of.is_some_and(|rules| rules.group == group)
        };
        let mine: Vec<&Call> = self.calls.values().filter(|call| call.pending()).filter(shared).collect();
        let waiting = mine.iter().filter(|call| call.phase == Phase::Waiting).count() as u32;
        let pending = mine.len() as u32;
        if waiting > pacing.waiting_max {
            return Err(Why::CalleesWaiting);
        }
        if predicts(mode) {
            // Whatever the model believes: far above the ceiling there is one call per idle agent.
            if pending >= idle && !tally.may_lend(pacing.abandon_rate_max) {
                return Err(Why::AbandonBudget);
            }
            return self.predicted(id, group, utc, pending < idle);
        }
        let lines = match mode {
            Mode::Ratio => ratio::lines(pacing.call_ratio, idle),
            Mode::Progressive | Mode::Predictive | Mode::Preview | Mode::Announce => idle,
        };
        if pending >= lines {
            return Err(if idle == 0 { Why::AgentsBusy } else { Why::LinesOut });
        }
        if !tally.pays_for(pending + 1, idle, pacing.abandon_rate_max) {
            return Err(Why::AbandonBudget);
        }
        Ok(())
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
