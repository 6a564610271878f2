//! Previews (an agent sees a lead before it is called) and agent-first calls (the agent's phone rings, then
//! the callee's).

use super::Job;
use crate::agent::{Activity, Holding, Refusal};
use crate::campaign::caller_id::Choice;
use crate::campaign::hopper::Waiting;
use crate::campaign::window::{FOREVER, WindowState};
use crate::campaign::{Mode, Preview};
use crate::dialer::placing::Opening;
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
const LOOKED_AT_MAX: Duration = Duration::from_secs(600);

/// How long the agent's phone rings for an agent-first call.
const OWN_RING: Duration = Duration::from_secs(30);

impl Dialer {
    /// Mode preview: gives every free agent a lead to preview.
    pub(in crate::dialer) fn hand_out_previews(&mut self, id: CampaignId, utc: Utc) -> Why {
        loop {
            let Some(run) = self.campaigns.get(&id) else { return Why::Finished };
            let Some(rules) = run.rules.agents.as_ref() else { return Why::NoAgents };
            let (group, preview) = (rules.group, rules.preview);
            let mut free =
                self.floor.seats.values().filter(|seat| self.floor.takes_calls(seat, group, false));
            let Some(agent) = free.next().map(|seat| seat.agent.id) else {
                return match self.floor.census(group).0 {
                    0 => Why::NoAgents,
                    _ => Why::AgentsBusy,
                };
            };
            let (waiting, _, _, _) = match self.next_lead(id, utc, Some(agent)) {
                Ok(found) => found,
                Err(why) => return why,
            };
            let until = match preview {
                Preview::Click => None,
                Preview::Timed { countdown, .. } => Some(self.now + countdown),
            };
            self.wakes.set(Wake::Preview(agent), until.unwrap_or(self.now + LOOKED_AT_MAX));
            if let Some(seat) = self.seat(agent) {
                seat.job = Some(Job::Preview { campaign: id, waiting: Box::new(waiting), until });
            }
            self.set_activity(agent, Activity::Reserved);
        }
    }

    /// Returns the lead that the agent was about to call, and makes the agent idle.
    pub(super) fn give_back(&mut self, agent: AgentId) {
        self.wakes.clear(Wake::Preview(agent));
        let Some(seat) = self.seat(agent) else { return };
        let job = seat.job.take();
        let first = matches!(job, Some(Job::First { .. }));
        let (campaign, waiting) = match job {
            Some(Job::Preview { campaign, waiting, .. }) => (campaign, Some(waiting)),
            Some(Job::First { campaign, waiting, .. }) => (campaign, waiting),
            Some(Job::Fetching { campaign }) => (campaign, None),
            other => {
                seat.job = other;
                return;
            }
        };
        if let (Some(run), Some(waiting)) = (self.campaigns.get_mut(&campaign), waiting) {
            if first || run.draining || run.finished {
                run.hopper.give_back(waiting.lead.id);
            } else {
                run.hopper.put_last(*waiting);
            }
        }
        self.now_idle(agent);
    }

