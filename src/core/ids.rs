//! Newtypes for ids. Numbers, so that they are cheap, ordered and replayable.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A campaign, as the store numbers it.
    CampaignId(i64)
);
id!(
    /// A lead (one list row that was taken), as the store numbers it.
    LeadId(i64)
);
id!(
    /// A household within its campaign, as the store numbers it.
    HouseholdId(i64)
);
id!(
    /// An agent, as the store numbers it.
    AgentId(i64)
);
id!(
    /// One attempt on one number. Assigned by the dialer, ascending, never used twice in one store.
    AttemptId(i64)
);
id!(
    /// One leg of one call. For an outbound attempt it is the attempt's own number.
    CallId(u64)
);
id!(
    /// A mix: legs that hear each other. Never used twice in one process.
    MixId(u64)
);
id!(
    /// A trunk, as the store numbers it, from 1.
    TrunkId(u16)
);
id!(
    /// A group of agents, as the store numbers it.
    GroupId(i64)
);

id!(
    /// A register of caller IDs, by its enterprise, as the store numbers it.
    RegisterId(i64)
);

/// No trunk has this one.
impl Default for TrunkId {
    fn default() -> Self {
        TrunkId(0)
    }
}

/// The register of the first enterprise, to which everything belongs that a command or a file makes.
impl Default for RegisterId {
    fn default() -> Self {
        RegisterId(1)
    }
}

impl AttemptId {
    /// The call of this attempt.
    pub fn call(self) -> CallId {
        CallId(self.0 as u64)
    }
}

/// Legs that are no attempts (agents' phones, consulted parties) have this bit set.
const SIDE_LEG: u64 = 1 << 62;

impl CallId {
    /// The `n`th leg of this process that is no attempt.
    pub fn side_leg(n: u64) -> Self {
        CallId(SIDE_LEG | n)
    }

    /// Inbound calls have this bit set.
    pub const FIRST_FROM_OUTSIDE: CallId = CallId(1 << 63);

    /// Whether this leg is an agent's or a consulted party's, and no attempt.
    pub fn is_side_leg(self) -> bool {
        self.0 & SIDE_LEG != 0
    }

    /// The attempt of this call.
    pub fn attempt(self) -> AttemptId {
        AttemptId(self.0 as i64)
    }
}
