//! Robustness: no event feed, rule or non-finite number may cause a panic, a flood of calls, a standstill, or
//! a non-finite number in a plan.

use super::test_support::{RandomStream, ms};
use super::*;
use crate::ids::AgentId;
use crate::pacing::estimate::Hazard;

fn idle(count: u64, since: Time) -> Vec<AgentNow> {
    let agent = |n| AgentNow { agent: AgentId(n as i64), doing: Doing::Idle, since, leaving: false };
    (0..count).map(agent).collect()
}

fn open(agents: Vec<AgentNow>) -> Snapshot {
    Snapshot { agents, lines_free: 10_000, starts_allowed: u32::MAX, ..Snapshot::default() }
}

/// Properties of every plan, whatever came before it.
fn assert_sane(plan: &Plan, rules: &Rules, view: &Snapshot, case: &str) {
    let why = plan.why;
    for number in [why.expected_free, why.expected_answers, why.risk, why.risk_max, why.budget_left] {
        assert!(number.is_finite() && number >= 0.0, "{case}: {why:?}");
    }
    assert!(plan.place <= view.lines_free.min(view.starts_allowed), "{case}: {plan:?}");
    let present = view.agents.iter().filter(|agent| agent.doing != Doing::Paused).count() as f64;
    let most = if rules.calls_per_agent_max.is_nan() { 1.0 } else { rules.calls_per_agent_max } * present;
    assert!(plan.place == 0 || f64::from(plan.place) + view.calls.len() as f64 <= most, "{case}: {plan:?}");
    assert!(plan.cancel.is_empty() || rules.may_cancel, "{case}: {plan:?}");
}

#[test]
fn absurd_rules_neither_flood_nor_silence() {
    let plain = Rules::default();
    let far = Duration::from_millis(u64::MAX);
    let nan = BudgetCounts { live: f64::NAN, abandoned: f64::INFINITY };
    let rules = [
        Rules { abandon_rate_max: f64::NAN, ..plain.clone() },
        Rules { abandon_rate_max: f64::INFINITY, ..plain.clone() },
        Rules { abandon_rate_max: -1.0, half_hour_rate_max: Some(f64::NAN), ..plain.clone() },
        Rules { calls_per_agent_max: f64::NAN, ..plain.clone() },
        Rules { ring_max: far, answer_wait: far, ring_legal_min: far, ..plain.clone() },
        Rules { ring_max: Duration::ZERO, answer_wait: Duration::ZERO, ..plain.clone() },
        Rules { carried: nan, ..plain.clone() },
        Rules { carried: BudgetCounts { live: -1e300, abandoned: -1e300 }, ..plain.clone() },
    ];
    for (n, rules) in rules.into_iter().enumerate() {
        let mut pacer = Pacer::new(rules.clone());
        for second in 0..90u64 {
            let now = ms(second * 1_000);
            let view = open(idle(4, now));
            let plan = pacer.decide(now, &view);
            assert_sane(&plan, &rules, &view, &format!("rules {n}, second {second}"));
            assert!(plan.place >= 1, "rules {n}: four agents sit idle and nothing is dialled: {plan:?}");
            assert!(plan.place <= 100, "rules {n}: {plan:?}");
            let call = CallId(second);
            pacer.on_event(now, Event::Placed { call, part: Part(0) });
            pacer.on_event(now + Duration::from_millis(500), Event::AnsweredLive { call });
            pacer.on_event(now + Duration::from_millis(700), Event::Abandoned { call });
        }
    }
}

