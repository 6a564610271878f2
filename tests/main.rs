//! One binary for every integration test; each room is a module of it.

mod call;
mod cli;
mod day;
mod house;
mod lists;
mod media;
mod results;
mod store;
