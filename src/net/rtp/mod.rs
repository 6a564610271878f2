//! RTP ports and the dedicated media threads with their 20 ms tick. A media thread owns its legs. The
//! engine sends commands over channels and receives few events: first audio, digits, end of playback,
//! silence. Bridging and conferences are in `mixer`, recording in `recording`.

mod capture;
mod command;
mod event;
mod leg;
mod media_thread;
mod mixer;
mod placement;
mod playback;
mod ports;
mod receive;
mod recording;
mod system;
mod timing_wheel;
mod totals;
mod transcode;

pub use capture::AudioCapture;
pub use command::MediaCommand;
pub use event::{LegStats, MediaEvent};
pub use paceline_core::media::Voice;
pub use recording::{
    Encoding, Pruned, Recording, Recovered, prune_recordings, recordings_finished_since, recover_recordings,
};
pub use totals::MediaTotals;

use leg::RtpSockets;
use media_thread::{MediaThread, ThreadCommand, ThreadHandle};
use paceline_core::ids::CallId;
use placement::{LegPlacement, ThreadMove};
use ports::Ports;
use recording::{Recorder, RecordingSink};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use totals::Counters;

/// Configuration of the media room.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Address that sockets are bound to.
    pub bind: IpAddr,
    /// RTP uses the even ports, RTCP the odd ones.
    pub ports: RangeInclusive<u16>,
    pub threads: usize,
    /// A leg that receives nothing for this long reports `Heard::Silent` once.
    pub silence: Duration,
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

/// Handle of the media threads. Cheap to clone; the threads end when the last one is dropped.
#[derive(Clone)]
pub struct MediaServer(Arc<Room>);

type Report = Arc<dyn Fn(MediaEvent) + Send + Sync>;

struct Room {
    bind: IpAddr,
    range: RangeInclusive<u16>,
    ports: Arc<Mutex<Ports>>,
    threads: Vec<ThreadHandle>,
    /// Locked while a command is handed over, so that the threads see moves and commands in one order.
    placement: Mutex<LegPlacement>,
    /// The recorder thread, started by the first recording.
    recorder: OnceLock<io::Result<Recorder>>,
    report: Report,
}

impl fmt::Debug for MediaServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaServer").field("bind", &self.0.bind).field("ports", &self.0.range).finish()
    }
}

impl MediaServer {
    /// Starts the media threads. `events` is called on a media thread and must not block.
    pub fn start(
        config: MediaConfig,
        events: impl Fn(MediaEvent) + Send + Sync + 'static,
    ) -> Result<MediaServer, MediaError> {
        if let Err(error) = system::raise_file_limit() {
            tracing::warn!("cannot raise the limit of open files: {error}");
        }
        let ports = Arc::new(Mutex::new(Ports::new(&config.ports)));
        let report: Report = Arc::new(events);
        let mut threads = Vec::new();
        for n in 0..config.threads.max(1) {
            let (commands, received) = mpsc::channel();
            let counters = Arc::new(Counters::default());
            let media_thread = MediaThread {
                commands: received,
                ports: ports.clone(),
                counters: counters.clone(),
                silence_micros: config.silence.as_micros() as u64,
                report: report.clone(),
            };
            let thread = std::thread::Builder::new().name(format!("media-{n}"));
            thread.spawn(move || media_thread.run()).map_err(MediaError::Thread)?;
            threads.push(ThreadHandle { commands, counters });
        }
        let (placement, recorder) = (Mutex::default(), OnceLock::new());
        Ok(MediaServer(Arc::new(Room {
            bind: config.bind,
            range: config.ports,
            ports,
            threads,
            placement,
            recorder,
            report,
        })))
    }

    /// Opens a leg: binds a port pair and returns its RTP address. Packets that arrive before the first
    /// `Connect` are refused, because no source is signalled yet.
    pub fn open_leg(&self, leg: CallId) -> Result<SocketAddr, MediaError> {
        self.open_leg_at(leg, self.0.bind)
    }

