//! Previews (an agent sees a lead before it is called) and agent-first calls (the agent's phone rings, then
//! the callee's).

use super::Job;
use crate::agent::{Activity, Holding, Refusal};
use crate::campaign::caller_id::{Choice, ShownTo};
use crate::campaign::lease::LeasedLead;
use crate::campaign::window::{FOREVER, WindowState};
use crate::campaign::{Mode, Preview};
use crate::dialer::live_call::NewAttempt;
use crate::dialer::placing::Search;
use crate::dialer::trunk_line::Ready;
use crate::dialer::wake::Wake;
use crate::dialer::{Dialer, Output};
use crate::ids::{AgentId, CallId, CampaignId, LeadId, TrunkId};
use crate::lead::Lead;
use crate::number::PhoneNumber;
use crate::pacing::Why;
use crate::time::{Duration, Utc};
use std::collections::BTreeSet;

/// How long a click preview may stay untouched: then the lead goes back and the agent is paused, so that
/// the next lead does not wait on an empty chair.
const PREVIEW_UNTOUCHED_MAX: Duration = Duration::from_secs(600);

/// How long the agent's phone rings for an agent-first call.
const OWN_RING: Duration = Duration::from_secs(30);

impl Dialer {
    /// Mode preview: gives every free agent a lead to preview.
    pub(in crate::dialer) fn assign_previews(&mut self, id: CampaignId, utc: Utc) -> Why {
        let Some(run) = self.campaigns.get(&id) else { return Why::Finished };
        let Some(rules) = run.rules.agents.as_ref() else { return Why::NoAgents };
        let (group, preview) = (rules.group, rules.preview);
        let free = self.floor.seats.values().filter(|seat| self.floor.takes_calls(seat, group, false));
        let free: Vec<AgentId> = free.map(|seat| seat.agent.id).collect();
        let mut why = match self.floor.census(group).0 {
            0 => Why::NoAgents,
            _ => Why::AgentsBusy,
        };
        for agent in free {
            let (leased, _, _, _) = match self.next_lead(id, utc, Search::Preview(agent)) {
                Ok(found) => found,
                // The next agent may have a callback that this one has not.
                Err(missing) => {
                    why = missing;
                    continue;
                }
            };
            let until = match preview {
                Preview::Click => None,
                Preview::Timed { countdown, .. } => Some(self.now + countdown),
            };
            self.wakes.set(Wake::Preview(agent), until.unwrap_or(self.now + PREVIEW_UNTOUCHED_MAX));
            if let Some(seat) = self.seat(agent) {
                seat.job = Some(Job::Preview { campaign: id, leased: Box::new(leased), until });
            }
            self.set_activity(agent, Activity::Reserved);
        }
        why
    }

    /// Returns the lead that the agent was about to call, and makes the agent idle.
    pub(in crate::dialer) fn return_lead(&mut self, agent: AgentId) {
        self.wakes.clear(Wake::Preview(agent));
        let Some(seat) = self.seat(agent) else { return };
        let job = seat.job.take();
        let first = matches!(job, Some(Job::AgentFirst { .. }));
        let (campaign, leased) = match job {
            Some(Job::Preview { campaign, leased, .. }) => (campaign, Some(leased)),
            Some(Job::AgentFirst { campaign, leased, .. }) => (campaign, leased),
            Some(Job::Fetching { campaign }) => (campaign, None),
            other => {
                seat.job = other;
                return;
            }
        };
        if let (Some(run), Some(leased)) = (self.campaigns.get_mut(&campaign), leased) {
            if first || run.draining || run.finished {
                run.hopper.return_lease(leased.lead.id);
            } else {
                run.hopper.put_last(*leased);
            }
        }
        self.set_idle(agent);
    }

    pub(super) fn skip(&mut self, agent: AgentId) -> Result<(), Refusal> {
        match self.floor.seats.get(&agent).and_then(|seat| seat.job.as_ref()) {
            Some(Job::Preview { .. }) => {
                self.return_lead(agent);
                Ok(())
            }
            _ => Err(Refusal::NoCall),
        }
    }

