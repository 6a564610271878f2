//! The pure part of Paceline: no clock, no socket, no file, no async.
//!
//! Everything that happens arrives as a value, everything that is wanted leaves as a value, and
//! `now` is an argument. So a day of calling runs in a second, and a failure is a number: its seed.
//! The dependency list in `Cargo.toml` is the proof. In reading order:

/// Moments and spans: [`time::Time`] counts from the start, [`time::Utc`] is the wall clock.
pub mod time;

/// Newtypes for every id that crosses a wall.
pub mod ids;

/// [`number::PhoneNumber`]: E.164, or it does not exist.
pub mod number;

/// What the line told us ([`outcome::Outcome`]) and why a lead was never dialled ([`outcome::Reason`]).
pub mod outcome;

/// A person to call, with her phones and her household.
pub mod lead;

/// People on phones: availability and activity, what they may ask for, why they are refused.
pub mod agent;

/// One outbound call, from placed to ended.
pub mod call;

/// One campaign's rules: windows, retries, caller IDs, the announcement and its keys.
pub mod campaign;

/// How many calls to place now, and why.
pub mod pacing;

/// The brain: `handle(now, Input)`, `poll() -> Output`, `next_wake()`.
pub mod dialer;

/// Why nothing is dialled, and why not this lead: a closed list of answers.
pub mod explain;

/// Offer and answer (RFC 4566, RFC 3264).
pub mod sdp;

/// SIP without sockets: messages, transactions, dialogs, the user agent.
pub mod sip;

/// RTP, RTCP, codecs and digits as bytes and numbers.
pub mod media;
