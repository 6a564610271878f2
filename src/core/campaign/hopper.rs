//! The hopper: a small buffer of leads that may be dialled next, in the order the store gave them.

use crate::ids::{LeadId, TrunkId};
use crate::lead::Lead;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// A lead with what this process has learnt about its way out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    pub lead: Lead,
    /// Trunks that failed for this lead since it was last due: the next one is tried.
    pub tried: BTreeSet<TrunkId>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hopper {
    waiting: VecDeque<Waiting>,
    /// Leads in the hopper or in a call: none comes in twice.
    held: BTreeSet<LeadId>,
    /// Let go with nothing written of them: the store is to know, or it would keep them lent for ever.
    given_back: Vec<LeadId>,
}

impl Hopper {
    /// Takes the leads that are not held already and says how many those were.
    pub fn fill(&mut self, leads: Vec<Lead>) -> usize {
        let before = self.waiting.len();
        for lead in leads {
            if self.held.insert(lead.id) {
                self.waiting.push_back(Waiting { lead, tried: BTreeSet::new() });
            }
        }
        self.waiting.len() - before
    }

    /// The first waiting lead, among the first `look_ahead`, that `eligible` likes. It stays held
    /// until `release`.
    pub fn take(&mut self, look_ahead: usize, mut eligible: impl FnMut(&Waiting) -> bool) -> Option<Waiting> {
        let place = self.waiting.iter().take(look_ahead).position(&mut eligible)?;
        self.waiting.remove(place)
    }

    /// Who is next, if nothing stands in the way.
    pub fn first(&self) -> Option<&Waiting> {
        self.waiting.front()
    }

    /// Back to the front: the same lead by another trunk.
    pub fn put_first(&mut self, waiting: Waiting) {
        self.held.insert(waiting.lead.id);
        self.waiting.push_front(waiting);
    }

    /// Back to the end: somebody looked at it and let it be.
    pub fn put_last(&mut self, waiting: Waiting) {
        self.held.insert(waiting.lead.id);
        self.waiting.push_back(waiting);
    }

    /// Keeps a lead out of the hopper: it is being called by other ways.
    pub fn hold(&mut self, lead: LeadId) {
        self.held.insert(lead);
    }

    /// Whether it is in a call or on a screen (or waits here).
    pub fn holds(&self, lead: LeadId) -> bool {
        self.held.contains(&lead)
    }

    /// The lead's fate is written down (or it is forgotten): it may come in again.
    pub fn release(&mut self, lead: LeadId) {
        self.held.remove(&lead);
    }

    /// Let go as it was, with nothing to write: the store may lend it anew.
    pub fn give_back(&mut self, lead: LeadId) {
        self.held.remove(&lead);
        self.given_back.push(lead);
    }

    /// Drops waiting leads and gives them back.
    pub fn drop_waiting(&mut self, mut unwanted: impl FnMut(&Lead) -> bool) {
        let (held, given_back) = (&mut self.held, &mut self.given_back);
        self.waiting.retain(|waiting| {
            let drop = unwanted(&waiting.lead);
            if drop {
                held.remove(&waiting.lead.id);
                given_back.push(waiting.lead.id);
            }
            !drop
        });
    }

    /// What was given back since this was asked last.
    pub fn take_given_back(&mut self) -> Vec<LeadId> {
        std::mem::take(&mut self.given_back)
    }

    /// A waiting lead, and how many stand before it.
    pub fn find(&self, lead: LeadId) -> Option<(usize, &Waiting)> {
        self.waiting.iter().enumerate().find(|(_, waiting)| waiting.lead.id == lead)
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Leads in the hopper or in a call.
    pub fn held(&self) -> usize {
        self.held.len()
    }
}
