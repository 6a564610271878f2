//! The hopper: a small buffer of leased leads to be dialled next. Booked callbacks come first, then retries,
//! then untried leads; each of the three in the store's order.

use super::lease::LeasedLead;
use crate::ids::LeadId;
use crate::lead::Lead;
use crate::time::Utc;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hopper {
    /// Callbacks whose time has come.
    booked: VecDeque<LeasedLead>,
    /// Leads with a time of their own: tried before, and due again.
    retries: VecDeque<LeasedLead>,
    untried: VecDeque<LeasedLead>,
    /// Leads in the hopper, a call or a preview: none enters twice.
    held: BTreeSet<LeadId>,
    /// Dropped unchanged: the store must be informed, or it would keep them leased for ever.
    returned: Vec<LeadId>,
}

impl Hopper {
    /// Adds the leads that are not held already and returns their number.
    pub fn fill(&mut self, leads: Vec<Lead>) -> usize {
        let before = self.len();
        for lead in leads {
            if self.held.insert(lead.id) {
                let leased = LeasedLead { lead, tried: BTreeSet::new() };
                self.queue_of(&leased).push_back(leased);
            }
        }
        self.len() - before
    }

    fn queue_of(&mut self, leased: &LeasedLead) -> &mut VecDeque<LeasedLead> {
        let timed = leased.lead.next_at.is_some_and(|at| at > Utc::default());
        match leased.lead.callback {
            Some(_) => &mut self.booked,
            None if timed => &mut self.retries,
            None => &mut self.untried,
        }
    }

    fn waiting(&self) -> impl Iterator<Item = &LeasedLead> {
        self.booked.iter().chain(&self.retries).chain(&self.untried)
    }

    /// Takes the first eligible lead: any booked callback, or one of the first `look_ahead` retries or
    /// untried leads. It stays held until `release`.
    pub fn take(
        &mut self,
        look_ahead: usize,
        mut eligible: impl FnMut(&LeasedLead) -> bool,
    ) -> Option<LeasedLead> {
        let bounds = [usize::MAX, look_ahead, look_ahead];
        for (queue, bound) in [&mut self.booked, &mut self.retries, &mut self.untried].into_iter().zip(bounds)
        {
            if let Some(place) = queue.iter().take(bound).position(&mut eligible) {
                return queue.remove(place);
            }
        }
        None
    }

    /// Takes the first eligible booked callback.
    pub fn take_booked(&mut self, eligible: impl FnMut(&LeasedLead) -> bool) -> Option<LeasedLead> {
        let place = self.booked.iter().position(eligible)?;
        self.booked.remove(place)
    }

    /// Booked callbacks whose time has come.
    pub fn booked(&self) -> impl Iterator<Item = &Lead> {
        self.booked.iter().map(|leased| &leased.lead)
    }

    /// The lead that is dialled next.
    pub fn first(&self) -> Option<&LeasedLead> {
        self.waiting().next()
    }

    /// Returns a lead to the front of its queue, to be tried by another trunk.
    pub fn put_first(&mut self, leased: LeasedLead) {
        self.held.insert(leased.lead.id);
        self.queue_of(&leased).push_front(leased);
    }

    /// Returns a lead to the end of all: an agent skipped its preview.
    pub fn put_last(&mut self, leased: LeasedLead) {
        self.held.insert(leased.lead.id);
        self.untried.push_back(leased);
    }

    /// Marks a lead as held: an agent calls it outside the hopper's order.
    pub fn hold(&mut self, lead: LeadId) {
        self.held.insert(lead);
    }

    /// Whether the lead is in the hopper, a call or a preview.
    pub fn holds(&self, lead: LeadId) -> bool {
        self.held.contains(&lead)
    }

    /// Releases a held lead after its state was written (or the lead was dropped): it may enter again.
    pub fn release(&mut self, lead: LeadId) {
        self.held.remove(&lead);
    }

    /// Releases a held lead unchanged and ends its lease.
    pub fn return_lease(&mut self, lead: LeadId) {
        self.held.remove(&lead);
        self.returned.push(lead);
    }

    /// Drops waiting leads and ends their leases.
    pub fn drop_waiting(&mut self, mut unwanted: impl FnMut(&Lead) -> bool) {
        let (held, returned) = (&mut self.held, &mut self.returned);
        for queue in [&mut self.booked, &mut self.retries, &mut self.untried] {
            queue.retain(|waiting| {
                let drop = unwanted(&waiting.lead);
                if drop {
                    held.remove(&waiting.lead.id);
                    returned.push(waiting.lead.id);
                }
                !drop
            });
        }
    }

    /// Changes a waiting lead in place.
    pub fn edit_waiting(&mut self, lead: LeadId, edit: impl Fn(&mut Lead)) {
        let queues = [&mut self.booked, &mut self.retries, &mut self.untried];
        let waiting = queues.into_iter().flatten();
        waiting.filter(|waiting| waiting.lead.id == lead).for_each(|waiting| edit(&mut waiting.lead));
    }

    /// Takes the leads whose leases ended since the last call.
    pub fn take_returned(&mut self) -> Vec<LeadId> {
        std::mem::take(&mut self.returned)
    }

    /// A waiting lead, and how many are before it.
    pub fn find(&self, lead: LeadId) -> Option<(usize, &LeasedLead)> {
        self.waiting().enumerate().find(|(_, waiting)| waiting.lead.id == lead)
    }

    pub fn len(&self) -> usize {
        self.timed_len() + self.untried.len()
    }

    /// Number of callbacks and retries.
    pub fn timed_len(&self) -> usize {
        self.booked.len() + self.retries.len()
    }

    /// Number of untried leads, and of those that an agent skipped.
    pub fn untried_len(&self) -> usize {
        self.untried.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of held leads.
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::{Callback, Phone};
    use crate::number::PhoneNumber;

    fn lead(id: i64, at: Option<i64>, booked: bool) -> Lead {
        Lead {
            id: LeadId(id),
            row: 2,
            household: None,
            phones: vec![Phone::new(PhoneNumber::from_e164(8_613_800_000_000).expect("a number"))],
            next_at: at.map(Utc::from_millis),
            uncounted: 0,
            callback: booked.then(Callback::default),
            last_agent: None,
        }
    }

    #[test]
    fn callbacks_come_first_then_retries_then_untried_leads() {
        let mut hopper = Hopper::default();
        hopper.fill(vec![lead(1, None, false), lead(2, Some(5), false)]);
        hopper.fill(vec![lead(3, Some(9), true), lead(4, Some(7), false), lead(5, None, false)]);
        let order: Vec<i64> =
            std::iter::from_fn(|| hopper.take(64, |_| true)).map(|leased| leased.lead.id.0).collect();
        assert_eq!(order, [3, 2, 4, 1, 5]);
    }

    #[test]
    fn callbacks_that_must_wait_hide_nothing() {
        let mut hopper = Hopper::default();
        hopper.fill((0..500).map(|id| lead(id, Some(1), true)).collect());
        hopper.fill(vec![lead(900, Some(2), false), lead(901, None, false)]);
        let next = hopper.take(64, |leased| leased.lead.id.0 >= 499).expect("the last callback");
        assert_eq!(next.lead.id, LeadId(499));
        let next = hopper.take(64, |leased| leased.lead.callback.is_none()).expect("the retry");
        assert_eq!(next.lead.id, LeadId(900));
    }
}
