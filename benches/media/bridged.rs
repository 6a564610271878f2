//! 300 bridged calls (600 legs) on one media thread, beside a bare loop that copies each packet from one
//! socket to another: CPU per call and tick, with and without recording, how late packets leave, and the
//! time from `Join` to the first packet of the other party.

use super::{
    LOCALHOST, MEASURED, PACKET, TICK, cpu_micros_of, drain, far_end, lateness, own_cpu_micros, write,
};
use paceline::net::rtp::{MediaCommand, MediaConfig, MediaEvent, MediaServer, MediaTotals, Recording, Voice};
use paceline_core::ids::{CallId, MixId};
use paceline_core::media::{Codec, Direction, MediaTarget};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CALLS: usize = 300;
const LEGS: usize = 2 * CALLS;
const ROUNDS: u64 = 200;
const INBOX: usize = 16;

pub fn run() {
    let far: Arc<Vec<UdpSocket>> = Arc::new((0..LEGS).map(|_| far_end()).collect());
    let mut bare = bare_relay(&far);
    let room = Room::open(&far);
    let joins = room.join_all(&far);
    drain(&far);
    let plain = room.measure(&far);
    let dir = tempfile::tempdir().expect("there is room for recordings");
    for call in 0..CALLS {
        let path = dir.path().join(format!("call-{call}.wav"));
        let recording = Recording::start(path, &serde_json::json!({ "call": call }));
        room.room.command(CallId(2 * call as u64), MediaCommand::Record(recording));
    }
    let recorded = room.measure(&far);
    let lost = room.stop_recordings();
    bare = bare.min(bare_relay(&far));

    println!(
        "\n{CALLS} bridged calls, G.711, one media thread; CPU per call and beat (two packets in, two out)"
    );
    println!("{:<52} {:>9} {:>8}", "", "us", "x bare");
    let row = |what: &str, cost: f64| println!("{what:<52} {cost:>9.2} {:>8.2}", cost / bare);
    row("bare recvmmsg and sendmmsg between sockets", bare);
    row("media room, relayed", plain.media);
    row("media room, relayed, each call recorded", recorded.media);
    row("  and the thread that writes", recorded.writer);
    for (what, span) in [("relayed", &plain), ("recorded", &recorded)] {
        let late = |share: f64| lateness(&span.totals.late, share);
        println!(
            "{what}: late by at most p50 {} p99 {} p99.9 {}; packets in {} out {} refused {}",
            late(0.5),
            late(0.99),
            late(0.999),
            span.totals.packets_received,
            span.totals.packets_sent,
            span.totals.packets_refused,
        );
    }
    println!("frames lost by the recorder: {lost}");
    let at = |share: f64| joins[((joins.len() - 1) as f64 * share) as usize];
    println!(
        "from Join to the agent's first packet at the callee: p50 {:.1} ms p99 {:.1} ms most {:.1} ms of {}",
        at(0.5),
        at(0.99),
        at(1.0),
        joins.len()
    );
}

struct Room {
    room: MediaServer,
    ours: Vec<SocketAddr>,
    recorded: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
}

struct Span {
    media: f64,
    writer: f64,
    totals: MediaTotals,
}

impl Room {
    fn open(far: &[UdpSocket]) -> Room {
        let silence = Duration::from_secs(600);
        let config = MediaConfig { bind: LOCALHOST, ports: 44_000..=46_999, threads: 1, silence };
        let (recorded, lost) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (count, losses) = (recorded.clone(), lost.clone());
        let room = MediaServer::start(config, move |event| {
            if let MediaEvent::Recorded { lost_frames, .. } = event {
                count.fetch_add(1, Ordering::Relaxed);
                losses.fetch_add(lost_frames, Ordering::Relaxed);
            }
        })
        .expect("the media room starts");
        let ours = (0..LEGS)
            .map(|n| {
                let leg = CallId(n as u64);
                let own = room.open_leg(leg).expect("there are ports enough");
                let rtp = far[n].local_addr().expect("it is bound");
                room.command(leg, MediaCommand::Connect(target(rtp)));
                own
            })
            .collect();
        Room { room, ours, recorded, lost }
    }

    /// Agents wait in their mixes and all far ends send; then one callee after the other joins. Returns
    /// the milliseconds from the command to the agent's first packet, sorted.
    fn join_all(&self, far: &Arc<Vec<UdpSocket>>) -> Vec<f64> {
        let agents = (0..CALLS).map(|call| (call, CallId(2 * call as u64 + 1)));
        for (call, agent) in agents {
            let join = MediaCommand::Join { mix: MixId(call as u64), voice: Voice::Everyone };
            self.room.command(agent, join);
        }
        let over = Arc::new(AtomicBool::new(false));
        let (speakers, ours, stop) = (far.clone(), self.ours.clone(), over.clone());
        let driver = std::thread::spawn(move || {
            let (start, mut n) = (Instant::now(), 0);
            while !stop.load(Ordering::Relaxed) {
                speak(&speakers, &ours, n);
                n += 1;
                std::thread::sleep((TICK * n as u32).saturating_sub(start.elapsed()));
            }
        });
        std::thread::sleep(TICK * 10);
        let mut delays: Vec<f64> = (0..CALLS).map(|call| self.join(far, call)).collect();
        over.store(true, Ordering::Relaxed);
        driver.join().expect("the driver only sends");
        delays.sort_by(f64::total_cmp);
        delays
    }

