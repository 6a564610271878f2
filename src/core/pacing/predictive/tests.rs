//! Properties of every plan, whatever was learnt, and plans that are known exactly.

use super::test_support::{RandomStream, ms};
use super::*;
use crate::ids::AgentId;

fn agent(n: i64, doing: Doing, since: u64) -> AgentNow {
    AgentNow { agent: AgentId(n), doing, since: ms(since), leaving: false }
}

fn idle(count: i64, since: u64) -> Vec<AgentNow> {
    (0..count).map(|n| agent(n, Doing::Idle, since)).collect()
}

/// A pacer that has seen `calls` calls: three in ten answered after 8 to 13 s, talks of 100 to 160 s.
fn trained(rules: Rules, calls: u64) -> (Pacer, u64) {
    let mut events = Vec::new();
    for n in 0..calls {
        let call = CallId(n);
        let start = n * 2_000;
        events.push((start, Event::Placed { call, part: Part(0) }));
        events.push((start + 1_500, Event::Ringing { call }));
        if n % 10 < 3 {
            let by = AgentId((n % 100) as i64);
            let answered = start + 9_500 + (n % 6) * 1_000;
            events.push((answered, Event::AnsweredLive { call }));
            events.push((answered, Event::Connected { call, agent: by }));
            events.push((answered + 100_000 + (n % 7) * 10_000, Event::TalkEnded { agent: by }));
            events.push((answered + 185_000, Event::WrapEnded { agent: by }));
        } else {
            events.push((start + 31_500, Event::Unanswered { call, network: false }));
        }
    }
    events.sort_by_key(|(at, _)| *at);
    let mut pacer = Pacer::new(rules);
    let mut learnt = 0;
    for (at, event) in events {
        pacer.on_event(ms(at), event);
        if at >= learnt + 5_000 {
            learnt = at;
            pacer.call_model.observe_share(ms(at), 1.0);
            pacer.agent_model.observe_share(ms(at), 1.0);
            pacer.call_model.refresh_live_rates();
        }
    }
    let now = calls * 2_000 + 300_000;
    pacer.decide(ms(now), &Snapshot::default());
    (pacer, now)
}

fn ringing(now: u64, calls: &mut Vec<CallNow>, pacer: &mut Pacer, first: u64, ages: &[u64]) {
    for (n, age) in ages.iter().enumerate() {
        let call = CallId(first + n as u64);
        pacer.on_event(ms(now - age - 1_000), Event::Placed { call, part: Part(0) });
        pacer.on_event(ms(now - age), Event::Ringing { call });
        calls.push(CallNow { call, part: Part(0), stage: Stage::Ringing, since: ms(now - age) });
    }
}

#[test]
fn no_plan_passes_its_caps() {
    for seed in 1..=40u64 {
        let mut chance = RandomStream(seed * 0x9e37_79b9);
        let rules = Rules { calls_per_agent_max: 1.0 + chance.below(4) as f64, ..Rules::default() };
        let (mut pacer, now) = trained(rules.clone(), 20 + chance.below(300));
        let mut view = Snapshot {
            agents: idle(chance.below(40) as i64, now - 5_000),
            lines_free: chance.below(60) as u32,
            starts_allowed: chance.below(30) as u32,
            leads_left: Some(chance.below(50)),
            ..Snapshot::default()
        };
        for n in 0..chance.below(60) {
            let since = now - chance.below(300_000).min(now);
            let doing = match chance.below(3) {
                0 => Doing::Talking,
                1 => Doing::WrapUp { until: None },
                _ => Doing::Paused,
            };
            view.agents.push(agent(1_000 + n as i64, doing, since));
        }
        let ages: Vec<u64> = (0..chance.below(40)).map(|_| chance.below(30_000)).collect();
        ringing(now, &mut view.calls, &mut pacer, 1_000_000, &ages);
        let plan = pacer.decide(ms(now), &view);
        let present = view.agents.iter().filter(|agent| agent.doing != Doing::Paused).count() as f64;
        let cap = (rules.calls_per_agent_max * present) as u32;
        assert!(plan.place <= view.lines_free, "seed {seed}: {plan:?}");
        assert!(plan.place <= view.starts_allowed, "seed {seed}: {plan:?}");
        assert!(u64::from(plan.place) <= view.leads_left.unwrap_or(0), "seed {seed}: {plan:?}");
        assert!(
            plan.place == 0 || plan.place + view.calls.len() as u32 <= cap,
            "seed {seed}: {plan:?} for {present} agents"
        );
        for call in &plan.cancel {
            let call = view.calls.iter().find(|known| known.call == *call).expect("a call of the snapshot");
            assert!(ms(now).since(call.since) >= rules.ring_legal_min, "seed {seed}: {call:?} is too young");
        }
    }
}

