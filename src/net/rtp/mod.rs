//! RTP ports and the dedicated media threads with their 20 ms beat. A thread owns its legs; the
//! engine sends commands over rings and hears of little: first audio, digits, the end of a play, silence.
//! Which legs hear each other is `mixing`, what is kept of them `recording`.

mod directory;
mod leg;
mod legs;
mod mixing;
mod playing;
mod ports;
mod receive;
mod recording;
mod system;
mod tap;
mod totals;
mod transcode;
mod wheel;

pub use paceline_core::media::Voice;
pub use recording::{Encoding, Pruned, Recording, Recovered, finished_since, prune, recover};
pub use tap::Tap;

use crate::audio::Sound;
use directory::{Directory, Way};
use leg::Line;
use paceline_core::call::{Digit, Heard};
use paceline_core::ids::{CallId, MixId};
use paceline_core::media::MediaTarget;
use paceline_core::media::quality::Measured;
use ports::Ports;
use recording::{Pen, Scribe};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use totals::Counters;
use wheel::{Address, Order, Wheel};

/// How the media room is set up.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Where sockets are bound.
    pub bind: IpAddr,
    /// RTP on the even ports, RTCP on the odd ones.
    pub ports: RangeInclusive<u16>,
    pub threads: usize,
    /// A leg that hears nothing for this long reports `Heard::Silent` once.
    pub silence: Duration,
}

/// What the engine asks of one leg. The thread that owns the leg carries it out on its next beat.
#[derive(Clone, Debug)]
pub enum MediaCommand {
    /// Send there, in that codec and direction; latch onto the first valid source anew if it moved.
    /// On hold nothing is sent, and what plays waits and goes on where it was.
    Connect(MediaTarget),
    /// From the start, `plays` times, then `Heard::PlayEnded`; 0 = without end. Replaces what is
    /// playing. Meanwhile the leg hears this instead of its mix; its own voice still goes there.
    Play {
        sound: Arc<Sound>,
        plays: u32,
    },
    StopPlaying,
    /// RFC 4733 digits, one after the other. (The simulated people press keys.)
    SendDigits(Vec<Digit>),
    /// Keep what is heard from now on in that tap.
    Tap(Tap),
    /// Record from now on, in place of any recording under way, until `StopRecording` or the end.
    Record(Recording),
    StopRecording,
    /// Hear the others of that mix, and speak to them from the next beat on; or speak to others than
    /// before. Leaves any other mix first.
    Join {
        mix: MixId,
        voice: Voice,
    },
    /// Alone again: silence, or what plays.
    Leave,
    /// One `MediaEvent::Measured` at once.
    Measure,
    /// RTCP BYE, close the sockets, give back the port, report `MediaEvent::Closed`.
    Close,
}

#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    Heard {
        leg: CallId,
        heard: Heard,
    },
    /// A recording is complete on disk. `lost_frames`: pieces of 20 ms that the disk was too slow for.
    Recorded {
        leg: CallId,
        path: PathBuf,
        seconds: f64,
        lost_frames: u64,
    },
    /// It could not be begun or gone on with; what there is of it stays as `.part`.
    RecordingFailed {
        leg: CallId,
        path: PathBuf,
        error: String,
    },
    /// What was counted so far, because it was asked for.
    Measured {
        leg: CallId,
        stats: LegStats,
    },
    Closed {
        leg: CallId,
        stats: LegStats,
    },
}

/// What one leg sent and received, for the ledger and for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegStats {
    pub packets_sent: u64,
    pub packets_received: u64,
    /// From sources that were not latched, or not valid RTP.
    pub packets_refused: u64,
    /// RFC 3550 appendix A.3.
    pub packets_lost: u64,
    /// RFC 3550 section 6.4.1, in microseconds.
    pub jitter_micros: u32,
    /// dB below overload (0 to -127) of the parts with sound in them; of all, where there are none.
    /// `None` where nothing came, or only G.722 that nobody needed decoded.
    pub heard_dbov: Option<i8>,
    /// The same of what was sent.
    pub sent_dbov: Option<i8>,
}

impl LegStats {
    /// For [`paceline_core::media::quality::judge`].
    pub fn measured(&self) -> Measured {
        Measured {
            heard_dbov: self.heard_dbov,
            packets_received: self.packets_received,
            packets_lost: self.packets_lost,
            jitter_micros: self.jitter_micros,
        }
    }
}

/// Sums over all legs since the start, and the lateness of our own packets.
#[derive(Clone, Debug, Default)]
pub struct MediaTotals {
    pub packets_sent: u64,
    pub packets_received: u64,
    pub packets_refused: u64,
    /// (upper bound in microseconds, packets) per bucket; the last bound is `u64::MAX`.
    pub late: Vec<(u64, u64)>,
    pub late_micros_sum: u64,
    pub legs_open: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error("no free RTP port pair in {0}-{1}: widen [rtp] ports, or lower calls_max")]
    NoPorts(u16, u16),
    #[error("cannot bind RTP ports on {address}: {source}")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error("cannot start a media thread: {0}")]
    Thread(std::io::Error),
}

/// The handle. Cheap to clone; the threads end when the last one is dropped.
#[derive(Clone)]
pub struct MediaRoom(Arc<Room>);

type Report = Arc<dyn Fn(MediaEvent) + Send + Sync>;

struct Room {
    bind: IpAddr,
    range: RangeInclusive<u16>,
    ports: Arc<Mutex<Ports>>,
    threads: Vec<Thread>,
    /// Held while an order is handed over, so that threads see moves and commands in one order.
    directory: Mutex<Directory>,
    /// Writes recordings, from the first one on.
    scribe: OnceLock<io::Result<Scribe>>,
    report: Report,
}

