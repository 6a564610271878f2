//! The program as a script sees it: exit codes, data on stdout, messages on stderr.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const DONE: i32 = 0;
const USAGE: i32 = 2;
const REFUSED: i32 = 3;

/// A valid campaign file; its list and sound file do not exist.
const CAMPAIGN: &str = "name = \"vote\"\nmode = \"announce\"\n\n[list]\nfile = \"list.csv\"\n\n\
                        [announcement]\nfile = \"notice.mp3\"\n";

struct Workspace {
    dir: tempfile::TempDir,
}

impl Workspace {
    fn new() -> Self {
        Workspace { dir: tempfile::tempdir().expect("a folder") }
    }

    fn with(self, name: &str, text: &str) -> Self {
        std::fs::write(self.path(name), text).expect("a file");
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs in this folder, without `PACELINE_` variables of the tester's environment.
    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paceline"));
        command.args(arguments).current_dir(self.dir.path());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PACELINE_")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").envs(environment.iter().copied());
        Ran::from(command.output().expect("the program starts"))
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            code: output.status.code().expect("no signal ended it"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Ran {
    #[track_caller]
    fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    fn says(self, words: &str) -> Self {
        assert!(self.err.contains(words), "{words:?} is not in stderr: {}", self.err);
        self
    }
}

#[test]
fn help_documents_the_exit_codes_and_gives_examples() {
    let workspace = Workspace::new();
    let help = workspace.run(&["--help"]).ended(DONE).out;
    for code in ["0  done", "2  bad usage", "3  input refused", "4  stopped"] {
        assert!(help.contains(code), "{code} is not in {help}");
    }
    for command in ["run", "check", "call", "export", "carrier", "schema"] {
        let help = workspace.run(&[command, "--help"]).ended(DONE).out;
        assert!(help.contains("paceline ") && help.contains("Example"), "{command}: {help}");
    }
}

#[test]
fn bad_usage_ends_with_2() {
    let workspace = Workspace::new();
    for arguments in
        [&["dial"][..], &["run"], &["export", "c.toml", "--format", "pdf"], &["call", "13800138000"]]
    {
        let ran = workspace.run(arguments).ended(USAGE);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_forecast_shows_every_pacing_mode() {
    let workspace = Workspace::new().with("campaign.toml", CAMPAIGN);
    workspace.run(&["forecast", "campaign.toml"]).says("a forecast needs agents");
    let staffed =
        CAMPAIGN.replace("mode = \"announce\"", "mode = \"ratio\"") + "\n[agents]\ngroup = \"team\"\n";
    let workspace = Workspace::new().with("campaign.toml", &staffed);
    let arguments =
        ["forecast", "campaign.toml", "--leads", "60", "--agents", "3", "--hours", "1", "--seeds", "2"];
    let ran = workspace.run(&arguments).ended(0);
    for way in ["progressive", "ratio 2", "predictive"] {
        assert!(ran.out.contains(way), "{}", ran.out);
    }
    let json = workspace.run(&[&["--json"][..], &arguments[..]].concat()).ended(0);
    let again = workspace.run(&[&["--json"][..], &arguments[..]].concat()).ended(0);
    assert_eq!(json.out, again.out, "the same seeds give the same forecast");
}

/// FEATURES U3: a configuration never fails silently.
#[test]
fn a_fault_in_the_configuration_names_file_and_line() {
    let workspace =
        Workspace::new().with("campaign.toml", CAMPAIGN).with("paceline.toml", "[http]\nlisen = \"x\"\n");
    workspace
        .run(&["check", "campaign.toml"])
        .ended(USAGE)
        .says("paceline.toml:2: unknown key `lisen`")
        .says("`listen`");
    workspace.run(&["--config", "absent.toml", "check", "campaign.toml"]).ended(USAGE).says("absent.toml");
}

#[test]
fn a_fault_in_the_environment_names_the_variable() {
    let workspace = Workspace::new().with("campaign.toml", CAMPAIGN);
    let environment = [("PACELINE_RTP__PORTS", "many")];
    workspace.run_with(&["check", "campaign.toml"], &environment).ended(USAGE).says("PACELINE_RTP__PORTS");
}

#[test]
fn problems_in_a_campaign_are_reported_together_with_their_lines() {
    let text = format!("{CAMPAIGN}\n[calling]\nring_secs = 1\nconcurrency_max = 5000\n");
    let workspace = Workspace::new().with("campaign.toml", &text);
    workspace
        .run(&["run", "campaign.toml"])
        .ended(REFUSED)
        .says("campaign.toml:11: ring_secs = 1")
        .says("campaign.toml:12: concurrency_max = 5000");
}

#[test]
fn a_mode_that_needs_agents_is_refused_in_a_sentence() {
    let workspace = Workspace::new().with("campaign.toml", &CAMPAIGN.replace("announce\"", "predictive\""));
    workspace.run(&["run", "campaign.toml"]).ended(REFUSED).says("mode `predictive` needs agents");
    assert!(!workspace.path("paceline.db").exists(), "nothing was begun");
}

/// FEATURES C13: a campaign never starts silently with nothing to dial.
#[test]
fn a_campaign_without_its_files_is_refused_before_anything_starts() {
    let workspace = Workspace::new().with("campaign.toml", CAMPAIGN);
    workspace.run(&["run", "campaign.toml"]).ended(REFUSED).says("notice.mp3");
    workspace.run(&["check", "campaign.toml"]).ended(REFUSED).says("notice.mp3").says("list.csv");
    workspace.run(&["check", "nowhere.toml"]).ended(REFUSED).says("nowhere.toml");
}

#[test]
fn stdout_holds_only_json_even_after_an_error() {
    let workspace = Workspace::new().with("campaign.toml", "name = 7\n");
    let ran = workspace.run(&["run", "campaign.toml", "--json"]).ended(REFUSED);
    let error: Value = serde_json::from_str(&ran.out).expect("JSON and nothing else");
    assert_eq!(error["exit"], REFUSED);
    assert!(error["error"].as_str().is_some_and(|text| text.contains("campaign.toml:1")), "{error}");
}

#[test]
fn a_schema_is_printed_and_all_are_written() {
    let workspace = Workspace::new();
    let printed = workspace.run(&["schema", "campaign"]).ended(DONE).out;
    let schema: Value = serde_json::from_str(&printed).expect("JSON");
    assert!(schema["properties"]["mode"].is_object(), "{printed}");
    workspace.run(&["schema", "campain"]).ended(USAGE).says("campaign");
    workspace.run(&["schema", "--write", "."]).ended(DONE);
    let written = std::fs::read_to_string(workspace.path("campaign.schema.json")).expect("it is there");
    assert_eq!(written, printed);
}

#[test]
fn a_log_filter_that_cannot_be_read_is_bad_usage() {
    Workspace::new().run(&["--log", "paceline=loudly", "schema"]).ended(USAGE).says("--log");
}

#[test]
fn an_unknown_journal_is_named() {
    let workspace = Workspace::new();
    let ran = workspace.run(&["replay", "nowhere"]);
    assert_ne!(ran.code, DONE);
    assert!(ran.err.contains("nowhere"), "{}", ran.err);
    assert!(!Path::new("nowhere").exists());
}

/// What `check --json` says of a campaign with this list and these further lines.
fn checked(list: &str, region: &str, more: &str) -> (i32, Value, String) {
    let sound = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns/jade-garden/notice.mp3");
    let campaign = format!(
        "name = \"vote\"\nmode = \"announce\"\n[list]\nfile = \"list.csv\"\nregion = \"{region}\"\n\
         [announcement]\nfile = \"{}\"\n{more}",
        sound.display()
    );
    let place = Workspace::new().with("campaign.toml", &campaign).with("list.csv", list);
    let ran = place.run(&["check", "campaign.toml", "--json"]);
    let said = serde_json::from_str(ran.out.lines().next().unwrap_or_default()).unwrap_or(Value::Null);
    (ran.code, said, ran.err)
}

#[test]
fn an_end_date_is_that_whole_day() {
    let day = "[calling]\nstart = \"2099-11-30\"\nend = \"2099-11-30\"\n";
    let (code, said, err) = checked("phone\n15400150001\n", "CN", day);
    assert_eq!(code, DONE, "{err}");
    assert_eq!(said["calling"]["first_call"], "2099-11-30 08:00");
    assert_eq!(said["calling"]["last_call"], "2099-11-30 21:00");
    let (code, _, err) =
        checked("phone\n15400150001\n", "CN", "[calling]\nstart = \"2099-11-30\"\nend = \"2099-11-29\"\n");
    assert_eq!(code, REFUSED, "{err}");
}

#[test]
fn hours_that_contradict_the_region_are_warned_of() {
    let list = "name,phone\nM,(415) 555-0171\nN,(212) 555-0172\n";
    let (_, said, _) = checked(list, "US", "");
    let warning = said["warnings"][0].as_str().expect("a warning");
    assert!(warning.contains("19:00-08:00 in America/New_York"), "{warning}");
    let elsewhere = said["numbers"]["other_time_zones"].as_array().expect("zones");
    assert!(
        elsewhere.iter().any(|zone| zone["hours"].as_str().is_some_and(|h| h.contains("16:00-05:00"))),
        "{said}"
    );
    let (_, said, _) = checked(list, "US", "[calling]\ntimezone = \"number\"\n");
    assert_eq!(said["warnings"], serde_json::json!([]));
    assert_eq!(said["numbers"]["other_time_zones"], serde_json::json!([]));
    let (_, said, _) = checked("phone\n15400150001\n", "CN", "[calling]\ntimezone = \"Etc/GMT+8\"\n");
    let warning = said["warnings"][0].as_str().expect("a warning");
    assert!(warning.contains("UTC-8") && warning.contains("sign"), "{warning}");
}

#[test]
fn holidays_are_dates_ranges_or_a_file() {
    let holidays = "[calling]\nholidays = [\"2099-02-05..2099-02-12\", \"2099-05-01\"]\n";
    let (code, said, err) = checked("phone\n15400150001\n", "CN", holidays);
    assert_eq!(code, DONE, "{err}");
    assert_eq!(said["calling"]["holidays"], serde_json::json!(["2099-02-05 to 2099-02-12", "2099-05-01"]));
    let (code, _, err) = checked("phone\n15400150001\n", "CN", "[calling]\nholidays = [\"soon\"]\n");
    assert!(code == REFUSED && err.contains("`soon` is no date"), "{err}");
    let (code, _, err) = checked("phone\n15400150001\n", "CN", "[calling]\nholidays = \"days.txt\"\n");
    assert!(code == REFUSED && err.contains("days.txt"), "{err}");
}

#[test]
fn a_demo_deletes_no_store_of_another() {
    let place = Workspace::new().with("paceline.db", "not a demo's");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns/jade-garden/campaign.toml");
    let ran = place.run(&["demo", "--dir", ".", "--campaign", &own.display().to_string()]);
    assert_eq!(ran.code, USAGE, "{}", ran.err);
    assert!(place.path("paceline.db").exists() && ran.err.contains("--dir"), "{}", ran.err);
}

/// Commands that print data, each with its reader gone before the first byte.
#[test]
fn a_command_whose_reader_has_gone_ends_without_a_word() {
    let staffed =
        CAMPAIGN.replace("mode = \"announce\"", "mode = \"ratio\"") + "\n[agents]\ngroup = \"team\"\n";
    let workspace = Workspace::new().with("campaign.toml", &staffed).with("list.csv", "phone\n13800138000\n");
    for arguments in [
        &["schema", "openapi"][..],
        &["check", "campaign.toml"],
        &["--json", "check", "campaign.toml"],
        &["forecast", "campaign.toml", "--leads", "20", "--agents", "2", "--hours", "1", "--seeds", "1"],
        &["user", "list"],
        &["blacklist", "list"],
        &["--json", "export", "absent.toml"],
    ] {
        let read = workspace.run(arguments);
        assert!(!read.out.is_empty(), "{arguments:?} prints: {}", read.err);
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let ended = Command::new(env!("CARGO_BIN_EXE_paceline"))
            .args(arguments)
            .current_dir(workspace.dir.path())
            .env("LC_ALL", "C")
            .stdout(writer)
            .output()
            .expect("the program starts");
        let said = String::from_utf8(ended.stderr).expect("UTF-8");
        assert_eq!(ended.status.code(), Some(141), "{arguments:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("Broken pipe"), "{arguments:?}: {said}");
    }
}