#[test]
fn more_idle_agents_never_mean_fewer_calls() {
    for seed in 1..=12u64 {
        let mut chance = RandomStream(seed * 0x51ed_270b);
        let (pacer, now) = trained(Rules::default(), 200);
        let busy: Vec<AgentNow> = (0..chance.below(50))
            .map(|n| agent(1_000 + n as i64, Doing::Talking, now - chance.below(200_000)))
            .collect();
        let ages: Vec<u64> = (0..chance.below(30)).map(|_| chance.below(20_000)).collect();
        let mut before = 0;
        for count in 0..25 {
            let mut pacer = pacer.clone();
            let mut view = Snapshot {
                agents: idle(count, now - 1_000),
                lines_free: 500,
                starts_allowed: 500,
                ..Snapshot::default()
            };
            view.agents.extend(busy.iter().copied());
            ringing(now, &mut view.calls, &mut pacer, 1_000_000, &ages);
            let place = pacer.decide(ms(now), &view).place;
            assert!(
                place >= before,
                "seed {seed}: {place} calls with {count} idle agents, {before} with one less"
            );
            before = place;
        }
        assert!(before > 10, "seed {seed}: {before} calls for 24 idle agents");
    }
}

#[test]
fn without_agents_nothing_is_dialled() {
    let (mut pacer, now) = trained(Rules::default(), 200);
    let mut view = Snapshot { lines_free: 100, starts_allowed: 100, ..Snapshot::default() };
    let plan = pacer.decide(ms(now), &view);
    assert_eq!((plan.place, plan.why.limit), (0, Limit::NoAgents));
    view.agents = (0..5).map(|n| agent(n, Doing::Paused, now - 60_000)).collect();
    let plan = pacer.decide(ms(now), &view);
    assert_eq!((plan.place, plan.why.limit), (0, Limit::NoAgents));
}

#[test]
fn agents_who_leave_after_this_call_are_not_counted_on() {
    let (mut pacer, now) = trained(Rules::default(), 200);
    let mut view = Snapshot { lines_free: 100, starts_allowed: 100, ..Snapshot::default() };
    view.agents =
        (0..20).map(|n| agent(n, Doing::WrapUp { until: Some(ms(now + 2_000)) }, now - 10_000)).collect();
    assert!(pacer.clone().decide(ms(now), &view).place > 5, "they will be free in two seconds");
    view.agents.iter_mut().for_each(|agent| agent.leaving = true);
    assert_eq!(pacer.decide(ms(now), &view).place, 0);
}

#[test]
fn a_spent_budget_leaves_one_call_for_each_idle_agent() {
    let (mut pacer, now) = trained(Rules::default(), 200);
    pacer.set_spent(BudgetCounts { live: 100.0, abandoned: 50.0 });
    let mut view = Snapshot {
        agents: idle(7, now),
        lines_free: 100,
        starts_allowed: 100,
        closes: Some(ms(now + 600_000)),
        ..Snapshot::default()
    };
    let plan = pacer.decide(ms(now), &view);
    assert_eq!((plan.place, plan.why.limit), (7, Limit::Budget));
    assert_eq!(plan.why.risk_max, 0.0);
    ringing(now, &mut view.calls, &mut pacer, 1_000_000, &[1_000, 2_000, 3_000]);
    assert_eq!(pacer.decide(ms(now), &view).place, 4, "three are on their way already");
    view.waiting = vec![WaitingNow { call: CallId(9_000_000), since: ms(now) }];
    assert_eq!(pacer.decide(ms(now), &view).place, 3, "and one waits");
}

