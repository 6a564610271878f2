//! Shapes of answers for the agents' desk; a part of [`answers`](super::answers).

use super::answers::{Moment, answers};
use schemars::JsonSchema;
use std::collections::BTreeMap;

answers! {
    /// Days from Monday on, and minutes since local midnight.
    DeskWindow { days: [bool; 7], from: u16, to: u16, }
    Colleague { number: String, name: String, activity: String, }
    Colleagues { items: Vec<Colleague>, }
    DeskLeadView {
        lead: i64,
        campaign: Option<String>,
        name: Option<String>,
        household: Option<String>,
        state: String,
        /// When it is due; `null` = at once, or it is closed.
        next_at: Option<Moment>,
        disposition: Option<String>,
        last_outcome: Option<String>,
        last_at: Option<Moment>,
    }
    DeskLeads {
        items: Vec<DeskLeadView>,
        /// `after` of the next page; empty on the last.
        next: Option<i64>,
        /// Leads by state.
        counts: BTreeMap<String, u64>,
    }
    Fetched { fetched: u64, }
    DeskCallback {
        lead: i64,
        campaign: Option<String>,
        name: Option<String>,
        household: Option<String>,
        at: Moment,
        /// Booked for the caller; otherwise for anyone of the group.
        own: bool,
        skill: Option<String>,
    }
    DeskCallbacks { items: Vec<DeskCallback>, }
}
