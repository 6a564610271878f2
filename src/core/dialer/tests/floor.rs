//! The floor step by step: sign-in, queue, bridge, hold, consult, transfer, supervision, wrap-up, preview.

use super::*;
use crate::agent::{
    Activity, Agent, AgentAction, Availability, CallSummary, CallbackRequest, ConsultTarget, Endpoint, Force,
    Group, Holding, Membership, NoCallsReason, Refusal, SeatView, Strategy, Supervision, WorkMode, WrapUp,
};
use crate::campaign::{AgentRules, Disposition, Preview, Recorded};
use crate::dialer::output::{SoundName, SummaryRecord};
use crate::ids::{AgentId, GroupId, MixId};
use crate::media::Voice;
use std::collections::BTreeSet;

pub(super) const GROUP: GroupId = GroupId(1);

fn disposition(code: &str, state: LeadState) -> Disposition {
    Disposition {
        code: code.into(),
        label: code.into(),
        state,
        retry: None,
        do_not_call: false,
        wrong_number: false,
        machine: false,
    }
}

pub(super) fn staffed(mode: Mode) -> Campaign {
    Campaign {
        mode,
        announcement: None,
        keys: Default::default(),
        agents: Some(AgentRules {
            group: GROUP,
            strategy: Strategy::LongestIdle,
            wrap_up: WrapUp::Answered,
            wrap_up_len: Duration::from_secs(20),
            ring: Duration::from_secs(10),
            announce_number: true,
            prefer_last: true,
            preview: Preview::Click,
            wait: Duration::from_secs(60),
            recorded: Recorded::PerAgent,
            dispositions: vec![
                disposition("voted", LeadState::Done),
                disposition("unsaid", LeadState::Failed),
                Disposition {
                    retry: Some(Duration::from_secs(600)),
                    ..disposition("cannot_hear", LeadState::Open)
                },
                Disposition { wrong_number: true, ..disposition("wrong_number", LeadState::Failed) },
                Disposition { do_not_call: true, ..disposition("never_again", LeadState::Failed) },
                Disposition { machine: true, ..disposition("mailbox", LeadState::Failed) },
            ],
            disposition_required: true,
            disposition_default: Some("unsaid".into()),
        }),
        ..campaign()
    }
}

fn agent(n: i64) -> Agent {
    Agent {
        id: AgentId(n),
        number: format!("{}", 8000 + n),
        name: format!("agent {n}"),
        skills: BTreeSet::new(),
        groups: vec![Membership { group: GROUP, priority: n as u8, in_use: true }],
        telephone: None,
        recorded: false,
        leads: n == 9,
    }
}

impl Desk {
    pub(super) fn floor(campaign: Campaign) -> Self {
        let mut desk = Desk::new(campaign);
        desk.give(Input::GroupDefined(Group {
            id: GROUP,
            name: "vote-team".into(),
            telephones: true,
            announce_number: true,
            idle_release: None,
            work_mode: None,
            seats: None,
        }));
        desk
    }

    pub(super) fn act(&mut self, n: i64, act: AgentAction) -> Option<Refusal> {
        self.give(Input::AgentActed { request: 1, agent: AgentId(n), action: act });
        let answers = self.take(|output| match output {
            Output::ActionAnswered { refusal, .. } => Some(*refusal),
            _ => None,
        });
        assert_eq!(answers.len(), 1, "every act is answered once");
        answers[0]
    }

    pub(super) fn sign_in(&mut self, n: i64, holding: Holding) {
        self.give(Input::AgentDefined(Box::new(agent(n))));
        self.give(Input::PhoneChanged { agent: AgentId(n), ready: true });
        let act = AgentAction::SignIn {
            groups: vec![],
            endpoint: Endpoint::Phone,
            holding,
            work_mode: WorkMode::Both,
        };
        assert_eq!(self.act(n, act), None);
    }

    pub(super) fn rung(&mut self) -> Vec<(AgentId, CallId)> {
        self.take(|output| match output {
            Output::CallAgent { leg, agent, .. } => Some((*agent, *leg)),
            _ => None,
        })
    }

