//! Announcements to 1,000 far ends from one media thread, beside minimal loops that do the same: CPU per
//! packet as a ratio, and how late packets leave. Then bridged calls, in `bridged`. `cargo bench --bench
//! media`, about 40 s; `-- bridged` for those alone.
#![expect(unsafe_code, reason = "the yardstick is a bare sendmmsg loop, and CPU time is read per thread")]

mod bridged;

use paceline::audio::Sound;
use paceline::net::rtp::{MediaCommand, MediaConfig, MediaEvent, MediaServer, MediaTotals};
use paceline_core::call::Heard;
use paceline_core::ids::CallId;
use paceline_core::media::rtp::Packet;
use paceline_core::media::tone_keys::ToneListener;
use paceline_core::media::{Codec, Direction, MediaTarget};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const STREAMS: usize = 1_000;
const TICK: Duration = Duration::from_millis(20);
/// Rounds of the bare loops: 100,000 packets each.
const ROUNDS: u64 = 100;
const MEASURED: Duration = Duration::from_secs(6);
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PACKET: usize = 172;
const BATCH: usize = 32;

fn main() {
    raise_file_limit();
    if !std::env::args().any(|argument| argument == "bridged") {
        announcements();
    }
    bridged::run();
}

fn announcements() {
    let far: Vec<UdpSocket> = (0..STREAMS).map(|_| far_end()).collect();
    let addresses: Vec<SocketAddr> = far.iter().filter_map(|socket| socket.local_addr().ok()).collect();
    // Each loop runs before and after the room, and the cheaper run counts: load by other programs only
    // adds CPU time.
    let mut shared = bare_sendmmsg(&addresses);
    let mut connected = bare_connected_send(&addresses);
    drain(&far);
    let room = room(&far, &addresses);
    shared = shared.min(bare_sendmmsg(&addresses));
    connected = connected.min(bare_connected_send(&addresses));

    println!("{STREAMS} streams of 20 ms, one thread, loopback; CPU of the sending thread");
    println!("{:<52} {:>9} {:>8} {:>8}", "", "us/packet", "x mmsg", "x send");
    for (what, cost) in [
        ("bare sendmmsg, one socket, 32 packets a call", shared),
        ("bare send, one connected socket a stream", connected),
        ("media room, far ends silent", room.silent),
        ("media room, far ends answering (each also received)", room.answering),
        ("keys in the audio: A-law, sound in it", tone_detection(Codec::Pcma, 0.3)),
        ("keys in the audio: A-law, silence", tone_detection(Codec::Pcma, 0.0)),
        ("keys in the audio: G.722 (decoded for it)", tone_detection(Codec::G722, 0.3)),
    ] {
        println!("{what:<52} {cost:>9.2} {:>8.2} {:>8.2}", cost / shared, cost / connected);
    }
    let late = |share: f64| lateness(&room.late, share);
    println!("late by at most (bucket): p50 {} p99 {} p99.9 {}", late(0.5), late(0.99), late(0.999));
    println!(
        "packets {} received back {} mean lateness {:.0} us",
        room.packets, room.received, room.mean_late
    );
}

/// What looking for tones adds to each received packet, in us.
fn tone_detection(codec: Codec, amplitude: f32) -> f64 {
    let samples: Vec<f32> =
        (0..32_000).map(|n| amplitude * (n as f32 * 0.05).sin() * (n as f32 * 0.0007).cos()).collect();
    let sound = Sound::from_samples("speech", &samples, 16_000);
    let mut listeners: Vec<ToneListener> = (0..STREAMS).map(|_| ToneListener::default()).collect();
    let mut found = 0u64;
    let packets = sound.encoded(codec).as_chunks::<160>().0;
    let began = Instant::now();
    for (round, payload) in packets.iter().enumerate() {
        for listener in &mut listeners {
            listener.packet(codec, 1, round as u32 * 160, payload, |_| found += 1);
        }
    }
    let spent = began.elapsed().as_secs_f64() * 1e6;
    assert_eq!(found, 0, "the bench's sound holds no keys");
    spent / (packets.len() * STREAMS) as f64
}