#[derive(Debug)]
struct Thread {
    orders: Sender<Order>,
    counters: Arc<Counters>,
}

impl fmt::Debug for MediaRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaRoom").field("bind", &self.0.bind).field("ports", &self.0.range).finish()
    }
}

impl MediaRoom {
    /// `events` is called on a media thread and must not block.
    pub fn start(
        config: MediaConfig,
        events: impl Fn(MediaEvent) + Send + Sync + 'static,
    ) -> Result<MediaRoom, MediaError> {
        if let Err(error) = system::raise_file_limit() {
            tracing::warn!("cannot raise the limit of open files: {error}");
        }
        let ports = Arc::new(Mutex::new(Ports::new(&config.ports)));
        let report: Report = Arc::new(events);
        let mut threads = Vec::new();
        for n in 0..config.threads.max(1) {
            let (orders, received) = mpsc::channel();
            let counters = Arc::new(Counters::default());
            let wheel = Wheel {
                orders: received,
                ports: ports.clone(),
                counters: counters.clone(),
                silence_micros: config.silence.as_micros() as u64,
                report: report.clone(),
            };
            let thread = std::thread::Builder::new().name(format!("media-{n}"));
            thread.spawn(move || wheel.run()).map_err(MediaError::Thread)?;
            threads.push(Thread { orders, counters });
        }
        let (directory, scribe) = (Mutex::default(), OnceLock::new());
        Ok(MediaRoom(Arc::new(Room {
            bind: config.bind,
            range: config.ports,
            ports,
            threads,
            directory,
            scribe,
            report,
        })))
    }

    /// Binds a pair of ports for this leg and says where it listens. What arrives before the first
    /// `Connect` is refused: nothing says yet who may speak.
    pub fn open_leg(&self, leg: CallId) -> Result<SocketAddr, MediaError> {
        let line = self.0.bind_pair()?;
        let address = SocketAddr::new(self.0.bind, line.port);
        let mut directory = self.0.directory();
        let thread = &self.0.threads[directory.open(leg, self.0.first_thread(leg))];
        thread.counters.opened();
        // A thread that is gone took its legs with it; there is nobody to tell.
        let _ = thread.orders.send(Order::Open(leg, line));
        Ok(address)
    }

    /// Unknown legs are ignored: the call may have ended meanwhile.
    pub fn command(&self, leg: CallId, command: MediaCommand) {
        let mut directory = self.0.directory();
        let thread = match &command {
            MediaCommand::Join { mix, .. } => directory.join(leg, *mix).map(|way| self.0.move_leg(leg, way)),
            MediaCommand::Leave => {
                directory.leave(leg);
                directory.thread(leg)
            }
            MediaCommand::Close => directory.close(leg),
            _ => directory.thread(leg),
        };
        let Some(thread) = thread else { return };
        let order = match command {
            // Files and memory are seen to here, not on the media thread.
            MediaCommand::Record(recording) => match self.0.pen(leg, recording) {
                Some(pen) => Order::Write(leg, pen),
                None => return,
            },
            command => Order::Do(leg, command),
        };
        let _ = self.0.threads[thread].orders.send(order);
    }

    pub fn totals(&self) -> MediaTotals {
        let mut totals = MediaTotals::default();
        for thread in &self.0.threads {
            thread.counters.add_to(&mut totals);
        }
        totals
    }
}

impl Room {
    fn first_thread(&self, leg: CallId) -> usize {
        (leg.0 % self.threads.len() as u64) as usize
    }

    /// The thread it goes to keeps its commands until it has come.
    fn move_leg(&self, leg: CallId, way: Way) -> usize {
        if way.from != way.to {
            let to = &self.threads[way.to];
            let _ = to.orders.send(Order::Expect(leg));
            let there = Address { orders: to.orders.clone(), counters: to.counters.clone() };
            let _ = self.threads[way.from].orders.send(Order::Move(leg, there));
        }
        way.to
    }

    fn pen(&self, leg: CallId, recording: Recording) -> Option<Pen> {
        match self.scribe.get_or_init(|| Scribe::start(self.report.clone())) {
            Ok(scribe) => Some(scribe.pen(leg, recording)),
            Err(error) => {
                let (path, error) = (recording.path().to_owned(), error.to_string());
                (self.report)(MediaEvent::RecordingFailed { leg, path, error });
                None
            }
        }
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A port that another program holds is passed over and tried again later.
    fn bind_pair(&self) -> Result<Line, MediaError> {
        let mut failed = None;
        for _ in 0..=self.range.len() / 2 {
            let Some(port) = self.ports().take(system::monotonic_micros()) else { break };
            match bind_pair(self.bind, port) {
                Ok(line) => return Ok(line),
                Err(error) => {
                    self.ports().give_back(port, system::monotonic_micros());
                    let taken = error.kind() == io::ErrorKind::AddrInUse;
                    failed =
                        Some(MediaError::Bind { address: SocketAddr::new(self.bind, port), source: error });
                    if !taken {
                        break;
                    }
                }
            }
        }
        Err(failed.unwrap_or(MediaError::NoPorts(*self.range.start(), *self.range.end())))
    }

    /// Held for a moment only: media threads give ports back through it.
    fn ports(&self) -> MutexGuard<'_, Ports> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bind_pair(bind: IpAddr, port: u16) -> io::Result<Line> {
    let rtp = UdpSocket::bind((bind, port))?;
    let rtcp = UdpSocket::bind((bind, port + 1))?;
    for socket in [&rtp, &rtcp] {
        socket.set_nonblocking(true)?;
        system::note_arrivals(socket)?;
    }
    Ok(Line { rtp, rtcp, port })
}