    /// As `open_leg`, on an address of its own: of the other family where the far side has it.
    pub fn open_leg_at(&self, leg: CallId, bind: IpAddr) -> Result<SocketAddr, MediaError> {
        let sockets = self.0.bind_pair(bind)?;
        let address = SocketAddr::new(bind, sockets.port);
        let mut placement = self.0.placement();
        let thread = &self.0.threads[placement.open(leg, self.0.first_thread(leg))];
        thread.counters.opened();
        // The thread has ended only if the room has; its legs ended with it.
        let _ = thread.commands.send(ThreadCommand::Open(leg, sockets));
        Ok(address)
    }

    /// Sends a command to a leg. Unknown legs are ignored: the call may have ended meanwhile.
    pub fn command(&self, leg: CallId, command: MediaCommand) {
        let mut placement = self.0.placement();
        let thread = match &command {
            MediaCommand::Join { mix, .. } => {
                placement.join(leg, *mix).map(|thread_move| self.0.move_leg(leg, thread_move))
            }
            MediaCommand::Leave => {
                placement.leave(leg);
                placement.thread(leg)
            }
            MediaCommand::Close => placement.close(leg),
            _ => placement.thread(leg),
        };
        let Some(thread) = thread else { return };
        let command = match command {
            // Files and memory are prepared here, not on the media thread.
            MediaCommand::Record(recording) => match self.0.start_recording(leg, recording) {
                Some(sink) => ThreadCommand::Record(leg, sink),
                None => return,
            },
            command => ThreadCommand::Execute(leg, command),
        };
        let _ = self.0.threads[thread].commands.send(command);
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

    /// Moves a leg to another thread, which holds back the leg's commands until it has arrived.
    fn move_leg(&self, leg: CallId, thread_move: ThreadMove) -> usize {
        if thread_move.from != thread_move.to {
            let to = &self.threads[thread_move.to];
            let _ = to.commands.send(ThreadCommand::Expect(leg));
            let _ = self.threads[thread_move.from].commands.send(ThreadCommand::Move(leg, to.clone()));
        }
        thread_move.to
    }

    fn start_recording(&self, leg: CallId, recording: Recording) -> Option<RecordingSink> {
        match self.recorder.get_or_init(|| Recorder::start(self.report.clone())) {
            Ok(recorder) => Some(recorder.start_recording(leg, recording)),
            Err(error) => {
                let (path, error) = (recording.path().to_owned(), error.to_string());
                (self.report)(MediaEvent::RecordingFailed { leg, path, error });
                None
            }
        }
    }

    fn placement(&self) -> MutexGuard<'_, LegPlacement> {
        self.placement.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Binds the next free port pair. A port in use by another program is skipped and tried again later.
    fn bind_pair(&self, bind: IpAddr) -> Result<RtpSockets, MediaError> {
        let mut failed = None;
        for _ in 0..=self.range.len() / 2 {
            let Some(port) = self.ports().take(system::monotonic_micros()) else { break };
            match bind_pair(bind, port) {
                Ok(sockets) => return Ok(sockets),
                Err(error) => {
                    self.ports().give_back(port, system::monotonic_micros());
                    let taken = error.kind() == io::ErrorKind::AddrInUse;
                    failed = Some(MediaError::Bind { address: SocketAddr::new(bind, port), source: error });
                    if !taken {
                        break;
                    }
                }
            }
        }
        Err(failed.unwrap_or(MediaError::NoPorts(*self.range.start(), *self.range.end())))
    }

    /// Lock briefly: media threads release ports through it.
    fn ports(&self) -> MutexGuard<'_, Ports> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bind_pair(bind: IpAddr, port: u16) -> io::Result<RtpSockets> {
    let rtp = UdpSocket::bind((bind, port))?;
    let rtcp = UdpSocket::bind((bind, port + 1))?;
    for socket in [&rtp, &rtcp] {
        socket.set_nonblocking(true)?;
        system::enable_arrival_times(socket)?;
    }
    Ok(RtpSockets { rtp, rtcp, port })
}
