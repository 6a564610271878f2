//! A network in virtual time between a user agent and the carrier: delay, loss and duplication, drawn from a
//! seed. Audio is abstract: keys and ends of announcements arrive as media events.

use super::carrier::{Carrier, CarrierConfig, CarrierInput, CarrierOutput, MediaRequest};
use super::ledger::{Ledger, LogLine};
use super::people::Population;
use super::random::SimRng;
use paceline_core::call::Heard;
use paceline_core::media::Codec;
use paceline_core::sip::user_agent::{Peer, Transport, UaConfig};
use paceline_core::time::{Duration, Time, WallClock};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

/// Faults of the network for a datagram, each way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkRules {
    /// Uniform between the two; a wide span reorders datagrams.
    pub delay: (Duration, Duration),
    /// Share of datagrams lost, and share delivered twice.
    pub lost: f64,
    pub duplicated: f64,
}

impl Default for NetworkRules {
    fn default() -> Self {
        let delay = (Duration::from_millis(5), Duration::from_millis(15));
        NetworkRules { delay, lost: 0.0, duplicated: 0.0 }
    }
}

/// Datagrams and media events that arrive at the dialer.
#[derive(Clone, Debug, PartialEq)]
pub enum WorldOutput {
    Datagram {
        from: Peer,
        bytes: Vec<u8>,
    },
    /// By the SIP Call-ID, which both sides know.
    Heard {
        sip_call_id: String,
        heard: Heard,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Arrival {
    ToCarrier(Vec<u8>),
    ToDialer(Vec<u8>),
    Key(String, char),
    FirstAudio(String),
    PlayEnded(String, u32),
}

/// The carrier and the network to it.
#[derive(Debug)]
pub struct World {
    carrier: Carrier,
    network: NetworkRules,
    rng: SimRng,
    arrivals: BinaryHeap<Reverse<(Time, u64, Arrival)>>,
    order: u64,
    /// A counter for each announcement being played, so that a replaced one reports no end.
    plays: BTreeMap<String, u32>,
    ledger: Ledger,
    log: Vec<LogLine>,
    out: VecDeque<WorldOutput>,
    next_port: u16,
}

impl World {
    /// `clock` maps virtual time to UTC.
    pub fn new(people: Arc<Population>, seed: u64, network: NetworkRules, clock: WallClock) -> Self {
        let ua = UaConfig {
            sent_by: vec![(Transport::Udp, World::carrier_peer().address.to_string())],
            product: "Paceline-carrier".into(),
            seed,
            incoming: paceline_core::sip::user_agent::Incoming::Anybody,
            registrar: None,
        };
        let codecs = vec![Codec::Pcma, Codec::Pcmu];
        World {
            carrier: Carrier::new(people, CarrierConfig { ua, clock, codecs }),
            network,
            rng: SimRng::keyed(seed, &[0x006e_6574]),
            arrivals: BinaryHeap::new(),
            order: 0,
            plays: BTreeMap::new(),
            ledger: Ledger::default(),
            log: Vec::new(),
            out: VecDeque::new(),
            next_port: 20_000,
        }
    }

    /// The trunk's address.
    pub fn carrier_peer() -> Peer {
        Peer { transport: Transport::Udp, address: SocketAddr::from(([192, 0, 2, 1], 5060)) }
    }

    /// The dialer's own address.
    pub fn dialer_peer() -> Peer {
        Peer { transport: Transport::Udp, address: SocketAddr::from(([192, 0, 2, 2], 5060)) }
    }

    /// The dialer sends a datagram.
    pub fn dialer_send(&mut self, now: Time, bytes: Vec<u8>) {
        self.send(now, Arrival::ToCarrier(bytes));
    }

    /// The dialer plays an announcement of this length; `Heard::PlayEnded` comes back, unless the call ends
    /// or another play replaces it.
    pub fn play(&mut self, now: Time, sip_call_id: &str, length: Duration) {
        let play = self.plays.entry(sip_call_id.to_string()).or_default();
        *play += 1;
        let ended = Arrival::PlayEnded(sip_call_id.to_string(), *play);
        self.schedule(now + length, ended);
    }

    /// The dialer ended this call: it gets no more media events.
    pub fn close_leg(&mut self, sip_call_id: &str) {
        self.plays.remove(sip_call_id);
    }

    /// The dialer's process died: datagrams to it are lost, every announcement stops.
    pub fn dialer_died(&mut self) {
        self.plays.clear();
        self.out.clear();
        self.arrivals.retain(|Reverse((_, _, arrival))| matches!(arrival, Arrival::ToCarrier(_)));
    }

    /// Changes the network's faults from now on.
    pub fn set_network(&mut self, network: NetworkRules) {
        self.network = network;
    }

    /// The next arrival at the dialer by `now`, in order of time.
    pub fn poll(&mut self, now: Time) -> Option<WorldOutput> {
        while self.out.is_empty() {
            let wake = self.next_wake().filter(|wake| *wake <= now)?;
            let flight_first = self.arrivals.peek().is_some_and(|Reverse((at, ..))| *at <= wake);
            if flight_first {
                if let Some(Reverse((at, _, arrival))) = self.arrivals.pop() {
                    self.deliver(at, arrival);
                }
            } else {
                self.carrier.handle(wake, CarrierInput::TimePassed);
                self.drain(wake);
            }
        }
        self.out.pop_front()
    }

    pub fn next_wake(&self) -> Option<Time> {
        if !self.out.is_empty() {
            return Some(Time::ZERO);
        }
        let arrival = self.arrivals.peek().map(|Reverse((at, ..))| *at);
        match (arrival, self.carrier.next_wake()) {
            (Some(arrival), Some(carrier)) => Some(arrival.min(carrier)),
            (arrival, carrier) => arrival.or(carrier),
        }
    }

    /// Every call as the far end saw it.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The ledger's lines, in order of time.
    pub fn log(&self) -> &[LogLine] {
        &self.log
    }

    /// Calls between INVITE and end at the far end.
    pub fn calls(&self) -> usize {
        self.carrier.calls()
    }

    fn schedule(&mut self, at: Time, arrival: Arrival) {
        self.order += 1;
        self.arrivals.push(Reverse((at, self.order, arrival)));
    }

    fn send(&mut self, now: Time, arrival: Arrival) {
        let (low, high) = self.network.delay;
        if self.rng.chance(self.network.lost) {
            return;
        }
        if self.rng.chance(self.network.duplicated) {
            let again = now + self.rng.between(low, high);
            self.schedule(again, arrival.clone());
        }
        let at = now + self.rng.between(low, high);
        self.schedule(at, arrival);
    }

    fn deliver(&mut self, at: Time, arrival: Arrival) {
        match arrival {
            Arrival::ToCarrier(bytes) => {
                let from = World::dialer_peer();
                self.carrier.handle(at, CarrierInput::Message { from, bytes: &bytes });
                self.drain(at);
            }
            Arrival::ToDialer(bytes) => {
                self.out.push_back(WorldOutput::Datagram { from: World::carrier_peer(), bytes });
            }
            Arrival::Key(sip_call_id, key) => {
                if let Some(key) = paceline_core::call::Digit::from_char(key) {
                    self.out.push_back(WorldOutput::Heard { sip_call_id, heard: Heard::Digit(key) });
                }
            }
            Arrival::FirstAudio(sip_call_id) => {
                self.out.push_back(WorldOutput::Heard { sip_call_id, heard: Heard::FirstAudio });
            }
            Arrival::PlayEnded(sip_call_id, play) => {
                if self.plays.get(&sip_call_id) == Some(&play) {
                    self.plays.remove(&sip_call_id);
                    self.out.push_back(WorldOutput::Heard { sip_call_id, heard: Heard::PlayEnded });
                }
            }
        }
    }

    fn drain(&mut self, now: Time) {
        while let Some(output) = self.carrier.poll() {
            match output {
                CarrierOutput::Transmit { bytes, .. } => self.send(now, Arrival::ToDialer(bytes)),
                CarrierOutput::OpenLeg { call } => {
                    self.next_port = if self.next_port >= 60_000 { 20_000 } else { self.next_port + 2 };
                    let address = SocketAddr::new(World::carrier_peer().address.ip(), self.next_port);
                    self.carrier.handle(now, CarrierInput::LegOpened { call, address: Some(address) });
                }
                CarrierOutput::Media { call, request } => {
                    let Some(id) = self.carrier.sip_call_id(call).map(str::to_string) else { continue };
                    let later = now + self.network.delay.1;
                    match request {
                        MediaRequest::Press(keys) => {
                            for key in keys {
                                self.schedule(later, Arrival::Key(id.clone(), key.as_char()));
                            }
                        }
                        MediaRequest::Speak(_) => self.schedule(later, Arrival::FirstAudio(id)),
                        _ => {}
                    }
                }
                CarrierOutput::Log(line) => {
                    self.ledger.note(&line);
                    self.log.push(line);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
