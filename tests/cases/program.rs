//! Processes of a case: the program, the carrier. Each is ended when dropped.

use super::{Folder, Played, sources};
use serde_json::Value;
use std::fs::File;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Longer than any step takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks at a file or a process.
const STEP: Duration = Duration::from_millis(20);

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn all(&self) -> String {
        format!("exit code {}\nstdout:\n{}\nstderr:\n{}", self.code, self.out, self.err)
    }

    pub fn text(&self) -> String {
        format!("{}\n{}", self.out, self.err)
    }

    #[track_caller]
    pub fn says(&self, words: &[&str]) {
        let text = self.text();
        for word in words {
            assert!(text.contains(word), "{word:?} is not in\n{}", self.all());
        }
    }

    /// One of these words stands in the text, whatever the case of its letters.
    #[track_caller]
    pub fn says_one_of(&self, words: &[&str]) {
        let text = self.text().to_lowercase();
        assert!(
            words.iter().any(|it| text.contains(&it.to_lowercase())),
            "none of {words:?} in\n{}",
            self.all()
        );
    }
}

/// A command that runs; its output goes into files beside the case.
pub struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    pub fn start(dir: &Path, arguments: &[&str], before: &[&str]) -> Running {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let mut words = before.to_vec();
        words.push(env!("CARGO_BIN_EXE_paceline"));
        words.extend(arguments);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let (out, err) = (dir.join(format!(".out-{n}")), dir.join(format!(".err-{n}")));
        let mut command = Command::new(words[0]);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PACELINE_")) {
            command.env_remove(name);
        }
        command
            .args(&words[1..])
            .current_dir(dir)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(File::create(&out).expect("a file"))
            .stderr(File::create(&err).expect("a file"));
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", words[0]));
        Running { child, out, err }
    }

    pub fn err(&self) -> String {
        text(&self.err)
    }

    /// Waits until stderr holds these words.
    #[track_caller]
    pub fn wait_for(&mut self, words: &str) {
        let ended = |child: &mut Child| child.try_wait().expect("its state").is_some();
        until(PATIENCE, || self.err().contains(words) || ended(&mut self.child));
        let said = self.err();
        assert!(said.contains(words), "it ended without {words:?}:\n{said}");
    }

    /// SIGINT, as Ctrl-C gives it.
    pub fn interrupt(&self) {
        signal(&self.child, "-INT");
    }

    pub fn terminate(&self) {
        signal(&self.child, "-TERM");
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    #[track_caller]
    pub fn end(self) -> Ended {
        self.end_within(PATIENCE)
    }

    /// Waits for the end; after this time SIGINT is sent, and again.
    #[track_caller]
    pub fn end_within(mut self, time: Duration) -> Ended {
        let ended = |child: &mut Child| child.try_wait().expect("its state").is_some();
        for (time, may_fail) in [(time, true), (Duration::from_secs(15), true), (PATIENCE, false)] {
            if until(time, || ended(&mut self.child)) {
                break;
            }
            assert!(may_fail, "it does not end:\n{}\n{}", text(&self.out), self.err());
            self.interrupt();
        }
        let code = self.child.wait().expect("its state").code().unwrap_or(-1);
        Ended { code, out: text(&self.out), err: self.err() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The carrier of trunk `main`.
pub struct Carrier {
    pub folder: Folder,
    child: Child,
    pub port: u16,
    pub sip_port: u16,
}

impl Carrier {
    #[track_caller]
    pub fn start(folder: Folder, arguments: &[&str]) -> Carrier {
        let log = folder.path("peer.jsonl");
        let given = std::fs::read_to_string(folder.path("peer.args")).unwrap_or_default();
        let child = Command::new("python3")
            .arg(sources().join("peer/peer.py"))
            .args(["--port", "0", "--log"])
            .arg(&log)
            .args(given.split_whitespace())
            .args(arguments)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .spawn()
            .expect("python3 is installed (scripts/setup.sh test)");
        let mut carrier = Carrier { folder, child, port: 0, sip_port: 0 };
        let up = || carrier.record().into_iter().find(|it| it["ev"] == "up");
        assert!(until(PATIENCE, || up().is_some()), "the carrier starts");
        carrier.port =
            up().and_then(|it| it["port"].as_u64()).and_then(|it| it.try_into().ok()).expect("a port");
        let template = std::fs::read_to_string(carrier.folder.path("trunk.toml")).expect("a trunk");
        let (rtp, sip) = (rtp_ports(), free_port());
        let written = template
            .replace("@RTP@", &rtp.to_string())
            .replace("@RTPEND@", &(rtp + RTP_PORTS - 1).to_string())
            .replace("@PEER@", &carrier.port.to_string())
            .replace("@SIP@", &sip.to_string())
            .replace("@DIR@", &carrier.folder.path("").display().to_string());
        std::fs::write(carrier.folder.path("paceline.toml"), written).expect("written");
        carrier.sip_port = sip;
        carrier
    }

    /// Dials the list to its end.
    #[track_caller]
    pub fn run(&self) -> Played {
        self.run_for(PATIENCE.as_secs())
    }

    /// Dials the list; after this many seconds it is stopped by SIGINT.
    #[track_caller]
    pub fn run_for(&self, secs: u64) -> Played {
        let ended = self.start_run(&[]).end_within(Duration::from_secs(secs));
        Played::read(self.folder.dir.path(), ended)
    }

    /// Starts the run, behind another program where words are given.
    pub fn start_run(&self, before: &[&str]) -> Running {
        Running::start(self.folder.dir.path(), &["run", "campaign.toml", "--config", "paceline.toml"], before)
    }

    /// The carrier's record so far.
    pub fn record(&self) -> Vec<Value> {
        let text = text(&self.folder.path("peer.jsonl"));
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// Events of one kind.
    pub fn events(&self, kind: &str) -> Vec<Value> {
        self.record().into_iter().filter(|it| it["ev"] == kind).collect()
    }

    /// The events of one kind of the call to this number.
    #[track_caller]
    pub fn event(&self, kind: &str, number: &str) -> Value {
        let found = self.events(kind).into_iter().find(|it| it["num"] == number);
        found.unwrap_or_else(|| panic!("no {kind} of {number} in {:#?}", self.record()))
    }

    /// The users of all request URIs, in order; an INVITE that is repeated with credentials counts once.
    pub fn dialled(&self) -> Vec<String> {
        let invites = self.events("invite").into_iter().filter(|it| it["auth"] != true);
        invites.map(|it| it["num"].as_str().expect("a number").to_owned()).collect()
    }

    /// Waits until the record has so many events of this kind.
    #[track_caller]
    pub fn wait_for(&self, kind: &str, count: usize) {
        let found = until(PATIENCE, || self.events(kind).len() >= count);
        assert!(found, "no {count} x {kind} in {:#?}", self.record());
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until it holds or the time is over.
pub fn until(time: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + time;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(STEP);
    }
}

fn signal(child: &Child, which: &str) {
    let _ = Command::new("kill").args([which, &child.id().to_string()]).status();
}

fn text(file: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()).into_owned()
}

pub fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port()
}

const RTP_PORTS: u16 = 200;

/// The first of a range of ports that no other case of this process uses and nothing is bound to.
fn rtp_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let blocks = (25_000 - 10_000) / RTP_PORTS;
    // Processes of several people start at different blocks.
    let first = (std::process::id() % u32::from(blocks)) as u16;
    for _ in 0..blocks {
        let block = (first + NEXT.fetch_add(1, Ordering::Relaxed)) % blocks;
        let port = 10_000 + block * RTP_PORTS;
        let is_free = |port: u16| UdpSocket::bind(("127.0.0.1", port)).is_ok();
        if (port..port + RTP_PORTS).step_by(10).all(is_free) {
            return port;
        }
    }
    panic!("no free RTP ports");
}
