//! Cases: what users of dialers reported, played on the built program as in `data/NAME/README.md`, with
//! further inputs of each kind beside them.
//!
//! A [`Folder`] is a scratch copy of one case. [`Folder::check`] runs `paceline check` in it. [`Folder::carrier`]
//! starts `peer/peer.py` as the carrier of trunk `main`, [`Carrier::run`] dials the list through it; the carrier's
//! record tells what was on the wire. Everything is on loopback, on ports of its own, and bounded in time.

mod agents;
mod keys;
mod line;
mod lists;
mod program;
mod service;
mod settings;
mod sound;
mod store;
mod trunk_tests;
mod trunks;
mod workbooks;

use program::{Carrier, Ended, Running};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const DONE: i32 = 0;
const USAGE: i32 = 2;
const REFUSED: i32 = 3;
const STOPPED: i32 = 4;

/// Campaign of the inputs that have no folder in `data`: short sound, one attempt, open at any hour.
const CAMPAIGN: &str = r#"name = "case"
mode = "announce"
[list]
file = "list.csv"
region = "CN"
[calling]
ring_secs = 12
calls_per_sec = 50.0
windows = [{ days = "mon-sun", from = "00:00", to = "24:00" }]
[retry]
attempts_max = 1
per_day_max = 3
gap_min = "1s"
[retry.after]
no_answer = "2h"
busy = "10m"
[announcement]
file = "notice.wav"
plays = 1
input_wait_secs = 1
[keys]
1 = { result = "agree" }
2 = { result = "against" }
9 = { repeat = true }
[caller_ids]
numbers = ["075512345678"]
"#;

/// Configuration without a trunk: the built-in simulated carrier dials.
const NO_TRUNK: &str = r#"[sip]
listen = ["udp://127.0.0.1:0"]
[http]
listen = "127.0.0.1:0"
"#;

const TRUNK: &str = r#"[store]
url = "sqlite://@DIR@/paceline.db"
[sip]
listen = ["udp://127.0.0.1:@SIP@"]
[rtp]
ports = [@RTP@, @RTPEND@]
[http]
listen = "127.0.0.1:0"
[trunks.main]
uri = "sip:127.0.0.1:@PEER@"
transport = "udp"
calls_max = 100
calls_per_sec = 50.0
options_secs = 0
"#;

/// A row of a CSV file, by column.
type Row = BTreeMap<String, String>;

