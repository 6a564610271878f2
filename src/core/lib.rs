//! The pure part of Paceline: no clock, no socket, no file, no async.
//!
//! Every event arrives as a value, every effect leaves as a value, and `now` is an argument. So a day of
//! calling runs in a second, and a failure is reproduced from its seed. The dependency list in `Cargo.toml`
//! is the proof. In reading order:

/// Moments and spans: [`time::Time`] counts from the start, [`time::Utc`] is the wall clock.
pub mod time;

/// Newtypes for ids.
pub mod ids;

/// [`number::PhoneNumber`]: a valid E.164 number that may be dialled.
pub mod number;

/// [`number_pattern::NumberPattern`]: one number or a range of numbers, as a blacklist names them.
pub mod number_pattern;

/// The time zones in which a number's owner may be.
pub mod number_zone;

/// The outcome of an attempt ([`outcome::Outcome`]) and why a lead was never dialled ([`outcome::Reason`]).
pub mod outcome;

/// A lead: phones and household.
pub mod lead;

/// Text cells for files that a spreadsheet opens.
pub mod spreadsheet;

/// Agents: availability, activity, actions, refusals.
pub mod agent;

/// One call, from placed to ended.
pub mod call;

/// The bounded record of what one call did: SIP messages, keys, plays, with times.
pub mod call_steps;

/// The kinds of notes in that record.
pub mod call_note;

/// One campaign's rules: windows, retries, caller IDs, the announcement and its keys.
pub mod campaign;

/// Whether a caller ID is answered less often than the others, with the error of that judgement.
pub mod caller_id_health;

/// From the application for a caller ID to its retirement.
pub mod caller_id_life;

/// The count of an owners' vote by heads and by area.
pub mod vote;

/// How many calls to place now, and why.
pub mod pacing;

/// The dialer: `handle(now, Input)`, `poll() -> Output`, `next_wake()`.
pub mod dialer;

/// Whether refused calls speak of their callees or of the line: the guard of a trunk.
pub mod line_guard;

/// Why a campaign or a lead is not dialled: a closed list of answers.
pub mod explain;

/// Offer and answer (RFC 4566, RFC 3264).
pub mod sdp;

/// SIP without sockets: messages, transactions, dialogs, the user agent.
pub mod sip;

/// RTP, RTCP, codecs and digits as bytes and numbers.
pub mod media;
