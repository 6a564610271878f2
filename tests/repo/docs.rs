//! Schemas, sample campaigns and the commands in the README are checked against the code.

use super::{files, read, root};
use paceline::cli::Cli;
use paceline::commands::schema;
use paceline::config::{Config, LoadedCampaign};
use std::collections::BTreeSet;

#[test]
fn the_schema_files_equal_the_codes_schemas() {
    let mut expected = BTreeSet::new();
    for (name, made) in schema::all() {
        let path = format!("schemas/{name}.schema.json");
        let mend = "write it anew with `paceline schema --write schemas`";
        let found = std::fs::read_to_string(root().join(&path)).unwrap_or_default();
        assert!(found == schema::text(&made), "{path} differs from the code; {mend}");
        expected.insert(path);
    }
    let path = format!("schemas/{}", schema::OPENAPI);
    let found = std::fs::read_to_string(root().join(&path)).unwrap_or_default();
    assert!(
        found == paceline::console::openapi_text(),
        "{path} differs from the code; write it anew with `paceline schema --write schemas`"
    );
    expected.insert(path);
    let found: BTreeSet<String> =
        files("schemas", "json").iter().map(|file| file.display().to_string()).collect();
    assert_eq!(found, expected, "schemas/ holds what the code writes and nothing else");
}

#[test]
fn every_sample_campaign_is_valid() {
    let mut campaigns = 0;
    for file in files("campaigns", "toml").iter().filter(|file| file.ends_with("campaign.toml")) {
        campaigns += 1;
        let loaded = LoadedCampaign::load(&root().join(file), &Config::default())
            .unwrap_or_else(|error| panic!("{error}"));
        assert!(loaded.warnings.is_empty(), "{}: {:?}", file.display(), loaded.warnings);
        let first = read(&file.display().to_string());
        assert!(first.starts_with("#:schema "), "{}: the first line names its schema", file.display());
    }
    assert!(campaigns > 0, "there is a sample");
}

/// The sample campaign must end within minutes, at any time of day.
#[test]
fn the_sample_campaign_can_run_at_any_hour_and_ends_within_minutes() {
    let file = root().join("campaigns/jade-garden/campaign.toml");
    let rules = LoadedCampaign::load(&file, &Config::default()).expect("the sample").rules;
    for minute in (0..7 * 1440).step_by(30) {
        let at = paceline_core::time::Utc::from_millis(minute * 60_000);
        let open =
            matches!(rules.windows.state(at), paceline_core::campaign::window::WindowState::OpenUntil(_));
        assert!(open, "closed at {at:?}");
    }
    let longest = rules.retry.after.values().max().expect("retries");
    assert!(longest.as_secs() <= 60, "a retry after {longest:?} is too late for a demonstration");
}

#[test]
fn the_readmes_commands_exist() {
    let makefile = read("Makefile");
    let command = <Cli as clap::CommandFactory>::command();
    let known: BTreeSet<&str> = command.get_subcommands().map(|command| command.get_name()).collect();
    for path in ["README.md", "README.zh-CN.md"] {
        let text = read(path);
        let mut made = BTreeSet::new();
        for (at, _) in text.match_indices("make ") {
            let target: String = text[at + 5..].chars().take_while(char::is_ascii_lowercase).collect();
            if ["`", "\n"].iter().any(|before| text[..at].ends_with(before)) {
                assert!(makefile.contains(&format!("\n{target}:")), "{path}: no `make {target}`");
                made.insert(target);
            }
        }
        assert!(made.contains("run") && made.contains("test"), "{path} names the two commands");
        let mut named = BTreeSet::new();
        for (at, _) in text.match_indices("paceline ") {
            if ["`", "\n"].iter().any(|before| text[..at].ends_with(before)) {
                let word: String = text[at + 9..]
                    .chars()
                    .take_while(|letter| letter.is_ascii_lowercase() || *letter == '-')
                    .collect();
                assert!(known.contains(word.as_str()), "{path}: no `paceline {word}`");
                named.insert(word);
            }
        }
        assert!(named.len() >= 8, "{path} names the commands: {named:?}");
    }
}

#[test]
fn scripts_exist_and_are_executable() {
    use std::os::unix::fs::PermissionsExt;
    for path in ["scripts/setup.sh", "scripts/run.sh", "scripts/test.sh", ".ci/run"] {
        let mode = std::fs::metadata(root().join(path))
            .unwrap_or_else(|e| panic!("{path}: {e}"))
            .permissions()
            .mode();
        assert!(mode & 0o111 != 0, "{path} may not be run");
        assert!(read(path).contains("set -eu"), "{path} goes on after a failure");
    }
    assert!(read(".ci/run").contains("make test"));
}

/// A link in the documents must point to an existing file.
#[test]
fn links_in_the_documents_point_to_existing_files() {
    for path in ["README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"] {
        for part in read(path).split("](").skip(1) {
            let target = part.split([')', '#']).next().unwrap_or("");
            if !target.is_empty() && !target.contains("://") {
                assert!(root().join(target).exists(), "{path}: {target} is not there");
            }
        }
    }
}
