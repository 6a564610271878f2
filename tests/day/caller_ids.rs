//! Days on a simulated carrier that marks a caller ID: it is found, rests, and comes back.

use super::*;
use paceline::sim::people::MarkedNumber;
use paceline_core::caller_id_health::{EndedCall, Evidence, JudgedCall, Recovery, compare};
use paceline_core::campaign::caller_id::{Registered, RegisteredNumber, Usage};
use paceline_core::dialer::Input;
use paceline_core::ids::RegisterId;
use paceline_core::number::ShownNumber;
use std::collections::{BTreeMap, BTreeSet};

const NUMBERS: u64 = 5;
const FIRST: u64 = 8_675_512_345_670;
/// 2026-03-02, a Monday, at 09:00 in Shanghai.
const MORNING: Utc = Utc::from_millis(1_772_413_200_000);

fn shown(n: u64) -> ShownNumber {
    PhoneNumber::from_e164(FIRST + n).expect("a number").into()
}

/// A long list, five numbers in turn, a call every twelve seconds: each number has 60 an hour.
fn plan(seed: u64) -> Plan {
    let mut plan = Plan::from_seed(seed, 12_000);
    // Owners of one flat would close each other's leads.
    plan.leads.iter_mut().for_each(|lead| lead.household = None);
    plan.start = MORNING;
    plan.troubles = Troubles::default();
    plan.people = Arc::new(Population { seed, ..Population::default() });
    plan.trunks.truncate(1);
    (plan.trunks[0].calls_max, plan.trunks[0].calls_per_sec) = (200, 5.0);
    let campaign = &mut plan.campaign;
    campaign.trunks.truncate(1);
    (campaign.concurrency_max, campaign.calls_per_sec) = (None, Some(1.0 / 12.0));
    campaign.windows = CallingWindows {
        timezone: "Asia/Shanghai".into(),
        windows: vec![DayWindow { days: [true; 7], from_minute: 0, to_minute: 24 * 60 }],
        ..CallingWindows::default()
    };
    let number = |n| CallerId { number: shown(n), shown: shown(n).national() };
    campaign.caller_ids = CallerIdRules {
        numbers: (0..NUMBERS).map(number).collect(),
        rotation: Rotation::RoundRobin,
        sticky: false,
        ..CallerIdRules::default()
    };
    plan
}

/// Judges a running day hour by hour, as the service does.
#[derive(Default)]
struct Judge {
    evidence: BTreeMap<ShownNumber, Evidence>,
    seen: usize,
}

impl Judge {
    /// Adds the calls that were placed since the last look.
    fn look(&mut self, day: &Day<Line>, suspected: &BTreeSet<ShownNumber>) {
        let ended = day.store.attempts().skip(self.seen).filter_map(|attempt| {
            let (request, result) = (&attempt.request, attempt.result.as_ref());
            JudgedCall::of(&EndedCall {
                campaign: request.campaign,
                shown: request.caller_id?,
                callee: request.number,
                ordinal: request.ordinal,
                outcome: result.map(|it| it.outcome),
                sip_code: result.and_then(|it| it.sip_code),
                rang: result.is_some_and(|it| it.ringing_at.is_some()),
                answered: attempt.answered_at.is_some(),
            })
        });
        let calls: Vec<JudgedCall> = ended.collect();
        self.seen = day.store.attempts().count();
        for (number, compared) in compare(&calls, suspected) {
            self.evidence.entry(number).or_default().add_hour(&compared);
        }
    }

    fn marked(&self) -> BTreeSet<ShownNumber> {
        self.evidence.iter().filter(|(_, it)| it.mark().is_some()).map(|(number, _)| *number).collect()
    }
}

fn uses(day: &Day<Line>, number: ShownNumber) -> usize {
    day.store.attempts().filter(|it| it.request.caller_id == Some(number)).count()
}

fn registered(number: ShownNumber, usage: Usage) -> Input {
    registered_in(RegisterId::default(), number, usage)
}