    pub(super) fn extend_preview(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let Some(Job::Preview { campaign, .. }) =
            self.floor.seats.get(&agent).and_then(|seat| seat.job.as_ref())
        else {
            return self.extend_wrap_up(agent);
        };
        let rules = self.campaigns.get(campaign).and_then(|run| run.agent_rules());
        let Some(Preview::Timed { step, .. }) = rules.map(|rules| rules.preview) else { return Ok(()) };
        let now = self.now;
        if let Some(Job::Preview { until, .. }) = self.seat(agent).and_then(|seat| seat.job.as_mut()) {
            let at = until.unwrap_or(now) + step;
            *until = Some(at);
            self.wakes.set(Wake::Preview(agent), at);
        }
        Ok(())
    }

    /// The countdown ran out: dials. A preview without countdown was untouched for too long: goes back.
    pub(in crate::dialer) fn preview_over(&mut self, agent: AgentId) {
        let Some(seat) = self.floor.seats.get(&agent) else { return };
        if let Some(Job::Preview { until: None, .. }) = seat.job {
            let due = seat.preview_expires(PREVIEW_UNTOUCHED_MAX);
            if due > self.now {
                return self.wakes.set(Wake::Preview(agent), due);
            }
            // The agent is absent. A pause with a reason is never refused.
            let _ = self.pause(agent, "preview_not_answered".into());
            return;
        }
        if self.dial_preview(agent).is_err() {
            // Not possible now (trunks, hours): the agent keeps the lead, and it is tried again shortly.
            self.wakes.set(Wake::Preview(agent), self.now + Duration::from_secs(5));
        }
    }

    pub(super) fn dial_preview(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let Some(Job::Preview { campaign, leased, .. }) =
            self.floor.seats.get(&agent).and_then(|seat| seat.job.clone())
        else {
            return Err(Refusal::NoCall);
        };
        let utc = self.wall.utc(self.now);
        let number = due_number(&leased.lead, utc).ok_or(Refusal::NumberRefused)?;
        self.may_place(campaign, number)?;
        let household = leased.lead.household.map(|household| (campaign, household));
        if household.is_some_and(|household| self.busy_households.contains(&household)) {
            return Err(Refusal::Busy);
        }
        self.wakes.clear(Wake::Preview(agent));
        self.begin_agent_first(agent, campaign, number, Some(leased))
    }

    /// Click-to-call: a number that joins no list.
    pub(super) fn call_number(
        &mut self,
        agent: AgentId,
        campaign: CampaignId,
        number: PhoneNumber,
    ) -> Result<(), Refusal> {
        self.may_start_call(agent)?;
        self.may_place(campaign, number)?;
        if self.busy_numbers.contains(&number) {
            return Err(Refusal::Busy);
        }
        self.begin_agent_first(agent, campaign, number, None)
    }

    /// Click-to-call for a lead: it is leased first, so that no other call to it is placed.
    pub(super) fn call_lead(
        &mut self,
        agent: AgentId,
        campaign: CampaignId,
        lead: LeadId,
    ) -> Result<(), Refusal> {
        self.may_start_call(agent)?;
        let run = self.campaigns.get_mut(&campaign).filter(|run| !run.draining);
        let run = run.ok_or(Refusal::CampaignClosed)?;
        run.hopper.drop_waiting(|waiting| waiting.id == lead);
        if run.hopper.holds(lead) {
            return Err(Refusal::Busy);
        }
        // The store leases no lead twice, so the dropped one is returned first.
        self.return_leads();
        self.outputs.push_back(Output::FetchLead { campaign, lead, agent });
        if let Some(seat) = self.seat(agent) {
            seat.job = Some(Job::Fetching { campaign });
        }
        self.set_activity(agent, Activity::Reserved);
        Ok(())
    }

