//! Estimators of the pacer, each a small serialisable value: `hazard` (rates by age, censored), `durations`
//! (durations of talks and wrap-ups), `scale` (how much better or worse than usual the list answers now),
//! `share` (a proportion with memory), `normal` (the normal distribution). No pacing here.

pub mod durations;
pub mod hazard;
pub mod normal;
pub mod scale;
pub mod share;

pub use durations::Durations;
pub use hazard::Hazard;
pub use scale::Scale;
pub use share::Share;
