//! The dialer step by step: one input, the outputs it must lead to.

mod abandons;
mod agent_phones;
mod arrears;
mod callbacks;
mod change;
mod dead_legs;
mod floor;
mod lead_changes;
mod lead_sync;
mod lines;
mod pacing;
mod rates;
mod sharing;
mod stopping;
mod test_openings;
mod trunk_tests;
mod whys;

use super::input::{DialVerdict, ManagerAction, OpenWork, TrunkState};
use super::output::{AttemptRequest, AttemptResult};
use super::*;
use crate::call::{Digit, Ended, Heard, Progress};
use crate::campaign::{
    Announcement, CalleePattern, CallerId, CallerIdRules, CallingWindows, Campaign, HomeCountry, KeyRule,
    Mode, RetryRules, Trunk,
};
use crate::ids::{AttemptId, LeadId};
use crate::lead::{Lead, Phone};
use crate::outcome::{EndedBy, LeadState, Outcome, Reason};
use crate::time::Duration;

/// 2026-11-21T02:00:00Z, ten in the morning in Shanghai.
const MORNING: Utc = Utc::from_millis(1_795_226_400_000);
const ID: CampaignId = CampaignId(1);

/// A running dialer, with the outputs that the test has not taken yet.
struct Desk {
    dialer: Dialer,
    now: Time,
    outputs: Vec<Output>,
}

impl Desk {
    fn new(campaign: Campaign) -> Self {
        Desk::with_trunks(campaign, vec![trunk(0)])
    }

    fn with_trunks(campaign: Campaign, trunks: Vec<Trunk>) -> Self {
        let mut desk = Desk { dialer: Dialer::new(1), now: Time::ZERO, outputs: Vec::new() };
        desk.give(Input::ClockSet(MORNING));
        desk.give(Input::Resumed(OpenWork { next_attempt: 1, ..OpenWork::default() }));
        for trunk in trunks {
            desk.give(Input::TrunkDefined(trunk));
        }
        let campaign = Box::new(campaign);
        desk.give(Input::CampaignOpened {
            campaign,
            leads_open: 1,
            paused: false,
            abandons: Vec::new(),
            past: Vec::new(),
        });
        desk
    }

    fn give(&mut self, input: Input) {
        self.dialer.handle(self.now, input);
        while let Some(output) = self.dialer.poll() {
            self.outputs.push(output);
        }
    }

    fn wait(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(at) = self.dialer.next_wake().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.give(Input::TimePassed);
        }
        self.now = until;
    }

    fn leads(&mut self, leads: Vec<Lead>) {
        let leads_open = leads.len() as u64;
        self.give(Input::LeadsArrived { campaign: ID, leads, next_due: None, leads_open });
    }

    fn progress(&mut self, call: CallId, progress: Progress) {
        self.give(Input::CallProgressed { call, progress });
    }

    fn press(&mut self, call: CallId, key: char) {
        let digit = Digit::from_char(key).expect("a key");
        self.give(Input::MediaHeard { call, heard: Heard::Digit(digit) });
    }

    fn take<T>(&mut self, wanted: impl Fn(&Output) -> Option<T>) -> Vec<T> {
        let found = self.outputs.iter().filter_map(&wanted).collect();
        self.outputs.retain(|output| wanted(output).is_none());
        found
    }

    fn requests(&mut self) -> Vec<AttemptRequest> {
        self.take(|output| match output {
            Output::OpenAttempt(request) => Some((**request).clone()),
            _ => None,
        })
    }

    fn placed(&mut self) -> Vec<CallId> {
        self.take(|output| match output {
            Output::PlaceCall { call, .. } => Some(*call),
            _ => None,
        })
    }

    fn result(&mut self) -> AttemptResult {
        let mut results = self.take(|output| match output {
            Output::SaveResult(result) => Some((**result).clone()),
            _ => None,
        });
        assert_eq!(results.len(), 1, "one result");
        let result = results.remove(0);
        self.give(Input::ResultSaved { attempt: result.attempt });
        result
    }

    fn hang_ups(&mut self) -> Vec<HangUpCause> {
        self.take(|output| match output {
            Output::HangUp { cause, .. } => Some(*cause),
            _ => None,
        })
    }

    fn why(&self) -> Option<Why> {
        self.dialer.view(ID).why
    }

    /// Opens, places, rings, answers and acknowledges the next call.
    fn answered(&mut self) -> CallId {
        let call = self.placing();
        self.progress(call, Progress::Ringing);
        self.progress(call, Progress::Answered);
        self.give(Input::AnswerSaved { call });
        call
    }

    fn placing(&mut self) -> CallId {
        let request = self.requests().remove(0);
        self.give(Input::AttemptOpened { attempt: request.attempt, verdict: DialVerdict::Opened });
        assert_eq!(self.placed(), [request.attempt.call()]);
        request.attempt.call()
    }
}

