//! One binary for every integration test; each room is a module of it.

mod cli;
mod day;
mod house;
mod results;
mod store;
