//! A carrier that answers with a message and hangs up: the first leads are charged, the later ones come again.

use super::*;
use crate::line_guard::HOLLOW_AGAIN;

/// Calls lead `n`, whose far side hangs up after two seconds.
fn hollow(desk: &mut Desk, n: i64, key: Option<char>) -> AttemptResult {
    desk.leads(vec![lead(n)]);
    desk.wait(Duration::from_secs(30));
    let call = desk.answered();
    desk.wait(Duration::from_secs(2));
    if let Some(key) = key {
        desk.press(call, key);
    }
    desk.progress(call, ended(Outcome::Answered, 200));
    desk.result()
}

#[test]
fn the_fifth_answer_of_one_length_is_the_lines_and_its_lead_comes_again_later() {
    let mut desk = Desk::new(campaign());
    for n in 1..=4 {
        let result = hollow(&mut desk, n, None);
        assert_eq!((result.outcome, result.counted), (Outcome::Answered, true), "call {n}");
        assert_eq!(result.lead.expect("a lead").state, LeadState::Done);
    }
    for n in 5..=7 {
        let result = hollow(&mut desk, n, None);
        assert_eq!((result.outcome, result.counted), (Outcome::LineFault, false), "call {n}");
        let again = desk.dialer.utc() + HOLLOW_AGAIN;
        let update = result.lead.expect("a lead");
        assert_eq!((update.state, update.next_at), (LeadState::Open, Some(again)));
        assert_eq!((update.phones[0].attempts, update.phones[0].closed), (0, false));
    }
    let taken = desk.take(|output| matches!(output, Output::TakeBack { .. }).then_some(()));
    assert!(taken.is_empty(), "what was written as answered stays so");
}

#[test]
fn a_key_shows_that_callees_answer() {
    let mut desk = Desk::new(campaign());
    for n in 1..=12 {
        let result = hollow(&mut desk, n, (n % 4 == 0).then_some('1'));
        assert_eq!(result.outcome, Outcome::Answered, "call {n}");
    }
}
