//! Worked examples of every rule, window edges, and restoring a ledger from stored sums.

use super::*;

const NOON: Utc = Utc::from_millis(1_795_262_400_000);
const HOUR: Duration = Duration::from_secs(3600);

/// A day that begins at midnight in Greenwich.
fn at(now: Utc) -> LedgerTime {
    let day = 24 * 3_600_000;
    LedgerTime { now, day_start: Utc::from_millis(now.as_millis().div_euclid(day) * day) }
}

fn ledger(people: u64, machines: u64, abandoned: u64) -> Ledger {
    let mut ledger = Ledger::default();
    let soon = NOON + Duration::from_millis(500);
    (0..people + machines).for_each(|_| ledger.connected(NOON, soon));
    (0..machines).for_each(|_| ledger.machine_heard(NOON, soon, true));
    (0..abandoned).for_each(|_| ledger.abandoned(NOON));
    ledger
}

/// FEATURES.md section 2: 29 drops, 9 human, 7 machine -> 64.44 %.
#[test]
fn the_uk_worked_example_comes_out() {
    let rate = ledger(9, 7, 29).rate(Rule::UkOfcom, at(NOON));
    assert_eq!((rate.rate * 10_000.0).round() / 100.0, 64.44);
}

#[test]
fn one_record_gives_every_rate() {
    let mut ledger = ledger(90, 10, 3);
    (0..400).for_each(|_| ledger.placed(NOON));
    // Two more abandoned callees who hung up early: no rate improves by it.
    (0..2).for_each(|_| ledger.abandoned(NOON));
    (0..2).for_each(|_| ledger.hung_up(NOON));
    ledger.connected(NOON, NOON + Duration::from_millis(2_001));
    let by = |rule| ledger.rate(rule, at(NOON));
    assert_eq!((by(Rule::UsTsr).abandoned, by(Rule::UsTsr).of), (6.0, 96.0), "late is abandoned");
    assert_eq!((by(Rule::WholeDay).abandoned, by(Rule::WholeDay).of), (5.0, 96.0));
    assert_eq!((by(Rule::AllCalls).abandoned, by(Rule::AllCalls).of), (5.0, 400.0));
    assert_eq!((by(Rule::ReachedQueue).abandoned, by(Rule::ReachedQueue).of), (5.0, 106.0));
    assert_eq!(ledger.window(Rule::WholeDay, at(NOON)).hung_up, 2);
}

#[test]
fn two_seconds_to_the_agent_are_in_time_and_a_moment_more_is_late() {
    for (waited, late) in [(0, 0), (2_000, 0), (2_001, 1), (60_000, 1)] {
        let mut ledger = Ledger::default();
        ledger.connected(NOON, NOON + Duration::from_millis(waited));
        assert_eq!(ledger.window(Rule::UsTsr, at(NOON)).connected_late, late, "{waited} ms");
    }
}

#[test]
fn machines_that_the_detector_closed_are_in_no_rate() {
    let mut with = ledger(50, 0, 1);
    let without = with.clone();
    (0..30).for_each(|_| with.machine_detected(NOON));
    for rule in Rule::ALL {
        assert_eq!(with.rate(rule, at(NOON)), without.rate(rule, at(NOON)), "{rule:?}");
    }
}

#[test]
fn a_machine_disposition_moves_the_call_and_a_correction_moves_it_back() {
    let late = NOON + Duration::from_secs(5);
    let mut ledger = ledger(0, 0, 0);
    ledger.connected(NOON, late);
    let before = ledger.window(Rule::UsTsr, at(NOON));
    ledger.machine_heard(NOON, late, true);
    let counts = ledger.window(Rule::UsTsr, at(NOON));
    assert_eq!((counts.connected_people, counts.connected_machines, counts.connected_late), (0, 1, 0));
    ledger.machine_heard(NOON, late, false);
    assert_eq!(ledger.window(Rule::UsTsr, at(NOON)), before);
}

