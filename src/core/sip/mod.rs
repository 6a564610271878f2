//! SIP without sockets: bytes and `now` come in; datagrams, events and the next deadline go out. Bottom up:
//! `message` (parser), `uri`, `headers`, `build`, `frame` (stream framing), `auth` (digest challenge and
//! response), `transaction` (retransmission, Timers A to M), `dialog`, `session_timer`, `verdict`,
//! `registrar` (bindings of agents' phones) and `user_agent`, the only module other rooms use.

pub mod auth;
pub mod build;
pub mod dialog;
pub mod frame;
pub mod headers;
pub mod message;
#[cfg(test)]
pub(crate) mod mutation;
#[cfg(test)]
mod oracle;
pub mod registrar;
pub mod session_timer;
#[cfg(test)]
mod torture;
pub mod transaction;
pub mod uri;
pub mod user_agent;
pub mod verdict;

pub use user_agent::{UaEvent, UaOutput, UserAgent};