    /// Signs in with a nailed-up leg, which the phone answers.
    pub(super) fn nailed_up(&mut self, n: i64) -> CallId {
        self.sign_in(n, Holding::NailedUp);
        let rung = self.rung();
        assert_eq!(rung.len(), 1);
        assert_eq!(rung[0].0, AgentId(n));
        self.progress(rung[0].1, Progress::Answered);
        rung[0].1
    }

    pub(super) fn seat(&self, n: i64) -> SeatView {
        self.dialer.seats().into_iter().find(|seat| seat.agent == AgentId(n)).expect("a seat")
    }

    pub(super) fn activity(&self, n: i64) -> Activity {
        self.seat(n).activity
    }

    fn joins(&mut self) -> Vec<(CallId, MixId, Voice)> {
        self.take(|output| match output {
            Output::Join { leg, mix, voice } => Some((*leg, *mix, *voice)),
            _ => None,
        })
    }

    fn plays(&mut self) -> Vec<(CallId, SoundName)> {
        self.take(|output| match output {
            Output::Play { leg, sound } => Some((*leg, sound.clone())),
            _ => None,
        })
    }

    pub(super) fn summaries(&mut self) -> Vec<SummaryRecord> {
        self.take(|output| match output {
            Output::SaveSummary(record) => Some((**record).clone()),
            _ => None,
        })
    }

    pub(super) fn dials(&mut self, n: i64) {
        assert_eq!(self.act(n, AgentAction::Dial), None);
    }

    pub(super) fn summarise(&mut self, n: i64, code: &str) -> Option<Refusal> {
        let summary = CallSummary { disposition: code.into(), note: String::new(), callback: None };
        self.act(n, AgentAction::Summarise(summary))
    }

    pub(super) fn place_all(&mut self) -> Vec<CallId> {
        let requests = self.requests();
        for request in &requests {
            self.give(Input::AttemptOpened { attempt: request.attempt, verdict: DialVerdict::Opened });
        }
        self.placed();
        requests.iter().map(|request| request.attempt.call()).collect()
    }

    pub(super) fn answer(&mut self, call: CallId) {
        self.progress(call, Progress::Ringing);
        self.progress(call, Progress::Answered);
        self.give(Input::AnswerSaved { call });
    }

    /// One nailed-up agent in conversation with the callee of lead 1.
    pub(super) fn talking() -> (Desk, CallId, CallId) {
        let mut desk = Desk::floor(staffed(Mode::Progressive));
        let leg = desk.nailed_up(1);
        desk.leads(vec![lead(1)]);
        let call = desk.place_all()[0];
        desk.answer(call);
        assert_eq!(desk.activity(1), Activity::Talking);
        (desk, call, leg)
    }
}

#[test]
fn a_callee_who_answers_talks_with_a_nailed_up_agent_at_once() {
    let (mut desk, call, leg) = Desk::talking();
    let mix = MixId(call.0);
    assert_eq!(desk.joins(), [(call, mix, Voice::Everyone), (leg, mix, Voice::Everyone)]);
    let announced = (call, SoundName::AgentNumber("8001".into()));
    assert!(desk.plays().contains(&announced));
    desk.wait(Duration::from_secs(30));
    desk.progress(call, ended(Outcome::Answered, 200));
    let result = desk.result();
    assert_eq!((result.outcome, result.agent), (Outcome::Answered, Some(AgentId(1))));
    assert!(result.connected_at.is_some());
    assert_eq!(desk.activity(1), Activity::WrapUp);
    assert_eq!(desk.summarise(1, "voted"), None);
    let summary = desk.summaries().remove(0);
    assert_eq!(summary.lead.expect("a lead").state, LeadState::Done);
    assert_eq!(desk.activity(1), Activity::Idle);
    assert!(desk.seat(1).talked >= Duration::from_secs(30));
}

