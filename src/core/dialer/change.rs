//! New rules of an open campaign, which apply at once.
//!
//! | stays | until |
//! |---|---|
//! | trunk and caller ID of a call, its ring time | the call ends |
//! | announcement and keys that a callee hears | the call ends |
//! | a call that was placed to hear the announcement needs no agent | the call ends |
//! | disposition that an agent gave during a call | it is written |
//! | leases, abandon ledger, rests of trunks, what the pacer has learnt | as without a change |

use super::Dialer;
use super::campaign_run::{CampaignRun, group_of};
use super::live_call::Phase;
use crate::campaign::window::WindowState;
use crate::campaign::{Campaign, Mode};
use crate::ids::{AgentId, CallId, CampaignId, GroupId};
use crate::pacing::predictive::Event;

impl Dialer {
    /// Gives an open campaign new rules. One that is unknown, or open for tests alone, is left as it is.
    pub(super) fn change_campaign(&mut self, rules: Campaign) {
        let (id, now) = (rules.id, self.now);
        let Some(run) = self.campaigns.get_mut(&id).filter(|run| !run.tests_only) else { return };
        let before = (run.rules.mode, group_of(&run.rules));
        let had_pacer = run.pacer.is_some();
        let has_new_shadow = run.change_rules(now, rules);
        let after = (run.rules.mode, group_of(&run.rules));
        self.drop_unheard_texts(id);
        self.bound_opened_calls(id);
        if has_new_shadow {
            self.introduce_agents_to_shadow(id);
        }
        match had_pacer {
            true => self.tell_pacer_of_group(id, before.1, after.1),
            false => self.introduce_floor_to_pacer(id),
        }
        if before != after {
            self.withdraw_old_previews(id, after);
            let groups = [before.1, after.1];
            let concerned = |group: &GroupId| groups.contains(&Some(*group));
            let seats = self.floor.seats.values().filter(|seat| seat.groups.iter().any(concerned));
            self.floor.changed.extend(seats.map(|seat| seat.agent.id));
        }
    }

    /// Drops the former texts that no live call hears any more.
    pub(super) fn drop_unheard_texts(&mut self, id: CampaignId) {
        let Some(run) = self.campaigns.get_mut(&id).filter(|run| !run.former_texts.is_empty()) else {
            return;
        };
        let calls = &self.calls;
        let is_heard = |texts: u32| calls.values().any(|call| call.campaign == id && call.texts == texts);
        run.former_texts.retain(|texts, _| is_heard(*texts));
    }

    /// An attempt whose INVITE has not left may leave within the new calling hours only.
    fn bound_opened_calls(&mut self, id: CampaignId) {
        let utc = self.wall.utc(self.now);
        let Some(run) = self.campaigns.get_mut(&id) else { return };
        let waiting = self.calls.values_mut().filter(|call| {
            let listed = call.leased.is_some() || call.agent_first;
            call.campaign == id && listed && matches!(call.phase, Phase::Opening | Phase::Opened)
        });
        for call in waiting {
            let until = match run.window_of(call.number, utc) {
                WindowState::OpenUntil(until) => until,
                WindowState::ClosedUntil(_) => utc,
            };
            call.open_until = call.open_until.min(until);
        }
    }

    /// The pacer goes on with the agents of another group.
    fn tell_pacer_of_group(&mut self, id: CampaignId, before: Option<GroupId>, after: Option<GroupId>) {
        let now = self.now;
        let Some(run) = self.campaigns.get_mut(&id).filter(|_| before != after) else { return };
        let Some(pacer) = &mut run.pacer else { return };
        for seat in self.floor.seats.values().filter(|seat| seat.is_reported()) {
            let is_in = |group: Option<GroupId>| group.is_some_and(|group| seat.groups.contains(&group));
            match (is_in(before), is_in(after)) {
                (true, false) => pacer.on_event(now, Event::AgentLeft { agent: seat.agent.id }),
                (false, true) => seat.events_of_arrival().for_each(|event| pacer.on_event(now, event)),
                _ => {}
            }
        }
    }

    /// A new pacer learns of the agents at work and of the calls that are on their way to them.
    fn introduce_floor_to_pacer(&mut self, id: CampaignId) {
        let now = self.now;
        let Some(CampaignRun { pacer: Some(pacer), rules, .. }) = self.campaigns.get_mut(&id) else { return };
        let group = group_of(rules);
        for seat in self.floor.seats.values().filter(|seat| seat.is_reported()) {
            if group.is_some_and(|group| seat.groups.contains(&group)) {
                seat.events_of_arrival().for_each(|event| pacer.on_event(now, event));
            }
        }
        for (call, it) in self.calls.iter().filter(|(_, it)| it.campaign == id && it.needs_agent()) {
            if !matches!(it.phase, Phase::Answered | Phase::Waiting) {
                pacer.on_event(it.opened, Event::Placed { call: *call, part: it.part });
            }
            if let (Phase::Ringing, Some(rang)) = (it.phase, it.rang) {
                pacer.on_event(rang, Event::Ringing { call: *call });
            }
        }
    }

    /// Previews go back that the campaign does not give any more, or not to this agent's group.
    fn withdraw_old_previews(&mut self, id: CampaignId, (mode, group): (Mode, Option<GroupId>)) {
        let shown = self.agents_with_preview(id);
        let goes_on = |agent: &AgentId| {
            let seat = self.floor.seats.get(agent);
            mode == Mode::Preview
                && group.is_some_and(|group| seat.is_some_and(|seat| seat.groups.contains(&group)))
        };
        let unwanted: Vec<AgentId> = shown.into_iter().filter(|agent| !goes_on(agent)).collect();
        for agent in unwanted {
            self.return_lead(agent);
        }
    }

    /// Whether an answer of this call is for an agent.
    pub(super) fn is_for_agents(&self, id: CallId) -> bool {
        let Some(call) = self.calls.get(&id) else { return false };
        let mode = self.campaigns.get(&call.campaign).map(|run| run.rules.mode);
        call.for_agent.is_some()
            || call.leased.is_some() && !call.announced && mode.is_some_and(Self::needs_agents)
    }
}