fn trunk(id: u16) -> Trunk {
    Trunk {
        id: TrunkId(id),
        name: format!("t{id}"),
        calls_max: 10,
        calls_per_sec: 0.0,
        setup: None,
        allow: vec![CalleePattern::every()],
        deny: Vec::new(),
    }
}

fn campaign() -> Campaign {
    let key = |result: &str| KeyRule { result: Some(result.into()), ..KeyRule::default() };
    Campaign {
        id: ID,
        name: "vote".into(),
        mode: Mode::Announce,
        trunks: vec![TrunkId(0)],
        ring: Duration::from_secs(45),
        setup: Duration::from_secs(20),
        concurrency_max: None,
        calls_per_sec: None,
        windows: CallingWindows::daily("Asia/Shanghai", 480, 1260),
        start: None,
        end: None,
        retry: RetryRules {
            attempts_max: 3,
            per_day_max: 3,
            gap_min: Duration::from_secs(1800),
            after: [(Outcome::NoAnswer, Duration::from_secs(7200))].into(),
        },
        announcement: Some(Announcement {
            length: Duration::from_secs(10),
            plays: 2,
            pause: Duration::ZERO,
            input_wait: Duration::from_secs(5),
        }),
        keys: [
            ('1', key("agree")),
            ('2', key("against")),
            ('9', KeyRule { repeat: true, ..KeyRule::default() }),
            ('*', KeyRule { blacklist: true, ..KeyRule::default() }),
        ]
        .map(|(key, rule)| (Digit::from_char(key).expect("a key"), rule))
        .into(),
        caller_ids: CallerIdRules::default(),
        agents: None,
        pacing: Default::default(),
        home: HomeCountry::china(),
    }
}

fn number(n: u64) -> PhoneNumber {
    PhoneNumber::from_e164(8614000000000 + n).expect("a number")
}

fn lead(n: i64) -> Lead {
    Lead {
        id: LeadId(n),
        row: n as u64 + 1,
        household: None,
        phones: vec![Phone::new(number(n as u64))],
        next_at: None,
        uncounted: 0,
        callback: None,
        last_agent: None,
        assigned: None,
        is_first: false,
        version: 0,
    }
}

fn ended(outcome: Outcome, sip_code: u16) -> Progress {
    Progress::Ended(Ended {
        outcome,
        by: EndedBy::Callee,
        sip_code: Some(sip_code),
        cause: "test".into(),
        retry_after: None,
        try_next_trunk: outcome == Outcome::LineFault,
    })
}

#[test]
fn a_call_walks_from_the_list_to_its_result() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    let call = desk.answered();
    let played = desk.take(|output| match output {
        Output::SaveAnswer { .. } => Some("save"),
        Output::Acknowledge { .. } => Some("ack"),
        Output::PlayAnnouncement { plays: 2, .. } => Some("play"),
        _ => None,
    });
    assert_eq!(played, ["save", "ack", "play"]);
    desk.wait(Duration::from_secs(4));
    desk.press(call, '1');
    desk.progress(call, ended(Outcome::Answered, 200));
    let result = desk.result();
    assert_eq!((result.outcome, result.result.as_deref()), (Outcome::Answered, Some("agree")));
    assert_eq!(result.keys, [Digit::from_char('1').expect("a key")]);
    assert_eq!(result.lead.expect("a lead").state, LeadState::Done);
}

