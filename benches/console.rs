//! What the console costs the dialer: commits, RTP and answers of the API while nearly a million rows are uploaded, checked
//! and loaded, beside the same figures of a quiet minute of the same process. The program dials a simulated carrier in
//! a process of its own all the while; it is asked for 20 calls a second, and each line says how many went out.
//!
//! `cargo bench --bench console -- [ROWS] [SECONDS]`; `PACELINE=FILE` names another build of the program.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The campaign that is dialled.
const DIALLED: &str = r#"
name = "dialled"
mode = "announce"
[list]
file = "dialled.csv"
[announcement]
file = "notice.wav"
[calling]
calls_per_sec = 20.0
windows = [{ days = "mon-sun", from = "00:00", to = "24:00" }]
[retry]
attempts_max = 9
[retry.after]
no_answer = "1m"
busy = "1m"
"#;

/// The campaign that takes the rows; it begins in years.
const FILLED: &str = r#"
name = "filled"
mode = "announce"
[list]
file = "filled.csv"
[announcement]
file = "notice.wav"
[calling]
start = "2036-01-01"
"#;

const SETTINGS: &str = r#"
[http]
listen = "127.0.0.1:0"
[sip]
listen = ["udp://127.0.0.1:0"]
[files]
free_gib_min = 0
free_pct_min = 0
"#;

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let rows = numbers.first().copied().unwrap_or(999_000);
    let secs = numbers.get(1).copied().unwrap_or(60);
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).expect(name);
    let carrier = std::net::UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let carrier = carrier.expect("a free port");
    let trunk = format!("[trunks.main]\nuri = \"sip:{carrier}\"\ncalls_max = 2000\ncalls_per_sec = 50.0\n");
    write("paceline.toml", format!("{SETTINGS}{trunk}").as_bytes());
    write("dialled.toml", DIALLED.as_bytes());
    write("filled.toml", FILLED.as_bytes());
    write("notice.wav", &tone(8));
    write("dialled.csv", list(13_900_000_000, 20_000).as_bytes());
    write("filled.csv", list(13_700_000_000, 1).as_bytes());
    let _far = Far::start(carrier);
    let service = Program::start(dir.path());
    service.until("calls", |service| service.sum("paceline_calls_placed_total") > 20.0 * 15.0);

    let quiet = service.measure(|service| {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(secs) {
            service.probe();
        }
    });
    println!("quiet, {secs} s:  {quiet}");
    let memory = service.peak_kib();
    let began = Instant::now();
    let csv = list(13_000_000_000, rows);
    let task = service.upload("rows.csv", csv.as_bytes());
    drop(csv);
    let checked = service.measure(|service| service.wait(&task));
    println!("check of {rows} rows, {:.0} s from the first byte:  {checked}", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let task = service.load();
    let loaded = service.measure(|service| service.wait(&task));
    println!("load of {rows} rows, {:.0} s:  {loaded}", began.elapsed().as_secs_f64());
    let leads = "/campaigns/filled/leads?limit=200";
    let page = percentiles((0..40).map(|_| service.timed(leads)).collect());
    println!("first page of {rows} leads while calls go out:  {page}");
    println!(
        "peak memory: {} MiB before the upload, {} MiB after the load",
        memory / 1024,
        service.peak_kib() / 1024
    );
    for (what, before, after) in [
        ("commits, p99", quiet.commits_ms, loaded.commits_ms),
        ("RTP late, p99", quiet.late_ms, loaded.late_ms),
        ("GET /floor, p95", quiet.floor_ms, loaded.floor_ms),
    ] {
        println!("{what}: load / quiet = {:.2} ({:+.1} ms)", after / before.max(0.001), after - before);
    }
}

/// `rows` Chinese mobiles from `first` up, two a flat.
fn list(first: u64, rows: u64) -> String {
    let mut text = String::from("手机,姓名,房号\n");
    for n in 0..rows {
        text.push_str(&format!("{},业主{n},{}-{}\n", first + n, n / 200, n / 2));
    }
    text
}

/// A mono 8 kHz WAV with a tone.
fn tone(secs: u32) -> Vec<u8> {
    let samples = secs * 8_000;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + samples * 2).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    wav.extend([1, 0, 1, 0]);
    wav.extend(8_000u32.to_le_bytes());
    wav.extend(16_000u32.to_le_bytes());
    wav.extend([2, 0, 16, 0]);
    wav.extend(b"data");
    wav.extend((samples * 2).to_le_bytes());
    for n in 0..samples {
        let sample = (f64::from(n) * 440.0 * std::f64::consts::TAU / 8_000.0).sin() * 8_000.0;
        wav.extend((sample as i16).to_le_bytes());
    }
    wav
}

/// Figures of a span of time.
struct Span {
    commits_ms: f64,
    late_ms: f64,
    floor_ms: f64,
    calls_per_sec: f64,
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.1} calls/s; commits p99 {:.1} ms; RTP late p99 {:.2} ms; GET /floor p95 {:.1} ms",
            self.calls_per_sec, self.commits_ms, self.late_ms, self.floor_ms
        )
    }
}

fn program() -> String {
    std::env::var("PACELINE").unwrap_or_else(|_| env!("CARGO_BIN_EXE_paceline").to_owned())
}

/// The simulated carrier as a process.
struct Far(Child);