fn registered_in(register: RegisterId, number: ShownNumber, usage: Usage) -> Input {
    let (per_hour_max, per_day_max) = (None, None);
    let it = RegisteredNumber {
        register,
        number,
        usage,
        agent: None,
        per_hour_max,
        per_day_max,
        warm_up_from: None,
    };
    Input::CallerIdsRegistered { said: Registered { numbers: vec![it], ..Registered::default() } }
}

/// The hours are looked at a little after their end, when every call of theirs is answered or has failed.
fn run_hour(day: &mut Day<Line>, hour: u32) {
    day.run(Time::ZERO + HOUR * hour);
}

#[test]
fn a_marked_number_is_found_rests_and_comes_back() {
    let mut calls_until_found = Vec::new();
    for seed in 0..6 {
        let plan = plan(seed);
        let mut day = plan.day();
        let mut judge = Judge::default();
        let none = BTreeSet::new();
        run_hour(&mut day, 2);
        judge.look(&day, &none);
        assert_eq!(judge.marked(), none, "seed {seed}: before the mark");

        // At 11:00 phones begin to warn of the third number: half of those who would answer do not.
        let bad = shown(2);
        let marked = BTreeMap::from([(bad.national(), MarkedNumber { answer: 0.5, blocked: 0.0 })]);
        day.far.set_people(Arc::new(Population { marked, ..(*plan.people).clone() }));
        let before = uses(&day, bad);
        let found = (3..=12).find(|hour| {
            run_hour(&mut day, *hour);
            judge.look(&day, &none);
            !judge.marked().is_empty()
        });
        let hour = found.unwrap_or_else(|| panic!("seed {seed}: not found in ten hours"));
        assert_eq!(judge.marked(), BTreeSet::from([bad]), "seed {seed}");
        calls_until_found.push(uses(&day, bad) - before);

        // It rests: no call shows it, and the others take its turns.
        day.give(registered(bad, Usage::Not));
        let (before, all) = (uses(&day, bad), day.store.attempts().count());
        run_hour(&mut day, hour + 1);
        assert_eq!(uses(&day, bad), before, "seed {seed}: it rests");
        let others = day.store.attempts().count() - all;
        assert!(others > 150, "seed {seed}, hour {hour}: {others} calls of the others");

        // The mark is gone; it comes back with a tenth of its calls and is judged healthy by them.
        day.far.set_people(plan.people.clone());
        judge.look(&day, &BTreeSet::from([bad]));
        judge.evidence.insert(bad, Evidence::default());
        day.give(registered(bad, Usage::Tenth));
        let (before, all) = (uses(&day, bad), day.store.attempts().count());
        let healthy = (hour + 2..100).find(|hour| {
            run_hour(&mut day, *hour);
            judge.look(&day, &BTreeSet::from([bad]));
            judge.evidence.get(&bad).is_some_and(|it| it.recovery() != Recovery::Undecided)
        });
        assert!(healthy.is_some(), "seed {seed}: the recovery is judged");
        assert_eq!(judge.evidence[&bad].recovery(), Recovery::Healthy, "seed {seed}");
        let (own, all) = (uses(&day, bad) - before, day.store.attempts().count() - all);
        assert!(own * 30 < all && own > 10, "seed {seed}: {own} of {all} calls showed it in its recovery");
    }
    calls_until_found.sort_unstable();
    // The median; single days need more or fewer.
    assert!(calls_until_found[3] <= 300, "{calls_until_found:?}");
}

#[test]
fn a_register_keeps_numbers_from_the_calls_of_its_own_enterprise_alone() {
    let mut plan = plan(7);
    plan.campaign.caller_ids.register = RegisterId(2);
    let (mut day, bad) = (plan.day(), shown(2));
    day.give(registered(bad, Usage::Not));
    run_hour(&mut day, 2);
    let before = uses(&day, bad);
    assert!(before > 60, "another enterprise's register says nothing of these calls: {before}");
    // A call that was placed already keeps its number.
    day.give(registered_in(RegisterId(2), bad, Usage::Not));
    let all = day.store.attempts().count();
    run_hour(&mut day, 4);
    assert_eq!(uses(&day, bad), before, "its own register does");
    assert!(day.store.attempts().count() > all + 300, "the other numbers take its turns");
}