#[test]
fn nothing_leaves_before_its_attempt_is_on_disk() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    assert_eq!(desk.requests().len(), 1);
    desk.wait(Duration::from_secs(600));
    assert_eq!(desk.placed(), []);
}

#[test]
fn nothing_is_acknowledged_before_its_answer_is_on_disk() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    let call = desk.placing();
    desk.progress(call, Progress::Answered);
    desk.wait(Duration::from_secs(20));
    let acknowledged = desk.take(|output| matches!(output, Output::Acknowledge { .. }).then_some(()));
    assert!(acknowledged.is_empty());
}

#[test]
fn the_call_is_over_after_all_plays_and_the_wait_for_a_key() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    desk.answered();
    desk.wait(Duration::from_millis(24_999));
    assert_eq!(desk.hang_ups(), []);
    desk.wait(Duration::from_millis(1));
    assert_eq!(desk.hang_ups(), [HangUpCause::Finished]);
}

#[test]
fn the_last_key_with_a_result_counts_and_ends_the_call_soon() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    let call = desk.answered();
    desk.press(call, '1');
    desk.wait(Duration::from_secs(1));
    desk.press(call, '2');
    desk.press(call, '7');
    desk.wait(Duration::from_secs(2));
    assert_eq!(desk.hang_ups(), [HangUpCause::Finished]);
    desk.progress(call, ended(Outcome::Answered, 200));
    let result = desk.result();
    assert_eq!(result.result.as_deref(), Some("against"));
    assert_eq!(result.keys.len(), 3, "a key without a rule is kept too");
}

#[test]
fn a_repeat_starts_the_time_anew_and_stays_bounded() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    let call = desk.answered();
    let plays = |desk: &mut Desk| {
        desk.take(|output| matches!(output, Output::PlayAnnouncement { .. }).then_some(())).len()
    };
    assert_eq!(plays(&mut desk), 1);
    for _ in 0..20 {
        desk.wait(Duration::from_secs(20));
        desk.press(call, '9');
    }
    assert_eq!(plays(&mut desk), 5);
    assert_eq!(desk.hang_ups(), [HangUpCause::Finished]);
}

#[test]
fn do_not_call_me_again_is_written_and_ends_the_call() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    let call = desk.answered();
    desk.press(call, '*');
    let blacklisted = desk.take(|output| match output {
        Output::Blacklist { number, .. } => Some(*number),
        _ => None,
    });
    assert_eq!((blacklisted, desk.hang_ups()), (vec![number(1)], vec![HangUpCause::Finished]));
    desk.progress(call, ended(Outcome::Answered, 200));
    let update = desk.result().lead.expect("a lead");
    assert_eq!((update.state, update.reason), (LeadState::Done, Some(Reason::Blacklisted)));
}

#[test]
fn a_household_has_one_call_at_a_time_and_is_done_after_its_vote() {
    let mut desk = Desk::new(campaign());
    let mut leads = vec![lead(1), lead(2), lead(3)];
    for lead in &mut leads[..2] {
        lead.household = Some(HouseholdId(7));
    }
    desk.leads(leads);
    let requests = desk.requests();
    assert_eq!(requests.iter().map(|r| r.lead).collect::<Vec<_>>(), [Some(LeadId(1)), Some(LeadId(3))]);
    let call = requests[0].attempt.call();
    desk.give(Input::AttemptOpened { attempt: requests[0].attempt, verdict: DialVerdict::Opened });
    desk.progress(call, Progress::Answered);
    desk.give(Input::AnswerSaved { call });
    desk.press(call, '1');
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.result().lead.expect("a lead").household_done, Some(HouseholdId(7)));
    assert_eq!(desk.requests(), [], "the neighbour of a finished household is not called");
}

#[test]
fn a_number_with_a_live_call_is_not_called_by_another_row() {
    let mut desk = Desk::new(campaign());
    let mut twin = lead(2);
    twin.phones = lead(1).phones;
    desk.leads(vec![lead(1), twin]);
    assert_eq!(desk.requests().len(), 1);
    assert_eq!(desk.why(), Some(Why::HouseholdsBusy));
}