#[test]
fn lines_follow_the_ratio_and_the_idle_agents() {
    let mut campaign = staffed(Mode::Ratio);
    campaign.pacing.abandon_rate_max = 1.0;
    let mut desk = Desk::floor(campaign);
    desk.leads((1..=20).map(lead).collect());
    assert_eq!((desk.requests().len(), desk.why()), (0, Some(Why::NoAgents)));
    desk.nailed_up(1);
    let calls = desk.place_all();
    assert_eq!((calls.len(), desk.why()), (2, Some(Why::LinesOut)));
    calls.into_iter().for_each(|call| desk.progress(call, Progress::Ringing));
    desk.nailed_up(2);
    assert_eq!(
        (desk.place_all().len(), desk.why()),
        (2, Some(Why::LinesOut)),
        "calls already out are counted in"
    );
    desk.act(2, AgentAction::Pause { reason: "lunch".into() });
    desk.wait(Duration::from_secs(1));
    assert_eq!(desk.requests().len(), 0);
}

#[test]
fn a_ceiling_is_kept_from_the_first_minute() {
    let mut desk = Desk::floor(staffed(Mode::Ratio));
    desk.leads((1..=9).map(lead).collect());
    desk.nailed_up(1);
    assert_eq!((desk.place_all().len(), desk.why()), (1, Some(Why::AbandonBudget)));
}

#[test]
fn no_free_agent_within_the_wait_abandons_the_call_with_the_sorry_message() {
    let mut campaign = staffed(Mode::Ratio);
    campaign.pacing.abandon_rate_max = 1.0;
    let mut desk = Desk::floor(campaign);
    desk.nailed_up(1);
    desk.leads((1..=2).map(lead).collect());
    let calls = desk.place_all();
    desk.answer(calls[0]);
    desk.answer(calls[1]);
    desk.plays();
    desk.wait(Duration::from_millis(1_999));
    assert_eq!(desk.plays(), []);
    desk.wait(Duration::from_millis(1));
    assert_eq!(desk.plays(), [(calls[1], SoundName::Sorry(ID))]);
    desk.give(Input::MediaHeard { call: calls[1], heard: Heard::PlayEnded });
    assert_eq!(desk.hang_ups(), [HangUpCause::Abandoned]);
    desk.progress(calls[1], ended(Outcome::Answered, 200));
    let result = desk.result();
    assert_eq!((result.outcome, result.agent), (Outcome::Abandoned, None));
}

#[test]
fn a_phone_that_does_not_answer_gives_the_callee_to_the_next_agent() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.sign_in(1, Holding::PerCall);
    desk.leads(vec![lead(1)]);
    let call = desk.place_all()[0];
    desk.sign_in(2, Holding::PerCall);
    desk.answer(call);
    let first = desk.rung();
    assert_eq!(first[0].0, AgentId(1));
    assert_eq!(desk.activity(1), Activity::Ringing);
    desk.progress(first[0].1, ended(Outcome::NoAnswer, 487));
    let second = desk.rung();
    assert_eq!(second[0].0, AgentId(2));
    desk.progress(second[0].1, Progress::Answered);
    assert_eq!((desk.activity(1), desk.activity(2)), (Activity::Idle, Activity::Talking));
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.result().agent, Some(AgentId(2)));
}

#[test]
fn ring_all_rings_every_free_agent_and_the_first_to_answer_talks() {
    let mut campaign = staffed(Mode::Progressive);
    campaign.agents.as_mut().expect("agents").strategy = Strategy::RingAll;
    let mut desk = Desk::floor(campaign);
    for n in 1..=3 {
        desk.sign_in(n, Holding::PerCall);
    }
    desk.leads(vec![lead(1)]);
    let call = desk.place_all()[0];
    desk.answer(call);
    let rung = desk.rung();
    assert_eq!(rung.len(), 3);
    desk.progress(rung[1].1, Progress::Answered);
    assert_eq!(desk.activity(2), Activity::Talking);
    assert_eq!((desk.activity(1), desk.activity(3)), (Activity::Idle, Activity::Idle));
    assert_eq!(desk.hang_ups().len(), 2, "the other phones stop");
}

