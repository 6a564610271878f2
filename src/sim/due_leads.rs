//! The open leads of a store in memory, in the order in which they are due. Those that one agent has been given are
//! kept apart: each dialer's request looks at all of them, and at no more of the others than it takes.

use paceline_core::ids::LeadId;
use paceline_core::lead::Lead;
use paceline_core::time::Utc;
use std::collections::BTreeSet;

/// Open leads by the moment from which they may be called; leads without one come at the epoch.
#[derive(Clone, Debug, Default)]
pub(super) struct DueLeads {
    /// For any agent, and booked callbacks.
    free: BTreeSet<(Utc, LeadId)>,
    /// For one agent, without a callback.
    assigned: BTreeSet<(Utc, LeadId)>,
}

/// The first lead with a time of its own.
const FIRST_TIMED: (Utc, LeadId) = (Utc::from_millis(1), LeadId(i64::MIN));

impl DueLeads {
    pub fn insert(&mut self, lead: &Lead) {
        let is_assigned = lead.assigned.is_some() && lead.callback.is_none();
        let leads = if is_assigned { &mut self.assigned } else { &mut self.free };
        leads.insert(key(lead));
    }

    /// Removes the lead as it was inserted: before any of its times changes.
    pub fn remove(&mut self, lead: &Lead) {
        let key = key(lead);
        self.free.remove(&key);
        self.assigned.remove(&key);
    }

    pub fn all(&self) -> impl Iterator<Item = LeadId> {
        self.free.iter().chain(&self.assigned).map(|(_, id)| *id)
    }

    /// Retries and callbacks for any agent, by their time.
    pub fn timed(&self) -> impl Iterator<Item = (Utc, LeadId)> {
        self.free.range(FIRST_TIMED..).copied()
    }

    /// Leads for any agent that have no time of their own, by their id.
    pub fn untimed(&self) -> impl Iterator<Item = LeadId> {
        self.free.range(..FIRST_TIMED).map(|(_, id)| *id)
    }

    /// Leads of one agent: those with a time first.
    pub fn assigned(&self) -> impl Iterator<Item = (Utc, LeadId)> {
        self.assigned.range(FIRST_TIMED..).chain(self.assigned.range(..FIRST_TIMED)).copied()
    }
}

fn key(lead: &Lead) -> (Utc, LeadId) {
    (lead.next_at.unwrap_or_default(), lead.id)
}
