//! Drain and hang-up of a campaign: no INVITE leaves, and the campaign goes on when it is resumed.

use super::*;
use crate::campaign::caller_id::{Registered, RegisteredNumber, Usage};

fn act(desk: &mut Desk, action: ManagerAction) {
    desk.give(Input::ManagerActed { campaign: ID, action });
}

#[test]
fn a_campaign_goes_on_after_a_hang_up_of_all_calls_or_a_drain() {
    for stop in [ManagerAction::HangUpAll, ManagerAction::Drain] {
        let mut rules = campaign();
        rules.retry.after.insert(Outcome::Cancelled, Duration::from_secs(60));
        rules.concurrency_max = Some(1);
        let mut desk = Desk::new(rules);
        desk.leads(vec![lead(1), lead(2)]);
        let call = desk.placing();
        desk.progress(call, Progress::Ringing);
        act(&mut desk, stop.clone());
        desk.progress(call, ended(Outcome::NoAnswer, 487));
        let result = desk.result();
        let over = desk.take(|output| matches!(output, Output::CampaignFinished { .. }).then_some(()));
        assert_eq!((over.len(), desk.why()), (0, Some(Why::Paused)), "{stop:?}: leads are open");
        assert_eq!(result.lead.expect("a lead").state, LeadState::Open);
        desk.outputs.clear();
        act(&mut desk, ManagerAction::Resume);
        let asked = desk.take(|output| matches!(output, Output::FetchLeads { .. }).then_some(()));
        assert_eq!(asked.len(), 1, "{stop:?}");
        desk.leads(vec![lead(2)]);
        assert_eq!(desk.requests().len(), 1, "{stop:?}");
    }
}

#[test]
fn a_single_number_test_lasts_in_every_mode() {
    for mode in [Mode::Preview, Mode::Progressive, Mode::Ratio, Mode::Predictive] {
        let mut desk = Desk::floor(super::floor::staffed(mode));
        desk.nailed_up(1);
        act(&mut desk, ManagerAction::TestCall { number: number(99) });
        let call = desk.answered();
        let music =
            desk.take(|output| matches!(output, Output::Play { leg, .. } if *leg == call).then_some(()));
        assert_eq!((music.len(), desk.hang_ups()), (1, vec![]), "{mode:?}");
        assert_eq!(desk.activity(1), crate::agent::Activity::Idle, "a test takes no agent");
        desk.wait(Duration::from_secs(10));
        assert_eq!(desk.hang_ups(), [HangUpCause::Finished]);
        desk.progress(call, ended(Outcome::Answered, 200));
        assert_eq!(desk.result().outcome, Outcome::Answered);
    }
}

#[test]
fn a_single_number_test_that_no_trunk_carries_is_refused() {
    let mut mobile = trunk(0);
    mobile.allow = vec!["0*".parse().expect("a pattern")];
    let mut desk = Desk::with_trunks(campaign(), vec![mobile]);
    act(&mut desk, ManagerAction::TestCall { number: number(99) });
    let refused = desk.take(|output| match output {
        Output::TestRefused { number, why, .. } => Some((*number, *why)),
        _ => None,
    });
    assert_eq!(refused, [(number(99), output::TestRefusal::NoTrunk)]);
}

#[test]
fn a_single_number_test_without_a_caller_id_that_may_be_shown_is_refused() {
    let rests = RegisteredNumber {
        register: Default::default(),
        number: number(900).into(),
        usage: Usage::Not,
        agent: None,
        per_hour_max: None,
        per_day_max: None,
        warm_up_from: None,
    };
    let mut campaign = campaign();
    campaign.caller_ids.numbers = vec![CallerId { number: rests.number, shown: String::new() }];
    let mut desk = Desk::new(campaign);
    desk.give(Input::CallerIdsRegistered {
        said: Registered { numbers: vec![rests], ..Registered::default() },
    });
    act(&mut desk, ManagerAction::TestCall { number: number(99) });
    let refused = desk.take(|output| match output {
        Output::TestRefused { number, why, .. } => Some((*number, *why)),
        _ => None,
    });
    assert_eq!((refused, desk.requests().len()), (vec![(number(99), output::TestRefusal::NoCallerId)], 0));
}

#[test]
fn a_single_number_test_is_withdrawn_alone() {
    let mut narrow = trunk(0);
    narrow.calls_max = 1;
    let mut desk = Desk::with_trunks(campaign(), vec![narrow]);
    for n in [97, 98, 99] {
        act(&mut desk, ManagerAction::TestCall { number: number(n) });
    }
    let first = desk.requests();
    assert_eq!(first.iter().map(|it| it.number).collect::<Vec<_>>(), [number(97)]);
    act(&mut desk, ManagerAction::WithdrawTest { number: number(98) });
    assert_eq!(desk.hang_ups(), [], "the test that was placed goes on");
    desk.give(Input::AttemptOpened { attempt: first[0].attempt, verdict: DialVerdict::Opened });
    desk.progress(first[0].attempt.call(), ended(Outcome::Busy, 486));
    let next = desk.requests();
    assert_eq!(next.iter().map(|it| it.number).collect::<Vec<_>>(), [number(99)]);
}

#[test]
fn no_invite_leaves_after_a_drain() {
    let mut slow = trunk(0);
    slow.calls_per_sec = 1.0;
    let mut desk = Desk::with_trunks(campaign(), vec![slow]);
    desk.leads((1..=5).map(lead).collect());
    desk.wait(Duration::from_secs(3));
    let opened = desk.requests();
    assert!(opened.len() >= 3);
    // One INVITE waits for its slot on the wire, another for the store.
    for request in &opened[..opened.len() - 1] {
        desk.give(Input::AttemptOpened { attempt: request.attempt, verdict: DialVerdict::Opened });
    }
    desk.placed();
    act(&mut desk, ManagerAction::TestCall { number: number(99) });
    act(&mut desk, ManagerAction::Drain);
    let last = opened[opened.len() - 1].attempt;
    desk.give(Input::AttemptOpened { attempt: last, verdict: DialVerdict::Opened });
    desk.wait(Duration::from_secs(10));
    assert_eq!(desk.placed(), []);
    let results = desk.take(|output| match output {
        Output::SaveResult(result) => Some((result.outcome, result.counted)),
        _ => None,
    });
    assert!(!results.is_empty() && results.iter().all(|result| *result == (Outcome::Cancelled, false)));
}
