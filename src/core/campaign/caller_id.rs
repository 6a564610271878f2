//! Which registered number a call shows: rotation, stickiness, caps per hour and day.

use crate::number::PhoneNumber;
use serde::{Deserialize, Serialize};

/// A number the campaign may show. `shown` is what the trunk sends (`075512345678`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerId {
    pub number: PhoneNumber,
    pub shown: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// The first until its cap, then the next.
    InOrder,
    RoundRobin,
    Random,
    LeastUsed,
    /// A number of the callee's own area code first, then the least used.
    Region,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIdRules {
    /// Empty = the trunk's own identity.
    pub numbers: Vec<CallerId>,
    pub rotation: Rotation,
    /// A household sees the same number again.
    pub sticky: bool,
    /// `None` = no cap.
    pub per_hour_max: Option<u32>,
    pub per_day_max: Option<u32>,
    /// A new number starts slowly.
    pub warm_up: bool,
}
