//! The journal: every input of the dialer with its time, and a fingerprint of its outputs. Each segment
//! starts with the dialer's whole state, so any of them can be replayed by itself.

mod call_trace;
mod format;
mod read;
mod timeline;
mod write;

pub use call_trace::{AgentThere, Happened, Stories, Story, TraceEntry, Wanted};
pub use read::{
    Covered, Difference, Replay, ReplayError, ReplayObserver, covered, files, replay, replay_files,
    replay_shadowed,
};
pub use timeline::{AgentState, Decided, Row, RowOf, Span, State, Timeline, Window};
pub use write::{JournalConfig, JournalWriter};
