//! What the pacer learns with, each a small value that can be saved: `hazard` (rates by age, censored),
//! `spans` (how long talks and wrap-ups last), `scale` (how much better or worse than usual the list
//! answers just now), `share` (a proportion with memory), `bell` (the normal distribution). No pacing here.

pub mod hazard;
pub mod normal;
pub mod scale;
pub mod share;
pub mod spans;

pub use hazard::Hazard;
pub use scale::Scale;
pub use share::Share;
pub use spans::Spans;
