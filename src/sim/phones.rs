//! SIP phones over real sockets: each registers with a password, answers its calls, plays a sound and keeps
//! the received audio. One task and one media room serve all of them.

use super::near_service::NearService;
use crate::audio::Sound;
use crate::net::clock::Clock;
use crate::net::rtp::{
    AudioCapture, LegStats, MediaCommand, MediaConfig, MediaError, MediaEvent, MediaServer,
};
use crate::net::sip::{SipEvent, SipSocketConfig, SipSocketError, SipSockets};
use paceline_core::call::{Digit, HangUpCause, Heard, Progress};
use paceline_core::ids::{CallId, TrunkId};
use paceline_core::media::{Codec, MediaCapabilities};
use paceline_core::sip::user_agent::{Incoming, IncomingCall, Peer, SipTrunk, UaConfig};
use paceline_core::sip::{UaEvent, UaOutput, UserAgent};
use paceline_core::time::{Duration, Time};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Settings of the phones.
#[derive(Clone, Debug)]
pub struct PhoneOptions {
    /// The registrar; `None` = the phones only wait to be called.
    pub registrar: Option<Peer>,
    /// The domain of their SIP addresses.
    pub domain: String,
    pub phones: Vec<PhoneLogin>,
    /// The local IP address.
    pub address: IpAddr,
    pub rtp_ports: RangeInclusive<u16>,
    pub codecs: Vec<Codec>,
    /// From ringing to answering; `None` = never.
    pub answer_after: Option<Duration>,
    /// Played from the answer on, in a loop.
    pub voice: Option<Arc<Sound>>,
    /// How much audio of each call is kept.
    pub keep: Duration,
    /// The service, if it is on this machine; `None` = it is where it says.
    pub service: Option<NearService>,
}

#[derive(Clone, Debug)]
pub struct PhoneLogin {
    pub user: String,
    pub password: String,
}

/// State of the phones and their calls.
#[derive(Clone, Debug, Default)]
pub struct PhonesSeen {
    pub registered: usize,
    /// The last registration that was refused.
    pub refused: Option<String>,
    /// Every call so far, in order of arrival.
    pub calls: Vec<PhoneCall>,
}

/// One call to one phone.
#[derive(Clone, Debug)]
pub struct PhoneCall {
    pub call: CallId,
    /// The user name of the phone that rang.
    pub user: String,
    /// The caller.
    pub from: String,
    /// The INVITE asked for auto-answer.
    pub wants_auto_answer: bool,
    pub answered: bool,
    /// The first packet of the far side arrived.
    pub heard_audio: bool,
    pub ended: bool,
    pub keys: Vec<Digit>,
    pub capture: AudioCapture,
    pub stats: Option<LegStats>,
}

/// Orders to a phone.
#[derive(Clone, Debug)]
enum Order {
    Answer(CallId),
    HangUp(CallId),
    Say(CallId, Arc<Sound>),
    Press(CallId, Vec<Digit>),
}

/// Running phones. Dropping them closes them without unregistering or BYE, as a crash would.
#[derive(Debug)]
pub struct RunningPhones {
    address: SocketAddr,
    orders: mpsc::UnboundedSender<Order>,
    seen: watch::Receiver<PhonesSeen>,
    task: JoinHandle<()>,
}