#[test]
fn concurrency_and_trunk_limits_say_so() {
    let mut few = campaign();
    few.concurrency_max = Some(2);
    let mut desk = Desk::new(few);
    desk.leads((1..=20).map(lead).collect());
    assert_eq!((desk.requests().len(), desk.why()), (2, Some(Why::ConcurrencyFull)));
    let mut desk = Desk::new(campaign());
    desk.leads((1..=20).map(lead).collect());
    assert_eq!((desk.requests().len(), desk.why()), (10, Some(Why::TrunksFull)));
}

#[test]
fn a_slow_disk_does_not_bunch_up_the_starts() {
    let mut slow = trunk(0);
    slow.calls_per_sec = 10.0;
    let mut desk = Desk::with_trunks(campaign(), vec![slow]);
    desk.leads((1..=10).map(lead).collect());
    desk.wait(Duration::from_secs(2));
    let requests = desk.requests();
    assert_eq!(requests.len(), 10);
    for request in requests {
        desk.give(Input::AttemptOpened { attempt: request.attempt, verdict: DialVerdict::Opened });
    }
    assert_eq!(desk.placed().len(), 1);
    desk.wait(Duration::from_millis(450));
    assert_eq!(desk.placed().len(), 4);
}

#[test]
fn outside_the_calling_hours_nothing_is_asked_and_the_hour_is_named() {
    let mut evening = campaign();
    evening.windows.windows[0].from_minute = 18 * 60;
    let mut desk = Desk::new(evening);
    assert_eq!(desk.why(), Some(Why::OutsideWindow));
    assert_eq!(desk.dialer.view(ID).until, Some(MORNING + Duration::from_secs(8 * 3600)));
    assert_eq!(desk.requests(), []);
    desk.outputs.clear();
    desk.wait(Duration::from_secs(8 * 3600));
    let fetches = desk.take(|output| matches!(output, Output::FetchLeads { .. }).then_some(()));
    assert_eq!(fetches.len(), 1, "the hopper is filled when the window opens");
}

#[test]
fn a_jump_of_the_wall_clock_moves_the_hours_and_not_the_calls() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    let call = desk.placing();
    desk.give(Input::ClockSet(MORNING + Duration::from_secs(12 * 3600)));
    assert_eq!(desk.why(), Some(Why::OutsideWindow));
    desk.progress(call, Progress::Answered);
    desk.give(Input::AnswerSaved { call });
    desk.wait(Duration::from_millis(24_999));
    assert_eq!(desk.hang_ups(), []);
    desk.wait(Duration::from_millis(1));
    assert_eq!(desk.hang_ups(), [HangUpCause::Finished]);
}

#[test]
fn an_attempt_whose_hours_ended_before_it_left_is_not_sent_and_not_counted() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    let request = desk.requests().remove(0);
    desk.give(Input::ClockSet(MORNING + Duration::from_secs(12 * 3600)));
    desk.give(Input::AttemptOpened { attempt: request.attempt, verdict: DialVerdict::Opened });
    assert_eq!(desk.placed(), []);
    let result = desk.result();
    assert_eq!((result.outcome, result.counted), (Outcome::Cancelled, false));
    assert_eq!(result.lead.expect("a lead").state, LeadState::Open);
}

#[test]
fn a_fault_of_the_trunk_goes_to_the_next_trunk_and_a_refusal_of_the_callee_does_not() {
    for (outcome, code, next) in [(Outcome::LineFault, 503, true), (Outcome::Rejected, 603, false)] {
        let mut two = campaign();
        two.trunks = vec![TrunkId(0), TrunkId(1)];
        let mut desk = Desk::with_trunks(two, vec![trunk(0), trunk(1)]);
        desk.leads(vec![lead(1)]);
        let first = desk.requests().remove(0);
        assert_eq!(first.trunk, TrunkId(0));
        desk.give(Input::AttemptOpened { attempt: first.attempt, verdict: DialVerdict::Opened });
        desk.progress(first.attempt.call(), ended(outcome, code));
        assert_eq!(desk.requests(), [], "not before the result is on disk");
        let result = desk.result();
        assert_eq!(result.counted, !next);
        let trunks: Vec<TrunkId> = desk.requests().iter().map(|request| request.trunk).collect();
        assert_eq!(trunks, if next { vec![TrunkId(1)] } else { vec![] });
    }
}

