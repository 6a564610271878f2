//! What commands print. A closed stdout or stderr ends no command by a panic: the reader has gone, and has what it wanted.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The exit code of a program that a closed pipe ended: 128 and SIGPIPE.
const CLOSED_PIPE: i32 = 141;

/// Interval of looks at a stdout on which nothing is printed.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

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

/// A line as a terminal may show it: names and notes of lists are data, and could move the cursor or set a title. What
/// is no text stands in it as a code. The end of a line and a tab are text.
pub(crate) fn line_of_text(text: fmt::Arguments<'_>) -> String {
    let mut line = String::new();
    for letter in text.to_string().chars() {
        match letter {
            '\n' | '\t' => line.push(letter),
            // Marks that turn the direction of all that follows them are shown in no other way.
            _ if letter.is_control()
                || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                line.extend(letter.escape_unicode());
            }
            _ => line.push(letter),
        }
    }
    line.push('\n');
    line
}

/// Resolves once nobody reads stdout any more, which a command that only now and then prints would not notice.
pub(crate) async fn reader_gone() {
    let mut again = tokio::time::interval(LOOK_AGAIN);
    loop {
        again.tick().await;
        let stdout = io::stdout();
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let gone = PollFlags::ERR | PollFlags::HUP;
        if poll(&mut watched, Some(&now)).is_ok_and(|ready| ready > 0)
            && watched[0].revents().intersects(gone)
        {
            return;
        }
    }
}

/// The exit code of a command whose reader has gone.
pub(crate) fn end_without_reader() -> ! {
    std::process::exit(CLOSED_PIPE)
}

/// Prints data: a line on stdout.
macro_rules! print_line {
    () => { $crate::output::print(format_args!("\n")) };
    ($($text:tt)+) => {
        $crate::output::print(format_args!("{}", $crate::output::line_of_text(format_args!($($text)+))))
    };
}

/// Prints data without an end of line.
macro_rules! print_part {
    ($($text:tt)+) => { $crate::output::print(format_args!($($text)+)) };
}

/// Prints what is no data: a line on stderr.
macro_rules! error_line {
    ($($text:tt)+) => {
        $crate::output::print_error(format_args!("{}", $crate::output::line_of_text(format_args!($($text)+))))
    };
}

pub(crate) use {error_line, print_line, print_part};

#[cfg(test)]
mod tests {
    use super::line_of_text;

    #[test]
    fn a_line_holds_no_signs_that_a_terminal_obeys() {
        let hostile = "王\u{1b}[2J\u{9b}31m\r芳\u{202e}txt\ttab\nnext";
        let line = line_of_text(format_args!("{hostile}"));
        assert_eq!(line, "王\\u{1b}[2J\\u{9b}31m\\u{d}芳\\u{202e}txt\ttab\nnext\n");
    }
}
