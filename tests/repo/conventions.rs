//! Conventions of all sources: a first line, a bounded length, plain words, one place for the clock.

use super::{files, read};

/// Files that may read a clock: the clock module, and three places that time their own work for display only.
const CLOCKS: &[&str] = &["src/net/clock.rs", "src/net/rtp", "src/progress.rs", "src/store/writer.rs"];

const LINES_MAX: usize = 900;

fn sources() -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for dir in ["src", "tests", "benches"] {
        all.extend(files(dir, "rs").iter().map(|file| file.display().to_string()));
    }
    assert!(all.len() > 50, "the sources are found");
    all
}

fn check(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_file_opens_by_saying_what_lives_in_it() {
    let opens = |path: &String| read(path).trim_start_matches("#![no_main]").trim_start().starts_with("//! ");
    let faults: Vec<String> = sources()
        .into_iter()
        .filter(|path| !opens(path))
        .map(|path| format!("{path}:1: no //! line"))
        .collect();
    check(&faults);
}

#[test]
fn no_file_grows_into_a_corridor() {
    let long = |path: String| {
        let lines = read(&path).lines().count();
        (lines > LINES_MAX).then(|| format!("{path}: {lines} lines, at most {LINES_MAX}"))
    };
    check(&sources().into_iter().filter_map(long).collect::<Vec<_>>());
}

#[test]
fn the_clock_is_read_in_its_own_room_alone() {
    let mut faults = Vec::new();
    for path in sources().into_iter().filter(|path| path.starts_with("src/")) {
        let beside_the_code = path.ends_with("tests.rs") || path.contains("/tests/");
        if beside_the_code || CLOCKS.iter().any(|clock| path.starts_with(clock)) {
            continue;
        }
        let text = read(&path);
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(&text);
        for (line, code) in code.lines().enumerate() {
            for clock in ["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"] {
                if code.contains(clock) && !code.trim_start().starts_with("//") {
                    faults.push(format!("{path}:{}: {clock}", line + 1));
                }
            }
        }
    }
    check(&faults);
}

#[test]
fn nothing_unfinished_is_left_behind() {
    // Split, so that this file does not match.
    let marks =
        [["to", "do!("].concat(), ["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["dbg", "!("].concat()];
    let mut faults = Vec::new();
    for path in sources() {
        for (line, text) in read(&path).lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| text.contains(mark.as_str())) {
                faults.push(format!("{path}:{}: {mark}", line + 1));
            }
        }
    }
    check(&faults);
}
