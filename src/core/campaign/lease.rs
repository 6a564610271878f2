//! The lease of a lead: from the moment the store hands a lead over until it is written back.
//!
//! The store leases a lead by `Input::LeadsArrived` or `LeadFetched` and does not hand it over again meanwhile. The
//! lease ends with the write of its result (`Output::SaveResult`, `SaveLead`) or, unchanged, by
//! `Output::ReturnLeads`; each leased lead takes exactly one of the two. A restart ends every lease.

use crate::ids::TrunkId;
use crate::lead::Lead;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A leased lead with the trunks that failed for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeasedLead {
    pub lead: Lead,
    /// Trunks that failed for this lead since it was last due: the next one is tried.
    pub tried: BTreeSet<TrunkId>,
}