/// A receiving socket with its default small queue, so that unread packets cost the same for all senders.
fn far_end() -> UdpSocket {
    let socket = UdpSocket::bind((LOCALHOST, 0)).expect("loopback has free ports");
    socket.set_nonblocking(true).expect("sockets can be non-blocking");
    socket
}

fn drain(far: &[UdpSocket]) {
    let mut bytes = [0; 200];
    for socket in far {
        while socket.recv(&mut bytes).is_ok() {}
    }
}

/// Header and payload are written anew for each packet, as any sender has to.
fn write(bytes: &mut [u8; PACKET], n: u64, payload: &[u8]) {
    let packet = Packet {
        payload_type: 8,
        marker: false,
        sequence: n as u16,
        timestamp: n as u32 * 160,
        ssrc: 7,
        payload,
    };
    packet.write(bytes);
}

/// CPU in us per packet.
fn bare_sendmmsg(addresses: &[SocketAddr]) -> f64 {
    let socket = UdpSocket::bind((LOCALHOST, 0)).expect("loopback has free ports");
    let names: Vec<socket2::SockAddr> = addresses.iter().map(|&address| address.into()).collect();
    let payload = [0x55; 160];
    let mut buffers = [[0u8; PACKET]; BATCH];
    paced(|round| {
        for batch in names.chunks(BATCH) {
            // SAFETY: all-zero is a valid value for these plain C structures.
            let mut parts: [libc::iovec; BATCH] = unsafe { std::mem::zeroed() };
            // SAFETY: as above.
            let mut messages: [libc::mmsghdr; BATCH] = unsafe { std::mem::zeroed() };
            for (n, name) in batch.iter().enumerate() {
                write(&mut buffers[n], round, &payload);
                parts[n] = libc::iovec { iov_base: buffers[n].as_mut_ptr().cast(), iov_len: PACKET };
                let header = &mut messages[n].msg_hdr;
                header.msg_name = name.as_ptr().cast_mut().cast();
                header.msg_namelen = name.len();
                header.msg_iov = &raw mut parts[n];
                header.msg_iovlen = 1;
            }
            // SAFETY: every message points to buffers that outlive the call.
            unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), batch.len() as u32, 0) };
        }
    })
}

/// CPU in us per packet.
fn bare_connected_send(addresses: &[SocketAddr]) -> f64 {
    let sockets: Vec<UdpSocket> = addresses
        .iter()
        .map(|address| {
            let socket = far_end();
            socket.connect(address).expect("loopback can be reached");
            socket
        })
        .collect();
    let payload = [0x55; 160];
    let mut bytes = [0; PACKET];
    paced(|round| {
        for socket in &sockets {
            write(&mut bytes, round, &payload);
            // A full queue at the far end does not matter here.
            let _ = socket.send(&bytes);
        }
    })
}

/// Sends the packets of all streams as fast as possible, `ROUNDS` times; the best tenth of the rounds
/// counts.
fn paced(mut round: impl FnMut(u64)) -> f64 {
    let mut costs: Vec<f64> = (0..ROUNDS)
        .map(|n| {
            let before = own_cpu_micros();
            round(n);
            (own_cpu_micros() - before) / STREAMS as f64
        })
        .collect();
    costs.sort_by(f64::total_cmp);
    costs[..ROUNDS as usize / 10].iter().sum::<f64>() / (ROUNDS / 10) as f64
}

struct Room {
    silent: f64,
    answering: f64,
    late: Vec<(u64, u64)>,
    mean_late: f64,
    packets: u64,
    received: u64,
}