#[test]
fn a_trunk_that_is_down_is_not_used() {
    let mut desk = Desk::new(campaign());
    desk.give(Input::TrunkChanged { trunk: TrunkId(0), state: TrunkState::Down });
    desk.leads(vec![lead(1)]);
    assert_eq!((desk.requests(), desk.why()), (vec![], Some(Why::TrunksDown)));
    desk.give(Input::TrunkChanged { trunk: TrunkId(0), state: TrunkState::Up });
    assert_eq!(desk.requests().len(), 1);
}

#[test]
fn a_full_disk_stops_the_dialing_and_room_lets_it_go_on() {
    let mut desk = Desk::new(campaign());
    desk.give(Input::StoreStalled { why: "no space left on device".into() });
    desk.leads(vec![lead(1)]);
    assert_eq!((desk.requests(), desk.why()), (vec![], Some(Why::StoreStalled)));
    desk.give(Input::StoreRecovered);
    assert_eq!(desk.requests().len(), 1);
}

#[test]
fn draining_lets_calls_end_and_hanging_up_cancels_them() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1), lead(2)]);
    let ringing = desk.requests().remove(0).attempt;
    desk.give(Input::AttemptOpened { attempt: ringing, verdict: DialVerdict::Opened });
    desk.progress(ringing.call(), Progress::Ringing);
    desk.give(Input::ManagerActed { campaign: ID, action: ManagerAction::Drain });
    assert_eq!((desk.hang_ups(), desk.why()), (vec![], Some(Why::Draining)));
    desk.give(Input::ManagerActed { campaign: ID, action: ManagerAction::HangUpAll });
    assert_eq!(desk.hang_ups(), [HangUpCause::Stopped]);
    desk.progress(ringing.call(), ended(Outcome::NoAnswer, 487));
    assert_eq!(desk.result().outcome, Outcome::Cancelled);
}

#[test]
fn a_single_number_test_ignores_the_list_and_the_calling_hours() {
    let mut night = campaign();
    night.windows.windows[0].from_minute = 18 * 60;
    let mut desk = Desk::new(night);
    desk.give(Input::ManagerActed { campaign: ID, action: ManagerAction::Pause });
    desk.give(Input::ManagerActed { campaign: ID, action: ManagerAction::TestCall { number: number(99) } });
    let call = desk.answered();
    desk.progress(call, ended(Outcome::Answered, 200));
    let result = desk.result();
    assert_eq!((result.lead, result.counted), (None, false));
}

#[test]
fn a_number_blacklisted_while_it_rings_is_cancelled() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    let call = desk.placing();
    desk.progress(call, Progress::Ringing);
    desk.give(Input::ManagerActed { campaign: ID, action: ManagerAction::Blacklisted { number: number(1) } });
    assert_eq!(desk.hang_ups(), [HangUpCause::Stopped]);
    desk.progress(call, ended(Outcome::NoAnswer, 487));
    let update = desk.result().lead.expect("a lead");
    assert_eq!((update.state, update.reason), (LeadState::Failed, Some(Reason::Blacklisted)));
}

