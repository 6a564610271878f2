//! The guard over scripted and random runs of calls.

use super::*;
use crate::ids::{AttemptId, CampaignId};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Calls that are sent and end at given moments.
struct Line {
    guard: LineGuard,
    now: Time,
    calls: i64,
    taken_back: usize,
    judged_line: usize,
    due: usize,
}

impl Line {
    fn new() -> Self {
        Line {
            guard: LineGuard::default(),
            now: Time::from_millis(1_000),
            calls: 0,
            taken_back: 0,
            judged_line: 0,
            due: 0,
        }
    }

    fn send(&mut self, number: u64) -> CallId {
        self.calls += 1;
        let call = CallId(self.calls as u64);
        self.guard.opened(call, PhoneNumber::from_e164(number).expect("a number"));
        self.guard.sent(self.now, call);
        self.now += Duration::from_millis(20);
        call
    }

    fn refuse(&mut self, call: CallId, outcome: Outcome, code: u16) {
        let number = self.guard.pending[&call].number;
        let end = CallEnd {
            outcome,
            sip_code: Some(code),
            talk: None,
            by_us: false,
            person: false,
            charged: Some(charged(call, number)),
        };
        let judged = self.guard.ended(self.now, call, end);
        self.judged_line += usize::from(judged.line);
        self.taken_back += judged.taken_back.len();
        self.due += judged.due.len();
    }

    fn refused(&mut self, number: u64, outcome: Outcome, code: u16) {
        let call = self.send(number);
        self.refuse(call, outcome, code);
    }

    fn rings(&mut self, number: u64) {
        let call = self.send(number);
        self.due += self.guard.rang(self.now, call).len();
        self.answered(call, Duration::from_secs(20));
    }

    fn answered(&mut self, call: CallId, talk: Duration) {
        self.guard.answered(self.now, call);
        self.now += talk;
        self.talked(call, talk, false);
    }

    /// The far side hangs up. `true` = the call is the line's.
    fn talked(&mut self, call: CallId, talk: Duration, person: bool) -> bool {
        let number = self.guard.pending[&call].number;
        let end = CallEnd {
            outcome: Outcome::Answered,
            sip_code: None,
            talk: Some(talk),
            by_us: false,
            person,
            charged: Some(charged(call, number)),
        };
        let judged = self.guard.ended(self.now, call, end);
        self.judged_line += usize::from(judged.line);
        self.taken_back += judged.taken_back.len();
        self.due += judged.due.len();
        judged.line
    }
}

fn charged(call: CallId, number: PhoneNumber) -> Charged {
    let (attempt, lead) = (AttemptId(call.0 as i64), LeadId(call.0 as i64));
    Charged { attempt, campaign: CampaignId(1), lead, number, counted: true }
}

const MOBILE: u64 = 8_613_800_000_000;

#[test]
fn a_line_that_refuses_everything_rests_after_five_and_takes_all_back() {
    for (outcome, code) in [
        (Outcome::CarrierBlock, 403),
        (Outcome::Vacant, 404),
        (Outcome::Unreachable, 480),
        (Outcome::LineFault, 503),
    ] {
        let mut line = Line::new();
        for n in 0..5 {
            assert_eq!(line.guard.trouble(), None, "{code} after {n}");
            line.refused(MOBILE + n * 1_000_003, outcome, code);
        }
        let trouble = line.guard.trouble().expect("it rests");
        assert_eq!((trouble.scope, trouble.sip_code, trouble.calls), (Scope::Trunk, Some(code), 5));
        assert_eq!((line.taken_back, line.judged_line), (4, 1));
        assert!(line.guard.rests(line.now).is_some());
    }
}

#[test]
fn calls_in_flight_when_the_block_begins_are_taken_back_too() {
    let mut line = Line::new();
    let calls: Vec<CallId> = (0..30).map(|n| line.send(MOBILE + n * 7_000_001)).collect();
    for call in calls {
        line.refuse(call, Outcome::CarrierBlock, 403);
    }
    assert_eq!(line.taken_back + line.judged_line, 30);
}

#[test]
fn one_ring_ends_the_rest_and_the_leads_are_due() {
    let mut line = Line::new();
    for n in 0..5 {
        line.refused(MOBILE + n, Outcome::CarrierBlock, 403);
    }
    line.now += Duration::from_secs(1);
    line.rings(MOBILE + 99);
    assert_eq!((line.guard.trouble(), line.due), (None, 5));
}

