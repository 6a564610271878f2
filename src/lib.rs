//! Paceline, an outbound dialer. The rooms, in reading order; the brain is `paceline_core`.

/// `paceline.toml`, campaign files and the environment: parsed once, checked whole.
pub mod config;

/// Bytes to and from the world: SIP sockets, RTP ports and the 20 ms media threads, the clock.
pub mod net;

/// Announcements: WAV and MP3 files, decoded once, levelled, encoded per codec.
pub mod audio;

/// Lists in, clean leads and refused rows out. polars lives here and nowhere else.
pub mod lists;

/// SQL lives here and nowhere else.
pub mod store;

/// Every input of the dialer, written down so that a day can be replayed.
pub mod journal;

/// Results: attempts, leads and the summary as files for people and scripts.
pub mod results;

/// The loop around the brain: select, handle, carry out.
pub mod engine;

/// Every series, one line each.
pub mod metrics;

/// What machines and people ask over HTTP.
pub mod console;

/// The command line, as types.
pub mod cli;

/// What each command does.
pub mod commands;

/// The progress view on the terminal.
pub mod progress;

/// The words people read on the terminal, in English and Chinese.
pub mod text;

/// A world to dial into: people and the simulated carrier.
pub mod sim;
