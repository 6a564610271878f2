//! A lead: phones in order, household, and what has been tried so far.

use crate::ids::{AgentId, HouseholdId, LeadId};
use crate::number::PhoneNumber;
use crate::outcome::Outcome;
use crate::time::Utc;
use serde::{Deserialize, Serialize};

/// One open lead as the store leases it to the hopper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    pub id: LeadId,
    /// The row in the list, where the header is row 1.
    pub row: u64,
    pub household: Option<HouseholdId>,
    /// In the order in which they are tried. Never empty.
    pub phones: Vec<Phone>,
    /// Not to be dialled before this moment.
    pub next_at: Option<Utc>,
    /// Attempts that did not count (trunk faults and the like), so that they stay bounded.
    pub uncounted: u32,
    /// A booked callback, due at `next_at`.
    pub callback: Option<Callback>,
    /// The agent who spoke with this household last.
    pub last_agent: Option<AgentId>,
    /// The agent who alone calls this lead.
    pub assigned: Option<AgentId>,
    /// A person moved it to the front.
    pub is_first: bool,
    /// How often people changed the lead. The store opens no attempt on a copy from before a change.
    pub version: i64,
}

/// Which agents may take a callback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// `None` = any agent of the group.
    pub agent: Option<AgentId>,
    /// Only agents with this skill.
    pub skill: Option<String>,
}

impl Lead {
    /// When the first open phone is due; `None` = every phone is closed. A phone that was never tried is
    /// due at once, returned as the epoch.
    pub fn earliest(&self) -> Option<Utc> {
        self.phones.iter().filter(|phone| !phone.closed).map(|phone| phone.next_at.unwrap_or_default()).min()
    }
}

/// One number of a lead with its attempts for this lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    pub number: PhoneNumber,
    /// Attempts that counted, in this campaign.
    pub attempts: u32,
    pub last_outcome: Option<Outcome>,
    pub last_at: Option<Utc>,
    /// Not to be dialled before this moment; `None` = at once.
    pub next_at: Option<Utc>,
    /// No more attempts on this number: its last outcome was final, or its attempts are used up.
    pub closed: bool,
}

impl Phone {
    pub fn new(number: PhoneNumber) -> Self {
        Phone { number, attempts: 0, last_outcome: None, last_at: None, next_at: None, closed: false }
    }
}