#[test]
fn a_call_that_was_sent_before_the_block_does_not_end_the_rest() {
    let mut line = Line::new();
    let early = line.send(MOBILE + 77);
    line.now += Duration::from_secs(9);
    for n in 0..5 {
        line.refused(MOBILE + n, Outcome::CarrierBlock, 403);
    }
    line.guard.rang(line.now, early);
    assert!(line.guard.trouble().is_some());
}

#[test]
fn a_list_that_is_mostly_vacant_is_dialled_on() {
    let (mut rests, mut taken_back) = (0, 0);
    for seed in 0..10 {
        let (mut line, mut random) = (Line::new(), ChaCha8Rng::seed_from_u64(seed));
        for n in 0..2_000u64 {
            let (number, rested) = (MOBILE + n * 10_007, line.guard.trouble().is_some());
            if random.random_bool(0.6) {
                line.refused(number, Outcome::Vacant, 404);
            } else {
                line.rings(number);
            }
            rests += usize::from(!rested && line.guard.trouble().is_some());
        }
        taken_back += line.taken_back + line.judged_line;
    }
    assert!(rests <= 40, "{rests} rests in 20,000 calls");
    assert!(taken_back <= 600, "{taken_back} of 20,000 taken back");
}

#[test]
fn a_dozen_odd_numbers_are_refused_one_by_one_the_second_time() {
    let mut line = Line::new();
    let odd = |line: &mut Line, n: u64| line.refused(MOBILE + n * 1_000, Outcome::LineFault, 500);
    (0..12).for_each(|n| odd(&mut line, n));
    assert_eq!(line.taken_back + line.judged_line, 12);
    line.now += Duration::from_secs(3);
    line.rings(MOBILE + 999);
    // The same leads, once more in a row.
    line.calls = 0;
    let before = line.taken_back + line.judged_line;
    (0..12).for_each(|n| odd(&mut line, n));
    assert_eq!((line.guard.trouble(), line.taken_back + line.judged_line), (None, before));
}

#[test]
fn a_blocked_region_rests_alone() {
    let mut line = Line::new();
    for n in 0..40u64 {
        line.rings(8_613_900_000_000 + n * 10_007);
        if line.guard.region_trouble().is_none() {
            line.refused(8_675_580_000_000 / 100 * 100 + n, Outcome::CarrierBlock, 403);
        }
    }
    assert_eq!(line.guard.trouble(), None);
    assert_eq!(line.guard.region_trouble().map(|trouble| trouble.scope), Some(Scope::Region(86_755)));
    let shenzhen = PhoneNumber::from_e164(8_675_588_888_888).expect("a number");
    let other = PhoneNumber::from_e164(8_613_912_345_678).expect("a number");
    assert!(!line.guard.takes(line.now, shenzhen, LeadId(9_999)) || line.guard.region_rests(shenzhen));
    assert!(line.guard.takes(line.now, other, LeadId(9_998)));
    line.now += Duration::from_secs(2);
    line.rings(8_675_588_888_888);
    assert_eq!(line.guard.region_trouble(), None);
}

#[test]
fn answers_that_hang_up_at_once_rest_the_trunk_and_the_written_ones_stay() {
    let mut line = Line::new();
    for n in 0..9 {
        let call = line.send(MOBILE + n);
        line.guard.rang(line.now, call);
        line.answered(call, Duration::from_secs(2));
    }
    assert_eq!(line.guard.trouble().map(|trouble| trouble.fault), Some(Fault::HangsUp));
    assert_eq!(
        (line.taken_back, line.judged_line),
        (0, 5),
        "four are charged, the fifth and later ones are not"
    );
    line.now += Duration::from_secs(2);
    line.rings(MOBILE + 50);
    assert_eq!((line.guard.trouble(), line.due), (None, 0), "a rest without probes may have been a mistake");
}

