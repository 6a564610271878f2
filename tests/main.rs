//! One binary for every integration test; each room is a module of it.

mod call;
mod day;
mod lists;
mod media;
mod results;
mod store;
