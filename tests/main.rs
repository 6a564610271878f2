//! One binary for all integration tests; each folder is a module.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod call;
mod cases;
mod cli;
mod console;
mod day;
mod files;
mod floor;
mod lists;
mod media;
mod repo;
mod results;
mod store;
mod whole;
