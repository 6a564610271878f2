//! SIPp as the far end: starts it on a scenario, waits for it, reads its statistics, and ends it.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A running SIPp. Killed when dropped.
pub struct Sipp {
    child: Child,
    address: SocketAddr,
    dir: TempDir,
}

/// SIPp's report at its end.
#[derive(Debug)]
pub struct SippReport {
    pub status: ExitStatus,
    pub successful: u64,
    pub failed: u64,
    /// Messages that SIPp sent again.
    pub retransmissions: u64,
    /// The contents of SIPp's error file.
    pub errors: String,
    /// Every message that was sent or received.
    pub messages: String,
}

impl SippReport {
    /// Panics with SIPp's own report unless every call went through the whole scenario.
    pub fn assert_all_successful(&self, calls: u64) {
        assert!(
            self.successful == calls && self.failed == 0,
            "SIPp: {} of {calls} calls went as written, {} did not, {} messages were sent again ({})\n{}\n{}",
            self.successful,
            self.failed,
            self.retransmissions,
            self.status,
            self.errors,
            self.messages
        );
    }

    /// The number of messages that start with this (`INVITE`, `SIP/2.0 487`), retransmissions included.
    pub fn count(&self, start: &str) -> usize {
        self.messages.lines().filter(|line| line.starts_with(start)).count()
    }
}

/// The path of a scenario.
pub fn scenario(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/call/scenarios").join(format!("{name}.xml"))
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("bound").port()
}

impl Sipp {
    /// A callee that takes `calls` calls and ends. `keys` set the scenario's own variables, for example
    /// `rtp_port`.
    pub fn uas(name: &str, calls: u32, keys: &[(&str, u16)]) -> Sipp {
        Sipp::start(&scenario(name), calls, keys, &[])
    }

    /// A caller that runs SIPp's built-in scenario against `target`.
    pub fn uac(calls: u32, target: SocketAddr, more: &[&str]) -> Sipp {
        let target = target.to_string();
        let arguments: Vec<&str> = more.iter().copied().chain([target.as_str()]).collect();
        Sipp::start(Path::new("uac"), calls, &[], &arguments)
    }

    /// A phone at this port that runs a scenario once; its requests go to `registrar`.
    pub fn phone(name: &str, port: u16, registrar: SocketAddr) -> Sipp {
        let registrar = registrar.to_string();
        Sipp::start_at(
            port,
            &scenario(name),
            1,
            &[("rtp_port", 40_000)],
            &["-aa", "-s", "1001", "-au", "1001", "-ap", "secret", &registrar],
        )
    }

    fn start(scenario: &Path, calls: u32, keys: &[(&str, u16)], more: &[&str]) -> Sipp {
        Sipp::start_at(free_port(), scenario, calls, keys, more)
    }

    fn start_at(port: u16, scenario: &Path, calls: u32, keys: &[(&str, u16)], more: &[&str]) -> Sipp {
        let dir = tempfile::tempdir().expect("a directory of our own");
        let mut command = Command::new("sipp");
        if scenario.exists() {
            command.arg("-sf").arg(scenario);
        } else {
            command.arg("-sn").arg(scenario);
        }
        command.args(["-i", "127.0.0.1", "-p", &port.to_string(), "-m", &calls.to_string()]);
        command.args(["-timeout", "40s", "-timeout_error", "-nostdin", "-trace_stat", "-fd", "1"]);
        command.args(["-stf", "stat.csv", "-trace_msg", "-message_file", "messages.log"]);
        command.args(["-trace_err", "-error_file", "errors.log"]);
        for (key, value) in keys {
            command.args(["-key", key, &value.to_string()]);
        }
        command.args(more).current_dir(dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("sipp is installed (Debian package sip-tester)");
        Sipp { child, address: SocketAddr::from(([127, 0, 0, 1], port)), dir }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until SIPp has done its calls or given up (it does so by itself after 40 s).
    pub fn finish(mut self) -> SippReport {
        let status = self.child.wait().expect("sipp ends");
        let read = |file: &str| {
            fs::read(self.dir.path().join(file))
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .unwrap_or_default()
        };
        let stat = read("stat.csv");
        let column = |name: &str| last_value(&stat, name);
        SippReport {
            status,
            successful: column("SuccessfulCall(C)"),
            failed: column("FailedCall(C)"),
            retransmissions: column("Retransmissions(C)"),
            errors: read("errors.log"),
            messages: read("messages.log"),
        }
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last row's value in SIPp's statistics (separated by semicolons).
fn last_value(stat: &str, name: &str) -> u64 {
    let mut rows = stat.lines();
    let place = rows.next().and_then(|header| header.split(';').position(|column| column == name));
    let last = rows.last();
    place.zip(last).and_then(|(place, row)| row.split(';').nth(place)?.parse().ok()).unwrap_or(0)
}

/// The audio of a SIPp callee: a UDP socket whose port goes into the scenario.
pub struct Ear {
    socket: UdpSocket,
}

impl Ear {
    pub fn open() -> Ear {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
        Ear { socket }
    }

    pub fn port(&self) -> u16 {
        self.socket.local_addr().expect("bound").port()
    }

    /// Waits for a packet, ten seconds at most.
    pub fn hears(&self) -> bool {
        (0..50).any(|_| self.socket.recv_from(&mut [0; 2_048]).is_ok())
    }

    /// Every packet until none comes for 200 ms: (payload type, marker, sequence, timestamp, payload).
    pub fn heard(&self) -> Vec<(u8, bool, u16, u32, Vec<u8>)> {
        let mut packets = Vec::new();
        let mut buffer = [0; 2_048];
        while let Ok((length, _)) = self.socket.recv_from(&mut buffer) {
            if length < 12 || buffer[0] >> 6 != 2 {
                continue;
            }
            let sequence = u16::from_be_bytes([buffer[2], buffer[3]]);
            let timestamp = u32::from_be_bytes([buffer[4], buffer[5], buffer[6], buffer[7]]);
            let marker = buffer[1] & 0x80 != 0;
            packets.push((buffer[1] & 0x7f, marker, sequence, timestamp, buffer[12..length].to_vec()));
        }
        packets
    }
}
