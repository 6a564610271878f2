//! Cutting a stream into messages.
