//! The whole program: `paceline` as its users start it, against SIPp and the simulated carrier, and killed in
//! the middle of its work. The far end's own record is the judge.

mod bridged;
mod calls;
mod campaign_rows;
mod growing_list;
mod held;
mod kills;
mod sample;
mod simulated;
mod test_calls;
mod trunks;
mod uploads;
mod why;

use paceline::sim::people::Population;
use paceline::sim::serve::{self, CarrierOptions, RunningCarrier};
use paceline_core::sip::user_agent::Transport;
use serde_json::Value;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tokio::runtime::Runtime;

/// A folder with a configuration, a campaign, its list and its announcement.
struct Site {
    dir: tempfile::TempDir,
}

impl Site {
    /// `leads` unassigned numbers, and `more` lines for the campaign file.
    fn new(trunk: SocketAddr, leads: u32, more: &str) -> Site {
        let site = Site { dir: tempfile::tempdir().expect("a folder") };
        let sip = free_port();
        site.write(
            "paceline.toml",
            &format!(
                "[sip]\nlisten = [\"udp://127.0.0.1:{sip}\"]\n[http]\nlisten = \"127.0.0.1:0\"\n\
                 [trunks.main]\nuri = \"sip:{trunk}\"\noptions_secs = 0\ncalls_per_sec = 50.0\n"
            ),
        );
        let rows: String =
            (0..leads).map(|n| format!("业主{n},154{:08},{}-{}\n", 10_000_000 + n, n / 2, n)).collect();
        site.write("list.csv", &format!("姓名,手机号码,备注\n{rows}"));
        site.write(
            "campaign.toml",
            &format!(
                "name = \"whole\"\nmode = \"announce\"\n[list]\nfile = \"list.csv\"\n\
                 [announcement]\nfile = \"notice.wav\"\ninput_wait_secs = 1\n{more}"
            ),
        );
        std::fs::write(site.path("notice.wav"), sweep()).expect("a sound");
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paceline"));
        command.args(arguments).current_dir(self.dir.path()).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let log =
            std::fs::File::options().create(true).append(true).open(self.path("log.txt")).expect("a log");
        let out = log.try_clone().expect("a log");
        self.command(arguments).stdout(out).stderr(log).spawn().expect("the program starts")
    }

    /// Runs to the end: exit code, stdout as JSON (null if it is none), stderr.
    fn run(&self, arguments: &[&str]) -> (i32, Value, String) {
        let output = self.command(arguments).output().expect("the program starts");
        let out = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code().unwrap_or(-1), out, String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Changes the store by hand, while nothing has it open.
    fn sql(&self, statement: &str) {
        let url = format!("sqlite://{}", self.path("paceline.db").display());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut conn =
                <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.expect("a store");
            let statement = sqlx::AssertSqlSafe(statement.to_owned());
            sqlx::query(statement).execute(&mut conn).await.expect("it is changed");
            sqlx::Connection::close(conn).await.expect("it closes");
        });
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log.txt")).unwrap_or_default()
    }

    fn attempts(&self) -> Vec<csv::StringRecord> {
        rows(&self.path("results/attempts.csv"))
    }

    fn leads(&self) -> Vec<csv::StringRecord> {
        rows(&self.path("results/leads.csv"))
    }
}

fn rows(file: &Path) -> Vec<csv::StringRecord> {
    let text = std::fs::read_to_string(file).expect("results");
    let text = text.trim_start_matches('\u{FEFF}');
    csv::Reader::from_reader(text.as_bytes()).records().map(|row| row.expect("a row")).collect()
}

/// The index of a column in `attempts.csv`.
fn column(name: &str) -> usize {
    paceline::results::ATTEMPT_COLUMNS.iter().position(|column| column.0 == name).expect("a column")
}

fn carrier(people: &str, log: &Path) -> (Runtime, RunningCarrier, SocketAddr) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let mut options = CarrierOptions::on_loopback(Population::parse(people).expect("people"));
    options.log = Some(log.to_owned());
    let carrier = runtime.block_on(serve::start(options)).expect("a carrier");
    let address = carrier.address(Transport::Udp).expect("it listens");
    (runtime, carrier, address)
}

fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// A second of a rising tone, 16 bit at 8 kHz: no two of its frames are equal.
fn sweep() -> Vec<u8> {
    let samples = (0..8_000u32).map(|n| {
        let secs = f64::from(n) / 8_000.0;
        ((std::f64::consts::TAU * (300.0 + 500.0 * secs) * secs).sin() * 8_000.0) as i16
    });
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}