#[test]
fn contradicting_events_and_snapshots_give_feed_doubted() {
    let (mut pacer, now) = trained(Rules::default(), 200);
    let mut view =
        Snapshot { agents: idle(6, now), lines_free: 100, starts_allowed: 100, ..Snapshot::default() };
    // Calls without an event.
    view.calls = (0..4)
        .map(|n| CallNow {
            call: CallId(5_000_000 + n),
            part: Part(0),
            stage: Stage::Ringing,
            since: ms(now),
        })
        .collect();
    pacer.decide(ms(now), &view);
    let plan = pacer.decide(ms(now + 6_000), &view);
    assert_eq!((plan.place, plan.why.limit), (2, Limit::FeedDoubted));
    assert!(plan.cancel.is_empty());
    view.calls.clear();
    assert_ne!(pacer.decide(ms(now + 7_000), &view).why.limit, Limit::FeedDoubted, "trusted again");
}

#[test]
fn a_line_that_fails_every_call_is_not_flooded() {
    let (mut pacer, now) = trained(Rules::default(), 200);
    let view =
        Snapshot { agents: idle(20, now), lines_free: 500, starts_allowed: 500, ..Snapshot::default() };
    assert!(pacer.clone().decide(ms(now), &view).place > 20);
    for n in 0..40 {
        let call = CallId(2_000_000 + n);
        pacer.on_event(ms(now), Event::Placed { call, part: Part(0) });
        pacer.on_event(ms(now + 300), Event::Unanswered { call, network: true });
    }
    let plan = pacer.decide(ms(now + 300), &view);
    assert!(plan.place <= 20, "{plan:?}");
}

#[test]
fn old_calls_are_given_up_when_the_floor_is_full_and_only_where_allowed() {
    for may_cancel in [true, false] {
        let (mut pacer, now) = trained(Rules { may_cancel, ..Rules::default() }, 200);
        let mut view = Snapshot {
            agents: (0..5).map(|n| agent(n, Doing::Talking, now - 10_000)).collect(),
            lines_free: 50,
            starts_allowed: 50,
            ..Snapshot::default()
        };
        ringing(now, &mut view.calls, &mut pacer, 1_000_000, &[16_000, 15_000, 14_900, 3_000]);
        let plan = pacer.decide(ms(now), &view);
        assert_eq!(plan.place, 0);
        let expected = if may_cancel { vec![CallId(1_000_000), CallId(1_000_001)] } else { vec![] };
        assert_eq!(plan.cancel, expected);
    }
}

#[test]
fn the_same_events_make_the_same_plans() {
    let run = || {
        let (mut pacer, now) = trained(Rules::default(), 150);
        let view =
            Snapshot { agents: idle(9, now), lines_free: 90, starts_allowed: 90, ..Snapshot::default() };
        let plan = pacer.decide(ms(now), &view);
        (pacer, plan)
    };
    assert_eq!(run(), run());
}

#[test]
fn a_new_list_starts_with_care() {
    let mut pacer = Pacer::new(Rules::default());
    let view = Snapshot { agents: idle(4, 0), lines_free: 200, starts_allowed: 200, ..Snapshot::default() };
    for n in 0..4 {
        pacer.on_event(ms(0), Event::AgentCame { agent: AgentId(n) });
    }
    let place = pacer.decide(ms(0), &view).place;
    assert!((4..=16).contains(&place), "{place} calls for four agents and a list that nobody knows");
}

