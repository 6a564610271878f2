//! baresip as a headless program: a third-party softphone in a directory of its own, with its output
//! collected.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(40);

/// A running program. Killed when dropped.
pub struct Softphone {
    child: Child,
    said: Arc<(Mutex<String>, Condvar)>,
    _dir: TempDir,
}

impl Softphone {
    /// baresip with one account and auto-answer; it records into `heard.wav` and plays `tone.wav`.
    pub fn baresip(registrar: SocketAddr, transport: &str, user: &str, password: &str) -> Softphone {
        let dir = tempfile::tempdir().expect("a directory");
        let config = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:0\nsip_verify_server no\naudio_source aufile,{0}/tone.wav\n\
             audio_player aufile,{0}/heard.wav\naudio_alert aufile,{0}/tone.wav\nrtp_ports 30000-39998\n\
             module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aufile.so\n\
             module_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\n",
            dir.path().display()
        );
        let account = format!(
            "<sip:{user}@{registrar};transport={transport}>;auth_pass={password};regint=60;answermode=auto\n"
        );
        std::fs::write(dir.path().join("tone.wav"), tone()).expect("written");
        std::fs::write(dir.path().join("config"), config).expect("written");
        std::fs::write(dir.path().join("accounts"), account).expect("written");
        std::fs::write(dir.path().join("contacts"), "").expect("written");
        let mut command = Command::new("baresip");
        command.args(["-4", "-v", "-t", "60", "-f"]).arg(dir.path());
        Softphone::start(command, dir, "baresip is installed (Debian package baresip-core)")
    }

    fn start(mut command: Command, dir: TempDir, expected: &str) -> Softphone {
        command.current_dir(dir.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect(expected);
        let said = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|it| Box::new(it) as Box<dyn Read + Send>),
            child.stderr.take().map(|it| Box::new(it) as Box<dyn Read + Send>),
        ];
        for stream in streams.into_iter().flatten() {
            let said = said.clone();
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream);
                let mut line = Vec::new();
                while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                    said.0.lock().expect("nobody panicked").push_str(&String::from_utf8_lossy(&line));
                    said.1.notify_all();
                    line.clear();
                }
            });
        }
        Softphone { child, said, _dir: dir }
    }

    /// Waits until the program has printed this.
    pub fn wait_for(&self, words: &str) {
        let until = Instant::now() + PATIENCE;
        let mut said = self.said.0.lock().expect("nobody panicked");
        while !said.contains(words) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it never said {words:?}, only:\n{said}");
            said = self.said.1.wait_timeout(said, left).expect("nobody panicked").0;
        }
    }

    pub fn output(&self) -> String {
        self.said.0.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Softphone {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ten seconds of a square tone, 8,000 Hz, as WAV.
fn tone() -> Vec<u8> {
    let samples = (0..80_000_u32).map(|n| if n / 10 % 2 == 0 { 4_000_i16 } else { -4_000 });
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let length = data.len() as u32;
    let mut wav = b"RIFF".to_vec();
    wav.extend((length + 36).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    for half in [1_u16, 1, 8_000, 0, 16_000, 0, 2, 16] {
        wav.extend(half.to_le_bytes());
    }
    wav.extend(b"data");
    wav.extend(length.to_le_bytes());
    wav.extend(data);
    wav
}
