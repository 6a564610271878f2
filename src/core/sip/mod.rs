//! SIP without sockets: bytes and `now` come in; datagrams, events and the next deadline go out. Bottom up,
//! each module using only earlier ones: `grammar` (character classes, quoting), `params`, `method`, `uri`,
//! `headers`, `auth` (digest challenge and response), `message` (parser), `multipart` (bodies in parts), `build` (writer), `frame` (stream
//! framing), `outline` (start line and Call-ID alone), `transaction` (retransmission, Timers A to M), `peer`, `dialog`, `session_timer`, `verdict`,
//! `registrar` (bindings of agents' phones) and `user_agent`, the module other rooms mostly use.

pub mod auth;
pub mod build;
pub mod dialog;
pub mod frame;
pub(crate) mod grammar;
pub mod headers;
pub mod message;
mod method;
pub mod multipart;
#[cfg(test)]
pub(crate) mod mutation;
#[cfg(test)]
mod oracle;
pub mod outline;
pub(crate) mod params;
mod peer;
pub mod registrar;
pub mod session_timer;
#[cfg(test)]
mod torture;
pub mod transaction;
pub mod uri;
pub mod user_agent;
pub mod verdict;

pub use user_agent::{UaEvent, UaOutput, UserAgent};
