//! The virtual floor counts correctly, the baselines match their documentation, and the pacer keeps its
//! ceiling on a few days of every size. The whole family runs in `benches/pacing.rs`.

use super::baselines::{Adaptive, Percentage, Ratio, SoonFree};
use super::{
    Day, DriverProfile, ForeignDriver, Pacing, PacingDecision, Scenario, Score, Spread, family, run,
};
use paceline_core::ids::{AgentId, CallId};
use paceline_core::pacing::predictive::{
    AgentNow, CallNow, Doing, Event, Pacer, Part, Rules, Snapshot, Stage,
};
use paceline_core::time::{Duration, Time};

fn view(idle: usize, talking: usize, ringing: usize) -> Snapshot {
    let agent =
        |n: usize, doing| AgentNow { agent: AgentId(n as i64), doing, since: Time::ZERO, leaving: false };
    let call = |n: usize| CallNow {
        call: CallId(n as u64),
        part: Part(0),
        stage: Stage::Ringing,
        since: Time::ZERO,
    };
    Snapshot {
        agents: (0..idle)
            .map(|n| agent(n, Doing::Idle))
            .chain((0..talking).map(|n| agent(1000 + n, Doing::Talking)))
            .collect(),
        calls: (0..ringing).map(call).collect(),
        lines_free: 10_000,
        starts_allowed: 10_000,
        ..Snapshot::default()
    }
}

fn place(rule: &mut impl Pacing, view: &Snapshot) -> u32 {
    rule.decide(Time::ZERO, view).place
}

#[test]
fn ratio_two_calls_twice_for_each_idle_agent() {
    // FEATURES.md Z5.
    for (idle, lines) in [(0, 0), (1, 2), (100, 200)] {
        assert_eq!(place(&mut Ratio(2.0), &view(idle, 0, 0)), lines);
    }
    assert_eq!(place(&mut Ratio(1.3), &view(7, 0, 0)), 9, "Wombat's boost factor: 7 x 1.3 -> 9");
}

#[test]
fn the_agent_percentage_counts_idle_less_ringing() {
    // FEATURES.md A34: 120 %, 40 idle, 10 ringing -> 36.
    assert_eq!(place(&mut Percentage(120.0), &view(40, 30, 10)), 36);
}

#[test]
fn the_adaptive_level_grows_by_the_share_of_waiting_agents() {
    let mut rule = Adaptive::new(3.0, 3.0);
    rule.adapt(4.0, 0.0, 20.0);
    assert!((rule.level - 1.2).abs() < 1e-12);
    rule.adapt(0.0, 5.0, 20.0);
    assert_eq!(rule.level, 1.0, "never below one");
    for _ in 0..50 {
        rule.adapt(20.0, 0.0, 20.0);
    }
    assert_eq!(rule.level, 3.0, "never above its maximum");
    assert_eq!(place(&mut rule, &view(10, 10, 5)), 3 * 20 - 10 - 5, "conversations count as lines");
}

#[test]
fn soon_free_means_three_and_a_half_mean_talks() {
    assert!(!SoonFree::soon_free(330.0, 8.0, 100.0));
    assert!(SoonFree::soon_free(345.0, 8.0, 100.0));
}

fn rules(scenario: &Scenario) -> Rules {
    Rules {
        ring_max: Duration::from_millis((scenario.ring_max * 1000.0) as u64),
        may_cancel: scenario.may_cancel,
        answer_wait: Duration::from_millis((scenario.answer_wait * 1000.0) as u64),
        ..Rules::default()
    }
}

fn run_pacer(scenario: &Scenario, seed: u64) -> Day {
    run(scenario, seed, &mut Pacer::new(rules(scenario)))
}

#[test]
fn the_same_seed_is_the_same_day() {
    let scenario = Scenario { hours: 0.5, ..Scenario::plain("half an hour", 12) };
    assert_eq!(run_pacer(&scenario, 4), run_pacer(&scenario, 4));
    assert_ne!(run_pacer(&scenario, 4), run_pacer(&scenario, 5));
}

/// Checks invariants of the floor and passes everything on.
struct CheckedPacer {
    inner: Pacer,
    on_their_way: i64,
    waiting: i64,
    talking: i64,
    seen: u64,
}

