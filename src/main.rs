//! Parses the arguments, starts the log and the tokio runtime, runs the command.

use clap::Parser;
use paceline::cli::{Cli, Exit};
use paceline::commands;
use std::io::Write;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = match EnvFilter::try_new(&cli.global.log) {
        Ok(filter) => filter,
        Err(error) => {
            say(format_args!("--log {}: {error}", cli.global.log));
            return ExitCode::from(Exit::Usage as u8);
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(format_args!("the run time cannot start: {error}"));
            return ExitCode::from(Exit::Unexpected as u8);
        }
    };
    let exit = runtime.block_on(commands::carry_out(cli));
    ExitCode::from(exit as u8)
}

/// A closed stderr is no reason to panic.
fn say(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "error: {text}");
}
