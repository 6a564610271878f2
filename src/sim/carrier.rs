//! The far end in SIP: a sans-IO state machine on top of the user agent as UAS. It takes datagrams, checks
//! credentials and limits, plays each call's scenario (`progress`), asks for media, and logs every INVITE.
//! Sockets and audio are in `serve`, virtual networks in `world`.
//!
//! Contract: give it one input, take outputs with `poll` until there are none, sleep until `next_wake`, then
//! give it `TimePassed`.

mod progress;

use super::call_scenario::{Behaviour, CallScenario, callee_key};
use super::digest_check::{CredentialState, DigestCheck};
use super::ledger::{CallEvent, LogLine};
use super::limits::CallLimits;
use super::people::Population;
use super::random::SimRng;
use paceline_core::call::{Digit, HangUpCause, Progress};
use paceline_core::ids::CallId;
use paceline_core::media::{Codec, MediaTarget};
use paceline_core::outcome::EndedBy;
use paceline_core::sip::UserAgent;
use paceline_core::sip::message::{Message, Method};
use paceline_core::sip::user_agent::{IncomingCall, Peer, UaConfig, UaEvent, UaOutput};
use paceline_core::time::{Duration, Time, WallClock};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

/// How long an ended call is kept, so that late retransmissions are recognised.
const KEPT_AFTER_END: Duration = Duration::from_secs(64);

/// All inputs of the carrier.
#[derive(Debug)]
pub enum CarrierInput<'a> {
    Message {
        from: Peer,
        bytes: &'a [u8],
    },
    TransportFailed(Peer),
    /// The answer to `CarrierOutput::OpenLeg`; `None` = no RTP port is free.
    LegOpened {
        call: CallId,
        address: Option<SocketAddr>,
    },
    TimePassed,
}

/// All outputs of the carrier.
#[derive(Clone, Debug, PartialEq)]
pub enum CarrierOutput {
    Transmit {
        to: Peer,
        bytes: Vec<u8>,
    },
    /// Asks for an RTP port for this call; the call waits for `LegOpened`.
    OpenLeg {
        call: CallId,
    },
    Media {
        call: CallId,
        request: MediaRequest,
    },
    Log(LogLine),
}

/// Commands to the media of a leg.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaRequest {
    Connect(MediaTarget),
    /// Ring-back tone until the next command.
    RingBack,
    /// The network's announcement for this behaviour, or the tone in its place.
    Announce(Behaviour),
    /// The callee, or the answering machine, speaks.
    Speak(Behaviour),
    /// Keys as RFC 4733 events.
    Press(Vec<Digit>),
    Close,
}

/// Fixed settings of a carrier.
#[derive(Clone, Debug)]
pub struct CarrierConfig {
    pub ua: UaConfig,
    pub clock: WallClock,
    pub codecs: Vec<Codec>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Passes the held INVITE of a slow call to the user agent.
    Admit,
    Alert,
    Settle,
    Key(usize),
    Leave,
    Forget,
}

/// Stages of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Not admitted yet, or challenged.
    Unadmitted,
    Alerting,
    Ringing,
    Answered,
    Over,
}

/// The call's next step once its RTP port is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    Nothing,
    EarlyMedia,
    Answer,
}

#[derive(Debug)]
struct CarrierCall {
    sip_call_id: String,
    callee: String,
    caller_id: String,
    scenario: CallScenario,
    stage: Stage,
    branch: String,
    leg: Option<SocketAddr>,
    awaits: Awaits,
    held: Option<(Peer, Vec<u8>)>,
    credentials: CredentialState,
    /// The user agent's ID of the call, once it has seen the INVITE.
    call: Option<CallId>,
    answered: bool,
    acknowledged: bool,
    counted: bool,
    by: Option<EndedBy>,
}

/// The carrier's state machine.
#[derive(Debug)]
pub struct Carrier {
    people: Arc<Population>,
    config: CarrierConfig,
    ua: UserAgent,
    digest_check: DigestCheck,
    limits: CallLimits,
    rng: SimRng,
    /// By Call-ID. Call-IDs come from outside, so the map is ordered, not hashed.
    calls: BTreeMap<String, CarrierCall>,
    /// The Call-ID of each of the user agent's call IDs.
    sip_call_ids: BTreeMap<CallId, String>,
    times_called: BTreeMap<u64, u32>,
    steps: BinaryHeap<Reverse<(Time, u64, String, Step)>>,
    order: u64,
    out: VecDeque<CarrierOutput>,
}