/// A scratch folder with the files of a case.
struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    /// A copy of `data/NAME`.
    fn of(name: &str) -> Folder {
        let folder = Folder { dir: tempfile::tempdir().expect("a folder") };
        let data = sources().join("data").join(name);
        for entry in std::fs::read_dir(&data).unwrap_or_else(|e| panic!("{}: {e}", data.display())) {
            let file = entry.expect("an entry").path();
            let name = file.file_name().expect("a name");
            std::fs::copy(&file, folder.dir.path().join(name)).expect("copied");
        }
        folder.write("paceline.toml", NO_TRUNK).with_sound()
    }

    /// A campaign that is open at any hour, its trunk and the list `list.csv`.
    fn new(list: impl AsRef<[u8]>) -> Folder {
        let folder = Folder { dir: tempfile::tempdir().expect("a folder") };
        folder
            .write("campaign.toml", CAMPAIGN)
            .write("trunk.toml", TRUNK)
            .write("paceline.toml", NO_TRUNK)
            .write("list.csv", list)
            .write("notice.wav", sound::tone(0.4, 1_000.0, 8_000))
    }

    /// As `new`, with a workbook instead of `list.csv`.
    fn workbook(bytes: Vec<u8>) -> Folder {
        let folder = Folder::new("");
        std::fs::remove_file(folder.path("list.csv")).expect("removed");
        folder.write("list.xlsx", bytes).edit("campaign.toml", "list.csv", "list.xlsx")
    }

    /// The cases name `notice.wav`, two seconds of 1,000 Hz, where they bring no sound of their own.
    fn with_sound(self) -> Folder {
        match self.path("notice.wav").exists() {
            true => self,
            false => self.write("notice.wav", sound::tone(2.0, 1_000.0, 8_000)),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(self, name: &str, bytes: impl AsRef<[u8]>) -> Folder {
        std::fs::write(self.path(name), bytes).expect("a file");
        self
    }

    /// Replaces a text that stands in the file.
    #[track_caller]
    fn edit(self, name: &str, from: &str, to: &str) -> Folder {
        let text = std::fs::read_to_string(self.path(name)).expect("a text");
        assert!(text.contains(from), "{from:?} is not in {name}:\n{text}");
        self.write(name, text.replacen(from, to, 1))
    }

    /// Adds keys to a table of `campaign.toml` that is there.
    #[track_caller]
    fn set(self, table: &str, keys: &str) -> Folder {
        let head = format!("[{table}]\n");
        self.edit("campaign.toml", &head, &format!("{head}{keys}\n"))
    }

    /// Adds keys to `[trunks.main]`, the last table of `trunk.toml`.
    fn trunk(self, keys: &str) -> Folder {
        let text = std::fs::read_to_string(self.path("trunk.toml")).expect("a trunk");
        self.write("trunk.toml", format!("{text}\n{keys}\n"))
    }

    /// `paceline check campaign.toml`.
    fn check(&self) -> Checked {
        self.check_file("campaign.toml")
    }

    fn check_file(&self, campaign: &str) -> Checked {
        let ended = self.program(&["check", campaign]);
        Checked {
            report: json(&self.path("results/list-report.json")).unwrap_or_default(),
            fix: rows(&self.path("results/fix.csv")),
            ended,
        }
    }

    /// `paceline ARGUMENTS` to its end.
    fn program(&self, arguments: &[&str]) -> Ended {
        Running::start(self.dir.path(), arguments, &[]).end()
    }

    /// Takes the list in and dials nothing: the campaign starts in 2099. Rows of `leads.csv`.
    #[track_caller]
    fn taken_in(self) -> (Folder, Vec<Row>) {
        let folder = self.set("calling", "start = \"2099-01-01\"");
        let mut run = Running::start(folder.dir.path(), &["run", "campaign.toml"], &[]);
        run.wait_for("0/");
        run.interrupt();
        let ended = run.end();
        assert_eq!(ended.code, STOPPED, "{}", ended.all());
        let leads = rows(&folder.path("results/leads.csv"));
        (folder, leads)
    }

    /// Starts the carrier with the arguments of `peer.args` and these, and writes `paceline.toml` from `trunk.toml`.
    fn carrier(self, arguments: &[&str]) -> Carrier {
        Carrier::start(self, arguments)
    }
}

/// What `paceline check` left.
struct Checked {
    ended: Ended,
    report: Value,
    fix: Vec<Row>,
}

impl Checked {
    #[track_caller]
    fn ended(self, code: i32) -> Checked {
        assert_eq!(self.ended.code, code, "{}", self.ended.all());
        self
    }

    /// The text holds each of these words.
    #[track_caller]
    fn says(self, words: &[&str]) -> Checked {
        self.ended.says(words);
        self
    }

    #[track_caller]
    fn counts(&self, leads: u64, phones: u64) {
        let found = (self.report["leads"].as_u64(), self.report["phones"].as_u64());
        assert_eq!(
            found,
            (Some(leads), Some(phones)),
            "leads, numbers\n{}\n{:?}",
            self.ended.all(),
            self.fix
        );
        let sum = self.report["leads"].as_u64().zip(self.report["refused_rows"].as_u64()).map(|(a, b)| a + b);
        assert_eq!(self.report["rows_read"].as_u64(), sum, "the counts reconcile: {}", self.report);
    }

    /// Columns with this role.
    fn columns(&self, role: &str) -> Vec<&str> {
        let all = self.report["columns"].as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|it| it["role"] == role).filter_map(|it| it["name"].as_str()).collect()
    }

    fn refused(&self, reason: &str) -> u64 {
        self.report["refused"][reason].as_u64().unwrap_or(0)
    }
}

/// What a run left.
struct Played {
    ended: Ended,
    attempts: Vec<Row>,
    leads: Vec<Row>,
    summary: Value,
}

impl Played {
    fn read(dir: &Path, ended: Ended) -> Played {
        Played {
            ended,
            attempts: rows(&dir.join("results/attempts.csv")),
            leads: rows(&dir.join("results/leads.csv")),
            summary: json(&dir.join("results/summary.json")).unwrap_or_default(),
        }
    }