#[test]
fn two_missed_calls_pause_an_agent() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.sign_in(1, Holding::PerCall);
    for n in 1..=2 {
        desk.leads(vec![lead(n)]);
        let call = desk.place_all()[0];
        desk.answer(call);
        let leg = desk.rung()[0].1;
        desk.progress(leg, ended(Outcome::NoAnswer, 487));
        desk.wait(Duration::from_secs(3));
        desk.progress(call, ended(Outcome::Answered, 200));
        assert_eq!(desk.result().outcome, Outcome::AgentFailed);
    }
    assert!(matches!(desk.seat(1).availability, Availability::Paused { .. }));
    assert_eq!(desk.seat(1).no_calls, Some(NoCallsReason::Paused));
}

#[test]
fn an_agents_hang_up_ends_the_call_and_is_recorded_as_theirs() {
    for by_phone in [false, true] {
        let (mut desk, call, leg) = Desk::talking();
        if by_phone {
            desk.progress(leg, ended(Outcome::Answered, 200));
        } else {
            assert_eq!(desk.act(1, AgentAction::HangUp { leg: None }), None);
        }
        assert_eq!(desk.hang_ups(), [HangUpCause::AgentHungUp]);
        let by = EndedBy::Dialer;
        let over = Ended { by, ..ended_of(ended(Outcome::Answered, 200)) };
        desk.progress(call, Progress::Ended(over));
        assert_eq!(desk.result().ended_by, EndedBy::Agent, "by phone: {by_phone}");
        assert_eq!(desk.activity(1), Activity::WrapUp);
        // The nailed-up leg is raised again once the agent is free.
        desk.wait(Duration::from_secs(20));
        assert_eq!(desk.rung().len(), usize::from(by_phone));
    }
}

fn ended_of(progress: Progress) -> Ended {
    match progress {
        Progress::Ended(ended) => ended,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_broken_agent_leg_gives_the_callee_to_the_next_agent() {
    let (mut desk, call, leg) = Desk::talking();
    let second = desk.nailed_up(2);
    desk.joins();
    let broken = Ended { by: EndedBy::Dialer, ..ended_of(ended(Outcome::Answered, 200)) };
    desk.progress(leg, Progress::Ended(broken));
    assert_eq!(desk.activity(2), Activity::Talking);
    let mix = MixId(call.0);
    assert_eq!(desk.joins(), [(call, mix, Voice::Everyone), (second, mix, Voice::Everyone)]);
    assert_eq!(desk.rung(), [(AgentId(1), CallId::side_leg(3))], "her own leg is raised again");
}

#[test]
fn on_hold_both_hear_music_and_no_speech_passes() {
    let (mut desk, call, leg) = Desk::talking();
    desk.plays();
    desk.joins();
    assert_eq!(desk.act(1, AgentAction::Hold), None);
    assert_eq!(desk.plays(), [(call, SoundName::HoldMusic), (leg, SoundName::HoldMusic)]);
    let left = desk.take(|output| match output {
        Output::Leave { leg } => Some(*leg),
        _ => None,
    });
    assert_eq!(left, [call, leg]);
    assert_eq!(desk.act(1, AgentAction::Retrieve), None);
    assert_eq!(desk.joins().len(), 2);
}

#[test]
fn a_consulted_colleague_takes_the_call_over() {
    let (mut desk, call, leg) = Desk::talking();
    let consulted = desk.nailed_up(2);
    desk.joins();
    let target = ConsultTarget::Agent(AgentId(2));
    assert_eq!(desk.act(1, AgentAction::Consult { target }), None);
    assert_eq!((desk.activity(1), desk.activity(2)), (Activity::Consulting, Activity::Consulting));
    let consult = desk.joins();
    assert_eq!(consult.iter().map(|join| join.0).collect::<Vec<_>>(), [consulted, leg]);
    assert!(consult.iter().all(|join| join.1 != MixId(call.0)), "the callee does not hear them");
    assert_eq!(desk.act(1, AgentAction::Transfer), None);
    assert_eq!((desk.activity(1), desk.activity(2)), (Activity::WrapUp, Activity::Talking));
    let mix = MixId(call.0);
    assert_eq!(desk.joins(), [(call, mix, Voice::Everyone), (consulted, mix, Voice::Everyone)]);
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.result().agent, Some(AgentId(2)));
    assert_eq!(desk.activity(2), Activity::WrapUp);
}

#[test]
fn an_outside_number_is_consulted_cancelled_and_joined() {
    let (mut desk, call, _) = Desk::talking();
    let outside = number(99);
    let consult_outside = |desk: &mut Desk| {
        assert_eq!(desk.act(1, AgentAction::Consult { target: ConsultTarget::Number(outside) }), None);
        let legs = desk.take(|output| match output {
            Output::CallConsulted { leg, number, .. } => Some((*leg, *number)),
            _ => None,
        });
        assert_eq!(legs[0].1, outside);
        legs[0].0
    };
    let leg = consult_outside(&mut desk);
    assert_eq!(desk.act(1, AgentAction::Transfer), Some(Refusal::NobodyConsulted));
    desk.progress(leg, Progress::Answered);
    assert_eq!(desk.act(1, AgentAction::CancelConsult), None);
    assert_eq!(desk.activity(1), Activity::Talking);
    let leg = consult_outside(&mut desk);
    desk.progress(leg, Progress::Answered);
    desk.joins();
    assert_eq!(desk.act(1, AgentAction::Conference), None);
    let mix = MixId(call.0);
    assert!(desk.joins().iter().all(|join| join.1 == mix));
    assert_eq!(desk.seat(1).work.expect("a call").parties.len(), 3);
    assert_eq!(desk.act(1, AgentAction::Transfer), None);
    assert_eq!(desk.activity(1), Activity::WrapUp);
    desk.hang_ups();
    desk.progress(leg, ended(Outcome::Answered, 200));
    assert_eq!(desk.hang_ups(), [HangUpCause::AgentHungUp], "the callee is not left alone");
}

#[test]
fn a_shift_lead_listens_whispers_steps_in_and_takes_over() {
    let (mut desk, call, leg) = Desk::talking();
    let own = desk.nailed_up(9);
    desk.joins();
    let mix = MixId(call.0);
    let supervise = |how| AgentAction::Supervise { agent: AgentId(1), how };
    assert_eq!(desk.act(1, supervise(Supervision::Listen)), Some(Refusal::NotAllowed));
    for (how, voice) in [
        (Supervision::Listen, Voice::Nobody),
        (Supervision::Whisper, Voice::Only(leg)),
        (Supervision::Barge, Voice::Everyone),
    ] {
        assert_eq!(desk.act(9, supervise(how)), None);
        assert_eq!(desk.joins(), [(own, mix, voice)]);
    }
    assert_eq!(desk.act(9, supervise(Supervision::TakeOver)), None);
    assert_eq!((desk.activity(1), desk.activity(9)), (Activity::WrapUp, Activity::Talking));
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.result().agent, Some(AgentId(9)));
}