    pub(in crate::dialer) fn lead_fetched(
        &mut self,
        agent: AgentId,
        campaign: CampaignId,
        lead: Option<Lead>,
    ) {
        let waits = matches!(
            self.floor.seats.get(&agent).and_then(|seat| seat.job.as_ref()),
            Some(Job::Fetching { campaign: of }) if *of == campaign
        );
        if !waits {
            self.return_lease(campaign, lead.map(|lead| lead.id));
            return;
        }
        let asked = lead.as_ref().map(|lead| lead.id);
        let utc = self.wall.utc(self.now);
        let found = lead.and_then(|lead| {
            // The agent asked for this lead, so a closed phone may be dialled, and a resting one need not
            // wait. For the list it stays closed, and rests.
            let number = due_number(&lead, utc).or_else(|| lead.phones.first().map(|phone| phone.number))?;
            Some((number, lead))
        });
        let held = found.as_ref().is_some_and(|(number, lead)| {
            let household = lead.household.map(|household| (campaign, household));
            self.busy_numbers.contains(number)
                || household.is_some_and(|household| self.busy_households.contains(&household))
        });
        let ready = found.filter(|(number, _)| !held && self.may_place(campaign, *number).is_ok());
        if let Some(seat) = self.seat(agent) {
            seat.job = None;
        }
        let Some((number, lead)) = ready else {
            self.return_lease(campaign, asked);
            return self.set_idle(agent);
        };
        if let Some(run) = self.campaigns.get_mut(&campaign) {
            run.hopper.hold(lead.id);
        }
        let leased = Box::new(LeasedLead { lead, tried: BTreeSet::new() });
        if self.begin_agent_first(agent, campaign, number, Some(leased)).is_err() {
            self.set_idle(agent);
        }
    }

    /// Ends the lease of a lead that is not called after all; the lead is unchanged.
    fn return_lease(&mut self, campaign: CampaignId, lead: Option<LeadId>) {
        if let (Some(run), Some(lead)) = (self.campaigns.get_mut(&campaign), lead) {
            run.hopper.return_lease(lead);
        }
    }

    /// Whether the agent may start an own call: signed in and free, paused or not.
    fn may_start_call(&self, agent: AgentId) -> Result<(), Refusal> {
        let seat = self.floor.seats.get(&agent).ok_or(Refusal::UnknownAgent)?;
        if !seat.is_signed_in() {
            return Err(Refusal::NotSignedIn);
        }
        if !seat.is_free() && !matches!(seat.job, Some(Job::Preview { .. })) {
            return Err(Refusal::Busy);
        }
        let ready = match seat.holding {
            Holding::NailedUp => self.floor.leg_up(seat),
            Holding::PerCall => seat.is_reachable() && seat.leg.is_none(),
        };
        if ready { Ok(()) } else { Err(Refusal::PhoneNotReady) }
    }

    /// Checks that campaign and calling hours are open and a trunk is ready.
    fn may_place(&mut self, campaign: CampaignId, number: PhoneNumber) -> Result<(), Refusal> {
        let utc = self.wall.utc(self.now);
        if self.store_stalled {
            return Err(Refusal::StoreStalled);
        }
        let run = self.campaigns.get_mut(&campaign).filter(|run| !run.draining && !run.paused);
        let run = run.ok_or(Refusal::CampaignClosed)?;
        if !matches!(run.window_of(number, utc), WindowState::OpenUntil(_)) {
            return Err(Refusal::CampaignClosed);
        }
        self.trunk_now(campaign, number).map(|_| ()).ok_or(Refusal::NumberRefused)
    }

    fn trunk_now(&self, campaign: CampaignId, number: PhoneNumber) -> Option<TrunkId> {
        let run = self.campaigns.get(&campaign)?;
        let mut lines = run.rules.trunks.iter().filter_map(|trunk| self.trunks.get(trunk));
        lines
            .find(|line| line.trunk.carries(number, &run.rules.home) && line.ready(self.now) == Ready::Now)
            .map(|line| line.trunk.id)
    }

    /// Starts an agent-first call: rings a per-call phone first; dials at once where the leg is up.
    fn begin_agent_first(
        &mut self,
        agent: AgentId,
        campaign: CampaignId,
        number: PhoneNumber,
        leased: Option<Box<LeasedLead>>,
    ) -> Result<(), Refusal> {
        if matches!(
            self.floor.seats.get(&agent).and_then(|seat| seat.job.as_ref()),
            Some(Job::Preview { .. })
        ) && leased.is_none()
        {
            self.return_lead(agent);
        }
        let seat = self.seat(agent).ok_or(Refusal::UnknownAgent)?;
        seat.job = Some(Job::AgentFirst { campaign, number, leased });
        self.set_activity(agent, Activity::Reserved);
        let up = self.floor.seats.get(&agent).is_some_and(|seat| self.floor.leg_up(seat));
        if up {
            self.dial_after_agent(agent);
        } else if !self.ring_agent(agent, None, OWN_RING) {
            self.return_lead(agent);
            return Err(Refusal::PhoneNotReady);
        } else {
            self.set_activity(agent, Activity::Ringing);
        }
        Ok(())
    }

