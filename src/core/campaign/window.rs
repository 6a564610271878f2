//! Calling hours in the campaign's time zone. The zone travels by name and its rules as data, so
//! daylight saving and midnight are arithmetic here and nowhere else.

use crate::time::Utc;
use serde::{Deserialize, Serialize};

/// One line of `windows`: these days, from this minute of the day to that one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayWindow {
    /// Monday first.
    pub days: [bool; 7],
    /// Minutes since local midnight, 0 to 1439.
    pub from_minute: u16,
    /// Minutes since local midnight, 1 to 1440 (`24:00`). If not after `from_minute`, the window
    /// ends on the following day (a window over midnight belongs to the day it starts on).
    pub to_minute: u16,
}

/// All windows of a campaign. Empty = at any time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallingWindows {
    /// IANA name, for example `Asia/Shanghai`.
    pub timezone: String,
    pub windows: Vec<DayWindow>,
}

/// Where a moment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WindowState {
    /// Open until then (exclusive). `Utc::from_millis(i64::MAX)` = always open.
    OpenUntil(Utc),
    /// Closed until then. `None` = never opens again.
    ClosedUntil(Option<Utc>),
}
