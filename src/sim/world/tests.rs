//! The user agent as caller against the carrier, over the network in virtual time.

use super::*;
use crate::sim::call_scenario::{Behaviour, callee_key};
use paceline_core::call::{Ended, HangUpCause, Progress};
use paceline_core::ids::{CallId, TrunkId};
use paceline_core::media::MediaCapabilities;
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::sip::user_agent::{CallRequest, Incoming, SipTrunk, UaEvent, UaOutput, UserAgent};

const RING: Duration = Duration::from_secs(45);
const PLAY: Duration = Duration::from_secs(10);

/// A minimal dialer: acknowledges, plays for ten seconds, hangs up.
struct Caller {
    ua: UserAgent,
    world: World,
    now: Time,
    ended: BTreeMap<CallId, Ended>,
    keys: BTreeMap<String, String>,
    names: BTreeMap<String, CallId>,
    /// Delay of the ACK, as if the answer had to be saved first.
    writing: Duration,
    due: BTreeMap<(Time, CallId), ()>,
}

fn number(call: u64) -> String {
    format!("138{call:08}")
}

impl Caller {
    fn new(people: &str, seed: u64, network: NetworkRules) -> Self {
        let people = Arc::new(Population::parse(people).expect("people"));
        let world = World::new(people, seed, network, WallClock::default());
        let mut ua = UserAgent::new(UaConfig {
            sent_by: vec![(Transport::Udp, World::dialer_peer().address.to_string())],
            product: "Paceline/test".into(),
            seed,
            incoming: Incoming::Nobody,
            registrar: None,
        });
        let trunk = SipTrunk {
            username: "paceline".into(),
            password: "paceline".into(),
            ..SipTrunk::new(TrunkId(0), World::carrier_peer(), "carrier.example")
        };
        ua.set_trunk(Time::ZERO, trunk);
        Caller {
            ua,
            world,
            now: Time::ZERO,
            ended: BTreeMap::new(),
            keys: BTreeMap::new(),
            names: BTreeMap::new(),
            writing: Duration::from_millis(5),
            due: BTreeMap::new(),
        }
    }

    fn place(&mut self, call: u64) {
        let request = CallRequest {
            call: CallId(call),
            trunk: TrunkId(0),
            user: number(call),
            caller_id: Some("075512345678".into()),
            setup: Duration::from_secs(30),
            ring: RING,
            media: MediaCapabilities {
                address: SocketAddr::new(World::dialer_peer().address.ip(), 30_000),
                codecs: vec![Codec::Pcma, Codec::Pcmu],
            },
        };
        self.names.insert(self.ua.identity(&request).call_id, CallId(call));
        self.ua.place(self.now, request);
        self.drain();
    }

    /// Places calls 0 to `calls`, `apart` milliseconds apart, and follows them to their ends.
    fn run(&mut self, calls: u64, apart: u64) {
        let mut placed = 0;
        while placed < calls || self.ended.len() < calls as usize {
            let next_call = (placed < calls).then(|| Time::from_millis(placed * apart));
            let due = self.due.keys().next().map(|(at, _)| *at);
            let wakes = [next_call, due, self.ua.next_wake(), self.world.next_wake()];
            let wake = wakes.into_iter().flatten().min().expect("calls that are up wake us");
            self.now = self.now.max(wake);
            assert!(self.now < Time::from_millis(calls * apart + 3_600_000), "{:?}", self.unfinished(calls));
            if next_call.is_some_and(|at| at <= self.now) {
                self.place(placed);
                placed += 1;
            }
            self.step();
        }
        // Wait for the last retransmissions and their answers.
        let quiet = self.now + Duration::from_secs(40);
        while let Some(wake) = [self.ua.next_wake(), self.world.next_wake()].into_iter().flatten().min()
            && wake <= quiet
        {
            self.now = self.now.max(wake);
            self.step();
        }
    }

    fn unfinished(&self, calls: u64) -> Vec<u64> {
        (0..calls).filter(|call| !self.ended.contains_key(&CallId(*call))).collect()
    }

    fn step(&mut self) {
        while let Some(((at, call), ())) = self.due.first_key_value()
            && *at <= self.now
        {
            let call = *call;
            self.due.pop_first();
            self.ua.acknowledge(self.now, call);
            self.drain();
        }
        while let Some(output) = self.world.poll(self.now) {
            match output {
                WorldOutput::Datagram { from, bytes } => self.ua.handle_message(self.now, from, &bytes),
                WorldOutput::Heard { sip_call_id, heard } => self.hear(&sip_call_id, heard),
            }
            self.drain();
        }
        if self.ua.next_wake().is_some_and(|wake| wake <= self.now) {
            self.ua.handle_timeout(self.now);
            self.drain();
        }
    }