#[test]
fn learnt_rates_are_near_the_true_ones() {
    let (pacer, _) = trained(Rules::default(), 600);
    let tables = pacer.tables.as_ref().expect("a decision was made");
    assert!((tables.answer - 0.3).abs() < 0.03, "three in ten answer: {}", tables.answer);
    // Set-up of 1.5 s, then 8 to 13 s of ringing.
    let median = tables.points[tables::POINTS / 2];
    assert!((10.0..14.5).contains(&median), "{median}");
    assert!((pacer.agent_model.busy_secs() - 185.0).abs() < 15.0, "{}", pacer.agent_model.busy_secs());
}

/// The same calls as [`trained`], reported by an incomplete feed: events that `keep` refuses are dropped.
fn trained_with(keep: fn(&Event) -> bool, clock: u64) -> (Pacer, u64) {
    let mut events = Vec::new();
    for n in 0..300u64 {
        let (call, start) = (CallId(n), clock + n * 2_000);
        events.push((start, Event::Placed { call, part: Part(0) }));
        events.push((start + 1_500, Event::Ringing { call }));
        if n % 10 < 3 {
            let answered = start + 9_500 + (n % 6) * 1_000;
            let agent = AgentId((n % 100) as i64);
            events.push((answered, Event::AnsweredLive { call }));
            events.push((answered, Event::Connected { call, agent }));
            events.push((answered + 130_000, Event::TalkEnded { agent }));
        } else {
            events.push((start + 31_500, Event::Unanswered { call, network: false }));
        }
    }
    events.sort_by_key(|(at, _)| *at);
    let mut pacer = Pacer::new(Rules { ring_max: Duration::from_secs(30), ..Rules::default() });
    let mut out = std::collections::BTreeMap::new();
    let mut talking = std::collections::BTreeMap::new();
    let mut asked = clock;
    for (at, event) in events {
        match event {
            Event::Placed { call, .. } => drop(out.insert(call, at)),
            Event::AnsweredLive { call } | Event::Unanswered { call, .. } => drop(out.remove(&call)),
            Event::Connected { agent, .. } => drop(talking.insert(agent, (Doing::Talking, at))),
            Event::TalkEnded { agent } => drop(talking.insert(agent, (Doing::Idle, at))),
            _ => {}
        }
        if keep(&event) {
            pacer.on_event(ms(at), event);
        }
        if at >= asked + 1_000 {
            asked = at;
            let calls = out.iter().map(|(call, since)| CallNow {
                call: *call,
                part: Part(0),
                stage: Stage::Placed,
                since: ms(*since),
            });
            let agents = talking.iter().map(|(agent, (doing, since))| AgentNow {
                agent: *agent,
                doing: *doing,
                since: ms(*since),
                leaving: false,
            });
            let view = Snapshot { calls: calls.collect(), agents: agents.collect(), ..Snapshot::default() };
            let plan = pacer.decide(ms(at), &view);
            assert_ne!(plan.why.limit, Limit::FeedDoubted, "at {at}");
        }
    }
    (pacer, asked)
}

#[test]
fn a_feed_without_ringing_is_learnt_from_the_moment_of_dialling() {
    let (mut pacer, now) = trained_with(|event| !matches!(event, Event::Ringing { .. }), 0);
    let call = CallNow { call: CallId(299), part: Part(0), stage: Stage::Placed, since: ms(now) };
    pacer.decide(ms(now + 60_000), &Snapshot { calls: vec![call], ..Snapshot::default() });
    let tables = pacer.tables.as_ref().expect("a decision was made");
    assert!((tables.answer - 0.3).abs() < 0.05, "three in ten answer: {}", tables.answer);
    let median = tables.points[tables::POINTS / 2];
    assert!((9.0..15.5).contains(&median), "9.5 to 14.5 s after dialling: {median}");
    let last = tables.placed[20][tables::POINTS - 1];
    assert!(last < 0.08, "nobody answers after 20 s: {last}");
}