#[test]
fn a_shift_lead_forces_what_the_state_allows() {
    let (mut desk, call, _) = Desk::talking();
    desk.nailed_up(9);
    let force = |what| AgentAction::Force { agent: AgentId(1), what };
    assert_eq!(desk.act(9, force(Force::SignOut)), Some(Refusal::Busy));
    assert_eq!(desk.act(9, force(Force::Pause { reason: "meeting".into() })), None);
    assert_eq!(desk.activity(1), Activity::Talking, "the call goes on");
    assert_eq!(desk.act(9, force(Force::Release)), None);
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.activity(1), Activity::WrapUp);
    assert_eq!(desk.act(9, force(Force::Ready)), None);
    assert_eq!((desk.activity(1), desk.seat(1).availability), (Activity::Idle, Availability::Available));
    assert_eq!(desk.summaries().len(), 1, "the default stands for what was not said");
    assert_eq!(desk.act(9, force(Force::SignOut)), None);
    assert_eq!(desk.seat(1).availability, Availability::SignedOut);
}

#[test]
fn a_pause_in_wrap_up_keeps_the_next_call_away() {
    let (mut desk, call, _) = Desk::talking();
    desk.progress(call, ended(Outcome::Answered, 200));
    desk.result();
    assert_eq!(desk.act(1, AgentAction::Pause { reason: String::new() }), Some(Refusal::ReasonMissing));
    assert_eq!(desk.act(1, AgentAction::Pause { reason: "tea".into() }), None);
    desk.leads(vec![lead(2)]);
    assert_eq!(desk.summarise(1, "voted"), None);
    assert_eq!((desk.activity(1), desk.requests().len()), (Activity::Idle, 0));
    assert_eq!(desk.act(1, AgentAction::Ready), None);
    assert_eq!(desk.requests().len(), 1);
}

