//! One binary for every integration test; each room is a module of it.

mod lists;