#[test]
fn any_event_at_any_time_in_any_order_leaves_a_sane_plan() {
    for seed in 1..=30u64 {
        let mut chance = RandomStream(seed * 0x2545_f491);
        let rules = Rules { calls_per_agent_max: 1.0 + chance.below(20) as f64, ..Rules::default() };
        let mut pacer = Pacer::new(rules.clone());
        let mut now = chance.below(3) * 1_700_000_000_000;
        for step in 0..400 {
            now = match chance.below(30) {
                0 => now.saturating_sub(chance.below(10_000_000)),
                1 => now.saturating_add(chance.below(100_000_000)),
                2 => chance.below(u64::MAX - 1),
                _ => now + chance.below(3_000),
            };
            let (call, agent) = (CallId(chance.below(25)), AgentId(chance.below(8) as i64));
            let part = Part(chance.below(400) as u16);
            let network = chance.below(2) == 0;
            let event = match chance.below(16) {
                0..3 => Event::Placed { call, part },
                3 => Event::Ringing { call },
                4 => Event::PickedUp { call },
                5 => Event::AnsweredLive { call },
                6 => Event::AnsweredMachine { call },
                7 => Event::Unanswered { call, network },
                8 => Event::Cancelled { call },
                9 => Event::Connected { call, agent },
                10 => Event::Abandoned { call },
                11 => Event::FoundMachine { call },
                12 => Event::TalkEnded { agent },
                13 => Event::WrapEnded { agent },
                14 => Event::AgentPaused { agent },
                _ => Event::AgentLeft { agent },
            };
            pacer.on_event(ms(now), event);
            if chance.below(3) == 0 {
                continue;
            }
            let mut view = open(idle(chance.below(6), ms(now.saturating_sub(chance.below(100_000)))));
            view.lines_free = chance.below(50) as u32;
            for n in 0..chance.below(20) {
                let since = ms(now.saturating_add(5_000).saturating_sub(chance.below(200_000)));
                let doing = match chance.below(4) {
                    0 => Doing::Talking,
                    1 => Doing::WrapUp { until: Some(ms(chance.below(u64::MAX))) },
                    2 => Doing::Reserved,
                    _ => Doing::Paused,
                };
                view.agents.push(AgentNow { agent: AgentId(100 + n as i64), doing, since, leaving: network });
                let stage = match chance.below(3) {
                    0 => Stage::Placed,
                    1 => Stage::Ringing,
                    _ => Stage::PickedUp,
                };
                view.calls.push(CallNow { call: CallId(chance.below(40)), part, stage, since });
            }
            let plan = pacer.decide(ms(now), &view);
            assert_sane(&plan, &rules, &view, &format!("seed {seed}, step {step}"));
        }
    }
}

#[test]
fn a_hundred_thousand_calls_without_agents_place_nothing() {
    let mut pacer = Pacer::new(Rules::default());
    let calls = (0..100_000).map(|n| CallNow {
        call: CallId(n),
        part: Part((n % 300) as u16),
        stage: Stage::Ringing,
        since: ms(n % 40_000),
    });
    let mut view = Snapshot { calls: calls.collect(), ..open(Vec::new()) };
    let plan = pacer.decide(ms(60_000), &view);
    assert_eq!((plan.place, plan.why.limit), (0, Limit::NoAgents));
    view.agents = idle(50, ms(0));
    let plan = pacer.decide(ms(61_000), &view);
    assert_eq!(plan.place, 0, "{:?}", plan.why);
    assert_sane(&plan, pacer.rules(), &view, "a hundred thousand calls");
}

#[test]
fn a_non_finite_table_gives_model_failed_and_one_call_per_idle_agent() {
    let mut pacer = Pacer::new(Rules::default());
    let view = open(idle(7, ms(0)));
    assert_ne!(pacer.decide(ms(0), &view).why.limit, Limit::ModelFailed);
    let tables = pacer.tables.as_mut().expect("a decision was made");
    tables.placed[0] = [f64::NAN; tables::POINTS];
    let plan = pacer.decide(ms(10), &view);
    assert_eq!((plan.place, plan.why.limit), (7, Limit::ModelFailed));
    assert_eq!(pacer.model_failures(), 1);
    assert_sane(&plan, pacer.rules(), &view, "a broken table");
}

#[test]
fn invalid_tables_reset_the_models_and_keep_the_budget() {
    let mut pacer = Pacer::new(Rules::default());
    pacer.call_model.setup_rings = Hazard::new(vec![f64::NAN; 16], 3.0);
    pacer.budget.answered(ms(0), 0.0);
    let view = open(idle(3, ms(0)));
    let plan = pacer.decide(ms(0), &view);
    assert_eq!((plan.place, plan.why.limit), (3, Limit::ModelFailed));
    let plan = pacer.decide(ms(1_000), &view);
    assert_ne!(plan.why.limit, Limit::ModelFailed, "from its priors again");
    assert_eq!((pacer.model_failures(), pacer.spent().live), (1, 1.0), "what was spent is not forgotten");
}

#[test]
fn a_non_finite_spent_budget_is_ignored() {
    let mut pacer = Pacer::new(Rules::default());
    pacer.set_spent(BudgetCounts { live: 50.0, abandoned: 1.0 });
    pacer.set_spent(BudgetCounts { live: f64::NAN, abandoned: 0.0 });
    assert_eq!(pacer.spent(), BudgetCounts { live: 50.0, abandoned: 1.0 });
}