#[test]
fn a_blacklisted_prefix_takes_back_calls_that_ring_wait_or_were_not_sent_yet() {
    let range: NumberPattern = "+861400000000*".parse().expect("ten numbers");
    let elsewhere = Some(CampaignId(7));
    for (campaign, gone) in [(None, true), (Some(ID), true), (elsewhere, false)] {
        let mut slow = campaign_of_two_a_second();
        slow.concurrency_max = Some(3);
        let mut desk = Desk::new(slow);
        desk.leads(vec![lead(20), lead(1), lead(2), lead(3), lead(21)]);
        desk.wait(Duration::from_secs(2));
        let opened = desk.requests();
        assert_eq!(opened.iter().map(|r| r.lead).collect::<Vec<_>>(), [20, 1, 2].map(|n| Some(LeadId(n))));
        for request in &opened[..2] {
            desk.give(Input::AttemptOpened { attempt: request.attempt, verdict: DialVerdict::Opened });
        }
        desk.wait(Duration::from_secs(2));
        assert_eq!(desk.placed().len(), 2);
        desk.progress(opened[0].attempt.call(), Progress::Ringing);
        desk.progress(opened[1].attempt.call(), Progress::Ringing);
        desk.outputs.clear();
        desk.give(Input::Blacklisted { campaign, patterns: vec![range] });
        let wanted: &[HangUpCause] = if gone { &[HangUpCause::Stopped] } else { &[] };
        assert_eq!(desk.hang_ups(), wanted, "the ringing call of lead 1");
        let returned = desk.take(|output| match output {
            Output::ReturnLeads { leads, .. } => Some(leads.clone()),
            _ => None,
        });
        assert_eq!(returned.concat(), if gone { vec![LeadId(3)] } else { vec![] });
        desk.give(Input::AttemptOpened { attempt: opened[2].attempt, verdict: DialVerdict::Opened });
        desk.wait(Duration::from_secs(2));
        assert_eq!(desk.placed().len(), usize::from(!gone), "the call of lead 2 had not left");
    }
}

#[test]
fn a_blacklisted_number_leaves_the_leads_other_number_and_callers_alone() {
    let mut desk = Desk::new(campaign());
    let mut two = lead(1);
    two.phones.push(Phone::new(number(50)));
    desk.leads(vec![two]);
    let call = desk.placing();
    desk.progress(call, Progress::Ringing);
    desk.give(Input::Blacklisted { campaign: None, patterns: vec![NumberPattern::exact(number(1))] });
    desk.progress(call, ended(Outcome::NoAnswer, 487));
    let update = desk.result().lead.expect("a lead");
    assert_eq!((update.state, update.reason), (LeadState::Open, None));
    assert_eq!(update.phones.iter().map(|phone| phone.closed).collect::<Vec<_>>(), [true, false]);
}

fn campaign_of_two_a_second() -> Campaign {
    Campaign { calls_per_sec: Some(2.0), ..campaign() }
}

#[test]
fn a_number_that_a_crash_cut_off_rests() {
    let mut desk = Desk::new(campaign());
    let until = MORNING + Duration::from_secs(60);
    let work = OpenWork { next_attempt: 50, resting: vec![(number(1), until)], ..OpenWork::default() };
    desk.give(Input::Resumed(work));
    desk.leads(vec![lead(1), lead(2)]);
    let requests = desk.requests();
    assert_eq!(requests.iter().map(|r| r.lead).collect::<Vec<_>>(), [Some(LeadId(2))]);
    assert_eq!(requests[0].attempt, AttemptId(50), "attempt numbers go on");
    desk.wait(Duration::from_secs(60));
    assert_eq!(desk.requests().len(), 1, "rested");
}

#[test]
fn a_call_without_further_reports_is_closed() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    desk.placing();
    desk.wait(Duration::from_secs(20 + 45 + 75));
    let result = desk.result();
    assert_eq!((result.outcome, result.counted), (Outcome::LineFault, false));
}

#[test]
fn a_number_that_no_trunk_may_carry_ends_with_a_reason() {
    let mut mobile = trunk(0);
    mobile.allow = vec!["0*".parse().expect("a pattern")];
    let mut desk = Desk::with_trunks(campaign(), vec![mobile]);
    desk.leads(vec![lead(1)]);
    let closed = desk.take(|output| match output {
        Output::SaveLead(update) => Some((update.state, update.reason)),
        _ => None,
    });
    assert_eq!(closed, [(LeadState::Failed, Some(Reason::NoTrunk))]);
}

#[test]
fn a_campaign_without_open_leads_is_finished_once() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![]);
    let finished = desk.take(|output| matches!(output, Output::CampaignFinished { .. }).then_some(()));
    assert_eq!((finished.len(), desk.why()), (1, Some(Why::Finished)));
    desk.wait(Duration::from_secs(3600));
    assert!(desk.take(|output| matches!(output, Output::CampaignFinished { .. }).then_some(())).is_empty());
}