    fn join(&self, far: &[UdpSocket], call: usize) -> f64 {
        let callee = &far[2 * call];
        let mut bytes = [0; 2 * PACKET];
        while callee.recv(&mut bytes).is_ok() {}
        // At varying moments of the tick.
        std::thread::sleep(Duration::from_micros(call as u64 * 7_919 % 20_000));
        callee.set_nonblocking(false).expect("sockets can block");
        let start = Instant::now();
        let join = MediaCommand::Join { mix: MixId(call as u64), voice: Voice::Everyone };
        self.room.command(CallId(2 * call as u64), join);
        loop {
            let length = callee.recv(&mut bytes).expect("packets keep coming");
            if bytes[..length].ends_with(&[0x56; 16]) {
                break;
            }
        }
        let delay = start.elapsed().as_secs_f64() * 1e3;
        callee.set_nonblocking(true).expect("sockets can be non-blocking");
        delay
    }

    fn measure(&self, far: &[UdpSocket]) -> Span {
        let cpu = || (cpu_micros_of("media-"), cpu_micros_of("recorder"));
        let (before, cpu_before) = (self.room.totals(), cpu());
        let (start, mut n) = (Instant::now(), 0);
        while start.elapsed() < MEASURED {
            speak(far, &self.ours, 5_000 + n);
            drain(far);
            n += 1;
            std::thread::sleep((TICK * n as u32).saturating_sub(start.elapsed()));
        }
        let (mut totals, cpu_after) = (self.room.totals(), cpu());
        totals.packets_sent -= before.packets_sent;
        totals.packets_received -= before.packets_received;
        for (bucket, earlier) in totals.late.iter_mut().zip(&before.late) {
            bucket.1 -= earlier.1;
        }
        let turns = (n * CALLS as u64) as f64;
        let (media, writer) = ((cpu_after.0 - cpu_before.0) / turns, (cpu_after.1 - cpu_before.1) / turns);
        Span { media, writer, totals }
    }

    /// Stops all recordings and returns the number of lost frames.
    fn stop_recordings(&self) -> u64 {
        for call in 0..CALLS {
            self.room.command(CallId(2 * call as u64), MediaCommand::StopRecording);
        }
        let start = Instant::now();
        while self.recorded.load(Ordering::Relaxed) < CALLS as u64 && start.elapsed() < MEASURED * 5 {
            std::thread::sleep(TICK);
        }
        assert_eq!(self.recorded.load(Ordering::Relaxed), CALLS as u64, "every recording is complete");
        self.lost.load(Ordering::Relaxed)
    }
}

/// Every far end sends one packet: callees 0x55, agents 0x56.
fn speak(far: &[UdpSocket], ours: &[SocketAddr], n: u64) {
    let mut bytes = [0; PACKET];
    for (leg, (socket, to)) in far.iter().zip(ours).enumerate() {
        write(&mut bytes, n, &[0x55 + (leg % 2) as u8; 160]);
        let _ = socket.send_to(&bytes, to);
    }
}

fn target(rtp: SocketAddr) -> MediaTarget {
    MediaTarget {
        rtp,
        rtcp: SocketAddr::new(rtp.ip(), rtp.port() ^ 1),
        codec: Codec::Pcma,
        payload_type: Codec::Pcma.payload_type(),
        telephone_event: None,
        telephone_event_in: None,
        direction: Direction::SendRecv,
        packet_ms: 20,
        follow: paceline_core::media::RtpFollow::Source,
    }
}

/// CPU in us per call and round of a bare relay, one packet each way. The best tenth of the rounds
/// counts.
fn bare_relay(far: &[UdpSocket]) -> f64 {
    let sockets: Vec<UdpSocket> = far
        .iter()
        .map(|far| {
            let socket = far_end();
            socket.connect(far.local_addr().expect("it is bound")).expect("loopback can be reached");
            socket
        })
        .collect();
    let ours: Vec<SocketAddr> = sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect();
    let mut inbox = [[0u8; PACKET]; INBOX];
    let mut costs: Vec<f64> = (0..ROUNDS)
        .map(|n| {
            speak(far, &ours, n);
            let before = own_cpu_micros();
            for (leg, socket) in sockets.iter().enumerate() {
                pass_on(socket, &sockets[leg ^ 1], &mut inbox);
            }
            let cost = (own_cpu_micros() - before) / CALLS as f64;
            drain(far);
            cost
        })
        .collect();
    costs.sort_by(f64::total_cmp);
    costs[..ROUNDS as usize / 10].iter().sum::<f64>() / (ROUNDS / 10) as f64
}

/// Forwards all waiting packets of one socket to the other.
fn pass_on(from: &UdpSocket, to: &UdpSocket, inbox: &mut [[u8; PACKET]; INBOX]) {
    // SAFETY: all-zero is a valid value for these plain C structures.
    let mut parts: [libc::iovec; INBOX] = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    let mut messages: [libc::mmsghdr; INBOX] = unsafe { std::mem::zeroed() };
    for (n, bytes) in inbox.iter_mut().enumerate() {
        parts[n] = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: PACKET };
        messages[n].msg_hdr.msg_iov = &raw mut parts[n];
        messages[n].msg_hdr.msg_iovlen = 1;
    }
    // SAFETY: every message points to a buffer that outlives both calls.
    unsafe {
        let (first, wait) = (messages.as_mut_ptr(), std::ptr::null_mut());
        let count = libc::recvmmsg(from.as_raw_fd(), first, INBOX as u32, libc::MSG_DONTWAIT, wait);
        if count > 0 {
            libc::sendmmsg(to.as_raw_fd(), first, count as u32, 0);
        }
    }
}
