//! The hopper: a small buffer of leased leads to be dialled next. Leads that a person moved to the front come first,
//! then booked callbacks, leads assigned to one agent, retries and untried leads; each of the five in the store's
//! order. Leads of a household with a live call are parked beside the queues, so that a list with several owners a
//! flat does not fill them with leads that must wait.

use super::lease::LeasedLead;
use crate::ids::{HouseholdId, LeadId};
use crate::lead::Lead;
use crate::time::Utc;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hopper {
    /// Moved to the front by a person.
    moved_up: VecDeque<LeasedLead>,
    /// Callbacks whose time has come.
    booked: VecDeque<LeasedLead>,
    /// Leads of one agent each, who may be away.
    assigned: VecDeque<LeasedLead>,
    /// Leads with a time of their own: tried before, and due again.
    retries: VecDeque<LeasedLead>,
    untried: VecDeque<LeasedLead>,
    /// Retries and untried leads of households with a live call, in their order.
    parked: BTreeMap<HouseholdId, Vec<LeasedLead>>,
    /// Leads in the hopper, a call or a preview: none enters twice.
    held: BTreeSet<LeadId>,
    /// Dropped unchanged: the store must be informed, or it would keep them leased for ever.
    returned: Vec<LeadId>,
}

impl Hopper {
    /// Adds the leads that are not held already and returns their number. `is_busy` = the household has a live call.
    pub fn fill(&mut self, leads: Vec<Lead>, is_busy: impl Fn(HouseholdId) -> bool) -> usize {
        let before = self.len();
        for lead in leads {
            if self.held.insert(lead.id) {
                let leased = LeasedLead { lead, tried: BTreeSet::new() };
                match leased.lead.household.filter(|household| is_busy(*household) && is_parkable(&leased)) {
                    Some(household) => self.parked.entry(household).or_default().push(leased),
                    None => self.queue_of(&leased).push_back(leased),
                }
            }
        }
        self.len() - before
    }

    /// A call to this household is being placed: its other leads wait for the end of it.
    pub fn park(&mut self, household: HouseholdId) {
        let is_its = |leased: &LeasedLead| leased.lead.household == Some(household);
        let mut parked = Vec::new();
        for queue in [&mut self.retries, &mut self.untried] {
            if queue.iter().any(is_its) {
                let (its, others) = std::mem::take(queue).into_iter().partition(is_its);
                *queue = others;
                parked.extend::<VecDeque<LeasedLead>>(its);
            }
        }
        if !parked.is_empty() {
            self.parked.entry(household).or_default().extend(parked);
        }
    }

    /// The household has no live call any more: its leads come to the front of their queues.
    pub fn unpark(&mut self, household: HouseholdId) {
        for leased in self.parked.remove(&household).into_iter().flatten().rev() {
            self.queue_of(&leased).push_front(leased);
        }
    }

    fn queue_of(&mut self, leased: &LeasedLead) -> &mut VecDeque<LeasedLead> {
        let lead = &leased.lead;
        let timed = lead.next_at.is_some_and(|at| at > Utc::default());
        match (&lead.callback, lead.assigned) {
            (Some(_), _) => &mut self.booked,
            (None, Some(_)) => &mut self.assigned,
            (None, None) if lead.is_first => &mut self.moved_up,
            (None, None) if timed => &mut self.retries,
            (None, None) => &mut self.untried,
        }
    }

    fn waiting(&self) -> impl Iterator<Item = &LeasedLead> {
        let reserved = self.booked.iter().chain(&self.assigned);
        let parked = self.parked.values().flatten();
        self.moved_up.iter().chain(reserved).chain(&self.retries).chain(&self.untried).chain(parked)
    }

    fn queues(&mut self) -> [&mut VecDeque<LeasedLead>; 5] {
        [&mut self.moved_up, &mut self.booked, &mut self.assigned, &mut self.retries, &mut self.untried]
    }

    /// Takes the first eligible lead: any booked callback or assigned lead, or one of the first `look_ahead` of each
    /// other queue. It stays held until `release`.
    pub fn take(
        &mut self,
        look_ahead: usize,
        mut eligible: impl FnMut(&LeasedLead) -> bool,
    ) -> Option<LeasedLead> {
        let bounds = [look_ahead, usize::MAX, usize::MAX, look_ahead, look_ahead];
        for (queue, bound) in self.queues().into_iter().zip(bounds) {
            if let Some(place) = queue.iter().take(bound).position(&mut eligible) {
                return queue.remove(place);
            }
        }
        None
    }

    /// Takes the first eligible booked callback, or else the first eligible assigned lead.
    pub fn take_reserved(&mut self, mut eligible: impl FnMut(&LeasedLead) -> bool) -> Option<LeasedLead> {
        for queue in [&mut self.booked, &mut self.assigned] {
            if let Some(place) = queue.iter().position(&mut eligible) {
                return queue.remove(place);
            }
        }
        None
    }

    /// Whether there are leads for whose call an agent is reserved.
    pub fn has_reserved(&self) -> bool {
        !self.booked.is_empty() || !self.assigned.is_empty()
    }

    /// Whether there are leads that are not assigned to one agent.
    pub fn has_shared(&self) -> bool {
        self.len() > self.assigned.len()
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
        let reserved = [&mut self.moved_up, &mut self.booked, &mut self.assigned];
        let mut is_kept = |waiting: &LeasedLead| {
            let drop = unwanted(&waiting.lead);
            if drop {
                held.remove(&waiting.lead.id);
                returned.push(waiting.lead.id);
            }
            !drop
        };
        for queue in reserved.into_iter().chain([&mut self.retries, &mut self.untried]) {
            queue.retain(&mut is_kept);
        }
        self.parked.retain(|_, parked| {
            parked.retain(&mut is_kept);
            !parked.is_empty()
        });
    }

