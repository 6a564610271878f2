//! An open campaign gets new rules: what applies at once, and what live calls keep.

use super::floor::staffed;
use super::*;
use crate::agent::{Activity, Agent, AgentAction, Endpoint, Group, Holding, Membership, WorkMode};
use crate::campaign::Disposition;
use crate::ids::{AgentId, GroupId};

const OTHER: GroupId = GroupId(2);

impl Desk {
    fn change(&mut self, campaign: Campaign) {
        self.give(Input::CampaignChanged { campaign: Box::new(campaign) });
        assert_eq!(self.dialer.drift(), None);
    }

    /// An agent of the other group, with a leg that is up.
    fn sign_in_to_other_group(&mut self, n: i64) -> CallId {
        self.give(Input::GroupDefined(Group {
            id: OTHER,
            name: "second".into(),
            telephones: true,
            announce_number: true,
            idle_release: None,
            work_mode: None,
            seats: None,
        }));
        self.give(Input::AgentDefined(Box::new(Agent {
            id: AgentId(n),
            number: format!("{}", 8000 + n),
            name: format!("agent {n}"),
            skills: Default::default(),
            groups: vec![Membership { group: OTHER, priority: 1, in_use: true }],
            telephone: None,
            recorded: false,
            leads: false,
        })));
        self.give(Input::PhoneChanged { agent: AgentId(n), ready: true });
        let act = AgentAction::SignIn {
            groups: vec![],
            endpoint: Endpoint::Phone,
            holding: Holding::NailedUp,
            work_mode: WorkMode::Both,
        };
        assert_eq!(self.act(n, act), None);
        let (_, leg) = self.rung().remove(0);
        self.progress(leg, Progress::Answered);
        leg
    }

    fn announcements(&mut self) -> Vec<u32> {
        self.take(|output| match output {
            Output::PlayAnnouncement { plays, .. } => Some(*plays),
            _ => None,
        })
    }
}

fn of_group(mode: Mode, group: GroupId) -> Campaign {
    let mut campaign = staffed(mode);
    campaign.agents.as_mut().expect("agents").group = group;
    campaign
}

#[test]
fn limits_apply_at_once_in_both_directions() {
    let mut desk = Desk::new(Campaign { concurrency_max: Some(1), ..campaign() });
    desk.leads((1..=9).map(lead).collect());
    assert_eq!(desk.requests().len(), 1);
    desk.change(Campaign { concurrency_max: Some(4), ..campaign() });
    assert_eq!((desk.requests().len(), desk.why()), (3, Some(Why::ConcurrencyFull)));
    desk.change(Campaign { concurrency_max: Some(2), ..campaign() });
    assert_eq!((desk.requests().len(), desk.why()), (0, Some(Why::ConcurrencyFull)));
    desk.change(Campaign { concurrency_max: Some(9), calls_per_sec: Some(0.01), ..campaign() });
    assert_eq!(desk.requests().len(), 1);
    desk.wait(Duration::from_secs(2));
    assert_eq!((desk.requests().len(), desk.why()), (0, Some(Why::CallsPerSec)));
    desk.change(Campaign { concurrency_max: Some(9), calls_per_sec: Some(10.0), ..campaign() });
    desk.wait(Duration::from_millis(400));
    assert_eq!(desk.requests().len(), 4, "the slow rate's next start is not waited for");
}

#[test]
fn an_opened_attempt_does_not_leave_outside_the_new_hours() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1), lead(2)]);
    let requests = desk.requests();
    let closed = CallingWindows::daily("Asia/Shanghai", 1_200, 1_260);
    desk.change(Campaign { windows: closed, ..campaign() });
    assert_eq!(desk.why(), Some(Why::OutsideWindow));
    for request in &requests {
        desk.give(Input::AttemptOpened { attempt: request.attempt, verdict: DialVerdict::Opened });
    }
    assert_eq!(desk.placed(), []);
    let results = desk.take(|output| match output {
        Output::SaveResult(result) => Some((**result).clone()),
        _ => None,
    });
    assert_eq!(results.len(), 2);
    for result in results {
        let lead = result.lead.clone().expect("a lead");
        assert_eq!(
            (result.counted, lead.state, lead.next_at),
            (false, LeadState::Open, Some(Utc::default()))
        );
        desk.give(Input::ResultSaved { attempt: result.attempt });
    }
    // The hours open again by the next change.
    desk.change(campaign());
    desk.leads(vec![lead(1), lead(2)]);
    assert_eq!(desk.requests().len(), 2);
}

