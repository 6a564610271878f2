//! Writing messages.