#[test]
fn a_finished_campaign_goes_on_when_its_list_grows() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![]);
    assert_eq!(desk.why(), Some(Why::Finished));
    let asked = |output: &Output| matches!(output, Output::FetchLeads { untried: true, .. }).then_some(());
    desk.take(asked);
    let added = || Input::ManagerActed { campaign: ID, action: ManagerAction::LeadsAdded };
    desk.give(added());
    assert_eq!(desk.take(asked).len(), 1);
    // A list that grows while the store answers is asked for again.
    desk.give(added());
    desk.leads(vec![]);
    assert_eq!(desk.take(asked).len(), 1);
    desk.leads(vec![lead(1)]);
    assert_eq!(desk.requests().len(), 1);
}

#[test]
fn a_caller_id_at_its_cap_makes_the_campaign_wait() {
    let mut capped = campaign();
    capped.caller_ids.per_hour_max = Some(1);
    capped.caller_ids.numbers = vec![CallerId { number: number(900).into(), shown: "14000000900".into() }];
    let mut desk = Desk::new(capped);
    desk.leads(vec![lead(1), lead(2)]);
    assert_eq!((desk.requests().len(), desk.why()), (1, Some(Why::CallerIdsUsed)));
    desk.wait(Duration::from_secs(3600));
    assert_eq!(desk.requests().len(), 1);
}

#[test]
fn the_call_lasts_longer_by_the_time_in_which_the_announcement_was_held() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    let call = desk.answered();
    desk.wait(Duration::from_secs(4));
    desk.give(Input::MediaHeard { call, heard: Heard::PlayHeld });
    desk.wait(Duration::from_secs(30));
    desk.give(Input::MediaHeard { call, heard: Heard::PlayResumed });
    // Two plays of ten seconds and five for keys, of which four seconds had passed.
    desk.wait(Duration::from_secs(20));
    assert_eq!(desk.hang_ups(), [], "21 seconds are left after the hold");
    desk.wait(Duration::from_secs(2));
    assert_eq!(desk.hang_ups(), [HangUpCause::Finished]);
}

#[test]
fn a_call_that_is_held_for_a_minute_is_over() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    let call = desk.answered();
    desk.give(Input::MediaHeard { call, heard: Heard::PlayHeld });
    desk.wait(Duration::from_secs(59));
    assert_eq!(desk.hang_ups(), []);
    desk.wait(Duration::from_secs(2));
    assert_eq!(desk.hang_ups(), [HangUpCause::Finished]);
}

#[test]
fn a_call_whose_media_cannot_be_used_leaves_its_lead_open() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1)]);
    let call = desk.answered();
    let over = Ended { by: EndedBy::Dialer, try_next_trunk: false, ..fault() };
    desk.progress(call, Progress::Ended(over));
    let result = desk.result();
    assert_eq!((result.outcome, result.counted), (Outcome::LineFault, false));
    assert_eq!(result.lead.expect("a lead").state, LeadState::Open);
}

fn fault() -> Ended {
    match ended(Outcome::LineFault, 200) {
        Progress::Ended(ended) => ended,
        _ => unreachable!("an end"),
    }
}

#[test]
fn a_number_is_called_only_in_the_hours_of_its_own_zone() {
    let mut rules = campaign();
    rules.windows.by_number = true;
    let mut desk = Desk::new(rules);
    let of = |id: i64, digits: u64| {
        let number = PhoneNumber::from_e164(digits).expect("a number");
        Lead { phones: vec![Phone::new(number)], ..lead(id) }
    };
    // The desk begins in the morning of China, which is the night of London.
    desk.leads(vec![of(1, 442_079_460_929), of(2, 8_614_000_000_002), of(3, 88_161_234_567_890)]);
    let called: Vec<PhoneNumber> = desk.requests().iter().map(|request| request.number).collect();
    assert_eq!(called, [number(2)]);
    let saved = desk.take(|output| match output {
        Output::SaveLead(update) => {
            Some((update.lead, update.state, update.reason, update.next_at.is_some()))
        }
        _ => None,
    });
    assert!(saved.contains(&(LeadId(1), LeadState::Open, None, true)), "{saved:?}");
    assert!(saved.contains(&(LeadId(3), LeadState::Failed, Some(Reason::OutsideWindow), false)), "{saved:?}");
}