impl Pacing for CheckedPacer {
    fn on_event(&mut self, now: Time, event: Event) {
        match event {
            Event::Placed { .. } => self.on_their_way += 1,
            Event::AnsweredLive { .. } => {
                self.on_their_way -= 1;
                self.waiting += 1;
            }
            Event::AnsweredMachine { .. } | Event::Unanswered { .. } | Event::Cancelled { .. } => {
                self.on_their_way -= 1;
            }
            Event::Connected { .. } => {
                self.waiting -= 1;
                self.talking += 1;
            }
            Event::Abandoned { .. } => self.waiting -= 1,
            Event::TalkEnded { .. } => self.talking -= 1,
            _ => {}
        }
        self.inner.on_event(now, event);
    }

    fn decide(&mut self, now: Time, view: &Snapshot) -> PacingDecision {
        self.seen += 1;
        assert_eq!(view.calls.len() as i64, self.on_their_way, "{now}: calls");
        assert_eq!(view.waiting.len() as i64, self.waiting, "{now}: waiting");
        let talking = view.agents.iter().filter(|agent| agent.doing == Doing::Talking).count();
        assert_eq!(talking as i64, self.talking, "{now}: talking");
        let idle = view.agents.iter().any(|agent| agent.doing == Doing::Idle);
        assert!(!idle || view.waiting.is_empty(), "{now}: somebody waits beside an idle agent");
        Pacing::decide(&mut self.inner, now, view)
    }
}

#[test]
fn events_and_snapshots_agree() {
    let detector = family::fixed().into_iter().find(|s| s.detector.is_some()).expect("one with a detector");
    let scenario = Scenario {
        hours: 1.0,
        outages: vec![(1200.0, 1260.0)],
        lunch: Some((2000.0, 600.0, 300.0)),
        ..detector
    };
    let mut watched = CheckedPacer {
        inner: Pacer::new(rules(&scenario)),
        on_their_way: 0,
        waiting: 0,
        talking: 0,
        seen: 0,
    };
    let day = run(&scenario, 3, &mut watched);
    assert!(watched.seen > 1000 && day.live > 100, "{day:?}");
    assert_eq!(watched.inner.spent().live as u64, day.live, "the pacer counts as the floor does");
    assert_eq!(watched.inner.spent().abandoned as u64, day.abandoned);
}

#[test]
fn a_saved_and_restored_pacer_decides_the_same() {
    struct Restarted(Pacer, u64);
    impl Pacing for Restarted {
        fn on_event(&mut self, now: Time, event: Event) {
            self.0.on_event(now, event);
        }
        fn decide(&mut self, now: Time, view: &Snapshot) -> PacingDecision {
            self.1 += 1;
            if self.1.is_multiple_of(500) {
                let saved = serde_json::to_string(&self.0).expect("plain values");
                self.0 = serde_json::from_str(&saved).expect("its own words");
            }
            Pacing::decide(&mut self.0, now, view)
        }
    }
    let scenario = Scenario { hours: 0.7, ..Scenario::plain("restarts", 8) };
    let again = run(&scenario, 9, &mut Restarted(Pacer::new(rules(&scenario)), 0));
    assert_eq!(again, run_pacer(&scenario, 9));
}

#[test]
fn progressive_abandons_nobody_where_agents_stay() {
    let scenario = Scenario { hours: 2.0, breaks: None, ..Scenario::plain("progressive", 15) };
    let day = run(&scenario, 2, &mut Ratio(1.0));
    assert_eq!(day.abandoned, 0);
    assert!((0.4..0.85).contains(&day.utilisation()), "{}", day.utilisation());
}

#[test]
fn every_size_keeps_its_ceiling_and_beats_progressive() {
    let mut days = vec![
        Scenario::plain("three", 3),
        Scenario { may_cancel: false, ..Scenario::plain("five, no cancelling", 5) },
        Scenario { answer: vec![(0.0, 0.15), (5000.0, 0.5)], ..Scenario::plain("ten, a jump", 10) },
        Scenario { hours: 2.0, ..Scenario::plain("thirty", 30) },
        Scenario { hours: 1.0, ..Scenario::plain("hundred", 100) },
    ];
    days.push(family::drawn(4_001, 8));
    for (n, scenario) in days.iter().enumerate() {
        let seed = 900 + n as u64;
        let score = Score::of(scenario, seed, &run_pacer(scenario, seed));
        let progressive = Score::of(scenario, seed, &run(scenario, seed, &mut Ratio(1.0)));
        let name = &scenario.name;
        assert!(score.within, "{name}, seed {seed}: {score:?}");
        assert!(
            score.utilisation > progressive.utilisation + 0.03,
            "{name}, seed {seed}: {score:?} against {progressive:?}"
        );
    }
}

