//! Test calls over one trunk: placed whatever the trunk's state, within its limits, or refused at once.

use super::*;
use crate::number::ShownNumber;

fn act(desk: &mut Desk, trunk: u16) {
    let action = ManagerAction::TestTrunk {
        number: number(99),
        trunk: TrunkId(trunk),
        caller_id: ShownNumber::from_e164(8_695_188),
        home: HomeCountry::china(),
    };
    desk.give(Input::ManagerActed { campaign: ID, action });
}

fn refusals(desk: &mut Desk) -> Vec<(Option<TrunkId>, output::TestRefusal)> {
    desk.take(|output| match output {
        Output::TestRefused { trunk, why, .. } => Some((*trunk, *why)),
        _ => None,
    })
}

#[test]
fn a_test_goes_over_its_trunk_even_if_that_is_out_of_use() {
    for state in [TrunkState::Up, TrunkState::Down, TrunkState::Resting { span: Duration::from_secs(60) }] {
        let mut desk = Desk::with_trunks(campaign(), vec![trunk(0), trunk(1)]);
        desk.give(Input::TrunkChanged { trunk: TrunkId(1), state });
        act(&mut desk, 1);
        let request = desk.requests().remove(0);
        assert_eq!(
            (request.trunk, request.lead, request.number),
            (TrunkId(1), None, number(99)),
            "{state:?}"
        );
        assert_eq!(request.caller_id.map(ShownNumber::as_u64), Some(8_695_188));
        desk.give(Input::AttemptOpened { attempt: request.attempt, verdict: DialVerdict::Opened });
        assert_eq!(desk.placed(), [request.attempt.call()], "{state:?}");
        desk.progress(request.attempt.call(), ended(Outcome::CarrierBlock, 403));
        let result = desk.result();
        assert_eq!((result.outcome, result.lead, result.counted), (Outcome::CarrierBlock, None, false));
    }
}

#[test]
fn a_test_that_cannot_leave_soon_is_refused_and_one_that_can_waits() {
    let mut full = trunk(0);
    full.calls_max = 1;
    let mut desk = Desk::with_trunks(campaign(), vec![full]);
    act(&mut desk, 0);
    assert_eq!(desk.requests().len(), 1);
    act(&mut desk, 0);
    assert_eq!(refusals(&mut desk), [(Some(TrunkId(0)), output::TestRefusal::TrunkFull)]);

    for (per_sec, waits) in [(0.5, true), (0.01, false)] {
        let mut slow = trunk(0);
        slow.calls_per_sec = per_sec;
        let mut desk = Desk::with_trunks(campaign(), vec![slow]);
        act(&mut desk, 0);
        assert_eq!(desk.requests().len(), 1);
        act(&mut desk, 0);
        assert_eq!(refusals(&mut desk).is_empty(), waits, "{per_sec} calls a second");
        desk.wait(TRUNK_TEST_WAIT);
        assert_eq!(desk.requests().len(), usize::from(waits), "{per_sec} calls a second");
    }
}

#[test]
fn a_test_over_an_unknown_trunk_or_one_that_may_not_carry_the_number_is_refused() {
    let mut landlines = trunk(0);
    landlines.allow = vec![CalleePattern::try_from("0*".to_owned()).expect("a pattern")];
    let mut desk = Desk::with_trunks(campaign(), vec![landlines, trunk(1)]);
    for wanted in [0, 7] {
        act(&mut desk, wanted);
        assert_eq!(refusals(&mut desk), [(Some(TrunkId(wanted)), output::TestRefusal::NoTrunk)]);
    }
    assert!(desk.requests().is_empty());
}
