//! Agents' phones that decline, are gone or ring in vain: the callee's wait counts from the answer, and the
//! lead is not charged.

use super::floor::staffed;
use super::*;
use crate::agent::{Activity, Holding};
use crate::dialer::output::SoundName;
use crate::ids::AgentId;

const ANSWER_WAIT: Duration = Duration::from_secs(2);

/// A floor of agents with phones that ring for each call, and one answered callee.
fn waiting_callee(agents: i64) -> (Desk, CallId, Time) {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    for n in 1..=agents {
        desk.sign_in(n, Holding::PerCall);
    }
    desk.leads(vec![lead(1)]);
    let call = desk.answered();
    let answered = desk.now;
    (desk, call, answered)
}

impl Desk {
    /// Runs until the callee hears the sorry message, and says when.
    fn sorry_at(&mut self) -> Time {
        while self.now < Time::from_millis(120_000) {
            let sorry = self.take(|output| {
                matches!(output, Output::Play { sound: SoundName::Sorry(_), .. }).then_some(())
            });
            if !sorry.is_empty() {
                return self.now;
            }
            self.wait(Duration::from_millis(100));
        }
        panic!("the callee is left waiting");
    }

    fn kept_uncounted(&mut self, call: CallId) {
        self.progress(call, ended(Outcome::Answered, 200));
        let result = self.result();
        assert_eq!((result.outcome, result.counted), (Outcome::AgentFailed, false));
        let update = result.lead.expect("a lead");
        assert_eq!((update.state, update.reason, update.phones[0].attempts), (LeadState::Open, None, 0));
        let soon = self.dialer.utc() + Duration::from_secs(1800);
        assert!(update.next_at.is_some_and(|at| at <= soon), "soon again: {:?}", update.next_at);
        assert_eq!(result.rest_until, None);
    }
}

#[test]
fn a_phone_that_declines_charges_no_lead() {
    for code in [480, 486, 603, 500] {
        let (mut desk, call, answered) = waiting_callee(1);
        let (_, leg) = desk.rung()[0];
        desk.progress(leg, ended(Outcome::Busy, code));
        assert_eq!(desk.sorry_at().since(answered), ANSWER_WAIT, "after {code}");
        desk.kept_uncounted(call);
        let ledger = desk.dialer.ledger(ID).expect("a ledger");
        let abandoned: u64 = ledger.sums().map(|(_, counts)| counts.abandoned).sum();
        assert_eq!(abandoned, 1, "for the callee it was an abandoned call");
    }
}

#[test]
fn a_phone_that_is_gone_costs_the_callee_no_more_than_the_wait() {
    let (mut desk, call, answered) = waiting_callee(1);
    assert_eq!(desk.rung().len(), 1);
    assert_eq!(desk.sorry_at().since(answered), ANSWER_WAIT);
    assert_eq!(desk.activity(1), Activity::Idle);
    desk.kept_uncounted(call);
}

#[test]
fn a_phone_that_rings_is_cancelled_when_the_wait_is_over() {
    let (mut desk, call, answered) = waiting_callee(1);
    let (_, leg) = desk.rung()[0];
    desk.progress(leg, Progress::Ringing);
    assert_eq!(desk.sorry_at().since(answered), ANSWER_WAIT);
    let cancelled =
        desk.take(|output| matches!(output, Output::HangUp { call, .. } if *call == leg).then_some(()));
    assert_eq!((cancelled.len(), desk.activity(1)), (1, Activity::Idle));
    desk.progress(call, ended(Outcome::Answered, 200));
    let result = desk.result();
    assert_eq!(result.outcome, Outcome::Abandoned, "no phone has failed");
    let ledger = desk.dialer.ledger(ID).expect("a ledger");
    assert_eq!(ledger.sums().map(|(_, counts)| counts.abandoned).sum::<u64>(), 1);
}

/// The second phone rings when the wait of the callee, whom the first phone failed, is over.
#[test]
fn the_wait_is_not_prolonged_by_the_next_phone() {
    let (mut desk, call, answered) = waiting_callee(2);
    let first = desk.rung()[0].1;
    desk.wait(Duration::from_millis(800));
    desk.progress(first, ended(Outcome::Busy, 486));
    let second = desk.rung()[0].1;
    desk.progress(second, Progress::Ringing);
    assert_eq!(desk.sorry_at().since(answered), ANSWER_WAIT);
    desk.kept_uncounted(call);
}

#[test]
fn a_ring_that_the_wait_cut_short_is_no_missed_call() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.sign_in(1, Holding::PerCall);
    for n in 1..=3 {
        desk.leads(vec![lead(n)]);
        let call = desk.answered();
        let leg = desk.rung()[0].1;
        desk.progress(leg, Progress::Ringing);
        desk.sorry_at();
        desk.progress(leg, ended(Outcome::NoAnswer, 487));
        desk.progress(call, ended(Outcome::Answered, 200));
        desk.result();
    }
    assert_eq!(desk.seat(1).availability, crate::agent::Availability::Available);
}

#[test]
fn the_next_agent_is_tried_within_the_wait() {
    let (mut desk, call, _) = waiting_callee(2);
    assert_eq!(desk.rung()[0].0, AgentId(1), "who is gone");
    desk.wait(Duration::from_millis(1_500));
    let second = desk.rung();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].0, AgentId(2));
    desk.progress(second[0].1, Progress::Ringing);
    desk.wait(Duration::from_millis(400));
    desk.progress(second[0].1, Progress::Answered);
    assert_eq!(desk.activity(2), Activity::Talking);
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.result().outcome, Outcome::Answered);
}

#[test]
fn a_callee_who_hangs_up_on_a_silent_phone_is_called_again() {
    let (mut desk, call, _) = waiting_callee(1);
    desk.wait(Duration::from_millis(700));
    desk.kept_uncounted(call);
}

#[test]
fn a_call_that_the_store_refuses_shows_its_reason_on_the_agents_seat() {
    use crate::agent::AgentAction;
    let mut desk = Desk::floor(staffed(Mode::Preview));
    desk.nailed_up(1);
    assert_eq!(desk.act(1, AgentAction::Call { campaign: ID, number: number(77) }), None);
    let request = desk.requests().remove(0);
    let verdict = DialVerdict::Closed(Reason::Blacklisted);
    desk.give(Input::AttemptOpened { attempt: request.attempt, verdict });
    let seat = desk.seat(1);
    assert_eq!((seat.activity, seat.refused), (Activity::Idle, Some(Reason::Blacklisted)));
    let said = desk.take(|output| match output {
        Output::SeatChanged { seat, .. } if seat.refused.is_some() => Some(()),
        _ => None,
    });
    assert_eq!(said.len(), 1);
    assert_eq!(desk.act(1, AgentAction::Call { campaign: ID, number: number(78) }), None);
    assert_eq!(desk.seat(1).refused, None);
}

#[test]
fn a_callee_for_whom_no_agent_was_free_is_abandoned() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.sign_in(1, Holding::PerCall);
    desk.leads(vec![lead(1)]);
    let call = desk.placing();
    assert_eq!(desk.act(1, crate::agent::AgentAction::Pause { reason: "tea".into() }), None);
    desk.progress(call, Progress::Answered);
    desk.give(Input::AnswerSaved { call });
    desk.sorry_at();
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.result().outcome, Outcome::Abandoned);
}