    #[track_caller]
    fn ended(self, code: i32) -> Played {
        assert_eq!(self.ended.code, code, "{}\n{}", self.ended.all(), self.shown());
        self
    }

    #[track_caller]
    fn attempt(&self, number: &str) -> &Row {
        let found = self.attempts.iter().filter(|row| digits(&row["phone"]) == number).collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "attempts to {number}\n{}\n{}", self.shown(), self.ended.all());
        found[0]
    }

    #[track_caller]
    fn lead(&self, number: &str) -> &Row {
        let found = self.leads.iter().find(|row| digits(&row["phone"]) == number);
        found.unwrap_or_else(|| panic!("no lead {number}\n{}\n{}", self.shown(), self.ended.all()))
    }

    /// Asserts columns of the attempt to this number.
    #[track_caller]
    fn attempt_has(&self, number: &str, wanted: &[(&str, &str)]) {
        let row = self.attempt(number);
        for (column, value) in wanted {
            assert_eq!(row[*column], *value, "{column} of the attempt to {number}\n{}", self.shown());
        }
    }

    #[track_caller]
    fn lead_has(&self, number: &str, wanted: &[(&str, &str)]) {
        let row = self.lead(number);
        for (column, value) in wanted {
            assert_eq!(row[*column], *value, "{column} of the lead {number}\n{}", self.shown());
        }
    }

    fn leads_in(&self, state: &str) -> usize {
        self.leads.iter().filter(|row| row["state"] == state).count()
    }

    /// Attempts that used up one of their lead's.
    fn counted(&self) -> usize {
        self.attempts.iter().filter(|row| is_true(&row["counted"])).count()
    }

    fn outcomes(&self) -> BTreeMap<&str, usize> {
        let mut all = BTreeMap::new();
        for row in &self.attempts {
            *all.entry(row["outcome"].as_str()).or_default() += 1;
        }
        all
    }

    /// Attempts and leads in short, for messages.
    fn shown(&self) -> String {
        let columns = ["phone", "outcome", "cause", "sip_code", "ended_by", "ring_secs", "keys", "counted"];
        let of_leads = ["phone", "state", "reason", "attempts", "last_outcome"];
        let line = |row: &Row, columns: &[&str]| {
            let cells = columns.iter().map(|column| row.get(*column).map_or("-", String::as_str));
            cells.collect::<Vec<_>>().join(" | ")
        };
        let attempts = self.attempts.iter().take(45).map(|row| line(row, &columns));
        let leads = self.leads.iter().take(45).map(|row| line(row, &of_leads));
        format!(
            "attempts:\n{}\nleads:\n{}\noutcomes: {}",
            attempts.collect::<Vec<_>>().join("\n"),
            leads.collect::<Vec<_>>().join("\n"),
            self.summary["attempts_by_outcome"]
        )
    }
}

fn is_true(cell: &str) -> bool {
    ["true", "yes", "1", "是"].contains(&cell)
}

/// A number as it was written for spreadsheets (`="0755…"`, a leading tab or apostrophe), without that form.
fn digits(cell: &str) -> &str {
    cell.trim_matches(|c: char| !c.is_ascii_digit() && c != '+')
}

/// `tests/cases`.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn json(file: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Rows of a CSV file; none when there is no file.
fn rows(file: &Path) -> Vec<Row> {
    let Ok(text) = std::fs::read_to_string(file) else { return Vec::new() };
    let text = text.trim_start_matches('\u{FEFF}');
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let records = reader.records().map(|record| record.expect("a record"));
    records.map(|record| header.iter().cloned().zip(record.iter().map(str::to_owned)).collect()).collect()
}

/// Plays several inputs at the same time: most of a play is waiting.
fn at_once<T: Sync>(inputs: &[T], play: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for input in inputs {
            scope.spawn(|| play(input));
        }
    });
}

/// A list with one column.
fn phones<T: std::fmt::Display>(numbers: impl IntoIterator<Item = T>) -> String {
    numbers.into_iter().fold("phone\n".to_owned(), |list, number| format!("{list}{number}\n"))
}
