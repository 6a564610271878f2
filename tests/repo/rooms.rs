//! Allowed imports between rooms (top-level modules): the `use` lines of every room against one table.

use super::{files, read};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A row: this room may use those. The compiler keeps the core free of all of them; tests beside the code may
/// use any room.
const ALLOWED: &[(&str, &[&str])] = &[
    // The core uses no room.
    ("core", &[]),
    // Configuration and texts.
    ("config", &["dialplan", "lists"]),
    ("dialplan", &[]),
    ("text", &[]),
    ("cli", &[]),
    ("caught_panic", &[]),
    ("output", &["cli"]),
    ("private_file", &[]),
    ("sealed", &[]),
    // Rooms with I/O. `net` plays the sounds that `audio` decoded.
    ("audio", &["caught_panic"]),
    ("net", &["audio", "private_file"]),
    ("lists", &["caught_panic", "private_file"]),
    // The object store knows bytes and names, not whose they are.
    ("files", &["private_file"]),
    ("store", &["lists", "private_file"]),
    ("journal", &["private_file"]),
    ("results", &["private_file", "store", "text"]),
    // The simulation, in virtual time and over real sockets.
    ("sim", &["audio", "net"]),
    // Counters of the media threads and of the store.
    ("metrics", &["net", "store"]),
    // The loop uses every room that makes calls, and no user interface; `text` gives its log the words of a trunk's
    // trouble.
    ("engine", &["audio", "dialplan", "journal", "metrics", "net", "store", "text"]),
    // Long work stands between the console and the rooms that read files: the console sees neither lists nor sounds, and
    // no result files.
    (
        "tasks",
        &[
            "audio",
            "caught_panic",
            "config",
            "engine",
            "files",
            "journal",
            "lists",
            "results",
            "sim",
            "store",
            "text",
        ],
    ),
    // The console uses the engine's board and the metrics, and queries the store for people, leads and calls.
    ("console", &["config", "engine", "files", "metrics", "sealed", "store", "tasks", "text"]),
    ("progress", &["engine", "output", "text"]),
    // Commands connect the rooms.
    (
        "commands",
        &[
            "audio", "cli", "config", "console", "dialplan", "engine", "files", "journal", "lists",
            "metrics", "net", "output", "progress", "results", "sealed", "sim", "store", "tasks", "text",
        ],
    ),
    ("main", &["cli", "commands"]),
];

/// Libraries that must stay in one room, and the files that may name them.
const CONFINED_LIBRARIES: &[(&str, &[&str])] = &[
    ("axum::", &["src/console"]),
    ("sqlx::", &["src/store"]),
    ("polars::", &["src/lists", "src/results"]),
    ("calamine::", &["src/lists"]),
    ("clap::", &["src/cli.rs", "src/main.rs", "src/text"]),
    ("indicatif::", &["src/progress"]),
    ("prometheus::", &["src/metrics"]),
    ("symphonia::", &["src/audio"]),
];

#[test]
fn every_room_imports_only_the_rooms_in_its_row() {
    let table: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut faults = Vec::new();
    for file in files("src", "rs") {
        let room = room(&file);
        if room == "lib" || is_test_file(&file) {
            continue;
        }
        let Some(allowed) = table.get(room.as_str()) else {
            faults.push(format!("{}: the room `{room}` is not in the table", file.display()));
            continue;
        };
        let text = read(&file.display().to_string());
        for (line, seen) in rooms_used(code(&text)) {
            let own = seen == room || (room == "core" || seen == "self");
            if !own && !allowed.contains(&seen.as_str()) {
                faults.push(format!("{}:{line}: `{room}` may not use `{seen}`", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut faults = Vec::new();
    for file in files("src", "rs") {
        let path = file.display().to_string();
        let text = read(&path);
        for (library, homes) in CONFINED_LIBRARIES {
            let at_home = homes.iter().any(|home| path.starts_with(home));
            if !at_home && code(&text).lines().any(|line| uses_library(line, library)) {
                faults.push(format!("{path}: {library} belongs to {}", homes.join(", ")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The dependency list shows that the core is pure, so it is fixed here.
#[test]
fn the_core_depends_on_nothing_that_waits_or_reads_the_clock() {
    let manifest: toml::Table = read("src/core/Cargo.toml").parse().expect("a manifest");
    let found: BTreeSet<&str> =
        manifest["dependencies"].as_table().expect("a table").keys().map(String::as_str).collect();
    for library in ["tokio", "async-trait", "futures", "sqlx", "axum", "reqwest", "socket2", "libc", "mio"] {
        assert!(!found.contains(library), "src/core/Cargo.toml: {library} waits, and the core must not");
    }
    let whole: toml::Table = read("Cargo.toml").parse().expect("a manifest");
    let jiff = &whole["workspace"]["dependencies"]["jiff"];
    assert_eq!(jiff["default-features"].as_bool(), Some(false), "jiff without `std` has no clock");
}

/// `src/store/leads.rs` is of the room `store`, `src/audio.rs` of `audio`.
fn room(file: &Path) -> String {
    let below = file.strip_prefix("src").expect("a file of src");
    let first = below.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn is_test_file(file: &Path) -> bool {
    let path = file.display().to_string();
    path.ends_with("tests.rs") || path.contains("/tests/")
}

/// The text without the tests at its end.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

/// Line and name of every other room that is used.
fn rooms_used(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, code) in text.lines().enumerate() {
        if code.trim_start().starts_with("//") {
            continue;
        }
        for prefix in ["crate::", "paceline::"] {
            for (at, _) in code.match_indices(prefix) {
                let before = code[..at].chars().next_back();
                if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$') {
                    continue;
                }
                let name: String = code[at + prefix.len()..]
                    .chars()
                    .take_while(|letter| letter.is_ascii_lowercase() || *letter == '_')
                    .collect();
                if !name.is_empty() {
                    found.push((line + 1, name));
                }
            }
        }
    }
    found
}

/// Whether a line of code names this library, and not a longer word that ends like it.
fn uses_library(line: &str, library: &str) -> bool {
    let code = line.split("//").next().unwrap_or(line);
    code.match_indices(library).any(|(at, _)| {
        !code[..at]
            .chars()
            .next_back()
            .is_some_and(|letter| letter.is_alphanumeric() || "_:".contains(letter))
    })
}

#[test]
fn the_import_scan_finds_every_room() {
    let text =
        "use crate::store::Store;\n// crate::console\nlet x = crate::net::clock();\nuse supercrate::no;\n";
    assert_eq!(rooms_used(text), [(1, "store".to_owned()), (3, "net".to_owned())]);
    assert!(uses_library("use axum::Router;", "axum::") && !uses_library("// axum::Router", "axum::"));
}
