//! Conventions of all sources: a first line, a bounded length, plain words, one place for the clock.

use super::{files, read};

/// Files that may read a clock: the clock module, and three places that time their own work for display only.
const CLOCKS: &[&str] = &["src/net/clock.rs", "src/net/rtp", "src/progress.rs", "src/store/writer.rs"];

const LINES_MAX: usize = 900;

/// Words that comments do not use, with the plain ones. Matched as whole words in lower case; text in backticks
/// and string literals are not checked.
const COMMENT_WORDS: &[(&str, &str)] = &[
    ("she", "the agent, the callee, they"),
    ("her", "the agent's, the callee's, their"),
    ("hers", "the agent's, the callee's"),
    ("herself", "the agent, the callee"),
    ("he", "the caller, the callee, they"),
    ("him", "the caller, the callee, them"),
    ("his", "the caller's, the callee's, their"),
    ("ballast", "disk reserve"),
    ("brain", "dialer"),
    ("dice", "random source"),
    ("knocks", "sends a request"),
    ("lent", "leased"),
    ("story", "trace, history, record"),
    ("told", "notified, informed, reported"),
    ("let go of", "released"),
    ("lets go of", "releases"),
    ("the books", "the store"),
    ("the door", "the state, the API, the handle"),
    ("the gate", "the check, authentication, admission"),
    ("the house", "the service, the process"),
];

/// Openings of a sentence in a comment that hide its subject.
const COMMENT_OPENINGS: &[&str] =
    &["Whoever", "Whomever", "Nobody", "Somebody", "Someone", "Everybody", "Everyone", "Anybody"];

/// Words that test names do not use, and words with which none begins.
const TEST_NAME_WORDS: &[&str] = &[
    "she", "her", "hers", "herself", "he", "him", "his", "ballast", "brain", "dice", "lent", "story", "told",
];
const TEST_NAME_OPENINGS: &[&str] =
    &["whoever", "who", "whom", "what", "whatever", "nobody", "somebody", "everybody", "everyone"];

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
fn every_file_begins_with_a_doc_line() {
    let opens = |path: &String| read(path).trim_start_matches("#![no_main]").trim_start().starts_with("//! ");
    let faults: Vec<String> = sources()
        .into_iter()
        .filter(|path| !opens(path))
        .map(|path| format!("{path}:1: no //! line"))
        .collect();
    check(&faults);
}

#[test]
fn no_file_exceeds_the_line_limit() {
    let long = |path: String| {
        let lines = read(&path).lines().count();
        (lines > LINES_MAX).then(|| format!("{path}: {lines} lines, at most {LINES_MAX}"))
    };
    check(&sources().into_iter().filter_map(long).collect::<Vec<_>>());
}

#[test]
fn only_the_listed_files_read_a_clock() {
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

/// The comments of a file: line number of the first line, and the text of successive comment lines as one.
fn comments(text: &str) -> Vec<(usize, String)> {
    let mut all: Vec<(usize, String)> = Vec::new();
    let mut last = 0;
    for (n, line) in text.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix("//") else { continue };
        let comment = comment.trim_start_matches(['/', '!']).trim();
        match all.last_mut() {
            Some((_, text)) if last == n => text.push_str(&format!("\n{comment}")),
            _ => all.push((n + 1, comment.to_owned())),
        }
        last = n + 1;
    }
    all
}

/// A comment without the code in it: every second part between backticks is code, a fence too.
fn prose(comment: &str) -> String {
    let parts = comment.split('`').enumerate();
    let kept = parts.map(|(n, part)| match n % 2 {
        0 => part.to_owned(),
        _ => part.chars().map(|c| if c == '\n' { c } else { '_' }).collect(),
    });
    kept.collect::<Vec<_>>().join("_")
}

/// Byte positions at which `word` stands as a whole word; a line break counts as a space.
fn places(text: &str, word: &str) -> Vec<usize> {
    let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let spaced = text.replace('\n', " ");
    let found = spaced.match_indices(word).filter(|(at, _)| {
        let before = spaced[..*at].chars().next_back();
        let after = spaced[at + word.len()..].chars().next();
        !before.is_some_and(inside) && !after.is_some_and(inside)
    });
    found.map(|(at, _)| at).collect()
}