#[test]
fn a_wrap_up_that_runs_out_saves_the_marked_default() {
    let (mut desk, call, _) = Desk::talking();
    desk.progress(call, ended(Outcome::Answered, 200));
    desk.result();
    assert_eq!(desk.act(1, AgentAction::Next), Some(Refusal::SummaryMissing));
    assert_eq!(desk.act(1, AgentAction::Extend), None);
    desk.wait(Duration::from_secs(39));
    assert_eq!(desk.activity(1), Activity::WrapUp);
    desk.wait(Duration::from_secs(1));
    assert_eq!(desk.activity(1), Activity::Idle);
    let summary = desk.summaries().remove(0);
    assert_eq!((summary.summary.disposition.as_str(), summary.defaulted), ("unsaid", true));
}

#[test]
fn dispositions_decide_what_becomes_of_the_lead() {
    let two_phones = || {
        let mut lead = lead(1);
        lead.phones.push(Phone::new(number(77)));
        lead
    };
    for (code, phones, state, retried) in [
        ("voted", 1, LeadState::Done, false),
        ("cannot_hear", 1, LeadState::Open, true),
        ("wrong_number", 1, LeadState::Failed, false),
        ("wrong_number", 2, LeadState::Open, true),
        ("never_again", 1, LeadState::Failed, false),
    ] {
        let mut desk = Desk::floor(staffed(Mode::Progressive));
        desk.nailed_up(1);
        desk.leads(vec![if phones == 1 { lead(1) } else { two_phones() }]);
        let call = desk.place_all()[0];
        desk.answer(call);
        assert_eq!(desk.summarise(1, "nonsense"), Some(Refusal::UnknownDisposition));
        assert_eq!(desk.summarise(1, code), None, "{code}");
        assert_eq!(desk.activity(1), Activity::Talking, "during the call it is kept");
        desk.progress(call, ended(Outcome::Answered, 200));
        desk.result();
        let update = desk.summaries().remove(0).lead.expect("a lead");
        assert_eq!((update.state, update.next_at.is_some()), (state, retried), "{code}, {phones} phones");
        let blacklisted = desk.take(|output| matches!(output, Output::Blacklist { .. }).then_some(()));
        assert_eq!(blacklisted.len(), usize::from(code == "never_again"));
        assert_eq!(desk.activity(1), Activity::Idle);
    }
}

#[test]
fn a_booked_callback_reaches_the_agent_who_booked_it() {
    let (mut desk, call, _) = Desk::talking();
    desk.nailed_up(2);
    desk.progress(call, ended(Outcome::Answered, 200));
    desk.result();
    let book = |at| {
        let callback = Some(CallbackRequest { at, own: true, skill: None });
        AgentAction::Summarise(CallSummary { disposition: "voted".into(), note: "later".into(), callback })
    };
    assert_eq!(desk.act(1, book(MORNING)), Some(Refusal::CallbackInThePast));
    let at = MORNING + Duration::from_secs(3600);
    assert_eq!(desk.act(1, book(at)), None);
    let update = desk.summaries().remove(0).lead.expect("a lead");
    assert_eq!((update.state, update.next_at), (LeadState::FollowUp, Some(at)));
    desk.wait(Duration::from_secs(3600));
    let mut due = lead(1);
    (due.callback, due.next_at) = (update.callback, update.next_at);
    desk.leads(vec![due]);
    assert_eq!((desk.activity(1), desk.activity(2)), (Activity::Reserved, Activity::Idle));
    let call = desk.place_all()[0];
    desk.answer(call);
    assert_eq!(desk.activity(1), Activity::Talking);
}