#[test]
fn a_callee_presses_the_keys_of_the_text_that_was_heard() {
    let mut desk = Desk::new(campaign());
    desk.leads(vec![lead(1), lead(2)]);
    let requests = desk.requests();
    for request in &requests {
        desk.give(Input::AttemptOpened { attempt: request.attempt, verdict: DialVerdict::Opened });
    }
    let calls = desk.placed();
    desk.progress(calls[0], Progress::Answered);
    desk.give(Input::AnswerSaved { call: calls[0] });
    let mut changed = campaign();
    let one = Digit::from_char('1').expect("a key");
    changed.keys = [(one, KeyRule { result: Some("against".into()), ..KeyRule::default() })].into();
    changed.announcement.as_mut().expect("a text").plays = 1;
    desk.change(changed);
    desk.progress(calls[1], Progress::Answered);
    desk.give(Input::AnswerSaved { call: calls[1] });
    assert_eq!(desk.announcements(), [2, 1]);
    for (call, said) in calls.into_iter().zip(["agree", "against"]) {
        desk.press(call, '1');
        desk.progress(call, ended(Outcome::Answered, 200));
        assert_eq!(desk.result().result.as_deref(), Some(said));
    }
    assert!(desk.dialer.campaigns[&ID].former_texts.is_empty(), "nobody hears the old text any more");
}

#[test]
fn a_call_placed_for_the_announcement_hears_it_and_is_not_abandoned() {
    let mut desk = Desk::floor(campaign());
    desk.nailed_up(1);
    desk.leads((1..=5).map(lead).collect());
    let calls = desk.place_all();
    calls.iter().for_each(|call| desk.progress(*call, Progress::Ringing));
    desk.change(staffed(Mode::Predictive));
    let view = desk.dialer.view(ID);
    assert_eq!(view.numbers.pending, 0, "they need no agent");
    calls.iter().for_each(|call| desk.answer(*call));
    assert_eq!(desk.announcements().len(), 5);
    assert_eq!(desk.activity(1), Activity::Idle);
    for call in calls {
        desk.press(call, '1');
        desk.progress(call, ended(Outcome::Answered, 200));
        let result = desk.result();
        assert_eq!((result.outcome, result.result.as_deref()), (Outcome::Answered, Some("agree")));
    }
    assert_eq!(desk.dialer.view(ID).abandon.expect("agents").braking().abandoned, 0.0);
}

#[test]
fn the_pacer_keeps_what_it_learnt_and_drops_its_plan() {
    let mut desk = Desk::floor(staffed(Mode::Predictive));
    desk.nailed_up(1);
    desk.leads((1..=40).map(lead).collect());
    for _ in 0..10 {
        for call in desk.place_all() {
            desk.now += Duration::from_secs(9);
            desk.progress(call, ended(Outcome::NoAnswer, 480));
            desk.result();
        }
    }
    let pacer = desk.dialer.campaigns[&ID].pacer.clone().expect("a pacer");
    let mut changed = staffed(Mode::Predictive);
    changed.pacing.abandon_rate_max = 0.01;
    let run = desk.dialer.campaigns.get_mut(&ID).expect("the campaign");
    run.change_rules(desk.now, changed.clone());
    assert_eq!(run.planned, None);
    let mut expected = pacer;
    expected.set_rules(run.pacer.as_ref().expect("a pacer").rules().clone());
    assert_eq!(run.pacer, Some(expected));
    assert_eq!(run.pacer.as_ref().expect("a pacer").rules().abandon_rate_max, 0.01);
    desk.change(Campaign { mode: Mode::Progressive, ..changed.clone() });
    assert_eq!(desk.dialer.campaigns[&ID].pacer, None);
    desk.change(changed);
    assert!(desk.dialer.campaigns[&ID].pacer.is_some());
}

