//! Panics that are caught: of libraries that read files of strangers, and of tasks. Each is one line of the log, where the
//! standard hook would print a backtrace.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

thread_local! {
    /// What this thread is at, while its panics are caught.
    static CAUGHT: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Does the work; `None` = it panicked. `what` stands in the log: `reading a workbook`.
pub fn catch<T>(what: &'static str, work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let standard = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match CAUGHT.get() {
            Some(what) => tracing::error!(at = place(info), why = reason(info), "a panic while {what}"),
            None => standard(info),
        }));
    });
    let outer = CAUGHT.replace(Some(what));
    let done = catch_unwind(AssertUnwindSafe(work));
    CAUGHT.set(outer);
    done.ok()
}

/// File and line of the panic.
fn place(info: &PanicHookInfo<'_>) -> String {
    info.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default()
}

/// What it says, on one line.
fn reason(info: &PanicHookInfo<'_>) -> String {
    let said = info.payload_as_str().unwrap_or_default();
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a log").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_caught_panic_is_one_line_of_the_log() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let done = tracing::subscriber::with_default(subscriber, || {
            assert_eq!(catch("reading a table", || 7), Some(7));
            catch("reading a workbook", || {
                assert_eq!(catch("reading a sheet", || panic!("one\ntwo")), None::<u32>);
                panic!("three {}", 3)
            })
        });
        assert_eq!(done, None::<u32>);
        let text = String::from_utf8(log.0.lock().expect("a log").clone()).expect("UTF-8");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        for (line, parts) in
            lines.iter().zip([["reading a sheet", "one two"], ["reading a workbook", "three 3"]])
        {
            assert!(
                parts.iter().all(|part| line.contains(part)) && line.contains("caught_panic.rs:"),
                "{line}"
            );
        }
    }
}
