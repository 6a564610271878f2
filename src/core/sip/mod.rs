//! SIP without sockets. Bytes and `now` come in; datagrams, events and the next deadline go out.
//! Bottom up: `message` (parser), `uri`, `headers`, `build`, `frame`, `auth`, `transaction`,
//! `dialog`, `session_timer`, `verdict`, and `user_agent`, the only part that the rest of the house
//! talks to.

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