/// Faults in the comments of one file: line number and message.
fn comment_faults(text: &str) -> Vec<(usize, String)> {
    let mut faults = Vec::new();
    for (first, comment) in comments(text) {
        let prose = prose(&comment);
        let lower = prose.to_lowercase();
        let line = |at: usize| first + prose[..at].matches('\n').count();
        for (word, plain) in COMMENT_WORDS {
            for at in places(&lower, word) {
                faults.push((line(at), format!("`{word}` in a comment; write {plain}")));
            }
        }
        for opening in COMMENT_OPENINGS {
            for at in places(&prose, opening) {
                let noun = "begin with the noun: the agent, the callee, the lead, the store";
                faults.push((line(at), format!("a sentence begins with `{opening}`; {noun}")));
            }
        }
    }
    faults
}

/// Names of the test functions of one file, with their line numbers.
fn test_names(text: &str) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    let mut is_test = false;
    for (n, line) in text.lines().enumerate() {
        let line = line.trim_start();
        is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        let after = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn "));
        if let (true, Some(after)) = (is_test, after) {
            names.push((n + 1, after.split(['(', '<']).next().unwrap_or(after)));
            is_test = false;
        }
    }
    names
}

fn test_name_fault(name: &str) -> Option<String> {
    let mut words = name.split('_');
    let plain = "name the subject and the property, as in `a_released_leg_is_detached_at_once`";
    let opening = words.clone().next().filter(|word| TEST_NAME_OPENINGS.contains(word));
    let word = opening.or_else(|| words.find(|word| TEST_NAME_WORDS.contains(word)))?;
    Some(format!("`{word}` in the test name `{name}`; {plain}"))
}

#[test]
fn comments_and_test_names_use_plain_words() {
    let mut faults = Vec::new();
    for path in sources() {
        let text = read(&path);
        let of_comments = comment_faults(&text);
        let names = test_names(&text).into_iter();
        let of_names = names.filter_map(|(line, name)| Some((line, test_name_fault(name)?)));
        for (line, fault) in of_comments.into_iter().chain(of_names) {
            faults.push(format!("{path}:{line}: {fault}"));
        }
    }
    check(&faults);
}

#[test]
fn the_word_check_finds_whole_words_in_prose_only() {
    let text = "//! Households, in-house calls and `the house` pass.\n\n/// The agent and\n/// her leg.\n\
                let x = \"she\"; // a trailing remark\n    // Released. Nobody waits. It let go\n    // of it.\n";
    let lines: Vec<usize> = comment_faults(text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [4, 6, 6]);
    let tests = "#[test]\nfn a_lead_is_leased_once() {}\nfn who_helps() {}\n#[tokio::test]\nasync fn who_waits() {}\n";
    assert_eq!(test_names(tests), [(2, "a_lead_is_leased_once"), (5, "who_waits")]);
    assert!(test_name_fault("who_waits").is_some() && test_name_fault("a_history_is_kept").is_none());
}

#[test]
fn no_unfinished_marks_remain() {
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

/// A closed stdout ends a command by `output` alone; the standard macros would panic.
#[test]
fn commands_print_through_one_module() {
    let marks = ["println!(", "eprintln!(", "print!(", "eprint!("];
    let mut faults = Vec::new();
    for file in files("src", "rs") {
        let path = file.display().to_string();
        let text = read(&path);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (line, text) in code.lines().enumerate().filter(|_| !path.ends_with("tests.rs")) {
            let word = |mark: &str| {
                let at = text.find(mark);
                at.is_some_and(|at| !text[..at].ends_with(|letter: char| letter.is_ascii_alphanumeric()))
            };
            if marks.iter().any(|mark| word(mark)) {
                faults.push(format!("{path}:{}: use `output::print_line`", line + 1));
            }
        }
    }
    check(&faults);
}