#[test]
fn the_snapshot_ends_talks_without_an_end_event() {
    let (pacer, _) = trained_with(|event| !matches!(event, Event::TalkEnded { .. }), 0);
    assert!((pacer.agent_model.talk.mean() - 130.0).abs() < 8.0, "{}", pacer.agent_model.talk.mean());
    assert!(pacer.agent_model.wrap.mean() < 2.0, "no wrap-up: {}", pacer.agent_model.wrap.mean());
}

#[test]
fn the_clocks_origin_changes_nothing() {
    let keep_all = |_: &Event| true;
    let ((early, at), (late, then)) = (trained_with(keep_all, 0), trained_with(keep_all, 1_700_000_000_000));
    assert_eq!(at + 1_700_000_000_000, then);
    let tables = |pacer: &Pacer| pacer.tables.as_ref().map(|o| (o.points, o.answer, o.talking.clone()));
    assert_eq!(tables(&early), tables(&late));
    assert_eq!(early.table_lifetime(ms(at)), late.table_lifetime(ms(then)));
}

#[test]
fn connected_implies_answered_and_found_machine_takes_it_back() {
    let mut pacer = Pacer::new(Rules::default());
    let (call, agent) = (CallId(1), AgentId(1));
    pacer.on_event(ms(0), Event::Placed { call, part: Part(0) });
    pacer.on_event(ms(1_000), Event::Ringing { call });
    pacer.on_event(ms(9_000), Event::Connected { call, agent });
    pacer.on_event(ms(9_000), Event::AnsweredLive { call });
    assert_eq!(pacer.spent().live, 1.0, "counted once");
    pacer.on_event(ms(20_000), Event::TalkEnded { agent });
    pacer.on_event(ms(45_000), Event::FoundMachine { call });
    pacer.on_event(ms(45_000), Event::FoundMachine { call });
    assert_eq!(pacer.spent().live, 0.0, "a machine is nobody, and one is one");
}

#[test]
fn missing_end_events_give_feed_doubted() {
    let mut pacer = Pacer::new(Rules::default());
    for second in 0..120u64 {
        let now = ms(second * 1_000);
        pacer.on_event(now, Event::Placed { call: CallId(second), part: Part(0) });
        let calls = (second.saturating_sub(20)..=second).map(|n| CallNow {
            call: CallId(n),
            part: Part(0),
            stage: Stage::Placed,
            since: ms(n * 1_000),
        });
        let view = Snapshot {
            agents: idle(30, 0),
            calls: calls.collect(),
            lines_free: 100,
            starts_allowed: 100,
            ..Snapshot::default()
        };
        let plan = pacer.decide(now, &view);
        if second > 60 {
            assert_eq!((plan.place, plan.why.limit), (9, Limit::FeedDoubted), "second {second}");
        }
    }
}

#[test]
fn calls_in_set_up_count_though_the_snapshot_hides_them() {
    let (mut pacer, now) = trained(Rules::default(), 200);
    let view = Snapshot { agents: idle(6, now), lines_free: 100, starts_allowed: 100, ..Snapshot::default() };
    let first = pacer.decide(ms(now), &view).place;
    for n in 0..u64::from(first) {
        pacer.on_event(ms(now), Event::Placed { call: CallId(9_000_000 + n), part: Part(0) });
    }
    for later in [200, 3_000, 7_000] {
        let plan = pacer.decide(ms(now + later), &view);
        assert!(plan.place <= first / 4 && plan.why.limit != Limit::FeedDoubted, "{later}: {plan:?}");
    }
}