#[test]
fn a_group_change_asks_the_new_groups_agents_and_talks_go_on() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.nailed_up(1);
    desk.sign_in_to_other_group(2);
    desk.leads(vec![lead(1), lead(2)]);
    let talking = desk.place_all()[0];
    desk.answer(talking);
    assert_eq!(desk.activity(1), Activity::Talking);
    desk.change(of_group(Mode::Progressive, OTHER));
    let next = desk.place_all();
    assert_eq!(next.len(), 1, "the other group's agent is idle");
    desk.answer(next[0]);
    assert_eq!((desk.activity(1), desk.activity(2)), (Activity::Talking, Activity::Talking));
    desk.progress(talking, ended(Outcome::Answered, 200));
    assert_eq!(desk.result().agent, Some(AgentId(1)));
    assert_eq!(desk.activity(1), Activity::WrapUp);
    assert_eq!(desk.summarise(1, "voted"), None);
    desk.leads(vec![lead(3)]);
    assert_eq!((desk.requests().len(), desk.why()), (0, Some(Why::AgentsBusy)), "the old group is not asked");
}

#[test]
fn a_ringing_call_of_the_old_group_goes_to_the_new_one() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.nailed_up(1);
    desk.sign_in_to_other_group(2);
    desk.leads(vec![lead(1)]);
    let call = desk.place_all()[0];
    desk.change(of_group(Mode::Progressive, OTHER));
    desk.answer(call);
    assert_eq!((desk.activity(1), desk.activity(2)), (Activity::Idle, Activity::Talking));
}

#[test]
fn previews_of_the_old_mode_and_group_go_back() {
    for changed in [staffed(Mode::Progressive), of_group(Mode::Preview, OTHER)] {
        let mut desk = Desk::floor(staffed(Mode::Preview));
        desk.nailed_up(1);
        desk.leads(vec![lead(1)]);
        assert_eq!(desk.activity(1), Activity::Reserved);
        let progressive = changed.mode == Mode::Progressive;
        desk.change(changed);
        assert_eq!(desk.requests().len(), usize::from(progressive), "the lead is in the hopper again");
        assert_eq!(desk.activity(1), Activity::Idle);
    }
}

#[test]
fn a_disposition_given_in_the_call_keeps_its_meaning() {
    let (mut desk, call, _) = Desk::talking();
    assert_eq!(desk.summarise(1, "voted"), None);
    let mut changed = staffed(Mode::Progressive);
    let rules = changed.agents.as_mut().expect("agents");
    rules.dispositions =
        vec![Disposition { code: "ja".into(), label: "ja".into(), ..rules.dispositions[1].clone() }];
    rules.disposition_default = Some("ja".into());
    desk.change(changed);
    desk.progress(call, ended(Outcome::Answered, 200));
    let summary = desk.summaries().remove(0);
    assert_eq!(summary.summary.disposition, "voted");
    assert_eq!(summary.lead.expect("a lead").state, LeadState::Done);
}

#[test]
fn a_campaign_that_loses_its_agents_ends_its_talks_as_they_began() {
    let (mut desk, call, _) = Desk::talking();
    desk.change(campaign());
    desk.wait(Duration::from_secs(10));
    desk.progress(call, ended(Outcome::Answered, 200));
    desk.result();
    assert_eq!(desk.activity(1), Activity::WrapUp);
    assert_eq!(desk.summarise(1, "unsaid"), None);
    assert_eq!(desk.summaries().remove(0).lead.expect("a lead").state, LeadState::Failed);
}

#[test]
fn rules_of_an_unknown_campaign_change_nothing() {
    let mut desk = Desk::new(campaign());
    desk.change(Campaign { id: CampaignId(99), ..staffed(Mode::Ratio) });
    assert_eq!(desk.dialer.campaigns.len(), 1);
    assert_eq!(desk.dialer.campaigns[&ID].rules, campaign());
}
