//! The owners' vote of a campaign, counted from its leads.

use crate::config::campaign::vote::VotePlan;
use crate::store::votes::OwnerRow;
use paceline_core::outcome::LeadState;
use paceline_core::vote::{Flat, Owner};

/// Leads as the owners whose vote is counted.
pub fn vote_owners(rows: Vec<OwnerRow>, plan: &VotePlan) -> Vec<Owner> {
    rows.into_iter().map(|row| owner(row, plan)).collect()
}

fn owner(row: OwnerRow, plan: &VotePlan) -> Owner {
    let voice = plan.voice(row.result.as_deref(), row.disposition.as_deref());
    let is_open = [LeadState::Open, LeadState::FollowUp].iter().any(|state| state.word() == row.state);
    let own = Flat { name: row.household, area: row.area };
    let further = row.further.into_iter().map(|(name, area)| Flat { name: Some(name), area });
    Owner { lead: row.lead.0, flats: std::iter::once(own).chain(further).collect(), voice, is_open }
}