impl Far {
    fn start(listen: std::net::SocketAddr) -> Far {
        let mut command = Command::new(program());
        let command = command.args(["carrier", "--listen", &listen.to_string()]);
        Far(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the carrier starts"))
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Program {
    child: Child,
    host: String,
    token: String,
    floor: std::cell::RefCell<Vec<Duration>>,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    fn start(dir: &Path) -> Program {
        let log = std::fs::File::create(dir.join("log")).expect("a log");
        let child = Command::new(program())
            .args(["serve", "dialled.toml", "filled.toml"])
            .current_dir(dir)
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let key = paceline::console::client::key_file(&dir.join("paceline.db"));
        let began = Instant::now();
        let (url, token) = loop {
            let text = std::fs::read_to_string(&key).unwrap_or_default();
            let known: Value = serde_json::from_str(&text).unwrap_or_default();
            if let (Some(url), Some(token)) = (known["url"].as_str(), known["token"].as_str()) {
                break (url.to_owned(), token.to_owned());
            }
            let log = || std::fs::read_to_string(dir.join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(60), "{}", log());
            std::thread::sleep(Duration::from_millis(50));
        };
        let host = url.trim_start_matches("http://").to_owned();
        Program { child, host, token, floor: Default::default() }
    }

    /// Status and body.
    fn ask(&self, method: &str, path: &str, more: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.host).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a socket");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
             Content-Length: {}\r\n{more}\r\n",
            self.host,
            self.token,
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("a request");
        stream.write_all(body).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        (status, body.to_owned())
    }

    fn api(&self, method: &str, path: &str, more: &str, body: &[u8]) -> Value {
        let (status, body) = self.ask(method, &format!("/api/v1{path}"), more, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {body}");
        serde_json::from_str(&body).unwrap_or_default()
    }

    fn until(&self, what: &str, done: impl Fn(&Program) -> bool) {
        let began = Instant::now();
        while !done(self) {
            assert!(began.elapsed() < Duration::from_secs(120), "{what} did not come");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn timed(&self, path: &str) -> Duration {
        let began = Instant::now();
        self.api("GET", path, "", &[]);
        let took = began.elapsed();
        // Below the rate of one caller.
        std::thread::sleep(Duration::from_millis(25));
        took
    }

    fn probe(&self) {
        let took = self.timed("/floor");
        self.floor.borrow_mut().push(took);
    }

    fn upload(&self, name: &str, bytes: &[u8]) -> Value {
        let head = "Content-Type: application/octet-stream\r\nIdempotency-Key: upload\r\n";
        self.api("POST", &format!("/campaigns/filled/lists?file_name={name}"), head, bytes)
    }

    fn load(&self) -> Value {
        let lists = self.api("GET", "/campaigns/filled/lists", "", &[]);
        let head = "Content-Type: application/json\r\nIdempotency-Key: load\r\n";
        let path = format!("/lists/{}/actions", lists["items"][0]["id"]);
        self.api("POST", &path, head, br#"{"action":"load"}"#)
    }

    /// Waits for the end of a task, and probes the floor meanwhile.
    fn wait(&self, answer: &Value) {
        loop {
            let task = self.api("GET", &format!("/tasks/{}", answer["task"]), "", &[]);
            if task["state"] != "queued" && task["state"] != "running" {
                assert_eq!(task["state"], "done", "{task}");
                return;
            }
            (0..4).for_each(|_| self.probe());
        }
    }

    fn measure(&self, meanwhile: impl FnOnce(&Program)) -> Span {
        self.floor.borrow_mut().clear();
        let (began, before) = (Instant::now(), self.metrics());
        meanwhile(self);
        let after = self.metrics();
        let placed = |text: &str| sum_of(text, "paceline_calls_placed_total");
        Span {
            commits_ms: p99_ms(&before, &after, "paceline_store_commit_seconds"),
            late_ms: p99_ms(&before, &after, "paceline_rtp_late_seconds"),
            floor_ms: at(&mut self.floor.borrow_mut(), 0.95).as_secs_f64() * 1e3,
            calls_per_sec: (placed(&after) - placed(&before)) / began.elapsed().as_secs_f64(),
        }
    }

    fn metrics(&self) -> String {
        self.ask("GET", "/metrics", "", &[]).1
    }

    fn sum(&self, name: &str) -> f64 {
        sum_of(&self.metrics(), name)
    }

    fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
    }
}

/// The sum of a series over its labels.
fn sum_of(metrics: &str, name: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with(name));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// Buckets of a histogram without labels: upper bound in seconds, observations up to it.
fn buckets(metrics: &str, name: &str) -> Vec<(f64, f64)> {
    let start = format!("{name}_bucket{{le=\"");
    let parsed = metrics.lines().filter_map(|line| {
        let (bound, count) = line.strip_prefix(start.as_str())?.split_once("\"} ")?;
        let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
        Some((bound, count.parse().ok()?))
    });
    parsed.collect()
}

/// The 99th percentile of what was observed between two readings, between the bounds of its bucket, in ms.
fn p99_ms(before: &str, after: &str, name: &str) -> f64 {
    let (before, after) = (buckets(before, name), buckets(after, name));
    let counts: Vec<(f64, f64)> = after
        .iter()
        .enumerate()
        .map(|(n, (bound, count))| (*bound, count - before.get(n).map_or(0.0, |old| old.1)))
        .collect();
    let wanted = counts.last().map_or(0.0, |last| last.1) * 0.99;
    let (mut low, mut below) = (0.0, 0.0);
    for (bound, count) in counts {
        if count >= wanted {
            let share = if count > below { (wanted - below) / (count - below) } else { 1.0 };
            let high = if bound.is_finite() { bound } else { low };
            return (low + (high - low) * share) * 1e3;
        }
        (low, below) = (bound, count);
    }
    0.0
}

fn at(took: &mut [Duration], share: f64) -> Duration {
    took.sort_unstable();
    let place = (took.len().saturating_sub(1) as f64 * share) as usize;
    took.get(place).copied().unwrap_or_default()
}

fn percentiles(mut took: Vec<Duration>) -> String {
    let count = took.len();
    format!("{count} requests: p50 {:?}, p95 {:?}", at(&mut took, 0.5), at(&mut took, 0.95))
}
