//! A campaign that is not open and is open for tests alone: single-number tests are placed, and nothing else ever is.

use super::*;
use crate::pacing::Decision;

/// A dialer in which the campaign is not open.
fn closed() -> Desk {
    let mut desk = Desk { dialer: Dialer::new(1), now: Time::ZERO, outputs: Vec::new() };
    desk.give(Input::ClockSet(MORNING));
    desk.give(Input::Resumed(OpenWork { next_attempt: 1, ..OpenWork::default() }));
    desk.give(Input::TrunkDefined(trunk(0)));
    desk
}

fn open_for_tests(desk: &mut Desk, campaign: Campaign) {
    desk.give(Input::CampaignOpenedForTests { campaign: Box::new(campaign) });
}

fn act(desk: &mut Desk, action: ManagerAction) {
    desk.give(Input::ManagerActed { campaign: ID, action });
}

fn fetches(desk: &mut Desk) -> usize {
    desk.take(|output| matches!(output, Output::FetchLeads { .. } | Output::FetchLead { .. }).then_some(()))
        .len()
}

#[test]
fn a_test_is_placed_in_every_mode_and_no_lead_ever_is() {
    for mode in [Mode::Announce, Mode::Preview, Mode::Progressive, Mode::Ratio, Mode::Predictive] {
        let mut desk = closed();
        let rules = if mode == Mode::Announce { campaign() } else { super::floor::staffed(mode) };
        open_for_tests(&mut desk, rules.clone());
        act(&mut desk, ManagerAction::TestCall { number: number(99) });
        // What would make an open campaign dial.
        let shadow = ManagerAction::Shadow(None);
        for action in [ManagerAction::Resume, ManagerAction::LeadsAdded, shadow] {
            act(&mut desk, action);
        }
        act(&mut desk, ManagerAction::LeadsChanged { leads: vec![LeadId(1)] });
        desk.give(Input::CampaignChanged { campaign: Box::new(rules) });
        desk.leads(vec![lead(1), lead(2)]);
        let call = desk.answered();
        desk.wait(Duration::from_secs(120));
        desk.progress(call, ended(Outcome::Answered, 200));
        let result = desk.result();
        assert_eq!((result.lead, result.outcome), (None, Outcome::Answered), "{mode:?}");
        act(&mut desk, ManagerAction::Resume);
        desk.leads(vec![lead(1), lead(2)]);
        desk.wait(Duration::from_secs(3_600));
        assert!(desk.dialer.is_idle(ID), "{mode:?}");
        assert_eq!((desk.requests(), fetches(&mut desk)), (vec![], 0), "{mode:?}");
        assert_eq!(desk.dialer.drift(), None, "{mode:?}");
    }
}

#[test]
fn a_test_that_is_hung_up_leaves_the_campaign_idle_and_a_start_dials() {
    let mut desk = closed();
    open_for_tests(&mut desk, campaign());
    act(&mut desk, ManagerAction::TestCall { number: number(99) });
    let call = desk.answered();
    assert!(!desk.dialer.is_idle(ID));
    act(&mut desk, ManagerAction::HangUpAll);
    assert_eq!(desk.hang_ups(), [HangUpCause::Stopped]);
    assert!(!desk.dialer.is_idle(ID), "the far end has not answered the BYE");
    desk.progress(call, ended(Outcome::Answered, 200));
    desk.result();
    assert!(desk.dialer.is_idle(ID));
    desk.give(Input::CampaignOpened {
        campaign: Box::new(campaign()),
        leads_open: 1,
        paused: false,
        abandons: Vec::new(),
        past: Vec::new(),
    });
    desk.leads(vec![lead(1)]);
    assert_eq!(desk.requests().len(), 1);
    assert_eq!(desk.dialer.drift(), None);
}

#[test]
fn a_test_that_waits_for_its_trunk_is_dropped_by_a_hang_up() {
    let mut desk = closed();
    desk.give(Input::TrunkChanged { trunk: TrunkId(0), state: TrunkState::Down });
    open_for_tests(&mut desk, campaign());
    act(&mut desk, ManagerAction::TestCall { number: number(99) });
    let why = desk.take(|output| match output {
        Output::Decided { decision: Decision { why, .. }, .. } => Some(*why),
        _ => None,
    });
    assert_eq!(why.last(), Some(&Why::TrunksDown));
    assert!(!desk.dialer.is_idle(ID));
    act(&mut desk, ManagerAction::HangUpAll);
    desk.give(Input::TrunkChanged { trunk: TrunkId(0), state: TrunkState::Up });
    desk.wait(Duration::from_secs(60));
    assert!(desk.dialer.is_idle(ID));
    assert_eq!(desk.requests(), vec![]);
}
