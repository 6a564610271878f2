//! Every answer, each by a lead of its own.
