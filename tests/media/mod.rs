//! Media legs over loopback: what one side sends is what the other side receives, whatever unknown
//! sources send. The far end is a second media room, or a plain socket that keeps every packet.

mod bridges;
mod floor;
mod legs;
mod plain_socket;
mod recordings;
mod unknown_sources;

use paceline::net::rtp::{MediaConfig, MediaEvent, MediaServer};
use paceline_core::call::Heard;
use paceline_core::ids::CallId;
use paceline_core::media::{Codec, Direction, MediaTarget};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Timeout of all waits; long enough for a loaded machine, never reached when all is well.
pub const PATIENCE: Duration = Duration::from_secs(20);
pub const KEYS: u8 = 101;

/// A loopback address that nothing else in this process uses. Tests that run beside this one send RTP to
/// 127.0.0.1, also to ports that were closed a moment ago and are bound again.
pub fn own_loopback() -> IpAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let process = (std::process::id() % 120) as u8;
    IpAddr::V4(Ipv4Addr::new(127, 100 + process, (n / 250 % 250) as u8, (n % 250 + 1) as u8))
}

/// A media room and its events.
pub struct TestMedia {
    pub room: MediaServer,
    pub events: Receiver<MediaEvent>,
}

impl TestMedia {
    pub fn open() -> TestMedia {
        TestMedia::with_silence_timeout(Duration::from_secs(60))
    }

    pub fn with_silence_timeout(silence: Duration) -> TestMedia {
        TestMedia::with(silence, 1)
    }

    pub fn with_threads(threads: usize) -> TestMedia {
        TestMedia::with(Duration::from_secs(60), threads)
    }

    fn with(silence: Duration, threads: usize) -> TestMedia {
        let config = MediaConfig { bind: own_loopback(), ports: 21_000..=21_199, threads, silence };
        let (report, events) = channel();
        let room = MediaServer::start(config, move |event| {
            // The test may end before the room does.
            let _ = report.send(event);
        });
        TestMedia { room: room.unwrap(), events }
    }

    /// Waits for the first event that `wanted` accepts; other events are dropped.
    pub fn wait_for<T>(&self, wanted: impl Fn(&MediaEvent) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).expect("the event should have come by now");
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    }

    pub fn wait_heard(&self, leg: CallId, what: &Heard) {
        self.wait_for(|event| {
            matches!(event, MediaEvent::Heard { leg: id, heard } if *id == leg && heard == what).then_some(())
        });
    }

    /// Waits for `count` digits from this leg.
    pub fn wait_keys(&self, leg: CallId, count: usize) -> String {
        (0..count)
            .map(|_| {
                self.wait_for(|event| match event {
                    MediaEvent::Heard { leg: id, heard: Heard::Digit(digit) } if *id == leg => {
                        Some(digit.as_char())
                    }
                    _ => None,
                })
            })
            .collect()
    }
}

/// A `sendrecv` target at that address with telephone events.
pub fn target(rtp: SocketAddr, codec: Codec) -> MediaTarget {
    MediaTarget {
        rtp,
        rtcp: SocketAddr::new(rtp.ip(), rtp.port() + 1),
        codec,
        payload_type: codec.payload_type(),
        telephone_event: Some(KEYS),
        telephone_event_in: Some(KEYS),
        direction: Direction::SendRecv,
        packet_ms: 20,
        follow: paceline_core::media::RtpFollow::Source,
    }
}
