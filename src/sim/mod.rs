//! A world to dial into: people and the simulated carrier.

/// A store in memory with the rules of the real one.
pub mod books;

/// A day of calling in virtual time.
pub mod day;