#[test]
fn a_preview_is_dialled_when_the_agent_says_so() {
    let mut desk = Desk::floor(staffed(Mode::Preview));
    let leg = desk.nailed_up(1);
    desk.leads(vec![lead(1), lead(2)]);
    assert_eq!(desk.activity(1), Activity::Reserved);
    assert_eq!(desk.seat(1).work.expect("a preview").lead, Some(LeadId(1)));
    assert_eq!(desk.act(1, AgentAction::Skip), None);
    assert_eq!(desk.seat(1).work.expect("a preview").lead, Some(LeadId(2)));
    assert_eq!(desk.requests().len(), 0, "nothing is dialled by itself");
    assert_eq!(desk.act(1, AgentAction::Dial), None);
    let call = desk.place_all()[0];
    assert!(desk.plays().contains(&(leg, SoundName::RingBack)));
    desk.answer(call);
    assert_eq!(desk.activity(1), Activity::Talking);
    desk.progress(call, ended(Outcome::Answered, 200));
    desk.result();
    desk.summarise(1, "voted");
    assert_eq!(desk.seat(1).work.expect("a preview").lead, Some(LeadId(1)), "the skipped one came back");
}

#[test]
fn a_timed_preview_dials_by_itself_and_can_be_extended() {
    let mut campaign = staffed(Mode::Preview);
    let (countdown, step) = (Duration::from_secs(10), Duration::from_secs(5));
    campaign.agents.as_mut().expect("agents").preview = Preview::Timed { countdown, step };
    let mut desk = Desk::floor(campaign);
    desk.nailed_up(1);
    desk.leads(vec![lead(1)]);
    assert_eq!(desk.act(1, AgentAction::Extend), None);
    desk.wait(Duration::from_millis(14_999));
    assert_eq!(desk.requests().len(), 0);
    desk.wait(Duration::from_millis(1));
    assert_eq!(desk.requests().len(), 1);
}

#[test]
fn a_click_rings_the_agent_first_and_a_phone_that_fails_uses_no_lead() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.sign_in(1, Holding::PerCall);
    let click = AgentAction::Call { campaign: ID, number: number(5) };
    assert_eq!(desk.act(1, click.clone()), None);
    let leg = desk.rung()[0].1;
    assert_eq!(desk.requests().len(), 0, "her phone comes first");
    desk.progress(leg, ended(Outcome::NoAnswer, 487));
    assert_eq!((desk.activity(1), desk.requests().len()), (Activity::Idle, 0));
    assert_eq!(desk.act(1, click), None);
    let leg = desk.rung()[0].1;
    desk.progress(leg, Progress::Answered);
    let call = desk.place_all()[0];
    desk.progress(call, Progress::Ringing);
    // The agent's leg breaks while the callee's phone rings (B23).
    desk.progress(leg, ended(Outcome::Answered, 200));
    assert_eq!(desk.hang_ups(), [HangUpCause::AgentFailed]);
    let over = Ended { by: EndedBy::Dialer, ..ended_of(ended(Outcome::AgentFailed, 487)) };
    desk.progress(call, Progress::Ended(over));
    let result = desk.result();
    assert_eq!((result.outcome, result.counted), (Outcome::AgentFailed, false));
}

#[test]
fn an_agent_who_signs_out_in_a_call_leaves_after_it() {
    let (mut desk, call, _) = Desk::talking();
    assert_eq!(desk.act(1, AgentAction::SignOut), None);
    assert!(desk.seat(1).leaving);
    desk.progress(call, ended(Outcome::Answered, 200));
    desk.result();
    desk.summarise(1, "voted");
    assert_eq!(desk.seat(1).availability, Availability::SignedOut);
    assert_eq!(desk.hang_ups().len(), 1, "her leg ends with her shift");
    assert_eq!(desk.summarise(1, "voted"), Some(Refusal::NotSignedIn));
}

#[test]
fn another_phone_takes_the_call_over_without_losing_the_seat() {
    let (mut desk, call, _) = Desk::talking();
    let endpoint = Endpoint::Telephone(number(4242));
    assert_eq!(desk.act(1, AgentAction::ChangeEndpoint { endpoint, holding: Holding::NailedUp }), None);
    let rung = desk.rung();
    assert_eq!(rung.len(), 1);
    desk.joins();
    desk.progress(rung[0].1, Progress::Answered);
    let mix = MixId(call.0);
    assert_eq!(desk.joins(), [(call, mix, Voice::Everyone), (rung[0].1, mix, Voice::Everyone)]);
    assert_eq!(desk.activity(1), Activity::Talking);
}

