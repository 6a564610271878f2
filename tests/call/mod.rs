//! Calls over loopback against SIPp, which follows our scenarios, and against the simulated carrier.

mod carrier;
mod dial;
mod phones;
mod scenarios;
mod service;
pub mod sipp;
mod softphone;
