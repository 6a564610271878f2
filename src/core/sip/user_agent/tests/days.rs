//! Thousands of calls between two user agents over a network that loses, duplicates and delays datagrams,
//! in virtual time. Every call ends on both sides, whatever was lost and whenever a process crashed.

use super::desk::{media, peer};
use crate::call::{HangUpCause, Progress};
use crate::ids::{CallId, TrunkId};
use crate::outcome::Outcome;
use crate::sip::auth::{Algorithm, Answer, NonceMint};
use crate::sip::mutation::mutate;
use crate::sip::user_agent::*;
use crate::time::{Duration, Time};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};

/// Average time between calls, in milliseconds.
const PACE: u64 = 60;
const PASSWORD: &str = "secret";

/// Behaviour of the callee or carrier; chosen by the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Behaviour {
    Answers,
    AnswersAndHangsUp,
    Busy,
    NeverAnswers,
    /// Answers near the ring time, so that CANCEL and 200 cross.
    AnswersLate,
    Challenges,
    EarlyMedia,
    MovesMedia,
    TalksLong,
    Overloaded,
}

const BEHAVIOURS: [Behaviour; 10] = [
    Behaviour::Answers,
    Behaviour::AnswersAndHangsUp,
    Behaviour::Busy,
    Behaviour::NeverAnswers,
    Behaviour::AnswersLate,
    Behaviour::Challenges,
    Behaviour::EarlyMedia,
    Behaviour::MovesMedia,
    Behaviour::TalksLong,
    Behaviour::Overloaded,
];

fn behaviour(n: u64) -> Behaviour {
    BEHAVIOURS[(n % BEHAVIOURS.len() as u64) as usize]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Dialer,
    Carrier,
}

enum Action {
    Deliver(Side, Vec<u8>),
    Place(u64),
    Acknowledge(CallId),
    HangUp(Side, CallId),
    Ring(CallId),
    EarlyDialog(CallId),
    Answer(CallId),
    Refuse(CallId, u16),
    MoveMedia(CallId),
    Crash,
}

struct Day {
    rng: ChaCha8Rng,
    now: Time,
    acts: BTreeMap<(Time, u64), Action>,
    given: u64,
    dialer: UserAgent,
    carrier: UserAgent,
    mint: NonceMint,
    loss: f64,
    /// Share of damaged datagrams, in percent.
    damage: f64,
    /// The engine's saved dialogs of open calls.
    disk: BTreeMap<CallId, SavedDialog>,
    ended: BTreeMap<CallId, Outcome>,
    answered: BTreeSet<CallId>,
    /// Call-IDs of dialogs that a new process was asked to end, and of those it has ended.
    dialogs_to_end: BTreeSet<String>,
    dialogs_ended: BTreeSet<String>,
    /// Calls the carrier accepted, and the number of each.
    taken: BTreeMap<CallId, u64>,
    early: u64,
    trace: u64,
    datagrams: u64,
}

fn dialer(seed: u64) -> UserAgent {
    let sent_by = vec![(Transport::Udp, "192.0.2.5:5060".into())];
    let mut ua = UserAgent::new(UaConfig {
        sent_by,
        product: "Paceline".into(),
        seed,
        incoming: Incoming::Nobody,
        registrar: None,
    });
    ua.set_trunk(Time::ZERO, SipTrunk { password: PASSWORD.into(), ..super::desk::trunk() });
    ua
}

impl Day {
    fn new(seed: u64, loss: f64) -> Self {
        let sent_by = vec![(Transport::Udp, "203.0.113.10:5060".into())];
        let carrier = UaConfig {
            sent_by,
            product: "Carrier".into(),
            seed: !seed,
            incoming: Incoming::Anybody,
            registrar: None,
        };
        Day {
            rng: ChaCha8Rng::seed_from_u64(seed),
            now: Time::ZERO,
            acts: BTreeMap::new(),
            given: 0,
            dialer: dialer(seed),
            carrier: UserAgent::new(carrier),
            mint: NonceMint::new([7; 32], Duration::from_secs(60)),
            loss,
            damage: 0.0,
            disk: BTreeMap::new(),
            ended: BTreeMap::new(),
            answered: BTreeSet::new(),
            dialogs_to_end: BTreeSet::new(),
            dialogs_ended: BTreeSet::new(),
            taken: BTreeMap::new(),
            early: 0,
            trace: 0xcbf2_9ce4_8422_2325,
            datagrams: 0,
        }
    }