/// A trunk with people on it until its account is in arrears. Returns how many calls after that were charged, and how
/// many calls to people were laid to the line.
fn arrears(seed: u64, quick: f64, alike: bool) -> (usize, usize) {
    let (mut line, mut random) = (Line::new(), ChaCha8Rng::seed_from_u64(seed));
    let good = random.random_range(0..300u64);
    let concurrent = random.random_range(1..40u64);
    let message = random.random_range(1_000..4_000u64);
    let (mut charged, mut mistaken, mut sent) = (0, 0, 0u64);
    let mut out: Vec<(Time, CallId, Duration, bool)> = Vec::new();
    while sent < good + 60 || !out.is_empty() {
        while (out.len() as u64) < concurrent && sent < good + 60 && line.guard.rests(line.now).is_none() {
            let in_arrears = sent >= good;
            let call = line.send(MOBILE + sent * 10_007);
            sent += 1;
            line.guard.rang(line.now, call);
            line.guard.answered(line.now, call);
            let millis = match in_arrears {
                true if alike => message + random.random_range(0..150),
                true => random.random_range(1_000..4_000),
                false if random.random_bool(quick) => random.random_range(500..5_000),
                false => random.random_range(5_000..30_000),
            };
            let talk = Duration::from_millis(millis);
            out.push((line.now + talk, call, talk, in_arrears));
        }
        out.sort_by_key(|(at, ..)| *at);
        if out.is_empty() {
            line.now += Duration::from_millis(100);
            continue;
        }
        let (at, call, talk, in_arrears) = out.remove(0);
        line.now = line.now.max(at);
        line.guard.believe_talks(line.now);
        let by_line = line.talked(call, talk, false);
        charged += usize::from(in_arrears && !by_line);
        mistaken += usize::from(!in_arrears && by_line);
    }
    assert_eq!(line.taken_back, 0, "an attempt that was written as answered stays so, seed {seed}");
    (charged, mistaken)
}

#[test]
fn an_account_in_arrears_charges_five_leads_at_most() {
    let (mut mistaken, mut worst) = (0, 0);
    for seed in 0..400 {
        let quick = [0.0, 0.1, 0.3, 0.5][seed as usize % 4];
        let (charged, people) = arrears(seed, quick, true);
        assert!(charged <= 5, "{charged} charged, seed {seed}, {quick} hang up at once");
        (mistaken, worst) = (mistaken + people, worst.max(charged));
    }
    assert!(mistaken <= 120, "{mistaken} of some 60,000 people are called again");
    assert!(worst >= 4, "the guard waits for evidence");
    // Where no two messages are alike, the guard needs more of them.
    let mut unlike: Vec<usize> = (0..200).map(|seed| arrears(seed, 0.3, false).0).collect();
    unlike.sort_unstable();
    assert!(unlike[100] <= 7 && unlike[180] <= 12, "{unlike:?} charged");
}

#[test]
fn an_agent_or_a_key_shows_that_the_line_works() {
    let mut line = Line::new();
    for n in 0..60 {
        let call = line.send(MOBILE + n);
        line.guard.rang(line.now, call);
        line.guard.answered(line.now, call);
        line.now += Duration::from_secs(2);
        // Three of four hang up at once, as people do when a machine calls.
        line.talked(call, Duration::from_secs(2), n % 4 == 3);
        assert_eq!(line.guard.trouble(), None, "after {n}");
    }
    assert_eq!(line.judged_line, 0);
}

#[test]
fn people_who_hang_up_at_once_now_and_then_are_not_called_again() {
    let mut laid = 0;
    for seed in 0..20 {
        let (mut line, mut random) = (Line::new(), ChaCha8Rng::seed_from_u64(seed));
        for n in 0..2_000u64 {
            let call = line.send(MOBILE + n * 10_007);
            line.guard.rang(line.now, call);
            if random.random_bool(0.5) {
                line.refuse(call, Outcome::NoAnswer, 487);
                continue;
            }
            let quick = random.random_bool(0.4);
            // Most of them in the first sentence.
            let near = 1_500 + random.random_range(0..800) + random.random_range(0..800);
            let millis = if quick { near } else { random.random_range(5_000..40_000) };
            line.answered(call, Duration::from_millis(millis));
        }
        laid += line.judged_line;
    }
    assert!(laid <= 8, "{laid} of 20,000 answers are laid to the line");
}

#[test]
fn slow_rings_among_fast_refusals_keep_the_line_in_use() {
    let mut line = Line::new();
    // Every second call is refused at once; the others ring after two seconds.
    let mut ringing: Vec<(Time, CallId)> = Vec::new();
    for n in 0..400u64 {
        let call = line.send(MOBILE + n * 10_007);
        if n % 3 < 2 {
            line.refuse(call, Outcome::Vacant, 404);
        } else {
            ringing.push((line.now + Duration::from_secs(2), call));
        }
        for (_, call) in ringing.extract_if(.., |(at, _)| *at <= line.now) {
            line.guard.rang(line.now, call);
        }
        assert_eq!(line.guard.trouble(), None, "after {n}");
    }
}
