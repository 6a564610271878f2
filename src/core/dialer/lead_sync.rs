//! Keeps every copy of a lead (hopper, preview, live call, wrap-up) in step with the last decision about
//! it.
//!
//! The callee may call us while we call them, and a summary may come while the lead's other number rings.

use super::Dialer;
use super::floor::Job;
use super::live_call::{Call, Phase};
use super::output::{LeadUpdate, Output};
use crate::call::HangUpCause;
use crate::ids::{AgentId, CallId, CampaignId, LeadId};
use crate::lead::{Lead, Phone};
use crate::outcome::LeadState;
use std::collections::BTreeSet;

impl Dialer {
    /// Applies an agent's decision about a lead to every other copy of it. `of` = the call the summary is
    /// about; the store has the update already.
    pub(super) fn apply_lead_decision(&mut self, of: CallId, update: LeadUpdate) {
        self.cancel_unwanted_calls(of, &update);
        self.refresh_lead_copies(&update);
        let Some(run) = self.campaigns.get_mut(&update.campaign) else { return };
        if !run.hopper.holds(update.lead) {
            return;
        }
        let waited = run.hopper.find(update.lead).is_some();
        run.hopper.drop_waiting(|waiting| waiting.id == update.lead);
        let shown = self.withdraw_lead_from_agents(|lead| lead.id == update.lead);
        self.return_leads();
        if waited || shown {
            // The store still holds the lead as it was when leased, so write the new state.
            self.outputs.push_back(Output::SaveLead(Box::new(update)));
        }
    }

    /// Drops every copy of leads that people changed, but those of calls: the store changes no lead that has one, and
    /// refuses an attempt on a copy from before a change.
    pub(super) fn leads_changed(&mut self, campaign: CampaignId, leads: &[LeadId]) {
        let utc = self.wall.utc(self.now);
        let changed: BTreeSet<LeadId> = leads.iter().copied().collect();
        let Some(run) = self.campaigns.get_mut(&campaign) else { return };
        run.finished = false;
        run.hopper.drop_waiting(|waiting| changed.contains(&waiting.id));
        // Untried leads may be due again, and the moment of a callback is known to the store alone.
        run.supply.note_leads_added();
        run.supply.note_due(Some(utc));
        if run.supply.fetching.is_some() {
            run.supply.changed.extend(changed.iter().copied());
        }
        self.withdraw_lead_from_agents(|lead| changed.contains(&lead.id));
    }

    /// Cancels unanswered calls to a lead that is settled. An answered call goes on and decides for itself;
    /// so does a call to another number of the lead that is still due.
    fn cancel_unwanted_calls(&mut self, of: CallId, update: &LeadUpdate) {
        let utc = self.wall.utc(self.now);
        let mut unwanted = Vec::new();
        for (id, call) in self.calls.iter_mut().filter(|(id, call)| **id != of && !call.inbound) {
            let Some(lead) = call.leased.as_mut().map(|leased| &mut leased.lead) else { continue };
            if call.campaign != update.campaign || call.phase == Phase::Ended {
                continue;
            }
            let home = update.household_done.is_some() && lead.household == update.household_done;
            let due = |phone: &Phone| {
                phone.number == call.number && !phone.closed && phone.next_at.is_none_or(|at| at <= utc)
            };
            if lead.id == update.lead && update.state == LeadState::Open && update.phones.iter().any(due) {
                lead.phones.clone_from(&update.phones);
                lead.callback.clone_from(&update.callback);
                continue;
            }
            if lead.id == update.lead {
                call.decided_elsewhere = Some(Box::new(update.clone()));
            }
            let hers = call.leased.as_ref().is_some_and(|leased| leased.lead.id == update.lead);
            if (hers || home) && call.answered_at.is_none() {
                unwanted.push(*id);
            }
        }
        for id in unwanted {
            self.hang_up(id, HangUpCause::Stopped);
        }
    }

    /// Copies an attempt's phone states into wrap-ups and inbound calls of the same lead, which write the
    /// lead later.
    pub(super) fn refresh_lead_copies(&mut self, update: &LeadUpdate) {
        let refresh = |lead: &mut Lead| {
            if lead.id == update.lead {
                lead.phones.clone_from(&update.phones);
                lead.uncounted = update.uncounted;
            }
        };
        for seat in self.floor.seats.values_mut() {
            if let Some(Job::WrapUp(job)) = &mut seat.job
                && let Some(lead) = &mut job.lead
            {
                refresh(lead);
            }
        }
        let callers = self.calls.range_mut(CallId::FIRST_FROM_OUTSIDE..);
        for (_, call) in callers.filter(|(_, call)| call.inbound) {
            if let Some(leased) = &mut call.leased {
                refresh(&mut leased.lead);
            }
        }
    }

    /// Withdraws these leads from previews and from agents whose phone rings first. `true` = there was one.
    pub(super) fn withdraw_lead_from_agents(&mut self, unwanted: impl Fn(&Lead) -> bool) -> bool {
        let has = |job: &Job| match job {
            Job::Preview { leased, .. } => unwanted(&leased.lead),
            Job::AgentFirst { leased: Some(leased), .. } => unwanted(&leased.lead),
            _ => false,
        };
        let seats = self.floor.seats.values().filter(|seat| seat.job.as_ref().is_some_and(&has));
        let agents: Vec<AgentId> = seats.map(|seat| seat.agent.id).collect();
        for agent in &agents {
            self.take_lead_from(*agent);
        }
        !agents.is_empty()
    }
}

impl Call {
    /// The update written for this call's lead: a decision made elsewhere stands, unless an agent spoke
    /// with the callee in this call; only the attempt is added.
    pub(super) fn keep_decision(&self, tried: LeadUpdate) -> LeadUpdate {
        let Some(decided) =
            self.decided_elsewhere.as_ref().filter(|_| self.spoke.is_none() && !self.blacklisted)
        else {
            return tried;
        };
        let mut phones = tried.phones;
        for phone in &mut phones {
            if let Some(said) = decided.phones.iter().find(|said| said.number == phone.number) {
                (phone.next_at, phone.closed) = (said.next_at, said.closed);
            }
        }
        LeadUpdate { phones, uncounted: tried.uncounted, ..(**decided).clone() }
    }
}
