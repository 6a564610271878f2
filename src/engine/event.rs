//! The closed list of what can wake the loop.

use super::handle::Ask;
use crate::net::rtp::MediaEvent;
use crate::net::sip::SipEvent;
use crate::store::Reply;

#[derive(Debug)]
pub enum Event {
    /// A SIP message, or a connection that failed.
    Sip(SipEvent),
    /// The store wrote something, or cannot.
    Store(Reply),
    /// A media thread heard something.
    Media(MediaEvent),
    /// Somebody knocked at the door.
    Asked(Ask),
    /// A wake was due, or it is time to look at the clock and the board.
    Woken,
}
