//! Leads that people change in the store while the dialer has copies of them.

use super::floor::staffed;
use super::*;
use crate::agent::{Activity, AgentAction};
use crate::ids::AgentId;

impl Desk {
    fn returned_leads(&mut self) -> Vec<i64> {
        let leads = self.take(|output| match output {
            Output::ReturnLeads { leads, .. } => Some(leads.clone()),
            _ => None,
        });
        leads.concat().into_iter().map(|lead| lead.0).collect()
    }

    fn is_fetching(&mut self) -> bool {
        !self.take(|output| matches!(output, Output::FetchLeads { .. }).then_some(())).is_empty()
    }

    fn change_leads(&mut self, leads: &[i64]) {
        let leads = leads.iter().copied().map(LeadId).collect();
        self.give(Input::ManagerActed { campaign: ID, action: ManagerAction::LeadsChanged { leads } });
    }

    fn waits(&self, lead: i64) -> bool {
        self.dialer.campaigns[&ID].hopper.find(LeadId(lead)).is_some()
    }

    fn sees_no_drift(&self) {
        assert_eq!(self.dialer.drift(), None);
    }
}

fn assigned(n: i64, agent: i64) -> Lead {
    Lead { assigned: Some(AgentId(agent)), ..lead(n) }
}

#[test]
fn copies_of_changed_leads_leave_the_hopper_and_are_fetched_anew() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.leads((1..=3).map(lead).collect());
    desk.is_fetching();
    desk.change_leads(&[2, 9]);
    assert_eq!(desk.returned_leads(), [2]);
    assert!(desk.is_fetching() && desk.waits(1) && !desk.waits(2) && desk.waits(3));
    // The answer to that request may still hold a lead as it was before the next change.
    desk.change_leads(&[4]);
    desk.leads(vec![lead(2), lead(4), lead(5)]);
    assert_eq!(desk.returned_leads(), [4]);
    assert!(desk.waits(2) && !desk.waits(4) && desk.waits(5));
    assert!(desk.is_fetching(), "the changed lead is asked for again");
    desk.leads(vec![lead(4)]);
    assert!(desk.waits(4));
    desk.sees_no_drift();
}

#[test]
fn a_preview_of_a_changed_lead_is_withdrawn() {
    let mut desk = Desk::floor(staffed(Mode::Preview));
    desk.nailed_up(1);
    desk.leads(vec![lead(1)]);
    assert_eq!(desk.activity(1), Activity::Reserved);
    desk.change_leads(&[1]);
    assert_eq!((desk.activity(1), desk.returned_leads()), (Activity::Idle, vec![1]));
    desk.sees_no_drift();
}

#[test]
fn an_attempt_names_the_version_of_its_copy_and_one_that_is_gone_is_asked_for_again() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.nailed_up(1);
    desk.leads(vec![Lead { version: 7, ..lead(1) }]);
    let request = desk.requests().remove(0);
    assert_eq!(request.lead_version, 7);
    desk.is_fetching();
    desk.give(Input::AttemptOpened { attempt: request.attempt, verdict: DialVerdict::Gone });
    desk.change_leads(&[1]);
    assert_eq!((desk.activity(1), desk.placed()), (Activity::Idle, vec![]));
    desk.leads(Vec::new());
    desk.leads(vec![Lead { version: 8, ..lead(1) }]);
    assert_eq!(desk.requests().remove(0).lead_version, 8);
    desk.sees_no_drift();
}

#[test]
fn an_assigned_lead_is_called_for_its_agent_alone_and_hides_no_other() {
    for mode in [Mode::Progressive, Mode::Ratio, Mode::Predictive] {
        let mut desk = Desk::floor(staffed(mode));
        desk.nailed_up(1);
        desk.nailed_up(2);
        desk.act(2, AgentAction::Pause { reason: "tea".into() });
        let own = (1..=100).map(|n| assigned(n, 2));
        desk.leads(own.chain([lead(900)]).collect());
        let called: Vec<i64> = desk.requests().iter().filter_map(|it| it.lead).map(|lead| lead.0).collect();
        assert_eq!(called, [900], "{mode:?}");
        desk.act(2, AgentAction::Ready);
        let called: Vec<i64> = desk.requests().iter().filter_map(|it| it.lead).map(|lead| lead.0).collect();
        assert_eq!((called, desk.activity(2)), (vec![1], Activity::Reserved), "{mode:?}");
        desk.sees_no_drift();
    }
}

#[test]
fn a_preview_shows_an_assigned_lead_to_its_agent_alone() {
    let mut desk = Desk::floor(staffed(Mode::Preview));
    desk.nailed_up(1);
    desk.leads(vec![assigned(1, 2)]);
    assert_eq!((desk.activity(1), desk.why()), (Activity::Idle, Some(Why::AgentsBusy)));
    desk.nailed_up(2);
    assert_eq!((desk.activity(1), desk.activity(2)), (Activity::Idle, Activity::Reserved));
    desk.sees_no_drift();
}

#[test]
fn a_lead_that_was_moved_to_the_front_is_called_before_a_due_callback() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    let booked = Lead { callback: Some(crate::lead::Callback::default()), next_at: Some(MORNING), ..lead(1) };
    let front = Lead { is_first: true, next_at: Some(Utc::from_millis(1)), ..lead(2) };
    desk.leads(vec![booked, lead(3), front]);
    let order: Vec<i64> = {
        let hopper = &mut desk.dialer.campaigns.get_mut(&ID).expect("a run").hopper;
        std::iter::from_fn(|| hopper.take(64, |_| true)).map(|leased| leased.lead.id.0).collect()
    };
    assert_eq!(order, [2, 1, 3]);
}