#[test]
fn windows_end_where_their_rule_says() {
    let mut ledger = ledger(97, 0, 3);
    let later = |hours: u32| NOON + HOUR * hours;
    let of = |ledger: &Ledger, rule, now| ledger.rate(rule, at(now)).of;
    assert_eq!(of(&ledger, Rule::WholeDay, later(11)), 100.0);
    assert_eq!(of(&ledger, Rule::WholeDay, later(12)), 0.0, "midnight");
    let nearly_a_day = later(24) - Duration::from_millis(1);
    assert_eq!(of(&ledger, Rule::Rolling24h, nearly_a_day), 100.0);
    assert_eq!(of(&ledger, Rule::Rolling24h, later(24)), 0.0);
    assert_eq!(of(&ledger, Rule::UsTsr, later(30 * 24) - Duration::from_millis(1)), 100.0);
    assert_eq!(of(&ledger, Rule::UsTsr, later(30 * 24)), 0.0);
    ledger.placed(later(40 * 24));
    assert_eq!(ledger.sums().count(), 1, "what no window can see is forgotten");
}

#[test]
fn the_whole_day_rule_uses_the_given_local_day() {
    // A quarter to midnight in Kathmandu (5:45 east) is six in the evening in Greenwich; and a day of 25
    // hours, when daylight saving ends, keeps its first hour.
    let mut ledger = Ledger::default();
    let midnight = NOON + Duration::from_secs((6 * 60 + 15) * 60);
    ledger.connected(midnight - Duration::from_millis(1), midnight);
    ledger.connected(midnight, midnight);
    let day = |now: Utc, day_start: Utc| ledger.rate(Rule::WholeDay, LedgerTime { now, day_start }).of;
    assert_eq!(day(midnight, midnight), 1.0, "yesterday's last call is yesterday's");
    assert_eq!(day(midnight + HOUR * 25 - Duration::from_millis(1), midnight), 1.0);
    assert_eq!(day(midnight, midnight - HOUR * 24), 2.0);
}

#[test]
fn the_bound_is_wide_while_little_is_known() {
    assert_eq!(upper(0.0, 0.0), 1.0);
    assert!((upper(0.0, 10.0) - 0.2129).abs() < 1e-3, "{}", upper(0.0, 10.0));
    assert!((upper(3.0, 100.0) - 0.0721).abs() < 1e-3, "{}", upper(3.0, 100.0));
    assert!(upper(300.0, 10_000.0) < 0.033);
}

#[test]
fn the_strictest_rule_is_the_one_with_the_least_room() {
    let ledger = ledger(94, 60, 4);
    let strictest = |rules: &[Rule]| {
        let chosen = rules.iter().copied().collect();
        ledger.strictest(chosen, 0.03, at(NOON)).rule
    };
    assert_eq!(strictest(&[Rule::UkOfcom, Rule::WholeDay, Rule::ReachedQueue]), Rule::WholeDay);
    assert_eq!(strictest(&[Rule::UkOfcom, Rule::ReachedQueue]), Rule::UkOfcom);
    assert_eq!(strictest(&[]), Rule::WholeDay, "some rule always brakes");
}

#[test]
fn exactly_the_allowed_abandons_stay_below_the_ceiling() {
    for (people, machines, placed) in [(0, 0, 10), (32, 0, 90), (33, 5, 90), (970, 300, 5_000), (65, 9, 66)] {
        let mut fresh = ledger(people, machines, 0);
        (0..placed).for_each(|_| fresh.placed(NOON));
        for rule in Rule::ALL {
            let left = rule.left(&fresh.window(rule, at(NOON)), 0.03);
            let mut spent = fresh.clone();
            (0..left).for_each(|_| spent.abandoned(NOON));
            assert!(spent.rate(rule, at(NOON)).rate <= 0.03 + 1e-9, "{rule:?}: {left} of {people}");
            spent.abandoned(NOON);
            assert!(spent.rate(rule, at(NOON)).rate > 0.03, "{rule:?}: {left} of {people}");
            assert_eq!(rule.left(&spent.window(rule, at(NOON)), 0.03), 0);
        }
    }
}

