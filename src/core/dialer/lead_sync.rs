//! One lead in several hands. Its owner may call us while we call her, and a summary may come while her other
//! number rings; so what is said or tried in one place reaches every other copy of the lead.

use super::Dialer;
use super::floor::Job;
use super::output::{LeadUpdate, Output};
use super::run::{Call, Phase};
use crate::call::HangUpCause;
use crate::ids::{AgentId, CallId};
use crate::lead::{Lead, Phone};
use crate::outcome::LeadState;

impl Dialer {
    /// An agent said what becomes of a lead: that counts from now on, and not what the hopper, a screen or a
    /// call that is out has of it. `of` = the call that was spoken of; the store knows already.
    pub(super) fn agreed(&mut self, of: CallId, update: LeadUpdate) {
        self.stop_calling(of, &update);
        self.retell(&update);
        let Some(run) = self.campaigns.get_mut(&update.campaign) else { return };
        if !run.hopper.holds(update.lead) {
            return;
        }
        let waited = run.hopper.find(update.lead).is_some();
        run.hopper.drop_waiting(|waiting| waiting.id == update.lead);
        let shown = self.withdraw_from_screens(|lead| lead.id == update.lead);
        self.return_leads();
        if waited || shown {
            // They were lent as they had been.
            self.outputs.push_back(Output::SaveLead(Box::new(update)));
        }
    }

    /// Nobody's phone rings for what has been settled. A call that was answered goes on, and has its own word;
    /// so does one to another number of hers that is still to be tried.
    fn stop_calling(&mut self, of: CallId, update: &LeadUpdate) {
        let utc = self.wall.utc(self.now);
        let mut unwanted = Vec::new();
        for (id, call) in self.calls.iter_mut().filter(|(id, call)| **id != of && !call.inbound) {
            let Some(lead) = call.waiting.as_mut().map(|waiting| &mut waiting.lead) else { continue };
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
                call.agreed = Some(Box::new(update.clone()));
            }
            let hers = call.waiting.as_ref().is_some_and(|waiting| waiting.lead.id == update.lead);
            if (hers || home) && call.answered_at.is_none() {
                unwanted.push(*id);
            }
        }
        for id in unwanted {
            self.hang_up(id, HangUpCause::Stopped);
        }
    }

    /// What an attempt told of a lead's numbers: wrap-ups and calls from its owner write it down again later.
    pub(super) fn retell(&mut self, update: &LeadUpdate) {
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
            if let Some(waiting) = &mut call.waiting {
                refresh(&mut waiting.lead);
            }
        }
    }

    /// Takes these leads from the screens, and from agents whose own phones ring for them first.
    pub(super) fn withdraw_from_screens(&mut self, unwanted: impl Fn(&Lead) -> bool) -> bool {
        let has = |job: &Job| match job {
            Job::Preview { waiting, .. } => unwanted(&waiting.lead),
            Job::First { waiting: Some(waiting), .. } => unwanted(&waiting.lead),
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
    /// What is written of its lead: what was agreed with its owner meanwhile stands, unless she spoke with
    /// somebody in this very call; only the try is added.
    pub(super) fn as_agreed(&self, tried: LeadUpdate) -> LeadUpdate {
        let Some(agreed) = self.agreed.as_ref().filter(|_| self.spoke.is_none() && !self.blacklisted) else {
            return tried;
        };
        let mut phones = tried.phones;
        for phone in &mut phones {
            if let Some(said) = agreed.phones.iter().find(|said| said.number == phone.number) {
                (phone.next_at, phone.closed) = (said.next_at, said.closed);
            }
        }
        LeadUpdate { phones, uncounted: tried.uncounted, ..(**agreed).clone() }
    }
}
