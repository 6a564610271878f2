//! The carrier over real sockets: SIP sockets, a media room and the carrier's state machine in one task. Runs
//! alone as `paceline carrier`, or inside the process for `run`, `demo` and tests.

use super::carrier::{Carrier, CarrierConfig, CarrierInput, CarrierOutput, MediaRequest};
use super::ledger::{Ledger, LogLine};
use super::near_service::NearService;
use super::people::Population;
use super::voices::Voices;
use crate::audio::AudioError;
use crate::net::clock::Clock;
use crate::net::rtp::{LegStats, MediaCommand, MediaConfig, MediaError, MediaEvent, MediaServer};
use crate::net::sip::{SipEvent, SipSocketConfig, SipSocketError, SipSockets};
use paceline_core::ids::CallId;
use paceline_core::media::Codec;
use paceline_core::sip::user_agent::{Peer, Transport, UaConfig};
use paceline_core::time::WallClock;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Capacity of the queue of received messages; datagrams beyond it are dropped.
const INBOUND_MAX: usize = 16_384;

/// Settings of a carrier.
#[derive(Clone, Debug)]
pub struct CarrierOptions {
    /// Port 0 = any free one.
    pub listen: Vec<(Transport, SocketAddr)>,
    pub people: Population,
    /// The people file's folder: paths of its sounds are relative to it.
    pub people_dir: PathBuf,
    /// The log of every INVITE and its events, one line each, appended.
    pub log: Option<PathBuf>,
    /// Ports for RTP.
    pub rtp_ports: RangeInclusive<u16>,
    pub media_threads: usize,
    /// The one service that calls, if it is on this machine; `None` = each caller is where it says.
    pub service: Option<NearService>,
}

