//! Days whose results can be computed by hand.

use super::*;
use crate::pacing::predictive::Part;

const ROOM: LiveLimits = LiveLimits { open: true, lines: 50, calls_per_sec: 0.0, closes: None };

fn shadow(mode: Mode, call_ratio: f64) -> Shadow {
    let rules = ShadowRules { mode, call_ratio, abandon_rate_max: 0.03 };
    Shadow::new(rules, &PacingRules::default(), Duration::from_secs(30), 1)
}

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// A live floor that teaches the line: every `nth` call is answered after `answer` seconds, the others end
/// after 30; each conversation lasts 60 s and each wrap-up 10 s. One call at a time.
fn train(shadow: &mut Shadow, agents: i64, answer: u64, nth: u64) -> Time {
    for n in 1..=agents {
        shadow.on_event(at(0), Event::AgentCame { agent: AgentId(n) });
    }
    let mut now = 0;
    for n in 0..nth * 60 {
        let (call, agent) = (CallId(n), AgentId(1));
        shadow.on_event(at(now), Event::Placed { call, part: Part(0) });
        shadow.on_event(at(now + 1_000), Event::Ringing { call });
        if n % nth == 0 {
            now += answer * 1_000;
            shadow.on_event(at(now), Event::AnsweredLive { call });
            shadow.on_event(at(now), Event::Connected { call, agent });
            now += 60_000;
            shadow.on_event(at(now), Event::TalkEnded { agent });
            now += 10_000;
            shadow.on_event(at(now), Event::WrapEnded { agent });
        } else {
            now += 30_000;
            shadow.on_event(at(now), Event::Unanswered { call, network: false });
        }
    }
    at(now)
}

fn run(shadow: &mut Shadow, from: Time, hours: u64) {
    let mut now = from;
    while now < from + Duration::from_secs(hours * 3_600) {
        shadow.catch_up(now, &ROOM);
        now += Duration::from_millis(700);
    }
    shadow.catch_up(now, &ROOM);
}

#[test]
fn no_comparison_before_enough_samples() {
    let mut shadow = shadow(Mode::Progressive, 1.0);
    shadow.on_event(at(0), Event::AgentCame { agent: AgentId(1) });
    shadow.catch_up(at(3_600_000), &ROOM);
    let compared = shadow.comparison();
    assert_eq!((compared.secs, compared.shadow.calls), (0.0, 0));
}

#[test]
fn one_call_for_each_idle_agent_waits_for_every_ring() {
    let mut shadow = shadow(Mode::Progressive, 1.0);
    let from = train(&mut shadow, 3, 10, 1);
    run(&mut shadow, from, 4);
    let side = shadow.comparison().shadow;
    // For each agent: ten seconds of ringing, sixty of talk, ten of wrap-up.
    assert!((side.utilisation - 70.0 / 80.0).abs() < 0.01, "{side:?}");
    assert_eq!(side.abandoned, 0);
    assert!((side.calls_per_hour - 3.0 * 3_600.0 / 80.0).abs() < 3.0, "{side:?}");
    assert!((side.idle_secs - 10.0).abs() < 0.5, "{side:?}");
}

#[test]
fn more_lines_keep_agents_busier_until_the_brake_holds() {
    let idle = |mode, ratio| {
        let mut shadow = shadow(mode, ratio);
        let from = train(&mut shadow, 20, 10, 4);
        run(&mut shadow, from, 4);
        shadow.comparison().shadow
    };
    let (one, two) = (idle(Mode::Progressive, 1.0), idle(Mode::Ratio, 2.0));
    let predictive = idle(Mode::Predictive, 0.0);
    assert!(two.utilisation > one.utilisation + 0.05, "{one:?} {two:?}");
    assert!(predictive.utilisation > two.utilisation, "{two:?} {predictive:?}");
    assert!(two.abandon_rate <= 0.03 && predictive.abandon_rate <= 0.03, "{two:?} {predictive:?}");
}

#[test]
fn breaks_and_sign_outs_of_the_real_agents_are_followed() {
    let mut shadow = shadow(Mode::Progressive, 1.0);
    let from = train(&mut shadow, 2, 10, 1);
    shadow.catch_up(from, &ROOM);
    shadow.on_event(from, Event::AgentPaused { agent: AgentId(1) });
    shadow.on_event(from, Event::AgentLeft { agent: AgentId(2) });
    run(&mut shadow, from + Duration::from_secs(200), 1);
    let before = shadow.comparison().shadow.calls;
    assert!(before <= 2, "nobody is there: {before}");
    let later = from + Duration::from_secs(5_000);
    shadow.on_event(later, Event::AgentBack { agent: AgentId(1) });
    run(&mut shadow, later, 1);
    let after = shadow.comparison().shadow.calls - before;
    assert!((44..=46).contains(&after), "one agent, a call every eighty seconds: {after}");
}

#[test]
fn where_the_live_campaign_may_not_dial_the_shadow_may_not() {
    let mut shadow = shadow(Mode::Progressive, 1.0);
    let from = train(&mut shadow, 3, 10, 1);
    for secs in 0..3_600 {
        shadow.catch_up(from + Duration::from_secs(secs), &LiveLimits { open: false, ..ROOM });
    }
    assert_eq!(shadow.comparison().shadow.calls, 0);
    run(&mut shadow, from + Duration::from_secs(3_600), 1);
    let fast = shadow.comparison().shadow.calls;
    assert!(fast > 100, "{fast}");
}

#[test]
fn a_cloned_shadow_continues_identically() {
    let mut one = shadow(Mode::Predictive, 1.0);
    let from = train(&mut one, 5, 10, 3);
    run(&mut one, from, 1);
    let mut two = one.clone();
    run(&mut one, from + Duration::from_secs(3_601), 1);
    run(&mut two, from + Duration::from_secs(3_601), 1);
    assert_eq!(one, two);
}
