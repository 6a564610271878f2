//! SIP parsing beside `rsip`, and call set-up beside SIPp's own caller, both against `sipp -sn uas` on
//! loopback in the same run. Set-up is the user agent and its socket, without store and media.
//!
//! `cargo bench --bench sip -- [CALLS] [CALLS_PER_SEC]`; needs `sipp` (Debian: sip-tester).

use paceline_core::call::{HangUpCause, Progress};
use paceline_core::ids::{CallId, TrunkId};
use paceline_core::media::{Codec, MediaCapabilities};
use paceline_core::sip::message::Message;
use paceline_core::sip::user_agent::{
    CallRequest, Incoming, Peer, SipTrunk, Transport, UaConfig, UaEvent, UaOutput, UserAgent,
};
use paceline_core::time::Time;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let calls = numbers.first().copied().unwrap_or(4_000);
    let per_sec = numbers.get(1).copied().unwrap_or(500);
    parse();
    let (port, mut far) = sipp_uas();
    let (done, cpu) = ours(SocketAddr::from(([127, 0, 0, 1], port)), calls, per_sec);
    let _ = far.kill();
    let _ = far.wait();
    println!(
        "paceline   {done} of {calls} calls at {per_sec}/s   {:.3} ms CPU a call",
        cpu * 1e3 / done as f64
    );
    let (port, mut far) = sipp_uas();
    let theirs = sipp_uac(port, calls, per_sec);
    let _ = far.kill();
    let _ = far.wait();
    println!("sipp uac   {calls} calls at {per_sec}/s   {:.3} ms CPU a call", theirs * 1e3 / calls as f64);
    println!("ratio      {:.2}", (cpu / done as f64) / (theirs / calls as f64));
}

fn parse() {
    let bytes = invite();
    let text = String::from_utf8(bytes.clone()).expect("text");
    let rounds = 200_000;
    let ours = per_round(rounds, || {
        std::hint::black_box(Message::parse(std::hint::black_box(&bytes)).expect("a message"));
    });
    let theirs = per_round(rounds / 10, || {
        std::hint::black_box(
            rsip::SipMessage::try_from(std::hint::black_box(text.as_str())).expect("a message"),
        );
    });
    println!(
        "parse a {}-byte INVITE: {ours:.0} ns, rsip {theirs:.0} ns, ratio {:.2}",
        bytes.len(),
        ours / theirs
    );
}

fn per_round(rounds: u64, mut work: impl FnMut()) -> f64 {
    let best = (0..5).map(|_| {
        let started = Instant::now();
        (0..rounds / 5).for_each(|_| work());
        started.elapsed().as_secs_f64() * 1e9 / (rounds / 5) as f64
    });
    best.fold(f64::MAX, f64::min)
}

fn agent(local: SocketAddr, far: SocketAddr) -> UserAgent {
    let mut ua = UserAgent::new(UaConfig {
        sent_by: vec![(Transport::Udp, local.to_string())],
        product: "Paceline/bench".into(),
        seed: 1,
        incoming: Incoming::Nobody,
        registrar: None,
    });
    ua.set_trunk(
        Time::ZERO,
        SipTrunk::new(TrunkId(0), Peer { transport: Transport::Udp, address: far }, far.to_string()),
    );
    ua
}

fn request(call: u64) -> CallRequest {
    CallRequest {
        call: CallId(call),
        trunk: TrunkId(0),
        user: "15410000001".into(),
        caller_id: Some("075512345678".into()),
        setup: Duration::from_secs(30),
        ring: Duration::from_secs(20),
        media: MediaCapabilities {
            address: SocketAddr::from(([127, 0, 0, 1], 20_000)),
            codecs: vec![Codec::Pcma, Codec::Pcmu],
        },
    }
}

/// An INVITE as the user agent sends it.
fn invite() -> Vec<u8> {
    let address = SocketAddr::from(([127, 0, 0, 1], 5060));
    let mut ua = agent(address, address);
    ua.place(Time::ZERO, request(1));
    let sent = std::iter::from_fn(|| ua.poll()).find_map(|output| match output {
        UaOutput::Transmit { bytes, .. } if bytes.starts_with(b"INVITE") => Some(bytes),
        _ => None,
    });
    sent.expect("an INVITE")
}

/// INVITE, ACK, then BYE at once. Returns the calls that were answered and ended, and CPU seconds.
fn ours(far: SocketAddr, calls: u64, per_sec: u64) -> (u64, f64) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let mut ua = agent(socket.local_addr().expect("bound"), far);
    let started = Instant::now();
    let now = || Time::from_millis(started.elapsed().as_millis() as u64);
    let (mut placed, mut ended, mut answered) = (0, 0, 0);
    let mut buffer = vec![0; 65_535];
    let cpu = cpu_secs(13);
    while ended < calls && started.elapsed() < Duration::from_secs(120) {
        let due = (started.elapsed().as_secs_f64() * per_sec as f64) as u64;
        while placed < due.min(calls) {
            placed += 1;
            ua.place(now(), request(placed));
        }
        if ua.next_wake().is_some_and(|at| at <= now()) {
            ua.handle_timeout(now());
        }
        while let Some(output) = ua.poll() {
            match output {
                UaOutput::Transmit { to, bytes } => {
                    let _ = socket.send_to(&bytes, to.address);
                }
                UaOutput::Event(UaEvent::Progress { call, progress: Progress::Answered }) => {
                    answered += 1;
                    ua.acknowledge(now(), call);
                    ua.hang_up(now(), call, HangUpCause::Finished);
                }
                UaOutput::Event(UaEvent::Progress { progress: Progress::Ended(_), .. }) => ended += 1,
                UaOutput::Event(_) => {}
            }
        }
        socket.set_read_timeout(Some(Duration::from_millis(1))).expect("a timeout");
        if let Ok((length, address)) = socket.recv_from(&mut buffer) {
            ua.handle_message(now(), Peer { transport: Transport::Udp, address }, &buffer[..length]);
        }
    }
    (answered.min(ended), cpu_secs(13) - cpu)
}

fn sipp_uas() -> (u16, Child) {
    let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let child = Command::new("sipp")
        .args(["-sn", "uas", "-i", "127.0.0.1", "-p", &port.to_string(), "-nostdin", "-buff_size", "4194304"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sipp is installed");
    // Give SIPp time to start.
    let probe = UdpSocket::bind("127.0.0.1:0").expect("a port");
    std::thread::sleep(Duration::from_millis(500));
    drop(probe);
    (port, child)
}

/// CPU seconds of SIPp as the caller, from the CPU time of our waited-for children.
fn sipp_uac(port: u16, calls: u64, per_sec: u64) -> f64 {
    let before = cpu_secs(15);
    let status = Command::new("sipp")
        .args(["-sn", "uac", "-i", "127.0.0.1", "-nostdin", "-d", "0"])
        .args(["-m", &calls.to_string(), "-r", &per_sec.to_string(), &format!("127.0.0.1:{port}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("sipp is installed");
    assert!(status.success(), "sipp: {status}");
    cpu_secs(15) - before
}

/// User and system time from `/proc/self/stat`: field 14 on for this process, 16 on for its children.
fn cpu_secs(first: usize) -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit(')').next().expect("a name in brackets");
    let ticks: f64 =
        fields.split_whitespace().skip(first - 2).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}