    fn at(&mut self, after_ms: u64, act: Action) {
        self.given += 1;
        self.acts.insert((self.now + Duration::from_millis(after_ms), self.given), act);
    }

    fn run(&mut self) {
        loop {
            let acts = self.acts.first_key_value().map(|((at, _), _)| *at);
            let wakes = [self.dialer.next_wake(), self.carrier.next_wake(), acts];
            let Some(next) = wakes.into_iter().flatten().min() else { return };
            assert!(next >= self.now, "time went back");
            self.now = next;
            if self.dialer.next_wake() == Some(next) {
                self.dialer.handle_timeout(next);
            } else if self.carrier.next_wake() == Some(next) {
                self.carrier.handle_timeout(next);
            } else if let Some((_, act)) = self.acts.pop_first() {
                self.perform(act);
            }
            self.drain();
        }
    }

    fn perform(&mut self, act: Action) {
        let now = self.now;
        match act {
            Action::Deliver(Side::Dialer, bytes) => {
                self.dialer.handle_message(now, peer("203.0.113.10:5060"), &bytes);
            }
            Action::Deliver(Side::Carrier, bytes) => {
                self.carrier.handle_message(now, peer("192.0.2.5:5060"), &bytes);
            }
            Action::Place(n) => {
                let request = CallRequest {
                    call: CallId(n),
                    trunk: TrunkId(1),
                    user: n.to_string(),
                    caller_id: Some("075512345678".into()),
                    setup: Duration::from_secs(30),
                    ring: Duration::from_secs(20),
                    media: media(),
                };
                self.disk.insert(CallId(n), self.dialer.identity(&request));
                self.dialer.place(now, request);
            }
            Action::Acknowledge(call) => self.dialer.acknowledge(now, call),
            Action::HangUp(Side::Dialer, call) => self.dialer.hang_up(now, call, HangUpCause::Finished),
            Action::HangUp(Side::Carrier, call) => self.carrier.hang_up(now, call, HangUpCause::Finished),
            Action::Ring(call) => self.carrier.ring(now, call),
            Action::EarlyDialog(call) => self.carrier.early_media(now, call, media()),
            Action::Answer(call) => self.carrier.answer(now, call, media()),
            Action::Refuse(call, code) => self.carrier.reject(now, call, code, "No", &["Retry-After: 5"]),
            Action::MoveMedia(call) => {
                let mut moved = media();
                moved.address.set_port(30_000);
                self.carrier.move_media(now, call, moved);
            }
            Action::Crash => self.crash(),
        }
    }

