//! One binary; every room is a module of it.

mod results;
mod store;
