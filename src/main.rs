//! Arguments, configuration, build, serve, drain.

fn main() {}