#[test]
fn a_key_transfers_the_callee_from_the_announcement_to_an_agent() {
    let mut campaign = staffed(Mode::Progressive);
    campaign.mode = Mode::Announce;
    campaign.announcement = super::campaign().announcement;
    let zero = Digit::from_char('0').expect("a key");
    campaign.keys = [(zero, KeyRule { agents: true, ..KeyRule::default() })].into();
    let mut desk = Desk::floor(campaign);
    desk.leads(vec![lead(1)]);
    let call = desk.answered();
    desk.press(call, '0');
    assert_eq!(desk.plays(), [(call, SoundName::HoldMusic)]);
    desk.wait(Duration::from_secs(30));
    desk.nailed_up(1);
    assert_eq!(desk.activity(1), Activity::Talking);
}

#[test]
fn a_seat_that_stays_idle_is_released() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.give(Input::GroupDefined(Group {
        id: GROUP,
        name: "floating".into(),
        telephones: false,
        announce_number: true,
        idle_release: Some(Duration::from_secs(600)),
        work_mode: None,
        seats: Some(1),
    }));
    desk.nailed_up(1);
    desk.give(Input::AgentDefined(Box::new(agent(2))));
    desk.give(Input::PhoneChanged { agent: AgentId(2), ready: true });
    let sign_in = AgentAction::SignIn {
        groups: vec![],
        endpoint: Endpoint::Phone,
        holding: Holding::NailedUp,
        work_mode: WorkMode::Both,
    };
    assert_eq!(desk.act(2, sign_in.clone()), Some(Refusal::SeatsTaken));
    desk.wait(Duration::from_secs(600));
    assert_eq!(desk.seat(1).availability, Availability::SignedOut);
    assert_eq!(desk.act(2, sign_in), None);
}

#[test]
fn an_inbound_caller_reaches_the_agent_who_called_them() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.nailed_up(1);
    desk.nailed_up(2);
    let call = CallId(1 << 63 | 5);
    let known = Some(crate::dialer::input::KnownCaller {
        campaign: ID,
        lead: Some(lead(1)),
        agent: Some(AgentId(2)),
    });
    let number = Some(number(1));
    let arrived = crate::dialer::input::ArrivedCall { call, trunk: TrunkId(0), number, known };
    desk.give(Input::CallArrived(Box::new(arrived)));
    desk.progress(call, Progress::Answered);
    assert_eq!((desk.activity(1), desk.activity(2)), (Activity::Idle, Activity::Talking));
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.activity(2), Activity::WrapUp);
    assert_eq!(desk.summarise(2, "voted"), None);
    let record = desk.summaries().remove(0);
    assert!(record.inbound);
    assert_eq!(record.lead.expect("the lead").lead, LeadId(1));
}

#[test]
fn a_predictive_campaign_places_ahead_of_its_agents_and_says_why() {
    let mut desk = Desk::floor(staffed(Mode::Predictive));
    desk.leads((1..=9).map(lead).collect());
    assert_eq!((desk.requests().len(), desk.why()), (0, Some(Why::NoAgents)));
    desk.nailed_up(1);
    let calls = desk.place_all();
    assert!(!calls.is_empty(), "an idle agent gets a call: {:?}", desk.why());
    assert!(desk.dialer.view(ID).reason.is_some(), "with the numbers behind it");
    calls.iter().for_each(|call| desk.progress(*call, Progress::Ringing));
    desk.answer(calls[0]);
    assert_eq!(desk.activity(1), Activity::Talking);
    // With all agents paused no call is placed, whatever the model expects.
    desk.act(1, AgentAction::Pause { reason: "lunch".into() });
    desk.requests();
    desk.wait(Duration::from_secs(60));
    assert_eq!(desk.requests().len(), 0);
    assert_eq!(desk.why(), Some(Why::NoAgents));
}
