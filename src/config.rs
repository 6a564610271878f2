//! `paceline.toml`, campaign files and the environment: parsed once, checked whole.