#[test]
fn stored_sums_bring_the_ledger_back() {
    let mut ledger = ledger(20, 5, 2);
    ledger.placed(NOON - HOUR * 30);
    let sums: Vec<(Utc, Counts)> = ledger.sums().map(|(at, counts)| (at, *counts)).collect();
    let again = Ledger::restored(&sums);
    assert!(again.sums().eq(ledger.sums()));
    for rule in Rule::ALL {
        assert_eq!(again.rate(rule, at(NOON)), ledger.rate(rule, at(NOON)));
    }
}

#[test]
fn a_stored_attempt_counts_like_its_live_events() {
    let wait = Duration::from_secs(2);
    let ended = |outcome, ended_by, after: u64| FinishedAttempt {
        placed_at: NOON - HOUR,
        rang: true,
        answered_at: Some(NOON),
        connected_at: None,
        ended_at: NOON + Duration::from_millis(after),
        ended_by,
        outcome,
        machine: false,
    };
    let mut ledger = Ledger::default();
    ledger.enter(&ended(Outcome::Abandoned, EndedBy::Callee, 1_999), wait);
    ledger.enter(&ended(Outcome::Abandoned, EndedBy::Callee, 2_000), wait);
    ledger.enter(&ended(Outcome::Abandoned, EndedBy::Dialer, 100), wait);
    ledger.enter(&ended(Outcome::Machine, EndedBy::Dialer, 3_000), wait);
    ledger.enter(&ended(Outcome::Interrupted, EndedBy::Dialer, 3_000), wait);
    let spoke = FinishedAttempt {
        connected_at: Some(NOON + wait),
        machine: true,
        ..ended(Outcome::Answered, EndedBy::Agent, 9_000)
    };
    ledger.enter(&spoke, wait);
    ledger.enter(&FinishedAttempt { machine: false, ..spoke }, wait);
    let unheard =
        FinishedAttempt { rang: false, answered_at: None, ..ended(Outcome::LineFault, EndedBy::Carrier, 1) };
    ledger.enter(&unheard, wait);
    let sums: Vec<(Utc, Counts)> = ledger.sums().map(|(at, counts)| (at, *counts)).collect();
    let placed = Counts { placed: 8, settled: 7, ..Counts::default() };
    let answered = Counts {
        connected_people: 1,
        connected_machines: 1,
        abandoned: 3,
        hung_up: 1,
        machines_detected: 1,
        ..Counts::default()
    };
    assert_eq!(sums, [(NOON - HOUR, placed), (NOON, answered)]);
}

#[test]
fn a_set_of_rules_holds_each_once_in_their_order() {
    let set: RuleSet = [Rule::UkOfcom, Rule::WholeDay, Rule::UkOfcom].into_iter().collect();
    assert_eq!(set.iter().map(Rule::word).collect::<Vec<_>>(), ["uk_ofcom", "whole_day"]);
    assert_eq!(RuleSet::default().iter().collect::<Vec<_>>(), [Rule::WholeDay]);
}

#[test]
fn every_rule_has_its_own_word_and_place() {
    for (n, rule) in Rule::ALL.into_iter().enumerate() {
        assert_eq!(rule as usize, n);
        let others = Rule::ALL.iter().filter(|other| other.word() == rule.word());
        assert_eq!(others.count(), 1);
    }
}

#[test]
fn a_report_says_of_each_rule_what_it_leaves_as_its_counts_do() {
    for (people, machines, abandoned) in [(400, 0, 3), (400, 100, 3), (90, 10, 3), (0, 0, 0), (30, 5, 9)] {
        let ledger = ledger(people, machines, abandoned);
        let report = ledger.abandon_report(RuleSet::default(), 0.03, at(NOON));
        for rule in Rule::ALL {
            assert_eq!(
                report.left_of(rule),
                rule.left(&ledger.window(rule, at(NOON)), 0.03),
                "{rule:?} {people}"
            );
        }
        assert_eq!(report.left_of(report.strictest), report.left);
    }
}
