//! Pacing through the whole dialer: a pacer that fails, campaigns that share agents, a setting in the
//! shadow.

use super::floor::{GROUP, staffed};
use super::*;
use crate::agent::AgentAction;
use crate::campaign::PacingRules;
use crate::ids::AttemptId;
use crate::pacing::fail_safe::PacerFault;
use crate::pacing::shadow::ShadowRules;

const SHADOW: ShadowRules = ShadowRules { mode: Mode::Predictive, call_ratio: 1.0, abandon_rate_max: 0.03 };

fn break_pacer(desk: &mut Desk) {
    let now = desk.now;
    let run = desk.dialer.campaigns.get_mut(&ID).expect("the campaign");
    run.pacer.as_mut().expect("a pacer").fail_for_test(now);
}

#[test]
fn a_pacer_that_panics_leaves_one_call_for_each_idle_agent_and_says_so() {
    let mut desk = Desk::floor(staffed(Mode::Predictive));
    desk.leads((1..=9).map(lead).collect());
    break_pacer(&mut desk);
    desk.nailed_up(1);
    desk.nailed_up(2);
    assert_eq!(desk.requests().len(), 2, "neither silence nor a flood");
    assert_eq!(desk.why(), Some(Why::PacerFailed));
    assert_eq!(desk.dialer.view(ID).trouble, Some(PacerFault::Panicked));
    // Ten minutes later a fresh pacer is tried.
    desk.wait(Duration::from_secs(601));
    assert_eq!(desk.dialer.view(ID).trouble, None);
    assert_ne!(desk.why(), Some(Why::PacerFailed));
}

#[test]
fn a_pacer_that_is_too_slow_is_left_out() {
    let mut desk = Desk::floor(staffed(Mode::Predictive));
    desk.leads((1..=9).map(lead).collect());
    desk.nailed_up(1);
    for _ in 0..5 {
        desk.now += Duration::from_secs(1);
        desk.give(Input::TimePassed);
        desk.give(Input::Overran);
    }
    assert_eq!(desk.dialer.view(ID).trouble, Some(PacerFault::TooSlow));
}

#[test]
fn campaigns_that_share_a_group_do_not_promise_an_agent_twice() {
    let mut desk = Desk::floor(staffed(Mode::Predictive));
    let second = Campaign { id: CampaignId(2), name: "second".into(), ..staffed(Mode::Predictive) };
    let campaign = Box::new(second);
    desk.give(Input::CampaignOpened {
        campaign,
        leads_open: 9,
        paused: false,
        abandons: Vec::new(),
        past: Vec::new(),
    });
    desk.leads((1..=9).map(lead).collect());
    let leads = (11..=19).map(lead).collect();
    desk.give(Input::LeadsArrived { campaign: CampaignId(2), leads, next_due: None, leads_open: 9 });
    for n in 1..=4 {
        desk.nailed_up(n);
    }
    let requests = desk.requests();
    let of = |id| requests.iter().filter(|request| request.campaign == id).count();
    let (one, two) = (of(ID), of(CampaignId(2)));
    assert!(one >= 2 && two >= 2, "each reckons with two of the four: {one} and {two}");
    let alone = {
        let mut desk = Desk::floor(staffed(Mode::Predictive));
        desk.leads((1..=9).map(lead).collect());
        for n in 1..=4 {
            desk.nailed_up(n);
        }
        desk.requests().len()
    };
    assert!(one + two <= alone + 1, "{one} + {two} for both, {alone} for one alone");
    assert_eq!(desk.dialer.floor.census(GROUP).0, 4);
}

fn asks(output: &Output) -> bool {
    matches!(output, Output::OpenAttempt(_))
}

#[test]
fn a_shadow_changes_nothing_and_is_shown() {
    let day = |shadow: Option<ShadowRules>| {
        let pacing = PacingRules { shadow, ..PacingRules::default() };
        let mut desk = Desk::floor(Campaign { pacing, ..staffed(Mode::Progressive) });
        desk.nailed_up(1);
        desk.leads((1..=200).map(lead).collect());
        let mut heard = Vec::new();
        for n in 1..=160 {
            for call in desk.place_all() {
                desk.now += Duration::from_secs(2);
                desk.progress(call, Progress::Ringing);
                desk.now += Duration::from_secs(9);
                if n % 3 == 0 {
                    desk.answer(call);
                    desk.now += Duration::from_secs(40);
                }
                desk.progress(call, ended(Outcome::NoAnswer, 480));
                desk.give(Input::ResultSaved { attempt: AttemptId(call.0 as i64) });
                desk.wait(Duration::from_secs(25));
            }
            heard.extend(desk.outputs.iter().filter(|output| !asks(output)).cloned());
            desk.outputs.retain(asks);
        }
        (heard, desk.dialer.view(ID).shadow)
    };
    let (with, without) = (day(Some(SHADOW)), day(None));
    assert_eq!(with.0, without.0);
    assert_eq!(without.1, None);
    let compared = with.1.expect("a comparison");
    assert!(compared.secs > 0.0 && compared.shadow.calls > compared.live.calls, "{compared:?}");
}

#[test]
fn a_shadow_started_in_mid_shift_counts_the_agents_at_work() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.nailed_up(1);
    desk.nailed_up(2);
    desk.act(2, AgentAction::Pause { reason: "lunch".into() });
    desk.leads((1..=200).map(lead).collect());
    desk.give(Input::ManagerActed { campaign: ID, action: ManagerAction::Shadow(Some(SHADOW)) });
    for n in 1..=160 {
        for call in desk.place_all() {
            desk.now += Duration::from_secs(10);
            if n % 3 == 0 {
                desk.answer(call);
                desk.now += Duration::from_secs(40);
            }
            desk.progress(call, ended(Outcome::NoAnswer, 480));
            desk.give(Input::ResultSaved { attempt: AttemptId(call.0 as i64) });
            desk.wait(Duration::from_secs(25));
        }
    }
    let compared = desk.dialer.view(ID).shadow.expect("a comparison");
    assert!(compared.shadow.answered > 10, "one agent is there: {compared:?}");
    assert!(compared.shadow.utilisation > 0.2 && compared.live.utilisation > 0.2, "{compared:?}");
    desk.give(Input::ManagerActed { campaign: ID, action: ManagerAction::Shadow(None) });
    assert_eq!(desk.dialer.view(ID).shadow, None);
}
