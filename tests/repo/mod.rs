//! Files that must agree: rooms with the table of allowed imports, dashboards with metrics, schemas with
//! code, documents with commands. A failure names the file and line to mend.

mod console_writes;
mod conventions;
mod dashboards;
mod docs;
mod fault_words;
mod outcome_words;
mod rooms;
mod statements;

use std::path::{Path, PathBuf};

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    let file = root().join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below `dir` with this extension, as paths relative to the root, sorted.
fn files(dir: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![root().join(dir)];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path.strip_prefix(root()).expect("below the top").to_owned());
            }
        }
    }
    found.sort();
    found
}