    fn hear(&mut self, sip_call_id: &str, heard: Heard) {
        let call = self.names[sip_call_id];
        match heard {
            Heard::PlayEnded => self.ua.hang_up(self.now, call, HangUpCause::Finished),
            Heard::Digit(key) => self.keys.entry(number(call.0)).or_default().push(key.as_char()),
            _ => {}
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.ua.poll() {
            match output {
                UaOutput::Transmit { bytes, .. } => self.world.dialer_send(self.now, bytes),
                UaOutput::Event(UaEvent::Progress { call, progress: Progress::Answered }) => {
                    self.due.insert((self.now + self.writing, call), ());
                    let names = self.names.iter();
                    let name =
                        names.filter(|(_, known)| **known == call).map(|(name, _)| name.clone()).next();
                    self.world.play(self.now, &name.expect("placed by us"), PLAY);
                }
                UaOutput::Event(UaEvent::Progress { call, progress: Progress::Ended(ended) }) => {
                    assert!(self.ended.insert(call, ended).is_none(), "call {call} ended twice");
                    let names = self.names.iter();
                    let name =
                        names.filter(|(_, known)| **known == call).map(|(name, _)| name.clone()).next();
                    self.world.close_leg(&name.expect("placed by us"));
                }
                UaOutput::Event(_) => {}
            }
        }
    }
}

/// The outcome that the dialer must report for a scenario, given its ring time.
fn expected(people: &Population, user: &str) -> Outcome {
    let scenario = people.call_scenario(user, 1, None);
    let in_time = scenario.slow + scenario.alert + scenario.ring < RING;
    match scenario.behaviour {
        // The codes cannot say "suspended"; only the announcement does.
        Behaviour::Suspended => Outcome::Unreachable,
        Behaviour::Silent => Outcome::LineFault,
        behaviour if !in_time && behaviour.rings() => Outcome::NoAnswer,
        behaviour => behaviour.outcome(),
    }
}

/// Whether ring time and scenario are too close to predict which comes first.
fn is_close(people: &Population, user: &str) -> bool {
    let scenario = people.call_scenario(user, 1, None);
    let settled = scenario.slow + scenario.alert + scenario.ring;
    settled.abs_diff(RING) < Duration::from_millis(600)
}

#[test]
fn every_scenario_ends_in_its_outcome() {
    let text = "seed = 3\n[trouble]\nslow = 0.05\nunavailable = 0.02\nsilent = 0.01";
    let people = Population::parse(text).expect("people");
    let mut caller = Caller::new(text, 3, NetworkRules::default());
    caller.run(600, 100);
    for (call, ended) in &caller.ended {
        let user = number(call.0);
        if !is_close(&people, &user) {
            let scenario = people.call_scenario(&user, 1, None);
            assert_eq!(ended.outcome, expected(&people, &user), "{user} {scenario:?}: {ended:?}");
        }
    }
    assert_eq!(caller.world.calls(), 0);
    let answered = caller.ended.values().filter(|ended| ended.outcome == Outcome::Answered).count();
    assert!((200..350).contains(&answered), "{answered}");
}

#[test]
fn every_pressed_key_arrives_and_both_sides_agree_on_who_hung_up() {
    let mut caller = Caller::new("seed = 4", 4, NetworkRules::default());
    caller.run(500, 100);
    let mut keys = 0;
    for (sip_call_id, record) in &caller.world.ledger().calls {
        let call = caller.names[sip_call_id];
        assert_eq!(
            &record.keys,
            caller.keys.get(&number(call.0)).map_or("", String::as_str),
            "{sip_call_id}"
        );
        keys += record.keys.len();
        let ended = &caller.ended[&call];
        let by_callee = ended.outcome == Outcome::Answered && ended.by == EndedBy::Callee;
        let theirs = record.answered_at.is_some() && record.end.starts_with("callee");
        assert_eq!(by_callee, theirs, "{sip_call_id}: {record:?} {ended:?}");
    }
    assert!(keys > 15, "{keys}");
}

#[test]
fn a_lossy_network_loses_no_call() {
    for seed in [1, 2] {
        let delay = (Duration::from_millis(5), Duration::from_millis(120));
        let network = NetworkRules { delay, lost: 0.15, duplicated: 0.10 };
        let text = "seed = 9\n[shares]\nvacant = 0\nsuspended = 0";
        let people = Population::parse(text).expect("people");
        let mut caller = Caller::new(text, seed, network);
        caller.run(400, 200);
        assert_eq!(caller.world.calls(), 0, "seed {seed}: calls are still up at the far end");
        let clear: Vec<u64> = (0..400).filter(|call| !is_close(&people, &number(*call))).collect();
        // A lost 180 is not repeated, and a call that was not heard to ring is `unreachable`.
        let is_right =
            |call: &&u64| match (caller.ended[&CallId(**call)].outcome, expected(&people, &number(**call))) {
                (Outcome::Unreachable, Outcome::NoAnswer) => true,
                (found, expected) => found == expected,
            };
        let right = clear.iter().filter(is_right).count();
        assert!(right * 100 >= clear.len() * 97, "seed {seed}: {right} of {}", clear.len());
        assert_eq!(caller.world.ledger().calls.len(), 400, "seed {seed}: a call was placed twice or never");
    }
}

#[test]
fn the_same_seeds_give_the_same_log() {
    let day = |seed| {
        let network = NetworkRules { lost: 0.05, duplicated: 0.05, ..NetworkRules::default() };
        let mut caller = Caller::new("seed = 1\n[trouble]\nlost = 0.02", seed, network);
        caller.run(150, 150);
        caller.world.log().iter().map(LogLine::to_string).collect::<Vec<_>>()
    };
    assert_eq!(day(5), day(5));
    assert_ne!(day(5), day(6));
}

#[test]
fn a_challenged_caller_comes_back_with_credentials() {
    for as_registrar in [false, true] {
        let text = format!("seed = 2\n[access]\nchallenge = true\nas_registrar = {as_registrar}");
        let people = Population::parse(&text).expect("people");
        let mut caller = Caller::new(&text, 2, NetworkRules::default());
        caller.run(60, 100);
        for (sip_call_id, record) in &caller.world.ledger().calls {
            assert_eq!(record.retries, 1, "{sip_call_id}: {record:?}");
        }
        let wrong = caller.ended.iter().filter(|(call, ended)| {
            let user = number(call.0);
            !is_close(&people, &user) && ended.outcome != expected(&people, &user)
        });
        assert_eq!(wrong.count(), 0);
    }
}

#[test]
fn an_answer_that_crosses_the_cancel_ends_with_ack_and_bye() {
    let text = "[shares]\nanswer = 0\nvoicemail = 0\nbusy = 0\nreject = 0\npowered_off = 0\nunreachable = 0\n\
                vacant = 0\nsuspended = 0\nrestricted = 0\n[trouble]\nlate_answer = 1.0";
    let delay = (Duration::from_millis(10), Duration::from_millis(10));
    let mut caller = Caller::new(text, 8, NetworkRules { delay, ..NetworkRules::default() });
    caller.run(20, 100);
    for record in caller.world.ledger().calls.values() {
        assert!(record.cancelled_at.is_some() && record.answered_at.is_some(), "{record:?}");
        assert!(record.acknowledged_at.is_some() && record.bye_at.is_some(), "{record:?}");
        assert!(record.ended_at.is_some(), "{record:?}");
    }
    assert!(caller.ended.values().all(|ended| ended.outcome == Outcome::NoAnswer), "{:?}", caller.ended);
}

#[test]
fn the_carrier_takes_no_more_calls_than_agreed() {
    let text = "seed = 6\n[limits]\ncalls_max = 5";
    let mut caller = Caller::new(text, 6, NetworkRules::default());
    caller.run(100, 200);
    let refused = caller.ended.values().filter(|ended| ended.sip_code == Some(503)).count();
    assert!(refused > 20, "{refused}");
    let mut up: i32 = 0;
    let mut most = 0;
    for line in caller.world.log() {
        match line.event {
            super::super::ledger::CallEvent::Invite => up += 1,
            super::super::ledger::CallEvent::Ended => up -= 1,
            _ => {}
        }
        most = most.max(up);
    }
    // One INVITE more exists at the instant in which it is refused.
    assert!(most <= 6, "{most}");
    assert_eq!(callee_key(&number(1)), 13_800_000_001);
}
