//! The hopper: a small buffer of leased leads to be dialled next, in the store's order.

use crate::ids::{LeadId, TrunkId};
use crate::lead::Lead;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// A leased lead with the trunks that failed for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeasedLead {
    pub lead: Lead,
    /// Trunks that failed for this lead since it was last due: the next one is tried.
    pub tried: BTreeSet<TrunkId>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hopper {
    waiting: VecDeque<LeasedLead>,
    /// Leads in the hopper, a call or a preview: none enters twice.
    held: BTreeSet<LeadId>,
    /// Dropped unchanged: the store must be informed, or it would keep them leased for ever.
    returned: Vec<LeadId>,
}

impl Hopper {
    /// Adds the leads that are not held already and returns their number.
    pub fn fill(&mut self, leads: Vec<Lead>) -> usize {
        let before = self.waiting.len();
        for lead in leads {
            if self.held.insert(lead.id) {
                self.waiting.push_back(LeasedLead { lead, tried: BTreeSet::new() });
            }
        }
        self.waiting.len() - before
    }

    /// Takes the first eligible lead among the first `look_ahead`. It stays held until `release`.
    pub fn take(
        &mut self,
        look_ahead: usize,
        mut eligible: impl FnMut(&LeasedLead) -> bool,
    ) -> Option<LeasedLead> {
        let place = self.waiting.iter().take(look_ahead).position(&mut eligible)?;
        self.waiting.remove(place)
    }

    /// The lead at the front.
    pub fn first(&self) -> Option<&LeasedLead> {
        self.waiting.front()
    }

    /// Returns a lead to the front, to be tried by another trunk.
    pub fn put_first(&mut self, leased: LeasedLead) {
        self.held.insert(leased.lead.id);
        self.waiting.push_front(leased);
    }

    /// Returns a lead to the end: an agent skipped its preview.
    pub fn put_last(&mut self, leased: LeasedLead) {
        self.held.insert(leased.lead.id);
        self.waiting.push_back(leased);
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
        self.waiting.retain(|waiting| {
            let drop = unwanted(&waiting.lead);
            if drop {
                held.remove(&waiting.lead.id);
                returned.push(waiting.lead.id);
            }
            !drop
        });
    }

    /// Changes a waiting lead in place.
    pub fn edit_waiting(&mut self, lead: LeadId, edit: impl Fn(&mut Lead)) {
        self.waiting.iter_mut().filter(|waiting| waiting.lead.id == lead).for_each(|it| edit(&mut it.lead));
    }

    /// Takes the leads whose leases ended since the last call.
    pub fn take_returned(&mut self) -> Vec<LeadId> {
        std::mem::take(&mut self.returned)
    }

    /// A waiting lead, and how many are before it.
    pub fn find(&self, lead: LeadId) -> Option<(usize, &LeasedLead)> {
        self.waiting.iter().enumerate().find(|(_, waiting)| waiting.lead.id == lead)
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Number of held leads.
    pub fn held(&self) -> usize {
        self.held.len()
    }
}