#[derive(Debug, thiserror::Error)]
pub enum PhonesError {
    #[error(transparent)]
    Sockets(#[from] SipSocketError),
    #[error(transparent)]
    Media(#[from] MediaError),
}

impl RunningPhones {
    pub fn seen(&self) -> watch::Receiver<PhonesSeen> {
        self.seen.clone()
    }

    /// The address at which the phones can be called without registration.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers a ringing call.
    pub fn answer(&self, call: CallId) {
        self.order(Order::Answer(call));
    }

    pub fn hang_up(&self, call: CallId) {
        self.order(Order::HangUp(call));
    }

    /// Plays another sound from now on.
    pub fn say(&self, call: CallId, sound: Arc<Sound>) {
        self.order(Order::Say(call, sound));
    }

    pub fn press(&self, call: CallId, keys: Vec<Digit>) {
        self.order(Order::Press(call, keys));
    }

    fn order(&self, order: Order) {
        // Phones whose task has ended ignore orders.
        let _ = self.orders.send(order);
    }
}

impl Drop for RunningPhones {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts the phones; they register at once.
///
/// # Errors
/// No socket or no RTP port is to be had.
pub async fn start(options: PhoneOptions) -> Result<RunningPhones, PhonesError> {
    let (inbound, messages) = mpsc::channel(16_384);
    let transport =
        options.registrar.map_or(paceline_core::sip::user_agent::Transport::Udp, |at| at.transport);
    let listen = vec![(transport, SocketAddr::new(options.address, 0))];
    let mut config = SipSocketConfig::new(listen);
    config.untrusted_per_sec = None;
    let sockets = SipSockets::bind(config, inbound).await?;
    let address = sockets.addresses()[0].1;
    let (heard_in, heard) = mpsc::unbounded_channel();
    let media = MediaServer::start(
        MediaConfig {
            bind: options.address,
            ports: options.rtp_ports.clone(),
            threads: 1,
            silence: Duration::from_secs(600),
        },
        move |event| {
            // The task may be gone already.
            let _ = heard_in.send(event);
        },
    )?;
    let mut ua = UserAgent::new(UaConfig {
        sent_by: vec![(transport, address.to_string())],
        product: "Paceline-phone".into(),
        seed: Clock::utc().as_millis() as u64 ^ u64::from(address.port()) << 40,
        incoming: Incoming::Anybody,
        registrar: None,
    });
    let clock = Clock::start();
    if let Some(registrar) = options.registrar {
        for (place, phone) in options.phones.iter().enumerate() {
            let trunk = SipTrunk {
                from_domain: options.domain.clone(),
                username: phone.user.clone(),
                password: phone.password.clone(),
                register: true,
                ..SipTrunk::new(TrunkId(place as u16), registrar, options.domain.clone())
            };
            ua.set_trunk(clock.now(), trunk);
        }
    }
    let (orders, ordered) = mpsc::unbounded_channel();
    let (seen_out, seen) = watch::channel(PhonesSeen::default());
    let task_state = PhonesTask { options, clock, ua, sockets, media, seen: seen_out, due: BTreeMap::new() };
    let task = tokio::spawn(task_state.work(messages, heard, ordered));
    Ok(RunningPhones { address, orders, seen, task })
}

/// The state of the phones' task.
struct PhonesTask {
    options: PhoneOptions,
    clock: Clock,
    ua: UserAgent,
    sockets: SipSockets,
    media: MediaServer,
    seen: watch::Sender<PhonesSeen>,
    /// Ringing calls by the time at which they are answered.
    due: BTreeMap<(Time, CallId), ()>,
}

impl PhonesTask {
    async fn work(
        mut self,
        mut messages: mpsc::Receiver<SipEvent>,
        mut heard: mpsc::UnboundedReceiver<MediaEvent>,
        mut ordered: mpsc::UnboundedReceiver<Order>,
    ) {
        loop {
            self.drain();
            let answers = self.due.first_key_value().map(|((at, _), ())| *at);
            let wake = [self.ua.next_wake(), answers].into_iter().flatten().min();
            let wake = wake.unwrap_or(self.clock.now() + Duration::from_secs(3_600));
            tokio::select! {
                message = messages.recv() => match message {
                    Some(SipEvent::Message { from, bytes }) => {
                        self.ua.handle_message(self.clock.now(), from, &bytes);
                    }
                    Some(SipEvent::Failed { peer }) => {
                        self.ua.handle_transport_error(self.clock.now(), peer);
                    }
                    None => return,
                },
                Some(event) = heard.recv() => self.take_media_event(event),
                Some(order) = ordered.recv() => self.carry_out(order),
                () = tokio::time::sleep_until(self.clock.instant(wake).into()) => self.run_due(),
            }
        }
    }

    fn run_due(&mut self) {
        let now = self.clock.now();
        self.ua.handle_timeout(now);
        while let Some((&(at, call), ())) = self.due.first_key_value() {
            if at > now {
                return;
            }
            self.due.remove(&(at, call));
            self.answer(call);
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Answer(call) => {
                let rings = |one: &PhoneCall| one.call == call && !one.answered && !one.ended;
                if self.seen.borrow().calls.iter().rev().any(rings) {
                    self.answer(call);
                }
            }
            Order::HangUp(call) => self.ua.hang_up(self.clock.now(), call, HangUpCause::Finished),
            Order::Say(leg, sound) => self.media.command(leg, MediaCommand::Play { sound, plays: 0 }),
            Order::Press(leg, keys) => self.media.command(leg, MediaCommand::SendDigits(keys)),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.ua.poll() {
            match output {
                UaOutput::Transmit { to, bytes } => {
                    let service = self.options.service;
                    self.sockets.send(service.map_or(to, |service| service.peer(to)), bytes);
                }
                UaOutput::Event(event) => self.take_ua_event(event),
            }
        }
    }

    fn take_ua_event(&mut self, event: UaEvent) {
        match event {
            UaEvent::Registered { .. } => self.seen.send_modify(|seen| seen.registered += 1),
            UaEvent::RegistrationFailed { code, reason, .. } => self
                .seen
                .send_modify(|seen| seen.refused = Some(format!("{} {reason}", code.unwrap_or_default()))),
            UaEvent::Incoming(incoming) => self.take_call(*incoming),
            UaEvent::Media { call, target, .. } => {
                let target = match self.options.service {
                    Some(service) => service.media(target),
                    None => target,
                };
                self.media.command(call, MediaCommand::Connect(target));
            }
            UaEvent::Progress { call, progress: Progress::Answered } => {
                if let Some(sound) = self.options.voice.clone() {
                    self.media.command(call, MediaCommand::Play { sound, plays: 0 });
                }
                self.update_call(call, |call| call.answered = true);
            }
            UaEvent::Progress { call, progress: Progress::Ended(_) } => {
                self.due.retain(|(_, due), ()| *due != call);
                self.media.command(call, MediaCommand::Close);
                self.update_call(call, |call| call.ended = true);
            }
            _ => {}
        }
    }

    fn take_call(&mut self, incoming: IncomingCall) {
        let IncomingCall { call, to_user, from_user, wants_auto_answer, .. } = incoming;
        let capture = AudioCapture::new(self.options.keep);
        let seen = PhoneCall {
            call,
            user: to_user,
            from: from_user,
            wants_auto_answer,
            answered: false,
            heard_audio: false,
            ended: false,
            keys: Vec::new(),
            capture,
            stats: None,
        };
        self.seen.send_modify(|all| all.calls.push(seen));
        self.ua.ring(self.clock.now(), call);
        if let Some(after) = self.options.answer_after {
            self.due.insert((self.clock.now() + after, call), ());
            self.run_due();
        }
    }

    fn answer(&mut self, call: CallId) {
        let now = self.clock.now();
        match self.media.open_leg(call) {
            Ok(address) => {
                let capture = self
                    .seen
                    .borrow()
                    .calls
                    .iter()
                    .find(|one| one.call == call)
                    .map(|one| one.capture.clone());
                if let Some(capture) = capture {
                    self.media.command(call, MediaCommand::Capture(capture));
                }
                let codecs = self.options.codecs.clone();
                self.ua.answer(now, call, MediaCapabilities { address, codecs });
            }
            Err(error) => {
                tracing::warn!(%error, "a simulated phone cannot answer");
                self.ua.reject(now, call, 480, "Temporarily Unavailable", &[]);
            }
        }
    }

    fn take_media_event(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::Heard { leg, heard: Heard::FirstAudio } => {
                self.update_call(leg, |call| call.heard_audio = true)
            }
            MediaEvent::Heard { leg, heard: Heard::Digit(digit) } => {
                self.update_call(leg, |call| call.keys.push(digit));
            }
            MediaEvent::Closed { leg, stats } => self.update_call(leg, |call| call.stats = Some(stats)),
            _ => {}
        }
    }

    fn update_call(&self, call: CallId, what: impl FnOnce(&mut PhoneCall)) {
        self.seen.send_modify(|seen| {
            if let Some(one) = seen.calls.iter_mut().rev().find(|one| one.call == call) {
                what(one);
            }
        });
    }
}
