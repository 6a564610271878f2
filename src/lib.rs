//! Paceline, an outbound dialer. Modules in reading order; the pure dialer core is `paceline_core`.

/// Configuration: `paceline.toml`, campaign files and the environment, parsed and checked at once.
pub mod config;

/// Panics that are caught, as lines of the log.
mod caught_panic;

/// Forms of numbers on a trunk: which digits leave for a callee and a caller ID.
pub mod dialplan;

/// Network edge: SIP sockets, RTP ports and the 20 ms media threads, the clock.
pub mod net;

/// Announcements and prompts: WAV and MP3 files, decoded once, levelled, encoded per codec.
pub mod audio;

/// Call-list import: files in, clean leads and refused rows out. The only user of polars besides `results`.
pub mod lists;

/// The SQLite store; the only module with SQL.
pub mod store;

/// The object store: bytes that people send, and files made for them.
pub mod files;

/// Long work on uploads: checking, loading and undoing lists, measuring sounds.
pub mod tasks;

/// The journal: records every dialer input so that a day can be replayed.
pub mod journal;

/// Result files: attempts, leads and the summary.
pub mod results;

/// The engine loop around the dialer: select an event, handle it, carry out the outputs.
pub mod engine;

/// Prometheus series, one line each.
pub mod metrics;

/// The HTTP API and its server.
pub mod console;

/// Command-line arguments as clap types.
pub mod cli;

/// What commands print, and how they end when nobody reads it.
mod output;

/// Implementation of each command.
pub mod commands;

/// Progress view of `paceline run` on the terminal.
pub mod progress;

/// Files that only the user of the process may read.
pub mod private_file;

/// Secrets under the installation's key.
pub mod sealed;

/// Terminal and API texts, in English and Chinese.
pub mod text;

/// Simulation: callees, agents and their phones, and the carrier.
pub mod sim;