impl Carrier {
    pub fn new(people: Arc<Population>, config: CarrierConfig) -> Self {
        Carrier {
            ua: UserAgent::new(config.ua.clone()),
            digest_check: DigestCheck::new(people.access.clone(), config.ua.seed),
            limits: CallLimits::new(&people.limits),
            rng: SimRng::keyed(people.seed, &[0x6c6f_7374]),
            calls: BTreeMap::new(),
            sip_call_ids: BTreeMap::new(),
            times_called: BTreeMap::new(),
            steps: BinaryHeap::new(),
            order: 0,
            out: VecDeque::new(),
            people,
            config,
        }
    }

    pub fn handle(&mut self, now: Time, input: CarrierInput<'_>) {
        match input {
            CarrierInput::Message { from, bytes } => {
                if !self.rng.chance(self.people.trouble.lost) {
                    self.take_datagram(now, from, bytes);
                }
            }
            CarrierInput::TransportFailed(peer) => self.ua.handle_transport_error(now, peer),
            CarrierInput::LegOpened { call, address } => self.leg_opened(now, call, address),
            CarrierInput::TimePassed => self.pass_time(now),
        }
        self.carry_out_ua(now);
    }

    pub fn poll(&mut self) -> Option<CarrierOutput> {
        self.out.pop_front()
    }

    pub fn next_wake(&self) -> Option<Time> {
        let step = self.steps.peek().map(|Reverse((at, ..))| *at);
        match (step, self.ua.next_wake()) {
            (Some(step), Some(ua)) => Some(step.min(ua)),
            (step, ua) => step.or(ua),
        }
    }

    /// Admitted calls that have not ended.
    pub fn calls(&self) -> usize {
        self.calls.values().filter(|call| !matches!(call.stage, Stage::Unadmitted | Stage::Over)).count()
    }

    /// The Call-ID of a call, until it has ended.
    pub fn sip_call_id(&self, call: CallId) -> Option<&str> {
        self.sip_call_ids.get(&call).map(String::as_str)
    }

    /// Hangs up every call when the carrier stops.
    pub fn hang_up_all(&mut self, now: Time) {
        let calls: Vec<CallId> = self.sip_call_ids.keys().copied().collect();
        for call in calls {
            self.ua.hang_up(now, call, HangUpCause::Stopped);
        }
        self.carry_out_ua(now);
    }

    fn schedule(&mut self, at: Time, sip_call_id: &str, step: Step) {
        self.order += 1;
        self.steps.push(Reverse((at, self.order, sip_call_id.to_string(), step)));
    }

    fn pass_time(&mut self, now: Time) {
        while let Some(Reverse((at, ..))) = self.steps.peek()
            && *at <= now
        {
            if let Some(Reverse((_, _, sip_call_id, step))) = self.steps.pop() {
                self.take_step(now, &sip_call_id, step);
                self.carry_out_ua(now);
            }
        }
        if self.ua.next_wake().is_some_and(|wake| wake <= now) {
            self.ua.handle_timeout(now);
        }
    }

    /// Inspects a datagram before the user agent sees it: logs, holds, drops or passes it.
    fn take_datagram(&mut self, now: Time, from: Peer, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else {
            self.ua.handle_message(now, from, bytes);
            return;
        };
        let sip_call_id = message.call_id().into_owned();
        let passes = match message.method() {
            Ok(Method::Invite) if message.is_request() && message.to_tag().is_none() => {
                self.take_invite(now, from, bytes, &message, &sip_call_id)
            }
            Ok(method) if message.is_request() => self.take_request(now, method, &sip_call_id),
            _ => true,
        };
        if passes {
            self.ua.handle_message(now, from, bytes);
        }
    }

    /// Handles an INVITE that opens a call. Returns whether the user agent may see it now.
    fn take_invite(&mut self, now: Time, from: Peer, bytes: &[u8], message: &Message<'_>, id: &str) -> bool {
        let branch = message.branch().map(|branch| branch.into_owned()).unwrap_or_default();
        let credentials = self.digest_check.verify(now, message);
        if let Some(known) = self.calls.get_mut(id) {
            if known.branch == branch {
                self.log(now, id, CallEvent::Retransmission, "");
            } else {
                known.branch = branch;
                known.credentials = credentials;
                self.log(now, id, CallEvent::Retry, "");
            }
            let known = &self.calls[id];
            return known.held.is_none() && known.scenario.behaviour != Behaviour::Silent;
        }
        let callee_user = message.request_uri().map(|uri| uri.user_text().into_owned()).unwrap_or_default();
        let caller_id = message.from().map(|from| from.uri.user_text().into_owned()).unwrap_or_default();
        let nth = self.times_called.entry(callee_key(&callee_user)).or_default();
        *nth += 1;
        let hour = self.people.hour(self.config.clock.utc(now).as_millis());
        let scenario = self.people.call_scenario_from(&caller_id, &callee_user, *nth, Some(hour));
        let slow = scenario.slow;
        let silent = scenario.behaviour == Behaviour::Silent;
        let known = CarrierCall {
            sip_call_id: id.into(),
            callee: callee_user,
            caller_id,
            scenario,
            stage: Stage::Unadmitted,
            branch,
            leg: None,
            awaits: Awaits::Nothing,
            held: (slow > Duration::ZERO).then(|| (from, bytes.to_vec())),
            credentials,
            call: None,
            answered: false,
            acknowledged: false,
            counted: false,
            by: None,
        };
        self.calls.insert(id.to_string(), known);
        self.log(now, id, CallEvent::Invite, "");
        if slow > Duration::ZERO {
            self.schedule(now + slow, id, Step::Admit);
        }
        if silent {
            self.schedule(now + Duration::from_secs(180), id, Step::Forget);
        }
        slow == Duration::ZERO && !silent
    }