/// A thousand first calls leave together and ring for long; of the second floor's answers most are machines,
/// reported seconds later. The first wave's data must not start a second wave while no agent is free.
#[test]
fn a_thousand_agents_begin_a_new_list_without_a_wave() {
    for seed in [160_013, 140_013] {
        let scenario = Scenario { hours: 0.25, ..family::drawn(seed, 1000) };
        let day = run_pacer(&scenario, seed);
        let rate = day.abandon_rate();
        assert!(rate < 0.03, "seed {seed}: {} of {} abandoned, {rate:.3}", day.abandoned, day.live);
        assert!(day.utilisation() > 0.75, "seed {seed}: {:.3}", day.utilisation());
    }
}

#[test]
fn few_lines_and_starts_are_never_exceeded() {
    let scenario = Scenario {
        lines: 20,
        calls_per_sec: 0.5,
        hours: 1.0,
        talk: Spread::Exponential(60.0),
        ..Scenario::plain("small line", 15)
    };
    let day = run_pacer(&scenario, 6);
    assert!(day.calls as f64 <= 0.5 * 3600.0 + 1.0, "{day:?}");
    assert!(day.utilisation() > 0.2, "{day:?}");
}

#[test]
fn a_list_that_ends_ends_the_day() {
    let scenario = Scenario { leads: Some(300), ..Scenario::plain("short list", 10) };
    let day = run_pacer(&scenario, 8);
    assert_eq!(day.calls, 300);
    assert!(day.secs < 4.0 * 3600.0 && day.abandon_rate() <= 0.03, "{day:?}");
}

#[test]
fn a_driver_with_the_full_profile_changes_nothing() {
    let scenario = Scenario { hours: 0.5, ..Scenario::plain("told in full", 12) };
    let told =
        run(&scenario, 4, &mut ForeignDriver::new(Pacer::new(rules(&scenario)), DriverProfile::full()));
    assert_eq!(told, run_pacer(&scenario, 4));
}

#[test]
fn incomplete_drivers_keep_the_ceiling_and_most_of_the_gain() {
    let full = DriverProfile::full();
    let second = Some(Duration::from_secs(1));
    let profiles = [
        ("asked once a second", DriverProfile { interval: second, ..full.clone() }),
        ("no ringing", DriverProfile { ringing: false, stages: false, ..full.clone() }),
        ("ringing in the snapshot alone", DriverProfile { ringing: false, ..full.clone() }),
        ("calls shown once they ring", DriverProfile { set_up: false, ..full.clone() }),
        ("no ends of talks", DriverProfile { talk_ended: false, wrap_ended: false, ..full.clone() }),
        ("no agents' comings and goings", DriverProfile { breaks: false, sign_ins: false, ..full.clone() }),
        ("no end known", DriverProfile { closes: false, leads_left: false, ..full.clone() }),
        ("last first, ids again", DriverProfile { reversed: true, ids: Some(700), ..full.clone() }),
        (
            "a clock of 1970",
            DriverProfile { clock: Duration::from_millis(1_700_000_000_000), ..full.clone() },
        ),
        ("any mixture", DriverProfile::drawn(5)),
    ];
    let scenario = Scenario { hours: 1.0, ..Scenario::plain("a stranger's", 20) };
    let progressive = run(&scenario, 31, &mut Ratio(1.0)).utilisation();
    for (told, profile) in profiles {
        let day = run(&scenario, 31, &mut ForeignDriver::new(Pacer::new(rules(&scenario)), profile));
        assert!(day.abandon_rate() <= 0.03, "{told}: {day:?}");
        assert!(day.utilisation() > progressive + 0.06, "{told}: {day:?} against {progressive}");
    }
}

#[test]
fn late_machine_reports_still_reduce_the_live_count() {
    let scenario = Scenario { machine: 0.3, hours: 1.0, ..Scenario::plain("late reports", 20) };
    for late in [false, true] {
        let profile = DriverProfile { machine_late: late, ..DriverProfile::full() };
        let mut driver = ForeignDriver::new(Pacer::new(rules(&scenario)), profile);
        let day = run(&scenario, 12, &mut driver);
        assert!(day.abandon_rate() <= 0.03, "late {late}: {day:?}");
        let believed = driver.inner.spent().live;
        assert!((believed / day.live as f64 - 1.0).abs() < 0.04, "late {late}: {believed} of {}", day.live);
    }
}
