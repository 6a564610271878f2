//! Calls over loopback against SIPp, which follows scenarios that we wrote, and against our own carrier.

mod carrier;
mod dial;
mod phones;
mod scenarios;
mod service;
pub mod sipp;
mod softphone;
