//! The journal: every input of the dialer with its time, and a fingerprint of its outputs. Each segment
//! starts with the dialer's whole state, so any of them can be replayed by itself.

mod call_trace;
mod format;
mod read;
mod timeline;
mod write;

pub use call_trace::{
    AgentAtAnswer, CallTrace, CallTracer, FOLLOWED_AFTER_END, TraceEntry, TraceEvent, TraceTarget,
};
pub use read::{
    Difference, Replay, ReplayError, ReplayObserver, SegmentSpan, files, replay, replay_files,
    replay_with_shadow, segment_spans,
};
pub use timeline::{AgentState, Decided, Row, RowSubject, Span, State, Timeline, Window};
pub use write::{JournalConfig, JournalWriter};