    /// The agent's leg is up: dials the callee for this agent alone.
    pub(super) fn dial_after_agent(&mut self, agent: AgentId) {
        let utc = self.wall.utc(self.now);
        let Some(Job::AgentFirst { campaign, number, leased }) =
            self.floor.seats.get(&agent).and_then(|seat| seat.job.clone())
        else {
            return;
        };
        let trunk = self.may_place(campaign, number).ok().and_then(|()| self.trunk_now(campaign, number));
        let busy = self.busy_numbers.contains(&number);
        let Some(trunk) = trunk.filter(|_| !busy) else {
            self.release_leg(agent);
            return self.return_lead(agent);
        };
        let Some(run) = self.campaigns.get_mut(&campaign) else { return };
        let open_until = match run.window_of(number, utc) {
            WindowState::OpenUntil(until) => until,
            WindowState::ClosedUntil(_) => FOREVER,
        };
        let household = leased.as_ref().and_then(|leased| leased.lead.household);
        let rules = &run.rules.caller_ids;
        let to = ShownTo { household, callee: number, agent: Some(agent) };
        let caller_id = match self.caller_ids.choose(campaign, rules, to, utc, &mut self.random) {
            Choice::Show(caller_id) => {
                self.caller_ids.note(campaign, household, caller_id.number, utc);
                Some(caller_id)
            }
            Choice::TrunkOwn | Choice::UsedUntil(_) | Choice::NoneUsable => None,
        };
        let leased = leased.map(|leased| *leased);
        let attempt = NewAttempt {
            campaign,
            leased,
            number,
            trunk,
            caller_id,
            open_until,
            for_agent: Some(agent),
            agent_first: true,
        };
        let call = self.open(attempt);
        if let Some(seat) = self.seat(agent) {
            seat.job = call.map(|call| Job::Call { call });
        }
        self.set_activity(agent, Activity::Reserved);
    }

    /// The callee is being called: plays ring-back to the reserved agent.
    pub(in crate::dialer) fn ring_back_to_agent(&mut self, id: CallId) {
        let agent = self.calls.get(&id).and_then(|call| call.for_agent);
        let leg = agent.and_then(|agent| self.floor.seats.get(&agent)).and_then(|seat| seat.leg);
        if let Some(leg) = leg {
            let sound = crate::dialer::output::SoundName::RingBack;
            self.outputs.push_back(Output::Play { leg, sound });
        }
    }

    /// Takes back every preview of a campaign that is drained.
    pub(in crate::dialer) fn withdraw_previews(&mut self, id: CampaignId) {
        for agent in self.agents_with_preview(id) {
            self.return_lead(agent);
        }
    }

    /// Agents to whom a lead of this campaign is shown.
    pub(in crate::dialer) fn agents_with_preview(&self, id: CampaignId) -> Vec<AgentId> {
        let of =
            |seat: &super::Seat| matches!(&seat.job, Some(Job::Preview { campaign, .. }) if *campaign == id);
        self.floor.seats.values().filter(|seat| of(seat)).map(|seat| seat.agent.id).collect()
    }

    /// Takes a lead away from an agent because it was settled elsewhere, and makes the agent idle.
    pub(in crate::dialer) fn take_lead_from(&mut self, agent: AgentId) {
        self.wakes.clear(Wake::Preview(agent));
        let Some(seat) = self.seat(agent) else { return };
        let (campaign, leased) = match seat.job.take() {
            Some(Job::Preview { campaign, leased, .. }) => (campaign, Some(leased)),
            Some(Job::AgentFirst { campaign, leased, .. }) => (campaign, leased),
            other => {
                seat.job = other;
                return;
            }
        };
        self.return_lease(campaign, leased.map(|leased| leased.lead.id));
        self.release_leg(agent);
        self.set_idle(agent);
    }

    /// Whether calls of this mode need agents.
    pub(in crate::dialer) fn needs_agents(mode: Mode) -> bool {
        mode != Mode::Announce
    }
}

fn due_number(lead: &Lead, utc: Utc) -> Option<PhoneNumber> {
    let due = |phone: &&crate::lead::Phone| !phone.closed && phone.next_at.is_none_or(|at| at <= utc);
    lead.phones.iter().find(due).map(|phone| phone.number)
}