    /// Changes a waiting lead in place.
    pub fn edit_waiting(&mut self, lead: LeadId, edit: impl Fn(&mut Lead)) {
        let mut edit = |waiting: &mut LeasedLead| {
            if waiting.lead.id == lead {
                edit(&mut waiting.lead);
            }
        };
        self.queues().into_iter().flatten().for_each(&mut edit);
        self.parked.values_mut().flatten().for_each(&mut edit);
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
        self.timed_len() + self.assigned.len() + self.untried.len() + self.parked_len()
    }

    /// Number of leads that wait for the end of a call to their household.
    pub fn parked_len(&self) -> usize {
        self.parked.values().map(Vec::len).sum()
    }

    /// Number of callbacks, retries, and leads that were moved to the front, without those that are parked.
    pub fn timed_len(&self) -> usize {
        self.moved_up.len() + self.booked.len() + self.retries.len()
    }

    /// Number of untried leads, and of those that an agent skipped, without those that are parked.
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

/// A lead with a time or an agent of its own stays in its queue, which is searched to its end.
fn is_parkable(leased: &LeasedLead) -> bool {
    leased.lead.callback.is_none() && leased.lead.assigned.is_none() && !leased.lead.is_first
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
            assigned: None,
            is_first: false,
            version: 0,
        }
    }

    #[test]
    fn leads_moved_to_the_front_come_before_all_and_assigned_leads_hide_nothing() {
        let mut hopper = Hopper::default();
        let assigned = |id| Lead { assigned: Some(crate::ids::AgentId(7)), ..lead(id, None, false) };
        hopper.fill((100..300).map(assigned).collect(), |_| false);
        hopper.fill(vec![lead(1, None, false), lead(2, Some(5), true)], |_| false);
        hopper.fill(vec![Lead { is_first: true, ..lead(3, Some(1), false) }], |_| false);
        let shared = |leased: &LeasedLead| leased.lead.assigned.is_none();
        let order: Vec<i64> =
            std::iter::from_fn(|| hopper.take(64, shared)).map(|leased| leased.lead.id.0).collect();
        assert_eq!(order, [3, 2, 1]);
        assert!(!hopper.has_shared() && hopper.has_reserved() && hopper.len() == 200);
        let own = hopper.take_reserved(|leased| leased.lead.id.0 == 299).expect("the last one");
        assert_eq!(own.lead.id, LeadId(299));
    }

    #[test]
    fn callbacks_come_first_then_retries_then_untried_leads() {
        let mut hopper = Hopper::default();
        hopper.fill(vec![lead(1, None, false), lead(2, Some(5), false)], |_| false);
        hopper.fill(vec![lead(3, Some(9), true), lead(4, Some(7), false), lead(5, None, false)], |_| false);
        let order: Vec<i64> =
            std::iter::from_fn(|| hopper.take(64, |_| true)).map(|leased| leased.lead.id.0).collect();
        assert_eq!(order, [3, 2, 4, 1, 5]);
    }

    #[test]
    fn callbacks_that_must_wait_hide_nothing() {
        let mut hopper = Hopper::default();
        hopper.fill((0..500).map(|id| lead(id, Some(1), true)).collect(), |_| false);
        hopper.fill(vec![lead(900, Some(2), false), lead(901, None, false)], |_| false);
        let next = hopper.take(64, |leased| leased.lead.id.0 >= 499).expect("the last callback");
        assert_eq!(next.lead.id, LeadId(499));
        let next = hopper.take(64, |leased| leased.lead.callback.is_none()).expect("the retry");
        assert_eq!(next.lead.id, LeadId(900));
    }

    #[test]
    fn leads_of_a_household_in_a_call_hide_nothing_and_come_back_in_order() {
        let of = |id, household| Lead { household: Some(HouseholdId(household)), ..lead(id, None, false) };
        let mut hopper = Hopper::default();
        hopper.fill(vec![of(1, 7), of(2, 8), of(3, 7)], |_| false);
        hopper.fill(vec![Lead { next_at: Some(Utc::from_millis(5)), ..of(4, 7) }], |_| false);
        let first = hopper.take(1, |leased| leased.lead.id.0 == 4).expect("the retry");
        hopper.park(HouseholdId(7));
        hopper.fill(vec![of(5, 7), of(6, 9)], |household| household.0 == 7);
        assert_eq!((hopper.parked_len(), hopper.untried_len(), hopper.len()), (3, 2, 5));
        assert!(hopper.find(LeadId(5)).is_some() && hopper.holds(LeadId(5)));
        let next = hopper.take(1, |_| true).expect("the other household's");
        assert_eq!(next.lead.id, LeadId(2));
        hopper.drop_waiting(|lead| lead.id.0 == 3);
        assert_eq!((hopper.take_returned(), hopper.parked_len()), (vec![LeadId(3)], 2));
        hopper.release(first.lead.id);
        hopper.unpark(HouseholdId(7));
        let order: Vec<i64> =
            std::iter::from_fn(|| hopper.take(64, |_| true)).map(|leased| leased.lead.id.0).collect();
        assert_eq!(order, [1, 5, 6]);
    }
}