    pub(super) fn skip(&mut self, agent: AgentId) -> Result<(), Refusal> {
        match self.floor.seats.get(&agent).and_then(|seat| seat.job.as_ref()) {
            Some(Job::Preview { .. }) => {
                self.give_back(agent);
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
        let rules = self.campaigns.get(campaign).and_then(|run| run.rules.agents.as_ref());
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
            let due = seat.looked_until(LOOKED_AT_MAX);
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
        let Some(Job::Preview { campaign, waiting, .. }) =
            self.floor.seats.get(&agent).and_then(|seat| seat.job.clone())
        else {
            return Err(Refusal::NoCall);
        };
        let utc = self.wall.utc(self.now);
        let number = due_number(&waiting.lead, utc).ok_or(Refusal::NumberRefused)?;
        self.may_place(campaign, number)?;
        let household = waiting.lead.household.map(|household| (campaign, household));
        if household.is_some_and(|household| self.busy_households.contains(&household)) {
            return Err(Refusal::Busy);
        }
        self.wakes.clear(Wake::Preview(agent));
        self.begin_first(agent, campaign, number, Some(waiting))
    }

    /// Click-to-call: a number that joins no list.
    pub(super) fn call_number(
        &mut self,
        agent: AgentId,
        campaign: CampaignId,
        number: PhoneNumber,
    ) -> Result<(), Refusal> {
        self.may_begin(agent)?;
        self.may_place(campaign, number)?;
        if self.busy_numbers.contains(&number) {
            return Err(Refusal::Busy);
        }
        self.begin_first(agent, campaign, number, None)
    }

    /// Click-to-call for a lead: it is leased first, so that no other call to it is placed.
    pub(super) fn call_lead(
        &mut self,
        agent: AgentId,
        campaign: CampaignId,
        lead: LeadId,
    ) -> Result<(), Refusal> {
        self.may_begin(agent)?;
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
            self.lend_back(campaign, lead.map(|lead| lead.id));
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
            self.lend_back(campaign, asked);
            return self.now_idle(agent);
        };
        if let Some(run) = self.campaigns.get_mut(&campaign) {
            run.hopper.hold(lead.id);
        }
        let waiting = Box::new(Waiting { lead, tried: BTreeSet::new() });
        if self.begin_first(agent, campaign, number, Some(waiting)).is_err() {
            self.now_idle(agent);
        }
    }

    /// Ends the lease of a lead that is not called after all; the lead is unchanged.
    fn lend_back(&mut self, campaign: CampaignId, lead: Option<LeadId>) {
        if let (Some(run), Some(lead)) = (self.campaigns.get_mut(&campaign), lead) {
            run.hopper.give_back(lead);
        }
    }

    /// Whether the agent may start an own call: signed in and free, paused or not.
    fn may_begin(&self, agent: AgentId) -> Result<(), Refusal> {
        let seat = self.floor.seats.get(&agent).ok_or(Refusal::UnknownAgent)?;
        if !seat.signed_in() {
            return Err(Refusal::NotSignedIn);
        }
        if !seat.free() && !matches!(seat.job, Some(Job::Preview { .. })) {
            return Err(Refusal::Busy);
        }
        let ready = match seat.holding {
            Holding::NailedUp => self.floor.leg_up(seat),
            Holding::PerCall => seat.reachable() && seat.leg.is_none(),
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
        if !matches!(run.window(utc), WindowState::OpenUntil(_)) {
            return Err(Refusal::CampaignClosed);
        }
        self.trunk_now(campaign, number).map(|_| ()).ok_or(Refusal::NumberRefused)
    }

    fn trunk_now(&self, campaign: CampaignId, number: PhoneNumber) -> Option<TrunkId> {
        let run = self.campaigns.get(&campaign)?;
        let mut lines = run.rules.trunks.iter().filter_map(|trunk| self.trunks.get(trunk));
        lines
            .find(|line| line.trunk.carries(number) && line.ready(self.now) == Ready::Now)
            .map(|line| line.trunk.id)
    }

    /// Starts an agent-first call: rings a per-call phone first; dials at once where the leg is up.
    fn begin_first(
        &mut self,
        agent: AgentId,
        campaign: CampaignId,
        number: PhoneNumber,
        waiting: Option<Box<Waiting>>,
    ) -> Result<(), Refusal> {
        if matches!(
            self.floor.seats.get(&agent).and_then(|seat| seat.job.as_ref()),
            Some(Job::Preview { .. })
        ) && waiting.is_none()
        {
            self.give_back(agent);
        }
        let seat = self.seat(agent).ok_or(Refusal::UnknownAgent)?;
        seat.job = Some(Job::First { campaign, number, waiting });
        self.set_activity(agent, Activity::Reserved);
        let up = self.floor.seats.get(&agent).is_some_and(|seat| self.floor.leg_up(seat));
        if up {
            self.dial_first(agent);
        } else if !self.ring_agent(agent, None, OWN_RING) {
            self.give_back(agent);
            return Err(Refusal::PhoneNotReady);
        } else {
            self.set_activity(agent, Activity::Ringing);
        }
        Ok(())
    }

    /// The agent's leg is up: dials the callee for this agent alone.
    pub(super) fn dial_first(&mut self, agent: AgentId) {
        let utc = self.wall.utc(self.now);
        let Some(Job::First { campaign, number, waiting }) =
            self.floor.seats.get(&agent).and_then(|seat| seat.job.clone())
        else {
            return;
        };
        let trunk = self.may_place(campaign, number).ok().and_then(|()| self.trunk_now(campaign, number));
        let busy = self.busy_numbers.contains(&number);
        let Some(trunk) = trunk.filter(|_| !busy) else {
            self.let_go_of_leg(agent);
            return self.give_back(agent);
        };
        let Some(run) = self.campaigns.get_mut(&campaign) else { return };
        let open_until = match run.window(utc) {
            WindowState::OpenUntil(until) => until,
            WindowState::ClosedUntil(_) => FOREVER,
        };
        let household = waiting.as_ref().and_then(|waiting| waiting.lead.household);
        let rules = &run.rules.caller_ids;
        let caller_id =
            match self.caller_ids.choose(campaign, rules, household, number, utc, &mut self.random) {
                Choice::Show(caller_id) => {
                    self.caller_ids.note(campaign, household, caller_id.number, utc);
                    Some(caller_id)
                }
                Choice::TrunkOwn | Choice::UsedUntil(_) => None,
            };
        let waiting = waiting.map(|waiting| *waiting);
        let opening = Opening {
            campaign,
            waiting,
            number,
            trunk,
            caller_id,
            open_until,
            for_agent: Some(agent),
            agent_first: true,
        };
        let call = self.open(opening);
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
        let of =
            |seat: &super::Seat| matches!(&seat.job, Some(Job::Preview { campaign, .. }) if *campaign == id);
        let agents: Vec<AgentId> =
            self.floor.seats.values().filter(|seat| of(seat)).map(|seat| seat.agent.id).collect();
        for agent in agents {
            self.give_back(agent);
        }
    }

    /// Takes a lead away from an agent because it was settled elsewhere, and makes the agent idle.
    pub(in crate::dialer) fn take_lead_from(&mut self, agent: AgentId) {
        self.wakes.clear(Wake::Preview(agent));
        let Some(seat) = self.seat(agent) else { return };
        let (campaign, waiting) = match seat.job.take() {
            Some(Job::Preview { campaign, waiting, .. }) => (campaign, Some(waiting)),
            Some(Job::First { campaign, waiting, .. }) => (campaign, waiting),
            other => {
                seat.job = other;
                return;
            }
        };
        self.lend_back(campaign, waiting.map(|waiting| waiting.lead.id));
        self.let_go_of_leg(agent);
        self.now_idle(agent);
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