#[test]
fn silence_before_the_first_ring_is_not_taken_for_a_dead_list() {
    // Thirty idle agents, a decision every two seconds; the caller reports no ringing, and no callee answers
    // yet.
    let mut pacer = Pacer::new(Rules { ring_max: Duration::from_secs(60), ..Rules::default() });
    let mut calls = Vec::new();
    for second in (0..16u64).step_by(2) {
        let now = ms(second * 1_000);
        let agents = idle(30, 0);
        let view = Snapshot {
            agents,
            calls: calls.clone(),
            lines_free: 900,
            starts_allowed: 900,
            ..Snapshot::default()
        };
        for _ in 0..pacer.decide(now, &view).place {
            let call = CallId(calls.len() as u64);
            pacer.on_event(now, Event::Placed { call, part: Part(0) });
            calls.push(CallNow { call, part: Part(0), stage: Stage::Placed, since: now });
        }
    }
    assert!((30..=90).contains(&calls.len()), "{} calls for thirty agents", calls.len());
}

/// Sixty calls at once every minute: a quarter answered by people, a quarter by machines, with verdicts
/// seconds later.
#[test]
fn a_slow_detector_does_not_make_the_list_look_better_or_worse() {
    let mut calls = CallModel::new(Duration::from_secs(30));
    let mut events = Vec::new();
    for n in 0..1200u64 {
        let (call, start) = (CallId(n), (n / 60) * 60_000);
        events.push((start, Event::Placed { call, part: Part(0) }));
        events.push((start + 1_000, Event::Ringing { call }));
        let picked_up = start + 6_000 + (n % 12) * 1_000;
        let said = picked_up + 3_000 + (n % 5) * 1_000;
        match n % 4 {
            0 => events.extend([(picked_up, Event::PickedUp { call }), (said, Event::AnsweredLive { call })]),
            1 => events
                .extend([(picked_up, Event::PickedUp { call }), (said, Event::AnsweredMachine { call })]),
            _ => events.push((start + 31_000, Event::Unanswered { call, network: false })),
        }
    }
    events.sort_by_key(|(at, _)| *at);
    let mut events = events.into_iter().peekable();
    let (mut least, mut most) = (f64::MAX, 0.0f64);
    for second in 0..1_200u64 {
        let now = ms(second * 1_000);
        while let Some((at, event)) = events.next_if(|(at, _)| *at <= second * 1_000) {
            match event {
                Event::Placed { call, part } => calls.placed(ms(at), call, part),
                Event::Ringing { call } => calls.ringing_reported(ms(at), call),
                Event::PickedUp { call } => calls.picked_up(ms(at), call),
                Event::AnsweredLive { call } => _ = calls.answered_live(ms(at), call),
                Event::AnsweredMachine { call } => calls.answered_machine(ms(at), call),
                Event::Unanswered { call, network } => calls.ended(ms(at), call, network, false),
                _ => unreachable!("not told"),
            }
        }
        calls.observe_share(now, 1.0);
        if second % 10 == 0 {
            calls.refresh_live_rates();
        }
        if second >= 900 {
            least = least.min(calls.level(Part(0)).0);
            most = most.max(calls.level(Part(0)).0);
        }
    }
    assert!(most < 1.35 * least, "the level of one and the same list went from {least} to {most}");
}

#[test]
fn the_last_allowed_abandon_is_risked_by_one_call_at_most() {
    let rules = || Rules { ring_max: Duration::from_secs(30), ..Rules::default() };
    let (mut pacer, now) = trained(rules(), 400);
    let spent = |abandoned| BudgetCounts { live: 500.0, abandoned };
    let asked = |pacer: &mut Pacer, spent| {
        pacer.set_spent(spent);
        let closes = Some(ms(now + 60_000));
        let view = Snapshot {
            agents: idle(6, now),
            lines_free: 100,
            starts_allowed: 100,
            closes,
            ..Snapshot::default()
        };
        pacer.decide(ms(now), &view).place
    };
    let (plenty, one) = (asked(&mut pacer, spent(9.0)), asked(&mut pacer, spent(13.6)));
    assert!(plenty > 7, "{plenty}");
    assert!((6..=7).contains(&one), "one more than there are agents at most: {one}");
}
