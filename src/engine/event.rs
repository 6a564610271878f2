//! The closed list of events that wake the loop.

use super::handle::EngineRequest;
use crate::net::rtp::MediaEvent;
use crate::net::sip::SipEvent;
use crate::store::Reply;

#[derive(Debug)]
pub enum Event {
    /// A SIP message, or a connection that failed.
    Sip(SipEvent),
    /// A reply of the store: a commit, or that it cannot write.
    Store(Reply),
    /// A media thread reports a digit, an end of play, a measurement or a recording.
    Media(MediaEvent),
    /// A request through the engine handle.
    Request(EngineRequest),
    /// A timer of the dialer or the user agent is due, or the board is.
    Woken,
}