    /// Crashes the process; the next one knows only the saved dialogs.
    fn crash(&mut self) {
        self.dialer = dialer(self.rng.random());
        self.acts.retain(|_, act| {
            !matches!(
                act,
                Action::Acknowledge(_) | Action::HangUp(Side::Dialer, _) | Action::Deliver(Side::Dialer, _)
            )
        });
        for saved in self.disk.values() {
            self.dialogs_to_end.insert(saved.call_id.clone());
            self.dialer.end_saved_dialog(self.now, saved.clone());
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.dialer.poll() {
            match output {
                UaOutput::Transmit { bytes, .. } => self.transmit(Side::Carrier, bytes),
                UaOutput::Event(event) => self.handle_event(event),
            }
        }
        while let Some(output) = self.carrier.poll() {
            match output {
                UaOutput::Transmit { bytes, .. } => self.transmit(Side::Dialer, bytes),
                UaOutput::Event(event) => self.handle_carrier_event(event),
            }
        }
    }

    fn transmit(&mut self, to: Side, mut bytes: Vec<u8>) {
        self.datagrams += 1;
        for byte in self.now.as_millis().to_le_bytes().iter().chain(&bytes) {
            self.trace = (self.trace ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
        if self.rng.random_bool(self.loss) {
            return;
        }
        if self.damage > 0.0 && self.rng.random_bool(self.damage) {
            mutate(&mut self.rng, &mut bytes);
        }
        if self.rng.random_bool(0.02) {
            let again = self.rng.random_range(5..45);
            self.at(again, Action::Deliver(to, bytes.clone()));
        }
        let delay = self.rng.random_range(5..45);
        self.at(delay, Action::Deliver(to, bytes));
    }

    fn handle_event(&mut self, event: UaEvent) {
        match event {
            UaEvent::Progress { call, progress: Progress::Answered } => {
                assert!(self.answered.insert(call), "{call} answered twice");
                let saved = self.dialer.saved_dialog(call).expect("a confirmed dialog");
                self.disk.insert(call, saved);
                let commit = self.rng.random_range(1..60);
                self.at(commit, Action::Acknowledge(call));
                let talk = match behaviour(call.0) {
                    Behaviour::TalksLong => 2_000_000,
                    Behaviour::AnswersAndHangsUp => 90_000,
                    _ => self.rng.random_range(1_000..30_000),
                };
                self.at(talk, Action::HangUp(Side::Dialer, call));
            }
            UaEvent::Progress { call, progress: Progress::Ended(ended) } => {
                let before = self.ended.insert(call, ended.outcome);
                assert_eq!(before, None, "{call} ended twice");
                assert_eq!(
                    ended.outcome == Outcome::Answered,
                    self.answered.contains(&call),
                    "{call} {ended:?}"
                );
                self.disk.remove(&call);
            }
            UaEvent::Media { early: true, .. } => self.early += 1,
            UaEvent::SavedDialogEnded { call_id, .. } => {
                self.disk.retain(|_, saved| saved.call_id != call_id);
                assert!(self.dialogs_ended.insert(call_id), "told twice");
            }
            _ => {}
        }
    }

    fn handle_carrier_event(&mut self, event: UaEvent) {
        let UaEvent::Incoming(incoming) = event else { return };
        let (call, n) = (incoming.call, incoming.to_user.parse::<u64>().unwrap_or_default());
        if behaviour(n) == Behaviour::Challenges {
            let answer = incoming.authorization.first().and_then(|line| Answer::parse(line));
            if !answer.is_some_and(|answer| answer.is_right(PASSWORD, "INVITE", b"")) {
                let line = format!(
                    "WWW-Authenticate: {}",
                    self.mint.challenge(self.now, "carrier", Algorithm::ALL[0], false)
                );
                self.carrier.reject(self.now, call, 401, "Unauthorized", &[&line]);
                return;
            }
        }
        let again = self.taken.insert(call, n);
        assert_eq!(again, None);
        let ring = self.rng.random_range(1_000..15_000);
        match behaviour(n) {
            Behaviour::Busy => return self.at(500, Action::Refuse(call, 486)),
            Behaviour::Overloaded => return self.at(20, Action::Refuse(call, 503)),
            Behaviour::EarlyMedia => self.at(300, Action::EarlyDialog(call)),
            _ => self.at(300, Action::Ring(call)),
        }
        match behaviour(n) {
            Behaviour::NeverAnswers => {}
            Behaviour::AnswersLate => self.at(20_220 + ring / 100, Action::Answer(call)),
            Behaviour::AnswersAndHangsUp => {
                self.at(ring, Action::Answer(call));
                self.at(ring + 5_000, Action::HangUp(Side::Carrier, call));
            }
            Behaviour::MovesMedia => {
                self.at(ring, Action::Answer(call));
                self.at(ring + 600, Action::MoveMedia(call));
            }
            _ => self.at(ring, Action::Answer(call)),
        }
    }

    /// Places this many calls, crashes processes, and runs until nothing is pending.
    fn run_calls(&mut self, calls: u64, crashes: u64) {
        for n in 0..calls {
            let at = self.rng.random_range(0..calls * PACE);
            self.at(at, Action::Place(n));
        }
        for n in 0..crashes {
            self.at(calls * PACE * (n + 1) / (crashes + 1), Action::Crash);
        }
        self.run();
    }

    fn assert_no_state_left(&self, seed: u64) {
        assert_eq!(self.disk.len(), 0, "seed {seed}: something is still on disk");
        assert_eq!(self.dialer.calls(), 0, "seed {seed}: the dialer holds calls");
        assert_eq!(self.carrier.calls(), 0, "seed {seed}: the carrier holds calls");
        for ua in [&self.dialer, &self.carrier] {
            let held = (ua.clients.len(), ua.servers.len(), ua.recovered_dialogs.len(), ua.tags.len());
            assert_eq!(held, (0, 0, 0, 0), "seed {seed}");
            assert_eq!(ua.next_wake(), None, "seed {seed}");
        }
    }
}

/// A day of `calls` calls with `crashes` process crashes.
fn day(seed: u64, calls: u64, loss: f64, crashes: u64) -> Day {
    let mut day = Day::new(seed, loss);
    day.run_calls(calls, crashes);
    day.assert_no_state_left(seed);
    day
}

#[test]
fn over_a_lossless_network_every_call_ends_as_its_callee_behaves() {
    let day = day(1, 1_000, 0.0, 0);
    assert_eq!(day.ended.len(), 1_000);
    let mut count: BTreeMap<(Behaviour, Outcome), u64> = BTreeMap::new();
    for (call, outcome) in &day.ended {
        *count.entry((behaviour(call.0), *outcome)).or_default() += 1;
    }
    for manner in BEHAVIOURS {
        let expected = match manner {
            Behaviour::Busy => Outcome::Busy,
            Behaviour::NeverAnswers => Outcome::NoAnswer,
            Behaviour::Overloaded => Outcome::LineFault,
            Behaviour::AnswersLate => continue,
            _ => Outcome::Answered,
        };
        assert_eq!(count.get(&(manner, expected)), Some(&100), "{manner:?} in {count:?}");
    }
    let late = |outcome| count.get(&(Behaviour::AnswersLate, outcome)).copied().unwrap_or(0);
    assert!(late(Outcome::Answered) > 0 && late(Outcome::NoAnswer) > 0, "a race has two winners: {count:?}");
    assert_eq!(late(Outcome::Answered) + late(Outcome::NoAnswer), 100);
    assert!(day.early >= 100);
}

#[test]
fn over_a_lossy_network_every_call_ends_once_without_state() {
    for seed in [2, 3, 4] {
        let day = day(seed, 1_500, 0.05, 0);
        assert_eq!(day.ended.len(), 1_500, "seed {seed}");
        let wrong = day.ended.iter().filter(|(call, outcome)| match behaviour(call.0) {
            Behaviour::Busy => **outcome != Outcome::Busy,
            Behaviour::Overloaded => **outcome != Outcome::LineFault,
            // A 180 that was lost leaves a call that never rang.
            Behaviour::NeverAnswers => !matches!(outcome, Outcome::NoAnswer | Outcome::Unreachable),
            _ => **outcome == Outcome::LineFault,
        });
        assert_eq!(wrong.count(), 0, "seed {seed}: a lost datagram changed what a call was");
    }
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let (one, again, other) = (day(9, 400, 0.05, 1), day(9, 400, 0.05, 1), day(10, 400, 0.05, 1));
    assert_eq!((one.trace, one.datagrams, &one.ended), (again.trace, again.datagrams, &again.ended));
    assert_ne!(one.trace, other.trace);
}

#[test]
fn after_a_crash_open_dialogs_are_ended() {
    for seed in [21, 22, 23, 24] {
        for loss in [0.0, 0.05] {
            let day = day(seed, 600, loss, 3);
            let forgotten = day.dialogs_to_end.difference(&day.dialogs_ended).count();
            assert_eq!(forgotten, 0, "seed {seed}: leftovers that never ended");
            assert!(!day.dialogs_to_end.is_empty());
            assert_eq!(day.ended.len() + day.dialogs_to_end.len(), 600, "seed {seed}");
        }
    }
}

#[test]
fn with_damaged_messages_every_call_still_ends_once() {
    for seed in 31..35 {
        let mut day = Day::new(seed, 0.02);
        day.damage = 0.2;
        day.run_calls(800, 1);
        assert_eq!(day.disk.len(), 0, "seed {seed}");
        assert_eq!(day.ended.len() + day.dialogs_to_end.len(), 800, "seed {seed}");
        assert_eq!(
            (day.dialer.calls(), day.dialer.clients.len(), day.dialer.servers.len()),
            (0, 0, 0),
            "seed {seed}"
        );
        assert_eq!(day.dialer.next_wake(), None, "seed {seed}");
    }
}

#[test]
fn an_open_call_takes_about_a_kilobyte() {
    let (desk, _, _) = super::desk::Desk::talking(&["Session-Expires: 1800;refresher=uac"]);
    let leg = &desk.ua.legs[&super::desk::CALL];
    let dialog = &leg.dialog;
    let texts = [&dialog.call_id, &dialog.local, &dialog.remote, &dialog.remote_target];
    let heap: usize = texts.iter().map(|text| text.capacity()).sum();
    let routes: usize = dialog.route_set.iter().map(|route| route.capacity() + 24).sum();
    assert!(leg.placing.is_none() && leg.arriving.is_none() && leg.unacknowledged.is_none());
    let held = size_of::<super::super::leg::Leg>() + heap + routes;
    assert!(held < 1_024, "{held} bytes");
}
