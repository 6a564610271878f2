//! Network I/O: SIP sockets, RTP media threads and the clock. Knows addresses, not calls.

pub mod clock;
pub mod dns;
pub mod rtp;
pub mod sip;
