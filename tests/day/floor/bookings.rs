//! Booked callbacks are kept: none waits for more than five seconds after its moment while its agent is idle
//! and calls can be placed.

use paceline_core::dialer::input::ManagerAction;
use paceline_core::dialer::output::LeadUpdate;
use paceline_core::dialer::{Dialer, Input, Output};
use paceline_core::explain::CALLBACK_GRACE;
use paceline_core::ids::{AgentId, CampaignId, LeadId};
use paceline_core::lead::Lead;
use paceline_core::outcome::LeadState;
use paceline_core::pacing::Why;
use paceline_core::time::{Duration, Time, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// How late a callback may be dialled.
const LATE: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Booking {
    at: Utc,
    /// `None` = any agent.
    agent: Option<AgentId>,
    /// Since when it is due beside an idle agent.
    beside: Option<Time>,
}

#[derive(Default)]
pub struct Bookings {
    leads: BTreeMap<LeadId, Lead>,
    booked: BTreeMap<LeadId, Booking>,
    /// Leads that may have been closed for a reason: a later booking does not open those again.
    closed: BTreeSet<LeadId>,
    /// Callbacks that were dialled while they were watched.
    pub dialled: u64,
}

impl Bookings {
    pub fn watch(&mut self, leads: &[Lead]) {
        self.leads = leads.iter().map(|lead| (lead.id, lead.clone())).collect();
    }

    pub fn input(&mut self, input: &Input) {
        match input {
            // A new process has to learn of its callbacks first.
            Input::ClockSet(_) => self.booked.values_mut().for_each(|booking| booking.beside = None),
            Input::ManagerActed { action: ManagerAction::LeadClosed { lead }, .. } => {
                self.close(|one| one.id == *lead);
            }
            // What becomes of these leads is checked after the day, from the store's record of changes.
            Input::ManagerActed { action: ManagerAction::LeadsChanged { leads }, .. } => {
                self.close(|one| leads.contains(&one.id));
            }
            Input::Blacklisted { patterns, .. } => {
                self.close(|lead| {
                    lead.phones.iter().any(|phone| patterns.iter().any(|one| one.matches(phone.number)))
                });
            }
            _ => {}
        }
    }

    pub fn output(&mut self, output: &Output) {
        match output {
            Output::SaveSummary(record) => record.lead.iter().for_each(|update| self.note(update)),
            Output::SaveResult(result) => result.lead.iter().for_each(|update| self.note(update)),
            Output::SaveLead(update) => self.note(update),
            Output::OpenAttempt(request) => {
                let kept = request.lead.and_then(|lead| self.booked.remove(&lead));
                self.dialled += u64::from(kept.is_some());
            }
            Output::FetchLead { lead, .. } => {
                self.booked.remove(lead);
            }
            Output::CloseLeads { .. } => self.close(|_| true),
            _ => {}
        }
    }

    fn close(&mut self, which: impl Fn(&Lead) -> bool) {
        for lead in self.leads.values().filter(|lead| which(lead)) {
            self.booked.remove(&lead.id);
            self.closed.insert(lead.id);
        }
    }

    fn note(&mut self, update: &LeadUpdate) {
        self.booked.remove(&update.lead);
        if let Some(home) = update.household_done {
            self.close(|lead| lead.household == Some(home) && lead.id != update.lead);
        }
        // The store opens no lead again that was closed for a reason.
        if update.reason.is_some() {
            self.closed.insert(update.lead);
        }
        if self.closed.contains(&update.lead) {
            return;
        }
        if let (LeadState::FollowUp, Some(at), Some(callback)) =
            (update.state, update.next_at, &update.callback)
        {
            let booking = Booking { at, agent: callback.agent, beside: None };
            self.booked.insert(update.lead, booking);
        }
    }

    /// `idle` = agents who may get a call now.
    pub fn check(
        &mut self,
        at: Time,
        utc: Utc,
        campaign: CampaignId,
        idle: &[AgentId],
        dialer: &Dialer,
    ) -> Result<(), String> {
        let open = match dialer.view(campaign).why {
            None
            | Some(
                Why::StoreStalled
                | Why::Paused
                | Why::Draining
                | Why::Finished
                | Why::OutsideWindow
                | Why::TrunksDown
                | Why::TrunksFull
                | Why::ShareUsed
                | Why::CallsPerSec
                | Why::ConcurrencyFull
                | Why::CallerIdsUsed
                | Why::CallerIdsResting,
            ) => false,
            Some(_) => true,
        };
        for (id, booking) in &mut self.booked {
            let due = booking.at <= utc && (booking.agent.is_none() || utc < booking.at + CALLBACK_GRACE);
            let beside = open
                && due
                && match booking.agent {
                    Some(agent) => idle.contains(&agent),
                    None => !idle.is_empty() && utc < booking.at + CALLBACK_GRACE,
                };
            let free = || {
                let Some(lead) = self.leads.get(id) else { return false };
                let numbers = lead.phones.iter().map(|phone| phone.number).collect::<Vec<_>>();
                let place = dialer.lead_place(campaign, *id, lead.household, &numbers);
                place.held.is_none()
                    && place.number.is_none()
                    && place.household.is_none()
                    && place.resting.is_empty()
            };
            booking.beside = booking.beside.or(Some(at)).filter(|_| beside && free());
            if booking.beside.is_some_and(|since| at.since(since) > LATE) {
                let view = dialer.view(campaign);
                let place = dialer.lead_place(campaign, *id, None, &[]);
                return Err(format!(
                    "lead {id} is not called back beside an idle agent: {booking:?} {place:?} {view:?}"
                ));
            }
        }
        Ok(())
    }
}
