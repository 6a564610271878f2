//! What commands print. A closed stdout or stderr ends no command by a panic: the reader has gone, and has what it wanted.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code of a program that a closed pipe ended: 128 and SIGPIPE.
const CLOSED_PIPE: i32 = 141;

static GOES_ON: AtomicBool = AtomicBool::new(false);

/// For commands that hold calls or serve others: without a reader they go on in silence, where others end.
pub(crate) fn go_on_without_reader() {
    GOES_ON.store(true, Ordering::Relaxed);
}

/// Writes to stdout. When its reader has gone, the process ends as other Unix programs do; on a full disk it ends too,
/// and says so.
pub(crate) fn print(text: fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    let Err(error) = out.write_fmt(text).and_then(|()| out.flush()) else { return };
    if GOES_ON.load(Ordering::Relaxed) {
        return;
    }
    if error.kind() != io::ErrorKind::BrokenPipe {
        print_error(format_args!("error: stdout cannot be written: {error}\n"));
        std::process::exit(crate::cli::Exit::Unexpected as i32);
    }
    std::process::exit(CLOSED_PIPE);
}

/// Writes to stderr. There is no other place to say that it is closed.
pub(crate) fn print_error(text: fmt::Arguments<'_>) {
    let _ = io::stderr().lock().write_fmt(text);
}

/// Prints data: a line on stdout.
macro_rules! print_line {
    () => { $crate::output::print(format_args!("\n")) };
    ($($text:tt)+) => { $crate::output::print(format_args!("{}\n", format_args!($($text)+))) };
}

/// Prints data without an end of line.
macro_rules! print_part {
    ($($text:tt)+) => { $crate::output::print(format_args!($($text)+)) };
}

/// Prints what is no data: a line on stderr.
macro_rules! error_line {
    ($($text:tt)+) => { $crate::output::print_error(format_args!("{}\n", format_args!($($text)+))) };
}

pub(crate) use {error_line, print_line, print_part};
