//! Bytes to and from the world; knows addresses, not calls.

pub mod clock;
pub mod rtp;
pub mod sip;