fn room(far: &[UdpSocket], addresses: &[SocketAddr]) -> Room {
    let config = MediaConfig {
        bind: LOCALHOST,
        ports: 40_000..=43_999,
        threads: 1,
        silence: Duration::from_secs(600),
    };
    let first_audio = Arc::new(AtomicU64::new(0));
    let heard = first_audio.clone();
    let room = MediaServer::start(config, move |event| {
        if matches!(event, MediaEvent::Heard { heard: Heard::FirstAudio, .. }) {
            heard.fetch_add(1, Ordering::Relaxed);
        }
    })
    .expect("the media room starts");
    let tone: Vec<f32> = (0..16_000 * 4).map(|n| (n as f32 * 0.2).sin() * 0.2).collect();
    let sound = Arc::new(Sound::from_samples("tone", &tone, 16_000));
    let ours: Vec<SocketAddr> = (0..STREAMS)
        .map(|n| {
            let leg = CallId(n as u64);
            let own = room.open_leg(leg).expect("there are ports enough");
            let rtp = addresses[n];
            room.command(
                leg,
                MediaCommand::Connect(MediaTarget {
                    rtp,
                    rtcp: SocketAddr::new(rtp.ip(), rtp.port() + 1),
                    codec: Codec::Pcma,
                    payload_type: Codec::Pcma.payload_type(),
                    telephone_event: None,
                    telephone_event_in: None,
                    direction: Direction::SendRecv,
                    packet_ms: 20,
                    follow: paceline_core::media::RtpFollow::Source,
                }),
            );
            room.command(leg, MediaCommand::Play { sound: sound.clone(), plays: 1_000 });
            own
        })
        .collect();
    // Let the first ticks set everything up.
    std::thread::sleep(TICK * 20);
    drain(far);
    let (silent, _) = measure(&room, || {});
    // Each far end sends: the leg latches, connects its socket, and receives as much as it sends.
    let mut bytes = [0; PACKET];
    let mut n = 0;
    let (answering, span) = measure(&room, || {
        write(&mut bytes, n, &[0x55; 160]);
        n += 1;
        for (socket, to) in far.iter().zip(&ours) {
            let _ = socket.send_to(&bytes, to);
        }
        drain(far);
    });
    assert_eq!(first_audio.load(Ordering::Relaxed), STREAMS as u64, "every leg hears its far end");
    let (sent, late_sum) = (span.packets_sent.max(1), span.late_micros_sum);
    Room {
        silent,
        answering,
        late: span.late,
        mean_late: late_sum as f64 / sent as f64,
        packets: sent,
        received: span.packets_received,
    }
}

/// CPU in us of the media thread per packet sent, and the totals of that span.
fn measure(room: &MediaServer, mut each_tick: impl FnMut()) -> (f64, MediaTotals) {
    let before = (media_cpu_micros(), room.totals());
    let start = Instant::now();
    let mut next = start;
    while start.elapsed() < MEASURED {
        each_tick();
        next += TICK;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    let (cpu, mut totals) = (media_cpu_micros() - before.0, room.totals());
    totals.packets_sent -= before.1.packets_sent;
    totals.packets_received -= before.1.packets_received;
    totals.late_micros_sum -= before.1.late_micros_sum;
    for (bucket, earlier) in totals.late.iter_mut().zip(&before.1.late) {
        bucket.1 -= earlier.1;
    }
    (cpu / totals.packets_sent.max(1) as f64, totals)
}

fn lateness(late: &[(u64, u64)], share: f64) -> String {
    let all: u64 = late.iter().map(|bucket| bucket.1).sum();
    let wanted = (all as f64 * share).ceil() as u64;
    let mut seen = 0;
    for &(bound, packets) in late {
        seen += packets;
        if seen >= wanted {
            return if bound == u64::MAX {
                "more".into()
            } else {
                format!("{:.2} ms", bound as f64 / 1_000.0)
            };
        }
    }
    "nothing sent".into()
}

fn own_cpu_micros() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

fn media_cpu_micros() -> f64 {
    cpu_micros_of("media-")
}

/// CPU of the threads whose names begin with `prefix`, from the scheduler's own count.
fn cpu_micros_of(prefix: &str) -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux has /proc");
    tasks
        .flatten()
        .filter(|task| {
            std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.starts_with(prefix))
        })
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|stat| stat.split(' ').next()?.parse::<f64>().ok())
        .sum::<f64>()
        / 1e3
}

fn raise_file_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for reading and writing.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
    }
}