impl CarrierOptions {
    /// On any free port of 127.0.0.1, UDP and TCP.
    pub fn on_loopback(people: Population) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        CarrierOptions {
            listen: vec![(Transport::Udp, any), (Transport::Tcp, any)],
            people,
            people_dir: PathBuf::from("."),
            log: None,
            rtp_ports: 40_000..=49_999,
            media_threads: 1,
            service: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CarrierError {
    #[error(transparent)]
    Sockets(#[from] SipSocketError),
    #[error(transparent)]
    Media(#[from] MediaError),
    #[error("a sound of the people file: {0}")]
    Sound(#[from] AudioError),
    #[error("cannot write the carrier's log {}: {source}", file.display())]
    Log { file: PathBuf, source: io::Error },
}

/// A running carrier. Dropping it ends it at once; `stop` hangs up its calls first.
#[derive(Debug)]
pub struct RunningCarrier {
    addresses: Vec<(Transport, SocketAddr)>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<CarrierReport>,
}

/// A carrier's record, for comparison with the dialer's.
#[derive(Debug, Default)]
pub struct CarrierReport {
    pub ledger: Ledger,
    /// Statistics of each call's leg, by SIP Call-ID.
    pub legs: BTreeMap<String, LegStats>,
    /// Why the log could not be written, if it could not.
    pub log_failure: Option<String>,
}

impl RunningCarrier {
    /// The addresses it listens on, in the order of `CarrierOptions::listen`.
    pub fn addresses(&self) -> &[(Transport, SocketAddr)] {
        &self.addresses
    }

    /// The address for this transport.
    pub fn address(&self, transport: Transport) -> Option<SocketAddr> {
        self.addresses.iter().find(|(listens, _)| *listens == transport).map(|(_, address)| *address)
    }

    /// Hangs up all calls, waits a moment for the responses and returns the report.
    pub async fn stop(mut self) -> CarrierReport {
        if let Some(stop) = self.stop.take() {
            // The task may have ended already; then the report says so.
            let _ = stop.send(());
        }
        (&mut self.task).await.unwrap_or_default()
    }
}

impl Drop for RunningCarrier {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `paceline carrier`: serves until `shutdown`. `ready` is called with its addresses.
pub async fn serve(
    options: CarrierOptions,
    ready: impl FnOnce(&[(Transport, SocketAddr)]),
    shutdown: impl Future<Output = ()>,
) -> Result<CarrierReport, CarrierError> {
    let running = start(options).await?;
    ready(running.addresses());
    shutdown.await;
    Ok(running.stop().await)
}

/// Starts a carrier in this process.
pub async fn start(options: CarrierOptions) -> Result<RunningCarrier, CarrierError> {
    let clock = Clock::start();
    let voices = Voices::load(&options.people.early_media, &options.people_dir)?;
    let log = options.log.as_ref().map(open_log).transpose()?;
    let (inbound, messages) = mpsc::channel(INBOUND_MAX);
    let mut config = SipSocketConfig::new(options.listen.clone());
    config.untrusted_per_sec = None;
    config.connections_max = 10_000;
    let sockets = SipSockets::bind(config, inbound).await?;
    let addresses = sockets.addresses().to_vec();
    let media_address = media_address(&addresses);
    let (heard_in, heard) = mpsc::unbounded_channel();
    let media = MediaServer::start(
        MediaConfig {
            bind: media_address,
            ports: options.rtp_ports.clone(),
            threads: options.media_threads,
            silence: Duration::from_secs(600),
        },
        move |event| {
            // The carrier may be gone already; then the event is not needed.
            let _ = heard_in.send(event);
        },
    )?;
    let seed = Clock::utc().as_millis() as u64 ^ u64::from(std::process::id()) << 44;
    let ua = UaConfig {
        sent_by: addresses
            .iter()
            .map(|(transport, address)| {
                (*transport, SocketAddr::new(media_address, address.port()).to_string())
            })
            .collect(),
        product: "Paceline-carrier".into(),
        seed,
        incoming: paceline_core::sip::user_agent::Incoming::Anybody,
        registrar: None,
    };
    let machine = CarrierConfig {
        ua,
        clock: WallClock::new(clock.now(), Clock::utc()),
        codecs: vec![Codec::Pcma, Codec::Pcmu, Codec::G722],
    };
    let (stop, stopped) = oneshot::channel();
    let task_state = CarrierTask {
        carrier: Carrier::new(Arc::new(options.people), machine),
        clock,
        sockets,
        media,
        voices,
        log,
        service: options.service,
        legs: BTreeMap::new(),
        report: CarrierReport::default(),
    };
    let task = tokio::spawn(task_state.work(messages, heard, stopped));
    Ok(RunningCarrier { addresses, stop: Some(stop), task })
}

fn open_log(file: &PathBuf) -> Result<File, CarrierError> {
    let failed = |source| CarrierError::Log { file: file.clone(), source };
    let mut log = OpenOptions::new().create(true).append(true).open(file).map_err(failed)?;
    if log.metadata().map_err(failed)?.len() == 0 {
        log.write_all(format!("{}\n", LogLine::HEADER).as_bytes()).map_err(failed)?;
    }
    Ok(log)
}

/// RTP is received on SIP's address; for the unspecified address (`0.0.0.0`), on the loopback.
fn media_address(addresses: &[(Transport, SocketAddr)]) -> IpAddr {
    let ip = addresses.first().map_or(IpAddr::from([127, 0, 0, 1]), |(_, address)| address.ip());
    if ip.is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { ip }
}

/// The state of the carrier's task.
struct CarrierTask {
    carrier: Carrier,
    clock: Clock,
    sockets: SipSockets,
    media: MediaServer,
    voices: Voices,
    log: Option<File>,
    service: Option<NearService>,
    /// Open legs, with the Call-ID of each.
    legs: BTreeMap<CallId, String>,
    report: CarrierReport,
}

impl CarrierTask {
    async fn work(
        mut self,
        mut messages: mpsc::Receiver<SipEvent>,
        mut heard: mpsc::UnboundedReceiver<MediaEvent>,
        mut stopped: oneshot::Receiver<()>,
    ) -> CarrierReport {
        loop {
            let wake = self.carrier.next_wake();
            tokio::select! {
                message = messages.recv() => match message {
                    Some(event) => self.sip(event),
                    None => break,
                },
                Some(event) = heard.recv() => self.take_media_event(event),
                () = sleep_until(self.clock, wake) => {
                    self.carrier.handle(self.clock.now(), CarrierInput::TimePassed);
                }
                _ = &mut stopped => break,
            }
            self.carry_out();
        }
        self.hang_up_all(messages, heard).await;
        self.report
    }

    fn sip(&mut self, event: SipEvent) {
        let now = self.clock.now();
        match event {
            SipEvent::Message { from, bytes } => {
                self.carrier.handle(now, CarrierInput::Message { from, bytes: &bytes });
            }
            SipEvent::Failed { peer } => self.carrier.handle(now, CarrierInput::TransportFailed(peer)),
        }
    }

    fn take_media_event(&mut self, event: MediaEvent) {
        if let MediaEvent::Closed { leg, stats } = event
            && let Some(call_id) = self.legs.remove(&leg)
        {
            self.report.legs.insert(call_id, stats);
        }
    }

    /// Carries out every output of the carrier.
    fn carry_out(&mut self) {
        while let Some(output) = self.carrier.poll() {
            match output {
                CarrierOutput::Transmit { to, bytes } => {
                    self.sockets.send(self.service.map_or(to, |service| service.peer(to)), bytes);
                }
                CarrierOutput::OpenLeg { call } => {
                    let address =
                        self.media.open_leg(call).inspect_err(|error| tracing::warn!("{error}")).ok();
                    if address.is_some() {
                        let call_id = self.carrier.sip_call_id(call).unwrap_or_default().to_string();
                        self.legs.insert(call, call_id);
                    }
                    self.carrier.handle(self.clock.now(), CarrierInput::LegOpened { call, address });
                }
                CarrierOutput::Media { call, request } => self.play(call, request),
                CarrierOutput::Log(line) => self.write(&line),
            }
        }
    }

    fn play(&self, call: CallId, request: MediaRequest) {
        let command = match request {
            MediaRequest::Connect(target) => MediaCommand::Connect(match self.service {
                Some(service) => service.media(target),
                None => target,
            }),
            MediaRequest::RingBack => MediaCommand::Play { sound: self.voices.ring_back(), plays: 60 },
            MediaRequest::Announce(behaviour) => {
                MediaCommand::Play { sound: self.voices.announcement(behaviour), plays: 10 }
            }
            MediaRequest::Speak(behaviour) => {
                MediaCommand::Play { sound: self.voices.greeting(behaviour), plays: 1 }
            }
            MediaRequest::Press(keys) => MediaCommand::SendDigits(keys),
            MediaRequest::Close => MediaCommand::Close,
        };
        self.media.command(call, command);
    }

    /// One write per line, so that a crash loses at most the line being written.
    fn write(&mut self, line: &LogLine) {
        self.report.ledger.note(line);
        if let Some(log) = &mut self.log
            && let Err(error) = log.write_all(format!("{line}\n").as_bytes())
        {
            tracing::error!("the carrier's log cannot be written: {error}");
            self.report.log_failure = Some(error.to_string());
            self.log = None;
        }
    }

    /// Ends every call and waits for the responses, two seconds at most.
    async fn hang_up_all(
        &mut self,
        mut messages: mpsc::Receiver<SipEvent>,
        mut heard: mpsc::UnboundedReceiver<MediaEvent>,
    ) {
        self.carrier.hang_up_all(self.clock.now());
        self.carry_out();
        let patience = tokio::time::sleep(Duration::from_secs(2));
        tokio::pin!(patience);
        while self.carrier.calls() > 0 || !self.legs.is_empty() {
            let wake = self.carrier.next_wake();
            tokio::select! {
                () = &mut patience => break,
                Some(event) = messages.recv() => self.sip(event),
                Some(event) = heard.recv() => self.take_media_event(event),
                () = sleep_until(self.clock, wake) => {
                    self.carrier.handle(self.clock.now(), CarrierInput::TimePassed);
                }
            }
            self.carry_out();
        }
    }
}

async fn sleep_until(clock: Clock, wake: Option<paceline_core::time::Time>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(clock.instant(wake).into()).await,
        None => std::future::pending().await,
    }
}

/// A trunk's peer for an address of the carrier.
pub fn peer(transport: Transport, address: SocketAddr) -> Peer {
    Peer { transport, address }
}
