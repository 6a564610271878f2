//! The brain: people and policy. It knows no SIP and no SQL.
//!
//! The contract: give it one input, take outputs until there are none, sleep until `next_wake`.
//! Same seed, same inputs, same times: same outputs, bit for bit.

pub mod input;
pub mod output;

pub use input::Input;
pub use output::Output;
