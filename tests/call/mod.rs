//! Calls over loopback against SIPp, which follows scenarios that we wrote, and against our own carrier.

mod carrier;
mod dial;
mod scenarios;
pub mod sipp;
