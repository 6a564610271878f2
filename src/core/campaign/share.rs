//! What a campaign asks of lines that it shares with other campaigns.

use serde::{Deserialize, Serialize};

/// How lines that several campaigns want are divided: first those reserved, then by priority, within one priority by
/// weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// 1 is first.
    pub priority: u8,
    /// Among campaigns of one priority; at least 1.
    pub weight: u32,
    /// Lines that no other campaign takes while this one may call.
    pub lines_reserved: u32,
}

impl Share {
    pub const PRIORITY_MAX: u8 = 9;
    pub const WEIGHT_MAX: u32 = 100;
}

impl Default for Share {
    fn default() -> Self {
        Share { priority: 5, weight: 1, lines_reserved: 0 }
    }
}
