//! Changes of leads by people in the store in memory, with the rules of the real one: no lead is changed while a call to
//! it is up, and each change makes older copies of the lead worthless.

use super::memory_store::MemoryStore;
use paceline_core::ids::{AgentId, LeadId};
use paceline_core::lead::Callback;
use paceline_core::outcome::{LeadState, Reason};
use paceline_core::time::Utc;

/// What a person does to one lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeadChange {
    Close,
    Reopen,
    First,
    Assign(AgentId),
    Unassign,
    Book { at: Utc, agent: Option<AgentId> },
}

impl LeadChange {
    /// Whether the lead may be called before its retry is due, or although it was closed.
    pub fn calls_anew(self) -> bool {
        matches!(self, LeadChange::Reopen | LeadChange::First | LeadChange::Book { .. })
    }
}

/// A change that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedLead {
    pub at: Utc,
    pub lead: LeadId,
    pub change: LeadChange,
}

/// Moved to the front: due before every retry, and after the epoch, which stands for untried leads.
const FRONT: Utc = Utc::from_millis(1);

impl MemoryStore {
    /// Changes a lead; `false` = its call is up, or its state does not admit this.
    pub fn change_lead(&mut self, id: LeadId, change: LeadChange, now: Utc) -> bool {
        if self.is_called(id) {
            return false;
        }
        let blacklisted = self.is_blacklisted(id);
        let Some(stored) = self.lead(id) else { return false };
        let (state, next_at) = (stored.state, stored.lead.next_at);
        let is_booked = state == LeadState::FollowUp && next_at.is_some();
        let is_open = state == LeadState::Open || is_booked;
        let admits = match change {
            LeadChange::Close => is_open || state == LeadState::FollowUp,
            LeadChange::Reopen => state != LeadState::Open && !blacklisted,
            LeadChange::First => state == LeadState::Open,
            LeadChange::Assign(_) => is_open,
            LeadChange::Unassign => is_open && stored.lead.assigned.is_some(),
            LeadChange::Book { at, .. } => at > now && !blacklisted,
        };
        if !admits {
            return false;
        }
        self.rewrite(id, |stored| {
            let lead = &mut stored.lead;
            lead.version += 1;
            match change {
                LeadChange::Close => {
                    (stored.state, stored.reason) = (LeadState::Failed, Some(Reason::Stopped))
                }
                LeadChange::Reopen => {
                    (stored.state, stored.reason) = (LeadState::Open, None);
                    (lead.next_at, lead.callback) = (None, None);
                }
                LeadChange::First => (lead.next_at, lead.is_first) = (Some(FRONT), true),
                LeadChange::Assign(agent) => lead.assigned = Some(agent),
                LeadChange::Unassign => lead.assigned = None,
                LeadChange::Book { at, agent } => {
                    (stored.state, stored.reason) = (LeadState::FollowUp, None);
                    (lead.next_at, lead.callback) = (Some(at), Some(Callback { agent, skill: None }));
                }
            }
            if change.calls_anew() {
                lead.phones.iter_mut().for_each(|phone| phone.next_at = None);
            }
        });
        if matches!(change, LeadChange::Reopen | LeadChange::Book { .. }) {
            self.open_phones(id);
        }
        self.note_change(ChangedLead { at: now, lead: id, change });
        true
    }
}