    /// Handles any other request. Returns whether the user agent may see it.
    fn take_request(&mut self, now: Time, method: Method<'_>, id: &str) -> bool {
        let Some(known) = self.calls.get_mut(id) else { return true };
        if known.scenario.behaviour == Behaviour::Silent || known.held.is_some() {
            return false;
        }
        match method {
            // Also after a BYE that overtook the ACK.
            Method::Ack if known.answered && !known.acknowledged => {
                known.acknowledged = true;
                self.log(now, id, CallEvent::Acknowledged, "");
            }
            Method::Bye => {
                known.by = known.by.or(Some(EndedBy::Dialer));
                self.log(now, id, CallEvent::Bye, "");
            }
            Method::Cancel => {
                let crosses = known.scenario.late_answer && known.stage < Stage::Answered;
                self.log(now, id, CallEvent::Cancel, "");
                if crosses {
                    self.answer(now, id);
                    return false;
                }
                if let Some(known) = self.calls.get_mut(id) {
                    known.by = known.by.or(Some(EndedBy::Dialer));
                }
            }
            _ => {}
        }
        true
    }

    /// Carries out everything the user agent asks for.
    fn carry_out_ua(&mut self, now: Time) {
        while let Some(output) = self.ua.poll() {
            match output {
                UaOutput::Transmit { to, bytes } => self.transmit(to, bytes),
                UaOutput::Event(UaEvent::Incoming(incoming)) => self.incoming(now, &incoming),
                UaOutput::Event(UaEvent::Media { call, target, .. }) => {
                    self.request_media(call, MediaRequest::Connect(target));
                }
                UaOutput::Event(UaEvent::Progress { call, progress: Progress::Ended(ended) }) => {
                    self.ended(now, call, ended.by, &ended.cause);
                }
                UaOutput::Event(_) => {}
            }
        }
    }

    fn transmit(&mut self, to: Peer, bytes: Vec<u8>) {
        if !self.rng.chance(self.people.trouble.lost) {
            self.out.push_back(CarrierOutput::Transmit { to, bytes });
        }
    }

    fn request_media(&mut self, call: CallId, request: MediaRequest) {
        self.out.push_back(CarrierOutput::Media { call, request });
    }

    fn log(&mut self, now: Time, sip_call_id: &str, event: CallEvent, detail: &str) {
        let Some(known) = self.calls.get(sip_call_id) else { return };
        self.out.push_back(CarrierOutput::Log(LogLine {
            at: self.config.clock.utc(now),
            event,
            call_id: known.sip_call_id.clone(),
            callee: known.callee.clone(),
            caller_id: known.caller_id.clone(),
            behaviour: known.scenario.behaviour.word(),
            detail: detail.into(),
        }));
    }

    /// The user agent accepted an INVITE: challenge it, refuse it over the limits, or start its scenario.
    fn incoming(&mut self, now: Time, incoming: &IncomingCall) {
        let id = incoming.call_id.as_str();
        let Some(known) = self.calls.get_mut(id) else {
            self.ua.reject(now, incoming.call, 481, "Call Does Not Exist", &[]);
            return;
        };
        known.call = Some(incoming.call);
        let credentials = known.credentials;
        self.sip_call_ids.insert(incoming.call, id.to_string());
        if let Some(rejection) = self.digest_check.rejection(now, credentials) {
            self.log(now, id, CallEvent::Challenged, &rejection.code.to_string());
            self.ua.reject(now, incoming.call, rejection.code, rejection.phrase, &[&rejection.header]);
            return;
        }
        let Some(known) = self.calls.get_mut(id) else { return };
        known.stage = Stage::Alerting;
        known.counted = self.limits.admit(now);
        if !known.counted || known.scenario.behaviour == Behaviour::Unavailable {
            known.scenario.behaviour = Behaviour::Unavailable;
            self.settle(now, id);
            return;
        }
        let alert = now + known.scenario.alert;
        self.schedule(alert, id, Step::Alert);
    }
}
