//! A world to dial into: people and the simulated carrier.
